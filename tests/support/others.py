"""Small contracts that no software ships, for chains that admit them."""

from __future__ import annotations

from typing import Any

from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Rejected, Result, View
from coseal.contracts.kernel.contract import Contract
from coseal.contracts.kernel.fields import Integer
from coseal.contracts.kernel.lists import Filter, List, Order
from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.place import Act
from coseal.contracts.kernel.rows.schema import MADE, Table, integer, text
from coseal.contracts.kernel.rows.writer import Writer
from coseal.ledger.genesis import Genesis, Sources, encode_genesis
from tests.support.genesis import make_genesis

TALLY_1 = Sources("tally", 1, "11" * 32)
TALLY_2 = Sources("tally", 2, "22" * 32)


def _add(view: View, context: Context, args: Args) -> Result | Rejected:
    total: Any = view.get("tally/total") or 0
    if args["amount"] == 13:
        view.put("tally/total", 13)
        view.put("process/stray", 13)
    if args["amount"] == 14:
        raise ZeroDivisionError
    while args["amount"] == 15:
        view.get("tally/total")
    view.put("tally/total", total + args["amount"])
    return {"total": total + args["amount"]}


def _add_twice(view: View, context: Context, args: Args) -> Result | Rejected:
    total: Any = view.get("tally/total") or 0
    view.put("tally/total", total + 2 * args["amount"])
    return {"total": total + 2 * args["amount"]}


ADDED = Table(
    "tally__added",
    "one row a number that was added",
    ("height", "position"),
    (*MADE, text("member", "who added"), integer("amount", "the number"), integer("total", "the total after it")),
    indexes=(("tally__added_by_member", "(member, height)"),),
)
LIST = List(
    "tally.added",
    "/v1/lists/tally.added",
    "tally",
    ADDED,
    "Numbers that were added",
    {"en": "Added", "zh": "已加"},
    {
        "member": {"en": "Member", "zh": "成员"},
        "amount": {"en": "Amount", "zh": "数"},
        "total": {"en": "Total", "zh": "和"},
    },
    (Filter("member"), Filter("least", "Totals from this on.", "total >= CAST(:least AS INTEGER)", pattern="^[0-9]+$")),
    (Order("first", ("height", "position")), Order("last", ("height", "position"), descending=True)),
    named_by=("height", "position"),
)


def rows(rows: Rows) -> Writer:
    """Write a row for each number; one for 17 is a mistake."""

    def added(tx: Any, data: Any, act: Act) -> None:
        amount = tx.args["amount"]
        rows.of(ADDED).add(*act.where, act.member, amount, None if amount == 17 else data["total"])

    return Writer({"tally.add": added})


def large(name: str, data: Any) -> list[dict[str, Any]]:
    """Raise an event for a total from 100 on; one of 118 is a mistake."""
    if name == "begin" or data["total"] < 100:
        return []
    if data["total"] == 118:
        raise ZeroDivisionError
    return [{"total": data["total"]}]


def tally(version: int = 1) -> Contract:
    """Return a contract that adds; the second version adds all twice. 13, 14 and 15 are mistakes of the first.

    It has a row for each number, a list of them, and an event for large totals, with mistakes for 17 and for 118.
    """
    add = Action(
        arguments=Arguments({"amount": Integer(0, 1_000)}),
        apply=_add if version == 1 else _add_twice,
        title="Add to the total",
        example={"amount": 1},
    )
    return Contract(
        name="tally",
        actions={"add": add},
        keys={"tally/total": "the total"},
        tables=(ADDED,),
        rows=rows,
        events={"tally.large": large},
        lists=(LIST,),
        version=version,
    )


TALLIES = {TALLY_1: tally(1), TALLY_2: tally(2)}
"""Both versions, as software offers them that has both."""


def genesis_with(*sources: Sources) -> Genesis:
    """Return a genesis that admits sources."""
    plain = make_genesis()
    raw = encode_genesis(
        name=plain.name,
        time_ms=plain.time_ms,
        parameters=plain.parameters,
        members=plain.members,
        nodes=plain.nodes,
        contracts=sources,
    )
    return Genesis.decode(raw)
