"""A standard's life: proposed, taken up or lapsed, superseded, ended."""

from __future__ import annotations

import pytest

from coseal.contracts.standards.life import LAPSE_MS, MAX_OPEN
from tests.support.standards import DAY_MS, FORMAT, Competition, competing


@pytest.fixture
def scene(chain):
    return competing(chain)


def test_a_proposal_is_written_with_its_digest_and_competes_in_its_domain(scene):
    made = scene.propose("loan-events", "loans")
    assert made["status"] == "proposed"
    assert scene.domain("lending")["standards"] == [["loan-events", 1]]
    record = scene.standard("loan-events")
    assert (record["member"], record["digest"], record["adopters"]) == ("bank-a", made["digest"], 0)
    assert scene.chain.get("standards/content/loan-events/1")["process_type"] == "loans"


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("version", {"version": 2}),
        ("invalid_content", {"content": {"process_type": "nothing", "definition": "00" * 32}}),
        ("invalid_content", {"content": {"process_type": "loans", "definition": "00" * 32}}),
        ("invalid_argument", {"content": {"process_type": "loans"}}),
        ("invalid_argument", {"kind": "form"}),
        ("invalid_argument", {"standard": "a/b"}),
    ],
)
def test_a_proposal_that_is_not_true_is_refused(scene, code, changes):
    definition = scene.chain.get("process/type/loans")["definition"]
    content = {"process_type": "loans", "definition": definition}
    args = {"standard": "s", "version": 1, "kind": "process_type", "domain": "lending", "title": "S"}
    assert scene.code("bank-a", "propose", **{**args, "content": content, "patents": [], **changes}) == code


def test_the_owner_of_the_process_type_alone_makes_it_a_standard_and_once(scene):
    definition = scene.chain.get("process/type/loans")["definition"]
    more = {"kind": "process_type", "title": "S", "patents": []}
    more["content"] = {"process_type": "loans", "definition": definition}
    assert scene.code("city", "propose", standard="s", version=1, domain="lending", **more) == "not_owner"
    scene.propose("s", "loans")
    assert scene.code("bank-a", "propose", standard="t", version=1, domain="lending", **more) == "exists"
    assert scene.code("bank-a", "propose", standard="s", version=2, domain="other", **more) == "exists"
    assert scene.code("city", "propose", standard="s", version=2, domain="lending", **more) == "not_owner"


def test_the_next_version_names_the_next_definition(scene):
    scene.propose("s", "loans")
    scene.ok("central-bank", "adopt", standard="s", version=1)
    scene.record("central-bank", "loans")
    assert scene.chain.get("standards/use/s/1/central-bank")[-1][1:] == [10, 10, 0]
    scene.define("loans", version=2)
    scene.record("central-bank", "loans")
    assert scene.chain.get("standards/use/s/1/central-bank")[-1][1:] == [10, 10, 0]
    scene.propose("s", "loans", version=2)
    scene.ok("central-bank", "adopt", standard="s", version=2)
    scene.record("central-bank", "loans", 3)
    assert scene.chain.get("standards/use/s/2/central-bank")[-1][1:] == [3, 3, 0]
    assert scene.chain.get("standards/items/lending/central-bank")[-1][1] == 23


def test_what_nobody_else_takes_up_lapses_after_180_days_and_gives_up_its_place(scene):
    scene.propose("s", "loans")
    scene.ok("bank-a", "try", standard="s", version=1)  # by its proposer: that is not enough
    assert "lapsed" not in scene.wait(LAPSE_MS - 2_000)
    assert scene.wait(2_000)["lapsed"] == [{"standard": "s", "version": 1}]
    assert scene.status("s") == "lapsed"
    assert scene.domain("lending")["standards"] == []
    assert scene.chain.get("standards/open/bank-a") is None
    assert scene.chain.get("standards/type/loans") == {"domain": "lending"}
    assert scene.code("central-bank", "adopt", standard="s", version=1) == "not_open"
    assert scene.propose("t", "loans")["status"] == "proposed"  # the type may be another standard


def test_what_somebody_tries_does_not_lapse(scene):
    scene.propose("s", "loans")
    assert scene.ok("city", "try", standard="s", version=1)["status"] == "in_use"
    assert "lapsed" not in scene.wait(LAPSE_MS + 1)
    assert scene.status("s") == "in_use"


def test_a_standard_that_all_others_left_is_proposed_again_and_lapses(scene):
    scene.propose("s")
    scene.ok("city", "adopt", standard="s", version=1)
    scene.close()
    assert scene.status("s") == "in_use"
    scene.ok("city", "end_adoption", standard="s", version=1, reason="No more")
    scene.wait(30 * DAY_MS)
    (review,) = scene.close()["reviews"]
    assert (review["before"], review["status"]) == ("in_use", "proposed")
    assert scene.chain.get("standards/open/bank-a") == 1
    scene.wait(LAPSE_MS)
    assert scene.status("s") == "lapsed"
    assert scene.chain.get("standards/open/bank-a") is None


