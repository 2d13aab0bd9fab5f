"""Steps and containment: what docs/spec/budget.md says, rule by rule."""

from __future__ import annotations

import ast
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from coseal.contracts.governance import ballot
from coseal.contracts.kernel import deadlines, due
from coseal.contracts.kernel.action import Action, Arguments, Rejected
from coseal.contracts.kernel.budget import (
    BASE_STEPS,
    BLOCK_STEPS,
    DUE_ENTRY_STEPS,
    DUE_STEPS,
    MAX_DUE,
    RAW_BYTES_A_STEP,
    READ_STEPS,
    TAKE_STEPS,
    TRANSACTION_STEPS,
    VALUE_BYTES_A_STEP,
    WRITE_STEPS,
    Meter,
    Spent,
)
from coseal.contracts.kernel.contract import Contract
from coseal.contracts.kernel.fields import Integer, Text
from coseal.contracts.kernel.overlay import MAX_VALUE_BYTES, Broken, Overlay
from coseal.contracts.membership.actions import contract as membership_contract
from coseal.contracts.registry import CAPABILITIES, CONTRACTS
from coseal.contracts.supervision import sets_in_force as supervision_sets
from coseal.ledger import codec
from coseal.ledger.block import Receipt
from simulation.checked import ChangedInPlace
from tests.contracts.conftest import Court
from tests.support.chain import Chain

WHO = "bank-a/admin"

MEMBERSHIP = membership_contract(CAPABILITIES)


def _charge(view, context, args):
    view.put("probe/kept", "must not stay")
    view.charge(args["steps"])
    return {}


def _put(view, context, args):
    view.put(f"probe/{args['key']}", ["x" * 1_000] * args["thousands"])
    return {}


def _grow(view, context, args):
    before = view.get(f"open/{args['key']}") or []
    view.put(f"open/{args['key']}", [*before, "x" * args["thousands"] * 1_000])
    return {}


def _odd(view, context, args):
    view.put("probe/odd", {"float": 0.5})
    return {}


def _odd_result(view, context, args):
    view.put("probe/odd", 1)
    return {"float": 0.5}


def _swallow(view, context, args):
    view.put("probe/kept", "must not stay")
    raise {"key": KeyError, "recursion": RecursionError, "memory": MemoryError, "broken": Broken}[args["what"]]("a bug")


def _change(view, context, args):
    view.get("open/list").append("changed in place")
    return {}


def _attempt(view, context, args):
    def effect():
        view.put("probe/effect", args["steps"])
        view.charge(args["steps"])
        if args["steps"] == 7:
            raise KeyError("a bug")
        return {"done": True}

    result = view.attempt("probe.attempt", 1_000, effect)
    view.put("probe/vote", True)
    return {"refused": result.code} if isinstance(result, Rejected) else result


def _schedule(view, entries):
    """Have entries fall due at once, in their order."""
    for time_ms, entry in enumerate(entries):
        deadlines.add(view, "probe", deadlines.BLOCK_CLOCK, time_ms, entry)


def _fire(view, moment, entry):
    view.put(f"probe/fired {entry[1]}", moment.height)
    if entry[0] == "crash":
        raise KeyError("a bug")
    if entry[0] == "odd":
        view.put("probe/odd", {"float": 0.5})
    view.charge(entry[2])
    return {"fired": [entry[1]]}


def _plan(view, context, args):
    _schedule(view, [["do", n, args["steps"]] for n in range(args["count"])])
    return {}


PROBE = Contract(
    "probe",
    {
        "charge": Action(Arguments({"steps": Integer()}), _charge, "Take steps"),
        "put": Action(Arguments({"key": Text(), "thousands": Integer()}), _put, "Write a value"),
        "grow": Action(Arguments({"key": Text(), "thousands": Integer()}), _grow, "Let a value grow"),
        "odd": Action(Arguments({}), _odd, "Write what has no encoding"),
        "odd_result": Action(Arguments({}), _odd_result, "Return what has no encoding"),
        "raise": Action(Arguments({"what": Text()}), _swallow, "Raise"),
        "change": Action(Arguments({}), _change, "Change in place what a view gave"),
        "attempt": Action(Arguments({"steps": Integer()}), _attempt, "Carry out an effect"),
        "plan": Action(Arguments({"count": Integer(), "steps": Integer()}), _plan, "Make things due"),
    },
    fire=_fire,
    open_keys=("open/",),
)


@pytest.fixture
def probe() -> Chain:
    return Chain(rules={1: {**CONTRACTS, "probe": PROBE}})


