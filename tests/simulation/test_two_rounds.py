"""The list of Twins scenarios is whole and each is good; a broken protocol fails the one that shows it."""

import os
import random
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from simulation.two_rounds import N, partitions, rounds, run_scenario, same, scenarios

ROOT = Path(__file__).resolve().parents[2]
EVERYONE = tuple(range(N + 1))


def renamed(scenario, names):
    """Return a scenario with other names for its endpoints, as sets."""
    doubled, *heard = scenario
    sets = [
        (*({names[at] for at in world} for world in worlds), {names[at] for at in hearing}) for worlds, hearing in heard
    ]
    return doubled, *((frozenset(map(frozenset, worlds)), frozenset(hearing)) for *worlds, hearing in sets)


def test_five_endpoints_are_divided_in_every_way_once():
    every = list(partitions(EVERYONE))
    assert len({frozenset(worlds) for worlds in every}) == len(every) == 52  # the fifth Bell number
    assert all(sorted(endpoint for world in worlds for endpoint in world) == list(EVERYONE) for worlds in every)


@pytest.mark.parametrize("doubled", range(3))
def test_every_scenario_is_in_the_list_once_by_one_of_its_names(doubled):
    listed = {renamed(scenario, EVERYONE) for scenario in scenarios() if scenario[0] == doubled}
    every = list(product(rounds(doubled), repeat=2))
    for first, second in random.Random(doubled).sample(every, 500):
        assert len({renamed((doubled, first, second), names) for names in same(doubled)} & listed) == 1


def test_the_scenarios_are_as_many_as_there_are_orbits():
    """By Burnside's lemma: the mean, over the renamings, of how many pairs of rounds each leaves as they are."""
    count = 0
    for doubled in range(3):
        every = [(doubled, one) for one in rounds(doubled)]
        fixed = [sum(renamed(one, names) == renamed(one, EVERYONE) for one in every) for names in same(doubled)]
        count += sum(pairs**2 for pairs in fixed) // len(fixed)
    assert len(set(scenarios())) == len(scenarios()) == count == 13_236


@pytest.mark.parametrize("number", range(0, 13_236, 1_200))
def test_a_scenario_is_good(number):
    assert run_scenario(number).failure is None


def test_a_scenario_runs_the_same_again():
    assert run_scenario(5_000).digest == run_scenario(5_000).digest


def test_what_one_node_decides_alone_in_round_0_is_proposed_again_in_round_1():
    apart, together = ((0, 1), (2, 3, 4)), (EVERYONE,)
    lines: list[str] = []
    verdict = run_scenario(scenarios().index((0, (apart, (2,)), (together, EVERYONE))), loud=lines.append)
    assert verdict.failure is None
    assert verdict.faults == {"decided in round 0": 1, "two blocks heard in round 0": 1}
    said = [line.split() for line in lines if " decides height 1 " in line]
    who = {"enterprise-a": "0", "central-bank": "1", "regulator": "1"}
    assert {words[1]: words[6] for words in said} == who, "by which round each decided"
    assert len({words[-1] for words in said}) == 1


@pytest.mark.parametrize(
    ("mutant", "number", "invariant"),
    [("no_certificate", 69, "I1 "), ("votes_in_old_round", 4_080, "I3 "), ("small_commit_quorum", 4_185, "I4 ")],
)
def test_a_broken_protocol_fails_a_scenario(mutant, number, invariant):
    script = (
        "import simulation.patching; from simulation.invariants import Invariants; from simulation import two_rounds\n"
        "Invariants._follow = lambda *_: None  # I19 would be the first to see it\n"
        f"print(two_rounds.run_scenario({number}).failure)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "SIMULATED_MUTANT": mutant},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.startswith(invariant)
