"""The network: who takes part, how far each node is, who leads, who is behind and why, and what just happened.

Law: heights of the chain come from headers this console followed; what a node says of itself is said to be its word.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from coseal.console.charts import spark
from coseal.console.doubts import Doubt
from coseal.console.html import Child, Html, el, join
from coseal.console.light import LightClient
from coseal.console.node_status import BEHIND_BLOCKS, NodeView, node_views, registered
from coseal.console.nodes import NoAnswer
from coseal.console.page import Entry, Page, Route, View
from coseal.console.parts import (
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
from coseal.console.rows import transaction_rows, transaction_table
from coseal.console.shown import Shown, Trust
from coseal.ledger.block import Header
from coseal.ledger.genesis import COMETBFT_NAME
from coseal.ledger.validators import ROLES, max_faulty

NAV: Final = Entry("network.nav", "/")
_RECENT_BLOCKS: Final = 14
_RECENT_TRANSACTIONS: Final = 10
_WINDOW_MS: Final = 60_000
_SLOTS: Final = 40


async def network(page: Page) -> View:
    """Build the page."""
    nodes, light = page.console.nodes, page.console.light
    registry = await registered(page)
    views = node_views(page, registry.value, nodes, light)
    tip = max(light.height, nodes.tip)
    body = (
        lead(page, page.console.genesis.name, "network.lead", _explained(page)),
        _verdict(page, views),
        *(_doubted(page, doubt) for doubt in nodes.doubts.standing()),
        _figures(page, views),
        section(
            page,
            "network.nodes",
            el("div", {"class": "roles"}, [_role(page, role, views, tip) for role in ROLES]),
            shown=Shown(None, Trust.UNVERIFIED, "trust.word"),
            aside=el("span", {"class": "faint"}, page.t("network.registry"), " ", seal(page, registry, small=True)),
        ),
        await _recent(page),
    )
    return page.view(page.t("network.nav"), *body)


def _doubted(page: Page, doubt: Doubt) -> Html:
    """Say that a node's newest answers did not verify; that it is more than that, nobody can tell from it."""
    link = el("a", {"href": "/evidence"}, page.t("evidence.see"))
    return notice("wait", page.t("app.doubted", node=doubt.node, reason=doubt.reason), " ", link)


def _verdict(page: Page, views: list[NodeView]) -> Html:
    """Say in one sentence whether blocks can commit, and how many more may fail."""
    validators = page.console.light.anchor.next_validators
    if not _is_answered(page):
        return notice("wait", page.t("network.verdict.unknown"))
    good = sum(view.takes_part for view in views)
    spare = good - validators.quorum
    values = {"good": good, "all": validators.n, "quorum": validators.quorum}
    if spare < 0:
        return notice("bad", page.t("network.verdict.bad", **values))
    if spare == 0 and max_faulty(validators.n):
        return notice("wait", page.t("network.verdict.edge", **values))
    return notice("good", page.t("network.verdict.good", spare=spare, **values))


def _figures(page: Page, views: list[NodeView]) -> Html:
    light = page.console.light
    recent = list(light.recent)
    followed: Shown[None] = Shown(None, Trust.VERIFIED, "trust.header", light.height)
    verified = seal(page, followed, small=True) if recent else None
    word = seal(page, Shown(None, Trust.UNVERIFIED, "trust.word"), small=True)
    last = moment(page, recent[-1].time_ms, ago=True) if recent else page.t("part.none")
    counts, per_minute, blocks = _rates(page, light)
    good = sum(view.takes_part for view in views)
    rounds = max((header.created_round for header in recent[-50:]), default=0)
    waiting = max((view.waiting for view in views), default=0)
    needed = page.t("network.needed", quorum=light.anchor.next_validators.quorum)
    if page.console.genesis.engine == COMETBFT_NAME:
        needed = page.t("network.engine", needed=needed)
    minute = join(
        page.t("network.blocks_minute", count=page.number(blocks)), " ", verified, spark(counts) if per_minute else None
    )
    return el(
        "section",
        {"class": "panel", "aria-label": page.t("network.figures")},
        figures(
            figure(page.t("network.height"), page.number(light.height), join(last, " ", verified)),
            figure(page.t("network.rate"), page.number(per_minute), minute),
            figure(
                page.t("network.validators"),
                f"{good}/{light.anchor.next_validators.n}" if _is_answered(page) else "–",
                join(needed, " ", word),
                "" if good >= light.anchor.next_validators.quorum or not _is_answered(page) else "bad",
            ),
            figure(page.t("network.waiting"), page.number(waiting), join(page.t("network.waiting.extra"), " ", word)),
            figure(page.t("network.rounds"), page.number(rounds), join(page.t("network.rounds.extra"), " ", verified)),
        ),
    )


