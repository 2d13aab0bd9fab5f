"""The lists of certification: schemes, projects, arguments, reviewers, seats on panels, certificates, tranches."""

from __future__ import annotations

from typing import Final

from coseal.contracts.certification import tables
from coseal.contracts.certification.argument import KINDS
from coseal.contracts.certification.certificates import STATUSES as CERTIFICATE_STATUSES
from coseal.contracts.certification.panel import ROLE_SECTORS
from coseal.contracts.certification.proceedings import STATUSES
from coseal.contracts.certification.projects import DRAFT, LAPSED
from coseal.contracts.certification.state import (
    argument_node_key,
    certificate_key,
    project_key,
    reviewer_key,
    round_key,
    scheme_key,
    tranche_key,
)
from coseal.contracts.certification.tranches import STATUSES as TRANCHE_STATUSES
from coseal.contracts.kernel.lists import Filter, List, Words

_PART: Final = "certification"
_SCHEME: Final[Words] = {"en": "Scheme", "zh": "认证方案"}
_TITLE: Final[Words] = {"en": "Title", "zh": "名称"}
_STATUS: Final[Words] = {"en": "Status", "zh": "状态"}
_PROJECT: Final[Words] = {"en": "Project", "zh": "项目"}
_KIND: Final[Words] = {"en": "Kind", "zh": "种类"}
_ROUND: Final[Words] = {"en": "Round", "zh": "轮次"}
_REVIEWER: Final[Words] = {"en": "Reviewer", "zh": "评审人"}

SCHEMES: Final = List(
    "schemes",
    "/v1/certification/schemes",
    _PART,
    tables.SCHEMES,
    "Schemes of certification, by id",
    {"en": "Schemes of certification", "zh": "认证方案"},
    {"scheme": _SCHEME, "title": _TITLE, "status": _STATUS, "ballot": {"en": "Ballot", "zh": "表决"}},
    (Filter("status", values=("adopted", "retired")),),
    key=scheme_key,
    named_by=("scheme",),
)
PROJECTS: Final = List(
    "projects",
    "/v1/certification/projects",
    _PART,
    tables.PROJECTS,
    "Projects in their present state, by id",
    {"en": "Projects", "zh": "项目"},
    {
        "project": _PROJECT,
        "title": _TITLE,
        "member": {"en": "Applicant", "zh": "申请方"},
        "scheme": _SCHEME,
        "kind": _KIND,
        "status": _STATUS,
        "round": _ROUND,
        "due_ms": {"en": "Step ends", "zh": "本步截止"},
        "nodes": {"en": "Nodes", "zh": "论证节点"},
        "planned": {"en": "Planned (fen)", "zh": "计划金额(分)"},
        "released": {"en": "Released (fen)", "zh": "已拨付(分)"},
    },
    (
        Filter("member"),
        Filter("scheme", high=128),
        Filter("status", values=(DRAFT, LAPSED, *STATUSES)),
        Filter("kind", high=128),
    ),
    key=project_key,
    named_by=("project",),
)
ARGUMENT_NODES: Final = List(
    "argument-nodes",
    "/v1/certification/nodes",
    _PART,
    tables.ARGUMENT_NODES,
    "Nodes of arguments, with their texts",
    {"en": "Nodes of arguments", "zh": "论证节点"},
    {
        "project": _PROJECT,
        "node": {"en": "Node", "zh": "节点"},
        "kind": _KIND,
        "parent": {"en": "Below", "zh": "上级节点"},
        "declared": {"en": "Declared", "zh": "声明"},
        "statement": {"en": "Statement", "zh": "陈述"},
    },
    (
        Filter("project", "Only of this project.", high=128),
        Filter("kind", values=KINDS),
        Filter("declared", high=32),
        Filter(
            "dropped",
            "1: only dropped ones.",
            "dropped = CAST(:dropped AS INTEGER)",
            pattern="^[01]$",
            title={"en": "Dropped", "zh": "已删除"},
        ),
    ),
    key=argument_node_key,
    named_by=("project", "node"),
    entries="nodes",
)

REVIEWERS: Final = List(
    "reviewers",
    "/v1/certification/reviewers",
    _PART,
    tables.REVIEWERS,
    "Reviewers that members offer for panels",
    {"en": "Reviewers", "zh": "评审人名册"},
    {
        "reviewer": _REVIEWER,
        "member": {"en": "Member", "zh": "成员"},
        "sector": {"en": "Sector", "zh": "界别"},
        "humanities": {"en": "Humanities", "zh": "人文学科"},
        "until_ms": {"en": "Until", "zh": "任期至"},
    },
    (Filter("member"), Filter("sector", values=ROLE_SECTORS)),
    key=reviewer_key,
    named_by=("reviewer",),
)
REVIEWS: Final = List(
    "reviews",
    "/v1/certification/reviews",
    _PART,
    tables.REVIEWS,
    "Seats on panels by project and round: who was drawn, and its review once it is revealed",
    {"en": "Panels and reviews", "zh": "评审组与评审意见"},
    {
        "project": _PROJECT,
        "round": _ROUND,
        "reviewer": _REVIEWER,
        "status": _STATUS,
        "accepted": {"en": "Accepted", "zh": "认可"},
        "rejected": {"en": "Not accepted", "zh": "不认可"},
    },
    (
        Filter("project", "Only of this project.", high=128),
        Filter("reviewer", high=128),
        Filter("status", values=("drawn", "seated", "conflict", "silent", "committed", "revealed")),
    ),
    key=round_key,
    named_by=("project", "round"),
)

CERTIFICATES: Final = List(
    "certificates",
    "/v1/certification/certificates",
    _PART,
    tables.CERTIFICATES,
    "Certificates in their present state",
    {"en": "Certificates", "zh": "认证证书"},
    {
        "certificate": {"en": "Certificate", "zh": "证书"},
        "project": _PROJECT,
        "scheme": _SCHEME,
        "status": _STATUS,
        "from_ms": {"en": "Issued", "zh": "颁发时间"},
        "until_ms": {"en": "Until", "zh": "有效期至"},
        "suspended_ms": {"en": "Suspended until", "zh": "暂停至"},
    },
    (
        Filter("project", "Only of this project.", high=128),
        Filter("scheme", high=128),
        Filter("status", values=CERTIFICATE_STATUSES),
    ),
    key=certificate_key,
    named_by=("certificate",),
)

TRANCHES: Final = List(
    "tranches",
    "/v1/certification/tranches",
    _PART,
    tables.TRANCHES,
    "Tranches of projects: who pays, for what milestone, and how far they are",
    {"en": "Tranches", "zh": "分期资金"},
    {
        "project": _PROJECT,
        "tranche": {"en": "Tranche", "zh": "期次"},
        "amount": {"en": "Amount (fen)", "zh": "金额(分)"},
        "funder": {"en": "Funder", "zh": "出资方"},
        "status": _STATUS,
        "pending": {"en": "Pending transfer", "zh": "待付款项"},
    },
    (
        Filter("project", "Only of this project.", high=128),
        Filter("funder"),
        Filter("status", values=TRANCHE_STATUSES),
    ),
    key=tranche_key,
    named_by=("project", "tranche"),
)

LISTS: Final = (SCHEMES, PROJECTS, ARGUMENT_NODES, REVIEWERS, REVIEWS, CERTIFICATES, TRANCHES)
