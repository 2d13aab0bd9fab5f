"""Reviews: committed to before any is shown, then revealed; and the verdict that follows from them.

Law: nobody who reviews has seen another's review before; a commitment opens for nobody but who made it; what a panel
said is decided by the reviews that were revealed, whatever their order.

contracts/certification/README.md, V1 to V9.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from coseal.contracts.certification.argument import MAX_NODES, Node, is_leaf
from coseal.contracts.certification.kept import ids_of, nodes_in, taken
from coseal.contracts.certification.panel import Reviewer, can_decide
from coseal.contracts.certification.proceedings import (
    ADMITTED,
    DRAWN,
    REVEAL,
    REVIEW,
    REVIEWED,
    SEALED,
    Proceeding,
    opened,
)
from coseal.contracts.certification.projects import DRAFT, LAPSED
from coseal.contracts.certification.reviewers import bar
from coseal.contracts.certification.scheme import MAX_SCORE, applying
from coseal.contracts.certification.state import review_key
from coseal.contracts.certification.verdict import ACCEPTED, OPINIONS, Tally, verdict
from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Rejected, Result, View
from coseal.contracts.kernel.budget import ENTRY_STEPS
from coseal.contracts.kernel.fields import Hexadecimal, Identifier, Integer, OneOf, Record, Table, Text
from coseal.ledger import codec

VERDICT_STEPS: Final = 24
"""What a node takes when a verdict is worked out, beside reading it."""
MAX_SHOWN: Final = 16
_TAG: Final = b"coseal/review/1".ljust(24, b"\0")
_BEFORE: Final = (DRAFT, LAPSED, SEALED, ADMITTED, DRAWN)

REVIEW_FORM: Final = Record(
    {
        "leaves": Table(
            Record({"opinion": OneOf(*OPINIONS), "reason": Text(high=1_000)}),
            high=MAX_NODES,
            key=Identifier(slash=False),
        ),
        "scores": Table(
            Record({"score": Integer(0, MAX_SCORE), "reason": Text(high=1_000)}), high=32, key=Identifier(slash=False)
        ),
    },
    {"dissent": Text(high=2_000)},
)
"""A review: an opinion on every leaf, a score for every criterion that applies, each with its reason."""


def review_commitment(project: str, number: int, reviewer: str, review: Mapping[str, Any], salt: str) -> str:
    """Return what a reviewer commits to; it names the reviewer, so that nobody else can open a copy."""  # V6
    return sha256(_TAG + codec.encode([project, number, reviewer, dict(review), salt])).hexdigest()


def leaves_of(nodes: Sequence[Node]) -> list[str]:
    """Return the ids of the leaves of an argument, in the order in which a kept review has its opinions."""
    return sorted(node.id for node in nodes if is_leaf(node))


def _commit(view: View, context: Context, args: Args) -> Result | Rejected:
    found = opened(view, context, args["project"])
    if isinstance(found, Rejected):
        return found
    if found.record["status"] != REVIEW:
        late = found.record["status"] not in _BEFORE
        code, so = ("too_late", "over") if late else ("wrong_step", "not yet")  # V7
        return Rejected(code, f"{found.name} is {found.record['status']}: committing to reviews is {so}")
    if context.sender not in [reviewer.name for reviewer in found.panel()]:
        return Rejected("not_drawn", f"{context.sender} is not on the panel of {found.name}")
    if context.sender in found.round["committed"]:
        return Rejected("already_committed", f"{context.sender} has committed to a review")
    key = review_key(found.name, found.record["round"], context.sender)
    view.put(key, {"commitment": args["commitment"], "height": context.height})
    found.round["committed"] = [*found.round["committed"], context.sender]
    if len(found.round["committed"]) == len(found.round["panel"]):
        found.enter(REVEAL)
    return found.write()


def _reveal(view: View, context: Context, args: Args) -> Result | Rejected:
    found = opened(view, context, args["project"])
    if isinstance(found, Rejected):
        return found
    status, review = found.record["status"], args["review"]
    if status != REVEAL:
        code = "too_early" if status in (*_BEFORE, REVIEW) else "too_late"  # V7
        return Rejected(code, f"{found.name} is {status}: reviews are revealed after all have committed, for a time")
    if context.sender not in found.round["committed"]:
        return Rejected("not_drawn", f"{context.sender} has committed to no review of {found.name}")
    if context.sender in found.round["revealed"]:
        return Rejected("already_committed", f"{context.sender} has revealed its review")
    key = review_key(found.name, found.record["round"], context.sender)
    kept: Any = view.get(key)
    commitment = review_commitment(found.name, found.record["round"], context.sender, review, args["salt"])
    if commitment != kept["commitment"]:  # V6
        return Rejected("commitment_differs", "it is not the review that was committed to, under this salt")
    nodes = _nodes(found)
    leaves, criteria = leaves_of(nodes), applying(found.scheme, found.record["kind"])
    if sorted(review["leaves"]) != leaves or sorted(review["scores"]) != sorted(criteria):  # V8
        return Rejected("incomplete_review", f"it has {len(leaves)} leaves and {len(criteria)} criteria to judge")
    opinions = [review["leaves"][leaf]["opinion"] for leaf in leaves]
    scores = {criterion: review["scores"][criterion]["score"] for criterion in criteria}
    digest = sha256(codec.encode(dict(review))).hexdigest()
    view.put(key, {**kept, "revealed": context.height, "opinions": opinions, "scores": scores, "digest": digest})
    found.view.charge(ENTRY_STEPS * len(leaves))
    _count(found, opinions, [scores[criterion] for criterion in criteria])
    found.round["revealed"] = [*found.round["revealed"], context.sender]
    if len(found.round["revealed"]) == len(found.round["committed"]):
        _judge(found, nodes)
    return found.write()


def _count(found: Proceeding, opinions: Sequence[str], scores: Sequence[int]) -> None:
    """Add a review to what those before it come to, so that a verdict does not read them all."""
    accepted = found.round.get("accepted") or [0] * len(opinions)
    sums = found.round.get("scores") or [0] * len(scores)
    found.round["accepted"] = [n + (each == ACCEPTED) for n, each in zip(accepted, opinions, strict=True)]
    found.round["scores"] = [n + each for n, each in zip(sums, scores, strict=True)]


def _nodes(found: Proceeding) -> tuple[Node, ...]:
    found.view.charge(VERDICT_STEPS * found.record["nodes"])
    return taken(nodes_in(found.view, found.name, ids_of(found.view, found.name, found.record["nodes"])))


def _judge(found: Proceeding, nodes: Sequence[Node]) -> None:
    """Work out the verdict; after an appeal it is the outcome, else the acting body decides."""
    round, kind = found.round, found.record["kind"]
    accepted = dict(zip(leaves_of(nodes), round["accepted"], strict=True))
    scores = dict(zip(applying(found.scheme, kind), round["scores"], strict=True))
    tally = Tally(len(round["revealed"]), accepted, scores)
    result = verdict(found.scheme, kind, nodes, tally)
    criteria = {name: list(each) for name, each in result.criteria.items()}
    kept = {"outcome": result.outcome, "criteria": criteria, "score": list(result.score), "reviews": tally.reviews}
    found.round["verdict"] = kept
    found.said |= {**kept, "failed": list(result.failed[:MAX_SHOWN]), "fallen": list(result.fallen[:MAX_SHOWN])}
    if found.round["appeal"]:
        found.conclude(result.outcome)  # R6
    else:
        found.enter(REVIEWED)


def _who(found: Proceeding, names: Sequence[str]) -> list[Reviewer]:
    return [reviewer for reviewer in found.panel() if reviewer.name in names]


def commitments_over(found: Proceeding) -> None:
    """Go on to what was committed, if that can decide."""
    committed = found.round["committed"]
    silent = [reviewer.name for reviewer in found.panel() if reviewer.name not in committed]
    found.missed(silent)
    if can_decide(found.scheme["panel"], _who(found, committed)):  # V1
        found.enter(REVEAL)
    else:
        found.undecided(silent)


def reveals_over(found: Proceeding) -> None:
    """Take the offices of those who kept their reviews back, and judge by the others if they can decide."""
    revealed = found.round["revealed"]
    silent = [name for name in found.round["committed"] if name not in revealed]
    found.missed(silent)
    for name in silent:
        bar(found.view, name, found.time_ms)  # V9
    if can_decide(found.scheme["panel"], _who(found, revealed)):  # V1
        _judge(found, _nodes(found))
    else:
        found.undecided(silent)


_project: Final = Identifier(slash=False)
ACTIONS: Final[dict[str, Action]] = {
    "commit": Action(
        arguments=Arguments({"project": _project, "commitment": Hexadecimal()}),
        apply=_commit,
        title="Commit to a review, as a reviewer of the panel",
        example={"project": "clearing", "commitment": "00" * 32},
        capability="",
    ),
    "reveal": Action(
        arguments=Arguments({"project": _project, "review": REVIEW_FORM, "salt": Hexadecimal()}),
        apply=_reveal,
        title="Reveal the review that was committed to",
        example={
            "project": "clearing",
            "review": {
                "leaves": {"Test": {"opinion": ACCEPTED, "reason": "It was repeated"}},
                "scores": {"credit-system": {"score": 3, "reason": "Debts are insured"}},
                "dissent": "Insurance alone does not do it",
            },
            "salt": "00" * 32,
        },
        capability="",
    ),
}
