"""The abstract model: nothing is wrong in any of its states, every known mistake is found, no reduction hides one."""

import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from simulation.model import held
from simulation.model.__main__ import main, positions
from simulation.model.explore import TooMany, explore
from simulation.model.mistakes import CASES, shortest
from simulation.model.refine import HeightTrace, NotAllowed, Proof
from simulation.model.rules import ASK, COMMIT, MISTAKES, PREPARE, PROPOSE, Rules, SignedTwice, Step, apply
from simulation.model.spaces import Plain, Reduced

ROOT = Path(__file__).resolve().parent.parent.parent

# --- the exploration ---


@pytest.mark.parametrize(("byzantine", "states"), [(0, 597), (1, 739), (2, 655), (3, 534)])
def test_three_rounds_of_four_validators_have_no_fault_in_any_state(byzantine, states):
    explored = explore(Reduced(Rules(4, (byzantine,)), 3))
    assert explored.fault is None
    assert explored.states == states


@pytest.mark.parametrize(("n", "rounds"), [(5, 2), (6, 2), (7, 1)])
def test_larger_sets_have_no_fault_either(n, rounds):
    for byzantine in positions(n, rounds):
        assert explore(Reduced(Rules(n, byzantine), rounds)).fault is None


@pytest.mark.parametrize("case", CASES, ids=lambda case: "+".join(case.mistakes))
def test_each_mistake_is_found_and_told(case):
    rules, explored = shortest(case, 4)
    assert explored.fault is not None
    ends = explored.fault[-2:]
    if case.forks:
        values = {line.split()[1] for line in ends if line.startswith("decided: ")}
        assert len(values) == 2
    else:
        assert ends[-1] == "two prepared certificates of one round"
    assert explore(Reduced(Rules(rules.n, rules.byzantine), 2)).fault is None


def test_every_mistake_is_in_a_case():
    assert {mistake for case in CASES for mistake in case.mistakes} == set(MISTAKES)


def test_too_small_a_quorum_of_prepares_alone_never_forks_because_j4_refuses_two_certificates():
    for byzantine, rounds in ((0, 2), (1, 2), (2, 3)):
        rules = Rules(4, (byzantine,), ("small_prepare_quorum",))
        assert explore(Reduced(rules, rounds), forks_only=True).fault is None


def test_memory_is_bounded():
    with pytest.raises(TooMany):
        explore(Reduced(Rules(4, (1,)), 3), states_max=100)


def test_nobody_signs_twice():
    rules = Rules(4, (3,))
    state = apply(rules.start(2), Step(PROPOSE, 0, 0, 1))
    state = apply(state, Step(PREPARE, 0, 0, 1))
    with pytest.raises(SignedTwice):
        apply(state, Step(PREPARE, 0, 0, 2))


# --- the reductions, against every single step ---


def facts(rules, space, state):
    """What can be proven in a state, as pairs; the names of the values a Byzantine leader made do not matter."""
    proven = {("certified", r, v) for r in range(space.rounds) for v in rules.certified(state, r)}
    proven |= {("decided", d.round, d.value) for d in space.decisions(state)}
    lying = [r for r in range(space.rounds) if not rules.honest_leader(r)]
    namings = []
    for swaps in product((False, True), repeat=len(lying)):
        names = {}
        for round, swap in zip(lying, swaps, strict=True):
            one, other = rules.made(round)
            names |= {one: other, other: one} if swap else {}
        namings.append(frozenset((kind, r, names.get(v, v)) for kind, r, v in proven))
    return min(namings, key=sorted)


def all_facts(space):
    """The facts of every state that can be reached."""
    first = space.canonical(space.start().state)
    met, pending = {first}, [first]
    while pending:
        for move in space.moves(pending.pop()):
            state = space.canonical(move.state)
            if state not in met:
                met.add(state)
                pending.append(state)
    return {facts(space.rules, space, state) for state in met}


@pytest.mark.parametrize("byzantine", range(4))
def test_whatever_single_steps_prove_the_reduced_steps_prove(byzantine):
    rules = Rules(4, (byzantine,))
    reduced, plain = all_facts(Reduced(rules, 2)), all_facts(Plain(rules, 2))
    assert len(plain) > 1
    lost = [proven for proven in plain if not any(proven <= more for more in reduced)]
    assert not lost


@pytest.mark.parametrize("mistake", MISTAKES)
def test_without_reductions_the_verdict_is_the_same(mistake):
    rules = Rules(4, (1,), (mistake,))
    plain, reduced = (explore(space(rules, 2), forks_only=True) for space in (Plain, Reduced))
    assert (plain.fault is None) == (reduced.fault is None)
    assert plain.states >= reduced.states


# --- the command ---


def test_the_command_tells_what_it_explored(capsys):
    assert main(["--rounds", "2", "--n", "4"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:4] for line in lines[1:]] == [
        ["4", "2", "0", "41"],
        ["4", "2", "1", "45"],
        ["4", "2", "2", "28"],
    ]


def test_the_command_fails_when_it_had_to_give_up(capsys):
    assert main(["--rounds", "3", "--n", "4", "--states-max", "50"]) == 1
    assert "more than 50 states" in capsys.readouterr().out


# --- I19: traces are held against the model ---

A, B = b"a" * 32, b"b" * 32


