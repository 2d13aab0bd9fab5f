"""The node processes of a network folder: started, found again, stopped, asked how they are.

Law: a process is ours only if its id stands in the node's pid file and it runs with that node's folder; nothing
else is ever signalled.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from coseal.client import versions
from coseal.errors import CosealError
from coseal.network import ports
from coseal.network.folders import Network, NodeEntry

START_TIMEOUT_S: Final = 60.0
STOP_TIMEOUT_S: Final = 10.0
CATCH_UP_S: Final = 10.0
"""How long a command that starts one node waits for it to have what the others have."""
_POLL_S: Final = 0.05
_PROBE_TIMEOUT_S: Final = 2.0
_ANSWER_BYTES_MAX: Final = 16 * 1024 * 1024
_LOG_TAIL_LINES: Final = 12
_ENDS: Final = frozenset({"cannot_start", "port_in_use", "halted", "fault"})
"""Events of a node's log that say why it ended."""
_LOG_END_BYTES: Final = 64 * 1024
_NOTING_ITS_ID: Final = ("/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"')


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """How one node is; everything but name, role, kind, url and healthy is None when the node does not answer.

    ``evidence``: how many proofs its state holds against each validator that has any. ``upgrade``: the protocol
    version that the members accepted and that is not in force yet, which validators have it, and whether the node's
    software does (docs/spec/api.md); None if there is none. ``contracts``: the same of contracts of others.
    ``peers`` are connected, ``pending`` transactions wait in its mempool, ``leader`` is who proposes in its round.
    """

    name: str
    role: str
    kind: str
    pid: int | None
    url: str
    height: int | None
    round: int | None
    state_root: str | None
    healthy: bool
    why_stalled: str | None
    evidence: dict[str, int] | None = None
    upgrade: dict[str, Any] | None = None
    contracts: list[dict[str, Any]] | None = None
    leader: str | None = None
    peers: int | None = None
    pending: int | None = None


def pid_of(node: NodeEntry) -> int | None:
    """Return the process id of a running node, None if it is not running."""
    try:
        pid = int((node.data / "node.pid").read_text().strip())
    except (OSError, ValueError):
        return None
    return pid if _is_node(pid, node) else None


def start(node: NodeEntry) -> subprocess.Popen[bytes]:
    """Start a node as a process of its own session, its output appended to its log.

    It notes its id itself, so that none runs of which nobody knows if we are killed right now.
    """
    running = pid_of(node)
    if running is not None:
        raise CosealError(f"{node.name} is already running as process {running}")
    command: list[str | Path] = [sys.executable, "-m", "coseal.node", "run", "--data", node.data.resolve()]
    with open(node.log, "ab") as log:
        process = subprocess.Popen(
            [*_NOTING_ITS_ID, node.data / "node.pid", *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C reaches only us; we stop the nodes in order
        )
    deadline = time.monotonic() + 1
    while process.poll() is None and pid_of(node) != process.pid and time.monotonic() < deadline:
        time.sleep(0.001)
    return process


def stop(nodes: Sequence[NodeEntry], timeout_s: float = STOP_TIMEOUT_S) -> list[str]:
    """End nodes with SIGTERM, after ``timeout_s`` with SIGKILL; return the names of those that ran."""
    running = [(node, pid) for node in nodes if (pid := pid_of(node)) is not None]
    for _, pid in running:
        send_signal(pid, signal.SIGTERM)
    deadline = time.monotonic() + timeout_s
    for node, pid in running:
        while _is_node(pid, node):
            if time.monotonic() > deadline:
                send_signal(pid, signal.SIGKILL)
            time.sleep(_POLL_S)
        (node.data / "node.pid").unlink(missing_ok=True)
    return [node.name for node, _ in running]


def kill(node: NodeEntry) -> int:
    """End a node at once with SIGKILL, as a crash would; return its process id."""
    pid = pid_of(node)
    if pid is None:
        raise CosealError(f"{node.name} is not running")
    send_signal(pid, signal.SIGKILL)
    while _is_node(pid, node):
        time.sleep(_POLL_S)
    (node.data / "node.pid").unlink(missing_ok=True)
    return pid


def require_free_ports(nodes: Sequence[NodeEntry], *, planned: bool = False) -> None:
    """Raise ``CosealError`` naming every port of these nodes that something else holds, by whom, and what to do.

    ``planned``: they are not made yet, and can have others.
    """
    wanted = [(f"{node.name} ({what})", address) for node in nodes for what, address in _addresses(node)]
    base = ports.free_base(len(nodes)) if planned else None
    hint = "end it, or choose other ports" if planned else "end it, then start again"
    ports.require_free(wanted, hint if base is None else f"{hint}: --base-port {base} is free")


def _addresses(node: NodeEntry) -> tuple[tuple[str, str], ...]:
    return ("http", node.http), ("link", node.link)


def probe(node: NodeEntry, timeout_s: float = _PROBE_TIMEOUT_S) -> dict[str, Any] | None:
    """Return the node's own status document, None if it does not answer."""
    return ask(node, "/v1/status", timeout_s)


def ask(node: NodeEntry, path: str, timeout_s: float = _PROBE_TIMEOUT_S) -> dict[str, Any] | None:
    """Return a JSON object that a node answers with, None if it does not, or refuses.

    Where reads are not public, a token of the node's own file is shown. Plain ``http.client``: starting a network
    polls this and need not load a whole HTTP library for it.
    """
    headers = {"Accept": "application/json"}
    connection = http.client.HTTPConnection(node.http, timeout=timeout_s)
    try:
        status, body = _get(connection, path, headers)
        token = reading_token(node.data / "keys" / "tokens.toml") if status == http.client.UNAUTHORIZED else None
        if token is not None:
            status, body = _get(connection, path, headers | {"Authorization": f"Bearer {token}"})
        document = json.loads(body)
        return document if status == http.client.OK and isinstance(document, dict) else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


def _get(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    return response.status, response.read(_ANSWER_BYTES_MAX)


def reading_token(path: Path) -> str | None:
    """Return a token of a node's token file that may read, None if there is none in the open."""
    try:
        rows = tomllib.loads(path.read_text("utf-8")).get("token", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and "read" in row.get("scopes", ()) and isinstance(row.get("token"), str):
            return str(row["token"])
    return None


def token_for(node: NodeEntry) -> str | None:
    """Return the token with which to read from a node of the folder: some lists are for members, whoever may read."""
    return reading_token(node.data / "keys" / "tokens.toml")


def status_of(network: Network, node: NodeEntry) -> NodeStatus:
    """Ask one node how it is; a node of another chain on its port is said so."""
    pid, document = pid_of(node), probe(node)
    ended = why_ended(node.log) if pid is None else None
    why = "it does not answer yet" if pid is not None else f"not running: {ended}" if ended else "not running"
    silent = NodeStatus(node.name, node.role, node.kind, pid, node.url, None, None, None, False, why)
    if document is None:
        return silent
    if document.get("chain_id") != network.chain_id or document.get("node") != node.name:
        why = f"another node answers there: {document.get('node')} of chain {document.get('chain_id')}"
        return replace(silent, why_stalled=why)
    kind = document.get("kind")
    return replace(
        silent,
        kind=kind if kind in ("validator", "observer") else node.kind,  # a ballot may have changed it
        height=document.get("height"),
        round=document.get("round"),
        state_root=document.get("state_root"),
        healthy=document.get("healthy") is True,
        why_stalled=document.get("why_stalled"),
        evidence=document.get("evidence"),
        upgrade=versions.read(document.get("upgrade")),
        contracts=versions.read_contracts(document.get("contracts")),
        leader=document.get("leader"),
        peers=sum(peer.get("connected") is True for peer in document.get("peers", ())),
        pending=document.get("mempool", {}).get("transactions"),
    )


def status(network: Network) -> list[NodeStatus]:
    """Ask all nodes at once, in the order of the network folder."""
    with ThreadPoolExecutor(max_workers=max(1, min(16, len(network.nodes)))) as pool:
        return list(pool.map(lambda node: status_of(network, node), network.nodes))


Ready = Callable[[Sequence[NodeStatus]], bool]
Report = Callable[[Sequence[NodeStatus]], None]


def have_first_block(statuses: Sequence[NodeStatus]) -> bool:
    """Say whether every node has a committed block and sees that another can commit."""
    return all((node.height or 0) >= 1 and node.healthy for node in statuses)


def share_one_tip(statuses: Sequence[NodeStatus]) -> bool:
    """Say whether every node answers with one height and one state root, and a block can commit."""
    tips = {(node.height, node.state_root) for node in statuses}
    return len(tips) == 1 and all(node.height and node.healthy for node in statuses)


def wait(
    network: Network,
    started: dict[str, subprocess.Popen[bytes]],
    ready: Ready,
    *,
    report: Report | None = None,
    timeout_s: float = START_TIMEOUT_S,
) -> list[NodeStatus]:
    """Poll until ``ready``; raise ``CosealError`` with the end of a node's log when one ends or time runs out."""
    deadline = time.monotonic() + timeout_s
    while True:
        statuses = status(network)
        if report is not None:
            report(statuses)
        if ready(statuses):
            return statuses
        for node in network.nodes:
            process = started.get(node.name)
            if process is not None and process.poll() is not None:
                reason = why_ended(node.log)
                detail = f"{node.name} ended with exit code {process.returncode}"
                if reason is None:
                    raise CosealError(detail, f"the end of {node.log}:\n{log_tail(node)}")
                raise CosealError(f"{detail}: {reason}", f"its log: `coseal logs {node.name}`")
        if time.monotonic() > deadline:
            late = next((s for s in statuses if not s.healthy or not s.height), statuses[0])
            node = network.node(late.name)
            said = f"; {late.name}: {late.why_stalled}" if late.why_stalled else ""
            raise CosealError(f"not ready after {timeout_s:.0f} s{said}", f"the end of {node.log}:\n{log_tail(node)}")
        time.sleep(_POLL_S)


def start_and_follow(network: Network, node: NodeEntry) -> tuple[int, NodeStatus]:
    """Start a node; return its process and status once it answers and, within a while, has what the others have."""
    require_free_ports([node] if pid_of(node) is None else [])
    process, began = start(node), time.monotonic()

    def caught_up(statuses: Sequence[NodeStatus]) -> bool:
        """It answers, and has what the others have; a long way it goes alone."""
        heights = {one.name: one.height for one in statuses if one.height is not None}
        late = time.monotonic() - began > CATCH_UP_S
        return node.name in heights and (late or heights[node.name] >= max(heights.values()))

    statuses = wait(network, {node.name: process}, caught_up)
    process.returncode = 0  # it outlives us
    return process.pid, next(one for one in statuses if one.name == node.name)


def why_ended(log: Path) -> str | None:
    """Return why a node that does not run ended or did not start, by the end of its log; None if it was stopped."""
    try:
        with open(log, "rb") as file:
            file.seek(max(0, log.stat().st_size - _LOG_END_BYTES))
            lines = file.read().splitlines()
    except OSError:
        return None
    for line in reversed(lines):
        try:
            record = json.loads(line)
        except ValueError:  # what the interpreter itself said, or half a line
            continue
        event = record.get("event") if isinstance(record, dict) else None
        if event in _ENDS and "reason" in record:
            return str(record["reason"])
        if event in _ENDS:
            said = str(record.get("exception", "")).strip().splitlines()
            return f"a fault of the software: {said[-1]}" if said else "a fault of the software"
        if event == "started" or (event == "stopped" and not record.get("status")):
            break
    return None


def log_tail(node: NodeEntry, lines: int = _LOG_TAIL_LINES) -> str:
    """Return the last lines of a node's log."""
    try:
        return "\n".join(node.log.read_text(errors="replace").rstrip("\n").split("\n")[-lines:])
    except OSError:
        return "(no log)"


def send_signal(pid: int, number: signal.Signals) -> None:
    """Send a signal, to nobody if the process is gone; raise ``CosealError`` if it belongs to another user."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass
    except PermissionError:
        raise CosealError(f"process {pid} belongs to another user") from None


def _is_node(pid: int, node: NodeEntry) -> bool:
    """Say whether ``pid`` is alive and runs with this node's folder; process ids are reused."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return not Path("/proc/self").exists() and _alive(pid)
    return str(node.data.resolve()).encode() in words  # a zombie has an empty command line


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
