"""A network for one measurement: started with the ``coseal`` command, ended and removed afterwards."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.machine import ROOT
from coseal.client.keys import read_signer
from coseal.ledger.genesis import PBFT_NAME, Genesis
from coseal.ledger.signing import Ed25519Signer
from coseal.network import folders
from coseal.network.consortium import default_consortium

COSEAL = [sys.executable, "-m", "coseal"]
START_S = 180.0
ANSWER_S = 120.0
"""A node answers nothing while it executes a block, which on a busy machine takes long."""


@dataclass(frozen=True, eq=False)
class Network:
    """A running network: its folder, its genesis, and the seconds from nothing to the first block on all nodes.

    ``code`` is the folder whose software it runs.
    """

    directory: Path
    genesis: Genesis
    start_s: float
    code: Path = ROOT

    def coseal(self, *arguments: str, timeout_s: float = 120) -> str:
        """Run a ``coseal`` command on this network and return what it prints; raise when it fails."""
        environment = {"COSEAL_DIR": str(self.directory)}
        return run_coseal(*arguments, timeout_s=timeout_s, code=self.code, environment=environment)

    @cached_property
    def entries(self) -> tuple[folders.NodeEntry, ...]:
        """The nodes as the folder names them."""
        return folders.load(self.directory).nodes

    @cached_property
    def urls(self) -> list[str]:
        """The nodes' base URLs."""
        return [node.url for node in self.entries]

    def nodes(self) -> list[dict[str, Any]]:
        """Return the nodes of ``coseal status --json``."""
        return json.loads(self.coseal("status", str(self.directory), "--json"))["nodes"]  # type: ignore[no-any-return]

    def pids(self) -> dict[str, int]:
        """Return the process of each node that runs."""
        return {node["name"]: node["pid"] for node in self.nodes() if node["pid"] is not None}

    def signer(self, member: str) -> Ed25519Signer:
        """Return the key of ``member/admin``."""
        return read_signer(self.directory / "members" / member / "admin.pem")

    def status(self, url: str) -> dict[str, Any]:
        """Return one node's own status."""
        with urllib.request.urlopen(f"{url}/v1/status", timeout=ANSWER_S) as answer:
            return json.loads(answer.read())  # type: ignore[no-any-return]


def run_coseal(
    *arguments: str, timeout_s: float, code: Path = ROOT, environment: Mapping[str, str] | None = None
) -> str:
    """Run a ``coseal`` command of the software in ``code`` and return what it prints; raise when it fails."""
    done = subprocess.run(
        [*COSEAL, *arguments],
        cwd=code,
        env={**os.environ, "PYTHONPATH": str(code), **(environment or {})},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"coseal {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


@contextmanager
def running_network(
    *,
    validators: int = 4,
    base_port: int = 26000,
    parameters: Mapping[str, int] | None = None,
    engine: str = PBFT_NAME,
    constitution: str | None = None,
    code: Path = ROOT,
) -> Iterator[Network]:
    """Start a network in a temporary folder; end its processes and remove it afterwards.

    ``parameters`` of the chain replace the defaults, ``engine`` orders it, and it is founded with a ``constitution``
    (that of ``coseal up`` unless it is given); ``code`` is the folder of the software that it runs.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # no user's node compiles its sources again at every start
    directory = Path(tempfile.mkdtemp(prefix="coseal-bench-", dir=os.environ.get("COSEAL_BENCH_DIR")))
    folder = directory / "net"
    command = ["up", str(folder), "--base-port", str(base_port), "--detach", "--no-console", "--timeout", f"{START_S}"]
    command += [] if engine == PBFT_NAME else ["--engine", engine]
    command += [] if constitution is None else ["--constitution", constitution]
    if parameters is None:
        command += ["--validators", str(validators)]
    else:
        (directory / "consortium.toml").write_text(consortium_toml(validators, parameters))
        command += ["--consortium", str(directory / "consortium.toml")]
    try:
        started = time.perf_counter()
        run_coseal(*command, timeout_s=START_S + 60, code=code)
        elapsed = time.perf_counter() - started
        yield Network(folder, Genesis.decode((folder / "genesis.json").read_bytes()), elapsed, code)
    finally:
        with suppress(RuntimeError, subprocess.TimeoutExpired):
            run_coseal("down", str(folder), timeout_s=120, code=code)
        shutil.rmtree(directory, ignore_errors=True)


def consortium_toml(validators: int, parameters: Mapping[str, int]) -> str:
    """Return the default consortium of so many validators with other parameters, as a file for ``coseal up``."""
    lines = ['name = "coseal-bench"']
    for member in default_consortium(validators).members:
        lines += ["[[members]]", f'id = "{member.id}"', f'name = "{member.name}"', f'role = "{member.role}"']
        lines += [f'level = "{member.level}"'] if member.level else []
        lines += ["central_bank = true"] if member.central_bank else []
    ids = ", ".join(f'"{member.id}"' for member in default_consortium(validators).members[:validators])
    head = [lines[0], f"validators = [{ids}]"]
    return "\n".join(
        [*head, *lines[1:], "[parameters]", *(f"{key} = {value}" for key, value in parameters.items()), ""]
    )


def end_in_order() -> None:
    """Let SIGTERM end this process as an exception does, so that its networks end with it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
