"""The authenticated state: equal contents, equal roots; presence and absence proved (row M2)."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from coseal.ledger import codec
from coseal.ledger.errors import BadProof, Malformed
from coseal.ledger.state import (
    MAX_KEY_BYTES,
    MemoryStore,
    State,
    StateProof,
    bucket_index,
    key_hash_of,
    make_entry,
    split_entry,
    value_hash_of,
)

BITS = 4
KEYS = st.sampled_from([b"", b"a", b"aa", b"ab", b"policy/1", b"policy/10", *(bytes([i]) for i in range(40))])
VALUES = st.sampled_from([b"", b"1", b"2", b"x" * 100])


def state_of(contents, bits=BITS):
    state = State(MemoryStore(bits), bits)
    apply(state, contents)
    return state


def apply(state, updates, *, flush=True):
    change = state.derive(updates)
    state.commit(change)
    if flush:
        state._store.write(change.entries)
        state.flushed(change)
    return change


class AgainstADict(RuleBasedStateMachine):
    """Any sequence of updates, commits and delayed store writes behaves as a dict does."""

    def __init__(self):
        super().__init__()
        self.store = MemoryStore(BITS)
        self.state = State(self.store, BITS)
        self.model = {}
        self.unwritten = []

    @rule(updates=st.dictionaries(KEYS, VALUES | st.none(), max_size=6))
    def commit(self, updates):
        root = self.state.root
        change = self.state.derive(updates)
        assert self.state.root == root  # deriving changes nothing
        self.state.commit(change)
        self.unwritten.append(change)
        for key, value in updates.items():
            if value is None:
                self.model.pop(key, None)
            else:
                self.model[key] = value

    @precondition(lambda self: self.unwritten)
    @rule()
    def write(self):
        self.store.write(self.unwritten[0].entries)

    @precondition(lambda self: self.unwritten)
    @rule()
    def flush(self):
        change = self.unwritten.pop(0)
        self.store.write(change.entries)
        self.state.flushed(change)

    @rule(key=KEYS)
    def look(self, key):
        assert self.state.get(key) == self.model.get(key)
        value, proof = self.state.prove(key)
        assert value == self.model.get(key)
        proof.verify(key, value, self.state.root)
        assert StateProof.decode(proof.encode()) == proof

    @invariant()
    def root_is_that_of_the_contents(self):
        assert self.state.root == state_of(self.model).root


AgainstADict.TestCase.settings = settings(max_examples=30, stateful_step_count=15, deadline=None)
TestAgainstADict = AgainstADict.TestCase


@given(st.dictionaries(KEYS, VALUES, max_size=12), st.randoms())
@settings(max_examples=40, deadline=None)
def test_the_root_is_that_of_the_contents_whatever_the_order(contents, random):
    keys = list(contents)
    random.shuffle(keys)
    stepwise = state_of({})
    for key in keys:
        apply(stepwise, {key: b"before"})
    for key in reversed(keys):
        apply(stepwise, {key: contents[key]})
    assert stepwise.root == state_of(contents).root
    assert state_of({key: contents[key] for key in keys}).root == state_of(contents).root


def test_a_tree_built_from_a_store_has_the_root_of_the_one_that_wrote_it():
    store = MemoryStore(8)
    state = State(store, 8)
    for start in range(0, 300, 50):
        apply(state, {b"key/%d" % i: b"%d" % i for i in range(start, start + 50)})
    apply(state, {b"key/%d" % i: None for i in range(0, 300, 3)})
    assert State(store, 8).root == state.root


@pytest.mark.parametrize("bits", [4, 8, 12])
def test_every_key_is_proved_present_and_others_absent(bits):
    contents = {b"key/%d" % i: b"value %d" % i for i in range(60)}
    state = state_of(contents, bits)
    for key, expected in contents.items():
        value, proof = state.prove(key)
        assert value == expected
        proof.verify(key, value, state.root)
        for wrong in (b"other", b"", None):
            with pytest.raises(BadProof):
                proof.verify(key, wrong, state.root)
    for absent in (b"", b"key/", b"key/6 ", b"key/60", b"key/1\x00"):
        value, proof = state.prove(absent)
        assert value is None
        proof.verify(absent, None, state.root)
        with pytest.raises(BadProof):
            proof.verify(absent, b"value 1", state.root)


def test_an_empty_value_is_not_an_absent_one():
    state = state_of({b"k": b""})
    value, proof = state.prove(b"k")
    assert value == b""
    proof.verify(b"k", b"", state.root)
    with pytest.raises(BadProof):
        proof.verify(b"k", None, state.root)
    assert state.root != state_of({}).root


def test_an_empty_key_is_a_key():
    state = state_of({b"": b"1"})
    value, proof = state.prove(b"")
    proof.verify(b"", value, state.root)
    assert state.get(b"") == b"1"


def test_a_proof_says_nothing_about_another_root_or_another_buckets_key():
    state = state_of({b"key/%d" % i: b"v" for i in range(30)})
    other = state_of({b"key/%d" % i: b"v" for i in range(31)})
    value, proof = state.prove(b"key/1")
    with pytest.raises(BadProof):
        proof.verify(b"key/1", value, other.root)
    index = bucket_index(key_hash_of(b"key/1"), BITS)
    elsewhere = next(key for key in (b"z%d" % i for i in range(99)) if bucket_index(key_hash_of(key), BITS) != index)
    with pytest.raises(BadProof):  # an absent key of another bucket is not shown absent by this one
        proof.verify(elsewhere, None, state.root)


def test_changed_proofs_are_refused():
    state = state_of({b"key/%d" % i: b"v" for i in range(60)}, 8)
    key = max((b"key/%d" % i for i in range(60)), key=lambda key: len(state.prove(key)[1].entries))
    value, proof = state.prove(key)
    assert len(proof.entries) > 1
    absent = key + b"?"
    bad = [
        replace(proof, entries=proof.entries[1:]),
        replace(proof, entries=proof.entries[::-1]),
        replace(proof, entries=(proof.entries[0], *proof.entries)),
        replace(proof, entries=()),
        replace(proof, siblings=proof.siblings[:-1]),
        replace(proof, siblings=(*proof.siblings, proof.siblings[0])),
        replace(proof, siblings=proof.siblings[::-1]),
        replace(proof, siblings=(bytes(480), *proof.siblings[1:])),
        replace(proof, bits=4),
        replace(proof, bits=12),
        replace(proof, bits=6),
    ]
    for wrong in bad:
        with pytest.raises(BadProof):
            wrong.verify(key, value, state.root)
    for wrong in bad[:4]:
        with pytest.raises(BadProof):
            wrong.verify(absent, None, state.root)


def test_leaving_the_key_out_of_its_bucket_does_not_show_it_absent():
    state = state_of({b"a": b"1", b"b": b"2"})
    _, proof = state.prove(b"a")
    without = replace(proof, entries=tuple(pair for pair in proof.entries if pair[0] != key_hash_of(b"a")))
    with pytest.raises(BadProof):
        without.verify(b"a", None, state.root)


def test_a_smuggled_pair_of_another_bucket_is_refused_by_place():
    state = state_of({b"a": b"1"})
    _, proof = state.prove(b"a")
    index = bucket_index(key_hash_of(b"a"), BITS)
    foreign = next(key_hash_of(b"%d" % i) for i in range(99) if bucket_index(key_hash_of(b"%d" % i), BITS) != index)
    smuggled = replace(proof, entries=tuple(sorted([*proof.entries, (foreign, value_hash_of(b"9"))])))
    with pytest.raises(BadProof, match="another bucket"):
        smuggled.verify(b"a", b"1", state.root)


def test_the_number_of_buckets_is_part_of_the_root():
    assert state_of({}, 4).root != state_of({}, 8).root


@pytest.mark.parametrize("bits", [0, 3, 5, 28, -4, True])
def test_other_numbers_of_buckets_are_refused(bits):
    with pytest.raises(Malformed):
        State(MemoryStore(4), bits)


def test_changes_are_committed_on_what_they_were_derived_from_and_flushed_in_order():
    state = state_of({})
    one, other = state.derive({b"a": b"1"}), state.derive({b"a": b"2"})
    state.commit(one)
    with pytest.raises(ValueError, match="another state"):
        state.commit(other)
    two = state.derive({b"b": b"1"})
    state.commit(two)
    with pytest.raises(ValueError, match="order"):
        state.flushed(two)
    state.flushed(one)
    with pytest.raises(ValueError, match="order"):
        state.flushed(one)


def test_an_update_that_changes_nothing_keeps_the_root():
    state = state_of({b"a": b"1"})
    assert state.derive({b"a": b"1", b"zz": None}).root == state.root
    assert state.derive({}).root == state.root


@pytest.mark.parametrize(
    "fields",
    [
        [4, bytes(63), [bytes(480)]],
        [4, bytes(64), [bytes(479)]],
        [5, bytes(64), [bytes(480)]],
        [4, b"", [bytes(480)] * 17],
        [4, None, [bytes(480)]],
        [True, b"", [bytes(480)]],
    ],
)
def test_malformed_proofs_are_refused(fields):
    with pytest.raises(Malformed):
        StateProof.decode(codec.encode(["state-proof", 1, *fields]))


def test_an_entry_holds_key_and_value_of_any_length():
    for key in (b"", b"k", b"k" * MAX_KEY_BYTES):
        entry = make_entry(key, b"value", value_hash_of(b"value"))
        assert split_entry(entry) == (key, b"value")
