"""Ports that something holds: by whom, as far as this machine says, and what to do.

Law: it only reads what the kernel shows this user; nobody is signalled.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from coseal.errors import CosealError

_LISTENING: Final = "0A"
_TABLES: Final = ("/proc/net/tcp", "/proc/net/tcp6")
_BASES: Final = range(8_600, 9_600, 20)


def is_free(host: str, port: int) -> bool:
    """Say whether this process could listen there; raise ``OSError`` if it could not for another reason."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


@dataclass(frozen=True, slots=True)
class Holder:
    """Who listens on a port, in words; ``network`` is the folder of the network that it is a node of, if it is one."""

    name: str
    network: Path | None = None


def holder(port: int) -> Holder | None:
    """Return who listens on a port, None if it is not to be seen."""
    sockets = _listening_on(port)
    if not sockets:
        return None
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and not sockets.isdisjoint(_sockets_of(folder)):
            return _named(folder)
    return None


def in_use(port: int) -> str:
    """Return that a port is in use, and by whom if that is known."""
    if port < 1024 and os.geteuid() != 0 and not _listening_on(port):
        return f"port {port} is for root alone"
    who = holder(port)
    return f"port {port} is in use" + (f" by {who.name}" if who else "")


def free_base(nodes: int, host: str = "127.0.0.1") -> int | None:
    """Return a base port from which ``nodes`` nodes find two ports each, None if none was found."""
    for base in _BASES:
        try:
            if all(is_free(host, port) for port in range(base, base + 2 * nodes)):
                return base
        except OSError:
            return None
    return None


def require_free(wanted: Iterable[tuple[str, str]], hint: str) -> None:
    """Raise ``CosealError`` naming every one of these (what for, ``host:port``) that something else holds."""
    taken: list[str] = []
    networks: dict[Path, list[int]] = {}
    for what, address in wanted:
        host, _, text = address.rpartition(":")
        port = int(text)
        try:
            if is_free(host.strip("[]"), port):
                continue
        except OSError as error:
            raise CosealError(f"cannot listen on {address} ({what}): {error.strerror}") from None
        who = holder(port)
        if who is not None and who.network is not None:
            networks.setdefault(who.network, []).append(port)
        else:
            taken.append(f"{in_use(port)}, and {what} needs it")
    for network, held in networks.items():
        ports = f"port {held[0]} is" if len(held) == 1 else f"ports {', '.join(map(str, held))} are"
        taken.append(f"{ports} in use by the network in {network}, which `coseal down {network}` ends")
    if taken:
        raise CosealError("\n".join(taken), hint)


def _listening_on(port: int) -> set[str]:
    """Return the inodes of the sockets that listen on a port."""
    found = set()
    for table in _TABLES:
        try:
            rows = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            words = row.split()
            if words[3] == _LISTENING and int(words[1].rpartition(":")[2], 16) == port:
                found.add(words[9])
    return found


def _sockets_of(process: Path) -> set[str]:
    """Return the inodes of a process's sockets; none of another user's, or of one that is gone."""
    found = set()
    with contextlib.suppress(OSError):
        for link in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                target = os.readlink(link)
                if target.startswith("socket:["):
                    found.add(target[8:-1])
    return found


def _named(process: Path) -> Holder:
    """Return what a process is, in words: one of Coseal's by its folder, another by its name."""
    try:
        words = (process / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        words = []
    if "coseal.node" in words and "--data" in words:
        data = Path(words[words.index("--data") + 1])
        ours = data.parents[1] if data.parent.name == "nodes" and (data.parents[1] / "network.toml").exists() else None
        return Holder(f"the node of {data} (process {process.name})", ours)
    if "coseal.console" in words:
        return Holder(f"the console of {words[words.index('coseal.console') + 1]} (process {process.name})")
    name = Path(words[0]).name if words and words[0] else "a process"
    return Holder(f"{name} (process {process.name})")
