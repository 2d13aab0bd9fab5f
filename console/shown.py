"""Values as pages show them: each with what this console did about it.

Law: a value and its standing are never apart; what is made of several values stands as the weakest of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Generic, TypeVar

from coseal.errors import FalseAnswer

T = TypeVar("T")
U = TypeVar("U")


class Trust(StrEnum):
    """What this console did about a value."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Shown(Generic[T]):
    """A value with what may be believed of it.

    ``why`` is a key of the catalogue: how it was verified, or why it was not. ``height`` is the block it is of,
    ``until`` the last one if it is made of values of several blocks, ``node`` who gave it, ``detail`` what is wrong.
    """

    value: T
    trust: Trust
    why: str
    height: int | None = None
    node: str = ""
    detail: str = ""
    until: int | None = None
    unshown: tuple[str, ...] = ()
    """Why entries of it are missing, one reason each: the node could not show them."""

    def of(self, value: U) -> Shown[U]:
        """Return another value of the same standing: a part of this one, or what follows from it."""
        return Shown(value, self.trust, self.why, self.height, self.node, self.detail, self.until, self.unshown)

    def because(self, why: str) -> Shown[T]:
        """Return the same with another reason."""
        return replace(self, why=why)


def joined(*parts: Shown[Any]) -> Shown[Any]:
    """Return the standing of what is made of several values: that of the weakest, of all their blocks, no value."""
    order = (Trust.FAILED, Trust.UNVERIFIED, Trust.VERIFIED)
    weakest = min(parts, key=lambda part: order.index(part.trust))
    heights = [height for part in parts for height in (part.height, part.until) if height]
    first, last = min(heights, default=None), max(heights, default=None)
    unshown = tuple(reason for part in parts for reason in part.unshown)
    return replace(weakest, value=None, height=first, until=None if last == first else last, unshown=unshown)


class Untrue(FalseAnswer):
    """Every node that answered gave a proof that does not hold; ``shown`` says which, and what was wrong."""

    def __init__(self, node: str, detail: str) -> None:
        super().__init__(f"{node}: {detail}", node=node)
        self.shown: Shown[None] = Shown(None, Trust.FAILED, "trust.failed", node=node, detail=detail)


@dataclass(frozen=True, slots=True)
class Proven:
    """A verified state value as the contracts see it (None: proven absent), its block, who gave it, and the time."""

    value: Any
    height: int
    node: str
    time_ms: int

    def shown(self, value: U) -> Shown[U]:
        """Return what is shown of it."""
        return Shown(value, Trust.VERIFIED, "trust.proof", self.height, self.node)


@dataclass(frozen=True, slots=True)
class Recording:
    """An accepted transaction that recorded items, verified: where it stands, and the hashes of the items by number."""

    tx: str
    height: int
    index: int
    time_ms: int
    source: str
    hashes: Mapping[int, str]
    sealed: tuple[str, int] | None = None
    """The vault and the number of the sidecar that has the sealed values of these items, if one has."""

    def holds(self, item: Mapping[str, Any]) -> bool:
        """Say whether it recorded a row of a history."""
        return (item["source"], item["hash"]) == (self.source, self.hashes.get(item["sequence"]))
