"""Which events a receiver wants.

Law: an event passes if it has what every given filter asks for; one that has no such thing does not pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from coseal.contracts.rules.rule import SEVERITIES
from coseal.errors import CosealError
from coseal.streams.outgoing import Outgoing


@dataclass(frozen=True, slots=True)
class Wanted:
    """``types`` are patterns with ``*``, one of which fits; ``severity`` the least of a finding; empty means any."""

    types: tuple[str, ...] = ()
    process_types: tuple[str, ...] = ()
    object_types: tuple[str, ...] = ()
    severity: str | None = None

    def __post_init__(self) -> None:
        if self.severity is not None and self.severity not in SEVERITIES:
            raise CosealError(f"no severity {self.severity!r}", f"choose one of {', '.join(SEVERITIES)}")

    def __call__(self, event: Outgoing) -> bool:
        """Say whether an event is wanted."""
        return (
            (not self.types or any(fnmatchcase(event.type, pattern) for pattern in self.types))
            and (not self.process_types or event.attributes.get("processtype") in self.process_types)
            and (not self.object_types or not event.object_types.isdisjoint(self.object_types))
            and (self.severity is None or event.attributes.get("severity") in self._severe())
        )

    def _severe(self) -> tuple[str, ...]:
        return SEVERITIES[SEVERITIES.index(self.severity or SEVERITIES[0]) :]
