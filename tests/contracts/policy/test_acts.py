from __future__ import annotations

import pytest

from coseal.contracts.policy import CONTRACT
from coseal.contracts.policy.instrument import MAX_EVENTS, in_force, instrument
from coseal.contracts.policy.statistics import statistics

CENTRAL, CITY, BANK, PBC = "regulator/admin", "city/admin", "bank-a/admin", "central-bank/admin"
TODAY = "2023-11-15"  # of the test chain, in China: genesis is 06:13 there
HASH = "ab" * 32


def publish(chain, who=CENTRAL, /, **changes):
    args = {"id": "p/1", "title": "Notice", "type_document": "notice", "date_document": "2023-11-01", **changes}
    return chain.submit(who, "policy.publish", **args)


def promulgate(chain, who=CENTRAL, /, **changes):
    dates = {"date_publication": "2023-11-02", "first_date_entry_in_force": "2023-11-03"}
    return chain.submit(who, "policy.promulgate", **{"id": "p/1", **dates, **changes})


def act(chain, who, name, /, **args):
    return chain.submit(who, f"policy.{name}", **{"id": "p/1", **args})


def amend(chain, who=CENTRAL, /, **changes):
    return act(chain, who, "amend", **{"date": "2023-11-10", **changes})


def repeal(chain, who=CENTRAL, /, **changes):
    return act(chain, who, "repeal", **{"date_no_longer_in_force": "2023-12-01", **changes})


def evaluate(chain, who=CENTRAL, /, **changes):
    return act(chain, who, "evaluate", **{"date": TODAY, "verdict": "met", "summary": "done", **changes})


def stored(chain):
    return chain.get("policy/instrument/p/1")


# Publishing


def test_a_government_publishes_at_its_own_level(chain):
    receipt = publish(chain, is_about=["payment"], number="银发〔2023〕1号", text_sha256=HASH)
    event = {
        "action": "passed",
        "date": "2023-11-01",
        "issuer": "regulator",
        "height": 1,
        "number": "银发〔2023〕1号",
    }
    assert receipt.data == {
        "id": "p/1",
        "status": "passed",
        "level": "central",
        "passed_by": ["regulator"],
        "awaiting": [],
        "events": [event],
    }
    assert stored(chain) == {
        "id": "p/1",
        "title": "Notice",
        "title_language": "zh",
        "type_document": "notice",
        "number": "银发〔2023〕1号",
        "passed_by": ["regulator"],
        "jurisdiction": "CN",
        "zone_minutes": 480,
        "level": "central",
        "date_document": "2023-11-01",
        "is_about": ["payment"],
        "text_sha256": HASH,
        "origin": "live",
        "member": "regulator",
        "height": 1,
        "status": "passed",
        "awaiting": [],
        "events": [event],
        "findings": [],
    }
    assert instrument(chain.executor.reader, "p/1") == stored(chain)


def test_the_central_bank_publishes_at_the_central_level(chain):
    assert publish(chain, PBC).data["level"] == "central"


@pytest.mark.parametrize("who", [BANK, "enterprise-a/admin", "institute-a/admin", "public-a/admin"])
def test_no_other_member_publishes(chain, who):
    receipt = publish(chain, who)
    assert receipt.code == "forbidden"
    assert stored(chain) is None


def test_an_id_is_given_once(chain):
    publish(chain)
    assert publish(chain).code == "exists"
    assert publish(chain, CITY).code == "exists"
    assert publish(chain, stage="proposed").code == "exists"


def test_the_publisher_is_among_the_issuers(chain):
    receipt = publish(chain, passed_by=["city", "Ministry of Finance"])
    assert (receipt.code, receipt.detail[:14]) == ("invalid_argument", "args.passed_by")


def test_what_was_passed_tomorrow_is_refused(chain):
    assert publish(chain, date_document="2023-11-16").code == "future_date"
    assert publish(chain, date_document="2024").code == "future_date"
    assert publish(chain, date_document="2023-11").ok
    assert publish(chain, id="p/2", date_document=TODAY).ok


