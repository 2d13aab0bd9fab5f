"""The lists of missions: missions, goals, indicators and values, instruments, actors, evaluations, what was overdue."""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel.lists import Filter, List, Words
from coseal.contracts.mission import tables
from coseal.contracts.mission.clocks import EVALUATOR, KINDS, OWNER, REPORTER
from coseal.contracts.mission.evaluating import STATUSES, VERDICTS
from coseal.contracts.mission.fields import TYPES
from coseal.contracts.mission.joining import JOINED, LEFT, ROLES
from coseal.contracts.mission.state import (
    actor_key,
    evaluation_key,
    indicator_key,
    instrument_key,
    mission_key,
    overdue_key,
    value_key,
)

_PART: Final = "mission"
_MISSION: Final[Words] = {"en": "Mission", "zh": "使命任务"}
_TITLE: Final[Words] = {"en": "Title", "zh": "名称"}
_MEMBER: Final[Words] = {"en": "Member", "zh": "成员"}
_STATUS: Final[Words] = {"en": "Status", "zh": "状态"}
_GOAL: Final[Words] = {"en": "Goal", "zh": "目标"}
_INDICATOR: Final[Words] = {"en": "Indicator", "zh": "指标"}
_NUMBER: Final[Words] = {"en": "Number", "zh": "序号"}
_DATE: Final[Words] = {"en": "Date", "zh": "日期"}
_VALUE: Final[Words] = {"en": "Value", "zh": "数值"}
_VERSION: Final[Words] = {"en": "Version", "zh": "版本"}
_DUE: Final[Words] = {"en": "Due", "zh": "期限"}
_ONE: Final = Filter("mission", "Only of this mission.", high=128)

MISSIONS: Final = List(
    "missions",
    "/v1/missions",
    _PART,
    tables.MISSIONS,
    "Missions in their present version, by id",
    {"en": "Missions", "zh": "使命任务"},
    {
        "mission": _MISSION,
        "title": _TITLE,
        "member": {"en": "Owner", "zh": "负责方"},
        "type": {"en": "Type", "zh": "类型"},
        "to_date": {"en": "Until", "zh": "期限至"},
        "version": _VERSION,
        "instruments": {"en": "Instruments", "zh": "政策工具"},
        "evaluated": {"en": "Evaluations", "zh": "评估次数"},
        "overdue": {"en": "Overdue so far", "zh": "逾期次数"},
    },
    (
        Filter("member"),
        Filter("type", values=TYPES),
        Filter("basis", "Only those that rest on this policy.", title={"en": "Basis", "zh": "政策依据"}),
    ),
    key=mission_key,
    named_by=("mission",),
)
GOALS: Final = List(
    "goals",
    "/v1/missions/goals",
    _PART,
    tables.GOALS,
    "Goals of missions, with the verdict of the last evaluation",
    {"en": "Goals", "zh": "目标"},
    {
        "mission": _MISSION,
        "goal": _GOAL,
        "title": _TITLE,
        "version": _VERSION,
        "verdict": {"en": "Last verdict", "zh": "最近评估结论"},
    },
    (_ONE, Filter("verdict", values=VERDICTS)),
    key=mission_key,
    named_by=("mission",),
)
INDICATORS: Final = List(
    "indicators",
    "/v1/missions/indicators",
    _PART,
    tables.INDICATORS,
    "Indicators of missions, with the last reported value",
    {"en": "Indicators", "zh": "指标"},
    {
        "mission": _MISSION,
        "indicator": _INDICATOR,
        "title": _TITLE,
        "unit": {"en": "Unit", "zh": "单位"},
        "direction": {"en": "Direction", "zh": "方向"},
        "kind": {"en": "Source", "zh": "来源"},
        "value": _VALUE,
        "date": _DATE,
    },
    (_ONE, Filter("kind", high=32)),
    key=indicator_key,
    named_by=("mission", "indicator"),
)
INDICATOR_VALUES: Final = List(
    "indicator-values",
    "/v1/missions/values",
    _PART,
    tables.INDICATOR_VALUES,
    "Reported values of indicators, in the order of their reports",
    {"en": "Reported values", "zh": "上报数值"},
    {
        "mission": _MISSION,
        "indicator": _INDICATOR,
        "number": _NUMBER,
        "date": _DATE,
        "value": _VALUE,
        "member": _MEMBER,
        "corrects": {"en": "Corrects", "zh": "更正序号"},
    },
    (_ONE, Filter("indicator", high=128), Filter("member")),
    key=value_key,
    named_by=("mission", "indicator", "number"),
    entries="values",
)
MISSION_INSTRUMENTS: Final = List(
    "mission-instruments",
    "/v1/missions/instruments",
    _PART,
    tables.MISSION_INSTRUMENTS,
    "Policies that serve goals of missions, each in one role",
    {"en": "Instruments of missions", "zh": "使命任务的政策工具"},
    {
        "mission": _MISSION,
        "number": _NUMBER,
        "policy": {"en": "Policy", "zh": "政策"},
        "goal": _GOAL,
        "role": {"en": "Role", "zh": "作用"},
        "member": {"en": "Linked by", "zh": "关联方"},
    },
    (_ONE, Filter("policy"), Filter("role", values=ROLES)),
    key=instrument_key,
    named_by=("mission", "number"),
    entries="instruments",
)
MISSION_ACTORS: Final = List(
    "mission-actors",
    "/v1/missions/actors",
    _PART,
    tables.MISSION_ACTORS,
    "Members that take part in missions, or did",
    {"en": "Actors of missions", "zh": "使命任务的参与方"},
    {"mission": _MISSION, "member": _MEMBER, "status": _STATUS, "part": {"en": "Part", "zh": "承担内容"}},
    (_ONE, Filter("member"), Filter("status", values=(JOINED, LEFT))),
    key=actor_key,
    named_by=("mission", "member"),
    entries="actors",
)
EVALUATIONS: Final = List(
    "evaluations",
    "/v1/missions/evaluations",
    _PART,
    tables.EVALUATIONS,
    "Evaluations of missions, with recommendations and answers",
    {"en": "Evaluations", "zh": "评估"},
    {
        "mission": _MISSION,
        "number": _NUMBER,
        "date": _DATE,
        "member": {"en": "Evaluator", "zh": "评估方"},
        "status": _STATUS,
        "due_ms": {"en": "Answer due", "zh": "答复期限"},
    },
    (_ONE, Filter("member"), Filter("status", values=STATUSES)),
    key=evaluation_key,
    named_by=("mission", "number"),
)
MISSION_OVERDUE: Final = List(
    "mission-overdue",
    "/v1/missions/overdue",
    _PART,
    tables.MISSION_OVERDUE,
    "Evaluations, reports and answers that were overdue, each time",
    {"en": "Overdue of missions", "zh": "使命任务逾期事项"},
    {
        "mission": _MISSION,
        "number": _NUMBER,
        "what": {"en": "What", "zh": "事项"},
        "name": {"en": "Of", "zh": "所指"},
        "side": {"en": "Side", "zh": "责任方"},
        "member": _MEMBER,
        "due_ms": _DUE,
    },
    (_ONE, Filter("member"), Filter("what", values=KINDS), Filter("side", values=(EVALUATOR, REPORTER, OWNER))),
    key=overdue_key,
    named_by=("mission", "number"),
    entries="overdue",
)

LISTS: Final = (
    MISSIONS,
    GOALS,
    INDICATORS,
    INDICATOR_VALUES,
    MISSION_INSTRUMENTS,
    MISSION_ACTORS,
    EVALUATIONS,
    MISSION_OVERDUE,
)
