"""The lists of process data: types, sources, objects, and the tallies of these."""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.kernel.lists import Filter, List, Row, Words
from coseal.contracts.process import tables
from coseal.contracts.process.matching import VERDICTS
from coseal.contracts.process.state import object_key, source_key, tally_key, type_key

_PART: Final = "process"
_ID: Final[Words] = {"en": "Id", "zh": "编号"}
_MEMBER: Final[Words] = {"en": "Member", "zh": "成员"}
_TYPE: Final[Words] = {"en": "Process type", "zh": "流程类型"}
_OBJECT_TYPE: Final[Words] = {"en": "Object type", "zh": "对象类型"}
_PROCESS_TYPE: Final = Filter("process_type", "Only of this process type.", "+process_type = :process_type", high=128)
"""The sign keeps SQLite from taking an index for it and sorting all that it finds: the order asked for has its own."""


def object_entry(row: Row) -> dict[str, Any]:
    """Return an object: its names, how many items name it, and where the first of them is."""
    names = {"process_type": row["process_type"], "type": row["type"], "id": row["name"]}
    return {**names, "items": row["items"], "first": {"height": row["height"], "index": row["position"]}}


PROCESS_TYPES: Final = List(
    "process-types",
    "/v1/process-types",
    _PART,
    tables.PROCESS_TYPES,
    "Process types",
    {"en": "Process types", "zh": "流程类型"},
    {
        "id": _ID,
        "title": {"en": "Title", "zh": "名称"},
        "version": {"en": "Version", "zh": "版本"},
        "member": {"en": "Defined by", "zh": "定义方"},
    },
    key=type_key,
    entries="process_types",
    where="version = (SELECT max(version) FROM process_types o WHERE o.id = process_types.id)",
    paged=False,
)
SOURCES: Final = List(
    "sources",
    "/v1/sources",
    _PART,
    tables.SOURCES,
    "Sources, by name",
    {"en": "Sources of process data", "zh": "流程数据源"},
    {
        "name": {"en": "Source", "zh": "数据源"},
        "process_type": _TYPE,
        "mode": {"en": "Mode", "zh": "方式"},
        "items": {"en": "Items", "zh": "条目数"},
        "missing": {"en": "Missing", "zh": "缺漏"},
        "recorded_ms": {"en": "Last recorded", "zh": "最近登记"},
    },
    (_PROCESS_TYPE,),
    key=source_key,
    named_by=("name",),
)
OBJECTS: Final = List(
    "objects",
    "/v1/objects",
    _PART,
    tables.OBJECTS,
    "Objects, in the order of their first item",
    {"en": "Objects of processes", "zh": "流程对象"},
    {
        "id": _ID,
        "type": _OBJECT_TYPE,
        "process_type": _TYPE,
        "items": {"en": "Items", "zh": "条目数"},
    },
    (
        _PROCESS_TYPE,
        Filter("type", "Only of this object type.", "+type = :type", high=128),
        Filter("id", "Only of this id.", "name = :id", high=128),
    ),
    entry=object_entry,
    key=object_key,
    named_by=("process_type", "type", "id"),
    computed={"items": "(SELECT count(*) FROM item_objects WHERE object = objects.id)"},
)
_OF_TYPE: Final = (
    Filter("process_type", "Only of this process type.", high=128),
    Filter("type", "Only of this object type.", high=128, title=_OBJECT_TYPE),
    Filter("id", "Only of the object of this id."),
)
TALLIES: Final = List(
    "tallies",
    "/v1/tallies",
    _PART,
    tables.TALLIES,
    "Tallies of objects: their sums, by the member that recorded what is in them",
    {"en": "Tallies of objects", "zh": "对象累计"},
    {
        "id": _ID,
        "type": _OBJECT_TYPE,
        "process_type": _TYPE,
        "tally": {"en": "Tally", "zh": "累计项"},
        "member": _MEMBER,
        "sum": {"en": "Sum", "zh": "合计"},
        "events": {"en": "Events", "zh": "事件数"},
        "inexact": {"en": "Not added", "zh": "未计入"},
    },
    (*_OF_TYPE, Filter("member", "Only what this member recorded.", high=64)),
    key=tally_key,
    named_by=("process_type", "type", "id"),
)
MATCHES: Final = List(
    "matches",
    "/v1/matches",
    _PART,
    tables.MATCHES,
    "How what a seller invoiced matches what its buyer ordered and received",
    {"en": "Matching of invoices", "zh": "发票匹配"},
    {
        "id": _ID,
        "process_type": _TYPE,
        "buyer": {"en": "Buyer", "zh": "买方"},
        "seller": {"en": "Seller", "zh": "卖方"},
        "ordered": {"en": "Ordered", "zh": "订购"},
        "received": {"en": "Received", "zh": "收货"},
        "invoiced": {"en": "Invoiced", "zh": "开票"},
        "verdict": {"en": "Verdict", "zh": "结论"},
        "payable": {"en": "Payable (fen)", "zh": "应付(分)"},
    },
    (
        *_OF_TYPE,
        Filter("verdict", "Only with this verdict.", values=VERDICTS),
        Filter("buyer", "Only of this buyer.", high=64),
        Filter("seller", "Only of this seller.", high=64),
    ),
    key=tally_key,
    named_by=("process_type", "type", "id"),
)

LISTS: Final = (PROCESS_TYPES, SOURCES, OBJECTS, TALLIES, MATCHES)
