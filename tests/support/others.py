"""Small contracts that no software ships, for chains that admit them."""

from __future__ import annotations

from typing import Any

from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Rejected, Result, View
from coseal.contracts.kernel.contract import Contract
from coseal.contracts.kernel.fields import Integer
from coseal.ledger.genesis import Sources

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


def tally(version: int = 1) -> Contract:
    """Return a contract that adds; the second version adds all twice. 13, 14 and 15 are mistakes of the first."""
    add = Action(
        arguments=Arguments({"amount": Integer(0, 1_000)}),
        apply=_add if version == 1 else _add_twice,
        title="Add to the total",
        example={"amount": 1},
    )
    return Contract(name="tally", actions={"add": add}, version=version)


TALLIES = {TALLY_1: tally(1), TALLY_2: tally(2)}
"""Both versions, as software offers them that has both."""
