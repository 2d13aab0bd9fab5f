"""Sidecars among real machines: kept before a vote, asked for, served, let go of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coseal.consensus.application import Draft
from coseal.contracts.execution import Executor
from coseal.contracts.genesis_state import new_state
from coseal.contracts.kernel.sidecars import Named
from coseal.contracts.membership import actions as membership
from coseal.ledger.sealed import Envelope, Envelopes, encode_sidecar, name_of
from coseal.ledger.transaction import Transaction
from coseal.node.core import events, wire
from coseal.node.core.apart import PATIENCE_MS
from coseal.node.core.application import LedgerApplication
from coseal.node.core.events import Admission
from coseal.node.core.held_sidecars import HeldSidecars
from coseal.node.core.mempool import Mempool
from simulation.lockers import with_lockers
from tests.support.cluster import Cluster
from tests.support.genesis import START_MS
from tests.support.transactions import acted, signed

NAMES = ("bank-a", "central-bank", "enterprise-a", "regulator")


def sidecar(number: int, size: int = 1_200) -> tuple[Named, bytes]:
    """Return a sidecar of about so many bytes, different by its number."""
    content = number.to_bytes(4, "big").ljust(size, b"\x01")
    made = Envelopes(bytes(32), (Envelope("bank-a", 0, content),))
    data = encode_sidecar(made)
    return Named(name_of(made), len(data)), data


def put(cluster: Cluster, number: int, named: Named, member: str = "bank-a") -> Transaction:
    args = {"sidecar": {"name": named.name.hex(), "bytes": named.size}}
    return acted(cluster.genesis, number, member, "lockers.put", args)


def erase(cluster: Cluster, number: int, named: Named, member: str = "bank-a") -> Transaction:
    return acted(cluster.genesis, number, member, "lockers.erase", {"name": named.name.hex()})


def cluster_of(**options: Any) -> Cluster:
    cluster = Cluster(**options)
    for host in cluster.hosts.values():
        host.rules = with_lockers()
    return cluster


@pytest.fixture
def cluster() -> Cluster:
    cluster = cluster_of().start()
    cluster.run(2_000)
    return cluster


def submit(cluster: Cluster, name: str, transaction: Transaction, data: bytes | None) -> Any:
    host = cluster[name]
    host.step(events.Submitted((transaction,), (data,)))
    return host.answers[-1]


def holders(cluster: Cluster, named: Named) -> list[str]:
    return [name for name, host in cluster.hosts.items() if named.name in host.disk.sidecars]


def lost(kind: type[wire.WireMessage], *sources: str) -> Callable[[str, str, bytes], list[bytes]]:
    """Return what loses frames of a kind from these nodes, from all if none is named."""

    def tamper(source: str, target: str, data: bytes) -> list[bytes]:
        wrong = isinstance(wire.decode(data), kind) and (not sources or source in sources)
        return [] if wrong else [data]

    return tamper


def counts(cluster: Cluster, name: str) -> tuple[int, int, int]:
    machine = cluster[name].machine
    assert machine is not None
    found = machine.status(cluster.now_ms).sidecars
    return found.live, found.held, found.missing


def test_a_sidecar_is_on_every_validators_disk_before_its_prepare_leaves(cluster: Cluster) -> None:
    named, data = sidecar(1)
    transaction = put(cluster, 1, named)
    early: list[str] = []

    def watch(source: str, target: str, frame: bytes) -> list[bytes]:
        message = wire.decode(frame)
        if isinstance(message, wire.ConsensusMessage) and type(message.message).__name__ in ("Prepare", "Proposal"):
            block = cluster[source].machine.replica.body(
                message.message.height, getattr(message.message, "block_hash", b"")
            )  # type: ignore[union-attr]
            block = getattr(message.message, "block", block)
            if (
                block is not None
                and transaction.raw in block.transactions
                and named.name not in cluster[source].disk.sidecars
            ):
                early.append(source)
        return [frame]

    cluster.tamper = watch
    assert submit(cluster, "regulator", transaction, data).admission is Admission.ACCEPTED
    cluster.run(3_000)
    assert cluster.has(transaction)
    assert holders(cluster, named) == list(cluster.hosts)
    assert early == []
    assert all(cluster[name].disk.sidecars[named.name] == data for name in cluster.hosts)
    assert {counts(cluster, name) for name in cluster.hosts} == {(1, 1, 0)}


def test_a_client_has_to_bring_the_sidecar_and_the_right_one(cluster: Cluster) -> None:
    named, data = sidecar(1)
    other = sidecar(2)[1]
    transaction = put(cluster, 1, named)
    for wrong, code in ((None, "sidecar_missing"), (other, "sidecar_malformed"), (data[:-1], "sidecar_malformed")):
        answer = submit(cluster, "bank-a", transaction, wrong)
        assert answer.rejected is not None
        assert answer.rejected.code == code
    assert submit(cluster, "bank-a", transaction, data).admission is Admission.ACCEPTED
    assert submit(cluster, "bank-a", transaction, data).admission is Admission.PENDING


def test_it_waits_in_memory_and_leaves_nothing_when_its_transaction_expires() -> None:
    cluster = cluster_of().start("bank-a")
    named, data = sidecar(1)
    assert submit(cluster, "bank-a", put(cluster, 1, named), data).admission is Admission.ACCEPTED
    machine = cluster["bank-a"].machine
    assert machine is not None
    assert machine.mempool.size_bytes > named.size
    cluster.run(2_000)
    assert cluster["bank-a"].disk.sidecars == {}
    cluster.run(400_000)
    assert [answer.rejected.code for answer in cluster["bank-a"].dropped if answer.rejected] == ["expired"]
    assert machine.mempool.size_bytes == 0
    host = cluster["bank-a"]
    host.step(events.FrameReceived("regulator", wire.GetSidecars((named.name,))))
    assert submit(cluster, "bank-a", put(cluster, 1, named), None).rejected.code == "expired"


def test_without_its_sidecar_a_transaction_waits_apart_and_is_no_work(cluster: Cluster) -> None:
    named, _ = sidecar(1)
    cluster.tamper = lost(wire.Sidecars)
    transaction = put(cluster, 1, named)
    later = signed(cluster.genesis, 2)
    cluster["regulator"].step(events.FrameReceived("bank-a", wire.Transactions((transaction.raw, later.raw))))
    machine = cluster["regulator"].machine
    assert machine is not None
    assert len(machine.mempool) == 0
    cluster.run(PATIENCE_MS - 2_000)
    assert not cluster.has(later)
    cluster.run(5_000)
    assert [answer.rejected.code for answer in cluster["regulator"].dropped if answer.rejected] == [
        "sidecar_unavailable"
    ]
    assert cluster["regulator"].height >= 2
    assert cluster.has(later)
    # the same one again holds up nobody
    cluster["regulator"].step(events.FrameReceived("bank-a", wire.Transactions((transaction.raw,))))
    third = signed(cluster.genesis, 3)
    cluster["regulator"].step(events.FrameReceived("bank-a", wire.Transactions((third.raw,))))
    cluster.run(2_000)
    assert cluster.has(third)


def test_a_leader_that_withholds_loses_its_round_and_the_chain_goes_on(cluster: Cluster) -> None:
    named, data = sidecar(1)
    leader = cluster["bank-a"].machine.status(cluster.now_ms).leader  # type: ignore[union-attr]
    cluster.tamper = lost(wire.Sidecars, leader)
    withheld = put(cluster, 1, named)
    submit(cluster, leader, withheld, data)
    other = next(name for name in cluster.hosts if name != leader)
    plain = signed(cluster.genesis, 2, member="regulator")
    cluster[other].step(events.Submitted((plain,)))
    cluster.run(8_000)
    assert cluster.has(plain)
    assert not cluster.has(withheld)


def test_what_was_not_asked_for_and_what_is_not_it_is_dropped(cluster: Cluster) -> None:
    named, data = sidecar(1)
    host = cluster["regulator"]
    host.step(events.FrameReceived("bank-a", wire.Sidecars(((named.name, data),))))
    assert host.machine is not None
    assert host.machine.counters["unasked_sidecar"] == 1
    transaction = put(cluster, 1, named)
    host.step(events.FrameReceived("bank-a", wire.Transactions((transaction.raw,))))
    host.step(events.FrameReceived("bank-a", wire.Sidecars(((named.name, sidecar(2)[1]),))))
    assert host.machine.counters["refused_sidecar_Malformed"] == 1
    assert len(host.machine.mempool) == 0


def test_erased_means_gone_from_every_disk_after_the_block_and_served_by_nobody(cluster: Cluster) -> None:
    named, data = sidecar(1)
    submit(cluster, "bank-a", put(cluster, 1, named), data)
    cluster.run(2_000)
    assert holders(cluster, named) == list(cluster.hosts)
    gone = erase(cluster, 2, named)
    cluster["regulator"].step(events.Submitted((gone,)))
    cluster.run(2_000)
    assert cluster.has(gone)
    assert holders(cluster, named) == []
    answers: list[bytes] = []
    cluster.tamper = lambda source, target, frame: answers.append(frame) or [frame]  # type: ignore[func-returns-value]
    cluster["regulator"].step(events.FrameReceived("bank-a", wire.GetSidecars((named.name,))))
    assert wire.encode(wire.Sidecars(((named.name, None),))) in answers
    assert counts(cluster, "bank-a") == (0, 0, 0)


def test_a_refused_transaction_that_names_anothers_sidecar_erases_nothing(cluster: Cluster) -> None:
    named, data = sidecar(1)
    submit(cluster, "bank-a", put(cluster, 1, named), data)
    cluster.run(2_000)
    squat = put(cluster, 2, named, "regulator")
    submit(cluster, "regulator", squat, None)
    cluster.run(2_000)
    assert cluster.has(squat)
    assert holders(cluster, named) == list(cluster.hosts)


def test_a_node_that_was_away_decides_without_them_and_fetches_them_afterwards(cluster: Cluster) -> None:
    cluster.kill("regulator")
    made = [sidecar(number) for number in range(12)]
    for number, (named, data) in enumerate(made):
        submit(cluster, "bank-a", put(cluster, number, named), data)
        cluster.run(300)
    cluster.run(2_000)
    cluster.start("regulator")
    cluster.run(8_000)
    assert cluster.agrees()
    assert counts(cluster, "regulator") == (12, 12, 0)
    assert all(cluster["regulator"].disk.sidecars[named.name] == data for named, data in made)


def test_a_node_that_lost_its_folder_of_sidecars_gets_them_again(cluster: Cluster) -> None:
    named, data = sidecar(1)
    submit(cluster, "bank-a", put(cluster, 1, named), data)
    cluster.run(2_000)
    cluster.kill("regulator")
    cluster["regulator"].disk.sidecars.clear()
    cluster.start("regulator")
    assert counts(cluster, "regulator") == (1, 0, 1)
    cluster.run(3_000)
    assert counts(cluster, "regulator") == (1, 1, 0)


def test_what_is_on_disk_and_nobody_needs_is_erased_at_the_start(cluster: Cluster) -> None:
    named, data = sidecar(1)
    cluster.kill("regulator")
    cluster["regulator"].disk.sidecars[named.name] = data
    cluster.start("regulator")
    cluster.run(2_000)
    assert cluster["regulator"].disk.sidecars == {}


def test_a_node_without_its_journal_erases_only_once_it_votes_again(cluster: Cluster) -> None:
    named, data = sidecar(1)
    cluster.kill("regulator")
    cluster["regulator"].disk.sidecars[named.name] = data
    cluster["regulator"].disk.journal = None
    cluster.start("regulator")
    cluster.run(2_000)
    assert named.name in cluster["regulator"].disk.sidecars
    for number in range(6):
        cluster["bank-a"].step(events.Submitted((signed(cluster.genesis, number),)))
        cluster.run(1_500)
    assert cluster["regulator"].machine.replica.standing().silence is None  # type: ignore[union-attr]
    assert cluster["regulator"].disk.sidecars == {}


def test_a_sidecar_that_the_disk_lost_is_asked_for_again(cluster: Cluster) -> None:
    named, data = sidecar(1)
    submit(cluster, "bank-a", put(cluster, 1, named), data)
    cluster.run(2_000)
    del cluster["regulator"].disk.sidecars[named.name]
    cluster["regulator"].step(events.FrameReceived("bank-a", wire.GetSidecars((named.name,))))
    cluster.run(3_000)
    assert cluster["regulator"].disk.sidecars[named.name] == data


def test_who_asks_too_often_is_not_answered(cluster: Cluster) -> None:
    host = cluster["regulator"]
    for _ in range(70):
        host.step(events.FrameReceived("bank-a", wire.GetSidecars((bytes(32),))))
    assert host.machine is not None
    assert host.machine.counters["too_many_get-sidecars"] == 6


def test_an_observer_is_ready_only_when_no_peer_has_what_it_lacks() -> None:
    cluster = cluster_of(observers=("watcher",)).start(*NAMES)
    cluster.run(2_000)
    named, data = sidecar(1)
    submit(cluster, "bank-a", put(cluster, 1, named), data)
    cluster.run(2_000)
    cluster.tamper = lost(wire.Sidecars)
    cluster.start("watcher")
    cluster.run(6_000)
    reader = cluster["bank-a"].machine.executor.reader  # type: ignore[union-attr]
    assert counts(cluster, "watcher") == (1, 0, 1)
    assert "ready" not in (membership.node(reader, "watcher") or {})
    cluster.tamper = lambda source, target, frame: [frame]
    cluster.run(10_000)
    assert counts(cluster, "watcher") == (1, 1, 0)
    assert "ready" in (membership.node(reader, "watcher") or {})


def test_a_node_that_is_catching_up_gives_nothing_that_its_old_state_lists(cluster: Cluster) -> None:
    named, data = sidecar(1)
    submit(cluster, "bank-a", put(cluster, 1, named), data)
    cluster.run(2_000)
    cluster.kill("regulator")
    submit(cluster, "bank-a", erase(cluster, 2, named), None)
    for number in range(3, 9):
        submit(cluster, "bank-a", signed(cluster.genesis, number), None)
        cluster.run(1_000)
    assert holders(cluster, named) == ["regulator"]
    frames: list[bytes] = []
    cluster.tamper = lambda source, target, frame: [] if isinstance(wire.decode(frame), wire.Blocks) else [frame]
    cluster.start("regulator")
    cluster.run(3_000)
    cluster.tamper = lambda source, target, frame: frames.append(frame) or [frame]  # type: ignore[func-returns-value]
    cluster["regulator"].step(events.FrameReceived("bank-a", wire.GetSidecars((named.name,))))
    assert wire.encode(wire.Sidecars(((named.name, None),))) in frames
    cluster.run(5_000)
    assert holders(cluster, named) == []


def test_what_a_waiting_transaction_names_is_kept_for_as_long_as_it_waits() -> None:
    cluster = cluster_of().start("bank-a")
    named, data = sidecar(1)
    transaction = put(cluster, 1, named)
    submit(cluster, "bank-a", transaction, data)
    cluster.run(5_000)
    cluster.start()
    cluster.run(10_000)
    assert cluster.has(transaction)
    assert holders(cluster, named) == list(cluster.hosts)


def test_a_leader_writes_what_its_new_block_names_before_it_says_anything() -> None:
    cluster = cluster_of()
    genesis = cluster.genesis
    executor = Executor(genesis, new_state(genesis), rules=with_lockers())
    written: list[events.NodeEffect] = []
    held, mempool = HeldSidecars(written.append, {}), Mempool()
    application = LedgerApplication(genesis, executor, mempool, held)
    named, data = sidecar(1)
    transaction, lacking = put(cluster, 1, named), put(cluster, 2, sidecar(2)[0], "regulator")
    held.take(named, data)
    for one in (transaction, lacking):
        assert mempool.add(one, 0) is None
    validators = executor.validators
    draft = Draft(1, genesis.chain_id, 0, validators.hash, validators[0].id, 0, START_MS + 1, None)
    assert application.build(draft).block.transactions == (transaction.raw,)
    assert written == [events.KeepSidecar(named.name, data)]
