"""The governance contract: members propose what concerns all, a quorum of the validators' members decides.

Law: nothing here is done by one member alone; a proposal that cannot take effect when it is accepted is void and
changes nothing; what is decided stays readable for ever. Rules A1 to A11 of contracts/governance/README.md.

State: ``governance.state``; the version to come is in ``governance.versions``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final, TypeAlias

from coseal.contracts.governance import admissions, ballot, leaving, measures, seats, standing, standing_rows
from coseal.contracts.governance import versions as governance_versions
from coseal.contracts.governance.state import COUNT_KEY, KEYS, NAME, OPEN_KEYS, PROPOSALS_KEY, number_key, proposal_key
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Reader, Rejected, Result, View
from coseal.contracts.kernel.budget import DECISION_STEPS, DUE_EFFECT_STEPS, SIGNATURE_STEPS
from coseal.contracts.kernel.contract import Contract, Entry, Fire, Moment
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.fields import Dependent, Integer, Name, OneOf, Text
from coseal.contracts.kernel.proposals import Case, ProposalKind
from coseal.contracts.kernel.wording import duration_text, moment_text

DEFAULT_OPEN_MS: Final = 7 * DAY_MS
MAX_OPEN_MS: Final = 90 * DAY_MS
MAX_OPEN_OF_MEMBER: Final = 4
MAX_OPEN: Final = 64
"""Open proposals beyond which only members with a vote may make more."""
VOID: Final = "void"
"""Status of a proposal that was accepted when it could not take effect any more."""

Kinds: TypeAlias = Mapping[str, ProposalKind]
"""What can be proposed, by name (``registry.KINDS``)."""


# Actions


def _propose(kinds: Kinds, view: View, context: Context, args: Args) -> Result | Rejected:
    closes_ms = args.get("closes_ms", context.time_ms + DEFAULT_OPEN_MS)
    if view.get(proposal_key(args["id"])) is not None:
        return Rejected("exists", f"there is a proposal {args['id']}; choose another id")
    if not context.time_ms < closes_ms <= context.time_ms + MAX_OPEN_MS:  # A2
        limit, now = duration_text(MAX_OPEN_MS), moment_text(context.time_ms)
        return Rejected("bad_time", f"closes_ms is not within {limit} after block time {now}")
    electorate = ballot.electorate(view)
    kind, case = kinds[args["kind"]], Case(args["id"], context.member, context.height, context.time_ms)
    view.charge(SIGNATURE_STEPS)
    refusal = _check_room(view, context.member, electorate)
    refusal = refusal or kind.admit(context, args["subject"]) or kind.check(view, case, args["subject"])
    if refusal is not None:
        return refusal
    made: Any = view.get(COUNT_KEY) or 0
    number = made + 1
    more = {"reason": args["reason"]} if "reason" in args else {}
    record = ballot.new(
        args["kind"],
        dict(args["subject"]),
        context.member,
        height=context.height,
        opened_ms=context.time_ms,
        closes_ms=closes_ms,
        number=number,
        tx=context.tx_id.hex(),
        **more,
    )
    view.put(COUNT_KEY, number)
    view.put(number_key(number), args["id"])
    view.put(PROPOSALS_KEY, [*_open(view), [args["id"], closes_ms, context.member]])
    deadlines.add(view, NAME, BLOCK_CLOCK, closes_ms, ["close", args["id"]])
    if context.member in electorate:  # A1
        voted = ballot.vote(record, context, ballot.YES, electorate)
        if isinstance(voted, Rejected):
            return voted
        record = voted
    return {**_resolve(kinds, view, args["id"], record, context.height, context.time_ms), "closes_ms": closes_ms}


def _check_room(view: View, member: str, electorate: tuple[str, ...]) -> Rejected | None:
    waiting = _open(view)  # A2
    if sum(row[2] == member for row in waiting) >= MAX_OPEN_OF_MEMBER:
        detail = f"{member} has {MAX_OPEN_OF_MEMBER} open proposals; wait until one is decided"
        return Rejected("too_many_proposals", detail)
    if len(waiting) >= MAX_OPEN and member not in electorate:
        return Rejected("too_many_proposals", f"{len(waiting)} proposals are open; wait until some are decided")
    return None


def _vote(kinds: Kinds, view: View, context: Context, args: Args) -> Result | Rejected:
    record: Any = view.get(proposal_key(args["ballot"]))
    if record is None:
        return Rejected("unknown_ballot", f"there is no proposal {args['ballot']}")
    voted = ballot.vote(record, context, args["choice"], ballot.electorate(view), args.get("reason"))
    if isinstance(voted, Rejected):
        return voted
    result = _resolve(kinds, view, args["ballot"], voted, context.height, context.time_ms)
    return {**result, "choice": args["choice"]}


def _resolve(
    kinds: Kinds,
    view: View,
    proposal_id: str,
    record: dict[str, Any],
    height: int,
    time_ms: int,
    steps: int = DECISION_STEPS,
) -> Result:
    """Write a proposal with what it comes to now, have it take effect if it is accepted, and return its figures."""
    electorate = ballot.electorate(view)
    status = ballot.resolve(record, electorate, time_ms)
    outcome: Result = {}
    if status == ballot.ACCEPTED:
        kind, case = kinds[record["kind"]], Case(proposal_id, record["proposer"], height, time_ms)
        refusal = kind.check(view, case, record["subject"])  # A9
        if refusal is not None:
            status, outcome = VOID, {"code": refusal.code, "detail": refusal.detail}
        else:
            enacted = view.attempt(
                f"{NAME}: {record['kind']}", steps, lambda: kind.enact(view, case, record["subject"])
            )
            if isinstance(enacted, Rejected):  # B11
                status, outcome = ballot.FAILED, {"code": enacted.code, "detail": enacted.detail}
            else:
                outcome = enacted
    decided = {**record, "status": status}
    if status != ballot.OPEN:
        tally = ballot.tally(record, electorate)
        decided |= {"decided": [height, time_ms], "tally": tally, "outcome": outcome}
        view.put(PROPOSALS_KEY, [row for row in _open(view) if row[0] != proposal_id])
    view.put(proposal_key(proposal_id), decided)
    figures = {"ballot": proposal_id, "kind": record["kind"], **ballot.view_of(decided, electorate)}
    figures |= _note(kinds, view, proposal_id, decided)
    return {**figures, "outcome": outcome} if outcome else figures


def _note(kinds: Kinds, reader: Reader, proposal_id: str, record: Mapping[str, Any]) -> Result:
    """Return what the present state says about a proposal that is open, or accepted and not in force yet."""
    accepted = governance_versions.pending(reader) == proposal_id or admissions.pending(reader, proposal_id) is not None
    if record["status"] != ballot.OPEN and not accepted:
        return {}
    return kinds[record["kind"]].note(reader, record["subject"])


# The start of a block


def _begin(view: View, moment: Moment) -> Result:
    """Bring a protocol version and contracts of others into force for the next block, if it is time."""
    version = governance_versions.begin_block(view, moment.height)
    data: Result = {} if version is None else {"protocol_version": version}
    decided = admissions.begin_block(view, moment.height)
    for admission, support in decided:
        if not support.suffices:
            record: Any = view.get(proposal_key(admission.proposal))
            outcome = admissions.void_outcome(admission, support)
            view.put(proposal_key(admission.proposal), {**record, "status": VOID, "outcome": outcome})
    if decided:
        data["contracts"] = [admissions.decided_document(*each) for each in decided]
    return {**data, **seats.begin_block(view, moment.height)}


def _due(view: View, time_ms: int) -> Entry | None:
    return deadlines.take(view, NAME, BLOCK_CLOCK, time_ms)


_FIRES: Final[Mapping[str, Fire]] = {
    standing.SUSPENSION: standing.end_suspension,
    leaving.NOTICE: leaving.end_notice,
    measures.END: measures.end_measure,
}


def _fire(kinds: Kinds, view: View, moment: Moment, entry: Entry) -> Result:
    """Do what is due: close a proposal whose time is over, or what the standing of members has it."""
    if entry[0] in _FIRES:
        return _FIRES[entry[0]](view, moment, entry)
    proposal_id = entry[1]
    record: Any = view.get(proposal_key(proposal_id))
    if record["status"] != ballot.OPEN:
        return {}
    return {"closed": [_resolve(kinds, view, proposal_id, record, moment.height, moment.time_ms, DUE_EFFECT_STEPS)]}


def _next_deadline_ms(reader: Reader) -> int | None:
    return 0 if seats.is_stepping_down(reader) else deadlines.earliest_ms(reader, NAME, BLOCK_CLOCK)


def _open(reader: Reader) -> list[Any]:
    """Return the open proposals as ``[id, closes_ms, proposer]``, oldest first."""
    rows: Any = reader.get(PROPOSALS_KEY)
    return rows or []


# Queries: every result is JSON-able


def proposal(reader: Reader, proposal_id: str, kinds: Kinds) -> dict[str, Any] | None:
    """Return a proposal with its votes and how it stands, or None.

    ``status`` is open, accepted, rejected, expired, void or failed. While it is open, ``yes``, ``no``, ``needed`` and
    ``electorate`` are of the members that have a vote now, afterwards of those that had one then. ``outcome`` is what
    it did, or for void and failed the ``code`` and ``detail`` of what stood against it; ``decided`` is null before.
    A protocol version that is not in force yet has ``software``: which validators are ``having`` it, which ``lacking``.
    """
    record: Any = reader.get(proposal_key(proposal_id))
    if record is None:
        return None
    votes = [
        {"member": member, "choice": choice, "height": height, "tx": tx, "reason": record["reasons"].get(member)}
        for member, (choice, height, tx) in sorted(record["votes"].items())
    ]
    decided = record.get("decided")
    same = ("number", "kind", "subject", "proposer", "status", "height", "tx", "opened_ms", "closes_ms")
    return {
        "id": proposal_id,
        **{name: record[name] for name in same},
        "reason": record.get("reason"),
        "votes": votes,
        **ballot.tally(record, ballot.electorate(reader)),
        "decided": None if decided is None else {"height": decided[0], "time_ms": decided[1]},
        "outcome": record.get("outcome", {}),
        **_note(kinds, reader, proposal_id, record),
    }


def proposals(
    reader: Reader, kinds: Kinds, status: str | None = None, *, limit: int = 100, before: int | None = None
) -> list[dict[str, Any]]:
    """Return at most ``limit`` proposals, newest first, of one status if given.

    ``before``: only those with a lower ``number``, for the next page. Open ones are found without looking at others.
    """
    if status == ballot.OPEN:
        found = [proposal(reader, row[0], kinds) for row in reversed(_open(reader))]
        shown = [item for item in found if item is not None and (before is None or item["number"] < before)]
        return shown[:limit]
    newest: Any = reader.get(COUNT_KEY) or 0
    page: list[dict[str, Any]] = []
    for number in range(min(newest, newest if before is None else before - 1), 0, -1):
        proposal_id: Any = reader.get(number_key(number))
        item = proposal(reader, proposal_id, kinds)
        if item is not None and status in (None, item["status"]):
            page.append(item)
        if len(page) == limit:
            break
    return page


# The table


def contract(kinds: Kinds) -> Contract:
    """Return the contract by which these kinds of proposals can be decided."""
    proposal = Arguments(
        {
            "id": Name(),
            "kind": OneOf(*kinds),
            "subject": Dependent("kind", {name: kind.subject for name, kind in kinds.items()}),
        },
        {"closes_ms": Integer(0), "reason": Text(high=ballot.MAX_REASON_CHARACTERS)},
    )
    return Contract(
        name=NAME,
        actions={
            "propose": Action(
                arguments=proposal,
                apply=partial(_propose, kinds),
                title="Propose a change of the validators, the members or the rules",
                example={"id": "second-node", "kind": "add_validator", "subject": dict(kinds["add_validator"].example)},
                capability="operate",
                pausable=False,
            ),
            "vote": Action(
                arguments=Arguments(ballot.VOTE_FIELDS, ballot.VOTE_OPTIONS),
                apply=partial(_vote, kinds),
                title="Vote on a proposal for the own member",
                example={"ballot": "second-node", "choice": "yes", "reason": "It has been caught up for a week"},
                capability="operate",
                pausable=False,
            ),
            **leaving.ACTIONS,
        },
        begin=_begin,
        due=_due,
        fire=partial(_fire, kinds),
        next_deadline_ms=_next_deadline_ms,
        tables=standing_rows.TABLES,
        rows=standing_rows.writer,
        lists=standing_rows.LISTS,
        keys=KEYS,
        open_keys=OPEN_KEYS,
        decisions=("close",),
    )
