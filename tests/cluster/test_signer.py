"""Four real nodes, one of which has its consensus key in a signer process."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.cluster.network import Cluster
from tests.node.signing_process import SignerProcess

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
NAME = "bank-a"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = Cluster.make(tmp_path_factory.mktemp("signer"))
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def signer(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignerProcess]:
    data, folder = cluster.entry(NAME).data, tmp_path_factory.mktemp("key") / "signer"
    command = [sys.executable, "-m", "coseal.node", "init-signer", "--data", str(folder), "--from", str(data)]
    subprocess.run(command, check=True, timeout=60, stdout=subprocess.DEVNULL)
    made = SignerProcess(folder)
    config = data / "node.toml"
    config.write_text(f'signer = "unix:{made.socket}"\n{config.read_text()}')
    yield made
    made.end()


def commit(cluster: Cluster, name: str) -> None:
    answer = cluster.submit(name, cluster.transaction())
    assert answer is not None
    assert answer["status"] == "committed", answer


def test_a_node_may_start_before_its_signer(cluster: Cluster, signer: SignerProcess) -> None:
    cluster.start()
    cluster.wait_height(1)
    found = cluster.get(NAME, "/v1/status")
    assert (found["voting"], found["kind"]) == (False, "validator")
    signer.start()
    cluster.wait(lambda: cluster.get(NAME, "/v1/status")["voting"], "the node found its signer")
    assert cluster.stop(NAME) == 0


def test_a_node_votes_through_its_signer_waits_for_one_that_is_killed_and_goes_on(
    cluster: Cluster, signer: SignerProcess
) -> None:
    def status() -> dict:
        return cluster.get(NAME, "/v1/status") or {}

    signer.end()
    signer.start()
    cluster.complete()
    cluster.wait(lambda: status().get("voting") is True, "the node votes")
    commit(cluster, NAME)

    signer.end(signal.SIGKILL)
    cluster.wait(lambda: status().get("voting") is False, "the node says that it does not vote")
    assert "signer is away" in status()["silence"]
    commit(cluster, NAME)  # the others are a quorum, and the node follows
    cluster.wait_one_tip()

    cluster.kill("enterprise-a")  # now they are not
    tx = cluster.transaction()
    assert cluster.submit(NAME, tx, wait="accepted")["status"] in ("pending", "accepted")
    cluster.wait(lambda: "signer is away" in (status().get("why_stalled") or ""), "why it is stalled")
    assert cluster.processes[NAME].poll() is None

    signer.start()
    cluster.wait(lambda: status().get("voting") is True, "the node found its signer")
    path = f"/v1/transactions/{tx.id.hex()}"
    cluster.wait(lambda: (cluster.get(NAME, path) or {}).get("status") == "committed", "what waited is committed", 60)

    cluster.kill(NAME)  # and its node's crash costs nothing either
    cluster.start(NAME)
    cluster.wait(lambda: status().get("voting") is True, "the node is back")
    commit(cluster, NAME)
    cluster.wait_one_tip(*[name for name in cluster.names if name != "enterprise-a"])
    assert "Traceback" not in signer.log() + (cluster.entry(NAME).data / "node.log").read_text()
