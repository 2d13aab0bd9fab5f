from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.execution import Outcome
from coseal.contracts.kernel.action import INVALID, Rejected
from coseal.contracts.registry import CAPABILITIES, CONTRACTS, RULES
from coseal.ledger import codec
from coseal.ledger.block import Block, Receipt
from coseal.ledger.genesis import PROTOCOL_VERSION, is_name
from coseal.ledger.strict_json import strict_json

ROOT = Path(__file__).resolve().parent.parent.parent
ACTIONS = {
    f"{contract.name}.{name}": action for contract in CONTRACTS.values() for name, action in contract.actions.items()
}
SENDERS = (
    "regulator/admin",
    "city/admin",
    "central-bank/admin",
    "bank-a/admin",
    "enterprise-a/admin",
    "public-a/admin",
)

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.text(max_size=20),
    st.sampled_from(["2017", "2017-09-04T15:00:00Z", "00" * 32, "a/b", "१२", "submit", "id"]),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def mutants(value):
    """Arguments that differ from an example in one place: a value replaced, a field left out or added."""
    if isinstance(value, dict) and value:
        key = st.sampled_from(sorted(value))
        return st.one_of(
            key.flatmap(lambda name: mutants(value[name]).map(lambda other: {**value, name: other})),
            key.map(lambda name: {other: value[other] for other in value if other != name}),
            st.tuples(st.text(max_size=8), VALUES).map(lambda pair: {**value, pair[0]: pair[1]}),
        )
    if isinstance(value, list) and value:
        index = st.integers(0, len(value) - 1)
        return st.one_of(
            index.flatmap(lambda i: mutants(value[i]).map(lambda other: [*value[:i], other, *value[i + 1 :]])),
            st.just([]),
            st.just(value * 2),
            VALUES,
        )
    return VALUES


NAMES = st.sampled_from(sorted(ACTIONS))
CALLS = NAMES.flatmap(
    lambda name: st.tuples(
        st.just(name),
        st.one_of(
            st.just(dict(ACTIONS[name].example)),
            mutants(dict(ACTIONS[name].example)),
            st.dictionaries(st.text(max_size=8), VALUES, max_size=4),
        ),
    )
)


def test_the_newest_version_is_the_one_genesis_writes():
    assert RULES[PROTOCOL_VERSION] is CONTRACTS
    assert all(contract.name == name for name, contract in CONTRACTS.items())


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_every_action_has_a_title_a_known_capability_and_an_example_that_validates(name):
    action = ACTIONS[name]
    assert is_name(name.replace("_", "-"))
    assert 0 < len(action.title) <= 100
    assert action.capability in ("", *CAPABILITIES) or (action.capability is None and action.by_node)
    assert action.arguments.check(dict(action.example)) is None
    assert strict_json(json.dumps(action.example)) == action.example


@settings(deadline=None, max_examples=300)
@given(CALLS)
def test_whatever_the_arguments_validate_answers_and_never_raises(call):
    name, args = call
    refusal = ACTIONS[name].arguments.check(args)
    assert refusal is None or isinstance(refusal, Rejected)
    if refusal is not None and refusal.code == INVALID:
        assert refusal.detail.startswith("args")
        assert len(refusal.detail) < 1_000


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(SENDERS), CALLS), max_size=8))
def test_whatever_is_sent_two_nodes_agree_and_a_rejection_leaves_nothing_else(make_chain, calls):
    chain, other = make_chain(), make_chain()
    for sender, (name, args) in calls:
        tx = chain.sign(sender, name, args)
        refusal = chain.executor.check(tx, chain.now_ms)
        if refusal is not None:  # the sender replaced or removed its own key before
            assert refusal.code == "unknown_sender"
            continue
        before = contents(chain)
        block = Block.decode(chain.draft([tx]).raw)
        outcomes = [each.executor.execute_block(block) for each in (chain, other)]
        assert all(isinstance(outcome, Outcome) for outcome in outcomes), outcomes
        chain.append(block, outcomes[0])
        other.commit(outcomes[1])
        receipt = Receipt.decode(outcomes[0].receipts[1])
        assert receipt.ok or contents(chain) == before
        assert chain.root == other.root
        other.restart()


def contents(chain):
    entries = [entry for i in range(1 << chain.state.bits) for _, entry in chain.state._store.bucket(i)]
    return {entry for entry in entries if b"system/seen/" not in entry and b"system/window" not in entry}


def test_receipts_hold_what_json_can_show(chain):
    for sender in SENDERS:
        for name in sorted(ACTIONS):
            receipt = chain.block(chain.sign(sender, name, dict(ACTIONS[name].example)))[0]
            assert json.loads(json.dumps(receipt.data)) == receipt.data
            assert codec.decode(codec.encode(receipt.data)) == receipt.data


def rules_of(specification):
    return re.findall(r"^\| ([VXMO][0-9]+) \|", specification.read_text(encoding="utf-8"), re.MULTILINE)


def test_every_numbered_rule_stands_beside_the_code_that_keeps_it():
    pages = ("docs/spec/contracts.md", "contracts/membership/README.md", "contracts/evidence/README.md")
    rules = [rule for page in pages for rule in rules_of(ROOT / page)]
    assert len(rules) == len(set(rules)) == 28
    marks = "\n".join(
        line.rpartition("#")[2]
        for path in sorted((ROOT / "contracts").rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if "#" in line
    )
    assert [rule for rule in rules if not re.search(rf"\b{rule}\b", marks)] == []
