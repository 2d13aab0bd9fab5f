"""Connections that have not authenticated yet: bounded in all and for each address, and the oldest gives way.

Law: what strangers hold is bounded, and no number of them keeps a quick one out: a new connection takes the place of
the oldest, so an attacker has to be faster than a handshake, not only patient.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable


class PendingConnections:
    """``enter`` a place, ``leave`` it again, from one thread."""

    def __init__(self, places: int, places_an_address: int | None) -> None:
        """``places_an_address`` is None where addresses do not count."""
        self._places, self._share = places, places_an_address
        self._by_address: Counter[str] = Counter()
        self._open: dict[int, tuple[str, Callable[[], object]]] = {}
        self._number = 0

    def __len__(self) -> int:
        return len(self._open)

    def enter(self, address: str, give_way: Callable[[], object], *, counted: bool = True) -> int | None:
        """Return the number of a place, None if the address has its share; ``give_way`` closes this one.

        With ``counted`` False the address has no share to use up.
        """
        if counted and self._share is not None and self._by_address[address] >= self._share:
            return None
        if len(self._open) >= self._places:
            oldest = next(iter(self._open))
            end = self._open[oldest][1]
            self.leave(oldest)
            end()
        self._number += 1
        self._open[self._number] = (address, give_way)
        self._by_address[address] += 1
        return self._number

    def leave(self, place: int) -> None:
        """Free a place; no error if it had to give way before."""
        connection = self._open.pop(place, None)
        if connection is not None:
            address = connection[0]
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]
