"""Which contracts there are, by protocol version.

Law: a version's table never changes once a chain has run with it; new rules are a new version beside the old.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

from coseal.contracts.certification import actions as certification
from coseal.contracts.credit import actions as credit
from coseal.contracts.currency import actions as currency
from coseal.contracts.disclosure import actions as disclosure
from coseal.contracts.evidence import actions as evidence
from coseal.contracts.evidence.state import places_key
from coseal.contracts.governance import actions as governance
from coseal.contracts.governance import admissions, measures, standing
from coseal.contracts.governance.kinds import kinds
from coseal.contracts.governance.state import NAME as GOVERNANCE
from coseal.contracts.kernel import state
from coseal.contracts.kernel.action import Accepted, Action, Args, Context, Reader, Rejected, Result, View
from coseal.contracts.kernel.admitted import RESERVED, Admitted, in_force
from coseal.contracts.kernel.contract import Contract, Entry, Fire, Moment
from coseal.contracts.kernel.lists import List
from coseal.contracts.kernel.proposals import ProposalKind
from coseal.contracts.membership import actions as membership
from coseal.contracts.mission import actions as mission
from coseal.contracts.participation import actions as participation
from coseal.contracts.policy import actions as policy
from coseal.contracts.policy.state import instrument_key
from coseal.contracts.process import actions as process
from coseal.contracts.standards import actions as standards
from coseal.contracts.supervision import actions as supervision
from coseal.contracts.supervision.state import finding_key
from coseal.contracts.trade import actions as trade
from coseal.ledger.genesis import PROTOCOL_VERSION, Sources

Contracts: TypeAlias = Mapping[str, Contract]

_OWN: Final[tuple[Contract, ...]] = (
    policy.CONTRACT,
    process.CONTRACT,
    supervision.CONTRACT,
    evidence.CONTRACT,
    standards.CONTRACT,
    currency.CONTRACT,
    trade.CONTRACT,
    credit.CONTRACT,
    certification.CONTRACT,
    mission.CONTRACT,
    participation.CONTRACT,
    disclosure.CONTRACT,
)

CAPABILITIES: Final[tuple[str, ...]] = (
    *membership.CAPABILITIES,
    *(name for contract in _OWN for name in contract.capabilities),
)
"""What an operator may have."""
TAKEN: Final = frozenset((*RESERVED, membership.NAME, GOVERNANCE, *(contract.name for contract in _OWN)))
"""Names that no contract of others has."""
GROUNDS: Final = {"finding": finding_key, "evidence": places_key, "policy": instrument_key}
"""The state keys of what a proposal about a member or a measure may name as its ground."""
_MEMBERSHIP: Final = membership.contract(CAPABILITIES)
_PAUSABLE: Final = {
    f"{contract.name}.{name}": action.pausable
    for contract in (_MEMBERSHIP, *_OWN)
    for name, action in contract.actions.items()
}
KINDS: Final[Mapping[str, ProposalKind]] = {
    **kinds(CAPABILITIES, TAKEN),
    **standing.kinds(GROUNDS),
    **measures.kinds(GROUNDS, _PAUSABLE),
    **{name: kind for contract in _OWN for name, kind in contract.proposals.items()},
}
"""What can be proposed, by name."""
CONTRACTS: Final[Contracts] = {contract.name: contract for contract in (_MEMBERSHIP, governance.contract(KINDS), *_OWN)}
"""The contracts of the newest protocol version, in the order in which their ``begin_block`` runs."""

KEYS: Final[Mapping[str, str]] = {
    **state.KEYS,
    **{family: kept for contract in CONTRACTS.values() for family, kept in contract.keys.items()},
}
"""Every family of keys of the state, with what is kept there."""

LISTS: Final[Mapping[str, List]] = {found.name: found for contract in CONTRACTS.values() for found in contract.lists}
"""What nodes list, by name."""

PROCESS_TYPES: Final[Mapping[str, Mapping[str, Any]]] = {
    definition["id"]: definition for contract in CONTRACTS.values() for definition in contract.process_types
}
"""The process types of contracts themselves."""

RULES: Final[Mapping[int, Contracts]] = {PROTOCOL_VERSION: CONTRACTS}

Others: TypeAlias = Mapping[Sources, Contract]
"""Contracts that the software does not ship, by their sources (``installed``)."""
NO_OTHERS: Final[Others] = {}


def coming(begun: Mapping[str, Any], height: int) -> list[Admitted]:
    """Return the contracts of others that come into force after the block ``height``, by its first receipt."""
    return admissions.came_into_force(begun.get(GOVERNANCE, {}), height)


def others_at(entries: Iterable[Admitted], height: int, known: Others) -> Contracts:
    """Return by name the contracts of others that a block runs with, as far as they are known, of a whole history."""
    found = ((entry.sources.name, known.get(entry.sources)) for entry in in_force(entries, height))
    return {name: contract for name, contract in found if contract is not None}


def compose(shipped: Contracts, others: Sequence[Contract]) -> Contracts:
    """Return what a block runs with: the contracts of its protocol version, then those that its state admits."""
    return {**shipped, **{contract.name: _confined(contract) for contract in others if contract.name not in shipped}}


class NotHeld(Exception):
    """What a contract of others promises of its state (``holds``) does not hold after something that it did."""


def _confined(contract: Contract) -> Contract:
    """Return a contract of others as it is run: its writes under its own prefix, its due things by the frame's own.

    Its rows, events and lists are no part of a block: who shows them asks the contract itself.
    """
    name = contract.name
    actions = {
        action: replace(_held_after(contract, entry), pausable=True) for action, entry in contract.actions.items()
    }
    confined = Contract(name, actions, open_keys=contract.open_keys, writes=f"{name}/")  # W9
    return confined if contract.fire is None else replace(confined, fire=_held_after_due(contract, contract.fire))


def _held_after(contract: Contract, action: Action) -> Action:
    """Return an action after which what the contract promises holds, or which fails (B7)."""

    def apply(view: View, context: Context, args: Args) -> Result | Rejected | Accepted:
        applied = action.apply(view, context, args)
        if not isinstance(applied, Rejected):
            _require_held(contract, view)
        return applied

    return action if contract.holds is None else replace(action, apply=apply)


def _held_after_due(contract: Contract, fire: Fire) -> Fire:
    """Return what does a due thing and fails if afterwards the contract does not hold what it promises."""

    def held(view: View, moment: Moment, entry: Entry) -> Result | Accepted:
        result = fire(view, moment, entry)
        _require_held(contract, view)
        return result

    return held


def _require_held(contract: Contract, reader: Reader) -> None:
    broken = None if contract.holds is None else contract.holds(reader)
    if broken is not None:  # W14
        raise NotHeld(f"{contract.name}: {broken}")
