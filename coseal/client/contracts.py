"""The contracts that this software knows: those it ships, and those of others that are installed beside it.

Law: a name that is shipped is the shipped one; of others the newest version is shown, and all are asked before a
transaction is called wrong, for a chain may run any of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from coseal.contracts.block_events import KINDS
from coseal.contracts.installed import installed
from coseal.contracts.kernel.action import Action
from coseal.contracts.kernel.admitted import lacking
from coseal.contracts.kernel.contract import Contract
from coseal.contracts.kernel.lists import List
from coseal.contracts.registry import CONTRACTS
from coseal.errors import CosealError
from coseal.ledger.genesis import Sources


def contracts() -> Mapping[str, Contract]:
    """Return all by name, the shipped ones first."""
    newest = {sources.name: contract for sources, contract in sorted(installed().contracts.items(), key=_by_sources)}
    return {**CONTRACTS, **{name: contract for name, contract in newest.items() if name not in CONTRACTS}}


def chosen(names: Sequence[str]) -> tuple[Sources, ...]:
    """Return the sources of installed contracts by name, in the newest version, or as NAME-VERSION; by name."""
    known = sorted(installed().contracts)
    found = [max((each for each in known if name in _called(each)), default=None) for name in names]
    for name, sources in zip(names, found, strict=True):
        if sources is None:
            offered = ", ".join(f"{each.name}-{each.version}" for each in known) or "none"
            refused = "".join(f"; {problem}" for problem in installed().problems)
            raise CosealError(f"no contract {name} is installed here", f"there are: {offered}{refused}")
    return tuple(sorted(sources for sources in found if sources is not None))


def _called(sources: Sources) -> tuple[str, str]:
    return sources.name, f"{sources.name}-{sources.version}"


def require_installed(name: str, contracts: Sequence[Sources]) -> None:
    """Raise ``CosealError`` if the genesis of ``name`` admits what nodes started here would lack."""
    for sources in contracts:
        if sources not in installed().contracts:  # W4
            raise CosealError(f"the genesis of {name} admits {lacking(sources, installed().contracts)}")


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
