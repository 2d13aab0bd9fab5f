"""Markup: nothing from outside becomes any."""

from __future__ import annotations

from console.html import Html, el, join


def test_children_and_attributes_are_escaped():
    made = el("p", {"title": '"><script>', "hidden": True, "lang": None, "inert": False}, "<b>", ["&", None, 3])
    assert made == '<p title="&quot;&gt;&lt;script&gt;" hidden>&lt;b&gt;&amp;3</p>'


def test_markup_made_here_is_not_escaped_twice_and_voids_have_no_end():
    assert join(el("br"), Html("<i>x</i>"), "<") == "<br><i>x</i>&lt;"
