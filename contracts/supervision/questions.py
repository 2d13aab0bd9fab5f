"""The service side of supervision: members ask, the government answers in time, and publishes guidance.

Law: a question is answered once, by a government member that did not ask it; an answer that is late is a fact.

contracts/supervision/README.md.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

from coseal.contracts.kernel.action import SUSPENDED, Action, Args, Arguments, Context, Rejected, Result, View
from coseal.contracts.kernel.fields import Identifier, Many, Text
from coseal.contracts.supervision.state import guidance_key, question_key
from coseal.contracts.supervision.terms import (
    MAX_ESCALATION,
    count_done,
    count_overdue,
    long_text,
    next_id,
    not_supervisor,
    schedule,
    term_ms,
)

MAX_GUIDANCE_CHARACTERS: Final = 16_000


def _ask(view: View, context: Context, args: Args) -> Result | Rejected:
    question_id = next_id(view, "question")
    deadline_ms = context.time_ms + term_ms(view, "answer")
    record = {
        "topic": args["topic"],
        "member": context.member,
        "status": "open",
        "height": context.height,
        "time_ms": context.time_ms,
        "term_ms": term_ms(view, "answer"),
        "deadline_ms": deadline_ms,
        "tx": context.tx_id.hex(),
        "about": args.get("about", []),
        "escalation": 0,
        "overdue": [],
    }
    view.put(question_key(question_id), record)
    schedule(view, deadline_ms, ["question", question_id])
    return {"id": question_id, "status": "open", "deadline_ms": deadline_ms}


def _answer(view: View, context: Context, args: Args) -> Result | Rejected:
    record: Any = view.get(question_key(args["question"]))
    if record is None:
        return Rejected("unknown_question", f"there is no question {args['question']}")
    refusal = not_supervisor(context, record["member"])
    if refusal is not None:
        return refusal
    if record["status"] != "open":  # J23
        return Rejected("wrong_step", f"{record['answered_by']} answered question {args['question']}")
    took_ms = context.time_ms - record["time_ms"]
    count_done(view, "answer", context.member, took_ms)
    answered = {
        **record,
        "status": "answered",
        "deadline_ms": None,
        "answered_by": context.sender,
        "answer_tx": context.tx_id.hex(),
        "answer_height": context.height,
        "took_ms": took_ms,
    }
    view.put(question_key(args["question"]), answered)
    return {"id": args["question"], "status": "answered", "took_ms": took_ms}


def _guide(view: View, context: Context, args: Args) -> Result | Rejected:
    refusal = not_supervisor(context, "")
    if refusal is not None:
        return refusal
    guidance_id = next_id(view, "guidance")
    record = {
        "title": args["title"],
        "member": context.member,
        "height": context.height,
        "tx": context.tx_id.hex(),
        "about": args.get("about", []),
        "text_sha256": sha256(args["text"].encode()).hexdigest(),
    }
    if "replaces" in args:
        before: Any = view.get(guidance_key(args["replaces"]))
        if before is None:
            return Rejected("unknown_guidance", f"there is no guidance {args['replaces']}")
        if before["member"] != context.member:  # J24
            return Rejected("forbidden", f"only {before['member']} replaces its guidance")
        if "replaced_by" in before:
            return Rejected("wrong_step", f"{args['replaces']} was replaced by {before['replaced_by']}")
        view.put(guidance_key(args["replaces"]), {**before, "replaced_by": guidance_id})
        record["replaces"] = args["replaces"]
    view.put(guidance_key(guidance_id), record)
    return {"id": guidance_id}


def fall_due(view: View, question_id: str, height: int, time_ms: int, due: dict[str, list[Any]]) -> None:
    """Record that a question was not answered in time."""
    record: Any = view.get(question_key(question_id))
    if record["deadline_ms"] is None or record["deadline_ms"] > time_ms:
        return
    missed_ms, escalation = record["deadline_ms"], record["escalation"] + 1
    overdue = [*record["overdue"], ["answer", "supervisor", missed_ms, height]]  # J23
    changed = {**record, "overdue": overdue, "escalation": escalation, "deadline_ms": None}
    if escalation < MAX_ESCALATION:
        changed["deadline_ms"] = time_ms + record["term_ms"]
        schedule(view, changed["deadline_ms"], ["question", question_id])
    view.put(question_key(question_id), changed)
    count_overdue(view, "answer", "")
    due["overdue"].append(
        {
            "what": "question",
            "id": question_id,
            "step": "answer",
            "side": "supervisor",
            "member": "",
            "deadline_ms": missed_ms,
            "escalation": escalation,
        }
    )


_about = {"about": Many(Identifier(), high=16, low=1, unique=True)}

ACTIONS: Final[dict[str, Action]] = {
    "ask": Action(
        arguments=Arguments({"topic": Text(), "question": long_text}, _about),
        apply=_ask,
        title="Ask the government a question; the answer is due in time",
        example={"topic": "Receivables", "question": "Does the six-month term count from acceptance?"},
        standing=SUSPENDED,
        pausable=False,
    ),
    "answer": Action(
        arguments=Arguments({"question": Identifier(), "answer": long_text}, _about),
        apply=_answer,
        title="Answer a member's question",
        example={"question": "Q1", "answer": "From the day of issue"},
        capability="supervise",
    ),
    "guide": Action(
        arguments=Arguments(
            {"title": Text(), "text": Text(high=MAX_GUIDANCE_CHARACTERS)},
            {**_about, "replaces": Identifier()},
        ),
        apply=_guide,
        title="Publish guidance",
        example={"title": "Terms of receivables", "text": "The term counts from the day of issue."},
        capability="supervise",
    ),
}
