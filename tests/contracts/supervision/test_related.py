"""Rules over related objects on the ledger: what they see, what corrections do to it, and an oracle over traces."""

from __future__ import annotations

from random import Random

import pytest

from coseal.contracts.process.chain import objects_of
from coseal.contracts.rules.related import MAX_RELATED
from coseal.contracts.supervision.object_monitors import Watched, judging_type
from coseal.contracts.supervision.sets_in_force import judging

SOURCE, OTHER = "bank-a/log", "enterprise-a/live"
CASES, PARTIES = ("c1", "c2"), ("p1", "p2", "p3")
BY_RELATION = {"type": "party", "by": "relation"}
BY_ITEM = {"type": "party", "by": "item"}
CHECKED = {"on": ["pay"], "over": BY_RELATION, "quantifier": "each", "had": "check"}
GOOD = {"on": ["pay"], "over": BY_RELATION, "quantifier": "each", "where": "r.attributes.status == 'good'"}
TYPES = {"case": {"attributes": {"limit": "integer"}}, "party": {"attributes": {"status": "string"}}}


@pytest.fixture
def court(make_court):
    return make_court(late_ms=86_400_000, object_types=TYPES)


def relation(case, party, qualifier="of"):
    return {"relation": ["case", case], "to": ["party", party], "qualifier": qualifier}


def status(party, value):
    return {"object": party, "type": "party", "attributes": [["status", "0", value]]}


def on_party(court, kind, *parties, **fields):
    return court.event(kind, objects=[["party", name] for name in parties], **fields)


def found(receipt):
    return [(one["rule"], one["verdict"], one["object"], one["reason"][0]) for one in receipt.data.get("findings", [])]


def verdict(court, name, object_type="case"):
    """Return the verdict of the only rule on an object, by the state."""
    value = court.get(f"object/{court.TYPE}/{object_type}/{name}")
    definition = court.chain.get(f"process/type/{court.TYPE}")
    judges = judging_type(judging(court.chain, definition), object_type)
    watched = Watched((court.TYPE, object_type, name), value, judges)
    (index,) = (at for at, judge in enumerate(watched.judges) if not judge.related)
    return watched.rules(watched.judges[index]).verdicts(watched.entries[index])[0].value


def again(court, sequence, **fields):
    item = {**court.item(sequence), "corrects": court.corrects(sequence), **fields}
    return item | ({"event": f"again {sequence} {len(court.recorded)}"} if "event" in item else {})


def test_a_finding_names_the_related_objects_that_break_it(court):
    court.adopt(court.rule("R", "related", **CHECKED))
    parties = ("p1", "p2", "p3")
    receipt = court.record(*(relation("c1", name) for name in parties), on_party(court, "check", "p2"))
    assert found(receipt) == []
    receipt = court.record(court.event("pay"))
    assert found(receipt) == [("R", "violated", "c1", "had_not")]
    said = "pay while 2 of 3 objects of type party had no check before it: p1, p3"
    assert receipt.data["findings"][0]["detail"] == said
    assert found(court.record(court.event("pay", event="twice"))) == []


def test_what_is_recorded_in_the_same_batch_or_block_before_counts(court):
    court.adopt(court.rule("R", "related", **CHECKED))
    assert found(court.record(relation("c1", "p1"), on_party(court, "check", "p1"), court.event("pay"))) == []
    late = (relation("c2", "p2"), court.event("pay", "c2"), on_party(court, "check", "p2", event="late"))
    assert [entry[:3] for entry in found(court.record(*late))] == [("R", "violated", "c2")]


def test_of_an_object_that_is_older_than_the_rule_it_cannot_be_told(court):
    court.record(on_party(court, "check", "p1"), on_party(court, "report", "p2"))
    court.chain.block()
    court.adopt(court.rule("R", "related", **{**CHECKED, "over": BY_ITEM}))
    both = [["case", "c1"], ["party", "p1"]]
    assert found(court.record(court.event("pay", objects=both))) == [("R", "undetermined", "c1", "related_unseen")]
    court.record(on_party(court, "check", "p2", event="checked"))
    seen = [["case", "c2"], ["party", "p2"]]
    assert found(court.record(court.event("pay", "c2", objects=seen))) == []


