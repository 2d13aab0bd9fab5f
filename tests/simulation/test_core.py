"""The real core takes every move of the model, in every state does what it must, and no attack makes it do more."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulation.model.drive import Drive

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize(("byzantine", "states"), [(0, 41), (1, 45), (2, 28), (3, 28)])
def test_the_core_takes_every_move_of_two_rounds(byzantine, states):
    driven = Drive(byzantine, 2).run(attack=False)
    assert driven.faults == []
    assert (driven.states, driven.untaken) == (states, 0)
    assert driven.demands > 50


def test_the_core_withstands_all_that_can_be_said_in_two_rounds():
    driven = Drive(0, 2).run()
    assert driven.faults == []
    assert driven.attacks > 10_000


def test_the_core_takes_nearly_every_move_of_three_rounds():
    driven = Drive(0, 3).run(attack=False)
    assert driven.faults == []
    assert driven.states > 450
    assert driven.untaken * 50 < driven.moves


@pytest.mark.parametrize(
    ("mutant", "byzantine", "rounds", "rule"),
    [
        ("no_certificate", 0, 2, "R5"),
        ("unproven_certificate", 0, 2, "R1"),
        ("lowest_certificate", 0, 3, "R1"),
        ("small_prepare_quorum", 0, 2, "R3"),
        ("small_commit_quorum", 1, 2, "R4"),
        ("small_change_quorum", 1, 2, "R2"),
        ("signer_twice", 1, 2, "R2"),
        ("votes_in_old_round", 1, 2, "R3"),
        ("justification_trusted", 1, 2, "R2"),
        ("any_leader", 0, 2, "R2"),
        ("no_join", 1, 2, "R5 is not applied"),
        ("old_round_cannot_decide", 1, 2, "R4 is not applied"),
    ],
)
def test_a_broken_core_is_found(mutant, byzantine, rounds, rule):
    drive = f"Drive({byzantine}, {rounds}).run(attack={rounds < 3})"
    script = f"import simulation.patching; from simulation.model.drive import Drive; print({drive}.faults)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "SIMULATED_MUTANT": mutant},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert rule in done.stdout
