from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.policy import CONTRACT
from coseal.contracts.policy.instrument import MAX_EVENTS, instrument, standing
from coseal.contracts.policy.recording import MAX_INSTRUMENTS, MAX_KEPT_FINDINGS
from coseal.contracts.policy.statistics import DIMENSIONS, statistics
from coseal.ledger.transaction import MAX_TRANSACTION_BYTES
from tests.reference import reference

REGISTRAR = "regulator/admin"
HASH = "ab" * 32


def record(chain, *instruments, who=REGISTRAR, sha256=HASH):
    return chain.submit(who, "policy.record", source="A gazette", source_sha256=sha256, instruments=list(instruments))


def item(*events, **fields):
    return {"id": "h/1", "title": "Old law", "events": [dict(e) for e in events], **fields}


def event(action, date="2001-01-01", issuer="State Council", **extra):
    made = {"action": action, "date": date, "issuer": issuer, **extra}
    return {name: value for name, value in made.items() if value is not None}


def codes(chain, instrument_id="h/1"):
    return [finding["code"] for finding in chain.get(f"policy/instrument/{instrument_id}")["findings"]]


def test_a_fact_of_an_issuer_that_is_no_member_is_recorded(chain):
    receipt = record(chain, item(event("passed", number="1", text="passed at the first session"), level="central"))
    assert receipt.data == {"source": "A gazette", "instruments": 1, "new": 1, "events": 1, "findings": []}
    assert chain.get("policy/instrument/h/1") == {
        "id": "h/1",
        "title": "Old law",
        "title_language": "zh",
        "jurisdiction": "CN",
        "zone_minutes": 480,
        "level": "central",
        "origin": "recorded",
        "member": "regulator",
        "height": 1,
        "source_sha256": HASH,
        "status": "passed",
        "events": [{"action": "passed", "date": "2001-01-01", "issuer": "State Council", "number": "1", "height": 1}],
        "findings": [],
    }


@pytest.mark.parametrize("who", ["city/admin", "bank-a/admin"])
def test_only_a_registrar_records(chain, who):
    assert record(chain, item(event("passed")), who=who).code == "forbidden"


@pytest.mark.parametrize(
    ("fields", "events", "expected"),
    [
        ({}, [event("passed"), event("promulgated"), event("effective")], []),
        ({}, [event("effective")], ["effective_without_passing"]),
        ({}, [event("passed"), event("promulgated", "2000-12-31")], ["promulgated_before_passed"]),
        ({}, [event("passed", "2001-02"), event("promulgated", "2001")], []),
        (
            {},
            [event("passed"), event("promulgated", "2001-03-01"), event("effective", "2001-02-01")],
            ["effective_before_promulgated"],
        ),
        ({}, [event("passed"), event("effective", "2000")], ["effective_before_passed"]),
        ({}, [event("passed"), event("approved", "2000")], ["approved_before_passed"]),
        ({"level": "municipal"}, [event("passed")], ["approval_missing"]),
        ({"level": "municipal"}, [event("passed"), event("approved")], []),
        ({"level": "provincial"}, [event("passed")], []),
        ({}, [event("passed"), event("repealed"), event("amended", "2002")], ["act_after_end"]),
        ({}, [event("passed"), event("expired"), event("revised", "2002"), event("passed", "2003")], ["act_after_end"]),
        ({}, [event("passed"), event("repealed", "2001"), event("amended", "2001-06")], []),
        ({}, [event("passed"), event("repealed", issuer="Ministry")], ["ended_by_other"]),
        ({"passed_by": ["Ministry"]}, [event("passed"), event("repealed", issuer="Ministry")], []),
        ({}, [event("repealed", issuer="Ministry")], []),
        ({}, [event("passed", issuer=None), event("amended", issuer=None)], ["event_without_issuer"]),
        ({}, [event("passed"), event("expired", None)], ["event_without_date"]),
        ({}, [event("passed"), event("passed", text="the same")], ["duplicate_event"]),
    ],
)
def test_a_broken_guard_is_a_finding_and_never_a_refusal(chain, fields, events, expected):
    receipt = record(chain, item(*events, **fields))
    assert receipt.ok
    assert codes(chain) == expected
    assert receipt.data["findings"] == [["h/1", code] for code in expected]
    assert statistics(chain.executor.reader, "finding") == dict.fromkeys(expected, 1)


