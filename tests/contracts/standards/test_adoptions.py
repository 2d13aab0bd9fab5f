"""Trying, adopting and ending: each member for itself."""

from __future__ import annotations

import pytest

from coseal.contracts.standards.adoptions import covers, in_force_at
from tests.support.standards import DAY_MS, competing

SCOPE = {"standard": "s", "version": 1}


@pytest.fixture
def scene(chain):
    found = competing(chain)
    found.propose("s", "loans")
    return found


def test_a_trial_becomes_an_adoption_and_not_the_other_way_round(scene):
    assert scene.ok("central-bank", "try", **SCOPE)["mode"] == "trial"
    assert scene.code("central-bank", "try", **SCOPE) == "already_adopted"
    assert scene.ok("central-bank", "adopt", **SCOPE)["mode"] == "adopted"
    assert scene.code("central-bank", "adopt", **SCOPE) == "already_adopted"
    assert scene.code("central-bank", "try", **SCOPE) == "already_adopted"
    assert [row[0] for row in scene.adoption("s", "central-bank")["history"]] == ["trial", "adopted"]


def test_what_is_not_there_is_not_adopted(scene):
    assert scene.code("city", "adopt", standard="none", version=1) == "unknown_standard"
    assert scene.code("city", "adopt", standard="s", version=2) == "unknown_standard"
    assert scene.code("city", "adopt", **SCOPE, sources=["nothing"]) == "unknown_source"
    assert scene.code("city", "adopt", **SCOPE, sources=[]) == "invalid_argument"


def test_an_adoption_takes_effect_when_it_says_and_within_a_year(scene):
    now_ms = scene.chain.now_ms
    assert scene.code("city", "adopt", **SCOPE, effective_ms=now_ms - 1) == "bad_time"
    assert scene.code("city", "adopt", **SCOPE, effective_ms=scene.chain.now_ms + 366 * DAY_MS + 1) == "bad_time"
    later_ms = scene.chain.now_ms + DAY_MS
    scene.ok("central-bank", "adopt", **SCOPE, effective_ms=later_ms)
    scene.record("central-bank", "loans", 2)
    assert scene.chain.get("standards/use/s/1/central-bank") is None
    scene.wait(DAY_MS)
    scene.record("central-bank", "loans", 3)
    assert scene.chain.get("standards/use/s/1/central-bank")[0][1] == 3


def test_only_the_sources_named_count_as_use_and_all_in_the_domain(scene):
    scene.source("central-bank", "loans", name="other")
    scene.ok("central-bank", "adopt", **SCOPE, sources=["loans"])
    scene.record("central-bank", "loans", 2)
    scene.record("central-bank", "other", 5)
    assert scene.chain.get("standards/use/s/1/central-bank")[0][1:] == [2, 2, 0]
    assert scene.chain.get("standards/items/lending/central-bank")[0][1] == 7


def test_what_a_historical_source_records_counts_nowhere(scene):
    scene.source("central-bank", "loans", "historical", "old")
    scene.ok("central-bank", "adopt", **SCOPE)
    scene.record("central-bank", "old", 5)
    assert scene.chain.get("standards/items/lending/central-bank") is None


def test_what_is_of_no_domain_counts_nowhere(scene):
    scene.record("city", "credits", 5)
    assert scene.domain("lending")["members"] == 0


def test_an_adoption_ends_with_notice_and_a_trial_at_once(scene):
    scene.ok("central-bank", "adopt", **SCOPE)
    scene.ok("city", "try", **SCOPE)
    now_ms = scene.chain.now_ms
    ended = scene.ok("central-bank", "end_adoption", **SCOPE, reason="No more")
    assert ended["until_ms"] == now_ms + 30 * DAY_MS
    now_ms = scene.chain.now_ms
    assert scene.ok("city", "end_adoption", **SCOPE, reason="No more")["until_ms"] == now_ms
    assert scene.code("central-bank", "end_adoption", **SCOPE, reason="Again") == "not_adopted"
    assert scene.code("public-a", "end_adoption", **SCOPE, reason="Never") == "not_adopted"
    assert scene.code("central-bank", "adopt", **SCOPE) == "already_adopted"  # in force for 30 days
    scene.record("central-bank", "loans", 2)
    scene.wait(30 * DAY_MS)
    scene.record("central-bank", "loans", 4)
    assert [row[1] for row in scene.chain.get("standards/use/s/1/central-bank")] == [2]
    assert scene.code("central-bank", "adopt", **SCOPE) == "ok"
    assert [row[0] for row in scene.adoption("s", "central-bank")["history"]] == ["adopted", "ended", "adopted"]


def test_an_adoption_that_is_not_in_force_yet_ends_at_once(scene):
    scene.ok("city", "adopt", **SCOPE, effective_ms=scene.chain.now_ms + DAY_MS)
    now_ms = scene.chain.now_ms
    assert scene.ok("city", "end_adoption", **SCOPE, reason="No")["until_ms"] == now_ms
    assert not in_force_at(scene.adoption("s", "city"), now_ms + 2 * DAY_MS)


def test_a_source_is_covered_from_the_first_moment_to_before_the_last():
    adoption = {"from_ms": 5, "until_ms": 9, "sources": ["a"], "mode": "adopted"}
    assert [in_force_at(adoption, time_ms) for time_ms in (4, 5, 8, 9)] == [False, True, True, False]
    assert covers(adoption, "a", 5)
    assert not covers(adoption, "b", 5)
    assert covers({**adoption, "sources": []}, "b", 5)
    assert not covers(None, "a", 5)
