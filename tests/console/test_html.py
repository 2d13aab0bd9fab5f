"""Markup: nothing from outside becomes any."""

from __future__ import annotations

from coseal.console.html import Html, el, join


def test_children_and_attributes_are_escaped():
    made = el("p", {"title": '"><script>', "hidden": True, "lang": None, "inert": False}, "<b>", ["&", None, 3])
    assert made == '<p title="&quot;&gt;&lt;script&gt;" hidden>&lt;b&gt;&amp;3</p>'


def test_markup_made_here_is_not_escaped_twice_and_voids_have_no_end():
    assert join(el("br"), Html("<i>x</i>"), "<") == "<br><i>x</i>&lt;"


def test_signs_that_are_not_seen_or_turn_the_writing_are_shown_by_their_code():
    hidden = "a\u202eb\x1b[31m\u2028\u200b\ufeff\x00\ud800\U000e0041"
    made = el("p", {"title": hidden}, hidden)
    assert made.encode()
    assert made.count("[U+202E]") == made.count("[U+001B]") == made.count("[U+D800]") == 2
    assert not any(sign in made for sign in "\u202e\x1b\u2028\u200b\ufeff\x00\ud800")
    assert el("p", None, "पु‍ण्य، 政策\n\tשלום") == "<p>पु‍ण्य، 政策\n\tשלום</p>"
