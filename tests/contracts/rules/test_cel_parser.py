from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.rules.cel import parser as tree
from coseal.contracts.rules.cel.parser import MAX_DEPTH, MAX_NESTING, parse
from coseal.contracts.rules.errors import RuleError


def shown(node: tree.Node) -> str:
    """Spell a tree with every operation in parentheses."""
    match node:
        case tree.Literal():
            return repr(node.value)
        case tree.Variable():
            return f"<{node.name}>" if node.item else node.name
        case tree.Select():
            return f"{'has ' if node.test else ''}{shown(node.operand)}.{node.field}"
        case tree.Call() | tree.Logic():
            name = node.function if type(node) is tree.Call else node.operator
            return f"({name} {' '.join(map(shown, node.operands))})"
        case tree.Conditional():
            return f"({shown(node.condition)} ? {shown(node.accepted)} : {shown(node.rejected)})"
        case tree.Macro():
            return f"({node.name} {shown(node.range)} {shown(node.body)})"
        case tree.ListLiteral():
            return f"[{' '.join(map(shown, node.items))}]"
        case tree.MapLiteral():
            return f"{{{' '.join(map(shown, (*node.keys, *node.values)))}}}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3 - 4", "(_-_ (_+_ 1 (_*_ 2 3)) 4)"),
        ("a || b && c || d", "(|| a (&& b c) d)"),
        ("a && b && c", "(&& a b c)"),
        ("a < b == c", "(_==_ (_<_ a b) c)"),
        ("a ? b : c ? d : e", "(a ? b : (c ? d : e))"),
        ("!a.b", "(!_ a.b)"),
        ("--a", "(-_ (-_ a))"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("-1 - -1", "(_-_ -1 -1)"),
        ("0xFF", "255"),
        ("a in b", "(_in_ a b)"),
        ("a.b[c].d(e, f)", "(d (_[_] a.b c) e f)"),
        ("size(a)", "(size a)"),
        ("has(a.b.c)", "has a.b.c"),
        ("a.all(x, x > y)", "(all a (_>_ <x> y))"),
        ("[1, 2,]", "[1 2]"),
        ("{'a': 1, 'b': 2,}", "{'a' 'b' 1 2}"),
        ("a.for", "a.for"),
        ("[] + {}.b", "(_+_ [] {}.b)"),
    ],
)
def test_operators_bind_as_in_cel(text, expected):
    assert shown(parse(text)) == expected


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("", 0, "expected a value, got the end"),
        ("1 +", 3, "expected a value, got the end"),
        ("(1", 2, "expected ')', got the end"),
        ("1 2", 2, "expected the end, got integer '2'"),
        ("a ? b : c : d", 10, "expected the end"),
        ("a ? b ? c : d : e", 6, "expected ':'"),
        ("9223372036854775808", 0, "does not fit 64 bit"),
        ("-9223372036854775809", 0, "does not fit 64 bit"),
        ("while", 0, "'while' is reserved"),
        ("a.in", 2, "'in' is a keyword"),
        ("f(1,)", 4, "expected a value"),
        ("f(,)", 2, "expected a value"),
        ("[,]", 1, "expected a value"),
        ("a.map(x, x)", 2, "map() is left out"),
        ("a.filter(x, x)", 2, "filter() is left out"),
        ("a.matches('b')", 2, "matches() is left out"),
        ("matches(a, 'b')", 0, "matches() is left out"),
        ("a.all(x, b.all(y, true))", 11, "macros do not nest"),
        ("a.all(1, true)", 6, "expected 'name'"),
        ("a.all(if, true)", 6, "reserved"),
        ("a.all(x)", 7, "expected ','"),
        ("has(a)", 0, "has() needs a field"),
        ("has(a['b'])", 0, "has() needs a field"),
        ("has(has(a.b))", 0, "has() needs a field"),
        ("A{b: 1}", 0, "no messages here"),
        (".a", 0, "does not begin with a dot"),
        ("!-a", 1, "expected a value"),
        ("{1}", 2, "expected ':'"),
    ],
)
def test_what_is_not_in_the_grammar_is_refused_with_its_place(text, position, reason):
    with pytest.raises(RuleError) as refusal:
        parse(text)
    assert reason in refusal.value.reason
    assert refusal.value.position == position


@pytest.mark.parametrize("piece", [("(", ")"), ("[", "]"), ("{'a': ", "}"), ("f(", ")"), ("a[", "]"), ("x ? y : ", "")])
def test_nesting_is_bounded(piece):
    begin, end = piece
    assert parse(begin * (MAX_NESTING - 1) + "1" + end * (MAX_NESTING - 1))
    with pytest.raises(RuleError, match="nested deeper"):
        parse(begin * 500 + "1" + end * 500)


@pytest.mark.parametrize("piece", [" + 1", ".a", "[0]", ".f()", " == 1"])
def test_chains_are_bounded_by_the_depth_of_the_tree(piece):
    assert parse("a" + piece * (MAX_DEPTH - 1)).depth == MAX_DEPTH
    with pytest.raises(RuleError, match="inside each other"):
        parse("a" + piece * MAX_DEPTH)
    with pytest.raises(RuleError, match="inside each other"):
        parse("!" * 2_000 + "a")


def test_chains_of_and_and_or_are_one_node():
    assert parse(" || ".join(["a && b"] * 400)).depth == 3


PIECES = (
    *("a", "1", "'x'", "(", ")", "[", "]", "{", "}", ".", ",", ":", "?", "!", "-", "+", "*", "/", "%", "<", "=="),
    *("in", "&&", "||", "has(", "all(", "x", "true", "//"),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(PIECES)))
def test_any_sequence_of_tokens_is_a_tree_or_a_refusal(pieces):
    text = " ".join(pieces)
    try:
        depth, position = parse(text).depth, 0
    except RuleError as refusal:
        depth, position = 0, refusal.position
    assert depth <= MAX_DEPTH
    assert 0 <= position <= len(text)
