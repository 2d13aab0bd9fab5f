"""The disclosure contract: keys for envelopes, plans of custody, vaults, what is sealed, and its supervised opening.

Law: the chain has commitments and never a key; what opens a vault is with seats that its owner did not choose, and is
released for an approved request alone, or for an emergency that others review.

State: ``disclosure.state``. contracts/disclosure/README.md.
"""

from __future__ import annotations

from typing import Final

from coseal.contracts.disclosure import (
    announced,
    approving,
    audiences,
    closing,
    dealing,
    keys,
    plans,
    policy,
    releasing,
    requesting,
    requests,
    reviewing,
    sealing,
)
from coseal.contracts.disclosure.approving import APPROVER
from coseal.contracts.disclosure.dealing import CUSTODIAN
from coseal.contracts.disclosure.listed import SIDECARS
from coseal.contracts.disclosure.lists import LISTS
from coseal.contracts.disclosure.rows import writer
from coseal.contracts.disclosure.state import KEYS, NAME, OPEN_KEYS
from coseal.contracts.disclosure.tables import TABLES
from coseal.contracts.kernel.action import Result, View
from coseal.contracts.kernel.contract import Contract, Entry, Moment


def _fire(view: View, moment: Moment, entry: Entry) -> Result:
    """Do one due thing."""
    match entry:
        case [policy.ACCEPT, owner, vault]:
            return dealing.fall_due(view, moment, owner, vault)
        case [sealing.ERASE, owner, vault, number]:
            return sealing.erase(view, moment, owner, vault, number)
        case [requests.REQUEST, by, name, step]:
            return releasing.fall_due(view, moment, by, name, step)
        case [policy.REVIEW, by, name]:
            return reviewing.fall_due(view, moment, by, name)
        case [plans.DECIDED, plan]:
            return plans.decided(view, plan)
        case [policy.DECIDED]:
            return policy.decided(view)
        case _:
            raise ValueError(f"the deadline index holds {entry}")


CONTRACT: Final[Contract] = Contract(
    name=NAME,
    actions={
        **keys.ACTIONS,
        **dealing.ACTIONS,
        **audiences.ACTIONS,
        **closing.ACTIONS,
        **requesting.ACTIONS,
        **approving.ACTIONS,
        **releasing.ACTIONS,
        **reviewing.ACTIONS,
    },
    capabilities=(CUSTODIAN, APPROVER),
    proposals={"custody_plan": plans.PLAN, "disclosure_policy": policy.POLICY},
    fire=_fire,
    observe=sealing.observe,
    events={"erasure": announced.erased},
    tables=TABLES,
    rows=writer,
    lists=LISTS,
    keys=KEYS,
    open_keys=OPEN_KEYS,
    sidecars=SIDECARS,
)
