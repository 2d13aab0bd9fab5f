"""The lists of standards: versions, who is on them, what reviews found, what is used, disputes."""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel.lists import Filter, List, Order, Words
from coseal.contracts.standards import tables
from coseal.contracts.standards.state import adoption_key, standard_key

_PART: Final = "standards"
_STANDARD: Final[Words] = {"en": "Standard", "zh": "标准"}
_VERSION: Final[Words] = {"en": "Version", "zh": "版本"}
_DOMAIN: Final[Words] = {"en": "Domain", "zh": "领域"}
_STATUS: Final[Words] = {"en": "Status", "zh": "状态"}
_MEMBER: Final[Words] = {"en": "Member", "zh": "成员"}
_PERIOD: Final[Words] = {"en": "Period", "zh": "周期"}
_ITEMS: Final[Words] = {"en": "Items", "zh": "条目数"}
_ADOPTERS: Final[Words] = {"en": "Adopters", "zh": "采用者"}
_NAMED: Final = {"standard": _STANDARD, "version": _VERSION}
_OF: Final = (
    Filter("standard", "Only of this standard.", high=128),
    Filter("version", "Only of this version.", "version = CAST(:version AS INTEGER)", pattern="^[0-9]{1,7}$"),
)

STANDARDS: Final = List(
    "standards",
    "/v1/standards",
    _PART,
    tables.STANDARDS,
    "Standards in all their versions, by id",
    {"en": "Standards", "zh": "标准"},
    {
        **_NAMED,
        "title": {"en": "Title", "zh": "名称"},
        "kind": {"en": "Kind", "zh": "种类"},
        "domain": _DOMAIN,
        "status": _STATUS,
        "adopters": _ADOPTERS,
        "recognised": {"en": "Recognised", "zh": "认可"},
        "member": {"en": "Proposed by", "zh": "提议方"},
    },
    (
        Filter("domain", "Only of this domain.", high=128),
        Filter("status", high=32),
        Filter("kind", high=32),
        Filter("member"),
        Filter("standard", "Only of this id.", high=128),
    ),
    key=lambda standard, version: standard_key(standard, int(version)),
    named_by=("standard", "version"),
)
ADOPTIONS: Final = List(
    "adoptions",
    "/v1/standards/adopters",
    _PART,
    tables.ADOPTIONS,
    "Who tries or has adopted a standard, or did",
    {"en": "Adopters of standards", "zh": "标准的采用者"},
    {
        **_NAMED,
        "member": _MEMBER,
        "mode": {"en": "Mode", "zh": "方式"},
        "from_ms": {"en": "Since", "zh": "起始"},
        "until_ms": {"en": "Until", "zh": "截止"},
    },
    (*_OF, Filter("member"), Filter("mode", values=("trial", "adopted"))),
    key=lambda standard, version, member: adoption_key(standard, int(version), member),
    named_by=("standard", "version", "member"),
    entries="adopters",
)
STATUS: Final = List(
    "standard-status",
    "/v1/standards/status",
    _PART,
    tables.STANDARD_STATUS,
    "What reviews found of standards, by period",
    {"en": "Reviews of standards", "zh": "标准的复核"},
    {
        **_NAMED,
        "period": _PERIOD,
        "status": _STATUS,
        "users": {"en": "Users", "zh": "使用者"},
        "active": {"en": "Active members", "zh": "活跃成员"},
        "adopters": _ADOPTERS,
        "items": _ITEMS,
    },
    (
        *_OF,
        Filter(
            "active",
            "Only of periods with at least this many active members.",
            "active >= CAST(:active AS INTEGER)",
            pattern="^[0-9]{1,4}$",
        ),
    ),
    (
        Order("oldest", ("standard", "version", "period")),
        Order("newest", ("period", "standard", "version"), descending=True),
    ),
    entries="reviews",
)
USE: Final = List(
    "standard-use",
    "/v1/standards/use",
    _PART,
    tables.STANDARD_USE,
    "What members recorded under standards, by period",
    {"en": "Use of standards", "zh": "标准的使用"},
    {**_NAMED, "member": _MEMBER, "period": _PERIOD, "items": _ITEMS, "conforming": {"en": "Conforming", "zh": "符合"}},
    (*_OF, Filter("member")),
    entries="use",
)
DISPUTES: Final = List(
    "standard-disputes",
    "/v1/standards/disputes",
    _PART,
    tables.STANDARD_DISPUTES,
    "Disputes about standards",
    {"en": "Disputes about standards", "zh": "关于标准的争议"},
    {
        **_NAMED,
        "member": _MEMBER,
        "ground": {"en": "Ground", "zh": "理由"},
        "status": _STATUS,
        "due_ms": {"en": "Answer due", "zh": "答复截止"},
    },
    (*_OF, Filter("member"), Filter("status", high=32)),
    entries="disputes",
)

LISTS: Final = (STANDARDS, ADOPTIONS, STATUS, USE, DISPUTES)
