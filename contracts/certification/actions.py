"""The certification contract: projects that are argued for under schemes that the members adopted.

Law: what is said of an argument follows from the argument alone (``argument``, ``support``), never from who asks.

State: ``certification.state``. contracts/certification/README.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from coseal.contracts.certification import (
    certificates,
    deciding,
    drawing,
    funding,
    proceedings,
    projects,
    reviewers,
    reviewing,
    schemes,
    suspending,
)
from coseal.contracts.certification.lists import LISTS
from coseal.contracts.certification.proceedings import Proceeding
from coseal.contracts.certification.rows import writer
from coseal.contracts.certification.state import KEYS, NAME, OPEN_KEYS
from coseal.contracts.certification.tables import TABLES
from coseal.contracts.kernel.action import Result, View
from coseal.contracts.kernel.contract import Contract, Entry, Moment

_OVER: Final[Mapping[str, Callable[[Proceeding], None]]] = {
    proceedings.SEALED: drawing.admission_over,
    proceedings.ADMITTED: drawing.seeds_over,
    proceedings.DRAWN: drawing.declarations_over,
    proceedings.REVIEW: reviewing.commitments_over,
    proceedings.REVEAL: reviewing.reveals_over,
    proceedings.REVIEWED: deciding.decision_over,
}
"""What happens when the time of a step is over, by the status that has it."""


def _fire(view: View, moment: Moment, entry: Entry) -> Result:
    """Do one due thing."""
    match entry:
        case [projects.LAPSE, project, page]:
            return projects.lapse(view, moment, project, page)
        case [schemes.DECIDED, scheme]:
            return schemes.decided(view, scheme)
        case [certificates.EXPIRE, certificate]:
            return certificates.expire(view, certificate)
        case [certificates.SHOW, certificate]:
            return {certificates.CERTIFICATES: [certificates.shown(view, certificate)]}
        case [proceedings.STEP, project, step]:
            return _step_over(view, moment, project, step)
        case _:
            raise ValueError(f"the deadline index holds {entry}")


def _step_over(view: View, moment: Moment, project: str, step: int) -> Result:
    found = proceedings.due(view, moment, project, step)
    if found is None:
        return {}
    _OVER[found.record["status"]](found)
    return {proceedings.STEPS: [found.write()]}


CONTRACT: Final[Contract] = Contract(
    name=NAME,
    actions={
        **projects.ACTIONS,
        **reviewers.ACTIONS,
        **drawing.ACTIONS,
        **reviewing.ACTIONS,
        **deciding.ACTIONS,
        **suspending.ACTIONS,
        **funding.ACTIONS,
    },
    proposals={**schemes.PROPOSALS, **certificates.PROPOSALS},
    fire=_fire,
    tables=TABLES,
    rows=writer,
    lists=LISTS,
    keys=KEYS,
    open_keys=OPEN_KEYS,
)
