"""``python -m bench.full``: how figures grow: with validators, size of blocks, history, state, rules; a long overload.

A point that was measured is kept with its commit and machine, and a run that was interrupted goes on with the next.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console

from bench import machine, rows
from bench.figures import Figure, Run, repeated, summary
from bench.network import Network, end_in_order, running_network
from bench.overload import overload
from bench.pair import Pair
from bench.results import FOLDER, Results
from bench.rules import by_rules

VALIDATORS = (4, 7, 10, 16)
BLOCKS = (50, 200, 1_000, 5_000)
HISTORY = (10_000, 100_000, 1_000_000)
OBJECTS = (10_000, 100_000, 1_000_000)
RULES = (0, 1, 3, 10, 30, 100)
TRANSACTIONS = 6_400
OVERLOAD_TIMES, OVERLOAD_S = 10.0, 60.0

Point = tuple[str, Callable[[], Run]]
"""A key, ``CURVE/X``, and one run of what is measured there."""


def main() -> int:
    """Measure every point that is missing."""
    parser = argparse.ArgumentParser(prog="python -m bench.full", description=__doc__)
    parser.add_argument("curves", nargs="*", metavar="CURVE", help=f"of {', '.join(CURVES)} (default: all)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each point at most (default 3)")
    parser.add_argument(
        "--most", type=int, default=1_000_000, help="the greatest history and state (default 1,000,000)"
    )
    parser.add_argument("--minutes", type=float, default=240, help="begin no point after this time (default 240)")
    parser.add_argument("--base-port", type=int, default=26000)
    parser.add_argument("--json", type=Path, default=FOLDER / "full.json")
    options = parser.parse_args()
    if unknown := set(options.curves) - set(CURVES):
        parser.error(f"no curve {min(unknown)!r}; there are {', '.join(CURVES)}")
    console, results = Console(), Results(options.json, machine.about(), machine.identity())
    began, failed = time.monotonic(), []
    for name in options.curves or CURVES:
        for key, run in CURVES[name](options.base_port, options.most, results):
            if time.monotonic() - began > 60 * options.minutes:
                console.print(f"{options.minutes:g} minutes are over; run it again to go on with {key}")
                return 1
            try:
                figures = summary(repeated(run, runs=options.runs, seconds=180))
            except Exception:  # a point that fails leaves the others
                console.print_exception()
                failed.append(key)
                continue
            results.add(key, {"figures": {name: figure.to_json() for name, figure in figures.items()}})
            console.print(f"{key}: {told(figures)}")
    console.print(f"all that was asked for is in {options.json}" + (f"; failed: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


def told(figures: dict[str, Figure]) -> str:
    """Return figures in one line."""
    return ", ".join(f"{figure} {name}" for name, figure in figures.items())


def _load(network: Network) -> Run:
    """Return the throughput and the latency of a network."""
    many = rows.throughput(network, transactions=TRANSACTIONS)
    alone = rows.latency(network, requests=100)
    return {**many, "p50 ms": alone["p50 ms"], "p99 ms": alone["p99 ms"]}


def validators(port: int, most: int, results: Results) -> Iterator[Point]:
    """More validators on the same machine: each does all the work, and messages grow with the square."""
    for count in VALIDATORS:
        key = f"validators/{count}"
        if key not in results:
            with running_network(validators=count, base_port=port) as network:
                yield key, lambda network=network: _load(network)  # type: ignore[misc]


def blocks(port: int, most: int, results: Results) -> Iterator[Point]:
    """At most so many transactions a block."""
    for size in BLOCKS:
        key = f"block size/{size}"
        if key not in results:
            with running_network(base_port=port, parameters={"block_transactions_max": size}) as network:
                yield key, lambda network=network: _load(network)  # type: ignore[misc]


def history(port: int, most: int, results: Results) -> Iterator[Point]:
    """After so many transactions."""
    wanted = [size for size in HISTORY if size <= most and f"history/{size}" not in results]
    if wanted:
        with running_network(base_port=port) as network:
            for size in wanted:
                memory = rows.memory_after(network, transactions=size)
                yield f"history/{size}", lambda memory=memory: {**_load(network), **memory}  # type: ignore[misc]


def state(port: int, most: int, results: Results) -> Iterator[Point]:
    """So many objects in the state, against a network that has next to none, in turn."""
    wanted = [size for size in OBJECTS if size <= most and f"state/{size}" not in results]
    if wanted:
        with Pair.running(port) as pair:
            for size in wanted:
                yield f"state/{size}", lambda size=size: pair.compared(size, TRANSACTIONS)  # type: ignore[misc]


def rules(port: int, most: int, results: Results) -> Iterator[Point]:
    """So many rules of all kinds in force; one executor in one process, without consensus, network and disk."""
    for count in RULES:
        if f"rules/{count}" not in results:
            yield f"rules/{count}", lambda count=count: _with_rules(count)  # type: ignore[misc]


def _with_rules(count: int) -> Run:
    (row,) = by_rules((count,), 10_000)
    return {"events/s": row["events_per_second"], "CPU us an event": row["us_per_event"]}


def overloaded(port: int, most: int, results: Results) -> Iterator[Point]:
    """Ten times the peak, for a minute."""
    key = f"overload/{OVERLOAD_TIMES:g}"
    if key not in results:
        with running_network(base_port=port) as network:
            peak = rows.throughput(network, transactions=TRANSACTIONS)["transactions/s"]
            yield key, lambda: overload(network, peak=peak, times=OVERLOAD_TIMES, seconds=OVERLOAD_S)


CURVES: dict[str, Callable[[int, int, Results], Iterator[Point]]] = {
    "validators": validators,
    "block size": blocks,
    "history": history,
    "state": state,
    "rules": rules,
    "overload": overloaded,
}


if __name__ == "__main__":
    end_in_order()
    sys.exit(main())
