"""Why a rule found something: the code, its values and the sentence made from them."""

from __future__ import annotations

from string import Formatter

import pytest

from coseal.contracts.kernel.wording import ENGLISH as UNITS
from coseal.contracts.rules.reasons import (
    DURATIONS,
    ENGLISH,
    MAX_VALUE_CHARACTERS,
    MOMENTS,
    Language,
    Reason,
    reason,
    sentence,
)
from coseal.ledger import codec


def placeholders(pattern):
    return {name for _, name, _, _ in Formatter().parse(pattern) if name}


def test_lengths_have_units_and_moments_are_times():
    assert str(reason("late", lag_ms=123_456, within_ms=1_000)) == (
        "recorded 2 min 3.456 s after it happened; 1 s is allowed"
    )
    assert str(reason("on_hold", until_ms=1_700_000_000_000, finding="F3")) == (
        "on hold until 2023-11-14T22:13:20Z by finding F3"
    )


@pytest.mark.parametrize("code", ENGLISH.sentences)
def test_no_sentence_shows_a_figure_in_ms_without_its_unit(code):
    names = placeholders(ENGLISH.sentences[code])
    assert {name for name in names if name.endswith("_ms")} <= DURATIONS | MOMENTS
    assert str(Reason(code, dict.fromkeys(names, 1)))


def test_a_text_with_braces_stands_for_itself():
    assert str(reason("not_first", a="{b} {0}")) == "the first event is not {b} {0}"


def test_texts_are_bounded_and_a_reason_is_a_value_of_the_ledger():
    found = reason("shape", problem="x" * 1_000)
    assert found.values == {"problem": "x" * MAX_VALUE_CHARACTERS}
    assert codec.decode(codec.encode(list(found))) == ["shape", found.values]


def test_a_language_without_the_sentence_says_so():
    with pytest.raises(KeyError):
        sentence("late", {}, Language(UNITS, ("", ""), {}))
