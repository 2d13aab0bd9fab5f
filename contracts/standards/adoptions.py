"""Members try a standard on their own sources, adopt it for themselves, and end that.

Law: a member decides for itself alone; what it ends stays in its history; nobody else's batch costs more for it.

contracts/standards/README.md, E12 to E15.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.kernel.action import SUSPENDED, Action, Args, Arguments, Context, Rejected, Result, View
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.fields import Integer, Many, Reference, Text
from coseal.contracts.kernel.wording import moment_text
from coseal.contracts.process.state import source_key
from coseal.contracts.standards import own, series
from coseal.contracts.standards.records import (
    IN_USE,
    MAX_HISTORY,
    NAMED,
    PROPOSED,
    Standard,
    change_open,
    found,
    head_of,
    in_force,
    marked,
)
from coseal.contracts.standards.state import adopters_key, adoption_key, standard_key

TRIAL: Final = "trial"
ADOPTED: Final = "adopted"
NOTICE_MS: Final = 30 * DAY_MS
MAX_EFFECTIVE_MS: Final = 366 * DAY_MS

Adoption = dict[str, Any]


def in_force_at(adoption: Mapping[str, Any] | None, time_ms: int) -> bool:
    """Say whether a trial or an adoption is in force at a block time."""
    if adoption is None or time_ms < adoption["from_ms"]:
        return False
    return adoption["until_ms"] is None or time_ms < adoption["until_ms"]


def covers(adoption: Mapping[str, Any] | None, source: str, time_ms: int) -> bool:
    """Say whether what a source (without its member) records at a block time counts under a trial or an adoption."""
    return adoption is not None and in_force_at(adoption, time_ms) and source in (adoption["sources"] or (source,))


def _try(view: View, context: Context, args: Args) -> Result | Rejected:
    return _take_up(view, context, args, TRIAL, context.time_ms)


def _adopt(view: View, context: Context, args: Args) -> Result | Rejected:
    effective_ms = args.get("effective_ms", context.time_ms)
    if not context.time_ms <= effective_ms <= context.time_ms + MAX_EFFECTIVE_MS:
        now = moment_text(context.time_ms)
        return Rejected("bad_time", f"args.effective_ms is not within 366 days from block time {now} on")
    return _take_up(view, context, args, ADOPTED, effective_ms)


def _take_up(view: View, context: Context, args: Args, mode: str, from_ms: int) -> Result | Rejected:
    standard, version, member = args["standard"], args["version"], context.member
    record = in_force(view, args)
    if isinstance(record, Rejected):
        return record
    if "sunset_ms" in record:  # E16
        return Rejected("not_open", f"{standard} {version} ends on {moment_text(record['sunset_ms'])}")
    key = adoption_key(standard, version, member)
    before: Any = view.get(key)
    if _stands_in_the_way(before, mode, context.time_ms):  # E12
        return Rejected("already_adopted", f"{member} tries or has adopted {standard} {version} already")
    sources = args.get("sources", [])
    for source in sources:
        if view.get(source_key(f"{member}/{source}")) is None:
            return Rejected("unknown_source", f"{member} has no source {source}; register it first")
    adoption = {"mode": mode, "sources": list(sources), "from_ms": from_ms, "until_ms": None}
    if "process_type" in record:
        domain = head_of(view, standard)["domain"]
        refusal = own.enter(view, context, {**record, "domain": domain}, (standard, version), adoption)
        if refusal is not None:
            return refusal
    if before is None:
        series.append(view, lambda page: adopters_key(standard, version, page), record["adopters"], member)
        record = {**record, "adopters": record["adopters"] + 1}
    history = [] if before is None else before["history"]
    view.put(key, {**adoption, "history": [*history, [mode, context.height, context.time_ms]][-MAX_HISTORY:]})
    if record["status"] == PROPOSED and member != record["member"]:  # E10
        record = marked(record, IN_USE, context.height, context.time_ms)
        change_open(view, record["member"], -1)
    view.put(standard_key(standard, version), record)
    return {"standard": standard, "version": version, **adoption, "status": record["status"]}


def _stands_in_the_way(before: Mapping[str, Any] | None, mode: str, time_ms: int) -> bool:
    """Say whether a trial or an adoption is not over; a trial may become an adoption."""
    if before is None or (before["until_ms"] is not None and before["until_ms"] <= time_ms):
        return False
    return mode == TRIAL or before["mode"] == ADOPTED


def _end(view: View, context: Context, args: Args) -> Result | Rejected:
    record: Standard | Rejected = found(view, args)
    if isinstance(record, Rejected):
        return record
    key = adoption_key(args["standard"], args["version"], context.member)
    before: Any = view.get(key)
    if before is None or before["until_ms"] is not None:
        why = "has not adopted or tried it" if before is None else f"ends it on {moment_text(before['until_ms'])}"
        return Rejected("not_adopted", f"{context.member} {why}")
    now_ms = context.time_ms
    notice = before["mode"] == ADOPTED and before["from_ms"] <= now_ms
    until_ms = now_ms + NOTICE_MS if notice else now_ms  # E13
    history = [*before["history"], ["ended", context.height, now_ms]][-MAX_HISTORY:]
    view.put(key, {**before, "until_ms": until_ms, "history": history})
    if "process_type" in record:
        own.end(view, context.member, record["process_type"], (args["standard"], args["version"]), until_ms)
    named = {"standard": args["standard"], "version": args["version"], "mode": before["mode"]}
    return {**named, "until_ms": until_ms, "reason": args["reason"]}


_EXAMPLE: Final = {"standard": "lending-events", "version": 1}
_sources: Final = {"sources": Many(Reference(), low=1, high=64, unique=True)}

ACTIONS: Final[dict[str, Action]] = {
    "try": Action(
        arguments=Arguments(NAMED, _sources),
        apply=_try,
        title="Try a standard on the own sources, which commits to nothing",
        example={**_EXAMPLE, "sources": ["loans-log"]},
    ),
    "adopt": Action(
        arguments=Arguments(NAMED, {**_sources, "effective_ms": Integer(0)}),
        apply=_adopt,
        title="Adopt a standard for the own member",
        example=_EXAMPLE,
        capability="operate",
    ),
    "end_adoption": Action(
        arguments=Arguments({**NAMED, "reason": Text(high=1_000)}),
        apply=_end,
        title="End a trial, or an adoption 30 days later",
        example={**_EXAMPLE, "reason": "Version 2 names the lender"},
        capability="operate",
        standing=SUSPENDED,
        pausable=False,
    ),
}
