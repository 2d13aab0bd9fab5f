"""What a running node logs of its course: blocks that come, why none come, and that it signs nothing.

Law: an outsider cannot fill the log: of one subject there is a line every ten seconds at most.
"""

from __future__ import annotations

import time
from typing import Final

import structlog

from coseal.node.core.health import NodeStatus

NEWS_SECONDS: Final = 10.0
_SUBJECTS_MAX: Final = 256
_log = structlog.get_logger("node")


class Progress:
    """``height`` is where the node starts."""

    def __init__(self, height: int) -> None:
        self._height = height
        self._silence: str | None = None
        self._logged: dict[str, float] = {}

    def report(self, status: NodeStatus) -> None:
        """Log what changed since the last report."""
        if status.silence != self._silence:
            self._silence = status.silence
            _log.warning("silent", why=status.silence) if status.silence else _log.info("votes")
        if status.why_stalled is not None:
            _log.warning("stalled", height=status.height, why=status.why_stalled)
        elif status.height != self._height:
            blocks, self._height = status.height - self._height, status.height
            _log.info("progress", height=status.height, blocks=blocks, pending=status.mempool_transactions)

    def is_news(self, subject: str) -> bool:
        """Say whether nothing was logged of ``subject`` for a while, and note that it is now."""
        now = time.monotonic()
        if now - self._logged.get(subject, -NEWS_SECONDS) < NEWS_SECONDS:
            return False
        if len(self._logged) > _SUBJECTS_MAX:
            self._logged.clear()
        self._logged[subject] = now
        return True
