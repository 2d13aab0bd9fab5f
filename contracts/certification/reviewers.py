"""Reviewers: operators that members offer for panels, each with its fields of research, for a time.

Law: who reviews is known by an office and no name; an office that was lost by breaking a panel is not had again sooner
by registering again.

contracts/certification/README.md, O1 to O4.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from coseal.contracts.certification.kept import PAGE_IDS, paged
from coseal.contracts.certification.panel import FIELDS, SECTOR_OF, Reviewer, is_humanities
from coseal.contracts.certification.state import (
    REVIEWERS_KEY,
    eligible_key,
    offices_key,
    register_key,
    reviewer_key,
)
from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Reader, Rejected, Result, View
from coseal.contracts.kernel.budget import ENTRY_STEPS
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.fields import Hexadecimal, Integer, Label, Many, OneOf
from coseal.contracts.membership.state import operator_key

MAX_REVIEWERS: Final = 1_024
MAX_OFFICES: Final = 16
"""Reviewers of one member."""
MAX_OFFICE_MS: Final = 3 * 366 * DAY_MS
BARRED_MS: Final = 366 * DAY_MS
DRAW_STEPS: Final = 6 * ENTRY_STEPS
"""What ranking a reviewer takes, beside reading it."""


def _register(view: View, context: Context, args: Args) -> Result | Rejected:
    name = f"{context.member}/{args['user']}"
    if view.get(operator_key(name)) is None:  # O1
        return Rejected("unknown_operator", f"{context.member} has no operator {args['user']}")
    if not context.time_ms < args["until_ms"] <= context.time_ms + MAX_OFFICE_MS:  # O2
        return Rejected("bad_time", "args.until_ms: after block time, at most 3 years")
    before: Any = view.get(reviewer_key(name))
    record: dict[str, Any] = {"fields": args["fields"], "statement_sha256": args["statement_sha256"]}
    record |= {"sector": SECTOR_OF[context.role], "height": context.height, "until_ms": args["until_ms"]}
    record |= {"barred_ms": 0}
    if before is None:
        wrong = _enter(view, context.member, name)
        if wrong is not None:
            return wrong
    else:
        record["barred_ms"] = before["barred_ms"]  # O4
        if before["fields"] == args["fields"] and before["until_ms"] > context.time_ms:
            record["height"] = before["height"]  # the same office, for longer
    view.put(reviewer_key(name), record)
    return {"reviewer": name, "sector": record["sector"], "until_ms": args["until_ms"]}


def _enter(view: View, member: str, name: str) -> Rejected | None:
    """Add a name to the register."""
    count: Any = view.get(REVIEWERS_KEY) or 0
    offices: Any = view.get(offices_key(member)) or 0
    if count >= MAX_REVIEWERS or offices >= MAX_OFFICES:  # O3
        return Rejected("limit", f"{member} has {offices} reviewers, the register {count}")
    names: Any = view.get(register_key(count // PAGE_IDS)) or []
    view.put(register_key(count // PAGE_IDS), [*names, name])
    view.put(REVIEWERS_KEY, count + 1)
    view.put(offices_key(member), offices + 1)
    return None


def bar(view: View, name: str, time_ms: int) -> None:
    """Take an office from a reviewer that broke a panel, for a year."""  # O4
    record: Any = view.get(reviewer_key(name))
    view.put(reviewer_key(name), {**record, "barred_ms": time_ms + BARRED_MS})


def eligible(view: View, height: int, time_ms: int, interested: Collection[str]) -> list[Reviewer]:
    """Return who may be drawn: in office at a time, and since a height, of no member that is interested."""  # D5
    count: Any = view.get(REVIEWERS_KEY) or 0
    view.charge(DRAW_STEPS * count)
    found: list[Reviewer] = []
    for name in paged(view, register_key, count):
        member, _, user = name.partition("/")
        record: Any = view.get(reviewer_key(name))
        if member in interested or record["height"] > height:
            continue
        if record["until_ms"] > time_ms >= record["barred_ms"]:
            humanities = is_humanities(record["fields"])
            found.append(Reviewer(member, user, record["sector"], humanities))
    return found


def put_eligible(view: View, project: str, found: list[Reviewer]) -> None:
    """Fix who may be drawn for a project."""
    for page, start in enumerate(range(0, len(found), PAGE_IDS)):
        view.put(eligible_key(project, page), [list(each) for each in found[start : start + PAGE_IDS]])


def get_eligible(reader: Reader, project: str, count: int) -> list[Reviewer]:
    """Return who may be drawn for a project."""
    return [Reviewer(*each) for each in paged(reader, lambda page: eligible_key(project, page), count)]


ACTIONS: Final[dict[str, Action]] = {
    "register_reviewer": Action(
        arguments=Arguments(
            {
                "user": Label(high=64),
                "fields": Many(OneOf(*FIELDS), low=1, high=4, unique=True),
                "statement_sha256": Hexadecimal(),
                "until_ms": Integer(0, 2**53),
            }
        ),
        apply=_register,
        title="Offer an operator as a reviewer for panels, or its office for longer",
        example={
            "user": "admin",
            "fields": ["5.2", "6"],
            "statement_sha256": "00" * 32,
            "until_ms": 1_700_086_400_000,
        },
        capability="operate",
    ),
}
