"""``python -m bench``: measure, print a table, write JSON with what it ran on.

Every row is run several times; its figure is the median, shown with the least and the greatest. Figures are of one
machine at one time: quote them as ratios to what was measured beside them.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from bench import absence, fines, machine, money, offline, rows, signer, tables
from bench.figures import Run, repeated, summary
from bench.network import Network, end_in_order, running_network
from bench.overload import overload
from bench.pair import Pair
from bench.results import FOLDER, Results
from coseal.audit.report import Level

BASE_PORT = 26000
HURRY = 0.6
"""The share of the time after which the rows that are left are run once each."""


@dataclass(frozen=True, slots=True)
class Work:
    """How a row is measured: up to ``runs`` times, beginning none that would probably end after ``seconds``."""

    name: str
    run: Callable[[], Run]
    runs: int = 5
    seconds: float = 30.0


def main() -> int:
    """Run all rows, or those named."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(map(repr, tables.ROWS))} (default: all)")
    parser.add_argument("--scale", type=float, default=1.0, help="multiply the amount of work (default 1)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each row at most (default 5)")
    parser.add_argument(
        "--minutes", type=float, default=10.0, help="run rows only once when time gets short (default 10)"
    )
    parser.add_argument("--base-port", type=int, default=BASE_PORT)
    parser.add_argument("--json", type=Path, default=FOLDER / "bench.json", help="where the result goes")
    options = parser.parse_args()
    if unknown := [row for row in options.rows if row not in tables.ROWS]:
        parser.error(f"no row {unknown[0]!r}; there are {', '.join(map(repr, tables.ROWS))}")
    options.json.unlink(missing_ok=True)
    console, results = Console(), Results(options.json, machine.about(), machine.identity())
    console.print(", ".join(f"{name} {value}" for name, value in results.document["about"].items()))
    began, failed = time.monotonic(), []
    for work in works(options.base_port, options.scale, frozenset(options.rows or tables.ROWS)):
        late = time.monotonic() - began > 60 * options.minutes * HURRY
        try:
            measure(work, 1 if late else options.runs, results, console)
        except Exception:  # a row that fails leaves the others
            console.print_exception()
            failed.append(work.name)
    console.print(tables.table(results.document["measured"]))
    console.print(f"{time.monotonic() - began:.0f} s; written to {options.json}")
    if failed:
        console.print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def measure(work: Work, runs: int, results: Results, console: Console) -> None:
    """Measure a row, keep it, and say so."""
    started = time.monotonic()
    done = repeated(work.run, runs=min(work.runs, runs), seconds=work.seconds)
    figures, took = summary(done), time.monotonic() - started
    results.add(work.name, {"figures": {name: one.to_json() for name, one in figures.items()}, "seconds": round(took)})
    shown = ", ".join(f"{figure} {unit}" for unit, figure in figures.items())
    console.print(f"{work.name}: {shown}  [dim]({len(done)} runs, {took:.0f} s)[/dim]")


def works(port: int, scale: float, wanted: frozenset[str]) -> Iterator[Work]:
    """Yield the wanted rows with their work; the networks they need live while their rows are measured."""
    groups: list[tuple[Callable[[], AbstractContextManager[Any]], Callable[[Any, float], list[Work]]]] = [
        (lambda: nullcontext(port), alone),
        (lambda: running_network(base_port=port), on_one_network),
        (lambda: Pair.running(port), on_two_networks),
    ]
    for context, listing in groups:
        if wanted.isdisjoint(work.name for work in listing(None, scale)):
            continue
        with context() as subject:
            yield from (work for work in listing(subject, scale) if work.name in wanted)


def alone(port: int, scale: float) -> list[Work]:
    """Return the rows that need no network, or begin their own on ``port``."""

    def start() -> Run:
        with running_network(base_port=port) as network:
            return {"s": network.start_s}

    def memory() -> Run:
        with running_network(base_port=port) as network:
            return rows.memory_after(network, transactions=int(100_000 * scale))

    return [
        Work("start", start, seconds=25),
        Work("memory", memory, runs=1),
        Work("signer", lambda: signer.vote_cost(max(200, int(500 * scale))), runs=3),
    ]


def on_one_network(network: Network, scale: float) -> list[Work]:
    """Return the rows of one network, in an order in which each leaves it fit for the next."""
    many = max(640, int(6_400 * scale))
    audited, events = int(10_000 * scale), int(fines.EVENTS * min(1.0, scale))
    return [
        Work("latency", lambda: rows.latency(network)),
        Work("transactions", lambda: rows.throughput(network, transactions=many), seconds=40),
        Work("signature bound", lambda: signature_bound(network, many)),
        Work("audit, headers", lambda: offline.audited(network, Level.CERTIFICATES, audited), seconds=15),
        Work("audit, replay", lambda: offline.audited(network, Level.REPLAY, audited)),
        Work("receipt", lambda: offline.receipt_verification(network)),
        Work("plain events", lambda: rows.throughput(network, transactions=many // 10, batch=rows.BATCH), runs=3),
        Work("events", lambda: fines.recorded(network, events)),
        Work("payments", lambda: money.payments(network, transactions=many // 2), runs=3),
        Work("transfers", lambda: money.transfers(network, batches=max(16, int(64 * scale))), runs=3),
        Work("leader killed", lambda: absence.leader_killed(network), runs=3, seconds=60),
        Work("catch-up", lambda: absence.catch_up(network, transactions=3 * many), runs=3, seconds=60),
        Work("overload", lambda: overloaded(network, many, scale), runs=1),
        Work("import", lambda: fines.imported(network), runs=1),
    ]


def on_two_networks(pair: Pair, scale: float) -> list[Work]:
    """Return the row that compares a network with many objects with one that has next to none."""
    many = max(640, int(6_400 * scale))
    return [Work("state", lambda: pair.compared(int(100_000 * scale), many), runs=3, seconds=75)]


def overloaded(network: Network, transactions: int, scale: float) -> Run:
    """A short overload; ``bench.full`` has the long one."""
    peak = rows.throughput(network, transactions=transactions)["transactions/s"]
    return overload(network, peak=peak, times=10.0, seconds=max(5.0, 15.0 * scale))


def signature_bound(network: Network, transactions: int) -> Run:
    """A throughput, and beside it the cost of a signature by the fastest verifier."""
    verifiers = offline.verify_cost()
    many = rows.throughput(network, transactions=transactions)
    bound = machine.CORES / (len(network.entries) * min(verifiers.values()) / 1e6)
    shares = {"share": many["transactions/s"] / bound, "share by CPU": many["transactions/s by CPU"] / bound}
    return {**shares, "transactions/s": many["transactions/s"], **verifiers}


if __name__ == "__main__":
    end_in_order()
    sys.exit(main())
