"""Where each entry of a gateway belongs: two bytes an entry, in pages of 1,024.

Law: an entry has one mark: none, a theme, or withheld. Pages are written only where there is a mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from coseal.contracts.kernel.action import View
from coseal.contracts.participation.state import assigned_key

PAGE_ENTRIES: Final = 1_024
MARK_BYTES: Final = 2
MAX_THEMES: Final = 256
NONE: Final = 0
WITHHELD: Final = 0xFFFF
"""Marks that are no theme; a theme's is its number."""


def mark_at(page: Sequence[int], place: int) -> int:
    """Return the mark at a place of a page, of which the bytes are given; places count from 0."""
    return page[MARK_BYTES * place] << 8 | page[MARK_BYTES * place + 1]


class Marks:
    """The marks of one gateway's entries of a consultation, as one action changes them; entries count from 1."""

    def __init__(self, view: View, consultation: str, member: str) -> None:
        self._view, self._consultation, self._member = view, consultation, member
        self._pages: dict[int, bytearray] = {}

    def get(self, entry: int) -> int:
        """Return the mark of an entry."""
        page, place = divmod(entry - 1, PAGE_ENTRIES)
        return mark_at(self._page(page), place)

    def put(self, entry: int, mark: int) -> None:
        """Set the mark of an entry."""
        page, place = divmod(entry - 1, PAGE_ENTRIES)
        held = self._page(page)
        held[MARK_BYTES * place], held[MARK_BYTES * place + 1] = mark >> 8, mark & 0xFF

    def _page(self, page: int) -> bytearray:
        held = self._pages.get(page)
        if held is None:
            raw: Any = self._view.get(assigned_key(self._consultation, self._member, page))
            held = self._pages[page] = bytearray(raw or bytes(MARK_BYTES * PAGE_ENTRIES))
        return held

    def save(self) -> None:
        """Write the pages that were asked for."""
        for page, held in self._pages.items():
            self._view.put(assigned_key(self._consultation, self._member, page), bytes(held))
