"""The rule sets that ship: they compile, their tests hold, and they say of real logs what their README tells."""

import json
from collections import defaultdict
from pathlib import Path

import pytest
from typer.testing import CliRunner

from coseal.cli import app
from coseal.contracts.process.types import normalised
from coseal.contracts.registry import PROCESS_TYPES
from coseal.contracts.rules.rule import parse_rules
from coseal.contracts.rules.rule_tests import check_rules
from coseal.contracts.rules.trial import try_rules
from coseal.demo.examples import example
from coseal.demo.policies import corpus
from coseal.formats.importers.mapping import load_mapping
from coseal.formats.importers.reader import read_log
from tests.reference import reference

RULES = Path(__file__).parents[3] / "examples" / "rules"
SETS = sorted(path.name for path in RULES.glob("*.json") if not path.name.endswith(".type.json"))


def read(name: str):
    return json.loads((RULES / name).read_text("utf-8"))


def definition_of(process_type: str):
    """The process type a rule set is about, if it ships, is a contract's own, or its log ships."""
    if process_type in PROCESS_TYPES:
        return PROCESS_TYPES[process_type]
    for path in RULES.glob("*.type.json"):
        definition = json.loads(path.read_text("utf-8"))
        if definition["id"] == process_type:
            return normalised(definition)
    return normalised(fines().definition) if process_type == "traffic-fines" else None


def fines():
    path = example("traffic-fines/traffic-fines.csv.gz")
    return read_log(path, load_mapping(example("traffic-fines/traffic-fines.toml"), path))


@pytest.mark.parametrize("name", SETS)
def test_a_shipped_set_compiles_and_its_tests_hold(name):
    data = read(name)
    (process_type,) = {rule["scope"]["process_type"] for rule in data}
    checked = check_rules(data, definition_of(process_type))
    assert [error for entry in checked for error in entry.errors] == []
    for rule in data:
        assert rule["legal_basis"], f"{rule['id']} has no legal basis"
        assert rule["tests"], f"{rule['id']} has no tests"
        verdicts = {test["verdict"] for test in rule["tests"]}
        assert verdicts & {"violated", "pending_violating"}, f"{rule['id']}: no test shows what it is against"


def test_the_rule_in_the_guide_is_good_as_it_stands():
    guide = (RULES.parents[1] / "docs" / "supervision.md").read_text("utf-8")
    written = guide[guide.index('    [{"id": "LOAN-IN-A-DAY"') :]
    (checked,) = check_rules(json.loads(written[: written.index("\n\n")]), definition_of("lending"))
    assert (checked.id, checked.errors) == ("LOAN-IN-A-DAY", ())


def test_the_files_are_those_the_readme_tells():
    readme = (RULES / "README.md").read_text("utf-8")
    assert [name for name in SETS if f"| `{name}` |" not in readme] == []


def test_the_fines_log_has_the_findings_that_the_readme_tells():
    log = fines()
    definition = normalised(log.definition)
    result = try_rules(parse_rules(read("traffic-fines.json"), definition), log.items, definition)
    assert {entry.rule.id: entry.findings for entry in result.rules if entry.findings} == {
        "TF-NOTIFIED": 197,
        "TF-APPEAL-PREFECT": 38,
        "TF-APPEAL-JUDGE": 5,
        "TF-RESULT-TOLD": 2,
    }


def test_the_policy_corpus_has_instruments_in_effect_that_tell_no_passing():
    items, number = [], 0
    for instrument in corpus()[1]:
        acts = sorted((event for event in instrument["events"] if event.get("date")), key=lambda event: event["date"])
        for event in acts:
            number += 1
            items.append(
                {
                    "event": f"e{number}",
                    "type": f"policy.{event['action']}",
                    "time": f"{event['date']:0<10}"[:10].replace("-00", "-01") + "T00:00:00+08:00",
                    "objects": [["instrument", instrument["id"]]],
                }
            )
    result = try_rules(parse_rules(read("policy-order.json")), items)
    verdicts = {entry.rule.id: {name.value: len(ids) for name, ids in entry.cases.items()} for entry in result.rules}
    assert verdicts["PO-PASSED-AT-ALL"]["pending_violating"] == 69
    assert verdicts["PO-PASSED-FIRST"]["violated"] >= 69


def test_the_receipt_log_has_checks_that_no_decision_follows():
    path = reference("xes", "receipt.xes.gz")
    log = read_log(path, load_mapping(None, path, None))
    (decision,) = parse_rules(read("permits.json"))
    found = try_rules([decision], log.items, normalised(log.definition)).rules[0].cases
    assert {verdict.value: len(ids) for verdict, ids in found.items()}["pending_violating"] == 14


def procurement():
    path = reference("ocel1", "p2p-2023.jsonocel.gz")
    log = read_log(path, load_mapping(None, path, None))
    return log, json.loads(reference("trade", "golden_p2p_match.json").read_text("utf-8"))


def test_the_procurement_log_has_invoices_that_are_paid_more_than_once():
    log, golden = procurement()
    path = reference("ocel1", "p2p-2023.jsonocel.gz")
    result = CliRunner().invoke(
        app,
        [
            *("rules", "test", str(RULES / "trade-match.json"), "--log", str(path)),
            *("--type", str(RULES / "orders.type.json"), "--object-type", "invoice receipt", "--json", "--cases"),
        ],
    )
    assert result.exit_code == 0, result.output
    (row,) = [one for one in json.loads(result.stdout)["rules"] if one["id"] == "TM-PAY-ONCE"]
    assert sorted(row["cases"]["violated"]) == sorted(golden["invoices_paid_more_than_once"])
    assert len(row["cases"]["violated"]) == 101
    assert len(log.items) > golden["events"]


def test_a_guard_on_a_tally_names_the_same_invoices():
    log, golden = procurement()
    tallies = {"invoice receipt": {"payments": [{"on": "Execute Payment", "add": 1}]}}
    definition = normalised({**log.definition, "tallies": tallies})
    rule = {
        "id": "ONCE",
        "kind": "guard",
        "scope": {"object_type": "invoice receipt"},
        "on": ["Execute Payment"],
        "assert": "o.tally.payments <= 1 && o.tally_of.payments[e.member] <= 1",
    }
    (found,) = try_rules(parse_rules([rule], definition), log.items, definition).rules
    assert sorted(found.cases["violated"]) == sorted(golden["invoices_paid_more_than_once"])
    assert found.findings == 648 - 516
    assert not found.cases["undetermined"]


def test_no_id_stands_in_two_sets():
    by_set = defaultdict(set)
    for name in SETS:
        for rule in read(name):
            by_set[name].add(rule["id"])
    assert sum(len(ids) for ids in by_set.values()) == len(set().union(*by_set.values())), "an id stands twice"
