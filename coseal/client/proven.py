"""Values that are proven as of one block, as the contracts read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from coseal.client.exchange import Exchange
from coseal.client.session import Session
from coseal.ledger import codec


class ProvenValues:
    """Values by key, and the block that all of them are of. A ``Reader`` of these keys alone."""

    def __init__(self, values: dict[str, Any], height: int, time_ms: int) -> None:
        self._values, self.height, self.time_ms = values, height, time_ms

    def get(self, key: str) -> Any:
        """See ``kernel.action.Reader``; raise ``KeyError`` for a key that was not read."""
        return self._values[key]


def proven_values(session: Session, keys: Sequence[str], min_height: int = 0) -> Exchange[ProvenValues]:
    """Read these keys, each once."""
    unique = list(dict.fromkeys(keys))
    found = yield from session.values(unique, min_height)
    decoded = (None if one.value is None else codec.decode(one.value) for one in found)
    header = found[0].header
    return ProvenValues(dict(zip(unique, decoded, strict=True)), header.height, header.time_ms)
