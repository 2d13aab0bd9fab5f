"""The lists of supervision: rules, ballots, findings, holds, questions, guidance."""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.kernel.lists import Filter, List, Order, Row, Words, entry_of
from coseal.contracts.supervision import tables
from coseal.contracts.supervision.state import ballot_key, finding_key, guidance_key, hold_key, question_key, rule_key

_PART: Final = "supervision"
_STATUS: Final = Filter("status", high=32)
_PROCESS_TYPE: Final = Filter("process_type", title={"en": "Process type", "zh": "流程类型"})
_SEVERITY: Final[Words] = {"en": "Severity", "zh": "严重程度"}
_NUMBERED: Final = (Order("oldest", ("number",)), Order("newest", ("number",), descending=True))

_ID: Final[Words] = {"en": "Id", "zh": "编号"}
_STANDS: Final[Words] = {"en": "Status", "zh": "状态"}
_MEMBER: Final[Words] = {"en": "Member", "zh": "成员"}
_DUE: Final[Words] = {"en": "Due", "zh": "截止"}
_AWAITS: Final[Words] = {"en": "Awaits", "zh": "轮到"}
_KIND: Final[Words] = {"en": "Kind", "zh": "种类"}
_OBJECT: Final[Words] = {"en": "Object", "zh": "对象"}
_CAME: Final[Words] = {"en": "When", "zh": "时间"}


def numbered(row: Row) -> dict[str, Any]:
    """Return the entry of a numbered row: its id has the number, and its terms are in force or over."""
    entry = entry_of(row)
    for name in ("number", "term_ms"):
        entry.pop(name, None)
    if "overdue" in entry:
        entry["overdue"] = entry["overdue"] > 0
    return entry


RULES: Final = List(
    "rules",
    "/v1/rules",
    _PART,
    tables.RULES,
    "Rules in all their versions, by id",
    {"en": "Rules", "zh": "规则"},
    {
        "id": _ID,
        "version": {"en": "Version", "zh": "版本"},
        "kind": _KIND,
        "process_type": {"en": "Process type", "zh": "流程类型"},
        "status": _STANDS,
        "effect": {"en": "Effect", "zh": "效果"},
        "proposer": {"en": "Proposed by", "zh": "提议方"},
    },
    (_PROCESS_TYPE, _STATUS, Filter("kind", high=32), Filter("severity", high=32, title=_SEVERITY), Filter("proposer")),
    key=lambda name, version: rule_key(name, int(version)),
    named_by=("id", "version"),
)
BALLOTS: Final = List(
    "ballots",
    "/v1/ballots",
    _PART,
    tables.BALLOTS,
    "Ballots, by number",
    {"en": "Ballots on rules and terms", "zh": "规则与期限的表决"},
    {
        "id": _ID,
        "kind": _KIND,
        "status": _STANDS,
        "proposer": {"en": "Opened by", "zh": "发起方"},
        "yes": {"en": "For", "zh": "赞成"},
        "no": {"en": "Against", "zh": "反对"},
        "closes_ms": {"en": "Closes", "zh": "截止"},
    },
    (_STATUS, Filter("kind", high=32), Filter("proposer")),
    _NUMBERED,
    entry=numbered,
    key=ballot_key,
)
FINDINGS: Final = List(
    "findings",
    "/v1/findings",
    _PART,
    tables.FINDINGS,
    "Findings, by number",
    {"en": "Findings", "zh": "监管发现"},
    {
        "id": _ID,
        "rule": {"en": "Rule", "zh": "规则"},
        "object": _OBJECT,
        "severity": _SEVERITY,
        "status": _STANDS,
        "side": _AWAITS,
        "step": {"en": "Step", "zh": "步骤"},
        "deadline_ms": _DUE,
    },
    (
        _STATUS,
        Filter("rule"),
        _PROCESS_TYPE,
        Filter("object_type", title={"en": "Object type", "zh": "对象类型"}),
        Filter("object", "The id of the object."),
        Filter("severity", high=32),
        Filter("source", title={"en": "Source", "zh": "数据源"}),
        Filter(
            "party",
            "The subject or the supervisor.",
            "(subject = :party OR supervisor = :party)",
            high=64,
            title={"en": "Of whom", "zh": "当事方"},
        ),
        Filter(
            "awaits",
            "Whose turn it is.",
            "side = :awaits",
            ("supervisor", "subject"),
            title=_AWAITS,
        ),
        Filter(
            "overdue",
            "Whether the step due is late.",
            "(overdue > 0) = (:overdue = 'true')",
            ("true", "false"),
            title={"en": "Overdue", "zh": "逾期"},
        ),
    ),
    _NUMBERED,
    entry=numbered,
    key=finding_key,
)
HOLDS: Final = List(
    "holds",
    "/v1/holds",
    _PART,
    tables.HOLDS,
    "Objects on hold, or once on hold",
    {"en": "Holds", "zh": "暂停"},
    {
        "object": _OBJECT,
        "object_type": {"en": "Object type", "zh": "对象类型"},
        "process_type": {"en": "Process type", "zh": "流程类型"},
        "finding": {"en": "Finding", "zh": "监管发现"},
        "status": _STANDS,
        "amount": {"en": "Amount", "zh": "金额"},
        "until_ms": {"en": "Until", "zh": "至"},
    },
    (_PROCESS_TYPE, _STATUS),
    key=hold_key,
    named_by=("process_type", "object_type", "object"),
)
QUESTIONS: Final = List(
    "questions",
    "/v1/questions",
    _PART,
    tables.QUESTIONS,
    "Members' questions with their answers",
    {"en": "Questions", "zh": "提问"},
    {
        "id": _ID,
        "topic": {"en": "Topic", "zh": "主题"},
        "member": _MEMBER,
        "status": _STANDS,
        "deadline_ms": _DUE,
        "answered_by": {"en": "Answered by", "zh": "答复人"},
    },
    (_STATUS, Filter("member")),
    entry=numbered,
    key=question_key,
)
GUIDANCE: Final = List(
    "guidance",
    "/v1/guidance",
    _PART,
    tables.GUIDANCE,
    "Guidance the government published",
    {"en": "Guidance", "zh": "指引"},
    {
        "id": _ID,
        "title": {"en": "Title", "zh": "标题"},
        "member": _MEMBER,
        "time_ms": _CAME,
        "replaced_by": {"en": "Replaced by", "zh": "取代者"},
    },
    entry=numbered,
    key=guidance_key,
)

LISTS: Final = (RULES, BALLOTS, FINDINGS, HOLDS, QUESTIONS, GUIDANCE)
