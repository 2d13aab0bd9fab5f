from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.policy.instrument import (
    in_force,
    instrument,
    is_before,
    issuers_of,
    standing,
    starts_ms,
    status_of,
    with_defaults,
    zone_missing,
)

MIDNIGHT_MS = 1_504_454_400_000  # 2017-09-04T00:00:00+08:00


def entry(*events, **fields):
    made = {"id": "x", "zone_minutes": 480, "origin": "recorded", "events": list(events), **fields}
    return {"status": status_of(made), **made}


def event(action, date=None, **extra):
    return {"action": action, **({} if date is None else {"date": date}), **extra}


class Register(dict):
    """A reader of a few instruments."""

    def get(self, key):
        return super().get(key)


# Dates


@pytest.mark.parametrize(
    ("date", "zone", "expected"),
    [
        ("2017-09-04", 480, MIDNIGHT_MS),
        ("2017-09-04", 0, MIDNIGHT_MS + 8 * 3_600_000),
        ("2017-09", 480, MIDNIGHT_MS - 3 * DAY_MS),
        ("2017", 480, 1_483_200_000_000),
        ("1949-12-23", 480, -631_958_400_000),
        ("1970-01-01", -60, 3_600_000),
    ],
)
def test_a_date_is_midnight_of_its_first_day_in_the_zone(date, zone, expected):
    assert starts_ms(date, zone) == expected


def test_a_date_that_was_never_checked_is_a_bug():
    with pytest.raises(ValueError, match="never checked"):
        starts_ms("2017-13", 0)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("2017-09-04", "2017-09-05", True),
        ("2017-09-04", "2017-09-04", False),
        ("2017-09", "2017-09-04", False),
        ("2017-09-04", "2017-09", False),
        ("2017", "2017-12-31", False),
        ("2017", "2018-01", True),
        ("2017-08", "2017-09-01", True),
        ("2018", "2017-12-31", False),
        (None, "2017", False),
        ("2017", None, False),
    ],
)
def test_one_date_precedes_another_only_if_it_certainly_does(left, right, expected):
    assert is_before(left, right) is expected


@settings(deadline=None)
@given(st.dates(), st.dates(), st.sampled_from([4, 7, 10]), st.sampled_from([4, 7, 10]))
def test_precedence_holds_for_every_day_the_dates_may_mean(left, right, left_length, right_length):
    if is_before(left.isoformat()[:left_length], right.isoformat()[:right_length]):
        assert left < right


def test_the_zone_follows_from_the_jurisdiction_or_is_given():
    assert with_defaults({"id": "x"}) == {"id": "x", "title_language": "zh", "jurisdiction": "CN", "zone_minutes": 480}
    assert with_defaults({"jurisdiction": "JP-13"})["zone_minutes"] == 540
    assert with_defaults({"jurisdiction": "FR", "zone_minutes": 60})["zone_minutes"] == 60
    assert zone_missing({"jurisdiction": "CN-37"}) is None
    assert zone_missing({"jurisdiction": "FR", "zone_minutes": 60}) is None
    assert "zone of FR is not known" in zone_missing({"jurisdiction": "FR"})


# What the events say


@pytest.mark.parametrize(
    ("actions", "status"),
    [
        ((), "recorded"),
        (("proposed",), "proposed"),
        (("proposed", "consulted"), "proposed"),
        (("proposed", "passed"), "passed"),
        (("amended",), "passed"),
        (("promulgated",), "promulgated"),
        (("effective", "amended"), "promulgated"),
        (("passed", "promulgated", "repealed"), "ended"),
        (("expired",), "ended"),
        (("evaluated",), "recorded"),
    ],
)
def test_the_status_follows_from_the_events(actions, status):
    assert entry(*(event(action) for action in actions))["status"] == status


def test_issuers_are_those_who_passed_or_acted_each_once():
    found = issuers_of(
        entry(
            event("passed", issuer="B"),
            event("amended", issuer="C"),
            event("amended", issuer="B"),
            event("evaluated", issuer="D"),
            event("revised"),
            passed_by=["A", "B"],
        )
    )
    assert found == ["A", "B", "C"]


