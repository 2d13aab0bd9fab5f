"""What figures were taken on, and what processes used of it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Iterable
from pathlib import Path

from coseal.ledger import native
from coseal.node.start import software_version

ROOT = Path(__file__).resolve().parents[1]
CORES = os.cpu_count() or 1
_TICKS = os.sysconf("SC_CLK_TCK")


def about() -> dict[str, str]:
    """Say what this runs on: machine, kernel, versions, commit."""
    return {
        "commit": commit(),
        "core": core(),
        "processor": _processor(),
        "cores": str(CORES),
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in ("pynacl", "cryptography", "uvloop", "lmdb")},
        "load before": " ".join(f"{load:.1f}" for load in os.getloadavg()),
    }


def commit() -> str:
    """Return the short name of the commit, with ``+`` if the work tree differs from it."""
    name = _git("rev-parse", "--short", "HEAD") or "unknown"
    return name + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")


def core() -> str:
    """Return what decodes and decides about signatures in the processes that are started from here."""
    return native.choose(os.environ.get(native.SETTING), software_version()).name


def identity() -> str:
    """Return what results are kept under: figures of another machine or commit are not continued."""
    return f"{commit()}, {core()}, on {_processor()}, {CORES} cores, Python {platform.python_version()}"


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the processor time that living processes and their children have used, user and system together."""
    total = 0
    for each in [member for pid in pids for member in _family(pid)]:
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS


def busy_seconds() -> float:
    """Return the processor time that all processes of the machine have used since it started."""
    user, nice, system, _, _, irq, softirq, *_ = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    return sum(map(int, (user, nice, system, irq, softirq))) / _TICKS


def memory_mb(pid: int) -> float:
    """Return the private resident memory (RssAnon) in MB of a process and its children; file pages do not count."""
    found = [
        int(line.split()[1]) / 1024
        for each in _family(pid)
        for line in Path(f"/proc/{each}/status").read_text().splitlines()
        if line.startswith("RssAnon:")
    ]
    if not found:
        raise RuntimeError(f"no RssAnon for process {pid}")
    return sum(found)


def _family(pid: int) -> list[int]:
    """Return a process and its children: a node has one that checks signatures."""
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(": ")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
