"""The contracts that this software knows: those it ships, and those of others that are installed beside it.

Law: a name that is shipped is the shipped one; of others the newest version is shown, and all are asked before a
transaction is called wrong, for a chain may run any of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from coseal.contracts.block_events import KINDS
from coseal.contracts.installed import installed
from coseal.contracts.kernel.action import Action
from coseal.contracts.kernel.contract import Contract
from coseal.contracts.kernel.lists import List
from coseal.contracts.registry import CONTRACTS


def contracts() -> Mapping[str, Contract]:
    """Return all by name, the shipped ones first."""
    newest = {sources.name: contract for sources, contract in sorted(installed().contracts.items(), key=_by_sources)}
    return {**CONTRACTS, **{name: contract for name, contract in newest.items() if name not in CONTRACTS}}


def lists() -> Mapping[str, List]:
    """Return all lists by name."""
    return {listed.name: listed for contract in contracts().values() for listed in contract.lists}


def event_kinds() -> tuple[str, ...]:
    """Return the kinds of events that blocks tell of: those of contracts of others in any version installed here."""
    others = sorted({kind for contract in installed().contracts.values() for kind in contract.events})
    return (*KINDS, *others)


def versions_of(contract: str, action: str) -> list[Action]:
    """Return an action in every version of its contract that is known here."""
    if contract in CONTRACTS:
        known = [CONTRACTS[contract]]
    else:
        known = [found for sources, found in installed().contracts.items() if sources.name == contract]
    return [found.actions[action] for found in known if action in found.actions]


def _by_sources(item: tuple[tuple[str, int, str], Contract]) -> tuple[str, int, str]:
    return item[0]
