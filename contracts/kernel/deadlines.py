"""What falls due when: an index in state, ordered by time, for clocks that each move on their own.

Law: adding, finding the earliest and taking what is due cost the same however much is in the index; an entry is
taken once, the earlier time first.

A tree of 64-way nodes over the 54 bits of a time in ms; a node is the bitmap of its children that hold something, so
adding stops at the first node that had something already. Whoever owns an entry checks, when it is taken, whether it
still means anything: entries are never searched for and removed.

State, an index for each contract: ``keys``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from coseal.contracts.kernel.action import Reader, View
from coseal.contracts.kernel.contract import Entry

BLOCK_CLOCK: Final = "block"
"""The clock of block time. Other clocks are named as sources are, ``member/source``."""

PAGE_ENTRIES: Final = 64
_LEVELS: Final = 9
_BITS: Final = 6
_MASK: Final = 2**_BITS - 1
_OFFSET: Final = 2**52  # times before 1970 are below it
_LAST_SLOT: Final = 2**54 - 1


def add(view: View, index: str, clock: str, time_ms: int, entry: Entry) -> None:
    """Have ``entry`` of the contract ``index`` fall due when ``clock`` reaches ``time_ms``."""
    slot = _slot(time_ms)
    leaf: Any = view.get(_leaf_key(index, clock, slot))
    if leaf is None:
        view.put(_leaf_key(index, clock, slot), [0, [entry]])
        _mark(view, index, clock, slot)
        return
    page, entries = leaf
    if len(entries) < PAGE_ENTRIES:
        view.put(_leaf_key(index, clock, slot), [page, [*entries, entry]])
        return
    view.put(_page_key(index, clock, slot, page), entries)
    view.put(_leaf_key(index, clock, slot), [page + 1, [entry]])


def earliest_ms(reader: Reader, index: str, clock: str) -> int | None:
    """Return when the first entry falls due, or None if there is none."""
    slot = _first(reader, index, clock)
    return None if slot is None else slot - _OFFSET


def changed(written: Iterable[str]) -> frozenset[str]:
    """Return the contracts whose index may be another after keys were written."""
    return frozenset(key.partition("/")[0] for key in written if "/deadline/" in key)


def take(view: View, index: str, clock: str, until_ms: int) -> Entry | None:
    """Remove and return the earliest entry due at ``until_ms`` or before, or None; of one time the newest."""
    slot = _first(view, index, clock)
    if slot is None or slot > _slot(until_ms):
        return None
    key = _leaf_key(index, clock, slot)
    leaf: Any = view.get(key)
    page, entries = leaf
    if len(entries) > 1:
        view.put(key, [page, entries[1:]])
    elif page > 0:
        before: Any = view.get(_page_key(index, clock, slot, page - 1))
        view.delete(_page_key(index, clock, slot, page - 1))
        view.put(key, [page - 1, before])
    else:
        view.delete(key)
        _unmark(view, index, clock, slot)
    found: Entry = entries[0]
    return found


def _first(reader: Reader, index: str, clock: str) -> int | None:
    prefix = 0
    for level in range(_LEVELS):
        node: Any = reader.get(_node_key(index, clock, level, prefix))
        if node is None:
            return None
        prefix = (prefix << _BITS) | ((node & -node).bit_length() - 1)
    return prefix


def _mark(view: View, index: str, clock: str, slot: int) -> None:
    """Set the bits that lead to ``slot``, from the bottom up to the first node that leads somewhere already."""
    for level in range(_LEVELS - 1, -1, -1):
        child, slot = slot & _MASK, slot >> _BITS
        node: Any = view.get(_node_key(index, clock, level, slot))
        view.put(_node_key(index, clock, level, slot), (node or 0) | 1 << child)
        if node is not None:
            return


def _unmark(view: View, index: str, clock: str, slot: int) -> None:
    for level in range(_LEVELS - 1, -1, -1):
        child, slot = slot & _MASK, slot >> _BITS
        node: Any = view.get(_node_key(index, clock, level, slot))
        left = node & ~(1 << child)
        if left:
            view.put(_node_key(index, clock, level, slot), left)
            return
        view.delete(_node_key(index, clock, level, slot))


def _slot(time_ms: int) -> int:
    return min(max(time_ms + _OFFSET, 0), _LAST_SLOT)


def keys(index: str) -> dict[str, str]:
    """Return the families of keys of a contract's index."""
    return {
        f"{index}/deadline/<level>/<prefix>/<clock>": "a node of the tree of deadlines: the bitmap of its children",
        f"{index}/deadline/at/<slot>/<clock>": "the newest page of what falls due at a time: `[page, entries]`",
        f"{index}/deadline/page/<slot>/<page>/<clock>": "a full page before it",
    }


def open_keys(index: str) -> tuple[str, ...]:
    """Return the prefixes of the keys of a contract's index whose values grow."""
    return f"{index}/deadline/at/", f"{index}/deadline/page/"


def _node_key(index: str, clock: str, level: int, prefix: int) -> str:
    return f"{index}/deadline/{level}/{prefix:x}/{clock}"


def _leaf_key(index: str, clock: str, slot: int) -> str:
    return f"{index}/deadline/at/{slot:x}/{clock}"


def _page_key(index: str, clock: str, slot: int, page: int) -> str:
    return f"{index}/deadline/page/{slot:x}/{page}/{clock}"
