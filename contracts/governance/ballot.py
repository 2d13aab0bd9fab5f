"""Ballots of any contract: opened, voted on, decided by the track of their kind in the constitution in force.

Law: what a ballot comes to follows from its tally, the present electorate, the constitution in force and block time
alone; a vote is final within its round; a ballot that is decided, or whose time is over, takes no vote.

A ballot is a map in state under ``<contract>/ballot/<id>``; what it decides is the contract's matter. A vote is a key
of its own, so that nothing grows with the votes. Rules of docs/spec/constitution.md and A1 to A9.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from coseal.contracts.governance import electorate, in_force
from coseal.contracts.governance import resolution as rule
from coseal.contracts.governance.document import VALIDATORS
from coseal.contracts.governance.resolution import Clock, Count, Status, Track
from coseal.contracts.governance.state import NAME, OPEN_KEY, ballot_key, vote_key
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Context, Reader, Rejected, View
from coseal.contracts.kernel.contract import Entry
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.fields import Identifier, OneOf, Text
from coseal.contracts.kernel.wording import duration_text, moment_text
from coseal.contracts.membership import actions as membership
from coseal.contracts.membership.state import MEMBERS_KEY

OPEN: Final = "open"
PASSED: Final = "passed"
"""Status of a ballot that passed and waits for its delay."""
ACCEPTED: Final = "accepted"
REJECTED: Final = "rejected"
EXPIRED: Final = "expired"
WITHDRAWN: Final = "withdrawn"
FAILED: Final = "failed"
"""Status of a ballot that was accepted, and whose effect could not be carried out (B11 of docs/spec/budget.md)."""
UNDECIDED: Final = (OPEN, PASSED)
"""Statuses of a ballot of which more is to come."""
YES: Final = "yes"
NO: Final = "no"
ABSTAIN: Final = "abstain"
MAX_REASON_CHARACTERS: Final = 1_000
RETIMED_AT_ONCE: Final = 128
"""How many open ballots one due thing reads when the constitution was amended."""

_DECIDED: Final = ("decided", "track", "constitution", "sizes", "overridden", "passed_ms", "effect_ms")
"""Fields of a ballot that is decided."""

VOTE_FIELDS: Final = {"ballot": Identifier(), "choice": OneOf(YES, NO, ABSTAIN)}
"""Required arguments of an action that votes; ``reason`` is optional."""
VOTE_OPTIONS: Final = {"reason": Text(high=MAX_REASON_CHARACTERS)}


class Poll(NamedTuple):
    """By what track a ballot is decided, and the votes on it by constituency: now, or when it was decided."""

    track: Track
    counts: Mapping[str, Count]


def track_of(reader: Reader, contract: str, kind: str) -> Track:
    """Return the track on which a contract's ballot of a kind is decided now."""
    return in_force.constitution(reader).track_of(kind_of(contract, kind))


def kind_of(contract: str, kind: str) -> str:
    """Return how a constitution names a contract's kind of ballot."""
    return kind if contract == NAME else f"{contract}.{kind}"


def closing(track: Track, time_ms: int, closes_ms: int | None) -> int | Rejected:
    """Return when a ballot closes that is opened now: as wanted, if its track allows that, or by default."""
    if closes_ms is None:
        return time_ms + track.opening.default_ms
    least, most = track.opening.least_ms, track.opening.most_ms
    if time_ms + least <= closes_ms <= time_ms + most:  # A2
        return closes_ms
    now, bound = moment_text(time_ms), f"within {duration_text(most)} after"
    if closes_ms > time_ms:
        bound = f"{duration_text(least)} to {duration_text(most)} after"
    return Rejected("bad_time", f"closes_ms is not {bound} block time {now}")


def reason_missing(track: Track, choice: str, reason: str | None, *, proposing: bool = False) -> Rejected | None:
    """Refuse a proposal or vote that has to have a reason and has none."""
    wanted = "all" in track.reasons or ("proposer" if proposing else choice) in track.reasons  # Q13
    if not wanted or reason:
        return None
    who = "a proposal" if proposing else f"a vote of {choice}"
    return Rejected("reason_missing", f"on the track {track.name} {who} needs a reason; say why")


