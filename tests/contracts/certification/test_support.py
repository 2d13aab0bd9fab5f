"""What stands in an argument by what is accepted of it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.certification.argument import EVIDENCE, Argument, Node, check
from coseal.contracts.certification.support import OPEN, SUPPORTED, UNDERMINED, claims_in, support
from tests.contracts.certification.arguments import badge, nodes

RANK = {UNDERMINED: 0, OPEN: 1, SUPPORTED: 2}
KINDS = ("claim", "claim", "claim", "strategy", "evidence", "assumption", "context", "defeater", "cite")


def states(text: str, **verdicts: bool) -> dict[str, str]:
    return support(Argument(nodes(text)), verdicts)


@st.composite
def trees(draw: st.DrawFn) -> list[Node]:
    """Draw nodes of all kinds, each below an earlier one, with citations of later ones, so that nothing is circular."""
    size = draw(st.integers(1, 24))
    made = [Node("n0", "claim")]
    for number in range(1, size):
        kind = draw(st.sampled_from(KINDS))
        above = draw(st.integers(0, number - 1))
        cites = f"n{draw(st.integers(number, size))}" if kind == "cite" else None
        declared = draw(st.sampled_from(("asserted", "needsSupport", "assumed", "axiomatic")))
        parent = None if kind == "claim" and draw(st.booleans()) else f"n{above}"
        made.append(Node(f"n{number}", kind, parent, declared, draw(st.booleans()), cites))
    return made


@settings(max_examples=150, deadline=None)
@given(trees(), st.data())
def test_what_is_found_never_worsens_when_a_leaf_is_judged_better(made: list[Node], data: st.DataObject) -> None:
    argument = Argument(made)
    judged = {leaf.id: data.draw(st.sampled_from((False, None, True))) for leaf in argument.leaves()}
    if not judged:
        return
    changed = data.draw(st.sampled_from(sorted(judged)))
    states = []
    for verdict in (False, None, True):
        verdicts = {**judged, changed: verdict}
        states.append(support(argument, {name: given for name, given in verdicts.items() if given is not None}))
    for worse, better in pairwise(states):
        assert all(RANK[worse[name]] <= RANK[better[name]] for name in better)


def test_a_refuted_leaf_takes_every_claim_above_it_with_it_through_citations() -> None:
    text = (
        "- Claim A: a\n  - Claim ^B\n  - Claim C: c\n    - Evidence E: e (e)\n\n- Claim B: b\n  - Evidence F: f (f)\n"
    )
    found = states(text, E=True, F=False)
    assert {name: found[name] for name in "ABC"} == {"A": UNDERMINED, "B": UNDERMINED, "C": SUPPORTED}


@pytest.mark.parametrize(
    ("declared", "verdict", "state"),
    [
        ("{needssupport}", True, OPEN),
        ("{assumed}", True, SUPPORTED),
        ("{axiomatic}", False, UNDERMINED),
        ("{axiomatic}", None, OPEN),
    ],
)
def test_a_claim_without_a_bottom_is_what_it_is_declared(declared: str, verdict: bool | None, state: str) -> None:
    verdicts = {} if verdict is None else {"B": verdict}
    assert states(f"- Claim A: a\n  - Claim B: b {declared}\n", **verdicts)["A"] == state


@pytest.mark.parametrize(("answer", "state"), [(True, SUPPORTED), (False, UNDERMINED), (None, OPEN)])
def test_a_node_stands_only_when_what_attacks_it_is_answered(answer: bool | None, state: str) -> None:
    text = "- Claim A: a\n  - Evidence E: e (e)\n    - Claim D: d {defeater}\n      - Evidence F: f (f)\n"
    text = text.replace("    - Claim D: d", "  - Claim D: d").replace("      - Evidence F", "    - Evidence F")
    found = states(text, E=True, **({} if answer is None else {"F": answer}))
    assert (found["A"], found["D"]) == (state, state)


def test_a_defeater_of_evidence_that_nothing_answers_fells_the_claim_above() -> None:
    made = [Node("a", "claim"), Node("e", "evidence", "a", grounded=True), Node("d", "defeater", "e")]
    assert support(Argument(made), {"e": True}) == {"d": UNDERMINED, "e": UNDERMINED, "a": UNDERMINED}
    assert [fault.code for fault in check(made)] == ["unanswered_defeater"]


def test_a_strategy_marked_any_is_carried_by_one_of_its_claims_and_never_by_its_assumptions() -> None:
    text = (
        "- Claim A: a\n  - Strategy S: s {any}\n    - Claim B: b\n      - Evidence E: e (e)\n"
        "    - Claim C: c\n      - Evidence F: f (f)\n    - Assumption U: u\n"
    )
    assert states(text, E=False, F=True, U=True)["A"] == SUPPORTED
    assert states(text, E=False, F=False, U=True)["A"] == UNDERMINED
    assert states(text, E=True, F=True, U=False)["A"] == UNDERMINED
    assert states(text.replace(" {any}", ""), E=False, F=True, U=True)["A"] == UNDERMINED


def test_of_the_badges_case_with_all_evidence_accepted_eight_claims_stay_open_security_among_them() -> None:
    argument = Argument(badge())
    found = support(argument, {leaf.id: True for leaf in argument.leaves() if leaf.kind == EVIDENCE})
    still = claims_in(argument, found, OPEN)
    assert still[0] == "Security"
    assert set(still[1:]) == {
        *("TechProcesses", "Requirements", "Confidentiality", "Assets"),
        *("AssetsIdentified", "ThreatsIdentified", "MostDataPublic"),
    }
    assert claims_in(argument, found, UNDERMINED) == []


def test_of_the_badges_case_what_falls_with_one_leaf_is_its_path_to_the_top() -> None:
    argument = Argument(badge())
    verdicts = {leaf.id: True for leaf in argument.leaves()} | {"DataInMotionEv": False}
    fallen = claims_in(argument, support(argument, verdicts), UNDERMINED)
    assert set(fallen) == {
        *("Security", "TechProcesses", "Requirements", "Confidentiality", "Integrity"),
        *("NonPublicData", "DataInMotion"),
    }
