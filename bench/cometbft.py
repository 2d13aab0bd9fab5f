"""``python -m bench.cometbft``: a peer on the same machine, with the same driver, clients and bytes a transaction.

``cometbft`` (0.38) must be on PATH. Four validators run its own example application ``kvstore`` in their process; it
has no contract and no signature on a transaction; its links are authenticated as ours are. Three defaults that bound
its latency from below are shorter: the pause between blocks (1 s) is none, those of its gossip and of its links (100 ms
each) are as short as Coseal configures them. Beside it Coseal runs twice, ordered by its own PBFT and by CometBFT.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console

from bench import machine, rows
from bench.figures import Run, summary
from bench.network import Network, end_in_order, running_network
from bench.results import FOLDER, Results
from coseal.client.load import run_clients
from coseal.ledger.genesis import COMETBFT_NAME
from coseal.node.comet.files import GOSSIP_WAIT, LINK_WAIT

NODES, CLIENTS = 4, 64
_SETTINGS = {
    "proxy_app": '"kvstore"',
    "timeout_commit": '"0s"',
    "peer_gossip_sleep_duration": f'"{GOSSIP_WAIT}"',
    "flush_throttle_timeout": f'"{LINK_WAIT}"',
    "create_empty_blocks": "false",
    "allow_duplicate_ip": "true",
    "log_level": '"error"',
    "size": "20000",
    "cache_size": "100000",
}


class Peer:
    """Four running nodes; ``urls`` are those of their RPC."""

    def __init__(self, ports: list[int], pids: list[int]) -> None:
        self.urls = [f"http://127.0.0.1:{port}" for port in ports]
        self.pids = pids

    def get(self, path: str) -> Any:
        """Return the result of a call at the first node."""
        with urllib.request.urlopen(self.urls[0] + path, timeout=30) as answer:
            return json.loads(answer.read())["result"]

    def height(self) -> int:
        """Return the height of the first node."""
        return int(self.get("/status")["sync_info"]["latest_block_height"])

    def committed(self, first: int, last: int) -> int:
        """Return how many transactions the blocks of these heights hold."""
        found = 0
        while first <= last:
            page = self.get(f"/blockchain?minHeight={first}&maxHeight={min(last, first + 19)}")
            found += sum(int(meta["num_txs"]) for meta in page["block_metas"])
            first += 20
        return found


@contextmanager
def running_peer(port: int) -> Iterator[Peer]:
    """Start four nodes in a temporary folder; end and remove them afterwards."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="coseal-peer-")))
        make = ["cometbft", "testnet", "--v", str(NODES), "--o", str(folder), "--populate-persistent-peers"]
        subprocess.run(make, check=True, capture_output=True, timeout=30)
        pids = []
        for place in range(NODES):
            home = folder / f"node{place}"
            _configure(home / "config" / "config.toml", port, place)
            log = stack.enter_context(open(home / "log", "wb"))
            process = subprocess.Popen(["cometbft", "node", "--home", str(home)], stdout=log, stderr=log)
            stack.callback(process.wait, 30)
            stack.callback(process.terminate)
            pids.append(process.pid)
        peer = Peer([port + 2 * place + 1 for place in range(NODES)], pids)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if peer.height() >= 1:
                    break
            except OSError:
                pass
            time.sleep(0.1)
        else:
            raise RuntimeError(f"cometbft made no block within 60 s\n{(folder / 'node0' / 'log').read_text()[-2000:]}")
        yield peer


def _configure(path: Path, port: int, place: int) -> None:
    """Give a node its ports, and the settings under which it is measured."""
    text = path.read_text("utf-8")
    for name, value in _SETTINGS.items():
        text, count = re.subn(rf"(?m)^{name} = .*$", f"{name} = {value}", text)
        if not count:
            raise RuntimeError(f"this cometbft has no setting {name}")
    text = text.replace("tcp://127.0.0.1:26657", f"tcp://127.0.0.1:{port + 2 * place + 1}")
    text = text.replace("tcp://0.0.0.0:26656", f"tcp://127.0.0.1:{port + 2 * place}")
    text = re.sub(r"node(\d):26656", lambda found: f"127.0.0.1:{port + 2 * int(found[1])}", text)
    path.write_text(text, "utf-8")


