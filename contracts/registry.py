"""Which contracts there are, by protocol version.

Law: a version's table never changes once a chain has run with it; new rules are a new version beside the old.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from coseal.contracts.evidence import actions as evidence
from coseal.contracts.governance import actions as governance
from coseal.contracts.kernel.contract import Contract
from coseal.contracts.kernel.lists import List
from coseal.contracts.membership import actions as membership
from coseal.contracts.policy import actions as policy
from coseal.contracts.process import actions as process
from coseal.contracts.supervision import actions as supervision
from coseal.ledger.genesis import PROTOCOL_VERSION

Contracts: TypeAlias = Mapping[str, Contract]

CONTRACTS: Final[Contracts] = {
    contract.name: contract
    for contract in (
        membership.CONTRACT,
        governance.CONTRACT,
        policy.CONTRACT,
        process.CONTRACT,
        supervision.CONTRACT,
        evidence.CONTRACT,
    )
}
"""The contracts of the newest protocol version, in the order in which their ``begin_block`` runs."""

LISTS: Final[Mapping[str, List]] = {found.name: found for contract in CONTRACTS.values() for found in contract.lists}
"""What nodes list, by name."""
SHOWN: Final[Contracts] = CONTRACTS
"""The contracts whose acts have rows and events."""

RULES: Final[Mapping[int, Contracts]] = {PROTOCOL_VERSION: CONTRACTS}
