from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import signal
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import structlog
import uvloop

from coseal.ledger.block import CommittedBlock
from coseal.ledger.transaction import Transaction
from coseal.node.config import load
from coseal.node.core.events import Admission, Halt, NodeEvent, Submitted
from coseal.node.core.machine import Machine
from coseal.node.core.mempool import MempoolLimits
from coseal.node.core.wire import TipRequest
from coseal.node.exits import Exit
from coseal.node.http.services import Location, Unavailable
from coseal.node.runtime import Runtime
from coseal.node.start import build, run_command
from coseal.node.storage.files import StorageError
from coseal.node.telemetry import logs
from tests.node.single import make_node, signed
from tests.node.transport.test_links import free_port

Scenario = Callable[[Runtime], Awaitable[None]]


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    logging.root.handlers, logging.root.level = handlers, level


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_node(tmp_path, port=free_port())


def run(folder: Path, scenario: Scenario, *, stop: bool = True, **options: bool) -> Exit:
    """Run the node of ``folder`` beside ``scenario``; stop it with SIGTERM afterwards."""

    async def whole() -> Exit:
        runtime = build(folder, load(folder), **options)
        running = asyncio.create_task(runtime.run())
        async with asyncio.timeout(20):
            await scenario(runtime)
            if stop:
                os.kill(os.getpid(), signal.SIGTERM)
            return await running

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(whole())


async def commit(runtime: Runtime, tx: Transaction) -> Location:
    answers = await runtime.services.submit([tx])
    assert answers[0].admission is Admission.ACCEPTED
    place = await runtime.services.wait_committed(tx.id, 10)
    assert isinstance(place, Location)
    return place


class Stepped:
    """A machine with another ``step``."""

    def __init__(self, machine: Machine, step: Callable[[NodeEvent, int], list[object]]) -> None:
        self._machine, self.step = machine, step

    def __getattr__(self, name: str) -> object:
        return getattr(self._machine, name)


async def started(runtime: Runtime) -> None:
    assert await runtime.services.wait_height(1, 10)


def test_a_node_commits_stops_and_goes_on(folder: Path) -> None:
    txs = [signed(folder, str(number)) for number in range(3)]
    seen: list[bytes] = []

    async def first(runtime: Runtime) -> None:
        await started(runtime)
        for tx in txs[:2]:
            place = await commit(runtime, tx)
            raw = runtime.services.read_block(place.height)
            assert raw is not None
            assert CommittedBlock.decode(raw).block.transactions[place.index] == tx.raw
        seen.append(runtime.services.state.root)

    async def second(runtime: Runtime) -> None:
        assert runtime.services.state.root == seen[0]
        again = await runtime.services.submit([txs[0]])
        assert again[0].admission is Admission.COMMITTED
        assert runtime.services.locate_recent(txs[1].id) is not None
        await commit(runtime, txs[2])

    assert run(folder, first) is Exit.STOPPED
    assert run(folder, second) is Exit.STOPPED


def test_a_bad_signature_is_answered_and_others_of_the_batch_commit(folder: Path) -> None:
    good = signed(folder)
    bad = replace(Transaction.decode(good.raw[:-1] + bytes([good.raw[-1] ^ 1])))

    async def scenario(runtime: Runtime) -> None:
        await started(runtime)
        answers = await runtime.services.submit([bad, good])
        assert answers[0].rejected is not None
        assert answers[0].rejected.code == "bad_signature"
        assert answers[1].admission is Admission.ACCEPTED
        assert isinstance(await runtime.services.wait_committed(good.id, 10), Location)

    assert run(folder, scenario) is Exit.STOPPED


