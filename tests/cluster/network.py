"""Real node processes on loopback, for tests: make a network's folder, start, kill, ask, submit."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coseal.client import keys
from coseal.ledger import transaction
from coseal.ledger.genesis import Genesis
from coseal.ledger.transaction import Transaction
from coseal.network import consortium, folders
from coseal.network.folders import NodeEntry
from tests.cluster.lines import Lines

FIRST_PORT, LAST_PORT = 22_400, 22_990


def reserve_ports(nodes: int) -> tuple[int, int]:
    """Return the first of ``2 * nodes`` ports in a row that nothing uses, and the lock that keeps others off them.

    Test processes run side by side, and a port is free until a node listens; meanwhile a byte of a file that is locked
    speaks for each, so that runs of different lengths keep off each other too.
    """
    bases = list(range(FIRST_PORT, LAST_PORT - 2 * nodes, 2 * nodes))
    turn = os.getpid() % len(bases)
    for base in bases[turn:] + bases[:turn]:
        descriptor = os.open(Path(tempfile.gettempdir()) / "coseal-test-ports", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            # struct flock: the lock belongs to the open file, not to the process (fcntl(2), F_OFD_SETLK)
            wanted = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, base, 2 * nodes, 0)
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, wanted)
            with contextlib.ExitStack() as held:
                for port in range(base, base + 2 * nodes):
                    probe = held.enter_context(socket.socket())
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", port))
        except OSError:
            os.close(descriptor)
            continue
        return base, descriptor
    raise AssertionError("no free ports")


_LIMITED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
os.execv(sys.argv[2], sys.argv[2:])
"""


# With SIMULATED_MUTANT=NAME in the environment nodes run that mistake of simulation/mutations: is it noticed?
_MUTANT = "import simulation.patching, runpy; runpy.run_module('node', run_name='__main__', alter_sys=True)"
_NODE = ["-c", _MUTANT] if "SIMULATED_MUTANT" in os.environ else ["-m", "coseal.node"]


