from __future__ import annotations

import dataclasses
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.apply import MAX_DETAIL_CHARACTERS, MAX_RECEIPT_BYTES
from coseal.contracts.execution import MAX_RECEIPTS_BYTES, Executor, Outcome, SeenWindow, UnknownProtocol
from coseal.contracts.genesis_state import genesis_updates, new_state
from coseal.contracts.kernel import deadlines, window
from coseal.contracts.kernel.action import Action, Arguments, Rejected
from coseal.contracts.kernel.budget import TRANSACTION_STEPS
from coseal.contracts.kernel.contract import Contract
from coseal.contracts.kernel.fields import Identifier, Integer, Many, Text
from coseal.contracts.kernel.overlay import Broken
from coseal.contracts.membership.actions import contract as membership_contract
from coseal.contracts.registry import CAPABILITIES, CONTRACTS
from coseal.ledger import codec
from coseal.ledger.block import Block, Receipt
from coseal.ledger.certificate import PbftCertificate, Phase
from coseal.ledger.signing import ZERO_HASH
from coseal.ledger.state import MemoryStore
from coseal.ledger.transaction import Transaction, join

# A contract made for these tests

MEMBERSHIP = membership_contract(CAPABILITIES)


def _write(view, context, args):
    view.put(f"probe/{args['key']}", args["value"])
    return {"height": context.height, "time_ms": context.time_ms}


def _fail(view, context, args):
    for key in args["keys"]:
        view.put(f"probe/{key}", "must not stay")
    view.delete("probe/kept")
    return Rejected("refused", "x" * 5_000)


def _crash(view, context, args):
    view.put("probe/kept", "must not stay")
    raise RuntimeError("a bug")


def _upgrade(view, context, args):
    view.put("system/protocol_version", args["version"])
    return {}


def _large(view, context, args):
    view.put(f"probe/{args['key']}", args["size"])
    return {"text": "x" * args["size"]}


def _who(view, context, args):
    return {"who": [context.sender, context.member, context.role, context.level, list(context.capabilities)]}


def _rotate(view, context, args):
    key = f"membership/node/{args['node']}"
    if args["key"]:
        view.put(key, {**view.get(key), "consensus_key": bytes.fromhex(args["key"])})
    else:
        view.delete(key)
    return {}


def _wake(view, context, args):
    deadlines.add(view, "probe", deadlines.BLOCK_CLOCK, args["time_ms"], ["wake", args["time_ms"]])
    return {}


def _fire(view, moment, entry):
    view.put("probe/woken", moment.height)
    return {"woken": [entry[1]]}


def _probe(write=_write):
    return Contract(
        "probe",
        {
            "write": Action(Arguments({"key": Identifier(), "value": Integer()}), write, "Write a key"),
            "fail": Action(Arguments({"keys": Many(Text(), high=9)}), _fail, "Write, then refuse"),
            "crash": Action(Arguments({}), _crash, "Raise"),
            "upgrade": Action(Arguments({"version": Integer()}), _upgrade, "Set the protocol version"),
            "large": Action(Arguments({"key": Identifier(), "size": Integer()}), _large, "Return much"),
            "who": Action(Arguments({}), _who, "Say who acts", capability=""),
            "register": Action(Arguments({}), _who, "Need a capability", capability="registrar"),
            "report": Action(Arguments({}), _who, "Say who acts, node or not", capability="", by_node=True),
            "say": Action(Arguments({}), _who, "Say who acts, if it is a node", capability=None, by_node=True),
            "rotate": Action(Arguments({"node": Text(), "key": Text(low=0)}), _rotate, "Replace a node's key"),
            "wake": Action(Arguments({"time_ms": Integer()}), _wake, "Ask to be woken"),
        },
        fire=_fire,
    )


RULES = {1: {"membership": MEMBERSHIP, "probe": _probe()}}
WHO = "enterprise-a/admin"


@pytest.fixture
def probe(make_chain):
    return make_chain(rules=RULES)


def write(chain, key="a", value=1, **options):
    return chain.sign(WHO, "probe.write", {"key": key, "value": value}, **options)


