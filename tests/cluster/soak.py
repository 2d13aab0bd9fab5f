"""A soak: a network under mixed load for long, a node restarted every minute, and a verdict on what grew.

    python -m tests.cluster.soak --minutes 30     # again: results of all runs stay in results/soak.json

Law: nothing acknowledged is lost and nothing differs between nodes (``tests.cluster.judge``); what a node holds beyond
the chain it stores does not grow with time. One node is never restarted: it is the one whose growth is judged.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench import machine
from tests.cluster.clients import Clients
from tests.cluster.drills import complaints, rest
from tests.cluster.faults import START_S, votes
from tests.cluster.judge import faults
from tests.cluster.network import Cluster

RESULTS = Path(__file__).resolve().parent / "results" / "soak.json"
SAMPLE_S = 5.0
RESTART_S = 60.0
BACK_S = 300.0
"""A node that is not back by then is a fault; much less would judge the machine."""
MEMORY_GROWTH, MEMORY_SLACK_MB = 1.25, 16.0
FILES_SLACK = 8
_CHAIN = ("blocks", "heads")
"""What is the chain itself; all else in a node's folder is beyond it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the node that is never restarted had at one moment; the log is left out of the disk's figures."""

    at_s: float
    memory_mb: float
    open_files: int
    height: int
    chain_mb: float
    beyond_mb: float
    acknowledged: int


def sample(cluster: Cluster, name: str, clients: Clients, at_s: float) -> Sample:
    """Look at a node's process and folder from outside."""
    pid, data = cluster.processes[name].pid, cluster.entry(name).data
    chain = sum(_bytes_of(data / part) for part in _CHAIN)
    return Sample(
        at_s=round(at_s, 1),
        memory_mb=round(machine.memory_mb(pid), 1),
        open_files=len(os.listdir(f"/proc/{pid}/fd")),
        height=cluster.height(name),
        chain_mb=round(chain / 1e6, 2),
        beyond_mb=round((_bytes_of(data) - chain - cluster.entry(name).log.stat().st_size) / 1e6, 2),
        acknowledged=clients.acknowledged,
    )


def _bytes_of(folder: Path) -> int:
    """Return what the files below a folder take on the disk; files come and go meanwhile."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_blocks * 512 if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total


def growth(samples: Sequence[Sample]) -> list[str]:
    """Return what grew that should not: the last third is compared with the middle one, the first is warming up."""
    third = len(samples) // 3
    if not third:
        return ["too few samples to judge by"]
    middle, last = samples[third : 2 * third], samples[-third:]
    found = []
    before, after = (statistics.median(one.memory_mb for one in part) for part in (middle, last))
    if after > MEMORY_GROWTH * before + MEMORY_SLACK_MB:
        found.append(f"memory grew from {before:.0f} to {after:.0f} MB")
    files = [statistics.median(one.open_files for one in part) for part in (middle, last)]
    if files[1] > files[0] + FILES_SLACK:
        found.append(f"open files grew from {files[0]:.0f} to {files[1]:.0f}")
    ratios = [statistics.median(one.beyond_mb / max(1.0, one.chain_mb) for one in part) for part in (middle, last)]
    if ratios[1] > MEMORY_GROWTH * ratios[0]:
        found.append(f"disk beyond the chain grew from {ratios[0]:.2f} to {ratios[1]:.2f} of the chain's size")
    return found


def run(folder: Path, minutes: float, tell: Callable[[str], None]) -> dict[str, Any]:
    """Soak a network of four in ``folder``; return the figures and what was wrong."""
    cluster = Cluster.make(folder, 4)
    clients = None
    try:
        cluster.start()
        cluster.wait_height(1, seconds=START_S)
        clients = Clients(cluster, "soak", seed=1)
        samples, restarts = _soak(cluster, clients, minutes * 60, tell)
        clients.stop()
        rest(cluster)
        tell("judging: headers of all nodes, an audit with replay, and every answer")
        return {
            "restarts": restarts,
            "acknowledged": clients.acknowledged,
            "height": samples[-1].height,
            "wrong": faults(cluster, clients) + complaints(cluster) + growth(samples),
            "samples": [asdict(one) for one in samples],
        }
    finally:
        if clients is not None:
            clients.stop()
        cluster.close()


def _soak(cluster: Cluster, clients: Clients, seconds: float, tell: Callable[[str], None]) -> tuple[list[Sample], int]:
    """Restart one node after the other, by kill -9 and in good order in turn; sample the one that is left alone."""
    kept, *others = cluster.names
    began, samples, restarts = time.monotonic(), [], 0
    while (at_s := time.monotonic() - began) < seconds:
        samples.append(sample(cluster, kept, clients, at_s))
        if at_s > RESTART_S * (restarts + 1):
            name = others[restarts % len(others)]
            process = cluster.processes.pop(name)
            process.send_signal(signal.SIGKILL if restarts % 2 else signal.SIGTERM)
            process.wait(BACK_S)
            cluster.start(name)
            cluster.wait(lambda name=name: votes(cluster, name), f"{name} votes again", BACK_S)
            restarts += 1
            last = samples[-1]
            tell(
                f"{at_s / 60:.0f} min: {name} restarted; {kept} has {last.memory_mb:.0f} MB, {last.open_files} files, "
                f"{last.height} blocks of {last.chain_mb:.0f} MB and {last.beyond_mb:.0f} MB beside them; "
                f"{last.acknowledged} acknowledged"
            )
        time.sleep(SAMPLE_S)
    return samples, restarts


def main(arguments: list[str] | None = None) -> int:
    """Run the command line: 0 if all is well, 1 if not."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.soak", description="A network under load for long.")
    parser.add_argument("--minutes", type=float, default=30)
    options = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="coseal-soak-"))
    result = {**machine.about(), "minutes": options.minutes}
    try:
        result |= run(folder, options.minutes, lambda text: print(text, flush=True))
    except Exception as error:  # it is a result, too
        result["wrong"] = [f"{type(error).__name__}: {error}"]
    merged = merge(json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else [], result)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(merged, indent=1) + "\n", "utf-8")
    print(verdict(result))
    print(f"{total(merged)}; in {RESULTS}")
    if result["wrong"]:
        print(f"files: {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


def merge(runs: list[dict[str, Any]], result: dict[str, Any]) -> list[dict[str, Any]]:
    """Return all runs so far; only the newest keeps its samples."""
    return [{key: value for key, value in run.items() if key != "samples"} for run in runs] + [result]


def verdict(result: dict[str, Any]) -> str:
    """Say in words what came of a run."""
    if result["wrong"]:
        return "\n".join(["BAD:", *result["wrong"][:20]])
    return (
        f"good: {result['minutes']:g} minutes, {result['restarts']} restarts, {result['acknowledged']} transactions "
        f"acknowledged and all there, {result['height']} blocks, no node differs"
    )


def total(runs: Sequence[dict[str, Any]]) -> str:
    """Say what all runs come to."""
    good = [run for run in runs if not run["wrong"]]
    return (
        f"{len(good)} of {len(runs)} runs good, {sum(run['minutes'] for run in good):g} minutes and "
        f"{sum(run['acknowledged'] for run in good)} transactions in them"
    )


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nodes end
    sys.exit(main())
