"""Discovering rules: counts as the ledger's monitors and PM4Py count, windows as the temporal profile says."""

from __future__ import annotations

import datetime
import json
import statistics
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from coseal.cli import app
from coseal.client.discovery import (
    _WEAKER,
    Counts,
    Wanted,
    count,
    profile,
    selected,
    traces_of,
    window_ms,
)
from coseal.client.suggestions import suggest
from coseal.contracts.rules.declare import TEMPLATES, UNARY
from coseal.contracts.rules.rule import parse_rule, parse_rules
from coseal.contracts.rules.trial import try_rules
from coseal.contracts.rules.verdict import Verdict
from coseal.formats.importers.log import Log
from coseal.formats.importers.mapping import load_mapping
from coseal.formats.importers.reader import read_log
from tests.reference import reference

MILLISECOND = datetime.timedelta(milliseconds=1)
HELD = (Verdict.SATISFIED, Verdict.PENDING)


def silent(what, done, total):
    """Report to nobody."""


def items_of(traces, step_s=60):
    found = []
    for number, trace in enumerate(traces):
        for place, activity in enumerate(trace):
            minute, second = divmod(place * step_s, 60)
            time = f"2026-01-05T10:{minute:02}:{second:02}Z"
            item = {"event": f"e{number}-{place}", "type": activity, "time": time, "objects": [["case", f"c{number}"]]}
            found.append((place, item))
    return [item for _, item in sorted(found, key=lambda pair: pair[0])]


def broken_by_monitors(candidates, items):
    """Return in how many cases each candidate is broken, as ``coseal rules test`` counts."""
    rules = [
        {
            "id": f"R{index}",
            "kind": "declare",
            "template": each.template,
            "a": each.a,
            **({"b": each.b} if each.b else {}),
        }
        for index, each in enumerate(candidates)
    ]
    result = try_rules(parse_rules(rules), items)
    return [sum(len(ids) for verdict, ids in row.cases.items() if verdict not in HELD) for row in result.rules]


def obliged(candidate, traces):
    """Return how many traces oblige a candidate, by the definition."""
    both = candidate.template in ("coexistence", "noncoexistence") or candidate.template.endswith("succession")
    activated = (
        (candidate.a, candidate.b) if both else (candidate.b,) if "precedence" in candidate.template else (candidate.a,)
    )
    return sum(candidate.template in UNARY or any(name in trace for name in activated) for trace in traces)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text("abcd", min_size=1, max_size=7), min_size=1, max_size=5))
def test_the_counts_are_those_of_the_monitors(traces):
    items = items_of(traces)
    found = list(count(traces_of(items, "case", None, silent), silent).candidates(TEMPLATES))
    assert {each.template for each in found} >= set(UNARY)
    for each, broken in zip(found, broken_by_monitors(found, items), strict=True):
        assert each.support == obliged(each, traces), each
        assert each.confidence == each.support - broken, each


@settings(deadline=None, max_examples=60)
@given(st.text("abc", min_size=1, max_size=8))
def test_what_a_template_implies_holds_wherever_it_does(trace):
    counts = Counts()
    counts.add(trace, 1)
    held = {
        (each.template, each.a, each.b) for each in counts.candidates(TEMPLATES) if each.support == each.confidence == 1
    }
    held |= {("coexistence", b, a) for template, a, b in held if template == "coexistence"}
    for template, weaker in _WEAKER.items():
        for name, a, b in held:
            if name == template:
                assert {(each, a, b) for each in weaker} <= held | {
                    (each, a, b) for each in weaker if a not in trace or b not in trace
                }


def test_the_thresholds_are_exact():
    counts = Counts()
    for trace, times in (("ab", 9), ("a", 1), ("c", 90)):
        counts.add(trace, times)
    wanted = Wanted(("response",), Fraction("0.1"), Fraction("0.9"))
    assert [(each.a, each.b, each.support, each.confidence) for each in selected(counts, wanted)] == [("a", "b", 10, 9)]
    assert selected(counts, Wanted(("response",), Fraction("0.1"), Fraction("0.91"))) == []
    assert selected(counts, Wanted(("response",), Fraction("0.11"), Fraction("0.9"))) == []


def test_what_another_rule_implies_is_left_out_unless_it_is_surer():
    counts = Counts()
    counts.add("ab", 98)
    counts.add("aab", 2)
    wanted = Wanted(("responded_existence", "response", "altresponse"), Fraction(1, 10), Fraction(9, 10))
    found = [(each.template, each.a, each.b, each.confidence) for each in selected(counts, wanted) if each.a == "a"]
    assert found == [("response", "a", "b", 100), ("altresponse", "a", "b", 98)]
    counts = Counts()
    counts.add("ab", 100)
    every = Wanted(TEMPLATES, Fraction(1, 10), Fraction(9, 10))
    assert [each.template for each in selected(counts, every) if each.b] == ["chainsuccession"]


@settings(deadline=None, max_examples=80)
@given(st.lists(st.lists(st.integers(0, 10**12), min_size=2, max_size=6).map(sorted), min_size=1, max_size=4))
def test_a_window_is_the_mean_and_so_many_standard_deviations(times):
    traces = {f"c{n}": (tuple("ab" * len(each))[: len(each)], tuple(each)) for n, each in enumerate(times)}
    spans = [
        later - earlier
        for names, each in traces.values()
        for i, earlier in enumerate(each)
        for j, later in enumerate(each)
        if i < j and (names[i], names[j]) == ("a", "b")
    ]
    counted, total, squares = profile(traces, [("a", "b"), ("b", "c")], silent)["a", "b"]
    assert (counted, total, squares) == (len(spans), sum(spans), sum(span * span for span in spans))
    exact = Fraction(sum(spans), len(spans)) + 3 * Fraction(
        statistics.stdev(map(Fraction, spans)) if len(spans) > 1 else 0
    )
    found = window_ms(counted, total, squares, Fraction(3))
    if found is not None:
        unit = next(unit for unit in (3_600_000, 60_000, 1_000) if found % unit == 0)
        assert ceil(exact) - 2 <= found <= ceil(exact) + unit + 5 or found == 1_000


