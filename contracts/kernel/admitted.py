"""The contracts of others that a chain runs: which sources the state admits, and from which height.

Law: which code a block runs under follows from the state before it alone (W6); a contract that the software ships is
never among these.

The state has every version that was ever admitted, by name and version; the last of a name is in force.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from coseal.contracts.kernel.action import Reader, View
from coseal.contracts.kernel.fields import Hexadecimal, Integer, Record, Special
from coseal.contracts.kernel.state import CONTRACTS_KEY
from coseal.ledger.genesis import CONTRACT_NAME_RULE, MAX_CONTRACT_NAME, Sources, is_contract_name

GENESIS_HEIGHT: Final = 1
"""The first height of what the genesis admits."""
MAX_VERSIONS: Final = 1_000
"""Versions of all contracts of others that one chain ever admits."""
RESERVED: Final = ("kernel", "rules", "system")
"""Names that no contract has: folders beside the contracts, and the key prefix of the frame."""

contract_name: Final = Special(
    lambda value: iter(() if is_contract_name(value) else (f": expected {CONTRACT_NAME_RULE}",)),
    CONTRACT_NAME_RULE,
    {"type": "string", "pattern": "^[a-z][a-z0-9]*(_[a-z0-9]+)*$", "maxLength": MAX_CONTRACT_NAME},
    refused=("", "1st", "Pledges", "a-b", "a.b", "a/b", "é", "a_", "a__b", "a" * (MAX_CONTRACT_NAME + 1)),
    passed=("pledges", "a", "a_1", "a" * MAX_CONTRACT_NAME),
)
SOURCES: Final = {"name": contract_name, "version": Integer(1), "sha256": Hexadecimal()}
"""The fields that say which sources are meant."""
sources_field: Final = Record(SOURCES)


class Admitted(NamedTuple):
    """Sources that the state admits, and the first height that runs with them."""

    sources: Sources
    first_height: int


def sources_of(given: Any) -> Sources:
    """Return what arguments with the fields of ``SOURCES`` name."""
    return Sources(given["name"], given["version"], given["sha256"])


def shown(sources: Sources) -> dict[str, Any]:
    """Return sources as JSON can hold them."""
    return {"name": sources.name, "version": sources.version, "sha256": sources.sha256}


def history_of(value: Any) -> tuple[Admitted, ...]:
    """Return all versions that a value of ``CONTRACTS_KEY`` names, by name and version."""
    return tuple(Admitted(Sources(*row[:3]), row[3]) for row in value or ())


def history(reader: Reader) -> tuple[Admitted, ...]:
    """Return every version that was ever admitted, by name and version."""
    return history_of(reader.get(CONTRACTS_KEY))


def admitted(reader: Reader) -> tuple[Admitted, ...]:
    """Return what the block after the state runs with besides the contracts of its protocol version, by name."""
    return in_force(history(reader))


def in_force(entries: Iterable[Admitted], height: int | None = None) -> tuple[Admitted, ...]:
    """Return what of a history a block runs with, by name; without a height the block after the state."""
    newest = {entry.sources.name: entry for entry in entries if height is None or entry.first_height <= height}
    return tuple(newest.values())


def install(view: View, contracts: Sequence[Sources]) -> None:
    """Admit what the genesis names; write nothing if that is nothing, as in every chain before."""  # W4
    if contracts:
        _put(view, [Admitted(sources, GENESIS_HEIGHT) for sources in contracts])


def lacking(wanted: Sources, known: Iterable[Sources]) -> str:
    """Say which sources are lacking, and what is there in their place, if anything."""
    what = f"contract {wanted.name} version {wanted.version} with SHA-256 {wanted.sha256}, which is not installed here"
    same = [other for other in sorted(known) if other[:2] == wanted[:2]]
    found = f" (what is installed as that version has {same[0].sha256})" if same else ""
    return f"{what}{found}: install it and start again"


def admit(view: View, sources: Sources, first_height: int) -> None:
    """Have the block ``first_height`` and those after it run with sources, in place of another version of them."""
    _put(view, [*history(view), Admitted(sources, first_height)])


def _put(view: View, entries: Sequence[Admitted]) -> None:
    view.put(CONTRACTS_KEY, [[*entry.sources, entry.first_height] for entry in sorted(entries)])
