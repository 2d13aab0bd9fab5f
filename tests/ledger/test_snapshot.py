"""Snapshots: equal states give equal chunks, each chunk proves itself, and nothing else passes for it."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.ledger import codec, snapshot
from coseal.ledger.block import HEADER_VERSION, Header
from coseal.ledger.certificate import PbftCertificate, Phase
from coseal.ledger.errors import BadProof, LedgerError, Malformed
from coseal.ledger.snapshot import Manifest, cut, depth_for
from coseal.ledger.state import MemoryStore, State, root_of_subtrees, subtree_hash

CONTENTS = st.dictionaries(st.binary(max_size=12), st.binary(max_size=40), max_size=40)
BITS = 8


def entries_of(contents: Mapping[bytes, bytes], bits: int = BITS) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """The entries of a state in order, and its root as the state itself has it."""
    store = MemoryStore(bits)
    state = State(store, bits)
    change = state.derive(dict(contents))
    state.commit(change)
    store.write(change.entries)
    return sorted(entry for index in range(1 << bits) for entry in store.bucket(index)), state.root


def header_with(root: bytes) -> Header:
    zero = bytes(32)
    return Header(HEADER_VERSION, zero, 7, zero, 0, zero, zero, "a", 0, 1, zero, 0, zero, root, zero)


def made(contents: Mapping[bytes, bytes], depth: int | None = None, bits: int = BITS) -> tuple[Manifest, list[bytes]]:
    entries, root = entries_of(contents, bits)
    chunks = list(cut(entries, bits, depth_for(entries, bits) if depth is None else depth))
    header = header_with(root)
    certificate = PbftCertificate(Phase.COMMIT, 0, 7, 0, header.hash, b"\x07", (bytes(64),) * 3)
    hashes = b"".join(value for _, value in chunks)
    manifest = Manifest(header, certificate, bits, (len(chunks) - 1).bit_length(), hashes)
    return manifest, [chunk for chunk, _ in chunks]


@settings(deadline=None, max_examples=60)
@given(CONTENTS, st.sampled_from([0, 4, 8]))
def test_chunks_hold_the_state_and_lead_to_its_root(contents: dict[bytes, bytes], depth: int) -> None:
    manifest, chunks = made(contents, depth)
    assert Manifest.decode(manifest.encode()) == manifest
    rebuilt = MemoryStore(BITS)
    for index, chunk in enumerate(chunks):
        rebuilt.write(dict(manifest.entries(index, chunk)))
    state = State(rebuilt, BITS)
    assert state.root == manifest.header.state_root
    assert {key: state.get(key) for key in contents} == contents


@settings(deadline=None, max_examples=60)
@given(CONTENTS, st.sampled_from([0, 4, 8]), st.data())
def test_no_other_bytes_pass_for_a_chunk(contents: dict[bytes, bytes], depth: int, data: st.DataObject) -> None:
    manifest, chunks = made(contents, depth)
    index = data.draw(st.integers(0, len(chunks) - 1))
    chunk = bytearray(chunks[index])
    chunk[data.draw(st.integers(0, len(chunk) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(LedgerError):
        manifest.check(index, bytes(chunk))


@settings(deadline=None, max_examples=60)
@given(CONTENTS, CONTENTS)
def test_snapshots_are_equal_exactly_when_states_are(left: dict[bytes, bytes], right: dict[bytes, bytes]) -> None:
    one, two = made(left), made(dict(reversed(right.items())))
    assert (one[0].hashes == two[0].hashes) == (left == right) == (one[1] == two[1])


@settings(deadline=None, max_examples=60)
@given(CONTENTS, st.data())
def test_no_other_bytes_pass_for_a_manifest(contents: dict[bytes, bytes], data: st.DataObject) -> None:
    manifest, _ = made(contents, 4)
    raw = bytearray(manifest.encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        other = Manifest.decode(bytes(raw))
    except LedgerError:
        return
    # What is left is for whoever checks the certificate and the chain of headers.
    assert root_of_subtrees(other.hashes, other.bits) == other.header.state_root
    assert other.certificate.block_hash == other.header.hash


@settings(deadline=None, max_examples=30)
@given(st.binary(max_size=120))
def test_any_bytes_are_refused_as_manifest_and_as_chunk(data: bytes) -> None:
    manifest, _ = made({b"a": b"1"})
    with pytest.raises(LedgerError):
        Manifest.decode(data)
    with pytest.raises(LedgerError):
        manifest.check(0, data)
    with pytest.raises(LedgerError):
        manifest.check(1, data)


def test_keys_out_of_order_twice_or_of_another_chunk_are_refused() -> None:
    contents = {bytes([number]): b"v" for number in range(60)}
    manifest, chunks = made(contents, 4)
    (flat,) = codec.decode_record(chunks[0], "chunk", 1, 1)
    (other,) = codec.decode_record(chunks[1], "chunk", 1, 1)
    swapped = codec.encode(["chunk", 1, [*flat[2:4], *flat[:2], *flat[4:]]])
    twice = codec.encode(["chunk", 1, [*flat[:2], *flat]])
    with pytest.raises(BadProof, match="ascending"):
        manifest.check(0, swapped)
    with pytest.raises(BadProof, match="ascending"):
        manifest.check(0, twice)
    with pytest.raises(BadProof, match="another chunk"):
        manifest.check(0, codec.encode(["chunk", 1, flat + other]))
    with pytest.raises(BadProof, match="not the part"):
        manifest.check(0, codec.encode(["chunk", 1, flat[2:]]))
    with pytest.raises(Malformed, match="pairs"):
        manifest.check(0, codec.encode(["chunk", 1, flat[:-1]]))


def test_a_state_is_cut_no_deeper_than_the_size_of_chunks_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    small = {b"a": b"1", b"b": b"2"}
    assert made(small)[0].depth == 0
    monkeypatch.setattr(snapshot, "CHUNK_BYTES", 1_500)
    for count, depth in ((20, 0), (200, 4), (3_000, 8)):
        contents = {sha256(bytes([number % 256, number // 256])).digest(): b"v" * 20 for number in range(count)}
        manifest, chunks = made(contents)
        assert manifest.depth == depth
        assert max(map(len, chunks)) <= 1_500
    huge = {b"a": b"v" * 2_000}  # no cut makes it smaller
    assert made(huge)[0].depth == BITS


def test_the_bounds_hold_at_the_limit_and_not_one_beyond() -> None:
    manifest, _ = made({})
    empty = codec.encode(["chunk", 1, []])
    manifest.check(0, empty)
    with pytest.raises(Malformed, match="at most"):
        manifest.check(0, bytes(snapshot.MAX_CHUNK_BYTES + 1))
    for depth, hashes in ((1, bytes(64)), (12, bytes(32 << 12)), (4, bytes(32 * 15)), (4, bytes(32 * 17))):
        raw = codec.encode(["snapshot", 1, manifest.header.raw, manifest.certificate.encode(), BITS, depth, hashes])
        with pytest.raises(Malformed):
            Manifest.decode(raw)


def test_the_hash_of_the_whole_tree_is_that_of_its_subtrees() -> None:
    entries, root = entries_of({bytes([number]): b"v" for number in range(100)})
    pairs = [(key_hash, entry[:32]) for key_hash, entry in entries]
    assert root_of_subtrees(subtree_hash(pairs, BITS, 0), BITS) == root
