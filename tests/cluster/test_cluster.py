"""Four real node processes: they commit, survive kill -9 of any one, and refuse what a crash cannot explain.

All tests are of one network, which outlives each of them: what a test breaks it mends.
"""

from __future__ import annotations

import contextlib
import itertools
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from coseal.ledger import framing
from tests.cluster.network import Cluster

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = Cluster.make(tmp_path_factory.mktemp("cluster"))
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def cluster(network: Cluster) -> Cluster:
    """The network with all nodes running, at one tip behind the first block."""
    network.complete()
    return network


@contextlib.contextmanager
def mended(path: Path) -> Iterator[bytes]:
    """Put a node's file back as it was afterwards, with its mode; what it held is given."""
    held, mode = path.read_bytes(), path.stat().st_mode
    try:
        yield held
    finally:
        path.write_bytes(held)
        path.chmod(mode)


def committed(cluster: Cluster, name: str) -> None:
    """Commit one transaction through a node."""
    answer = cluster.submit(name, cluster.transaction())
    assert answer["status"] == "committed", answer


class Load:
    """Submits through given nodes, one transaction after the other, and remembers when each was committed."""

    def __init__(self, cluster: Cluster, *through: str) -> None:
        self.committed: list[tuple[float, str]] = []
        self._cluster, self._through = cluster, through
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            tx = self._cluster.transaction()
            answer = self._cluster.submit(self._through[number % len(self._through)], tx)
            if answer is not None and answer.get("status") == "committed":
                self.committed.append((time.monotonic(), tx.id.hex()))

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def longest_gap_s(self) -> float:
        moments = [moment for moment, _ in self.committed]
        return max(later - earlier for earlier, later in itertools.pairwise(moments))


def test_four_nodes_commit_and_agree(cluster: Cluster) -> None:
    for name in cluster.names:
        answer = cluster.submit(name, cluster.transaction())
        assert answer["status"] == "committed", answer
        assert answer["receipt"]["code"] == "ok"
    cluster.wait_one_tip()
    assert all(cluster.get(name, "/healthz") is not None for name in cluster.names)