def test_more_events_are_added_later_and_the_guards_judged_afresh(chain):
    record(chain, item(event("effective"), level="municipal"))
    assert codes(chain) == ["effective_without_passing"]
    receipt = record(chain, item(event("passed"), event("effective"), level="municipal"))
    assert receipt.data == {
        "source": "A gazette",
        "instruments": 1,
        "new": 0,
        "events": 1,
        "findings": [["h/1", "duplicate_event"], ["h/1", "approval_missing"]],
    }
    assert codes(chain) == ["duplicate_event", "approval_missing"]
    record(chain, item(event("approved")))
    assert codes(chain) == ["duplicate_event"]
    assert [entry["action"] for entry in chain.get("policy/instrument/h/1")["events"]] == [
        "effective",
        "passed",
        "approved",
    ]
    assert statistics(chain.executor.reader, "finding") == {"duplicate_event": 1}


def test_of_two_values_the_first_stays_and_a_missing_one_is_filled(chain):
    record(chain, item(level="central"))
    receipt = record(chain, item(level="provincial", number="7"), sha256="cd" * 32)
    assert receipt.data["findings"] == [["h/1", "field_differs"]]
    entry = chain.get("policy/instrument/h/1")
    assert (entry["level"], entry["number"], entry["source_sha256"]) == ("central", "7", HASH)
    assert entry["findings"] == [{"code": "field_differs", "detail": f"level: another value in source {'cd' * 32}"}]
    assert record(chain, item(level="provincial"), sha256="cd" * 32).data["findings"] == []


def test_an_instrument_may_stand_twice_in_a_batch(chain):
    receipt = record(chain, item(event("passed")), item(event("amended", "2002")))
    assert (receipt.data["new"], receipt.data["events"]) == (1, 2)
    assert len(chain.get("policy/instrument/h/1")["events"]) == 2


def test_a_live_instrument_is_not_recorded_over(chain):
    live = {"id": "h/1", "title": "New law", "type_document": "law", "date_document": "2023-11-01"}
    chain.submit(REGISTRAR, "policy.publish", **live)
    before = chain.get("policy/instrument/h/1")
    receipt = record(chain, item(event("repealed")), item(event("passed"), id="h/2"))
    assert receipt.data["findings"] == [["h/1", "not_recordable"]]
    assert (receipt.data["instruments"], receipt.data["new"], receipt.data["events"]) == (2, 1, 1)
    assert chain.get("policy/instrument/h/1") == before


def test_a_recorded_id_is_not_published_over(chain):
    record(chain, item(event("proposed")))
    live = {"id": "h/1", "title": "New law", "type_document": "law", "date_document": "2023-11-01"}
    assert chain.submit(REGISTRAR, "policy.publish", **live).code == "exists"


def test_members_act_on_recorded_instruments_under_the_same_guards(chain):
    record(chain, item(event("passed"), level="municipal", passed_by=["city"]), item(event("passed"), id="h/2"))
    amend = {"date": "2000"}
    assert chain.submit("city/admin", "policy.amend", id="h/1", **amend).code == "date_order"
    assert chain.submit("city/admin", "policy.amend", id="h/1", date="2022").ok
    assert chain.submit("bank-a/admin", "policy.repeal", id="h/1", date_no_longer_in_force="2024").code == "forbidden"
    assert chain.submit(REGISTRAR, "policy.approve", id="h/1", date="2002").ok
    assert chain.submit(REGISTRAR, "policy.repeal", id="h/1", date_no_longer_in_force="2024").ok
    assert chain.submit(REGISTRAR, "policy.repeal", id="h/2", date_no_longer_in_force="2024").code == "forbidden"


