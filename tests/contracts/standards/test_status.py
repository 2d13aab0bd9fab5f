"""The de-facto status: against fractions, against a recount, and at each boundary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.standards.status import (
    PERIOD_MS,
    TERMS,
    Share,
    Use,
    is_active,
    is_de_facto,
    is_user,
    mean,
    opens_ms,
    period_of,
    terms_in_force,
)
from coseal.ledger.validators import ROLES

SHARES = st.dictionaries(
    st.sampled_from(ROLES),
    st.integers(0, 12).flatmap(lambda active: st.builds(Share, st.integers(0, active), st.just(active))),
)
USE = st.builds(
    lambda items, judged, good: Use(items, min(good, judged, items), items - min(judged, items)),
    *[st.integers(0, 25)] * 3,
)
PERIODS = st.integers(95, 103)


def naive_mean(shares: Mapping[str, Share]) -> Fraction:
    parts = [Fraction(share.users, share.active) for share in shares.values() if share.active]
    return sum(parts, Fraction(0)) / len(parts) if parts else Fraction(0)


def naive_status(before: bool, shares: Mapping[str, Share], members: int) -> bool:
    average = naive_mean(shares)
    if before:
        return not average < Fraction(2, 5)
    carrying = [one for one in shares.values() if one.active and Fraction(one.users, one.active) > Fraction(1, 3)]
    users = sum(one.users for one in shares.values())
    return average > Fraction(1, 2) and len(carrying) >= 2 and users >= max(Fraction(3), Fraction(members, 10))


def naive_user(items: Mapping[int, int], use: Mapping[int, Use], last: int) -> bool:
    for period in (last, last - 1, last - 2):
        recorded, found = items.get(period, 0), use.get(period, Use())
        judged = found.items - found.undetermined
        if recorded < 10 or judged == 0:
            return False
        if Fraction(found.items, recorded) <= Fraction(9, 10) or Fraction(found.conforming, judged) <= Fraction(9, 10):
            return False
    return True


@given(SHARES)
def test_the_mean_is_that_of_fractions(shares):
    assert Fraction(*mean(shares)) == naive_mean(shares)


@settings(max_examples=300)
@given(st.booleans(), SHARES, st.integers(1, 60))
def test_the_status_is_that_of_fractions(before, shares, members):
    assert is_de_facto(before, shares, members) == naive_status(before, shares, members)


@settings(max_examples=300)
@given(st.dictionaries(PERIODS, st.integers(0, 25)), st.dictionaries(PERIODS, USE), st.integers(99, 103))
def test_a_user_is_one_by_fractions(items, use, last):
    assert is_user(items, use, last) == naive_user(items, use, last)


@settings(max_examples=100)
@given(st.booleans(), SHARES, st.integers(1, 60), st.sampled_from(ROLES))
def test_one_more_user_never_takes_the_status_away(before, shares, members, role):
    found = shares.get(role, Share(0, 0))
    if found.users == found.active:
        return
    more = {**shares, role: Share(found.users + 1, found.active)}
    assert is_de_facto(before, more, members) >= is_de_facto(before, shares, members)


def both(*shares: tuple[int, int]) -> dict[str, Share]:
    return {role: Share(*share) for role, share in zip(ROLES, shares, strict=False)}


@pytest.mark.parametrize(
    ("shares", "members", "gains"),
    [
        (both((1, 2), (2, 4)), 10, False),  # a half is not more than a half
        (both((2, 3), (2, 4)), 10, True),
        (both((2, 2), (1, 3), (1, 2)), 10, True),
        (both((1, 1), (1, 3), (1, 3)), 10, False),  # one constituency alone carries it
        (both((3, 3)), 10, False),
        (both((1, 1), (1, 1)), 4, False),  # two users
        (both((2, 2), (1, 1)), 30, True),
        (both((2, 2), (1, 1)), 31, False),  # a domain of three friends among many
        (both((500, 1000), (500, 1000), (501, 1000), (500, 1000), (500, 1000)), 1000, True),
        ({}, 4, False),
    ],
)
def test_what_makes_a_standard_de_facto(shares, members, gains):
    assert is_de_facto(False, shares, members) is gains


@pytest.mark.parametrize(
    ("shares", "keeps"),
    [
        (both((2, 5), (2, 5)), True),
        (both((2, 5), (399, 1000)), False),
        (both((2, 2), (0, 3)), True),  # carried by one constituency alone: enough to keep it
        (both((0, 2), (0, 0)), False),
        ({}, False),
    ],
)
def test_what_keeps_it_de_facto(shares, keeps):
    assert is_de_facto(True, shares, 1_000) is keeps


def test_ten_members_made_of_one_bank_carry_one_constituency():
    shares = {"bank": Share(10, 10), "government": Share(0, 1), "enterprise": Share(0, 3)}
    assert not is_de_facto(False, shares, 14)


def test_volume_decides_nothing():
    items = {98: 10, 99: 10, 100: 10_000_000}
    use = {98: Use(10, 10), 99: Use(9, 9), 100: Use(10_000_000, 10_000_000)}
    assert is_active(items, 100)
    assert not is_user(items, use, 100)
    assert is_user(items, {**use, 99: Use(10, 10)}, 100)


def test_a_member_is_active_only_if_it_records_in_each_of_the_periods():
    assert is_active({98: 10, 99: 10, 100: 10}, 100)
    assert not is_active({97: 10, 98: 10, 100: 99}, 100)
    assert not is_active({98: 10, 99: 9, 100: 10}, 100)
    assert is_active({100: 1}, 100, replace(TERMS, periods=1, use_min=1))


def test_what_could_not_be_judged_counts_as_under_the_standard_but_not_as_conforming():
    items = dict.fromkeys((98, 99, 100), 20)
    assert is_user(items, dict.fromkeys(items, Use(20, 10, 10)), 100)
    assert not is_user(items, dict.fromkeys(items, Use(20, 9, 10)), 100)
    assert not is_user(items, dict.fromkeys(items, Use(20, 0, 20)), 100)


def test_a_period_is_thirty_days_of_block_time():
    assert PERIOD_MS == 30 * 86_400_000
    assert period_of(opens_ms(7)) == 7
    assert period_of(opens_ms(7) - 1) == 6


def test_the_constitution_says_other_numbers_and_what_it_does_not_say_is_as_usual():
    class Reader:
        def get(self, key):
            return {"use_min": 3, "gained": [2, 3]} if key == "governance/de_facto" else None

    terms = terms_in_force(Reader())
    assert (terms.use_min, terms.gained, terms.lost) == (3, (2, 3), TERMS.lost)
    assert is_active(dict.fromkeys(range(3), 3), 2, terms)
    assert not is_active(dict.fromkeys(range(3), 3), 2)