def base(tx) -> int:
    return BASE_STEPS + len(tx.raw) // RAW_BYTES_A_STEP


def overhead(chain: Chain) -> int:
    """Return what looking up the sender takes, beside the base of a transaction."""
    tx = chain.sign(WHO, "probe.charge", {"steps": 0})
    receipt = Receipt.decode(chain.executor.run(chain.executor.height + 1, chain.now_ms, [tx]).receipts[1])
    return receipt.steps - base(tx) - WRITE_STEPS


# B2 to B4


def test_a_transaction_may_take_its_whole_budget_and_not_one_step_more(probe):
    tx = probe.sign(WHO, "probe.charge", {"steps": 400_000})
    left = TRANSACTION_STEPS - base(tx) - overhead(probe) - WRITE_STEPS
    assert len(str(left)) == 6
    most, more = probe.submit(WHO, "probe.charge", steps=left), probe.submit(WHO, "probe.charge", steps=left + 1)
    assert (most.ok, most.steps) == (True, TRANSACTION_STEPS)
    assert (more.code, more.steps, more.data) == ("too_costly", TRANSACTION_STEPS, {})
    assert "500000 steps" in more.detail


def test_what_costs_too_much_leaves_nothing(probe):
    assert probe.submit(WHO, "probe.charge", steps=TRANSACTION_STEPS).code == "too_costly"
    assert probe.get("probe/kept") is None
    assert probe.submit(WHO, "probe.charge", steps=1).ok


def test_steps_follow_from_bytes_reads_and_writes(probe):
    view = Overlay(probe.state.get, ("open/",))
    view.meter = Meter(TRANSACTION_STEPS)
    view.get("probe/x")
    view.put("probe/y", "x" * 5_000)
    assert view.spent == READ_STEPS + WRITE_STEPS
    view.put("open/z", "x" * 5_000)
    view.settle()
    size = len(codec.encode("x" * 5_000))
    assert view.spent == READ_STEPS + 2 * WRITE_STEPS + size // VALUE_BYTES_A_STEP
    view.get("open/z")
    assert view.spent == 2 * READ_STEPS + 2 * WRITE_STEPS + size // VALUE_BYTES_A_STEP


def test_a_growing_value_is_charged_alike_in_one_block_and_in_two(probe):
    together = [probe.sign(WHO, "probe.grow", {"key": "a", "thousands": 9}) for _ in range(3)]
    one = [receipt.steps for receipt in probe.block(*together)]
    two = [probe.submit(WHO, "probe.grow", key="b", thousands=9).steps for _ in range(3)]
    assert one == two
    assert one[0] < one[1] < one[2]


def test_charges_do_not_depend_on_what_was_compiled_before():
    steps = []
    for restarted in (False, True):
        court = Court(Chain())
        court.adopt(court.rule("R-1", template="response", a="apply", b="decide", within_ms=10_000))
        if restarted:
            court.chain.restart()
            supervision_sets._rules.clear()
            supervision_sets._compiled.clear()
        steps.append(court.record(court.event("apply")).steps)
    assert steps[0] == steps[1]


# B5


def test_a_block_ends_before_the_transaction_beyond_its_budget(probe):
    costly = [probe.sign(WHO, "probe.charge", {"steps": 450_000}) for _ in range(6)]
    outcome = probe.executor.run(1, probe.now_ms, costly)
    assert len(outcome.transactions) == 4
    assert outcome.steps <= BLOCK_STEPS
    assert outcome.steps + Receipt.decode(outcome.receipts[1]).steps > BLOCK_STEPS
    block = probe.draft(costly[:4])
    assert not isinstance(probe.executor.execute_block(block), Rejected)
    refused = probe.executor.execute_block(probe.draft(costly[:5]))
    assert isinstance(refused, Rejected)
    assert (refused.code, f"{BLOCK_STEPS} steps" in refused.detail) == ("invalid_block", True)


# B6


def test_a_state_value_has_its_bound(probe):
    receipt = probe.submit(WHO, "probe.put", key="large", thousands=256)
    assert (receipt.ok, len(codec.encode(probe.get("probe/large"))) < MAX_VALUE_BYTES) == (True, True)
    before = probe.sign(WHO, "probe.put", {"key": "before", "thousands": 1})
    large = probe.sign(WHO, "probe.put", {"key": "larger", "thousands": 263})
    after = probe.sign(WHO, "probe.put", {"key": "after", "thousands": 1})
    receipts = probe.block(before, large, after)
    assert [receipt.code for receipt in receipts] == ["ok", "value_too_large", "ok"]
    assert str(MAX_VALUE_BYTES) in receipts[1].detail
    assert (probe.get("probe/larger"), probe.get("probe/before") is not None) == (None, True)


