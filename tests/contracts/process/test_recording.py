from __future__ import annotations

import csv
import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.process.actions import CONTRACT
from coseal.contracts.process.batch import MAX_KEPT_GAPS
from coseal.contracts.process.chain import chain as chained
from coseal.contracts.process.chain import item_hash, objects_of, verify_object_history
from coseal.contracts.process.state import object_key, source, statistics
from coseal.ledger import codec
from coseal.ledger.errors import BadProof
from coseal.ledger.signing import ZERO_HASH
from coseal.ledger.transaction import MAX_TRANSACTION_BYTES
from tests.reference import reference

OWNER = "bank-a/admin"
BASE_MS = 1_700_000_000_000  # the test chain's genesis
TYPE = {
    "id": "loans",
    "version": 1,
    "title": "Loans",
    "object_types": {"loan": {"attributes": {"status": "string"}}, "party": {}},
    "event_types": {"Approve": {"attributes": {"amount": {"type": "integer", "required": True}}}, "Close": {}},
}


def start(chain, *, mode="historical", gaps="refuse", **extra):
    assert chain.submit(OWNER, "process.define_type", **{**TYPE, "gaps": gaps}).ok
    receipt = chain.submit(OWNER, "process.register_source", id="core", process_type="loans", mode=mode, **extra)
    assert receipt.ok, receipt
    return receipt


def event(name, *objects, time="2023-11-01T00:00:00Z", **extra):
    return {"event": name, "type": "Close", "time": time, "objects": [list(o) for o in objects], **extra}


def record(chain, sequence, *items, who=OWNER, **extra):
    return chain.submit(who, "process.record", source="core", sequence=sequence, items=list(items), **extra)


def loans(*names):
    return [event(f"e{name}", ("loan", name)) for name in names]


# Sources


def test_a_source_is_registered_under_its_member(chain):
    receipt = start(chain, title="Core banking", zone_minutes=480)
    assert receipt.data == {"source": "bank-a/core", "process_type": "loans", "mode": "historical"}
    assert source(chain.executor.reader, "bank-a/core") == {
        "process_type": "loans",
        "mode": "historical",
        "title": "Core banking",
        "zone_minutes": 480,
        "sequence": 0,
        "head": ZERO_HASH,
        "items": 0,
        "latest_ms": None,
        "height": 2,
        "gaps": 0,
        "missing": 0,
        "last_gaps": [],
    }
    assert source(chain.executor.reader, "bank-a/other") is None


def test_a_source_is_registered_once_a_member(chain):
    start(chain)
    again = {"id": "core", "process_type": "loans", "mode": "live"}
    assert chain.submit(OWNER, "process.register_source", **again).code == "exists"
    assert chain.submit("enterprise-a/admin", "process.register_source", **again).ok
    assert statistics(chain.executor.reader, "loans")["sources"] == 2


def test_a_source_needs_a_process_type(chain):
    receipt = chain.submit(OWNER, "process.register_source", id="core", process_type="loans", mode="live")
    assert receipt.code == "unknown_type"


def test_only_the_owner_records_into_a_source(chain):
    start(chain)
    receipt = record(chain, 1, event("1"), who="enterprise-a/admin")
    assert (receipt.code, receipt.detail) == ("unknown_source", "enterprise-a has no source core; register it first")
    assert record(chain, 1, event("1")).ok


# Recording


