"""The encoding is canonical and bounded (row K1)."""

import subprocess
import sys
import tracemalloc

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.ledger import codec
from coseal.ledger.codec import MAX_DEPTH, decode, encode
from coseal.ledger.errors import Malformed

INTEGERS = st.integers(-(2**63), 2**64 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SCALARS = st.none() | st.booleans() | INTEGERS | TEXTS | st.binary(max_size=40)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5), max_leaves=20
)


def nested(depth, wrap=lambda inner: [inner]):
    value = 1
    for _ in range(depth):
        value = wrap(value)
    return value


def in_order(value):
    """Return the value with every map's keys by code point, as Python sorts them."""
    if isinstance(value, list):
        return [in_order(item) for item in value]
    return {key: in_order(value[key]) for key in sorted(value)} if isinstance(value, dict) else value


@given(VALUES)
@settings(max_examples=200, deadline=None)
def test_what_is_encoded_is_decoded_to_the_same_value_and_type(value):
    data = encode(value)
    decoded = decode(data)
    assert decoded == value
    assert repr(decoded) == repr(in_order(value))  # 1 and True are equal, but not the same
    assert encode(decoded) == data


@given(VALUES)
@settings(max_examples=200, deadline=None)
def test_the_bytes_are_those_that_another_library_writes_for_the_value_in_order(value):
    assert encode(value) == msgpack.packb(in_order(value), use_bin_type=True)


@given(st.binary(max_size=64))
@settings(max_examples=500, deadline=None)
def test_any_bytes_are_either_refused_or_the_encoding_of_what_they_decode_to(data):
    try:
        value = decode(data)
    except Malformed:
        return
    assert encode(value) == data


@given(VALUES, st.data())
@settings(max_examples=200, deadline=None)
def test_a_changed_encoding_is_refused_or_is_that_of_another_value(value, data):
    raw = bytearray(encode(value))
    offset = data.draw(st.integers(0, len(raw) - 1))
    raw[offset] ^= data.draw(st.integers(1, 255))
    try:
        other = decode(bytes(raw))
    except Malformed:
        return
    assert encode(other) == bytes(raw)
    assert encode(other) != encode(value)


@given(st.dictionaries(TEXTS, INTEGERS, min_size=2, max_size=6), st.randoms())
@settings(max_examples=50, deadline=None)
def test_the_order_of_insertion_into_a_map_does_not_matter(value, random):
    keys = list(value)
    random.shuffle(keys)
    assert encode({key: value[key] for key in keys}) == encode(value)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "empty input"),
        (b"\x01\x01", "trailing bytes"),
        (b"\xcc\x01", "a number in two bytes where one does"),
        (b"\xcd\x00\x01", "a number in three bytes where one does"),
        (b"\xcf" + bytes(7) + b"\x01", "a number in nine bytes where one does"),
        (b"\xd0\x01", "a positive number in a signed form"),
        (b"\xd3" + bytes(8), "zero in nine bytes"),
        (b"\xd9\x01a", "a short text with a long header"),
        (b"\xda\x00\x01a", "a short text with a longer header"),
        (b"\xc5\x00\x01a", "short bytes with a long header"),
        (b"\xdc\x00\x01\x01", "a short list with a long header"),
        (b"\xde\x00\x01\xa1a\x01", "a short map with a long header"),
        (b"\x82\xa1b\x01\xa1a\x02", "unsorted keys"),
        (b"\x82\xa1a\x01\xa1a\x02", "a duplicate key"),
        (b"\x81\x01\x02", "a key that is a number"),
        (b"\x81\xc4\x01a\x02", "a key that is bytes"),
        (b"\x81\xc0\x02", "a key that is nil"),
        (b"\xca\x3f\x80\x00\x00", "a float of 32 bit"),
        (b"\xcb\x3f\xf0" + bytes(6), "a float of 64 bit"),
        (b"\xcb\x7f\xf8" + bytes(6), "NaN"),
        (b"\x91\xcb\x7f\xf0" + bytes(6), "an infinity in a list"),
        (b"\xa1\xff", "invalid UTF-8"),
        (b"\xa2\xc0\x80", "overlong UTF-8"),
        (b"\xa3\xed\xa0\x80", "half of a surrogate pair"),
        (b"\xd4\x01\x00", "an extension type"),
        (b"\xc7\x00\x01", "an empty extension type"),
        (b"\xd6\xff" + bytes(4), "a timestamp"),
        (b"\xc1", "the byte that is never used"),
        (b"\x92\x01", "a truncated list"),
        (b"\xa5abc", "a truncated text"),
        (b"\xdd\xff\xff\xff\xff\x01\x02\x03", "a list of 2^32 - 1 items in three bytes"),
        (b"\xdf\xff\xff\xff\xff\x01\x02\x03", "a map of 2^32 - 1 items in three bytes"),
        (b"\xc6\xff\xff\xff\xff\x01\x02\x03", "2^32 - 1 bytes in three"),
        (b"\xdb\xff\xff\xff\xff\x01\x02\x03", "a text of 2^32 - 1 bytes in three"),
        (b"\xdc\xff\xff\x01\x02\x03", "a list of 65,535 items in three bytes"),
        (b"\x91" * 17 + b"\x01", "nesting of 17"),
        (b"\x91" * 100_000, "nesting of 100,000"),
        (b"\x81\xa1a" * 17 + b"\x01", "nesting of 17 maps"),
    ],
)
def test_bytes_that_are_no_canonical_encoding_are_refused(data, what):
    with pytest.raises(Malformed):
        decode(data)


