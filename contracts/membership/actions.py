"""Members, their operators and their nodes: who may act on this chain, with which key and in which role.

Law: a key belongs to one operator or node for ever, also after it was replaced; a member can always act (its last
operator who may ``operate`` stays); nobody grants, or takes over, a capability they do not have.

Nodes are in ``membership.nodes``, the validators of every epoch in ``membership.epochs``. Rules M1 to M7 of
contracts/membership/README.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from coseal.contracts.kernel.action import (
    FORMER,
    SUSPENDED,
    Action,
    Args,
    Arguments,
    Context,
    Reader,
    Rejected,
    Result,
    View,
    refused,
)
from coseal.contracts.kernel.contract import Contract
from coseal.contracts.kernel.fields import Label, Many, Name, OneOf, Text
from coseal.contracts.membership import epochs as membership_epochs
from coseal.contracts.membership import nodes as membership_nodes
from coseal.contracts.membership.epochs import coming, epoch, epochs, pending, validators, validators_at
from coseal.contracts.membership.nodes import node, nodes
from coseal.contracts.membership.standing import IN_GOOD_STANDING, Standing, standing_of
from coseal.contracts.membership.state import (
    EXAMPLE_KEY,
    KEYS,
    MEMBERS_KEY,
    NODES_KEY,
    OPEN_KEYS,
    ROLE_CAPABILITIES,
    free_key,
    member_key,
    node_key,
    operator_key,
    operators_key,
    own_nodes_key,
    public_key,
    put_member,
    put_node,
    put_operator,
)
from coseal.ledger.genesis import Genesis, Member
from coseal.ledger.transaction import node_of

NAME: Final = "membership"

__all__ = [
    "CAPABILITIES",
    "coming",
    "contract",
    "epoch",
    "epochs",
    "install",
    "member",
    "members",
    "node",
    "nodes",
    "operator",
    "pending",
    "sender",
    "sender_key",
    "validators",
    "validators_at",
]

CAPABILITIES: Final[tuple[str, ...]] = ("submit", "registrar", "operate")
"""What an operator may have, besides what other contracts say."""
MAX_OPERATORS: Final = 1_000
MAX_KEY_HISTORY: Final = 16


def install(view: View, genesis: Genesis) -> None:
    """Write the members, operators, nodes and validators of ``genesis``."""
    view.put(MEMBERS_KEY, sorted(member.id for member in genesis.members))
    view.put(NODES_KEY, sorted(node.id for node in genesis.nodes))
    for member in genesis.members:
        _install_member(view, member)
    own: dict[str, list[str]] = {}
    for entry in genesis.nodes:
        record = {
            "member": entry.member,
            "kind": entry.kind,
            "consensus_key": entry.consensus_key,
            "link_certificate": entry.link_certificate,
            "since": 0,
        }
        put_node(view, entry.id, record)
        own.setdefault(entry.member, []).append(entry.id)
    for member_id, node_ids in own.items():
        view.put(own_nodes_key(member_id), sorted(node_ids))
    membership_epochs.install(view, genesis.validators)


def _install_member(view: View, member: Member) -> None:
    fields = {name: getattr(member, name) for name in ("name", "role", "level", "sector", "central_bank")}
    put_member(view, member.id, fields, since=0)
    view.put(operators_key(member.id), {o.user: list(o.capabilities) for o in member.operators})
    for operator in member.operators:
        put_operator(view, member.id, operator.user, operator.key, since=0, history=[])


# Actions


def _add_operator(view: View, context: Context, args: Args) -> Result | Rejected:
    user, key, capabilities = args["user"], bytes.fromhex(args["key"]), sorted(args["capabilities"])
    operators: Any = view.get(operators_key(context.member))
    if operators.get(user):  # M2
        return Rejected(
            "operator_exists", f"{user} is an operator of {context.member}; remove it first or rotate its key"
        )
    if user not in operators and len(operators) >= MAX_OPERATORS:
        return Rejected("too_many_operators", f"at most {MAX_OPERATORS} users a member, former ones included")
    refusal = _may_grant(context, capabilities) or free_key(view, key)
    if refusal is not None:
        return refusal
    former: Any = view.get(operator_key(f"{context.member}/{user}"))
    history = [] if former is None else former["history"]
    view.put(operators_key(context.member), {**operators, user: capabilities})
    put_operator(view, context.member, user, key, since=context.height, history=history)
    return {"member": context.member, "user": user, "key": args["key"], "capabilities": capabilities}


def _remove_operator(view: View, context: Context, args: Args) -> Result | Rejected:
    user = args["user"]
    operators: Any = view.get(operators_key(context.member))
    if not operators.get(user):
        return _unknown_operator(context.member, user)
    others = (capabilities for other, capabilities in operators.items() if other != user)
    if not any("operate" in capabilities for capabilities in others):  # M3
        return Rejected("last_operator", f"{user} is the last of {context.member} who may operate; add another first")
    record: Any = view.get(operator_key(f"{context.member}/{user}"))
    history = _with_former(record, context.height)
    view.put(operators_key(context.member), {**operators, user: []})
    view.put(operator_key(f"{context.member}/{user}"), {"key": None, "since": context.height, "history": history})
    return {"member": context.member, "user": user, "key": record["key"].hex()}


def _rotate_operator_key(view: View, context: Context, args: Args) -> Result | Rejected:
    own = context.sender.partition("/")[2]
    user, key = args.get("user", own), bytes.fromhex(args["key"])
    operators: Any = view.get(operators_key(context.member))
    if not operators.get(user):
        return _unknown_operator(context.member, user)
    if user != own:
        if "operate" not in context.capabilities:
            return Rejected("forbidden", "the capability operate is needed to replace another user's key")
        refusal = _may_grant(context, operators[user])  # M4: else replacing a key would be a way to a capability
        if refusal is not None:
            return refusal
    refusal = free_key(view, key)
    if refusal is not None:
        return refusal
    record: Any = view.get(operator_key(f"{context.member}/{user}"))
    history = _with_former(record, context.height)
    put_operator(view, context.member, user, key, since=context.height, history=history)
    return {"member": context.member, "user": user, "key": args["key"], "former_key": record["key"].hex()}


def _set_profile(view: View, context: Context, args: Args) -> Result | Rejected:
    record: Any = view.get(member_key(context.member))
    profile = {**record["profile"], **{field: text for field, text in args.items() if field != "name"}}
    changed = {**record, "name": args.get("name", record["name"]), "profile": profile}
    view.put(member_key(context.member), changed)
    return {"member": context.member, "name": changed["name"], "profile": profile}


def _may_grant(context: Context, capabilities: Sequence[str]) -> Rejected | None:
    """Refuse to hand out what the sender does not have itself, and what its role has not."""
    for capability in capabilities:
        if capability not in context.capabilities:  # M4
            return Rejected("forbidden", f"only an operator with the capability {capability} can grant it")
        role = ROLE_CAPABILITIES.get(capability, context.role)
        if role != context.role:  # M5
            return Rejected("forbidden", f"only a {role} member can grant the capability {capability}")
    return None


def _unknown_operator(member: str, user: str) -> Rejected:
    return Rejected("unknown_operator", f"{member} has no operator {user}")


def _with_former(record: dict[str, Any], height: int) -> list[Any]:
    """Return the key history with the present key added, ``[key, from height, to height]``, newest last."""
    return [*record["history"], [record["key"], record["since"], height]][-MAX_KEY_HISTORY:]


_profile = {
    "name": Label(),
    "description": Text(high=1_000),
    "url": Label(high=256),
}


def _check_profile(args: Args) -> Iterator[Rejected]:
    if not args:
        yield from refused(f": expected at least one of {', '.join(_profile)}")


def contract(capabilities: Sequence[str]) -> Contract:
    """Return the contract by which members give their operators these capabilities."""
    given = Many(OneOf(*capabilities), low=1, high=len(capabilities), unique=True)
    return Contract(
        name=NAME,
        install=install,
        actions={
            "add_operator": Action(
                arguments=Arguments(
                    {"user": Name(), "key": public_key, "capabilities": given},
                ),
                apply=_add_operator,
                title="Give a person or system of the own member a key and capabilities",
                example={"user": "clerk", "key": EXAMPLE_KEY, "capabilities": ["submit"]},
                capability="operate",
                standing=SUSPENDED,
                pausable=False,
            ),
            "remove_operator": Action(
                arguments=Arguments({"user": Name()}),
                apply=_remove_operator,
                title="Take all capabilities from an operator of the own member",
                example={"user": "clerk"},
                capability="operate",
                standing=SUSPENDED,
                pausable=False,
            ),
            "rotate_operator_key": Action(
                arguments=Arguments({"key": public_key}, {"user": Name()}),
                apply=_rotate_operator_key,
                title="Replace the own key, or that of another operator of the own member",
                example={"key": EXAMPLE_KEY},
                capability="",
                standing=FORMER,
                pausable=False,
            ),
            "set_profile": Action(
                arguments=Arguments({}, _profile, _check_profile),
                apply=_set_profile,
                title="Change how the own member is shown",
                example={"name": "First Bank", "url": "https://bank.example"},
                capability="operate",
                pausable=False,
            ),
            **membership_nodes.ACTIONS,
        },
        capabilities=CAPABILITIES,
        begin=membership_epochs.begin,
        waits=membership_epochs.is_set_pending,
        keys=KEYS,
        open_keys=OPEN_KEYS,
    )


@dataclass(frozen=True, slots=True)
class Sender:
    """Who stands behind ``member/user`` or ``node:ID`` at the moment of a transaction; ``node`` is the id, or empty."""

    key: bytes | None
    member: str
    role: str
    level: str
    capabilities: tuple[str, ...]
    node: str = ""
    standing: Standing = IN_GOOD_STANDING


def sender(reader: Reader, text: str) -> Sender | None:
    """Return the operator or node of that name with what it may do, or None; the key of a removed operator is None."""
    node_id = node_of(text)
    if node_id is not None:
        return _node_sender(reader, node_id)
    member_id, _, user = text.partition("/")
    record: Any = reader.get(operator_key(text))
    if record is None:
        return None
    owner: Any = reader.get(member_key(member_id))
    users: Any = reader.get(operators_key(member_id))
    return Sender(record["key"], member_id, owner["role"], owner["level"], tuple(users[user]), "", standing_of(owner))


def _node_sender(reader: Reader, node_id: str) -> Sender | None:
    record: Any = reader.get(node_key(node_id))
    if record is None:
        return None
    owner: Any = reader.get(member_key(record["member"]))
    key, standing = record["consensus_key"], standing_of(owner)
    return Sender(key, record["member"], owner["role"], owner["level"], (), node_id, standing)


def sender_key(reader: Reader, text: str) -> bytes | None:
    """Return the 32-byte key with which an operator or node signs transactions now, or None if there is none."""
    node_id = node_of(text)
    record: Any = reader.get(operator_key(text) if node_id is None else node_key(node_id))
    return None if record is None else record["key" if node_id is None else "consensus_key"]


def member_of(reader: Reader, text: str) -> str:
    """Return the member that ``member/user`` or ``node:ID`` speaks for; empty for a node without an entry."""
    node_id = node_of(text)
    if node_id is None:
        return text.partition("/")[0]
    record: Any = reader.get(node_key(node_id))
    return "" if record is None else str(record["member"])


# Queries: pure functions of a Reader; every result is JSON-able, keys and certificates as lower-case hexadecimal


def members(reader: Reader) -> list[dict[str, Any]]:
    """Return all members, former ones included, ascending by id, as ``member`` does."""
    ids: Any = reader.get(MEMBERS_KEY) or []
    nodes_of: dict[str, list[str]] = {}
    for item in nodes(reader):
        nodes_of.setdefault(item["member"], []).append(item["id"])
    found = (_member(reader, member_id, nodes_of.get(member_id, [])) for member_id in ids)
    return [item for item in found if item is not None]


def member(reader: Reader, member_id: str) -> dict[str, Any] | None:
    """Return a member with its standing, its operators and node ids, or None."""
    return _member(reader, member_id, [item["id"] for item in nodes(reader) if item["member"] == member_id])


def _member(reader: Reader, member_id: str, node_ids: list[str]) -> dict[str, Any] | None:
    record: Any = reader.get(member_key(member_id))
    if record is None:
        return None
    users: Any = reader.get(operators_key(member_id))
    operators = [operator(reader, member_id, user) for user in sorted(users)]
    standing = standing_of(record).document()
    return {"id": member_id, **record, "standing": standing, "operators": operators, "nodes": node_ids}


def operator(reader: Reader, member_id: str, user: str) -> dict[str, Any] | None:
    """Return an operator: ``key`` (None if removed), ``capabilities``, ``history`` of keys and heights; or None."""
    record: Any = reader.get(operator_key(f"{member_id}/{user}"))
    if record is None:
        return None
    users: Any = reader.get(operators_key(member_id))
    return {
        "user": user,
        "key": None if record["key"] is None else record["key"].hex(),
        "capabilities": users[user],
        "since": record["since"],
        "history": [{"key": key.hex(), "from": since, "to": until} for key, since, until in record["history"]],
    }
