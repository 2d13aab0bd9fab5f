"""``python -m bench``: measure, print a table, write JSON with what it ran on.

Figures of one machine at one time: quote them as ratios to what was measured beside them.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import rows, signer
from bench.network import Network, running_network

TARGETS = {
    "start": "4 s",
    "transactions": "3,000 /s",
    "events": "20,000 /s",
    "import": "(a real log, from its file)",
    "latency": "p50 15 ms, p99 40 ms",
    "leader killed": "2,500 ms",
    "memory": "150 MB",
    "signature bound": "0.35",
    "audit": "2,000 blocks/s; 3,000 transactions/s",
    "receipt": "1 ms",
    "catch-up": "5 x",
    "signer": "(a vote by a signer process)",
}


def main() -> int:
    """Run all rows, or those named."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(TARGETS)} (default: all)")
    parser.add_argument("--scale", type=float, default=1.0, help="multiply the amount of work (default 1)")
    parser.add_argument("--base-port", type=int, default=26000)
    parser.add_argument("--json", type=Path, default=Path("bench/results/bench.json"), help="where the result goes")
    options = parser.parse_args()
    if unknown := [row for row in options.rows if row not in TARGETS]:
        parser.error(f"no row {unknown[0]!r}")
    console = Console()
    machine = environment()
    console.print(", ".join(f"{name} {value}" for name, value in machine.items()))
    figures: dict[str, rows.Figures] = {}

    def measure(name: str, row: Callable[[], rows.Figures]) -> None:
        if options.rows and name not in options.rows:
            return
        started = time.perf_counter()
        figures[name] = row()
        shown = ", ".join(f"{number(value)} {unit}" for unit, value in figures[name].items())
        console.print(f"{name}: {shown}  [dim]({time.perf_counter() - started:.0f} s)[/dim]")

    with running_network(base_port=options.base_port) as network:
        run(network, measure, figures, options.scale)
    console.print(table(figures))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps({"machine": machine, "figures": figures}, indent=1) + "\n")
    console.print(f"written to {options.json}")
    return 0


def run(
    network: Network,
    measure: Callable[[str, Callable[[], rows.Figures]], None],
    figures: dict[str, rows.Figures],
    scale: float,
) -> None:
    """Take the rows in an order in which each leaves the network fit for the next."""
    many = max(640, int(12_800 * scale))
    measure("start", lambda: {"s": network.start_s})
    measure("latency", lambda: rows.latency(network))
    measure("transactions", lambda: rows.throughput(network, transactions=many, batch=1, first_source=0))
    if "transactions" in figures:
        measure("signature bound", lambda: signature_bound(figures["transactions"]["transactions/s"]))
    batches = max(64, int(640 * scale))
    measure("events", lambda: rows.throughput(network, transactions=batches, batch=rows.BATCH, first_source=1_000))
    measure("import", lambda: rows.import_rate(network))
    measure("memory", lambda: rows.memory(network))
    measure("receipt", lambda: rows.receipt_verification(network))
    measure("audit", lambda: rows.audit_rates(network, network.nodes()[0]["name"]))
    measure("catch-up", lambda: rows.catch_up(network, transactions=many // 4, first_source=2_000))
    measure("leader killed", lambda: rows.leader_killed(network))
    measure("signer", lambda: signer.vote_cost(max(200, int(2_000 * scale))))


def signature_bound(rate: float) -> rows.Figures:
    """Return the share of the machine's bound if nothing but transaction signatures cost anything."""
    cost_us = rows.verify_cost()["us"]
    return {"share": rate * 4 * cost_us / 1e6 / (os.cpu_count() or 1), "us a verification": cost_us}


def number(value: float) -> str:
    """Return a figure with three significant digits, whole above a hundred."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(figures: dict[str, rows.Figures]) -> Table:
    """Return the result beside the targets."""
    result = Table(title="Coseal, 4 nodes on one machine, load generator included")
    for column in ("row", "measured", "target"):
        result.add_column(column)
    for name, row in figures.items():
        result.add_row(name, "\n".join(f"{number(value)} {unit}" for unit, value in row.items()), TARGETS[name])
    return result


def environment() -> dict[str, str]:
    """Say what the figures were taken on."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    return {
        "cores": str(os.cpu_count()),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "pynacl": importlib.metadata.version("pynacl"),
        "lmdb": importlib.metadata.version("lmdb"),
        "commit": commit or "unknown",
    }


if __name__ == "__main__":
    sys.exit(main())
