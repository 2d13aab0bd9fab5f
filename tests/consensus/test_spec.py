"""Every numbered rule of consensus has a test with its name."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
RULE = re.compile(r"\b([RJPGTBV][1-9])\b")


def test_every_numbered_rule_of_the_spec_is_cited_by_a_test():
    spec = set(RULE.findall((ROOT / "docs" / "spec" / "consensus.md").read_text(encoding="utf-8")))
    names = " ".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    cited = {rule.upper() for rule in re.findall(r"(?:def test|_and)_([rjpgtbv][1-9])_", names)}
    assert spec == cited
