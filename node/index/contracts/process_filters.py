"""Which cases of an object type a question is about: filters as conditions on traces.

Law: what a user wrote is only ever a bound parameter. Filters are all to be met. What a filtered question reads grows
with the cases that pass, so it is ``bounded``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

ACTIVITIES: Final = ("first", "last", "activity", "before", "after")
"""Filters whose value names an activity."""

_TOOK: Final = "t.last_ms - t.first_ms"
_CONDITIONS: Final = {
    "variant": "t.variant = :variant",
    "first": "t.first_activity = :first",
    "last": "t.activity = :last",
    "least_ms": f"{_TOOK} >= :least_ms",
    "below_ms": f"{_TOOK} < :below_ms",
    "attribute": "EXISTS (SELECT 1 FROM item_objects l WHERE l.object = t.object AND l.item IN"
    " (SELECT item FROM item_values WHERE name = :attribute AND value = :value)"
    " AND NOT EXISTS (SELECT 1 FROM corrections c WHERE c.object = l.object AND c.item = l.item"
    " AND c.activity IS NULL AND c.time_ms IS NOT NULL)"  # an event that does not name the object
    " AND (:recorded_items OR NOT EXISTS (SELECT 1 FROM corrections c JOIN corrections r ON r.object = c.object"
    " AND r.item = c.place WHERE c.object = l.object AND c.item = l.item AND r.now <> l.item)))",
    "activity": "EXISTS (SELECT 1 FROM item_objects l WHERE l.object = t.object AND l.activity = :activity)",
    "before": "EXISTS (SELECT 1 FROM item_objects l WHERE l.object = t.object AND l.activity = :before AND :after ="
    " (SELECT n.activity FROM item_objects n WHERE n.object = l.object AND n.item > l.item"
    " AND n.activity IS NOT NULL ORDER BY n.item LIMIT 1))",
}
DURING: Final = {
    "overlaps": {"from_ms": "t.last_ms >= :from_ms", "to_ms": "t.first_ms < :to_ms"},
    "within": {"from_ms": "t.first_ms >= :from_ms", "to_ms": "t.last_ms < :to_ms"},
    "begins": {"from_ms": "t.first_ms >= :from_ms", "to_ms": "t.first_ms < :to_ms"},
    "ends": {"from_ms": "t.last_ms >= :from_ms", "to_ms": "t.last_ms < :to_ms"},
}


def condition(
    kind: int, filters: Mapping[str, Any], numbers: Mapping[str, int], *, recorded: bool
) -> tuple[str, dict[str, Any]]:
    """Return the SQL condition of traces ``t`` that pass all filters, and its parameters.

    ``recorded``: what was corrected away passes as well.
    """
    values = {"kind": kind, **filters, "recorded_items": recorded}
    for name in ACTIVITIES:
        if name in filters:
            values[name] = numbers.get(filters[name], -1)
    values.setdefault("after", -1)
    written = _CONDITIONS | DURING[filters.get("during", "overlaps")]
    return " AND ".join(["t.kind = :kind", *(sql for name, sql in written.items() if name in filters)]), values
