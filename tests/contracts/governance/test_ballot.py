from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.governance import ballot
from coseal.contracts.kernel.action import Context, Rejected

MEMBERS = ("bank-a", "central-bank", "enterprise-a", "regulator")


def context(member: str, time_ms: int = 10) -> Context:
    return Context(1, time_ms, b"\x01" * 32, f"{member}/admin", member, "bank", "", ("operate",), 1)


def opened(**more):
    return ballot.new("kind", {"any": 1}, "bank-a", height=1, opened_ms=0, closes_ms=100, **more)


def voted(record, *votes):
    for member, choice in votes:
        record = ballot.vote(record, context(member), choice, MEMBERS)
        assert not isinstance(record, Rejected), record
    return record


def all_of(choice, *members):
    return [(member, choice) for member in members]


def test_the_electorate_are_the_validators_members_each_once(chain):
    assert ballot.electorate(chain.executor.reader) == MEMBERS


@pytest.mark.parametrize(("n", "needed"), [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (6, 5), (7, 5), (10, 7)])
def test_two_thirds_and_more_are_needed(n, needed):
    assert ballot.needed(["m"] * n) == needed


def test_three_of_four_accept():
    record = voted(opened(), *all_of("yes", "bank-a", "regulator"))
    assert ballot.resolve(record, MEMBERS, 10) == ballot.OPEN
    assert ballot.resolve(voted(record, ("central-bank", "yes")), MEMBERS, 10) == ballot.ACCEPTED


def test_two_of_four_reject_for_three_cannot_be_reached():
    record = voted(opened(), ("bank-a", "no"))
    assert ballot.resolve(record, MEMBERS, 10) == ballot.OPEN
    assert ballot.resolve(voted(record, ("regulator", "no")), MEMBERS, 10) == ballot.REJECTED


def test_a_vote_is_final_and_only_the_electorates():
    record = voted(opened(), ("bank-a", "yes"))
    again = ballot.vote(record, context("bank-a"), "no", MEMBERS)
    assert isinstance(again, Rejected)
    assert again.code == "already_voted"
    assert ballot.vote(record, context("institute-a"), "yes", MEMBERS).code == "not_elector"


def test_a_decided_or_late_ballot_takes_no_vote():
    assert ballot.vote(opened() | {"status": "accepted"}, context("bank-a"), "yes", MEMBERS).code == "ballot_closed"
    assert not isinstance(ballot.vote(opened(), context("bank-a", 99), "yes", MEMBERS), Rejected)
    late = ballot.vote(opened(), context("bank-a", 100), "yes", MEMBERS)
    assert (late.code, "expired" in late.detail) == ("ballot_closed", True)


def test_an_open_ballot_expires_when_its_time_is_over():
    assert ballot.resolve(opened(), MEMBERS, 99) == ballot.OPEN
    assert ballot.resolve(opened(), MEMBERS, 100) == ballot.EXPIRED


def test_what_was_reached_in_time_stands_at_the_end():
    record = voted(opened(not_before_ms=100), *all_of("yes", "bank-a", "regulator", "central-bank"))
    assert ballot.resolve(record, MEMBERS, 99) == ballot.OPEN
    assert ballot.resolve(record, MEMBERS, 100) == ballot.ACCEPTED


def test_votes_of_members_that_left_do_not_count():
    record = voted(opened(), *all_of("yes", "bank-a", "regulator", "central-bank"))
    assert ballot.resolve(record, ("bank-a", "enterprise-a", "institute-a", "regulator"), 10) == ballot.OPEN
    assert ballot.count(record, ("bank-a", "enterprise-a")) == (1, 0)


def test_a_vote_keeps_its_reason():
    record = voted(opened(), ("bank-a", "yes"))
    record = ballot.vote(record, context("regulator"), "no", MEMBERS, "Too wide")
    assert record["reasons"] == {"regulator": "Too wide"}


def test_a_decided_ballot_stands_as_it_stood_then():
    record = voted(opened(), ("bank-a", "yes"), ("regulator", "no"))
    now = {"yes": 1, "no": 1, "needed": 3, "electorate": list(MEMBERS)}
    assert ballot.tally(record, MEMBERS) == now
    assert ballot.tally({**record, "tally": now}, ("institute-a",)) == now


@settings(deadline=None, max_examples=200)
@given(st.permutations(MEMBERS), st.lists(st.sampled_from(["yes", "no"]), min_size=4, max_size=4))
def test_the_result_does_not_depend_on_the_order_of_votes(order, choices):
    chosen = dict(zip(MEMBERS, choices, strict=True))
    record = voted(opened(not_before_ms=50), *((member, chosen[member]) for member in order))
    expected = ballot.ACCEPTED if choices.count("yes") >= 3 else ballot.REJECTED
    assert ballot.resolve(record, MEMBERS, 50) == expected
    assert ballot.resolve(record, tuple(reversed(MEMBERS)), 60) == expected
