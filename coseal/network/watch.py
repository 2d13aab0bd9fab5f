"""How a network moves: what its nodes say of themselves, asked again and again, and what changed in between.

Law: figures are the nodes' own word, nothing here is verified; what nobody answers is None, never zero.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from coseal.network import processes
from coseal.network.folders import Network, NodeEntry
from coseal.network.processes import NodeStatus

RATE_S: Final = 10.0
"""Rates are means over this time."""
RECENT: Final = 5
_BLOCKS_TOLD: Final = 3
_TRANSACTIONS_TOLD: Final = 3
_HEADERS_A_LOOK: Final = 1_000


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that was seen to happen: when (ms), and what."""

    at_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Sight:
    """A network as seen at one moment (``at_ms``).

    ``height`` is the highest any node says; rates are None until two looks gave a figure. ``pending`` is the longest
    queue of a node. ``waits`` says why nodes stand still: each reason with the nodes that give it. ``happened`` is what
    is new since the look before, ``recent`` the last of all, newest first.
    """

    at_ms: int
    nodes: tuple[NodeStatus, ...]
    height: int | None
    blocks_per_s: float | None
    transactions_per_s: float | None
    pending: int | None
    findings_open: int | None
    waits: tuple[tuple[str, tuple[str, ...]], ...]
    happened: tuple[Happening, ...]
    recent: tuple[Happening, ...]

    @property
    def healthy(self) -> int:
        """How many nodes are healthy."""
        return sum(node.healthy for node in self.nodes)


class Watch:
    """Looks at a network, and remembers between two looks what is needed for rates and events."""

    def __init__(self, network: Network, clock: Callable[[], float] = time.monotonic) -> None:
        self._network, self._clock = network, clock
        self._samples: deque[tuple[float, int, int]] = deque()
        self._height: int | None = None
        self._transactions = 0
        self._standing: dict[str, tuple[bool, bool]] = {}
        self._findings: int | None = None
        self._recent: deque[Happening] = deque(maxlen=RECENT)

    def look(self) -> Sight:
        """Ask every node, and the highest for what was committed since the last look."""
        nodes = processes.status(self._network)
        now_ms = time.time_ns() // 1_000_000
        happened = [Happening(now_ms, text) for text in self._changes(nodes)]
        best = max((node for node in nodes if node.height is not None), key=_height, default=None)
        findings = None
        if best is not None:
            entry = self._network.node(best.name)
            happened += self._follow(entry, _height(best))
            findings = _findings_open(entry)
            if findings is not None and self._findings not in (None, findings):
                happened.append(Happening(now_ms, f"findings open: {self._findings} before, now {findings}"))
            self._findings = findings if findings is not None else self._findings
        self._recent.extendleft(happened)
        blocks, transactions = self._rates(best)
        pending = [node.pending for node in nodes if node.pending is not None]
        return Sight(
            at_ms=now_ms,
            nodes=tuple(nodes),
            height=None if best is None else best.height,
            blocks_per_s=blocks,
            transactions_per_s=transactions,
            pending=max(pending, default=None),
            findings_open=findings,
            waits=_waits(nodes),
            happened=tuple(happened),
            recent=tuple(self._recent),
        )

    def _changes(self, nodes: Sequence[NodeStatus]) -> list[str]:
        """Say which nodes are otherwise than at the last look."""
        told = []
        for node in nodes:
            now = (node.healthy, node.height is not None)  # not the reason: it may count seconds
            before = self._standing.get(node.name)
            self._standing[node.name] = now
            if before is None or before == now:
                continue
            told.append(f"{node.name}: {'healthy again' if node.healthy else _why(node)}")
        return told

    def _follow(self, entry: NodeEntry, tip: int) -> list[Happening]:
        """Count the transactions of new blocks, and tell the last of them."""
        if self._height is None or tip - self._height > _HEADERS_A_LOOK:
            self._samples.clear()  # what came before we looked is in no rate
            told_from = max(1, tip - _BLOCKS_TOLD + 1)
        else:
            told_from = max(self._height + 1, tip - _BLOCKS_TOLD + 1)
            self._transactions += _transactions_since(entry, self._height, tip)
        self._height = max(tip, self._height or 0)
        return [one for height in range(told_from, tip + 1) for one in _happened_in(entry, height)]

    def _rates(self, best: NodeStatus | None) -> tuple[float | None, float | None]:
        if best is None or self._height is None:
            return None, None
        now = self._clock()
        self._samples.append((now, self._height, self._transactions))
        while len(self._samples) > 2 and now - self._samples[1][0] >= RATE_S:
            self._samples.popleft()
        first, height, transactions = self._samples[0]
        if now <= first:
            return None, None
        blocks, more = self._height - height, self._transactions - transactions
        return round(blocks / (now - first), 2), round(more / (now - first), 2)


def _height(node: NodeStatus) -> int:
    return node.height or 0


def _why(node: NodeStatus) -> str:
    return node.why_stalled or "not healthy"


def _waits(nodes: Sequence[NodeStatus]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    reasons: dict[str, list[str]] = {}
    for node in nodes:
        if not node.healthy:
            reasons.setdefault(_why(node), []).append(node.name)
    return tuple((reason, tuple(names)) for reason, names in reasons.items())


def _transactions_since(entry: NodeEntry, height: int, tip: int) -> int:
    """Return how many transactions blocks ``height`` + 1 to ``tip`` hold, as a node says."""
    count = 0
    while height < tip:
        page = processes.ask(entry, f"/v1/headers?from={height + 1}&limit={min(100, tip - height)}") or {}
        headers = page.get("headers") or []
        if not headers:
            break
        count += sum(one["header"]["tx_count"] for one in headers)
        height += len(headers)
    return count


def _happened_in(entry: NodeEntry, height: int) -> list[Happening]:
    """Say what a block did, its last transactions only."""
    block = processes.ask(entry, f"/v1/blocks/{height}")
    if block is None:
        return []
    time_ms, transactions = block["header"]["time_ms"], block["transactions"]
    if not transactions:
        return [Happening(time_ms, f"block {height}: no transaction")]
    told = [Happening(time_ms, f"block {height}: {_said(one)}") for one in transactions[-_TRANSACTIONS_TOLD:]]
    left = len(transactions) - len(told)
    return [Happening(time_ms, f"block {height}: {left} more transactions"), *told] if left else told


def _said(transaction: dict[str, Any]) -> str:
    receipt = transaction["receipt"]
    outcome = "" if receipt["ok"] else f", refused: {receipt['code']}"
    return f"{transaction['contract']}.{transaction['action']} by {transaction['sender']}{outcome}"


def _findings_open(entry: NodeEntry) -> int | None:
    """Return how many findings are not closed, as a node counts them."""
    document = processes.ask(entry, "/v1/findings/statistics")
    if document is None:
        return None
    return sum(int(row["count"]) for row in document.get("counts", ()) if row["status"] != "closed")
