"""Joining by a snapshot that CometBFT carries: what is kept of one, what is refused, and what takes its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from coseal.contracts.execution import Executor
from coseal.ledger import codec
from coseal.ledger.block import CommittedBlock
from coseal.ledger.certificates import Certificate
from coseal.ledger.comet import CometCertificate
from coseal.ledger.head import Head
from coseal.ledger.snapshot import Manifest, cut
from coseal.ledger.state import MemoryStore, State
from coseal.node.core import events
from coseal.node.core.comet import abci, snapshots
from coseal.node.core.comet.machine import CometMachine
from coseal.node.core.comet.snapshots import heads_chunk, heads_in, item_in, offered
from coseal.node.core.context import MachineConfig
from coseal.node.core.verified_cache import VerifiedCache
from tests.support.cluster import DEFAULTS
from tests.support.comet_cluster import CometCluster, CometNode
from tests.support.genesis import make_genesis
from tests.support.transactions import signed

NAMES = ("bank-a", "central-bank", "enterprise-a", "regulator")
GENESIS = make_genesis(members=NAMES, validators=NAMES, engine="cometbft", **DEFAULTS)
ACCEPT = abci.offer_snapshot(abci.Offered.ACCEPT)
DEPTH = 4
BLOCKS = 6


@dataclass(frozen=True)
class Shared:
    """A snapshot as a node serves it: what CometBFT is shown, and its chunks."""

    manifest: Manifest
    shown: abci.Snapshot
    chunks: list[bytes]


@pytest.fixture(scope="module")
def cluster() -> Iterator[CometCluster]:
    """A chain of some blocks, and two heads in a chunk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshots, "HEADS_A_CHUNK", 2)
        made = CometCluster(GENESIS)
        for number in range(BLOCKS):
            made.nodes[number % 4].submit(signed(GENESIS, number))
            made.decide(number % 4)
        yield made


@pytest.fixture(scope="module")
def shared(cluster: CometCluster) -> Shared:
    return shared_by(cluster.nodes[0])


def shared_by(node: CometNode) -> Shared:
    bits, tip = GENESIS.parameters.state_bits, node.log[-1]
    entries = sorted(entry for index in range(1 << bits) for entry in node.store.bucket(index))
    parts = list(cut(entries, bits, DEPTH))
    hashes = b"".join(value for _, value in parts)
    manifest = Manifest(tip.block.header, tip.certificate, bits, DEPTH, hashes)
    shown, items = offered(manifest), [*(chunk for chunk, _ in parts), tip.encode()]
    chunks = []
    for index in range(shown.chunks):
        heights = heads_in(manifest.height, index)
        heads = [Head.of(node.log[height - 1]).encode() for height in heights]
        chunks.append(heads_chunk(heads) if heights else items[item_in(manifest, index)])
    return Shared(manifest, shown, chunks)


def newcomer(cluster: CometCluster) -> CometNode:
    return CometNode(GENESIS, "bank-a", cluster.now_ms)


def give(node: CometNode, shared: Shared, chunks: range | None = None) -> bytes | None:
    """Give a node chunks as CometBFT does; return the last answer. Each before it must have been accepted."""
    answer: bytes | None = abci.apply_snapshot_chunk()
    for index in chunks or range(shared.shown.chunks):
        assert answer == abci.apply_snapshot_chunk()
        answer = node.ask(abci.ApplySnapshotChunk(index, shared.chunks[index], "peer"))
    return answer


def kept(node: CometNode) -> tuple[list[int], list[int]]:
    """Return the heights whose heads a node kept, and the items of the snapshot."""
    heads = [raw for effect in node.done if isinstance(effect, events.KeepHeads) for raw in effect.heads]
    items = [effect.item for effect in node.done if isinstance(effect, events.KeepItem)]
    return [Head.decode(raw).header.height for raw in heads], items


