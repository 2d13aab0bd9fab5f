"""What members decide, followed from the bytes of blocks: who has a vote, by which constitution, what comes of it.

Law: nothing of the product is asked. Of each proposal it is known before what the next receipt about it has to say:
status, votes, when it takes effect; what a time decides is decided in the first block of that time, in the order of
the times. Rules of docs/spec/constitution.md and docs/spec/standing.md (I21).

No run lasts until somebody is absent for long, so presence is not followed: all members in good standing are present.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from simulation import reading, votings
from simulation.reading import Claim
from simulation.votings import Track, Vote

if TYPE_CHECKING:
    from coseal.ledger.genesis import Genesis

UNDECIDED: Final = ("open", "passed")
LATE_BLOCKS: Final = 2
"""Blocks for which what is due may wait, because others took the steps of a block's start."""
VOICE: Final = (
    "governance.propose",
    "governance.vote",
    "governance.withdraw",
    "membership.set_profile",
    "process.define_type",
    "fault.fail",
)
"""Actions that a suspended member may not send; the simulator's clients send no others that it may not."""


class Wrong(Exception):
    """A block says what nobody decided, or keeps a decision back; ``rule`` is the invariant that it breaks."""

    rule = "I20"


class Misjudged(Wrong):
    """It is said of a proposal, a member or a measure."""

    rule = "I21"


@dataclass(slots=True)
class Ballot:
    """A proposal as the chain has it; ``status`` is that of its last receipt, or the code of its refusal.

    ``choices`` are of the present round, which began at ``opened_ms``; ``figures`` those of the voting that decided.
    """

    kind: str
    subject: dict[str, Any]
    proposer: str
    height: int
    status: str
    opened_ms: int = 0
    closes_ms: int = 0
    round: int = 1
    effect_ms: int = 0
    choices: dict[str, str] = field(default_factory=dict)
    figures: dict[str, int] = field(default_factory=dict)

    @property
    def concerned(self) -> str | None:
        """The member that it is about, which has no vote (Q14)."""
        about = self.kind in ("suspend_member", "reinstate_member", "remove_member")
        return self.subject["member"] if about else None

    @property
    def newcomer(self) -> str | None:
        """The constituency that a new member joins."""
        return self.subject["role"] if self.kind == "add_member" else None


class Due(NamedTuple):
    """Something that a block time brings: of one time first what was expected first."""

    time_ms: int
    order: int
    kind: str
    what: str


Effect: TypeAlias = Callable[[int, str, Ballot, dict[str, Any]], None]


