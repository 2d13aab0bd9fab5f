"""Own rule sets at work: they judge each batch of their member, and deadlines that pass, and what they find is counted.

Law: what is found refuses nothing and holds nothing; it is charged to the batch of the member whose rules they are,
and a deadline of one object takes a bounded number of steps.

contracts/standards/README.md, E24 to E30.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Context, Rejected, Result, View
from coseal.contracts.kernel.budget import ENTRY_STEPS, FINDING_STEPS, READ_STEPS, VALUE_BYTES_A_STEP
from coseal.contracts.kernel.contract import Moment
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.process.batch import RecordedBatch
from coseal.contracts.process.state import type_key
from coseal.contracts.rules.verdict import Verdict
from coseal.contracts.standards import domains, series
from coseal.contracts.standards.adoptions import covers, in_force_at
from coseal.contracts.standards.own import Own, fitting, judges, own_sets, put_own, set_id
from coseal.contracts.standards.state import NAME, monitors_key, use_key
from coseal.contracts.supervision.effects import Found, Item
from coseal.contracts.supervision.object_monitors import Keeping, Place, Watched, judging_type
from coseal.contracts.supervision.observer import Watch

MAX_SHOWN: Final = 256
"""Findings that a receipt shows of a batch; all are counted."""
MAX_READ_STEPS: Final = READ_STEPS + 32 * 1024 // VALUE_BYTES_A_STEP
"""What reading the monitors of an object takes at most, so that a deadline of it fits what is due."""
MAX_MISSED: Final = 16
"""Once this many deadlines of one object were missed, the sets that follow wait for the next call."""


def judge(view: View, context: Context, batch: RecordedBatch, domain: str) -> Result:
    """Let the member's own sets judge a batch; return what each found, for the receipt."""
    process_type = batch.definition["id"]
    before = own_sets(view, context.member, process_type)
    if not before:
        return {}
    entries = fitting(view, before, batch.definition, context.time_ms)
    if entries != before:
        put_own(view, context.member, process_type, entries)
    source = batch.source.partition("/")[2]
    covering = [entry for entry in entries if covers(entry, source, context.time_ms)]
    if not covering:
        return {}
    judging = [entry for entry in covering if entry["fits"]]
    found = _judged(view, context, batch, judging, [set_id(entry) for entry in entries if entry not in judging])
    shown, left = [], MAX_SHOWN
    for entry in covering:
        mine = None if found is None or not entry["fits"] else found.get(set_id(entry), [])
        figures = (len(batch.items), *_figures(len(batch.items), mine))
        counts = bool(domain) and entry["domain"] == domain
        if counts:
            _count(view, context.member, entry, domains.period_at(view, context.time_ms), *figures)
        named = {name: entry[name] for name in ("standard", "version", "mode")}
        named |= dict(zip(("items", "conforming", "undetermined"), figures, strict=True))
        shown.append({**named, "counts": counts, "found": [_shown(one) for one in (mine or [])[:left]]})
        left = max(0, left - len(mine or []))
    return {"judged": shown}  # E25


def _judged(
    view: View, context: Context, batch: RecordedBatch, judging: Sequence[Own], resting: Sequence[str]
) -> dict[str, list[Found]] | None:
    """Return what own sets found in a batch, by set; None if what they keep of an object became too large."""
    sets = judges(view, judging, batch.definition)
    if not sets:
        return {}
    forgotten: list[Place] = []
    watch = Watch(view, context, batch, sets, keeping=_keeping(context.member, forgotten), resting=resting)
    for recorded in batch.items:
        watch.item(recorded)
    settled = watch.conclude()
    found = [one for one in watch.found if isinstance(one, Found)]
    for case, judged, _ in () if isinstance(settled, Rejected) else settled:
        for one in judged.found:
            item = Item() if one.by is None else Item(one.by.sequence, one.by.item.get("event"), one.by.hashed.hex())
            found.append(Found(case.judge, case.object_type, case.object_id, one.finding, item))
    view.charge(FINDING_STEPS * len(found) + ENTRY_STEPS * len(batch.items))
    if forgotten:  # E26
        return None
    by_set: dict[str, list[Found]] = {}
    for entry in found:
        by_set.setdefault(entry.judge.id, []).append(entry)
    return by_set