def test_a_batch_moves_the_source_the_objects_and_the_counters(chain):
    start(chain)
    items = [
        {"object": "L-1", "type": "loan", "attributes": [["status", "0", "new"]]},
        event("1", ("loan", "L-1"), ("party", "p-1", "applicant"), ("party", "p-1", "payer")),
        {"relation": ["loan", "L-1"], "to": ["party", "p-1"], "qualifier": "of"},
        {"change": "L-1", "type": "loan", "attributes": [["status", "2023-11-02T00:00:00Z", "sent"]]},
        event("2", time="2023-11-03T00:00:00+08:00"),
    ]
    receipt = record(chain, 1, *items)
    hashes = [item_hash("bank-a/core", i, item) for i, item in enumerate(items, 1)]
    head = ZERO_HASH
    for hashed in hashes:
        head = chained(head, hashed)
    assert receipt.data == {
        "source": "bank-a/core",
        "process_type": "loans",
        "version": 1,
        "definition": chain.get("process/type/loans")["definition"],
        "first": 1,
        "last": 5,
        "items": 5,
        "events": 2,
        "new_objects": 2,
        "head": head.hex(),
    }
    kept = chain.get("process/source/bank-a/core")
    assert (kept["sequence"], kept["items"], kept["head"], kept["height"]) == (5, 5, head, 3)
    assert kept["latest_ms"] == 1_698_940_800_000
    numbered = [("bank-a/core", i, item) for i, item in enumerate(items, 1)]
    verify_object_history(numbered[:4], chain.get(object_key("loans", "loan", "L-1")), name=("loan", "L-1"))
    verify_object_history(numbered[1:3], chain.get(object_key("loans", "party", "p-1")), name=("party", "p-1"))
    counters = {"items": 5, "events": 2, "objects": 2, "changes": 1, "relations": 1, "declarations": 1, "sources": 1}
    assert statistics(chain.executor.reader, "loans") == counters


def test_batches_of_one_block_go_on_from_each_other(chain):
    start(chain)
    batches = [
        chain.sign(OWNER, "process.record", {"source": "core", "sequence": n, "items": loans("A")}) for n in (1, 2, 3)
    ]
    assert [receipt.code for receipt in chain.block(*batches)] == ["ok", "ok", "ok"]
    history = [("bank-a/core", n, loans("A")[0]) for n in (1, 2, 3)]
    verify_object_history(history, chain.get("process/object/loans/loan/A"))
    assert statistics(chain.executor.reader, "loans")["objects"] == 1


def test_objects_collect_items_of_several_sources_in_ledger_order(chain):
    start(chain)
    chain.submit("enterprise-a/admin", "process.register_source", id="core", process_type="loans", mode="historical")
    record(chain, 1, *loans("A"))
    record(chain, 1, *loans("A"), who="enterprise-a/admin")
    first, second = ("bank-a/core", 1, loans("A")[0]), ("enterprise-a/core", 1, loans("A")[0])
    verify_object_history([first, second], chain.get("process/object/loans/loan/A"))
    with pytest.raises(BadProof):
        verify_object_history([second, first], chain.get("process/object/loans/loan/A"))


def test_one_bad_item_refuses_the_batch_and_changes_nothing(chain):
    start(chain)
    record(chain, 1, *loans("A"))
    kept = chain.get("process/source/bank-a/core")
    bad = {"event": "x", "type": "Approve", "time": "2023-11-01T00:00:00Z", "attributes": {"amount": "5"}}
    receipt = record(chain, 2, *loans("A", "B", "C"), bad)
    assert receipt.code == "invalid_item"
    assert receipt.detail.startswith("items[3].attributes.amount: expected an integer")
    assert chain.get("process/source/bank-a/core") == kept
    assert chain.get("process/object/loans/loan/B") is None
    assert chain.get("process/object/loans/loan/A")[0] == 1
    assert statistics(chain.executor.reader, "loans")["items"] == 1


def test_an_event_stands_once_in_a_batch(chain):
    start(chain)
    receipt = record(chain, 1, event("1"), event("2"), event("1"))
    assert (receipt.code, receipt.detail) == ("invalid_item", "items[2].event: '1' stands in the batch twice")


