"""Where the membership contract keeps what in the state: the only place where its keys are spelt.

And what members, operators and nodes look like there, with the checks of keys that all who write them share.

Law: a key belongs to one operator or node for ever, also after it was replaced (M1), and is one that every node
accepts signatures of (M6).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

from coseal.contracts.kernel.action import Rejected, View
from coseal.contracts.kernel.fields import Hexadecimal, Special
from coseal.ledger.signing import is_acceptable_point

MAX_CERTIFICATE_BYTES: Final = 4096
EXAMPLE_KEY: Final = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"  # RFC 8032, test 1
EXAMPLE_CERTIFICATE: Final = "3003020100"
ROLE_CAPABILITIES: Final = {"registrar": "government", "supervise": "government", "treasury": "bank"}
"""Capabilities that only operators of a member of this role have."""
_DER_SEQUENCE: Final = 0x30
_LOWER_HEX: Final = frozenset("0123456789abcdef")

MEMBERS_KEY: Final = "membership/members"
NODES_KEY: Final = "membership/nodes"
VALIDATORS_KEY: Final = "membership/validators"
PENDING_KEY: Final = "membership/pending"
SUSPENDED_KEY: Final = "membership/suspended"
FORMER_KEY: Final = "membership/former"

KEYS: Final = {
    MEMBERS_KEY: "the ids of the members",
    "membership/member/<id>": "a member, with its standing",
    SUSPENDED_KEY: "the ids of the members that are suspended",
    FORMER_KEY: "the ids of the members that were removed or left",
    "membership/operators/<member>": "the operators of a member, with their capabilities",
    "membership/operator/<member>/<user>": "the key of an operator, and its former ones",
    "membership/key/<hex>": "whose a key is or was",
    NODES_KEY: "the ids of the nodes",
    "membership/nodes/<member>": "the ids of the nodes of a member",
    "membership/node/<id>": "a node",
    "membership/link/<sha256>": "the node that a link certificate is or was of",
    VALIDATORS_KEY: "the validators of the next height",
    "membership/epoch/<n>": "the validators of an epoch, and its first height",
    PENDING_KEY: "the validators that the next block promotes",
}
OPEN_KEYS: Final = (
    MEMBERS_KEY,
    SUSPENDED_KEY,
    FORMER_KEY,
    NODES_KEY,
    "membership/operators/",
    VALIDATORS_KEY,
    "membership/epoch/",
    PENDING_KEY,
)


def member_key(member_id: str) -> str:
    """Return the state key of a member."""
    return f"membership/member/{member_id}"


def operators_key(member_id: str) -> str:
    """Return the state key of the operators of a member, with their capabilities."""
    return f"membership/operators/{member_id}"


def operator_key(sender: str) -> str:
    """Return the state key of the operator ``member/user``."""
    return f"membership/operator/{sender}"


def key_key(key: bytes) -> str:
    """Return the state key that says whose a key is or was."""
    return f"membership/key/{key.hex()}"


def node_key(node_id: str) -> str:
    """Return the state key of a node."""
    return f"membership/node/{node_id}"


def own_nodes_key(member_id: str) -> str:
    """Return the state key of the ids of a member's nodes."""
    return f"membership/nodes/{member_id}"


def epoch_key(number: int) -> str:
    """Return the state key of the validators of an epoch."""
    return f"membership/epoch/{number}"


def link_key(certificate: bytes) -> str:
    """Return the state key that says which node a link certificate is or was of."""
    return f"membership/link/{sha256(certificate).hexdigest()}"


def free_key(view: View, key: bytes) -> Rejected | None:
    """Refuse a key that any operator or node has or had."""
    owner: Any = view.get(key_key(key))  # M1
    return None if owner is None else Rejected("key_in_use", f"the key belongs or belonged to {owner}; make a new one")


def free_certificate(view: View, certificate: bytes) -> Rejected | None:
    """Refuse a link certificate that any node has or had: a certificate is who a peer is."""
    owner: Any = view.get(link_key(certificate))  # M9
    if owner is None:
        return None
    return Rejected("certificate_in_use", f"the certificate belongs or belonged to node {owner}; make a new one")


def _key_faults(value: Any) -> Iterator[str]:
    error = _hexadecimal.check(value)
    if error is not None:
        yield error
    elif not is_acceptable_point(bytes.fromhex(value)):  # M6
        yield ": the key is not canonical or of small order; make a new one"


_hexadecimal: Final = Hexadecimal()
public_key: Final = Special(
    _key_faults,
    f"an Ed25519 key, {_hexadecimal.describe()}",
    {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    refused=("", "AB" * 32, EXAMPLE_KEY[:-1], "00" * 32, "01" + "00" * 31, "ff" * 32, 1, None),
    passed=(EXAMPLE_KEY,),
)
"""An Ed25519 public key that every node accepts signatures of (rule E1)."""


def _certificate_faults(value: Any) -> Iterator[str]:
    fits = type(value) is str and 0 < len(value) <= 2 * MAX_CERTIFICATE_BYTES and len(value) % 2 == 0
    if not fits or not _LOWER_HEX.issuperset(value) or not _is_sequence(bytes.fromhex(value)):
        yield f": expected {_CERTIFICATE}"


_CERTIFICATE: Final = f"the DER of a certificate, at most {MAX_CERTIFICATE_BYTES} bytes, as lower-case hexadecimal"
certificate: Final = Special(
    _certificate_faults,
    _CERTIFICATE,
    {"type": "string", "pattern": "^([0-9a-f]{2})+$", "maxLength": 2 * MAX_CERTIFICATE_BYTES},
    refused=("", "30", "300302010000", "3003", "02020100", "3003020100a", "300302010A", "zz", 1, None),
    passed=("3000", EXAMPLE_CERTIFICATE, "30820ffc" + "00" * (MAX_CERTIFICATE_BYTES - 4)),
)
"""Hexadecimal of one DER sequence; whether it is an X.509 certificate, TLS finds out.

Parsers of X.509 differ between releases, so no contract asks one.
"""


def _is_sequence(der: bytes) -> bool:
    """Say whether bytes are one DER SEQUENCE with a length of its own, and nothing after it."""
    if len(der) < 2 or der[0] != _DER_SEQUENCE:
        return False
    if der[1] < 0x80:
        return len(der) == 2 + der[1]
    size = der[1] & 0x7F
    return 0 < size <= 2 and len(der) == 2 + size + int.from_bytes(der[2 : 2 + size], "big")


def put_member(view: View, member_id: str, fields: Mapping[str, Any], *, since: int) -> None:
    """Write a member: ``fields`` are ``name``, ``role``, ``level``, ``sector`` and ``central_bank``."""
    view.put(member_key(member_id), {**fields, "profile": {}, "since": since})


def put_operator(view: View, member: str, user: str, key: bytes, *, since: int, history: list[Any]) -> None:
    """Write an operator's key and its history; its capabilities stand with its member."""
    view.put(operator_key(f"{member}/{user}"), {"key": key, "since": since, "history": history})
    view.put(key_key(key), f"operator {member}/{user}")


def put_node(view: View, node_id: str, record: Mapping[str, Any]) -> None:
    """Write a node with its ``member``, ``kind``, ``consensus_key``, ``link_certificate`` and ``since``."""
    view.put(node_key(node_id), dict(record))
    view.put(key_key(record["consensus_key"]), f"node {node_id}")
    view.put(link_key(record["link_certificate"]), node_id)