def test_a_growing_value_stops_at_the_bound(probe):
    codes = [probe.submit(WHO, "probe.grow", key="a", thousands=60).code for _ in range(6)]
    assert codes == ["ok"] * 4 + ["value_too_large"] * 2


# B7, B8


def test_a_value_or_result_without_an_encoding_costs_its_own_transaction_only(probe):
    names = ("probe.charge", "probe.odd", "probe.odd_result", "probe.charge")
    transactions = [probe.sign(WHO, name, {"steps": 1} if name == "probe.charge" else {}) for name in names]
    outcome = probe.executor.run(1, probe.now_ms, transactions)
    receipts = [Receipt.decode(raw) for raw in outcome.receipts[1:]]
    assert [receipt.code for receipt in receipts] == ["ok", "internal_error", "internal_error", "ok"]
    assert [receipt.detail for receipt in receipts[1:3]] == ["probe.odd", "probe.odd_result"]
    assert [fault.name for fault in outcome.faults] == ["probe.odd", "probe.odd_result"]
    probe.commit(outcome)
    assert probe.get("probe/odd") is None


@pytest.mark.parametrize("what", ["key", "recursion"])
def test_an_exception_is_contained_and_its_receipt_says_the_action_and_nothing_else(probe, what):
    receipt = probe.submit(WHO, "probe.raise", what=what)
    assert (receipt.code, receipt.detail, receipt.data) == ("internal_error", "probe.raise", {})
    assert receipt.steps == TRANSACTION_STEPS
    assert probe.get("probe/kept") is None


@pytest.mark.parametrize(("what", "error"), [("memory", MemoryError), ("broken", Broken)])
def test_a_broken_invariant_and_a_lack_of_memory_are_never_contained(probe, what, error):
    tx = probe.sign(WHO, "probe.raise", {"what": what})
    with pytest.raises(error):
        probe.executor.run(1, probe.now_ms, [tx])


def test_a_store_that_cannot_be_read_is_never_contained(probe):
    def damaged(key):
        if key.startswith(b"open/"):
            raise OSError("input/output error")
        return get(key)

    probe.submit(WHO, "probe.grow", key="a", thousands=1)
    get, probe.state.get = probe.state.get, damaged
    with pytest.raises(Broken, match=r"open/a cannot be read: input/output error"):
        probe.executor.run(2, probe.now_ms, [probe.sign(WHO, "probe.grow", {"key": "a", "thousands": 1})])


def test_the_checked_view_notices_a_value_changed_in_place(probe):
    probe.submit(WHO, "probe.grow", key="list", thousands=1)
    with pytest.raises(ChangedInPlace, match="open/list"):
        probe.submit(WHO, "probe.change")


def test_no_exception_of_python_takes_the_steps_for_its_own(probe):
    view = Overlay(probe.state.get)
    view.meter = Meter(10)
    with pytest.raises(Spent) as raised:
        view.charge(11)
    assert not isinstance(raised.value, Exception)


# B9, B10


def test_what_is_due_is_done_in_the_next_block(probe):
    probe.submit(WHO, "probe.plan", count=1, steps=1)
    probe.block()
    assert probe.begun["probe"]["fired"] == [0]


def crashing(entries) -> Chain:
    """Return a chain on which these entries are due in the next block."""
    chain = Chain(rules={1: {**CONTRACTS, "probe": PROBE}})
    view, state = Overlay(chain.state.get), chain.state
    _schedule(view, entries)
    change = state.derive(view.updates())
    state.commit(change)
    state._store.write(change.entries)
    state.flushed(change)
    return chain


