"""A network for one measurement: started with the ``coseal`` command, ended and removed afterwards."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coseal.keys import read_signer
from ledger.genesis import Genesis
from ledger.signing import Ed25519Signer

COSEAL = [sys.executable, "-m", "coseal"]


@dataclass(frozen=True, slots=True)
class Network:
    """A running network: its folder, its genesis, and the seconds from nothing to the first block on all nodes."""

    directory: Path
    genesis: Genesis
    start_s: float

    def coseal(self, *arguments: str, timeout_s: float = 120) -> str:
        """Run a ``coseal`` command on this network and return what it prints; raise when it fails."""
        environment = {**os.environ, "COSEAL_DIR": str(self.directory)}
        done = subprocess.run(
            [*COSEAL, *arguments], capture_output=True, text=True, timeout=timeout_s, env=environment, check=False
        )
        if done.returncode:
            raise RuntimeError(f"coseal {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def nodes(self) -> list[dict[str, Any]]:
        """Return the nodes of ``coseal status --json``."""
        return json.loads(self.coseal("status", str(self.directory), "--json"))["nodes"]  # type: ignore[no-any-return]

    def signer(self, member: str) -> Ed25519Signer:
        """Return the key of ``member/admin``."""
        return read_signer(self.directory / "members" / member / "admin.pem")

    def status(self, url: str) -> dict[str, Any]:
        """Return one node's own status."""
        with urllib.request.urlopen(f"{url}/v1/status", timeout=5) as answer:
            return json.loads(answer.read())  # type: ignore[no-any-return]


@contextmanager
def running_network(*, validators: int = 4, base_port: int = 26000) -> Iterator[Network]:
    """Start a network in a temporary folder; end its processes and remove it afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="coseal-bench-"))
    folder = directory / "net"
    try:
        started = time.perf_counter()
        command = ["up", str(folder), "--validators", str(validators), "--base-port", str(base_port), "--detach"]
        done = subprocess.run([*COSEAL, *command], capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            raise RuntimeError(f"coseal up: exit {done.returncode}\n{done.stdout}{done.stderr}")
        elapsed = time.perf_counter() - started
        yield Network(folder, Genesis.decode((folder / "genesis.json").read_bytes()), elapsed)
    finally:
        subprocess.run([*COSEAL, "down", str(folder)], capture_output=True, timeout=60, check=False)
        shutil.rmtree(directory, ignore_errors=True)


def memory_mb(pid: int) -> float:
    """Return a process's private resident memory (RssAnon) in MB; file pages the kernel may drop do not count."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no RssAnon for process {pid}")
