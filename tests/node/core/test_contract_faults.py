"""An exception of a contract on all nodes, on one, and on the leader: the chain goes on, perhaps without that one.

``MemoryError`` is never contained: where it strikes, the node stops before it votes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count

import pytest

from coseal.contracts.kernel.action import Args, Context, Rejected, Result, View
from coseal.contracts.registry import RULES, Contracts
from coseal.ledger.block import Receipt
from coseal.ledger.transaction import Transaction
from coseal.node.core import events
from coseal.node.core.events import NodeEffect
from tests.support.cluster import Cluster, Host, settled
from tests.support.transactions import signed

ALONE = "enterprise-a"
ERRORS = pytest.mark.parametrize("error", [KeyError, RecursionError])


def rules(error: type[BaseException], strikes: Callable[[Args], bool]) -> Mapping[int, Contracts]:
    """The rules, but that ``membership.set_profile`` writes what must not stay and raises for some arguments."""
    contract = RULES[1]["membership"]
    action = contract.actions["set_profile"]

    def apply(view: View, context: Context, args: Args) -> Result | Rejected:
        if strikes(args):
            view.put("membership/kept", "must not stay")
            raise error("a fault on purpose")
        return action.apply(view, context, args)

    actions = {**contract.actions, "set_profile": replace(action, apply=apply)}
    return {1: {**RULES[1], "membership": replace(contract, actions=actions)}}


def at_call(number: int) -> Callable[[Args], bool]:
    calls = count(1)
    return lambda args: next(calls) == number


def with_rules(found: Mapping[int, Contracts], *names: str) -> tuple[Cluster, list[NodeEffect]]:
    """Return a settled network of which the named nodes (all if none is named) have these rules, and its faults."""
    cluster, faults = Cluster(), []
    for host in cluster.hosts.values():
        if not names or host.name in names:
            host.rules = found
        host.watch = lambda effects: faults.extend(e for e in effects if isinstance(e, events.ContractFault))
    return settled(cluster), faults


def receipt_of(host: Host, tx: Transaction) -> Receipt:
    """Return the receipt that a node published of a transaction."""
    for committed, outcome in host.published:
        for found, raw in zip(outcome.transactions, committed.receipts[1:], strict=True):
            if found.id == tx.id:
                return Receipt.decode(raw)
    raise AssertionError("not published")


@ERRORS
def test_all_nodes_refuse_alike_and_the_chain_goes_on(error: type[Exception]) -> None:
    cluster, faults = with_rules(rules(error, lambda args: args["description"] == "2"))
    for number in (1, 2, 3):
        tx = signed(cluster.genesis, number)
        cluster.submit("regulator", tx)
        assert cluster.run_until(lambda tx=tx: cluster.has(tx))
        cluster.run(10)
        codes = {receipt_of(host, tx).code for host in cluster.hosts.values()}
        assert codes == {"internal_error" if number == 2 else "ok"}
    assert cluster.agrees()
    assert all(host.machine.executor.get("membership/kept") is None for host in cluster.running())
    assert {(fault.name, type(fault.error)) for fault in faults} == {("membership.set_profile", error)}
    assert [host.machine.status(cluster.now_ms).faults for host in cluster.running()] == [1] * 4
    assert all(host.machine.status(cluster.now_ms).healthy for host in cluster.running())


@ERRORS
def test_a_node_that_fails_alone_does_not_vote_and_halts_and_the_others_go_on(error: type[Exception]) -> None:
    cluster, faults = with_rules(rules(error, lambda args: True), ALONE)
    host = cluster[ALONE]
    leader = cluster["regulator"].machine.status(cluster.now_ms).leader
    assert leader != ALONE
    tx = signed(cluster.genesis, 1)
    cluster.submit("regulator", tx)
    others = [name for name in cluster.hosts if name != ALONE]
    assert cluster.run_until(lambda: cluster.has(tx, *others))
    assert cluster.run_until(lambda: host.halted is not None)
    assert "receipts_root" in str(host.halted)
    assert {fault.name for fault in faults} == {"membership.set_profile"}
    more = signed(cluster.genesis, 2)
    cluster.submit("regulator", more)
    assert cluster.run_until(lambda: cluster.has(more, *others))
    assert all(receipt_of(cluster[name], tx).ok for name in others)


@ERRORS
def test_a_node_that_failed_once_goes_on_with_the_block_of_the_others(error: type[Exception]) -> None:
    cluster, faults = with_rules(rules(error, at_call(1)), ALONE)
    tx = signed(cluster.genesis, 1)
    cluster.submit("regulator", tx)
    assert cluster.run_until(lambda: cluster.has(tx))
    cluster.run(10)
    assert (len(faults), cluster[ALONE].halted) == (1, None)
    assert {receipt_of(host, tx).code for host in cluster.hosts.values()} == {"ok"}


@ERRORS
def test_a_leader_that_fails_alone_loses_its_round(error: type[Exception]) -> None:
    probe = settled(Cluster())
    leader = probe["regulator"].machine.status(probe.now_ms).leader
    cluster, faults = with_rules(rules(error, at_call(1)), leader)
    tx = signed(cluster.genesis, 1)
    cluster.submit(leader, tx)
    assert cluster.run_until(lambda: cluster.has(tx))
    cluster.run(10)
    assert len(faults) == 1
    assert {receipt_of(host, tx).code for host in cluster.hosts.values()} == {"ok"}
    assert cluster["regulator"].published[-1][0].certificate.round > 0
    assert cluster.agrees()


def test_a_node_without_memory_stops_before_it_votes() -> None:
    cluster, faults = with_rules(rules(MemoryError, at_call(1)), ALONE)
    host, step = cluster[ALONE], cluster[ALONE].step
    stopped: list[str] = []

    def stepped(event: events.NodeEvent) -> None:
        try:
            step(event)
        except MemoryError as error:  # the process would end; a restart goes on
            stopped.append(str(error))
            cluster.kill(ALONE)

    host.step = stepped
    tx = signed(cluster.genesis, 1)
    cluster.submit("regulator", tx)
    others = [name for name in cluster.hosts if name != ALONE]
    assert cluster.run_until(lambda: cluster.has(tx, *others))
    assert (stopped, faults) == (["a fault on purpose"], [])
    cluster.start(ALONE)
    assert cluster.run_until(lambda: cluster.has(tx) and cluster.agrees())
