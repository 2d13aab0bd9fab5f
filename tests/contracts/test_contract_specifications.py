"""The specifications of the contracts name what the code does, and nothing else."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from coseal.contracts.certification import actions as certification
from coseal.contracts.credit import actions as credit
from coseal.contracts.currency import actions as currency
from coseal.contracts.disclosure import actions as disclosure
from coseal.contracts.evidence import actions as evidence
from coseal.contracts.mission import actions as mission
from coseal.contracts.participation import actions as participation
from coseal.contracts.policy import actions as policy
from coseal.contracts.policy.statistics import DIMENSIONS
from coseal.contracts.process import actions as process
from coseal.contracts.registry import CONTRACTS, KINDS
from coseal.contracts.standards import actions as standards
from coseal.contracts.supervision import actions as supervision
from coseal.contracts.trade import actions as trade
from tests.support.specifications import codes_in, section, specification

ROOT = Path(__file__).resolve().parent.parent.parent
SHARED_CODES = {"invalid_argument"}


def sources(*places):
    paths = [path for place in places for path in sorted((ROOT / "contracts").glob(place))]
    assert paths
    return [ast.parse(path.read_text(encoding="utf-8")) for path in paths]


def rejections(*places):
    """The codes with which these modules make a ``Rejected``."""
    found = set()
    for tree in sources(*places):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Rejected":
                first = node.args[0]
                found.add(first.value if isinstance(first, ast.Constant) else "invalid_argument")
    return found


PLACES = {
    "governance": ("governance/*.py",),
    "policy": ("policy/*.py",),
    "process": ("process/*.py",),
    "supervision": ("supervision/*.py", "governance/ballot.py"),
    "evidence": ("evidence/*.py",),
    "standards": ("standards/*.py",),
    "currency": ("currency/*.py",),
    "trade": ("trade/*.py",),
    "credit": ("credit/*.py",),
    "certification": ("certification/*.py",),
    "mission": ("mission/*.py",),
    "disclosure": ("disclosure/*.py",),
    "participation": ("participation/*.py",),
}


@pytest.mark.parametrize(("name", "places"), PLACES.items())
def test_the_codes_of_refusals_are_those_of_the_specification(name, places):
    assert codes_in(section(specification(name), "Refusals")) == rejections(*places) | SHARED_CODES


def test_the_codes_of_findings_are_those_of_the_specification():
    documented = codes_in(section(specification("policy"), "Findings"))
    texts = {
        node.value
        for tree in sources("policy/recording.py")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    ordered = {code for code in documented if "_before_" in code}  # made of two actions
    assert len(ordered) == 4
    assert documented - ordered <= texts


@pytest.mark.parametrize(
    ("name", "contract"),
    [
        (contract.name, contract)
        for contract in (
            CONTRACTS["governance"],
            policy.CONTRACT,
            process.CONTRACT,
            supervision.CONTRACT,
            evidence.CONTRACT,
            standards.CONTRACT,
            currency.CONTRACT,
            trade.CONTRACT,
            credit.CONTRACT,
            certification.CONTRACT,
            mission.CONTRACT,
            disclosure.CONTRACT,
            participation.CONTRACT,
        )
    ],
)
def test_every_action_and_argument_is_specified(name, contract):
    text = specification(name)
    assert set(re.findall(rf"^\| `{name}\.([a-z_]+)`", text, re.MULTILINE)) == contract.actions.keys()
    for action in contract.actions.values():
        for argument in action.example:
            assert f"`{argument}`" in text, argument


def test_every_rule_of_governance_stands_beside_the_code_that_keeps_it():
    rules = re.findall(r"^\| (A\d+) \|", specification("governance"), re.MULTILINE)
    assert rules == [f"A{number}" for number in range(1, 12)]
    marks = " ".join(
        line.rpartition("#")[2]
        for path in (ROOT / "contracts" / "governance").glob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if "#" in line
    )
    assert [rule for rule in rules if not re.search(rf"\b{rule}\b", marks)] == []


def test_every_kind_of_proposal_and_its_subject_is_specified():
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| (.*)$", section(specification("governance"), "Actions"), re.MULTILINE))
    assert rows.keys() == KINDS.keys()
    for name, kind in KINDS.items():
        assert kind.subject.check(dict(kind.example)) is None
        assert [field for field in kind.example if f"`{field}`" not in rows[name]] == []


def test_every_dimension_of_the_statistics_is_specified():
    state = section(specification("policy"), "State")
    assert all(f"`{dimension}`" in state for dimension in DIMENSIONS)
