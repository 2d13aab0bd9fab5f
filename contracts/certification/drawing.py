"""From a sealed project to a seated panel: admission, seeds of applicant and bodies, the draw, conflicts of interest.

Law: nobody chooses a panel unless the applicant and every body of the scheme do it together: who has seen the seeds of
others and keeps its own back does not get another draw from them.

contracts/certification/README.md, D2 to D9.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from coseal.contracts.certification.panel import Reviewer, can_decide, draw, joined, lacking, seed_commitment
from coseal.contracts.certification.proceedings import (
    ADMITTED,
    DRAWN,
    REST_MS,
    REVIEW,
    SEALED,
    Proceeding,
    in_step,
)
from coseal.contracts.certification.reviewers import eligible, put_eligible
from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Rejected, Result, View
from coseal.contracts.kernel.fields import Boolean, Hexadecimal, Identifier

_LEAST_SEEDERS: Final = 2


def _admit(view: View, context: Context, args: Args) -> Result | Rejected:
    found = in_step(view, context, args["project"], SEALED)
    if isinstance(found, Rejected):
        return found
    wrong = found.acts(context.member)
    if wrong is not None:
        return wrong
    reviewers = eligible(view, found.record["sealed"][0], context.time_ms, found.interested)  # D5
    panel = found.scheme["panel"]
    if draw(b"", reviewers, panel) is None:
        return Rejected("no_panel", f"these reviewers make no panel: {lacking(reviewers, panel)}")
    put_eligible(view, found.name, reviewers)
    found.record["eligible"] = len(reviewers)
    found.begin_round((), 1, appeal=False)
    return {**found.write(), "eligible": len(reviewers)}


def admission_over(found: Proceeding) -> None:
    """Let the next body admit a project; after the last one, any of them."""  # R3
    found.missed(found.bodies[found.record["turn"] : found.record["turn"] + 1])
    found.record["turn"] += 1
    if found.record["turn"] < len(found.bodies):
        found.enter(SEALED)
    else:
        found.record["due_ms"] = 0


# Seeds


def _all_committed(found: Proceeding) -> bool:
    return all(member in found.round["seeds"] for member in found.round["seeders"])


def _seeding(view: View, context: Context, args: Args) -> Proceeding | Rejected:
    """Return the proceeding of a project for which the sender's member is to give a seed."""
    found = in_step(view, context, args["project"], ADMITTED)
    if isinstance(found, Rejected):
        return found
    if found.round.get("rests"):
        return Rejected("resting", f"{found.name} rests: a seed was kept back; it is drawn for anew after that")
    if context.member not in found.round["seeders"]:
        return Rejected("not_body", f"{', '.join(found.round['seeders'])} give seeds")
    return found


def _commit_seed(view: View, context: Context, args: Args) -> Result | Rejected:
    found = _seeding(view, context, args)
    if isinstance(found, Rejected):
        return found
    if context.member in found.round["seeds"]:
        return Rejected("already_committed", f"{context.member} has committed to a seed")
    found.round["seeds"] = {**found.round["seeds"], context.member: [args["commitment"], ""]}
    if _all_committed(found):
        found.enter(ADMITTED)  # D6: now all show theirs
    return found.write()


def _reveal_seed(view: View, context: Context, args: Args) -> Result | Rejected:
    found = _seeding(view, context, args)
    if isinstance(found, Rejected):
        return found
    if not _all_committed(found):
        return Rejected("too_early", "a seed is shown when all have committed to theirs")  # D6
    commitment, shown = found.round["seeds"][context.member]
    if shown:
        return Rejected("already_committed", f"{context.member} has shown its seed")
    seed = bytes.fromhex(args["seed"])
    if seed_commitment(found.name, found.record["round"], context.member, seed) != commitment:
        return Rejected("wrong_seed", "it is not the seed that was committed to")
    found.round["seeds"] = {**found.round["seeds"], context.member: [commitment, args["seed"]]}
    if all(found.round["seeds"][member][1] for member in found.round["seeders"]):
        _drawn(found)
    return found.write()


def _drawn(found: Proceeding) -> None:
    """Draw the panel by all seeds together."""
    seeds = [bytes.fromhex(found.round["seeds"][member][1]) for member in found.round["seeders"]]
    seed = joined(seeds)  # D2
    panel = draw(seed, found.reviewers(), found.scheme["panel"])
    if panel is None:
        raise ValueError(f"no panel can be drawn for {found.name}, which was admitted")
    found.round["seed"] = seed.hex()
    _seat(found, panel)