def _call(method: str, size: int) -> bytes:
    """Return a call that sends a transaction of ``size`` bytes that is like no other."""
    head = secrets.token_hex(16) + "="
    transaction = base64.b64encode((head + "x" * (size - len(head))).encode()).decode()
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": {"tx": transaction}}).encode()


def throughput(peer: Peer, transactions: int, size: int) -> Run:
    """Commit transactions from 64 clients over all nodes."""
    work = [[_call("broadcast_tx_sync", size) for _ in range(transactions // CLIENTS)] for _ in range(CLIENTS)]
    before, cpu = peer.height(), machine.cpu_seconds(peer.pids)
    began = time.perf_counter()
    result = uvloop.run(run_clients(peer.urls, "/", work))
    while int(peer.get("/num_unconfirmed_txs")["total"]):
        time.sleep(0.02)
    elapsed = time.perf_counter() - began
    done = peer.committed(before + 1, peer.height())
    if done != sum(map(len, work)):
        raise RuntimeError(f"{done} of {sum(map(len, work))} transactions are in blocks: {result.last_body[:300]!r}")
    used = machine.cpu_seconds(peer.pids) - cpu
    return {"transactions/s": done / elapsed, "CPU ms a transaction and node": used / NODES / done * 1000}


def latency(peer: Peer, requests: int, size: int) -> Run:
    """One client that waits for each commit."""
    work = [[_call("broadcast_tx_commit", size) for _ in range(requests)]]
    result = uvloop.run(run_clients(peer.urls[:1], "/", work))
    return {"p50 ms": result.percentile_ms(0.5), "p99 ms": result.percentile_ms(0.99)}


def main() -> int:
    """Measure the peer and the product under either engine in turn, and print all three."""
    parser = argparse.ArgumentParser(prog="python -m bench.cometbft", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--transactions", type=int, default=6_400)
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--base-port", type=int, default=26000)
    parser.add_argument("--json", type=Path, default=FOLDER / "cometbft.json")
    options = parser.parse_args()
    if shutil.which("cometbft") is None:
        print("cometbft is not on PATH; nothing was measured", file=sys.stderr)
        return 2
    console = Console()
    runs: dict[str, list[Run]] = {"cometbft": [], "coseal": [], "coseal, ordered by CometBFT": []}
    with (
        running_peer(options.base_port + 200) as peer,
        running_network(base_port=options.base_port) as own,
        running_network(base_port=options.base_port + 100, engine=COMETBFT_NAME) as ordered,
    ):
        size = rows.transaction_bytes(own)

        def ours(network: Network) -> Run:
            alone = rows.latency(network, requests=options.requests)
            many = rows.throughput(network, transactions=options.transactions)
            shown = ("transactions/s", "CPU ms a transaction and node")
            return {**{name: many[name] for name in shown}, "p50 ms": alone["p50 ms"], "p99 ms": alone["p99 ms"]}

        def theirs() -> Run:
            return {**throughput(peer, options.transactions, size), **latency(peer, options.requests, size)}

        for _ in range(options.rounds):
            for done, one in zip(runs.values(), (theirs(), ours(own), ours(ordered)), strict=True):
                done.append(one)
    version = subprocess.run(["cometbft", "version"], capture_output=True, text=True, check=True).stdout.strip()
    options.json.unlink(missing_ok=True)
    results = Results(options.json, {**machine.about(), "cometbft": version}, machine.identity())
    for name, measured in runs.items():
        figures = summary(measured)
        results.add(name, {"figures": {key: figure.to_json() for key, figure in figures.items()}})
        console.print(f"{name}, {size} bytes each: {', '.join(f'{figure} {key}' for key, figure in figures.items())}")
    return 0


if __name__ == "__main__":
    end_in_order()
    sys.exit(main())