def test_what_fails_when_it_is_due_is_set_aside_named_and_made_due_again_by_ballot():
    chain = crashing([["do", 1, 5], ["crash", 2, 5], ["do", 3, DUE_ENTRY_STEPS + 1], ["do", 4, 5]])
    outcome = chain.executor.run(1, chain.now_ms, [])
    assert [(fault.name, fault.tx_id) for fault in outcome.faults] == [("probe: crash", b"")]
    chain.block()
    assert chain.begun["probe"]["fired"] == [1, 4]
    aside = chain.begun["system"]["aside"]
    assert [(entry["number"], entry["entry"][1], entry["code"]) for entry in aside] == [
        (1, 2, "internal_error"),
        (2, 3, "too_costly"),
    ]
    assert (chain.get("probe/fired 2"), chain.get("probe/fired 3"), chain.get("probe/fired 4")) == (None, None, 1)
    assert [entry["number"] for entry in due.asides(chain.executor.reader)] == [1, 2]
    propose = {"id": "again", "kind": "retry_due", "subject": {"number": 1}}
    assert chain.submit("regulator/admin", "governance.propose", **propose).ok
    for member in ("central-bank", "bank-a"):
        decided = chain.submit(f"{member}/admin", "governance.vote", ballot="again", choice="yes")
    assert decided.data["outcome"] == {"contract": "probe", "entry": ["crash", 2, 5]}
    assert due.waiting(chain.executor.reader) == 1
    assert chain.submit("regulator/admin", "governance.propose", **{**propose, "id": "more"}).code == "unknown_aside"
    assert [(entry["number"], entry["entry"][1]) for entry in chain.begun["system"]["aside"]] == [(3, 2)]


def test_a_due_thing_that_writes_what_has_no_encoding_is_set_aside_alone():
    chain = crashing([["do", 1, 5], ["odd", 2, 5], ["do", 3, 5]])
    chain.block()
    assert chain.begun["probe"]["fired"] == [1, 3]
    assert [(entry["entry"][1], entry["code"]) for entry in chain.begun["system"]["aside"]] == [(2, "internal_error")]
    assert chain.get("probe/odd") is None


def test_the_steps_of_what_is_due_stand_in_the_first_receipt():
    chain = crashing([["do", 1, 100], ["crash", 2, 5]])
    first = Receipt.decode(chain.executor.run(1, chain.now_ms, []).receipts[0])
    assert first.steps == 2 * TAKE_STEPS + 100 + WRITE_STEPS + DUE_ENTRY_STEPS


def test_what_is_due_has_a_bounded_share_of_a_block_and_keeps_its_order():
    chain = crashing([["do", n, 100] for n in range(1_500)])
    seen, blocks = [], 0
    while deadlines.earliest_ms(chain.executor.reader, "probe", deadlines.BLOCK_CLOCK) is not None:
        outcome = chain.executor.run(chain.executor.height + 1, chain.now_ms, [])
        first = Receipt.decode(outcome.receipts[0])
        assert first.steps <= DUE_STEPS
        assert len(first.data["probe"]["fired"]) <= MAX_DUE
        chain.block()
        seen += chain.begun["probe"]["fired"]
        blocks += 1
    assert seen == list(range(1_500))
    assert blocks > 1


@pytest.mark.parametrize("blocks", [0, 1])
def test_a_ballot_is_decided_when_it_is_due_whoever_is_first(blocks):
    court = Court(Chain())
    for _ in range(blocks):
        court.chain.block()
    assert court.propose(court.rule("R-1", template="absence", a="pay", n=2), open_ms=60_000).ok
    assert court.wait(60_000)["ballots"][0]["status"] == "expired"


