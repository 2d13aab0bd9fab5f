"""Moves about certification: schemes, projects, their arguments, and panels, each step by who is to act.

Law: as ``simulation.walk.walker``.
"""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.certification.kept import ids_of, nodes_in, paged, root_of, taken
from coseal.contracts.certification.panel import Reviewer, draw, is_humanities, seed_commitment
from coseal.contracts.certification.proceedings import INCONCLUSIVE, interested
from coseal.contracts.certification.projects import DRAFT, LAPSED
from coseal.contracts.certification.reviewing import leaves_of, review_commitment
from coseal.contracts.certification.scheme import TERMS, applying
from coseal.contracts.certification.state import (
    CERTIFICATES_KEY,
    COUNT_KEY,
    REVIEWERS_KEY,
    number_key,
    project_key,
    register_key,
    reviewer_key,
    round_key,
    scheme_key,
)
from coseal.contracts.certification.verdict import CERTIFIED, OUTCOMES
from coseal.contracts.membership.state import operators_key
from simulation.walk import funding
from simulation.walk.walker import USERS, Make, Move, Walker

SCHEMES: Final = ("rationality", "risk")
KINDS_OF_PROJECT: Final = ("public_chain", "payment")
_CONTENT: Final[dict[str, Any]] = {
    "title": {"en": "A scheme", "zh": "方案"},
    "criteria": [
        {"id": "value", "title": "Is it of value?", "weight": 3, "floor": 1, "asks": ["For whom?"]},
        {
            "id": "credit",
            "title": "Is credit kept?",
            "weight": 5,
            "floor": 2,
            "asks": ["How?"],
            "applies": ["public_chain"],
        },
    ],
    "panel": {"size": 5, "least": {"government": 1, "industry": 1, "academia": 1, "humanities": 1}},
    "threshold": [3, 5],
    "validity_ms": 1_095 * 86_400_000,
    "terms": dict.fromkeys(TERMS, 120 * 86_400_000),
}
_ARGUMENT: Final[tuple[dict[str, Any], ...]] = (
    {"id": "V", "kind": "claim", "statement": "It is of value", "criterion": "value"},
    {"id": "E", "kind": "evidence", "parent": "V", "statement": "A survey", "sha256": "ab" * 32},
    {"id": "C", "kind": "claim", "statement": "Credit is kept", "criterion": "credit", "declared": "axiomatic"},
    {"id": "D", "kind": "defeater", "parent": "C", "statement": "Operators vanish"},
    {"id": "L", "kind": "cite", "parent": "D", "cites": "E"},
)


def _project(walk: Walker) -> tuple[str, Any] | None:
    """Return a project that there is, one of the newest."""
    count = walk.get(COUNT_KEY) or 0
    if count == 0:
        return None
    name = walk.get(number_key(walk.pick(range(max(1, count - 7), count + 1))))
    return name, walk.get(project_key(name))


def _apply(walk: Walker) -> Move | None:
    sender = walk.operator(walk.member(), "operate")
    if sender is None:
        return None
    args = {"project": f"p-{walk.memory.next()}", "title": {"en": "A project", "zh": "项目"}}
    args |= {"scheme": walk.pick(SCHEMES), "kind": walk.pick(KINDS_OF_PROJECT)}
    parties = {"parties": [walk.member()]} if walk.chance(2) else {}
    taking_part = frozenset((sender.partition("/")[0], *parties.get("parties", ())))
    more = {**parties, **funding.tranches(walk, taking_part)}
    return Move(sender, "certification.apply", {**args, "framework_sha256": "cd" * 32, **more})


def _argue(walk: Walker) -> Move | None:
    found = _project(walk)
    sender = None if found is None else walk.operator(found[1]["member"])
    if found is None or sender is None:
        return None
    name, record = found
    nodes = list(_ARGUMENT) if not walk.chance(3) else [walk.pick(_ARGUMENT)]
    here = ids_of(walk.sight.reader, name, record["nodes"]) if record["status"] == DRAFT else []
    drop = {"drop": [walk.pick(here)]} if here and walk.chance(6) else {}
    return Move(sender, "certification.argue", {"project": name, "nodes": nodes, **drop})


