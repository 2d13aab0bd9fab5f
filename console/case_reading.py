"""What the page of a case shows, read: its whole history, where each item was recorded, its findings and its rules.

Law: everything is proven, or shown as what it is; how many receipts and findings one page reads is bounded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from coseal.console.documents import FINDINGS
from coseal.console.nodes import Problem
from coseal.console.page import Page
from coseal.console.shown import Recording, Shown, Trust, joined
from coseal.console.verdicts import (
    MAX_RULES,
    Recorded,
    Replay,
    Standing,
    judges_of,
    mind_disputes,
    replay,
    standings,
)
from coseal.contracts.process.attestation import DISPUTED
from coseal.contracts.process.state import attestation_key, source_key, tally_key, type_key
from coseal.contracts.supervision.findings import raised_of
from coseal.contracts.supervision.state import (
    active_key,
    finding_key,
    findings_key,
    hold_key,
    object_state_key,
    rule_key,
    set_key,
)

ITEMS_SHOWN: Final = 50
"""Items of a case on one page."""
_RECORDINGS_MAX: Final = 256
_FINDINGS_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Case:
    """A case with everything that belongs to it, all of it proven."""

    history: Shown[list[dict[str, Any]]]
    definition: Mapping[str, Any]
    recordings: Mapping[str, Recording]
    sources: Mapping[str, Any]
    findings: Shown[list[dict[str, Any]]]
    raised: int
    hold: Mapping[str, Any] | None
    standing: Shown[list[Standing]] | None
    replayed: Replay | None
    tallies: Shown[Any]
    object_type: str

    def place(self, row: Mapping[str, Any]) -> Recording | None:
        """Return where an item was recorded, None where no receipt proves it."""
        found = self.recordings.get(row["tx"] or "")
        return found if found is not None and found.holds(row) else None

    @property
    def is_placed(self) -> bool:
        """Whether the block of every item is proven."""
        return all(self.place(row) is not None for row in self.history.value)


async def read(page: Page, place: tuple[str, str, str], first: int) -> Case:
    """Return all of an object: ``place`` is (process type, object type, object), ``first`` the first item shown."""
    process_type, object_type, _object_id = place
    definition, history, hold, monitors, active, tallies = await asyncio.gather(
        page.data.state(type_key(process_type)),
        page.data.history(*place),
        page.data.state(hold_key(*place)),
        page.data.exact(object_state_key(*place)),
        page.data.state(active_key(process_type)),
        page.data.state(tally_key(*place)),
    )
    if definition.value is None:
        raise Problem(404, "unknown_process_type", page.t("processes.unknown", name=process_type), "")
    items = history.value
    names = sorted({item["source"] for item in items})
    sources = await asyncio.gather(*(page.data.state(source_key(name)) for name in names))
    recordings = await _recordings(page, items, first)
    findings, raised = await _findings(page, place)
    by_name = {name: source.value or {} for name, source in zip(names, sources, strict=True)}
    standing = replayed = None
    values = await _rule_values(page, process_type, active.value or [])
    if values is not None:
        judges = await asyncio.to_thread(judges_of, values, definition.value, object_type)
        standing = joined(monitors, active).of(standings(place, monitors.value, judges))
        since = {entry["set"]: entry["since"] for entry in active.value or []}
        disputed = await _disputed(page, items) if mind_disputes(judges) else set()
        recorded = _recorded(items, by_name, recordings, disputed)
        clock_ms = _clock_ms(page, monitors.value, by_name)
        late_ms = definition.value["late_ms"]
        if recorded and judges and monitors.value is not None:
            replayed = await asyncio.to_thread(
                replay, place, monitors.value, judges, since, recorded, late_ms, clock_ms
            )
    found = (history, definition.value, recordings, by_name, findings, raised, hold.value, standing, replayed)
    return Case(*found, tallies, object_type)


async def _recordings(page: Page, items: Sequence[Mapping[str, Any]], first: int) -> dict[str, Recording]:
    """Return the transactions that recorded items, by id, each proven: of all items, or of those shown if too many."""
    named = dict.fromkeys(item["tx"] for item in items if item["tx"])
    if len(named) > _RECORDINGS_MAX:
        named = dict.fromkeys(item["tx"] for item in items[first : first + ITEMS_SHOWN] if item["tx"])
    found = await asyncio.gather(*(page.data.recording(tx) for tx in named))
    return {one.tx: one for one in found if one is not None}


async def _rule_values(page: Page, process_type: str, active: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the state values that the rules in force are compiled from; None if there are too many."""
    if sum(entry["rules"] for entry in active) > MAX_RULES:
        return None
    keys = [set_key(entry["set"]) for entry in active]
    sets = await asyncio.gather(*(page.data.state(key) for key in keys))
    keys += [rule_key(*name) for one in sets for name in one.value["rules"]]
    values = await asyncio.gather(*(page.data.state(key) for key in keys))
    return {active_key(process_type): active, **{key: one.value for key, one in zip(keys, values, strict=True)}}


