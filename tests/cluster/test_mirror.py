"""Row P2 over real links: a registered node that says everything again, in another order, to everybody."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from coseal.node.core import wire
from coseal.node.transport.links import Identity, Links
from tests.cluster.network import Cluster

pytestmark = pytest.mark.cluster
NAME, BLOCKS = "bank-a", 6
HELD_MAX = 400


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster.make(tmp_path)
    yield made
    made.close()


class Mirror:
    """Has a node's place and certificate; sends every frame that it gets to all others, three times, shuffled."""

    def __init__(self, cluster: Cluster) -> None:
        folder = cluster.entry(NAME).data / "keys"
        registry = {node.id: node.link_certificate for node in cluster.genesis.nodes}
        hello = wire.Hello(cluster.genesis.chain_id, NAME, "mirror")
        self.links = Links(Identity(hello, folder / "link.crt", folder / "link.pem"), registry, self, self.peer_frame)
        entries = {node.name: node.link.rpartition(":") for node in cluster.net.nodes}
        self.addresses = {name: (host, int(port)) for name, (host, _, port) in entries.items()}
        self.linked: set[str] = set()
        self.held: list[bytes] = []
        self.sent = 0
        self.random = random.Random(7)
        self.ended = threading.Event()

    def run(self) -> None:
        asyncio.run(self.reflect())

    async def reflect(self) -> None:
        peers = {name: address for name, address in self.addresses.items() if name != NAME}
        await self.links.start(self.addresses[NAME], peers)
        try:
            while not self.ended.is_set():
                again = self.held * 3
                self.random.shuffle(again)
                for frame in again[:200]:
                    self.links.broadcast(frame, consensus=True)
                    self.sent += 1
                await asyncio.sleep(0.1)
        finally:
            await self.links.close()

    def peer_connected(self, peer: str) -> None:
        self.linked.add(peer)

    def peer_disconnected(self, peer: str, reason: str) -> None:
        self.linked.discard(peer)

    def peer_frame(self, peer: str, payload: bytes) -> None:
        if len(self.held) >= HELD_MAX:
            self.held[self.random.randrange(HELD_MAX)] = payload
        else:
            self.held.append(payload)

    def link_refused(self, address: str, reason: str) -> None:
        pass


def test_p2_frames_that_a_registered_node_repeats_and_reorders_change_nothing(cluster: Cluster) -> None:
    others = [name for name in cluster.names if name != NAME]
    cluster.start(*others)
    mirror = Mirror(cluster)
    thread = threading.Thread(target=mirror.run)
    thread.start()
    try:
        cluster.wait(lambda: len(mirror.linked) == len(others), "the mirror is linked to all", 60)
        first = cluster.height(others[0])
        ids = []
        for _ in range(BLOCKS):
            tx = cluster.transaction("regulator")
            ids.append(tx.id.hex())
            assert cluster.submit(others[0], tx, timeout_s=40)["status"] == "committed"
        cluster.wait(lambda: mirror.sent > 2_000, "2,000 frames were said again", 60)
        assert cluster.submit(others[1], cluster.transaction("regulator"), timeout_s=40)["status"] == "committed"
        cluster.wait_one_tip(*others, seconds=60)
    finally:
        mirror.ended.set()
        thread.join(30)
    committed = [
        cluster.get(others[0], f"/v1/blocks/{height}") for height in range(first, cluster.height(others[0]) + 1)
    ]
    carried = [tx["id"] for block in committed if block is not None for tx in block["transactions"]]
    assert [carried.count(tx) for tx in ids] == [1] * BLOCKS
    for name in others:
        assert cluster.get(name, "/v1/status")["evidence"] == {}
        assert cluster.processes[name].poll() is None
