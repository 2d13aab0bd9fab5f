"""The life of a version: proposed, taken up or lapsed, superseded or deprecated, and ended at its sunset.

Law: what a version says never changes; nobody but its proposer ends it, or a ballot that upheld a dispute; it ends for
everybody at a moment known 30 days before.

contracts/standards/README.md, E7 to E11 and E16 to E18.
"""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Rejected, Result, View
from coseal.contracts.kernel.budget import ENTRY_STEPS
from coseal.contracts.kernel.contract import Moment
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.fields import Identifier, Integer, Label, Many, OneOf, Text, Translatable
from coseal.contracts.standards import content, domains, own, series
from coseal.contracts.standards.content import CONTENT, PROCESS_TYPE
from coseal.contracts.standards.records import (
    ENDED,
    LAPSED,
    NAMED,
    OVER,
    PROPOSED,
    Standard,
    change_open,
    head_of,
    in_force,
    marked,
    owned,
    record_of,
    standard_id,
    version_field,
)
from coseal.contracts.standards.state import (
    NAME,
    adopters_key,
    adoption_key,
    content_key,
    head_key,
    open_key,
    standard_key,
)

LAPSE_MS: Final = 180 * DAY_MS
MAX_OPEN: Final = 16
NOTICE: Final = Integer(30 * DAY_MS, 3 * 366 * DAY_MS)
"""How long before a version ends that is said, in ms."""
_EXAMPLE: Final = {"standard": "lending-events", "version": 1}


# Proposing


def _propose(view: View, context: Context, args: Args) -> Result | Rejected:
    standard, version, domain = args["standard"], args["version"], args["domain"]
    refusal = _check_version(view, context, args)
    refusal = refusal or content.check(view, context, args["kind"], args["content"]) or _check_room(view, context, args)
    if refusal is not None:
        return refusal
    view.put(head_key(standard), _head(context, args))
    digest = content.digest_of(args["kind"], args["content"])
    record: Standard = {"kind": args["kind"], "title": args["title"], "patents": args.get("patents", [])}
    if args["kind"] in content.JUDGING:
        record["process_type"] = content.judged_type(args["content"])
        record["compile_steps"] = content.compile_steps(args["content"])
    record |= {"digest": digest, "member": context.member, "tx": context.tx_id.hex(), "adopters": 0, "history": []}
    view.put(standard_key(standard, version), marked(record, PROPOSED, context.height, context.time_ms))
    view.put(content_key(standard, version), dict(args["content"]))
    change_open(view, context.member, 1)
    domains.enter(view, domain, [[standard, version]], domains.next_period_ms(view, context.time_ms))
    if args["kind"] == PROCESS_TYPE:
        named = args["content"]
        domains.name_standard(view, named["process_type"], domain, [standard, version], named["definition"])
    lapses_ms = context.time_ms + LAPSE_MS
    deadlines.add(view, NAME, BLOCK_CLOCK, lapses_ms, ["lapse", standard, version])
    same = {name: args[name] for name in ("standard", "version", "kind", "domain")}
    return {**same, "digest": digest, "status": PROPOSED, "lapses_ms": lapses_ms}


def _head(context: Context, args: Args) -> Result:
    return {"member": context.member, "kind": args["kind"], "domain": args["domain"], "latest": args["version"]}


def _check_version(view: View, context: Context, args: Args) -> Rejected | None:
    standard, head = args["standard"], head_of(view, args["standard"])
    latest = 0 if head is None else head["latest"]
    if head is not None and head["member"] != context.member:  # E7
        return Rejected("not_owner", f"{standard} is a standard of {head['member']}; choose another id")
    if args["version"] != latest + 1:
        return Rejected("version", f"expected version {latest + 1} of {standard}, got {args['version']}")
    for name in ("kind", "domain") if head is not None else ():
        if args[name] != head[name]:
            return Rejected("exists", f"{standard} has the {name} {head[name]}; choose another id for another one")
    return None


def _check_room(view: View, context: Context, args: Args) -> Rejected | None:
    waiting: Any = view.get(open_key(context.member)) or 0
    if waiting >= MAX_OPEN:  # E11
        detail = f"{context.member} has {waiting} standards that nobody else has taken up; wait until some lapse"
        return Rejected("limit", detail)
    if args["kind"] in content.JUDGING:
        refusal = domains.check_type(view, content.judged_type(args["content"]), args["domain"])
        if refusal is not None:
            return refusal
    if args["kind"] == PROCESS_TYPE:
        process_type, standard = args["content"]["process_type"], args["standard"]
        entry: Any = domains.entry_of(view, process_type)
        if "standard" in entry and entry["standard"][0] != standard:  # E9
            return Rejected(
                "exists", f"{process_type} is the standard {entry['standard'][0]}; propose its next version"
            )
        refusal = domains.check_type(view, process_type, args["domain"])
        if refusal is not None:
            return refusal
    return domains.check_room(view, args["domain"])


def lapse(view: View, moment: Moment, standard: str, version: int) -> Result:
    """Have a version that nobody else took up give up its place."""
    record = record_of(view, standard, version)
    if isinstance(record, Rejected) or record["status"] != PROPOSED:
        return {}
    if moment.time_ms < record["history"][-1][2] + LAPSE_MS:  # proposed again since
        return {}
    _close(view, standard, version, marked(record, LAPSED, moment.height, moment.time_ms))  # E10
    change_open(view, record["member"], -1)
    if "process_type" in record:
        own.end(view, record["member"], record["process_type"], (standard, version), moment.time_ms)
    return {"lapsed": [{"standard": standard, "version": version}]}