def test_more_objects_than_the_bound_are_undetermined(court):
    court.adopt(court.rule("R", "related", **CHECKED))
    names = [f"p{number}" for number in range(MAX_RELATED + 1)]
    court.record(*(relation("c1", name) for name in names), on_party(court, "check", *names))
    assert found(court.record(court.event("pay"))) == [("R", "undetermined", "c1", "too_many_related")]


def test_a_check_that_is_corrected_away_satisfies_nothing_that_was_judged_by_it(court):
    court.adopt(court.rule("R", "related", **CHECKED))
    court.record(relation("c1", "p1"), relation("c2", "p2"), on_party(court, "check", "p1"), court.event("pay"))
    receipt = court.correct(again(court, 3, type="report"))
    assert found(receipt) == [("R", "undetermined", "c1", "related_corrected")]
    assert receipt.data["findings"][0]["detail"] == f"item 3 of {SOURCE} is corrected, by which party p1 counted"
    assert verdict(court, "c1") == "undetermined"
    assert found(court.record(court.event("pay", event="twice"))) == []


def test_a_check_that_is_amended_stays_one(court):
    court.adopt(court.rule("R", "related", **CHECKED))
    court.record(relation("c1", "p1"), on_party(court, "check", "p1"), court.event("pay"))
    assert found(court.correct(again(court, 2, attributes={"amount": 5}))) == []
    assert verdict(court, "c1") == "pending"


def test_without_the_history_a_related_object_is_not_known_any_more(court):
    court.adopt(court.rule("R", "related", **CHECKED))
    court.record(relation("c1", "p1"), on_party(court, "check", "p1"), court.event("pay"), relation("c2", "p1"))
    receipt = court.correct(again(court, 2, attributes={"amount": 5}), shown=False)
    assert found(receipt) == [("R", "undetermined", "c1", "related_corrected")]
    late = court.record(court.event("pay", "c2"))
    assert found(late) == [("R", "undetermined", "c2", "related_unproven")]


def test_what_is_violated_stays_so_when_a_related_object_is_corrected(court):
    court.adopt(court.rule("R", "related", **CHECKED))
    court.record(relation("c1", "p1"), on_party(court, "report", "p1"), court.event("pay"))
    assert found(court.correct(again(court, 2, type="check"))) == []
    assert verdict(court, "c1") == "violated"
    receipt = court.correct(again(court, 3, attributes={"amount": 1}))  # judged again, by what stands there now
    assert (found(receipt), receipt.data["superseded"][0]["id"], verdict(court, "c1")) == ([], "F1", "pending")


@pytest.mark.parametrize("shown", [True, False])
def test_paying_again_by_a_correction_does_not_count_a_check_that_came_later(court, shown):
    court.adopt(court.rule("R", "related", **CHECKED))
    court.record(relation("c1", "p1"), court.event("pay"))
    court.record(on_party(court, "check", "p1"))
    receipt = court.correct(again(court, 2, attributes={"amount": 1}), shown=shown)
    assert found(receipt) == ([("R", "violated", "c1", "had_not")] if shown else [])  # of what stands there now
    assert len(receipt.data.get("superseded", [])) == shown
    assert verdict(court, "c1") == "violated"


def test_a_relation_that_is_corrected_away_relates_nothing(court):
    court.adopt(court.rule("R", "related", **CHECKED))
    court.record(relation("c1", "p1"), court.event("pay"))
    receipt = court.correct(again(court, 1, to=["party", "p2"], qualifier="of"))
    assert found(receipt) == [("R", "violated", "c1", "had_not")]  # now of p2
    assert receipt.data["superseded"][0]["id"] == "F1"
    gone = court.correct(again(court, 2, objects=[]))
    assert (found(gone), verdict(court, "c1")) == ([], "pending")


def test_an_object_that_is_corrected_in_the_same_batch_cannot_be_told(court):
    court.adopt(court.rule("R", "related", **CHECKED))
    court.record(relation("c1", "p1"), on_party(court, "check", "p1"))
    receipt = court.correct(again(court, 2, type="report"), court.event("pay"))
    assert found(receipt) == [("R", "undetermined", "c1", "related_again")]


