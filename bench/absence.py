"""Nodes that go away: the leader killed under load, and a node that catches up."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import time
import urllib.error
from collections.abc import Sequence

import uvloop

from bench.figures import Run
from bench.machine import cpu_seconds
from bench.network import COSEAL, Network
from bench.rows import sources, wait_until_idle
from bench.work import prepare, record
from coseal.client.load import connect, post, run_clients
from coseal.network import processes

_CLIENTS = 8
_WATCHED_S = 10.0
_KILLED_AFTER_S = 2.0
_MOST = 24_000  # far more than can be committed meanwhile: a load that ends looks like a gap


def leader_killed(network: Network) -> Run:
    """Kill -9 the leader under load; the longest time without a new block on a survivor, in ms, and the usual one."""
    nodes = network.nodes()
    leader = network.status(nodes[0]["url"])["leader"]
    alive = [node["url"] for node in nodes if node["name"] != leader]
    chosen = sources(_CLIENTS)
    uvloop.run(prepare(network, alive[0], chosen))
    work = [[record(network, source, 1 + i, 1) for i in range(_MOST // _CLIENTS)] for source in chosen]
    pid = next(node["pid"] for node in nodes if node["name"] == leader)
    gaps = uvloop.run(_watched(alive, work, pid))
    network.coseal("node", "start", leader, "--dir", str(network.directory))
    return {"gap ms": max(gaps) * 1000, "usual gap ms": statistics.median(gaps) * 1000}


async def _watched(alive: Sequence[str], work: Sequence[Sequence[bytes]], pid: int) -> list[float]:
    load = asyncio.create_task(run_clients(alive, "/v1/transactions?wait=commit", work))
    watcher = await connect(alive[0])
    ask = post(alive[0], "/v1/status", b"").replace(b"POST", b"GET", 1)
    seen, last, gaps, killed = 0, time.perf_counter(), [], False
    started = last
    while time.perf_counter() - started < _WATCHED_S:
        _, body = await watcher.request(ask)
        height, now = json.loads(body)["height"], time.perf_counter()
        if height > seen:
            gaps.append(now - last)
            seen, last = height, now
        if not killed and now - started > _KILLED_AFTER_S:
            os.kill(pid, 9)
            killed = True
        await asyncio.sleep(0.005)
    if load.done():
        raise RuntimeError("the load ended while the network was watched")
    gaps.append(time.perf_counter() - last)
    load.cancel()
    watcher.close()
    return gaps[1:]


def catch_up(network: Network, *, transactions: int) -> Run:
    """Stop a node, commit without it, start it: its rate over the live one, once it runs and with its start."""
    lagging = network.entries[-1]
    network.coseal("node", "stop", lagging.name, "--dir", str(network.directory))
    urls, chosen = network.urls[:-1], sources(48)
    uvloop.run(prepare(network, urls[0], chosen))
    each = transactions // len(chosen)
    work = [[record(network, source, 1 + i, 1) for i in range(each)] for source in chosen]
    started = time.perf_counter()
    uvloop.run(run_clients(urls, "/v1/transactions?wait=accepted", work))
    wait_until_idle(network, urls[0])
    done = each * len(chosen)
    live = done / (time.perf_counter() - started)
    target = network.status(urls[0])["height"]
    started = time.perf_counter()
    command = [*COSEAL, "node", "start", lagging.name, "--dir", str(network.directory)]
    with subprocess.Popen(command, cwd=network.code, stdout=subprocess.DEVNULL):
        answered = _reached(network, lagging.url, 0)
        pids = [pid for pid in [processes.pid_of(lagging)] if pid is not None]
        before = cpu_seconds(pids)
        caught = _reached(network, lagging.url, target)
        used = cpu_seconds(pids) - before
    rate, alone = done / (caught - started), done / (caught - answered)
    return {
        "times the live rate": alone / live,
        "times, its start included": rate / live,
        "live transactions/s": live,
        "catch-up transactions/s": alone,
        "CPU ms a transaction": used / done * 1000,
        "s to start": answered - started,
        "transactions": done,
    }


def _reached(network: Network, url: str, height: int, timeout_s: float = 180.0) -> float:
    """Wait until a node answers with at least this height; return when."""
    deadline = time.perf_counter() + timeout_s
    while time.perf_counter() < deadline:
        try:
            if network.status(url)["height"] >= height:
                return time.perf_counter()
        except (urllib.error.URLError, ConnectionError):
            pass
        time.sleep(0.02)
    raise RuntimeError(f"{url} did not reach height {height} within {timeout_s:g} s")
