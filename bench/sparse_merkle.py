"""A compact sparse Merkle tree, the other design of authenticated state that was measured; for comparison only.

Law: a subtree with one leaf *is* that leaf, so the depth of a tree over n random keys is about log2(n) + 1; an
empty one is 32 zero bytes. The tree is persistent: an update returns a new root node and shares what it did not touch.
Leaf: SHA-256(0x00 ‖ key hash ‖ value hash). Inner node: SHA-256(0x01 ‖ left ‖ right).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from hashlib import sha256
from typing import TypeAlias

Node: TypeAlias = "tuple[bytes, int, bytes] | tuple[bytes, Node, Node] | None"
"""A leaf is (hash, key hash as a number, value hash), an inner node (hash, left, right), nothing is None."""

EMPTY = bytes(32)
BITS = 256


def hash_of(node: Node) -> bytes:
    """Return the hash of a node."""
    return EMPTY if node is None else node[0]


def update(root: Node, updates: Mapping[bytes, bytes | None]) -> Node:
    """Return the tree after ``updates`` (key hash -> value hash, None deletes), hashed bottom up in one pass."""
    items = sorted((int.from_bytes(key, "big"), value) for key, value in updates.items())
    keys = [key for key, _ in items]
    return _update(root, items, keys, 0, len(items), 0)


def prove(root: Node, key_hash: bytes) -> tuple[list[bytes], Node]:
    """Return the siblings from the root downwards and the leaf (or nothing) where the key's path ends."""
    key, depth, siblings, node = int.from_bytes(key_hash, "big"), 0, [], root
    while node is not None and type(node[1]) is not int:
        bit = key >> (BITS - 1 - depth) & 1
        siblings.append(hash_of(node[2 - bit]))
        node = node[1 + bit]
        depth += 1
    return siblings, node


def verify(root: bytes, key_hash: bytes, value_hash: bytes | None, siblings: list[bytes], found: Node) -> bool:
    """Say whether the proof shows that the key has this value, or (None) that it is absent."""
    key = int.from_bytes(key_hash, "big")
    if found is None:
        current, holds = EMPTY, value_hash is None
    else:
        number, value = found[1], found[2]
        current = _leaf_hash(number, value)
        same_path = not siblings or (number ^ key) >> (BITS - len(siblings)) == 0
        holds = same_path and (number == key and value == value_hash if value_hash is not None else number != key)
    for depth in range(len(siblings) - 1, -1, -1):
        sibling = siblings[depth]
        pair = sibling + current if key >> (BITS - 1 - depth) & 1 else current + sibling
        current = sha256(b"\x01" + pair).digest()
    return holds and current == root


def _update(
    node: Node, items: list[tuple[int, bytes | None]], keys: list[int], low: int, high: int, depth: int
) -> Node:
    if low == high:
        return node
    if node is not None and type(node[1]) is int:
        position = bisect_left(keys, node[1], low, high)
        if position == high or keys[position] != node[1]:  # the old leaf stays: it is one more item to place
            merged = [*items[low:position], (node[1], node[2]), *items[position:high]]
            return _update(None, merged, [key for key, _ in merged], 0, len(merged), depth)
        node = None
    if node is None:
        if high - low == 1:
            key, value = items[low]
            return None if value is None else (_leaf_hash(key, value), key, value)
        left = right = None
    else:
        _, left, right = node
    middle = _middle(keys, low, high, depth)
    left = _update(left, items, keys, low, middle, depth + 1)
    right = _update(right, items, keys, middle, high, depth + 1)
    if left is None and (right is None or type(right[1]) is int):
        return right
    if right is None and left is not None and type(left[1]) is int:
        return left
    return (sha256(b"\x01" + hash_of(left) + hash_of(right)).digest(), left, right)


def _middle(keys: list[int], low: int, high: int, depth: int) -> int:
    """Return where the keys whose bit at ``depth`` is set begin; all keys between agree in the bits before it."""
    shift = BITS - 1 - depth
    border = (keys[low] >> shift | 1) << shift
    return bisect_left(keys, border, low, high)


def _leaf_hash(key: int, value: bytes) -> bytes:
    return sha256(b"\x00" + key.to_bytes(32, "big") + value).digest()
