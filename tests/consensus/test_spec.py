"""The spec and the code hold the same numbered rules."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
RULE = re.compile(r"\b([RJPGTBV][1-9])\b")


def rules_in(*paths):
    return {rule for path in paths for rule in RULE.findall(path.read_text(encoding="utf-8"))}


def test_every_numbered_rule_of_the_spec_stands_in_the_code_and_back():
    spec = rules_in(ROOT / "docs" / "spec" / "consensus.md")
    code = rules_in(*(ROOT / "consensus").glob("*.py"))
    assert spec == code
    assert len(spec) == 6 + 4 + 5 + 4 + 8 + 6 + 5


def test_every_numbered_rule_of_the_spec_is_cited_by_a_test():
    names = " ".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    cited = {rule.upper() for rule in re.findall(r"(?:def test|_and)_([rjpgtbv][1-9])_", names)}
    assert rules_in(ROOT / "docs" / "spec" / "consensus.md") == cited


def test_the_spec_names_files_that_exist():
    text = (ROOT / "docs" / "spec" / "consensus.md").read_text(encoding="utf-8")
    for name in re.findall(r"`(consensus/[a-z_]+\.py)`", text):
        assert (ROOT / name).exists(), name
