"""Node processes are found, told apart from strangers, and asked how they are."""

import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from coseal.errors import CosealError
from coseal.network import processes
from coseal.network.folders import Network, NodeEntry

FIRST_PORT = 24_300


def entry(folder: Path, *, port: int = FIRST_PORT, name: str = "bank-a") -> NodeEntry:
    (folder / name).mkdir(exist_ok=True)
    http, link = f"127.0.0.1:{port}", f"127.0.0.1:{port + 1}"
    return NodeEntry(name, name, "bank", "validator", http, link, folder / name)


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs with a node's folder in its command line."""
    node = entry(tmp_path)
    command = [sys.executable, "-c", "import time; time.sleep(60)", "--data", str(node.data.resolve())]
    process = subprocess.Popen(command)
    (node.data / "node.pid").write_text(f"{process.pid}\n")
    while processes.pid_of(node) is None:  # between fork and exec its command line is not readable yet
        assert process.poll() is None
    yield process
    process.kill()
    process.wait()


def test_a_node_is_found_by_its_pid_file_and_stopped(tmp_path: Path, sleeper: subprocess.Popen[bytes]):
    node = entry(tmp_path)
    assert processes.pid_of(node) == sleeper.pid
    assert processes.stop([node]) == ["bank-a"]
    assert sleeper.wait(5) == -15
    assert processes.pid_of(node) is None
    assert not (node.data / "node.pid").exists()
    assert processes.stop([node]) == []


def test_a_node_is_killed_as_by_a_crash(tmp_path: Path, sleeper: subprocess.Popen[bytes]):
    node = entry(tmp_path)
    assert processes.kill(node) == sleeper.pid
    assert sleeper.wait(5) == -9
    with pytest.raises(CosealError, match="not running"):
        processes.kill(node)


def test_a_process_that_is_not_the_nodes_is_never_touched(tmp_path: Path, sleeper: subprocess.Popen[bytes]):
    other = entry(tmp_path, name="bank-b")
    (other.data / "node.pid").write_text(f"{sleeper.pid}\n")
    assert processes.pid_of(other) is None
    assert processes.stop([other]) == []
    assert sleeper.poll() is None


@pytest.mark.parametrize("content", ["", "abc", "-1", "99999999"])
def test_a_pid_file_that_names_nobody_means_not_running(tmp_path: Path, content: str):
    node = entry(tmp_path)
    (node.data / "node.pid").write_text(content)
    assert processes.pid_of(node) is None


def test_a_node_is_not_started_twice(tmp_path: Path, sleeper: subprocess.Popen[bytes]):
    with pytest.raises(CosealError, match=f"is already running as process {sleeper.pid}"):
        processes.start(entry(tmp_path))


