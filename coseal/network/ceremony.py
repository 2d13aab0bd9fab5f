"""The documents by which members found a network together: plan, contributions, genesis, confirmations.

Law: the genesis is a function of the plan and the contributions, so every member makes it itself and nobody has to be
believed. A document has one spelling; one that is not exactly as this module writes it is refused.

    plan           who the members are, what the chain runs with; its digest is the SHA-256 of its file
    contribution   a member's public keys, certificates and addresses, each key's signature over all of it (rule D6)
    genesis        assembled from both
    confirmation   a member's signature over the chain id: its own keys are in this genesis, and the rest is as planned
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.x509.oid import NameOID

from coseal.client import keys
from coseal.ledger import codec
from coseal.ledger.errors import BadSignature, LedgerError, Malformed
from coseal.ledger.genesis import PBFT_NAME, Genesis, Member, Node, Operator, Parameters, encode_genesis
from coseal.ledger.signing import (
    TAG_CONFIRMATION,
    TAG_CONTRIBUTION,
    Signer,
    body_preimage,
    is_acceptable_point,
    require,
    verify,
)
from coseal.ledger.strict_json import strict_json
from coseal.network.consortium import Consortium, Founder, parse_consortium
from coseal.network.folders import Seat, founding_seats, unsafe_constitution

MAX_DOCUMENT_BYTES: Final = 4 * 1024 * 1024
_PLAN, _CONTRIBUTION, _CONFIRMATION = "coseal_plan", "coseal_contribution", "coseal_confirmation"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is agreed on before anybody makes a key. ``time_ms`` becomes the genesis' time; ``raw`` is the file."""

    raw: bytes
    time_ms: int
    consortium: Consortium

    @property
    def digest(self) -> bytes:
        """SHA-256 of the file, as ``sha256sum`` prints it."""
        return sha256(self.raw).digest()

    @property
    def members(self) -> tuple[Founder, ...]:
        """The founding members."""
        return self.consortium.members

    def member(self, name: str) -> Founder:
        """Return a member by id; raise ``Malformed``."""
        for member in self.members:
            if member.id == name:
                return member
        raise Malformed(
            f"{name} is not a member of the plan; the members are {', '.join(one.id for one in self.members)}"
        )

    def seats(self, member: str | None = None) -> list[Seat]:
        """Return the nodes to be made, those of ``member`` alone if it is given."""
        return [seat for seat in founding_seats(self.consortium)[1] if member in (None, seat.member.id)]


@dataclass(frozen=True, slots=True)
class NodePart:
    """A founding node: its public consensus key, its link certificate (DER), and where peers reach it (HOST:PORT)."""

    id: str
    consensus_key: bytes
    link_certificate: bytes
    address: str


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a member brings: users' public keys by name, its nodes, and ``proofs``: signatures by public key."""

    plan: bytes
    member: str
    operators: Mapping[str, bytes]
    nodes: tuple[NodePart, ...]
    proofs: Mapping[bytes, bytes]
    raw: bytes

    @property
    def digest(self) -> bytes:
        """SHA-256 of the file, as ``sha256sum`` prints it."""
        return sha256(self.raw).digest()


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A member's word that the genesis with this chain id is the one it helped to make."""

    chain_id: bytes
    member: str
    signature: bytes


# Plan


def encode_plan(consortium: Consortium, time_ms: int) -> bytes:
    """Return the plan's file."""
    members = [
        {
            "id": member.id,
            "name": member.name,
            "role": member.role,
            "level": member.level,
            "sector": member.sector,
            "central_bank": member.central_bank,
            "users": [{"user": user.name, "capabilities": sorted(user.capabilities)} for user in member.users],
        }
        for member in consortium.members
    ]
    document = {
        _PLAN: 1,
        "time_ms": time_ms,
        "consortium": {
            "name": consortium.name,
            "validators": list(consortium.validators),
            "members": members,
            "parameters": asdict(consortium.parameters),
            **({"contracts": [each._asdict() for each in consortium.contracts]} if consortium.contracts else {}),
            **({"engine": consortium.engine} if consortium.engine != PBFT_NAME else {}),
            **({} if consortium.constitution is None else {"constitution": consortium.constitution}),
        },
    }
    return _text(document)


def decode_plan(raw: bytes) -> Plan:
    """Read a plan and see that a genesis can be made from it; raise ``Malformed``."""
    top = _document(raw, _PLAN, {"time_ms", "consortium"})
    time_ms = codec.integer(top["time_ms"], "time_ms", low=0, high=2**53)
    consortium = parse_consortium(codec.mapping(top["consortium"], "consortium"), Parameters())
    plan = Plan(raw, time_ms, consortium)
    _require_spelling(raw, encode_plan(consortium, time_ms))
    _require_feasible(plan)
    return plan


