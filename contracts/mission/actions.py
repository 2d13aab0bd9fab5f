"""The mission contract: missions with goals, indicators, instruments and actors, and what came of them.

Law: a mission is changed by its owner alone, judged by others alone, and everything of it can be counted through.

State: ``mission.state``. contracts/mission/README.md.
"""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel.action import Result, View
from coseal.contracts.kernel.contract import Contract, Entry, Moment
from coseal.contracts.mission import clocks, evaluating, joining, opening, reporting, revising
from coseal.contracts.mission.lists import LISTS
from coseal.contracts.mission.rows import writer
from coseal.contracts.mission.state import KEYS, NAME, OPEN_KEYS
from coseal.contracts.mission.tables import TABLES


def _fire(view: View, moment: Moment, entry: Entry) -> Result:
    """Do one due thing."""
    match entry:
        case [clocks.EVALUATION, mission, date]:
            return clocks.evaluation_due(view, moment, mission, date)
        case [clocks.REPORT, mission, indicator, due_ms]:
            return clocks.report_due(view, moment, mission, indicator, due_ms)
        case [clocks.ANSWER, mission, number]:
            return clocks.answer_due(view, moment, mission, number)
        case [opening.OPENED, mission]:
            return opening.opened(view, mission)
        case [opening.OPENED_INDICATOR, mission, indicator]:
            return opening.opened_indicator(view, mission, indicator)
        case _:
            raise ValueError(f"the deadline index holds {entry}")


CONTRACT: Final[Contract] = Contract(
    name=NAME,
    actions={
        **opening.ACTIONS,
        **revising.ACTIONS,
        **joining.ACTIONS,
        **reporting.ACTIONS,
        **evaluating.ACTIONS,
    },
    proposals=opening.PROPOSALS,
    fire=_fire,
    tables=TABLES,
    rows=writer,
    lists=LISTS,
    keys=KEYS,
    open_keys=OPEN_KEYS,
)