def adopted(node: CometNode, shared: Shared, tip: CommittedBlock) -> CometMachine:
    """Return the machine that begins on what a node kept."""
    store = MemoryStore(GENESIS.parameters.state_bits)
    for effect in node.done:
        if isinstance(effect, events.KeepItem) and effect.item < shared.manifest.chunks:
            store.write(dict(shared.manifest.entries(effect.item, effect.data)))
    header, verified = tip.block.header, VerifiedCache()
    state = State(store, GENESIS.parameters.state_bits)
    executor = Executor(GENESIS, state, verified.admit, height=header.height, time_ms=header.time_ms)
    config = MachineConfig(GENESIS, "bank-a", None)
    return CometMachine(config, executor, tip=tip, journal_data=None, verified=verified, first_height=header.height)


def test_a_node_joins_by_a_snapshot_and_goes_on_with_the_others(cluster: CometCluster, shared: Shared) -> None:
    node, tip = newcomer(cluster), cluster.nodes[0].log[-1]
    assert node.ask(abci.OfferSnapshot(shared.shown)) == ACCEPT
    assert give(node, shared) is None  # the answer is the next process's
    assert node.done[-1] == events.AdoptSnapshot(BLOCKS)
    heights, items = kept(node)
    assert heights == list(range(1, BLOCKS))
    assert sorted(items) == list(range((1 << DEPTH) + 1))
    assert items[0] == 1 << DEPTH  # the block: what certifies all else
    (begun,) = (effect.manifest for effect in node.done if isinstance(effect, events.BeginJoin))
    assert Manifest.decode(begun).certificate == tip.certificate
    assert node.step(events.AbciAsked(1, 2, abci.Info())) == []  # it waits for the next process

    joined = CometNode(GENESIS, "bank-a", cluster.now_ms)
    joined.machine = adopted(node, shared, tip)
    joined.log = [tip]
    last = abci.ApplySnapshotChunk(shared.shown.chunks - 1, shared.chunks[-1], "peer")
    assert joined.ask(last) == abci.apply_snapshot_chunk()
    assert joined.ask(abci.Info()) == abci.info("", BLOCKS, GENESIS.chain_id)
    cluster.nodes[0].submit(signed(GENESIS, 100))
    cluster.decide(0)
    cluster.apply(joined, BLOCKS + 1)
    assert joined.machine.executor.state.root == cluster.nodes[0].machine.executor.state.root


def test_all_nodes_show_the_same_snapshot_whoever_signed_their_certificates(
    cluster: CometCluster, shared: Shared
) -> None:
    header, certificate = shared.manifest.header, shared.manifest.certificate
    fewer = replace(certificate, rows=certificate.rows[1:])  # type: ignore[call-arg]
    assert offered(replace(shared.manifest, certificate=fewer)) == shared.shown
    assert Manifest.decode(shared.shown.metadata).header == header


def test_a_chunk_that_proves_nothing_is_fetched_from_another_peer(cluster: CometCluster, shared: Shared) -> None:
    node = newcomer(cluster)
    assert node.ask(abci.OfferSnapshot(shared.shown)) == ACCEPT
    for index, chunk in enumerate(shared.chunks):
        lies = [b"", chunk[:-1], chunk[:-1] + bytes([chunk[-1] ^ 1]), shared.chunks[index - 1], *forged(shared, index)]
        for lie in lies:
            if lie == chunk:
                continue
            before = len(node.done)
            answer = node.ask(abci.ApplySnapshotChunk(index, lie, "liar"))
            assert answer == abci.refetch_snapshot_chunk(index, "liar")
            assert [type(effect) for effect in node.done[before:]] == [events.Noticed, events.AbciAnswer]
        answer = node.ask(abci.ApplySnapshotChunk(index, chunk, "peer"))
        assert answer == (abci.apply_snapshot_chunk() if index + 1 < len(shared.chunks) else None)
    assert node.machine.counters["refused_snapshot"] >= len(shared.chunks)


def forged(shared: Shared, index: int) -> list[bytes]:
    """Return chunks that are well formed, and say what nobody certified."""
    heights = heads_in(BLOCKS, index)
    if heights:
        (raws,) = codec.decode_record(shared.chunks[index], "heads-chunk", 1, 1)
        head = Head.decode(raws[0])
        lies = [replace(head, certificate=lie).encode() for lie in uncertified(head.certificate)]
        return [heads_chunk([lie, *raws[1:]]) for lie in lies]
    if item_in(shared.manifest, index) == shared.manifest.chunks:
        committed = CommittedBlock.decode(shared.chunks[index])
        return [replace(committed, certificate=lie).encode() for lie in uncertified(committed.certificate)]
    return [codec.encode(["chunk", 1, []])]