def test_what_was_passed_today_is_told_from_midnight_on(chain):
    args = {"id": "p/1", "title": "Notice", "type_document": "notice", "date_document": "2023-11-16"}
    midnight_ms = 1_700_064_000_000
    for time_ms, code in ((midnight_ms - 1, "future_date"), (midnight_ms, "ok")):
        tx = chain.sign(CENTRAL, "policy.publish", args, valid_until_ms=midnight_ms + 1_000)
        assert chain.block(tx, time_ms=time_ms)[0].code == code


def test_a_day_begins_in_the_zone_of_the_jurisdiction(chain):
    utc = {"jurisdiction": "GB", "zone_minutes": 0}
    assert publish(chain, date_document=TODAY, **utc).code == "future_date"
    assert publish(chain, date_document="2023-11-14", **utc).ok
    receipt = publish(chain, id="p/2", jurisdiction="GB")
    assert (receipt.code, receipt.detail[:17]) == ("invalid_argument", "args.zone_minutes")


def test_a_proposal_is_passed_by_who_proposed_it(chain):
    assert publish(chain, stage="proposed", date_document="2023-10-01").data["status"] == "proposed"
    assert statistics(chain.executor.reader, "level") == {}
    assert publish(chain, CITY).code == "forbidden"
    assert publish(chain, date_document="2023-09-30").code == "date_order"
    assert publish(chain, stage="proposed", date_document="2023-10-02").code == "exists"
    for code in (promulgate(chain).code, amend(chain).code, repeal(chain).code, evaluate(chain).code):
        assert code == "not_passed"
    assert publish(chain, title="Final notice").data["status"] == "passed"
    assert stored(chain)["title"] == "Final notice"
    assert [event["action"] for event in stored(chain)["events"]] == ["proposed", "passed"]
    assert statistics(chain.executor.reader, "level") == {"central": 1}


# Joint issue


def test_a_joint_policy_is_in_force_when_every_member_that_issues_it_has_endorsed(chain):
    issuers = ["regulator", "Ministry of Finance", "central-bank", "city"]
    assert publish(chain, passed_by=issuers, text_sha256=HASH).data["awaiting"] == ["central-bank", "city"]
    assert promulgate(chain).ok
    reader = chain.executor.reader
    assert in_force(reader, "p/1", chain.now_ms) is False
    receipt = act(chain, PBC, "endorse", text_sha256=HASH)
    assert receipt.data["awaiting"] == ["city"]
    expected = {"action": "endorsed", "issuer": "central-bank", "time_ms": chain.executor.time_ms, "height": 3}
    assert receipt.data["events"] == [expected]
    assert in_force(reader, "p/1", chain.now_ms) is False
    assert act(chain, CITY, "endorse").data["awaiting"] == []
    assert stored(chain)["endorsed_ms"] == chain.executor.time_ms
    assert in_force(reader, "p/1", chain.executor.time_ms) is True
    assert in_force(reader, "p/1", chain.executor.time_ms - 1) is False


def test_only_an_awaited_member_endorses_once_and_that_text(chain):
    publish(chain, passed_by=["regulator", "city"], text_sha256=HASH)
    assert act(chain, BANK, "endorse").code == "not_awaited"
    assert act(chain, CENTRAL, "endorse").code == "not_awaited"
    assert act(chain, CITY, "endorse", text_sha256="cd" * 32).code == "text_differs"
    assert act(chain, CITY, "endorse").ok
    assert act(chain, CITY, "endorse").code == "already_done"


def test_neither_a_proposal_nor_what_has_ended_is_endorsed(chain):
    publish(chain, passed_by=["regulator", "city"], stage="proposed")
    assert act(chain, CITY, "endorse").code == "not_passed"
    publish(chain, passed_by=["regulator", "city"])
    repeal(chain)
    assert act(chain, CITY, "endorse").code == "ended"


# Approval and promulgation


def test_promulgation_dates_the_policy_and_puts_it_in_force(chain):
    publish(chain)
    receipt = promulgate(chain, number="No. 7")
    assert receipt.data["status"] == "promulgated"
    assert [(event["action"], event["date"]) for event in receipt.data["events"]] == [
        ("promulgated", "2023-11-02"),
        ("effective", "2023-11-03"),
    ]
    entry = stored(chain)
    assert (entry["date_publication"], entry["first_date_entry_in_force"]) == ("2023-11-02", "2023-11-03")
    assert entry["number"] == "No. 7"
    assert in_force(chain.executor.reader, "p/1", chain.now_ms) is True
    assert promulgate(chain).code == "already_done"