def test_a_batch_that_names_a_version_is_held_to_it(chain):
    start(chain)
    assert record(chain, 1, event("1"), version=1).data["version"] == 1
    chain.submit(OWNER, "process.define_type", **{**TYPE, "version": 2, "event_types": {"Close": {}, "Open": {}}})
    assert record(chain, 2, event("2"), version=1).code == "version"
    assert record(chain, 2, {**event("2"), "type": "Open"}).data["version"] == 2
    assert record(chain, 3, {**event("3"), "type": "Approve", "attributes": {"amount": 1}}).code == "invalid_item"


@pytest.mark.parametrize("items", [[], [event("1")] * 1_001, {}, "x"])
def test_a_batch_has_one_to_a_thousand_items(items):
    refusal = CONTRACT.actions["record"].arguments.check({"source": "core", "sequence": 1, "items": items})
    assert (refusal.code, refusal.detail) == ("invalid_argument", "args.items: expected a list of 1 to 1000 items")


def test_a_thousand_small_events_fit_a_transaction(chain):
    start(chain)
    items = [
        {
            "event": f"event-{i:07}",
            "type": "Approve",
            "time": "2023-11-01T00:00:00.000+08:00",
            "objects": [["loan", f"loan-{i:07}"], ["party", f"party-{i:07}", "applicant"]],
            "attributes": {"amount": 1_000_000},
        }
        for i in range(1_000)
    ]
    tx = chain.sign(OWNER, "process.record", {"source": "core", "sequence": 1, "items": items})
    assert len(tx.raw) < MAX_TRANSACTION_BYTES * 3 // 4
    assert chain.block(tx)[0].data["new_objects"] == 2_000


# The sequence


def test_a_batch_that_comes_too_early_is_refused_with_the_sequence_expected(chain):
    for gaps in ("refuse", "record"):
        fresh = type(chain)()
        start(fresh, gaps=gaps)
        record(fresh, 1, *loans("A", "B"))
        receipt = record(fresh, 7, *loans("C"))
        assert (receipt.code, receipt.detail) == ("sequence", "expected 3, got 7; send what lies between first")
        assert record(fresh, 3, *loans("C")).ok


@pytest.mark.parametrize("first", [1, 2])
def test_what_is_recorded_is_not_recorded_again(chain, first):
    start(chain)
    record(chain, 1, *loans("A", "B"))
    receipt = record(chain, first, *loans("B", "C", "D"))
    assert (receipt.code, receipt.detail) == ("already_recorded", f"expected 3, got {first}; go on from 3")
    assert chain.get("process/source/bank-a/core")["sequence"] == 2


def test_a_gap_is_recorded_where_the_type_allows_it_and_the_source_says_why(chain):
    start(chain, gaps="record")
    record(chain, 1, *loans("A"))
    receipt = record(chain, 5, *loans("B"), gap="the disk of the till was lost")
    assert receipt.data["gap"] == [2, 4]
    kept = chain.get("process/source/bank-a/core")
    assert (kept["gaps"], kept["missing"], kept["items"], kept["sequence"]) == (1, 3, 2, 5)
    assert kept["last_gaps"] == [[2, 4, "the disk of the till was lost"]]
    assert record(chain, 3, *loans("C"), gap="late").code == "already_recorded"
    assert "gap" not in record(chain, 6, *loans("C"), gap="no gap after all").data
    assert chain.get("process/source/bank-a/core")["gaps"] == 1


def test_a_gap_is_refused_where_the_type_refuses_it(chain):
    start(chain)
    receipt = record(chain, 5, *loans("B"), gap="lost")
    assert (receipt.code, receipt.detail) == ("gap_refused", "loans refuses gaps; send the items from 1 on")


def test_the_state_keeps_the_last_gaps_and_counts_them_all(chain):
    start(chain, gaps="record")
    for n in range(1, MAX_KEPT_GAPS + 4):
        assert record(chain, 2 * n, *loans("A"), gap=f"gap {n}").ok
    kept = chain.get("process/source/bank-a/core")
    assert (kept["gaps"], kept["missing"]) == (MAX_KEPT_GAPS + 3, MAX_KEPT_GAPS + 3)
    assert [gap[2] for gap in kept["last_gaps"]] == [f"gap {n}" for n in range(4, MAX_KEPT_GAPS + 4)]