def uncertified(certificate: Certificate) -> list[Certificate]:
    """Return a certificate with too few signatures, and one with a signature of something else."""
    assert isinstance(certificate, CometCertificate)
    first, *rest = certificate.rows
    odd = replace(first, signature=rest[0].signature)
    return [replace(certificate, rows=certificate.rows[:2]), replace(certificate, rows=(odd, *rest))]


def test_offers_that_are_of_no_use_are_refused(cluster: CometCluster, shared: Shared) -> None:
    node, shown = newcomer(cluster), shared.shown
    other = make_genesis(members=NAMES, validators=NAMES, engine="cometbft", **{**DEFAULTS, "heartbeat_ms": 77})
    foreign = replace(shared.manifest, header=replace(shared.manifest.header, chain_id=other.chain_id))
    lies = [
        replace(shown, metadata=b"nothing"),
        replace(shown, chunks=shown.chunks + 1),
        replace(shown, height=shown.height + 1),
        replace(shown, hash=bytes(32)),
        offered(foreign),
    ]
    for lie in lies:
        assert node.ask(abci.OfferSnapshot(lie)) == abci.offer_snapshot(abci.Offered.REJECT_SENDER), lie
        assert node.ask(abci.ApplySnapshotChunk(0, shared.chunks[0], "liar")) == abci.abort_snapshot()
    format = replace(shown, format=2)
    assert node.ask(abci.OfferSnapshot(format)) == abci.offer_snapshot(abci.Offered.REJECT_FORMAT)
    assert kept(node) == ([], [])


def test_a_node_whose_cometbft_is_lost_takes_its_own_height_or_a_later_one() -> None:
    cluster = CometCluster(GENESIS)
    node = cluster.nodes[3]
    cluster.nodes[0].submit(signed(GENESIS, 1))
    cluster.decide(0)
    first = shared_by(node)
    assert node.ask(abci.OfferSnapshot(first.shown)) == ACCEPT
    assert give(node, first) == abci.apply_snapshot_chunk()
    assert kept(node) == ([], [])  # all of it is here
    other = replace(first.manifest, header=replace(first.manifest.header, proposer="regulator"))
    assert node.ask(abci.OfferSnapshot(offered(other))) == abci.offer_snapshot(abci.Offered.REJECT)
    cluster.nodes[1].submit(signed(GENESIS, 2))
    cluster.decide(1)
    assert node.ask(abci.OfferSnapshot(first.shown)) == abci.offer_snapshot(abci.Offered.REJECT)
    behind = CometNode(GENESIS, "regulator", cluster.now_ms, log=node.log[:1])
    second = shared_by(node)
    assert behind.ask(abci.OfferSnapshot(second.shown)) == ACCEPT
    assert give(behind, second) is None
    assert kept(behind)[0] == [1]


def test_only_snapshots_that_two_certified_blocks_follow_are_shown(cluster: CometCluster) -> None:
    node = cluster.nodes[1]
    (effect,) = node.step(events.AbciAsked(3, 4, abci.ListSnapshots()))
    assert effect == events.ListSnapshots(3, 4, node.log[-1].block.header.height - 2)
    (effect,) = node.step(events.AbciAsked(3, 5, abci.LoadSnapshotChunk(4, 1, 2)))
    assert effect == events.LoadChunk(3, 5, 4, 2)
    (effect,) = node.step(events.AbciAsked(3, 6, abci.LoadSnapshotChunk(4, 9, 2)))
    assert effect == events.LoadChunk(3, 6, 0, 2)


def test_every_height_below_a_snapshot_is_in_one_chunk_of_heads() -> None:
    for height in (1, 2, 24, 25, 26, 49, 50, 73):
        chunks = [heads_in(height, index) for index in range(40)]
        assert [at for heights in chunks for at in heights] == list(range(1, height))