def test_an_attribute_that_is_changed_later_does_not_change_what_was_judged(court):
    court.adopt(court.rule("R", "related", **GOOD))
    court.record(relation("c1", "p1"), status("p1", "good"), court.event("pay"))
    changed = {"change": "p1", "type": "party", "attributes": [["status", "2026-01-01T00:00:00Z", "bad"]]}
    assert found(court.record(changed)) == []
    receipt = court.correct(again(court, 3, attributes={"amount": 1}))
    assert found(receipt) == [("R", "undetermined", "c1", "related_changed")]


def test_an_attribute_that_is_corrected_makes_undetermined_what_was_judged_by_it(court):
    court.adopt(court.rule("R", "related", **GOOD))
    court.record(relation("c1", "p1"), status("p1", "good"), court.event("pay"))
    receipt = court.correct(again(court, 2, attributes=[["status", "0", "bad"]]))
    assert found(receipt) == [("R", "undetermined", "c1", "related_corrected")]


def test_an_object_that_many_were_judged_by_gets_the_finding_itself(court):
    court.adopt(court.rule("R", "related", **{**CHECKED, "over": BY_ITEM}))
    court.record(on_party(court, "check", "p1"))
    pays = [
        court.event("pay", event=f"e{number}", objects=[["case", f"c{number}"], ["party", "p1"]])
        for number in range(MAX_RELATED + 1)
    ]
    assert found(court.record(*pays)) == []
    receipt = court.correct(again(court, 1, type="report"))
    assert len(found(receipt)) == MAX_RELATED + 1
    assert found(receipt)[-1] == ("R", "undetermined", "p1", "related_beyond")


def test_a_trial_counts_and_raises_nothing(court):
    proposed = court.propose(court.rule("R", "related", **CHECKED), trial_ms=86_400_000)
    court.vote(proposed.data["ballot"])
    receipt = court.record(relation("c1", "p1"), court.event("pay"))
    assert found(receipt) == []
    assert court.get(f"trial/{proposed.data['set']}") == {"R": {"violated": 1, "undetermined": 0, "rejected": 0}}


def test_a_rule_that_ended_leaves_the_places_of_the_others(court):
    court.adopt(court.rule("A", "related", **CHECKED), court.rule("B", "related", **{**CHECKED, "had": "apply"}))
    court.record(relation("c1", "p1"), on_party(court, "apply", "p1"))
    ended = court.chain.submit(
        "bank-a/admin", "supervision.propose_retirement", process_type="loans", rules=["A"], reason="It was repealed"
    )
    court.vote(ended.data["ballot"])
    assert found(court.record(court.event("pay"))) == []
    court.record(relation("c2", "p2"))
    assert [entry[:3] for entry in found(court.record(court.event("pay", "c2")))] == [("B", "violated", "c2")]


def test_a_type_keeps_what_a_rule_names_of_related_objects(court):
    court.adopt(court.rule("R", "related", **GOOD))
    definition = court.chain.get("process/type/loans")
    names = ("id", "title", "event_types", "gaps", "late_ms")
    changed = {name: definition[name] for name in names} | {"version": 2, "object_types": {**TYPES, "party": {}}}
    refused = court.chain.submit("bank-a/admin", "process.define_type", **changed)
    assert (refused.code, "status" in refused.detail) == ("rule_broken", True)


# The oracle: every object's corrected trace as a list of (place, number of the item that stands there, item)


def traces(log):
    """``log`` is (source, sequence, item) in ledger order."""
    hashes = {(source, sequence): at for at, (source, sequence, _) in enumerate(log)}
    names, found = [], {}
    for at, (source, _, item) in enumerate(log):
        target = hashes.get((source, item["corrects"][0])) if "corrects" in item else None
        names.append({*objects_of(item), *(objects_of(log[target][2]) if target is not None else ())})
        for name in names[at]:
            trace = found.setdefault(name, {})
            mine = [place for place, line in trace.items() if target in line]
            trace.setdefault(mine[0] if mine else at, []).append(at)
    return {
        name: [
            (place, line[-1], log[line[-1]][2])
            for place, line in sorted(trace.items())
            if name in objects_of(log[line[-1]][2])
        ]
        for name, trace in found.items()
    }


