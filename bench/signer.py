"""What a vote costs when its key is in a signer process: a round trip over the socket and one sync of its disk."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from coseal.ledger.certificate import Phase, vote_preimage
from coseal.ledger.signing import Signer
from coseal.node.core import journal
from coseal.node.signing import keys
from coseal.node.signing.remote_signer import RemoteSigner
from coseal.node.storage import journal_file

CHAIN = bytes(range(32))


def vote_cost(votes: int) -> dict[str, float]:
    """Return ms a vote by a signer process (p50, p99), by a key in memory, and for one sync of the same disk."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("COSEAL_BENCH_DIR")) as name:
        folder = Path(name)
        key = keys.create_key(folder / "keys" / "consensus.pem")
        journal_file.create(folder / "guard", journal.initial(CHAIN, "bench"))
        process = subprocess.Popen(
            [sys.executable, "-m", "coseal.node", "signer", "--data", name], stderr=subprocess.DEVNULL
        )
        try:
            there = RemoteSigner(f"{name}/signer.sock", key.public_key().public_bytes_raw(), CHAIN)
            _connect(there, process)
            remote = _measure(there, votes)
            there.close()
        finally:
            process.terminate()
            process.wait(20)
        here = _measure(keys.load_signer(folder / "keys" / "consensus.pem"), votes)
        syncs = _syncs(folder / "sync", votes)
    return {
        "ms p50": remote[votes // 2],
        "ms p99": remote[votes * 99 // 100],
        "ms p50 in memory": here[votes // 2],
        "ms p50 of a sync": syncs[votes // 2],
    }


def _connect(signer: RemoteSigner, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    signer.connect()
    while signer.trouble is not None:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the signer did not start: {signer.trouble}")
        time.sleep(0.05)
        signer.connect()


def _measure(signer: Signer, votes: int) -> list[float]:
    """Return the sorted times of signing one vote after the other, in ms."""
    times = []
    for height in range(1, votes + 1):
        preimage = vote_preimage(CHAIN, 0, height, 0, Phase.PREPARE, CHAIN)
        started = time.perf_counter()
        signer.sign(preimage)
        times.append((time.perf_counter() - started) * 1000)
    return sorted(times)


def _syncs(path: Path, count: int) -> list[float]:
    """Return the sorted times of appending a record's size and syncing it, in ms."""
    times = []
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for _ in range(count):
        started = time.perf_counter()
        os.write(descriptor, bytes(500))
        os.fdatasync(descriptor)
        times.append((time.perf_counter() - started) * 1000)
    os.close(descriptor)
    return sorted(times)
