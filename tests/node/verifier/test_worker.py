from __future__ import annotations

import io
import socket
import subprocess
import sys

import pytest

from coseal.ledger.native import NATIVE, Core
from coseal.ledger.signing import PREIMAGE_BYTES, SIGNATURE_BYTES
from coseal.node.verifier import worker
from tests.support.genesis import genesis
from tests.support.transactions import signed


def record(number: int, *, good: bool = True) -> tuple[bytes, bytes, bytes]:
    tx = signed(genesis(), number)
    return tx.public_key, tx.preimage, tx.signature if good else bytes(SIGNATURE_BYTES)


def test_each_signature_has_its_verdict_in_the_order_of_the_question() -> None:
    records = [record(0), record(1, good=False), record(2)]
    question = worker.question(records)
    assert question[: worker.COUNT_BYTES] == (3).to_bytes(4, "big")
    assert len(question) == worker.HEAD_BYTES + 3 * worker.RECORD_BYTES
    assert worker.answer(question[worker.HEAD_BYTES :], Core()) == b"\x01\x00\x01"


def test_rule_e1_holds_here_too() -> None:
    key, preimage, signature = record(0)
    small_order = (1).to_bytes(32, "little")
    question = worker.question([(small_order, preimage, signature), (key, preimage, signature[:32] + b"\xff" * 32)])
    assert worker.answer(question[worker.HEAD_BYTES :], Core()) == b"\x00\x00"


@pytest.mark.parametrize("cut", [1, worker.COUNT_BYTES, worker.HEAD_BYTES, worker.HEAD_BYTES + 1, -1])
def test_a_question_that_is_cut_off_ends_it_without_an_answer(cut: int) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        worker.serve(io.BytesIO(worker.question([record(0)]) * 1 + worker.question([record(1)])[:cut]), theirs, Core())
        assert ours.recv(16) == b"\x01"


def test_the_process_answers_and_ends_with_its_node() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen([sys.executable, "-m", "coseal.node.verifier.worker"], stdin=theirs.fileno())
    with ours:
        ours.settimeout(20)
        for _ in range(2):
            ours.sendall(worker.question([record(0), record(1, good=False)]))
            verdicts = b""
            while len(verdicts) < 2:
                verdicts += ours.recv(2)
            assert verdicts == b"\x01\x00"
    assert process.wait(20) == 0


class Panics:
    def verify(self, public_key: bytes, message: bytes, signature: bytes) -> bool:
        raise RuntimeError("panic: one")

    def many(self, records: bytes, message_bytes: int) -> bytes:
        assert message_bytes == PREIMAGE_BYTES
        raise RuntimeError("panic: many")


def test_after_a_fault_of_the_native_half_the_python_answers_and_the_node_is_informed() -> None:
    core = Core(NATIVE, Panics(), "1")
    question = worker.question([record(0), record(1, good=False)])
    good, stopped = worker.GOOD, worker.NATIVE_STOPPED
    assert worker.answer(question[worker.HEAD_BYTES :], core) == bytes([good | stopped, stopped])
    assert core.name == "python (native 1 stopped: panic: many)"


def test_the_node_can_forbid_the_native_half() -> None:
    ours, theirs = socket.socketpair()
    core = Core(NATIVE, Panics(), "1")
    with ours, theirs:
        worker.serve(io.BytesIO(worker.question([record(0)], native=False)), theirs, core)
        assert ours.recv(16) == bytes([worker.GOOD | worker.NATIVE_STOPPED])
    assert core.name == "python (native 1 stopped: stopped by the node)"
