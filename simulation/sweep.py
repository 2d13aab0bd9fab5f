"""Crashes at every place where one could matter: before, inside and after every write, before and after every send.

Law: the run is one without any chance or other fault, so a point is a number; each point is a run of its own, in which
one node dies there, restarts, and all must go on with every invariant kept.
"""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from coseal.consensus.persisted import fold
from coseal.ledger import framing
from coseal.node.core import journal, wire
from simulation.disk import Disk, Refused, Write
from simulation.invariants import Violation
from simulation.node import SimulatedNode
from simulation.phases import Course
from simulation.run import last_checks
from simulation.swarm import Options
from simulation.world import Crash, World

HEIGHTS: Final = 3
RESTART_MS: Final = 150
MODES: Final = {"write": ("before", "torn", "after"), "send": ("before", "after")}
Point: TypeAlias = tuple[int, str, int, str]
"""Endpoint, "write" or "send", which one (from 1), and the mode."""


@dataclass(slots=True)
class PlannedDisk(Disk):
    """A disk whose node dies at write ``at``; it counts them all."""

    at: int = 0
    mode: str = ""
    count: int = 0

    def perform(self, writes: list[Write]) -> None:
        """Carry out a batch up to the planned crash."""
        for write in writes:
            self.count += 1
            if self.count == self.at:
                if self.mode == "torn":
                    self.tear(write, 0.5)
                elif self.mode == "after":
                    self._perform(write)
                raise Refused("planned")
            self._perform(write)


class SweepWorld(World):
    """Four validators, a transaction a height, and one planned crash (None: only count)."""

    def __init__(self, point: Point | None) -> None:
        super().__init__(
            Options(heights_min=HEIGHTS, write_every_ms=60, tenure=1, round_timeout_ms=200), random.Random(1)
        )
        self.point = point
        self.sends = [0] * len(self.nodes)
        for node in self.nodes:
            at, mode = (point[2], point[3]) if point is not None and point[:2] == (node.index, "write") else (0, "")
            node.disk = PlannedDisk(node.disk.bits, node.disk.journal, at=at, mode=mode)

    def disk_failed(self, node: SimulatedNode) -> None:
        """The planned crash at a write."""
        self._die(node)

    def send(self, node: SimulatedNode, peer: str | None, message: wire.WireMessage, data: bytes) -> None:
        """Send, and perhaps die before or after it."""
        self.sends[node.index] += 1
        planned = self.point == (node.index, "send", self.sends[node.index], "before")
        if planned:
            self._die(node)
            return
        super().send(node, peer, message, data)
        if self.point == (node.index, "send", self.sends[node.index], "after"):
            self._die(node)

    def _die(self, node: SimulatedNode) -> None:
        self.say(f"{node.id} dies at {self.point}")
        node.disk.store, node.disk.store_height = None, 0
        self._down(node, "planned")
        self.boot_later(node, RESTART_MS)

    def reached(self) -> bool:
        """Say whether the planned point came."""
        if self.point is None:
            return True
        index, kind, number, _ = self.point
        disk = self.nodes[index].disk
        count = disk.count if kind == "write" and isinstance(disk, PlannedDisk) else self.sends[index]
        return count >= number


def run_point(point: Point | None) -> tuple[SweepWorld, str | None]:
    """Run one point; return the world and what went wrong, or None."""
    world = SweepWorld(point)
    try:
        course = Course(world)
        course.start()
        world.healed = True  # no faults but the planned one; clients stop at the last height
        course.ask_again()
        if not world.run(course.settled, 60_000):
            return world, f"I17 no progress: {'; '.join(node.decision() for node in world.nodes)}"
        last_checks(world)
    except (Violation, Crash) as error:
        return world, str(error)
    return world, None


def points() -> Iterator[Point]:
    """Yield every point of the run without a crash."""
    world, failure = run_point(None)
    if failure is not None:
        raise Violation(failure)
    for node in world.nodes:
        writes = node.disk.count if isinstance(node.disk, PlannedDisk) else 0
        for kind, count in (("write", writes), ("send", world.sends[node.index])):
            for number in range(1, count + 1):
                yield from ((node.index, kind, number, mode) for mode in MODES[kind])


def judge(point: Point) -> tuple[Point, bool, str | None]:
    """Run one point; return it, whether it was reached, and what went wrong."""
    world, failure = run_point(point)
    return point, world.reached(), failure


def last_record_positions(data: bytes, chain_id: bytes, node_id: str) -> tuple[int, list[str]]:
    """Damage every byte of the last record of every prefix of a journal; return how often, and what was forgotten.

    A prefix ends where a batch may: not between a signature and its second copy. Damage is a cut before the byte, or
    a flipped bit in it. A node that may still vote must know everything that it signed.
    """
    ends = [record.end for record in framing.scan(data, first_sequence=1).records]
    tried, wrong = 0, list[str]()
    for count in range(2, len(ends) + 1):
        whole = journal.load(data[: ends[count - 1]], chain_id, node_id).journal
        before = journal.load(data[: ends[count - 2]], chain_id, node_id).journal
        if fold(whole._records).signs != fold(before._records).signs:
            continue  # the first copy of a signature: not durable yet
        for position in range(ends[count - 2], ends[count - 1]):
            flipped = bytearray(data[: ends[count - 1]])
            flipped[position] ^= 1
            for damaged in (data[:position], bytes(flipped)):
                tried += 1
                loaded = journal.load(damaged, chain_id, node_id)
                if loaded.entitles and loaded.journal.persisted.signs != whole.persisted.signs:
                    wrong.append(f"record {count}, byte {position}: a signature is forgotten")
    return tried, wrong


def main(*, workers: int = 2) -> int:
    """Run the whole sweep, print what it covered and return the exit status."""
    began = time.monotonic()
    every = list(points())
    failures, missed = list[str](), 0
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        for point, reached, failure in pool.imap_unordered(judge, every, chunksize=8):
            missed += not reached
            if failure is not None:
                failures.append(f"{point}: {failure}")
    world, _ = run_point(None)
    tried, wrong = 0, list[str]()
    for node in world.nodes:
        count, found = last_record_positions(bytes(node.disk.journal or b""), world.genesis.chain_id, node.id)
        tried, wrong = tried + count, wrong + found
    writes = sum(kind == "write" for _, kind, _, _ in every)
    print(f"crash points     {len(every)}: {writes} at writes, {len(every) - writes} at sends, {missed} not reached")
    print(f"journal bytes    {tried} damaged copies of last records")
    print(f"time             {time.monotonic() - began:.0f} s")
    for failure in (*failures, *wrong):
        print(f"FAILED {failure}")
    return 1 if failures or wrong or missed else 0