def _require_feasible(plan: Plan) -> None:
    """Make a genesis with keys that nobody keeps: what it refuses is refused before members make theirs."""
    unsafe = unsafe_constitution(plan.consortium)
    if unsafe is not None:
        raise Malformed(f"constitution: {unsafe}")
    seats = plan.seats()
    users = {
        member.id: {user.name: keys.public_key(keys.new_seed()) for user in member.users} for member in plan.members
    }
    nodes = [Node(s.name, s.member.id, s.kind, keys.public_key(keys.new_seed()), b"\0") for s in seats]
    Genesis.decode(_encode(plan, users, nodes))


# Contribution


def make_contribution(
    plan: Plan, member: str, operators: Mapping[str, Signer], nodes: Sequence[tuple[NodePart, Signer, Signer]]
) -> bytes:
    """Return the file of a contribution, signed by every key: ``nodes`` come with consensus and link signer."""
    public = {user: signer.public_key for user, signer in operators.items()}
    statement = _statement(plan.digest, member, public, [node for node, _, _ in nodes])
    message = body_preimage(TAG_CONTRIBUTION, plan.digest, codec.encode(statement))  # D6
    signers = [*operators.values(), *(signer for _, *both in nodes for signer in both)]
    proofs = {signer.public_key.hex(): signer.sign(message).hex() for signer in signers}
    return _text({**statement, "proofs": proofs})


def decode_contribution(raw: bytes, plan: Plan) -> Contribution:
    """Read a contribution and check all of it against the plan; raise ``LedgerError`` naming what is wrong."""
    top = _document(raw, _CONTRIBUTION, {"plan", "member", "operators", "nodes", "proofs"})
    contribution = Contribution(
        plan=_hex(top["plan"], "plan", 32),
        member=codec.text(top["member"], "member", limit=64),
        operators=dict(_operator(row, f"operators[{i}]") for i, row in enumerate(_rows(top["operators"], "operators"))),
        nodes=tuple(_node(row, f"nodes[{i}]") for i, row in enumerate(_rows(top["nodes"], "nodes"))),
        proofs={
            _hex(key, "proofs", 32): _hex(proof, f"proofs.{key}", 64)
            for key, proof in codec.mapping(top["proofs"], "proofs").items()
        },
        raw=raw,
    )
    if contribution.plan != plan.digest:
        raise Malformed(f"made for another plan, {contribution.plan.hex()}; this one is {plan.digest.hex()}")
    _require_planned(contribution, plan)
    _require_proofs(contribution)
    proofs = {key.hex(): contribution.proofs[key].hex() for key, _ in named_keys(contribution)}
    _require_spelling(raw, _text({**_statement_of(contribution), "proofs": proofs}))
    return contribution


def _require_planned(contribution: Contribution, plan: Plan) -> None:
    member = plan.member(contribution.member)
    users, nodes = [user.name for user in member.users], [seat.name for seat in plan.seats(member.id)]
    if list(contribution.operators) != users:
        raise Malformed(f"users {', '.join(contribution.operators)}; the plan has {', '.join(users)}")
    if [node.id for node in contribution.nodes] != nodes:
        named = ", ".join(node.id for node in contribution.nodes)
        raise Malformed(f"nodes {named or 'none'}; the plan has {', '.join(nodes) or 'none'}")


def _require_proofs(contribution: Contribution) -> None:
    """Every key has signed everything, and there is no other signature."""
    message = body_preimage(TAG_CONTRIBUTION, contribution.plan, codec.encode(_statement_of(contribution)))  # D6
    seen: dict[bytes, str] = {}
    for key, what in list(named_keys(contribution)):
        if not is_acceptable_point(key):
            raise Malformed(f"{what}: not an acceptable Ed25519 key")
        if key in seen:
            raise Malformed(f"{what} and {seen[key]} are one key; each use needs a key of its own")
        seen[key] = what
        if key not in contribution.proofs:
            raise Malformed(f"{what}: no proof that the member holds it")
        if not verify(key, message, contribution.proofs[key]):
            raise BadSignature(f"{what}: the signature does not verify; the file was changed after it was signed")
    for key in contribution.proofs:
        if key not in seen:
            raise Malformed(f"proofs: {key.hex()} is no key of this contribution")


def named_keys(contribution: Contribution) -> Iterator[tuple[bytes, str]]:
    """Yield every public key of a contribution with what it is, in words."""
    for user, key in contribution.operators.items():
        yield key, f"key of {contribution.member}/{user}"
    for node in contribution.nodes:
        yield node.consensus_key, f"consensus key of {node.id}"
        yield _link_key(node), f"link key of {node.id}"


