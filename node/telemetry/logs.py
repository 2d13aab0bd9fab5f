"""JSON logs: one object a line on standard error, for people with grep and for collectors.

Law: what is logged is named: codes, heights, hashes, node ids, reasons. Keys, tokens, payloads and arguments of
transactions never are, and a text from outside is cut to a bound.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

from coseal.ledger.strict_json import one_line

TEXT_MAX: Final = 400
REASON_MAX: Final = 16_384
"""What says why is ours, and needed whole; what it repeats of others is cut where it is made."""
_WHY: Final = frozenset({"reason", "text", "why", "exception"})
_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure(level: str, node_id: str) -> None:
    """Send all logs of this process to standard error as JSON, each line with ``node``."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            _cut,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(_line),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
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


class _ToStructlog(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        structlog.get_logger(record.name).error("library", logger=record.name, text=text, exc_info=record.exc_info)