def test_a_node_is_known_also_when_who_started_it_died_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    class Dying(subprocess.Popen[bytes]):
        def __init__(self, words: list[object], **settings: Any) -> None:
            super().__init__([*words[:4], sys.executable, "-c", "import time; time.sleep(60)", *words[-2:]], **settings)
            started.append(self)
            raise KeyboardInterrupt

    started: list[subprocess.Popen[bytes]] = []
    monkeypatch.setattr(subprocess, "Popen", Dying)
    node = entry(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        processes.start(node)
    (process,) = started
    try:
        deadline = time.monotonic() + 20
        while processes.pid_of(node) != process.pid:
            assert time.monotonic() < deadline
            time.sleep(0.001)
    finally:
        process.kill()
        process.wait()


def test_every_taken_port_is_named(tmp_path: Path):
    nodes = [entry(tmp_path), entry(tmp_path, port=FIRST_PORT + 2, name="bank-b")]
    processes.require_free_ports(nodes)
    with socket.socket() as one, socket.socket() as two:
        for held, port in ((one, FIRST_PORT), (two, FIRST_PORT + 3)):
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.bind(("127.0.0.1", port))
            held.listen()
        with pytest.raises(CosealError) as caught:
            processes.require_free_ports(nodes)
        assert [line.partition(", and ")[2] for line in caught.value.detail.splitlines()] == [
            "bank-a (http) needs it",
            "bank-b (link) needs it",
        ]
        assert f"port {FIRST_PORT} is in use by" in caught.value.detail
        assert "--base-port" not in caught.value.hint
        with pytest.raises(CosealError) as caught:
            processes.require_free_ports(nodes, planned=True)
        assert re.search(r"--base-port [0-9]+ is free", caught.value.hint)


class _Status(BaseHTTPRequestHandler):
    document: object = {}
    token: str | None = None

    def do_GET(self) -> None:
        allowed = self.token is None or self.headers["Authorization"] == f"Bearer {self.token}"
        body = json.dumps(self.document if allowed else {"code": "unauthenticated"}).encode()
        self.send_response(200 if allowed else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def answering() -> Iterator[HTTPServer]:
    """A server that answers each request with ``_Status.document``."""
    server = HTTPServer(("127.0.0.1", 0), _Status)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


GOOD = {
    "chain_id": "c1",
    "node": "bank-a",
    "height": 7,
    "round": 0,
    "state_root": "ab",
    "healthy": True,
    "why_stalled": None,
}


def status_with(tmp_path: Path, server: HTTPServer, document: object) -> processes.NodeStatus:
    _Status.document = document
    node = replace(entry(tmp_path), http=f"127.0.0.1:{server.server_address[1]}")
    (status,) = processes.status(Network(tmp_path, "n", "c1", (node,)))
    return status


def test_a_nodes_own_words_are_passed_on(tmp_path: Path, answering: HTTPServer):
    status = status_with(tmp_path, answering, GOOD)
    assert (status.height, status.state_root, status.healthy, status.why_stalled) == (7, "ab", True, None)
    stalled = status_with(tmp_path, answering, {**GOOD, "healthy": False, "why_stalled": "two peers are silent"})
    assert (stalled.healthy, stalled.why_stalled) == (False, "two peers are silent")


def test_a_node_whose_reads_are_not_public_is_shown_its_own_token(
    tmp_path: Path, answering: HTTPServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(_Status, "token", "for reading")
    assert status_with(tmp_path, answering, GOOD).height is None
    tokens = entry(tmp_path).data / "keys" / "tokens.toml"
    tokens.parent.mkdir(parents=True)
    tokens.write_text("[[token]]\nscopes = ['submit']\ntoken = 'other'\n")
    assert status_with(tmp_path, answering, GOOD).height is None
    tokens.write_text("[[token]]\nscopes = ['read']\ntoken = 'for reading'\n")
    assert status_with(tmp_path, answering, GOOD).height == 7
    tokens.write_text("token = 3")
    assert status_with(tmp_path, answering, GOOD).height is None


@pytest.mark.parametrize(
    "document", [{**GOOD, "chain_id": "c2"}, {**GOOD, "node": "bank-b"}, {"hello": 1}], ids=["chain", "node", "other"]
)
def test_a_stranger_on_the_nodes_port_is_not_taken_for_it(tmp_path: Path, answering: HTTPServer, document: dict):
    status = status_with(tmp_path, answering, document)
    assert (status.height, status.healthy) == (None, False)
    assert status.why_stalled is not None
    assert "another node answers there" in status.why_stalled


def test_silence_is_told_as_not_running(tmp_path: Path):
    (status,) = processes.status(Network(tmp_path, "n", "c1", (entry(tmp_path),)))
    assert (status.pid, status.healthy, status.why_stalled) == (None, False, "not running")


def log(node: NodeEntry, *events: dict) -> None:
    node.log.write_text("".join(json.dumps(event) + "\n" for event in events))


def test_why_a_node_ended_by_itself_is_said_whole(tmp_path: Path):
    node, reason = entry(tmp_path), "block 5 is damaged " * 100
    network = Network(tmp_path, "n", "c1", (node,))
    log(node, {"event": "started"}, {"event": "cannot_start", "reason": reason, "status": 4})
    (status,) = processes.status(network)
    assert status.why_stalled == f"not running: {reason}"
    process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(4)"])
    process.wait()
    with pytest.raises(CosealError) as caught:
        processes.wait(network, {"bank-a": process}, processes.have_first_block)
    assert caught.value.detail == f"bank-a ended with exit code 4: {reason}"
    log(node, {"event": "halted", "reason": "two blocks"}, {"event": "stopped", "status": 3})
    assert processes.why_ended(node.log) == "two blocks"
    log(node, {"event": "fault", "exception": "Traceback\n  File\nKeyError: 'x'"}, {"event": "stopped", "status": 1})
    assert processes.why_ended(node.log) == "a fault of the software: KeyError: 'x'"


def test_a_node_that_was_stopped_or_killed_has_no_reason(tmp_path: Path):
    node = entry(tmp_path)
    log(node, {"event": "cannot_start", "reason": "old"}, {"event": "started"}, {"event": "stopped", "status": 0})
    assert processes.why_ended(node.log) is None
    log(node, {"event": "cannot_start", "reason": "old"}, {"event": "started"}, {"event": "slow"})
    assert processes.why_ended(node.log) is None


def test_waiting_ends_with_the_log_of_the_node_that_failed(tmp_path: Path):
    node = entry(tmp_path)
    node.log.write_text("line\n" * 50 + "the disk is full\n")
    network = Network(tmp_path, "n", "c1", (node,))
    process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    process.wait()
    with pytest.raises(CosealError, match="bank-a ended with exit code 3") as caught:
        processes.wait(network, {"bank-a": process}, processes.have_first_block)
    assert "the disk is full" in caught.value.hint
    with pytest.raises(CosealError, match="not ready after 0 s; bank-a: not running"):
        processes.wait(network, {}, processes.have_first_block, timeout_s=0)


def node_status(**changed) -> processes.NodeStatus:
    fields = {"height": 5, "round": 0, "state_root": "aa", "healthy": True, "why_stalled": None} | changed
    return processes.NodeStatus(name="n", role="bank", kind="validator", pid=1, url="http://x", **fields)


def test_one_tip_means_one_height_one_root_all_healthy():
    good = node_status()
    assert processes.share_one_tip([good, good])
    assert not processes.share_one_tip([good, node_status(height=4)])
    assert not processes.share_one_tip([good, node_status(state_root="bb")])
    assert not processes.share_one_tip([good, node_status(healthy=False)])
    assert not processes.share_one_tip([node_status(height=0)])


def test_the_first_block_counts_on_all_nodes_only():
    assert processes.have_first_block([node_status(height=1), node_status()])
    assert not processes.have_first_block([node_status(), node_status(height=0)])
    assert not processes.have_first_block([node_status(), node_status(height=None)])