def _link_key(node: NodePart) -> bytes:
    """Return the public key of a node's link certificate, which must be as ``keys.link_certificate`` makes it."""
    what = f"link certificate of {node.id}"
    try:
        certificate = x509.load_der_x509_certificate(node.link_certificate)
        certificate.verify_directly_issued_by(certificate)
        names = [str(part.value) for part in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        key = certificate.public_key()
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.InvalidVersion):
        raise Malformed(f"{what}: not a self-signed certificate in DER") from None
    if not isinstance(key, Ed25519PublicKey) or names != [node.id]:
        raise Malformed(f"{what}: it is not of an Ed25519 key, or not named {node.id}")
    return key.public_bytes_raw()


# Genesis


def assemble(plan: Plan, contributions: Mapping[str, Contribution]) -> Genesis:
    """Return the genesis of a plan and one contribution a member; raise ``LedgerError`` naming who and what.

    Anybody who has both gets the same bytes.
    """
    missing = [member.id for member in plan.members if member.id not in contributions]
    if missing:
        raise Malformed(f"no contribution of {', '.join(missing)}")
    _require_distinct(contributions.values())
    nodes = {node.id: node for one in contributions.values() for node in one.nodes}
    raw = _encode(
        plan,
        {name: one.operators for name, one in contributions.items()},
        [
            Node(
                seat.name, seat.member.id, seat.kind, nodes[seat.name].consensus_key, nodes[seat.name].link_certificate
            )
            for seat in plan.seats()
        ],
    )
    return Genesis.decode(raw)


def _require_distinct(contributions: Iterable[Contribution]) -> None:
    """No two members bring one key, or are reached at one address."""
    seen: dict[str, str] = {}
    for one in contributions:
        addresses = [(node.address, f"address of {node.id}") for node in one.nodes]
        public = [(key.hex(), what) for key, what in named_keys(one)]
        for value, what in (*public, *addresses):
            if value in seen:
                raise Malformed(f"{what} and {seen[value]} are the same")
            seen[value] = what


def _encode(plan: Plan, operators: Mapping[str, Mapping[str, bytes]], nodes: Sequence[Node]) -> bytes:
    members = tuple(
        Member(
            *(member.id, member.name, member.role, member.level, member.sector, member.central_bank),
            tuple(Operator(user.name, operators[member.id][user.name], user.capabilities) for user in member.users),
        )
        for member in plan.members
    )
    parameters = plan.consortium.parameters
    return encode_genesis(
        name=plan.consortium.name,
        time_ms=plan.time_ms,
        parameters=parameters,
        members=members,
        nodes=tuple(nodes),
        contracts=plan.consortium.contracts,
        constitution=plan.consortium.constitution,
        engine=plan.consortium.engine,
    )


def difference(given: bytes, expected: Genesis) -> str:
    """Say in words where a genesis file is not what plan and contributions make."""
    try:
        found = Genesis.decode(given)
    except LedgerError as error:
        return error.reason
    for what, mine, theirs in (
        ("name", expected.name, found.name),
        ("time_ms", expected.time_ms, found.time_ms),
        ("parameters", expected.parameters, found.parameters),
        ("contracts", expected.contracts, found.contracts),
        ("constitution", expected.constitution, found.constitution),
        ("engine", expected.engine, found.engine),
        *((f"member {m.id}", m, {o.id: o for o in found.members}.get(m.id)) for m in expected.members),
        *((f"node {n.id}", n, {o.id: o for o in found.nodes}.get(n.id)) for n in expected.nodes),
    ):
        if mine != theirs:
            return f"{what} is missing" if theirs is None else f"{what} is another one"
    return "more members or nodes, another order, or other spelling"


# Confirmation


def make_confirmation(genesis: Genesis, member: str, signer: Signer) -> bytes:
    """Return the file in which a member says yes to a genesis; ``signer`` has the key of its first user."""
    signature = signer.sign(body_preimage(TAG_CONFIRMATION, genesis.chain_id, member.encode()))  # D6
    return _text({_CONFIRMATION: 1, "chain_id": genesis.chain_id.hex(), "member": member, "signature": signature.hex()})