def _seal(walk: Walker) -> Move | None:
    found = _project(walk)
    sender = None if found is None else walk.operator(found[1]["member"], "operate")
    if found is None or sender is None:
        return None
    name, record = found
    if record["status"] == DRAFT and not _judged_twice(walk, record) and not walk.chance(3):
        return None  # who may review is settled by now; others register meanwhile
    draft = record["status"] == DRAFT and not walk.chance(12)
    nodes = nodes_in(walk.sight.reader, name, ids_of(walk.sight.reader, name, record["nodes"])) if draft else {}
    return Move(sender, "certification.seal", {"project": name, "count": len(nodes), "root": root_of(nodes)})


def _judged_twice(walk: Walker, record: Any) -> bool:
    """Say whether those who are registered make a panel, and the others a second one for an appeal."""
    reader, out = walk.sight.reader, interested(record)
    panel: Any = walk.get(scheme_key(record["scheme"]))["panel"]
    names = paged(reader, register_key, walk.get(REVIEWERS_KEY) or 0)
    able: list[Reviewer] = []
    for name in names:
        member, _, user = name.partition("/")
        known: Any = walk.get(reviewer_key(name))
        if member not in out:
            able.append(Reviewer(member, user, known["sector"], is_humanities(known["fields"])))
    first = draw(b"", able, panel) or ()
    return bool(first) and draw(b"", [each for each in able if each not in first], panel) is not None


def _register(walk: Walker) -> Move | None:
    """Register a reviewer; a second panel needs other reviewers, so members get further operators."""
    member = walk.member()
    sender, rights = walk.operator(member, "operate"), walk.get(operators_key(member)) or {}
    if sender is None:
        return None
    users = [user for user, held in rights.items() if held]
    free = [user for user in USERS if not rights.get(user)]
    if len(users) < 3 and free and walk.chance(2):
        added = {"user": free[0], "key": walk.keys.make().public_key.hex(), "capabilities": ["submit"]}
        return Move(sender, "membership.add_operator", added)
    args = {"user": walk.pick(users), "fields": [walk.pick(("2.2", "5.2", "6", "6.3"))], "statement_sha256": "ee" * 32}
    return Move(sender, "certification.register_reviewer", {**args, "until_ms": walk.sight.time_ms + _OFFICE_MS})


_OFFICE_MS: Final = 1_000 * 86_400_000
_LOOKS_BACK: Final = 24
_OVER: Final = (CERTIFIED, INCONCLUSIVE)
_SEED: Final = "5e" * 32
_SALT: Final = "5a" * 32


def _proceed(walk: Walker) -> Move | None:
    """Take the next step of a project that is sealed."""
    count = walk.get(COUNT_KEY) or 0
    names = [walk.get(number_key(number)) for number in range(max(1, count - _LOOKS_BACK), count + 1)]
    sealed = [name for name in names if walk.get(project_key(name))["status"] not in (DRAFT, LAPSED, *_OVER)]
    if not sealed:
        return None
    name = walk.pick(sealed)
    record: Any = walk.get(project_key(name))
    under: Any = walk.get(scheme_key(record["scheme"]))
    round: Any = walk.get(round_key(name, record["round"])) if record["round"] else {}
    able = [each for each in under["bodies"] if each not in interested(record) or walk.chance(12)]
    body = walk.operator(walk.pick(able), "operate") if able else None
    match record["status"]:
        case "sealed" if not walk.chance(4):
            return None  # others register meanwhile
        case "sealed":
            return _by(body, "admit", {"project": name})
        case "admitted":
            return _seeding(walk, name, record["round"], round)
        case "drawn":
            left = [each for each in _names(round) if each not in round["declared"]]
            return _by(walk.pick(left), "declare", {"project": name, "conflict": walk.chance(12)}) if left else None
        case "review":
            left = [each for each in _names(round) if each not in round["committed"]]
            sender = walk.pick(left)
            said = review_commitment(name, record["round"], sender, _review(walk, record, under, sender), _SALT)
            return _by(sender, "commit", {"project": name, "commitment": said})
        case "reveal":
            sender = walk.pick([each for each in round["committed"] if each not in round["revealed"]])
            review = _review(walk, record, under, sender)
            return _by(sender, "reveal", {"project": name, "review": review, "salt": _SALT})
        case "reviewed":
            outcome = walk.pick(("refused", round["verdict"]["outcome"], walk.pick(OUTCOMES)))
            return _by(body, "decide", {"project": name, "outcome": outcome, "reason": "So it is"})
        case _:
            sender = walk.operator(record["member"], "operate")
            return _by(sender, "appeal", {"project": name, "reason": "It was repeated"})


