"""Overload: up to ten times the peak is offered by one member that cares for no refusal, beside clients that do.

The peak is what polite clients get while the same generator aims at an idle port, for the generator has its cost
too. Law: nothing is compared that was not measured in the same run.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import uvloop

from bench.figures import Run
from bench.machine import memory_mb
from bench.network import Network
from bench.rows import committed_ok, read_blocks, sources
from bench.work import prepare, record
from coseal.client.load import LoadResult, run_clients
from coseal.ledger.block import CommittedBlock
from coseal.ledger.transaction import Transaction

LOADING, PROBING = 64, 8
"""Polite clients: those that keep the network busy, and those that wait for each commit, whose latency is measured."""
FLOODING, POLITE = "bank-a", "enterprise-a"
_WORK = [sys.executable, "-m", "bench.flood"]
_SAMPLE_S = 0.25


@dataclass(frozen=True, slots=True)
class _Seen:
    """What happened in a stretch of time, from outside."""

    elapsed_s: float
    blocks: list[CommittedBlock]
    polite: LoadResult
    flood: dict[str, Any]
    memory_mb: list[float]
    unhealthy: int

    @property
    def rate(self) -> float:
        """Transactions that took effect a second, whoever sent them."""
        return committed_ok(self.blocks) / self.elapsed_s

    def of(self, sender: str) -> float:
        """Committed transactions of one member a second."""
        raws = (raw for block in self.blocks for raw in block.block.transactions)
        return sum(Transaction.decode(raw).sender == f"{sender}/admin" for raw in raws) / self.elapsed_s


def overload(network: Network, *, peak: float, times: float, seconds: float) -> Run:
    """Offer ``times`` the ``peak`` (transactions a second, roughly known) for so long; compare with the idle port."""
    rate = peak * times
    with (
        _started(*_WORK, str(network.directory), FLOODING, str(rate), str(seconds)) as flood,
        _started(*_WORK, "sink") as sink,
    ):
        idle = _read(sink)
        if _read(flood) != "ready":
            raise RuntimeError("the load generator did not get ready")
        alone = _stretch(network, flood, [idle], peak, seconds)
        both = _stretch(network, flood, network.urls, peak, seconds)
    offered = sum(both.flood["answers"].values()) / both.flood["elapsed_s"]
    return {
        "share of the peak": both.rate / alone.rate,
        "transactions/s": both.rate,
        "transactions/s, idle port": alone.rate,
        "times the peak offered": offered / alone.rate,
        "p99 ms of the admitted": both.polite.percentile_ms(0.99),
        "p50 ms of the admitted": both.polite.percentile_ms(0.5),
        "p99 ms to refuse": both.flood["refused_ms"][1],
        "p50 ms to refuse": both.flood["refused_ms"][0],
        "p99 ms to refuse, idle port": alone.flood["refused_ms"][1],
        "share of the polite": both.of(POLITE) / both.rate,
        "of what the polite get, idle port": both.of(POLITE) / alone.of(POLITE),
        "MB a node grew": max(both.memory_mb) - both.memory_mb[0],
        "MB a node grew, idle port": max(alone.memory_mb) - alone.memory_mb[0],
        "blocks in a later round": sum(block.certificate.round > 0 for block in both.blocks),
        "times a node said unhealthy": both.unhealthy,
    }


def _stretch(network: Network, flood: subprocess.Popen[str], urls: list[str], peak: float, seconds: float) -> _Seen:
    """Let the generator aim at ``urls`` while polite clients work, and look on."""
    chosen = sources(LOADING + PROBING)
    uvloop.run(prepare(network, network.urls[0], chosen))
    each = int(2 * peak * (seconds + 2) / LOADING)  # they must not run out of work
    work = [[record(network, source, 1 + i, 1) for i in range(each)] for source in chosen]
    return uvloop.run(_watched(network, flood, urls, work, seconds))


async def _watched(
    network: Network, flood: subprocess.Popen[str], urls: list[str], work: list[list[bytes]], seconds: float
) -> _Seen:
    pids = list((await asyncio.to_thread(network.pids)).values())
    result = LoadResult()
    load = asyncio.gather(
        run_clients(network.urls, "/v1/transactions?wait=accepted", work[:LOADING]),
        run_clients(network.urls, "/v1/transactions?wait=commit", work[LOADING:], result),
    )
    await asyncio.sleep(1.0)  # they are under way
    answered = asyncio.create_task(asyncio.to_thread(_ask, flood, urls))
    height = (await asyncio.to_thread(network.status, network.urls[0]))["height"]
    began, memory, unhealthy = time.perf_counter(), [], 0
    while time.perf_counter() - began < seconds:
        memory.append(max(memory_mb(pid) for pid in pids))
        status = await asyncio.to_thread(network.status, network.urls[len(memory) % len(network.urls)])
        unhealthy += not status["healthy"]
        await asyncio.sleep(_SAMPLE_S)
    tip = (await asyncio.to_thread(network.status, network.urls[0]))["height"]
    elapsed = time.perf_counter() - began
    if load.done():
        raise RuntimeError("the polite clients ran out of work")
    load.cancel()
    with suppress(asyncio.CancelledError):
        await load
    blocks = await asyncio.to_thread(read_blocks, network.urls[0], height + 1)
    return _Seen(elapsed, blocks[: tip - height], result, await answered, memory, unhealthy)


def _ask(process: subprocess.Popen[str], urls: list[str]) -> Any:
    assert process.stdin is not None
    process.stdin.write(" ".join(urls) + "\n")
    process.stdin.flush()
    return json.loads(_read(process))


def _read(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    if not line:
        raise RuntimeError("the load generator ended")
    return line


@contextmanager
def _started(*command: str) -> Iterator[subprocess.Popen[str]]:
    """Start a process that ends when its standard input does."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
