"""The specification of the signer and the code point at each other: every rule is cited where it is kept."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_rule_of_the_signer_is_cited_in_the_code_that_keeps_it() -> None:
    text = (ROOT / "docs" / "spec" / "signer.md").read_text("utf-8")
    rules = re.findall(r"^\| (U\d+) \|", text, re.MULTILINE)
    assert rules == [f"U{number}" for number in range(1, 12)]
    sources = [path.read_text("utf-8") for path in (ROOT / "node").glob("*.py")]
    cited = {
        rule for source in sources for line in re.findall(r"#(.*)", source) for rule in re.findall(r"\bU\d+\b", line)
    }
    assert [rule for rule in rules if rule not in cited] == []
    for name in re.findall(r"`(node/[a-z_]+\.py)`", text):
        assert (ROOT / name).exists(), name