def a_height(*, until):
    """Validator 3 is Byzantine. All prepare A, which 0 proposed; 0 commits to it; all ask for round 1, led by 1."""
    trace = HeightTrace(4, 0)
    proof = Proof(0, A, (0, 1, 2))
    course = [
        *((PROPOSE, 0, 0, A, None), (PREPARE, 0, 0, A, None), (PREPARE, 1, 0, A, None), (PREPARE, 2, 0, A, None)),
        (COMMIT, 0, 0, A, None),
        *((ASK, 0, 1, bytes(32), proof), (ASK, 1, 1, bytes(32), None), (ASK, 2, 1, bytes(32), None)),
    ]
    for statement in course[:until]:
        assert trace.says(*statement, faulty=(3,))
    return trace


def test_a_step_of_the_model_is_taken_once_and_may_be_said_again():
    trace = a_height(until=8)
    assert trace.steps == 8
    assert not trace.says(PREPARE, 1, 0, A, None, (3,))
    assert trace.says(PROPOSE, 1, 1, B, None, (3,))
    assert trace.steps == 9


@pytest.mark.parametrize(
    ("until", "statement", "rule"),
    [
        (0, (PROPOSE, 1, 0, A, None), "R1"),
        (4, (PROPOSE, 0, 0, B, None), "R1"),
        (0, (PREPARE, 1, 0, A, None), "R2"),
        (1, (PREPARE, 1, 0, B, None), "R2"),
        (4, (PREPARE, 1, 0, B, None), "R2"),
        (2, (COMMIT, 0, 0, A, None), "R3"),
        (4, (COMMIT, 0, 0, B, None), "R3"),
        (8, (COMMIT, 1, 0, A, None), "R5"),
        (5, (ASK, 0, 1, bytes(32), None), "R5"),
        (4, (ASK, 0, 2, bytes(32), None), "R5"),
        (5, (ASK, 1, 1, bytes(32), Proof(0, B, (0, 1, 3))), "R2"),
        (7, (PROPOSE, 1, 1, B, None), "R1"),
    ],
)
def test_what_the_model_does_not_have_is_refused_with_its_rule(until, statement, rule):
    trace = a_height(until=until)
    with pytest.raises(NotAllowed, match=rule):
        trace.says(*statement, faulty=(3,))


def test_a_decision_needs_its_commits_and_takes_one_that_a_crash_swallowed():
    trace = a_height(until=5)
    with pytest.raises(NotAllowed, match="R4"):
        trace.decides(Proof(0, A, (0, 3)), faulty=(3,))
    trace.decides(Proof(0, A, (0, 1, 3)), faulty=(3,))  # validator 1 could commit, and died before it said so
    assert not trace.says(COMMIT, 1, 0, A, None, (3,))


def test_with_a_swallowed_vote_its_round_change_was_swallowed_too():
    trace = a_height(until=7)  # 0 and 1 ask for round 1, 2 is not heard to
    for statement in (PROPOSE, 1, 1, A, None), (PREPARE, 1, 1, A, None), (PREPARE, 0, 1, A, None):
        assert trace.says(*statement, (3,))
    with pytest.raises(NotAllowed, match="R3"):
        trace.decides(Proof(1, B, (0, 2, 3)), faulty=(3,))
    assert trace.says(COMMIT, 0, 1, A, None, (3,))
    trace.decides(Proof(1, A, (0, 2, 3)), faulty=(3,))
    assert not trace.says(COMMIT, 2, 1, A, None, (3,))
    with pytest.raises(NotAllowed, match="R5"):
        trace.says(COMMIT, 2, 0, A, None, (3,))


def test_the_simulator_holds_every_step_against_the_model():
    script = (
        "import simulation.patching; from simulation.run import run_seed; failures = ("
        "run_seed('random', seed).failure for seed in range({seeds})); print(next(filter(None, failures), None))"
    )
    for mutant, seeds, expected in (("", 2, "None"), ("no_certificate", 20, "I19")):  # it needs a change of the round
        done = subprocess.run(
            [sys.executable, "-c", script.format(seeds=seeds)],
            env={**os.environ, "SIMULATED_MUTANT": mutant},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        assert done.stdout.startswith(expected), done.stdout


# --- what is beside a block ---


@pytest.mark.parametrize(("byzantine", "states"), [(0, 1632), (1, 61)])
def test_asked_at_prepare_every_certificates_block_is_held_by_enough(byzantine, states):
    found = held.explore(Rules(4, (byzantine,)), 1, "prepare")
    assert (found.fault, found.states) == (None, states)


@pytest.mark.slow
@pytest.mark.parametrize(("byzantine", "states"), [(0, 132_928), (1, 293_373)])
def test_two_rounds_have_no_such_fault_either(byzantine, states):
    found = held.explore(Rules(4, (byzantine,)), 2, "prepare")
    assert (found.fault, found.states) == (None, states)


@pytest.mark.parametrize("question", ["commit", "never"])
@pytest.mark.parametrize("byzantine", [0, 1, 3])
def test_asked_elsewhere_there_is_a_certificate_whose_block_too_few_hold(question, byzantine):
    found = held.explore(Rules(4, (byzantine,)), 1, question)
    assert found.fault is not None
    assert [step.kind for step in found.fault][-2:] == [PREPARE, PREPARE]
