"""What is wrong with an argument: each fault once, and none in arguments that are good."""

from __future__ import annotations

import random
from collections import Counter
from time import perf_counter

import pytest

from coseal.contracts.certification.argument import MAX_BELOW, MAX_DEPTH, MAX_NODES, Argument, Node, check
from tests.contracts.certification.arguments import EXAMPLES, badge, nodes

GOOD = """\
- Claim A: it is so {criterion=value}
  - Strategy S: by cases
    - Claim B: case one
      - Evidence E: a test (e.csv)
    - Claim ^D
    - Assumption U: there are no others
  - Claim Doubt: the test is old {defeater}
    - Link E
  - Context X: the whole country

- Claim D: case two {axiomatic}
"""


def faults(text: str, *criteria: str) -> list[tuple[str, str]]:
    return [(fault.node, fault.code) for fault in check(nodes(text), criteria)]


def chain(length: int) -> list[Node]:
    claims = [Node(f"c{n}", "claim", f"c{n - 1}" if n else None) for n in range(length - 1)]
    return [*claims, Node("e", "evidence", f"c{length - 2}", grounded=True)]


def test_an_argument_with_a_bottom_under_every_claim_has_no_fault() -> None:
    assert faults(GOOD, "value") == []


@pytest.mark.parametrize(
    ("given", "instead", "fault"),
    [
        ("- Claim B: case one", "- Claim A: case one", ("A", "duplicate_id")),
        ("- Claim ^D", "- Claim ^Z", ("S^Z", "unknown_reference")),
        ("- Claim ^D", "- Claim ^A", ("A", "cycle")),
        ("- Claim ^D", "- Claim ^Doubt", ("S^Doubt", "wrong_kind_below")),
        ("- Claim ^D", "- Link E", ("S^E", "wrong_kind_below")),
        ("- Claim B: case one", "- Evidence B: case one (b)", ("E", "wrong_kind_below")),
        ("- Link E", "- Claim Again: no {defeater}", ("Again", "wrong_kind_below")),
        ("- Claim D: case two {axiomatic}", "- Assumption D: case two", ("D", "wrong_kind_below")),
        ("case two {axiomatic}", "case two", ("D", "undeveloped")),
        ("    - Link E\n", "", ("Doubt", "unanswered_defeater")),
        (" (e.csv)", "", ("E", "evidence_without_digest")),
        (" {criterion=value}", "", ("value", "criterion_unaddressed")),
        ("case one", "case one {criterion=other}", ("B", "misplaced_criterion")),
    ],
)
def test_each_fault_is_found_and_names_its_node(given: str, instead: str, fault: tuple[str, str]) -> None:
    assert fault in faults(GOOD.replace(given, instead, 1), "value")


def test_a_strategy_without_a_claim_is_empty_though_it_assumes_something() -> None:
    text = "- Claim A: so\n  - Strategy S: by nothing\n    - Assumption U: all is well\n"
    assert faults(text) == [("S", "empty_strategy")]


def test_a_node_below_one_that_there_is_not_is_a_fault() -> None:
    found = check([Node("a", "claim", declared="assumed"), Node("b", "context", "z")])
    assert [(fault.node, fault.code) for fault in found] == [("b", "unknown_parent")]


def test_a_citation_of_a_citation_is_refused() -> None:
    cites = [Node("x", "cite", "a", cites="y"), Node("y", "cite", "a", cites="b")]
    found = check([Node("a", "claim"), Node("b", "claim", declared="assumed"), *cites])
    assert [(fault.node, fault.code) for fault in found] == [("x", "wrong_kind_below")]


def test_circular_citations_are_found_through_trees_and_named_whatever_the_order() -> None:
    text = "- Claim A: a\n  - Claim ^B\n\n- Claim B: b\n  - Claim C: c\n    - Claim ^A\n"
    circle = list(nodes(text))
    expected = "it rests on itself: A -> A^B -> B -> C -> C^A -> A"
    for seed in range(8):
        random.Random(seed).shuffle(circle)
        assert [fault.detail for fault in check(circle) if fault.code == "cycle"] == [expected]


@pytest.mark.parametrize("extra", [0, 1])
def test_depth_is_bounded(extra: int) -> None:
    codes = [fault.code for fault in check(chain(MAX_DEPTH + extra))]
    assert codes == ["too_deep"] * extra


@pytest.mark.parametrize("extra", [0, 1])
def test_how_many_stand_below_a_node_is_bounded(extra: int) -> None:
    below = [Node(f"e{n}", "evidence", "a", grounded=True) for n in range(MAX_BELOW + extra)]
    assert [fault.code for fault in check([Node("a", "claim"), *below])] == ["too_wide"] * extra


@pytest.mark.parametrize("extra", [0, 1])
def test_how_many_nodes_there_are_is_bounded(extra: int) -> None:
    tops = [Node(f"c{n}", "claim", declared="assumed") for n in range(MAX_NODES + extra)]
    assert [fault.code for fault in check(tops)] == ["too_many"] * extra


def test_the_order_of_nodes_changes_no_fault() -> None:
    given = list(nodes(GOOD.replace("- Claim ^D", "- Claim ^A").replace("case two {axiomatic}", "case two")))
    expected = Counter((fault.node, fault.code, fault.detail) for fault in check(given, ["z"]))
    for seed in range(8):
        random.Random(seed).shuffle(given)
        assert Counter((fault.node, fault.code, fault.detail) for fault in check(given, ["z"])) == expected


def test_the_badges_case_has_exactly_the_three_undeveloped_leaves_that_it_names_itself() -> None:
    argument = Argument(badge())
    assert [node.id for node in argument.undeveloped()] == ["AssetsIdentified", "ThreatsIdentified", "MostDataPublic"]
    kinds = Counter(node.kind for node in badge())
    assert kinds == {"claim": 122, "evidence": 89, "strategy": 7, "cite": 15}
    assert len(argument.tops) == 15
    assert check(badge()) == ()


def test_the_shipped_argument_answers_all_criteria_of_a_public_chain() -> None:
    text = (EXAMPLES / "clearing.ltac").read_text(encoding="utf-8")
    three = ("financial-risk", "credit-system", "incentives")
    assert faults(text, "framework", "outcome", *three, "value") == []
    assert faults(text, "privacy-supervision") == [("privacy-supervision", "criterion_unaddressed")]


def test_the_greatest_argument_is_checked_in_a_fraction_of_what_sealing_may_take() -> None:
    tree = [Node(f"t{t}", "claim", cites=None) for t in range(16)]
    tree += [Node(f"e{n}", "evidence", f"t{n % 16}", grounded=True) for n in range(MAX_NODES - 16)]
    began = perf_counter()
    assert check(tree) == ()
    assert perf_counter() - began < 0.25