@dataclass
class Cluster:
    """A network in a folder; ``processes`` holds those that run.

    ``settings`` are variables for the next start of a node; ``small_disks`` are file systems to unmount at the end;
    nodes in ``doubled`` ran twice at a time.
    """

    net: folders.Network
    genesis: Genesis
    ports_lock: int
    lines: Lines | None = None
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    settings: dict[str, dict[str, str]] = field(default_factory=dict)
    small_disks: list[Path] = field(default_factory=list)
    doubled: set[str] = field(default_factory=set)
    _salt: int = 0

    @staticmethod
    def make(folder: Path, nodes: int = 4, *, relayed: bool = False) -> Cluster:
        """Make a new network of the default consortium; ``relayed``: with lines between nodes that can be cut."""
        base, lock = reserve_ports(nodes + relayed)
        addressing = folders.Addressing(base_port=base)
        net = folders.create(folder / "net", consortium.default_consortium(nodes), addressing=addressing)
        bare = [node for node in net.nodes if not (node.data / "journal").exists()]
        if bare:
            command = [sys.executable, "-m", "coseal.node", "init"]
            for node in bare:
                command += ["--data", str(node.data)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=60)
        lines = Lines({node.name: node.link for node in net.nodes}) if relayed else None
        for node in net.nodes if lines is not None else ():
            config = node.data / "node.toml"
            peers = [f'"{to}" = "{address}"' for (of, to), address in lines.addresses.items() if of == node.name]
            config.write_text(config.read_text().partition("[peers]")[0] + "\n".join(["[peers]", *peers, ""]))
        return Cluster(net, Genesis.decode((net.directory / "genesis.json").read_bytes()), lock, lines)

    @property
    def spare(self) -> tuple[str, str]:
        """Addresses for HTTP and links that no node of a relayed network has."""
        last = max(int(node.link.rpartition(":")[2]) for node in self.net.nodes)
        return f"127.0.0.1:{last + 1}", f"127.0.0.1:{last + 2}"

    @property
    def names(self) -> list[str]:
        return [node.name for node in self.net.nodes]

    def entry(self, name: str) -> NodeEntry:
        return self.net.node(name)

    def start(self, *names: str, file_bytes_max: int | None = None) -> None:
        """Start nodes; with ``file_bytes_max`` their files cannot grow beyond that."""
        for name in names or self.names:
            data = self.entry(name).data
            command = [sys.executable, *_NODE, "run", "--data", str(data)]
            if file_bytes_max is not None:
                command = [sys.executable, "-c", _LIMITED, str(file_bytes_max), *command]
            with open(data / "node.log", "ab") as log:
                environment = os.environ | self.settings.get(name, {})
                self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log, env=environment)

    def complete(self) -> None:
        """Start the nodes that do not run, and wait until all are at one tip behind the first block."""
        for name in self.names:
            if name not in self.processes or self.processes[name].poll() is not None:
                self.start(name)
        self.wait_height(1)
        self.wait_one_tip()

    def run_to_end(self, name: str, timeout_s: float = 90) -> subprocess.CompletedProcess[str]:
        """Run a node that is expected to end by itself."""
        command = [sys.executable, "-m", "coseal.node", "run", "--data", str(self.entry(name).data)]
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)

    def kill(self, name: str) -> None:
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes.pop(name).wait(10)

    def stop(self, name: str) -> int:
        self.processes[name].send_signal(signal.SIGTERM)
        return self.processes.pop(name).wait(20)

    def close(self) -> None:
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.wait(10)
        if self.lines is not None:
            self.lines.close()
        for disk in self.small_disks:
            subprocess.run(["umount", "--lazy", str(disk)], check=True, timeout=30)
        os.close(self.ports_lock)

    # Asking

    def get(self, name: str, path: str) -> Any:
        """Return the JSON of a GET, None if the node does not answer."""
        try:
            with urllib.request.urlopen(f"{self.entry(name).url}{path}", timeout=5) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            error.close()
            return None
        except (OSError, ValueError):
            return None

    def raw(self, name: str, path: str, *, body: bytes | None = None, token: bytes = b"") -> bytes:
        """Return whatever a request is answered with, head and body."""
        headers = {"Content-Type": "application/msgpack", "Idempotency-Key": "0" * 32}
        if token:
            headers |= {"Authorization": f"Bearer {token.decode()}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.entry(name).url}{path}", data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=5) as response:
                return bytes(response.headers) + response.read()
        except urllib.error.HTTPError as error:
            with error:
                return bytes(error.headers) + error.read()

    def token(self, name: str) -> str:
        """Return the bearer token of a node's gateway."""
        document = tomllib.loads((self.entry(name).data / "keys" / "tokens.toml").read_text())
        return str(document["token"][0]["token"])

    def secrets(self) -> list[bytes]:
        """Return every private key and token of the network, in the forms in which one could leak."""
        found: list[bytes] = []
        for pem in self.net.directory.rglob("*.pem"):
            seed = keys.read_seed(pem)
            found += [seed, seed.hex().encode(), base64.b64encode(seed), pem.read_bytes().splitlines()[1]]
        return found + [self.token(name).encode() for name in self.names]

    def height(self, name: str) -> int:
        status = self.get(name, "/v1/status")
        return -1 if status is None else int(status["height"])

    def wait(self, condition: Callable[[], object], what: str, seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"not within {seconds} s: {what}\n{self.logs()}")
            time.sleep(0.05)

    def wait_height(self, height: int, *names: str, seconds: float = 60.0) -> None:
        chosen = names or tuple(self.names)
        self.wait(lambda: all(self.height(name) >= height for name in chosen), f"height {height} on {chosen}", seconds)

    def wait_one_tip(self, *names: str, seconds: float = 60.0) -> None:
        """Wait until all nodes are at one height, and assert one state root."""
        chosen = names or tuple(self.names)
        statuses: list[Any] = []

        def agree() -> bool:
            statuses[:] = [self.get(name, "/v1/status") for name in chosen]
            return all(statuses) and len({status["height"] for status in statuses}) == 1

        self.wait(agree, "one tip on all", seconds)
        assert len({status["state_root"] for status in statuses}) == 1
        assert len({status["block_hash"] for status in statuses}) == 1

    def logs(self) -> str:
        parts = []
        for name in self.names:
            log = self.entry(name).data / "node.log"
            lines = log.read_text("utf-8", "replace").splitlines()[-8:] if log.exists() else []
            parts += [f"--- {name}", *lines]
        return "\n".join(parts)

    # Submitting

    def transaction(self, member: str = "bank-a", *, text: str = "number", padding: int = 0) -> Transaction:
        """Sign a transaction that changes the state; one with ``padding`` is refused as too long, but recorded."""
        self._salt += 1
        return transaction.sign(
            keys.read_signer(self.net.key_path(f"{member}/admin")),
            chain_id=self.genesis.chain_id,
            sender=f"{member}/admin",
            contract="membership",
            action="set_profile",
            args={"description": f"{text} {self._salt}" + "." * padding},
            valid_until_ms=time.time_ns() // 1_000_000 + 300_000,
            salt=os.urandom(8) + self._salt.to_bytes(8, "big"),
        )

    def submit(self, name: str, tx: Transaction, *, wait: str = "commit", timeout_s: float = 20) -> Any:
        """POST a transaction and return the answer's JSON, None if the node does not answer."""
        request = urllib.request.Request(
            f"{self.entry(name).url}/v1/transactions?wait={wait}",
            data=tx.raw,
            headers={"Content-Type": "application/msgpack"},
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout_s) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return json.load(error)
        except (OSError, ValueError):
            return None