# In force


LIVE = {
    "origin": "live",
    "date_document": "2017-09-01",
    "date_publication": "2017-09-02",
    "first_date_entry_in_force": "2017-09-04",
}
PROMULGATED = (event("passed", "2017-09-01"), event("promulgated", "2017-09-02"), event("effective", "2017-09-04"))


def verdicts(given_entry, *times):
    return [standing(given_entry, time)[0] for time in times]


def test_an_instrument_is_in_force_from_midnight_of_its_date():
    made = entry(*PROMULGATED, **LIVE)
    assert verdicts(made, MIDNIGHT_MS - 1, MIDNIGHT_MS, MIDNIGHT_MS + 10**12) == ["not_yet", "in_force", "in_force"]


def test_an_instrument_is_in_force_until_midnight_of_its_end():
    made = entry(*PROMULGATED, event("repealed", "2017-09-05"), date_no_longer_in_force="2017-09-05", **LIVE)
    assert verdicts(made, MIDNIGHT_MS, MIDNIGHT_MS + DAY_MS - 1, MIDNIGHT_MS + DAY_MS) == [
        "in_force",
        "in_force",
        "no_longer",
    ]


def test_a_joint_policy_awaits_every_member_that_issues_it():
    awaiting = entry(*PROMULGATED, **LIVE, awaiting=["bank-a"])
    assert standing(awaiting, MIDNIGHT_MS) == ("not_yet", "it awaits the endorsement of bank-a")
    endorsed = entry(*PROMULGATED, **LIVE, awaiting=[], endorsed_ms=MIDNIGHT_MS + 5)
    assert verdicts(endorsed, MIDNIGHT_MS + 4, MIDNIGHT_MS + 5) == ["not_yet", "in_force"]


def test_what_is_proposed_or_passed_is_not_yet_in_force():
    assert standing(entry(event("proposed", "2017"), origin="live"), MIDNIGHT_MS)[0] == "not_yet"
    assert standing(entry(event("passed", "2017"), origin="live"), MIDNIGHT_MS) == (
        "not_yet",
        "it was not promulgated",
    )


def test_a_recorded_instrument_without_a_date_is_unknown():
    made = entry(event("passed", "2017"))
    assert standing(made, MIDNIGHT_MS)[0] == "unknown"
    assert verdicts(entry(event("effective", "2017-09-04")), MIDNIGHT_MS - 1, MIDNIGHT_MS) == ["not_yet", "in_force"]


def test_an_end_without_a_date_makes_it_unknown():
    made = entry(event("effective", "2017-09-04"), event("expired"))
    assert standing(made, MIDNIGHT_MS) == ("unknown", "it ended, but no date is recorded")
    dated = entry(event("effective", "2017-09-04"), event("expired"), event("repealed", "2017-09-05"))
    assert verdicts(dated, MIDNIGHT_MS + DAY_MS) == ["no_longer"]


def test_a_suspension_holds_until_it_is_effective_again():
    made = entry(event("effective", "2017-09-06"), event("suspended", "2017-09-05"), event("effective", "2017-09-04"))
    assert verdicts(made, MIDNIGHT_MS, MIDNIGHT_MS + DAY_MS, MIDNIGHT_MS + 2 * DAY_MS) == [
        "in_force",
        "suspended",
        "in_force",
    ]


def test_in_force_is_a_question_to_the_register():
    register = Register({"policy/instrument/x": entry(*PROMULGATED, **LIVE), "policy/instrument/y": entry()})
    assert in_force(register, "x", MIDNIGHT_MS) is True
    assert in_force(register, "x", MIDNIGHT_MS - 1) is False
    assert in_force(register, "y", MIDNIGHT_MS) is None
    assert in_force(register, "z", MIDNIGHT_MS) is None
    assert instrument(register, "x")["id"] == "x"
    assert instrument(register, "z") is None
