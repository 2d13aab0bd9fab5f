"""What this console verified for who asked: documents at once, ranges of blocks in the background.

Law: the verdict is that of the audit package, here in this process, from the genesis; no node judges. Bounded: one
document at a time, two ranges, and the newest results are kept in memory until others push them out.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from coseal.audit.audit import audit
from coseal.audit.report import AuditReport, Level
from coseal.audit.sources import Source
from coseal.audit.steps import Untold
from coseal.audit.verify import Verification, verify_bytes
from coseal.ledger.errors import LedgerError
from coseal.ledger.genesis import Genesis
from coseal.ledger.render import MAX_DOCUMENT_DEPTH
from coseal.ledger.strict_json import strict_json

KEPT_MAX: Final = 24
RUNNING_MAX: Final = 2
SHOWN_BYTES_MAX: Final = 128 * 1024
"""A document is kept beside its result, to be shown, up to this size."""

logger = logging.getLogger("console")


@dataclass(frozen=True, slots=True)
class Judgement:
    """A document that was verified: the name it came under, when, the outcome, and its text if it is short."""

    id: str
    name: str
    at_ms: int
    verification: Verification
    document: Any = None


@dataclass(slots=True)
class Run:
    """An audit of a range, running while ``report`` and ``error`` are missing and it was not ``stopped``."""

    id: str
    first: int
    last: int | None
    level: Level
    at_ms: int
    height: int = 0
    goal: int = 0
    report: AuditReport | None = None
    error: str = ""
    stopped: bool = False
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def running(self) -> bool:
        """Whether it is still running."""
        return self.report is None and not self.error and not self.stopped


class Busy(Exception):
    """As many audits run as may at once."""


class _Stopped(Exception):
    """Whoever started the audit wants no more of it."""


class Audits:
    """The audits of one console. ``open_sources`` gives where blocks are read; ``ring`` tells of a change."""

    def __init__(
        self, genesis: Genesis, open_sources: Callable[[], Sequence[Source]], ring: Callable[[], None]
    ) -> None:
        self._genesis, self._open_sources, self._ring = genesis, open_sources, ring
        self._kept: OrderedDict[str, Judgement | Run] = OrderedDict()
        self._one = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def kept(self) -> list[Judgement | Run]:
        """Return what there is, newest first."""
        return list(reversed(self._kept.values()))

    def judgement(self, id: str) -> Judgement | None:
        """Return a kept judgement."""
        found = self._kept.get(id)
        return found if isinstance(found, Judgement) else None

    def run(self, id: str) -> Run | None:
        """Return a kept audit of a range."""
        found = self._kept.get(id)
        return found if isinstance(found, Run) else None

    async def judge(self, files: Sequence[tuple[str, bytes]], *, keep: bool = True) -> Judgement:
        """Verify the document among ``files``, each (name, bytes); an export's file may be another of them."""
        async with self._one:
            name, verification, document = await asyncio.to_thread(_judge, files, self._genesis)
        judgement = Judgement(secrets.token_urlsafe(8), name, _now_ms(), verification, document)
        if keep:
            self._keep(judgement.id, judgement)
        return judgement

    def start(self, first: int, last: int | None, level: Level) -> Run:
        """Begin to audit heights ``first``..``last`` (None: the tip); raise ``Busy``."""
        if sum(isinstance(one, Run) and one.running for one in self._kept.values()) >= RUNNING_MAX:
            raise Busy
        run = Run(secrets.token_urlsafe(8), first, last, level, _now_ms())
        self._keep(run.id, run)
        task = asyncio.get_running_loop().create_task(self._carry_out(run))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return run

    async def close(self) -> None:
        """End what runs."""
        for one in self._kept.values():
            if isinstance(one, Run):
                one.stop.set()
        await asyncio.gather(*self._tasks)

    async def _carry_out(self, run: Run) -> None:
        loop = asyncio.get_running_loop()

        def progress(height: int, goal: int) -> None:
            if run.stop.is_set():
                raise _Stopped
            run.height, run.goal = height, goal
            loop.call_soon_threadsafe(self._ring)

        def work() -> AuditReport:
            sources = self._open_sources()
            return audit(sources, self._genesis, run.level, first=run.first, last=run.last, progress=progress)

        try:
            run.report = await asyncio.to_thread(work)
        except _Stopped:
            run.stopped = True
        except Exception as error:
            logger.exception("an audit ended")
            run.error = str(error) or type(error).__name__
        self._ring()

    def _keep(self, id: str, one: Judgement | Run) -> None:
        self._kept[id] = one
        for old, held in list(self._kept.items()):
            if len(self._kept) > KEPT_MAX and not (isinstance(held, Run) and held.running):
                del self._kept[old]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _judge(files: Sequence[tuple[str, bytes]], genesis: Genesis) -> tuple[str, Verification, Any]:
    """Return the name of the document among ``files``, what it turned out to be, and itself if it is short."""
    name, raw = _document_of(files)
    others = [(other, data) for other, data in files if (other, data) != (name, raw)]

    def beside(wanted: str) -> bytes:
        if not others:
            raise Untold(f"the signature holds; to compare the file itself, give {wanted} together with its manifest")
        return next((data for other, data in others if other == wanted), others[0][1])

    verification = verify_bytes(raw, genesis, beside)
    return name, verification, _parsed(raw) if len(raw) <= SHOWN_BYTES_MAX else None


def _document_of(files: Sequence[tuple[str, bytes]]) -> tuple[str, bytes]:
    """Return the file that calls itself a Coseal document: the first, unless another of several does."""
    if len(files) > 1:
        for name, raw in sorted(files, key=lambda one: len(one[1])):
            document = _parsed(raw)
            if isinstance(document, dict) and "coseal" in document:
                return name, raw
    return files[0]


def _parsed(raw: bytes) -> Any:
    try:
        return strict_json(raw, "document", depth=MAX_DOCUMENT_DEPTH)
    except LedgerError:
        return None
