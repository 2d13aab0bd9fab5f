"""The walk over sequences of actions: the same from its seed, short where it fails, and able to fail."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from dataclasses import replace

import pytest

from coseal.contracts.supervision import checks as supervision_checks
from coseal.contracts.supervision import questions as supervision_service
from simulation.walk import __main__ as command_line
from simulation.walk import report
from simulation.walk.episode import Episode, shortened, walk
from simulation.walk.laws import TIGHT, tight_bounds
from simulation.walk.report import ACTIONS, Totals
from simulation.walk.values import spoiled

_ROOT = "from simulation.walk.episode import walk; e = walk({}, 300); print(e.failure, e.root.hex(), e.accepted)"


def test_a_seed_is_a_walk_whatever_the_order_of_sets():
    said = {
        subprocess.run(
            [sys.executable, *flags, "-c", _ROOT.format(2)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, flags in (("1", []), ("2", ["-O"]))
    }
    (text,) = said
    assert text.startswith("None ")
    assert walk(2, 300).root.hex() in text


def test_most_moves_of_a_walk_are_accepted_and_some_are_not():
    episode = walk(0, 1_000)
    assert (episode.failure, episode.steps) == (None, 1_000)
    assert 0.6 * episode.steps < sum(episode.accepted.values()) < 0.95 * episode.steps
    assert len(episode.accepted) > len(ACTIONS) / 2


def test_a_walk_with_real_signatures_ends_with_an_audit():
    episode = walk(9, 200)
    assert (episode.failure, episode.goals["audit"]) == (None, 1)


def test_what_a_contract_raises_fails_the_walk_and_is_shown_in_few_moves(monkeypatch):
    actions = supervision_service.ACTIONS
    broken = replace(actions["guide"], apply=lambda *_: {}["a fault of ours"])
    from coseal.contracts.supervision import CONTRACT

    monkeypatch.setitem(CONTRACT.actions, "guide", broken)
    episode = walk(11, 600)
    assert episode.failure is not None
    assert "contained" in episode.failure
    moves = [move for played in shortened(episode, 20) for move in played.moves]
    assert [move.action for move in moves] == ["supervision.guide"]


def test_a_mistake_in_the_rules_is_found():
    ran = subprocess.run(
        [sys.executable, "-c", "import simulation.patching; from simulation.mutants import stroll; stroll(40, 100)"],
        env={**os.environ, "SIMULATED_MUTANT": "type_named_as_sources"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, "is about sources" in ran.stdout) == (1, True), ran.stdout + ran.stderr


def test_tight_bounds_are_those_of_the_contract_again_afterwards():
    before = {name: getattr(supervision_checks, name) for name in TIGHT}
    with tight_bounds():
        assert {name: getattr(supervision_checks, name) for name in TIGHT} == dict(TIGHT)
    assert {name: getattr(supervision_checks, name) for name in TIGHT} == before


def test_a_spoiled_value_differs_from_the_good_one():
    args = {"id": "a", "rules": [{"n": 1, "on": ["x", "y"]}], "version": 3}
    rng = random.Random(1)
    found = [spoiled(rng, args) for _ in range(300)]
    assert sum(value != args for value in found) > 290
    assert args == {"id": "a", "rules": [{"n": 1, "on": ["x", "y"]}], "version": 3}


def test_totals_add_up_over_a_file_and_say_what_was_never_accepted(tmp_path):
    episode = Episode(7, 2_000, steps=60_000, failure="I broke\nlaw")
    episode.accepted.update({ACTIONS[0]: 9})
    episode.refused.update({(ACTIONS[0], "forbidden"): 2})
    totals = Totals(next_seed=8)
    totals.add(episode)
    totals.save(tmp_path / "results" / "walk.json")
    again = Totals.load(tmp_path / "results" / "walk.json")
    again.add(replace(episode, failure=None))
    assert (again.steps, again.next_seed, again.accepted[ACTIONS[0]]) == (120_000, 8, 18)
    assert again.failures == [
        {"seed": 7, "failure": "I broke\nlaw", "replay": "python -m simulation.walk --seed 7 --steps 2000"}
    ]
    text = "\n".join(report.lines(again))
    assert f"NOT REACHED      {ACTIONS[1]}" in text
    assert f"NOT REACHED      {ACTIONS[0]}" not in text
    assert "forbidden 4" in text
    assert "replay: python -m simulation.walk --seed 7 --steps 2000" in text


@pytest.mark.parametrize(("failure", "status"), [(None, 0), ("it broke", 1)])
def test_the_command_shows_one_walk_and_fails_if_it_does(monkeypatch, capsys, failure, status):
    monkeypatch.setattr(command_line, "walk", lambda seed, steps: Episode(seed, steps, steps=steps, failure=failure))
    assert command_line.main(["--seed", "5", "--steps", "30"]) == status
    assert ("replay: python -m simulation.walk --seed 5 --steps 30" in capsys.readouterr().out) == bool(failure)
