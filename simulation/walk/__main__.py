"""``python -m simulation.walk``: walk at random over sequences of all actions, or replay one walk.

Law: what fails exits with status 1 and prints the exact command that shows it again, and the moves it needs.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from simulation.walk.episode import STEPS, Episode, Played, shortened, walk
from simulation.walk.report import LONG_STEPS, Totals, command, lines

RESULTS: Final = Path(__file__).resolve().parent.parent / "results" / "walk.json"
RESUMED_STEPS: Final = 1_000_000
"""A walk of more steps goes on where it was left, and merges its results."""
SHARE: Final = 32
"""So many walks are run before a long run writes down where it stands."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    options = _parser().parse_args(arguments)
    if options.steps <= STEPS:
        return _replay(options.seed, options.steps)
    resumed = options.steps > RESUMED_STEPS
    totals = Totals.load(RESULTS) if resumed else Totals(next_seed=options.seed)
    while totals.steps < options.steps and not totals.failures:
        left = -(-(options.steps - totals.steps) // STEPS)
        seeds = range(totals.next_seed, totals.next_seed + (min(left, SHARE) if resumed else left))
        for episode in _run_all(seeds, options.workers):
            totals.add(episode)
            _tell(episode)
        totals.next_seed = seeds.stop
        if resumed:
            totals.save(RESULTS)
            print(f"{totals.steps} of {options.steps} steps, {len(totals.failures)} failures", flush=True)
    print("\n".join(lines(totals)))
    return 1 if totals.failures or (totals.steps >= LONG_STEPS and totals.missing()) else 0


def _run_all(seeds: Iterable[int], workers: int) -> Iterator[Episode]:
    if workers <= 1:
        yield from map(walk, seeds)
        return
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        yield from pool.imap_unordered(walk, seeds)


def _tell(episode: Episode) -> None:
    if episode.failure is not None:
        print(f"seed {episode.seed}: {episode.failure}")
        print(f"replay: {command(episode.seed, episode.asked)}", flush=True)


def _replay(seed: int, steps: int) -> int:
    """Walk from one seed; show what failed, in as few moves as are found."""
    episode = walk(seed, steps)
    totals = Totals(next_seed=seed)
    totals.add(episode)
    print("\n".join(lines(totals)))
    if episode.failure is None:
        return 0
    _tell(episode)
    print("\nthe moves that it needs, one block a line:")
    for played in shortened(episode):
        print(_shown(played))
    return 1


def _shown(played: Played) -> str:
    moves = [f"{move.sender} {move.action} {json.dumps(move.args, default=repr)}" for move in played.moves]
    more = [f"{played.restarts} starts again"] if played.restarts else []
    return "; ".join([f"+{played.pause_ms} ms", *more, *moves])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulation.walk", description=__doc__)
    parser.add_argument("--steps", type=int, default=100_000, help=f"how many moves; up to {STEPS}: one walk, shown")
    parser.add_argument("--seed", type=int, default=0, help="the first seed; each walk has its own")
    parser.add_argument("--workers", type=int, default=2, help="processes (2)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
