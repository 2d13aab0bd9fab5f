"""Rows of the table that a running network gives: one function a row, each one run, its figures by name.

Law: a throughput counts what is committed with receipt ``ok`` in certified blocks, read back from a node.
"""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import uvloop

from bench.figures import Run
from bench.machine import CORES, busy_seconds, cpu_seconds, memory_mb
from bench.network import Network
from bench.work import prepare, record, require_answered
from coseal.client.load import connect, post, run_clients
from coseal.ledger.block import OK, CommittedBlock, Receipt
from coseal.ledger.codec import decode, encode

CLIENTS = 64
BATCH = 100
OVERTAKEN = "sequence"
"""The code of a receipt whose transaction came before its source's previous one, which a lagging node can cause."""
_POSTED = 150
"""Transactions in a request of ``fill``: four clients of one member at a node fit into its share of the mempool."""
_numbers = count(1)


def sources(number: int) -> range:
    """Return numbers of sources that no run of this process has used."""
    first = next(_numbers) * 10_000
    return range(first, first + number)


def read_blocks(url: str, first: int) -> list[CommittedBlock]:
    """Return all committed blocks from ``first`` on."""
    blocks: list[CommittedBlock] = []
    while True:
        request = urllib.request.Request(
            f"{url}/v1/blocks?from={first + len(blocks)}&limit=500", headers={"Accept": "application/msgpack"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            raws: Any = decode(answer.read())
        if not raws:
            return blocks
        blocks += [CommittedBlock.decode(raw) for raw in raws]


def wait_until_idle(network: Network, url: str, timeout_s: float = 180) -> None:
    """Wait until nothing waits in the node's mempool."""
    deadline = time.monotonic() + timeout_s
    while network.status(url)["mempool"]["transactions"]:
        if time.monotonic() > deadline:
            raise RuntimeError(f"the load was not committed within {timeout_s:g} s")
        time.sleep(0.02)


def committed_ok(blocks: Sequence[CommittedBlock]) -> int:
    """Return how many transactions of these blocks have receipt ``ok``."""
    return sum(Receipt.decode(leaf).code == OK for block in blocks for leaf in block.receipts[1:])


@dataclass
class Cost:
    """What a stretch of work took: wall time, and processor time of the nodes, of this process and of all others."""

    elapsed_s: float = 0.0
    nodes_s: float = 0.0
    own_s: float = 0.0
    others_s: float = 0.0
    nodes: int = field(default=0)

    def figures(self, transactions: int) -> dict[str, float]:
        """Return the figures for a row of so many transactions.

        The rate by CPU is what the machine would carry if it did nothing else and its cores never waited.
        """
        return {
            "transactions/s by CPU": transactions * CORES / (self.nodes_s + self.own_s),
            "CPU ms a transaction and node": self.nodes_s / self.nodes / transactions * 1000,
            "cores used by others": max(0.0, self.others_s / self.elapsed_s),
        }


@contextmanager
def costed(network: Network) -> Iterator[Cost]:
    """Measure what the work inside costs; the nodes must live through it."""
    pids = tuple(network.pids().values())
    cost = Cost(nodes=len(pids))
    began, nodes, own, busy = time.perf_counter(), cpu_seconds(pids), time.process_time(), busy_seconds()
    yield cost
    cost.elapsed_s = time.perf_counter() - began
    cost.nodes_s = cpu_seconds(pids) - nodes
    cost.own_s = time.process_time() - own
    cost.others_s = busy_seconds() - busy - cost.nodes_s - cost.own_s


def send(network: Network, urls: Sequence[str], work: Sequence[Sequence[bytes]]) -> Run:
    """Send signed transactions, one client a list, and return the rate at which they took effect, with its cost."""
    before = network.status(urls[0])["height"]
    with costed(network) as cost:
        result = uvloop.run(run_clients(urls, "/v1/transactions?wait=accepted", work))
        wait_until_idle(network, urls[0])
    require_answered(result)
    blocks = read_blocks(urls[0], before + 1)
    codes = Counter(Receipt.decode(leaf).code for block in blocks for leaf in block.receipts[1:])
    done, late, expected = codes[OK], codes[OVERTAKEN], sum(map(len, work))
    if not done or done + late != expected:
        raise RuntimeError(f"of {expected} transactions {dict(codes)} are committed; answers {dict(result.statuses)}")
    return {
        "transactions/s": done / cost.elapsed_s,
        **cost.figures(done),
        "transactions a block": done / len(blocks),
        "blocks in a later round": sum(block.certificate.round > 0 for block in blocks),
        "overtaken": late,
    }


def throughput(network: Network, *, transactions: int, batch: int = 1) -> Run:
    """Commit ``transactions`` of ``batch`` events each from 64 clients over all nodes."""
    chosen = sources(CLIENTS)
    uvloop.run(prepare(network, network.urls[0], chosen))
    each = max(1, transactions // CLIENTS)
    work = [[record(network, source, 1 + i * batch, batch) for i in range(each)] for source in chosen]
    figures = dict(send(network, network.urls, work))
    return figures if batch == 1 else {"events/s": figures["transactions/s"] * batch, **figures}


def transaction_bytes(network: Network) -> int:
    """Return the size of one such transaction."""
    return len(record(network, 10_000, 1, 1))


def latency(network: Network, *, requests: int = 300) -> Run:
    """One client that waits for each commit."""
    url, (source,) = network.urls[0], sources(1)
    uvloop.run(prepare(network, url, [source]))
    work = [[record(network, source, 1 + i, 1) for i in range(requests)]]
    with costed(network) as cost:
        result = uvloop.run(run_clients([url], "/v1/transactions?wait=commit", work))
    require_answered(result)
    cpu_ms = cost.figures(requests)["CPU ms a transaction and node"]
    p50, p99 = result.percentile_ms(0.5), result.percentile_ms(0.99)
    return {"p50 ms": p50, "p99 ms": p99, "CPU ms a transaction and node": cpu_ms}


def memory_after(network: Network, *, transactions: int) -> Run:
    """Fill the chain up to so many transactions; private memory of the nodes, MB."""
    url = network.urls[0]
    had = committed_ok(read_blocks(url, 1))
    if had < transactions:
        fill(network, transactions - had)
    sizes = [memory_mb(pid) for pid in network.pids().values()]
    return {"MB, the largest node": max(sizes), "MB, the smallest": min(sizes), "transactions": max(had, transactions)}


def fill(network: Network, transactions: int, *, items: int = 1, objects: bool = False, clients: int = 16) -> None:
    """Commit about so many transactions as cheaply as the API lets us: many in a request.

    ``items`` events each; with ``objects`` every event is of an object of its own.
    """
    chosen = sources(clients)
    uvloop.run(prepare(network, network.urls[0], chosen))
    each = -(-transactions // clients)
    posted = max(1, _POSTED // items)

    async def client(number: int, source: int) -> None:
        for first in range(0, each, posted):
            raws = [
                record(network, source, 1 + index * items, items, objects=objects)
                for index in range(first, min(each, first + posted))
            ]
            await _post_all(network.urls[number % len(network.urls)], raws)

    async def run() -> None:
        async with asyncio.TaskGroup() as group:
            for number, source in enumerate(chosen):
                group.create_task(client(number, source))

    uvloop.run(run())
    wait_until_idle(network, network.urls[0])


async def _post_all(url: str, raws: list[bytes]) -> None:
    """Post one source's transactions, in order, until all of them are committed.

    Each post has a connection of its own: a node closes one that is silent while other clients sign.
    """
    request = post(url, "/v1/transactions/batch?wait=commit", encode(raws))
    while True:
        connection = await connect(url)
        try:
            status, body = await connection.request(request)
        finally:
            connection.close()
        if status not in (200, 202, 429, 503):
            raise RuntimeError(f"HTTP {status}: {body.decode(errors='replace')[:400]}")
        if status == 200 and all(result["status"] == "committed" for result in json.loads(body)["results"]):
            return
        await asyncio.sleep(0.05)
