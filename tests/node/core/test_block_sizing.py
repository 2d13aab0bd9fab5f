from __future__ import annotations

from coseal.contracts.kernel.budget import BLOCK_STEPS
from coseal.node.core.block_sizing import (
    QUEUE_MAX_BYTES,
    QUEUE_MIN_BYTES,
    ROOM_MIN_STEPS,
    BlockSizing,
    Throughput,
)


def test_the_first_block_is_what_the_slowest_machine_executes_in_a_tenth_of_a_round() -> None:
    assert [BlockSizing(timeout_ms).room_steps for timeout_ms in (10, 2_000, 60_000)] == [100_000, 400_000, 2_000_000]


def test_the_room_follows_what_blocks_take_to_a_tenth_of_a_round() -> None:
    sizing = BlockSizing(2_000)
    for _ in range(32):
        sizing.took(sizing.room_steps, sizing.room_steps // 1_000)  # 1,000 steps a millisecond
    assert abs(sizing.room_steps - 200_000) < 1_000
    for _ in range(32):
        sizing.took(sizing.room_steps, sizing.room_steps // 5_000)
    assert abs(sizing.room_steps - 1_000_000) < 5_000


def test_the_room_stays_within_its_bounds() -> None:
    sizing = BlockSizing(1_000)
    for _ in range(64):
        sizing.took(sizing.room_steps, 60_000)
    assert sizing.room_steps == ROOM_MIN_STEPS
    for _ in range(64):
        sizing.took(sizing.room_steps, 0)
    assert sizing.room_steps == BLOCK_STEPS


def test_blocks_of_few_steps_tell_nothing() -> None:
    sizing = BlockSizing(2_000)
    sizing.took(ROOM_MIN_STEPS // 2 - 1, 10_000)
    assert sizing.room_steps == BlockSizing(2_000).room_steps
    sizing.took(ROOM_MIN_STEPS // 2, 10_000)
    assert sizing.room_steps < BlockSizing(2_000).room_steps


def test_the_queue_holds_what_is_committed_in_a_second_and_a_half() -> None:
    queue = Throughput()
    queue.began(0)
    for tick in range(1, 200):
        queue.committed(50_000, 50 * tick, waiting=True)  # 1 MB a second
    assert abs(queue.room_bytes - 1_500_000) < 20_000


def test_the_queue_keeps_its_bounds() -> None:
    queue = Throughput()
    queue.began(0)
    for tick in range(1, 200):
        queue.committed(1, 500 * tick, waiting=True)
    assert queue.room_bytes == QUEUE_MIN_BYTES
    for tick in range(200, 400):
        queue.committed(100_000_000, 500 * tick, waiting=True)
    assert queue.room_bytes == QUEUE_MAX_BYTES


def test_the_time_in_which_nothing_waits_does_not_count() -> None:
    queue = Throughput()
    for hour in range(100):
        queue.began(3_600_000 * hour)
        queue.committed(50_000, 3_600_000 * hour + 50, waiting=False)
        queue.committed(1_000, 3_600_000 * hour + 600_000, waiting=False)  # a block of deadlines
    assert abs(queue.room_bytes - 1_500_000) < 20_000


def test_the_room_of_the_queue_never_keeps_blocks_small() -> None:
    """A block takes 10 ms and what it holds, at 2 MB a second; clients fill an eighth of the room, and again."""
    queue, now_ms = Throughput(), 0
    for _ in range(300):
        queue.began(now_ms)
        size_bytes = queue.room_bytes // 8
        now_ms += 10 + size_bytes // 2_000
        queue.committed(size_bytes, now_ms, waiting=False)
    assert queue.room_bytes > 2_500_000
