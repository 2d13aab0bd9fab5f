from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from coseal.ledger.block import CommittedBlock
from coseal.node.core.events import Append, AppendBlock, ApplyState, KeepSidecar, ReplaceJournal
from coseal.node.fault_injection import NO_FAULTS, FaultInjection
from coseal.node.storage import writer as writer_module
from coseal.node.storage.data_folder import Storage
from coseal.node.storage.files import StorageError
from coseal.node.storage.journal_file import create
from coseal.node.storage.writer import Writer
from tests.support.chain import Chain
from tests.support.genesis import genesis


class Log:
    """What the storage thread and the loop did, in order; also the observer."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.errors: list[Exception] = []
        self.batches: list[int] = []
        self.seconds: list[float] = []

    def applied(self, height: int) -> None:
        self.events.append(f"applied {height}")

    def synced(self, writes: int, seconds: float) -> None:
        self.seconds.append(seconds)
        self.batches.append(writes)

    def write_failed(self, error: Exception) -> None:
        self.errors.append(error)

    def fault(self, error: Exception) -> None:
        self.errors.append(error)

    def note(self, text: str) -> Callable[[], None]:
        return lambda: self.events.append(text)


class Disk:
    """Stands before the storage's own methods; ``gate`` holds up every sync until it is opened."""

    def __init__(self, storage: Storage, log: Log) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.fail = False
        for part, names in ((storage.journal, ("append", "sync", "replace")), (storage.blocks, ("append", "sync"))):
            label = "journal" if part is storage.journal else "blocks"
            for name in names:
                setattr(part, name, self._watched(f"{label} {name}", getattr(part, name), log))

    def _watched(self, text: str, call: Callable[..., None], log: Log) -> Callable[..., None]:
        def watched(*args: object) -> None:
            if text.endswith(("sync", "replace")):
                assert self.gate.wait(5)
            if self.fail:
                raise StorageError("cannot sync: Input/output error")
            log.events.append(text)
            call(*args)

        return watched


def run(
    folder: Path, scenario: Callable[[Writer, Disk, Log, Storage], Awaitable[None]], faults: FaultInjection = NO_FAULTS
) -> Log:
    create(folder / "journal", b"")
    storage = Storage(folder, genesis(), map_bytes=1 << 26)
    log = Log()
    disk = Disk(storage, log)

    async def whole() -> None:
        writer = Writer(storage, log, faults)
        await scenario(writer, disk, log, storage)
        disk.gate.set()
        await writer.close()

    asyncio.run(whole())
    storage.close()
    return log


def blocks(count: int) -> tuple[list[CommittedBlock], list[ApplyState]]:
    chain = Chain(genesis())
    effects = []
    for _ in range(count):
        chain.grow(1)
    replay = Chain(genesis()).executor
    for committed in chain.blocks:
        outcome = replay.execute_block(committed.block)
        replay.commit(outcome)
        effects.append(ApplyState(committed.block.header.height, committed.block.hash, outcome.change))
    return chain.blocks, effects


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


def test_what_follows_a_write_waits_until_it_is_durable(tmp_path: Path) -> None:
    async def scenario(writer: Writer, disk: Disk, log: Log, storage: Storage) -> None:
        disk.gate.clear()
        writer.after(log.note("before"))
        writer.write(Append(b"vote"))
        writer.after(log.note("send"))
        await until(lambda: "journal append" in log.events)
        await asyncio.sleep(0.02)
        assert log.events == ["before", "journal append"]

    assert run(tmp_path, scenario).events == ["before", "journal append", "journal sync", "send"]


def test_a_sidecar_is_durable_before_the_journal_says_what_rests_on_it(tmp_path: Path) -> None:
    async def scenario(writer: Writer, disk: Disk, log: Log, storage: Storage) -> None:
        write = storage.sidecars.write
        storage.sidecars.write = lambda name, data: (write(name, data), log.events.append("sidecar"))  # type: ignore[method-assign,assignment]
        writer.write(KeepSidecar(bytes(32), b"sealed"))
        writer.write(Append(b"vote"))
        writer.after(log.note("send"))
        writer.write(AppendBlock(blocks(1)[0][0]))
        writer.write(KeepSidecar(b"\1" * 32, b"sealed"))

    events = ["sidecar", "journal append", "blocks append", "blocks sync", "sidecar", "journal sync", "send"]
    assert run(tmp_path, scenario).events == events
    assert (tmp_path / "sidecars" / bytes(32).hex()).read_bytes() == b"sealed"


def test_the_writes_of_one_turn_share_one_sync(tmp_path: Path) -> None:
    async def scenario(writer: Writer, disk: Disk, log: Log, storage: Storage) -> None:
        for number in range(5):
            writer.write(Append(b"record"))
            writer.after(log.note(f"send {number}"))

    log = run(tmp_path, scenario)
    assert log.events == ["journal append"] * 5 + ["journal sync"] + [f"send {number}" for number in range(5)]
    assert log.batches == [5]