def _figures(items: int, found: Sequence[Found] | None) -> tuple[int, int]:
    """Return how many items of a batch conform, and how many are undetermined; without ``found`` all are."""
    if found is None:
        return 0, items
    violated = {one.item.sequence for one in found if one.finding.verdict is Verdict.VIOLATED}
    unclear = {one.item.sequence for one in found} - violated - {None}
    missed = sum(one.item.sequence is None for one in found)
    return max(0, items - len(violated - {None}) - len(unclear) - missed), len(unclear)


def _count(view: View, member: str, entry: Own, period: int, items: int, conforming: int, undetermined: int) -> None:
    key = use_key(entry["standard"], entry["version"], member)
    view.put(key, series.counted(view.get(key), period, items, conforming, undetermined))


def _shown(one: Found) -> list[Any]:
    rule, verdict = one.finding.rule, one.finding.verdict
    return [rule.id, rule.version, one.object_type, one.object_id, one.item.sequence, verdict.value]


# Deadlines


def _keeping(member: str, forgotten: list[Place]) -> Keeping:
    """Return how the own sets of a member keep monitors; of what is in ``forgotten`` afterwards there was too much."""
    read = partial(_read, member, forgotten)
    return Keeping(read, partial(monitors_key, member), partial(_schedule, member), own=True)


def _read(member: str, forgotten: list[Place], view: View, place: Place) -> Any:
    """Return the monitors of an object, None if reading them took more than they may (E26)."""
    before = view.spent
    value = view.get(monitors_key(member, *place))
    if view.spent - before <= MAX_READ_STEPS:
        return value
    forgotten.append(place)
    return None


def _schedule(member: str, view: View, time_ms: int, place: Place, clock: str) -> None:
    deadlines.add(view, NAME, BLOCK_CLOCK, time_ms, ["own", member, *place])


def passed(view: View, moment: Moment, member: str, place: Place) -> Result:
    """Let what own sets of a member expected of an object by now be missed."""
    forgotten: list[Place] = []
    keeping = _keeping(member, forgotten)
    value = keeping.read(view, place)
    if value is None and not forgotten:
        return {}
    definition: Any = view.get(type_key(place[0]))
    before = own_sets(view, member, place[0])
    entries = fitting(view, before, definition, moment.time_ms)
    if entries != before:
        put_own(view, member, place[0], entries)
        _schedule(member, view, moment.time_ms, place, BLOCK_CLOCK)  # what it takes to see whether they fit is enough
        return {}
    if not entries or forgotten:
        view.delete(monitors_key(member, *place))
        return {}
    judging = [entry for entry in entries if entry["fits"] and in_force_at(entry, moment.time_ms)]
    resting = [set_id(entry) for entry in entries if entry not in judging]
    watched = Watched(place, value, judging_type(judges(view, judging, definition), place[1]), keeping, resting)
    if watched.armed_ms is None or watched.armed_ms > moment.time_ms:
        return {}
    watched.armed_ms = None
    found = watched.expire(moment.time_ms - definition["late_ms"], view.charge, MAX_MISSED)
    view.charge(FINDING_STEPS * len(found))
    watched.write(view, definition["late_ms"])
    domain = domains.entry_of(view, place[0])["domain"]
    return {"missed": list(_missed(view, moment, member, domain, judging, found))} if found else {}


def _missed(
    view: View, moment: Moment, member: str, domain: str, judging: Sequence[Own], found: Sequence[Found]
) -> Iterator[Mapping[str, Any]]:
    """Count by set what was missed as items that do not conform; yield it as the first receipt shows it (E28)."""
    period = domains.period_at(view, moment.time_ms)
    for entry in judging:
        mine = [one for one in found if one.judge.id == set_id(entry)]
        if not mine:
            continue
        counted = 0
        if domain and entry["domain"] == domain:
            rows: Any = view.get(use_key(entry["standard"], entry["version"], member)) or []
            conforming = rows[-1][2] if rows and rows[-1][0] == period else 0
            counted = min(len(mine), conforming)
            _count(view, member, entry, period, 0, -counted, 0)
        named = {"standard": entry["standard"], "version": entry["version"], "member": member, "period": period}
        yield {**named, "counted": counted, "found": [_shown(one) for one in mine]}
