"""Snapshots: the state after a certified block, cut into chunks of which each proves itself against the state root.

Law: equal states give equal snapshots. A manifest whose hashes do not lead to the certified root, and a chunk that is
not the subtree its manifest names, are refused before anything in them is used.

The state tree is cut at one depth: chunk i holds every key whose hash begins with the ``depth`` bits of i, ascending by
key hash, and its hash is that tree node. So the manifest is the list of the tree's nodes at that depth, and nobody can
make up a manifest for a header that a quorum certified. The last item of a snapshot is the certified block itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from coseal.ledger import codec
from coseal.ledger.block import CommittedBlock, Header
from coseal.ledger.certificates import Certificate, decode_certificate
from coseal.ledger.errors import BadProof, Malformed
from coseal.ledger.signing import HASH_BYTES
from coseal.ledger.state import (
    FANOUT_BITS,
    MAX_KEY_BYTES,
    bucket_index,
    key_hash_of,
    make_entry,
    require_bits,
    root_of_subtrees,
    split_entry,
    subtree_hash,
    value_hash_of,
)

CHUNK_BYTES: Final = 1024 * 1024
"""The depth is the least at which every chunk is at most this large."""
MAX_CHUNK_BYTES: Final = 6 * 1024 * 1024
"""What a chunk may have where even the deepest cut leaves it larger; with more there is no snapshot."""
MAX_DEPTH: Final = 16
MAX_MANIFEST_BYTES: Final = (HASH_BYTES << MAX_DEPTH) + 64 * 1024
_ITEM_OVERHEAD: Final = 10


@dataclass(frozen=True)
class Manifest:
    """A certified header and the hashes of the 2^depth subtrees below its state root, joined in order."""

    header: Header
    certificate: Certificate
    bits: int
    depth: int
    hashes: bytes

    @property
    def height(self) -> int:
        """The height of the block after which the state is."""
        return self.header.height

    @property
    def chunks(self) -> int:
        """How many chunks the state has; the block is item number ``chunks``."""
        return 1 << self.depth

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return codec.encode(
            ["snapshot", 1, self.header.raw, self.certificate.encode(), self.bits, self.depth, self.hashes]
        )

    @staticmethod
    def decode(data: bytes) -> Manifest:
        """Parse a manifest; raise ``Malformed`` or ``BadProof``. The certificate's signatures are not checked."""
        raw, certificate_raw, bits, depth, hashes = codec.decode_record(data, "snapshot", 1, 5)
        header = Header.decode(codec.octets(raw, "header", limit=4096))
        certificate = decode_certificate(codec.octets(certificate_raw, "certificate"))
        if not certificate.is_of(header):
            raise Malformed("the certificate is of another block")
        require_bits(bits)
        codec.integer(depth, "depth", high=min(bits, MAX_DEPTH))
        if depth % FANOUT_BITS:
            raise Malformed(f"depth: expected a multiple of {FANOUT_BITS}")
        codec.octets(hashes, "hashes", size=HASH_BYTES << depth)
        manifest = Manifest(header, certificate, bits, depth, hashes)
        if root_of_subtrees(hashes, bits) != header.state_root:  # Z5
            raise BadProof("the hashes of the chunks do not lead to the state root")
        return manifest

    def entries(self, index: int, chunk: bytes) -> dict[bytes, bytes]:
        """Return key hash -> stored entry of chunk ``index``; raise ``Malformed`` or ``BadProof`` if it is another."""
        if len(chunk) > MAX_CHUNK_BYTES:
            raise Malformed(f"chunk of {len(chunk)} bytes, at most {MAX_CHUNK_BYTES}")
        (items,) = codec.decode_record(chunk, "chunk", 1, 1)
        flat = codec.sequence(items, "chunk", limit=MAX_CHUNK_BYTES)
        if len(flat) % 2:
            raise Malformed("chunk: expected pairs of key and value")
        found: dict[bytes, bytes] = {}
        pairs: list[tuple[bytes, bytes]] = []
        for key, value in zip(flat[::2], flat[1::2], strict=True):
            key = codec.octets(key, "key", limit=MAX_KEY_BYTES)
            key_hash, value_hash = key_hash_of(key), value_hash_of(codec.octets(value, "value"))
            pairs.append((key_hash, value_hash))
            found[key_hash] = make_entry(key, value, value_hash)
        if any(left[0] >= right[0] for left, right in itertools.pairwise(pairs)):  # Z6
            raise BadProof("the keys of the chunk are not in ascending order")
        if any(subtree_of(key_hash, self.depth) != index for key_hash in found):
            raise BadProof("the chunk holds a key of another chunk")
        wanted = self.hashes[index * HASH_BYTES : (index + 1) * HASH_BYTES]
        if subtree_hash(pairs, self.bits, self.depth) != wanted:
            raise BadProof("the chunk is not the part of the state that the root certifies")
        return found

    def block(self, data: bytes) -> CommittedBlock:
        """Return the certified block; raise ``Malformed`` or ``BadProof`` if ``data`` is another."""
        committed = CommittedBlock.decode(data)
        if committed.block.hash != self.header.hash:  # Z7
            raise BadProof("the block is not the one that was certified")
        return committed

    def check(self, item: int, data: bytes) -> CommittedBlock | None:
        """Return the block if ``item`` is its number, None for a chunk.

        Raises ``Malformed`` or ``BadProof`` unless ``data`` is that item.
        """
        if item == self.chunks:
            return self.block(data)
        self.entries(item, data)
        return None


def subtree_of(key_hash: bytes, depth: int) -> int:
    """Return the number of the chunk that holds a key."""
    return bucket_index(key_hash, depth) if depth else 0


def depth_for(entries: Iterable[tuple[bytes, bytes]], bits: int) -> int:
    """Return the depth at which to cut a state of (key hash, stored entry) pairs: the least that suffices (Z4)."""
    deepest = min(bits, MAX_DEPTH)
    sizes = [0] * (1 << deepest)
    for key_hash, entry in entries:
        sizes[subtree_of(key_hash, deepest)] += len(entry) - HASH_BYTES + _ITEM_OVERHEAD
    for depth in range(0, deepest, FANOUT_BITS):
        width = 1 << (deepest - depth)
        if all(sum(sizes[i : i + width]) <= CHUNK_BYTES - 64 for i in range(0, len(sizes), width)):  # Z4
            return depth
    return deepest


def cut(entries: Iterable[tuple[bytes, bytes]], bits: int, depth: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield (chunk, its hash) for each subtree in order; ``entries`` are ascending by key hash.

    The value hashes in the entries are believed: what the hashes lead to shows whether they were right.
    """
    groups = itertools.groupby(entries, key=lambda item: subtree_of(item[0], depth))
    upcoming = next(groups, None)
    for index in range(1 << depth):
        found: list[tuple[bytes, bytes]] = []
        if upcoming is not None and upcoming[0] == index:
            found = list(upcoming[1])
            upcoming = next(groups, None)
        parts = [part for _, entry in found for part in split_entry(entry)]
        pairs = [(key_hash, entry[:HASH_BYTES]) for key_hash, entry in found]
        yield codec.encode(["chunk", 1, list(parts)]), subtree_hash(pairs, bits, depth)
