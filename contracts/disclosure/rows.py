"""How disclosure becomes rows: plans and policies, keys, vaults and the answers of their seats.

Law: the rows follow from receipts and arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, TypeAlias

from coseal.contracts.disclosure import request_rows
from coseal.contracts.disclosure.log import LOG
from coseal.contracts.disclosure.sealing import RECORD, SEALED
from coseal.contracts.disclosure.state import NAME
from coseal.contracts.disclosure.tables import (
    DISCLOSURE_AUDIENCES,
    DISCLOSURE_KEYS,
    DISCLOSURE_LOG,
    DISCLOSURE_PLANS,
    DISCLOSURE_POLICIES,
    DISCLOSURE_SEATS,
    DISCLOSURE_SIDECARS,
    DISCLOSURE_VAULTS,
)
from coseal.contracts.disclosure.vaults import SILENT
from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.place import Act
from coseal.contracts.kernel.rows.writer import Writer
from coseal.ledger.transaction import Transaction

Given: TypeAlias = Mapping[str, Any]


def writer(rows: Rows) -> Writer:
    """Return what writes the rows of this contract."""
    puts: dict[str, Any] = {
        "set_sealing_key": _put_key,
        "open_vault": _put_vault,
        "accept_seat": _put_answer,
        "refuse_seat": _put_answer,
        "define_audience": _put_audience,
        "grant": lambda rows, tx, data, act: _log(rows, data, act),
        "close_vault": _put_answer,
        "destroy_seat": _put_answer,
        **dict.fromkeys(request_rows.ACTS, _put_step),
    }
    said: dict[str, Any] = {f"{NAME}.{action}": partial(put, rows) for action, put in puts.items()}
    return Writer({**said, RECORD: partial(_put_sealed, rows)}, due=partial(_put_due, rows))


def _put_key(rows: Rows, tx: Transaction, data: Given, act: Act) -> None:
    rows.of(DISCLOSURE_KEYS).put({**data, "sealing_key": tx.args["key"], **act.place})


def _put_vault(rows: Rows, tx: Transaction, data: Given, act: Act) -> None:
    row = {name: tx.args[name] for name in ("vault", "plan", "retention", "ends_ms")}
    row |= {"owner": data["owner"], "status": data["status"], "deadline_ms": data["deadline_ms"]}
    more = {name: tx.args[name] for name in ("commitments", "pad", "envelopes")}
    rows.of(DISCLOSURE_VAULTS).put({**row, "again": tx.args.get("again", ""), **act.place, "document": more})
    for seat, (member, status) in enumerate(data["seats"]):
        named = {"owner": data["owner"], "vault": data["vault"], "seat": seat, "member": member}
        rows.of(DISCLOSURE_SEATS).put({**named, "status": status, "reason": "", **act.place})


def _put_answer(rows: Rows, tx: Transaction, data: Given, act: Act) -> None:
    _mark(rows, data)
    _log(rows, data, act)
    if "seat" in data:
        _mark_seat(rows, data, data["answer"], tx.args.get("reason", ""))


def _put_step(rows: Rows, tx: Transaction, data: Given, act: Act) -> None:
    request_rows.put(rows, tx, data, act)
    _log(rows, data, act)


def _put_audience(rows: Rows, tx: Transaction, data: Given, act: Act) -> None:
    row = {name: data[name] for name in ("owner", "vault", "audience", "version")}
    rows.of(DISCLOSURE_AUDIENCES).put({**row, **act.place, "document": {"members": tx.args["members"]}})
    _log(rows, data, act)


def _log(rows: Rows, data: Given, act: Act) -> None:
    for said in data.get(LOG, ()):
        row = dict(zip(("owner", "number", "step", "vault", "subject"), said, strict=True))
        rows.of(DISCLOSURE_LOG).put({**row, **act.place})


def _put_sealed(rows: Rows, tx: Transaction, data: Given, act: Act) -> None:
    """Put the sidecar of a batch that has one."""
    if SEALED not in data:
        return
    said = data[SEALED]
    row = {name: said[name] for name in ("vault", "number", "cells", "items_root", "erase_ms")}
    row |= {name: data[name] for name in ("source", "first", "last")}
    row |= {"owner": act.member, "name": said["sidecar"], "bytes": tx.args[SEALED]["sidecar"]["bytes"]}
    rows.of(DISCLOSURE_SIDECARS).put({**row, "erased_height": 0, **act.place})


def _mark(rows: Rows, said: Given) -> None:
    row = rows.of(DISCLOSURE_VAULTS).find(said["owner"], said["vault"])
    if row is not None:
        rows.of(DISCLOSURE_VAULTS).put({**row, "status": said["status"]})


def _mark_seat(rows: Rows, said: Given, status: str, reason: str = "") -> None:
    row = rows.of(DISCLOSURE_SEATS).find(said["owner"], said["vault"], said["seat"])
    if row is not None:
        rows.of(DISCLOSURE_SEATS).put({**row, "status": status, "reason": reason or row["reason"]})


def _put_due(rows: Rows, data: Given, act: Act) -> None:
    _log(rows, data, act)
    request_rows.put_due(rows, data, act)
    for said in data.get("overdue", ()):
        _mark(rows, said)
        _mark_seat(rows, said, SILENT)
    for _, owner, vault, number in data.get("erased", ()):
        found = rows.of(DISCLOSURE_SIDECARS).find(owner, vault, number)
        if found is not None:
            rows.of(DISCLOSURE_SIDECARS).put({**found, "erased_height": act.height})
    for plan in data.get("plans", ()):
        row = {name: plan[name] for name in ("plan", "threshold", "ballot")}
        more = {name: plan[name] for name in ("seats", "substitutes", "retentions")}
        rows.of(DISCLOSURE_PLANS).put({**row, **act.place, "document": more})
    for policy in data.get("policies", ()):
        row = {name: policy[name] for name in ("ballot", "quota_bytes")}
        rows.of(DISCLOSURE_POLICIES).put(
            {**row, **act.place, "document": {name: policy[name] for name in ("terms", "approvals")}}
        )