# Times


@pytest.mark.parametrize("mode", ["live", "historical"])
def test_no_event_comes_from_the_future(chain, mode):
    start(chain, mode=mode)  # two blocks: the next is at genesis time + 3 s, early_ms is 300 s
    late = {"late": "to isolate the other bound"}
    receipt = record(chain, 1, event("1", time="2023-11-14T22:18:23.001Z", **late))
    assert (receipt.code, receipt.detail[:13]) == ("event_in_future", "items[0].time")
    assert chain.executor.time_ms == BASE_MS + 3_000
    assert record(chain, 1, event("1", time="2023-11-14T22:18:24.000Z", **late)).ok


def test_a_live_event_that_is_old_needs_a_reason(chain):
    start(chain, mode="live")
    old, fresh = "2023-11-13T22:13:22.999Z", "2023-11-13T22:13:24.000Z"
    receipt = record(chain, 1, event("1", time=old))
    assert (receipt.code, receipt.detail[:13]) == ("late_without_reason", "items[0].late")
    assert record(chain, 1, event("1", time=fresh), event("2", time=old, late="the line was down")).ok


def test_historical_sources_record_any_past(chain):
    start(chain)
    assert record(chain, 1, event("1", time="0001-01-01T00:00:00Z"), event("2", time="1950-01-01T00:00:00Z")).ok
    assert chain.get("process/source/bank-a/core")["latest_ms"] == -631_152_000_000


# Corrections


def test_a_correction_is_an_item_of_its_own_and_what_it_corrects_stays(chain):
    start(chain)
    record(chain, 1, *loans("A"))
    hashed = item_hash("bank-a/core", 1, loans("A")[0]).hex()
    fixed = {**event("2", ("loan", "A")), "corrects": [1, hashed]}
    assert record(chain, 2, fixed).code == "corrected_missing"
    assert record(chain, 2, fixed, corrected=loans("A")[:1]).ok
    history = [("bank-a/core", 1, loans("A")[0]), ("bank-a/core", 2, fixed)]
    verify_object_history(history, chain.get("process/object/loans/loan/A"))


def test_a_correction_names_an_earlier_item(chain):
    start(chain)
    for sequence in (2, 3):
        receipt = record(chain, 1, event("1"), {**event("2"), "corrects": [sequence, "00" * 32]})
        assert (receipt.code, receipt.detail) == ("invalid_item", "items[1].corrects[0]: expected an earlier sequence")


def test_a_correction_within_a_batch_names_the_right_hash(chain):
    start(chain)
    wrong = {"change": "A", "type": "loan", "attributes": [["status", "0", "x"]], "corrects": [1, "00" * 32]}
    receipt = record(chain, 1, event("1"), wrong)
    assert (receipt.code, receipt.detail) == ("invalid_item", "items[1].corrects[1]: item 1 has another hash")
    right = {**wrong, "corrects": [1, item_hash("bank-a/core", 1, event("1")).hex()]}
    assert record(chain, 1, event("1"), right).ok


# Real data


def probe_items(log):
    """The items of an OCEL 2.0 JSON log: declarations, then relations, then events in time order."""
    types = {o["id"]: o["type"] for o in log["objects"]}
    items = [
        {
            "object": o["id"],
            "type": o["type"],
            "attributes": [[a["name"], a["time"], a["value"]] for a in o["attributes"]],
        }
        for o in log["objects"]
    ]
    for o in log["objects"]:
        for link in o["relationships"]:
            names = [o["type"], o["id"]], [types[link["objectId"]], link["objectId"]]
            items.append({"relation": names[0], "to": names[1], "qualifier": link["qualifier"]})
    for e in log["events"]:
        items.append(
            {
                "event": e["id"],
                "type": e["type"],
                "time": e["time"],
                "objects": [[types[r["objectId"]], r["objectId"], r["qualifier"]] for r in e["relationships"]],
                "attributes": {
                    a["name"]: repr(a["value"]) if type(a["value"]) is float else a["value"] for a in e["attributes"]
                },
            }
        )
    return items


