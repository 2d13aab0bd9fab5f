"""The decision of the acting body on what a panel found, and the appeal of the applicant.

Law: no decision is better than what follows from the reviews; a body that is silent decides nothing else than that; a
project is judged by a second panel once at most, and what that finds takes effect by itself.

contracts/certification/README.md, R3, R4 and R6.
"""

from __future__ import annotations

from typing import Final

from coseal.contracts.certification.panel import draw
from coseal.contracts.certification.proceedings import REVIEWED, Proceeding, in_step
from coseal.contracts.certification.verdict import CONDITIONAL, OUTCOMES, REFUSED
from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Rejected, Result, View
from coseal.contracts.kernel.evidence import EVIDENCE
from coseal.contracts.kernel.fields import Identifier, Many, OneOf, Text
from coseal.contracts.kernel.wording import moment_text
from coseal.contracts.supervision.terms import long_text

MAX_CONDITIONS: Final = 16


def _decide(view: View, context: Context, args: Args) -> Result | Rejected:
    found = in_step(view, context, args["project"], REVIEWED)
    if isinstance(found, Rejected):
        return found
    wrong = found.acts(context.member)
    if wrong is not None:
        return wrong
    computed = found.round["verdict"]["outcome"]
    if OUTCOMES.index(args["outcome"]) > OUTCOMES.index(computed):  # R4
        return Rejected("better_than_computed", f"what follows from the reviews is {computed}")
    found.record["body"] = context.member
    found.conclude(args["outcome"])
    return {**found.write(), "computed": computed}


def decision_over(found: Proceeding) -> None:
    """Let what follows from the reviews be the outcome."""  # R4
    turn = found.record["turn"]
    found.missed(found.bodies[turn : turn + 1] or found.bodies)
    found.conclude(found.round["verdict"]["outcome"])


def _appeal(view: View, context: Context, args: Args) -> Result | Rejected:
    found = in_step(view, context, args["project"], CONDITIONAL, REFUSED)
    if isinstance(found, Rejected):
        return found
    record = found.record
    if record["member"] != context.member:
        return Rejected("not_applicant", f"{record['member']} may appeal")
    if "appeal" in record:  # R6
        return Rejected("already_appealed", f"{found.name} was judged by a second panel")
    if context.time_ms > record["appeal_ms"]:
        return Rejected("too_late", f"the time to appeal was over at {moment_text(record['appeal_ms'])}")
    found.round["out"] = [*found.round["out"], *(each.name for each in found.panel())]
    out = found.round["out"]
    if draw(b"", found.reviewers(), found.scheme["panel"]) is None:
        return Rejected(
            "no_panel", f"there is no second panel without the first; {found.name} stays {record['status']}"
        )
    record["appeal"] = {"height": context.height, "before": record["status"]}
    found.begin_round(out, 1, appeal=True)
    return found.write()


_project: Final = Identifier(slash=False)
ACTIONS: Final[dict[str, Action]] = {
    "decide": Action(
        arguments=Arguments(
            {"project": _project, "outcome": OneOf(*OUTCOMES), "reason": long_text},
            {"conditions": Many(Text(high=512), low=1, high=MAX_CONDITIONS)},
        ),
        apply=_decide,
        title="Decide on a project as its reviews have it, or worse",
        example={
            "project": "clearing",
            "outcome": REFUSED,
            "reason": "The panel found no proof that debts are kept",
            "conditions": ["An insurer for every operator"],
        },
        capability="operate",
    ),
    "appeal": Action(
        arguments=Arguments({"project": _project, "reason": long_text}, {"evidence": EVIDENCE}),
        apply=_appeal,
        title="Appeal to a second panel",
        example={"project": "clearing", "reason": "The exercise was repeated", "evidence": ["00" * 32]},
        capability="operate",
    ),
}
