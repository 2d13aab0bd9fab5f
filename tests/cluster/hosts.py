"""Hosts of a network, for tests: network namespaces of their own, on one bridge, each with its own folder.

A bridge in a namespace of its own joins them, so nothing is changed in the machine's own network. Needs root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SUBNET = "10.77.0"


def why_not() -> str | None:
    """Say why there can be no namespaces here, None if there can."""
    if os.geteuid() != 0:
        return "network namespaces need root: run this test as root to see nodes on hosts of their own"
    if shutil.which("ip") is None:
        return "the command ip is not there (apt-get install iproute2)"
    name = f"coseal-{os.getpid()}-try"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, timeout=20, check=False)
    if made.returncode:
        return f"network namespaces cannot be made here: {made.stderr.strip()}"
    ip("netns", "delete", name)
    return None


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=20)


@dataclass(frozen=True)
class Host:
    """One host: its name, its address on the bridge, its folder."""

    name: str
    address: str
    folder: Path
    namespace: str

    def command(self, line: str) -> list[str]:
        """Return the words that run a line of shell on this host."""
        return ["ip", "netns", "exec", self.namespace, "bash", "-eo", "pipefail", "-c", line]

    def run(self, line: str, *, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a line of shell in the host's folder, with ``MEMBER`` and ``ADDRESS`` set, and return what it said."""
        return subprocess.run(
            self.command(line),
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def environment(self) -> Mapping[str, str]:
        """Return the environment, without settings for other networks."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("COSEAL_")}
        path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
        return {**kept, "PATH": path, "MEMBER": self.name, "ADDRESS": self.address}


class Hosts:
    """All hosts and the bridge between them; close it, or namespaces stay."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._prefix = f"coseal-{os.getpid()}"
        self._switch = f"{self._prefix}-switch"
        self.hosts = [
            Host(name, f"{SUBNET}.{number}", folder / name, f"{self._prefix}-{number}")
            for number, name in enumerate(names, 1)
        ]
        self._made: list[str] = []
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def _build(self) -> None:
        self._add(self._switch)
        ip("-n", self._switch, "link", "add", "bridge", "type", "bridge")
        ip("-n", self._switch, "link", "set", "bridge", "up")
        for number, host in enumerate(self.hosts, 1):
            host.folder.mkdir(parents=True)
            self._add(host.namespace)
            wire = ("link", "add", f"port{number}", "type", "veth", "peer", "name", "eth0", "netns", host.namespace)
            ip("-n", self._switch, *wire)
            ip("-n", self._switch, "link", "set", f"port{number}", "master", "bridge", "up")
            ip("-n", host.namespace, "address", "add", f"{host.address}/24", "dev", "eth0")
            ip("-n", host.namespace, "link", "set", "lo", "up")
            ip("-n", host.namespace, "link", "set", "eth0", "up")

    def _add(self, namespace: str) -> None:
        ip("netns", "add", namespace)
        self._made.append(namespace)

    def __getitem__(self, name: str) -> Host:
        return next(host for host in self.hosts if host.name == name)

    def cut_off(self, name: str) -> None:
        """Pull a host's cable."""
        self._set(name, "down")

    def connect(self, name: str) -> None:
        """Put it back."""
        self._set(name, "up")

    def _set(self, name: str, state: str) -> None:
        number = [host.name for host in self.hosts].index(name) + 1
        ip("-n", self._switch, "link", "set", f"port{number}", state)

    def close(self) -> None:
        """Take everything away; processes in the namespaces must have ended."""
        for namespace in reversed(self._made):
            subprocess.run(["ip", "netns", "delete", namespace], capture_output=True, timeout=20, check=False)
        self._made.clear()
