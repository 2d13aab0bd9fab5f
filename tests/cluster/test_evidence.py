"""One key on two machines, for real: who has a validator's keys speaks in its name, and the chain comes to know it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from coseal.audit.audit import audit
from coseal.audit.sources import sources_in
from coseal.client import keys
from coseal.consensus.messages import Prepare, preimage
from coseal.node.core import wire
from coseal.node.transport.links import Identity, Links
from tests.cluster.network import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
THIEF_S = 20.0


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster.make(tmp_path)
    try:
        yield made
    finally:
        made.close()


class Thief:
    """Speaks over real links as a node whose keys it has; nobody listens here."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster, self.name = cluster, name
        folder = cluster.entry(name).data / "keys"
        registry = {node.id: node.link_certificate for node in cluster.genesis.nodes}
        hello = wire.Hello(cluster.genesis.chain_id, name, "stolen")
        self.links = Links(Identity(hello, folder / "link.crt", folder / "link.pem"), registry, self, self.peer_frame)
        self.signer = keys.read_signer(folder / "consensus.pem")
        self.others: set[str] = set()

    async def contradict(self, height: int) -> None:
        """Say to every other node two PREPAREs for one place, once it is linked to all of them."""
        entries = {node.name: node.link for node in self.cluster.net.nodes}
        addresses = {name: (address.split(":")[0], int(address.split(":")[1])) for name, address in entries.items()}
        own = addresses.pop(self.name)
        await self.links.start(own, addresses)
        try:
            async with asyncio.timeout(THIEF_S):
                while len(self.others) < len(addresses):
                    await asyncio.sleep(0.05)
            index = self.cluster.genesis.validators.index(self.name)
            assert index is not None
            for digest in (b"\x01" * 32, b"\x02" * 32):
                said = Prepare(0, height, 0, index, digest, bytes(64))
                signature = self.signer.sign(preimage(self.cluster.genesis.chain_id, said))
                message = wire.ConsensusMessage(Prepare(0, height, 0, index, digest, signature))
                self.links.broadcast(wire.encode(message), consensus=True)
            await asyncio.sleep(0.5)
        finally:
            await self.links.close()

    def peer_connected(self, peer: str) -> None:
        self.others.add(peer)

    def peer_disconnected(self, peer: str, reason: str) -> None:
        self.others.discard(peer)

    def peer_frame(self, peer: str, payload: bytes) -> None:
        pass

    def link_refused(self, address: str, reason: str) -> None:
        pass


def coseal(cluster: Cluster, *words: str) -> str:
    command = [sys.executable, "-m", "coseal", *words]
    environment = {**os.environ, "COSEAL_DIR": str(cluster.net.directory)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def on_record(cluster: Cluster, *names: str) -> bool:
    answers = [cluster.get(name, "/v1/evidence") for name in names]
    rows = [{"validator": "bank-a", "member": "bank-a", "proofs": 1}]
    return all(answer is not None and answer["validators"] == rows for answer in answers)


def test_c3_a_stolen_key_that_contradicts_itself_is_reported_by_the_nodes_and_seen_by_everyone(
    cluster: Cluster,
) -> None:
    cluster.start()
    cluster.wait_height(1)
    assert cluster.submit("regulator", cluster.transaction())["status"] == "committed"
    cluster.stop("bank-a")
    others = [name for name in cluster.names if name != "bank-a"]
    cluster.wait_one_tip(*others)
    asyncio.run(Thief(cluster, "bank-a").contradict(cluster.height("regulator") + 1))
    cluster.wait(lambda: on_record(cluster, *others), "evidence on record on all")
    cluster.start("bank-a")  # the true one: it learns what was done in its name, and goes on voting
    cluster.wait(lambda: on_record(cluster, *cluster.names), "evidence on the returned node")
    assert cluster.submit("bank-a", cluster.transaction())["status"] == "committed"
    cluster.wait_one_tip()

    found = cluster.get("enterprise-a", "/v1/evidence/bank-a")["proofs"]
    assert [(proof["phase"], proof["reporter"]) for proof in found] == [("prepare", "node:central-bank")]
    seats = {seat["id"]: seat["proofs"] for seat in cluster.get("regulator", "/v1/validators")["validators"]}
    assert seats["bank-a"] == 1
    assert sum(seats.values()) == 1
    assert cluster.get("regulator", "/v1/status")["evidence"] == {"bank-a": 1}
    assert b'coseal_evidence_proofs{validator="bank-a"} 1.0' in cluster.raw("regulator", "/metrics")

    files = sorted((cluster.entry("regulator").data / "evidence").iterdir())
    assert [file.name for file in files] == ["000-bank-a.json"]
    report = json.loads(files[0].read_text())["report"]
    (shown,) = json.loads(coseal(cluster, "show", "evidence", "bank-a", "--json"))["proofs"]
    assert {field: shown[field] for field in report} == report
    assert "1 proof against it" in coseal(cluster, "status")
    key = next(node.consensus_key for node in cluster.genesis.nodes if node.id == "bank-a")
    assert shown["key"] == key.hex()

    answer = audit([*sources_in(cluster.net.directory)], cluster.genesis)
    assert answer.ok, answer.findings
    assert [(item.validator, item.phase) for item in answer.contradictions or ()] == [("bank-a", "prepare")]
