"""Rows about money: wallets, movements, pending transfers, institutions, supply, from receipts and arguments alone.

Law: what receipts and arguments say gives every movement as it was hashed, in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final, TypeAlias

from coseal.contracts.currency.ledger import CLOSED, ISSUANCE, OPEN, PENDING, POST, POSTED, VAULT, VOID
from coseal.contracts.currency.post import INSTITUTION_CLASS
from coseal.contracts.currency.tables import CLASSES, INSTITUTIONS, MOVEMENTS, PENDINGS, SUPPLY, WALLETS
from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.place import Act
from coseal.contracts.kernel.rows.writer import Writer
from coseal.ledger.transaction import Transaction

Given: TypeAlias = Mapping[str, Any]
_DETAILS: Final = ("reference", "end_to_end")


def writer(rows: Rows) -> Writer:
    """Return what writes the rows of this contract."""
    accepted = {f"currency.{action}": partial(_write, rows, put) for action, put in _WRITE.items()}
    return Writer(accepted, due=partial(_due, rows))


def _write(rows: Rows, put: _Put, tx: Transaction, data: Given, act: Act) -> None:
    put(rows, tx.args, data, act)
    _totals(rows, data, act)


def _totals(rows: Rows, data: Given, act: Act) -> None:
    """Give wallets the totals that a receipt says."""
    for name, (debits, credits, reserved, incoming) in data.get("wallets", {}).items():
        row = rows.of(WALLETS).find(name)
        if row is not None:
            changed = {"balance": int(credits) - int(debits), "reserved": int(reserved), "incoming": int(incoming)}
            rows.of(WALLETS).put({**row, **changed, "debits": debits, "credits": credits, **act.place})


# Wallets


def _open(rows: Rows, args: Given, data: Given, act: Act) -> None:
    _put_wallet(rows, data["wallet"], data["holder"], data["authority"], data["class"], args.get("key", ""), act)


def _put_wallet(rows: Rows, name: str, holder: str, authority: str, class_id: str, key: str, act: Act) -> None:
    row: dict[str, Any] = {
        "wallet": name,
        "institution": name.partition("/")[0],
        "holder": holder,
        "authority": authority,
    }
    row |= {"class": class_id, "status": OPEN, "balance": 0, "reserved": 0, "incoming": 0}
    row |= {"debits": "0", "credits": "0", **act.place}
    rows.of(WALLETS).put({**row, "document": {"key": key} if key else {}})


def _change(rows: Rows, name: str, act: Act, said: Given | None = None, **columns: Any) -> None:
    row = rows.of(WALLETS).find(name)
    if row is not None:
        document = {**row["document"], **(said or {})}
        rows.of(WALLETS).put({**row, **columns, **act.place, "document": document})


def _close(rows: Rows, args: Given, data: Given, act: Act) -> None:
    _change(rows, data["wallet"], act, status=CLOSED)


def _reclass(rows: Rows, args: Given, data: Given, act: Act) -> None:
    _change(rows, data["wallet"], act, {"limits": data["limits"]}, **{"class": data["class"]})


def _rekey(rows: Rows, args: Given, data: Given, act: Act) -> None:
    if data["effective_ms"] <= act.time_ms:
        _change(rows, data["wallet"], act, {"key": data["key"]})


def _admit(rows: Rows, args: Given, data: Given, act: Act) -> None:
    if rows.of(INSTITUTIONS).find(data["member"]) is None:
        _put_wallet(rows, data["vault"], f"member:{data['member']}", "member", INSTITUTION_CLASS, "", act)
    rows.of(INSTITUTIONS).put({"member": data["member"], "successor": "", **act.place})


def _dismiss(rows: Rows, args: Given, data: Given, act: Act) -> None:
    row = rows.of(INSTITUTIONS).find(data["member"])
    if row is not None:
        rows.of(INSTITUTIONS).put({**row, "successor": data["successor"]})


# Movements


def _move(
    rows: Rows, number: int, kind: str, item: Given, act: Act, *, amount: int, reserved: int = 0, pending: int = 0
) -> None:
    row = {"number": number, "time_ms": act.time_ms, "kind": kind, "debit": item["debit"], "credit": item["credit"]}
    row |= {"amount": amount, "reserved": reserved, "code": item["code"], "pending": pending, **act.place}
    row |= {name: item.get(name, "") for name in _DETAILS} | {"tx": act.tx_id.hex() or "00" * 32}
    about = list(item.get("about", ()))
    rows.of(MOVEMENTS).put({**row, "document": {"about": about} if about else {}})


def _sided(item: Given) -> dict[str, Any]:
    return {**item, "debit": item["from"], "credit": item["to"]}


def _pay(rows: Rows, args: Given, data: Given, act: Act) -> None:
    _move(rows, data["first"], POSTED, _sided(args), act, amount=args["amount"])


def _pay_batch(rows: Rows, args: Given, data: Given, act: Act) -> None:
    refused, number = {index for index, _ in data["refused"]}, data.get("first", 0)
    for index, item in enumerate(args["items"]):
        if index not in refused:
            _move(rows, number, POSTED, _sided(item), act, amount=item["amount"])
            number += 1


def _pend(rows: Rows, args: Given, data: Given, act: Act) -> None:
    _reserve(rows, _sided(args), data["first"], data["pending"], data["expires_ms"], args["release"], act)


def _reserve(rows: Rows, item: Given, first: int, name: str, expires_ms: int, release: Given, act: Act) -> None:
    number = int(name[1:])
    row = {"number": number, "id": name, "debit": item["debit"], "credit": item["credit"], "amount": item["amount"]}
    row |= {"code": item["code"], "status": OPEN, "posted": 0, "expires_ms": expires_ms, **act.place}
    said = {part: item[part] for part in (*_DETAILS, "about") if item.get(part)}
    rows.of(PENDINGS).put({**row, "document": {"release": dict(release), **said}})
    _move(rows, first, PENDING, item, act, amount=item["amount"], pending=number)


def _end(rows: Rows, name: str, number: int, kind: str, amount: int, status: str, act: Act) -> Any:
    """End a pending transfer by its movement; return its row."""
    row = rows.of(PENDINGS).find(int(name[1:]))
    if row is not None:
        rows.of(PENDINGS).put({**row, "status": status, "posted": amount})
        item = {**row["document"], "debit": row["debit"], "credit": row["credit"], "code": row["code"]}
        _move(rows, number, kind, item, act, amount=amount, reserved=row["amount"], pending=row["number"])
    return row


def _post(rows: Rows, args: Given, data: Given, act: Act) -> None:
    _end(rows, data["pending"], data["first"], POST, data["posted"], data["status"], act)


def _void(rows: Rows, args: Given, data: Given, act: Act) -> None:
    for offset, name in enumerate(data["pendings"]):
        _end(rows, name, data["first"] + offset, VOID, 0, data["status"], act)


def put_posted(rows: Rows, posted: Given, act: Act) -> None:
    """Put the movements that another contract made: ``payments`` with the numbers and totals of ``Posting.write``."""
    for number, payment in enumerate(posted["payments"], posted["first"]):
        _move(rows, number, POSTED, payment, act, amount=payment["amount"])
    _totals(rows, posted, act)


# Supply


def _issue(rows: Rows, args: Given, data: Given, act: Act) -> None:
    item = {"debit": ISSUANCE, "credit": f"{data['institution']}/{VAULT}", "code": "CASH"}
    _move(rows, data["first"], POSTED, {**item, "reference": data["instruction"]}, act, amount=data["amount"])
    _supply(rows, data["first"], data["institution"], data["amount"], data["instruction"], act)


def _supply(rows: Rows, number: int, institution: str, amount: int, instruction: str, act: Act) -> None:
    row = {"number": number, "institution": institution, "amount": amount, "instruction": instruction}
    rows.of(SUPPLY).put({**row, "time_ms": act.time_ms, **act.place})


def _redeem(rows: Rows, args: Given, data: Given, act: Act) -> None:
    item = {"debit": f"{act.member}/{VAULT}", "credit": ISSUANCE, "amount": data["amount"], "code": "CASH"}
    _reserve(rows, item, data["first"], data["redemption"], data["expires_ms"], {}, act)


def _settle(rows: Rows, args: Given, data: Given, act: Act) -> None:
    _end(rows, data["redemption"], data["first"], POST, data["amount"], data["status"], act)
    institution = data["vault"].partition("/")[0]
    _supply(rows, data["first"], institution, -data["amount"], data["redemption"], act)


def _refuse(rows: Rows, args: Given, data: Given, act: Act) -> None:
    _end(rows, data["redemption"], data["first"], VOID, 0, data["status"], act)


# What was due


def _due(rows: Rows, data: Given, act: Act) -> None:
    for ended in _each(data, "expired"):
        _end(rows, ended["pending"], ended["first"], VOID, 0, "expired", act)
        _totals(rows, ended, act)
    for changed in _each(data, "rekeyed"):
        _change(rows, changed["wallet"], act, {"key": changed["key"]})
    for corrected in _each(data, "corrected"):
        made = Act("", b"", corrected["time_ms"], corrected["height"], act.position)
        _move(rows, corrected["first"], POSTED, corrected, made, amount=corrected["amount"])
        _totals(rows, corrected, act)
    for decided in _each(data, "classes"):
        row = {"class": decided["class"], "version": decided["version"], **act.place}
        said = {name: decided[name] for name in ("limits", "holders")}
        rows.of(CLASSES).put({**row, "document": said})


def _each(data: Given, name: str) -> Iterable[Given]:
    found: Iterable[Given] = data.get(name, ())
    return found


_Put: TypeAlias = Callable[[Rows, Given, Given, Act], None]
_WRITE: Final[Mapping[str, _Put]] = {
    "admit_institution": _admit,
    "dismiss_institution": _dismiss,
    "open_wallet": _open,
    "close_wallet": _close,
    "reclass_wallet": _reclass,
    "rekey_wallet": _rekey,
    "issue": _issue,
    "redeem": _redeem,
    "settle_redeem": _settle,
    "void_redeem": _refuse,
    "pay": _pay,
    "pay_batch": _pay_batch,
    "pend": _pend,
    "post_pending": _post,
    "void_pending": _void,
}
