"""The trade contract: receivables on matched lines, and what becomes of them.

Law: one matched fen is owed once and one receivable financed once; rights and money move together; a receivable is
no second money.

State: ``trade.state``. contracts/trade/README.md.
"""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel.action import Accepted, Result, View
from coseal.contracts.kernel.contract import Contract, Entry, Moment
from coseal.contracts.process.append import install_type
from coseal.contracts.trade import cases, disputes, financing, issuing, moving, netting, paying
from coseal.contracts.trade.history import DEFINITION
from coseal.contracts.trade.lists import LISTS
from coseal.contracts.trade.rows import changed, moved, writer
from coseal.contracts.trade.state import KEYS, NAME, OPEN_KEYS
from coseal.contracts.trade.tables import TABLES, VIEWS
from coseal.ledger.genesis import Genesis


def _install(view: View, genesis: Genesis) -> None:
    """Have the contract's own process type from the first block on, and shorter netting runs if the genesis says so."""
    install_type(view, DEFINITION)
    netting.install(view, genesis)


def _fire(view: View, moment: Moment, entry: Entry) -> Result | Accepted:
    """Do one due thing."""
    match entry:
        case ["lapse", number]:
            return issuing.lapse(view, moment, number)
        case ["due", number]:
            return paying.fall_due(view, moment, number)
        case ["dispute", number, count]:
            return disputes.gave_up(view, moment, number, count)
        case ["run", number]:
            return netting.lapse(view, moment, number)
        case _:
            raise ValueError(f"the deadline index holds {entry}")


CONTRACT: Final[Contract] = Contract(
    name=NAME,
    actions={
        **issuing.ACTIONS,
        **moving.ACTIONS,
        **financing.ACTIONS,
        **paying.ACTIONS,
        **disputes.ACTIONS,
        **netting.ACTIONS,
        **cases.ACTIONS,
    },
    install=_install,
    fire=_fire,
    events={"receivable": changed, "movement": moved},
    tables=TABLES,
    views=VIEWS,
    rows=writer,
    lists=LISTS,
    keys=KEYS,
    open_keys=OPEN_KEYS,
    process_types=(DEFINITION,),
)
