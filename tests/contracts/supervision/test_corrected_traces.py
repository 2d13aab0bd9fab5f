"""The ledger's verdicts after corrections and disputes equal those of a naive oracle over traces, case by case.

The oracle keeps the log as a list, replaces what was corrected, leaves out what is disputed or says that it cannot
tell, and looks at whole traces: nothing of it is shared with the monitors.
"""

from __future__ import annotations

import csv
import gzip
import itertools
from random import Random

import pytest

from coseal.contracts.process.chain import item_hash
from coseal.contracts.rules.declare import BINARY, COUNTING
from coseal.contracts.rules.verdict import Verdict
from coseal.contracts.supervision.object_monitors import Watched, judging_type
from coseal.contracts.supervision.sets_in_force import judging
from tests.reference import reference

CASES = ("c1", "c2", "c3")
TYPES = ("apply", "check", "decide", "pay")
SOURCE = "bank-a/log"


# The oracle


def corrected_traces(log, cases=CASES):
    """Return by case the events that stand there; ``log`` is (sequence, item) in ledger order."""
    items = dict(log)

    def root(sequence, case, seen):
        target = items[sequence].get("corrects", [None])[0]
        return root(target, case, seen) if target in seen else sequence

    traces = {}
    for case in cases:
        standing, seen = {}, set()
        for sequence, item in log:
            target = items.get(item.get("corrects", [None])[0], {})
            if case in names(item) or case in names(target):
                standing[root(sequence, case, seen)] = item
                seen.add(sequence)
        traces[case] = [item for _, item in sorted(standing.items()) if case in names(item)]
    return traces


def names(item):
    return [name for _, name, *_ in item.get("objects", ())]


def deviates(template, a, b, n, trace):
    """Say whether a trace of event types deviates, by what each template means."""
    count, pairs = trace.count(a), list(itertools.pairwise([*trace, None]))
    at = [(index, kind) for index, kind in enumerate(trace) if kind in (a, b)]
    between = "".join("a" if kind == a else "b" for _, kind in at)
    responds = a not in trace or b in trace[len(trace) - trace[::-1].index(a) :]
    precedes = b not in trace or a in trace[: trace.index(b)]
    holds = {
        "existence": count >= n,
        "absence": count < n,
        "exactly_one": count == n,
        "init": trace[:1] == [a],
        "end": trace[-1:] == [a],
        "responded_existence": a not in trace or b in trace,
        "coexistence": (a in trace) == (b in trace),
        "noncoexistence": not (a in trace and b in trace),
        "response": responds,
        "precedence": precedes,
        "succession": responds and precedes,
        "altresponse": responds and "aa" not in between,
        "altprecedence": precedes and "bb" not in between,
        "altsuccession": responds and precedes and "aa" not in between and "bb" not in between,
        "chainresponse": all(after == b for kind, after in pairs if kind == a),
        "chainprecedence": all(kind == a for kind, after in pairs if after == b) and (not trace or trace[0] != b),
        "chainsuccession": all((kind == a) == (after == b) for kind, after in pairs) and (not trace or trace[0] != b),
    }
    return not holds[template]


ANY_TYPE = ("init", "end", "chainresponse", "chainprecedence", "chainsuccession")
"""Templates that an event of any type concerns."""


def is_violated(rule, trace):
    """Say whether a rule is violated whatever comes: two more events cure what is curable."""
    given = (rule["template"], rule["a"], rule.get("b"), rule.get("n", 1))
    more = [(), *itertools.product((rule["a"], rule.get("b"), "another"), repeat=2)]
    more += [(rule["a"],), (rule.get("b"),)]
    return all(deviates(*given, [*trace, *kinds]) for kinds in more)


def expected(rule, trace):
    """Return what a rule says of a trace: ``deviates``, or ``undetermined`` by an event that is disputed.

    ``trace`` are (event type, whether it is disputed).
    """
    mode = rule.get("disputed", "count")
    if mode == "undetermined":
        before = []
        for kind, disputed in trace:
            if not disputed:
                before.append(kind)
            elif rule["template"] in ANY_TYPE or kind in (rule["a"], rule.get("b")):
                return "violated" if is_violated(rule, before) else "undetermined"
    types = [kind for kind, disputed in trace if mode == "count" or not disputed]
    return "deviates" if deviates(rule["template"], rule["a"], rule.get("b"), rule.get("n", 1), types) else "holds"


SAYS = {
    "violated": (Verdict.VIOLATED,),
    "deviates": (Verdict.VIOLATED, Verdict.PENDING_VIOLATING),
    "holds": (Verdict.SATISFIED, Verdict.PENDING),
    "undetermined": (Verdict.UNDETERMINED,),
}


# Rules, and what the ledger says


def rules_of(court, pairs, **fields):
    mode = fields.get("disputed", "count")
    rules = [
        court.rule(f"{template} {a} {b} {mode}", template=template, a=a, b=b, **fields)
        for (a, b), template in itertools.product(pairs, BINARY)
    ]
    for a in {a for pair in pairs for a in pair}:
        rules += [
            court.rule(f"{template} {a} {n} {mode}", template=template, a=a, n=n, **fields)
            for template in COUNTING
            for n in (1, 2)
        ]
        rules += [
            court.rule(f"{template} {a} {mode}", template=template, a=a, **fields) for template in ("init", "end")
        ]
    return rules


