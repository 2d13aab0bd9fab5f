"""The authenticated state: a key-value map whose root proves any key present or absent.

Law: equal contents give equal roots, whatever the order of the updates; ``derive`` changes nothing.

A key's SHA-256 falls into one of 2^bits buckets (bits fixed in genesis). A bucket's hash covers its sorted
(key hash, value hash) pairs; a 16-ary tree over the buckets gives the root. A proof is one whole bucket and the
siblings above it, so it shows absence as well as presence. docs/decisions/ records why, with measurements.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Protocol

from coseal.ledger import codec
from coseal.ledger.errors import BadProof, Malformed
from coseal.ledger.signing import HASH_BYTES, TAG_STATE_KEY, TAG_STATE_ROOT, TAG_STATE_VALUE, digest

FANOUT_BITS: Final = 4
FANOUT: Final = 1 << FANOUT_BITS
MAX_KEY_BYTES: Final = 65_535
_MAX_BUCKET_ENTRIES: Final = 1 << 16


class StateStore(Protocol):
    """Where the committed entries live: a dict in tests and replay, a database in a node.

    An entry is ``value_hash(32) ‖ key length(2) ‖ key ‖ value``, stored under the key's hash.
    """

    def get(self, key_hash: bytes) -> bytes | None:
        """Return the entry stored under ``key_hash``, or None."""
        ...

    def bucket(self, index: int) -> Iterable[tuple[bytes, bytes]]:
        """Return the (key hash, entry) pairs whose hash's first ``bits`` bits equal ``index``, in any order."""
        ...

    def buckets(self) -> Iterable[tuple[int, Iterable[tuple[bytes, bytes]]]]:
        """Return (index, (key hash, entry) in any order) of every bucket that is not empty."""
        ...


class MemoryStore:
    """A ``StateStore`` in memory, for replay, tests and the simulator."""

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._buckets: dict[int, dict[bytes, bytes]] = {}

    def get(self, key_hash: bytes) -> bytes | None:
        """See ``StateStore``."""
        return self._buckets.get(bucket_index(key_hash, self._bits), {}).get(key_hash)

    def bucket(self, index: int) -> Iterable[tuple[bytes, bytes]]:
        """See ``StateStore``."""
        return self._buckets.get(index, {}).items()

    def buckets(self) -> Iterable[tuple[int, Iterable[tuple[bytes, bytes]]]]:
        """See ``StateStore``."""
        return [(index, bucket.items()) for index, bucket in self._buckets.items() if bucket]

    def write(self, entries: Mapping[bytes, bytes | None]) -> None:
        """Apply ``entries`` (key hash -> entry, None deletes), as the node's database does."""
        for key_hash, entry in entries.items():
            bucket = self._buckets.setdefault(bucket_index(key_hash, self._bits), {})
            if entry is None:
                bucket.pop(key_hash, None)
            else:
                bucket[key_hash] = entry


