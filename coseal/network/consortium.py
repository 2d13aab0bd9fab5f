"""Who founds a network: the members, their users, and which of them run validators.

Law: a consortium that loads is one from which a valid genesis can be made; every refusal names the line's path.

A consortium file is TOML:

    name = "harbour-finance"
    validators = ["regulator", "central-bank", "bank-a", "enterprise-a"]   # one seat a name; default: all but public

    [[members]]
    id = "regulator"
    name = "Market regulator"
    role = "government"          # government, bank, enterprise, institute, public
    level = "central"            # central, provincial, municipal; only for a government member
    sector = "finance"           # optional
    central_bank = false         # optional; at most one bank
    [[members.users]]            # optional; default: one user "admin"
    user = "clerk"
    capabilities = ["submit", "registrar"]

    engine = "cometbft"          # optional; default: pbft, Coseal's own (above the tables)

    [parameters]                 # optional: chain parameters that differ from the defaults
    tenure = 16

By which votes its members decide is a document of its own, which no consortium file holds.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from coseal.contracts.governance.document import faults_of
from coseal.contracts.membership.state import ROLE_CAPABILITIES
from coseal.contracts.registry import CAPABILITIES, TAKEN
from coseal.errors import CosealError
from coseal.ledger.errors import Malformed
from coseal.ledger.genesis import (
    CONTRACT_NAME_RULE,
    ENGINE_NAMES,
    LEVELS,
    PBFT_NAME,
    Parameters,
    Sources,
    is_contract_name,
    is_name,
)
from coseal.ledger.validators import MAX_VALIDATORS, ROLES, max_faulty, quorum

DEFAULT_USER: Final = "admin"
OBSERVERS: Final = "public"
"""The member that runs the observers of the default consortium."""
_MEMBER_FIELDS: Final = frozenset({"id", "name", "role", "level", "sector", "central_bank", "users"})
_TOP_FIELDS: Final = frozenset({"name", "validators", "members", "parameters", "contracts", "constitution", "engine"})

# A network on one machine has short links, so a silent leader may be noticed sooner than the default says.
LOCAL_PARAMETERS: Final = Parameters(round_timeout_ms=1_000)


@dataclass(frozen=True, slots=True)
class User:
    """A person or system of a member and what it may do."""

    name: str
    capabilities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Founder:
    """A founding member; ``level`` and ``sector`` are empty unless it is a government member."""

    id: str
    name: str
    role: str
    level: str
    sector: str
    central_bank: bool
    users: tuple[User, ...]


@dataclass(frozen=True, slots=True)
class Consortium:
    """The founders and, for each validator seat, the member that runs it."""

    name: str
    members: tuple[Founder, ...]
    validators: tuple[str, ...]
    parameters: Parameters = LOCAL_PARAMETERS
    contracts: tuple[Sources, ...] = ()
    """Contracts of others that the genesis admits, by name."""
    constitution: Mapping[str, Any] | None = None
    """The document by which the members decide, of the right form; None for the founding constitution."""
    engine: str = PBFT_NAME
    """Who orders the blocks."""

    def with_contracts(self, more: Sequence[Sources]) -> Consortium:
        """Return the consortium with more contracts of others; raise ``CosealError`` for a name that is given twice."""
        both = sorted({*self.contracts, *more})
        for left, right in pairwise(both):
            if left.name == right.name:
                raise CosealError(f"contract {left.name} is given twice", "a genesis admits one version of it")
        return replace(self, contracts=tuple(both))

    def with_constitution(self, document: Mapping[str, Any] | None) -> Consortium:
        """Return the consortium with a document of the right form, or with the founding constitution."""
        return replace(self, constitution=document)

    def with_engine(self, name: str) -> Consortium:
        """Return the consortium whose blocks this engine orders; raise ``CosealError`` for one that is none."""
        if name not in ENGINE_NAMES:
            raise CosealError(f"no engine {name}", f"choose one of {', '.join(ENGINE_NAMES)}")
        return replace(self, engine=name)


def default_consortium(validators: int, name: str = "coseal-net") -> Consortium:
    """Return the built-in consortium with ``validators`` seats, one a member (1 to 64).

    The first four are a central regulator, the central bank, a bank and an enterprise; further ones alternate
    between bank, enterprise and institute, so that no role reaches a quorum.
    """
    if not 1 <= validators <= MAX_VALIDATORS:
        raise CosealError(f"{validators} validators", f"a network has 1 to {MAX_VALIDATORS}")
    members = [
        _founder("regulator", "Regulator", "government", level="central", sector="finance"),
        _founder("central-bank", "Central bank", "bank", central_bank=True),
        _founder("bank-a", "Bank A", "bank"),
        _founder("enterprise-a", "Enterprise A", "enterprise"),
    ]
    for index in range(len(members), validators):
        role = ("bank", "enterprise", "institute")[(index - 4) % 3]
        letter = _letters((index - 4) // 3 + (0 if role == "institute" else 1))
        members.append(_founder(f"{role}-{letter}", f"{role.capitalize()} {letter.upper()}", role))
    return Consortium(name, tuple(members), tuple(member.id for member in members[:validators]))


def load_consortium(path: Path, defaults: Parameters = LOCAL_PARAMETERS) -> Consortium:
    """Read and check a consortium file; raise ``CosealError`` naming what is wrong where.

    ``defaults`` are the parameters that the file does not set.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CosealError(f"{path}: no such file", "give --consortium a TOML file") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CosealError(f"{path}: {error}", "a consortium file is TOML in UTF-8") from None
    if "constitution" in document:
        raise CosealError(f"{path}: constitution: a document of its own", "give it with --constitution FILE.json")
    try:
        return parse_consortium(document, defaults)
    except Malformed as error:
        raise CosealError(f"{path}: {error.reason}", "see `coseal up --help` for the fields") from None


