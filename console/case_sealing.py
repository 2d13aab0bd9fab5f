"""The sealed attributes of a case: which they are, and what became of the values behind their commitments.

Law: which are sealed the definition says; which sidecar has their values, the receipt that recorded the item; until
when it is kept, or that it is erased, the certified state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from coseal.console.case_reading import Case
from coseal.console.html import Child, Html, el, join
from coseal.console.page import Page
from coseal.console.parts import hexadecimal, tag, tree
from coseal.console.vault_parts import request_link, vault_link
from coseal.contracts.disclosure.state import request_key, sidecar_key


def sealed_names(definition: Mapping[str, Any], item: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the sealed attributes of an item."""
    kind = "event_types" if "event" in item else "object_types"
    declared = definition.get(kind, {}).get(item.get("type"), {}).get("attributes", {})
    named = item.get("attributes", ())
    names = list(named) if isinstance(named, Mapping) else [one[0] for one in named]
    return frozenset(name for name in names if declared.get(name, {}).get("class") == "sealed")


def attribute(page: Page, value: Any, *, sealed: bool) -> Child:
    """Return the value of an attribute; of a sealed one, its commitment."""
    if not sealed:
        return tree(value)
    return join(tag(page.t("cases.sealed")), " ", hexadecimal(page, str(value)))


async def badges(page: Page, whole: Case, rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Html]]:
    """Return, by the hash of an item with sealed attributes, what became of their values."""
    places: dict[str, tuple[str, str, int] | None] = {}
    for row in rows:
        place = whole.place(row)
        if place is not None and sealed_names(whole.definition, row["item"]):
            owner = row["source"].partition("/")[0]
            places[row["hash"]] = None if place.sealed is None else (owner, *place.sealed)
    records = await _values(page, {sidecar_key(*place) for place in places.values() if place is not None})
    named = [request_key(*one) for record in records.values() if record is not None for one in record["requests"]]
    asked = await _values(page, set(named))
    made: dict[str, list[Html]] = {}
    for row in rows:
        if row["hash"] not in places:
            continue
        at = places[row["hash"]]
        if at is None:
            made[row["hash"]] = [tag(page.t("cases.sealed.owner"))]
        else:
            made[row["hash"]] = _badges(page, at, row["sequence"], records[sidecar_key(*at)], asked)
    return made


async def _values(page: Page, keys: set[str]) -> dict[str, Any]:
    found = await page.data.together(sorted(keys)) if keys else {}
    return {key: shown.value for key, shown in found.items()}


def _badges(
    page: Page, place: tuple[str, str, int], sequence: int, record: Any, asked: Mapping[str, Any]
) -> list[Html]:
    """Return what became of the sealed values of an item, and which open requests ask for some of them."""
    owner, vault, number = place
    where = el("span", None, vault_link(owner, vault), " ", page.t("disclosure.sidecar", number=number))
    if record is None:
        return [tag(page.t("cases.sealed.erased")), where]
    made = [tag(page.t("cases.sealed.until", time=page.time(record["erase_ms"]))), where]
    for by, name in record["requests"]:
        scope = asked[request_key(by, name)]["scope"]
        if any(one == number and sequence in sequences for one, sequences, _ in scope):
            made.append(tag(join(page.t("cases.sealed.asked"), " ", request_link(by, name)), "wait"))
    return made
