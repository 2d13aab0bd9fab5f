"""``python -m simulation``: run seeds, replay one, go on with a long run, or see which mutants die.

Law: what fails exits with status 1 and prints the exact command that shows it again.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

from simulation import report
from simulation.mutants import main as judge_mutants
from simulation.report import Totals
from simulation.run import Verdict, run_seed
from simulation.sweep import main as sweep_crashes
from simulation.two_rounds import KIND as TWO_ROUNDS
from simulation.two_rounds import run_scenario, scenarios

Job: TypeAlias = tuple[str, int]
RESULTS = Path(__file__).resolve().parent / "results"
GOALS_FROM = 1_000
"""A run of this many seeds that never reached a goal has failed."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    options = _parser().parse_args(arguments)
    if options.mutants:
        shared = {"share": options.share, "turn": options.turn, "workers": options.workers}
        return judge_mutants(options.only, suites=not options.no_suites, **shared)
    if options.sweep:
        return sweep_crashes(workers=options.workers)
    if options.scenario is not None:
        return _replay(TWO_ROUNDS, options.scenario)
    if options.seed is not None:
        return _replay("random" if options.twins is None else "twins", options.seed)
    if options.two_rounds:
        return _go_on("two_rounds", _next_scenarios, len(scenarios()), options.minutes, options.workers)
    if options.long:
        return _go_on("long", _next_seeds, options.seeds or 20_000, options.minutes, options.workers)
    seeds = 500 if options.seeds is None and options.twins is None else options.seeds or 0
    jobs = [("random", options.first + i) for i in range(seeds)]
    jobs += [("twins", options.first + i) for i in range(options.twins or 0)]
    totals = Totals()
    began = time.monotonic()
    for verdict in run_all(jobs, options.workers):
        totals.add(verdict)
        _tell(verdict)
    return _conclude(totals, time.monotonic() - began, goals=len(jobs) >= GOALS_FROM)


def run_all(jobs: Iterable[Job], workers: int) -> Iterator[Verdict]:
    """Run jobs over ``workers`` processes; verdicts come as they are ready."""
    if workers <= 1:
        yield from (_run(job) for job in jobs)
        return
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        yield from pool.imap_unordered(_run, jobs, chunksize=4)


def _run(job: Job) -> Verdict:
    kind, number = job
    return run_scenario(number) if kind == TWO_ROUNDS else run_seed(kind, number)


def _replay(kind: str, seed: int) -> int:
    print(f"seed {seed} ({kind})\n{report.LEGEND}\n")
    verdict = run_scenario(seed, loud=print) if kind == TWO_ROUNDS else run_seed(kind, seed, loud=print)
    print(f"\ndigest {verdict.digest}, {verdict.height} blocks, {verdict.events} events, {verdict.seconds:.2f} s")
    print(f"faults {verdict.faults}\nByzantine {verdict.behaviours}\ngoals {verdict.goals}")
    return 0 if verdict.failure is None else 1


def _go_on(name: str, draw: Callable[[Totals], list[Job]], target: int, minutes: float | None, workers: int) -> int:
    """Go on with a long run where it was left, and merge what it finds."""
    path = RESULTS / f"{name}.json"
    totals = Totals.load(path)
    began = time.monotonic()
    while sum(totals.seeds.values()) < target and (minutes is None or time.monotonic() - began < 60 * minutes):
        for verdict in run_all(draw(totals), workers):
            totals.add(verdict)
            _tell(verdict)
        totals.save(path)
        print(f"{sum(totals.seeds.values())} of {target} seeds, {len(totals.failures)} failures", flush=True)
    return _conclude(totals, None, goals=name == "long" and sum(totals.seeds.values()) >= GOALS_FROM)


def _next_seeds(totals: Totals) -> list[Job]:
    return [*_take(totals, "random", 150), *_take(totals, "twins", 50)]


def _next_scenarios(totals: Totals) -> list[Job]:
    left = len(scenarios()) - totals.next_seed.get(TWO_ROUNDS, 0)
    return _take(totals, TWO_ROUNDS, min(200, left))


def _take(totals: Totals, kind: str, count: int) -> list[Job]:
    first = totals.next_seed.get(kind, 0)
    totals.next_seed[kind] = first + count
    return [(kind, first + number) for number in range(count)]


def _tell(verdict: Verdict) -> None:
    if verdict.failure is not None:
        print(f"seed {verdict.seed} ({verdict.kind}): {verdict.failure}")
        print(f"replay: {report.command(verdict.kind, verdict.seed)}", flush=True)


def _conclude(totals: Totals, elapsed_s: float | None, *, goals: bool) -> int:
    print("\n".join(report.lines(totals, elapsed_s)))
    return 1 if totals.failures or (goals and totals.missing()) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, help="how many random seeds to run (500)")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="replay one seed, one line a decision")
    parser.add_argument(
        "--twins", type=int, nargs="?", const=1, help="how many Twins scenarios; with --seed: replay one"
    )
    parser.add_argument(
        "--two-rounds", action="store_true", help="go on through every Twins scenario of two rounds; results are merged"
    )
    parser.add_argument("--scenario", type=int, help="replay one of these scenarios")
    parser.add_argument("--long", action="store_true", help="go on with the long run; results are merged in a file")
    parser.add_argument("--minutes", type=float, help="stop the long run after this time")
    parser.add_argument("--workers", type=int, default=2, help="processes (2)")
    parser.add_argument(
        "--mutants", action="store_true", help="break the protocol in memory; every break must be found"
    )
    parser.add_argument("--no-suites", action="store_true", help="only what the simulator finds of them, alone")
    parser.add_argument("--only", default="", help="only mutants whose name contains this")
    parser.add_argument("--share", type=int, help="so many mutants only, others at every commit")
    parser.add_argument("--turn", type=int, help="which share (the number of commits)")
    parser.add_argument("--sweep", action="store_true", help="crash at every write and send of a short run")
    return parser


if __name__ == "__main__":
    sys.exit(main())
