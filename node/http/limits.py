"""The limits of the HTTP API, and the token buckets that enforce the rate.

Law: what an unauthenticated client can make this node hold or do is bounded by the numbers here.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

STILL_S: Final = 5
"""How long a sender that is held off must send nothing, s; longer than a busy node or client pauses by itself."""


@dataclass(frozen=True, slots=True)
class Limits:  # Y29
    """Bounds of one node's HTTP API; all can be set in ``node.toml`` under ``[http_limits]``.

    A rate counts requests, and transactions: a batch of 500 costs 500 of ``transactions_per_s``. ``burst_s`` is
    how many seconds of a rate may be used at once. ``bodies_bytes`` bounds the bodies of all requests together.
    ``handshakes`` bounds the connections whose TLS handshake is not done; beyond, the oldest of them is closed.
    Addresses of the loopback interface have their own, wide rate. ``refused_per_s``: how many transactions a sender may
    have refused for lack of room on a connection before it is held off (see ``Patience``).
    """

    body_bytes: int = 8 * 1024 * 1024
    bodies_bytes: int = 64 * 1024 * 1024
    header_bytes: int = 16 * 1024
    header_seconds: float = 10.0
    body_seconds: float = 30.0
    keep_alive_seconds: float = 75.0
    write_seconds: float = 60.0
    connections: int = 1_000
    connections_per_address: int = 200
    handshake_seconds: float = 5.0
    handshakes: int = 128
    handshakes_per_address: int = 32
    streams: int = 64
    batch_transactions: int = 1_000
    response_bytes: int = 8 * 1024 * 1024
    wait_seconds: float = 30.0
    requests_per_s: int = 500
    loopback_requests_per_s: int = 50_000
    transactions_per_s: int = 5_000
    loopback_transactions_per_s: int = 200_000
    burst_s: int = 2
    refused_per_s: int = 20
    buckets: int = 10_000
    nonces: int = 100_000
    idempotency_keys: int = 100_000


class TokenBuckets:
    """One bucket for each of the most recently seen keys, at most ``limit`` of them.

    A bucket holds up to ``rate * burst_s`` and refills at ``rate`` a second. A key forgotten for lack of room
    starts again with a full bucket, which is the price of a bound.
    """

    def __init__(self, burst_s: int, limit: int) -> None:
        self._burst_s = burst_s
        self._limit = limit
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, amount: float, rate: float, now_s: float) -> float:
        """Take ``amount`` from the bucket of ``key`` and return 0, or return the seconds until there is enough.

        More than a whole bucket is let through when the bucket is full, and paid for afterwards.
        """
        capacity = rate * self._burst_s
        level, then = self._buckets.pop(key, (capacity, now_s))
        level = min(capacity, level + max(0.0, now_s - then) * rate)
        enough = level >= min(amount, capacity)
        self._buckets[key] = (level - amount if enough else level, now_s)
        if len(self._buckets) > self._limit:
            self._buckets.popitem(last=False)
        return 0.0 if enough else (min(amount, capacity) - level) / rate


class Patience:
    """Who is refused for lack of room again and again and does not wait: held off until it has been still for a while.

    Law: what is refused costs less than what is served, so repeating it wins nothing and takes nothing from others.
    """

    def __init__(self, limits: Limits) -> None:
        self._rate, self._limit = limits.refused_per_s, limits.buckets
        self._allowance = TokenBuckets(limits.burst_s, limits.buckets)
        self._last: OrderedDict[str, float] = OrderedDict()  # of who is held off: when it came last

    def refused(self, key: str, count: int, now_s: float) -> None:
        """Note that ``count`` transactions of ``key`` had no room."""
        if self._allowance.take(key, count, self._rate, now_s) > 0:
            self._last[key] = now_s
            if len(self._last) > self._limit:
                self._last.popitem(last=False)

    def holds_off(self, key: str, now_s: float) -> bool:
        """Say whether ``key`` comes too early; then its time to be still begins again."""
        last = self._last.pop(key, None)
        if last is None or now_s - last >= STILL_S:  # Y30
            return False
        self._last[key] = now_s
        return True
