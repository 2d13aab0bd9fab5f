"""Joining by a snapshot on real machines: a wiped or long-dead node among pruned peers, liars and losses (row S2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from coseal.ledger import merkle
from coseal.ledger.block import CommittedBlock
from coseal.ledger.certificate import PbftCertificate
from coseal.ledger.errors import LedgerError
from coseal.ledger.head import Head
from coseal.ledger.snapshot import Manifest, cut
from coseal.node.core import events, wire
from coseal.node.core.header_chain import genesis_chain
from coseal.node.core.joining import Joining
from coseal.node.core.snapshot import SnapshotSync
from coseal.node.core.sync import Sync
from tests.support.cluster import Cluster, Disk, commit, machine_of, settled

VICTIM = "enterprise-a"
PEERS = ("bank-a", "central-bank", "regulator")


def chain(count: int = 8, *, keep: int = 1, blocks: int = 3, victim_height: int = 0, **options: int) -> Cluster:
    """A chain whose first blocks nobody has any more, and the victim dead: wiped, or at ``victim_height``."""
    cluster = settled(Cluster(snapshot_blocks=blocks, **options))
    if victim_height:
        commit(cluster, victim_height - 1)
    cluster.kill(VICTIM)
    commit(cluster, count, first=100)
    cluster.run(20)
    if not victim_height:
        cluster[VICTIM].disk = Disk(None)
    for name in PEERS:
        cluster.kill(name)
        disk = cluster[name].disk
        disk.prune(max(disk.snapshots) - (1 - keep) if keep else max(disk.snapshots))
    cluster.start(*PEERS)
    cluster.run(1_500)
    return cluster


def joined(cluster: Cluster, limit_ms: int = 60_000) -> bool:
    return cluster.run_until(lambda: cluster[VICTIM].machine is not None and cluster.agrees(), limit_ms)


def liar(names: tuple[str, ...], lie: Callable[[wire.WireMessage], wire.WireMessage | None]):
    """Replace what ``names`` send to the victim; ``lie`` returns the message itself to leave it, None to lose it."""

    def tamper(source: str, target: str, data: bytes) -> list[bytes]:
        if source not in names or target != VICTIM:
            return [data]
        message = lie(wire.decode(data))
        return [] if message is None else [wire.encode(message)]

    return tamper


@pytest.mark.parametrize("victim_height", [0, 2])
def test_a_node_whose_blocks_nobody_has_joins_by_a_snapshot_and_goes_on_committing(victim_height: int) -> None:
    cluster = chain(victim_height=victim_height)
    cluster.start(VICTIM)
    assert joined(cluster)
    host = cluster[VICTIM]
    assert host.adopted == 1
    assert host.disk.first_height > 3
    heads = [Head.decode(raw).header.hash for raw in host.disk.heads]
    assert heads == [cluster.chain[height] for height in range(1, host.disk.first_height)]
    commit(cluster, 4, first=200)
    cluster.run(20)
    assert cluster.agrees()
    assert host.height > host.disk.first_height


def test_a_joined_node_votes_again_and_serves_others() -> None:
    cluster = chain(victim_height=2)
    cluster.start(VICTIM)
    assert joined(cluster)
    commit(cluster, 3, first=200)
    assert machine_of(cluster[VICTIM]).replica.standing().silence is None
    cluster.kill("bank-a")  # a quorum now needs the one that joined
    cluster["bank-a"].disk = Disk(None)
    commit(cluster, 2, first=300)
    cluster.kill("central-bank", "regulator")
    cluster.start("bank-a")
    assert cluster.run_until(lambda: cluster["bank-a"].adopted == 1, 30_000)
    hashes = [Head.decode(raw).header.hash for raw in cluster["bank-a"].disk.heads]
    assert hashes == [cluster.chain[height] for height in range(1, len(hashes) + 1)]


def test_a_wiped_validator_observes_first() -> None:
    cluster = chain()
    cluster.start(VICTIM)
    assert cluster.run_until(lambda: cluster[VICTIM].adopted == 1)
    assert machine_of(cluster[VICTIM]).replica.standing().silence is not None
    assert cluster[VICTIM].disk.journal is None


def test_blocks_are_preferred_while_one_peer_has_them() -> None:
    cluster = settled(Cluster(snapshot_blocks=3))
    cluster.kill(VICTIM)
    commit(cluster, 8)
    cluster.kill(*PEERS[:2])
    for name in PEERS[:2]:
        cluster[name].disk.prune(max(cluster[name].disk.snapshots))
    cluster.start(*PEERS[:2], VICTIM)
    assert cluster.run_until(cluster.agrees, 30_000)
    assert cluster[VICTIM].adopted == 0
    assert cluster[VICTIM].disk.first_height == 1


def test_a_gap_as_large_as_configured_is_closed_by_a_snapshot() -> None:
    cluster = settled(Cluster(snapshot_blocks=3, join_gap_blocks=6))
    cluster.kill(VICTIM)
    commit(cluster, 9)
    cluster.start(VICTIM)
    assert cluster.run_until(lambda: cluster.agrees() and cluster[VICTIM].adopted == 1, 30_000)


def flip(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def unsigned(certificate: PbftCertificate) -> PbftCertificate:
    return replace(certificate, signatures=tuple(flip(signature) for signature in certificate.signatures))


def wrong_item(message: wire.WireMessage) -> wire.WireMessage:
    if isinstance(message, wire.Item) and message.data is not None:
        return wire.Item(message.height, message.item, flip(message.data))
    return message


def no_item(message: wire.WireMessage) -> wire.WireMessage:
    return wire.Item(message.height, message.item, None) if isinstance(message, wire.Item) else message


def other_item(message: wire.WireMessage) -> wire.WireMessage:
    return wire.Item(message.height, 0, message.data) if isinstance(message, wire.Item) else message


def silent(message: wire.WireMessage) -> wire.WireMessage | None:
    return None if isinstance(message, wire.Item | wire.Heads) else message


def no_offer(message: wire.WireMessage) -> wire.WireMessage:
    return wire.Snapshot(None) if isinstance(message, wire.Snapshot) else message


def wrong_manifest(message: wire.WireMessage) -> wire.WireMessage:
    if isinstance(message, wire.Snapshot) and message.manifest is not None:
        return wire.Snapshot(flip(message.manifest))
    return message


def forged_manifest(message: wire.WireMessage) -> wire.WireMessage:
    """A true one of a height nobody certified: its certificate is that of another block."""
    if isinstance(message, wire.Snapshot) and message.manifest is not None:
        manifest = Manifest.decode(message.manifest)
        return wire.Snapshot(replace(manifest, certificate=unsigned(manifest.certificate)).encode())
    return message


def forged_block(message: wire.WireMessage) -> wire.WireMessage:
    """The true block, with a certificate that nobody signed."""
    if isinstance(message, wire.Item) and message.data is not None:
        try:
            committed = CommittedBlock.decode(message.data)
        except LedgerError:
            return message  # a chunk
        forged = replace(committed, certificate=unsigned(committed.certificate))
        return wire.Item(message.height, message.item, forged.encode())
    return message


def wrong_heads(message: wire.WireMessage) -> wire.WireMessage:
    if isinstance(message, wire.Heads) and message.heads:
        head = Head.decode(message.heads[-1])
        forged = replace(head, certificate=unsigned(head.certificate)).encode()
        return wire.Heads(message.from_height, (*message.heads[:-1], forged))
    return message


def shifted_heads(message: wire.WireMessage) -> wire.WireMessage:
    return wire.Heads(message.from_height, message.heads[1:]) if isinstance(message, wire.Heads) else message


LIES = [
    wrong_item,
    no_item,
    other_item,
    silent,
    no_offer,
    wrong_manifest,
    forged_manifest,
    forged_block,
    wrong_heads,
    shifted_heads,
]


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_one_honest_peer_is_enough_to_join(lie) -> None:
    """S2: whatever all others say of headers, manifests and chunks."""
    cluster = chain()
    cluster.tamper = liar(PEERS[:2], lie)
    cluster.start(VICTIM)
    assert joined(cluster, 120_000)
    assert cluster[VICTIM].adopted == 1


@pytest.mark.parametrize(
    "lie", [lie for lie in LIES if lie not in (silent, no_item, no_offer, other_item)], ids=lambda f: f.__name__
)
def test_nothing_that_does_not_prove_itself_is_kept_and_its_giver_is_found_out(lie) -> None:
    cluster = chain()
    cluster.tamper = liar(PEERS, lie)
    cluster.start(VICTIM)
    cluster.run(20_000)
    host = cluster[VICTIM]
    assert host.adopted == 0
    assert [notice for notice in host.noticed if notice.code == "bad_snapshot"]
    if host.disk.joining is not None:
        manifest, items = host.disk.joining
        for item, data in items.items():
            manifest.check(item, data)
    for raw in host.disk.joining_heads:
        assert Head.decode(raw).header.hash == cluster.chain[Head.decode(raw).header.height]
    cluster.tamper = lambda source, target, data: [data]
    assert joined(cluster, 120_000)  # liars are forgiven after a minute
    assert host.adopted == 1


def test_an_interrupted_join_goes_on_where_it_was() -> None:
    cluster = chain(state_bits=8)
    sent: list[tuple[int, int]] = []
    budget = 3

    def tamper(source: str, target: str, data: bytes) -> list[bytes]:
        message = wire.decode(data)
        if target == VICTIM and isinstance(message, wire.Item):
            if len(sent) >= budget:
                return []
            sent.append((message.height, message.item))
        return [data]

    for name in PEERS:  # more chunks than one, as in a large state
        deepen(cluster[name].disk)
    cluster.tamper = tamper
    cluster.start(VICTIM)
    cluster.run(5_000)
    disk = cluster[VICTIM].disk
    assert disk.joining is not None
    assert len(disk.joining[1]) == budget
    heads = list(disk.joining_heads)
    cluster.kill(VICTIM)
    budget = 1_000
    cluster.start(VICTIM)
    assert joined(cluster)
    assert len(set(sent)) == len(sent)  # nothing was fetched twice
    assert disk.heads[-len(heads) :] == heads


def test_what_is_checked_is_returned_if_it_is_the_block() -> None:
    disk = chain()["bank-a"].disk
    manifest, items = disk.snapshots[max(disk.snapshots)]
    assert [manifest.check(item, data) for item, data in enumerate(items)] == [
        *[None] * manifest.chunks,
        CommittedBlock.decode(items[-1]),
    ]


def deepen(disk: Disk) -> None:
    """Cut the newest snapshot deeper than its size asks for."""
    height = max(disk.snapshots)
    manifest, items = disk.snapshots[height]
    entries = sorted(
        entry for index, chunk in enumerate(items[:-1]) for entry in manifest.entries(index, chunk).items()
    )
    chunks = list(cut(entries, manifest.bits, 4))
    hashes = b"".join(value for _, value in chunks)
    deep = Manifest(manifest.header, manifest.certificate, manifest.bits, 4, hashes)
    disk.snapshots = {height: (deep, [*(chunk for chunk, _ in chunks), items[-1]])}


def test_a_snapshot_that_everybody_forgot_is_given_up_for_a_newer_one() -> None:
    cluster = chain()
    old = max(cluster["bank-a"].disk.snapshots)
    cluster.tamper = liar(PEERS, silent)
    cluster.start(VICTIM)
    cluster.run(5_000)
    cluster.tamper = lambda source, target, data: [data]
    cluster.kill(VICTIM)
    commit(cluster, 8, first=200)
    assert min(cluster["bank-a"].disk.snapshots) > old
    cluster.start(VICTIM)
    assert joined(cluster)
    assert cluster[VICTIM].disk.first_height > old


def test_who_offered_what_the_node_has_passed_is_asked_again() -> None:
    """A join was not needed after all; later a new one is, and the offers of the first one lead nowhere."""
    cluster = chain()
    disk = cluster["bank-a"].disk
    manifest = disk.snapshots[max(disk.snapshots)][0]
    header_chain = genesis_chain(cluster.genesis)
    sync = SnapshotSync(header_chain, lambda peer, now_ms: False)
    sync.connected("bank-a")
    sync.want(header_chain)
    assert sync.requests(0) == [("bank-a", wire.GetSnapshot())]
    sync.offered("bank-a", manifest.encode(), 10)
    sync.rest()
    for height in range(1, manifest.height + 1):
        header_chain = header_chain.follow(Head.decode(disk.head(height) or b""))
    sync.want(header_chain)
    assert sync.requests(20) == [("bank-a", wire.GetSnapshot())]


def test_a_node_that_passed_the_snapshot_meanwhile_does_not_go_back_to_it() -> None:
    """Its last part comes after blocks brought the node past it: adopting it would lose what was published since."""
    cluster = chain(victim_height=2)
    disk = cluster["bank-a"].disk
    manifest, items = disk.snapshots[max(disk.snapshots)]
    chains = [genesis_chain(cluster.genesis)]
    for height in range(1, manifest.height + 2):
        chains.append(chains[-1].follow(Head.decode(disk.head(height) or b"")))
    victim = machine_of(cluster["regulator"])
    for passed in (False, True):
        at = [chains[manifest.height - 1]]
        context = replace(victim._context, effects=[], config=replace(victim._context.config, join_gap_blocks=1))
        sync = Sync(manifest.height - 1)
        sync.connected("bank-a")
        sync.hinted("bank-a", manifest.height + 1)
        joining = Joining(context, sync, lambda at=at: at[0], None)
        joining.snapshots.connected("bank-a")
        joining.consider(0)
        joining.received("bank-a", wire.Snapshot(manifest.encode()), 10)
        for item, data in enumerate(items):
            if passed and item == len(items) - 1:
                at[0] = chains[manifest.height + 1]
            joining.received("bank-a", wire.Item(manifest.height, item, data), 20)
        adopted = [effect for effect in context.effects if isinstance(effect, events.AdoptSnapshot)]
        assert len(adopted) == (not passed)


def test_answers_that_nobody_asked_for_change_nothing() -> None:
    cluster = chain()
    host = cluster["regulator"]
    manifest, items = host.disk.snapshots[max(host.disk.snapshots)]
    before = machine_of(host).status(cluster.now_ms)
    for answer in (
        wire.Snapshot(manifest.encode()),
        wire.Heads(1, tuple(host.disk.heads[:2])),
        wire.Item(manifest.height, 0, items[0]),
        wire.Pruned(3, 5),
    ):
        cluster.send("bank-a", "regulator", wire.encode(answer))
    cluster.run(50)
    after = machine_of(host).status(cluster.now_ms)
    assert (after.height, after.syncing, after.healthy) == (before.height, False, True)
    assert host.disk.joining is None


def test_a_pruned_node_says_from_where_on_it_has_blocks() -> None:
    cluster = chain()
    answers: list[wire.Pruned] = []

    def tamper(source: str, target: str, data: bytes) -> list[bytes]:
        message = wire.decode(data)
        if isinstance(message, wire.Pruned):
            answers.append(message)
        return [data]

    cluster.tamper = tamper
    cluster.send(PEERS[0], PEERS[1], wire.encode(wire.GetBlocks(1, 5)))
    cluster.run(50)
    assert answers == [wire.Pruned(1, cluster[PEERS[1]].disk.first_height)]


def test_the_proof_of_a_transaction_can_be_made_from_a_head() -> None:
    cluster = settled(Cluster())
    commit(cluster, 2)
    cluster.run(20)
    committed = CommittedBlock.decode(cluster["bank-a"].disk.blocks[1])
    head = Head.decode(Head.of(committed).encode())
    raw = committed.block.transactions[0]
    merkle.verify(raw, 0, 1, merkle.prove_hashed(head.transactions, 0), head.header.tx_root)
    merkle.verify(committed.receipts[1], 1, 2, merkle.prove_hashed(head.receipts, 1), head.header.receipts_root)
    forged = Head(head.header, head.certificate, (bytes(32),), head.receipts)
    with pytest.raises(LedgerError):
        Head.decode(forged.encode())
