"""Moves about certification: schemes, projects, their arguments, sealed when they are whole.

Law: as ``simulation.walk.walker``.
"""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.certification.kept import ids_of, nodes_in, root_of
from coseal.contracts.certification.projects import DRAFT
from coseal.contracts.certification.state import COUNT_KEY, number_key, project_key, scheme_key
from simulation.walk.walker import Make, Move, Walker

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
    "validity_ms": 366 * 86_400_000,
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
    return Move(sender, "certification.apply", {**args, "framework_sha256": "cd" * 32, **parties})


def _argue(walk: Walker) -> Move | None:
    found = _project(walk)
    sender = None if found is None else walk.operator(found[1]["member"])
    if found is None or sender is None:
        return None
    name, record = found
    nodes = list(_ARGUMENT) if walk.chance(2) else [walk.pick(_ARGUMENT)]
    here = ids_of(walk.sight.reader, name, record["nodes"]) if record["status"] == DRAFT else []
    drop = {"drop": [walk.pick(here)]} if here and walk.chance(6) else {}
    return Move(sender, "certification.argue", {"project": name, "nodes": nodes, **drop})


def _seal(walk: Walker) -> Move | None:
    found = _project(walk)
    sender = None if found is None else walk.operator(found[1]["member"], "operate")
    if found is None or sender is None:
        return None
    name, record = found
    draft = record["status"] == DRAFT and not walk.chance(12)
    nodes = nodes_in(walk.sight.reader, name, ids_of(walk.sight.reader, name, record["nodes"])) if draft else {}
    return Move(sender, "certification.seal", {"project": name, "count": len(nodes), "root": root_of(nodes)})


KINDS: Final[dict[str, tuple[int, Make]]] = {
    "apply": (2, _apply),
    "argue": (4, _argue),
    "seal": (3, _seal),
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
