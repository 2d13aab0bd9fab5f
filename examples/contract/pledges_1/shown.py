"""What people see of pledges: a table of the index with a row a receipt, a list of them, and an event when one ends."""

from __future__ import annotations

from typing import Any

from coseal.contracts.kernel.lists import Filter, List
from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.place import Act
from coseal.contracts.kernel.rows.schema import WRITTEN, Table, integer, text
from coseal.contracts.kernel.rows.writer import Writer

RECEIPTS = Table(
    "pledges__receipts",
    "one row a receipt that was ever pledged, as it was pledged last",
    ("receipt",),
    (
        text("receipt", "its id"),
        text("debtor", "member that pledged it"),
        text("bank", "member to which it is pledged"),
        integer("amount", "the loan"),
        integer("until_ms", "when the pledge ends by itself"),
        text("status", "`pledged`, `released` or `ended`"),
        *WRITTEN,
    ),
    indexes=(("pledges__receipts_by_bank", "(bank, receipt)"),),
)


def write(rows: Rows) -> Writer:
    """Return what writes the rows of each accepted action, and of what was due."""
    kept = rows.of(RECEIPTS)

    def pledged(tx: Any, data: Any, act: Act) -> None:
        record = {name: data[name] for name in ("receipt", "debtor", "bank", "amount", "until_ms")}
        kept.put({**record, "status": "pledged", **act.place})

    def over(receipt: str, status: str, act: Act) -> None:
        kept.put({**(kept.find(receipt) or {}), "status": status, **act.place})

    def released(tx: Any, data: Any, act: Act) -> None:
        over(data["receipt"], "released", act)

    def due(data: Any, act: Act) -> None:
        for receipt in data["ended"]:
            over(receipt, "ended", act)

    return Writer({"pledges.pledge": pledged, "pledges.release": released}, due=due)


def ended(name: str, data: Any) -> list[dict[str, Any]]:
    """Return an event for each pledge that ended by itself; ``name`` is the action, ``begin`` for what was due."""
    return [{"id": receipt} for receipt in data["ended"]] if name == "begin" else []


EVENTS = {"pledges.ended": ended}
LISTS = (
    List(
        "pledges.receipts",
        "/v1/lists/pledges.receipts",
        "pledges",
        RECEIPTS,
        "Receipts that were pledged",
        {"en": "Pledged receipts", "zh": "质押的仓单"},
        {
            "receipt": {"en": "Receipt", "zh": "仓单"},
            "debtor": {"en": "Debtor", "zh": "出质人"},
            "bank": {"en": "Bank", "zh": "质权人"},
            "amount": {"en": "Amount", "zh": "金额"},
            "until_ms": {"en": "Until", "zh": "到期"},
            "status": {"en": "Status", "zh": "状态"},
        },
        (Filter("bank"), Filter("debtor"), Filter("status", values=("pledged", "released", "ended"))),
        key=lambda receipt: f"pledges/receipt/{receipt}",
        named_by=("receipt",),
    ),
)
