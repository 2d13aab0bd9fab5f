"""Totals add up and survive a file; the command line says how to see a failure again; mutants patch what they say."""

import pytest

from simulation import __main__ as command_line
from simulation import mutants, report
from simulation.goals import GOALS
from simulation.mutations import AREAS, MUTANTS
from simulation.report import Totals
from simulation.run import Verdict, run_seed


def verdict(seed=1, **changes) -> Verdict:
    values = {"kind": "random", "seed": seed, "n": 4, "kinds": 3, "height": 23, "rounds": {0: 20, 2: 3}}
    return Verdict(**{**values, "faults": {"kill": 2}, "goals": {"idle": 5}, "behaviours": ["mute"], **changes})


def test_totals_count_seeds_and_merge_over_a_file(tmp_path):
    totals = Totals()
    totals.add(verdict())
    totals.add(verdict(2, failure="I1 a fork"))
    totals.next_seed["random"] = 3
    path = tmp_path / "results" / "long.json"
    totals.save(path)
    again = Totals.load(path)
    again.add(verdict(3))
    assert again.seeds == {"random": 3}
    assert (again.counted, again.next_seed) == (3, {"random": 3})
    assert (again.rounds, again.faults, again.goals) == ({0: 60, 2: 9}, {"kill": 6}, {"idle": 3})
    assert again.failures == [
        {"kind": "random", "seed": 2, "failure": "I1 a fork", "replay": "python -m simulation --seed 2"}
    ]
    text = "\n".join(report.lines(again, 2.0))
    assert "replay: python -m simulation --seed 2" in text
    assert "NEVER REACHED    late_round" in text


def test_a_seed_that_did_too_little_is_not_counted():
    assert verdict().counted
    assert not verdict(height=19).counted
    assert verdict(height=3, virtual_ms=120_000).counted
    assert not verdict(kinds=2).counted


def test_a_failing_seed_gives_status_1_and_its_replay(monkeypatch, capsys):
    monkeypatch.setattr(command_line, "run_seed", lambda kind, seed, loud=None: verdict(seed, failure="I1 a fork"))
    assert command_line.main(["--seeds", "1", "--first", "77", "--workers", "1"]) == 1
    assert "python -m simulation --seed 77" in capsys.readouterr().out
    assert command_line.main(["--seed", "77"]) == 1


def test_a_long_run_goes_on_where_it_was_left(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(command_line, "RESULTS", tmp_path)
    seen = []

    def run(kind, seed):
        seen.append((kind, seed))
        return verdict(seed, kind=kind, goals=dict.fromkeys(GOALS, 1))

    monkeypatch.setattr(command_line, "run_seed", run)
    assert command_line.main(["--long", "--seeds", "150", "--workers", "1"]) == 0
    assert command_line.main(["--long", "--seeds", "350", "--workers", "1"]) == 0
    assert len(seen) == len(set(seen)) == 400
    assert Totals.load(tmp_path / "long.json").seeds == {"random": 300, "twins": 100}


def test_a_long_run_that_never_reached_a_goal_has_failed(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(command_line, "RESULTS", tmp_path)
    monkeypatch.setattr(command_line, "run_seed", lambda kind, seed: verdict(seed, kind=kind))
    assert command_line.main(["--long", "--seeds", "1000", "--workers", "1"]) == 1


def test_a_replay_prints_a_line_for_each_decision(capsys):
    assert command_line.main(["--seed", "2"]) == 0
    printed = capsys.readouterr().out
    quiet = run_seed("random", 2)
    assert printed.count(" decides height 20 ") >= 3
    assert quiet.digest in printed


@pytest.mark.parametrize("name", MUTANTS)
def test_every_mutant_changes_text_that_is_there_exactly_once(name):
    from importlib.util import find_spec
    from pathlib import Path

    texts: dict[str, str] = {}
    for module, old, new in MUTANTS[name].changes:
        spec = find_spec(module)
        assert spec is not None
        assert spec.origin is not None
        text = texts.get(module) or Path(spec.origin).read_text("utf-8")
        assert text.count(old) == 1
        assert old != new
        texts[module] = text.replace(old, new)
    for module, text in texts.items():
        compile(text, module, "exec")


def test_no_two_areas_have_a_mutant_of_one_name():
    assert sum(len(area.MUTANTS) for area in AREAS) == len(MUTANTS)


def test_a_suite_that_fails_without_the_mutant_finds_nothing(monkeypatch):
    asked = []

    def run(command, mutant, timeout_s):
        asked.append(mutant)
        return ("", 0) if "-c" in command else ("FAILED", 1)

    monkeypatch.setattr(mutants, "_run", run)
    mutants._require_good.cache_clear()
    with pytest.raises(SystemExit, match="fails without any mutant"):
        mutants.judge("no_join")
    assert asked == [""]
    mutants._require_good.cache_clear()


@pytest.mark.parametrize(
    ("suites", "suite", "simulator", "by", "asked"),
    [
        (True, 1, 0, "tests/consensus", ["suite"]),
        (True, 0, 1, "simulation", ["suite", "simulator"]),
        (True, 0, 0, "", ["suite", "simulator"]),
        (False, 1, 1, "simulation", ["simulator"]),
    ],
)
def test_a_mutant_is_judged_by_its_suite_and_by_the_simulator_if_it_survives(
    monkeypatch, suites, suite, simulator, by, asked
):
    said = []

    def run(command, mutant, timeout_s):
        if mutant:
            said.append("simulator" if "-c" in command else "suite")
        return "", (simulator if "-c" in command else suite) if mutant else 0

    monkeypatch.setattr(mutants, "_run", run)
    mutants._require_good.cache_clear()
    assert mutants.judge("no_join", suites=suites).by == by
    assert said == asked
    mutants._require_good.cache_clear()


def test_shares_of_mutants_rotate_over_all_of_them():
    names = list(MUTANTS)
    assert mutants.share_of(names, 0, 4) == names[:4]
    seen = [name for turn in range(len(names)) for name in mutants.share_of(names, turn, 4)]
    assert {seen.count(name) for name in names} == {4}
