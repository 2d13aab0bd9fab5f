"""The lists of participation: gateways, consultations, comments, themes."""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel.lists import Filter, List, Words
from coseal.contracts.participation import tables
from coseal.contracts.participation.consultations import STATUSES
from coseal.contracts.participation.entry import CLASSES, KINDS, REASONS
from coseal.contracts.participation.state import consultation_key, gateway_key, office_key, theme_key
from coseal.contracts.participation.subjects import ABOUT
from coseal.contracts.participation.themes import OUTCOMES

_PART: Final = "participation"
_CONSULTATION: Final[Words] = {"en": "Consultation", "zh": "征求意见"}
_GATEWAY: Final[Words] = {"en": "Gateway", "zh": "意见受理方"}
_STATUS: Final[Words] = {"en": "Status", "zh": "状态"}
_TITLE: Final[Words] = {"en": "Title", "zh": "标题"}
_ENTRIES: Final[Words] = {"en": "Entries", "zh": "条目数"}
_WITHHELD: Final[Words] = {"en": "Withheld", "zh": "不公开"}
_THEME: Final[Words] = {"en": "Theme", "zh": "主题"}

GATEWAYS: Final = List(
    "gateways",
    "/v1/participation/gateways",
    _PART,
    tables.GATEWAYS,
    "Members that take comments of people, by id",
    {"en": "Gateways", "zh": "意见受理方"},
    {
        "member": {"en": "Member", "zh": "成员"},
        "url": {"en": "Address", "zh": "网址"},
        "entries": _ENTRIES,
        "withheld": _WITHHELD,
    },
    key=office_key,
    named_by=("member",),
)
CONSULTATIONS: Final = List(
    "consultations",
    "/v1/participation/consultations",
    _PART,
    tables.CONSULTATIONS,
    "Consultations in their present state, by id",
    {"en": "Consultations", "zh": "征求意见"},
    {
        "consultation": _CONSULTATION,
        "title": _TITLE,
        "member": {"en": "Opened by", "zh": "发起方"},
        "about": {"en": "About", "zh": "事项类别"},
        "subject": {"en": "Subject", "zh": "事项"},
        "status": _STATUS,
        "closes_ms": {"en": "Closes", "zh": "截止"},
        "due_ms": {"en": "To be concluded", "zh": "答复期限"},
        "overdue": {"en": "Overdue", "zh": "逾期次数"},
        "received": {"en": "Received", "zh": "收到"},
        "withheld": _WITHHELD,
        "assigned": {"en": "In themes", "zh": "已归类"},
        "themes": {"en": "Themes", "zh": "主题数"},
        "answered": {"en": "Answered", "zh": "已答复"},
    },
    (
        Filter("member"),
        Filter("about", values=ABOUT),
        Filter("subject", high=128),
        Filter("status", values=STATUSES),
    ),
    key=consultation_key,
    named_by=("consultation",),
)
COMMENTS: Final = List(
    "comments",
    "/v1/participation/comments",
    _PART,
    tables.COMMENTS,
    "Entries of comments by consultation, gateway and number",
    {"en": "Comments", "zh": "公众意见"},
    {
        "consultation": _CONSULTATION,
        "gateway": _GATEWAY,
        "entry": {"en": "Entry", "zh": "序号"},
        "commenter": {"en": "Who comments", "zh": "意见人类别"},
        "kind": {"en": "Kind", "zh": "性质"},
        "text_sha256": {"en": "Digest of the text", "zh": "正文摘要"},
        "withheld": {"en": "Withheld for", "zh": "不公开原因"},
        "theme": _THEME,
    },
    (
        Filter("consultation", "Only of this consultation.", high=128),
        Filter("gateway"),
        Filter("commenter", values=CLASSES),
        Filter("kind", values=KINDS),
        Filter("withheld", values=REASONS),
        Filter("text_sha256", high=64),
        Filter("commitment", high=64, title={"en": "Commitment", "zh": "承诺值"}),
        Filter("theme", "Only of this theme.", "theme = CAST(:theme AS INTEGER)", pattern="^[0-9]{1,3}$"),
    ),
    key=gateway_key,
    named_by=("consultation", "gateway"),
)
THEMES: Final = List(
    "themes",
    "/v1/participation/themes",
    _PART,
    tables.THEMES,
    "Themes of consultations with their answers",
    {"en": "Themes", "zh": "意见主题"},
    {
        "consultation": _CONSULTATION,
        "theme": _THEME,
        "title": _TITLE,
        "entries": _ENTRIES,
        "outcome": {"en": "Answer", "zh": "答复"},
    },
    (
        Filter("consultation", "Only of this consultation.", high=128),
        Filter("outcome", values=OUTCOMES),
    ),
    key=theme_key,
    named_by=("consultation", "theme"),
)

LISTS: Final = (GATEWAYS, CONSULTATIONS, COMMENTS, THEMES)
