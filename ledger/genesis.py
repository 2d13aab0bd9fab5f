"""Genesis: the document all members agree on before the first block, and the only thing an auditor must trust.

Law: ``chain_id`` is the SHA-256 of the file's exact bytes, so two chains differ unless their files are equal.
The document is JSON, read strictly: no unknown or duplicate field, no float, nothing out of bounds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from typing import Any, Final, NamedTuple

from coseal.ledger import codec
from coseal.ledger.errors import Malformed
from coseal.ledger.signing import is_acceptable_point
from coseal.ledger.state import require_bits
from coseal.ledger.strict_json import strict_json
from coseal.ledger.validators import ROLES, Validator, ValidatorSet, require_valid

PROTOCOL_VERSION: Final = 1
PBFT_NAME: Final = "pbft"
COMETBFT_NAME: Final = "cometbft"
ENGINE_NAMES: Final = (PBFT_NAME, COMETBFT_NAME)
"""Who may order the blocks of a chain (``ledger.engines``)."""
LEVELS: Final = ("central", "provincial", "municipal")
MAX_GENESIS_BYTES: Final = 4 * 1024 * 1024
MAX_MEMBERS: Final = 1_000
MAX_CONTRACTS: Final = 32
"""Contracts of others on one chain."""
MAX_CONTRACT_NAME: Final = 32
CONTRACT_NAME_RULE: Final = (
    f"a name of a-z, 0-9 and '_', at most {MAX_CONTRACT_NAME} characters, beginning with a letter"
)
STANDARD_PERIOD_MS: Final = 30 * 86_400_000
NETTING_OPEN_MS: Final = 3_600_000
_CONTRACT_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")
_NAME_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-.")


@dataclass(frozen=True, slots=True)
class Parameters:
    """What the chain runs with; times in ms, sizes in bytes.

    ``tenure``: heights a leader keeps its turn. ``state_bits``: log2 of the state tree's buckets.
    ``heartbeat_ms``: an empty block at least this often, 0 for never. ``public_read``: HTTP reads need no
    authentication. ``standard_period_ms``: the periods in which use of standards is counted. ``netting_open_ms``: how
    long a netting run is open at least. A genesis that does not name these two has 30 days and an hour.
    """

    tenure: int = 16
    state_bits: int = 16
    block_bytes_max: int = 4 * 1024 * 1024
    block_transactions_max: int = 5_000
    validity_ms_max: int = 600_000
    round_timeout_ms: int = 2_000
    round_timeout_ms_max: int = 60_000
    clock_precision_ms: int = 500
    heartbeat_ms: int = 60_000
    public_read: bool = True
    standard_period_ms: int = STANDARD_PERIOD_MS
    netting_open_ms: int = NETTING_OPEN_MS


_UNNAMED: Final[Mapping[str, int]] = {"standard_period_ms": STANDARD_PERIOD_MS, "netting_open_ms": NETTING_OPEN_MS}
"""Parameters that a genesis names only where they are others than these."""


@dataclass(frozen=True, slots=True)
class Operator:
    """A person or system of a member: ``user``, its 32-byte key, and what it may do."""

    user: str
    key: bytes
    capabilities: tuple[str, ...]


class Sources(NamedTuple):
    """The sources of a contract that this software does not ship; ``sha256`` in hexadecimal (W2)."""

    name: str
    version: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Member:
    """An organisation on the chain. ``level`` and ``sector`` describe a government member, else are empty."""

    id: str
    name: str
    role: str
    level: str
    sector: str
    central_bank: bool
    operators: tuple[Operator, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a member: ``validator`` or ``observer``, its consensus key and its link certificate (DER)."""

    id: str
    member: str
    kind: str
    consensus_key: bytes
    link_certificate: bytes


