"""Events as programs have them, made into items of a source: the ledger's own form, or CloudEvents 1.0.

Law: what is recorded is what was given, or it is refused with its place; nothing is rounded, guessed or left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from coseal.contracts.process.cloudevents import Number, fitted, read_event
from coseal.contracts.process.items import Unfit
from coseal.errors import CosealError


@dataclass(frozen=True, slots=True)
class Given:
    """Items in the order of their source, the source's id, and the sequence of the first, None if it is not given.

    ``is_cloud``: they come from CloudEvents, whose numbers are yet to be fitted to the declared types.
    """

    source_id: str
    sequence: int | None
    items: list[dict[str, Any]]
    is_cloud: bool

    def fitted(self, definition: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the items with numbers as the process type wants them; raise ``CosealError``."""
        if not self.is_cloud:
            return self.items
        fit = []
        for index, item in enumerate(self.items):
            try:
                fit.append(fitted(item, definition))
            except Unfit as error:
                raise CosealError(f"events[{index}]{error}") from None
        return fit


def read_events(events: Iterable[Mapping[str, Any]], source_id: str | None, sequence: int | None) -> Given:
    """Return events as items; CloudEvents bring source and sequence themselves. Raise ``CosealError``.

    ``datetime`` (with its offset) and ``Decimal`` become texts; a ``float`` is refused.
    """
    plain = [_mapping(event, f"events[{index}]") for index, event in enumerate(events)]
    if not any("specversion" in event for event in plain):
        if source_id is None:
            raise CosealError(
                "of which source?", "give source=, the id it is registered under; CloudEvents name theirs"
            )
        return Given(source_id, sequence, [_texts(event) for event in plain], False)
    read = []
    for index, event in enumerate(plain):
        try:
            read.append(read_event(event))
        except Unfit as error:
            raise CosealError(f"events[{index}]{error}") from None
    first = read[0]
    for index, one in enumerate(read):
        if one.source != (source_id or first.source):
            raise CosealError(
                f"events[{index}].source: {one.source}, expected {source_id or first.source}",
                "record the events of each source with a call of its own",
            )
        if one.sequence != (sequence or first.sequence) + index:
            expected = (sequence or first.sequence) + index
            raise CosealError(f"events[{index}].sequence: expected {expected}, got {one.sequence}")
    return Given(first.source, first.sequence, [one.item for one in read], True)


def _mapping(event: Any, path: str) -> dict[str, Any]:
    if not isinstance(event, Mapping):
        raise CosealError(f"{path} is a {type(event).__name__}", "expected a mapping, see contracts/process/README.md")
    return {name: _plain(value, f"{path}.{name}") for name, value in event.items()}


def _plain(value: Any, path: str) -> Any:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise CosealError(f"{path}: a time without an offset", "give the datetime a tzinfo")
        return value.isoformat()
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise CosealError(f"{path}: {value} is no number")
        return Number(str(value).lower())
    if isinstance(value, float):
        raise CosealError(f"{path}: a float is not the same number everywhere", "give a Decimal, or its text")
    if isinstance(value, Mapping):
        return {name: _plain(one, f"{path}.{name}") for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one, f"{path}[{index}]") for index, one in enumerate(value)]
    return value


def _texts(value: Any) -> Any:
    """Return a value of the ledger's own form: a decimal there is its digits."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return {name: _texts(one) for name, one in value.items()}
    return [_texts(one) for one in value] if isinstance(value, list) else value
