"""The conformance files of CEL, as far as they fall in CEL-S/1."""

from __future__ import annotations

import pytest

from coseal.contracts.rules.cel.compile import Expression, RuleError, Undetermined, compile_expression
from coseal.contracts.rules.cel.values import equal
from tests.contracts.rules.conformance import ERROR, Case, cases
from tests.reference import reference


@pytest.fixture(scope="module")
def within() -> list[tuple[Case, Expression]]:
    """Return the cases that CEL-S/1 accepts, compiled."""
    found = []
    for case in cases(reference("cel_spec", "tests", "simple", "testdata")):
        if isinstance(case, Case):
            try:
                found.append((case, compile_expression(case.text, case.variables)))
            except RuleError:
                continue  # outside of the subset, or an error there as well
    return found


def test_every_conformance_case_within_the_subset_passes(within):
    failed = []
    for case, expression in within:
        value = expression.evaluate(case.bindings)
        undetermined = isinstance(value, Undetermined)
        if not (undetermined if case.expected is ERROR else not undetermined and equal(value, case.expected)):
            failed.append((case.name, case.text, case.expected, value))
    assert not failed


def test_the_subset_is_as_large_as_it_was(within):
    assert len(within) >= 496
    files = {case.name.partition("/")[0] for case, _ in within}
    assert {"basic", "comparisons", "conversions", "integer_math", "lists", "logic", "macros", "parse"} <= files
    assert {"string", "timestamps", "fields"} <= files
    assert sum(case.expected is ERROR for case, _ in within) >= 30