def parse_consortium(document: dict[str, Any], defaults: Parameters = LOCAL_PARAMETERS) -> Consortium:
    """Return the consortium of a parsed TOML document; raise ``Malformed`` naming the field."""
    _only(document, _TOP_FIELDS, "")
    name = document.get("name", "coseal-net")
    if not is_name(name):
        raise Malformed("name: expected a name of a-z, 0-9, '-' and '.'")
    rows = document.get("members")
    if type(rows) is not list or not rows:
        raise Malformed("members: expected one [[members]] table or more")
    members = tuple(_member(row, f"members[{index}]") for index, row in enumerate(rows))
    ids = [member.id for member in members]
    for index, member_id in enumerate(ids):
        if member_id in ids[:index]:
            raise Malformed(f"members[{index}].id: {member_id} is there already")
    if sum(member.central_bank for member in members) > 1:
        raise Malformed("members: more than one central bank")
    validators = document.get("validators", [member.id for member in members if member.role != "public"])
    consortium = Consortium(
        name,
        members,
        _seats(validators, ids),
        _parameters(document.get("parameters", {}), defaults),
        _contracts(document.get("contracts", [])),
        _constitution(document.get("constitution")),
        _engine(document.get("engine", PBFT_NAME)),
    )
    _require_balance(consortium)
    return consortium


def _engine(value: Any) -> str:
    if value not in ENGINE_NAMES:
        raise Malformed(f"engine: expected one of {', '.join(ENGINE_NAMES)}")
    return str(value)


def _founder(
    member_id: str, name: str, role: str, *, level: str = "", sector: str = "", central_bank: bool = False
) -> Founder:
    return Founder(member_id, name, role, level, sector, central_bank, (_default_user(role),))


def _default_user(role: str) -> User:
    return User(DEFAULT_USER, default_capabilities(role))


def default_capabilities(role: str) -> tuple[str, ...]:
    """Return all that a user of a member of this role may have: only a government's supervises, for one."""
    return tuple(name for name in CAPABILITIES if ROLE_CAPABILITIES.get(name, role) == role)


def public_observer() -> Founder:
    """Return the member that runs the observers of the default consortium."""
    return _founder(OBSERVERS, "Public observers", "public")


def _letters(number: int) -> str:
    """Return a, b, .. z, aa, ab, .. for 0, 1, ..."""
    text = ""
    number += 1
    while number:
        number, digit = divmod(number - 1, 26)
        text = chr(ord("a") + digit) + text
    return text


def _member(row: Any, path: str) -> Founder:
    if type(row) is not dict:
        raise Malformed(f"{path}: expected a table")
    _only(row, _MEMBER_FIELDS, f"{path}.")
    if not is_name(row.get("id")):
        raise Malformed(f"{path}.id: expected a name of a-z, 0-9, '-' and '.', beginning with a letter")
    role = row.get("role")
    if role not in ROLES:
        raise Malformed(f"{path}.role: expected one of {', '.join(ROLES)}")
    level = row.get("level", "")
    if role == "government" and level not in LEVELS:
        raise Malformed(f"{path}.level: a government member has one of {', '.join(LEVELS)}")
    if role != "government" and level:
        raise Malformed(f"{path}.level: only a government member has a level")
    central_bank = row.get("central_bank", False)
    if type(central_bank) is not bool:
        raise Malformed(f"{path}.central_bank: expected true or false")
    if central_bank and role != "bank":
        raise Malformed(f"{path}.central_bank: only a bank can be the central bank")
    return Founder(
        id=row["id"],
        name=_text(row.get("name", row["id"]), f"{path}.name", 256),
        role=role,
        level=level,
        sector=_text(row.get("sector", ""), f"{path}.sector", 64, empty=True),
        central_bank=central_bank,
        users=_users(row.get("users"), role, f"{path}.users"),
    )


