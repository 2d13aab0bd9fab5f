"""Which contracts there are, by protocol version.

Law: a version's table never changes once a chain has run with it; new rules are a new version beside the old.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from coseal.contracts.evidence import actions as evidence
from coseal.contracts.governance import actions as governance
from coseal.contracts.governance.kinds import kinds
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Reader
from coseal.contracts.kernel.contract import Contract
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.lists import List
from coseal.contracts.kernel.proposals import ProposalKind
from coseal.contracts.membership import actions as membership
from coseal.contracts.policy import actions as policy
from coseal.contracts.process import actions as process
from coseal.contracts.supervision import actions as supervision
from coseal.ledger.genesis import PROTOCOL_VERSION, Sources

Contracts: TypeAlias = Mapping[str, Contract]

_OWN: Final[tuple[Contract, ...]] = (policy.CONTRACT, process.CONTRACT, supervision.CONTRACT, evidence.CONTRACT)

CAPABILITIES: Final[tuple[str, ...]] = (
    *membership.CAPABILITIES,
    *(name for contract in _OWN for name in contract.capabilities),
)
"""What an operator may have."""
KINDS: Final[Mapping[str, ProposalKind]] = {
    **kinds(CAPABILITIES),
    **{name: kind for contract in _OWN for name, kind in contract.proposals.items()},
}
"""What can be proposed, by name."""
CONTRACTS: Final[Contracts] = {
    contract.name: contract for contract in (membership.contract(CAPABILITIES), governance.contract(KINDS), *_OWN)
}
"""The contracts of the newest protocol version, in the order in which their ``begin_block`` runs."""

LISTS: Final[Mapping[str, List]] = {found.name: found for contract in CONTRACTS.values() for found in contract.lists}
"""What nodes list, by name."""

RULES: Final[Mapping[int, Contracts]] = {PROTOCOL_VERSION: CONTRACTS}

Others: TypeAlias = Mapping[Sources, Contract]
"""Contracts that the software does not ship, by their sources (``installed``)."""
NO_OTHERS: Final[Others] = {}


def compose(shipped: Contracts, others: Sequence[Contract]) -> Contracts:
    """Return what a block runs with: the contracts of its protocol version, then those that its state admits."""
    return {**shipped, **{contract.name: _confined(contract) for contract in others if contract.name not in shipped}}


def _confined(contract: Contract) -> Contract:
    """Return a contract of others as it is run: its writes under its own prefix, its due things by the frame's own."""
    name = contract.name
    confined = Contract(name, contract.actions, open_keys=contract.open_keys, writes=f"{name}/")  # W9
    if contract.fire is None:
        return confined
    return replace(
        confined,
        fire=contract.fire,
        due=lambda view, time_ms: deadlines.take(view, name, BLOCK_CLOCK, time_ms),
        next_deadline_ms=lambda reader: _earliest_ms(reader, name),
    )


def _earliest_ms(reader: Reader, name: str) -> int | None:
    """Return when something of a contract of others is due; an index that it damaged has nothing."""
    try:
        return deadlines.earliest_ms(reader, name, BLOCK_CLOCK)
    except TypeError:  # W10
        return None