def test_what_has_no_place_is_refused_before_its_signature_is_checked(folder: Path) -> None:  # N9
    async def scenario(runtime: Runtime) -> None:
        await started(runtime)
        machine, waiting, late = runtime._machine, signed(folder, "waiting"), signed(folder, "late")
        machine.mempool.limits = MempoolLimits(transactions_max=1)
        assert machine.mempool.add(waiting, 0, client=True) is None
        checked = runtime._verifier.checked
        answers = await runtime.services.submit([late])
        assert answers[0].rejected is not None
        assert answers[0].rejected.code == "mempool_full"
        assert runtime._verifier.checked == checked
        machine.mempool.remove(waiting.id)
        await commit(runtime, late)

    assert run(folder, scenario) is Exit.STOPPED


def test_a_full_pool_does_not_hide_what_became_of_a_transaction(folder: Path) -> None:  # N11
    async def scenario(runtime: Runtime) -> None:
        await started(runtime)
        machine, waiting, done = runtime._machine, signed(folder, "waiting"), signed(folder, "done")
        await commit(runtime, done)
        machine.mempool.limits = MempoolLimits(transactions_max=1)
        assert machine.mempool.add(waiting, 0, client=True) is None
        answers = await runtime.services.submit([done, waiting])
        assert [answer.admission for answer in answers] == [Admission.COMMITTED, Admission.PENDING]

    assert run(folder, scenario) is Exit.STOPPED


def test_submissions_of_one_turn_are_one_event(folder: Path) -> None:
    async def scenario(runtime: Runtime) -> None:
        await started(runtime)
        events: list[NodeEvent] = []
        machine = runtime._machine
        runtime._machine = Stepped(machine, lambda event, now: events.append(event) or machine.step(event, now))
        txs = [signed(folder, str(number)) for number in range(20)]
        answers = await asyncio.gather(*(runtime.services.submit([tx]) for tx in txs))
        assert [answer[0].tx_id for answer in answers] == [tx.id for tx in txs]
        assert len([event for event in events if isinstance(event, Submitted)]) < 20

    assert run(folder, scenario) is Exit.STOPPED


def test_a_lone_validator_answers_a_consistent_read(folder: Path) -> None:
    async def scenario(runtime: Runtime) -> None:
        await started(runtime)
        place = await commit(runtime, signed(folder))
        assert await runtime.services.consistent(5) >= place.height

    assert run(folder, scenario) is Exit.STOPPED


def test_nothing_is_called_committed_when_the_disk_fails(folder: Path) -> None:
    tx = signed(folder)

    async def scenario(runtime: Runtime) -> None:
        await started(runtime)

        def broken() -> None:
            raise StorageError("cannot sync blocks: No space left on device; free space, then start again")

        runtime._storage.blocks.sync = broken  # type: ignore[method-assign]
        await runtime.services.submit([tx])
        assert await runtime.services.wait_committed(tx.id, 0.5) is None

    assert run(folder, scenario, stop=False) is Exit.STORAGE


def test_a_fault_of_ours_ends_the_process_and_leaves_a_dump(folder: Path) -> None:
    async def scenario(runtime: Runtime) -> None:
        await started(runtime)

        def broken(event: NodeEvent, now_ms: int) -> list[object]:
            steps.append(event)
            raise ZeroDivisionError("what nobody thought of")

        runtime._machine = Stepped(runtime._machine, broken)
        with pytest.raises(Unavailable):
            await runtime.services.submit([signed(folder)])

        with pytest.raises(Unavailable):  # nor anything that comes after it
            await runtime.services.submit([signed(folder)])
        runtime.peer_connected("bank-a")
        runtime.frame_ready("bank-a", TipRequest(1))

    steps: list[NodeEvent] = []
    assert run(folder, scenario, stop=False) is Exit.BUG
    assert len(steps) == 1  # what is half of a change takes nothing in
    dump = json.loads(next(folder.glob("halt-*.json")).read_text())
    assert "what nobody thought of" in dump["reason"]
    assert dump["status"]["node"] == "regulator"


def test_a_halt_ends_the_process_with_its_own_status(folder: Path) -> None:
    async def scenario(runtime: Runtime) -> None:
        await started(runtime)
        runtime._effects.perform(Halt("our execution contradicts a certificate"))

    assert run(folder, scenario, stop=False) is Exit.HALTED
    assert "contradicts" in next(folder.glob("halt-*.json")).read_text()


