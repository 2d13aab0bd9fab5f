"""The lists of disclosure: plans of custody, vaults, seats, what is sealed, audiences, requests, logs of owners."""

from __future__ import annotations

from typing import Final

from coseal.contracts.disclosure import tables
from coseal.contracts.disclosure.policy import BASES
from coseal.contracts.disclosure.requests import STATUSES
from coseal.contracts.disclosure.reviewing import REVIEWS
from coseal.contracts.disclosure.state import plan_key, request_key, vault_key
from coseal.contracts.disclosure.vaults import (
    ACCEPTED,
    ARMED,
    CLOSED,
    DEALT,
    DESTROYED,
    REFUSED,
    SILENT,
)
from coseal.contracts.kernel.lists import Filter, List, Words

_PART: Final = "disclosure"
_OWNER: Final[Words] = {"en": "Owner", "zh": "所有方"}
_VAULT: Final[Words] = {"en": "Vault", "zh": "密封库"}
_STATUS: Final[Words] = {"en": "Status", "zh": "状态"}
_MEMBER: Final[Words] = {"en": "Member", "zh": "成员"}
_PLAN: Final[Words] = {"en": "Plan", "zh": "保管方案"}

PLANS: Final = List(
    "custody-plans",
    "/v1/disclosure/plans",
    _PART,
    tables.DISCLOSURE_PLANS,
    "Plans of custody, by id",
    {"en": "Plans of custody", "zh": "密钥保管方案"},
    {"plan": _PLAN, "threshold": {"en": "Open together", "zh": "开启门限"}, "ballot": {"en": "Ballot", "zh": "表决"}},
    key=plan_key,
    named_by=("plan",),
)
VAULTS: Final = List(
    "vaults",
    "/v1/disclosure/vaults",
    _PART,
    tables.DISCLOSURE_VAULTS,
    "Vaults in their present state, by owner and id",
    {"en": "Vaults", "zh": "密封库"},
    {
        "owner": _OWNER,
        "vault": _VAULT,
        "plan": _PLAN,
        "retention": {"en": "Retention", "zh": "保存期限"},
        "status": _STATUS,
        "ends_ms": {"en": "Takes data until", "zh": "接收截止"},
        "deadline_ms": {"en": "Seats answer until", "zh": "席位答复截止"},
    },
    (
        Filter("owner"),
        Filter("plan"),
        Filter("status", values=(DEALT, ARMED, REFUSED, CLOSED, DESTROYED)),
    ),
    key=vault_key,
    named_by=("owner", "vault"),
)
SEATS: Final = List(
    "vault-seats",
    "/v1/disclosure/seats",
    _PART,
    tables.DISCLOSURE_SEATS,
    "Seats of vaults with their answers",
    {"en": "Seats of vaults", "zh": "保管席位"},
    {
        "owner": _OWNER,
        "vault": _VAULT,
        "seat": {"en": "Seat", "zh": "席位"},
        "member": _MEMBER,
        "status": _STATUS,
        "reason": {"en": "Reason", "zh": "理由"},
    },
    (
        Filter("owner"),
        Filter("vault"),
        Filter("member"),
        Filter("status", values=(DEALT, ACCEPTED, REFUSED, SILENT, DESTROYED)),
    ),
    named_by=("owner", "vault", "seat"),
    entries="seats",
)
SEALED: Final = List(
    "sealed",
    "/v1/disclosure/sealed",
    _PART,
    tables.DISCLOSURE_SIDECARS,
    "Sidecars of cells that were recorded, with when each is erased",
    {"en": "Sealed data", "zh": "密封数据"},
    {
        "owner": _OWNER,
        "vault": _VAULT,
        "number": {"en": "Number", "zh": "编号"},
        "source": {"en": "Source", "zh": "数据源"},
        "cells": {"en": "Cells", "zh": "密封单元"},
        "erase_ms": {"en": "Erased from", "zh": "到期清除"},
        "erased_height": {"en": "Erased in block", "zh": "清除区块"},
    },
    (Filter("owner"), Filter("vault"), Filter("source")),
    named_by=("owner", "vault", "number"),
)
AUDIENCES: Final = List(
    "audiences",
    "/v1/disclosure/audiences",
    _PART,
    tables.DISCLOSURE_AUDIENCES,
    "Versions of audiences with their readers",
    {"en": "Audiences", "zh": "读者范围"},
    {
        "owner": _OWNER,
        "vault": _VAULT,
        "audience": {"en": "Audience", "zh": "读者范围"},
        "version": {"en": "Version", "zh": "版本"},
    },
    (Filter("owner"), Filter("vault")),
    named_by=("owner", "vault", "audience", "version"),
    members=True,
)
LOG: Final = List(
    "disclosure-log",
    "/v1/disclosure/log",
    _PART,
    tables.DISCLOSURE_LOG,
    "Steps that concern what members sealed, by owner and number",
    {"en": "Log of disclosure", "zh": "披露日志"},
    {
        "owner": _OWNER,
        "number": {"en": "Number", "zh": "编号"},
        "step": {"en": "Step", "zh": "步骤"},
        "vault": _VAULT,
        "subject": {"en": "About", "zh": "对象"},
    },
    (Filter("owner"), Filter("vault"), Filter("step", high=32)),
    named_by=("owner", "number"),
    entries="entries",
    members=True,
)
_REQUESTER: Final[Words] = {"en": "Requester", "zh": "请求方"}
_REQUEST: Final[Words] = {"en": "Request", "zh": "请求"}
REQUESTS: Final = List(
    "openings",
    "/v1/disclosure/requests",
    _PART,
    tables.DISCLOSURE_REQUESTS,
    "Requests for openings in their present state, by requester and id",
    {"en": "Requests for openings", "zh": "开封请求"},
    {
        "requester": _REQUESTER,
        "request": _REQUEST,
        "basis": {"en": "Basis", "zh": "依据"},
        "owner": _OWNER,
        "vault": _VAULT,
        "status": _STATUS,
        "review": {"en": "Review", "zh": "事后审查"},
        "due_ms": {"en": "Next step due", "zh": "下一步截止"},
        "expires_ms": {"en": "Ends", "zh": "终止"},
    },
    (
        Filter("requester"),
        Filter("owner"),
        Filter("vault"),
        Filter("basis", values=BASES),
        Filter("status", values=STATUSES),
        Filter("review", values=REVIEWS),
    ),
    key=request_key,
    named_by=("requester", "request"),
    entries="requests",
    members=True,
)
STEPS: Final = List(
    "opening-steps",
    "/v1/disclosure/steps",
    _PART,
    tables.DISCLOSURE_STEPS,
    "Steps of requests for openings, and what was not done in time",
    {"en": "Steps of requests", "zh": "请求步骤"},
    {
        "owner": _OWNER,
        "requester": _REQUESTER,
        "request": _REQUEST,
        "step": {"en": "Step", "zh": "步骤"},
        "member": _MEMBER,
        "reason": {"en": "Reason", "zh": "理由"},
        "height": {"en": "Block", "zh": "区块"},
    },
    (Filter("owner"), Filter("requester"), Filter("request"), Filter("member")),
    named_by=("owner", "number"),
    entries="steps",
    members=True,
)
LISTS: Final[tuple[List, ...]] = (PLANS, VAULTS, SEATS, SEALED, AUDIENCES, REQUESTS, STEPS, LOG)
