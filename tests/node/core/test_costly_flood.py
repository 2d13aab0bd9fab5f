"""A member that sends what is costly slows itself down: others' transactions commit, and every node stays healthy."""

from __future__ import annotations

from itertools import pairwise

from coseal.contracts.kernel.action import Action, Arguments
from coseal.contracts.kernel.contract import Contract
from coseal.contracts.kernel.fields import Integer
from coseal.contracts.registry import CONTRACTS
from coseal.ledger.genesis import PROTOCOL_VERSION
from coseal.ledger.transaction import Transaction
from coseal.node.core import catch_up
from coseal.node.core.machine import Machine
from tests.support.cluster import Cluster
from tests.support.transactions import acted, signed

COSTLY_STEPS = 399_000
STEPS = Arguments({"steps": Integer(0)})
SPENDING = Contract(
    "spending",
    {"spend": Action(STEPS, lambda view, context, args: view.charge(args["steps"]) or {}, "")},
)


def cluster_with_costly_actions(*, sync_ms: int = 1) -> Cluster:
    cluster = Cluster(sync_ms=sync_ms)
    for host in cluster.hosts.values():
        host.rules = {PROTOCOL_VERSION: {**CONTRACTS, SPENDING.name: SPENDING}}
    cluster.start()
    assert cluster.run_until(lambda: cluster.agrees(1))
    return cluster


def costly(cluster: Cluster, number: int, member: str = "bank-a") -> Transaction:
    args = {"steps": COSTLY_STEPS}
    return acted(cluster.genesis, number, member, "spending.spend", args)


def machine_of(cluster: Cluster, name: str) -> Machine:
    machine = cluster[name].machine
    assert machine is not None
    return machine


def committed(cluster: Cluster) -> list[list[Transaction]]:
    """The transactions of every block, on one node."""
    return [list(outcome.transactions) for _, outcome in cluster["regulator"].published]


def test_a_flood_of_costly_transactions_keeps_nobody_else_waiting() -> None:
    cluster = cluster_with_costly_actions(sync_ms=20)  # so that the flood lasts longer than a node's patience
    flood = [costly(cluster, number) for number in range(120)]
    cluster.submit("bank-a", *flood)
    assert cluster.run_until(lambda: cluster.agrees(6))
    sent_at: dict[bytes, int] = {}
    for number in range(25):
        tx = signed(cluster.genesis, number, member="central-bank")
        cluster.submit("central-bank", tx)
        sent_at[tx.id] = cluster["central-bank"].height
        cluster.run(100)
        assert all(machine_of(cluster, name).status(cluster.now_ms).healthy for name in cluster.hosts)
    assert cluster.run_until(lambda: all(cluster.has(tx) for tx in flood), 120_000)
    cluster.run(50)
    height_of = {tx.id: height for height, block in enumerate(committed(cluster), 1) for tx in block}
    waits = [height_of[tx_id] - height for tx_id, height in sent_at.items()]
    assert max(waits) <= 3, waits
    assert machine_of(cluster, "bank-a").mempool.oldest_age_ms(cluster.now_ms) is None
    last = max(height_of[tx_id] for tx_id in sent_at)
    assert sum(height_of[tx.id] > last for tx in flood) > 20, "the flood was still waiting"
    mine = [tx.id for block in committed(cluster) for tx in block if tx.sender == "bank-a/admin"]
    assert mine == [tx.id for tx in flood], "in the order in which they were sent, none lost"


def test_one_turn_of_catching_up_executes_so_many_steps_and_no_more() -> None:
    cluster = cluster_with_costly_actions()
    cluster.kill("bank-a")
    for number in range(16):
        tx = costly(cluster, number, "central-bank")
        cluster.submit("central-bank", tx)
        assert cluster.run_until(lambda tx=tx: cluster.has(tx, "central-bank"))  # type: ignore[misc]
    heights: list[int] = []
    host = cluster["bank-a"]
    host.watch = lambda effects: heights.append(host.height)
    cluster.start("bank-a")
    assert cluster.run_until(lambda: host.height >= 17, 60_000)
    turns = [after - before for before, after in pairwise(heights)]
    assert 1 < max(turns) <= 1 + catch_up.CATCH_UP_STEPS // COSTLY_STEPS


def test_a_node_that_starts_again_learns_whose_turn_it_is_from_the_next_blocks() -> None:
    cluster = cluster_with_costly_actions()
    cluster.submit("bank-a", *(costly(cluster, number) for number in range(5)))
    assert cluster.run_until(lambda: cluster.agrees(6))
    cluster.run(50)
    before = machine_of(cluster, "regulator").status(cluster.now_ms).member_steps
    assert before["bank-a"] > 4 * COSTLY_STEPS
    cluster.kill("regulator")
    cluster.start("regulator")
    assert machine_of(cluster, "regulator").status(cluster.now_ms).member_steps == {}
    tx = signed(cluster.genesis, 1, member="central-bank")
    cluster.submit("central-bank", tx)
    assert cluster.run_until(lambda: cluster.has(tx))
    assert set(machine_of(cluster, "regulator").status(cluster.now_ms).member_steps) == {"central-bank"}


def test_what_a_node_says_of_itself_is_its_members() -> None:
    cluster = Cluster(observers=("watch",)).start()
    seen = cluster["regulator"].published
    assert cluster.run_until(lambda: any(tx.sender == "node:watch" for _, out in seen for tx in out.transactions))
    lately = machine_of(cluster, "regulator").status(cluster.now_ms).member_steps
    assert "bank-a" in lately, "the observer is bank-a's"
    assert set(lately) <= {member.id for member in cluster.genesis.members}
