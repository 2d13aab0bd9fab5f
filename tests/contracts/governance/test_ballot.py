"""Ballots on a state: against the rule of decision over single votes, with seats that come and go."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.genesis_state import genesis_updates
from coseal.contracts.governance import ballot, electorate
from coseal.contracts.governance.document import FOUNDING
from coseal.contracts.governance.resolution import Clock
from coseal.contracts.governance.state import OPEN_KEY, ballot_key, vote_key
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Context, Rejected
from coseal.contracts.kernel.budget import DUE_ENTRY_STEPS, Meter
from coseal.contracts.kernel.contract import Moment
from coseal.contracts.kernel.overlay import Overlay
from coseal.contracts.membership import epochs
from coseal.contracts.registry import CONTRACTS
from coseal.ledger.validators import Validator
from tests.contracts.governance import naive
from tests.support.genesis import ROLES, START_MS, VALIDATORS, make_genesis
from tests.support.keys import validator

VOTERS = tuple(sorted(VALIDATORS))
CLOSES = START_MS + 1_000
GENESIS = genesis_updates(make_genesis())


@dataclass
class Case:
    """One ballot on a state of its own."""

    view: Overlay = field(default_factory=lambda: Overlay(GENESIS.get))
    height: int = 1

    def open(self, **more: Any) -> Case:
        times = {"height": 1, "opened_ms": START_MS, "closes_ms": CLOSES}
        track = ballot.track_of(self.view, "governance", "kind")
        self.put(ballot.new(self.view, "governance", "b", "kind", "bank-a", track, **times, **more))
        return self

    @property
    def record(self) -> dict[str, Any]:
        found: Any = self.view.get(ballot_key("governance", "b"))
        return found

    def put(self, record: dict[str, Any]) -> None:
        self.view.put(ballot_key("governance", "b"), record)

    def vote(self, member: str, choice: str = "yes", time_ms: int = START_MS + 1, reason: str | None = None) -> str:
        role = ROLES[member]
        who = Context(1, time_ms, b"\x01" * 32, f"{member}/admin", member, role, "", ("operate",), 1)
        track = ballot.track_of(self.view, "governance", "kind")
        voted = ballot.vote(self.view, "governance", "b", self.record, track, who, choice, reason)
        if isinstance(voted, Rejected):
            return voted.code
        self.put(voted)
        return "ok"

    def status(self, time_ms: int = START_MS + 1) -> str:
        return str(self.advance(time_ms)["status"])

    def advance(self, time_ms: int) -> dict[str, Any]:
        poll = ballot.poll_of(self.view, "governance", self.record)
        return ballot.advance(self.view, "governance", "b", self.record, poll, 1, time_ms)

    @property
    def figures(self) -> dict[str, Any]:
        return ballot.figures(self.record, ballot.poll_of(self.view, "governance", self.record))

    def validators(self, *members: str) -> None:
        """Have these members run the validators, as a block does that promotes them."""
        self.height += 1
        seats = [Validator(name, name, ROLES[name], validator(name).public_key) for name in members]
        epochs._begin_epoch(
            self.view, epochs.ValidatorSet(epochs.validators(self.view).epoch + 1, tuple(seats)), first_height=1
        )
        moment = Moment(self.height, START_MS + 1)
        electorate.begin(self.view, moment)
        while (entry := deadlines.take(self.view, "governance", deadlines.BLOCK_CLOCK, START_MS + 1)) is not None:
            electorate.fire(self.view, moment, entry)


def all_vote(case: Case, choice: str, *members: str) -> Case:
    for member in members:
        assert case.vote(member, choice) == "ok"
    return case


def test_the_electorate_are_the_validators_members_each_once():
    view = Overlay(GENESIS.get)
    assert electorate.electors(view, "validators") == VOTERS
    assert electorate.sizes(view)["validators"] == {"bank": 2, "enterprise": 1, "government": 1}
    assert sum(electorate.sizes(view)["members"].values()) == 7


def test_three_of_four_accept():
    case = all_vote(Case().open(), "yes", "bank-a", "regulator")
    assert case.status() == ballot.OPEN
    assert all_vote(case, "yes", "central-bank").status() == ballot.ACCEPTED


def test_two_of_four_reject_for_three_cannot_be_reached():
    case = all_vote(Case().open(), "no", "bank-a")
    assert case.status() == ballot.OPEN
    assert all_vote(case, "abstain", "regulator").status() == ballot.REJECTED


def test_a_vote_is_final_and_only_the_electorates():
    case = all_vote(Case().open(), "yes", "bank-a")
    assert case.vote("bank-a", "no") == "already_voted"
    assert case.vote("institute-a") == "not_elector"


def test_a_decided_or_late_ballot_takes_no_vote():
    case = Case().open()
    case.put(case.record | {"status": "accepted"})
    assert case.vote("bank-a") == "ballot_closed"
    assert Case().open().vote("bank-a", time_ms=CLOSES - 1) == "ok"
    assert Case().open().vote("bank-a", time_ms=CLOSES) == "ballot_closed"


def test_an_open_ballot_expires_when_its_time_is_over():
    assert Case().open().status(CLOSES - 1) == ballot.OPEN
    assert Case().open().status(CLOSES) == ballot.EXPIRED


def test_what_was_reached_in_time_stands_at_the_end():
    case = all_vote(Case().open(not_before_ms=CLOSES), "yes", "bank-a", "regulator", "central-bank")
    assert (case.status(CLOSES - 1), case.status(CLOSES)) == (ballot.OPEN, ballot.ACCEPTED)


def test_who_is_concerned_has_no_vote_and_is_not_counted():
    case = Case().open(concerned="bank-a")
    assert case.vote("bank-a") == "own_case"
    assert all_vote(case, "yes", "regulator", "central-bank").status() == ballot.OPEN
    assert case.figures["of"] == 3
    assert all_vote(case, "yes", "enterprise-a").status() == ballot.ACCEPTED


def test_votes_of_members_that_left_do_not_count_and_count_again_when_they_return():
    case = all_vote(Case().open(), "yes", "bank-a", "regulator")
    case.validators("central-bank", "enterprise-a", "institute-a", "regulator")
    assert (case.figures["yes"], case.vote("bank-a")) == (1, "not_elector")
    case.validators(*VOTERS)
    assert case.figures["yes"] == 2
    assert all_vote(case, "yes", "central-bank").status() == ballot.ACCEPTED


def test_a_vote_keeps_its_reason():
    case = Case().open()
    case.vote("regulator", "no", reason="Too wide")
    found = ballot.votes(case.view, "governance", "b", case.record)
    assert [(vote["member"], vote["choice"], vote["reason"]) for vote in found] == [("regulator", "no", "Too wide")]


def test_a_decided_ballot_stands_as_it_stood_then():
    case = all_vote(Case().open(), "yes", "bank-a", "regulator", "central-bank")
    case.put(case.advance(START_MS + 1))
    before = case.figures
    assert (before["yes"], before["of"], before["status"]) == (3, 4, "accepted")
    case.validators("central-bank", "enterprise-a", "institute-a", "public-a", "regulator")
    assert case.figures == before


STEPS = st.one_of(
    st.tuples(st.just("vote"), st.sampled_from(sorted(ROLES)[:8]), st.sampled_from(["yes", "no", "abstain"])),
    st.tuples(
        st.just("validators"),
        st.sets(
            st.sampled_from(["bank-a", "central-bank", "enterprise-a", "institute-a", "public-a", "regulator"]),
            min_size=2,
        ),
        st.none(),
    ),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(STEPS, max_size=14), st.integers(0, 1_100))
def test_the_founding_rule_is_two_thirds_of_the_validators_members_whatever_happens(steps, late):
    """Against votes kept one by one, and counted anew by the electorate of the moment."""
    case, votes, members = Case().open(), {}, set(VALIDATORS)
    for what, who, choice in steps:
        if what == "validators":
            members = who
            case.validators(*sorted(who))
        elif who in ROLES and case.view.get(f"membership/member/{who}") is not None:
            expected = "already_voted" if who in votes else "ok"
            assert case.vote(who, choice) == (expected if who in members else "not_elector")
            if who in members:
                votes.setdefault(who, choice)
        cast = [(ROLES[member], votes.get(member, "silent")) for member in sorted(members)]
        clock = Clock(START_MS, CLOSES, START_MS + late)
        wanted = naive.status(FOUNDING.tracks["ordinary"], cast, clock, None)
        yes = sum(vote == "yes" for _, vote in cast)
        figures = case.figures
        assert (figures["yes"], figures["needed"], figures["of"]) == (yes, 2 * len(cast) // 3 + 1, len(cast))
        assert case.status(START_MS + late) == {"passed": "accepted"}.get(wanted, wanted)
        if wanted != "open":
            return


def test_a_seat_that_changes_beside_all_ballots_that_there_can_be_takes_no_more_than_a_due_thing_may() -> None:
    """896 open ballots (A2, J8), of each of which the member has voted, with the longest of reasons."""
    case = Case().open()
    vote = electorate.Vote("yes", 1, START_MS, "ab" * 32, "r" * 1_000, "bank", ["validators", "members"])
    rows = [["supervision", f"B{number}"] for number in range(896)]
    record = case.record
    for contract, name in rows:
        case.view.put(ballot_key(contract, name), record)
        case.view.put(vote_key(contract, name, 1, "bank-a"), list(vote))
    case.view.put(OPEN_KEY, rows)
    state = {**GENESIS, **{key: value for key, value in case.view.updates().items() if value is not None}}
    open_keys = (*CONTRACTS["governance"].open_keys, *CONTRACTS["supervision"].open_keys)
    view = Overlay(state.get, open_keys)
    view.meter = Meter(DUE_ENTRY_STEPS)
    seat = electorate.seat(view, "bank-a")
    assert seat is not None
    assert seat.validator
    left = [at for at in epochs.validators(view).validators if at.member != "bank-a"]
    epochs.schedule(view, "p", left)
    epochs.begin(view, Moment(2, START_MS + 2))
    before = view.meter.spent
    electorate.changed(view, "bank-a", START_MS + 2)
    assert electorate.Vote(*view.get(vote_key("supervision", "B895", 1, "bank-a"))).electorates == ["members"]
    assert 896 * 48 < view.meter.spent - before < DUE_ENTRY_STEPS
