from __future__ import annotations

from node.pace import ROOM_FIRST_BYTES, ROOM_MAX_BYTES, ROOM_MIN_BYTES, Pace


def test_the_room_follows_what_blocks_take_to_a_quarter_of_a_round() -> None:
    pace = Pace(1_000)
    for _ in range(32):
        pace.took(pace.room_bytes, pace.room_bytes // 1_000)  # 1,000 bytes a millisecond
    assert abs(pace.room_bytes - 250_000) < 1_000
    for _ in range(32):
        pace.took(pace.room_bytes, pace.room_bytes // 4_000)
    assert abs(pace.room_bytes - 1_000_000) < 4_000


def test_the_room_stays_within_its_bounds() -> None:
    pace = Pace(1_000)
    for _ in range(64):
        pace.took(pace.room_bytes, 60_000)
    assert pace.room_bytes == ROOM_MIN_BYTES
    for _ in range(64):
        pace.took(pace.room_bytes, 0)
    assert pace.room_bytes == ROOM_MAX_BYTES


def test_small_blocks_tell_nothing() -> None:
    pace = Pace(1_000)
    pace.took(ROOM_MIN_BYTES // 2 - 1, 10_000)
    assert pace.room_bytes == ROOM_FIRST_BYTES
