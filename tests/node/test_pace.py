from __future__ import annotations

from node.pace import (
    QUEUE_MAX_BYTES,
    QUEUE_MIN_BYTES,
    ROOM_FIRST_BYTES,
    ROOM_MAX_BYTES,
    ROOM_MIN_BYTES,
    Pace,
    Throughput,
)


def test_the_room_follows_what_blocks_take_to_a_tenth_of_a_round() -> None:
    pace = Pace(1_000)
    for _ in range(32):
        pace.took(pace.room_bytes, pace.room_bytes // 1_000)  # 1,000 bytes a millisecond
    assert abs(pace.room_bytes - 100_000) < 1_000
    for _ in range(32):
        pace.took(pace.room_bytes, pace.room_bytes // 10_000)
    assert abs(pace.room_bytes - 1_000_000) < 10_000


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


def test_the_queue_holds_what_is_committed_in_a_second_and_a_half() -> None:
    queue = Throughput()
    for tick in range(200):
        queue.committed(50_000, 50 * tick, waiting=True)  # 1 MB a second
    assert abs(queue.room_bytes - 1_500_000) < 40_000


def test_the_queue_keeps_its_bounds() -> None:
    queue = Throughput()
    for tick in range(200):
        queue.committed(1, 500 * tick, waiting=True)
    assert queue.room_bytes == QUEUE_MIN_BYTES
    for tick in range(200):
        queue.committed(100_000_000, 1_000_000 + 500 * tick, waiting=True)
    assert queue.room_bytes == QUEUE_MAX_BYTES


def test_a_chain_that_keeps_up_tells_nothing_of_what_it_could_commit() -> None:
    queue = Throughput()
    first_bytes = queue.room_bytes
    for tick in range(200):
        queue.committed(1_000, 400 * tick, waiting=tick % 2 == 0)
    assert queue.room_bytes == first_bytes