class Decisions:
    """The members of one chain and their proposals. ``running``: who runs a validator; ``effect``: of other kinds.

    ``goal`` notes what came about.
    """

    def __init__(
        self, genesis: Genesis, running: Callable[[], tuple[str, ...]], effect: Effect, goal: Callable[[str], None]
    ) -> None:
        self.running, self.effect, self.goal = running, effect, goal
        self.roles = {member.id: member.role for member in genesis.members}
        self.central = [member.id for member in genesis.members if member.central_bank]
        self.document: dict[str, Any] = votings.FOUNDING
        self.version, self.digest = 0, "00" * 32
        self.suspended: dict[str, int] = {}
        self.former: dict[str, None] = {}
        self.ballots: dict[str, Ballot] = {}
        self.measures: dict[str, dict[str, Any]] = {}
        self.time_ms = genesis.time_ms
        self._running = dict.fromkeys(running())  # as far as who has a vote follows it
        self._followed = running()
        self._due: list[Due] = []
        self._order = self._late = 0

    # Who has a vote

    def where(self, member: str) -> str:
        """Return the constituency of a member."""
        return self.document["central_bank_counts_as"] if member in self.central else self.roles[member]

    def is_good(self, member: str) -> bool:
        """Say whether a member is neither suspended nor gone."""
        return member in self.roles and member not in self.suspended and member not in self.former

    def electors(self, ballot: Ballot) -> list[str]:
        """Return who has a vote in a ballot now: Q14, Q19, Q20."""
        track = self.track(ballot)
        among = self._running if track["electorate"] == "validators" else self.roles
        return [member for member in sorted(among) if self.is_good(member) and member != ballot.concerned]

    def track(self, ballot: Ballot) -> Track:
        """Return the track by which a ballot is decided now (Q17)."""
        return votings.track_of(self.document, ballot.kind)

    def votes(self, ballot: Ballot, silent: str = "", **said: str) -> list[Vote]:
        """Return the votes that count; with ``silent`` said by those who have not voted, but for some of them."""
        choices = {**said, **ballot.choices}
        return [Vote(self.where(member), choices.get(member, silent)) for member in self.electors(ballot)]

    def sizes(self) -> dict[str, dict[str, int]]:
        """Return how many of each constituency have a vote, by electorate."""
        found: dict[str, dict[str, int]] = {}
        for name, among in (("validators", self._running), ("members", self.roles)):
            places = [self.where(member) for member in among if self.is_good(member)]
            found[name] = {where: places.count(where) for where in places}
        return found

    # The start of a block

    def begin(self, height: int, time_ms: int, shown: dict[str, Any]) -> None:
        """Judge what the time of a block brings: ``shown`` is what its first receipt says of governance."""
        self.time_ms = time_ms
        running = self.running()
        for member in sorted({*self._followed} ^ {*running}):  # Q21
            self._expect(time_ms, "seat", member)
        self._followed = running
        said = {name: list(shown.get(name, ())) for name in ("closed", "reinstated", "ended", "left")}
        self._late += 1
        while self._due and self._due[0].time_ms <= time_ms:
            if not self._come(height, time_ms, self._due[0], said):
                break
        else:
            self._late = 0
        if any(said.values()):
            raise Misjudged(f"begins with what no time brings: {said}")
        if self._late > LATE_BLOCKS:
            raise Misjudged(f"leaves undone what was due at {self._due[0].time_ms}: {self._due[0][2:]}")

    def _come(self, height: int, time_ms: int, due: Due, said: dict[str, list[Any]]) -> bool:
        """Do what is due; say whether the block did so, too. It is out of the index before it has effects."""
        if due.kind == "seat":
            heapq.heappop(self._due)
            self._seat(due.what)
        elif due.kind == "retime":
            heapq.heappop(self._due)
            for name, ballot in self.ballots.items():
                if ballot.status == "open":
                    self._look_later(name, ballot)
        elif due.kind == "look":
            ballot = self.ballots[due.what]
            wanted = self._wanted(ballot, time_ms)
            row = _taken(said["closed"], "ballot", due.what) if wanted != ballot.status else None
            if wanted != ballot.status and row is None:
                return False
            heapq.heappop(self._due)
            if row is not None:
                self.goal("decided_by_time")
                self._judge(height, time_ms, due.what, ballot, wanted, row)
        elif due.kind == "suspension":
            member, until_ms = due.what, due.time_ms
            if self.suspended.get(member) == until_ms:
                if _taken(said["reinstated"], "member", member) is None:
                    return False
                self._reinstate(member)
            heapq.heappop(self._due)
        else:
            if due.what in self.measures:
                if _taken(said["ended"], "measure", due.what) is None:
                    return False
                del self.measures[due.what]
            heapq.heappop(self._due)
        return True

    # Transactions

    def sent(self, height: int, claim: Claim, code: str, data: dict[str, Any]) -> None:
        """Judge the receipt of a transaction, and follow what it did."""
        args, member = claim.args, claim.sender.split("/")[0]
        self._standing(height, claim.name, member, code)
        if code == "invalid_argument":  # it says nothing that could be judged
            return
        match claim.name:
            case "governance.propose":
                self._proposed(height, member, args, code, data)
            case "governance.vote":
                self._voted(height, member, args, code, data)
            case "governance.withdraw" if code == "ok":
                ballot = self.ballots[args["proposal"]]
                if ballot.status != "open" or ballot.proposer != member:
                    raise Misjudged(f"lets {member} withdraw what it did not propose, or what is decided")
                self._compare(args["proposal"], ballot, "withdrawn", data)
            case "governance.appeal" if code == "ok":
                self._appealed(member, args["proposal"], data)

    def _standing(self, height: int, name: str, member: str, code: str) -> None:
        """Who is suspended or gone says nothing of these (S2, S3), and a measure holds for whom it names (S15)."""
        wanted = "suspended" if member in self.suspended else "former_member" if member in self.former else None
        if name in VOICE and wanted is not None and code != wanted:
            raise Misjudged(f"has {name} of {member} as {code}, which is {wanted}")
        if name in VOICE[1:] and wanted is None and code in ("suspended", "former_member"):
            raise Misjudged(f"has {name} of {member} as {code}, which is in good standing")
        paused = self.paused(height, name, member)
        if (code == "paused") > paused or (paused and code not in ("paused", wanted, "forbidden", "unknown_sender")):
            raise Misjudged(f"has {name} of {member} as {code}, which is paused: {paused}")
        if code == "paused":
            self.goal("measure_paused")

    def paused(self, height: int, name: str, member: str) -> bool:
        """Say whether a measure in force pauses an action for a member: S10."""
        for measure in self.measures.values():
            whom = measure["pause"].get(name, ())
            here = height >= measure["first_height"] and self.time_ms < measure["until_ms"]
            if here and (whom == "all" or member in whom):
                return True
        return False

    def _proposed(self, height: int, member: str, args: dict[str, Any], code: str, data: dict[str, Any]) -> None:
        if args["id"] in self.ballots:
            return
        ballot = self.ballots[args["id"]] = Ballot(args["kind"], args["subject"], member, height, code)
        if code in _AGAINST and self._may(ballot):
            raise Misjudged(f"refuses the proposal {args['id']} to {ballot.kind} as {code}, which could take effect")
        if code == "ok":
            if not self._may(ballot):
                raise Misjudged(f"takes the proposal {args['id']} to {ballot.kind}, which cannot take effect")
            ballot.status, ballot.opened_ms = "open", self.time_ms
            ballot.closes_ms = self.time_ms + self.track(ballot)["open_ms"][1]
            self._open(args["id"], ballot, data)
            if member in self.electors(ballot):  # A1
                ballot.choices[member] = "yes"
            self._judge(height, self.time_ms, args["id"], ballot, self._wanted(ballot, self.time_ms), data)

    def _voted(self, height: int, member: str, args: dict[str, Any], code: str, data: dict[str, Any]) -> None:
        name = args["ballot"]
        ballot = self.ballots.get(name)
        if ballot is None or code == "suspended":
            return
        refused = self._no_vote(member, ballot)
        if refused is not None or code != "ok":
            if refused != code:
                raise Misjudged(f"has a vote of {member} on {name} as {code}, not {refused}")
            return
        ballot.choices[member] = args["choice"]
        self._judge(height, self.time_ms, name, ballot, self._wanted(ballot, self.time_ms), data)

    def _no_vote(self, member: str, ballot: Ballot) -> str | None:
        """Return the code by which a vote is refused, None for one that counts."""
        if ballot.status not in (*UNDECIDED, "accepted", "rejected", "expired", "withdrawn", "void", "failed"):
            return "unknown_ballot"  # it was never opened
        if self.track(ballot)["electorate"] == "validators" and member not in self._running:
            return "not_elector"
        if ballot.status != "open" or self.time_ms >= ballot.closes_ms:
            return "ballot_closed"
        if member == ballot.concerned:
            return "own_case"
        return "already_voted" if member in ballot.choices else None

    def _appealed(self, member: str, name: str, data: dict[str, Any]) -> None:
        """Q18: all vote again."""
        ballot = self.ballots[name]
        if ballot.status != "passed" or ballot.concerned != member or ballot.round > 1:
            raise Misjudged(f"takes an appeal of {member} against {name}, which is {ballot.status}")
        ballot.status, ballot.round, ballot.choices = "open", 2, {}
        ballot.opened_ms, ballot.closes_ms = self.time_ms, self.time_ms + self.track(ballot)["open_ms"][1]
        self.goal("appealed")
        self._open(name, ballot, data)
        self._compare(name, ballot, "open", data)

    # Proposals

    def _open(self, name: str, ballot: Ballot, data: dict[str, Any]) -> None:
        if data["closes_ms"] != ballot.closes_ms:
            raise Misjudged(f"opens {name} until {data['closes_ms']}, not {ballot.closes_ms}")
        self._look_later(name, ballot)
        self._expect(ballot.closes_ms, "look", name)

    def _look_later(self, name: str, ballot: Ballot) -> None:
        """Expect what may come of a ballot when it was heard, and when it may override."""
        track = self.track(ballot)
        after = [track.get("not_before_ms", 0), track.get("override", {"after_ms": 0})["after_ms"]]
        for time_ms in sorted({ballot.opened_ms + each for each in after}):
            if ballot.opened_ms < time_ms < ballot.closes_ms:
                self._expect(time_ms, "look", name)

    def _wanted(self, ballot: Ballot, time_ms: int) -> str:
        """Return the status that a ballot has to have now; accepted is what takes effect."""
        if ballot.status == "passed":
            return "accepted" if time_ms >= ballot.effect_ms else "passed"
        if ballot.status != "open":
            return ballot.status
        track, times = self.track(ballot), (ballot.opened_ms, ballot.closes_ms, time_ms)
        found = votings.status(track, self.votes(ballot), *times, ballot.newcomer)
        if found not in ("passed", "overriding"):
            return found
        return "passed" if track.get("delay_ms", 0) else "accepted"

    def _judge(self, height: int, time_ms: int, name: str, ballot: Ballot, wanted: str, data: dict[str, Any]) -> None:
        """Compare a receipt about a proposal with what it has to say, and follow its effect."""
        track, times = self.track(ballot), (ballot.opened_ms, ballot.closes_ms, time_ms)
        if ballot.status == "open" and wanted in ("passed", "accepted"):
            against = data.get("overridden")
            overriding = votings.status(track, self.votes(ballot), *times, ballot.newcomer) == "overriding"
            if overriding != (against is not None) or (
                overriding and against not in votings.overridden(track, self.votes(ballot))
            ):
                raise Misjudged(f"passes {name} against {against}")
            if overriding:
                self.goal("overridden")
        if wanted == "passed" and ballot.status == "open":
            ballot.effect_ms = time_ms + track["delay_ms"]
            if data.get("effect_ms") != ballot.effect_ms:
                raise Misjudged(f"has {name} take effect at {data.get('effect_ms')}, not {ballot.effect_ms}")
            self._expect(ballot.effect_ms, "look", name)
        self._compare(name, ballot, wanted, data)
        if ballot.status == "accepted":
            if not self._may(ballot):
                raise Misjudged(f"accepts {name} to {ballot.kind}, which cannot take effect any more")
            self._enact(height, time_ms, name, ballot, data["outcome"])
        elif ballot.status == "void" and self._may(ballot) and ballot.kind in _KNOWN:
            raise Misjudged(f"has {name} to {ballot.kind} as void, which can take effect")

    def _compare(self, name: str, ballot: Ballot, wanted: str, data: dict[str, Any]) -> None:
        if ballot.status == "open":
            said = [vote.said for vote in self.votes(ballot)]
            part, whole = self.track(ballot)["pass"]["total"]
            ballot.figures = {each: said.count(each) for each in ("yes", "no", "abstain")}
            ballot.figures |= {"of": len(said), "needed": part * len(said) // whole + 1}
        figures = {each: data[each] for each in ballot.figures}
        status = "accepted" if data["status"] in ("void", "failed") else data["status"]
        if (status, figures) != (wanted, ballot.figures):
            raise Misjudged(f"says that {name} is {data['status']} by {figures}; it is {wanted} by {ballot.figures}")
        ballot.status = data["status"]

    def _may(self, ballot: Ballot) -> bool:
        """Say whether a proposal can take effect now, as far as that is known here (A9)."""
        subject = ballot.subject
        match ballot.kind:
            case "amend_constitution":
                stale = subject["from"] != self.digest
                return not stale and votings.lacking(subject["document"], self.sizes()) is None
            case "suspend_member":
                member, until_ms = subject["member"], subject["until_ms"]
                room = (
                    member in self.suspended or len(self.suspended) < (len(self.roles) - len(self.former) - 1) // 3
                )  # S5
                later = until_ms > max(self.time_ms, self.suspended.get(member, 0))  # S4
                return member not in self.former and room and later
            case "reinstate_member":
                return subject["member"] in self.suspended
            case "remove_member":
                return subject["member"] not in (*self.former, *self.running())  # S7
            case "measure":
                return bool(subject["until_ms"] > self.time_ms)
            case "add_member":
                return subject["member"] not in self.roles
        return True

    def _enact(self, height: int, time_ms: int, name: str, ballot: Ballot, outcome: dict[str, Any]) -> None:
        subject = ballot.subject
        match ballot.kind:
            case "amend_constitution":
                self.document, self.version = subject["document"], self.version + 1
                self.digest = sha256(reading.pack(self.document)).hexdigest()
                if outcome != {"version": self.version, "digest": self.digest}:
                    raise Misjudged(f"amends the constitution to {outcome}, not version {self.version}, {self.digest}")
                self._expect(time_ms, "retime", "")
                self.goal("amended" if self.version == 1 else "amended_again")
            case "suspend_member":
                self.suspended[subject["member"]] = subject["until_ms"]
                self._expect(subject["until_ms"], "suspension", subject["member"])
                self._seat(subject["member"])
                self.goal("suspended")
            case "reinstate_member":
                self._reinstate(subject["member"])
                self.goal("reinstated")
            case "remove_member":
                self.former[subject["member"]] = None
                self.suspended.pop(subject["member"], None)
                self.goal("member_removed")
            case "measure":
                until_ms = subject["until_ms"]
                self.measures[name] = {
                    "pause": subject["pause"],
                    "first_height": height + 1,  # S10
                    "until_ms": until_ms,
                }
                self._expect(until_ms, "measure", name)
            case "add_member":
                self.roles[subject["member"]] = subject["role"]
                self.goal("member_added")
        self.effect(height, name, ballot, outcome)

    def _reinstate(self, member: str) -> None:
        del self.suspended[member]
        self._seat(member)

    def _seat(self, member: str) -> None:
        """Have the vote of a member among those who run a validator follow the present set."""
        self._running.pop(member, None)
        if member in self.running():
            self._running[member] = None

    # What the simulator's members ask

    def would_pass(self, ballot: Ballot, said: dict[str, str], within_ms: int) -> bool:
        """Say whether a ballot passes soon if some say this, and all others who have not voted yes."""
        track, votes = self.track(ballot), self.votes(ballot, "yes", **said)
        times = (ballot.opened_ms, ballot.closes_ms, ballot.opened_ms + within_ms)
        return votings.status(track, votes, *times, ballot.newcomer) in ("passed", "overriding")

    def brings_until(self, time_ms: int) -> bool:
        """Say whether something is due until then."""
        return bool(self._due) and self._due[0].time_ms <= time_ms

    def _expect(self, time_ms: int, kind: str, what: str) -> None:
        self._order += 1
        heapq.heappush(self._due, Due(time_ms, self._order, kind, what))


_AGAINST: Final = (
    "stale_constitution",
    "unsafe_constitution",
    "already_suspended",
    "too_many_suspended",
    "not_suspended",
)
"""Refusals of a proposal of which it is known here when they are right."""
_KNOWN: Final = ("amend_constitution", "suspend_member", "reinstate_member", "remove_member", "measure", "add_member")
"""Kinds of which all that stands against them in a simulated world is known here."""


def _taken(rows: list[Any], field: str, value: str) -> dict[str, Any] | None:
    """Take the first row with this value out of a list."""
    for row in rows:
        if row[field] == value:
            rows.remove(row)
            found: dict[str, Any] = row
            return found
    return None
