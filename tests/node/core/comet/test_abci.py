"""ABCI's messages as bytes: what CometBFT sends is read, all else is refused, and answers are as it reads them."""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest

from coseal.ledger.errors import Malformed
from coseal.node.core.comet import abci


def field(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return number_of(number << 3) + number_of(value)
    return number_of(number << 3 | 2) + number_of(len(value)) + value


def number_of(value: int) -> bytes:
    groups = [value & 127]
    while value := value >> 7:
        groups.append(value & 127)
    return bytes([group | 128 for group in groups[:-1]] + groups[-1:])


BLOCK = (b"header", b"", b"x" * 300)
PROPOSED = (
    b"".join(field(1, raw) for raw in BLOCK)
    + field(2, field(1, 3) + field(2, b"votes"))
    + field(4, b"hash" * 8)
    + field(5, 7)
    + field(6, field(1, 1_700_000_000))
    + field(7, b"next" * 8)
    + field(8, b"a" * 20)
)
ASKED = [
    (field(1, field(1, b"hello")), abci.Echo(b"hello")),
    (field(2, b""), abci.Flush()),
    (field(3, field(1, b"0.38.25") + field(2, 11) + field(4, b"2.0.0")), abci.Info()),
    (
        field(
            5, field(1, b"") + field(2, b"chain") + field(4, field(1, field(1, b"k" * 32)) + field(2, 1)) + field(6, 1)
        ),
        abci.InitChain("chain", ((b"k" * 32, 1),), 1),
    ),
    (field(6, field(2, b"/p2p/filter/id/ab")), abci.Query("/p2p/filter/id/ab")),
    (field(8, field(1, b"tx")), abci.CheckTx(b"tx", recheck=False)),
    (field(8, field(1, b"tx") + field(2, 1)), abci.CheckTx(b"tx", recheck=True)),
    (field(11, b""), abci.Commit()),
    (field(18, b""), abci.Other(18)),
    (field(12, b""), abci.ListSnapshots()),
    (
        field(
            13,
            field(1, field(1, 9) + field(2, 1) + field(3, 4) + field(4, b"hash") + field(5, b"more")) + field(2, b"x"),
        ),
        abci.OfferSnapshot(abci.Snapshot(9, 1, 4, b"hash", b"more")),
    ),
    (field(14, field(1, 9) + field(2, 1) + field(3, 3)), abci.LoadSnapshotChunk(9, 1, 3)),
    (field(15, field(1, 3) + field(2, b"chunk") + field(3, b"peer")), abci.ApplySnapshotChunk(3, b"chunk", "peer")),
    (
        field(16, field(1, 4_000_000) + field(2, b"one") + field(2, b"two") + field(5, 9)),
        abci.PrepareProposal(4_000_000, (b"one", b"two"), 9),
    ),
    (field(17, PROPOSED), abci.ProcessProposal(abci.Proposed(BLOCK, 7, b"a" * 20))),
    (field(20, PROPOSED), abci.FinalizeBlock(abci.Proposed(BLOCK, 7, b"a" * 20))),
]


@pytest.mark.parametrize(("data", "request_"), ASKED)
def test_what_cometbft_asks_is_read(data: bytes, request_: abci.Request) -> None:
    assert abci.read_request(data) == request_


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x08\x01",
        field(3, b"") * 2,
        b"\x00\x00",
        field(3, b"\x0b"),
        field(8, b"\x0a\x05ab"),
        field(5, field(2, b"\xff")),
        field(17, field(5, 2**63)),
        b"\x1a" + b"\x80" * 11,
        b"\x1a" + b"\xff" * 9 + b"\x7f",
        field(17, field(1, 5)),
        field(17, field(5, b"x")),
        field(5, field(4, field(1, 7))),
    ],
)
def test_what_is_no_request_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        abci.read_request(data)