def test_a_member_has_at_most_16_standards_that_nobody_else_took_up(scene):
    for number in range(MAX_OPEN):
        scene.propose(f"s{number}")
    args = {"standard": "more", "version": 1, **FORMAT}
    assert scene.code("bank-a", "propose", **args) == "limit"
    scene.ok("city", "try", standard="s0", version=1)
    assert scene.code("bank-a", "propose", **args) == "ok"


def test_at_most_64_standards_compete_in_a_domain(scene):
    for member in ("bank-a", "city", "central-bank", "public-a"):
        for number in range(MAX_OPEN):
            scene.propose(f"{member}-{number}", "", member)
    args = {"standard": "more", "version": 1, **FORMAT}
    assert scene.code("regulator", "propose", **args) == "limit"
    assert scene.code("regulator", "propose", **{**args, "domain": "elsewhere"}) == "ok"
    scene.wait(LAPSE_MS)
    assert scene.domain("event-logs")["standards"] == []


def test_a_superseded_standard_ends_at_its_sunset_and_who_is_on_it_is_named(scene):
    scene.propose("old")
    scene.propose("new", "", "city")
    scene.ok("regulator", "adopt", standard="old", version=1)
    scene.ok("central-bank", "adopt", standard="old", version=1)
    ending = {"standard": "old", "version": 1, "notice_ms": 60 * DAY_MS, "reason": "New is better"}
    successor = {"successor": "new", "successor_version": 1}
    assert scene.code("city", "supersede", **ending, **successor) == "not_owner"
    assert scene.code("bank-a", "supersede", **ending, successor="none", successor_version=1) == "unknown_standard"
    assert scene.code("bank-a", "supersede", **ending, successor="old", successor_version=1) == "unknown_standard"
    assert scene.code("bank-a", "deprecate", **{**ending, "notice_ms": DAY_MS}) == "invalid_argument"
    told = scene.ok("bank-a", "supersede", **ending, **successor)
    assert (told["successor"], told["adopters"]) == (["new", 1], 2)
    assert scene.code("bank-a", "deprecate", **ending) == "already_deprecated"
    assert scene.code("city", "adopt", standard="old", version=1) == "not_open"
    scene.ok("regulator", "end_adoption", standard="old", version=1, reason="Moving")
    ended = scene.wait(told["sunset_ms"] - scene.chain.executor.time_ms)["ended"]
    assert ended == [{"standard": "old", "version": 1, "page": 0, "members": ["central-bank"]}]
    assert scene.status("old") == "ended"
    assert scene.domain("event-logs")["standards"] == [["new", 1]]
    assert scene.code("bank-a", "deprecate", **ending) == "not_open"


def test_a_standard_that_ends_while_it_is_proposed_is_open_no_longer(scene):
    scene.propose("s")
    scene.ok("bank-a", "deprecate", standard="s", version=1, notice_ms=30 * DAY_MS, reason="A mistake")
    scene.wait(30 * DAY_MS)
    assert scene.status("s") == "ended"
    assert scene.chain.get("standards/open/bank-a") is None
    assert "lapsed" not in scene.wait(LAPSE_MS)


def test_a_process_type_counts_in_one_domain(scene):
    assert scene.code("city", "classify", process_type="loans", domain="lending") == "not_owner"
    assert scene.code("bank-a", "classify", process_type="none", domain="lending") == "unknown_type"
    scene.ok("bank-a", "classify", process_type="loans", domain="lending")
    assert scene.code("bank-a", "classify", process_type="loans", domain="lending") == "classified"
    definition = scene.chain.get("process/type/loans")["definition"]
    args = {"standard": "s", "version": 1, "kind": "process_type", "domain": "other", "title": "S", "patents": []}
    args["content"] = {"process_type": "loans", "definition": definition}
    assert scene.code("bank-a", "propose", **args) == "classified"


def test_pages_of_adopters_hold_all_of_them_in_order(chain):
    scene = Competition(chain)
    scene.propose("s")
    members = ["city", "regulator", "public-a"]
    for member in members:
        scene.ok(member, "adopt", standard="s", version=1)
    scene.ok("city", "end_adoption", standard="s", version=1, reason="No more")
    scene.wait(30 * DAY_MS)
    scene.ok("city", "adopt", standard="s", version=1)
    assert scene.chain.get("standards/adopters/s/1/0") == members
    assert scene.standard("s")["adopters"] == 3
