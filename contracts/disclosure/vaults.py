"""A vault in the state: its plan, who sits where and has answered what, what its keys are committed to.

Law: it is armed when 2t - 1 seats have compared their keys with the commitments, and refused once so many cannot.

contracts/disclosure/README.md, V5 and V6; B10 to B12 of docs/spec/disclosure.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from coseal.contracts.disclosure.state import vault_key
from coseal.contracts.kernel.action import Reader, Rejected, View
from coseal.ledger.custody import Plan

DEALT: Final = "dealt"
ARMED: Final = "armed"
REFUSED: Final = "refused"
CLOSED: Final = "closed"
DESTROYED: Final = "destroyed"

ACCEPTED: Final = "accepted"
SILENT: Final = "silent"
"""Statuses of a vault, and with them of a seat: dealt, accepted, refused, silent, destroyed."""


@dataclass(slots=True)
class Vault:
    """A vault as the state has it; ``seats`` are ``[member, status]``, ``envelopes`` is empty once they are erased.

    ``sealed`` sidecars of cells were ever sealed into it, ``live`` of them are not erased.
    """

    owner: str
    id: str
    plan: str
    threshold: int
    seats: list[list[str]]
    commitments: list[bytes]
    status: str
    pad: int
    ends_ms: int
    retain_ms: int
    deadline_ms: int
    envelopes: bytes
    height: int
    sealed: int = 0
    live: int = 0

    @property
    def custody(self) -> Plan:
        """Return its seats and threshold as custody has them."""
        return Plan(len(self.seats), self.threshold)

    def count(self, *statuses: str) -> int:
        """Return how many seats are in one of these statuses."""
        return sum(status in statuses for _, status in self.seats)

    def members(self) -> list[str]:
        """Return who sits where."""
        return [member for member, _ in self.seats]

    def statuses(self) -> list[str]:
        """Return the statuses of the seats."""
        return [status for _, status in self.seats]

    def seat_of(self, member: str) -> int | None:
        """Return the seat of a member, or None."""
        members = self.members()
        return members.index(member) if member in members else None

    def answer(self, seat: int, status: str) -> None:
        """Give a seat its status, and the vault the one that follows while it is not decided."""
        self.seats = [
            [member, status if number == seat else before] for number, (member, before) in enumerate(self.seats)
        ]
        if self.status == DEALT:
            arming = self.custody.arming
            if self.count(ACCEPTED) >= arming:  # V6
                self.status = ARMED
            elif self.count(ACCEPTED, DEALT) < arming:  # V6
                self.status = REFUSED


def vault_of(reader: Reader, owner: str, name: str) -> Vault | None:
    """Return a vault of a member, or None."""
    value: Any = reader.get(vault_key(owner, name))
    return None if value is None else Vault(owner, name, *_values(value))


def found(reader: Reader, owner: str, name: str) -> Vault | Rejected:
    """Return a vault of a member, or the refusal of one that there is not."""
    vault = vault_of(reader, owner, name)
    return Rejected("unknown_vault", f"{owner} has no vault {name}") if vault is None else vault


def write(view: View, vault: Vault) -> None:
    """Keep a vault."""
    view.put(vault_key(vault.owner, vault.id), {name: getattr(vault, name) for name in _FIELDS})


def _values(value: Mapping[str, Any]) -> list[Any]:
    return [value[name] for name in _FIELDS]


_FIELDS: Final[tuple[str, ...]] = (
    *("plan", "threshold", "seats", "commitments", "status", "pad", "ends_ms", "retain_ms", "deadline_ms"),
    *("envelopes", "height", "sealed", "live"),
)
