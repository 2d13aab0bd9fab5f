"""What docs/reliability.md says is tested: every row of the attack table names tests, and every named test exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "reliability.md").read_text("utf-8")
ROWS = [
    *(f"C{number}" for number in range(1, 11)),
    *("M1", "M2", "E1", "K1", "K2", "D1", "S1", "S2", "S3", "P1", "P2", "T1", "T2", "V1", "V2", "W1", "H1", "H2", "L1"),
]
NOT_YET: frozenset[str] = frozenset()


@cache
def names_in(path: str) -> frozenset[str]:
    """Return the functions, classes and names that a test file defines."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assigned = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    return frozenset(defined | {target.id for target in assigned if isinstance(target, ast.Name)})


def named_tests(text: str) -> list[tuple[str, str]]:
    """Return (file, test) of what a text names: a file, then its tests."""
    found, path = [], ""
    for token in re.findall(r"`([^`]+)`", text):
        if re.fullmatch(r"tests/[\w/]+\.py", token):
            path = token
        elif path and re.fullmatch(r"test_\w+|Test\w+", token):
            found.append((path, token))
    return found


def rows() -> dict[str, str]:
    section = PAGE.partition("## Attacks and bad inputs\n")[2].partition("\n## ")[0]
    return {match[1]: match[2] for match in re.finditer(r"^\| ([A-Z]\d+) \| (.*) \|$", section, re.MULTILINE)}


def test_the_table_has_every_row_once_and_in_order() -> None:
    assert list(rows()) == ROWS


@pytest.mark.parametrize("row", [row for row in ROWS if row not in NOT_YET])
def test_the_tests_of_a_row_exist(row: str) -> None:
    named = named_tests(rows()[row])
    assert named
    assert [(path, name) for path, name in named if name not in names_in(path)] == []


def test_what_is_not_there_yet_says_so() -> None:
    assert {row for row, text in rows().items() if "not there yet" in text} == NOT_YET


def test_every_other_test_that_the_page_names_exists() -> None:
    everything = {name for path in ROOT.glob("tests/**/test_*.py") for name in names_in(str(path.relative_to(ROOT)))}
    named = re.findall(r"`(test_\w+|Test[A-Z]\w+)`", PAGE)
    assert len(named) > 80
    assert [name for name in named if name not in everything] == []
