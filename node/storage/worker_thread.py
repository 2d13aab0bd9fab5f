"""One thread that does what the loop gives it, in order, and says on the loop what came of it.

Law: after the first error nothing more is done. A pool of executors would do as well, at twice the processor time of a
hop, and every block takes half a dozen.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context, copy_context
from queue import SimpleQueue
from typing import Any, TypeAlias, TypeVar

_T = TypeVar("_T")
_Job: TypeAlias = tuple[
    Callable[[], Any], Callable[[Any], None], Callable[[BaseException], None], asyncio.AbstractEventLoop, Context
]


class WorkerThread:
    """The thread begins with the first work; ``submit`` and ``close`` are called on the loop."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def submit(
        self, work: Callable[[], _T], done: Callable[[_T], None], failed: Callable[[BaseException], None]
    ) -> None:
        """Have ``work`` done after all that was given before; then, on the loop, ``done`` gets what it returned.

        ``failed`` gets what it raised instead. Both run in the context of the caller, whose logs name the node.
        """
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        self._jobs.put((work, done, failed, asyncio.get_running_loop(), copy_context()))

    def close(self, *, wait: bool) -> None:
        """Let the thread end after what was given; ``wait`` until it did (never for one that hangs in a dying disk)."""
        self._jobs.put(None)
        if wait and self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            work, done, failed, loop, context = job
            with suppress(RuntimeError):  # of a closed loop: nobody is left to hear it
                try:
                    result = work()
                except BaseException as error:
                    loop.call_soon_threadsafe(failed, error, context=context)
                    return
                loop.call_soon_threadsafe(done, result, context=context)
