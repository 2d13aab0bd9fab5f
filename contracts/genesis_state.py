"""What a chain begins with: the initial state, which follows from its genesis alone.

Law: every contract writes what it begins with itself (``Contract.install``); what is written here no contract owns.

docs/spec/contracts.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from coseal.contracts.kernel import admitted, window
from coseal.contracts.kernel.overlay import Overlay
from coseal.contracts.kernel.state import PROTOCOL_VERSION_KEY
from coseal.contracts.registry import CAPABILITIES, RULES
from coseal.ledger.errors import Malformed
from coseal.ledger.genesis import Genesis
from coseal.ledger.state import MemoryStore, State, StateStore


class WritableStore(StateStore, Protocol):
    """A store that takes the entries of a ``Change``."""

    def write(self, entries: Mapping[bytes, bytes | None]) -> None:
        """Apply ``entries`` (key hash -> entry, None deletes)."""
        ...


def genesis_updates(genesis: Genesis) -> dict[bytes, bytes]:
    """Return the initial state: key bytes -> canonical value bytes.

    Raises ``Malformed`` for a genesis that gives an operator a capability which no contract has, admits a contract of
    others under a name that is taken, or has a constitution that is none or unsafe.
    """
    for sources in genesis.contracts:
        if sources.name in admitted.RESERVED or sources.name in RULES[genesis.protocol_version]:  # W1
            raise Malformed(f"genesis: contracts: the name {sources.name} is taken")
    for member in genesis.members:
        for operator in member.operators:
            for name in operator.capabilities:
                if name not in CAPABILITIES:
                    detail = f"operator {member.id}/{operator.user} has {name}; there are {', '.join(CAPABILITIES)}"
                    raise Malformed(f"genesis: unknown capability: {detail}")
    view = Overlay(lambda key: None)
    view.put(PROTOCOL_VERSION_KEY, genesis.protocol_version)
    admitted.install(view, genesis.contracts)
    window.install(view)
    for contract in RULES[genesis.protocol_version].values():
        if contract.install is not None:
            contract.install(view, genesis)
    return {key: value for key, value in view.updates().items() if value is not None}


def new_state(genesis: Genesis, store: WritableStore | None = None) -> State:
    """Return the state over ``store`` (in memory if None), with the initial state written into an empty store."""
    bits = genesis.parameters.state_bits
    target = MemoryStore(bits) if store is None else store
    state = State(target, bits)
    if state.get(PROTOCOL_VERSION_KEY.encode()) is None:
        change = state.derive(genesis_updates(genesis))
        state.commit(change)
        target.write(change.entries)
        state.flushed(change)
    return state
