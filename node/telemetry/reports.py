"""Files that a node leaves for people: why it stopped by itself, and proofs of others' misbehaviour.

Law: a report that cannot be written is said in the log and stops nothing; their number is bounded.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import structlog

from coseal.node.core.events import Accused
from coseal.node.core.health import NodeStatus

EVIDENCE_FILES_MAX: Final = 100
_log = structlog.get_logger("node")


def dump(folder: Path, reason: str, status: NodeStatus) -> None:
    """Write ``halt-HEIGHT.json``: the reason, and what the node said of itself at that moment."""
    _write(folder / f"halt-{status.height}.json", {"reason": reason, "status": asdict(status)})


def keep_evidence(folder: Path, accused: Accused) -> None:
    """Write two messages that no honest validator signs both of to ``evidence/``.

    ``report`` is what an operator can send, should this node not come to it: the arguments of ``evidence.report``.
    """
    _log.error("accused", validator=accused.node, text="it signed two messages that no honest node signs both of")
    place = folder / "evidence"
    count = len(list(place.iterdir())) if place.is_dir() else 0
    if count < EVIDENCE_FILES_MAX:
        _write(place / f"{count:03d}-{accused.node}.json", {"validator": accused.node, **_pair(accused)})


def _pair(accused: Accused) -> dict[str, Any]:
    return {"first": accused.first, "second": accused.second, "report": accused.report}


def _write(path: Path, document: dict[str, Any]) -> None:
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.write_text(json.dumps(document, default=_hexadecimal, indent=1) + "\n", "utf-8")
    except OSError as error:
        _log.error("report_lost", path=str(path), reason=str(error.strerror))


def _hexadecimal(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
