"""What needs no running network: verifying signatures, receipts and whole chains."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from itertools import accumulate, takewhile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from nacl.bindings import crypto_sign_open

from bench.figures import Run
from bench.network import Network
from bench.rows import read_blocks
from coseal.audit.audit import audit
from coseal.audit.report import Level
from coseal.audit.sources import FileSource
from coseal.ledger import signing
from coseal.ledger.proof import TransactionProof

_ROUNDS, _CALLS = 7, 1_000


def verify_cost() -> Run:
    """Return microseconds to verify one signature on one core, by each verifier that is installed; best of seven."""
    signer = signing.Ed25519Signer(bytes(range(32)))
    message = b"m" * 88
    signature = signer.sign(message)
    public, signed = signer.public_key, signature + message
    loaded = Ed25519PublicKey.from_public_bytes(public)
    return {
        "us, ours": _best_us(lambda: signing.verify(public, message, signature)),
        "us, PyNaCl": _best_us(lambda: crypto_sign_open(signed, public)),
        "us, cryptography": _best_us(lambda: loaded.verify(signature, message)),
    }


def _best_us(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(_ROUNDS):
        started = time.process_time()  # of a core, whoever else uses it
        for _ in range(_CALLS):
            work()
        best = min(best, time.process_time() - started)
    return best / _CALLS * 1e6


def audited(network: Network, level: Level, transactions: int) -> Run:
    """Audit the first blocks of a node's files, up to so many transactions; blocks and transactions a second."""
    folder = Path(network.directory) / "nodes" / network.entries[0].name
    counts = accumulate(block.block.header.tx_count for block in read_blocks(network.urls[0], 1))
    last = sum(1 for _ in takewhile(lambda count: count < transactions, counts)) or None
    started = time.perf_counter()
    report = audit([FileSource(folder)], network.genesis, level=level, last=last)
    elapsed = time.perf_counter() - started
    if not report.ok:
        raise RuntimeError(f"the audit found {report.findings}")
    return {"blocks/s": report.blocks / elapsed, "transactions/s": report.transactions / elapsed}


def receipt_verification(network: Network) -> Run:
    """Verify one receipt offline, as bytes: ms, the median of 200."""
    url = network.urls[0]
    blocks = read_blocks(url, max(1, network.status(url)["height"] - 50))
    block = next(block for block in reversed(blocks) if block.block.transactions)
    raw, times = TransactionProof.of(block, 0).encode(), []
    for _ in range(200):
        started = time.perf_counter()
        TransactionProof.decode(raw).verify(network.genesis.chain_id, network.genesis.validators)
        times.append(time.perf_counter() - started)
    return {"ms": statistics.median(times) * 1000}
