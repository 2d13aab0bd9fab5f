"""The standards contract: rules that come from below, measured by what members record, recognised after that.

Law: nothing here obliges anybody: a member adopts for itself alone, the ledger computes what is de facto, and
recognition changes neither.

State: ``standards.state``. contracts/standards/README.md.
"""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel.action import Result, View
from coseal.contracts.kernel.contract import Contract, Entry, Moment
from coseal.contracts.standards import adoptions, disputes, domains, judging, life, recognition
from coseal.contracts.standards.announced import standards
from coseal.contracts.standards.lists import LISTS
from coseal.contracts.standards.reviews import domain_due, standard_due
from coseal.contracts.standards.rows import writer
from coseal.contracts.standards.state import KEYS, NAME, OPEN_KEYS
from coseal.contracts.standards.tables import TABLES
from coseal.contracts.standards.use import observe


def _fire(view: View, moment: Moment, entry: Entry) -> Result:
    """Do one due thing."""
    match entry:
        case ["domain", domain, *so_far]:
            return domain_due(view, moment, domain, so_far)
        case ["review", standard, version, *so_far]:
            return standard_due(view, moment, standard, version, so_far)
        case ["lapse", standard, version]:
            return life.lapse(view, moment, standard, version)
        case ["sunset", standard, version, *page]:
            return life.sunset(view, moment, standard, version, page[0] if page else 0)
        case ["own", member, *place]:
            return judging.passed(view, moment, member, (place[0], place[1], place[2]))
        case ["answer", standard, version, member, number]:
            return disputes.answer_due(view, moment, standard, version, member, number)
        case ["settled", *settled]:
            return {"settled": [dict(zip(disputes.SETTLED, settled, strict=True))]}
        case ["moved", process_type, domain, names]:
            return {"moved": [{"process_type": process_type, "domain": domain, "standards": names}]}
        case _:
            raise ValueError(f"the deadline index holds {entry}")


CONTRACT: Final[Contract] = Contract(
    name=NAME,
    install=domains.install,
    actions={**life.ACTIONS, **adoptions.ACTIONS, **recognition.ACTIONS, **disputes.ACTIONS},
    proposals={"recognise_standard": recognition.RECOGNISE_STANDARD, "settle_dispute": disputes.SETTLE_DISPUTE},
    fire=_fire,
    observe=observe,
    tables=TABLES,
    rows=writer,
    events={"standard": standards},
    lists=LISTS,
    keys=KEYS,
    open_keys=OPEN_KEYS,
)
