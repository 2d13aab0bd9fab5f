"""A view that notices a value changed in place: what a view gave is compared with what is stored, after every step.

Law: what a transaction undoes, it undoes whole; that holds while no contract changes a value that a view handed out.
"""

from __future__ import annotations

from coseal.ledger import codec
from coseal.ledger.codec import Value


class ChangedInPlace(AssertionError):
    """A contract changed a value that a view gave it."""


class Checked:
    """Raises ``ChangedInPlace`` at the end of the transaction that changed a value in place; see ``Watcher``."""

    def __init__(self) -> None:
        self._given: dict[str, tuple[Value, bytes]] = {}

    def gave(self, key: str, value: Value) -> None:
        """Remember the value as it is now."""
        if value is not None and (key not in self._given or self._given[key][0] is not value):
            self._given[key] = (value, _encoded(value))

    def compare(self) -> None:
        """See that every value is as it was given."""
        for key, (value, encoded) in self._given.items():
            if _encoded(value) != encoded:
                raise ChangedInPlace(f"the value of {key} was changed in place: a refusal could not undo it")
        self._given.clear()


def _encoded(value: Value) -> bytes:
    """Return bytes that differ where values do; none for a value without an encoding, which costs its transaction."""
    try:
        return codec.encode(value)
    except (TypeError, ValueError, OverflowError):
        return b""
