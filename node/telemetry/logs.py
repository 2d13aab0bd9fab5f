"""JSON logs: one object a line on standard error, for people with grep and for collectors.

Law: what is logged is named: codes, heights, hashes, node ids, reasons. Keys, tokens, payloads and arguments of
transactions never are, and a text from outside is cut to a bound. A log that cannot be written (a full disk, a reader
that went away) changes nothing of what the process does or how it ends: its lines are lost, and counted in the next.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

from coseal.ledger.strict_json import one_line

TEXT_MAX: Final = 400
REASON_MAX: Final = 16_384
"""What says why is ours, and needed whole; what it repeats of others is cut where it is made."""
_STDERR: Final = 2
_WHY: Final = frozenset({"reason", "text", "why", "exception"})
_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure(level: str, node_id: str) -> None:
    """Send all logs of this process to standard error as JSON, each line with ``node``."""
    output = _Output(_STDERR)
    logger = structlog.WriteLogger(output)  # type: ignore[arg-type]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            _cut,
            output.count,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(_line),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda *names: logger,
    )
    structlog.contextvars.bind_contextvars(node=node_id)
    # Libraries (uvicorn, asyncio) log through the standard library; only what is wrong is of interest.
    logging.basicConfig(level=logging.ERROR, handlers=[_ToStructlog()], force=True)


def _line(event: Any, **options: Any) -> str:
    return one_line(json.dumps(event, ensure_ascii=False, **options))


def _cut(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, bytes):
            event[key] = value.hex()[:TEXT_MAX]
        elif isinstance(value, str) and len(value) > (limit := REASON_MAX if key in _WHY else TEXT_MAX):
            event[key] = value[:limit] + "..."
    return event


class _Output:
    """Writes whole lines to a descriptor, without a buffer that would hold back what a full disk refused."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lost, self._torn = 0, False

    def count(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Say in an event how many before it could not be written."""
        return {**event, "lines_lost": self._lost} if self._lost else event

    def write(self, line: str) -> None:
        """Write a line, or lose it."""
        if self._torn:
            line = f"\n{line}"
        rest = memoryview(line.encode("utf-8", "backslashreplace"))
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
                self._torn = True
        except OSError:
            self._lost += 1
        else:
            self._lost, self._torn = 0, False

    def flush(self) -> None:
        """Nothing is held back."""


class _ToStructlog(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        structlog.get_logger(record.name).error("library", logger=record.name, text=text, exc_info=record.exc_info)
