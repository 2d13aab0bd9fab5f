"""The network: who takes part, how far each node is, who leads, who is behind and why, and what just happened.

Law: heights of the chain come from headers this console followed; what a node says of itself is said to be its word.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, Final

from console.charts import spark
from console.html import Child, Html, el, join
from console.light import LightClient
from console.nodes import SILENT, Nodes
from console.page import Entry, Page, Route, View
from console.parts import (
    empty,
    facts,
    figure,
    figures,
    lead,
    member_link,
    moment,
    notice,
    seal,
    section,
    tag,
)
from console.reading import Shown, Trust
from console.rows import transaction_rows, transaction_table
from console.words import translated
from ledger.validators import ROLES, max_faulty

NAV: Final = Entry("network.nav", "/")
_RECENT_BLOCKS: Final = 14
_RECENT_TRANSACTIONS: Final = 10
_WINDOW_MS: Final = 60_000
_SLOTS: Final = 40
_BEHIND_BLOCKS: Final = 3
_STOPPED: Final = "stopped"


@dataclass(frozen=True, slots=True)
class Station:
    """A node as the page shows it. ``state``: good, wait, bad, or empty where nobody can tell.

    ``at_work``: a validator that answers, votes and is not catching up, whether or not enough others do.
    """

    name: str
    member: str
    title: str
    role: str
    kind: str
    height: int | None
    state: str
    words: str
    leads: bool
    round: int | None
    waiting: int
    at_work: bool


async def network(page: Page) -> View:
    """Build the page."""
    nodes, light = page.console.nodes, page.console.light
    stations = survey(page, nodes, light)
    tip = max(light.height, nodes.tip)
    body = (
        lead(page, page.console.genesis.name, "network.lead", _explained(page)),
        _verdict(page, stations),
        *(notice("bad", page.t("app.false", node=name, reason=reason)) for name, reason in nodes.distrusted.items()),
        _figures(page, stations),
        section(
            page,
            "network.nodes",
            el("div", {"class": "roles"}, [_role(page, role, stations, tip) for role in ROLES]),
            shown=Shown(None, Trust.UNVERIFIED, "trust.word"),
        ),
        await _recent(page),
    )
    return page.view(page.t("network.nav"), *body)


def survey(page: Page, nodes: Nodes, light: LightClient) -> list[Station]:
    """Return every node of the genesis, and those asked by URL that are no node of it, with how it is."""
    genesis = page.console.genesis
    by_node = {str((seen.status or {}).get("node", name)): seen for name, seen in nodes.seen.items()}
    members = {member.id: member for member in genesis.members}
    leader = _leader(nodes)
    stations = []
    height: int | None
    for node in genesis.nodes:
        seen = by_node.get(node.id)
        status = None if seen is None else seen.status
        if status is not None:
            height, state, words = int(status["height"]), *_how(page, status, max(light.height, nodes.tip))
        else:
            error = None if seen is None else seen.error
            height, state, words = _told_by_peers(page, nodes, node.id, error)
        stations.append(
            Station(
                name=node.id,
                member=node.member,
                title=members[node.member].name,
                role=members[node.member].role,
                kind=node.kind,
                height=height,
                state=state,
                words=words,
                leads=node.id == leader,
                round=None if status is None else status.get("round"),
                at_work=node.kind == "validator" and _at_work(status, state),
                waiting=0 if status is None else int((status.get("mempool") or {}).get("transactions", 0)),
            )
        )
    return stations


def _at_work(status: dict[str, Any] | None, state: str) -> bool:
    """Say whether a validator takes part, by its own word, or else by that of its peers."""
    if status is None:
        return state in ("good", "wait")
    stopped = str(status.get("why_stalled") or "").startswith(_STOPPED)
    return not stopped and not status.get("syncing") and status.get("voting", True) is True


def _leader(nodes: Nodes) -> str:
    """Return who leads now, as the highest node says."""
    highest = max(nodes.seen.values(), key=lambda seen: seen.height, default=None)
    return "" if highest is None or highest.status is None else str(highest.status.get("leader", ""))


def _how(page: Page, status: dict[str, Any], tip: int) -> tuple[str, str]:
    """Return the state and the words of a node that answers."""
    behind = tip - int(status["height"])
    if status.get("syncing"):
        return "wait", page.t("network.catching_up", count=page.number(max(0, behind)))
    if status.get("silence"):
        return "wait", page.t("network.silent_validator", reason=status["silence"])
    if not status.get("healthy"):
        why = str(status.get("why_stalled") or "")
        return "bad" if why.startswith(_STOPPED) else "wait", translated(page, why)
    if behind > _BEHIND_BLOCKS:
        return "wait", page.t("network.behind", count=page.number(behind))
    return "good", page.t("network.healthy")


def _told_by_peers(page: Page, nodes: Nodes, name: str, error: str | None) -> tuple[int | None, str, str]:
    """Return height, state and words of a node that did not answer us, from what the others say of it."""
    heights, connected = [], 0
    for seen in nodes.seen.values():
        for peer in (seen.status or {}).get("peers", ()):
            if peer.get("node") == name:
                heights.append(int(peer.get("height") or 0))
                connected += bool(peer.get("connected"))
    height = max(heights, default=None)
    if error is None:  # we have no URL of it
        if connected:
            return height, "good", page.t("network.seen_by_peers", count=connected)
        return height, "bad" if heights else "", page.t("network.unknown" if not heights else "network.unreachable")
    if connected:
        return height, "wait", page.t("network.only_peers", count=connected)
    return height, "bad", page.t("network.no_answer") if error == SILENT else error


def _verdict(page: Page, stations: list[Station]) -> Html:
    """Say in one sentence whether blocks can commit, and how many more may fail."""
    validators = page.console.light.anchor.next_validators
    good = sum(station.at_work for station in stations)
    spare = good - validators.quorum
    values = {"good": good, "all": validators.n, "quorum": validators.quorum}
    if spare < 0:
        return notice("bad", page.t("network.verdict.bad", **values))
    if spare == 0 and max_faulty(validators.n):
        return notice("wait", page.t("network.verdict.edge", **values))
    return notice("good", page.t("network.verdict.good", spare=spare, **values))


def _figures(page: Page, stations: list[Station]) -> Html:
    light = page.console.light
    recent = list(light.recent)
    verified = seal(page, Shown(None, Trust.VERIFIED, "trust.header", light.height or None), small=True)
    word = seal(page, Shown(None, Trust.UNVERIFIED, "trust.word"), small=True)
    last = moment(page, recent[-1].time_ms, ago=True) if recent else page.t("part.none")
    counts, per_minute, blocks = _rates(page, light)
    good = sum(station.at_work for station in stations)
    rounds = max((header.created_round for header in recent[-50:]), default=0)
    waiting = max((station.waiting for station in stations), default=0)
    needed = page.t("network.needed", quorum=light.anchor.next_validators.quorum)
    minute = join(page.t("network.blocks_minute", count=page.number(blocks)), " ", verified, spark(counts))
    return el(
        "section",
        {"class": "panel", "aria-label": page.t("network.figures")},
        figures(
            figure(page.t("network.height"), page.number(light.height), join(last, " ", verified)),
            figure(page.t("network.rate"), page.number(per_minute), minute),
            figure(
                page.t("network.validators"),
                f"{good}/{light.anchor.next_validators.n}",
                join(needed, " ", word),
                "" if good >= light.anchor.next_validators.quorum else "bad",
            ),
            figure(page.t("network.waiting"), page.number(waiting), join(page.t("network.waiting.extra"), " ", word)),
            figure(page.t("network.rounds"), page.number(rounds), join(page.t("network.rounds.extra"), " ", verified)),
        ),
    )


def _explained(page: Page) -> Html:
    """Return what somebody needs who has never seen such a network, folded."""
    terms = ("block", "validator", "leader", "seal", "constituency")
    pairs = [(page.t(f"network.explain.{term}"), page.t(f"network.explain.{term}.text")) for term in terms]
    return el("details", {"class": "explain"}, el("summary", None, page.t("network.explain")), facts(pairs))


def _rates(page: Page, light: LightClient) -> tuple[list[float], int, int]:
    """Return transactions in slots of the last minute, their sum, and the blocks of that minute; by block time."""
    since = page.now_ms - _WINDOW_MS
    slots, blocks = [0.0] * _SLOTS, 0
    for header in light.recent:
        if header.time_ms > since:
            blocks += 1
            place = min(_SLOTS - 1, (header.time_ms - since) * _SLOTS // _WINDOW_MS)
            slots[place] += header.tx_count
    return slots, int(sum(slots)), blocks


def _role(page: Page, role: str, stations: list[Station], tip: int) -> Html | None:
    found = [station for station in stations if station.role == role]
    if not found:
        return None
    name = f"role-{role}"
    title = el("h3", {"id": name, "class": f"role-name {role}"}, page.t(f"role.{role}"))
    nodes = el("ul", {"class": "nodes"}, [_node(page, station, tip) for station in found])
    return el("section", {"class": "role", "aria-labelledby": name}, title, nodes)


def _node(page: Page, station: Station, tip: int) -> Html:
    marks: list[Child] = []
    if station.leads:
        marks.append(tag(page.t("network.leads"), "accent"))
    if station.kind != "validator":
        marks.append(tag(page.t(f"kind.{station.kind}")))
    if station.round:
        marks.append(tag(page.t("network.round", round=station.round), "wait"))
    height = page.number(station.height) if station.height is not None else "–"
    reached = 100 * (station.height or 0) / max(1, tip)
    if station.height is not None and tip - station.height > _BEHIND_BLOCKS:
        reached = min(reached, 96.0)  # a gap must be seen, however long the chain
    bar = el("rect", {"x": "0", "y": "0", "height": "4", "width": f"{reached:.1f}%"})
    lag = el("svg", {"class": "lag", "height": "4", "aria-hidden": "true"}, bar)
    return el(
        "li",
        {"class": f"node {station.state}"},
        el(
            "div",
            {"class": "node-head"},
            el("span", {"class": "lamp", "aria-hidden": "true"}),
            el("strong", None, station.name),
            el("span", {"class": "tags"}, marks),
            el(
                "span", {"class": "node-height num"}, el("span", {"class": "unseen"}, page.t("app.height"), " "), height
            ),
        ),
        lag,
        el("p", None, station.words, " · ", member_link(station.member, station.title)),
    )


async def _recent(page: Page) -> Html:
    """Return the newest blocks, from followed headers, and the newest transactions, from as few blocks as hold them."""
    headers = list(page.console.light.recent)
    if not headers:
        return section(page, "network.recent", empty(page, "network.no_block"))
    tiles = [
        el(
            "li",
            None,
            el(
                "a",
                {"href": f"/blocks/{header.height}", "title": header.hash.hex()},
                el("strong", {"class": "num"}, page.number(header.height)),
                el("span", None, page.t("network.tile", count=page.number(header.tx_count))),
                el("span", {"class": "faint"}, header.proposer),
            ),
        )
        for header in reversed(headers[-_RECENT_BLOCKS:])
    ]
    strip = el("ol", {"class": "strip", "aria-label": page.t("network.blocks"), "tabindex": "0"}, tiles)
    followed: Shown[None] = Shown(None, Trust.VERIFIED, "trust.header", headers[-1].height)
    every = el("a", {"href": "/blocks"}, page.t("network.all_blocks"))
    sums = itertools.accumulate(header.tx_count for header in reversed(headers[-_RECENT_BLOCKS:]))
    count = next((number for number, total in enumerate(sums, 1) if total >= _RECENT_TRANSACTIONS), len(tiles))
    shown = await page.data.blocks(headers[-1].height - count + 1, count)
    rows = transaction_rows(reversed(shown.value), _RECENT_TRANSACTIONS)
    return join(
        section(page, "network.blocks", strip, shown=followed, aside=every),
        section(page, "network.recent", transaction_table(page, rows), shown=shown, note="network.recent.note"),
    )


ROUTES: Final = (Route("/", network, "network.nav"),)
