"""What the opener of a consultation does with its entries: themes, which entry is in which, and the answers.

Law: an entry is in one theme; an answer stands for the entries that the theme had when it was given.

contracts/participation/README.md, T1 to T4.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Rejected, Result, View
from coseal.contracts.kernel.budget import ENTRY_STEPS
from coseal.contracts.kernel.fields import Integer, Many, Name, OneOf, Special, Text
from coseal.contracts.participation.consultations import Record, consultation_id, opened_by, put
from coseal.contracts.participation.entry import text_digest
from coseal.contracts.participation.marks import MAX_THEMES, NONE, WITHHELD, Marks
from coseal.contracts.participation.receiving import MAX_ENTRIES, recorded
from coseal.contracts.participation.state import theme_key
from coseal.contracts.supervision.terms import long_text

MAX_ADDED: Final = 64
MAX_ASSIGNED: Final = 5_000
ACCEPTED: Final = "accepted"
PARTLY: Final = "partly"
REJECTED: Final = "rejected"
NOTED: Final = "noted"
OUTCOMES: Final = (ACCEPTED, PARTLY, REJECTED, NOTED)
_CHANGING: Final = (ACCEPTED, PARTLY)
_REASONED: Final = (PARTLY, REJECTED, NOTED)


def _theme(view: View, context: Context, args: Args) -> Result | Rejected:
    name = args["consultation"]
    record = opened_by(view, context, name)
    if isinstance(record, Rejected):
        return record
    first = record["themes"] + 1
    if record["themes"] + len(args["titles"]) > MAX_THEMES:  # T1
        return Rejected("limit", f"{name} has {record['themes']} themes, {MAX_THEMES} at most")
    for number, title in enumerate(args["titles"], first):
        view.put(theme_key(name, number), {"title": title, "entries": 0, "height": context.height})
    record["themes"] += len(args["titles"])
    put(view, name, record)
    return {"consultation": name, "first": first, "themes": record["themes"]}


def _assign(view: View, context: Context, args: Args) -> Result | Rejected:
    name, assignments = args["consultation"], args["assignments"]
    record = opened_by(view, context, name)
    if isinstance(record, Rejected):
        return record
    view.charge(2 * ENTRY_STEPS * len(assignments))
    assigning = _Assigning(view, name, record)
    for place, (member, entry, theme) in enumerate(assignments):
        wrong = assigning.assign(member, entry, theme)
        if wrong is not None:
            return Rejected(wrong.code, f"args.assignments[{place}]: {wrong.detail}")
    assigning.save()
    record["assigned"] += len(assignments)
    record["assigned_ms"] = context.time_ms
    put(view, name, record)
    counted = {"assigned": record["assigned"], "received": record["received"]}
    return {"consultation": name, **counted, "reopened": assigning.reopened}


class _Assigning:
    """The assignments of one transaction: pages and themes are read and written once."""

    def __init__(self, view: View, name: str, record: Record) -> None:
        self._view, self._name, self._record = view, name, record
        self._gateways: dict[str, tuple[int, Marks]] = {}
        self._themes: dict[int, Record] = {}
        self.reopened: list[int] = []

    def assign(self, member: str, entry: int, theme: int) -> Rejected | None:
        """Put an entry into a theme; return why not, or None."""
        entries, marks = self._gateway(member)
        if entry > entries:
            return Rejected("unknown_entry", f"{member} recorded {entries} entries")
        if theme > self._record["themes"]:
            return Rejected("unknown_theme", f"there are {self._record['themes']} themes")
        before = marks.get(entry)
        if before == WITHHELD:  # T2
            return Rejected("withheld", f"the text of entry {entry} of {member} is withheld; it needs no theme")
        if before != NONE:  # T2
            return Rejected("assigned", f"entry {entry} of {member} is in theme {before}")
        marks.put(entry, theme)
        self._themed(theme)["entries"] += 1
        return None

    def _gateway(self, member: str) -> tuple[int, Marks]:
        found = self._gateways.get(member)
        if found is None:
            entries = recorded(self._view, self._name, member)["entries"]
            found = self._gateways[member] = (entries, Marks(self._view, self._name, member))
        return found

    def _themed(self, number: int) -> Record:
        found = self._themes.get(number)
        if found is None:
            held: Any = self._view.get(theme_key(self._name, number))
            found = self._themes[number] = dict(held)
            if "outcome" in found:  # T4
                for part in ("outcome", "reason_sha256", "change_sha256"):
                    found.pop(part, None)
                self._record["answered"] -= 1
                self.reopened.append(number)
        return found

    def save(self) -> None:
        """Write the pages and themes."""
        for _, marks in self._gateways.values():
            marks.save()
        for number, theme in self._themes.items():
            self._view.put(theme_key(self._name, number), theme)


def _answer(view: View, context: Context, args: Args) -> Result | Rejected:
    name, number, outcome = args["consultation"], args["theme"], args["outcome"]
    record = opened_by(view, context, name)
    if isinstance(record, Rejected):
        return record
    if number > record["themes"]:
        return Rejected("unknown_theme", f"{name} has {record['themes']} themes")
    for part, needed in (("change", _CHANGING), ("reason", _REASONED)):
        if outcome in needed and part not in args:  # T3
            return Rejected("no_reason", f"args.{part}: an answer that is {outcome} needs it")
    held: Any = view.get(theme_key(name, number))
    theme = {"title": held["title"], "entries": held["entries"], "outcome": outcome, "height": context.height}
    for part in ("reason", "change"):
        if part in args:
            theme[f"{part}_sha256"] = text_digest(args[part])
    view.put(theme_key(name, number), theme)
    if "outcome" not in held:
        record["answered"] += 1
        put(view, name, record)
    counted = {"answered": record["answered"], "themes": record["themes"]}
    return {"consultation": name, "theme": number, "outcome": outcome, "entries": held["entries"], **counted}


def _faults(value: Any) -> Iterator[str]:
    if type(value) is not list or len(value) != 3:
        yield ": expected [gateway, entry, theme]"
        return
    for place, field in enumerate((_member, _entry, _number)):
        wrong = field.check(value[place])
        if wrong is not None:
            yield f"[{place}]{wrong}"


_member: Final = Name()
_entry: Final = Integer(1, MAX_ENTRIES)
_number: Final = Integer(1, MAX_THEMES)
_assignment: Final = Special(
    _faults,
    "an assignment: [gateway, entry, theme]",
    {"type": "array", "minItems": 3, "maxItems": 3},
    refused=([], ["a", 1], ["a", 1, 1, 1], ["A", 1, 1], ["a", 0, 1], ["a", 1, 0], ["a", 1, MAX_THEMES + 1], [1, 1, 1]),
    passed=(["public-a", 1, 1],),
)
ACTIONS: Final[dict[str, Action]] = {
    "theme": Action(
        arguments=Arguments({"consultation": consultation_id, "titles": Many(Text(), low=1, high=MAX_ADDED)}),
        apply=_theme,
        title="Name themes that comments are answered by",
        example={"consultation": "aml-2021", "titles": ["Who is obliged"]},
        capability="operate",
    ),
    "assign": Action(
        arguments=Arguments(
            {"consultation": consultation_id, "assignments": Many(_assignment, low=1, high=MAX_ASSIGNED)}
        ),
        apply=_assign,
        title="Say which theme entries belong to",
        example={"consultation": "aml-2021", "assignments": [["public-a", 1, 1]]},
        capability="operate",
    ),
    "answer": Action(
        arguments=Arguments(
            {"consultation": consultation_id, "theme": _number, "outcome": OneOf(*OUTCOMES)},
            {"reason": long_text, "change": long_text},
        ),
        apply=_answer,
        title="Answer the comments of a theme",
        example={
            "consultation": "aml-2021",
            "theme": 1,
            "outcome": "partly",
            "reason": "Lawyers stay bound by secrecy",
            "change": "Article 6 names dealers in precious metals",
        },
        capability="operate",
    ),
}