def test_a_policy_may_enter_into_force_in_the_future(chain):
    publish(chain)
    assert promulgate(chain, first_date_entry_in_force="2030-01-01").ok
    assert in_force(chain.executor.reader, "p/1", chain.now_ms) is False


@pytest.mark.parametrize(
    ("dates", "code"),
    [
        ({"date_publication": "2023-10-31"}, "date_order"),
        ({"date_publication": "2023-10"}, "date_order"),
        ({"first_date_entry_in_force": "2023-11-01"}, "date_order"),
        ({"date_publication": "2023-11-16", "first_date_entry_in_force": "2023-11-16"}, "future_date"),
        ({"date_publication": "2023-11", "first_date_entry_in_force": "2023"}, "ok"),
        ({"date_publication": "2023-11-01", "first_date_entry_in_force": "2023-11-01"}, "ok"),
    ],
)
def test_passed_then_promulgated_then_effective(chain, dates, code):
    publish(chain)
    assert promulgate(chain, **dates).code == code


def test_only_an_issuer_promulgates(chain):
    publish(chain, passed_by=["regulator", "bank-a"])
    for who in (CITY, PBC, BANK):
        assert promulgate(chain, who).code == "forbidden"


def test_a_municipal_instrument_is_approved_above_before_it_is_promulgated(chain):
    publish(chain, CITY)
    assert promulgate(chain, CITY).code == "approval_missing"
    for who in (CITY, BANK):
        assert act(chain, who, "approve", date="2023-11-02").code == "forbidden"
    assert act(chain, CENTRAL, "approve", date="2023-10-31").code == "date_order"
    assert act(chain, CENTRAL, "approve", date="2023-11-16").code == "future_date"
    receipt = act(chain, CENTRAL, "approve", date="2023-11-05", number="A 1")
    assert receipt.data["events"][0]["issuer"] == "regulator"
    assert act(chain, CENTRAL, "approve", date="2023-11-05").code == "already_done"
    early = {"date_publication": "2023-11-04", "first_date_entry_in_force": "2023-11-06"}
    assert promulgate(chain, CITY, **early).code == "date_order"
    assert promulgate(chain, CITY, date_publication="2023-11-05", first_date_entry_in_force="2023-11-06").ok


def test_nothing_is_above_a_central_instrument(chain):
    publish(chain)
    assert act(chain, PBC, "approve", date="2023-11-02").code == "forbidden"


# Amendment and repeal


def test_an_amendment_may_bring_a_new_text(chain):
    publish(chain, text_sha256=HASH)
    promulgate(chain)
    receipt = amend(chain, kind="revised", by="p/2", text_sha256="cd" * 32, text_ref="p1-revised.pdf", number="8")
    assert receipt.data["events"] == [
        {
            "action": "revised",
            "date": "2023-11-10",
            "issuer": "regulator",
            "height": 3,
            "number": "8",
            "by": "p/2",
        }
    ]
    assert (stored(chain)["text_sha256"], stored(chain)["text_ref"]) == ("cd" * 32, "p1-revised.pdf")


def test_only_what_is_promulgated_is_amended(chain):
    publish(chain)
    assert amend(chain).code == "not_promulgated"
    promulgate(chain)
    assert amend(chain, date="2023-11-01").code == "date_order"
    assert amend(chain, date="2023-11-16").code == "future_date"
    assert amend(chain, kind="corrected").ok


def test_the_issuer_or_a_higher_level_changes_and_repeals(chain):
    publish(chain)
    promulgate(chain)
    publish(chain, CITY, id="p/2")
    for change in (amend, repeal):
        for who in (CITY, PBC, BANK, "public-a/admin"):
            assert change(chain, who).code == "forbidden"
    assert repeal(chain, PBC, id="p/2").ok  # central, above the city
    assert repeal(chain, CENTRAL).ok