def _by(sender: str | None, action: str, args: dict[str, Any]) -> Move | None:
    return None if sender is None else Move(sender, f"certification.{action}", args)


def _names(round: dict[str, Any]) -> list[str]:
    return [f"{member}/{user}" for member, user, *_ in round["panel"]]


def _seeding(walk: Walker, name: str, number: int, round: dict[str, Any]) -> Move | None:
    seeds, seeders = round["seeds"], round["seeders"]
    left = [member for member in seeders if member not in seeds]
    shows = not left
    left = left or [member for member in seeders if not seeds[member][1]]
    member = walk.pick(left)
    sender = walk.operator(member, "operate")
    if shows:
        return _by(sender, "reveal_seed", {"project": name, "seed": _SEED})
    commitment = seed_commitment(name, number, member, bytes.fromhex(_SEED))
    return _by(sender, "commit_seed", {"project": name, "commitment": commitment})


def _review(walk: Walker, record: dict[str, Any], under: dict[str, Any], reviewer: str) -> dict[str, Any]:
    """Return what a reviewer says of a project, the same whenever it is asked; few refute anything."""
    name = walk.get(number_key(record["number"]))
    nodes = taken(nodes_in(walk.sight.reader, name, ids_of(walk.sight.reader, name, record["nodes"])))
    opinion = "refuted" if len(f"{reviewer}{name}") % 5 == 0 else "accepted"
    return {
        "leaves": {leaf: {"opinion": opinion, "reason": "So it is"} for leaf in leaves_of(nodes)},
        "scores": {each: {"score": 3, "reason": "So it is"} for each in applying(under, record["kind"])},
    }


KINDS: Final[dict[str, tuple[int, Make]]] = {
    "apply": (2, _apply),
    "argue": (4, _argue),
    "seal": (3, _seal),
    "register_reviewer": (5, _register),
    "proceed": (36, _proceed),
    **funding.KINDS,
}


# Ballots


def scheme_adopted(walk: Walker, member: str) -> dict[str, Any] | None:
    """Return what a ballot on a new scheme says."""
    bodies = [walk.pick(walk.members(role) or [member]) for role in ("government", "institute")]
    return {"scheme": walk.pick(SCHEMES), "content": _CONTENT, "bodies": bodies}


def scheme_retired(walk: Walker, member: str) -> dict[str, Any] | None:
    """Return what a ballot on the end of a scheme says; seldom, for it takes no projects then."""
    named = [name for name in SCHEMES if walk.get(scheme_key(name)) is not None]
    return {"scheme": walk.pick(named), "reason": "It asks too little"} if named and walk.chance(8) else None


def certificate_revoked(walk: Walker, member: str) -> dict[str, Any] | None:
    """Return what a ballot on the end of a certificate says."""
    count = walk.get(CERTIFICATES_KEY) or 0
    return {"certificate": f"C{walk.pick(range(1, count + 1))}", "reason": "It was staged"} if count else None
