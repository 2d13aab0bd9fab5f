"""An idle chain makes a block when something falls due, whoever leads, and no other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from coseal.ledger import transaction
from tests.support.cluster import Cluster
from tests.support.keys import operator

TERM_MS = 60_000
ASKED = 6
DUE = ASKED + 1


def submit(cluster: Cluster, member: str, action: str, args: Mapping[str, Any]) -> None:
    """Commit one transaction of supervision on all nodes."""
    tx = transaction.sign(
        operator(member),
        chain_id=cluster.genesis.chain_id,
        sender=f"{member}/admin",
        contract="supervision",
        action=action,
        args=args,
        valid_until_ms=cluster.now_ms + 300_000,
        salt=bytes(16),
    )
    cluster.submit("regulator", tx)
    assert cluster.run_until(lambda: cluster.has(tx))


def settled(cluster: Cluster) -> Cluster:
    cluster.start()
    assert cluster.run_until(lambda: cluster.agrees(1))
    return cluster


def ask(cluster: Cluster) -> int:
    """Ask a question that is to be answered soon, and let the chain fall asleep; return when the answer is due."""
    submit(cluster, "bank-a", "propose_terms", {"terms": {"answer": TERM_MS}, "reason": "Be quick"})
    for member in ("bank-a", "central-bank", "regulator"):
        submit(cluster, member, "vote", {"ballot": "B1", "choice": "yes"})
    submit(cluster, "bank-a", "ask", {"topic": "Terms", "question": "From when do they count?"})
    assert cluster.run_until(lambda: cluster.agrees(ASKED))
    executor = cluster["regulator"].machine.executor
    assert executor.next_deadline_ms() == executor.time_ms + TERM_MS
    return executor.time_ms + TERM_MS


def overdue(cluster: Cluster, name: str) -> list[Any]:
    record: Any = cluster[name].machine.executor.get("supervision/question/Q1")
    return record["overdue"]


def test_an_idle_chain_makes_the_block_in_which_a_deadline_passes_and_no_block_before() -> None:
    cluster = settled(Cluster())
    due_ms = ask(cluster)
    cluster.run(due_ms - cluster.now_ms - 1)
    assert {host.height for host in cluster.running()} == {ASKED}
    assert cluster.run_until(lambda: cluster.agrees(DUE), 5_000)
    assert cluster.now_ms - due_ms < 1_000
    assert [entry[:3] for entry in overdue(cluster, "bank-a")] == [["answer", "supervisor", due_ms]]
    cluster.run(TERM_MS // 2)
    assert {host.height for host in cluster.running()} == {DUE}


@pytest.mark.parametrize("stopped", ["regulator", "bank-a", "central-bank", "enterprise-a"])
def test_a_deadline_passes_also_without_one_of_the_validators(stopped: str) -> None:
    cluster = settled(Cluster())
    due_ms = ask(cluster)
    cluster.run(1_000)
    cluster.kill(stopped)
    assert cluster.run_until(lambda: cluster.agrees(DUE), due_ms - cluster.now_ms + 30_000)
    assert cluster.now_ms - due_ms < 20_000
    cluster.start(stopped)
    assert cluster.run_until(lambda: cluster.agrees(DUE))
    assert len(overdue(cluster, stopped)) == 1


def test_a_deadline_that_passed_while_nobody_ran_is_met_at_the_start() -> None:
    cluster = settled(Cluster())
    ask(cluster)
    cluster.run(1_000)
    cluster.kill(*cluster.hosts)
    cluster.run(2 * TERM_MS)
    cluster.start()
    assert cluster.run_until(lambda: cluster.agrees(DUE))
    assert len(overdue(cluster, "regulator")) == 1


def test_clocks_that_differ_delay_a_deadline_and_do_not_stop_it() -> None:
    cluster = Cluster()
    cluster.skew_ms = {"regulator": 400, "bank-a": -400}
    settled(cluster)
    due_ms = ask(cluster)
    assert cluster.run_until(lambda: cluster.agrees(DUE), due_ms - cluster.now_ms + 10_000)
    assert len(overdue(cluster, "enterprise-a")) == 1