def test_a_repeal_may_come_in_the_future_and_ends_the_policy(chain):
    publish(chain)
    promulgate(chain)
    assert repeal(chain, date_no_longer_in_force="2023-10-31").code == "date_order"
    assert repeal(chain, date_no_longer_in_force="2023-11-01").code == "date_order"  # passed, not yet promulgated
    receipt = repeal(chain, by="p/9", number="R 1")
    assert receipt.data["status"] == "ended"
    assert stored(chain)["date_no_longer_in_force"] == "2023-12-01"
    reader = chain.executor.reader
    assert in_force(reader, "p/1", chain.now_ms) is True
    assert in_force(reader, "p/1", chain.now_ms + 40 * 86_400_000) is False


def test_nothing_follows_the_end_but_an_evaluation(chain):
    publish(chain, CITY)
    repeal(chain, CITY)
    assert amend(chain, CITY).code == "ended"
    assert repeal(chain, CITY).code == "ended"
    assert promulgate(chain, CITY).code == "ended"
    assert act(chain, CENTRAL, "approve", date="2023-11-02").code == "ended"
    assert evaluate(chain).ok


def test_a_repeal_finds_room_where_an_amendment_does_not(chain):
    publish(chain)
    promulgate(chain)
    for _ in range(MAX_EVENTS - 3):
        assert amend(chain).ok
    receipt = amend(chain)
    assert (receipt.code, receipt.detail) == ("limit", f"p/1 has {MAX_EVENTS} events, at most {MAX_EVENTS}")
    assert repeal(chain).ok


# Evaluation


def test_evaluations_are_counted_and_the_last_is_kept(chain):
    publish(chain)
    assert evaluate(chain, "institute-a/admin", verdict="not_met").data["evaluations"]["count"] == 1
    receipt = evaluate(chain, PBC, evidence=[HASH])
    assert receipt.data["evaluations"] == {"count": 2, "verdict": "met", "date": TODAY}
    assert receipt.data["events"][0]["action"] == "evaluated"
    assert stored(chain)["evaluations"] == receipt.data["evaluations"]
    assert len(stored(chain)["events"]) == 1


def test_who_evaluates_and_when(chain):
    publish(chain)
    for who in (BANK, "enterprise-a/admin", "public-a/admin"):
        assert evaluate(chain, who).code == "forbidden"
    assert evaluate(chain, date="2023-11-16").code == "future_date"


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("endorse", {}),
        ("approve", {"date": "2023-11-02"}),
        ("promulgate", {"date_publication": "2023-11-02", "first_date_entry_in_force": "2023-11-02"}),
        ("amend", {"date": "2023-11-02"}),
        ("repeal", {"date_no_longer_in_force": "2023-11-02"}),
        ("evaluate", {"date": "2023-11-02", "verdict": "met", "summary": "x"}),
    ],
)
def test_an_unknown_instrument_is_told(chain, name, args):
    receipt = act(chain, CENTRAL, name, **args)
    assert (receipt.code, receipt.detail) == ("unknown_instrument", "there is no instrument p/1")


@pytest.mark.parametrize(
    ("name", "args", "path"),
    [
        ("publish", {"title": ""}, "args.title"),
        ("publish", {"date_document": "15 Nov 2023"}, "args.date_document"),
        ("publish", {"level": "central"}, "args.level: unknown"),
        ("publish", {"date_publication": "2023"}, "args.date_publication: unknown"),
        ("publish", {"stage": "drafted"}, "args.stage"),
        ("publish", {"passed_by": ["regulator"] * 2}, "args.passed_by"),
        ("publish", {"amends": [str(n) for n in range(65)]}, "args.amends"),
        ("publish", {"text_sha256": "AB" * 32}, "args.text_sha256"),
        ("promulgate", {"first_date_entry_in_force": None}, "args.first_date_entry_in_force"),
        ("amend", {"kind": "repealed"}, "args.kind"),
        ("evaluate", {"verdict": "good"}, "args.verdict"),
    ],
)
def test_a_wrong_argument_is_refused_with_its_path(name, args, path):
    action = CONTRACT.actions[name]
    refusal = action.arguments.check({**action.example, **args})
    assert (refusal.code, refusal.detail[: len(path)]) == ("invalid_argument", path)
