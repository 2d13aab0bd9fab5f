"""What the checks find of a mission as JSON, for the HTTP API, clients and the command line."""

from __future__ import annotations

from typing import Any

from coseal.contracts.kernel.action import Reader
from coseal.contracts.mission.checks import failures
from coseal.contracts.mission.failure import Failure


def checked(reader: Reader, name: str, height: int, time_ms: int) -> dict[str, Any] | None:
    """Return what the checks find of a mission as of a block; None if there is no mission."""
    found = failures(reader, name, time_ms)
    if found is None:
        return None
    return {"mission": name, "height": height, "time_ms": time_ms, "failures": [failure(one) for one in found]}


def failure(found: Failure) -> dict[str, Any]:
    """Return a finding with the names of its parts."""
    said: dict[str, Any] = {"check": found.check, "code": found.code, "verdict": found.verdict}
    return {**said, "about": list(found.about), "keys": list(found.keys)}
