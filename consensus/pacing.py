"""The timers of one height, as data.

Law: one timer a kind; it runs while there is something to wait for, and only then (T2, T3, T6).

T1  T(r) = min(T0 * 2^r, cap), T0 = the configured base + 3 x the average execution (``timers``).
T2  The timer of round 0 runs only while there is work: height 1, a transaction, a deadline, the heartbeat, a proposal.
T3  The timer of a round r > 0 starts only when q distinct validators ask for rounds >= r.
T4  About every second we repeat what we said last, and while T3 does not hold ask for gossip of pending transactions.
T5  A timer that is not the current one of its kind is a no-op.
T6  Who sees that this height is decided elsewhere neither times nor proposes; only the block can help.
T7  The time of a fresh block (``rules.fresh_fault``).
T8  An idle chain wakes for a deadline, and for the heartbeat.
"""

from __future__ import annotations

from dataclasses import dataclass

from coseal.consensus import timers
from coseal.consensus.context import Context
from coseal.consensus.events import FetchBlock, StartTimer, StopTimer, Timer, TimerKind
from coseal.ledger.certificate import ROUND_MAX


@dataclass(frozen=True, slots=True)
class Fetching:
    """A body being fetched: from whom, and how often it was asked for."""

    block_hash: bytes
    peers: tuple[str, ...]
    attempt: int


class Pacing:
    """Which timers of ``height`` run."""

    def __init__(self, context: Context, height: int) -> None:
        self._context = context
        self._height = height
        self._running: dict[TimerKind, int] = {}
        self._ticks = 0
        self._heartbeat_due = False
        self.fetching: Fetching | None = None

    def has_work(self) -> bool:
        """Say whether a block should be made now (T2): the first one, a transaction, a deadline, the heartbeat."""
        application = self._context.application
        deadline_ms = application.next_deadline_ms()
        due = deadline_ms is not None and deadline_ms <= self._context.now_ms
        return self._height == 1 or self._heartbeat_due or due or application.has_work()

    def runs(self, kind: TimerKind) -> bool:
        """Say whether a timer of this kind runs."""
        return kind in self._running

    def take(self, timer: Timer) -> bool:
        """Say whether ``timer`` is the current one of its kind, which then no longer runs (T5)."""
        if timer.height != self._height or self._running.get(timer.kind) != timer.round:
            return False
        del self._running[timer.kind]
        return True

    def time_round(self, round: int) -> None:
        """Start the timer of ``round`` unless it runs (T1)."""
        if not self.runs(TimerKind.ROUND):
            config, execution_ms = self._context.config, self._context.execution_ms
            self._start(TimerKind.ROUND, round, timers.round_timeout_ms(config.parameters, execution_ms, round))

    def repeat(self) -> None:
        """Start the timer that repeats what we said, unless it runs (T4)."""
        if not self.runs(TimerKind.REBROADCAST):
            self._ticks = (self._ticks + 1) % ROUND_MAX
            node_id = self._context.config.node_id
            delay_ms = timers.rebroadcast_ms(node_id, self._height, self._ticks)
            self._start(TimerKind.REBROADCAST, self._ticks, delay_ms)

    def sleep(self) -> None:
        """Start the timer that wakes an idle chain for the next deadline or the heartbeat (T8)."""
        heartbeat_ms = self._context.config.parameters.heartbeat_ms
        deadline_ms = self._context.application.next_deadline_ms()
        delays = [heartbeat_ms] if heartbeat_ms > 0 else []
        if deadline_ms is not None:
            delays.append(max(0, deadline_ms - self._context.now_ms))
        if delays:
            self.wake_in(min(delays))

    def wake_in(self, delay_ms: int) -> None:
        """Start the timer that wakes the chain, unless it runs."""
        if not self.runs(TimerKind.HEARTBEAT):
            self._start(TimerKind.HEARTBEAT, 0, delay_ms)

    def wake(self) -> None:
        """The heartbeat is due: a block is made, with or without transactions (T8)."""
        self._heartbeat_due = True
        self._context.fire("T8")

    def fetch(self, block_hash: bytes, peers: tuple[str, ...], attempt: int = 0) -> None:
        """Ask for a body, and for it again from the next peer when it does not come."""
        self.fetching = Fetching(block_hash, peers, attempt)
        turn = attempt % len(peers) if peers else 0
        self._context.emit(FetchBlock(self._height, block_hash, peers[turn:] + peers[:turn]))
        self._start(TimerKind.FETCH, attempt, timers.FETCH_MS)

    def fetch_again(self) -> None:
        """Ask the next peer (a second peer after 2 s)."""
        if self.fetching is not None:
            self.fetch(self.fetching.block_hash, self.fetching.peers, (self.fetching.attempt + 1) % ROUND_MAX)

    def stop(self, kind: TimerKind) -> None:
        """Stop the timer of this kind, if it runs."""
        if self._running.pop(kind, None) is not None:
            self._context.emit(StopTimer(kind))
        if kind is TimerKind.FETCH:
            self.fetching = None

    def stop_all(self) -> None:
        """Stop every timer of this height."""
        for kind in list(self._running):
            self.stop(kind)

    def _start(self, kind: TimerKind, round: int, delay_ms: int) -> None:
        self._running[kind] = round
        self._context.emit(StartTimer(Timer(kind, self._height, round), delay_ms))
