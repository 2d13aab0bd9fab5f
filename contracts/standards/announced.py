"""What standards tell streams: each change of a version's status, and of its recognition.

Law: an event follows from one receipt alone. Who tries or adopts a standard is in their transactions, whatever
status that brings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from coseal.contracts.standards.records import ENDED, LAPSED
from coseal.contracts.standards.state import NAME

_CHANGING: Final = ("propose", "recognise", "withdraw_recognition")
"""Actions whose receipt says the status of the version that they change."""


def standards(name: str, data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the versions whose status or recognition an act or the start of a block changed."""
    contract, _, action = name.partition(".")
    if contract == NAME and action in _CHANGING:
        more = {each: data[each] for each in ("level", "instrument") if each in data}
        yield _view(data, data["status"], by=action, **more)
    if name != "begin":
        return
    for one in data.get("reviews", ()):
        if one["status"] != one["before"]:
            yield _view(one, one["status"], by="review", before=one["before"], period=one["period"])
    for one in data.get("lapsed", ()):
        yield _view(one, LAPSED, by="lapse")
    for one in data.get("ended", ()):
        if one["page"] == 0:
            yield _view(one, ENDED, by="sunset")


def _view(data: Mapping[str, Any], status: str, **more: Any) -> dict[str, Any]:
    return {"id": data["standard"], "version": data["version"], "status": status, **more}
