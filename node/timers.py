"""The machine's timers on the event loop.

Law: one timer of a kind runs; starting another replaces it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from coseal.consensus.events import TimerKind
from coseal.node.core.events import NodeTimer, TickKind


class Timers:
    """Timers by kind; ``fired(timer)`` is called on the loop."""

    def __init__(self, fired: Callable[[NodeTimer], None]) -> None:
        self._fired = fired
        self._running: dict[TimerKind | TickKind, asyncio.TimerHandle] = {}

    def start(self, timer: NodeTimer, delay_ms: int) -> None:
        """Start ``timer``, in the place of the one of its kind."""
        self.stop(timer.kind)
        loop = asyncio.get_running_loop()
        self._running[timer.kind] = loop.call_later(max(0, delay_ms) / 1000, self._fire, timer)

    def stop(self, kind: TimerKind | TickKind) -> None:
        """Stop the timer of this kind, if one runs."""
        handle = self._running.pop(kind, None)
        if handle is not None:
            handle.cancel()

    def stop_all(self) -> None:
        """Stop every timer."""
        for kind in list(self._running):
            self.stop(kind)

    def _fire(self, timer: NodeTimer) -> None:
        del self._running[timer.kind]
        self._fired(timer)