def test_contracts_with_much_to_do_take_turns():
    def begin(name, view, moment):
        for number in range(MAX_DUE):
            deadlines.add(view, name, deadlines.BLOCK_CLOCK, moment.height, ["do", number])
        return {}

    def contract(name):
        return Contract(name, {}, begin=partial(begin, name), fire=lambda view, moment, entry: {"fired": [1]})

    names = ("one", "two", "three")
    chain = Chain(rules={1: {"membership": MEMBERSHIP, **{name: contract(name) for name in names}}})
    done = []
    for _ in range(3):
        chain.block()
        done.append({name: len(chain.begun[name]["fired"]) for name in names})
    assert all(sum(counts.values()) <= MAX_DUE for counts in done)
    assert all(count >= MAX_DUE // 3 for counts in done for count in counts.values())


# B11


def test_an_effect_that_fails_is_undone_and_what_was_before_it_stands(probe):
    assert probe.submit(WHO, "probe.attempt", steps=5).data == {"done": True}
    assert (probe.get("probe/effect"), probe.get("probe/vote")) == (5, True)
    for steps, code in ((2_000, "too_costly"), (7, "internal_error")):
        receipt = probe.submit(WHO, "probe.attempt", steps=steps)
        assert (receipt.ok, receipt.data) == (True, {"refused": code})
        assert (probe.get("probe/effect"), probe.get("probe/vote")) == (5, True)


def test_a_ballot_whose_effect_fails_ends_failed_and_its_vote_stands(monkeypatch):
    court = Court(Chain())
    proposed = court.propose(court.rule("R-1", template="absence", a="pay", n=2))

    def broken(*arguments):
        raise KeyError("a bug")

    monkeypatch.setattr("coseal.contracts.supervision.rule_sets.adopt", broken)
    decided = court.vote(proposed.data["ballot"])
    assert (decided.ok, decided.data["status"]) == (True, ballot.FAILED)
    record = court.get("ballot/B1")
    assert (record["status"], record["failure"]) == (ballot.FAILED, ["internal_error", "supervision: rules"])
    assert len(ballot.votes(court.chain.executor.reader, "supervision", "B1", record)) == 3
    assert court.get("rule/R-1/1")["status"] == "rejected"
    monkeypatch.undo()
    assert court.adopt(court.rule("R-1", template="absence", a="pay", n=2)).ok


# The known ones


def test_an_event_is_charged_for_every_object_it_names():
    court = Court(Chain())
    court.adopt(court.rule("R-1", "guard", on=["pay"], **{"assert": "o.count < 100000 && size(e.objects) < 300"}))
    few = court.record(court.event("pay"))
    objects = [["case", f"{n:x}"] for n in range(256)]
    many = court.record(court.event("pay", event="many", objects=objects))
    assert many.steps > 256 * 150
    assert few.steps < 1_500


def test_a_batch_that_no_node_could_execute_in_time_is_refused():
    court = Court(Chain())
    walk = "e.objects.all(x, x.id != 'zz' && x.type != 'yy' && x.qualifier != 'q' && x.id != x.type && o.count < 9)"
    court.adopt(court.rule("R-1", "guard", on=["pay"], **{"assert": walk}))
    objects = [["case", f"{n:x}"] for n in range(256)]
    batch = [court.event("pay", event=f"{n}", objects=objects) for n in range(4)]
    receipt = court.record(*batch)
    assert (receipt.code, receipt.steps) == ("too_costly", TRANSACTION_STEPS)


def test_a_refused_definition_compiles_nothing():
    court = Court(Chain())
    text_of = " && ".join(f"e.attributes.amount != {n}" for n in range(100))
    court.adopt(court.rule("R-1", "guard", on=["pay"], **{"assert": text_of}))
    types = {"pay": {"attributes": {"amount": "integer"}}}
    args = {"id": "loans", "version": 7, "title": "L", "object_types": {"case": {}}, "event_types": types}
    refused = court.chain.submit("enterprise-a/admin", "process.define_type", **args)
    assert (refused.code, refused.steps < 2_000) == ("forbidden", True)


def test_the_deepest_accepted_input_takes_at_most_a_third_of_the_stack():
    court = Court(Chain())
    deep = "(" * 11 + "e.attributes.amount >= 0" + ")" * 11
    proposed = court.chain.sign(
        "bank-a/admin",
        "supervision.propose_rules",
        {"rules": [court.rule("R-1", "guard", on=["pay"], **{"assert": deep})]},
    )
    found = []

    def run():
        sys.setrecursionlimit(depth() + 333)
        try:
            executor = court.chain.executor
            outcome = executor.run(executor.height + 1, court.chain.now_ms, [proposed])
            found.append((Receipt.decode(outcome.receipts[1]).code, outcome.faults))
        finally:
            sys.setrecursionlimit(limit)

    def depth():
        frame, count = sys._getframe(), 0
        while frame is not None:
            frame, count = frame.f_back, count + 1
        return count

    limit = sys.getrecursionlimit()
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [("ok", ())]


def test_a_leader_and_a_follower_count_alike_after_a_restart(probe):
    probe.submit(WHO, "probe.grow", key="a", thousands=3)
    tx = probe.sign(WHO, "probe.grow", {"key": "a", "thousands": 3})
    here = probe.executor.run(2, probe.now_ms, [tx])
    probe.restart()
    there = probe.executor.run(2, probe.now_ms, [tx])
    assert here.receipts == there.receipts


def test_a_chain_of_all_contracts_knows_no_broad_except() -> None:
    kernel = {
        *("due.py", "apply.py", "execution.py", "overlay.py"),
        *("contained.py", "block_events.py"),  # read for people
        "loading.py",  # runs before any block
    }
    root = Path(__file__).resolve().parent.parent.parent / "contracts"
    found = []
    for path in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.ExceptHandler) or path.name in kernel:
                continue
            names = {name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)} if node.type else {"bare"}
            if names & {"bare", "Exception", "BaseException", "Spent"}:
                found.append(f"{path.name}:{node.lineno}")
    assert found == []
