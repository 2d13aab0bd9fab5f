from __future__ import annotations

import pytest

from coseal.contracts.rules.cel.lexer import MAX_SOURCE_CHARACTERS, tokens
from coseal.contracts.rules.errors import RuleError


def kinds(source):
    return [(token.kind, token.text) for token in tokens(source)[:-1]]


def test_marks_names_and_integers_are_told_apart():
    assert kinds("a.b_1 <=0x1F&&!c") == [
        *[("name", "a"), (".", "."), ("name", "b_1"), ("<=", "<="), ("integer", "0x1F")],
        *[("&&", "&&"), ("!", "!"), ("name", "c")],
    ]


def test_space_and_comments_are_nothing():
    assert kinds("1 // one\r\n\t+ // plus\n2") == [("integer", "1"), ("+", "+"), ("integer", "2")]


def test_a_position_is_the_character_not_the_byte():
    assert [token.position for token in tokens("'贷款' + x")] == [0, 5, 7, 8]


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("'a'", "a"),
        ('"a\'b"', "a'b"),
        ("'''a'b\nc'''", "a'b\nc"),
        ('"""a""b"""', 'a""b'),
        ("r'a\\n'", "a\\n"),
        ('R"""\\"""', "\\"),
        (r"'\a\b\f\n\r\t\v\\\?\"\'\`'", "\a\b\f\n\r\t\v\\?\"'`"),
        (r"'\x41\X42\u8d37\U0001D11E\101'", "AB贷𝄞A"),
    ],
)
def test_a_string_is_what_cel_makes_of_it(source, value):
    assert kinds(source) == [("string", value)]


@pytest.mark.parametrize(
    ("source", "position", "reason"),
    [
        ("x + 1.5", 4, "no doubles"),
        (".5", 0, "no doubles"),
        ("1e3", 0, "no doubles"),
        ("7u", 0, "no unsigned"),
        ("0x", 0, "hexadecimal digits"),
        ("12ab", 0, "run into each other"),
        ("b'x'", 0, "no bytes"),
        ("rb'x'", 0, "no bytes"),
        ("'abc", 0, "not closed"),
        ("'a\nb'", 0, "not closed"),
        ("'''abc''", 0, "not closed"),
        (r"'a\qb'", 2, "unknown escape"),
        (r"'\u12'", 1, "4 digits"),
        (r"'\u12z4'", 1, "4 digits"),
        (r"'\xZZ'", 1, "2 digits"),
        (r"'\189'", 1, "3 digits"),
        (r"'\ud800'", 1, "no Unicode character"),
        (r"'\U00110000'", 1, "no Unicode character"),
        ("a @ b", 2, "unexpected character '@'"),
        ("a = b", 2, "unexpected character '='"),
        ("a & b", 2, "unexpected character '&'"),
        ("贷", 0, "unexpected character '贷'"),
        ("٣", 0, "unexpected character"),
        ("1" * (MAX_SOURCE_CHARACTERS + 1), MAX_SOURCE_CHARACTERS, "at most"),
    ],
)
def test_what_is_no_token_is_refused_with_its_place(source, position, reason):
    with pytest.raises(RuleError) as refusal:
        tokens(source, ".assert")
    assert (refusal.value.path, refusal.value.position) == (".assert", position)
    assert reason in refusal.value.reason
