"""How long to wait, as integers.

Law: every duration is a pure function of parameters, round and what was measured; all are capped.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from coseal.ledger.genesis import Parameters

FETCH_MS: Final = 2_000
REBROADCAST_MS: Final = 1_000
_JITTER_MS: Final = 200
_SHIFT_MAX: Final = 40  # 2^40 of anything is beyond every cap


def doubled_ms(base_ms: int, round: int, cap_ms: int) -> int:
    """Return base * 2^round, at most ``cap_ms``."""
    return min(base_ms << min(round, _SHIFT_MAX), cap_ms)


def round_timeout_ms(parameters: Parameters, execution_ms: int, round: int) -> int:
    """Return T(r) = min(T0 * 2^r, cap) with T0 = the configured base + 3 x the average execution (T1)."""
    return doubled_ms(parameters.round_timeout_ms + 3 * execution_ms, round, parameters.round_timeout_ms_max)


def rebroadcast_ms(node_id: str, height: int, tick: int) -> int:
    """Return about a second, spread so that nodes do not all send at once, the same on every run (T4)."""
    spread = sha256(f"{node_id}/{height}/{tick}".encode()).digest()[0]
    return REBROADCAST_MS - _JITTER_MS // 2 + spread * _JITTER_MS // 255


def average_ms(average: int, sample: int) -> int:
    """Return the moving average after one more sample; it forgets with a weight of 1/8."""
    return (7 * average + sample + 4) // 8