def definition_of(log, type_id):
    def types(entries):
        return {
            entry["name"]: {
                "attributes": {a["name"]: "decimal" if a["type"] == "float" else a["type"] for a in entry["attributes"]}
            }
            for entry in entries
        }

    kinds = {"object_types": types(log["objectTypes"]), "event_types": types(log["eventTypes"])}
    return {"id": type_id, "version": 1, "title": type_id, **kinds}


def test_everything_that_readers_of_ocel_lose_is_kept(chain):
    log = json.loads(reference("ocel2", "roundtrip_probe.json").read_text(encoding="utf-8"))
    assert chain.submit(OWNER, "process.define_type", **definition_of(log, "probe")).ok
    chain.submit(OWNER, "process.register_source", id="probe", process_type="probe", mode="historical")
    chain.block(time_ms=1_800_000_000_000)  # the events are of 2026
    items = probe_items(log)
    receipt = chain.submit(OWNER, "process.record", source="probe", sequence=1, items=items)
    assert receipt.ok, receipt
    assert (receipt.data["items"], receipt.data["events"], receipt.data["new_objects"]) == (5, 2, 2)
    kept = chain.blocks[-1].block.transactions[0]
    body = codec.decode(codec.decode(kept)[2])
    assert body[7]["items"] == items
    first = next(item for item in items if item.get("event") == "e2")
    assert first["time"] == "2026-01-05T10:00:00.123456+08:00"
    assert first["objects"] == [
        ["application", "app-1", "subject"],
        ["party", "p-1", "applicant"],
        ["party", "p-1", "payer"],
    ]
    assert first["attributes"]["amount"] == 9_007_199_254_740_993
    assert first["attributes"]["rate"] == "0.1"