def refusal_of(chain, *transactions, time_ms=None):
    """The code with which a block of these transactions is refused; and it must change nothing."""
    before = (chain.root, chain.executor.height, chain.executor.time_ms, len(chain.executor._seen))
    refusal = chain.executor.execute_block(Block.decode(chain.draft(transactions, time_ms).raw))
    assert (chain.root, chain.executor.height, chain.executor.time_ms, len(chain.executor._seen)) == before
    assert isinstance(refusal, Rejected), refusal
    return refusal.code


# What is never in a valid block


def test_v1_a_transaction_of_another_chain_makes_the_block_invalid(probe):
    assert refusal_of(probe, write(probe, chain_id=bytes(32))) == "wrong_chain"


def test_v2_an_expired_transaction_makes_the_block_invalid(probe):
    tx = write(probe, valid_until_ms=probe.now_ms)
    assert refusal_of(probe, tx) == "expired"
    assert probe.executor.check(tx, probe.now_ms - 1) is None


def test_v3_a_transaction_valid_for_too_long_makes_the_block_invalid(probe):
    limit = probe.now_ms + probe.genesis.parameters.validity_ms_max
    assert refusal_of(probe, write(probe, valid_until_ms=limit + 1)) == "too_far"
    assert probe.executor.check(write(probe, valid_until_ms=limit), probe.now_ms) is None


def test_v4_a_transaction_twice_in_a_block_makes_it_invalid(probe):
    tx = write(probe)
    assert refusal_of(probe, tx, write(probe, "b"), tx) == "duplicate"


def test_v4_a_transaction_already_committed_makes_the_block_invalid(probe):
    tx = write(probe)
    probe.block(tx)
    assert refusal_of(probe, tx) == "duplicate"


@pytest.mark.parametrize("sender", ["nobody/admin", "enterprise-a/nobody", "enterprise-a/admin2"])
def test_v5_an_unknown_sender_makes_the_block_invalid(probe, sender):
    tx = probe.sign(sender, "probe.who", {})
    assert probe.executor.check(tx, probe.now_ms).code == "unknown_sender"
    assert refusal_of(probe, tx) == "unknown_sender"


def test_v5_a_known_sender_with_another_key_makes_the_block_invalid(probe, signer_of):
    assert refusal_of(probe, write(probe, signer=signer_of("mallory"))) == "unknown_sender"
    assert refusal_of(probe, write(probe, signer=signer_of("bank-a/admin"))) == "unknown_sender"


def test_v5_a_node_that_is_not_registered_or_signs_with_another_key_makes_the_block_invalid(probe, signer_of):
    assert refusal_of(probe, probe.sign("node:nobody", "probe.say", {})) == "unknown_sender"
    assert (
        refusal_of(probe, probe.sign("node:bank-a", "probe.say", {}, signer=signer_of("mallory"))) == "unknown_sender"
    )
    operators_key = probe.sign("node:bank-a", "probe.say", {}, signer=signer_of("bank-a/admin"))
    assert refusal_of(probe, operators_key) == "unknown_sender"
    node_key = write(probe, signer=signer_of("node enterprise-a"))
    assert refusal_of(probe, node_key) == "unknown_sender"


def test_v5_a_nodes_key_is_the_one_of_the_parent_state(probe, signer_of):
    key = signer_of("node bank-a anew")
    old = probe.sign("node:bank-a", "probe.say", {})
    new = probe.sign("node:bank-a", "probe.say", {}, signer=key)
    assert refusal_of(probe, new) == "unknown_sender"
    rotate = probe.sign(WHO, "probe.rotate", {"node": "bank-a", "key": key.public_key.hex()})
    assert [receipt.code for receipt in probe.block(rotate, old)] == ["ok", "unknown_sender"]
    assert refusal_of(probe, probe.sign("node:bank-a", "probe.say", {})) == "unknown_sender"
    assert probe.block(new)[0].ok


