"""Joining by a snapshot: whom to ask for which headers and chunks, and what of the answers to keep.

Law: nothing is kept that does not prove itself. A manifest leads to the state root of its header, a header to the one
before it and to a quorum's certificate, a chunk to its manifest. So a liar is known by its own message, everything that
was kept counts, and as long as one honest peer answers the node gets on. What is held here is bounded.

Phases: ASKING for offers; HEADS, from the own tip to the snapshot; ITEMS, its chunks and its block; COMPLETE.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, TypeAlias

from coseal.ledger import signing
from coseal.ledger.errors import BadProof, LedgerError
from coseal.ledger.head import Head
from coseal.ledger.proof import verify_certified
from coseal.ledger.signing import Verify
from coseal.ledger.snapshot import Manifest
from coseal.node.core.header_chain import HeaderChain
from coseal.node.core.wire import MAX_HEADS, GetHeads, GetItem, GetSnapshot

ASK_MS: Final = 2_000
REQUEST_TIMEOUT_MS: Final = 10_000
IN_FLIGHT_MAX: Final = 4
HEADS_WINDOW: Final = 8 * MAX_HEADS

Request: TypeAlias = tuple[str, GetSnapshot | GetHeads | GetItem]
IsLiar: TypeAlias = Callable[[str, int], bool]


class Phase(Enum):
    """Where joining stands; IDLE: it is not wanted."""

    IDLE = "idle"
    ASKING = "asking"
    HEADS = "heads"
    ITEMS = "items"
    COMPLETE = "complete"


@dataclass(slots=True)
class _Peer:
    connected: bool = False
    offer: Manifest | None = None
    asked_ms: int | None = None  # when it was last asked for an offer
    silences: int = 0
    asked: dict[int, int] = field(default_factory=dict)  # first height or item -> asked at ms


class SnapshotSync:
    """The state of joining; ``header_chain`` is what is believed, at first the own tip."""

    def __init__(self, header_chain: HeaderChain, is_liar: IsLiar, verify: Verify = signing.verify) -> None:
        self.header_chain = header_chain
        self.phase = Phase.IDLE
        self.chosen: Manifest | None = None
        self.items: set[int] = set()
        self._is_liar, self._verify = is_liar, verify
        self._peers: dict[str, _Peer] = {}
        self._heads: dict[int, tuple[str, list[Head]]] = {}
        self._offered_ms: int | None = None

    # What we learn

    def connected(self, peer: str) -> None:
        """A link to ``peer`` is up."""
        self._peers[peer] = _Peer(connected=True)

    def disconnected(self, peer: str) -> None:
        """The link is gone, and with it what was asked and offered on it."""
        self._peers[peer] = _Peer()

    def resume(self, manifest: Manifest, heads: Iterable[Head], items: Iterable[int]) -> None:
        """Go on from what an earlier process kept; what does not follow the tip is left out."""
        header_chain = self.header_chain
        try:
            for head in heads:
                if head.header.height > header_chain.height:
                    header_chain = header_chain.follow(head, None)
        except LedgerError:
            return
        if manifest.height <= self.header_chain.height or header_chain.height >= manifest.height:
            return
        self.header_chain, self.chosen, self.items = header_chain, manifest, set(items)

    def want(self, header_chain: HeaderChain) -> None:
        """Blocks alone will not do (any more): begin from the own tip, or go on with what an earlier process kept."""
        self.advanced(header_chain)
        if self.phase is Phase.IDLE:
            self.phase = Phase.ASKING if self.chosen is None else Phase.HEADS

    def advanced(self, header_chain: HeaderChain) -> None:
        """The node has executed blocks: below that nothing is needed."""
        if header_chain.height > self.header_chain.height:
            self.header_chain = header_chain
            self._heads.clear()
            self._forget_old_offers()
        if self.chosen is not None and self.chosen.height <= header_chain.height:
            self.abandon()

    def _forget_old_offers(self) -> None:
        """Ask those again who offered what the node has passed by now."""
        for state in self._peers.values():
            if state.offer is not None and state.offer.height <= self.header_chain.height:
                state.offer, state.asked_ms = None, None
        if all(state.offer is None for state in self._peers.values()):
            self._offered_ms = None

    def rest(self) -> None:
        """Blocks will do: ask for nothing more. What was kept stays, for the next time."""
        if self.phase is not Phase.COMPLETE:
            self.phase = Phase.IDLE

    def abandon(self) -> None:
        """Give the chosen snapshot up and ask for others; headers stay."""
        self.chosen = None
        self.items.clear()
        self._heads.clear()
        self._offered_ms = None
        for state in self._peers.values():
            state.offer, state.asked_ms = None, None
            state.asked.clear()
        if self.phase is not Phase.IDLE:
            self.phase = Phase.ASKING

    def distrust(self, peer: str) -> None:
        """``peer`` gave something that is provably wrong: what it offers and was asked counts no more."""
        state = self._peers.get(peer)
        if state is not None:
            state.offer = None
            state.asked.clear()
        for start in [start for start, (giver, _) in self._heads.items() if giver == peer]:
            del self._heads[start]

    # Answers

    def offered(self, peer: str, raw: bytes | None, now_ms: int) -> None:
        """Take an offer (None: the peer has no snapshot); raise ``LedgerError`` if it proves nothing."""
        state = self._peer(peer)
        if state.asked_ms is None or raw is None or state.offer is not None:
            return
        manifest = Manifest.decode(raw)
        header = manifest.header
        if header.chain_id != self.header_chain.chain_id:
            raise BadProof("the snapshot is of another chain")
        if header.epoch == self.header_chain.validators.epoch:  # of a later epoch: proven when its headers are followed
            verify_certified(
                header, manifest.certificate, self.header_chain.chain_id, self.header_chain.validators, self._verify
            )
        state.offer = manifest
        if self._offered_ms is None:
            self._offered_ms = now_ms

    def heads_received(self, peer: str, from_height: int, raws: tuple[bytes, ...]) -> tuple[list[bytes], str | None]:
        """Take headers; return those to keep now, in order, and who gave one that does not follow, if anybody did.

        Raises ``LedgerError`` if these cannot be what was asked for.
        """
        if not self._answered(peer, from_height, bool(raws)) or self.phase is not Phase.HEADS:
            return [], None
        heads = [Head.decode(raw) for raw in raws[:MAX_HEADS]]
        if any(head.header.height != from_height + offset for offset, head in enumerate(heads)):
            raise BadProof("the headers are of other heights than asked for")
        if heads and from_height + len(heads) > self.header_chain.height + 1:
            self._heads[from_height] = (peer, heads)
        return self._follow()

    def _follow(self) -> tuple[list[bytes], str | None]:
        """Believe what follows the last believed header."""
        kept: list[bytes] = []
        chosen = self.chosen
        while chosen is not None and (found := self._next()) is not None:
            start, (peer, heads) = found
            try:
                for head in heads:
                    if self.header_chain.height < head.header.height < chosen.height:
                        self.header_chain = self.header_chain.follow(head, self._verify)
                        kept.append(head.encode())
            except LedgerError:
                self.distrust(peer)
                return kept, peer
            self._heads.pop(start, None)
        return kept, None

    def _next(self) -> tuple[int, tuple[str, list[Head]]] | None:
        """Return the received run that holds the height after the last believed header, dropping what is below it."""
        for start, (peer, heads) in sorted(self._heads.items()):
            if start + len(heads) - 1 <= self.header_chain.height:
                del self._heads[start]
            elif start <= self.header_chain.height + 1:
                return start, (peer, heads)
        return None

    def item_received(self, peer: str, height: int, item: int, data: bytes | None) -> bool:
        """Take a chunk or the block, None if the peer has it no more; say whether to keep it.

        Raises ``LedgerError`` if it is not what the manifest names.
        """
        chosen = self.chosen
        if chosen is None or height != chosen.height or self.phase is not Phase.ITEMS:
            return False
        if not self._answered(peer, item, data is not None) or item in self.items or item > chosen.chunks:
            return False
        if data is None:
            self._peer(peer).offer = None
            return False
        committed = chosen.check(item, data)
        if committed is not None:
            self.header_chain.check(chosen.header, committed.certificate, self._verify)  # Z7
        self.items.add(item)
        return True

    def _answered(self, peer: str, what: int, good: bool) -> bool:
        state = self._peer(peer)
        if state.asked.pop(what, None) is None:
            return False
        state.silences = 0 if good else state.silences + 1
        return True

    # What we do

    def tick(self, now_ms: int) -> None:
        """Give up on what was asked too long ago."""
        for state in self._peers.values():
            late = [what for what, at_ms in state.asked.items() if not 0 <= now_ms - at_ms < REQUEST_TIMEOUT_MS]
            for what in late:
                del state.asked[what]
            state.silences += bool(late)

    def decide(self, now_ms: int) -> Manifest | None:
        """Move on to the next phase where this one is done; return a snapshot that was chosen now."""
        if self.phase is Phase.ASKING and (found := self._choice(now_ms)) is not None:
            self.chosen, self.phase = found, Phase.HEADS
            self.items.clear()
            self._decide_heads()
            return found
        if self.phase is Phase.HEADS:
            self._decide_heads()
        if self.phase is Phase.ITEMS and self.chosen is not None:
            if len(self.items) == self.chosen.chunks + 1:
                self.phase = Phase.COMPLETE
            elif not self._holders(now_ms) and self._all_answered(now_ms):
                self.abandon()
        return None

    def _choice(self, now_ms: int) -> Manifest | None:
        """Return the highest offer, one that is proven rather than not, after all have answered or a while."""
        if self._offered_ms is None:
            return None
        waiting = [
            name
            for name, state in self._peers.items()
            if state.connected and state.offer is None and not self._is_liar(name, now_ms)
        ]
        if waiting and 0 <= now_ms - self._offered_ms < ASK_MS // 2:
            return None
        offers = [
            (state.offer.header.epoch == self.header_chain.validators.epoch, state.offer.height, name)
            for name, state in self._peers.items()
            if state.offer is not None
            and state.offer.height > self.header_chain.height
            and not self._is_liar(name, now_ms)
        ]
        return self._peers[max(offers)[2]].offer if offers else None

    def _decide_heads(self) -> None:
        """When the header before the snapshot is believed, its own must follow; only then are chunks worth asking."""
        chosen = self.chosen
        if chosen is None or self.header_chain.height < chosen.height - 1:
            return
        try:
            self.header_chain.check(chosen.header, chosen.certificate, self._verify)
        except LedgerError:
            self.abandon()
            return
        self._heads.clear()
        for state in self._peers.values():
            state.asked.clear()
        self.phase = Phase.ITEMS

    def requests(self, now_ms: int) -> list[Request]:
        """Return what to ask now, and remember that it was asked."""
        found: list[Request] = []
        if self.phase in (Phase.IDLE, Phase.COMPLETE):
            return found
        for name, state in self._peers.items():  # also later: others may have come, or have it by now
            asked_lately = state.asked_ms is not None and 0 <= now_ms - state.asked_ms < ASK_MS
            if state.connected and state.offer is None and not asked_lately and not self._is_liar(name, now_ms):
                state.asked_ms = now_ms
                found.append((name, GetSnapshot()))
        if self.phase is Phase.HEADS:
            found += self._head_requests(now_ms)
        elif self.phase is Phase.ITEMS:
            found += self._item_requests(now_ms)
        return found

    def _head_requests(self, now_ms: int) -> list[Request]:
        found: list[Request] = []
        if self.chosen is None:
            return found
        covered = set(self._asked())
        for start, (_, heads) in self._heads.items():
            covered.update(range(start, start + len(heads)))
        height, end = self.header_chain.height + 1, min(self.chosen.height, self.header_chain.height + 1 + HEADS_WINDOW)
        while height < end:
            if height in covered:
                height += 1
                continue
            limit = 1
            while limit < MAX_HEADS and height + limit < end and height + limit not in covered:
                limit += 1
            able = [name for name, state in self._peers.items() if state.connected]
            peer = self._best(able, now_ms)
            if peer is None:
                break
            self._peers[peer].asked[height] = now_ms
            found.append((peer, GetHeads(height, limit)))
            height += limit
        return found

    def _asked(self) -> Iterable[int]:
        """Yield the heights that are under way: a run is asked for whole."""
        for state in self._peers.values():
            for start in state.asked:
                yield from range(start, start + MAX_HEADS)

    def _item_requests(self, now_ms: int) -> list[Request]:
        found: list[Request] = []
        chosen = self.chosen
        if chosen is None:
            return found
        under_way = {what for state in self._peers.values() for what in state.asked}
        for item in range(chosen.chunks, -1, -1):  # the block first
            if item in self.items or item in under_way:
                continue
            peer = self._best(self._holders(now_ms), now_ms)
            if peer is None:
                break
            self._peers[peer].asked[item] = now_ms
            found.append((peer, GetItem(chosen.height, item)))
        return found

    def _holders(self, now_ms: int) -> list[str]:
        """Return who offers the chosen snapshot."""
        chosen = self.chosen
        return [
            name
            for name, state in self._peers.items()
            if chosen is not None
            and state.connected
            and state.offer is not None
            and (state.offer.header.hash, state.offer.hashes) == (chosen.header.hash, chosen.hashes)
            and not self._is_liar(name, now_ms)
        ]

    def _all_answered(self, now_ms: int) -> bool:
        """Say whether every peer has had its time to offer what was chosen."""
        states = [state for name, state in self._peers.items() if state.connected and not self._is_liar(name, now_ms)]
        return bool(states) and all(
            state.offer is not None or (state.asked_ms is not None and now_ms - state.asked_ms >= ASK_MS // 2)
            for state in states
        )

    def _best(self, names: Iterable[str], now_ms: int) -> str | None:
        """Return whom to ask: who answered last time, then who has least to do."""
        able = [
            (self._peers[name].silences, len(self._peers[name].asked), name)
            for name in names
            if len(self._peers[name].asked) < IN_FLIGHT_MAX and not self._is_liar(name, now_ms)
        ]
        return min(able)[2] if able else None

    def _peer(self, name: str) -> _Peer:
        return self._peers.setdefault(name, _Peer())