def _users(rows: Any, role: str, path: str) -> tuple[User, ...]:
    if rows is None:
        return (_default_user(role),)
    if type(rows) is not list or not rows:
        raise Malformed(f"{path}: expected one [[members.users]] table or more")
    users: list[User] = []
    for index, row in enumerate(rows):
        if type(row) is not dict:
            raise Malformed(f"{path}[{index}]: expected a table")
        _only(row, frozenset({"user", "capabilities"}), f"{path}[{index}].")
        name = row.get("user")
        if type(name) is not str or not is_name(name):
            raise Malformed(f"{path}[{index}].user: expected a name of a-z, 0-9, '-' and '.'")
        if any(user.name == name for user in users):
            raise Malformed(f"{path}[{index}].user: {name} is there already")
        capabilities = row.get("capabilities", ["submit"])
        if type(capabilities) is not list or any(item not in CAPABILITIES for item in capabilities):
            raise Malformed(f"{path}[{index}].capabilities: expected some of {', '.join(CAPABILITIES)}")
        users.append(User(name, tuple(sorted(set(capabilities)))))
    return tuple(users)


def _seats(value: Any, ids: list[str]) -> tuple[str, ...]:
    if type(value) is not list or not 1 <= len(value) <= MAX_VALIDATORS:
        raise Malformed(f"validators: expected a list of 1 to {MAX_VALIDATORS} member ids")
    for index, member in enumerate(value):
        if member not in ids:
            raise Malformed(f"validators[{index}]: {member!r} is no member")
    return tuple(value)


def _parameters(value: Any, defaults: Parameters) -> Parameters:
    """Return the defaults with ``value`` laid over; bounds are checked when the genesis is read back."""
    if type(value) is not dict:
        raise Malformed("parameters: expected a table")
    known = {field.name: getattr(defaults, field.name) for field in fields(Parameters)}
    _only(value, frozenset(known), "parameters.")
    for name, given in value.items():
        if type(given) is not type(known[name]):
            raise Malformed(f"parameters.{name}: expected {'true or false' if name == 'public_read' else 'an integer'}")
    return Parameters(**{**known, **value})


def _contracts(rows: Any) -> tuple[Sources, ...]:
    """Return the contracts of others that are named: ``name``, ``version``, ``sha256``; Genesis checks the rest."""
    found: list[Sources] = []
    for index, row in enumerate(rows if type(rows) is list else [rows]):
        path = f"contracts[{index}]"
        if type(row) is not dict or set(row) != set(Sources._fields):
            raise Malformed(f"{path}: expected {', '.join(Sources._fields)}; `coseal contract check` prints them")
        sources = Sources(**row)
        if not is_contract_name(sources.name) or sources.name in TAKEN:  # W1
            raise Malformed(f"{path}.name: {sources.name} is taken, or is not {CONTRACT_NAME_RULE}")
        if type(sources.version) is not int or sources.version < 1:
            raise Malformed(f"{path}.version: expected an integer from 1 on")
        if type(sources.sha256) is not str or not _is_sha256(sources.sha256):
            raise Malformed(f"{path}.sha256: expected 64 characters of 0-9 and a-f")
        found.append(sources)
    return tuple(sorted(found))


def _constitution(value: Any) -> Mapping[str, Any] | None:
    for fault in () if value is None else faults_of(value):
        raise Malformed(f"constitution{fault}")
    return None if value is None else dict(value)


def _is_sha256(text: str) -> bool:
    return len(text) == 64 and set(text) <= set("0123456789abcdef")


def _require_balance(consortium: Consortium) -> None:
    """Say before any key is made what ``require_valid`` would refuse about the seats."""
    roles = {member.id: member.role for member in consortium.members}
    n = len(consortium.validators)
    for index, member in enumerate(consortium.validators):
        if n >= 4 and consortium.validators.count(member) > max_faulty(n):
            raise Malformed(f"validators[{index}]: {member} would hold more than {max_faulty(n)} of {n} seats")
    for role in ROLES:
        seats = sum(roles[member] == role for member in consortium.validators)
        if n >= 4 and seats >= quorum(n):
            raise Malformed(f"validators: role {role} would hold {seats} of {n} seats, a quorum; mix the roles")


def _text(value: Any, path: str, limit: int, *, empty: bool = False) -> str:
    if type(value) is not str or len(value) > limit or not (value or empty):
        raise Malformed(f"{path}: expected a text of at most {limit} characters")
    return value


def _only(row: dict[str, Any], known: frozenset[str], prefix: str) -> None:
    for name in row:
        if name not in known:
            raise Malformed(f"{prefix}{name}: unknown; expected {', '.join(sorted(known))}")