def test_a_lost_journal_keeps_a_validator_silent_until_the_operator_vouches(folder: Path) -> None:
    async def establish(runtime: Runtime) -> None:
        await commit(runtime, signed(folder))

    assert run(folder, establish) is Exit.STOPPED
    (folder / "journal" / "journal.log").unlink()
    tx = signed(folder, "second")

    async def silent(runtime: Runtime) -> None:
        assert runtime.services.status().voting is False
        await runtime.services.submit([tx])
        assert await runtime.services.wait_committed(tx.id, 1) is None
        assert runtime.services.status().why_stalled

    async def vouched(runtime: Runtime) -> None:
        await commit(runtime, tx)

    assert run(folder, silent) is Exit.STOPPED
    assert run(folder, silent) is Exit.STOPPED  # starting again does not make it a new node
    assert run(folder, vouched, allow_voting=True) is Exit.STOPPED
    assert run(folder, establish) is Exit.STOPPED


def test_an_old_copy_of_the_blocks_does_not_make_a_node_vote_twice(folder: Path, tmp_path: Path) -> None:
    """Its journal remembers what it signed beyond the copy; alone it stands still, with others it would catch up."""

    async def one_more(runtime: Runtime) -> None:
        await commit(runtime, signed(folder))

    assert run(folder, one_more) is Exit.STOPPED
    for name in ("blocks", "state"):
        shutil.copytree(folder / name, tmp_path / "copy" / name)
    assert run(folder, one_more) is Exit.STOPPED
    assert run(folder, one_more) is Exit.STOPPED
    for name in ("blocks", "state"):
        shutil.rmtree(folder / name)
        shutil.copytree(tmp_path / "copy" / name, folder / name)
    tx = signed(folder, "another block at a height that is decided")

    async def silent(runtime: Runtime) -> None:
        height = runtime.services.height
        await runtime.services.submit([tx])
        assert await runtime.services.wait_committed(tx.id, 1.0) is None
        assert runtime.services.height == height

    assert run(folder, silent) is Exit.STOPPED


def test_metrics_speak_of_what_happened(folder: Path) -> None:
    async def scenario(runtime: Runtime) -> None:
        await started(runtime)
        place = await commit(runtime, signed(folder))
        value = runtime.services.registry.get_sample_value
        assert value("coseal_height") == place.height
        assert value("coseal_transactions_committed_total") == 1
        assert value("coseal_disk_sync_seconds_count") > 0
        assert value("coseal_healthy") == 1
        names = {metric.name for metric in runtime.services.registry.collect()}
        assert all(name.startswith(("coseal_", "process_")) for name in names)

    assert run(folder, scenario) is Exit.STOPPED


def test_logs_are_json_and_hold_no_argument_of_a_transaction(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("debug", "regulator")

    async def scenario(runtime: Runtime) -> None:
        await commit(runtime, signed(folder, "canary-93b1"))

    assert run(folder, scenario) is Exit.STOPPED
    lines = capfd.readouterr().err.splitlines()
    events = [json.loads(line) for line in lines]
    assert {"started", "committed", "stopped"} <= {event["event"] for event in events}
    assert all(event["node"] == "regulator" for event in events)
    assert not any("canary" in line for line in lines)


def test_a_folder_in_use_and_a_damaged_one_have_their_own_status(folder: Path) -> None:
    async def scenario(runtime: Runtime) -> None:
        for number in range(3):
            await commit(runtime, signed(folder, str(number)))
        assert run_command(folder) == Exit.LOCKED

    assert run(folder, scenario) is Exit.STOPPED
    path = folder / "blocks" / "00000001.log"
    data = bytearray(path.read_bytes())
    data[50] ^= 1
    path.write_bytes(data)
    with pytest.raises(StorageError, match="block 1 is damaged"):
        build(folder, load(folder))
    assert run_command(folder) == Exit.STORAGE