async def _findings(page: Page, place: tuple[str, str, str]) -> tuple[Shown[list[dict[str, Any]]], int]:
    """Return the findings about an object, each proven, and how many were raised, which says whether they are all."""
    process_type, object_type, object_id = place
    about = {"process_type": process_type, "object_type": object_type, "object": object_id}
    count, listed = await asyncio.gather(
        page.data.state(findings_key(*place)), page.data.said("/v1/findings", FINDINGS, **about, limit=_FINDINGS_MAX)
    )
    raised = raised_of(count.value)
    named = [] if listed is None else [one["id"] for one in listed.value["findings"]]
    ids = dict.fromkeys(named)  # each once: the proven number counts each once
    rows = await asyncio.gather(*(page.data.state(finding_key(name)) for name in ids))
    proven: list[dict[str, Any]] = [one.value for one in rows if one.value and _is_about(one.value, place)]
    proven.sort(key=lambda record: (record["height"], len(record["id"]), record["id"]))  # not as a node lists them
    if len(proven) >= raised:
        return joined(count, *rows).of(proven), raised
    # a node left some out, or there are more than a page holds
    part = listed or Shown(None, Trust.UNVERIFIED, "trust.index", count.height, count.node)
    return part.of(proven), raised


def _is_about(record: Mapping[str, Any], place: tuple[str, str, str]) -> bool:
    return (record["process_type"], record["object_type"], record["object"]) == place


def _recorded(
    items: Sequence[Mapping[str, Any]],
    sources: Mapping[str, Mapping[str, Any]],
    recordings: Mapping[str, Recording],
    disputed: Collection[str],
) -> list[Recorded]:
    """Return the items as monitors are given them; none unless the block of every one is proven.

    ``disputed`` are the hashes of those that are.
    """
    found = []
    for item in items:
        place, source = recordings.get(item["tx"] or ""), sources[item["source"]]
        if place is None or not place.holds(item):
            return []
        where = (item["source"], item["sequence"], place.height, place.time_ms)
        more = (source.get("mode") == "live", source.get("zone_minutes"), item["hash"] in disputed)
        found.append(Recorded(item["item"], *where, *more))
    return found


async def _disputed(page: Page, items: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the hashes of the events that are disputed, each proven."""
    asked = [item["hash"] for item in items if "counterparty" in item["item"]]
    found = await asyncio.gather(*(page.data.state(attestation_key(bytes.fromhex(one))) for one in asked))
    return {one for one, record in zip(asked, found, strict=True) if (record.value or {}).get("status") == DISPUTED}


def _clock_ms(page: Page, monitors: Any, sources: Mapping[str, Mapping[str, Any]]) -> int | None:
    """Return the clock that the object's deadlines go by: of its historical source, else the block's that is shown."""
    clock = monitors[0] if monitors else ""
    if clock in sources:
        latest: int | None = sources[clock].get("latest_ms")
        return latest
    return page.data.block_ms