def decode_confirmation(raw: bytes, genesis: Genesis) -> Confirmation:
    """Read a confirmation and check it; raise ``LedgerError`` naming what is wrong."""
    top = _document(raw, _CONFIRMATION, {"chain_id", "member", "signature"})
    chain_id, signature = _hex(top["chain_id"], "chain_id", 32), _hex(top["signature"], "signature", 64)
    if chain_id != genesis.chain_id:
        raise Malformed(f"for another genesis, {chain_id.hex()}; this one is {genesis.chain_id.hex()}")
    found = next((member for member in genesis.members if member.id == top["member"]), None)
    if found is None:
        raise Malformed("member: no member of this genesis")
    message = body_preimage(TAG_CONFIRMATION, chain_id, found.id.encode())  # D6
    require(found.operators[0].key, message, signature, f"confirmation of {found.id}/{found.operators[0].user}")
    return Confirmation(chain_id, found.id, signature)


# Spelling


def address(value: Any, path: str) -> str:
    """Return ``HOST:PORT`` if ``value`` is one (an IPv6 host in brackets); raise ``Malformed``."""
    text = codec.text(value, path, limit=300)
    host, colon, port = text.rpartition(":")
    plain = all(c.isascii() and (c.isalnum() or c in "-._") for c in host)
    bracketed = host.startswith("[") and host.endswith("]") and all(c in "0123456789abcdefABCDEF:." for c in host[1:-1])
    if not colon or not host or not (plain or bracketed) or not (port.isascii() and port.isdigit() and len(port) <= 5):
        raise Malformed(f"{path}: expected HOST:PORT")
    if not 0 < int(port) < 65_536:
        raise Malformed(f"{path}: a port is 1 to 65535")
    return text


def _statement(plan: bytes, member: str, operators: Mapping[str, bytes], nodes: Sequence[NodePart]) -> dict[str, Any]:
    """Return what every key signs: the contribution without its proofs."""
    return {
        _CONTRIBUTION: 1,
        "plan": plan.hex(),
        "member": member,
        "operators": [{"user": user, "key": key.hex()} for user, key in operators.items()],
        "nodes": [
            {
                "id": node.id,
                "consensus_key": node.consensus_key.hex(),
                "link_certificate": node.link_certificate.hex(),
                "address": node.address,
            }
            for node in nodes
        ],
    }


def _statement_of(contribution: Contribution) -> dict[str, Any]:
    return _statement(contribution.plan, contribution.member, contribution.operators, contribution.nodes)


def _operator(value: Any, path: str) -> tuple[str, bytes]:
    row = _fields(value, path, {"user", "key"})
    return codec.text(row["user"], f"{path}.user", limit=64), _hex(row["key"], f"{path}.key", 32)


def _node(value: Any, path: str) -> NodePart:
    row = _fields(value, path, {"id", "consensus_key", "link_certificate", "address"})
    return NodePart(
        id=codec.text(row["id"], f"{path}.id", limit=64),
        consensus_key=_hex(row["consensus_key"], f"{path}.consensus_key", 32),
        link_certificate=_hex(row["link_certificate"], f"{path}.link_certificate"),
        address=address(row["address"], f"{path}.address"),
    )


def _document(raw: bytes, kind: str, names: set[str]) -> dict[str, Any]:
    """Parse a document of a kind, strictly, with exactly these fields."""
    if len(raw) > MAX_DOCUMENT_BYTES:
        raise Malformed(f"{len(raw)} bytes, at most {MAX_DOCUMENT_BYTES}")
    value = strict_json(raw, kind)
    if type(value) is not dict or kind not in value:
        raise Malformed(f"not a {kind} document")
    if value[kind] != 1 or type(value[kind]) is not int:
        raise Malformed(f"{kind}: unknown version; this software knows 1")
    return _fields(value, kind, {kind, *names})


def _fields(value: Any, path: str, names: set[str]) -> dict[str, Any]:
    row = dict(codec.mapping(value, path))
    for name in sorted(names - row.keys()):
        raise Malformed(f"{path}.{name}: missing")
    for name in sorted(row.keys() - names):
        raise Malformed(f"{path}.{name}: unknown field")
    return row


def _rows(value: Any, path: str) -> list[Any]:
    return codec.sequence(value, path, limit=1_000)


def _hex(value: Any, path: str, size: int | None = None) -> bytes:
    try:
        data = bytes.fromhex(value if type(value) is str else "?")
    except ValueError:
        data = b""
    if data.hex() != value or size not in (None, len(data)) or len(data) > 4096:
        raise Malformed(f"{path}: expected lower-case hexadecimal" + (f" of {size} bytes" if size else ""))
    return data


def _text(document: Mapping[str, Any]) -> bytes:
    """Return the one spelling of a document."""
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def _require_spelling(raw: bytes, spelled: bytes) -> None:
    if raw != spelled:
        raise Malformed(
            "not as coseal writes it: fields in another order, other spaces or line ends, or values left out"
        )