@dataclass(frozen=True, slots=True)
class Change:
    """What one block does to the state: computed by ``State.derive``, applied by ``State.commit``.

    ``entries`` maps key hash -> new entry (None deletes), ``buckets`` the same as value hashes, by bucket;
    ``nodes`` holds, per tree level from the buckets up, index -> new hash; ``root`` is the root after the
    change, ``base`` the root it was derived from.
    """

    base: bytes
    root: bytes
    entries: dict[bytes, bytes | None]
    buckets: dict[int, dict[bytes, bytes | None]]
    nodes: tuple[dict[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class StateProof:
    """One bucket's (key hash, value hash) pairs in order, and 15 sibling hashes for each level above it."""

    bits: int
    entries: tuple[tuple[bytes, bytes], ...]
    siblings: tuple[bytes, ...]

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        flat = b"".join(key_hash + value_hash for key_hash, value_hash in self.entries)
        return codec.encode(["state-proof", 1, self.bits, flat, list(self.siblings)])

    @staticmethod
    def decode(data: bytes) -> StateProof:
        """Parse a proof; raise ``Malformed``."""
        bits, flat, siblings = codec.decode_record(data, "state-proof", 1, 3)
        require_bits(bits)
        codec.octets(flat, "entries", limit=2 * HASH_BYTES * _MAX_BUCKET_ENTRIES)
        if len(flat) % (2 * HASH_BYTES):
            raise Malformed("entries: not a whole number of hash pairs")
        levels = codec.sequence(siblings, "siblings", limit=16)
        size = HASH_BYTES * (FANOUT - 1)
        return StateProof(
            bits,
            tuple((flat[i : i + 32], flat[i + 32 : i + 64]) for i in range(0, len(flat), 64)),
            tuple(codec.octets(level, "siblings", size=size) for level in levels),
        )

    def verify(self, key: bytes, value: bytes | None, root: bytes) -> None:
        """Raise ``BadProof`` unless ``key`` has ``value`` (None: is absent) in the state with ``root``."""
        levels = self.bits // FANOUT_BITS
        if self.bits % FANOUT_BITS or len(self.siblings) != levels:
            raise BadProof("the proof has the wrong number of levels")
        hashes = [key_hash for key_hash, _ in self.entries]
        if any(left >= right for left, right in itertools.pairwise(hashes)):  # S4
            raise BadProof("the bucket is not in ascending order")
        wanted = key_hash_of(key)
        index = bucket_index(wanted, self.bits)
        if any(bucket_index(key_hash, self.bits) != index for key_hash in hashes):
            raise BadProof("the bucket holds a key of another bucket")
        found = dict(self.entries).get(wanted)  # S5
        if found != (None if value is None else value_hash_of(value)):
            raise BadProof("the bucket does not hold the claimed value" if value is not None else "the key is present")
        current = _bucket_hash(self.entries)
        for level in self.siblings:
            slot = index % FANOUT
            cut = slot * HASH_BYTES
            current = _node_hash(level[:cut] + current + level[cut:])
            index //= FANOUT
        if _sized_root(self.bits, current) != root:
            raise BadProof("the proof does not lead to the state root")


class State:
    """The committed state over a store, its hash tree in memory, and changes the store has not written yet."""

    def __init__(self, store: StateStore, bits: int) -> None:
        """Read all of ``store`` once to build the tree (2^bits buckets)."""
        self.bits = require_bits(bits)
        self._store = store
        self._pending: list[Change] = []
        self._levels = _tree(self._store, bits)
        self.root = _sized_root(bits, bytes(self._levels[-1]))

    def get(self, key: bytes) -> bytes | None:
        """Return the committed value of ``key``, or None."""
        key_hash = key_hash_of(key)
        for change in reversed(self._pending):
            if key_hash in change.entries:
                return _value_in(change.entries[key_hash])
        return _value_in(self._store.get(key_hash))

    def derive(self, updates: Mapping[bytes, bytes | None]) -> Change:
        """Compute the change that ``updates`` (key -> value, None deletes) make, without making it."""
        entries: dict[bytes, bytes | None] = {}
        touched: dict[int, dict[bytes, bytes | None]] = {}
        for key, value in updates.items():
            key_hash = key_hash_of(key)
            value_hash = None if value is None else value_hash_of(value)
            entries[key_hash] = None if value is None or value_hash is None else make_entry(key, value, value_hash)
            touched.setdefault(bucket_index(key_hash, self.bits), {})[key_hash] = value_hash
        nodes: list[dict[int, bytes]] = [{}]
        for index, pairs in touched.items():
            bucket: dict[bytes, bytes | None] = dict(self._bucket(index))
            bucket.update(pairs)
            kept = [(key_hash, value_hash) for key_hash, value_hash in bucket.items() if value_hash is not None]
            nodes[0][index] = _bucket_hash(sorted(kept))
        for level in self._levels[:-1]:
            nodes.append(_parents(level, nodes[-1]))
        top = nodes[-1].get(0, bytes(self._levels[-1]))
        return Change(self.root, _sized_root(self.bits, top), entries, touched, tuple(nodes))

    def commit(self, change: Change) -> None:
        """Make ``change`` visible at once; the store is written later (``flushed``).

        Raises ``ValueError`` for a change that was derived from another root: that is a bug of ours.
        """
        if change.base != self.root:
            raise ValueError("the change was derived from another state")
        for level, nodes in zip(self._levels, change.nodes, strict=True):
            for index, value in nodes.items():
                level[index * HASH_BYTES : (index + 1) * HASH_BYTES] = value
        self.root = change.root
        self._pending.append(change)

    def flushed(self, change: Change) -> None:
        """Note that the store has written the oldest pending ``change``."""
        if not self._pending or self._pending[0] is not change:
            raise ValueError("changes are flushed in the order of their commits")
        del self._pending[0]

    def prove(self, key: bytes) -> tuple[bytes | None, StateProof]:
        """Return the value of ``key`` (None if absent) and the proof of it against ``root``."""
        index = bucket_index(key_hash_of(key), self.bits)
        entries = tuple(sorted(self._bucket(index).items()))
        siblings = []
        for level in self._levels[:-1]:
            first = (index - index % FANOUT) * HASH_BYTES
            group = level[first : first + FANOUT * HASH_BYTES]
            cut = (index % FANOUT) * HASH_BYTES
            siblings.append(bytes(group[:cut] + group[cut + HASH_BYTES :]))
            index //= FANOUT
        return self.get(key), StateProof(self.bits, entries, tuple(siblings))

    def _bucket(self, index: int) -> dict[bytes, bytes]:
        """Return key hash -> value hash of one bucket, pending changes included."""
        bucket = {key_hash: bytes(entry[:HASH_BYTES]) for key_hash, entry in self._store.bucket(index)}
        for change in self._pending:
            for key_hash, value_hash in change.buckets.get(index, {}).items():
                if value_hash is None:
                    bucket.pop(key_hash, None)
                else:
                    bucket[key_hash] = value_hash
        return bucket


def require_bits(bits: Any) -> int:
    """Return a number of bucket bits the tree supports (4, 8, .. 24), or raise ``Malformed``."""
    codec.integer(bits, "state bits", low=FANOUT_BITS, high=24)
    if bits % FANOUT_BITS:
        raise Malformed(f"state bits: expected a multiple of {FANOUT_BITS}")
    return int(bits)


def key_hash_of(key: bytes) -> bytes:
    """Return the 32-byte hash under which ``key`` is stored."""
    return sha256(TAG_STATE_KEY + key).digest()  # S1


def value_hash_of(value: bytes) -> bytes:
    """Return the 32-byte hash of a value."""
    return sha256(TAG_STATE_VALUE + value).digest()


def bucket_index(key_hash: bytes, bits: int) -> int:
    """Return the first ``bits`` bits of a key hash as a number."""
    return int.from_bytes(key_hash[:4], "big") >> (32 - bits)  # S2


def make_entry(key: bytes, value: bytes, value_hash: bytes) -> bytes:
    """Return the stored form of one key and value."""
    return value_hash + len(key).to_bytes(2, "big") + key + value


def split_entry(entry: bytes) -> tuple[bytes, bytes]:
    """Return (key, value) of a stored entry."""
    end = HASH_BYTES + 2 + int.from_bytes(entry[HASH_BYTES : HASH_BYTES + 2], "big")
    return bytes(entry[HASH_BYTES + 2 : end]), bytes(entry[end:])


def _value_in(entry: bytes | None) -> bytes | None:
    return None if entry is None else split_entry(entry)[1]


def _bucket_hash(entries: Iterable[tuple[bytes, bytes]]) -> bytes:
    return sha256(b"\x00" + b"".join([key_hash + value_hash for key_hash, value_hash in entries])).digest()


def _node_hash(children: bytes | bytearray) -> bytes:
    return sha256(b"\x01" + children).digest()  # S3


def _sized_root(bits: int, top: bytes) -> bytes:
    return digest(TAG_STATE_ROOT, bytes([bits]) + top)


def _parents(level: bytearray, changed: Mapping[int, bytes]) -> dict[int, bytes]:
    """Return the new hashes above ``changed`` nodes of ``level``."""
    groups: dict[int, bytearray] = {}
    for index, value in changed.items():
        parent, slot = divmod(index, FANOUT)
        group = groups.get(parent)
        if group is None:
            first = parent * FANOUT * HASH_BYTES
            group = groups[parent] = level[first : first + FANOUT * HASH_BYTES]
        group[slot * HASH_BYTES : (slot + 1) * HASH_BYTES] = value
    return {parent: _node_hash(group) for parent, group in groups.items()}


def _tree(store: StateStore, bits: int) -> list[bytearray]:
    """Return the tree's levels, bucket hashes first, each a run of 32-byte hashes."""
    level = bytearray(_bucket_hash(())) * (1 << bits)
    for index, bucket in store.buckets():
        pairs = sorted([(key_hash, bytes(entry[:HASH_BYTES])) for key_hash, entry in bucket])
        level[index * HASH_BYTES : (index + 1) * HASH_BYTES] = _bucket_hash(pairs)
    levels = [level]
    while len(level) > HASH_BYTES:
        level = _above(level)
        levels.append(level)
    return levels


def _above(level: bytes | bytearray) -> bytearray:
    """Return the level above a whole one."""
    width = FANOUT * HASH_BYTES
    return bytearray(b"".join(_node_hash(level[i : i + width]) for i in range(0, len(level), width)))


def subtree_hash(pairs: Iterable[tuple[bytes, bytes]], bits: int, depth: int) -> bytes:
    """Return the hash of one of the 2^depth subtrees of a tree of 2^bits buckets, both multiples of 4.

    ``pairs`` are the (key hash, value hash) of all its keys, ascending; whether they belong there is the caller's
    to check.
    """
    empty = _bucket_hash(())
    level = bytearray(empty * (1 << (bits - depth)))
    mask = (1 << (bits - depth)) - 1
    for index, bucket in itertools.groupby(pairs, key=lambda pair: bucket_index(pair[0], bits)):
        first = (index & mask) * HASH_BYTES
        level[first : first + HASH_BYTES] = _bucket_hash(bucket)
    while len(level) > HASH_BYTES:
        level = _above(level)
    return bytes(level)


def root_of_subtrees(hashes: bytes, bits: int) -> bytes:
    """Return the state root over all subtrees of one depth, their hashes joined in order."""
    level: bytes | bytearray = hashes
    while len(level) > HASH_BYTES:
        level = _above(level)
    return _sized_root(bits, bytes(level))
