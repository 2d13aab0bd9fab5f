"""Every node of the registry and how it is: who takes part, who is behind, and why.

Law: who there is comes from the certified state, or from the genesis while no node answers; how a node is, is its own
word, and where it does not answer that of its peers. A node speaks for itself only: at an address that is known to be
one node's, another name is an odd answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from coseal.console.documents import Status
from coseal.console.light import LightClient
from coseal.console.messages import translated
from coseal.console.nodes import ODD, SILENT, NoAnswer, Nodes, Seen
from coseal.console.page import Page
from coseal.console.shown import Shown, Trust, Untrue, joined
from coseal.contracts.membership.state import NODES_KEY, member_key, node_key
from coseal.ledger.genesis import Genesis

BEHIND_BLOCKS: Final = 3
_STOPPED: Final = "stopped"


@dataclass(frozen=True, slots=True)
class Registered:
    """A node of the registry: its name, its member and that one's title and role, and its kind."""

    name: str
    member: str
    title: str
    role: str
    kind: str


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node as the page shows it. ``state``: good, wait, bad, or empty where nobody can tell.

    ``takes_part``: a validator that answers, votes and is not catching up, whether or not enough others do.
    """

    node: Registered
    height: int | None
    state: str
    message: str
    leads: bool
    round: int | None
    waiting: int
    takes_part: bool


async def registered(page: Page) -> Shown[list[Registered]]:
    """Return the nodes of the registry, from the certified state; from the genesis while that cannot be read."""
    data = page.data
    try:
        listed = await data.state(NODES_KEY)
        names: list[str] = listed.value or []
        nodes = await asyncio.gather(*(data.state(node_key(name)) for name in names))
        ids = sorted({one.value["member"] for one in nodes if one.value})
        members = await asyncio.gather(*(data.state(member_key(member)) for member in ids))
    except (NoAnswer, Untrue):
        return Shown(of_genesis(page.console.genesis), Trust.VERIFIED, "trust.genesis")
    about = {member: one.value or {} for member, one in zip(ids, members, strict=True)}
    found = []
    for name, one in zip(names, nodes, strict=True):
        record = one.value or {}
        member = str(record.get("member", ""))
        more = about.get(member, {})
        kind = str(record.get("kind", "observer"))
        found.append(Registered(name, member, str(more.get("name", member)), str(more.get("role", "public")), kind))
    return joined(listed, *nodes, *members).of(found)


def of_genesis(genesis: Genesis) -> list[Registered]:
    """Return the nodes with which the chain began."""
    members = {member.id: member for member in genesis.members}
    return [
        Registered(node.id, node.member, members[node.member].name, members[node.member].role, node.kind)
        for node in genesis.nodes
    ]


def node_views(page: Page, registry: Sequence[Registered], nodes: Nodes, light: LightClient) -> list[NodeView]:
    """Return every node of the registry with how it is: by its own word, or else by that of its peers."""
    by_node = _by_node(registry, nodes)
    leader = _leader(nodes)
    views = []
    height: int | None
    for node in registry:
        seen = by_node.get(node.name)
        status = None if seen is None else seen.status
        if status is not None:
            height, state, message = status.height, *_how(page, status, max(light.height, nodes.tip))
        else:
            error = None if seen is None else seen.error
            height, state, message = _told_by_peers(page, nodes, node.name, error)
        views.append(
            NodeView(
                node=node,
                height=height,
                state=state,
                message=message,
                leads=node.name == leader,
                round=None if status is None else status.round,
                takes_part=node.kind == "validator" and _takes_part(status, state),
                waiting=0 if status is None else status.waiting,
            )
        )
    return views


def _by_node(registry: Sequence[Registered], nodes: Nodes) -> dict[str, Seen]:
    """Return how nodes were found by their name in the registry: that of their address, else the one they say."""
    names = {node.name for node in registry}
    found: dict[str, Seen] = {}
    for name, seen in nodes.seen.items():
        if seen.status is None:
            found[name] = seen
        elif name not in names:
            found.setdefault(seen.status.node, seen)
    for name, seen in nodes.seen.items():
        if name in names:
            own = seen.status is None or seen.status.node == name
            found[name] = seen if own else Seen(name, seen.at, error=ODD)
    return found


def _takes_part(status: Status | None, state: str) -> bool:
    """Say whether a validator takes part, by its own word, or else by that of its peers."""
    if status is None:
        return state in ("good", "wait")
    return not status.why_stalled.startswith(_STOPPED) and not status.syncing and status.voting


def _leader(nodes: Nodes) -> str:
    """Return who leads now, as the highest node says."""
    highest = max(nodes.seen.values(), key=lambda seen: seen.height, default=None)
    return "" if highest is None or highest.status is None else highest.status.leader


def _how(page: Page, status: Status, tip: int) -> tuple[str, str]:
    """Return the state and the message of a node that answers."""
    behind = tip - status.height
    if status.syncing:
        return "wait", page.t("network.catching_up", count=page.number(max(0, behind)))
    if status.silence:
        return "wait", page.t("network.silent_validator", reason=status.silence)
    if not status.healthy:
        return "bad" if status.why_stalled.startswith(_STOPPED) else "wait", translated(page, status.why_stalled)
    if status.lacking:
        lack = status.lacking[0]
        given = {"name": lack.name, "version": lack.version, "height": page.number(lack.height)}
        return "wait", page.t("network.lacks_contract", **given)
    if behind > BEHIND_BLOCKS:
        return "wait", page.t("network.behind", count=page.number(behind))
    return "good", page.t("network.healthy")


def _told_by_peers(page: Page, nodes: Nodes, name: str, error: str | None) -> tuple[int | None, str, str]:
    """Return height, state and message of a node that did not answer us, from what the others say of it."""
    told = [peer for seen in nodes.seen.values() if seen.status for peer in seen.status.peers if peer.node == name]
    connected = sum(peer.connected for peer in told)
    height = max((peer.height for peer in told), default=None)
    if error is None:  # we have no URL of it
        if connected:
            return height, "good", page.t("network.seen_by_peers", count=connected)
        return height, "bad" if told else "", page.t("network.unreachable" if told else "network.unknown")
    if error == ODD:
        return height, "wait", page.t("network.odd")
    if connected:
        return height, "wait", page.t("network.only_peers", count=connected)
    return height, "bad", page.t("network.no_answer") if error == SILENT else error
