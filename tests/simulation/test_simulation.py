"""Whole worlds: a sample of every shape, each behaviour at least once, and the same seed twice."""

import os
import random
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest

from coseal.node.core.wire import Transactions
from simulation import swarm, sweep
from simulation.byzantine.catalogue import BEHAVIOURS
from simulation.byzantine.censor import Censor
from simulation.run import run_options, run_seed
from simulation.swarm import Options

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize("seed", range(10))
def test_a_random_seed_is_good_and_counts(seed):
    verdict = run_seed("random", seed)
    assert verdict.failure is None, verdict.failure
    assert verdict.counted
    assert verdict.reads


def test_a_node_whose_disk_lost_a_block_that_it_published_may_work_there_again():
    rng = random.Random(2 * 65)
    verdict = run_options("random", 65, replace(swarm.draw(rng), changes=(("rotate",),)), rng)
    assert verdict.failure is None
    assert {"block log damaged"} <= verdict.faults.keys()


@pytest.mark.parametrize("seed", range(4))
def test_a_twins_scenario_is_good(seed):
    verdict = run_seed("twins", seed)
    assert verdict.failure is None, verdict.failure
    assert verdict.counted


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_each_behaviour_alone_breaks_nothing_and_stops_nothing(name):
    options = Options(
        n=4,
        tenure=2,
        round_timeout_ms=200,
        round_timeout_ms_max=2_000,
        write_every_ms=100,
        faults_ms=4_000,
        fault_every_ms=700,
        faults=("kill", "link reset", "pause"),
        behaviours={1: (name,)},
        heights_min=12,
    )
    verdict = run_options("random", 0, options, random.Random(5))
    assert verdict.failure is None, verdict.failure
    assert verdict.height >= 12


@pytest.mark.parametrize("seed", [124, 555, 1044])
def test_a_node_that_decides_two_blocks_in_one_step_keeps_what_the_second_lists(seed):
    verdict = run_seed("random", seed)
    assert verdict.failure is None, verdict.failure


def test_a_censor_lets_bytes_pass_that_are_no_transaction():
    censor = object.__new__(Censor)
    censor.world = SimpleNamespace(genesis=SimpleNamespace(members=(SimpleNamespace(id="regulator"),)))
    frame = Transactions((b"\xc0\xc0",))
    assert censor.inbound(frame) == frame


@pytest.mark.parametrize("n", [4, 5, 6, 7])
def test_every_size_survives_every_kind_of_fault(n):
    options = Options(
        n=n,
        observers=1,
        tenure=1,
        round_timeout_ms=200,
        round_timeout_ms_max=2_000,
        write_every_ms=150,
        faults_ms=8_000,
        fault_every_ms=150,
        faults=swarm.FAULTS,
    )
    verdict = run_options("random", 0, options, random.Random(n))
    assert verdict.failure is None, verdict.failure
    assert len(verdict.faults) >= 15


def test_real_signatures_are_checked_and_hold():
    options = Options(real_signatures=True, faults=("kill",), faults_ms=1_500, write_every_ms=200, heights_min=8)
    verdict = run_options("random", 0, options, random.Random(1))
    assert verdict.failure is None, verdict.failure


def test_the_same_seed_gives_the_same_run():
    first, second = run_seed("random", 3), run_seed("random", 3)
    assert (first.digest, first.events) == (second.digest, second.events)
    assert run_seed("random", 4).digest != first.digest


@cache
@cache
def digests() -> list[str]:
    """The traces of some seeds as this process makes them."""
    return [run_seed("random", seed).digest for seed in (1, 2, 8)]


@pytest.mark.parametrize("flags", [("7", []), ("0", ["-O"])])
def test_the_trace_depends_on_no_hash_seed_and_no_assertion(flags):
    hash_seed, options = flags
    script = "from simulation.run import run_seed; print(*(run_seed('random', s).digest for s in (1, 2, 8)), sep=' ')"
    done = subprocess.run(
        [sys.executable, *options, "-c", script],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.split() == digests()


def test_what_a_seed_draws_depends_on_the_seed_alone():
    assert swarm.draw(random.Random(11)) == swarm.draw(random.Random(11))
    drawn = [swarm.draw(random.Random(seed)) for seed in range(300)]
    assert {options.n for options in drawn} == {4, 5, 6, 7}
    assert {name for options in drawn for names in options.behaviours.values() for name in names} == set(BEHAVIOURS)
    assert {kind for options in drawn for kind in options.faults} == set(swarm.FAULTS)
    assert all(len(options.behaviours) <= options.f and len(options.faults) >= 2 for options in drawn)


def test_a_crash_at_any_point_of_a_run_harms_nothing():
    points = list(sweep.points())
    assert {(kind, mode) for _, kind, _, mode in points} == {
        *(("write", mode) for mode in ("before", "torn", "after")),
        *(("send", mode) for mode in ("before", "after")),
    }
    for point in points[::11]:
        _, reached, failure = sweep.judge(point)
        assert reached, point
        assert failure is None, (point, failure)


def test_whatever_damages_a_last_record_no_signature_is_forgotten():
    world, failure = sweep.run_point(None)
    assert failure is None
    node = world.nodes[0]
    tried, wrong = sweep.last_record_positions(bytes(node.disk.journal)[:4_000], world.genesis.chain_id, node.id)
    assert tried > 1_000
    assert not wrong
