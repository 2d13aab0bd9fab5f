"""Time boxes of both sides, and what became of them: how long each step took, and how often it came too late.

Law: a step's time is fixed when the step begins; the supervisor's times are counted like everybody's.

contracts/supervision/README.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Context, Reader, Rejected, View
from coseal.contracts.kernel.contract import Entry
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.fields import Integer, Text
from coseal.contracts.supervision.state import NAME, TERMS_KEY, counter_key, times_key

SUPERVISOR: Final = "supervisor"
SUBJECT: Final = "subject"
TERMS: Final[Mapping[str, int]] = {
    "acknowledge": 3 * DAY_MS,
    "inquire": 10 * DAY_MS,
    "respond": 15 * DAY_MS,
    "decide": 30 * DAY_MS,
    "appeal": 15 * DAY_MS,
    "decide_appeal": 30 * DAY_MS,
    "answer": 15 * DAY_MS,
    "contest": 5 * DAY_MS,
}
"""Step -> ms within which it is due, unless a ballot decided otherwise."""

SIDES: Final[Mapping[str, str]] = {step: SUBJECT if step in ("respond", "appeal") else SUPERVISOR for step in TERMS}
"""Step -> whose turn it is."""

MIN_TERM_MS: Final = 1_000
MAX_TERM_MS: Final = 366 * DAY_MS
MAX_ESCALATION: Final = 3
MAX_TEXT_CHARACTERS: Final = 4_000

duration = Integer(MIN_TERM_MS, MAX_TERM_MS)
long_text = Text(high=MAX_TEXT_CHARACTERS)


def terms(reader: Reader) -> dict[str, int]:
    """Return every term in force, in ms."""
    changed: Any = reader.get(TERMS_KEY)
    return {**TERMS, **(changed or {})}


def term_ms(reader: Reader, step: str) -> int:
    """Return the ms within which ``step`` is due if it begins now."""
    return terms(reader)[step]


def set_terms(view: View, changes: Mapping[str, int]) -> None:
    """Change some terms, for steps that begin from now on."""
    before: Any = view.get(TERMS_KEY)
    view.put(TERMS_KEY, {**(before or {}), **changes})  # J28


def schedule(view: View, time_ms: int, entry: Entry, clock: str = BLOCK_CLOCK) -> None:
    """Have ``entry`` fall due when ``clock`` reaches ``time_ms``."""
    deadlines.add(view, NAME, clock, time_ms, entry)


def next_id(view: View, what: str) -> str:
    """Return the next id of ``ballot``, ``finding``, ``question`` or ``guidance``: ``B1``, ``F1``, ..."""
    key = counter_key(what)
    last: Any = view.get(key)
    number = (last or 0) + 1
    view.put(key, number)
    return f"{_LETTERS[what]}{number}"


_LETTERS: Final = {"ballot": "B", "finding": "F", "question": "Q", "guidance": "G"}


def not_supervisor(context: Context, subject: str) -> Rejected | None:
    """Refuse who is no supervisor, or would supervise itself. The capability is the action's."""
    if context.role != "government":
        return Rejected("forbidden", f"a government member supervises; {context.member} is {context.role}")
    if context.member == subject:  # J6
        return Rejected("own_case", f"{context.member} is the subject; another government member has to act")
    return None


# Statistics


def times(reader: Reader, step: str, member: str = "") -> dict[str, Any]:
    """Return how often ``step`` was done (of one member, or of all) and missed, and how long it took in ms."""
    value: Any = reader.get(times_key(step, member))
    return dict(value or {"side": SIDES[step], "done": 0, "total_ms": 0, "max_ms": 0, "overdue": 0})


def count_done(view: View, step: str, member: str, took_ms: int) -> None:
    """Count a step that ``member`` took after ``took_ms``."""
    for key_member in ("", member):
        record = times(view, step, key_member)
        record["done"] += 1
        record["total_ms"] += took_ms
        record["max_ms"] = max(record["max_ms"], took_ms)
        view.put(times_key(step, key_member), record)


def count_overdue(view: View, step: str, member: str) -> None:
    """Count a step that did not come in time; ``member`` is empty while it is nobody's in particular."""
    for key_member in ("", member) if member else ("",):
        record = times(view, step, key_member)
        record["overdue"] += 1
        view.put(times_key(step, key_member), record)
