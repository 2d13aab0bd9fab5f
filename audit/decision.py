"""The decision on a ballot as a document: who voted what and why, by which constitution, and what that comes to.

Law: nothing in the file is believed that a quorum did not certify; votes are proven to be all there are, each member's
being shown or proven absent; what they come to is worked out again by the function that the ledger decides with.

docs/spec/audit.md, section Decision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from coseal.audit import certified
from coseal.audit.certified import Judged, block_text
from coseal.audit.steps import Trace
from coseal.contracts.governance import ballot, decision_keys, in_force
from coseal.contracts.governance.decision_keys import KIND, Place
from coseal.contracts.governance.document import FOUNDING, Constitution, constitution_of
from coseal.contracts.governance.electorate import Vote
from coseal.contracts.governance.resolution import Count, Quota, Status, Track, vetoed
from coseal.contracts.governance.state import ballot_key, ballot_subject_key, constitution_key
from coseal.contracts.membership.state import MEMBERS_KEY
from coseal.contracts.registry import CONTRACTS
from coseal.ledger import codec
from coseal.ledger.block import Header
from coseal.ledger.certificates import Certificate
from coseal.ledger.errors import BadProof, Malformed
from coseal.ledger.genesis import MAX_MEMBERS, Genesis
from coseal.ledger.proof import CertifiedValue
from coseal.ledger.render import certified_header_from_json, document_fields, plain, proven_value_from_json, time_text

RULE: Final = "audit.md, Decision"
STEP_NAMES: Final = ("form", "chain", "header", "validators", "certificate", "ballot", "votes", "resolution")
_SINGLE: Final = ("ballot", "subject", "next_constitution", "members")
_NAMES: Final = frozenset({"coseal", "version", "contract", "id", "block", "constitution", "votes", *_SINGLE})
_MAX_ROUNDS: Final = 2
_IN_EFFECT: Final = (ballot.PASSED, ballot.ACCEPTED, "void", ballot.FAILED)
"""Statuses of a ballot that passed, whatever became of it then."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a document shows; nothing of it is proven yet."""

    contract: str
    id: str
    header: Header
    certificate: Certificate
    ballot: CertifiedValue
    subject: CertifiedValue
    constitution: CertifiedValue | None
    next_constitution: CertifiedValue
    members: CertifiedValue
    votes: Sequence[CertifiedValue]


@dataclass(frozen=True, slots=True)
class _Ballot:
    """A proven ballot: its record, what it is about, the constitution by which it was decided, and the track."""

    record: Mapping[str, Any]
    subject: Any
    constitution: Constitution
    digest: str
    track: Track


def read(value: Any) -> Shown:
    """Return what a document shows; raise ``Malformed``. Proves nothing yet."""
    fields = document_fields(value, KIND, _NAMES)
    contract, name = (codec.text(fields[each], f"{KIND}.{each}", limit=64) for each in ("contract", "id"))
    if contract not in CONTRACTS or not CONTRACTS[contract].decisions:
        raise Malformed(f"{KIND}.contract: {contract} decides no ballots")
    header, certificate = certified_header_from_json(fields["block"])

    def proven(entry: Any) -> CertifiedValue:
        return proven_value_from_json(entry, header, certificate)

    single = {each: proven(fields[each]) for each in _SINGLE}
    constitution = None if fields["constitution"] is None else proven(fields["constitution"])
    rows = codec.sequence(fields["votes"], f"{KIND}.votes", limit=_MAX_ROUNDS * MAX_MEMBERS)
    return Shown(contract, name, header, certificate, constitution=constitution, votes=[*map(proven, rows)], **single)


