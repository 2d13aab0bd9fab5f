"""Every line between two nodes goes through a relay of ours, which can hold it up, slow it down or break it.

Law: bytes are never changed, dropped or reordered, for TCP would not let that through either: a line that is cut holds
its bytes back, as a network that loses all packets does, until it is healed or somebody gives up.

Relays need no privilege, and tell apart the two directions of a connection; network namespaces would need root.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterable
from random import Random

_CHUNK_BYTES = 64 * 1024
_POLL_S = 0.02


class Lines:
    """Relays on free ports of loopback, one for each ordered pair (who dials, who is dialled); they run in a thread.

    ``addresses`` maps a pair to the HOST:PORT at which the first reaches the second.
    """

    def __init__(self, listening: dict[str, str]) -> None:
        """``listening`` maps a node to the HOST:PORT of its links."""
        self.addresses: dict[tuple[str, str], str] = {}
        self._held: frozenset[tuple[str, str]] = frozenset()
        self._broken: frozenset[tuple[str, str]] = frozenset()
        self._delay_s = 0.0
        self._random = Random(0)
        self._open: set[tuple[str, str, asyncio.StreamWriter]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(listening), self._loop).result(10)

    # Faults; each call says how all lines are from now on, pairs are (source, target) of the bytes

    def hold(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Let nothing through from source to target, and tell nobody."""
        self._held = frozenset(pairs)

    def break_off(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Close the connections between the pairs, whoever dialled, and every new one."""
        self._broken = frozenset(pairs)
        self._loop.call_soon_threadsafe(self._abort)

    def slow(self, delay_s: float) -> None:
        """Hold everything up for up to ``delay_s``."""
        self._delay_s = delay_s

    def heal(self) -> None:
        """All lines are good."""
        self._held = self._broken = frozenset()
        self._delay_s = 0.0

    def close(self) -> None:
        """End the relays."""

        async def end() -> None:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for server in self._servers:
                server.close()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    # In the thread

    async def _listen(self, listening: dict[str, str]) -> None:
        self._servers = []
        for dialler in listening:
            for dialled, address in listening.items():
                if dialler != dialled:
                    server = await asyncio.start_server(self._taker(dialler, dialled, address), "127.0.0.1", 0)
                    self._servers.append(server)
                    self.addresses[dialler, dialled] = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"

    def _taker(self, dialler: str, dialled: str, address: str):
        def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = self._loop.create_task(self._relay(dialler, dialled, address, reader, writer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return take

    async def _relay(
        self, dialler: str, dialled: str, address: str, near: asyncio.StreamReader, back: asyncio.StreamWriter
    ) -> None:
        there = None
        entries = {(dialler, dialled, back)}
        try:
            if self._is_broken(dialler, dialled):
                return
            host, _, port = address.rpartition(":")
            far, there = await asyncio.open_connection(host, int(port))
            entries.add((dialler, dialled, there))
            self._open |= entries
            pumps = [
                self._loop.create_task(self._pump(dialler, dialled, near, there)),
                self._loop.create_task(self._pump(dialled, dialler, far, back)),
            ]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
        except OSError:
            pass  # nobody listens there now
        finally:
            self._open -= entries
            for writer in (back, there):
                if writer is not None:
                    writer.transport.abort()

    async def _pump(self, source: str, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK_BYTES):
                if self._delay_s:
                    await asyncio.sleep(self._random.random() * self._delay_s)
                await self._until_open(source, target)
                writer.write(data)
                await writer.drain()
        await self._until_open(source, target)  # the end of a connection travels like its bytes

    async def _until_open(self, source: str, target: str) -> None:
        while (source, target) in self._held:
            await asyncio.sleep(_POLL_S)

    def _is_broken(self, one: str, other: str) -> bool:
        return (one, other) in self._broken or (other, one) in self._broken

    def _abort(self) -> None:
        for one, other, writer in self._open:
            if self._is_broken(one, other):
                writer.transport.abort()
