"""RFC 6962 trees with the size in the root (row M1)."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.ledger import merkle
from coseal.ledger.errors import BadProof

LEAVES = [bytes([i]) * 3 for i in range(7)]


def reference(leaves):
    """MTH of RFC 6962 section 2.1, written as it is defined there: by the largest power of two below n."""
    n = len(leaves)
    if n == 0:
        return sha256(b"").digest()
    if n == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while 2 * k < n:
        k *= 2
    return sha256(b"\x01" + reference(leaves[:k]) + reference(leaves[k:])).digest()


@given(st.lists(st.binary(max_size=8), max_size=40))
@settings(max_examples=60, deadline=None)
def test_the_tree_is_that_of_rfc_6962_and_every_leaf_is_provable(leaves):
    assert merkle.tree_hash(leaves) == reference(leaves)
    root = merkle.root(leaves)
    for index, leaf in enumerate(leaves):
        merkle.verify(leaf, index, len(leaves), merkle.prove(leaves, index), root)


def test_known_trees_of_rfc_6962_are_reproduced():
    """The test vectors that implementations of Certificate Transparency share."""
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    leaves = [bytes.fromhex(text) for text in inputs]
    assert merkle.tree_hash(leaves[:1]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert merkle.tree_hash(leaves).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def test_an_empty_tree_proves_nothing():
    assert merkle.tree_hash([]) == sha256(b"").digest()
    with pytest.raises(IndexError):
        merkle.prove([], 0)
    with pytest.raises(BadProof):
        merkle.verify(b"", 0, 0, [], merkle.root([]))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7])
def test_a_proof_is_of_one_leaf_index_size_and_root(size):
    leaves = LEAVES[:size]
    root = merkle.root(leaves)
    for index in range(size):
        path = merkle.prove(leaves, index)
        merkle.verify(leaves[index], index, size, path, root)
        for wrong_index in [-1, *(i for i in range(size + 2) if i != index)]:
            with pytest.raises(BadProof):
                merkle.verify(leaves[index], wrong_index, size, path, root)
        for wrong_size in [0, -1, *(n for n in range(1, 12) if n != size)]:
            with pytest.raises(BadProof):
                merkle.verify(leaves[index], index, wrong_size, path, root)
        with pytest.raises(BadProof):
            merkle.verify(b"other", index, size, path, root)
        with pytest.raises(BadProof):
            merkle.verify(leaves[index], index, size, path, merkle.root([*leaves, b"x"]))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7])
def test_missing_extra_exchanged_and_malformed_siblings_are_refused(size):
    leaves = LEAVES[:size]
    root = merkle.root(leaves)
    for index in range(size):
        path = merkle.prove(leaves, index)
        wrong = [[*path, bytes(32)], [bytes(32), *path], [*path, *path[:1]]]
        if path:
            wrong += [path[:-1], path[1:], [*path[:-1], b"short"], [*path[:-1], bytes(32)], []]
        if len(path) > 1:
            wrong.append(path[::-1])
        for other in wrong:
            if other == path:
                continue
            with pytest.raises(BadProof):
                merkle.verify(leaves[index], index, size, other, root)


def test_a_leaf_that_is_two_hashes_does_not_pass_for_an_inner_node():
    left, right = merkle.leaf_hash(b"a"), merkle.leaf_hash(b"b")
    assert merkle.tree_hash([left + right]) != merkle.tree_hash([b"a", b"b"])
    with pytest.raises(BadProof):
        merkle.verify(left + right, 0, 1, [], merkle.root([b"a", b"b"]))


def test_an_odd_last_leaf_is_not_duplicated():
    assert merkle.root([b"a", b"b", b"c"]) != merkle.root([b"a", b"b", b"c", b"c"])
    assert merkle.tree_hash([b"a", b"b", b"c"]) != merkle.tree_hash([b"a", b"b", b"c", b"c"])


def test_the_size_is_part_of_the_root():
    assert merkle.root([b"a"]) == sha256(b"\x02" + (1).to_bytes(8, "big") + merkle.leaf_hash(b"a")).digest()
    left, right = merkle.leaf_hash(b"a"), merkle.leaf_hash(b"b")
    # A prover that claims another size for the same hashes does not reach the root.
    with pytest.raises(BadProof):
        merkle.verify(b"b", 1, 3, [left], merkle.root([b"a", b"b"]))
    with pytest.raises(BadProof):
        merkle.verify(b"a", 0, 4, [right], merkle.root([b"a", b"b"]))


@given(st.lists(st.lists(st.binary(max_size=8), max_size=12), max_size=12))
@settings(max_examples=200, deadline=None)
def test_a_frontier_after_any_batches_has_the_root_of_all_leaves(batches):
    frontier = merkle.Frontier()
    leaves: list[bytes] = []
    for batch in batches:
        frontier = frontier.grown(batch)
        leaves += batch
        assert frontier.size == len(leaves)
        assert frontier.root() == merkle.root(leaves)
        assert len(frontier.hashes) == frontier.size.bit_count()
        assert merkle.Frontier(frontier.size, frontier.hashes).root() == frontier.root()


def test_a_hundred_thousand_leaves_have_a_frontier_of_sixteen_hashes_at_most():
    frontier = merkle.Frontier().grown([b"x"] * 1_000)
    assert max(n.bit_count() for n in range(100_001)) <= 16
    assert len(frontier.hashes) == 6