def told(court, case):
    """Return the verdict of every rule on a case, by the state."""
    value = court.get(f"object/{court.TYPE}/case/{case}")
    definition = court.chain.get(f"process/type/{court.TYPE}")
    watched = Watched((court.TYPE, "case", case), value, judging_type(judging(court.chain, definition), "case"))
    verdicts = {}
    for judge, entry in zip(watched.judges, watched.entries, strict=True):
        rules = watched.rules(judge)
        verdicts |= dict(zip((rule.id for rule in rules.rules), rules.verdicts(entry), strict=True))
    return verdicts


def standing(court, case):
    """Return (rule, verdict, event) of the findings about a case that were not superseded."""
    found, name = [], (court.get(f"findings/{court.TYPE}/case/{case}") or {"last": ""})["last"]
    while name:
        record = court.get(f"finding/{name}")
        if record["status"] != "superseded":
            found.append((record["rule"], record["verdict"], record["event"]))
        name = record["earlier"]
    return found


def guarded(rule, trace, disputed):
    """Return what a guard finds on a trace: (verdict, event)."""
    found, mode = [], rule.get("disputed", "count")
    for item in trace:
        if mode != "count" and item["event"] in disputed:
            found += [("undetermined", item["event"])] if mode == "undetermined" else []
        elif item["attributes"]["amount"] > 50:
            found.append(("violated", item["event"]))
    return sorted(found)


def compare(court, rules, cases=CASES, disputed=()):
    """Compare with the oracle; ``disputed`` are the ids of events."""
    log = [(sequence, item) for _, sequence, _, _, item in court.recorded]
    for case, trace in corrected_traces(log, cases).items():
        if court.get(f"object/{court.TYPE}/case/{case}") is None:
            continue
        types = [(item["type"], item["event"] in disputed) for item in trace]
        verdicts, found = told(court, case), standing(court, case)
        for rule in rules:
            name, verdict = rule["id"], verdicts[rule["id"]]
            raised = sorted(entry[1:] for entry in found if entry[0] == name)
            if rule["kind"] == "guard":
                assert raised == guarded(rule, trace, disputed), (case, name)
                continue
            assert verdict in SAYS[expected(rule, types)], (case, name, types, verdict)
            final = verdict in (Verdict.VIOLATED, Verdict.UNDETERMINED)
            assert [entry[0] for entry in raised] == [verdict.value] * final, (case, name, types, raised)


# Histories


def correction(court, rng, amount, types=TYPES, cases=CASES):
    """Return what corrects an item that is recorded: another type, other objects, none at all, or as it was."""
    sequence = rng.choice(court.recorded)[1]
    item = {**court.item(sequence), "event": f"n{len(court.recorded)}", "corrects": court.corrects(sequence)}
    match rng.randrange(5):
        case 0 | 1:
            item["type"] = rng.choice(types)
        case 2:
            item["objects"] = [["case", name] for name in rng.sample(cases, rng.randint(1, 2))]
        case 3:
            item["objects"] = []
    return {**item, "attributes": {"amount": amount}}


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("mode", ["live", "historical"])
def test_random_histories_with_corrections_are_judged_as_the_oracle_judges_them(make_court, mode, seed):
    rng = Random(seed)
    court = make_court(mode, late_ms=86_400_000)
    limit = court.rule("guard", "guard", on=list(TYPES), **{"assert": "e.attributes.amount <= 50"})
    rules = [*rules_of(court, [("check", "decide"), ("apply", "pay")]), limit]
    court.adopt(*rules)
    for number in range(30):
        amount = rng.randrange(100)
        if number > 2 and rng.randrange(3) == 0:
            receipt = court.correct(correction(court, rng, amount))
        else:
            objects = [["case", name] for name in rng.sample(CASES, rng.choice((1, 1, 2)))]
            items = [
                court.event(
                    rng.choice(TYPES), event=f"e{number}.{part}", objects=objects, attributes={"amount": amount}
                )
                for part in range(rng.randint(1, 2))
            ]
            if len(items) == 2 and rng.randrange(3) == 0:
                first = court.sequence[SOURCE] + 1
                items[1] |= {"corrects": [first, item_hash(SOURCE, first, items[0]).hex()]}
            receipt = court.correct(*items)
        assert receipt.ok, receipt
        compare(court, rules)


MODES = ("count", "leave_out", "undetermined")


def in_every_way(court, pairs):
    """Return rules that judge disputed events in every way."""
    limits = {"on": list(TYPES), "assert": "e.attributes.amount <= 50"}
    return [
        rule
        for mode in MODES
        for rule in (
            *rules_of(court, pairs, disputed=mode),
            court.rule(f"guard {mode}", "guard", disputed=mode, **limits),
        )
    ]