def test_while_one_batch_is_written_the_next_one_gathers(tmp_path: Path) -> None:
    async def scenario(writer: Writer, disk: Disk, log: Log, storage: Storage) -> None:
        disk.gate.clear()
        writer.write(Append(b"1"))
        writer.after(log.note("after 1"))
        await until(lambda: "journal append" in log.events)
        for _ in range(3):
            writer.write(Append(b"2"))
            await asyncio.sleep(0)
        writer.after(log.note("after 2"))
        assert "after 1" not in log.events

    log = run(tmp_path, scenario)
    assert log.batches == [1, 3]
    assert log.events.index("after 1") < log.events.index("after 2")


def test_a_send_after_the_writes_of_an_earlier_turn_waits_for_them_too(tmp_path: Path) -> None:
    async def scenario(writer: Writer, disk: Disk, log: Log, storage: Storage) -> None:
        disk.gate.clear()
        writer.write(Append(b"vote"))
        await until(lambda: "journal append" in log.events)
        writer.after(log.note("send"))
        await asyncio.sleep(0.02)
        assert "send" not in log.events

    assert run(tmp_path, scenario).events[-1] == "send"


def test_the_journal_of_the_next_height_comes_after_the_block(tmp_path: Path) -> None:
    """N33: whatever a power failure leaves of a batch, no record of height 2 is there without the block of height 1."""
    made, _ = blocks(1)

    async def scenario(writer: Writer, disk: Disk, log: Log, storage: Storage) -> None:
        writer.write(AppendBlock(made[0]))
        writer.write(Append(b"of height 2"))
        writer.write(Append(b"of height 2"))

    events = run(tmp_path, scenario).events
    assert events == ["blocks append", "blocks sync", "journal append", "journal append", "journal sync"]


def test_a_replaced_journal_comes_after_the_block_that_made_it_superfluous(tmp_path: Path) -> None:
    made, _ = blocks(1)

    async def scenario(writer: Writer, disk: Disk, log: Log, storage: Storage) -> None:
        writer.write(Append(b"old"))
        writer.write(AppendBlock(made[0]))
        writer.write(ReplaceJournal(b"new"))

    log = run(tmp_path, scenario)
    assert log.events == ["journal append", "blocks append", "blocks sync", "journal replace"]
    assert (tmp_path / "journal" / "journal.log").read_bytes() == b"new"


def test_the_state_is_written_after_its_block_and_then_reported(tmp_path: Path) -> None:
    made, applies = blocks(3)

    async def scenario(writer: Writer, disk: Disk, log: Log, storage: Storage) -> None:
        for committed, apply in zip(made, applies, strict=True):
            writer.write(AppendBlock(committed))
            writer.apply(apply)
        assert writer.unapplied == 3
        await until(lambda: writer.unapplied == 0)
        assert storage.store.marker.height == 3

    log = run(tmp_path, scenario)
    assert log.events == [*["blocks append"] * 3, "blocks sync", "applied 1", "applied 2", "applied 3"]


def test_a_state_that_lags_far_holds_up_further_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "UNAPPLIED_MAX", 1)
    made, applies = blocks(2)

    async def scenario(writer: Writer, disk: Disk, log: Log, storage: Storage) -> None:
        for committed, apply in zip(made, applies, strict=True):
            writer.write(AppendBlock(committed))
            writer.apply(apply)
            writer.after(lambda: writer.write(Append(b"vote")))
        assert writer.behind
        await until(lambda: log.events.count("journal append") == 2)

    events = run(tmp_path, scenario).events
    assert events.index("applied 1") < events.index("journal append")


def test_after_a_failed_sync_nothing_is_sent_or_written(tmp_path: Path) -> None:
    async def scenario(writer: Writer, disk: Disk, log: Log, storage: Storage) -> None:
        disk.fail = True
        writer.write(Append(b"vote"))
        writer.after(log.note("send"))
        await until(lambda: log.errors)
        disk.fail = False
        writer.write(Append(b"another"))
        writer.after(log.note("send another"))
        await asyncio.sleep(0.05)

    log = run(tmp_path, scenario)
    assert log.events == []
    assert [str(error) for error in log.errors] == ["cannot sync: Input/output error"]


def test_a_release_that_fails_is_a_fault_and_ends_all_writing(tmp_path: Path) -> None:
    async def scenario(writer: Writer, disk: Disk, log: Log, storage: Storage) -> None:
        writer.write(Append(b"vote"))
        writer.after(lambda: {}["nobody thought of it"])
        await until(lambda: log.errors)
        writer.write(Append(b"another"))
        writer.after(log.note("send another"))
        await asyncio.sleep(0.02)

    log = run(tmp_path, scenario)
    assert log.events == ["journal append", "journal sync"]
    assert isinstance(log.errors[0], KeyError)


def test_a_drill_makes_every_batch_take_longer(tmp_path: Path) -> None:
    async def scenario(writer: Writer, disk: Disk, log: Log, storage: Storage) -> None:
        writer.write(Append(b"vote"))
        writer.after(log.note("send"))
        await until(lambda: log.seconds)

    assert min(run(tmp_path, scenario, FaultInjection(write_delay_ms=40)).seconds) >= 0.04
