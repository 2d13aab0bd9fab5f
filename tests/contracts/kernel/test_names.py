from __future__ import annotations

import posixpath
import unicodedata

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.kernel import names
from coseal.contracts.kernel.fields import Identifier


def test_an_identifier_that_is_refused_is_told_the_whole_rule():
    assert Identifier().check("a//b") == (
        ": expected an identifier: a text of 1 to 128 characters, none of them invisible or a control, no space at "
        "either end, '/' only between parts that are neither empty nor '.' or '..'"
    )
    assert (Identifier(slash=False).check("a/b") or "").endswith("not '.' or '..', no '/'")


def test_what_python_calls_a_control_a_line_end_or_a_direction_is_hidden():
    for code in range(0x110000):
        character = chr(code)
        controls = unicodedata.category(character) in ("Cc", "Zl", "Zp")
        turns = unicodedata.bidirectional(character) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
        if controls or turns or len(f"a{character}b".splitlines()) > 1:
            assert character in names.HIDDEN, f"U+{code:04X}"


def test_letters_marks_digits_and_signs_are_not_hidden():
    shown = {"Lu", "Ll", "Lo", "Nd", "Sm", "Sc", "Po", "Ps", "Zs", "So"}
    fillers = set("\u115f\u1160\u3164\uffa0")  # letters by category, drawn as nothing
    hidden = {c for c in map(chr, range(0x110000)) if c in names.HIDDEN and unicodedata.category(c) in shown}
    assert hidden == fillers


@settings(deadline=None)
@given(st.text(st.sampled_from("./ :a\u200b\n"), max_size=8))
def test_an_identifier_is_a_path_that_no_client_changes(text):
    if names.is_identifier(text):
        path = httpx.URL(f"http://node/v1/objects/{text}").path
        assert path == f"/v1/objects/{text}"
        assert posixpath.normpath(text.replace("://", "-")) == text.replace("://", "-")
        assert names.is_reference(text)
        assert names.is_label(text)


def test_half_a_surrogate_pair_is_no_text():
    assert names.is_encodable("经")
    assert not names.is_encodable("\udc00")


def test_names_are_folded_without_a_unicode_table():
    assert names.folded("Id_Card No.") == "idcardno"
    assert names.folded("身份证-号 É") == "身份证号É"