def verify_decision(document: Any, genesis: Genesis, trace: Trace) -> tuple[str, dict[str, Any], Judged]:
    """Return in words and as facts what a document proves; raise a ``LedgerError`` unless it does."""
    shown, handovers = certified.read(document, trace, read)
    judged = certified.judge(shown.header, shown.certificate, handovers, genesis, trace)
    with trace.step("ballot", RULE) as seen:
        found = _ballot(shown)
        record = found.record
        seen.values = {"status": record["status"], "track": found.track.name, "constitution": record["constitution"]}
        seen.detail = f"{shown.id} is {record['status']} at {block_text(shown.header)}, on track {found.track.name}"
    with trace.step("votes", RULE) as seen:
        members = certified.value_of(shown.members, MEMBERS_KEY)
        votes = _votes(shown, record, members)
        last = [vote for place, vote in votes if place.turn == record["round"]]
        tally = decision_keys.sums(last)
        seen.values = {"tally": plain(record["tally"]), "members": len(members), "votes": len(votes)}
        if _without_zeros(tally) != _without_zeros(record["tally"]):
            raise BadProof("the votes do not sum to the tally that the ballot was decided by")
        seen.detail = f"{len(votes)} votes are all there are, of {len(members)} members; the others' keys are absent"
    with trace.step("resolution", RULE) as seen:
        counts = ballot.counts_in(found.track, tally, record["sizes"])
        seen.values = {name: count._asdict() for name, count in counts.items()}
        words = _resolved(found, counts)
        seen.detail = words
    facts = {**_about(shown, found), **_how(found, counts), "votes": [_vote(*each) for each in votes]}
    return f"{shown.id} ({record['kind']}): {words}", facts, judged


def _ballot(shown: Shown) -> _Ballot:
    """Return the proven ballot, and the constitution by which it was decided."""
    record = certified.value_of(shown.ballot, ballot_key(shown.contract, shown.id))
    if record is None:
        raise BadProof(f"there is no ballot {shown.id} of {shown.contract}")
    if "decided" not in record:
        raise BadProof(f"{shown.id} is {record['status']}: nothing is decided yet")
    subject = certified.value_of(shown.subject, ballot_subject_key(shown.contract, shown.id))
    constitution, digest = _constitution(shown, record)
    track = constitution.track_of(ballot.kind_of(shown.contract, record["kind"]))
    if track.name != record["track"]:
        raise BadProof(f"it was decided on track {record['track']}, though its kind is on {track.name}")
    return _Ballot(record, subject, constitution, digest, track)


def _constitution(shown: Shown, record: Mapping[str, Any]) -> tuple[Constitution, str]:
    """Return the constitution that was in force when a ballot was decided, and its digest."""
    number, height = record["constitution"], record["decided"][0]
    following = certified.value_of(shown.next_constitution, constitution_key(number + 1))
    if following is not None and following["height"] < height:
        raise BadProof(f"constitution {number + 1} was in force since block {following['height']}, not {number}")
    if (shown.constitution is not None) != bool(number):
        raise BadProof(f"it was decided by constitution {number}, which is not what is shown")
    if shown.constitution is None:
        return FOUNDING, in_force.FOUNDING_DIGEST
    kept = certified.value_of(shown.constitution, constitution_key(number))
    if kept is None or kept["height"] > height or in_force.digest_of(kept["document"]) != kept["digest"]:
        raise BadProof(f"constitution {number} was not in force in block {height}, or is not the one of its digest")
    return constitution_of(kept["document"]), kept["digest"]


def _votes(shown: Shown, record: Mapping[str, Any], members: Sequence[str]) -> list[tuple[Place, Vote]]:
    """Return the votes of every round; raise ``BadProof`` for one that is neither shown nor proven absent."""
    given = {value.key.decode("utf-8", "backslashreplace"): value for value in shown.votes}
    if len(given) < len(shown.votes):
        raise BadProof("a vote is shown twice")
    votes = []
    for place in decision_keys.keys(shown.contract, shown.id, record, members).votes:
        value = given.pop(place.key, None)
        if value is None:  # A21
            raise BadProof(f"the vote of {place.member} in round {place.turn} is neither shown nor proven absent")
        held = certified.value_of(value, place.key)
        if held is not None:
            votes.append((place, Vote(*held)))
    if given:
        raise BadProof(f"{min(given)} is no vote of a member on this ballot")
    return votes


def _without_zeros(tally: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {where: list(counts) for where, counts in rows.items() if any(counts)} for name, rows in tally.items()
    }


