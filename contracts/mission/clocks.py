"""What falls due of a mission: evaluations, reports and answers; what is late becomes a fact.

Law: the chain notices dates alone and judges nothing; a fact that something was overdue stays. What is due is checked
against the record when its time has come, so what was done or changed meanwhile is passed over.

contracts/mission/README.md, T1 to T5.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Result, View
from coseal.contracts.kernel.contract import Moment
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.mission.fields import begins_ms, ends_ms
from coseal.contracts.mission.state import (
    NAME,
    evaluated_key,
    evaluation_key,
    indicator_key,
    mission_key,
    overdue_key,
)

EVALUATION: Final = "evaluation"
REPORT: Final = "report"
ANSWER: Final = "answer"
KINDS: Final = (EVALUATION, REPORT, ANSWER)
"""What may be overdue, and the kinds of due things."""
OVERDUE: Final = "overdue"
"""Where a block's first receipt has what was overdue."""
EVALUATOR: Final = "evaluator"
REPORTER: Final = "reporter"
OWNER: Final = "owner"
SIDES: Final[Mapping[str, str]] = {EVALUATION: EVALUATOR, REPORT: REPORTER, ANSWER: OWNER}
"""Whose turn it was."""
EVALUATE_MS: Final = 30 * DAY_MS
ANSWER_MS: Final = 60 * DAY_MS
MAX_ESCALATION: Final = 3
"""How often in a row the same report, or the answer to the same evaluation, is noted as overdue."""


def await_evaluation(view: View, mission: str, date: str) -> None:
    """Have the evaluation of a date fall due."""  # T1
    deadlines.add(view, NAME, BLOCK_CLOCK, begins_ms(date) + EVALUATE_MS, [EVALUATION, mission, date])


def next_report_ms(indicator: Mapping[str, Any], since_ms: int, to: str) -> int:
    """Return when the report after a moment is due; 0 if the mission is over before that."""  # T2
    due_ms: int = since_ms + indicator["every_ms"]
    return due_ms if due_ms <= ends_ms(to) else 0


def await_report(view: View, mission: str, name: str, due_ms: int) -> None:
    """Have a report of an indicator fall due, if there is one more (``next_report_ms``)."""
    if due_ms:
        deadlines.add(view, NAME, BLOCK_CLOCK, due_ms, [REPORT, mission, name, due_ms])


def await_answer(view: View, mission: str, number: int, due_ms: int) -> None:
    """Have the answer to an evaluation fall due."""  # T3
    deadlines.add(view, NAME, BLOCK_CLOCK, due_ms, [ANSWER, mission, number])


def evaluation_due(view: View, moment: Moment, mission: str, date: str) -> Result:
    """Note that nobody evaluated a mission at a date, unless somebody did or the date is none any more."""
    record: Any = view.get(mission_key(mission))
    if date not in record["evaluations"] or view.get(evaluated_key(mission, date)) is not None:
        return {}
    return _note(view, moment, mission, record, EVALUATION, date, begins_ms(date) + EVALUATE_MS, "")


def report_due(view: View, moment: Moment, mission: str, name: str, due_ms: int) -> Result:
    """Note that an indicator was not reported in time, and wait for the next report."""
    indicator: Any = view.get(indicator_key(mission, name))
    if indicator["due_ms"] != due_ms:
        return {}
    record: Any = view.get(mission_key(mission))
    missed = indicator["missed"] + 1
    following = next_report_ms(indicator, due_ms, record["to"]) if missed < MAX_ESCALATION else 0  # T4
    await_report(view, mission, name, following)
    view.put(indicator_key(mission, name), {**indicator, "missed": missed, "due_ms": following})
    reporters = indicator["reporters"]
    return _note(view, moment, mission, record, REPORT, name, due_ms, reporters[0] if len(reporters) == 1 else "")


def answer_due(view: View, moment: Moment, mission: str, number: int) -> Result:
    """Note that the owner did not answer an evaluation in time, and wait once more."""
    evaluation: Any = view.get(evaluation_key(mission, number))
    due_ms = evaluation["due_ms"]
    if not due_ms or due_ms > moment.time_ms:
        return {}
    record: Any = view.get(mission_key(mission))
    missed = evaluation["missed"] + 1
    following = due_ms + ANSWER_MS if missed < MAX_ESCALATION else 0  # T4
    if following:
        await_answer(view, mission, number, following)
    view.put(evaluation_key(mission, number), {**evaluation, "missed": missed, "due_ms": following})
    return _note(view, moment, mission, record, ANSWER, f"{number}", due_ms, record["member"])


def _note(
    view: View, moment: Moment, mission: str, record: Any, what: str, name: str, due_ms: int, member: str
) -> Result:
    """Record a fact; return what the block's first receipt says of it."""  # T5
    number = record["overdue"] + 1
    fact = {"what": what, "name": name, "due_ms": due_ms, "side": SIDES[what], "member": member}
    view.put(overdue_key(mission, number), {**fact, "height": moment.height})
    view.put(mission_key(mission), {**record, "overdue": number})
    return {OVERDUE: [{"mission": mission, "number": number, **fact}]}
