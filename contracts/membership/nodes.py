"""The nodes of a member: registered by it as observers, made validators by governance alone.

Law: a node belongs to one member for ever and its name is never used again; who validates is not decided here. What a
node says of itself, that it is caught up and what its software has, is its own word. Rules M8, M9 and M11 of
contracts/membership/README.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from coseal.contracts.kernel.action import (
    SUSPENDED,
    Action,
    Args,
    Arguments,
    Context,
    Reader,
    Rejected,
    Result,
    View,
)
from coseal.contracts.kernel.admitted import shown, sources_field, sources_of
from coseal.contracts.kernel.fields import Integer, Many, Name, Special
from coseal.contracts.kernel.names import is_label
from coseal.contracts.membership import epochs as membership_epochs
from coseal.contracts.membership.state import (
    EXAMPLE_CERTIFICATE,
    EXAMPLE_KEY,
    NODES_KEY,
    certificate,
    free_certificate,
    free_key,
    link_key,
    node_key,
    own_nodes_key,
    public_key,
    put_node,
)
from coseal.ledger.genesis import Sources

MAX_NODES: Final = 16
"""Nodes of one member at a time."""
READY_BLOCKS: Final = 1_000
"""So many blocks a node's word that it is caught up counts."""
READY_LAG_BLOCKS: Final = 100
"""So far behind the chain may the height be that a node says it has, and so often at most may it say so."""
MAX_VERSIONS: Final = 16
"""Protocol versions that one declaration names."""
MAX_SOURCES: Final = 64
"""Sources of contracts of others that one declaration names."""
FORMER: Final = "former"
"""The kind of a node that was removed; its record stays, without keys."""


def _add_node(view: View, context: Context, args: Args) -> Result | Rejected:
    node_id = args["node"]
    if view.get(node_key(node_id)) is not None:  # M8
        return Rejected("node_exists", f"the name {node_id} is or was used; choose another")
    own: Any = view.get(own_nodes_key(context.member)) or []
    if len(own) >= MAX_NODES:  # M8
        return Rejected("too_many_nodes", f"{context.member} has {len(own)} nodes, at most {MAX_NODES}; remove one")
    key, link = bytes.fromhex(args["consensus_key"]), bytes.fromhex(args["link_certificate"])
    refusal = free_key(view, key) or free_certificate(view, link)
    if refusal is not None:
        return refusal
    record = {
        "member": context.member,
        "kind": "observer",
        "consensus_key": key,
        "link_certificate": link,
        "since": context.height,
        **({"address": args["address"]} if "address" in args else {}),
    }
    put_node(view, node_id, record)
    everyone: Any = view.get(NODES_KEY)
    view.put(NODES_KEY, sorted([*everyone, node_id]))
    view.put(own_nodes_key(context.member), sorted([*own, node_id]))
    return {"member": context.member, "node": node_id, "kind": "observer", "consensus_key": args["consensus_key"]}


def _remove_node(view: View, context: Context, args: Args) -> Result | Rejected:
    record = _own_node(view, context, args["node"])
    if isinstance(record, Rejected):
        return record
    node_id = args["node"]
    if record["kind"] != "observer":
        return Rejected("is_validator", f"{node_id} validates; propose remove_validator first")
    if membership_epochs.is_pending(view, node_id):
        return Rejected("is_validator", f"{node_id} becomes a validator with the next block; propose remove_validator")
    retire(view, context.member, [node_id], context.height)
    return {"member": context.member, "node": node_id, "kind": FORMER}


def retire(view: View, member_id: str, node_ids: Sequence[str], height: int) -> None:
    """Take observers of a member off the registry: their records stay, without keys."""
    for node_id in node_ids:
        former = {"member": member_id, "kind": FORMER, "consensus_key": None, "link_certificate": None}
        view.put(node_key(node_id), {**former, "since": height})
    gone = frozenset(node_ids)
    for key in (NODES_KEY, own_nodes_key(member_id)):
        listed: Any = view.get(key)
        view.put(key, [other for other in listed if other not in gone])


def _rotate_link_certificate(view: View, context: Context, args: Args) -> Result | Rejected:
    record = _own_node(view, context, args["node"])
    if isinstance(record, Rejected):
        return record
    link = bytes.fromhex(args["certificate"])
    refusal = free_certificate(view, link)
    if refusal is not None:
        return refusal
    view.put(node_key(args["node"]), {**record, "link_certificate": link})
    view.put(link_key(link), args["node"])
    return {"member": context.member, "node": args["node"], "certificate": args["certificate"]}


def _own_node(view: View, context: Context, node_id: str) -> dict[str, Any] | Rejected:
    record: Any = view.get(node_key(node_id))
    if record is None or record["kind"] == FORMER:
        return Rejected("unknown_node", f"there is no node {node_id}")
    if record["member"] != context.member:
        return Rejected("forbidden", f"{node_id} is a node of {record['member']}, which alone may change it")
    return dict(record)


def _ready(view: View, context: Context, args: Args) -> Result | Rejected:
    record: Any = view.get(node_key(context.node))
    if record["kind"] != "observer":
        return Rejected("not_observer", f"{context.node} is a {record['kind']} already; only an observer gets ready")
    if not context.height - READY_LAG_BLOCKS <= args["height"] < context.height:  # M8
        detail = f"height {args['height']} is not one of the last {READY_LAG_BLOCKS} before {context.height}"
        return Rejected("not_caught_up", f"{detail}; catch up and say it again")
    if context.height - record.get("ready", -READY_LAG_BLOCKS) < READY_LAG_BLOCKS:  # M8
        return Rejected("ready_already", f"{context.node} said so at height {record['ready']}, which still counts")
    view.put(node_key(context.node), {**record, "ready": context.height})
    return {"node": context.node, "height": args["height"], "ready": context.height}