def attested(court, rng, statuses, **args):
    """Have an event disputed or confirmed; ``statuses`` are those of events by sequence, and change."""
    asked = [entry[1] for entry in court.recorded if statuses.get(entry[1]) != "confirm"]
    sequence = rng.choice(asked)
    verdict = "confirm" if sequence in statuses or rng.randrange(5) == 0 else "dispute"
    receipt = court.attest(sequence, verdict, **args)
    assert receipt.ok, receipt
    statuses[sequence] = verdict


def disputed_of(court, statuses):
    return {court.item(sequence)["event"] for sequence, verdict in statuses.items() if verdict == "dispute"}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("mode", ["live", "historical"])
def test_random_histories_with_disputes_are_judged_as_the_oracle_judges_them(make_court, mode, seed):
    rng, statuses = Random(seed), {}
    court = make_court(mode, late_ms=86_400_000)
    rules = in_every_way(court, [("check", "decide")])
    court.adopt(*rules)
    for number in range(24):
        amount, what = rng.randrange(100), rng.randrange(4) if number > 2 else 3
        if what == 0:
            assert court.correct(correction(court, rng, amount)).ok
        elif what == 1:
            attested(court, rng, statuses)
        else:
            objects = [["case", name] for name in rng.sample(CASES, rng.choice((1, 1, 2)))]
            more = {"event": f"e{number}", "counterparty": "central-bank", "attributes": {"amount": amount}}
            assert court.record(court.event(rng.choice(TYPES), objects=objects, **more)).ok
        compare(court, rules, disputed=disputed_of(court, statuses))


@pytest.mark.parametrize("seed", range(3))
def test_without_histories_nothing_that_is_disputed_satisfies_a_rule_that_leaves_it_out(make_court, seed):
    rng, statuses = Random(seed), {}
    court = make_court("live", late_ms=86_400_000)
    rules = [rule for mode in MODES for rule in rules_of(court, [("check", "decide")], disputed=mode)]
    court.adopt(*rules)
    for number in range(24):
        if number > 2 and rng.randrange(3) == 0:
            attested(court, rng, statuses, shown=False)
        else:
            event = court.event(rng.choice(TYPES), rng.choice(CASES), event=f"e{number}", counterparty="central-bank")
            assert court.record(event).ok
    disputed = disputed_of(court, statuses)
    assert disputed
    for case, trace in corrected_traces([(sequence, item) for _, sequence, _, _, item in court.recorded]).items():
        types, verdicts = [(item["type"], item["event"] in disputed) for item in trace], told(court, case)
        for rule in rules:
            if expected(rule, types) != "holds":
                assert verdicts[rule["id"]] not in SAYS["holds"], (case, rule["id"], types)


@pytest.mark.parametrize("seed", range(3))
def test_without_histories_nothing_that_was_corrected_away_satisfies_a_rule(make_court, seed):
    rng = Random(seed)
    court = make_court("live", late_ms=86_400_000)
    rules = rules_of(court, [("check", "decide")])
    court.adopt(*rules)
    for number in range(25):
        if number > 2 and rng.randrange(3) == 0:
            receipt = court.correct(correction(court, rng, 1), shown=False)
        else:
            receipt = court.record(court.event(rng.choice(TYPES), rng.choice(CASES), event=f"e{number}"))
        assert receipt.ok, receipt
    for case, trace in corrected_traces([(sequence, item) for _, sequence, _, _, item in court.recorded]).items():
        types, verdicts = [item["type"] for item in trace], told(court, case)
        for rule in rules:
            if deviates(rule["template"], rule["a"], rule.get("b"), rule.get("n", 1), types):
                assert verdicts[rule["id"]] not in (Verdict.SATISFIED, Verdict.PENDING), (case, rule["id"], types)


def test_a_real_log_with_corrections_is_judged_as_the_oracle_judges_it(make_court):
    with gzip.open(reference("csv", "traffic_fines_10k.csv.gz"), "rt", encoding="utf-8") as file:
        rows = list(itertools.islice(csv.DictReader(file), 400))
    cases = sorted({row["case_id"] for row in rows})[:60]
    rows = [row for row in rows if row["case_id"] in cases]
    types = sorted({row["activity"] for row in rows})
    attributes = {"attributes": {"amount": "integer"}}
    court = make_court("historical", event_types=dict.fromkeys(types, attributes))
    court.chain.block(time_ms=1_800_000_000_000)
    rules = rules_of(court, [("Create Fine", "Send Fine"), ("Send Fine", "Payment")])
    court.adopt(*rules)
    log = [
        {
            "event": row["activity_instance_id"],
            "type": row["activity"],
            "time": row["timestamp"],
            "objects": [["case", row["case_id"]]],
            "attributes": {"amount": 0},
        }
        for row in rows
    ]
    for first in range(0, len(log), 50):
        assert court.record(*log[first : first + 50]).ok
    rng = Random(7)
    for _ in range(12):
        corrections = [{**correction(court, rng, 0, types, cases), "event": f"n{rng.random()}"} for _ in range(3)]
        receipt = court.correct(*corrections)
        assert receipt.ok, receipt
    compare(court, rules, cases)
