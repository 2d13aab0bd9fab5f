"""``coseal rules check`` and ``coseal rules test``: what they print, and their exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from coseal.cli import app
from coseal.client.rule_checks import check
from coseal.client.rules import read_definition

RUNNER = CliRunner()
ABOUT = {"version": 1, "legal_basis": ["external: Act, s. 1"], "scope": {"process_type": "log", "object_type": "case"}}
RESPONSE = {"id": "R-1", **ABOUT, "kind": "declare", "template": "response", "a": "ask", "b": "answer"}
GUARD = {"id": "R-2", **ABOUT, "kind": "guard", "on": ["ask"], "assert": "e.attributes.days <= 10"}
TYPE = {
    "id": "log",
    "version": 1,
    "title": "Log",
    "object_types": {"case": {}},
    "event_types": {"ask": {"attributes": {"days": "integer"}}, "answer": {}},
}
ROWS = """case,activity,time,days
1,ask,2026-01-01T00:00:00Z,5
1,answer,2026-01-02T00:00:00Z,
2,ask,2026-01-03T00:00:00Z,11
"""
MAP = 'case = "case"\nactivity = "activity"\ntimestamp = "time"\nattributes = { days = "integer" }\n'


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("log.csv").write_text(ROWS, encoding="utf-8")
    Path("map.toml").write_text(MAP, encoding="utf-8")
    Path("type.json").write_text(json.dumps(TYPE), encoding="utf-8")
    return tmp_path


def write(rules, name="rules.json"):
    Path(name).write_text(rules if isinstance(rules, str) else json.dumps(rules), encoding="utf-8")


def run(*words, code=0):
    result = RUNNER.invoke(app, ["rules", *words])
    assert result.exit_code == code, result.output
    return result.output


def test_good_rules_are_shown_with_their_cost(place):
    write([RESPONSE, GUARD])
    text = run("check", "rules.json")
    assert "R-1" in text
    assert "2 rules, 0 refused" in text
    answer = json.loads(run("check", "rules.json", "--type", "type.json", "--json"))
    assert answer["ok"] is True
    assert [(row["id"], row["kind"], row["errors"]) for row in answer["rules"]] == [
        ("R-1", "declare", []),
        ("R-2", "guard", []),
    ]
    assert answer["cost"] == sum(row["cost"] for row in answer["rules"])


def test_a_bad_rule_is_shown_with_place_and_reason_and_ends_with_1(place):
    write([RESPONSE, {**GUARD, "assert": "e.attributes.day <= [red]"}])
    assert "[1].assert at character" in run("check", "rules.json", code=1)
    answer = json.loads(run("check", "rules.json", "--json", code=1))
    assert answer["ok"] is False
    assert answer["rules"][0]["ok"] is True
    (error,) = answer["rules"][1]["errors"]
    assert error["path"] == "[1].assert"
    assert error["position"] is not None


def test_an_attribute_that_the_process_type_lacks_is_refused(place):
    write([{**GUARD, "assert": "e.attributes.day <= 10"}])
    run("check", "rules.json")
    answer = json.loads(run("check", "rules.json", "--type", "type.json", "--json", code=1))
    assert answer["rules"][0]["errors"] == [
        {"path": "[0].assert", "position": 13, "reason": "unknown field 'day'; known: days"}
    ]


def test_who_leaves_out_the_type_that_the_tests_need_is_told_to_give_it(place):
    due = {"events": [{"type": "ask", "attributes": {"due": "2026-01-02T00:00:00Z"}}], "verdict": "pending"}
    rule = {**GUARD, "assert": "e.attributes.due > timestamp('2026-01-01T00:00:00Z')", "tests": [due]}
    write([rule])
    text = run("check", "rules.json", code=1)
    assert "the rule says undetermined" in text
    assert "--type TYPE.json" in text
    attributes = {**TYPE, "event_types": {"ask": {"attributes": {"due": "time"}}, "answer": {}}}
    write(json.dumps(attributes), "dated.json")
    assert "--type" not in run("check", "rules.json", "--type", "dated.json")


@pytest.mark.parametrize("text", ["{}", "[]", "[", '[{"id": 1.5}]', '[{"id": "a", "id": "b"}]'])
def test_what_is_no_rule_file_ends_with_1(place, text):
    write(text)
    run("check", "rules.json", code=1)
    run("test", "rules.json", "--log", "log.csv", "--map", "map.toml", code=1)


def test_a_file_that_is_not_there_ends_with_2(place):
    run("check", "rules.json", code=2)
    write([RESPONSE])
    run("check", "rules.json", "--type", "none.json", code=2)
    run("test", "rules.json", "--log", "none.csv", "--map", "map.toml", code=2)
    run("test", "rules.json", code=2)


def test_rules_are_tried_on_a_log_without_a_network(place):
    write([RESPONSE, GUARD])
    words = ("test", "rules.json", "--log", "log.csv", "--map", "map.toml")
    answer = json.loads(run(*words, "--json"))
    assert {name: answer[name] for name in ("cases", "events", "warnings")} == {
        "cases": 2,
        "events": 3,
        "warnings": [],
    }
    first, second = answer["rules"]
    assert (first["id"], first["pending"], first["pending_violating"]) == ("R-1", 1, 1)
    assert (second["id"], second["pending"], second["violated"]) == ("R-2", 1, 1)
    assert "cases" not in first
    with_cases = json.loads(run(*words, "--json", "--cases"))
    assert with_cases["rules"][1]["cases"]["violated"] == ["2"]
    assert "2 cases, 3 events" in run(*words)
    assert "R-1 pending_violating: 2" in run(*words, "--cases")


def test_what_a_log_does_not_have_is_a_warning(place):
    write([{**RESPONSE, "b": "reply", "scope": {"process_type": "other", "object_type": "case"}}])
    answer = json.loads(run("test", "rules.json", "--log", "log.csv", "--map", "map.toml", "--json"))
    assert answer["rules"][0]["pending_violating"] == 2
    assert answer["warnings"] == ["R-1: .b: unknown event type 'reply' of process type log"]


def test_the_object_type_may_be_chosen(place):
    write([{**RESPONSE, "scope": {"object_type": "order"}}])
    words = ("test", "rules.json", "--log", "log.csv", "--map", "map.toml", "--json")
    assert json.loads(run(*words))["cases"] == 0
    assert json.loads(run(*words, "--object-type", "case"))["rules"][0]["pending"] == 1


def test_a_refused_rule_or_log_ends_with_1(place):
    write([{**RESPONSE, "colour": "red"}])
    run("test", "rules.json", "--log", "log.csv", "--map", "map.toml", code=1)
    write([RESPONSE])
    Path("log.csv").write_text(ROWS.replace("2026-01-02", "2026-02-30"), encoding="utf-8")
    run("test", "rules.json", "--log", "log.csv", "--map", "map.toml", code=1)


def test_what_proposing_refuses_is_refused_in_each_rule_at_once(place):
    bare = {name: value for name, value in RESPONSE.items() if name not in ("legal_basis", "version")}
    away = {**GUARD, "id": "R-3", "scope": {"process_type": "other"}}
    write([bare, {**GUARD, "legal_basis": []}, away])
    answer = json.loads(run("check", "rules.json", "--json", code=1))
    assert answer["ok"] is False
    assert [(refusal["code"], refusal["detail"].partition(":")[0]) for refusal in answer["refused"]] == [
        ("invalid_argument", "args.rules[0].version"),
        ("invalid_argument", "args.rules[2].scope.process_type"),
        ("unknown_policy", "args.rules[0].legal_basis"),
        ("unknown_policy", "args.rules[1].legal_basis"),
    ]
    write([RESPONSE, {**GUARD, "legal_basis": []}, {**GUARD, "id": "R-3", "legal_basis": []}])
    assert "3 rules, 2 refused" in run("check", "rules.json", "--type", "type.json", code=1)
    answer = json.loads(run("check", "rules.json", "--type", "type.json", "--json", code=1))
    assert [refusal["detail"].partition(":")[0] for refusal in answer["refused"]] == [
        "args.rules[1].legal_basis",
        "args.rules[2].legal_basis",
    ]


def test_rules_of_another_process_type_than_the_given_one_are_refused(place):
    write([{**RESPONSE, "scope": {"process_type": "other"}}])
    answer = json.loads(run("check", "rules.json", "--type", "type.json", "--json", code=1))
    assert [error["path"] for error in answer["rules"][0]["errors"]] == ["[0].scope.process_type"]


def test_a_set_that_costs_too_much_together_is_refused(place):
    costly = {**GUARD, "assert": "e.objects.exists(x, x.type == 'case' && e.attributes.days > 0)"}
    write([{**costly, "id": f"R-{number}"} for number in range(200)])
    answer = json.loads(run("check", "rules.json", "--type", "type.json", "--json", code=1))
    assert [refusal["code"] for refusal in answer["refused"]] == ["limit"]
    assert not any(row["errors"] for row in answer["rules"])


def test_what_could_not_be_checked_is_said(place):
    write([{**RESPONSE, "version": 3, "legal_basis": ["cn/2026-1"]}])
    answer = json.loads(run("check", "rules.json", "--type", "type.json", "--json"))
    assert answer["ok"] is True
    assert any("cn/2026-1 is in the register" in text for text in answer["unchecked"])
    assert any("versions follow" in text for text in answer["unchecked"])
    assert json.loads(run("check", "rules.json", "--json"))["unchecked"]


def test_against_a_network_nothing_is_assumed(place):
    definition = {**read_definition(Path("type.json")), "definition": "00" * 32}
    state = {"process/type/log": definition, "supervision/rule/R-1": {"latest": 1, "active": 1}}
    state["supervision/rule/R-1/1"] = {"status": "retired", "set": "B1", "process_type": "log"}
    verdict = check([{**RESPONSE, "legal_basis": ["cn/1"]}], definition, state.get)
    assert [refusal.code for refusal in verdict.refused] == ["unknown_policy"]
    verdict = check([RESPONSE], definition, state.get)
    assert [refusal.detail for refusal in verdict.refused] == ["args.rules[0].version: expected 2 of R-1, got 1"]
    verdict = check(
        [{**RESPONSE, "version": 2}], definition, {**state, "supervision/rule/R-1": {"latest": 1, "active": 0}}.get
    )
    assert (verdict.ok, verdict.unchecked) == (True, ())
