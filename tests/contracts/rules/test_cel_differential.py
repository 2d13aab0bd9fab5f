"""CEL-S/1 against the official implementation of CEL, on random expressions.

``COSEAL_ORACLE_EXPRESSIONS=50000`` asks for more of them than a test run does.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from typing import Any

import pytest

from coseal.contracts.rules.cel.compile import Undetermined, compile_expression
from coseal.contracts.rules.cel.values import Timestamp, equal
from coseal.contracts.rules.errors import RuleError
from tests.contracts.rules.generator import VARIABLES, Generator
from tests.contracts.rules.test_cel_values import INTEGERS_OF_OTHERS, NO_INTEGERS

pytest.importorskip("cel_expr_python", reason="the oracle of CEL is not installed: pip install -e '.[oracle]'")

from tests.contracts.rules.oracle import Failed, Oracle

EXPRESSIONS = int(os.environ.get("COSEAL_ORACLE_EXPRESSIONS", "4000"))


def outcome(seed: int, oracle: Oracle, mutate: bool = False) -> tuple[str, Any]:
    """Return how the two agree on the expression of a seed, and what to show if they do not."""
    generator = Generator(seed)
    text, bindings = generator.expression(3 if mutate else 4), generator.bindings()
    if mutate:
        text = generator.mutated(text)
    try:
        expression = compile_expression(text, VARIABLES)
    except RuleError as refusal:
        return "too costly" if "worst case" in refusal.reason else "refused", (text, refusal)
    ours, theirs = expression.evaluate(bindings), oracle.evaluate(text, bindings)
    shown = (seed, text, ours, theirs)
    if isinstance(ours, Undetermined):
        if isinstance(theirs, Failed):
            return "both undetermined", shown
        # The C++ int() also takes a bool, and blanks around the digits, and !!x is x there whatever x is; the
        # language definition has neither.
        wider = re.search(r"\bint\s*\(|!\s*!|-\s*-", text) is not None
        return "wider there" if wider else "differ", shown
    if isinstance(theirs, Failed) or not equal(ours, theirs):
        return "differ", shown
    return f"same {type(ours).__name__}", shown


@pytest.mark.slow
def test_random_expressions_mean_what_they_mean_in_cel():
    oracle = Oracle(VARIABLES)
    count: Counter[str] = Counter()
    for seed in range(EXPRESSIONS):
        verdict, shown = outcome(seed, oracle)
        assert verdict != "differ", shown
        count[verdict] += 1
    print(dict(count))
    assert count["wider there"] <= EXPRESSIONS // 1_000
    assert count["refused"] + count["too costly"] <= EXPRESSIONS // 20
    assert sum(number for verdict, number in count.items() if verdict.startswith("same")) >= EXPRESSIONS * 2 // 5
    kinds = ("bool", "int", "str", "list", "dict", "Timestamp", "Duration", "NoneType")
    assert all(count[f"same {kind}"] for kind in kinds)


def test_what_is_still_accepted_with_a_piece_changed_means_what_it_means_in_cel():
    oracle = Oracle(VARIABLES)
    count: Counter[str] = Counter()
    for seed in range(EXPRESSIONS):
        verdict, shown = outcome(seed, oracle, mutate=True)
        assert verdict != "differ", shown
        count[verdict] += 1
    print(dict(count))
    assert count["refused"] >= EXPRESSIONS // 4
    assert sum(number for verdict, number in count.items() if verdict.startswith("same")) >= EXPRESSIONS // 10


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 in [1, 2] && !(3 in [1, 2])", True),
        ("dyn(1) == dyn('1') || dyn(true) == dyn(1)", False),
        ("[dyn(1), dyn(true)] == [dyn(1), dyn(1)]", False),
        ("{'a': 1, 'b': 2} == {'b': 2, 'a': 1}", True),
        ("'贷款'.size() == 2 && size('𝄞') == 1", True),
        ("'\\uFFFD' < '𝄞'", True),
        ("-7 / 2 == -3 && -7 % 2 == -1 && 7 % -2 == 1", True),
        ("timestamp('2024-02-29T23:59:59Z').getDayOfYear() == 59", True),
        ("timestamp('0001-01-01T00:00:00Z') < timestamp('9999-12-31T23:59:59.999Z')", True),
    ],
)
def test_what_is_easily_got_wrong_is_the_same_in_both(text, expected):
    assert compile_expression(text, {}).evaluate({}) is expected
    assert Oracle({}).evaluate(text, {}) is expected


def test_the_exceptions_of_int_are_exactly_those_of_the_specification():
    oracle, int_of = Oracle({"x": "string"}), compile_expression("int(x)", {"x": "string"})
    for text in INTEGERS_OF_OTHERS:
        assert type(oracle.evaluate("int(x)", {"x": text})) is int
        assert type(int_of.evaluate({"x": text})) is Undetermined
    for text in NO_INTEGERS:
        assert type(oracle.evaluate("int(x)", {"x": text})) is Failed
        assert type(int_of.evaluate({"x": text})) is Undetermined
    for ms in (-1_001, -1_000, -1, 0, 999, 1_999):
        found = compile_expression("int(t)", {"t": "timestamp"}).evaluate({"t": Timestamp(ms)})
        assert found == Oracle({"t": "timestamp"}).evaluate("int(t)", {"t": Timestamp(ms)}) == ms // 1_000