def test_v5_a_removed_node_says_nothing_more(probe):
    assert probe.submit("node:bank-a", "probe.say").ok
    remove = probe.sign(WHO, "probe.rotate", {"node": "bank-a", "key": ""})
    late = probe.sign("node:bank-a", "probe.say", {})
    assert [receipt.code for receipt in probe.block(remove, late)] == ["ok", "unknown_sender"]
    assert refusal_of(probe, probe.sign("node:bank-a", "probe.say", {})) == "unknown_sender"


def test_v6_a_bad_signature_makes_the_block_invalid(probe):
    tx = write(probe)
    other = write(probe, "b")
    body = dataclasses.replace(tx, raw=join(_body(tx), other.signature))
    assert refusal_of(probe, body) == "invalid_transaction"


def test_v6_bytes_that_are_no_transaction_make_the_block_invalid(probe):
    assert refusal_of(probe, dataclasses.replace(write(probe), raw=b"\x01")) == "invalid_transaction"


def test_the_position_of_the_bad_transaction_is_told(probe):
    block = probe.draft([write(probe), write(probe, chain_id=bytes(32))])
    assert "transaction 1" in probe.executor.execute_block(block).detail


def _body(tx):
    return codec.decode(tx.raw)[2]


# The header


FLIPS = {
    "chain_id": (b"\x01" * 32, "invalid_block"),
    "height": (9, "invalid_block"),
    "epoch": (9, "invalid_block"),
    "validators_hash": (b"\x01" * 32, "invalid_block"),
    "proposer": ("nobody", "invalid_block"),
    "tx_root": (b"\x01" * 32, "invalid_block"),
    "tx_count": (2, "invalid_block"),
    "receipts_root": (b"\x01" * 32, "diverged"),
    "state_root": (b"\x01" * 32, "diverged"),
    "next_validators_hash": (b"\x01" * 32, "diverged"),
}


@pytest.mark.parametrize("field", sorted(FLIPS))
def test_a_header_field_that_is_wrong_is_refused(probe, field):
    value, code = FLIPS[field]
    block = probe.draft([write(probe)], **{field: value})
    assert probe.executor.execute_block(block).code == code


def test_block_time_must_be_after_the_parents(probe):
    probe.block(write(probe))
    block = probe.draft([], time_ms=probe.executor.time_ms)
    assert probe.executor.execute_block(block).code == "invalid_block"
    assert probe.block(time_ms=probe.executor.time_ms + 1) == []