def seeds_over(found: Proceeding) -> None:
    """Go on without the bodies that kept a seed back; without the applicant's the project rests."""
    round = found.round
    if round.get("rests"):
        found.round |= {"rests": False, "seeders": [found.record["member"], *found.bodies], "seeds": {}}
        found.enter(ADMITTED)
        return
    seeds: dict[str, Any] = round["seeds"]
    shows = _all_committed(found)
    silent = [member for member in round["seeders"] if member not in seeds or (shows and not seeds[member][1])]
    left = [member for member in round["seeders"] if member not in silent]
    found.missed(silent)
    if found.record["member"] in silent or len(left) < _LEAST_SEEDERS:  # D8
        found.round |= {"rests": True, "seeds": {}}
        found.enter(ADMITTED, REST_MS)
        return
    found.round |= {"seeders": left, "seeds": {} if shows else seeds}  # D7: others were seen, so all choose again
    found.enter(ADMITTED)


# Conflicts


def _declare(view: View, context: Context, args: Args) -> Result | Rejected:
    found = in_step(view, context, args["project"], DRAWN)
    if isinstance(found, Rejected):
        return found
    if context.sender not in _undeclared(found):
        return Rejected("not_drawn", f"{context.sender} has nothing to declare for {found.name}")
    if args["conflict"]:
        _replace(found, [context.sender])
    else:
        found.round["declared"] = [*found.round["declared"], context.sender]
        _seated(found)
    return found.write()


def _undeclared(found: Proceeding) -> list[str]:
    return [reviewer.name for reviewer in found.panel() if reviewer.name not in found.round["declared"]]


def _replace(found: Proceeding, leaving: list[str]) -> None:
    """Give the seats of some reviewers to the next in the draw; with nobody left they stay empty."""  # D9
    found.round["out"] = [*found.round["out"], *leaving]
    seated = [reviewer for reviewer in found.panel() if reviewer.name not in leaving]
    panel = draw(bytes.fromhex(found.round["seed"]), found.reviewers(), found.scheme["panel"], seated)
    if panel is not None:
        _seat(found, panel)
    else:
        found.round["panel"] = [list(each) for each in seated]
        if not _undeclared(found):
            found.enter(DRAWN, 0)  # a due thing of its own sees to it: drawing twice is too much for one


def _seat(found: Proceeding, panel: Sequence[Reviewer]) -> None:
    """Have a panel, whose newcomers are to declare."""
    found.round["panel"] = [list(each) for each in panel]
    found.said["panel"] = [each.name for each in panel]
    found.enter(DRAWN)


def _seated(found: Proceeding) -> None:
    """Begin the review once all of a panel have declared."""
    if _undeclared(found):
        return
    if can_decide(found.scheme["panel"], found.panel()):
        found.round |= {"committed": [], "revealed": []}
        found.enter(REVIEW)
    else:
        found.undecided(())


def declarations_over(found: Proceeding) -> None:
    """Replace who did not say whether it has a conflict of interest."""
    silent = _undeclared(found)
    if silent:
        found.missed(silent)
        _replace(found, silent)
    else:
        _seated(found)


_project: Final = Identifier(slash=False)
ACTIONS: Final[dict[str, Action]] = {
    "admit": Action(
        arguments=Arguments({"project": _project}),
        apply=_admit,
        title="Admit a sealed project to a panel",
        example={"project": "clearing"},
        capability="operate",
    ),
    "commit_seed": Action(
        arguments=Arguments({"project": _project, "commitment": Hexadecimal()}),
        apply=_commit_seed,
        title="Commit to a seed for the draw of a panel",
        example={"project": "clearing", "commitment": "00" * 32},
        capability="operate",
    ),
    "reveal_seed": Action(
        arguments=Arguments({"project": _project, "seed": Hexadecimal()}),
        apply=_reveal_seed,
        title="Show the seed for the draw of a panel",
        example={"project": "clearing", "seed": "00" * 32},
        capability="operate",
    ),
    "declare": Action(
        arguments=Arguments({"project": _project, "conflict": Boolean()}, {"statement_sha256": Hexadecimal()}),
        apply=_declare,
        title="Declare, as a drawn reviewer, whether there is a conflict of interest",
        example={"project": "clearing", "conflict": False, "statement_sha256": "00" * 32},
        capability="",
    ),
}
