"""The specification and the code point at each other: every rule of encoding and audit is cited where it is kept."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULE = re.compile(r"^\| ([A-Z]\d+) \|", re.MULTILINE)


def rules_of(page):
    return RULE.findall((ROOT / "docs" / "spec" / page).read_text(encoding="utf-8"))


@pytest.mark.parametrize(("page", "packages"), [("encoding.md", ["ledger", "audit"]), ("audit.md", ["audit"])])
def test_every_rule_is_cited_in_the_code_that_keeps_it(page, packages):
    rules = rules_of(page)
    assert len(rules) == len(set(rules)) >= 9
    sources = [
        path.read_text(encoding="utf-8") for package in packages for path in sorted((ROOT / package).glob("*.py"))
    ]
    cited = {
        rule
        for text in sources
        for comment in re.findall(r"#(.*)", text)
        for rule in re.findall(r"\b[A-Z]\d+\b", comment)
    }
    assert [rule for rule in rules if rule not in cited] == []
