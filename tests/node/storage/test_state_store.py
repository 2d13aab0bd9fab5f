from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.ledger.state import MemoryStore, State, bucket_index
from coseal.node.storage.state_store import LmdbStore, Marker

BITS = 8
KEYS = [bytes([i]) for i in range(40)]


def marker(height: int) -> Marker:
    return Marker(bytes(32), BITS, height, height.to_bytes(32, "big"))


def opened(folder: Path, *, boot: str = "boot") -> LmdbStore:
    return LmdbStore(folder, BITS, map_bytes=1 << 24, boot=boot)


def commit(state: State, store: LmdbStore | MemoryStore, updates: Mapping[bytes, bytes | None], height: int) -> None:
    change = state.derive(updates)
    state.commit(change)
    if isinstance(store, LmdbStore):
        store.write(change.entries, marker(height))
        store.renew()
    else:
        store.write(change.entries)
    state.flushed(change)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.dictionaries(st.sampled_from(KEYS), st.none() | st.binary(max_size=9)), max_size=6))
def test_the_database_and_a_dict_give_the_same_roots(tmp_path_factory, blocks) -> None:
    store, memory = opened(tmp_path_factory.mktemp("state") / "s"), MemoryStore(BITS)
    left, right = State(store, BITS), State(memory, BITS)
    for height, updates in enumerate(blocks, start=1):
        commit(left, store, updates, height)
        commit(right, memory, updates, height)
        assert left.root == right.root
    for index in range(1 << BITS):
        assert dict(store.bucket(index)) == dict(memory.bucket(index))
    assert State(store, BITS).root == right.root
    store.close()


def test_a_bucket_holds_the_keys_of_its_prefix_only(tmp_path: Path) -> None:
    store = opened(tmp_path / "state")
    hashes = [bytes([first]) + bytes([second]) * 31 for first in (0, 7, 255) for second in (0, 255)]
    store.write(dict.fromkeys(hashes, b"entry"), marker(1))
    store.renew()
    for index in range(256):
        assert [key for key, _ in store.bucket(index)] == [h for h in hashes if bucket_index(h, BITS) == index]
    store.close()


def test_reads_see_a_write_after_renewal_only(tmp_path: Path) -> None:
    store = opened(tmp_path / "state")
    store.write({bytes(32): b"entry"}, marker(1))
    assert store.get(bytes(32)) is None
    store.renew()
    assert store.get(bytes(32)) == b"entry"
    store.close()


def test_the_marker_moves_with_the_entries(tmp_path: Path) -> None:
    store = opened(tmp_path / "state")
    assert store.marker is None
    store.write({bytes(32): b"entry"}, marker(5))
    assert store.marker == marker(5)
    store.close()
    again = opened(tmp_path / "state", boot="another boot")
    assert again.marker == marker(5)
    assert again.notices == []
    again.close()


def unclosed(folder: Path) -> None:
    """Leave a database as a process does that is killed."""
    child = os.fork()
    if child == 0:
        try:
            store = opened(folder)
            store.write({bytes(32): b"entry"}, marker(3))
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def test_after_a_killed_process_the_database_is_kept(tmp_path: Path) -> None:
    unclosed(tmp_path / "state")
    store = opened(tmp_path / "state")
    assert store.marker == marker(3)
    assert store.get(bytes(32)) == b"entry"
    store.close()


def test_after_a_crash_of_the_machine_the_database_is_thrown_away(tmp_path: Path) -> None:
    unclosed(tmp_path / "state")
    store = opened(tmp_path / "state", boot="another boot")
    assert store.marker is None
    assert "rebuilt" in store.notices[0]
    store.close()


@pytest.mark.parametrize("owner", [None, b"", b"\xff\xfe", b"open \n", b"something"])
def test_a_database_whose_owner_file_says_nothing_is_thrown_away(tmp_path: Path, owner: bytes | None) -> None:
    unclosed(tmp_path / "state")
    (tmp_path / "state" / "owner").unlink()
    if owner is not None:
        (tmp_path / "state" / "owner").write_bytes(owner)
    store = opened(tmp_path / "state")
    assert store.marker is None
    store.close()


def test_clear_empties_it(tmp_path: Path) -> None:
    store = opened(tmp_path / "state")
    store.write({bytes(32): b"entry"}, marker(1))
    store.clear()
    assert store.marker is None
    assert list(store.items()) == []
    store.close()
