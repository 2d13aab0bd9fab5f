"""What governance tells streams: ballots that are decided and measures that begin or end.

Law: an event follows from one receipt alone; it says what the receipt does, in the same words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from coseal.contracts.governance.state import NAME
from coseal.contracts.kernel.contract import Raised

_BEGUN: Final = ("measure", "emergency_measure")
_OPEN: Final = "open"


def decisions(contract: str, due: str) -> Raised:
    """Return what tells of the ballots of a contract that are decided; ``due`` is where a block's start has them.

    One that waits for its delay is announced when it passes, and again when it takes effect.
    """

    def raised(name: str, data: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
        if name == "begin":
            found = data.get(due, ())
        else:
            found = (data,) if name.startswith(f"{contract}.") and "ballot" in data and "status" in data else ()
        return [{"id": one["ballot"], "contract": contract, **one} for one in found if one["status"] != _OPEN]

    return raised


def measures(name: str, data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the measures that begin or end: ``status`` is `in force`, from ``first_height`` on, or `ended`."""
    if name == "begin":
        decided = data.get("closed", ())
    else:
        decided = (data,) if name in (f"{NAME}.propose", f"{NAME}.vote") else ()
    for one in decided:
        if one["status"] != "accepted":
            continue
        if one["kind"] in _BEGUN:
            yield {"id": one["outcome"]["measure"], "status": "in force", **one["outcome"]}
        elif one["kind"] == "end_measure":
            yield {"id": one["outcome"]["measure"], "status": "ended", "proposal": one["ballot"], **one["outcome"]}
    for one in data.get("ended", ()) if name == "begin" else ():
        yield {"id": one["measure"], "status": "ended", **one}
