"""CometBFT as a child of the node: started after the node listens, ended before it stops, started again when it ends.

Law: CometBFT ends with status 0 when it loses its application, so any end that was not asked for is a fault; restarts
wait 1, 2, 4 .. 30 s. Its output goes to ``engine/cometbft.log``, of which one former file is kept.
"""

from __future__ import annotations

import asyncio
import ctypes
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

LOG_NAME: Final = "cometbft.log"
LOG_BYTES_MAX: Final = 16 * 1024 * 1024
PAUSE_S_MAX: Final = 30.0
STEADY_S: Final = 60.0
"""A child that ran so long begins again with the shortest pause."""
END_S: Final = 10.0
_DEATH_SIGNAL: Final = 1  # PR_SET_PDEATHSIG
_LIBRARY: Final = ctypes.CDLL(None)
_log = structlog.get_logger("node")


class Child:
    """``cometbft node`` with its home in ``folder``."""

    def __init__(self, binary: Path, folder: Path, prepare: Callable[[], None], said: Callable[[str], None]) -> None:
        """``prepare`` writes the configuration before each start; ``said`` takes what is wrong, in words."""
        self._binary, self._folder, self._prepare, self._said = binary, folder, prepare, said
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._renews = False

    def start(self) -> asyncio.Task[None]:
        """Run it until ``close``; return what does, which ends by itself only with an exception."""
        self._task = asyncio.get_running_loop().create_task(self._run())
        return self._task

    def renew(self) -> None:
        """End it and start it again at once, with what is prepared then."""
        self._renews = True
        self._end_for_renewal()

    def _end_for_renewal(self) -> None:
        if self._renews and self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.terminate()

    async def close(self) -> None:
        """End it, and wait until it has."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._process is None or self._process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), END_S)
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def _run(self) -> None:
        loop, pause_s = asyncio.get_running_loop(), 1.0
        while True:
            started = loop.time()
            self._renews = False
            self._prepare()
            status = await self._once()
            if self._renews:
                continue
            pause_s = 1.0 if loop.time() - started > STEADY_S else pause_s
            text = f"CometBFT ended with status {status}; it is started again in {pause_s:.0f} s"
            _log.error("engine_ended", status=status, log=str(self._folder / LOG_NAME))
            self._said(text)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, PAUSE_S_MAX)

    async def _once(self) -> int:
        path = self._folder / LOG_NAME
        if path.exists() and path.stat().st_size > LOG_BYTES_MAX:
            path.rename(path.with_suffix(".old"))
        with path.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                str(self._binary),
                "node",
                "--home",
                ".",
                cwd=self._folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_parent,
            )
        _log.info("engine_started", process=self._process.pid)
        self._end_for_renewal()  # asked for while it was started
        return await self._process.wait()


def _die_with_parent() -> None:
    """Have the kernel end this process when the node is killed: two of them would share one key's guard."""
    _LIBRARY.prctl(_DEATH_SIGNAL, signal.SIGTERM)
