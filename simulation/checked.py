"""A view that notices a value changed in place: what a view gave is compared with what is stored, after every step.

Law: what a transaction undoes, it undoes whole; that holds while no contract changes a value that a view handed out.
"""

from __future__ import annotations

from contracts.framework import Overlay
from ledger import codec
from ledger.codec import Value


class ChangedInPlace(AssertionError):
    """A contract changed a value that a view gave it."""


class CheckedOverlay(Overlay):
    """An ``Overlay`` that raises ``ChangedInPlace`` at the end of the transaction that changed a value in place."""

    def peek(self, key: str) -> Value:
        """See ``Overlay``; remember the value as it is now."""
        value = super().peek(key)
        given: dict[str, tuple[Value, bytes]] = self.__dict__.setdefault("_given", {})
        if value is not None and (key not in given or given[key][0] is not value):
            given[key] = (value, _encoded(value))
        return value

    def mark(self) -> None:
        """See ``Overlay``."""
        self._compare()
        super().mark()

    def rollback(self) -> None:
        """See ``Overlay``."""
        self._compare()
        super().rollback()

    def _compare(self) -> None:
        given: dict[str, tuple[Value, bytes]] = self.__dict__.setdefault("_given", {})
        for key, (value, encoded) in given.items():
            if _encoded(value) != encoded:
                raise ChangedInPlace(f"the value of {key} was changed in place: a refusal could not undo it")
        given.clear()


def _encoded(value: Value) -> bytes:
    """Return bytes that differ where values do; none for a value without an encoding, which costs its transaction."""
    try:
        return codec.encode(value)
    except (TypeError, ValueError, OverflowError):
        return b""