def _resolved(found: _Ballot, counts: Mapping[str, Count]) -> str:
    """Return in words how the votes decided it; raise ``BadProof`` unless they come to what the ledger says."""
    record, (height, time_ms) = found.record, found.record["decided"]
    status, when = record["status"], f"in block {height} ({time_text(time_ms)})"
    if status == ballot.WITHDRAWN:
        return f"withdrawn by {record['proposer']} {when}"
    outcome = ballot.outcome_of(ballot.Poll(found.track, counts), record, time_ms)
    stated = Status.PASSED if status in _IN_EFFECT else Status(status)
    if (outcome.status, outcome.overridden) != (stated, record.get("overridden")):  # A22
        over = f", overriding {outcome.overridden}" if outcome.overridden else ""
        raise BadProof(f"the votes come to {outcome.status.value}{over} {when}, the ballot says {status}")
    if "effect_ms" in record and record["effect_ms"] != time_ms + found.track.delay_ms:
        raise BadProof("it does not take effect when its track says")
    words = [f"{stated.value} {when}", *_words(found.track, counts)]
    if outcome.overridden:
        words.append(f"{outcome.overridden} was overridden")
    if "effect_ms" in record:
        words.append(f"effect from {time_text(record['effect_ms'])}")
    return "; ".join(words if status in (stated.value, ballot.ACCEPTED) else [*words, f"it is {status}"])


def _words(track: Track, counts: Mapping[str, Count]) -> list[str]:
    """Return the votes in words, against what the track asks for."""
    yes, members = sum(count.yes for count in counts.values()), sum(count.members for count in counts.values())
    named = [(name, counts[name], quota) for name, quota in track.classes.items() if name in counts]
    words = [f"{yes} yes of {members}, {_over(track.total, Count(members, yes))}"]
    words += [f"{name} {count.yes} of {count.members}, {_over(quota, count)}" for name, count, quota in named]
    if len(named) > 1:
        words.append(f"{min(track.at_least, len(named))} of these {len(named)} needed")
    return [*words, "a veto was cast"] if vetoed(track, counts) else words


def _over(quota: Quota, count: Count) -> str:
    met = "more" if quota.met(count.yes, count.members) else "not more"
    return f"{met} than {quota.numerator}/{quota.denominator}"


# Facts


def _about(shown: Shown, found: _Ballot) -> dict[str, Any]:
    """Return what was decided, and when."""
    record, (height, time_ms) = found.record, found.record["decided"]
    more = {
        name: record[name] for name in ("reason", "concerned", "newcomer", "overridden", "outcome") if name in record
    }
    if "appeal" in record:
        more["appeal"] = dict(zip(("height", "tx", "reason", "evidence"), record["appeal"], strict=True))
    if "effect_ms" in record:
        more["effect"] = time_text(record["effect_ms"])
    return {
        "ballot": f"{shown.contract}/{shown.id}",
        "kind": record["kind"],
        "subject": plain(found.subject),
        "proposer": record["proposer"],
        "status": record["status"],
        "decided": {"height": height, "time": time_text(time_ms)},
        **plain(more),
    }


def _how(found: _Ballot, counts: Mapping[str, Count]) -> dict[str, Any]:
    """Return by what it was decided: the constitution, the track, and each constituency with its quota."""
    track, title = found.track, found.constitution.title
    rows = {}
    for name, count in counts.items():
        quota = track.classes.get(name)
        asked = {} if quota is None else {"quota": list(quota), "met": quota.met(count.yes, count.members)}
        rows[name] = {**count._asdict(), **asked}
    classes = {"at_least": track.at_least} if track.classes else {}
    return {
        "constitution": {"version": found.record["constitution"], "digest": found.digest, "title": title},
        "track": track.name,
        "electorate": track.electorate,
        "total": list(track.total),
        **classes,
        "constituencies": rows,
    }


def _vote(place: Place, vote: Vote) -> dict[str, Any]:
    same = {name: getattr(vote, name) for name in ("choice", "reason", "constituency", "height", "tx")}
    return {"member": place.member, "round": place.turn, **same, "counted_in": list(vote.electorates)}