def test_a_block_over_a_limit_is_invalid(make_chain, genesis_with):
    chain = make_chain(genesis_with(block_transactions_max=2, block_bytes_max=512 * 1024), RULES)
    assert len(chain.block(write(chain), write(chain))) == 2
    assert refusal_of(chain, *(write(chain) for _ in range(3))) == "invalid_block"
    big = [chain.sign(WHO, "probe.fail", {"keys": ["x" * 250_000]}) for _ in range(2)]
    assert len(chain.block(*big)) == 2
    room = 512 * 1024 - len(chain.draft(big).raw)
    certificate = PbftCertificate(Phase.COMMIT, 0, 1, 0, ZERO_HASH, b"", tuple(bytes(64) for _ in range(room // 64)))
    block = dataclasses.replace(chain.draft(big), last_commit=certificate)
    assert len(block.raw) > 512 * 1024
    assert chain.executor.execute_block(block).code == "invalid_block"


# What fails inside a block is a receipt


@pytest.mark.parametrize(
    ("name", "args", "code"),
    [
        ("nothing.at_all", {}, "unknown_action"),
        ("probe.nothing", {}, "unknown_action"),
        ("probe.write", {"key": "a"}, "invalid_argument"),
        ("probe.write", {"key": "a", "value": 1, "more": 1}, "invalid_argument"),
        ("probe.register", {}, "forbidden"),
        ("probe.fail", {"keys": ["a", "b", "kept"]}, "refused"),
    ],
)
def test_c9_a_failed_transaction_leaves_its_receipt_and_nothing_else(make_chain, name, args, code):
    chain, twin = make_chain(rules=RULES), make_chain(rules=RULES)
    for each in (chain, twin):
        each.block(each.sign(WHO, "probe.write", {"key": "kept", "value": 7}))
    bad, good = chain.sign(WHO, name, args), write(chain, "after", 8)
    twin.sign(WHO, name, args)  # only to draw the same salts
    receipts = chain.block(bad, good)
    twin.block(write(twin, "after", 8))
    assert [receipt.code for receipt in receipts] == [code, "ok"]
    assert receipts[0].data == {}
    assert contents(chain) == contents(twin)
    assert chain.get("probe/kept") == 7


def contents(chain):
    """All keys and values but those of the exactly-once window, which holds failed transactions too."""
    entries = [entry for i in range(1 << chain.state.bits) for _, entry in chain.state._store.bucket(i)]
    return {entry for entry in entries if b"system/seen/" not in entry and b"system/window" not in entry}


def test_c9_a_refusals_detail_is_bounded(probe):
    receipt = probe.submit(WHO, "probe.fail", keys=[])
    assert receipt.detail == "x" * MAX_DETAIL_CHARACTERS


def large(chain, size, key="a", **options):
    return chain.sign(WHO, "probe.large", {"key": key, "size": size}, **options)


def test_a_receipt_of_exactly_the_limit_is_kept_and_one_byte_more_is_refused(probe):
    at_least = len(probe.block(large(probe, 100_000))[0].encode())
    room = MAX_RECEIPT_BYTES - at_least + 100_000
    fits, too_large = probe.block(large(probe, room, "b"), large(probe, room + 1, "c"))
    assert (len(fits.encode()), fits.code) == (MAX_RECEIPT_BYTES, "ok")
    assert (too_large.code, too_large.data) == ("result_too_large", {})
    assert (probe.get("probe/b"), probe.get("probe/c")) == (room, None)


def test_a_block_holds_as_many_transactions_as_its_receipts_have_room(probe):
    transactions = [large(probe, 1_000_000, f"k{index}") for index in range(17)]
    outcome = probe.executor.run(probe.executor.height + 1, probe.now_ms, transactions)
    assert outcome.transactions == tuple(transactions[:16])
    assert sum(map(len, outcome.receipts)) <= MAX_RECEIPTS_BYTES
    whole = probe.executor.run(probe.executor.height + 1, probe.now_ms, transactions[:16])
    assert outcome == whole  # nothing of the one that did not fit is left, in state or window


def test_a_block_whose_receipts_take_too_much_is_invalid(probe):
    transactions = [large(probe, 1_000_000, f"k{index}") for index in range(17)]
    block = probe.draft(transactions)
    assert len(block.transactions) == 17
    assert refusal_of(probe, *transactions) == "invalid_block"


def test_c9_arguments_nested_as_deep_as_bytes_allow_are_a_receipt(probe):
    deep = []
    for _ in range(13):
        deep = [deep]
    assert probe.submit(WHO, "probe.write", key="a", value=deep).code == "invalid_argument"


def test_a_failed_transaction_is_recorded_once_too(probe):
    tx = probe.sign(WHO, "probe.fail", {"keys": []})
    probe.block(tx)
    assert refusal_of(probe, tx) == "duplicate"


def test_a_bug_in_a_contract_refuses_its_transaction_and_nothing_else(probe):
    probe.submit(WHO, "probe.write", key="kept", value=7)
    crash = probe.sign(WHO, "probe.crash", {})
    outcome = probe.executor.run(2, probe.now_ms, [crash, write(probe, "b")])
    refused, written = (Receipt.decode(raw) for raw in outcome.receipts[1:])
    assert (refused.code, refused.detail, refused.data) == ("internal_error", "probe.crash", {})
    assert (refused.steps, written.ok) == (TRANSACTION_STEPS, True)
    [fault] = outcome.faults
    assert (fault.name, fault.tx_id, str(fault.error)) == ("probe.crash", crash.id, "a bug")
    probe.commit(outcome)
    assert (probe.get("probe/kept"), probe.get("probe/b")) == (7, 1)


def test_b12_a_node_stops_before_it_votes_for_a_block_that_breaks_what_a_contract_promises(make_chain):
    promised = replace(_probe(), holds=lambda reader: "b is there without a" if _lonely(reader) else None)
    chain = make_chain(rules={1: {"membership": MEMBERSHIP, "probe": promised}})
    alone, both = write(chain, "b"), [write(chain, "b"), write(chain, "a")]
    with pytest.raises(Broken, match="probe: b is there without a"):
        chain.executor.run(1, chain.now_ms, [alone])
    chain.executor.run(1, chain.now_ms, both)  # it is asked at the end of the block, not after each transaction


def _lonely(reader):
    return reader.get("probe/b") is not None and reader.get("probe/a") is None


def test_the_context_tells_who_acts(probe):
    assert probe.submit("regulator/admin", "probe.who").data["who"] == [
        "regulator/admin",
        "regulator",
        "government",
        "central",
        ["operate", "registrar", "submit", "supervise"],
    ]
    assert probe.submit("regulator/admin", "probe.register").ok


def test_m7_a_node_says_only_what_nodes_may_say_and_some_of_it_only_a_node(probe):
    said = probe.submit("node:bank-a", "probe.say")
    assert said.data["who"] == ["node:bank-a", "bank-a", "bank", "", []]
    assert probe.submit("node:bank-a", "probe.report").ok
    for action in ("write", "who", "register", "fail"):
        assert probe.submit("node:bank-a", f"probe.{action}").code == "not_for_nodes"
    assert probe.submit("bank-a/admin", "probe.report").ok
    assert probe.submit("bank-a/admin", "probe.say").code == "only_for_nodes"


@pytest.mark.parametrize(
    "name",
    [f"{c}.{a}" for c, contract in CONTRACTS.items() for a, action in contract.actions.items() if not action.by_node],
)
def test_m7_no_other_action_of_a_contract_is_for_nodes(chain, name):
    contract, _, action = name.partition(".")
    receipt = chain.submit("node:regulator", name, **CONTRACTS[contract].actions[action].example)
    assert receipt.code == "not_for_nodes"


def test_a_later_transaction_of_a_block_sees_what_an_earlier_one_wrote(probe):
    receipts = probe.block(write(probe, "a", 1), write(probe, "a", 2))
    assert [receipt.data["height"] for receipt in receipts] == [1, 1]
    assert probe.get("probe/a") == 2


# Executing and committing


def test_executing_changes_nothing_until_commit(probe):
    tx = write(probe)
    block = probe.draft([tx])
    root = probe.root
    first, second = probe.executor.execute_block(block), probe.executor.execute_block(block)
    assert (first.state_root, first.receipts) == (second.state_root, second.receipts)
    assert (probe.root, probe.get("probe/a"), probe.executor.height) == (root, None, 0)
    assert probe.executor.check(tx, probe.now_ms) is None
    probe.executor.commit(first)
    assert (probe.root, probe.get("probe/a"), probe.executor.height) == (first.state_root, 1, 1)
    assert first.tx_ids == (tx.id,)


def test_the_first_receipt_is_that_of_begin_block(probe):
    due = probe.now_ms + 5_000
    assert probe.executor.next_deadline_ms() is None
    probe.submit(WHO, "probe.wake", time_ms=due)
    assert probe.executor.next_deadline_ms() == due
    early = Receipt.decode(probe.executor.run(2, due - 1, []).receipts[0])
    assert (early.tx_id, early.code, early.data) == (ZERO_HASH, "ok", {})
    outcome = probe.executor.run(2, due, [])
    assert Receipt.decode(outcome.receipts[0]).data == {"probe": {"woken": [due]}}
    probe.commit(outcome)
    assert (probe.get("probe/woken"), probe.executor.next_deadline_ms()) == (2, None)


def test_a_rejected_first_transaction_does_not_undo_begin_block(probe):
    probe.submit(WHO, "probe.wake", time_ms=probe.now_ms + 1)
    probe.block(probe.sign(WHO, "probe.fail", {"keys": ["woken"]}), time_ms=probe.now_ms + 10)
    assert probe.get("probe/woken") == 2


def test_next_validators_are_those_of_the_state(probe):
    outcome = probe.executor.run(1, probe.now_ms, [write(probe)])
    assert outcome.next_validators == probe.executor.validators == probe.genesis.validators


def test_a_new_state_is_written_once(genesis_with):
    genesis = genesis_with()
    store = MemoryStore(genesis.parameters.state_bits)
    root = new_state(genesis, store).root
    assert new_state(genesis).root == root
    store.write({})
    assert new_state(genesis, store).root == root
    assert set(genesis_updates(genesis)) >= {b"system/protocol_version", b"membership/members"}


def test_genesis_documents_that_differ_give_other_chains(genesis_with, make_chain):
    one, two = make_chain(genesis_with("one"), RULES), make_chain(genesis_with("two"), RULES)
    tx = write(one)
    one.block(tx)
    assert two.executor.check(tx, two.now_ms).code == "wrong_chain"


# Rules by version


def test_state_holds_the_protocol_version_from_the_first_block(probe):
    assert probe.get("system/protocol_version") == 1


def test_a_version_this_software_lacks_stops_it_before_the_first_block_that_needs_it(probe):
    assert probe.submit(WHO, "probe.upgrade", version=2).ok
    with pytest.raises(UnknownProtocol, match="block 2 needs protocol version 2, this software knows 1"):
        probe.executor.run(2, probe.now_ms, [])
    with pytest.raises(UnknownProtocol, match="newer release"):
        probe.restart()


def test_rules_are_chosen_by_the_version_of_the_parent_state(make_chain):
    def louder(view, context, args):
        view.put(f"probe/{args['key']}", args["value"] * 100)
        return {"version": context.protocol_version}

    rules = {**RULES, 2: {"membership": MEMBERSHIP, "probe": _probe(louder)}}
    chain = make_chain(rules=rules)
    chain.block(write(chain, "a", 1), chain.sign(WHO, "probe.upgrade", {"version": 2}), write(chain, "b", 1))
    assert chain.block(write(chain, "c", 1))[0].data == {"version": 2}
    assert [chain.get(f"probe/{key}") for key in "abc"] == [1, 1, 100]
    assert replay(chain).state.root == chain.root


def replay(chain):
    """Execute all blocks of a chain from genesis on another executor, from their bytes."""
    executor = Executor(chain.genesis, new_state(chain.genesis), rules=chain.rules)
    for committed in chain.blocks:
        outcome = executor.execute_block(Block.decode(committed.block.raw))
        assert isinstance(outcome, Outcome), outcome
        executor.commit(outcome)
    return executor


# Exactly once


def test_t2_a_replay_is_refused_after_a_restart(probe):
    tx = write(probe)
    probe.block(tx)
    probe.restart()
    assert probe.executor.check(tx, probe.now_ms).code == "duplicate"
    assert refusal_of(probe, tx) == "duplicate"


def test_t2_a_replay_is_refused_after_it_left_the_window(probe):
    tx = write(probe, valid_until_ms=probe.now_ms + 10)
    probe.block(tx)
    assert probe.executor.check(tx, probe.executor.time_ms + 1).code == "duplicate"
    probe.block(time_ms=tx.valid_until_ms)
    assert len(probe.executor._seen) == 0
    assert refusal_of(probe, tx) == "expired"
    probe.restart()
    assert refusal_of(probe, tx) == "expired"


def test_t2_a_replay_over_chain_is_refused(make_chain, genesis_with):
    one, two = (make_chain(genesis_with(name), RULES) for name in ("one", "two"))
    assert refusal_of(two, write(one)) == "wrong_chain"


def test_t2_the_same_body_with_another_signature_is_the_same_transaction(probe):
    tx = write(probe)
    probe.block(tx)
    again = Transaction.decode(join(_body(tx), bytes(64)))
    assert again.id == tx.id
    assert probe.executor.check(again, probe.now_ms).code == "duplicate"


def test_x2_an_entry_stays_until_its_latest_transaction_has_expired(probe):
    short = write(probe, valid_until_ms=probe.now_ms + 10)
    long = write(probe, valid_until_ms=probe.now_ms + 5_000)
    probe.block(short, long)
    probe.block(time_ms=long.valid_until_ms - 1)
    assert probe.get("system/seen/1") == [long.valid_until_ms, short.id + long.id]
    probe.block(time_ms=long.valid_until_ms)
    assert probe.get("system/seen/1") is None
    assert probe.get("system/window") == []


def test_x4_the_window_names_its_oldest_and_newest_entry_whatever_lies_between(probe):
    bounds = [probe.get("system/window")]
    first = write(probe, valid_until_ms=probe.now_ms + 10_000)
    for transactions in ([first], [], [write(probe)], []):
        probe.block(*transactions)
        bounds.append(probe.get("system/window"))
    probe.block(time_ms=first.valid_until_ms)
    bounds.append(probe.get("system/window"))
    assert bounds == [[], [1, 1], [1, 1], [1, 3], [1, 3], [3, 3]]
    probe.restart()
    assert len(probe.executor._seen) == 1


def test_x3_blocks_without_transactions_leave_no_entry(probe):
    root = probe.root
    probe.block()
    assert probe.root == root


def test_x4_the_clean_up_of_one_block_is_bounded_and_catches_up(probe, monkeypatch):
    monkeypatch.setattr(window, "MAX_DROPPED", 2)
    for _ in range(5):
        probe.block(write(probe), time_ms=probe.executor.time_ms + 1)
    last = probe.now_ms + 600_000
    lengths = []
    for step in range(3):
        probe.block(time_ms=last + step)
        lengths.append(len(probe.executor._seen))
        before = probe.executor._seen
        probe.restart()
        assert probe.executor._seen._entries == before._entries
    assert lengths == [3, 1, 0]
    assert not [entry for entry in all_entries(probe) if b"system/seen/" in entry]


def all_entries(chain):
    return [entry for i in range(1 << chain.state.bits) for _, entry in chain.state._store.bucket(i)]


STEP = st.one_of(
    st.tuples(st.just("restart"), st.just(0), st.just([])),
    st.tuples(
        st.just("block"),
        st.sampled_from([1, 500, 3_000, 700_000]),
        st.lists(st.tuples(st.sampled_from(["write", "fail", "lack", "replay"]), st.integers(0, 7)), max_size=5),
    ),
)


@settings(deadline=None, max_examples=40)
@given(st.lists(STEP, max_size=10))
def test_t2_whatever_happens_each_transaction_takes_effect_at_most_once(make_chain, steps):
    chain, old, written = make_chain(rules=RULES), [], 0
    for kind, pause_ms, items in steps:
        if kind == "restart":
            before = chain.executor._seen
            chain.restart()
            assert chain.executor._seen._entries == before._entries
            assert chain.executor._seen._ids == before._ids
            continue
        time_ms = chain.executor.time_ms + pause_ms
        fresh = []
        for action, number in items:
            valid_until_ms = time_ms + 1 + number * 1_000
            if action == "write":
                fresh.append(write(chain, f"k{number}", number, valid_until_ms=valid_until_ms))
            elif action == "fail":
                fresh.append(chain.sign(WHO, "probe.fail", {"keys": ["k"]}, valid_until_ms=valid_until_ms))
            elif action == "lack":
                fresh.append(chain.sign(WHO, "probe.register", {}, valid_until_ms=valid_until_ms))
            elif old:
                assert refusal_of(chain, old[number % len(old)], time_ms=time_ms) in ("duplicate", "expired")
        receipts = chain.block(*fresh, time_ms=time_ms)
        written += sum(receipt.ok for receipt in receipts)
        old += fresh
    assert written == sum(tx.action == "write" for tx in old)
    assert replay(chain).state.root == chain.root
    for tx in old:
        assert chain.executor.check(tx, chain.now_ms) is not None


def test_the_window_is_loaded_from_the_state_alone(probe):
    for _ in range(3):
        probe.block(write(probe), write(probe))
    loaded = SeenWindow.load(probe.executor.reader)
    assert len(loaded) == 6
    assert all(tx_id in loaded for committed in probe.blocks for tx_id in ids_of(committed.block))


def ids_of(block):
    return [Transaction.decode(raw).id for raw in block.transactions]
