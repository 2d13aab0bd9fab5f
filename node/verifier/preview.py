"""What a transaction would come to, asked of a process beside the node: one question at a time, each bounded in time.

Law: nothing of it touches the loop's state, and a question that takes too long ends its process, not the node. The
process begins with the first question and ends when none came for a while.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

from coseal.node.http.services import Unavailable
from coseal.node.verifier import preview_worker
from coseal.node.verifier.preview_worker import LENGTH_BYTES, READY, Preview, Question
from coseal.node.verifier.verifier import ignoring_interrupts

BEGIN_S: Final = 30.0
ANSWER_S: Final = 10.0
IDLE_S: Final = 60.0
WAITING_MAX: Final = 8
"""This many wait for their turn; the next one is refused for now."""
_END_S: Final = 5.0


class _Process:
    """The process, and both ends of what is said with it."""

    def __init__(
        self, process: subprocess.Popen[bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._process, self._reader, self._writer = process, reader, writer

    @staticmethod
    async def begin(state: Path, genesis: Path) -> _Process:
        """Begin a process over the state database in a folder; return it when it is ready."""
        ours, theirs = socket.socketpair()
        arguments = [sys.executable, "-m", preview_worker.__name__, str(state), str(genesis)]
        with theirs, ignoring_interrupts():
            process = subprocess.Popen(arguments, stdin=theirs.fileno())
        begun = _Process(process, *await asyncio.open_unix_connection(sock=ours))
        try:
            async with asyncio.timeout(BEGIN_S):
                await begun._reader.readexactly(len(READY))
        except BaseException:
            await begun.end()
            raise
        return begun

    async def ask(self, question: bytes) -> bytes:
        """Return the answer to a question."""
        self._writer.write(preview_worker.frame(question))
        length = await self._reader.readexactly(LENGTH_BYTES)
        return await self._reader.readexactly(int.from_bytes(length, "big"))

    async def end(self) -> None:
        """End it, whatever it is doing."""
        self._writer.transport.abort()
        self._process.kill()
        await asyncio.to_thread(self._process.wait, _END_S)


class Previews:
    """Asks, and keeps the process while it is needed; every method is called on the loop."""

    def __init__(self, state: Path, genesis: Path) -> None:
        """``state`` is the folder of the node's state database, ``genesis`` the file of its genesis."""
        self._state, self._genesis = state, genesis
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._process: _Process | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._closed = False

    async def preview(self, question: Question) -> Preview:
        """Return what would come of it; raise ``Unavailable`` if it cannot be said now."""
        if self._closed:
            raise Unavailable("the node is stopping")
        if self._waiting >= WAITING_MAX:
            raise Unavailable("too many simulations at once")
        self._waiting += 1
        try:
            async with self._turn:
                return await self._asked(question)
        finally:
            self._waiting -= 1

    async def _asked(self, question: Question) -> Preview:
        if self._idle is not None:
            self._idle.cancel()
        try:
            if self._process is None:
                self._process = await _Process.begin(self._state, self._genesis)
            async with asyncio.timeout(ANSWER_S):
                return Preview.decode(await self._process.ask(question.encode()))
        except TimeoutError:
            await self._drop()
            raise Unavailable(f"the simulation took longer than {ANSWER_S:.0f} s") from None
        except (OSError, EOFError):
            await self._drop()
            raise Unavailable("the process that simulates ended; try again") from None
        except asyncio.CancelledError:  # what it still answers belongs to nobody
            await self._drop()
            raise
        finally:
            self._idle = asyncio.get_running_loop().call_later(IDLE_S, self._rest)

    def _rest(self) -> None:
        if not self._waiting:
            task = asyncio.get_running_loop().create_task(self._drop())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def _drop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await process.end()

    async def close(self) -> None:
        """End the process; those who wait get an error."""
        self._closed = True
        if self._idle is not None:
            self._idle.cancel()
        await self._drop()
        await asyncio.gather(*self._ending)