def test_damaged_requests_are_read_or_refused_and_never_anything_else() -> None:
    chance = random.Random(7)
    outcomes = {True: 0, False: 0}
    for _ in range(4_000):
        data = bytearray(chance.choice(ASKED)[0])
        for _ in range(chance.randrange(1, 4)):
            place = chance.randrange(len(data) + 1)
            match chance.randrange(3):
                case 0:
                    data[place : place + 1] = bytes([chance.randrange(256)])
                case 1:
                    del data[place:]
                case _:
                    data[place:place] = chance.randbytes(2)
        try:
            abci.read_request(bytes(data))
            outcomes[True] += 1
        except Malformed:
            outcomes[False] += 1
    assert min(outcomes.values()) > 200


@dataclass(frozen=True)
class Shown:
    answer: bytes
    expected: bytes


ANSWERS = [
    Shown(abci.exception("no"), field(1, field(1, b"no"))),
    Shown(abci.echo(b"hello"), field(2, field(1, b"hello"))),
    Shown(abci.flush(), field(3, b"")),
    Shown(abci.info("1", 5, b"h"), field(4, field(1, b"coseal") + field(2, b"1") + field(4, 5) + field(5, b"h"))),
    Shown(abci.init_chain(b"h"), field(6, field(3, b"h"))),
    Shown(abci.query(1, "why"), field(7, field(1, 1) + field(3, b"why"))),
    Shown(abci.query(0, ""), field(7, b"")),
    Shown(abci.check_tx(0, ""), field(9, b"")),
    Shown(abci.commit(0), field(12, b"")),
    Shown(abci.commit(7), field(12, field(3, 7))),
    Shown(abci.nothing(18), field(19, b"")),
    Shown(
        abci.list_snapshots([abci.Snapshot(9, 1, 4, b"hash", b"more")]),
        field(13, field(1, field(1, 9) + field(2, 1) + field(3, 4) + field(4, b"hash") + field(5, b"more"))),
    ),
    Shown(abci.offer_snapshot(abci.Offered.ACCEPT), field(14, field(1, 1))),
    Shown(abci.offer_snapshot(abci.Offered.REJECT), field(14, field(1, 3))),
    Shown(abci.offer_snapshot(abci.Offered.REJECT_FORMAT), field(14, field(1, 4))),
    Shown(abci.offer_snapshot(abci.Offered.REJECT_SENDER), field(14, field(1, 5))),
    Shown(abci.load_snapshot_chunk(b"chunk"), field(15, field(1, b"chunk"))),
    Shown(abci.load_snapshot_chunk(b""), field(15, b"")),
    Shown(abci.apply_snapshot_chunk(), field(16, field(1, 1))),
    Shown(abci.abort_snapshot(), field(16, field(1, 2))),
    Shown(abci.refetch_snapshot_chunk(0, "peer"), field(16, field(1, 3) + field(2, b"\x00") + field(3, b"peer"))),
    Shown(abci.refetch_snapshot_chunk(300, "peer"), field(16, field(1, 3) + field(2, b"\xac\x02") + field(3, b"peer"))),
    Shown(abci.prepare_proposal([b"a", b""]), field(17, field(1, b"a") + field(1, b""))),
    Shown(abci.process_proposal(accept=True), field(18, field(1, 1))),
    Shown(abci.process_proposal(accept=False), field(18, field(1, 2))),
    Shown(
        abci.finalize_block([0, 1], [(b"k", 0), (b"l", 1)], b"h"),
        field(
            21,
            field(2, b"")
            + field(2, field(1, 1))
            + field(3, field(1, field(1, b"k")))
            + field(3, field(1, field(1, b"l")) + field(2, 1))
            + field(5, b"h"),
        ),
    ),
]


@pytest.mark.parametrize("shown", ANSWERS)
def test_answers_have_the_field_numbers_of_abci_2(shown: Shown) -> None:
    assert shown.answer == shown.expected
    assert abci.framed(shown.answer) == number_of(len(shown.answer)) + shown.answer


def test_a_transaction_takes_of_a_block_what_its_field_takes() -> None:
    assert [abci.size_in_block(bytes(size)) for size in (0, 127, 128, 16_384)] == [2, 129, 131, 16_388]