def _is_answered(page: Page) -> bool:
    """Say whether any node says how it is."""
    return any(seen.status for seen in page.console.nodes.seen.values())


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


def _role(page: Page, role: str, views: list[NodeView], tip: int) -> Html | None:
    found = [view for view in views if view.node.role == role]
    if not found:
        return None
    name = f"role-{role}"
    title = el("h3", {"id": name, "class": f"role-name {role}"}, page.t(f"role.{role}"))
    nodes = el("ul", {"class": "nodes"}, [_node(page, view, tip) for view in found])
    return el("section", {"class": "role", "aria-labelledby": name}, title, nodes)


def _node(page: Page, view: NodeView, tip: int) -> Html:
    marks: list[Child] = []
    if view.leads:
        marks.append(tag(page.t("network.leads"), "accent"))
    if view.node.kind != "validator":
        marks.append(tag(page.t(f"kind.{view.node.kind}")))
    if view.round:
        marks.append(tag(page.t("network.round", round=view.round), "wait"))
    height = page.number(view.height) if view.height is not None else "–"
    reached = 100 * (view.height or 0) / max(1, tip)
    if view.height is not None and tip - view.height > BEHIND_BLOCKS:
        reached = min(reached, 96.0)  # a gap must be seen, however long the chain
    bar = el("rect", {"x": "0", "y": "0", "height": "4", "width": f"{reached:.1f}%"})
    lag = el("svg", {"class": "lag", "height": "4", "aria-hidden": "true"}, bar)
    return el(
        "li",
        {"class": f"node {view.state}"},
        el(
            "div",
            {"class": "node-head"},
            el("span", {"class": "lamp", "aria-hidden": "true"}),
            el("strong", None, view.node.name),
            el("span", {"class": "tags"}, marks),
            el(
                "span", {"class": "node-height num"}, el("span", {"class": "unseen"}, page.t("app.height"), " "), height
            ),
        ),
        lag,
        el("p", None, view.message, " · ", member_link(view.node.member, view.node.title)),
    )


async def _recent(page: Page) -> Html:
    """Return the newest blocks, from followed headers, and the newest transactions, from verified blocks."""
    headers = list(page.console.light.recent)
    if not headers:
        begins = any(seen.status and not seen.height for seen in page.console.nodes.seen.values())
        return section(
            page, "network.recent", empty(page, "network.no_block" if begins else "network.nothing_followed")
        )
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
    blocks = section(page, "network.blocks", strip, shown=followed, aside=every)
    try:
        found = await asyncio.gather(*(page.data.block(height) for height in _with_transactions(headers)))
    except NoAnswer:
        return join(blocks, section(page, "network.recent", empty(page, "app.no_node")))
    rows = transaction_rows((one.value for one in found), _RECENT_TRANSACTIONS)
    shown = found[0].of(None) if found else followed
    made = transaction_table(page, rows) if rows else empty(page, "network.no_transaction")
    return join(blocks, section(page, "network.recent", made, shown=shown, note="network.recent.note"))


def _with_transactions(headers: Sequence[Header]) -> list[int]:
    """Return the heights, newest first, of as few blocks as hold the newest transactions."""
    heights: list[int] = []
    count = 0
    for header in reversed(headers):
        if count >= _RECENT_TRANSACTIONS or len(heights) == _RECENT_TRANSACTIONS:
            break
        if header.tx_count:
            heights.append(header.height)
            count += header.tx_count
    return heights


ROUTES: Final = (Route("/", network, "network.nav"),)
