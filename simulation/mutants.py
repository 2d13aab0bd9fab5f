"""Every mutant against its suite, then against the simulator: who finds it, and how fast.

Law: a mutant runs in a process of its own; one that nothing finds is a hole in the tests and fails the run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Final

from simulation.mutations import MUTANTS
from simulation.patching import VARIABLE

SEEDS: Final = 80
SIMULATION_S: Final = 60
WALK_S: Final = 240
SUITE_S: Final = 480
RESULTS: Final = Path(__file__).resolve().parent / "results" / "mutants.json"
ROOT: Final = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Death:
    """How a mutant was found: ``by`` whom ("" if nobody), after how many seconds, and by what."""

    name: str
    what: str
    by: str
    seconds: float
    why: str


def main(
    only: str = "", *, share: int | None = None, turn: int | None = None, suites: bool = True, workers: int = 2
) -> int:
    """Run all mutants whose name contains ``only``, print the table and return the exit status.

    With ``share`` only so many: those of ``turn``, by default the number of commits, so that they rotate. Without
    ``suites`` it shows what the simulator finds alone.
    """
    names = [name for name in MUTANTS if only in name]
    if share is not None:
        turn = _commits() if turn is None else turn
        names = share_of(names, turn, share)
        print(f"share {turn}: again with `python -m simulation --mutants --share {share} --turn {turn}`")
    deaths: list[Death] = []
    with ThreadPoolExecutor(workers) as pool:
        for death in pool.map(lambda name: judge(name, suites=suites), names):
            deaths.append(death)
            print(f"{death.name:28} {death.by or 'SURVIVED':34} {death.seconds:6.1f} s  {death.why}", flush=True)
    survivors = [death.name for death in deaths if not death.by]
    print(f"{len(deaths) - len(survivors)} of {len(deaths)} mutants found")
    if not only and share is None and suites:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps([asdict(death) for death in deaths], indent=1) + "\n", "utf-8")
    return 1 if survivors else 0


def share_of(names: list[str], turn: int, count: int) -> list[str]:
    """Return ``count`` of the names; the next turn continues where this one ends."""
    return [names[(turn * count + offset) % len(names)] for offset in range(min(count, len(names)))]


def _commits() -> int:
    counted = ["git", "rev-list", "--count", "HEAD"]
    ran = subprocess.run(counted, cwd=ROOT, capture_output=True, text=True, check=False)
    return int(ran.stdout) if ran.returncode == 0 else 0


def judge(name: str, *, suites: bool = True) -> Death:
    """Let one mutant run through its suite, and through the simulator if it survives that or has none.

    Without ``suites`` the simulator is alone.
    """
    mutant, began, output, status = MUTANTS[name], time.monotonic(), "", 0
    if suites and mutant.suite:
        _require_good(mutant.suite)
        began = time.monotonic()
        output, status = _run(_pytest(mutant.suite), name, SUITE_S)
    by = mutant.suite
    if status == 0:
        by, judges, seconds = ("walk", "stroll", WALK_S) if mutant.walk else ("simulation", "simulate", SIMULATION_S)
        script = f"import simulation.patching; from simulation.mutants import {judges}; {judges}({SEEDS}, {seconds})"
        output, status = _run([sys.executable, "-c", script], name, 8 * seconds)
    return Death(name, mutant.what, by if status else "", time.monotonic() - began, output if status else "")


def _pytest(suite: str) -> list[str]:
    options = ("-q", "-x", "--no-header", "-p", "no:cacheprovider", "-p", "simulation.patching")
    return [sys.executable, "-m", "pytest", *suite.split(), *options]


@cache
def _require_good(suite: str) -> None:
    """Stop unless the suite passes on the true product: a suite that fails anyway finds nothing."""
    output, status = _run(_pytest(suite), "", SUITE_S)
    if status != 0:
        raise SystemExit(f"{suite} fails without any mutant: {output}")


def _run(command: list[str], mutant: str, timeout_s: int) -> tuple[str, int]:
    environment = {**os.environ, VARIABLE: mutant}
    try:
        done = subprocess.run(
            command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        return "it does not end", 1
    if "expected once" in done.stderr or "too late to change" in done.stderr:
        raise SystemExit(f"{mutant}: {done.stderr.strip()}")
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    said = [line for line in lines if line.startswith(("I", "FAILED", "ERROR"))] or lines[:1] or lines[-1:]
    return (said[0] if said else "")[:150], done.returncode


def stroll(walks: int, seconds: float) -> None:
    """Walk at random until something fails; exit with status 1 then. ``seconds`` are of processor time."""
    from simulation.walk.episode import walk

    for seed in range(walks):
        if time.process_time() > seconds:
            return
        failure = walk(seed).failure
        if failure is not None:
            print(f"{failure.strip().splitlines()[-1]}\nwalk of seed {seed}")
            sys.exit(1)


def simulate(seeds: int, seconds: float) -> None:
    """Run seeds, twins among them, until one fails; exit with status 1 then. ``seconds`` are of processor time."""
    from simulation.run import run_seed

    for seed in range(seeds):
        if time.process_time() > seconds:
            return
        for kind in ("random", "twins") if seed % 3 == 0 else ("random",):
            verdict = run_seed(kind, seed)
            if verdict.failure is not None:
                print(f"{verdict.failure.splitlines()[-1] if 'Traceback' in verdict.failure else verdict.failure}")
                print(f"{kind} seed {seed}")
                sys.exit(1)
