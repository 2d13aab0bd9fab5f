"""Goods that a debtor pledges to a bank: a warehouse receipt stands for one loan at a time.

State: ``pledges/receipt/<id>`` {debtor, bank, amount, until_ms, height}, absent while nothing is pledged.
"""

from __future__ import annotations

from typing import Any

from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Rejected, Result, View
from coseal.contracts.kernel.contract import Contract, Entry, Moment
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.fields import Identifier, Integer, Name
from pledges_1.shown import EVENTS, LISTS, RECEIPTS, write


def _pledge(view: View, context: Context, args: Args) -> Result | Rejected:
    key = f"pledges/receipt/{args['receipt']}"
    pledged: Any = view.get(key)
    if pledged is not None:  # rule 1
        return Rejected("pledged_already", f"receipt {args['receipt']} is pledged to {pledged['bank']}")
    if args["until_ms"] <= context.time_ms:  # rule 2
        return Rejected("bad_time", f"until_ms is not after block time {context.time_ms}")
    record = {**args, "debtor": context.member, "height": context.height}
    view.put(key, record)
    deadlines.add(view, "pledges", BLOCK_CLOCK, args["until_ms"], ["end", args["receipt"], context.height])
    return record


def _release(view: View, context: Context, args: Args) -> Result | Rejected:
    key = f"pledges/receipt/{args['receipt']}"
    pledged: Any = view.get(key)
    if pledged is None or pledged["bank"] != context.member:  # rule 3
        return Rejected("not_pledged", f"receipt {args['receipt']} is not pledged to {context.member}")
    view.delete(key)
    return {"receipt": args["receipt"], "debtor": pledged["debtor"]}


def _end(view: View, moment: Moment, entry: Entry) -> Result:
    """End a pledge whose time is over, unless it was released, and perhaps made again, before."""  # rule 2
    _, receipt, height = entry
    pledged: Any = view.get(f"pledges/receipt/{receipt}")
    if pledged is None or pledged["height"] != height:
        return {}
    view.delete(f"pledges/receipt/{receipt}")
    return {"ended": [receipt]}


_receipt = Identifier(slash=False)
_pledged = {"receipt": _receipt, "bank": Name(), "amount": Integer(1), "until_ms": Integer(0)}
_example = {"receipt": "WR-7", "bank": "bank-a", "amount": 50_000, "until_ms": 1_900_000_000_000}
ACTIONS = {
    "pledge": Action(Arguments(_pledged), _pledge, "Pledge what a warehouse receipt stands for to a bank", _example),
    "release": Action(Arguments({"receipt": _receipt}), _release, "Release what is pledged", {"receipt": "WR-7"}),
}
KEYS = {"pledges/receipt/<id>": "a pledge"}
CONTRACT = Contract(
    "pledges", ACTIONS, fire=_end, keys=KEYS, tables=(RECEIPTS,), rows=write, events=EVENTS, lists=LISTS
)