def is_ready(reader: Reader, node_id: str, height: int) -> bool:
    """Say whether a node's word that it is caught up still counts at ``height``."""
    record: Any = reader.get(node_key(node_id))
    return record is not None and "ready" in record and height - record["ready"] <= READY_BLOCKS


def _declare_software(view: View, context: Context, args: Args) -> Result | Rejected:
    record: Any = view.get(node_key(context.node))
    versions = sorted(args["protocol_versions"])
    contracts = sorted({sources_of(given) for given in args.get("contracts", ())})
    before = (declared_versions(view, context.node), declared_sources(view, context.node))
    if (versions, contracts) == before:  # M11
        return Rejected("declared_already", f"that is what {context.node} said of its software before")
    said = {"protocol_versions": versions, **({"contracts": [shown(each) for each in contracts]} if contracts else {})}
    view.put(node_key(context.node), {**record, "software": {**said, "since": context.height}})
    return {"member": context.member, "node": context.node, **said}


def declared_versions(reader: Reader, node_id: str) -> list[int]:
    """Return the protocol versions that a node's software has by its own word, ascending; none if it said nothing."""
    record: Any = reader.get(node_key(node_id))
    return [] if record is None or "software" not in record else list(record["software"]["protocol_versions"])


def declared_sources(reader: Reader, node_id: str) -> list[Sources]:
    """Return the sources of contracts that a node has by its own word, ascending; none if it said nothing."""
    record: Any = reader.get(node_key(node_id))
    said = {} if record is None else record.get("software", {})
    return [sources_of(each) for each in said.get("contracts", ())]


# Queries


def nodes(reader: Reader) -> list[dict[str, Any]]:
    """Return all registered nodes, ascending by id, as ``node`` does; none of those that were removed."""
    ids: Any = reader.get(NODES_KEY) or []
    found = (node(reader, node_id) for node_id in ids)
    return [item for item in found if item is not None]


def node(reader: Reader, node_id: str) -> dict[str, Any] | None:
    """Return a node: its member, kind, consensus key and the certificate its links are pinned to; or None.

    ``kind`` is ``validator``, ``observer``, or ``former`` with null for both keys. ``ready`` is the height at which
    it last said that it is caught up, ``software`` what it said of its software: ``protocol_versions``, ``contracts``
    (the sources of contracts of others, missing if there are none), and the height ``since`` which it says so. These
    two and ``address`` may be missing.
    """
    record: Any = reader.get(node_key(node_id))
    if record is None:
        return None
    keys = {field: record[field] and record[field].hex() for field in ("consensus_key", "link_certificate")}
    return {"id": node_id, **record, **keys}


def _address_faults(value: Any) -> Iterator[str]:
    if not _is_address(value):
        yield f": expected {_ADDRESS}"


def _is_address(value: Any) -> bool:
    """Say whether a value is ``HOST:PORT``, an IPv6 host in brackets; whether it leads anywhere, nobody asks here."""
    if not is_label(value, 256) or not value.isascii() or " " in value:
        return False
    host, _, port = value.rpartition(":")
    return bool(host) and 0 < len(port) <= 5 and _DIGITS.issuperset(port) and 0 < int(port) < 65_536


_DIGITS: Final = frozenset("0123456789")
_ADDRESS: Final = "HOST:PORT of at most 256 characters"
_address: Final = Special(
    _address_faults,
    _ADDRESS,
    {"type": "string", "pattern": "^[!-~]+:[0-9]{1,5}$", "maxLength": 256},
    refused=(
        "",
        "host",
        "host:",
        ":1",
        "host:0",
        "host:65536",
        "host:000001",
        "a b:1",
        "höst:1",
        "h" * 252 + ":9000",
        1,
    ),
    passed=("h:1", "host:65535", "[::1]:9000", "h" * 251 + ":9000"),
)

ACTIONS: Final[dict[str, Action]] = {
    "add_node": Action(
        arguments=Arguments(
            {"node": Name(), "link_certificate": certificate, "consensus_key": public_key},
            {"address": _address},
        ),
        apply=_add_node,
        title="Register a node of the own member, as an observer",
        example={"node": "bank-a-2", "link_certificate": EXAMPLE_CERTIFICATE, "consensus_key": EXAMPLE_KEY},
        capability="operate",
        pausable=False,
    ),
    "remove_node": Action(
        arguments=Arguments({"node": Name()}),
        apply=_remove_node,
        title="Take an observer of the own member off the registry",
        example={"node": "bank-a-2"},
        capability="operate",
        standing=SUSPENDED,
        pausable=False,
    ),
    "rotate_link_certificate": Action(
        arguments=Arguments({"node": Name(), "certificate": certificate}),
        apply=_rotate_link_certificate,
        title="Replace the certificate that links of an own node show",
        example={"node": "bank-a", "certificate": EXAMPLE_CERTIFICATE},
        capability="operate",
        standing=SUSPENDED,
        pausable=False,
    ),
    "ready": Action(
        arguments=Arguments({"height": Integer(0)}),
        apply=_ready,
        title="Say that this node, an observer, is caught up at a height",
        example={"height": 1},
        capability=None,
        by_node=True,
        standing=SUSPENDED,
        pausable=False,
    ),
    "declare_software": Action(
        arguments=Arguments(
            {"protocol_versions": Many(Integer(1), low=0, high=MAX_VERSIONS, unique=True)},
            {"contracts": Many(sources_field, low=0, high=MAX_SOURCES)},
        ),
        apply=_declare_software,
        title="Say which protocol versions and contracts the software of this node has",
        example={"protocol_versions": [2]},
        capability=None,
        by_node=True,
        standing=SUSPENDED,
        pausable=False,
    ),
}
