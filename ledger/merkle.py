"""Merkle trees over lists, hashed as RFC 6962 section 2.1, with the size bound into the root.

Law: a proof verifies for exactly one (leaf, index, size, root). A leaf cannot pass for an inner node (distinct
prefixes), an odd leaf is never duplicated, and a root of one size is not a root of another.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from coseal.ledger.errors import BadProof


def leaf_hash(leaf: bytes) -> bytes:
    """Return SHA-256(0x00 ‖ leaf)."""
    return sha256(b"\x00" + leaf).digest()  # H1


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


def tree_hash(leaves: Sequence[bytes]) -> bytes:
    """Return the RFC 6962 Merkle tree hash of ``leaves``; SHA-256 of nothing for an empty list."""
    levels = _levels(leaves)
    return levels[-1][0] if leaves else sha256(b"").digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the sized root SHA-256(0x02 ‖ size as 8 bytes ‖ tree hash)."""
    return _sized(len(leaves), tree_hash(leaves))


def root_of_hashes(hashes: Sequence[bytes]) -> bytes:
    """Return the sized root of the list whose leaf hashes are ``hashes``, for whom the leaves are gone."""
    return _sized(len(hashes), _levels_above(hashes)[-1][0] if hashes else sha256(b"").digest())


def prove(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the audit path of ``leaves[index]``, siblings from the leaf upwards (RFC 6962 2.1.1)."""
    return prove_hashed([leaf_hash(leaf) for leaf in leaves], index)


def prove_hashed(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """Return the audit path of the leaf with hash ``hashes[index]``."""
    if not 0 <= index < len(hashes):
        raise IndexError(f"no leaf {index} in a tree of {len(hashes)}")
    path = []
    for level in _levels_above(hashes)[:-1]:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        index >>= 1
    return path


def verify(leaf: bytes, index: int, size: int, path: Sequence[bytes], expected_root: bytes) -> None:
    """Raise ``BadProof`` unless ``path`` leads from ``leaf`` at ``index`` of ``size`` leaves to the sized root."""
    if root_reached(leaf, index, size, path) != expected_root:
        raise BadProof("the path does not lead to the root")


def root_reached(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Return the sized root to which ``path`` leads; raise ``BadProof`` for one of another length than asked for."""
    return _sized(size, tree_reached(leaf, index, size, path))


def tree_reached(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Return the RFC 6962 tree hash to which ``path`` leads; raise as ``root_reached``."""
    if not 0 <= index < size:
        raise BadProof(f"index {index} is not within a tree of {size} leaves")
    current, position, last = leaf_hash(leaf), index, size - 1
    siblings = iter(path)
    while last:
        if position & 1 or position < last:
            sibling = next(siblings, None)
            if sibling is None or len(sibling) != 32:
                raise BadProof("the path is too short or holds something that is no hash")
            current = node_hash(sibling, current) if position & 1 else node_hash(current, sibling)
        position >>= 1
        last >>= 1
    if next(siblings, None) is not None:  # H3
        raise BadProof("the path is too long")
    return current


def _levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    return _levels_above([leaf_hash(leaf) for leaf in leaves])


def _levels_above(hashes: Sequence[bytes]) -> list[list[bytes]]:
    """Return the hashes of each level, the leaves' first; an odd last node is carried up unchanged."""
    level = list(hashes)
    levels = [level]
    while len(level) > 1:
        pairs = len(level) // 2
        above = [node_hash(level[2 * i], level[2 * i + 1]) for i in range(pairs)]
        if len(level) % 2:  # H1
            above.append(level[-1])
        levels.append(above)
        level = above
    return levels


def _sized(size: int, tree: bytes) -> bytes:
    return sha256(b"\x02" + size.to_bytes(8, "big") + tree).digest()  # H2


class Frontier(NamedTuple):
    """The right edge of a growing tree: enough to add leaves and to know the root, without the leaves before.

    ``size`` is how many leaves there are; ``hashes`` those of the full trees that make them up, the greatest first,
    one for each bit of ``size`` that is set: 16 at most for 100,000 leaves.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def grown(self, leaves: Sequence[bytes]) -> Frontier:
        """Return the frontier after further leaves."""
        size, hashes = self.size, list(self.hashes)
        for leaf in leaves:
            current, full = leaf_hash(leaf), size
            while full & 1:
                current, full = node_hash(hashes.pop(), current), full >> 1
            hashes.append(current)
            size += 1
        return Frontier(size, tuple(hashes))

    def root(self) -> bytes:
        """Return the sized root, which is ``root`` of all leaves."""
        if not self.hashes:
            return root(())
        current = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            current = node_hash(left, current)
        return _sized(self.size, current)