def test_a_name_gives_no_authority(chain):
    record(chain, item(event("passed"), level="central", passed_by=["State Council"]))
    chain.submit("city/admin", "membership.set_profile", name="State Council")
    receipt = chain.submit("city/admin", "policy.repeal", id="h/1", date_no_longer_in_force="2024")
    assert receipt.code == "forbidden"


def test_an_instrument_has_a_bounded_number_of_events(chain):
    many = [event("amended", f"2001-01-{day:02}", number=str(n)) for n in range(3) for day in range(1, 31)]
    assert record(chain, item(*many[:MAX_EVENTS])).ok
    receipt = record(chain, item(event("passed"), id="h/2"), item(many[MAX_EVENTS]))
    assert receipt.code == "limit"
    assert receipt.detail.startswith("args.instruments[1].events: h/1 would have more than 64")
    assert chain.get("policy/instrument/h/2") is None


def test_the_findings_of_an_instrument_are_bounded(chain):
    for n in range(MAX_KEPT_FINDINGS + 3):
        record(chain, item(number="1" if n == 0 else "2"), sha256=f"{n:064x}")
    assert codes(chain) == ["field_differs"] * MAX_KEPT_FINDINGS


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"instruments": []}, "args.instruments: expected a list of 1 to 500"),
        ({"instruments": [{"id": "x", "title": "y"}] * (MAX_INSTRUMENTS + 1)}, "args.instruments: expected a list"),
        ({"instruments": [{"id": "x"}]}, "args.instruments[0].title: missing"),
        ({"instruments": [item(event("passed", "2001-02-30"))]}, "args.instruments[0].events[0].date"),
        ({"instruments": [item(event("endorsed"))]}, "args.instruments[0].events[0].action"),
        ({"instruments": [item(in_force=True)]}, "args.instruments[0].in_force: unknown"),
        ({"instruments": [item(), item(jurisdiction="FR")]}, "args.instruments[1].zone_minutes: needed"),
        ({"source_sha256": "x"}, "args.source_sha256"),
    ],
)
def test_a_wrong_form_is_refused_with_its_path(changes, path):
    action = CONTRACT.actions["record"]
    refusal = action.arguments.check({**action.example, **changes})
    assert (refusal.code, refusal.detail[: len(path)]) == ("invalid_argument", path)


# Real data


