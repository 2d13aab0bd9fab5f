"""JSON as it is taken from outside (rows K2 and N1)."""

import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.ledger import codec
from coseal.ledger.errors import Malformed
from coseal.ledger.strict_json import json_line, json_text, one_line, strict_json


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        b"{",
        b"1 2",
        b"[1,]",
        b"{'a': 1}",
        b"\xef\xbb\xbf{}",
        b'{"a": 1, "a": 2}',
        b'{"b": {"a": 1, "a": 1}}',
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"1.5",
        b"1e400",
        b"1E2",
        b"-0.0",
        b"18446744073709551616",
        b"-9223372036854775809",
        b"9" * 5_000,
        b"[" * 17 + b"]" * 17,
        b"[" * 100_000,
        b'{"a":' * 17 + b"1" + b"}" * 17,
        rb'"\ud800"',
        rb'{"\udfff": 1}',
        b'"\x01"',
        b'"unclosed',
        b'["\\\\", "' + b"[" * 20,
    ],
)
def test_json_outside_the_strict_subset_is_refused(raw):
    with pytest.raises(Malformed):
        strict_json(raw)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"18446744073709551615", 2**64 - 1),
        (b"-9223372036854775808", -(2**63)),
        (b"[" * 16 + b"]" * 16, None),
        (b'"' + b"[" * 40 + b'"', "[" * 40),
        (b'["\\"[[[[[[[[[[[[[[[[[[", "\\\\"]', None),
        (rb'"\ud83d\ude00"', "😀"),
        ('"ключ"'.encode(), "ключ"),
        (b'{"a": [1, true, null]}', {"a": [1, True, None]}),
    ],
)
def test_json_within_the_strict_subset_is_read(raw, value):
    assert value is None or strict_json(raw) == value
    strict_json(raw)


def test_the_depth_can_be_set_for_documents_that_wrap_a_value():
    assert strict_json("[" * 20 + "]" * 20, depth=20)
    with pytest.raises(Malformed, match="deeper than 20"):
        strict_json("[" * 21 + "]" * 21, depth=20)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('ab"\\[{é', max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(JSON_VALUES, st.booleans())
@settings(max_examples=150, deadline=None)
def test_whatever_has_a_canonical_encoding_and_no_bytes_survives_json(value, ascii_only):
    codec.encode(value)
    assert strict_json(json.dumps(value, ensure_ascii=ascii_only)) == value


@pytest.mark.parametrize(
    "raw",
    [
        b'"' + b"a" * 10_000_000 + b'"',
        b"9" * 10_000_000,
        b"[" * 10_000_000,
        b'"' + b'\\"' * 2_000_000 + b'"',
    ],
    ids=["long text", "long number", "deep nesting", "many escapes"],
)
def test_large_inputs_take_memory_in_proportion_to_their_size(raw):
    tracemalloc.start()
    try:
        refusal = refused(raw)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * len(raw)
    assert len(refusal) < 200


def refused(raw):
    """Return why ``raw`` is refused, nothing if it is read."""
    try:
        strict_json(raw)
    except Malformed as error:
        return error.reason
    return ""


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_a_line_of_json_is_one_line_for_every_reader_and_loses_nothing(value):
    line = json_line(value)
    assert line.splitlines() == [line]
    assert json.loads(line) == value
    assert json.loads(one_line(json_text(value))) == value


def test_the_line_ends_that_json_allows_in_a_text_are_escaped():
    assert json_line("a\x85b\u2028c\u2029d\ne") == '"a\\u0085b\\u2028c\\u2029d\\ne"'
    assert json_line({"é": ["合"]}) == '{"é":["合"]}'