def test_a_full_disk_ends_one_node_and_not_the_chain(cluster: Cluster) -> None:
    """A limit on the size of files stands for a disk that takes no more; early here, while files are small."""
    victim = cluster.names[2]
    assert cluster.stop(victim) == 0
    data = cluster.entry(victim).data
    file_bytes_max = 200_000 + max(path.stat().st_size for path in data.rglob("*") if path.is_file())
    cluster.start(victim, file_bytes_max=file_bytes_max)
    cluster.wait_one_tip()
    process = cluster.processes[victim]
    for _ in range(file_bytes_max // 4_000 + 20):
        answer = cluster.submit(cluster.names[0], cluster.transaction(padding=4_000))
        assert answer["height"] is not None, answer  # recorded, with its refusal
        if process.poll() is not None:
            break
    assert process.wait(20) == 4
    lines = (data / "node.log").read_text().splitlines()
    (reason,) = [line for line in lines if '"storage_failed"' in line]
    assert "free space" in reason
    assert "Traceback" not in reason
    cluster.start(victim)
    cluster.wait_one_tip()


@pytest.mark.slow
def test_any_node_killed_under_load_returns_to_the_same_state(cluster: Cluster) -> None:
    for victim in cluster.names:
        others = [name for name in cluster.names if name != victim]
        load = Load(cluster, *others)
        cluster.wait(lambda load=load: len(load.committed) > 10, "commits before the kill")
        cluster.kill(victim)
        before = len(load.committed)
        cluster.wait(lambda load=load, before=before: len(load.committed) > before + 10, "commits without it")
        cluster.start(victim)
        cluster.wait(lambda victim=victim: cluster.height(victim) > 0, "the node answers again")
        load.stop()
        assert load.longest_gap_s() < 10
        cluster.wait_one_tip()
    for name in cluster.names:
        assert "accused" not in (cluster.entry(name).data / "node.log").read_text()


def test_the_leader_killed_under_load_is_replaced(cluster: Cluster) -> None:
    leader = cluster.get(cluster.names[0], "/v1/status")["leader"]
    others = [name for name in cluster.names if name != leader]
    load = Load(cluster, *others)
    cluster.wait(lambda: len(load.committed) > 10, "commits before the kill")
    leader = cluster.get(others[0], "/v1/status")["leader"]
    if leader in others:  # the turn passed meanwhile; only the node that leads now will do
        load.stop()
        others = [name for name in cluster.names if name != leader]
        load = Load(cluster, *others)
    cluster.kill(leader)
    before = len(load.committed)
    cluster.wait(lambda: len(load.committed) > before + 20, "commits under another leader")
    load.stop()
    assert load.longest_gap_s() < 10
    cluster.wait_one_tip(*others)


def test_all_nodes_killed_at_once_go_on_where_they_were_and_take_no_transaction_twice(cluster: Cluster) -> None:
    tx = cluster.transaction()
    first = cluster.submit(cluster.names[0], tx)
    assert first["status"] == "committed"
    height = max(cluster.height(name) for name in cluster.names)
    for name in cluster.names:
        cluster.kill(name)
    cluster.start()
    cluster.wait_height(height)
    again = cluster.submit(cluster.names[1], tx)
    assert (again["status"], again["height"], again["index"]) == ("committed", first["height"], first["index"])
    committed(cluster, cluster.names[2])
    cluster.wait_one_tip()


def block_file(cluster: Cluster, name: str) -> Path:
    return cluster.entry(name).data / "blocks" / "00000001.log"


def stopped_with_blocks(cluster: Cluster, blocks: int) -> str:
    """Commit up to ``blocks`` blocks and stop one node; return its name."""
    while cluster.height(cluster.names[0]) < blocks:
        committed(cluster, cluster.names[0])
    cluster.wait_one_tip()
    victim = cluster.names[3]
    assert cluster.stop(victim) == 0
    return victim


def test_a_damaged_last_record_is_cut_off_said_and_fetched_again(cluster: Cluster) -> None:
    victim = stopped_with_blocks(cluster, 4)
    path = block_file(cluster, victim)
    data = bytearray(path.read_bytes())
    last = framing.scan(bytes(data)).records[-1]
    data[last.end - 20] ^= 1
    path.write_bytes(data)
    cluster.start(victim)
    cluster.wait_one_tip()
    assert cluster.height(victim) >= last.sequence
    log = (cluster.entry(victim).data / "node.log").read_text()
    assert f"block {last.sequence}, was damaged or incomplete" in log


def test_a_damaged_middle_record_is_refused_naming_the_height(cluster: Cluster) -> None:
    victim = stopped_with_blocks(cluster, 4)
    path = block_file(cluster, victim)
    with mended(path) as good:
        data = bytearray(good)
        data[framing.scan(good).records[2].start + 60] ^= 1
        path.write_bytes(data)
        run = cluster.run_to_end(victim)
    assert run.returncode == 4
    assert "block 3 is damaged" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_node_without_its_state_rebuilds_it_and_one_without_blocks_fetches_them(cluster: Cluster) -> None:
    victim = stopped_with_blocks(cluster, 4)
    shutil.rmtree(cluster.entry(victim).data / "state")
    cluster.start(victim)
    cluster.wait_one_tip()
    assert cluster.stop(victim) == 0
    shutil.rmtree(cluster.entry(victim).data / "state")
    shutil.rmtree(cluster.entry(victim).data / "blocks")
    cluster.start(victim)
    cluster.wait_one_tip()


def test_a_second_process_on_a_folder_is_refused(cluster: Cluster) -> None:
    name = cluster.names[0]
    run = cluster.run_to_end(name)
    assert run.returncode == 5
    assert f"pid {cluster.processes[name].pid}" in run.stderr


@pytest.mark.slow
def test_problems_of_a_start_are_said_in_one_line_with_their_status(cluster: Cluster) -> None:
    first, second = cluster.names[:2]
    folder = cluster.entry(first).data
    assert cluster.stop(first) == 0

    key = folder / "keys" / "consensus.pem"
    with mended(key):
        key.chmod(0o644)
        run = cluster.run_to_end(first)
        assert (run.returncode, "chmod 600" in run.stderr) == (2, True)

    with mended(key):
        key.write_bytes((cluster.entry(second).data / "keys" / "consensus.pem").read_bytes())
        run = cluster.run_to_end(first)
        assert (run.returncode, f"not the key of {first}" in run.stderr) == (2, True)

    config = folder / "node.toml"
    with mended(config):
        text = config.read_text()
        config.write_text(text.replace("log_level", "log_levle"))
        run = cluster.run_to_end(first)
        assert (run.returncode, "log_levle" in run.stderr) == (2, True)

        http = cluster.entry(second).http
        config.write_text(text.replace(f'http_listen = "{cluster.entry(first).http}"', f'http_listen = "{http}"'))
        run = cluster.run_to_end(first)
        assert (run.returncode, http in run.stderr) == (6, True)
        link = cluster.entry(second).link
        config.write_text(text.replace(f'link_listen = "{cluster.entry(first).link}"', f'link_listen = "{link}"'))
        run = cluster.run_to_end(first)
        assert (run.returncode, link in run.stderr) == (6, True)

    for line in run.stderr.splitlines():
        assert line.startswith("{"), line


def test_commits_go_on_under_a_flood_of_connections_which_are_closed_in_time(cluster: Cluster) -> None:
    started = time.monotonic()
    flood = []
    for name in cluster.names:
        host, _, port = cluster.entry(name).link.rpartition(":")
        for number in range(60):
            connection = socket.create_connection((host, int(port)), timeout=10)
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n" if number % 2 else b"\x16\x03")
            flood.append(connection)
    for _ in range(5):
        committed(cluster, cluster.names[0])
    for connection in flood:
        with connection, contextlib.suppress(ConnectionError):
            assert connection.recv(1_000) in (b"", b"\x15\x03\x01\x00\x02\x02\x46")  # nothing, or a TLS alert
    assert time.monotonic() - started < 5 + 5
    cluster.wait_one_tip()
    assert all(peer["connected"] for peer in cluster.get(cluster.names[0], "/v1/status")["peers"])


def test_no_secret_appears_in_any_output(cluster: Cluster) -> None:
    canary = "canary-plaintext-8f2c"
    tx = cluster.transaction(text=canary)
    assert cluster.submit(cluster.names[0], tx)["status"] == "committed"
    assert canary in str(cluster.get(cluster.names[1], f"/v1/transactions/{tx.id.hex()}"))  # public on the chain
    secrets = [canary.encode(), *cluster.secrets()]
    assert len(secrets) > 10
    outputs: list[bytes] = []
    for name in cluster.names:
        token = cluster.token(name).encode()
        outputs += [
            cluster.raw(name, "/metrics"),
            cluster.raw(name, "/v1/status"),
            cluster.raw(name, "/v1/transactions/zz"),
            cluster.raw(name, "/v1/transactions", body=tx.raw[:-3]),
            cluster.raw(name, "/v1/transactions", body=b"\xc1" + canary.encode()),
            cluster.raw(name, "/v1/submit", body=b'{"contract": 1}', token=token),
            cluster.raw(name, "/v1/submit", body=b"{}", token=b"x" + token[1:]),
            cluster.raw(name, f"/nowhere?token={token.decode()}"),
        ]
        assert cluster.stop(name) == 0
        outputs.append((cluster.entry(name).data / "node.log").read_bytes())
    for secret in secrets:
        assert not [output for output in outputs if secret in output], secret