def corpus():
    """Return the instruments of the real corpus as items, and the rows of its events."""
    with reference("policy_cn", "instruments.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with reference("policy_cn", "events.csv").open(encoding="utf-8", newline="") as file:
        events = list(csv.DictReader(file))
    by_instrument = defaultdict(list)
    for row in events:
        fields = {name: row[name] for name in ("action", "date", "issuer", "number", "text") if row[name]}
        by_instrument[row["instrument"]].append(fields)
    copied = ("id", "title", "level", "type_document", "date_publication", "first_date_entry_in_force", "text_sha256")
    items = [
        {name: row[name] for name in copied if row[name]}
        | {"is_about": [row["area"]], "text_ref": row["source_path"], "events": by_instrument[row["id"]]}
        for row in rows
    ]
    return items, events


@pytest.fixture(scope="module")
def recorded(make_chain):
    items, events = corpus()
    chain = make_chain()
    receipts = []
    for n in range(0, len(items), 300):
        args = {"source": "policy_cn", "source_sha256": HASH, "instruments": items[n : n + 300]}
        tx = chain.sign(REGISTRAR, "policy.record", args)
        assert len(tx.raw) <= MAX_TRANSACTION_BYTES
        receipts += chain.block(tx)
    assert all(receipt.ok for receipt in receipts)
    return chain, items, events, receipts


def test_the_corpus_is_recorded_whole_with_what_is_odd_about_it(recorded):
    chain, items, events, receipts = recorded
    assert sum(receipt.data["new"] for receipt in receipts) == len(items) == 3_464
    assert sum(receipt.data["events"] for receipt in receipts) == len(events) == 8_117
    findings = Counter(code for receipt in receipts for _, code in receipt.data["findings"])
    assert findings["effective_without_passing"] == 69
    assert dict(findings) == statistics(chain.executor.reader, "finding")
    entries = [chain.get(f"policy/instrument/{entry['id']}") for entry in items]
    effective = [entry for entry in entries if any(e["action"] == "effective" for e in entry["events"])]
    assert len(effective) == 592
    odd = [e for e in effective if any(f["code"] == "effective_without_passing" for f in e["findings"])]
    assert len(odd) == 69
    issuers = statistics(chain.executor.reader, "issuer")
    assert len(issuers.keys() - {"unstated"}) == 225
    assert not any(chain.get(f"membership/member/{issuer}") for issuer in issuers)


def test_the_statistics_of_the_corpus_are_those_of_a_naive_recount(recorded):
    chain, items, events, _ = recorded
    issuers = defaultdict(set)
    for row in events:
        if row["issuer"]:
            issuers[row["instrument"]].add(row["issuer"])
    expected = {
        "year": Counter(entry["date_publication"][:4] if "date_publication" in entry else "undated" for entry in items),
        "area": Counter(entry["is_about"][0] for entry in items),
        "level": Counter(entry["level"] for entry in items),
        "type_document": Counter(entry["type_document"] for entry in items),
        "issuer": Counter(issuer for entry in items for issuer in issuers[entry["id"]] or {"unstated"}),
        "action": Counter(row["action"] for row in events),
        "origin": Counter(recorded=len(items)),
    }
    assert expected["year"]["undated"] == 307
    for by in DIMENSIONS:
        if by != "finding":
            assert statistics(chain.executor.reader, by) == dict(expected[by]), by


def test_a_light_client_can_prove_a_figure_of_the_corpus(recorded):
    chain = recorded[0]
    for key, figure in (("level/value/central", 1_553), ("year/value/undated", 307), ("action/value/amended", 1_727)):
        name = f"policy/statistics/{key}".encode()
        value, proof = chain.state.prove(name)
        proof.verify(name, value, chain.root)
        assert chain.get(name.decode()) == figure


def test_table_1_is_recorded_with_dates_of_a_month(chain):
    table = json.loads(reference("policies_table1.json").read_text(encoding="utf-8"))
    items = [
        {
            "id": f"table-1/{n}",
            "title": row["title"],
            "title_language": "en",
            "level": "central",
            "passed_by": [row["publishing_unit"].removesuffix(", etc.")],
            "date_publication": row["month"],
            "events": [{"action": "promulgated", "date": row["month"]}],
        }
        for n, row in enumerate(table["policies"], 1)
    ]
    assert record(chain, *items).data["new"] == 10
    reader = chain.executor.reader
    assert statistics(reader, "year") == {"2017": 1, "2018": 1, "2020": 1, "2021": 7}
    assert statistics(reader, "issuer")["People's Bank of China"] == 4
    assert standing(instrument(reader, "table-1/1"), chain.now_ms)[0] == "unknown"


FACTS = st.fixed_dictionaries(
    {"action": st.sampled_from(["passed", "approved", "promulgated", "effective", "amended", "repealed", "expired"])},
    optional={
        "date": st.sampled_from(["2000", "2001-02", "2001-02-03", "2001-02-04", "2002"]),
        "issuer": st.sampled_from(["A", "B"]),
    },
)


@settings(deadline=None, max_examples=60)
@given(st.lists(FACTS, max_size=8, unique_by=repr), st.lists(st.integers(0, 8), max_size=3))
def test_the_batches_in_which_facts_come_do_not_matter(make_chain, facts, cuts):
    whole, parts = make_chain(), make_chain()
    record(whole, item(*facts, level="municipal"))
    edges = sorted({0, len(facts), *(min(cut, len(facts)) for cut in cuts)})
    for begin, end in zip([0, *edges], [*edges, len(facts)], strict=True):
        record(parts, item(*facts[begin:end], level="municipal"))
    left, right = (chain.get("policy/instrument/h/1") for chain in (whole, parts))
    assert left["findings"] == right["findings"]
    assert left["status"] == right["status"]
    for by in DIMENSIONS:
        assert statistics(whole.executor.reader, by) == statistics(parts.executor.reader, by)
