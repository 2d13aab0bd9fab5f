"""Catching up by blocks: whom to ask for what, and which blocks to try next.

Law: nothing a peer claims is believed before its certificate verifies (CVE-2025-24371), nothing is kept
without bound, and as long as one honest peer answers the node gets on: who lies, stalls or drips is asked last.

A chunk is a run of consecutive heights asked of one peer: as many blocks as take ``CHUNK_BYTES`` by their size of
late. Chunks of different peers are in flight at once; what comes back waits, bounded, until the blocks before it are
executed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

CHUNK_BLOCKS: Final = 16
CHUNK_BYTES: Final = 128 * 1024
"""What a chunk should hold: less than a peer puts into an answer, for one cut short leaves a low height to be asked for
behind higher ones."""
IN_FLIGHT_MAX: Final = 3
"""Enough that a peer is never idle; more would make the next height wait behind others in each queue."""
WINDOW_BLOCKS: Final = 16 * CHUNK_BLOCKS
BUFFER_BYTES_MAX: Final = 32 * 1024 * 1024
REQUEST_TIMEOUT_MS: Final = 3_000
# N20: how long a liar is not asked, and its claims count for nothing.
FORGIVE_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Request:
    """Ask ``peer`` for ``limit`` blocks from ``from_height`` on."""

    peer: str
    from_height: int
    limit: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """The block and certificate bytes that ``peer`` gave for the next height."""

    peer: str
    block: bytes
    certificate: bytes


@dataclass(slots=True)
class _Peer:
    height: int = 0
    claimed: int = 0
    first: int = 1  # the lowest block it has
    connected: bool = False
    lied_ms: int | None = None
    silences: int = 0  # since its last good answer
    pace_ms: int = 0  # of its last answer, a block
    asked: dict[int, tuple[int, int]] = field(default_factory=dict)  # from_height -> (limit, asked at ms)


class Sync:
    """The state of catching up; ``tip`` is the height executed here."""

    def __init__(self, tip: int) -> None:
        self.tip = tip
        self._peers: dict[str, _Peer] = {}
        self._buffer: dict[int, Fetched] = {}
        self.buffer_bytes = 0
        self._chunk_blocks = 1  # until the size of blocks is known
        self._wanted = 0
        self._behind_at = -1  # the tip at the last tick, if somebody was ahead of it then
        self._stuck = False

    # What we learn

    def connected(self, peer: str) -> None:
        """A link to ``peer`` is up."""
        state = self._peer(peer)
        state.connected, state.first = True, 1

    def disconnected(self, peer: str) -> None:
        """The link is gone, and with it what was asked on it."""
        state = self._peer(peer)
        state.connected = False
        state.asked.clear()

    def proven(self, peer: str, height: int) -> None:
        """``peer`` showed a certificate for ``height`` that verified."""
        state = self._peer(peer)
        state.height = state.claimed = height

    def hinted(self, peer: str, height: int) -> None:
        """``peer`` shows a tip that we cannot verify yet (a later epoch): it alone is asked, for one chunk a time."""
        state = self._peer(peer)
        state.claimed = max(state.claimed, height)

    def pruned(self, peer: str, from_height: int, first_height: int) -> None:
        """``peer`` answers a question for ``from_height`` that its blocks begin at ``first_height``."""
        state = self._peer(peer)
        if state.asked.pop(from_height, None) is not None:
            state.first = first_height

    def want_next(self) -> None:
        """The network has decided the next height: ask at once, even for one block."""
        self._wanted = self.tip + 1

    def advanced(self, tip: int) -> None:
        """Blocks up to ``tip`` are executed here, however they came."""
        self.tip = tip
        self._stuck = False
        for height in [height for height in self._buffer if height <= tip]:
            self._discard(height)

    def lied(self, peer: str, now_ms: int) -> None:
        """``peer`` gave something that is provably wrong."""
        state = self._peer(peer)
        state.lied_ms = now_ms
        state.height = state.claimed = 0

    # What we think

    def peer_height(self, peer: str) -> int:
        """The highest tip ``peer`` has proven."""
        state = self._peers.get(peer)
        return 0 if state is None else state.height

    @property
    def out_of_reach(self) -> bool:
        """Whether some peer is ahead, and of those that are none has the block after the tip any more."""
        ahead = [state for state in self._peers.values() if state.connected and state.claimed > self.tip]
        return bool(ahead) and all(state.first > self.tip + 1 for state in ahead)

    @property
    def target(self) -> int:
        """The highest tip anybody connected has proven."""
        return max((state.height for state in self._peers.values() if state.connected), default=0)

    @property
    def claimed(self) -> int:
        """The highest tip anybody connected shows, also one of an epoch that cannot be verified here yet."""
        return self.claimed_by(1)

    def claimed_by(self, count: int) -> int:
        """The highest tip that this many connected peers show, or more; 0 if there are fewer."""
        claims = sorted((state.claimed for state in self._peers.values() if state.connected), reverse=True)
        return claims[count - 1] if len(claims) >= count else 0

    def is_behind(self, weak_quorum: int) -> bool:
        """Whether this node is behind, by what was proven to it or what f + 1 peers show of a later epoch."""
        return self.syncing or self.claimed_by(weak_quorum) > self.tip + 1

    @property
    def syncing(self) -> bool:
        """Whether this node is behind by more than the block that is just being decided."""
        return self.target > self.tip + 1 or (self._stuck and self.target > self.tip)

    def is_liar(self, peer: str, now_ms: int) -> bool:
        """Say whether ``peer`` is not worth listening to for now; forgives it after a while."""
        state = self._peer(peer)
        if state.lied_ms is not None and _is_over(state.lied_ms, FORGIVE_MS, now_ms):
            state.lied_ms = None
        return state.lied_ms is not None

    # What we do

    def received(self, peer: str, from_height: int, blocks: tuple[tuple[bytes, bytes], ...], now_ms: int) -> bool:
        """Take an answer; False if nobody asked for it."""
        state = self._peer(peer)
        asked = state.asked.pop(from_height, None)
        if asked is None:
            return False
        limit, asked_ms = asked
        state.silences = 0 if blocks else state.silences + 1
        state.pace_ms = max(0, now_ms - asked_ms) // max(1, len(blocks))
        for offset, (block, certificate) in enumerate(blocks[:limit]):
            height = from_height + offset
            if height > self.tip and height not in self._buffer:
                self._buffer[height] = Fetched(peer, block, certificate)
                self.buffer_bytes += len(block) + len(certificate)
        if blocks:
            mean_bytes = sum([len(block) for block, _ in blocks]) // len(blocks)
            self._chunk_blocks = max(1, min(CHUNK_BLOCKS, CHUNK_BYTES // max(1, mean_bytes)))
        self._trim()
        return True

    def next_block(self) -> Fetched | None:
        """Return what was fetched for the height after the tip, if it is here."""
        return self._buffer.get(self.tip + 1)

    def refused(self, now_ms: int) -> str | None:
        """The block ``next_block`` returned is not what it should be: drop it, and return its giver, a liar."""
        fetched = self._buffer.get(self.tip + 1)
        if fetched is None:
            return None
        for height in [height for height, item in self._buffer.items() if item.peer == fetched.peer]:
            self._discard(height)
        self.lied(fetched.peer, now_ms)
        return fetched.peer

    def tick(self, now_ms: int) -> None:
        """Give up on what was asked too long ago; a peer one block ahead for a whole tick is followed as well."""
        for state in self._peers.values():
            late = [start for start, (_, at_ms) in state.asked.items() if _is_over(at_ms, REQUEST_TIMEOUT_MS, now_ms)]
            for start in late:
                del state.asked[start]
            state.silences += bool(late)
        self._stuck = self.target > self.tip == self._behind_at
        self._behind_at = self.tip if self.target > self.tip else -1
        if self._stuck:
            self.want_next()

    def requests(self, now_ms: int) -> list[Request]:
        """Return what to ask now, and remember that it was asked."""
        asked: list[Request] = []
        if self.out_of_reach:
            return asked
        for start, limit in self._gaps():
            peer = self._best_peer(start, now_ms)
            if peer is None:
                continue
            state = self._peers[peer]
            available = min(limit, state.claimed - start + 1)
            state.asked[start] = (available, now_ms)
            asked.append(Request(peer, start, available))
        return asked

    def _gaps(self) -> list[tuple[int, int]]:
        """Return the (start, length) of runs that nobody was asked for, lowest first, within the window (N18)."""
        goal = self.claimed
        if goal <= self.tip or (goal == self.tip + 1 and self._wanted <= self.tip):
            return []
        end = min(goal, self.tip + WINDOW_BLOCKS)
        if self.buffer_bytes >= BUFFER_BYTES_MAX:
            end = min(end, self.tip + CHUNK_BLOCKS)
        taken = set(self._buffer)
        for state in self._peers.values():
            for start, (limit, _) in state.asked.items():
                taken.update(range(start, start + limit))
        gaps: list[tuple[int, int]] = []
        for height in range(self.tip + 1, end + 1):
            if height in taken:
                continue
            if gaps and gaps[-1][0] + gaps[-1][1] == height and gaps[-1][1] < self._chunk_blocks:
                gaps[-1] = (gaps[-1][0], gaps[-1][1] + 1)
            else:
                gaps.append((height, 1))
        return gaps

    def _best_peer(self, start: int, now_ms: int) -> str | None:
        """Return whom to ask: who answered last time, then who is quick, then who has least to do (N20)."""
        able = [
            (state.silences, state.pace_ms, len(state.asked), name)
            for name, state in self._peers.items()
            if state.connected
            and state.claimed >= start >= state.first
            and len(state.asked) < (IN_FLIGHT_MAX if state.height >= start else 1)
            and not self.is_liar(name, now_ms)
        ]
        return min(able)[3] if able else None

    def _trim(self) -> None:
        """Keep the buffer bounded by letting go of the highest blocks; they are asked for again."""
        while self.buffer_bytes > BUFFER_BYTES_MAX and len(self._buffer) > 1:
            self._discard(max(self._buffer))

    def _discard(self, height: int) -> None:
        fetched = self._buffer.pop(height)
        self.buffer_bytes -= len(fetched.block) + len(fetched.certificate)

    def _peer(self, name: str) -> _Peer:
        return self._peers.setdefault(name, _Peer())


def _is_over(since_ms: int, duration_ms: int, now_ms: int) -> bool:
    """Say whether a time has passed; it has, too, when the clock was set back."""
    return not 0 <= now_ms - since_ms < duration_ms
