"""A contract that fails on purpose, alike on every node: what it writes never stays, and the chain goes on.

Law: a fault follows from the transaction alone, so all nodes contain the same one.
docs/spec/budget.md, B3, B6 and B7.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.execution import Outcome
from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Rejected, Result, View
from coseal.contracts.kernel.budget import TRANSACTION_STEPS
from coseal.contracts.kernel.contract import Contract
from coseal.contracts.kernel.fields import OneOf
from coseal.contracts.registry import RULES, Contracts
from coseal.ledger.block import Receipt

NAME: Final = "fault"
CODES: Final[Mapping[str, str]] = {
    "exception": "internal_error",
    "recursion": "internal_error",
    "encoding": "internal_error",
    "result": "internal_error",
    "cost": "too_costly",
    "size": "value_too_large",
}
"""How an action fails -> the code of its receipt."""
WITHOUT_VOICE: Final = ("suspended", "paused")
"""Codes of what a member may not send for a time; whether that is so, ``simulation.decisions`` knows."""
KEY: Final = f"{NAME}/written"


def _fail(view: View, context: Context, args: Args) -> Result | Rejected:
    view.put(KEY, args["how"])
    match args["how"]:
        case "exception":
            raise KeyError("a fault on purpose")
        case "recursion":
            return _fail(view, context, args)
        case "encoding":
            view.put(KEY, {"a set": {1}})
        case "result":
            return {"a set": {1}}
        case "cost":
            view.charge(TRANSACTION_STEPS)
        case "size":
            view.put(KEY, "x" * 300_000)
    return {}


CONTRACT: Final = Contract(
    NAME,
    {"fail": Action(Arguments({"how": OneOf(*CODES)}), _fail, "Fail on purpose")},
)


def with_faults(rules: Mapping[int, Contracts] = RULES) -> dict[int, Contracts]:
    """Return the rules of every version with the contract beside the others."""
    return {version: {**contracts, NAME: CONTRACT} for version, contracts in rules.items()}


def arguments_of(number: int) -> dict[str, Any]:
    """Return the arguments of the n-th failing transaction: each way in turn."""
    names = list(CODES)
    return {"how": names[number % len(names)]}


def misjudged(outcome: Outcome) -> str | None:
    """Say which failing transaction of a block has another receipt than its way of failing asks for, or None."""
    for tx, raw in zip(outcome.transactions, outcome.receipts[1:], strict=True):
        if tx.contract == NAME:
            receipt, wanted = Receipt.decode(raw), CODES[tx.args["how"]]
            if receipt.code not in (wanted, *WITHOUT_VOICE):
                return f"a transaction that fails by {tx.args['how']} has the receipt {receipt.code}, not {wanted}"
    return None