@dataclass(frozen=True, slots=True)
class Genesis:
    """The parsed document; ``raw`` are the bytes it was parsed from. ``contracts`` are those that it admits.

    ``constitution`` is the document by which the members decide, as it stands there; what it has to be is said by the
    contracts (``contracts.governance.document``). ``engine`` names who orders the blocks (``ledger.engines``).
    """

    raw: bytes
    name: str
    time_ms: int
    protocol_version: int
    parameters: Parameters
    members: tuple[Member, ...]
    nodes: tuple[Node, ...]
    contracts: tuple[Sources, ...] = ()
    constitution: Mapping[str, Any] | None = None
    engine: str = PBFT_NAME

    @property
    def chain_id(self) -> bytes:
        """SHA-256 of the document's bytes."""
        return sha256(self.raw).digest()  # N2

    @property
    def validators(self) -> ValidatorSet:
        """The validators of epoch 0."""
        roles = {member.id: member.role for member in self.members}
        seats = [
            Validator(n.id, n.member, roles[n.member], n.consensus_key) for n in self.nodes if n.kind == "validator"
        ]
        return ValidatorSet(0, tuple(sorted(seats, key=lambda seat: seat.id)))

    @staticmethod
    def decode(raw: bytes) -> Genesis:
        """Parse and check a genesis document; raise ``Malformed`` naming the field."""
        if len(raw) > MAX_GENESIS_BYTES:
            raise Malformed(f"genesis of {len(raw)} bytes, at most {MAX_GENESIS_BYTES}")
        top = _Fields(strict_json(raw), "genesis")
        if top.integer("coseal", high=1, low=1) != 1:
            raise Malformed("genesis.coseal: unknown version")
        genesis = Genesis(
            raw=raw,
            name=top.text("name"),
            time_ms=top.integer("time_ms"),
            protocol_version=top.integer("protocol_version", low=1),
            parameters=_parameters(top.take("parameters")),
            members=tuple(_member(item, f"members[{i}]") for i, item in enumerate(top.list("members"))),
            nodes=tuple(_node(item, f"nodes[{i}]") for i, item in enumerate(top.list("nodes"))),
            contracts=tuple(
                _sources(item, f"contracts[{i}]") for i, item in enumerate(top.list("contracts", optional=True))
            ),
            constitution=top.map("constitution"),
            engine=top.one_of("engine", ENGINE_NAMES) if top.has("engine") else PBFT_NAME,
        )
        top.done()
        _check(genesis)
        return genesis


def encode_genesis(
    *,
    name: str,
    time_ms: int,
    parameters: Parameters,
    members: tuple[Member, ...],
    nodes: tuple[Node, ...],
    contracts: tuple[Sources, ...] = (),
    constitution: Mapping[str, Any] | None = None,
    engine: str = PBFT_NAME,
) -> bytes:
    """Return the bytes of a genesis document, readable and stable; parse them with ``Genesis.decode``."""
    document: dict[str, Any] = {
        "coseal": 1,
        "name": name,
        "time_ms": time_ms,
        "protocol_version": PROTOCOL_VERSION,
        "parameters": _written(parameters),
        "members": [
            {
                "id": m.id,
                "name": m.name,
                "role": m.role,
                "level": m.level,
                "sector": m.sector,
                "central_bank": m.central_bank,
                "operators": [
                    {"user": o.user, "key": o.key.hex(), "capabilities": list(o.capabilities)} for o in m.operators
                ],
            }
            for m in members
        ],
        "nodes": [
            {
                "id": n.id,
                "member": n.member,
                "kind": n.kind,
                "consensus_key": n.consensus_key.hex(),
                "link_certificate": n.link_certificate.hex(),
            }
            for n in nodes
        ],
    }
    if contracts:
        document["contracts"] = [sources._asdict() for sources in contracts]
    if constitution is not None:
        document["constitution"] = constitution
    if engine != PBFT_NAME:
        document["engine"] = engine
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def _written(parameters: Parameters) -> dict[str, Any]:
    return {name: value for name, value in asdict(parameters).items() if _UNNAMED.get(name) != value}


