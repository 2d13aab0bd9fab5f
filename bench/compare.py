"""``python -m bench.compare BASE``: this work tree against another commit, both networks side by side in one run.

Both are started, and each round puts the same load on both, the order changing from round to round: B A, A B, B A.
What is told is the ratio of each round, so that what others do on the machine strikes both. The nodes run each
commit's own code, in one virtual environment; the load generator is this work tree's.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import fines, machine, rows
from bench.figures import Figure, Run, summary
from bench.network import Network, end_in_order, running_network
from bench.results import FOLDER, Results


@contextmanager
def checked_out(revision: str) -> Iterator[Path]:
    """Check a revision out into a temporary work tree."""
    with tempfile.TemporaryDirectory(prefix="coseal-base-") as folder:
        path = Path(folder) / "code"
        git = ["git", "-C", str(machine.ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(path), revision], check=True, timeout=60)
        try:
            yield path
        finally:
            subprocess.run([*git, "remove", "--force", str(path)], check=True, timeout=60)


def load(network: Network, scale: float) -> Run:
    """Put one round's load on a network."""
    alone = rows.latency(network, requests=100)
    many = rows.throughput(network, transactions=int(3_200 * scale))
    events = fines.recorded(network, int(8_000 * scale))
    return {
        "p50 ms, one client": alone["p50 ms"],
        "CPU ms a block of one and node": alone["CPU ms a transaction and node"],
        "transactions/s": many["transactions/s"],
        "CPU ms a transaction and node": many["CPU ms a transaction and node"],
        "events/s, ten rules": events["events/s"],
        "CPU us an event and node": events["CPU us an event and node"],
        "MB, the largest node": max(machine.memory_mb(pid) for pid in network.pids().values()),
    }


def ratios(base: Run, here: Run) -> Run:
    """Return here over base, figure by figure."""
    return {name: here[name] / base[name] for name in base if base[name]}


def table(base: dict[str, Figure], here: dict[str, Figure], pairs: dict[str, Figure], name: str) -> Table:
    """Return the comparison for a terminal."""
    result = Table(title=f"this work tree over {name}: medians (least to greatest) of {pairs_of(pairs)} pairs")
    for column in ("figure", name, "this work tree", "ratio of a pair"):
        result.add_column(column)
    for figure, ratio in pairs.items():
        result.add_row(figure, str(base[figure]), str(here[figure]), str(ratio))
    return result


def pairs_of(pairs: dict[str, Figure]) -> int:
    """Return how many pairs were measured."""
    return max(figure.runs for figure in pairs.values())


def main() -> int:
    """Compare, print a table, keep the result."""
    parser = argparse.ArgumentParser(prog="python -m bench.compare", description=__doc__)
    parser.add_argument("base", help="a commit, branch or tag")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="multiply the amount of work (default 1)")
    parser.add_argument("--base-port", type=int, default=26000)
    parser.add_argument("--json", type=Path, default=FOLDER / "compare.json")
    options = parser.parse_args()
    console = Console()
    measured: list[tuple[Run, Run]] = []
    with (
        checked_out(options.base) as code,
        running_network(base_port=options.base_port, code=code) as base,
        running_network(base_port=options.base_port + 100) as here,
    ):
        for number in range(options.rounds):
            order = (here, base) if number % 2 == 0 else (base, here)
            runs = {network: load(network, options.scale) for network in order}
            measured.append((runs[base], runs[here]))
            pair = ratios(*measured[-1])
            told = ", ".join(f"{name} {ratio:.3f}" for name, ratio in pair.items())
            console.print(f"round {number + 1}, this work tree over {options.base}: {told}")
    bases, heres = summary([pair[0] for pair in measured]), summary([pair[1] for pair in measured])
    pairs = summary([ratios(*pair) for pair in measured])
    console.print(table(bases, heres, pairs, options.base))
    options.json.unlink(missing_ok=True)
    results = Results(options.json, {**machine.about(), "base": options.base}, machine.identity())
    results.add("ratios", {name: figure.to_json() for name, figure in pairs.items()})
    console.print(f"written to {options.json}")
    return 0


if __name__ == "__main__":
    end_in_order()
    sys.exit(main())
