"""The live view of a network in a terminal, and the same as plain lines or JSON for who has none.

Law: one picture a look, redrawn in place; a pipe or a dumb terminal gets whole lines and no control characters.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from coseal.cli.shared import console, plain_table, short

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

    from coseal.network.folders import Network
    from coseal.network.processes import NodeStatus
    from coseal.network.watch import Sight

EVERY_S: Final = 1.0
CALM_S: Final = 10.0
"""In plain lines nothing is said more often than this, unless a node is otherwise than before."""
_ROLES: Final = {
    "government": "magenta",
    "bank": "cyan",
    "enterprise": "yellow",
    "institute": "green",
    "public": "white",
}


def show(
    network: Network,
    *,
    as_json: bool = False,
    looks: int | None = None,
    calm: bool = False,
    ending: str = "Ctrl-C ends this view",
    out: Console | None = None,
) -> None:
    """Show a network until interrupted, or for a number of looks. ``calm`` says plain lines less often."""
    from coseal.network.watch import Watch

    watch, screen = Watch(network), out or console()
    if as_json:
        from coseal.ledger.strict_json import json_line

        _repeat(lambda: _say(json_line(document(network, watch.look()))), looks)
    elif not screen.is_terminal or screen.is_dumb_terminal:
        speaker = _Speaker(CALM_S if calm else 0.0)
        _repeat(lambda: speaker.tell(watch.look()), looks)
    else:
        from rich.live import Live

        with Live(console=screen, auto_refresh=False) as live:
            _repeat(lambda: live.update(picture(network, watch.look(), ending), refresh=True), looks)


def document(network: Network, sight: Sight) -> dict[str, Any]:
    """Return a sight as JSON values: what ``coseal status --json`` prints, and what moves."""
    from coseal.ledger.render import time_text

    fields = asdict(sight)
    for name in ("nodes", "recent"):
        del fields[name]
    return {
        "chain_id": network.chain_id,
        **fields,
        "at": time_text(sight.at_ms),
        "waits": [{"reason": reason, "nodes": list(names)} for reason, names in sight.waits],
        "nodes": [asdict(node) for node in sight.nodes],
    }


def line(sight: Sight) -> str:
    """Return a sight as one line of text."""
    words = [
        _clock(sight.at_ms),
        f"height {_number(sight.height)}",
        f"{_rate(sight.blocks_per_s)} blocks/s",
        f"{_rate(sight.transactions_per_s)} transactions/s",
        f"{_number(sight.pending)} pending",
        f"{_number(sight.findings_open)} findings open",
        f"{sight.healthy}/{len(sight.nodes)} healthy",
    ]
    waits = [f"{', '.join(names)}: {reason}" for reason, names in sight.waits]
    return "  ".join(words) + ("" if not waits else "; " + "; ".join(waits))


def picture(network: Network, sight: Sight, ending: str) -> RenderableType:
    """Return a sight for a terminal of 80 columns or more."""
    from rich.console import Group
    from rich.text import Text

    head = Text.assemble((network.name, "bold"), f" · chain {short(network.chain_id)}")
    return Group(head, _figures(sight), _state(sight), _nodes(sight), *_recent(sight), Text(ending, "dim"))


def _figures(sight: Sight) -> Text:
    from rich.text import Text

    shown = (
        ("height", _number(sight.height)),
        ("blocks/s", _rate(sight.blocks_per_s)),
        ("transactions/s", _rate(sight.transactions_per_s)),
        ("pending", _number(sight.pending)),
        ("findings open", _number(sight.findings_open)),
    )
    parts = [part for name, value in shown for part in ((f"{name} ", "dim"), (value, "bold"), "   ")]
    return Text.assemble(*parts[:-1])


def _state(sight: Sight) -> Text:
    """Return whether blocks commit, and what each node that is not healthy waits for."""
    from rich.text import Text

    reasons = [f"{', '.join(names)}: {reason}" for reason, names in sight.waits]
    if not sight.healthy:
        return Text("\n".join(["no block can commit", *reasons]), "red")
    state = Text("blocks commit", "green")
    if coming := coming_rules(sight.nodes):
        reasons.append(coming)
    return state if not reasons else Text.assemble(state, ("\n" + "\n".join(reasons), "yellow"))


def _nodes(sight: Sight) -> RenderableType:
    from rich.text import Text

    table = plain_table("node", "height", "round", "peers", "pending", "state")
    for name in ("height", "round", "peers", "pending"):
        next(column for column in table.drawn.columns if str(column.header) == name).justify = "right"
    evidence = {name: count for node in sight.nodes for name, count in (node.evidence or {}).items()}
    roles = [role for role in _ROLES if any(node.role == role for node in sight.nodes)]
    for role in roles:
        table.add_row(Text(role, f"bold {_ROLES[role]}"))
        for node in sight.nodes:
            if node.role == role:
                numbers = (_number(value) for value in (node.height, node.round, node.peers, node.pending))
                table.add_row(Text(f"  {node.name}"), *numbers, _standing(node, evidence.get(node.name, 0)))
    return table.drawn


def _standing(node: NodeStatus, proofs: int) -> Text:
    from rich.text import Text

    words = "healthy" if node.healthy else "stands still" if node.height is not None else "no answer"
    kind = "" if node.kind == "validator" else f" ({node.kind})"
    leads = ", leads" if node.healthy and node.leader == node.name else ""
    against = f", {proofs} proof{'s' if proofs > 1 else ''} against it" if proofs else ""
    return Text.assemble((words, "green" if node.healthy else "yellow"), leads, kind, (against, "red"))


def _recent(sight: Sight) -> list[Text]:
    from rich.text import Text

    return [
        Text.assemble((_clock(one.at_ms), "dim"), f" {one.text}", overflow="ellipsis", no_wrap=True)
        for one in sight.recent
    ] + ([Text("")] if sight.recent else [])


def coming_rules(statuses: Sequence[NodeStatus]) -> str:
    """Say how rules to come stand, by the newest state that answers, and which nodes here lack a protocol version."""
    from coseal.client import versions

    answering = [node for node in statuses if node.height is not None]
    newest = max(answering, key=lambda node: node.height or 0, default=None)
    contracts = [] if newest is None else [versions.contract_standing(each) for each in newest.contracts or ()]
    return "; ".join(filter(None, [_coming_version(answering), *contracts]))


def _coming_version(answering: Sequence[NodeStatus]) -> str:
    from coseal.client import versions

    upgrading = [node for node in answering if node.upgrade]
    if not upgrading:
        return ""
    coming = max(upgrading, key=lambda node: node.height or 0).upgrade or {}
    lacking = [node.name for node in upgrading if node.upgrade and not node.upgrade["known"]]
    others = [name for name in lacking if name not in coming["lacking"]]  # observers, or not said yet
    return "; ".join([versions.standing(coming), *([versions.lacking(others)] if others else [])])


class _Speaker:
    """Says sights as lines: each, or with a pause only now and then and when a node is otherwise than before."""

    def __init__(self, pause_s: float) -> None:
        self._pause_s, self._said_at, self._said = pause_s, -pause_s, ""
        self._standing: tuple[Any, ...] = ()

    def tell(self, sight: Sight) -> None:
        text, standing = line(sight), tuple((node.name, node.healthy, node.height is None) for node in sight.nodes)
        told = text.partition("  ")[2]
        due = time.monotonic() - self._said_at >= self._pause_s
        if standing != self._standing or (due and (told != self._said or not self._pause_s)):
            self._said_at, self._said, self._standing = time.monotonic(), told, standing
            _say(text)


def _repeat(act: Callable[[], None], looks: int | None) -> None:
    while looks is None or looks > 0:
        began = time.monotonic()
        act()
        looks = None if looks is None else looks - 1
        if looks != 0:
            time.sleep(max(0.0, EVERY_S - (time.monotonic() - began)))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _clock(at_ms: int) -> str:
    """Return the time of day, UTC."""
    return time.strftime("%H:%M:%S", time.gmtime(at_ms / 1_000))


def _number(value: int | None) -> str:
    return "-" if value is None else str(value)


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
