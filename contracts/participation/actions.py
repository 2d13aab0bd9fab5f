"""The participation contract: comments of people who are no members, counted, answered and provably complete.

Law: the ledger has digests, classes and times alone; who commented is known to the gateway.

State: ``participation.state``. contracts/participation/README.md.
"""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel.action import Result, View
from coseal.contracts.kernel.contract import Contract, Entry, Moment
from coseal.contracts.participation import consultations, offices, receiving, themes
from coseal.contracts.participation.lists import LISTS
from coseal.contracts.participation.rows import writer
from coseal.contracts.participation.state import KEYS, NAME, OPEN_KEYS
from coseal.contracts.participation.tables import TABLES


def _fire(view: View, moment: Moment, entry: Entry) -> Result:
    """Do one due thing."""
    match entry:
        case [consultations.CLOSE, consultation]:
            return consultations.close(view, consultation)
        case [consultations.ANSWER, consultation]:
            return consultations.answer_due(view, moment, consultation)
        case _:
            raise ValueError(f"the deadline index holds {entry}")


CONTRACT: Final[Contract] = Contract(
    name=NAME,
    actions={**offices.ACTIONS, **consultations.ACTIONS, **receiving.ACTIONS, **themes.ACTIONS},
    fire=_fire,
    tables=TABLES,
    rows=writer,
    lists=LISTS,
    keys=KEYS,
    open_keys=OPEN_KEYS,
)
