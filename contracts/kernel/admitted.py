"""The contracts of others that a chain runs: which sources the state admits, and from which height.

Law: which code a block runs under follows from the state before it alone (W6); a contract that the software ships is
never among these.

State: ``system/contracts``, ``[name, version, sha256, first height]`` by name; absent while there are none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from coseal.contracts.kernel.action import Reader, View
from coseal.contracts.kernel.fields import Hexadecimal, Integer, Record, Special
from coseal.ledger.genesis import CONTRACT_NAME_RULE, MAX_CONTRACT_NAME, Sources, is_contract_name

CONTRACTS_KEY: Final = "system/contracts"
GENESIS_HEIGHT: Final = 1
"""The first height of what the genesis admits."""

contract_name: Final = Special(
    lambda value: iter(() if is_contract_name(value) else (f": expected {CONTRACT_NAME_RULE}",)),
    CONTRACT_NAME_RULE,
    {"type": "string", "pattern": "^[a-z][a-z0-9_]*$", "maxLength": MAX_CONTRACT_NAME},
    refused=("", "1st", "Pledges", "a-b", "a.b", "a/b", "é", "a" * (MAX_CONTRACT_NAME + 1)),
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


def admitted(reader: Reader) -> tuple[Admitted, ...]:
    """Return what the block after the state runs with besides the contracts of its protocol version, by name."""
    rows: Any = reader.get(CONTRACTS_KEY) or ()
    return tuple(Admitted(Sources(*row[:3]), row[3]) for row in rows)


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
    """Admit sources in place of those that the contract had before, if any."""
    others = [entry for entry in admitted(view) if entry.sources.name != sources.name]
    _put(view, [*others, Admitted(sources, first_height)])


def _put(view: View, entries: Sequence[Admitted]) -> None:
    view.put(CONTRACTS_KEY, [[*entry.sources, entry.first_height] for entry in sorted(entries)])
