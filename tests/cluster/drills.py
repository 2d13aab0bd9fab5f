"""Drills: a real network, clients at work, a schedule of faults, and a verdict from outside.

Law: a drill is its name; the name gives nodes, workload and the whole schedule, and is what a failure prints.

    python -m tests.cluster.drills kill-leader/mixed/4 nemesis-7/register/5   # these
    python -m tests.cluster.drills --list
    python -m tests.cluster.drills --long --minutes 60      # what is left of the matrix; merged in results/drills.json
    python -m tests.cluster.drills --share 6 --minutes 3    # a share of it, another one at every commit
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from tests.cluster.clients import WORKLOADS, Clients
from tests.cluster.faults import FAULTS, START_S, Scene, possible, votes
from tests.cluster.judge import faults
from tests.cluster.network import Cluster

SIZES = (4, 5, 7)
NEMESES = 6
ROOT = Path(__file__).resolve().parents[2]
RESULTS = Path(__file__).resolve().parent / "results" / "drills.json"
COMMITS_S = 60.0
REST_S = 90.0
_NEVER = ("accused", "bad_block", "bad_snapshot", "fault", "halted", "loop", "snapshot_failed", "snapshot_damaged")
_ANYBODY = ("split", "bridge", "flap", "slow-lines", "kill-all", "pause-all", "storm")


@dataclass(frozen=True, slots=True)
class Step:
    """One fault: its victims are the ``leader`` and others, or ``followers`` only; it lasts ``hold_s`` or longer."""

    fault: str
    victims: str
    hold_s: float

    def __str__(self) -> str:
        return f"{self.fault}{'' if self.fault in _ANYBODY else f' {self.victims}'} for {self.hold_s:g} s"


@dataclass(frozen=True, slots=True)
class Drill:
    """What its name says."""

    name: str
    workload: str
    nodes: int
    steps: tuple[Step, ...]

    @staticmethod
    def of(name: str) -> Drill:
        """Return the drill called ``FAULT[+FAULT...]/WORKLOAD/NODES``; raise ``ValueError``."""
        kinds, workload, nodes = name.split("/")
        if workload not in WORKLOADS:
            raise ValueError(f"workload {workload}: one of {', '.join(WORKLOADS)}")
        steps: tuple[Step, ...] = ()
        for kind in kinds.split("+"):
            if kind.startswith("nemesis-"):
                steps += schedule(int(kind.removeprefix("nemesis-")))
                continue
            fault, _, victims = (kind, "", "") if kind in _ANYBODY else kind.rpartition("-")
            if fault not in FAULTS or victims not in ("leader", "followers", ""):
                raise ValueError(f"fault {kind}: see --list")
            steps += (Step(fault, victims, FAULTS[fault].hold_s),)
        return Drill(name, workload, int(nodes), steps)


def schedule(seed: int, steps: int = 5) -> tuple[Step, ...]:
    """Draw a mix of faults; the same seed draws the same."""
    random = Random(seed)
    return tuple(
        Step(name, random.choice(("leader", "followers")), round(FAULTS[name].hold_s * random.uniform(0.5, 1.5), 1))
        for name in random.choices(sorted(FAULTS), k=steps)
    )


def matrix() -> list[str]:
    """Return the names of all drills of the long suite, always in one shuffled order: any piece is a fair share."""
    whom = ("leader", "followers")
    kinds = dict.fromkeys(name if name in _ANYBODY else f"{name}-{victims}" for victims in whom for name in FAULTS)
    names = [f"{kind}/{workload}/{nodes}" for nodes in SIZES for workload in WORKLOADS[:2] for kind in kinds]
    names += [f"nemesis-{seed}/mixed/{SIZES[seed % len(SIZES)]}" for seed in range(3 * NEMESES)]
    return Random(0).sample(names, len(names))


@contextmanager
def played(name: str, folder: Path, tell: Callable[[str], None] = print) -> Iterator[Scene]:
    """Carry out a drill in ``folder`` until the network has come to rest; it still runs inside the ``with``."""
    drill = Drill.of(name)
    tell(f"{drill.name}: {'; '.join(str(step) for step in drill.steps)}")
    cluster = Cluster.make(folder, drill.nodes, relayed=True)
    clients = None
    try:
        cluster.start()
        cluster.wait_height(1, seconds=START_S)
        clients = Clients(cluster, drill.workload, seed=1)
        scene = Scene(cluster, clients, Random(name))
        _commits(scene, "before the faults")
        for step in drill.steps:
            if possible(step.fault):
                _strike(scene, step, tell)
            else:
                tell(f"  left out, it needs the right to mount: {step}")
        clients.stop()
        rest(cluster)
        yield scene
    finally:
        if clients is not None:
            clients.stop()
        cluster.close()


def run(name: str, folder: Path, tell: Callable[[str], None] = print) -> dict[str, Any]:
    """Carry out a drill in ``folder`` and return its figures; raise ``AssertionError`` with all that is wrong."""
    began = time.monotonic()
    with played(name, folder, tell) as scene:
        found = faults(scene.cluster, scene.clients) + complaints(scene.cluster)
        if found:
            raise AssertionError("\n".join(found[:20]))
        clients = scene.clients
        return {
            "seconds": round(time.monotonic() - began),
            "blocks": scene.cluster.height(scene.cluster.names[0]),
            "acknowledged": clients.acknowledged,
            "unanswered": sum(item.place is None for item in clients.sent),
            "consistent reads": len(clients.reads) + len(clients.looks),
            "plain reads": len(clients.plain),
        }


def complaints(cluster: Cluster) -> list[str]:
    """Return what nodes logged that no fault of a drill explains."""
    lines = [(name, line) for name in cluster.names for line in cluster.entry(name).log.read_text("utf-8").splitlines()]
    found = [(name, line) for name, line in lines if any(f'"{event}"' in line for event in _NEVER)]
    guilty = [f'"validator": "{name}"' for name in cluster.doubled]
    return [f"{name} logged {line[:500]}" for name, line in found if not any(proof in line for proof in guilty)]


def _strike(scene: Scene, step: Step, tell: Callable[[str], None]) -> None:
    """Let one fault strike and heal; commits go on meanwhile, if a quorum is left, and afterwards in any case."""
    cluster, fault = scene.cluster, FAULTS[step.fault]
    victims = [] if step.fault in _ANYBODY else _victims(cluster, step.victims, scene.random)
    what = " ".join((step.fault, *victims))
    began = time.monotonic()
    with fault.strike(scene, victims):
        struck = time.monotonic()
        if fault.quorum:
            _commits(scene, f"during {what}")
        time.sleep(max(0.0, struck + step.hold_s - time.monotonic()))
    healed = time.monotonic()
    _commits(scene, f"after {what}")
    cluster.wait(lambda: all(votes(cluster, name) for name in cluster.names), "all vote", REST_S)
    took = time.monotonic()
    tell(f"  {what}: {healed - began:.1f} s, commits again after {took - healed:.1f} s")


def _victims(cluster: Cluster, wanted: str, random: Random) -> list[str]:
    """Return f nodes, the leader first or not among them."""
    leader = next(status["leader"] for name in cluster.names if (status := cluster.get(name, "/v1/status")))
    others = random.sample([name for name in cluster.names if name != leader], len(cluster.names) - 1)
    return ([leader, *others] if wanted == "leader" else others)[: (len(cluster.names) - 1) // 3]


def _commits(scene: Scene, when: str, count: int = 8) -> None:
    """Wait for transactions that were sent from now on and committed."""
    before = scene.clients.acknowledged + 4  # as many as may have been under way
    scene.cluster.wait(lambda: scene.clients.acknowledged >= before + count, f"commits {when}", COMMITS_S)


def rest(cluster: Cluster) -> None:
    """Wait until nothing is pending and all nodes stand at one height."""

    def rested() -> bool:
        statuses = [cluster.get(name, "/v1/status") for name in cluster.names]
        known = [(s["height"], s["mempool"]["transactions"]) for s in statuses if s is not None]
        return len(known) == len(cluster.names) and len(set(known)) == 1 and known[0][1] == 0

    cluster.wait(rested, "all nodes at rest at one height", REST_S)


# Many drills


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.drills", description="Drills of real networks.")
    parser.add_argument("names", nargs="*", help="drills to run")
    parser.add_argument("--list", action="store_true", help="print the names of the matrix")
    parser.add_argument("--long", action="store_true", help="run what is left of the matrix; results are merged")
    parser.add_argument("--share", type=int, help="run so many of the matrix, others at every commit")
    parser.add_argument("--turn", type=int, help="which share (the number of commits)")
    parser.add_argument("--minutes", type=float, help="begin no drill after this time")
    options = parser.parse_args(arguments)
    if options.list:
        print("\n".join(sorted(matrix())))
        return 0
    results = _load()
    names = options.names
    if options.long:
        names = left(results)
    elif options.share:
        turn = _commit_count() if options.turn is None else options.turn
        names = share(turn, options.share)
        print(f"share {turn}: again with `python -m tests.cluster.drills --share {options.share} --turn {turn}`")
    failed = _run_all(names, options.minutes, results)
    if options.long:
        _tell(results)
    return 1 if failed else 0


def share(turn: int, count: int) -> list[str]:
    """Return ``count`` drills of the matrix; the next turn continues where this one ends."""
    names = matrix()
    return [names[(turn * count + offset) % len(names)] for offset in range(count)]


def _tell(results: dict[str, Any]) -> None:
    remaining = left(results)
    sums: Counter[str] = Counter()
    for entry in results["drills"].values():
        sums.update(entry.get("sums", {}))
    print(f"{len(matrix()) - len(remaining)} of {len(matrix())} drills good, in {RESULTS}")
    print(f"together: {', '.join(f'{value} {key}' for key, value in sums.items())}")
    print(f"failures since the file was begun: {len(results['failures'])}")
    print(f"left: {' '.join(remaining) or 'nothing; remove the file to begin again'}")


def left(results: dict[str, Any]) -> list[str]:
    """Return the drills of the matrix that have no good run yet and are possible here."""
    return [name for name in matrix() if not results["drills"].get(name, {}).get("good")]


def _run_all(names: list[str], minutes: float | None, results: dict[str, Any]) -> bool:
    """Run drills, say whether one failed."""
    began, failed = time.monotonic(), False
    for at, name in enumerate(names):
        if minutes is not None and time.monotonic() - began > 60 * minutes:
            print(f"{minutes:g} minutes are over; not begun: {' '.join(names[at:])}")
            break
        if not any(possible(step.fault) for step in Drill.of(name).steps):
            print(f"{name}: left out, it needs the right to mount")
            continue
        failed |= not _run_one(name, results)
    return failed


def _run_one(name: str, results: dict[str, Any]) -> bool:
    """Run a drill and merge its result; the folder of a failed one is kept."""
    folder = Path(tempfile.mkdtemp(prefix="coseal-drill-"))
    entry = results["drills"].setdefault(name, {"good": 0, "failed": 0})
    try:
        figures = run(name, folder)
    except Exception as error:  # whatever happened, the other drills go on
        entry["failed"] += 1
        text = f"{type(error).__name__}: {error}"
        results["failures"].append({"drill": name, "failure": text, "commit": _git("rev-parse", "--short", "HEAD")})
        print(f"  FAILED {text}\n  files: {folder}\n  again: python -m tests.cluster.drills {name}", flush=True)
        _save(results)
        return False
    entry["good"] += 1
    entry["sums"] = {key: value + entry.get("sums", {}).get(key, 0) for key, value in figures.items()}
    print(f"  good: {', '.join(f'{value} {key}' for key, value in figures.items())}", flush=True)
    shutil.rmtree(folder)
    _save(results)
    return True


def _load() -> dict[str, Any]:
    return json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {"drills": {}, "failures": []}


def _save(results: dict[str, Any]) -> None:
    if "SIMULATED_MUTANT" in os.environ:
        return  # what a mutant did says nothing of the product
    RESULTS.parent.mkdir(exist_ok=True)
    temporary = RESULTS.with_suffix(".new")
    temporary.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", "utf-8")
    temporary.replace(RESULTS)


def _commit_count() -> int:
    """Return how many commits led here; without a history, the day."""
    count = _git("rev-list", "--count", "HEAD")
    return int(count) if count else int(time.time()) // 86_400


def _git(*arguments: str) -> str:
    ran = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return ran.stdout.strip() if ran.returncode == 0 else ""


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nodes end and small disks are unmounted
    sys.exit(main())
