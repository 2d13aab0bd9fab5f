"""Where each entry of a gateway belongs: two bytes an entry, in pages of 1,024.

Law: an entry has one mark: none, a theme, withheld, or set aside. Pages are written only where there is a mark.
"""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.kernel.action import View
from coseal.contracts.participation.state import assigned_key

PAGE_ENTRIES: Final = 1_024
MARK_BYTES: Final = 2
MAX_THEMES: Final = 256
NONE: Final = 0
WITHHELD: Final = 0xFFFF
SET_ASIDE: Final = 0xFFFE
"""Marks that are no theme; a theme's is its number."""


class Marks:
    """The marks of one gateway's entries of a consultation, as one action changes them; entries count from 1."""

    def __init__(self, view: View, consultation: str, member: str) -> None:
        self._view, self._consultation, self._member = view, consultation, member
        self._pages: dict[int, bytearray] = {}

    def get(self, entry: int) -> int:
        """Return the mark of an entry."""
        page, place = divmod(entry - 1, PAGE_ENTRIES)
        held = self._page(page)
        return held[2 * place] << 8 | held[2 * place + 1]

    def put(self, entry: int, mark: int) -> None:
        """Set the mark of an entry."""
        page, place = divmod(entry - 1, PAGE_ENTRIES)
        held = self._page(page)
        held[2 * place], held[2 * place + 1] = mark >> 8, mark & 0xFF

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