def is_name(value: Any, *, limit: int = 64) -> bool:
    """Say whether ``value`` is a name: 1..``limit`` of a-z, 0-9, '-' and '.', beginning with a letter."""
    return (
        type(value) is str
        and 0 < len(value) <= limit
        and value[0] in "abcdefghijklmnopqrstuvwxyz"
        and all(character in _NAME_CHARACTERS for character in value)
    )


def is_contract_name(value: Any) -> bool:
    """Say whether a contract of others can be called so: a-z, 0-9 and '_', beginning with a letter; a '_' stands
    between two others, so that ``name__table`` is of one contract alone.
    """  # W1
    return (
        type(value) is str
        and 0 < len(value) <= MAX_CONTRACT_NAME
        and value[0] in "abcdefghijklmnopqrstuvwxyz"
        and all(character in _CONTRACT_CHARACTERS for character in value)
        and "__" not in value
        and not value.endswith("_")
    )


class _Fields:
    """Takes the fields of one JSON object by name and complains about what is missing or left."""

    def __init__(self, value: Any, path: str) -> None:
        self._fields = dict(codec.mapping(value, path))
        self._path = path

    def take(self, name: str) -> Any:
        if name not in self._fields:
            raise Malformed(f"{self._path}.{name}: missing")
        return self._fields.pop(name)

    def text(self, name: str) -> str:
        return codec.text(self.take(name), f"{self._path}.{name}")

    def label(self, name: str) -> str:
        value = self.take(name)
        return "" if value == "" else codec.text(value, f"{self._path}.{name}", limit=64)

    def name(self, name: str) -> str:
        value = self.take(name)
        if not is_name(value):
            raise Malformed(f"{self._path}.{name}: expected a name of a-z, 0-9, '-' and '.', at most 64 characters")
        return str(value)

    def one_of(self, name: str, allowed: tuple[str, ...]) -> str:
        value = self.take(name)
        if value not in allowed or type(value) is not str:
            raise Malformed(f"{self._path}.{name}: expected one of {', '.join(item or 'empty' for item in allowed)}")
        return value

    def integer(self, name: str, *, low: int = 0, high: int = 2**53) -> int:
        return codec.integer(self.take(name), f"{self._path}.{name}", low=low, high=high)

    def has(self, name: str) -> bool:
        return name in self._fields

    def boolean(self, name: str) -> bool:
        value = self.take(name)
        if type(value) is not bool:
            raise Malformed(f"{self._path}.{name}: expected true or false")
        return value

    def list(self, name: str, *, optional: bool = False) -> list[Any]:
        if optional and name not in self._fields:
            return []
        return codec.sequence(self.take(name), f"{self._path}.{name}", limit=MAX_MEMBERS)

    def map(self, name: str) -> Mapping[str, Any] | None:
        """Return an object as it stands there, None if it is not."""
        return codec.mapping(self.take(name), f"{self._path}.{name}") if name in self._fields else None

    def hex(self, name: str, *, size: int | None = None, limit: int = 8192) -> bytes:
        value = self.take(name)
        try:
            data = bytes.fromhex(value if type(value) is str else "?")
            if data.hex() != value:
                raise ValueError
            return codec.octets(data, f"{self._path}.{name}", size=size, limit=limit)
        except ValueError:
            raise Malformed(f"{self._path}.{name}: expected lower-case hexadecimal") from None

    def done(self) -> None:
        if self._fields:
            raise Malformed(f"{self._path}.{min(self._fields)}: unknown field")


def _parameters(value: Any) -> Parameters:
    given = _Fields(value, "parameters")
    limits: Mapping[str, tuple[int, int]] = {
        "tenure": (1, 1_000_000),
        "state_bits": (4, 24),
        "block_bytes_max": (512 * 1024, 4 * 1024 * 1024),
        "block_transactions_max": (1, 5_000),
        "validity_ms_max": (1_000, 600_000),
        "round_timeout_ms": (50, 60_000),
        "round_timeout_ms_max": (50, 60_000),
        "clock_precision_ms": (1, 60_000),
        "heartbeat_ms": (0, 86_400_000),
        "standard_period_ms": (1_000, 366 * 86_400_000),
        "netting_open_ms": (1_000, NETTING_OPEN_MS),
    }
    values: dict[str, Any] = {
        field.name: given.boolean(field.name)
        if field.name == "public_read"
        else given.integer(field.name, low=limits[field.name][0], high=limits[field.name][1])
        for field in fields(Parameters)
        if field.name not in _UNNAMED or given.has(field.name)
    }
    given.done()
    require_bits(values["state_bits"])
    return Parameters(**values)


