"""The specification of snapshots and the code point at each other: every rule is cited where it is kept."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_rule_of_snapshots_is_cited_in_the_code_that_keeps_it() -> None:
    rules = re.findall(r"^\| (Z\d+) \|", (ROOT / "docs" / "spec" / "snapshot.md").read_text("utf-8"), re.MULTILINE)
    assert rules == [f"Z{number}" for number in range(1, 15)]
    sources = [path.read_text("utf-8") for package in ("ledger", "node") for path in (ROOT / package).glob("*.py")]
    cited = {rule for text in sources for line in re.findall(r"#(.*)", text) for rule in re.findall(r"\bZ\d+\b", line)}
    assert [rule for rule in rules if rule not in cited] == []