def expected(rule, log, me):
    every = traces(log)
    related = []
    for place, _, item in every.get(("case", me), ()):
        if "relation" in item:
            ends = [tuple(item["relation"]), tuple(item["to"])]
            related += [end[1] for end in ends if end[0] == "party" and end[1] not in related]
        if item.get("type") not in rule["on"]:
            continue
        if rule["over"]["by"] == "item":
            related = [name for kind, name in objects_of(item) if kind == "party"]
        had = [
            {
                one
                for at, one, other in every.get(("party", name), ())
                if at < place and other.get("type") == rule["had"]
            }
            for name in related
        ]
        count = sum(map(bool, had))
        holds = {
            "each": count == len(had),
            "any": count > 0,
            "all": not had or bool(set.intersection(*had)),
            "count": count <= rule.get("max", 0),
        }
        if not holds[rule["quantifier"]]:
            return "violated"
    return "pending"


def random_item(court, rng, number):
    kind = rng.choice(("pay", "check", "check", "relation", "relation", "report"))
    if kind == "relation":
        return relation(rng.choice(CASES), rng.choice(PARTIES))
    objects = [["party", name] for name in rng.sample(PARTIES, rng.choice((1, 1, 2, 3)))]
    if kind == "pay" or rng.randrange(3) == 0:
        objects = [*objects[: rng.randrange(3)], ["case", rng.choice(CASES)]]
    return court.event(kind, event=f"e{number}", objects=objects)


def random_correction(court, rng, number, source):
    sequence = rng.choice([entry[1] for entry in court.recorded if entry[0] == source])
    old = court.item(sequence, source)
    item = {**old, "corrects": court.corrects(sequence, source)}
    if "relation" in old:
        return {**item, "to": ["party", rng.choice(PARTIES)]}
    item["event"] = f"n{number}"
    match rng.randrange(4):
        case 0:
            item["type"] = rng.choice(("pay", "check", "report"))
        case 1:
            item["objects"] = [["party", name] for name in rng.sample(PARTIES, rng.randint(1, 2))]
        case 2:
            item["objects"] = [*item["objects"], ["case", "c1"]] if ["case", "c1"] not in item["objects"] else []
    return item


FORMS = [
    {"quantifier": "each"},
    {"quantifier": "any"},
    {"quantifier": "all"},
    {"quantifier": "count", "max": 1},
]


@pytest.mark.parametrize("over", [BY_ITEM, BY_RELATION], ids=["item", "relation"])
@pytest.mark.parametrize("form", FORMS, ids=[form["quantifier"] for form in FORMS])
@pytest.mark.parametrize("corrections", [False, True], ids=["as recorded", "corrected"])
def test_an_oracle_over_whole_corrected_traces_agrees(make_court, over, form, corrections):
    equal = unclear = 0
    for seed in range(4):
        rng = Random(f"{seed}{over}{form}")
        court = make_court(late_ms=86_400_000, object_types=TYPES)
        court.register("enterprise-a", "live")
        rule = court.rule("R", "related", **{**CHECKED, "over": over, **form})
        court.adopt(rule)
        for number in range(24):
            source = rng.choice((SOURCE, SOURCE, OTHER))
            known = any(entry[0] == source for entry in court.recorded)
            if corrections and known and rng.randrange(3) == 0:
                receipt = court.correct(random_correction(court, rng, number, source), source=source)
            else:
                receipt = court.record(random_item(court, rng, number), source=source)
            assert receipt.ok, receipt
            log = [(source, sequence, item) for source, sequence, _, _, item in court.recorded]
            for case in CASES:
                if court.get(f"object/loans/case/{case}") is not None:
                    said, should = verdict(court, case), expected(rule, log, case)
                    equal, unclear = equal + (said == should), unclear + (said == "undetermined")
                    assert said == should or (corrections and said != "pending"), (seed, number, case, said, should)
    assert equal > 50
    assert corrections or not unclear