def test_nesting_is_allowed_up_to_the_limit_in_both_directions():
    for wrap in (lambda inner: [inner], lambda inner: {"a": inner}):
        deepest = nested(MAX_DEPTH, wrap)
        assert decode(encode(deepest)) == deepest
        with pytest.raises(ValueError, match="nested"):
            encode(nested(MAX_DEPTH + 1, wrap))
        with pytest.raises(Malformed):
            decode(msgpack.packb(nested(MAX_DEPTH + 1, wrap)))


@pytest.mark.parametrize("value", [1.0, float("nan"), 2**64, -(2**63) - 1, {1: 2}, {"a", "b"}, object(), "\ud800"])
def test_a_value_without_an_encoding_is_refused(value):
    for placed in (value, [value], {"a": [value]}):
        with pytest.raises((TypeError, ValueError)):
            encode(placed)


@pytest.mark.parametrize("value", [-(2**63), 2**63 - 1, 2**63, 2**64 - 1])
def test_integers_are_allowed_up_to_64_bit(value):
    assert decode(encode(value)) == value


@pytest.mark.parametrize(
    "data",
    [
        (b"\xdd" + (1_000_000).to_bytes(4, "big")) * 16 + bytes(1_000_000),
        (b"\xdf" + (500_000).to_bytes(4, "big")) * 16 + bytes(1_000_000),
        (b"\xdc\xff\xff" * 1_000 + bytes(100_000)),
        b"\x9f" * 200_000,
        b"\xdd" * 300_000,
    ],
)
def test_claimed_lengths_are_bounded_before_anything_is_allocated_for_them(data):
    tracemalloc.start()
    try:
        with pytest.raises(Malformed):
            decode(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * 1024 * 1024 + 48 * len(data)


def test_a_claimed_length_takes_no_address_space():  # where the decoder's own memory is, tracemalloc does not look
    done = subprocess.run([sys.executable, "-c", _IN_LITTLE_SPACE], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "refused 8\n"), done.stderr


_IN_LITTLE_SPACE = r"""
import resource
from coseal.ledger import codec
from coseal.ledger.errors import Malformed

used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 24 * 2**20,) * 2)
refused = 0
for head in (b"\xdd", b"\xdf", b"\xdb", b"\xc6"):
    for data in (head + b"\xff" * 4, (head + b"\x00\xff\xff\xff") * 1000):
        try:
            codec.decode(data)
        except Malformed:
            refused += 1
print("refused", refused)
"""


def test_a_record_is_read_only_under_its_own_tag_version_and_length():
    data = encode(["tag", 1, 5, b"x"])
    assert codec.decode_record(data, "tag", 1, 2) == [5, b"x"]
    for tag, version, fields in (("gat", 1, 2), ("tag", 2, 2), ("tag", 1, 1), ("tag", 1, 3)):
        with pytest.raises(Malformed):
            codec.decode_record(data, tag, version, fields)
    for value in (None, [], ["tag"], [b"tag", 1, 5, b"x"], ["tag", True, 5, b"x"], {"tag": 1}):
        with pytest.raises(Malformed):
            codec.record(value, "tag", 1, 2)


def test_fields_are_taken_by_type_and_bound():
    assert codec.integer(5, "x", high=5) == 5
    assert codec.octets(b"ab", "x", size=2, limit=2) == b"ab"
    assert codec.text("ab", "x", limit=2) == "ab"
    assert codec.sequence([1], "x", limit=1) == [1]
    assert codec.mapping({"a": 1}, "x") == {"a": 1}
    for refuse in (
        lambda: codec.integer(6, "x", high=5),
        lambda: codec.integer(-1, "x"),
        lambda: codec.integer(True, "x"),
        lambda: codec.integer("1", "x"),
        lambda: codec.octets("ab", "x"),
        lambda: codec.octets(b"ab", "x", size=3),
        lambda: codec.octets(b"ab", "x", limit=1),
        lambda: codec.text("", "x"),
        lambda: codec.text("abc", "x", limit=2),
        lambda: codec.text(b"a", "x"),
        lambda: codec.sequence([1, 2], "x", limit=1),
        lambda: codec.sequence((1,), "x", limit=1),
        lambda: codec.mapping([], "x"),
    ):
        with pytest.raises(Malformed, match="x"):
            refuse()
