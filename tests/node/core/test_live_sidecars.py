"""A node's copy of the live sidecars follows each block, also what a contract observed of another's act."""

from __future__ import annotations

from coseal.contracts.execution import Outcome
from coseal.contracts.kernel.sidecars import Named
from coseal.ledger.transaction import Transaction
from coseal.node.core.live_sidecars import LiveSidecars
from tests.support.disclosure import OWNER, SUBJECT, Custody, envelopes


def decided(custody: Custody, *transactions: Transaction, later_ms: int = 1) -> Outcome:
    executor = custody.chain.executor
    outcome = executor.run(executor.height + 1, executor.time_ms + later_ms, list(transactions))
    custody.chain.commit(outcome)
    return outcome


def test_cells_of_a_recorded_batch_begin_with_its_block_and_end_with_what_is_due() -> None:
    custody = Custody()
    custody.armed()
    custody.define()
    live = LiveSidecars(custody.chain.executor)
    refused = custody.chain.sign(f"{OWNER}/admin", "process.record", custody.batch(1, cells=9))
    assert live.decided(decided(custody, refused)) == []
    recorded = custody.chain.sign(f"{OWNER}/admin", "process.record", custody.batch())
    cells = Named(bytes.fromhex(envelopes("cells 1")["name"]), 900)
    assert live.decided(decided(custody, recorded)) == [cells]
    assert live.sizes == {cells.name: 900} == LiveSidecars(custody.chain.executor).sizes
    assert (live.may_read(cells.name, "regulator"), live.may_read(cells.name, "city")) == (True, False)
    assert live.decided(decided(custody, later_ms=SUBJECT["retentions"]["loan"])) == []
    assert live.sizes == {}