def _member(value: Any, path: str) -> Member:
    given = _Fields(value, path)
    member = Member(
        id=given.name("id"),
        name=given.text("name"),
        role=given.one_of("role", ROLES),
        level=given.one_of("level", ("", *LEVELS)),
        sector=given.label("sector"),
        central_bank=given.boolean("central_bank"),
        operators=tuple(_operator(item, f"{path}.operators[{i}]") for i, item in enumerate(given.list("operators"))),
    )
    given.done()
    return member


def _operator(value: Any, path: str) -> Operator:
    given = _Fields(value, path)
    capabilities = given.list("capabilities")
    for capability in capabilities:
        if not is_name(capability):  # which there are is said by the contracts
            raise Malformed(f"{path}.capabilities: expected names")
    operator = Operator(given.name("user"), given.hex("key", size=32), tuple(sorted(set(capabilities))))
    given.done()
    return operator


def _node(value: Any, path: str) -> Node:
    given = _Fields(value, path)
    node = Node(
        id=given.name("id"),
        member=given.name("member"),
        kind=given.one_of("kind", ("validator", "observer")),
        consensus_key=given.hex("consensus_key", size=32),
        link_certificate=given.hex("link_certificate", limit=4096),
    )
    given.done()
    return node


def _sources(value: Any, path: str) -> Sources:
    given = _Fields(value, path)
    name, version = given.take("name"), given.integer("version", low=1)
    if not is_contract_name(name):
        raise Malformed(f"{path}.name: expected {CONTRACT_NAME_RULE}")
    sources = Sources(name, version, given.hex("sha256", size=32).hex())
    given.done()
    return sources


def _check(genesis: Genesis) -> None:
    """Refuse duplicate ids and keys, unknown members, weak keys, and a validator set nobody should run."""
    if genesis.protocol_version > PROTOCOL_VERSION:
        raise Malformed(f"genesis.protocol_version: this software speaks at most {PROTOCOL_VERSION}")
    members = [member.id for member in genesis.members]
    _require_unique(members, "member id")
    _require_unique([node.id for node in genesis.nodes], "node id")
    _require_unique([sources.name for sources in genesis.contracts], "contract")
    if len(genesis.contracts) > MAX_CONTRACTS:
        raise Malformed(f"contracts: at most {MAX_CONTRACTS}")
    keys = [operator.key for member in genesis.members for operator in member.operators]
    keys += [node.consensus_key for node in genesis.nodes]
    _require_unique([key.hex() for key in keys], "key")
    for key in keys:
        if not is_acceptable_point(key):
            raise Malformed(f"key {key.hex()}: not canonical or of small order")
    for node in genesis.nodes:
        if node.member not in members:
            raise Malformed(f"node {node.id}: unknown member {node.member}")
    for member in genesis.members:
        _require_unique([operator.user for operator in member.operators], f"user of {member.id}")
        if (member.role == "government") != bool(member.level):
            raise Malformed(f"member {member.id}: a level is for a government member, and every one has it")
        if member.central_bank and member.role != "bank":
            raise Malformed(f"member {member.id}: only a bank can be the central bank")
    if sum(member.central_bank for member in genesis.members) > 1:
        raise Malformed("more than one central bank")
    require_valid(genesis.validators)


def _require_unique(items: list[str], what: str) -> None:
    seen: set[str] = set()
    for item in items:
        if item in seen:
            raise Malformed(f"duplicate {what}: {item}")
        seen.add(item)
