"""Rules to come, a protocol version or a contract of others, in words: who has it, and where it takes effect.

Law: what is said here follows from one document, `upgrade` or one of `contracts` of a node's status, or `software` of
a proposal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

_FIELDS: Final[Mapping[str, tuple[type, ...]]] = {
    "version": (int,),
    "height": (int,),
    "proposal": (str,),
    "first_height": (int, type(None)),
    "having": (list,),
    "lacking": (list,),
    "needed": (int,),
    "known": (bool,),
}


def read(upgrade: object) -> dict[str, Any] | None:
    """Return `upgrade` of a node's status if it is what the interface says; None if there is none, or it is odd."""
    if not isinstance(upgrade, dict):
        return None
    fits = all(type(upgrade.get(name)) in kinds for name, kinds in _FIELDS.items())
    names = [*upgrade["having"], *upgrade["lacking"]] if fits else []
    return upgrade if fits and all(type(name) is str for name in names) else None


def standing(upgrade: Mapping[str, Any]) -> str:
    """Say how an accepted version stands: where it takes effect, or what it waits for, and which validators lack it."""
    version, first_height = upgrade["version"], upgrade["first_height"]
    if first_height is None:
        return f"protocol version {version} is accepted and not in force: {shortage(upgrade)}"
    others = f"{lacking(upgrade['lacking'])} and will stop there" if upgrade["lacking"] else "every validator has it"
    return f"protocol version {version} takes effect at block {first_height}; {others}"


_CONTRACT: Final[Mapping[str, tuple[type, ...]]] = {
    **_FIELDS,
    "name": (str,),
    "sha256": (str,),
}


def read_contracts(contracts: object) -> list[dict[str, Any]]:
    """Return what of `contracts` of a node's status is accepted and not in force yet; none of it that is odd."""
    found = contracts if isinstance(contracts, list) else []
    return [each for each in found if isinstance(each, dict) and each.get("in_force") is False and _is_contract(each)]


def _is_contract(each: Mapping[str, Any]) -> bool:
    fits = all(type(each.get(name)) in kinds for name, kinds in _CONTRACT.items())
    return fits and all(type(name) is str for name in (*each["having"], *each["lacking"]))


def contract_standing(contract: Mapping[str, Any]) -> str:
    """Say how an accepted contract stands: where it takes effect or is void, and which validators lack it."""
    name = f"contract {contract['name']} version {contract['version']}"
    if contract["first_height"] is None:
        return f"{name} is void at block {contract['height']} unless more have it: {shortage(contract)}"
    others = f"{lacking(contract['lacking'])} and will stop there" if contract["lacking"] else "every validator has it"
    return f"{name} takes effect at block {contract['first_height']}; {others}"


def shortage(support: Mapping[str, Any]) -> str:
    """Say how many validators have a version, how many must, and who lacks it."""
    having, everyone = len(support["having"]), len(support["having"]) + len(support["lacking"])
    counts = f"{having} of {everyone} validators have it, {support['needed']} are needed"
    return f"{counts}; {lacking(support['lacking'])}" if support["lacking"] else counts


def suffices(support: Mapping[str, Any]) -> bool:
    """Say whether enough validators have a version for it to take effect."""
    return len(support["having"]) >= int(support["needed"])


def listed(names: Sequence[str]) -> str:
    """Return names as a text."""
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else "".join(names)


def lacking(names: Sequence[str]) -> str:
    """Say that these nodes, one or more, lack a version."""
    return f"{listed(names)} lack{'s' if len(names) == 1 else ''} it"