def new(
    view: View,
    contract: str,
    ballot_id: str,
    kind: str,
    proposer: str,
    track: Track,
    *,
    height: int,
    opened_ms: int,
    closes_ms: int,
    not_before_ms: int = 0,
    concerned: str | None = None,
    newcomer: str | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Open a ballot without votes, to be decided on ``track``; ``more`` are further fields. The caller writes it.

    ``not_before_ms``: it is decided no earlier. ``concerned``: the member that it is about, which has no vote.
    ``newcomer``: the role of the member that it admits.
    """
    record: dict[str, Any] = {
        "kind": kind,
        "proposer": proposer,
        "height": height,
        "opened_ms": opened_ms,
        "not_before_ms": not_before_ms,
        "closes_ms": closes_ms,
        "status": OPEN,
        **more,
    }
    record |= {name: value for name, value in (("concerned", concerned), ("newcomer", newcomer)) if value is not None}
    return _opened(view, contract, ballot_id, record, track, 1, opened_ms)


def reopen(view: View, contract: str, ballot_id: str, record: Mapping[str, Any], time_ms: int) -> dict[str, Any]:
    """Return a ballot that passed in its second round: all vote again, with the default opening of its track."""
    again = {name: value for name, value in record.items() if name not in _DECIDED}
    track = track_of(view, contract, record["kind"])
    again |= {"status": OPEN, "closes_ms": time_ms + track.opening.default_ms, "not_before_ms": 0}
    return _opened(view, contract, ballot_id, again, track, record["round"] + 1, time_ms)


def _opened(
    view: View, contract: str, ballot_id: str, record: dict[str, Any], track: Track, turn: int, time_ms: int
) -> dict[str, Any]:
    record |= {"round": turn, "round_ms": time_ms, "tally": electorate.no_votes()}
    view.put(OPEN_KEY, [*_open(view), [contract, ballot_id]])
    _schedule(view, contract, ballot_id, record, track)
    return record


def _schedule(
    view: View, contract: str, ballot_id: str, record: Mapping[str, Any], track: Track, *, again: bool = False
) -> None:
    """Have a ballot looked at when its hearing, its time until an override and its opening are over.

    ``again``: the constitution changed, and with it perhaps the first two.
    """
    began_ms = record["round_ms"]
    times = {record["not_before_ms"], began_ms + track.not_before_ms}
    if track.override is not None:
        times.add(began_ms + track.override.after_ms)
    wanted = {time_ms for time_ms in times if began_ms < time_ms < record["closes_ms"]}
    for time_ms in sorted(wanted if again else wanted | {record["closes_ms"]}):
        _expect(view, contract, ballot_id, time_ms)


def reschedule(view: View, upto: int) -> int:
    """Have open ballots looked at when a new constitution says, the newest of the first ``upto``; return how many are
    left. They are taken from the newest on, so that what is opened or decided meanwhile hides none.
    """
    rows = _open(view)[:upto]
    left = max(len(rows) - RETIMED_AT_ONCE, 0)
    for contract, ballot_id in rows[left:]:
        record: Any = view.get(ballot_key(contract, ballot_id))
        _schedule(view, contract, ballot_id, record, track_of(view, contract, record["kind"]), again=True)
    return left


def count_open(reader: Reader) -> int:
    """Return how many ballots of all contracts take votes."""
    return len(_open(reader))


def vote(
    view: View,
    contract: str,
    ballot_id: str,
    record: Mapping[str, Any],
    track: Track,
    context: Context,
    choice: str,
    reason: str | None = None,
) -> dict[str, Any] | Rejected:
    """Write the vote of ``context.member`` and return the ballot with it in its tally, or a refusal."""
    seat = electorate.seat(view, context.member)
    if seat is None or (track.electorate == VALIDATORS and not seat.counts_in(VALIDATORS)):  # A1
        voters = ", ".join(sorted({at.member for at in membership.validators(view).validators}))
        return Rejected("not_elector", f"{context.member} runs no validator; {voters} vote")
    if record["status"] != OPEN or context.time_ms >= record["closes_ms"]:
        status = EXPIRED if record["status"] == OPEN else record["status"]
        return Rejected("ballot_closed", f"the ballot is {status}; propose again to vote again")
    if record.get("concerned") == context.member:  # Q14
        return Rejected("own_case", f"the ballot is about {context.member}, which has no vote in it")
    key = vote_key(contract, ballot_id, record["round"], context.member)
    before: Any = view.get(key)
    if before is not None:  # J7
        return Rejected("already_voted", f"{context.member} voted {before[0]} at height {before[1]}; a vote is final")
    missing = reason_missing(track, choice, reason)
    if missing is not None:
        return missing
    electorate.acted(view, context.member, context.time_ms)
    seat = electorate.seat(view, context.member) or seat
    given = electorate.Vote(choice, context.height, context.time_ms, context.tx_id.hex(), reason or "", "", [])
    view.put(key, list(given.seated(seat)))
    return {**record, "tally": electorate.counted(record["tally"], seat, choice, 1)}


def advance(
    view: View, contract: str, ballot_id: str, record: Mapping[str, Any], poll: Poll, height: int, time_ms: int
) -> dict[str, Any]:
    """Return a ballot with the status that its votes give it; ``poll`` holds of what is returned as well.

    The caller writes it, and has it take effect if it is accepted now.
    """
    if record["status"] == PASSED and time_ms >= record["effect_ms"]:
        return {**record, "status": ACCEPTED}
    if record["status"] != OPEN:
        return dict(record)
    outcome = outcome_of(poll, record, time_ms)
    if outcome.status is Status.OPEN:
        return dict(record)
    decided = _decided(view, contract, ballot_id, record, poll, (height, time_ms))
    if outcome.overridden is not None:
        decided["overridden"] = outcome.overridden
    if outcome.status is not Status.PASSED:
        return {**decided, "status": outcome.status.value}
    if not poll.track.delay_ms:
        return {**decided, "status": ACCEPTED}
    effect_ms = time_ms + poll.track.delay_ms  # Q15
    _expect(view, contract, ballot_id, effect_ms)
    return {**decided, "status": PASSED, "passed_ms": time_ms, "effect_ms": effect_ms}


def withdraw(
    view: View, contract: str, ballot_id: str, record: Mapping[str, Any], height: int, time_ms: int
) -> dict[str, Any]:
    """Return an open ballot as withdrawn by its proposer."""
    poll = poll_of(view, contract, record)
    return {**_decided(view, contract, ballot_id, record, poll, (height, time_ms)), "status": WITHDRAWN}


def _decided(
    view: View, contract: str, ballot_id: str, record: Mapping[str, Any], poll: Poll, at: tuple[int, int]
) -> dict[str, Any]:
    """Return a ballot that takes no more votes, with what it was decided by; ``at`` is the height and block time."""
    current = in_force.version(view)
    _close(view, contract, ballot_id)
    sizes = {name: count.members for name, count in poll.counts.items()}
    by = {"track": poll.track.name, "constitution": current.number, "sizes": sizes}
    return {**record, "decided": list(at), **by}


def outcome_of(poll: Poll, record: Mapping[str, Any], time_ms: int) -> rule.Outcome:
    """Return what a ballot's votes come to at a block time. Pure."""
    if time_ms < record["not_before_ms"]:
        return rule.Outcome(Status.OPEN)
    clock = Clock(record["round_ms"], record["closes_ms"], time_ms)
    return rule.resolve(poll.track, poll.counts, clock, record.get("newcomer"))


# Figures


def figures(record: Mapping[str, Any], poll: Poll) -> dict[str, Any]:
    """Return how a ballot stands by its votes, or how it stood when it was decided, for receipts.

    ``needed`` is how many yes votes its track asks for in all; a track may ask for more (``governance.constitution``).
    """
    track, counts = poll
    members = sum(count.members for count in counts.values())
    votes = {name: sum(getattr(count, name) for count in counts.values()) for name in electorate.CHOICES}
    needed = track.total.numerator * members // track.total.denominator + 1
    more = {name: record[name] for name in ("effect_ms", "overridden") if name in record}
    return {**votes, "needed": needed, "of": members, "status": record["status"], **more}


def poll_of(reader: Reader, contract: str, record: Mapping[str, Any]) -> Poll:
    """Return the track on which a ballot was decided, or would be now, and its votes in that electorate."""
    if "track" in record:
        track = in_force.of_version(reader, record["constitution"]).tracks[record["track"]]
        return Poll(track, counts_in(track, record["tally"], record["sizes"]))
    return poll_on(reader, track_of(reader, contract, record["kind"]), record)


def poll_on(reader: Reader, track: Track, record: Mapping[str, Any]) -> Poll:
    """Return the votes of an open ballot in the present electorate of its track."""
    return Poll(track, counts_in(track, record["tally"], _sizes(reader, track, record)))


def counts_in(track: Track, tally: Mapping[str, Any], sizes: Mapping[str, int]) -> dict[str, Count]:
    """Return the votes of a tally by constituency, for the electorate of a track, which has these sizes."""
    votes = tally[track.electorate]
    return {name: Count(members, *votes.get(name, (0, 0, 0))) for name, members in sizes.items()}


def votes(reader: Reader, contract: str, ballot_id: str, record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the votes of the last round, by member. Reads a key for every member: for queries."""
    found = []
    members: Any = reader.get(MEMBERS_KEY)
    for member in members:
        value: Any = reader.get(vote_key(contract, ballot_id, record["round"], member))
        if value is not None:
            vote = electorate.Vote(*value)
            same = {name: getattr(vote, name) for name in ("choice", "height", "time_ms", "tx")}
            found.append({"member": member, **same, "reason": vote.reason or None})
    return found


def stands(reader: Reader, contract: str, ballot_id: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a ballot stands, by constituency too, for queries: ``figures``, ``track``, ``round``."""
    return _stands(record, poll_of(reader, contract, record))


def _stands(record: Mapping[str, Any], poll: Poll) -> dict[str, Any]:
    return {
        **figures(record, poll),
        "track": poll.track.name,
        "round": record["round"],
        "constituencies": {name: count._asdict() for name, count in poll.counts.items()},
    }


def shown(reader: Reader, contract: str, ballot_id: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a ballot stands with its ``votes`` and the ``electorate``: who has a vote in it now."""
    poll, concerned = poll_of(reader, contract, record), record.get("concerned")
    members = [member for member in electorate.electors(reader, poll.track.electorate) if member != concerned]
    found = votes(reader, contract, ballot_id, record)
    return {**_stands(record, poll), "votes": found, "electorate": members}


def _sizes(reader: Reader, track: Track, record: Mapping[str, Any]) -> dict[str, int]:
    """Return the sizes of a ballot's electorate, without the member that it is about."""
    found = dict(electorate.sizes(reader)[track.electorate])
    concerned = record.get("concerned")
    seat = None if concerned is None else electorate.seat(reader, concerned)
    if seat is not None and seat.counts_in(track.electorate):  # Q14
        found[seat.constituency] -= 1
    return {name: members for name, members in found.items() if members}


# What is open


def _open(reader: Reader) -> list[Any]:
    rows: Any = reader.get(OPEN_KEY)
    return rows or []


def _close(view: View, contract: str, ballot_id: str) -> None:
    view.put(OPEN_KEY, [row for row in _open(view) if row != [contract, ballot_id]])


def _expect(view: View, contract: str, ballot_id: str, time_ms: int) -> None:
    entry: Entry = ["ballot", ballot_id]
    deadlines.add(view, contract, BLOCK_CLOCK, time_ms, entry)
