"""The currency contract: the legal digital currency in two layers, and no second unit.

Law: money is made by the central bank alone, against reserves; no contract makes another unit; what all wallets have
is what was issued and not redeemed, after every block.

State: ``currency.state``. contracts/currency/README.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from coseal.contracts.currency import ballots, cases, payments, pending, supply, wallets
from coseal.contracts.currency.authority import PAY, TREASURY
from coseal.contracts.currency.lists import LISTS
from coseal.contracts.currency.post import holds
from coseal.contracts.currency.rows import writer
from coseal.contracts.currency.state import KEYS, NAME, OPEN_KEYS
from coseal.contracts.currency.tables import TABLES, VIEWS
from coseal.contracts.kernel.action import Result, View
from coseal.contracts.kernel.contract import Contract, Entry, Moment


def _fire(view: View, moment: Moment, entry: Entry) -> Result:
    """Do one due thing."""
    match entry:
        case ["pending", number]:
            return pending.expire(view, moment, number)
        case ["rekey", wallet, effective_ms]:
            return wallets.rekey_due(view, moment, wallet, effective_ms)
        case [ballots.DECIDED, *decided]:
            return ballots.decided(view, decided)
        case _:
            raise ValueError(f"the deadline index holds {entry}")


def _moved(name: str, data: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """Return the movements that an act made, as a range of their numbers with the totals after it."""
    due = (*data.get("expired", ()), *data.get("corrected", ()))
    found = due if name == "begin" else (data,) if name.startswith(f"{NAME}.") else ()
    return [{part: one[part] for part in ("first", "last", "wallets")} for one in found if "first" in one]


CONTRACT: Final[Contract] = Contract(
    name=NAME,
    actions={**payments.ACTIONS, **pending.ACTIONS, **wallets.ACTIONS, **supply.ACTIONS, **cases.ACTIONS},
    capabilities=(PAY, TREASURY),
    proposals=ballots.PROPOSALS,
    fire=_fire,
    holds=holds,
    events={"movement": _moved},
    tables=TABLES,
    views=VIEWS,
    rows=writer,
    lists=LISTS,
    keys=KEYS,
    open_keys=OPEN_KEYS,
)
