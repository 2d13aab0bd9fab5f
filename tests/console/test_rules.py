"""What a page says of a rule that leaves things out, as the contract lets it."""

from __future__ import annotations

import pytest

from coseal.console.pages.rules import complete


@pytest.mark.parametrize("absent", [{}, {"title": None, "severity": None, "effect": None}])
def test_what_a_rule_leaves_out_or_has_as_null_is_shown_as_left_out(absent: dict[str, None]) -> None:
    said = complete({"id": "R-1", "kind": "gap", **absent})
    assert said == {"id": "R-1", "kind": "gap", "severity": "", "effect": "flag", "scope": {}}
