"""The credit contract: facts about members, counted as they happen, contested and corrected; formulas by ballot.

Law: no score is in the state and no contract reads one; a figure is provably all of its list.

State: ``credit.state``. contracts/credit/README.md, C13.
"""

from __future__ import annotations

from typing import Final

from coseal.contracts.credit import consulting, contests, formulas
from coseal.contracts.credit.facts import FORGET, forget
from coseal.contracts.credit.lists import LISTS
from coseal.contracts.credit.observed import observe, observe_due
from coseal.contracts.credit.rows import writer
from coseal.contracts.credit.state import KEYS, NAME, OPEN_KEYS
from coseal.contracts.credit.tables import TABLES
from coseal.contracts.kernel.action import Result, View
from coseal.contracts.kernel.contract import Contract, Entry, Moment


def _fire(view: View, moment: Moment, entry: Entry) -> Result:
    """Do one due thing."""
    match entry:
        case [contests.ANSWER, *named]:
            return contests.fall_due(view, moment, named)
        case [formulas.ADOPTED, name, version]:
            return formulas.adopted(view, name, version)
        case [kind, *_] if kind == FORGET:
            return forget(view, entry)
        case _:
            raise ValueError(f"the deadline index holds {entry}")


CONTRACT: Final[Contract] = Contract(
    name=NAME,
    actions={**contests.ACTIONS, **consulting.ACTIONS},
    proposals=formulas.PROPOSALS,
    fire=_fire,
    observe=observe,
    observe_due=observe_due,
    tables=TABLES,
    rows=writer,
    lists=LISTS,
    keys=KEYS,
    open_keys=OPEN_KEYS,
)
