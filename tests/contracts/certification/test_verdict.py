"""What follows from reviews, beside a second reading of the rules."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction
from typing import Any, NamedTuple

import pytest

from coseal.contracts.certification import scheme as schemes
from coseal.contracts.certification.argument import Argument, Node
from coseal.contracts.certification.verdict import CERTIFIED, CONDITIONAL, OUTCOMES, REFUSED, Tally, Verdict, verdict
from tests.support.certification import CONTENT

SCHEME: dict[str, Any] = {
    "criteria": [
        {"id": "a", "weight": 3, "floor": 2},
        {"id": "b", "weight": 1, "floor": 1, "applies": ["chain"]},
        {"id": "c", "weight": 9, "floor": 4, "applies": ["bridge"]},
    ],
    "threshold": [1, 2],
}
NODES = (
    Node("A", "claim", criterion="a"),
    Node("E", "evidence", "A", grounded=True),
    Node("S", "claim", "A"),
    Node("F", "evidence", "S", grounded=True),
    Node("B", "claim", criterion="b"),
    Node("U", "claim", "B", declared="assumed"),
    Node("A2", "claim", criterion="a", declared="axiomatic"),
)
LEAVES = ("E", "F", "U", "A2")


class Review(NamedTuple):
    """What a reviewer said: whether it accepts each leaf, and its score for each criterion."""

    accepted: dict[str, bool]
    scores: dict[str, int]


def review(score_a: int = 3, score_b: int = 3, **rejected: bool) -> Review:
    return Review({leaf: not rejected.get(leaf, False) for leaf in LEAVES}, {"a": score_a, "b": score_b})


def found_by(*reviews: Review, nodes: tuple[Node, ...] = NODES) -> Verdict:
    accepted = {leaf: sum(one.accepted[leaf] for one in reviews) for leaf in LEAVES}
    scores = {name: sum(one.scores[name] for one in reviews) for name in ("a", "b")}
    return verdict(SCHEME, "chain", nodes, Tally(len(reviews), accepted, scores))


def judged(*reviews: Review, nodes: tuple[Node, ...] = NODES) -> str:
    return found_by(*reviews, nodes=nodes).outcome


def outcome_by_fractions(nodes: tuple[Node, ...], reviews: list[Review]) -> str:
    """Work out the outcome from above, by recursion and fractions."""
    by_id = {node.id: node for node in nodes}

    def stands(name: str) -> int:
        node = by_id[name]
        below = [stands(each.id) for each in nodes if each.parent == name]
        if node.kind == "evidence" or node.declared in ("assumed", "axiomatic"):
            share = Fraction(sum(each.accepted[name] for each in reviews), len(reviews))
            return 2 if share > Fraction(1, 2) else 0
        return min(below) if below else 1

    asked = [criterion for criterion in SCHEME["criteria"] if criterion["id"] in ("a", "b")]
    means = {each["id"]: Fraction(sum(one.scores[each["id"]] for one in reviews), len(reviews)) for each in asked}
    share = sum(each["weight"] * means[each["id"]] for each in asked) / Fraction(4 * sum(e["weight"] for e in asked))
    if share <= Fraction(*SCHEME["threshold"]) or any(means[each["id"]] < each["floor"] for each in asked):
        return REFUSED
    return OUTCOMES[min(stands(node.id) for node in nodes if node.criterion is not None)]


def test_the_outcome_is_that_of_the_second_reading_over_many_panels() -> None:
    rng, found = random.Random(3), Counter[str]()
    for _ in range(1_500):
        nodes = tuple(
            node if node.id != "F" or rng.random() < 0.5 else Node("F", "claim", "S", declared="needsSupport")
            for node in NODES
        )
        reviews = [
            Review({leaf: rng.random() < 0.8 for leaf in LEAVES}, {"a": rng.randint(1, 4), "b": rng.randint(0, 4)})
            for _ in range(rng.randint(1, 6))
        ]
        expected = outcome_by_fractions(nodes, reviews)
        found[expected] += 1
        assert judged(*reviews, nodes=nodes) == expected
        assert judged(*reversed(reviews), nodes=nodes) == expected
    assert min(found[outcome] for outcome in OUTCOMES) > 100


def test_a_leaf_needs_more_than_half_and_fells_the_claims_above_it() -> None:
    assert judged(review(), review(F=True), review()) == CERTIFIED
    found = found_by(review(), review(F=True))
    assert found.outcome == REFUSED
    assert (found.failed, set(found.fallen)) == (("F",), {"A", "S"})
    assert found.criteria == {"a": ("undermined", 6), "b": ("supported", 6)}


def test_every_top_claim_of_a_criterion_has_to_stand() -> None:
    assert judged(review(A2=True)) == REFUSED


def test_a_floor_is_reached_on_average_and_the_threshold_exceeded() -> None:
    assert judged(review(3, 2), review(3, 0)) == CERTIFIED
    assert judged(review(3, 1), review(3, 0)) == REFUSED
    assert judged(review(2, 2)) == REFUSED  # exactly half of the greatest score
    assert judged(review(2, 3)) == CERTIFIED
    assert found_by(review(2, 3)).score == (9, 16)


def test_what_needs_support_leaves_a_certificate_conditional_and_criteria_of_other_kinds_are_not_asked() -> None:
    open_claim = tuple(Node("F", "claim", "S", declared="needsSupport") if node.id == "F" else node for node in NODES)
    assert judged(review(), nodes=open_claim) == CONDITIONAL
    assert judged(review(E=True), nodes=open_claim) == REFUSED
    assert "c" not in found_by(review()).criteria


def test_accepting_a_leaf_or_scoring_more_never_makes_an_outcome_worse() -> None:
    rng = random.Random(5)
    for _ in range(300):
        worse = [review(rng.randint(0, 3), rng.randint(0, 3), **{rng.choice(LEAVES): True}) for _ in range(3)]
        better = [Review(dict.fromkeys(LEAVES, True), {name: n + 1 for name, n in one.scores.items()}) for one in worse]
        mixed = [better[0], *worse[1:]]
        ranks = [OUTCOMES.index(judged(*some)) for some in (worse, mixed, better)]
        assert ranks == sorted(ranks)


def test_all_leaves_of_an_argument_are_judged() -> None:
    assert tuple(leaf.id for leaf in Argument(NODES).leaves()) == LEAVES


@pytest.mark.parametrize(
    ("terms", "fault"),
    [
        ({}, None),
        ({"commit_ms": 1_000}, None),
        ({"commit_ms": 999}, ".terms.commit_ms"),
        ({"commit_ms": 367 * 86_400_000}, ".terms.commit_ms"),
        ({"breathe_ms": 1_000}, ".terms.breathe_ms"),
    ],
)
def test_a_scheme_says_how_long_steps_take_and_else_they_take_what_is_usual(
    terms: dict[str, int], fault: str | None
) -> None:
    content = {**CONTENT, "terms": terms}
    found = next(schemes.faults_of(content), None)
    assert (found is None) if fault is None else (found is not None and found.startswith(fault.rpartition(".")[0]))
    if fault is None:
        assert schemes.term_ms(content, "commit_ms") == terms.get("commit_ms", 30 * 86_400_000)
    assert schemes.term_ms(CONTENT, "decide_ms") == 15 * 86_400_000
