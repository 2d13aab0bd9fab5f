"""The live sidecars of the state: a list by age, with the bytes that each member has in it.

Law: a name is in it once; adding and removing take the same steps however many there are.

contracts/disclosure/README.md, V8.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from coseal.contracts.disclosure.policy import policy_of
from coseal.contracts.disclosure.state import LIVE_KEY, at_key, usage_key
from coseal.contracts.kernel.action import Reader, Rejected, View
from coseal.contracts.kernel.sidecars import Named

ENVELOPES: Final = 0
"""The number of the sidecar of a vault that has the keys of its seats; those with cells are numbered from 1."""
GRANT: Final = -1
"""The number of a sidecar with the key of an audience in envelopes for its readers."""

RELEASE: Final = -2
"""The number of a sidecar with the parts of a seat in an envelope for who requested an opening."""


class Live(NamedTuple):
    """A live sidecar: its size in bytes, of which vault of whom, its number there; its neighbours by age, or empty.

    Of a release, ``owner`` is the custodian's member and ``vault`` the request, ``member/id``.
    """

    size: int
    owner: str
    vault: str
    number: int
    older: bytes = b""
    newer: bytes = b""


def live_of(reader: Reader, name: bytes) -> Live | None:
    """Return a live sidecar, or None."""
    value: Any = reader.get(at_key(name))
    return None if value is None else Live(*value)


def newest_first(reader: Reader) -> Iterator[Named]:
    """Yield all live sidecars, the newest first."""
    found: Any = reader.get(LIVE_KEY)
    name: bytes = b"" if found is None else found[0]
    while name:
        live = live_of(reader, name)
        if live is None:
            raise ValueError(f"{name.hex()} is listed and not there")
        yield Named(name, live.size)
        name = live.older


def refusal(reader: Reader, owner: str, named: Named) -> Rejected | None:
    """Return why a sidecar cannot become live for a member, or None."""
    if live_of(reader, named.name) is not None:  # V8
        return Rejected("already_sealed", f"{named.name.hex()} is live already; seal again with another seed")
    used, quota = usage(reader, owner), policy_of(reader)["quota_bytes"]
    if used + named.size > quota:  # V8
        return Rejected("quota", f"{owner} has {used} live bytes, and may have {quota}; wait until some are erased")
    return None


def usage(reader: Reader, owner: str) -> int:
    """Return the live bytes of a member."""
    value: Any = reader.get(usage_key(owner))
    return 0 if value is None else int(value)


def add(view: View, named: Named, owner: str, vault: str, number: int) -> None:
    """Make a sidecar live, the newest; the caller has seen that nothing is against it."""
    found: Any = view.get(LIVE_KEY) or [b"", 0, 0]
    newest, count, total = found
    view.put(at_key(named.name), list(Live(named.size, owner, vault, number, older=newest)))
    before = live_of(view, newest) if newest else None
    if before is not None:
        view.put(at_key(newest), list(before._replace(newer=named.name)))
    view.put(LIVE_KEY, [named.name, count + 1, total + named.size])
    view.put(usage_key(owner), usage(view, owner) + named.size)


def remove(view: View, name: bytes) -> bool:
    """Make a sidecar live no more; False if it was not."""
    live = live_of(view, name)
    if live is None:
        return False
    found: Any = view.get(LIVE_KEY)
    newest, count, total = found
    view.delete(at_key(name))
    newer = live_of(view, live.newer) if live.newer else None
    if newer is not None:
        view.put(at_key(live.newer), list(newer._replace(older=live.older)))
    older = live_of(view, live.older) if live.older else None
    if older is not None:
        view.put(at_key(live.older), list(older._replace(newer=live.newer)))
    newest = newest if live.newer else live.older
    view.put(LIVE_KEY, [newest, count - 1, total - live.size])
    left = usage(view, live.owner) - live.size
    if left:
        view.put(usage_key(live.owner), left)
    else:
        view.delete(usage_key(live.owner))
    return True
