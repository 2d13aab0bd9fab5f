"""``python -m bench.wan``: four validators far from each other, each in a network namespace of its own (root only).

The delay is made by ``bench.delay``; a client is near its node, as a member's systems are near the member's node.
Before each run the line between two nodes is measured; one that is not as long as it should be ends the bench.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from bench import machine, rows
from bench.delay import NETWORK
from bench.figures import Figure, Run, number, repeated, summary
from bench.line import line
from bench.network import Network, end_in_order
from bench.results import FOLDER, Results
from coseal.network import folders
from coseal.network.consortium import default_consortium

_START_S = 120.0
_DELAY_S = 90.0
"""No run is begun that would probably end later after the first at this delay began: three delays take five minutes."""
_LIMITS = "\n[http_limits]\nrequests_per_s = 50000\ntransactions_per_s = 200000\n"
"""Rates as for loopback: the clients are on this machine, though their address does not say so."""


@dataclass(frozen=True, eq=False)
class FarNetwork(Network):
    """A network whose nodes are in ``namespaces``; this process started them."""

    namespaces: tuple[str, ...] = ()
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def pids(self) -> dict[str, int]:
        """See ``Network``."""
        return {name: process.pid for name, process in self.processes.items()}


@contextmanager
def far_network(*, round_trip_ms: float, validators: int = 4, base_port: int = 26000) -> Iterator[FarNetwork]:
    """Start a network over lines of so much delay; end and remove all of it afterwards."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="coseal-wan-"))) / "net"
        addressing = folders.Addressing(base_port=base_port)
        net = folders.create(folder, default_consortium(validators), addressing=addressing)
        namespaces = {node.name: f"coseal-{os.getpid()}-{place}" for place, node in enumerate(net.nodes)}
        for namespace in namespaces.values():
            _ip("netns", "add", namespace)
            stack.callback(_ip, "netns", "del", namespace)
            _ip("-n", namespace, "link", "set", "lo", "up")
        stack.enter_context(hub(round_trip_ms / 2, list(namespaces.values())))
        _move(net)
        far = FarNetwork(folder, net.genesis(), 0.0, namespaces=tuple(namespaces.values()))
        for node in net.nodes:
            command = ["ip", "netns", "exec", namespaces[node.name], sys.executable, "-m", "coseal.node"]
            log = stack.enter_context(open(node.log, "ab"))
            process = subprocess.Popen([*command, "run", "--data", str(node.data)], stdout=log, stderr=log)
            stack.callback(process.wait, 30)
            stack.callback(process.terminate)
            far.processes[node.name] = process
        _wait_for_blocks(far)
        yield far


def _move(net: folders.Network) -> None:
    """Give every node the address of its namespace, in its own configuration and where others name it."""
    hosts = {}
    for place, node in enumerate(net.nodes):
        for address in (node.http, node.link):
            hosts[address] = f"{NETWORK}.{place + 1}:{address.rpartition(':')[2]}"
    for path in (net.directory / "network.toml", *(node.data / "node.toml" for node in net.nodes)):
        text = re.sub(r"127\.0\.0\.1:\d+", lambda found: hosts[found[0]], path.read_text("utf-8"))
        if path.name == "node.toml":
            text = "http_allow_plain = true\n" + text + _LIMITS
        path.write_text(text, "utf-8")


@contextmanager
def hub(one_way_ms: float, namespaces: Sequence[str]) -> Iterator[None]:
    """Join namespaces by ``bench.delay``; raise ``RuntimeError`` if that does not start."""
    command = [sys.executable, "-m", "bench.delay", str(one_way_ms), *namespaces]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        if process.stdout.readline().strip() != "ready":
            raise RuntimeError("the hub between the namespaces did not start")
        yield
    finally:
        process.communicate(timeout=10)


def _wait_for_blocks(far: FarNetwork) -> None:
    deadline = time.monotonic() + _START_S
    waiting = list(far.urls)
    while waiting:
        if time.monotonic() > deadline:
            raise RuntimeError(f"no first block at {', '.join(waiting)} within {_START_S:g} s")
        try:
            if far.status(waiting[0])["height"] >= 1:
                waiting.pop(0)
                continue
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.1)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, timeout=10)


def line_between(network: FarNetwork, round_trip_ms: float, port: int) -> Run:
    """Measure the line between the first two nodes; raise ``RuntimeError`` if it is not as far as it should be."""
    near, far = network.namespaces[:2]
    found = line(near, far, f"{NETWORK}.2", port)
    if not round_trip_ms <= found["least ping ms"] <= round_trip_ms * 1.1 + 2:
        raise RuntimeError(f"a round trip takes {found['least ping ms']:.1f} ms and not {round_trip_ms:g}")
    return {"ping ms": found["ping ms"], "MB/s of a connection": found["MB/s"]}


def measured(round_trip_ms: float, options: argparse.Namespace, console: Console) -> dict[str, object]:
    """Return the figures at one delay, and say what each run came to."""
    scale = options.scale
    with far_network(round_trip_ms=round_trip_ms, base_port=options.base_port) as network:

        def run() -> Run:
            far = line_between(network, round_trip_ms, options.base_port - 1)
            alone = rows.latency(network, requests=60)
            many = rows.throughput(network, transactions=int(6_400 * scale))
            batches = rows.throughput(network, transactions=int(640 * scale), batch=rows.BATCH)
            figures = {
                **far,
                "p50 ms": alone["p50 ms"],
                "p99 ms": alone["p99 ms"],
                "transactions/s": many["transactions/s"],
                "transactions a block": many["transactions a block"],
                "events/s": batches["events/s"],
                "blocks in a later round": many["blocks in a later round"] + batches["blocks in a later round"],
            }
            shown = ", ".join(f"{number(value)} {name}" for name, value in figures.items())
            console.print(f"  a run at {round_trip_ms:g} ms: {shown}", soft_wrap=True)
            return figures

        figures = summary(repeated(run, runs=options.runs, seconds=_DELAY_S))
    return {name: figure.to_json() for name, figure in figures.items()}


def main() -> int:
    """Measure at each delay, print a table, keep the result."""
    parser = argparse.ArgumentParser(prog="python -m bench.wan", description=__doc__)
    parser.add_argument("--round-trip-ms", type=float, nargs="+", default=[0.0, 30.0, 100.0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--base-port", type=int, default=26000)
    parser.add_argument("--json", type=Path, default=FOLDER / "wan.json")
    options = parser.parse_args()
    if os.geteuid() or shutil.which("ip") is None or not Path("/dev/net/tun").exists():
        print("this needs root, `ip` (iproute2) and /dev/net/tun", file=sys.stderr)
        return 2
    console, results = Console(), Results(options.json, machine.about(), machine.identity())
    for round_trip_ms in options.round_trip_ms:
        key = f"{round_trip_ms:g}"
        if key not in results:
            results.add(key, {"figures": measured(round_trip_ms, options, console)})
        shown = ", ".join(f"{Figure.read(figure)} {name}" for name, figure in results[key]["figures"].items())
        console.print(f"round trip {key} ms: {shown}", soft_wrap=True)
    console.print(f"written to {options.json}")
    return 0


if __name__ == "__main__":
    end_in_order()
    sys.exit(main())
