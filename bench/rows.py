"""The rows of the table: one function a measurement, each returning its figures by name.

Law: a throughput counts what is committed with receipt ``ok`` in certified blocks, read back from a node.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import time
import urllib.request
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from audit.audit import audit
from audit.report import Level
from audit.sources import FileSource
from bench.network import Network, memory_mb
from bench.work import MEMBER, prepare, record, require_answered
from coseal.load import connect, post, run_clients
from ledger import signing
from ledger.block import OK, CommittedBlock, Receipt
from ledger.codec import decode
from ledger.proof import TransactionProof

Figures = dict[str, float]
CLIENTS = 64
BATCH = 100
FINES_EVENTS = 34_724


def urls_of(network: Network) -> list[str]:
    """Return the nodes' base URLs."""
    return [node["url"] for node in network.nodes()]


def read_blocks(url: str, first: int) -> list[CommittedBlock]:
    """Return all committed blocks from ``first`` on."""
    blocks: list[CommittedBlock] = []
    while True:
        request = urllib.request.Request(
            f"{url}/v1/blocks?from={first + len(blocks)}&limit=500", headers={"Accept": "application/msgpack"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            raws: Any = decode(answer.read())
        if not raws:
            return blocks
        blocks += [CommittedBlock.decode(raw) for raw in raws]


def wait_until_idle(network: Network, url: str, timeout_s: float = 120) -> None:
    """Wait until the node's mempool is empty and its height has stood still for a moment."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if network.status(url)["mempool"]["transactions"] == 0:
            return
        time.sleep(0.02)
    raise RuntimeError("the load was not committed in time")


def committed_ok(blocks: Sequence[CommittedBlock]) -> int:
    """Return how many transactions of these blocks have receipt ``ok``."""
    return sum(Receipt.decode(leaf).code == OK for block in blocks for leaf in block.receipts[1:])


def throughput(network: Network, *, transactions: int, batch: int, first_source: int) -> Figures:
    """Commit ``transactions`` of ``batch`` events each from 64 clients over all nodes; rates per second."""
    urls = urls_of(network)
    sources = range(first_source, first_source + CLIENTS)
    asyncio.run(prepare(network, urls[0], sources))
    each = transactions // CLIENTS
    work = [[record(network, source, 1 + i * batch, batch) for i in range(each)] for source in sources]
    before = network.status(urls[0])["height"]
    started = time.perf_counter()
    result = asyncio.run(run_clients(urls, "/v1/transactions?wait=accepted", work))
    wait_until_idle(network, urls[0])
    elapsed = time.perf_counter() - started
    require_answered(result)
    blocks = read_blocks(urls[0], before + 1)
    done = committed_ok(blocks)
    if done != each * CLIENTS:
        codes = Counter(Receipt.decode(leaf).code for block in blocks for leaf in block.receipts[1:])
        raise RuntimeError(f"{done} of {each * CLIENTS} transactions took effect: {dict(codes)}, {result.statuses}")
    return {
        "transactions/s": done / elapsed,
        "events/s": done * batch / elapsed,
        "blocks": len(blocks),
        "transactions a block": done / len(blocks),
    }


def latency(network: Network, *, requests: int = 300, source: int = 9_001) -> Figures:
    """One client that waits for each commit; milliseconds."""
    url = urls_of(network)[0]
    asyncio.run(prepare(network, url, [source]))
    work = [[record(network, source, 1 + i, 1) for i in range(requests)]]
    result = asyncio.run(run_clients([url], "/v1/transactions?wait=commit", work))
    require_answered(result)
    return {"p50 ms": result.percentile_ms(0.5), "p99 ms": result.percentile_ms(0.99)}


def leader_killed(network: Network, *, source: int = 9_100, clients: int = 8) -> Figures:
    """Kill -9 the leader under load; the longest time without a new block on a survivor, in ms, and the usual one."""
    nodes = network.nodes()
    leader = network.status(nodes[0]["url"])["leader"]
    alive = [node["url"] for node in nodes if node["name"] != leader]
    sources = range(source, source + clients)
    asyncio.run(prepare(network, alive[0], sources))
    work = [[record(network, s, 1 + i, 1) for i in range(100_000 // clients // 20)] for s in sources]
    gaps = asyncio.run(_watch(network, alive, work, leader))
    network.coseal("node", "start", leader, "--dir", str(network.directory))
    return {"gap ms": max(gaps) * 1000, "usual gap ms": statistics.median(gaps) * 1000}


async def _watch(network: Network, alive: Sequence[str], work: Sequence[Sequence[bytes]], leader: str) -> list[float]:
    pid = next(node["pid"] for node in network.nodes() if node["name"] == leader)
    load = asyncio.create_task(run_clients(alive, "/v1/transactions?wait=commit", work))
    watcher = await connect(alive[0])
    ask = post(alive[0], "/v1/status", b"").replace(b"POST", b"GET", 1)
    seen, last, gaps, killed = 0, time.perf_counter(), [], False
    started = last
    while time.perf_counter() - started < 10:
        _, body = await watcher.request(ask)
        height, now = json.loads(body)["height"], time.perf_counter()
        if height > seen:
            gaps.append(now - last)
            seen, last = height, now
        if not killed and now - started > 2:
            os.kill(pid, 9)
            killed = True
        await asyncio.sleep(0.005)
    gaps.append(time.perf_counter() - last)
    load.cancel()
    watcher.close()
    return gaps[1:]


def import_rate(network: Network) -> Figures:
    """Record the shipped fines log with ``coseal import``, as a user does: reading, checks, signing, commits."""
    folder = Path(__file__).parents[1] / "examples" / "traffic-fines"
    started = time.perf_counter()
    network.coseal(
        "import",
        str(folder / "traffic-fines.csv.gz"),
        "--map",
        str(folder / "traffic-fines.toml"),
        "--as",
        MEMBER,
        "--dir",
        str(network.directory),
        timeout_s=300,
    )
    return {"events/s": FINES_EVENTS / (time.perf_counter() - started)}


def memory(network: Network) -> Figures:
    """Private memory of the largest node process, MB."""
    return {"MB a node": max(memory_mb(node["pid"]) for node in network.nodes())}


def verify_cost() -> Figures:
    """Microseconds to verify one signature with the product's own verifier, one core: the best of several runs."""
    signer = signing.Ed25519Signer(bytes(range(32)))
    message = b"m" * 88
    signature = signer.sign(message)
    best = float("inf")
    for _ in range(7):
        started = time.perf_counter()
        for _ in range(1_000):
            signing.verify(signer.public_key, message, signature)
        best = min(best, (time.perf_counter() - started) / 1_000)
    return {"us": best * 1e6}


def audit_rates(network: Network, node: str) -> Figures:
    """Audit the node's block files offline; blocks/s with certificates, transactions/s with replay."""
    folder = Path(network.directory) / "nodes" / node
    figures: Figures = {}
    for level, name, unit in (
        (Level.CERTIFICATES, "certificates blocks/s", "blocks"),
        (Level.REPLAY, "replay transactions/s", "transactions"),
    ):
        started = time.perf_counter()
        report = audit([FileSource(folder)], network.genesis, level=level)
        elapsed = time.perf_counter() - started
        if not report.ok:
            raise RuntimeError(f"the audit found {report.findings}")
        figures[name] = (report.blocks if unit == "blocks" else report.transactions) / elapsed
    return figures


def receipt_verification(network: Network) -> Figures:
    """Verify one receipt offline, ms (median)."""
    url = urls_of(network)[0]
    blocks = read_blocks(url, max(1, network.status(url)["height"] - 50))
    block = next(block for block in reversed(blocks) if block.block.transactions)
    proof = TransactionProof.of(block, 0)
    raw, times = proof.encode(), []
    for _ in range(50):
        started = time.perf_counter()
        TransactionProof.decode(raw).verify(network.genesis.chain_id, network.genesis.validators)
        times.append(time.perf_counter() - started)
    return {"ms": statistics.median(times) * 1000}


def catch_up(network: Network, *, transactions: int, first_source: int) -> Figures:
    """Stop a node, commit without it, start it: its rate over the live one."""
    nodes = network.nodes()
    lagging = nodes[-1]
    network.coseal("node", "stop", lagging["name"], "--dir", str(network.directory))
    urls = [node["url"] for node in nodes[:-1]]
    sources = range(first_source, first_source + 16)
    asyncio.run(prepare(network, urls[0], sources))
    each = transactions // 16
    work = [[record(network, source, 1 + i, 1) for i in range(each)] for source in sources]
    started = time.perf_counter()
    asyncio.run(run_clients(urls, "/v1/transactions?wait=accepted", work))
    wait_until_idle(network, urls[0])
    live = each * 16 / (time.perf_counter() - started)
    target = network.status(urls[0])["height"]
    started = time.perf_counter()  # the start of the process counts
    network.coseal("node", "start", lagging["name"], "--dir", str(network.directory))
    deadline = started + 120
    while network.status(lagging["url"])["height"] < target:
        if time.perf_counter() > deadline:
            raise RuntimeError("the node did not catch up within 120 s")
        time.sleep(0.02)
    caught = each * 16 / (time.perf_counter() - started)
    return {"live transactions/s": live, "catch-up transactions/s": caught, "ratio": caught / live}
