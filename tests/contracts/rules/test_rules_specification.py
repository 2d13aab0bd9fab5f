"""docs/spec/rules.md names what the code has, and its examples are accepted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from coseal.contracts.rules import shape
from coseal.contracts.rules.cel import check as cel_check
from coseal.contracts.rules.cel import lexer as cel_lexer
from coseal.contracts.rules.cel import parser as cel_parser
from coseal.contracts.rules.cel import values as cel_values
from coseal.contracts.rules.cel.compile import compile_expression
from coseal.contracts.rules.reasons import ENGLISH

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs/spec/rules.md").read_text(encoding="utf-8")
SHAPE, _, GUARDS = TEXT.partition("## Guards")
EVENT = """
{time: timestamp, attributes: {days: int, currency: string, amount: string, due: timestamp},
 objects: list({type: string, id: string, qualifier: string})}
"""


def test_every_keyword_of_a_shape_is_named():
    named = set(re.findall(r"`(\$?[A-Za-z]+)`", SHAPE.split("| S2 |")[0].split("Every other keyword")[0]))
    assert named >= set(shape._KEYWORDS) | set(shape._NOTES) | {"$defs", "$schema"}
    assert named - {"contracts"} == set(shape._KEYWORDS) | set(shape._NOTES) | {"$defs", "$schema"}


def test_every_function_of_a_guard_is_named():
    table = GUARDS.split("| function | forms |")[1].split("###")[0]
    assert set(re.findall(r"\b([a-zA-Z]+)\(", table)) | set(re.findall(r"`(get[A-Za-z]+)`", table)) >= {
        *cel_check.FUNCTIONS,
        *cel_check.METHODS,
    }


@pytest.mark.parametrize("text", GUARDS.split("```\n")[1].splitlines())
def test_the_examples_are_guards(text):
    assert compile_expression(text, {"e": EVENT}, result="bool").cost < cel_check.MAX_COST


def test_the_bounds_are_those_of_the_code():
    for number in (cel_check.MAX_COST, cel_lexer.MAX_SOURCE_CHARACTERS, shape.MAX_COST):
        assert f"{number:,}" in TEXT
    assert f"up to {cel_parser.MAX_NESTING} deep in the text; the tree is at most {cel_parser.MAX_DEPTH} deep" in GUARDS
    assert f"at most {cel_values.MAX_ITEMS} items" in GUARDS
    assert f"up to {shape.MAX_DEPTH} deep" in SHAPE


def test_every_reason_is_named_with_its_sentence():
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", TEXT.split("## Reasons")[1].split("\n## ")[0], re.MULTILINE))
    assert rows == {code: re.sub("[{}]", "`", words) for code, words in ENGLISH.sentences.items()}


def test_the_rules_named_in_the_code_exist():
    used = {
        rule
        for path in (ROOT / "contracts/rules").glob("*.py")
        if path.name == "shape.py" or path.name.startswith("cel")
        for rule in re.findall(r"\b([GS]\d+)\b", path.read_text(encoding="utf-8"))
    }
    defined = set(re.findall(r"^\| ([GS]\d+) \|", TEXT, flags=re.MULTILINE))
    assert used <= defined
