"""The governance contract: members propose what concerns all, a quorum of the validators' members decides.

Law: nothing here is done by one member alone; a proposal that cannot take effect when it is accepted is void and
changes nothing; what is decided stays readable for ever. Rules A1 to A11 of contracts/governance/README.md.

State: ``governance.state``; the version to come is in ``governance.versions``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from itertools import islice
from typing import Any, Final, TypeAlias

from coseal.contracts.governance import (
    admissions,
    amendment,
    announced,
    ballot,
    electorate,
    founding,
    leaving,
    measures,
    proposal_rows,
    seats,
    standing,
    standing_rows,
)
from coseal.contracts.governance import versions as governance_versions
from coseal.contracts.governance.document import VALIDATORS
from coseal.contracts.governance.state import (
    COUNT_KEY,
    KEYS,
    NAME,
    OPEN_KEYS,
    PROPOSALS_KEY,
    number_key,
    proposal_key,
    subject_key,
)
from coseal.contracts.kernel.action import (
    SUSPENDED,
    Accepted,
    Action,
    Args,
    Arguments,
    Context,
    Reader,
    Rejected,
    Result,
    View,
)
from coseal.contracts.kernel.budget import DECISION_STEPS, DUE_EFFECT_STEPS, SIGNATURE_STEPS
from coseal.contracts.kernel.contract import Contract, Entry, Fire, Moment
from coseal.contracts.kernel.evidence import EVIDENCE
from coseal.contracts.kernel.fields import Dependent, Integer, Name, OneOf, Text
from coseal.contracts.kernel.proposals import Case, ProposalKind
from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.writer import Writer, together

MAX_OPEN_OF_MEMBER: Final = 4
MAX_OPEN: Final = 64
"""Open proposals beyond which only members with a vote may make more."""
VOID: Final = "void"
"""Status of a proposal that was accepted when it could not take effect any more."""

Kinds: TypeAlias = Mapping[str, ProposalKind]
"""What can be proposed, by name (``registry.KINDS``)."""


# Actions


def _propose(kinds: Kinds, view: View, context: Context, args: Args) -> Result | Rejected:
    if view.get(proposal_key(args["id"])) is not None:
        return Rejected("exists", f"there is a proposal {args['id']}; choose another id")
    track = ballot.track_of(view, NAME, args["kind"])
    closes_ms = ballot.closing(track, context.time_ms, args.get("closes_ms"))
    if isinstance(closes_ms, Rejected):
        return closes_ms
    kind, subject = kinds[args["kind"]], args["subject"]
    case = Case(args["id"], context.member, context.height, context.time_ms)
    view.charge(SIGNATURE_STEPS)
    refusal = ballot.reason_missing(track, ballot.YES, args.get("reason"), proposing=True)
    refusal = refusal or _check_room(view, context.member)
    refusal = refusal or kind.admit(context, subject) or kind.check(view, case, subject)
    if refusal is not None:
        return refusal
    made: Any = view.get(COUNT_KEY) or 0
    number = made + 1
    more = {"reason": args["reason"]} if "reason" in args else {}
    electorate.acted(view, context.member, context.time_ms)
    record = ballot.new(
        view,
        NAME,
        args["id"],
        args["kind"],
        context.member,
        track,
        height=context.height,
        opened_ms=context.time_ms,
        closes_ms=closes_ms,
        concerned=kind.concerned(subject),
        newcomer=kind.newcomer(subject),
        number=number,
        tx=context.tx_id.hex(),
        **more,
    )
    view.put(COUNT_KEY, number)
    view.put(number_key(number), args["id"])
    view.put(subject_key(args["id"]), dict(subject))
    view.put(PROPOSALS_KEY, [*_undecided(view), [args["id"], closes_ms, context.member]])
    voted = ballot.vote(view, NAME, args["id"], record, track, context, ballot.YES, args.get("reason"))
    if not isinstance(voted, Rejected):  # A1
        record = voted
    poll = ballot.poll_on(view, track, record)
    return {
        **_advance(kinds, view, args["id"], record, poll, (context.height, context.time_ms)),
        "closes_ms": closes_ms,
    }


def _check_room(view: View, member: str) -> Rejected | None:
    waiting = _undecided(view)  # A2
    if sum(row[2] == member for row in waiting) >= MAX_OPEN_OF_MEMBER:
        detail = f"{member} has {MAX_OPEN_OF_MEMBER} open proposals; wait until one is decided"
        return Rejected("too_many_proposals", detail)
    seat = electorate.seat(view, member)
    if len(waiting) >= MAX_OPEN and (seat is None or not seat.counts_in(VALIDATORS)):
        return Rejected("too_many_proposals", f"{len(waiting)} proposals are open; wait until some are decided")
    return None


def _vote(kinds: Kinds, view: View, context: Context, args: Args) -> Result | Rejected:
    record: Any = view.get(proposal_key(args["ballot"]))
    if record is None:
        return _unknown(args["ballot"])
    track = ballot.track_of(view, NAME, record["kind"])
    voted = ballot.vote(view, NAME, args["ballot"], record, track, context, args["choice"], args.get("reason"))
    if isinstance(voted, Rejected):
        return voted
    poll = ballot.poll_on(view, track, voted)
    result = _advance(kinds, view, args["ballot"], voted, poll, (context.height, context.time_ms))
    return {**result, "choice": args["choice"]}


def _withdraw(kinds: Kinds, view: View, context: Context, args: Args) -> Result | Rejected:
    proposal_id = args["proposal"]
    record: Any = view.get(proposal_key(proposal_id))
    if record is None:
        return _unknown(proposal_id)
    if record["proposer"] != context.member:
        return Rejected("not_proposer", f"{record['proposer']} proposed {proposal_id} and alone may withdraw it")
    if record["status"] != ballot.OPEN:
        return Rejected("not_open", f"{proposal_id} is {record['status']}")
    withdrawn = ballot.withdraw(view, NAME, proposal_id, record, context.height, context.time_ms)
    outcome = {"reason": args["reason"]} if "reason" in args else {}
    return _settle(kinds, view, proposal_id, {**withdrawn, "outcome": outcome}, ballot.poll_of(view, NAME, withdrawn))


def _appeal(kinds: Kinds, view: View, context: Context, args: Args) -> Result | Rejected:
    proposal_id = args["proposal"]
    record: Any = view.get(proposal_key(proposal_id))
    if record is None:
        return _unknown(proposal_id)
    if record.get("concerned") != context.member:
        return Rejected("not_concerned", f"{proposal_id} is not about {context.member}")
    if record["round"] > 1:  # Q18
        return Rejected("already_appealed", f"{proposal_id} was appealed against; it is decided in its second round")
    if record["status"] == ballot.OPEN:
        return Rejected("not_passed", f"{proposal_id} is open; an appeal is against what passed")
    if record["status"] != ballot.PASSED:
        return Rejected("too_late", f"{proposal_id} is {record['status']}")
    again = ballot.reopen(view, NAME, proposal_id, record, context.time_ms)
    again["appeal"] = [context.height, context.tx_id.hex(), args["reason"], list(args.get("evidence", ()))]
    result = _settle(kinds, view, proposal_id, again, ballot.poll_of(view, NAME, again))
    return {**result, "round": again["round"], "closes_ms": again["closes_ms"]}


def _unknown(proposal_id: str) -> Rejected:
    return Rejected("unknown_ballot", f"there is no proposal {proposal_id}")


def _advance(
    kinds: Kinds,
    view: View,
    proposal_id: str,
    record: dict[str, Any],
    poll: ballot.Poll,
    now: tuple[int, int],
    steps: int = DECISION_STEPS,
) -> Result:
    """Write the present proposal, have it take effect if it is accepted, and return its figures.

    ``now`` is the height and block time.
    """
    decided = ballot.advance(view, NAME, proposal_id, record, poll, *now)
    if decided["status"] == ballot.ACCEPTED:
        subject: Any = view.get(subject_key(proposal_id))
        kind, case = kinds[record["kind"]], Case(proposal_id, record["proposer"], *now)
        refusal = kind.check(view, case, subject)  # A9
        if refusal is not None:
            decided |= {"status": VOID, "outcome": {"code": refusal.code, "detail": refusal.detail}}
        else:
            enacted = view.attempt(f"{NAME}: {record['kind']}", steps, lambda: kind.enact(view, case, subject))
            if isinstance(enacted, Rejected):  # B11
                decided |= {"status": ballot.FAILED, "outcome": {"code": enacted.code, "detail": enacted.detail}}
            else:
                decided["outcome"] = enacted
    return _settle(kinds, view, proposal_id, decided, poll)


def _settle(kinds: Kinds, view: View, proposal_id: str, record: dict[str, Any], poll: ballot.Poll) -> Result:
    """Write a proposal, and return its figures."""
    if record["status"] not in ballot.UNDECIDED:
        view.put(PROPOSALS_KEY, [row for row in _undecided(view) if row[0] != proposal_id])
    view.put(proposal_key(proposal_id), record)
    figures = {"ballot": proposal_id, "kind": record["kind"], **ballot.figures(record, poll)}
    figures |= _note(kinds, view, proposal_id, record)
    outcome = record.get("outcome")
    return {**figures, "outcome": outcome} if outcome else figures


def _note(kinds: Kinds, reader: Reader, proposal_id: str, record: Mapping[str, Any]) -> Result:
    """Return what the present state says about a proposal that is open, or accepted and not in force yet."""
    accepted = governance_versions.pending(reader) == proposal_id or admissions.pending(reader, proposal_id) is not None
    if record["status"] not in ballot.UNDECIDED and not accepted:
        return {}
    subject: Any = reader.get(subject_key(proposal_id))
    return kinds[record["kind"]].note(reader, subject)


# The start of a block


def _begin(view: View, moment: Moment) -> Result:
    """Bring a protocol version and contracts of others into force for the next block, if it is time."""
    electorate.begin(view, moment)
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


_FIRES: Final[Mapping[str, Fire]] = {
    standing.SUSPENSION: standing.end_suspension,
    leaving.NOTICE: leaving.end_notice,
    electorate.SEAT: electorate.fire,
    electorate.PRESENCE: electorate.fire,
    amendment.RETIME: amendment.fire,
    measures.END: measures.end_measure,
}


def _fire(kinds: Kinds, view: View, moment: Moment, entry: Entry) -> Result | Accepted:
    """See what became of a proposal whose hearing, opening or delay is over, or do what else is due."""
    if entry[0] in _FIRES:
        return _FIRES[entry[0]](view, moment, entry)
    proposal_id = entry[1]
    record: Any = view.get(proposal_key(proposal_id))
    if record["status"] not in ballot.UNDECIDED:
        return {}
    poll = ballot.poll_of(view, NAME, record)
    result = _advance(kinds, view, proposal_id, record, poll, (moment.height, moment.time_ms), DUE_EFFECT_STEPS)
    return {} if result["status"] == record["status"] else {"closed": [result]}


def _undecided(reader: Reader) -> list[Any]:
    """Return the proposals that are open or wait for their delay as ``[id, closes_ms, proposer]``, oldest first."""
    rows: Any = reader.get(PROPOSALS_KEY)
    return rows or []


# Queries: every result is JSON-able


def proposal(reader: Reader, proposal_id: str, kinds: Kinds, *, with_votes: bool = True) -> dict[str, Any] | None:
    """Return a proposal with its votes and how it stands, or None.

    ``status`` is open, passed (it waits for its delay), accepted, rejected, expired, withdrawn, void or failed. Figures
    are of the members that have a vote now, or of those that had one when it was decided: ``yes``, ``no``, ``abstain``,
    ``needed``, ``of``, and ``constituencies``. ``outcome`` is what it did, or for void and failed the ``code`` and
    ``detail`` of what stood against it; ``decided`` is null before. A protocol version that is not in force yet has
    ``software``: which validators are ``having`` it, which ``lacking``. Without votes, ``votes`` and ``electorate``
    are left out.
    """
    record: Any = reader.get(proposal_key(proposal_id))
    if record is None:
        return None
    decided, appeal = record.get("decided"), record.get("appeal")
    same = ("number", "kind", "proposer", "height", "tx", "opened_ms", "closes_ms")
    subject: Any = reader.get(subject_key(proposal_id))
    stands = (ballot.shown if with_votes else ballot.stands)(reader, NAME, proposal_id, record)
    return {
        "id": proposal_id,
        **{name: record[name] for name in same},
        "subject": subject,
        "reason": record.get("reason"),
        "concerned": record.get("concerned"),
        **stands,
        "decided": None if decided is None else {"height": decided[0], "time_ms": decided[1]},
        "appeal": None if appeal is None else dict(zip(("height", "tx", "reason", "evidence"), appeal, strict=True)),
        "outcome": record.get("outcome", {}),
        **_note(kinds, reader, proposal_id, record),
    }


def proposals(
    reader: Reader, kinds: Kinds, status: str | None = None, *, limit: int = 100, before: int | None = None
) -> list[dict[str, Any]]:
    """Return at most ``limit`` proposals without their votes, newest first, of one status if given.

    ``before``: only those with a lower ``number``, for the next page. Open ones are found without looking at others.
    """
    newest: Any = reader.get(COUNT_KEY) or 0
    ids: Iterable[Any]
    if status in ballot.UNDECIDED:
        ids = (row[0] for row in reversed(_undecided(reader)))
    else:
        ids = (reader.get(number_key(number)) for number in range(newest, 0, -1))
    found = (proposal(reader, proposal_id, kinds, with_votes=False) for proposal_id in ids)
    fitting = (
        item
        for item in found
        if item is not None and status in (None, item["status"]) and (before is None or item["number"] < before)
    )
    return list(islice(fitting, limit))


# The table


def _writer(rows: Rows) -> Writer:
    return together(proposal_rows.writer(rows), standing_rows.writer(rows))


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
        install=founding.install,
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
            "withdraw": Action(
                arguments=Arguments({"proposal": Name()}, ballot.VOTE_OPTIONS),
                apply=partial(_withdraw, kinds),
                title="Withdraw an own proposal that is open",
                example={"proposal": "second-node", "reason": "The machine is not ready"},
                capability="operate",
                pausable=False,
            ),
            "appeal": Action(
                arguments=Arguments({"proposal": Name(), **ballot.VOTE_OPTIONS}, {"evidence": EVIDENCE}),
                apply=partial(_appeal, kinds),
                title="Appeal against a decision about the own member that has not taken effect",
                example={"proposal": "suspend-bank-a", "reason": "The finding it rests on was withdrawn"},
                capability="operate",
                standing=SUSPENDED,
                pausable=False,
            ),
            **leaving.ACTIONS,
        },
        begin=_begin,
        fire=partial(_fire, kinds),
        waits=seats.is_stepping_down,
        tables=(*proposal_rows.TABLES, *standing_rows.TABLES),
        rows=_writer,
        events={"decision": announced.decisions(NAME, "closed"), "measure": announced.measures},
        lists=standing_rows.LISTS,
        keys=KEYS,
        open_keys=OPEN_KEYS,
        decisions=("ballot",),
    )