def _close(view: View, standard: str, version: int, record: Standard) -> None:
    """Write a version that is over, which competes and counts no longer."""
    view.put(standard_key(standard, version), record)
    domains.leave(view, head_of(view, standard)["domain"], [[standard, version]])
    if record["kind"] == PROCESS_TYPE:
        named: Any = view.get(content_key(standard, version))
        domains.forget_standard(view, named["process_type"], [standard, version])


# Ending


def _supersede(view: View, context: Context, args: Args) -> Result | Rejected:
    successor = [args["successor"], args["successor_version"]]
    if successor == [args["standard"], args["version"]]:
        return Rejected("unknown_standard", "a standard is no successor of itself")
    following = in_force(view, {"standard": successor[0], "version": successor[1]})
    return following if isinstance(following, Rejected) else _end(view, context, args, successor)


def _deprecate(view: View, context: Context, args: Args) -> Result | Rejected:
    return _end(view, context, args, None)


def _end(view: View, context: Context, args: Args, successor: list[Any] | None) -> Result | Rejected:
    record = owned(view, args, context.member)
    if isinstance(record, Rejected):
        return record
    if "sunset_ms" in record:
        return Rejected("already_deprecated", f"{args['standard']} {args['version']} ends already")
    more = {"reason": args["reason"], **({} if successor is None else {"successor": successor})}
    return set_sunset(view, args["standard"], args["version"], record, context.time_ms + args["notice_ms"], more)


def set_sunset(
    view: View, standard: str, version: int, record: Standard, sunset_ms: int, more: dict[str, Any]
) -> Result:
    """Have a version end at a moment; ``more`` is why, and what follows it."""
    view.put(standard_key(standard, version), {**record, **more, "sunset_ms": sunset_ms})
    deadlines.add(view, NAME, BLOCK_CLOCK, sunset_ms, ["sunset", standard, version])  # E16
    return {"standard": standard, "version": version, "adopters": record["adopters"], **more, "sunset_ms": sunset_ms}


def deprecate_by_ballot(view: View, standard: str, version: int, sunset_ms: int, ballot: str) -> None:
    """Have a version end that a ballot decided against, unless it does already."""
    record = record_of(view, standard, version)
    if not isinstance(record, Rejected) and record["status"] not in OVER and "sunset_ms" not in record:
        set_sunset(view, standard, version, record, sunset_ms, {"reason": f"proposal {ballot}"})


def sunset(view: View, moment: Moment, standard: str, version: int, page: int) -> Result:
    """End a version, and say page by page who is still on it."""
    record = record_of(view, standard, version)
    if isinstance(record, Rejected) or (page == 0 and record["status"] in OVER):
        return {}
    if page == 0:
        if record["status"] == PROPOSED:
            change_open(view, record["member"], -1)
        _close(view, standard, version, marked(record, ENDED, moment.height, moment.time_ms))
    members = series.on_page(view, adopters_key(standard, version, page))
    view.charge(ENTRY_STEPS * len(members))
    on_it = []
    for member in members:
        adoption: Any = view.get(adoption_key(standard, version, member))
        if adoption["until_ms"] is None or adoption["until_ms"] > moment.time_ms:
            on_it.append(member)
            if "process_type" in record:  # E30
                own.end(view, member, record["process_type"], (standard, version), moment.time_ms)
    if page + 1 < series.pages(record["adopters"]):
        deadlines.add(view, NAME, BLOCK_CLOCK, moment.time_ms, ["sunset", standard, version, page + 1])
    return {"ended": [{"standard": standard, "version": version, "page": page, "members": on_it}]}  # E17


# The table

ACTIONS: Final[dict[str, Action]] = {
    "propose": Action(
        arguments=Arguments(
            {
                **NAMED,
                "kind": OneOf(*content.KINDS),
                "domain": Identifier(slash=False),
                "title": Translatable(),
                "content": CONTENT,
            },
            {"patents": Many(Label(high=256), high=16)},
        ),
        apply=_propose,
        title="Propose a standard, or its next version, for others to try and adopt",
        example={
            **_EXAMPLE,
            "kind": "format",
            "domain": "event-logs",
            "title": "OCEL 2.0",
            "content": {"name": "OCEL 2.0", "sha256": "00" * 32, "place": "https://www.ocel-standard.org"},
        },
    ),
    "supersede": Action(
        arguments=Arguments(
            {
                **NAMED,
                "successor": standard_id,
                "successor_version": version_field,
                "notice_ms": NOTICE,
                "reason": Text(high=1_000),
            }
        ),
        apply=_supersede,
        title="Have an own standard followed by another one, and end at a moment known before",
        example={
            **_EXAMPLE,
            "successor": "lending-events",
            "successor_version": 2,
            "notice_ms": 90 * DAY_MS,
            "reason": "Version 2 names the lender",
        },
        capability="operate",
    ),
    "deprecate": Action(
        arguments=Arguments({**NAMED, "notice_ms": NOTICE, "reason": Text(high=1_000)}),
        apply=_deprecate,
        title="Have an own standard end at a moment known before",
        example={**_EXAMPLE, "notice_ms": 90 * DAY_MS, "reason": "Its domain is gone"},
        capability="operate",
    ),
}