def log_of(items):
    definition = {
        "id": "log",
        "version": 1,
        "title": "Log",
        "object_types": {"case": {}},
        "event_types": {kind: {} for kind in sorted({item["type"] for item in items})},
    }
    return Log(definition, {"id": "log", "process_type": "log", "mode": "historical"}, tuple(items))


def test_a_window_stays_only_where_enough_cases_hold_with_it():
    quick = items_of(["ab"] * 20)
    found = suggest(log_of(quick), "a log", Wanted(("response",), sigma=Fraction(0)), silent)
    assert [(each.rule["within_ms"], each.candidate.confidence) for each in found.suggestions] == [(60_000, 20)]
    late = [{**item, "time": "2026-01-05T10:30:00Z"} if item["event"] in ("e0-1", "e1-1") else item for item in quick]
    found = suggest(log_of(late), "a log", Wanted(("response",), sigma=Fraction(0)), silent)
    assert [(each.rule.get("within_ms"), each.candidate.confidence) for each in found.suggestions] == [(None, 20)]


@pytest.mark.parametrize("name", ["xes/running-example.xes", "ocel2/pm4py_ocel20_example.jsonocel"])
def test_the_rules_of_a_log_are_a_rule_file_that_holds_as_counted(name, tmp_path):
    path = reference(name)
    out = tmp_path / "rules.json"
    run = CliRunner().invoke(app, ["rules", "discover", str(path), "--out", str(out), "--json", "--limit", "20"])
    assert run.exit_code == 0, run.output
    shown = json.loads(run.stdout)
    rules = json.loads(out.read_text(encoding="utf-8"))
    assert rules == [entry["rule"] for entry in shown["rules"]]
    assert 0 < len(rules) <= 20
    again = CliRunner().invoke(app, ["rules", "discover", str(path), "--json", "--limit", "20"])
    assert json.loads(again.stdout) == shown
    tried = json.loads(CliRunner().invoke(app, ["rules", "test", str(out), "--log", str(path), "--json"]).stdout)
    assert tried["cases"] == shown["cases"]
    for entry, row in zip(shown["rules"], tried["rules"], strict=True):
        assert row["violated"] + row["pending_violating"] == entry["support"] - entry["confidence"]
        assert row["undetermined"] == 0
        assert parse_rule(entry["rule"])


def test_what_cannot_be_discovered_says_why(tmp_path):
    path = str(reference("xes/running-example.xes"))
    for options, words in (
        (["--object-type", "order"], "no event names an object of type order"),
        (["--template", "eventually"], "'eventually' is none of existence"),
        (["--support", "2"], "expected a number from 0 to 1"),
        (["--confidence", "1/0"], "expected a number from 0 to 1"),
    ):
        run = CliRunner().invoke(app, ["rules", "discover", path, *options])
        assert run.exit_code != 0
        assert words in run.output.replace("\n", " ") + str(run.exception)


@pytest.mark.parametrize("name", ["receipt.xes.gz", "running-example.xes", "road_traffic_fines_sample.xes.gz"])
def test_support_confidence_and_times_are_those_of_pm4py(name):
    pm4py = pytest.importorskip("pm4py", reason="the oracle of logs is not installed: pip install -e '.[oracle-logs]'")
    from pm4py.algo.discovery.declare import algorithm as declare
    from pm4py.algo.discovery.temporal_profile.variants.log import apply as temporal_profile
    from pm4py.objects.log.obj import Event, EventLog, Trace

    path = reference(f"xes/{name}")
    log = read_log(path, load_mapping(None, path))
    traces = traces_of(log.items, "case", log.source.get("zone_minutes"), silent)
    theirs = EventLog()
    for case, (activities, times) in traces.items():
        trace = Trace(attributes={"concept:name": case})
        for activity, ms in zip(activities, times, strict=True):
            time = pm4py.util.dt_parsing.parser.get().apply("1970-01-01T00:00:00+00:00")
            trace.append(Event({"concept:name": activity, "time:timestamp": time + ms * MILLISECOND}))
        theirs.append(trace)
    model = declare.apply(theirs, parameters={"min_support_ratio": 0.0, "min_confidence_ratio": 0.0})
    counts, compared = count(traces, silent), 0
    for template in (name for name in TEMPLATES if name != "end"):
        for key, wanted in model[template].items():
            a, b = key if isinstance(key, tuple) else (key, "")
            if template in ("coexistence", "noncoexistence"):
                a, b = min(a, b), max(a, b)
            found = counts.candidate(template, a, b)
            assert (found.support, found.confidence) == (wanted["support"], wanted["confidence"]), (template, a, b)
            compared += 1
    assert compared > 400
    spans = temporal_profile(theirs)
    ours = profile(traces, spans, silent)
    for pair, (mean, deviation) in spans.items():
        known, total, squares = ours[pair]
        assert total / known / 1_000 == pytest.approx(mean, abs=1e-3)
        spread = Fraction(known * squares - total * total, known * max(1, known - 1))
        assert float(spread) ** 0.5 / 1_000 == pytest.approx(deviation, rel=1e-6, abs=1e-3)
