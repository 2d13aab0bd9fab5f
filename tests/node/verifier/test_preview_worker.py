"""The process that says what a transaction would come to, without the process."""

from __future__ import annotations

import io
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from coseal.contracts.execution import Executor
from coseal.contracts.genesis_state import genesis_updates
from coseal.contracts.kernel.action import Rejected
from coseal.ledger.block import Receipt
from coseal.ledger.state import State
from coseal.ledger.transaction import Transaction
from coseal.node.storage.state_store import LmdbStore, Marker, ReadOnlyStore
from coseal.node.verifier.preview_worker import READY, Preview, Previewer, Question, frame, serve
from tests.support.chain import Chain
from tests.support.genesis import START_MS, genesis
from tests.support.transactions import signed

GENESIS = "genesis.json"
BITS = genesis().parameters.state_bits


def state_of(folder: Path) -> LmdbStore:
    """Open a database, with the state of the genesis in a new one."""
    store = LmdbStore(folder, BITS, map_bytes=1 << 26)
    if store.marker is None:
        change = State(store, BITS).derive(genesis_updates(genesis()))
        store.write(change.entries, Marker(genesis().chain_id, BITS, 0, genesis().chain_id))
        store.renew()
    return store


def extended(store: LmdbStore, chain: Chain, transactions: Sequence[Transaction]) -> None:
    """Write what a block with these transactions changes."""
    executor = Executor(genesis(), State(store, BITS), height=len(chain.blocks))
    committed = chain.extend(list(transactions))
    header = committed.block.header
    outcome = executor.run(header.height, header.time_ms, list(transactions))
    store.write(outcome.change.entries, Marker(genesis().chain_id, BITS, header.height, committed.block.hash))
    store.renew()


def asked(number: int = 1, *, min_height: int = 0, time_ms: int = START_MS + 1) -> Question:
    return Question(signed(genesis(), number).raw, True, min_height, time_ms)


def test_the_receipt_is_that_of_the_block_which_then_holds_it(tmp_path: Path) -> None:
    chain = Chain(genesis())
    for number in (1, 2):
        store = state_of(tmp_path / "state")
        if number > 1:
            extended(store, Chain(genesis()), [signed(genesis(), 1)])
        store.close()
        seen = ReadOnlyStore(tmp_path / "state")
        preview = Previewer(genesis(), seen).answer(asked(number, min_height=number - 1))
        seen.close()
        chain.extend([signed(genesis(), number)])
        assert preview == Preview(number - 1, Receipt.decode(chain.blocks[-1].receipts[1]))


def test_a_state_that_is_not_written_yet_is_waited_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state_of(tmp_path / "state").close()
    monkeypatch.setattr("coseal.node.verifier.preview_worker._WRITTEN_S", 0.02)
    previewer = Previewer(genesis(), ReadOnlyStore(tmp_path / "state"))
    assert previewer.answer(asked(min_height=5)).height == 0


def test_a_contract_that_fails_is_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state_of(tmp_path / "state").close()
    previewer = Previewer(genesis(), ReadOnlyStore(tmp_path / "state"))

    def fail(*_: object) -> None:
        raise KeyError("no such")

    monkeypatch.setattr(Executor, "run", fail)
    outcome = previewer.answer(asked()).outcome
    assert isinstance(outcome, Rejected)
    assert outcome.code == "internal_error"


def test_questions_and_answers_survive_their_encoding() -> None:
    assert Question.decode(asked().encode()) == asked()
    refused = Preview(3, Rejected("expired", "too late"))
    assert Preview.decode(refused.encode()) == refused


def test_frames_are_answered_until_the_asker_is_gone(tmp_path: Path) -> None:
    state_of(tmp_path / "state").close()
    previewer = Previewer(genesis(), ReadOnlyStore(tmp_path / "state"))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        serve(previewer, io.BytesIO(frame(asked(1).encode()) + frame(asked(2).encode()) + b"\x00"), theirs)
        theirs.shutdown(socket.SHUT_WR)
        data = ours.makefile("rb").read()
    assert data[:1] == READY
    first = int.from_bytes(data[1:5], "big")
    answer = Preview.decode(data[5 : 5 + first]).outcome
    assert isinstance(answer, Receipt)
    assert answer.tx_id == signed(genesis(), 1).id


def test_a_store_that_rests_keeps_no_page(tmp_path: Path) -> None:
    state_of(tmp_path / "state").close()
    store = ReadOnlyStore(tmp_path / "state")
    assert store.renew() == 0
    assert store.get(bytes(32)) is None
    store.rest()
    store.rest()
    assert list(store.buckets()) == list(store.bucket(0)) == []
