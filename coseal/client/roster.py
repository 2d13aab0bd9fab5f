"""Which node is asked next: in turn, and last of all those set aside for what they said.

Law: a node set aside is asked only when no other is left; nobody is set aside without a reason that is kept beside.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Final

STALE_ASIDE_S: Final = 60.0
"""How long a node is set aside that answered for an older block than it was asked for: it may only lag."""


class Roster:
    """The nodes of a session, by URL."""

    def __init__(self, urls: Sequence[str]) -> None:
        self.urls = tuple(urls)
        self._turn = 0
        self._aside: dict[str, tuple[float, str]] = {}

    @property
    def aside(self) -> dict[str, str]:
        """The nodes set aside now, and for what each."""
        now = time.monotonic()
        self._aside = {url: entry for url, entry in self._aside.items() if entry[0] > now}
        return {url: why for url, (_, why) in self._aside.items()}

    @property
    def order(self) -> tuple[str, ...]:
        """Every node in the order in which they are asked."""
        aside, turned = self.aside, (*self.urls[self._turn :], *self.urls[: self._turn])
        return tuple(sorted(turned, key=aside.__contains__))

    def turn(self, url: str) -> None:
        """Ask the next node after this one from now on, unless another is asked already."""
        if self.order[0] == url:
            self._turn = (self.urls.index(url) + 1) % len(self.urls)

    def set_aside(self, url: str, why: str, seconds: float = math.inf) -> None:
        """Ask a node only when no other is left, for some time."""
        if url in self.urls:
            self.turn(url)
            self._aside[url] = (time.monotonic() + seconds, why)