def fines():
    """Return the definition and the events of the real traffic fines log, in the file's order."""
    with gzip.open(reference("csv", "traffic_fines_10k.csv.gz"), "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    decimals = ("amount", "article", "expense", "paymentamount", "points", "totalpaymentamount")
    texts = ("dismissal", "lastsent", "notificationtype", "vehicleclass")
    attributes = dict.fromkeys(decimals, "decimal") | dict.fromkeys(texts, "string")
    definition = {
        "id": "fines",
        "version": 1,
        "title": "Road traffic fines",
        "object_types": {"case": {}},
        "event_types": {activity: {"attributes": attributes} for activity in sorted({r["activity"] for r in rows})},
    }
    events = [
        {
            "event": row["activity_instance_id"],
            "type": row["activity"],
            "time": row["timestamp"],
            "objects": [["case", row["case_id"]]],
            "attributes": {name: row[name] for name in attributes if row[name]},
        }
        for row in rows
    ]
    return definition, events


def test_a_real_log_is_recorded_whole_and_every_case_is_provably_complete(chain):
    definition, events = fines()
    assert chain.submit(OWNER, "process.define_type", **definition).ok
    chain.submit(OWNER, "process.register_source", id="fines", process_type="fines", mode="historical")
    batches = [
        chain.sign(
            OWNER,
            "process.record",
            {"source": "fines", "sequence": n + 1, "items": events[n : n + 500]},
            valid_until_ms=BASE_MS + 500_000,
        )
        for n in range(0, len(events), 500)
    ]
    for n in range(0, len(batches), 14):
        assert all(receipt.ok for receipt in chain.block(*batches[n : n + 14]))
    counters = statistics(chain.executor.reader, "fines")
    assert (counters["objects"], counters["events"], counters["items"]) == (10_000, 34_724, 34_724)
    assert chain.get("process/source/bank-a/fines")["sequence"] == 34_724
    histories = {}
    for sequence, item in enumerate(events, 1):
        for name in objects_of(item):
            histories.setdefault(name, []).append(("bank-a/fines", sequence, item))
    assert len(histories) == 10_000
    for name, items in list(histories.items())[::7]:
        verify_object_history(items, chain.get(object_key("fines", *name)), name=name)
    longest = max(histories, key=lambda name: len(histories[name]))
    value, proof = chain.state.prove(object_key("fines", *longest).encode())
    proof.verify(object_key("fines", *longest).encode(), value, chain.root)
    verify_object_history(histories[longest], codec.decode(value), name=longest)
    with pytest.raises(BadProof):
        verify_object_history(histories[longest][:-1], codec.decode(value), name=longest)


def test_a_batch_names_as_many_objects_as_its_steps_allow(chain):
    start(chain)
    items = [event(str(n), *(("party", f"{n}.{k}") for k in range(250))) for n in range(41)]
    receipt = record(chain, 1, *items[:20])
    assert receipt.data["new_objects"] == 5_000
    refused = record(chain, 21, *items)
    assert (refused.code, "items: 41, steps of the first: " in refused.detail) == ("too_costly", True)
    assert chain.get("process/source/bank-a/core")["sequence"] == 20


# A naive model


BATCH = st.tuples(
    st.sampled_from(["bank-a", "enterprise-a"]),
    st.integers(-2, 3),  # how far the batch begins from where the source goes on
    st.booleans(),  # whether it says why there is a gap
    st.lists(st.lists(st.sampled_from("ABC"), max_size=3), min_size=1, max_size=4),  # the objects of each event
    st.booleans(),  # whether its last item is bad
)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(["refuse", "record"]), st.lists(BATCH, max_size=8))
def test_whatever_is_sent_the_state_is_that_of_a_naive_model(make_chain, gaps, batches):
    chain = make_chain()
    start(chain, gaps=gaps)
    chain.submit("enterprise-a/admin", "process.register_source", id="core", process_type="loans", mode="historical")
    accepted = []  # (source, sequence, item) in ledger order
    last, missing = {"bank-a": 0, "enterprise-a": 0}, {"bank-a": 0, "enterprise-a": 0}
    for member, distance, explained, names, bad in batches:
        first = last[member] + 1 + distance
        items = [
            event(f"{n}", *(("loan", name, str(k)) for k, name in enumerate(each))) for n, each in enumerate(names)
        ]
        if bad:
            items[-1] = {**items[-1], "type": "Unheard"}
        extra = {"gap": "lost"} if explained else {}
        if first < 1:
            continue
        receipt = record(chain, first, *items, who=f"{member}/admin", **extra)
        good = not bad and distance >= 0 and (not explained or gaps == "record") and (explained or distance == 0)
        assert receipt.ok == good, receipt
        if good:
            accepted += [(f"{member}/core", first + n, item) for n, item in enumerate(items)]
            last[member], missing[member] = first + len(items) - 1, missing[member] + distance
    for member in last:
        kept = chain.get(f"process/source/{member}/core")
        own = [entry for entry in accepted if entry[0] == f"{member}/core"]
        head = ZERO_HASH
        for entry in own:
            head = chained(head, item_hash(*entry))
        found = (kept["sequence"], kept["missing"], kept["items"], kept["head"])
        assert found == (last[member], missing[member], len(own), head)
    for name in "ABC":
        history = [entry for entry in accepted if ("loan", name) in objects_of(entry[2])]
        verify_object_history(history, chain.get(f"process/object/loans/loan/{name}"), name=("loan", name))
    counters = statistics(chain.executor.reader, "loans")
    named = {name for _, _, item in accepted for name in objects_of(item)}
    assert (counters["items"], counters["objects"]) == (len(accepted), len(named))
