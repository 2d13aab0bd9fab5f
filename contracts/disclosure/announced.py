"""What disclosure tells streams: each sidecar that is erased.

Law: an event follows from one receipt alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from coseal.contracts.disclosure.state import NAME


def erased(name: str, data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the sidecars that an act or the start of a block erased; of envelopes the number is 0."""
    if name != "begin" and not name.startswith(f"{NAME}."):
        return
    for sidecar, owner, vault, number in data.get("erased", ()):
        yield {"name": sidecar, "owner": owner, "vault": vault, "number": number}
