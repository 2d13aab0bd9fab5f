"""Evaluating missions at their dates, and the owner's answers to what evaluators recommend.

Law: nobody evaluates its own mission; an answer says of each recommendation what becomes of it, and is given once.

contracts/mission/README.md, E1 to E6.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Rejected, Result, View
from coseal.contracts.kernel.fields import Integer, Many, OneOf, Record, Table
from coseal.contracts.kernel.wording import moment_text
from coseal.contracts.mission.clocks import ANSWER_MS, await_answer
from coseal.contracts.mission.fields import DAY, MAX_GOALS, NAME, begins_ms
from coseal.contracts.mission.opening import VALUE_STEPS, Mission, mission_of, owned
from coseal.contracts.mission.sources import value_of
from coseal.contracts.mission.state import evaluated_key, evaluation_key, indicator_key, mission_key
from coseal.contracts.supervision.terms import long_text

EVALUATORS: Final = ("government", "institute", "public")
MET: Final = "met"
PARTLY: Final = "partly"
NOT_MET: Final = "not_met"
VERDICTS: Final = (MET, PARTLY, NOT_MET)
OUTCOMES: Final = ("adopted", "partly", "rejected")
MAX_RECOMMENDATIONS: Final = 16
MAX_EVALUATIONS_KEPT: Final = 256
OPEN: Final = "open"
ANSWERED: Final = "answered"
CLOSED: Final = "closed"
"""Statuses of evaluations: recommendations wait for an answer, have one, or there are none."""
STATUSES: Final = (OPEN, ANSWERED, CLOSED)


def _evaluate(view: View, context: Context, args: Args) -> Result | Rejected:
    name, date = args["mission"], args["date"]
    record = mission_of(view, name)
    if isinstance(record, Rejected):
        return record
    wrong = _may_not(record, context, args)
    if wrong is not None:
        return wrong
    evaluators: Any = view.get(evaluated_key(name, date)) or []
    if context.member in evaluators:  # E3
        return Rejected("already_done", f"{context.member} evaluated {name} at {date}")
    number = record["evaluated"] + 1
    if number > MAX_EVALUATIONS_KEPT:
        return Rejected("limit", f"{name} has {MAX_EVALUATIONS_KEPT} evaluations")
    recommended = [_digest(text) for text in args["recommendations"]]
    due_ms = context.time_ms + ANSWER_MS if recommended else 0  # E4
    kept: dict[str, Any] = {"date": date, "member": context.member, "version": record["version"]}
    kept |= {"verdicts": {goal: said["verdict"] for goal, said in args["goals"].items()}}
    kept |= {"values": computed(view, name, record), "recommendations": recommended, "due_ms": due_ms, "missed": 0}
    kept |= {"status": OPEN if recommended else CLOSED, "height": context.height, "time_ms": context.time_ms}
    view.put(evaluation_key(name, number), {**kept, "tx": context.tx_id.hex()})
    view.put(evaluated_key(name, date), [*evaluators, context.member])
    view.put(mission_key(name), {**record, "evaluated": number})
    if recommended:
        await_answer(view, name, number, due_ms)
    return {"mission": name, "evaluation": number, "status": kept["status"], "due_ms": due_ms}


def _may_not(record: Mission, context: Context, args: Args) -> Rejected | None:
    """Return why the sender cannot evaluate so, or None."""
    name, date = args["mission"], args["date"]
    if context.role not in EVALUATORS:  # E1
        return Rejected("forbidden", f"{', '.join(EVALUATORS)} members evaluate missions")
    if context.member == record["member"]:  # E1
        return Rejected("own_case", f"{context.member} owns {name}; others evaluate it")
    if date not in record["evaluations"]:  # E2
        return Rejected("unknown_date", f"{name} is evaluated at {', '.join(record['evaluations']) or 'no date'}")
    if begins_ms(date) > context.time_ms:  # E2
        return Rejected("future_date", f"{date} has not come at block time {moment_text(context.time_ms)}")
    goals = [goal["id"] for goal in record["goals"]]
    if sorted(goals) != sorted(args["goals"]):  # E3
        return Rejected("incomplete", f"args.goals: a verdict on each of {', '.join(goals)}")
    return None


def computed(view: View, name: str, record: Mission) -> dict[str, int | None]:
    """Return what the computed indicators of a mission say now."""
    values: dict[str, int | None] = {}
    for each in record["indicators"]:
        indicator: Any = view.get(indicator_key(name, each))
        if "source" in indicator:
            view.charge(VALUE_STEPS)
            values[each] = value_of(view, indicator["source"])
    return values


def _digest(text: str) -> str:  # E6
    return sha256(text.encode()).hexdigest()


def _answer(view: View, context: Context, args: Args) -> Result | Rejected:
    name, number = args["mission"], args["evaluation"]
    record = owned(view, context, name)
    if isinstance(record, Rejected):
        return record
    evaluation: Any = view.get(evaluation_key(name, number))
    if evaluation is None:
        return Rejected("unknown_evaluation", f"{name} has {record['evaluated']} evaluations")
    if evaluation["status"] != OPEN:  # E5
        return Rejected("already_done", f"evaluation {number} is {evaluation['status']}")
    wanted = len(evaluation["recommendations"])
    if len(args["answers"]) != wanted:  # E5
        return Rejected("incomplete", f"evaluation {number} has {wanted} recommendations; answer each, in order")
    answers = [[answer["outcome"], _digest(answer["reason"])] for answer in args["answers"]]
    answered = {"answers": answers, "answered": [context.height, context.time_ms], "due_ms": 0, "status": ANSWERED}
    view.put(evaluation_key(name, number), {**evaluation, **answered})
    return {"mission": name, "evaluation": number, "status": ANSWERED}


ACTIONS: Final[dict[str, Action]] = {
    "evaluate": Action(
        arguments=Arguments(
            {
                "mission": NAME,
                "date": DAY,
                "goals": Table(Record({"verdict": OneOf(*VERDICTS), "reason": long_text}), high=MAX_GOALS, key=NAME),
                "recommendations": Many(long_text, high=MAX_RECOMMENDATIONS),
            }
        ),
        apply=_evaluate,
        title="Evaluate a mission at one of its dates: a verdict on each goal, and recommendations",
        example={
            "mission": "legal-digital-currency",
            "date": "2030-12-31",
            "goals": {"use": {"verdict": PARTLY, "reason": "Few pay with it outside of the pilot regions"}},
            "recommendations": ["Let merchants settle in it without a fee"],
        },
        capability="operate",
    ),
    "answer": Action(
        arguments=Arguments(
            {
                "mission": NAME,
                "evaluation": Integer(1, 2**53),
                "answers": Many(
                    Record({"outcome": OneOf(*OUTCOMES), "reason": long_text}), low=1, high=MAX_RECOMMENDATIONS
                ),
            }
        ),
        apply=_answer,
        title="Answer each recommendation of an evaluation of one's mission",
        example={
            "mission": "legal-digital-currency",
            "evaluation": 1,
            "answers": [{"outcome": "adopted", "reason": "From the next year on"}],
        },
        capability="operate",
    ),
}
