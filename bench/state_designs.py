"""``python -m bench.state_designs``: two designs of authenticated state, side by side.

The product's bucket tree (``ledger.state``) and a compact sparse Merkle tree (``bench.sparse_merkle``), both with all
hashes in memory: the root after 1,000 updates, proofs, and the memory a tree takes beyond the key-value store that
either needs. Each case runs in a process of its own, so that memory is that of the case. Figures of one machine at one
time: read them as ratios. The result is in docs/decisions/0004-authenticated-state.md.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console
from rich.table import Table

from bench import sparse_merkle
from coseal.contracts.process.state import object_key
from coseal.ledger import codec
from coseal.ledger.state import MemoryStore, State, key_hash_of, make_entry, value_hash_of
from coseal.node.storage.state_store import LmdbStore, Marker

UPDATES = 1_000
ROUNDS = 9
PROOFS = 200
VALUE_BYTES = 64


class Design(Protocol):
    """What is measured: a tree over ``count`` keys."""

    def update(self, updates: dict[bytes, bytes]) -> None:
        """Compute the root after ``updates`` and make it the current one (untimed: write the store)."""

    def settle(self) -> None:
        """Write the store, outside the measurement."""

    def prove(self, key: bytes) -> Any:
        """Return a proof."""

    def size(self, proof: Any) -> int:
        """Return the bytes of a proof as it would travel."""

    def verify(self, key: bytes, value: bytes | None, proof: Any) -> None:
        """Raise unless the proof holds."""


class BucketTree:
    """``ledger.state`` with 2^bits buckets, over a dict or over the node's database."""

    def __init__(self, count: int, bits: int, folder: str | None) -> None:
        self.bits, self.folder = bits, folder
        self.store: Any = MemoryStore(bits) if folder is None else LmdbStore(Path(folder), bits)
        for part in entries(count):
            self._write(part)
        self.before = resident_mb()
        self.state = State(self.store, bits)
        self.change: Any = None

    def update(self, updates: dict[bytes, bytes]) -> None:
        """See ``Design``."""
        self.change = self.state.derive(updates)
        self.state.commit(self.change)

    def settle(self) -> None:
        """See ``Design``."""
        self._write(self.change.entries)
        self.state.flushed(self.change)

    def prove(self, key: bytes) -> Any:
        """See ``Design``."""
        return self.state.prove(key)[1]

    def size(self, proof: Any) -> int:
        """See ``Design``."""
        return len(proof.encode())

    def verify(self, key: bytes, value: bytes | None, proof: Any) -> None:
        """See ``Design``."""
        proof.verify(key, value, self.state.root)

    def _write(self, part: dict[bytes, Any]) -> None:
        if self.folder is None:
            self.store.write(part)
        else:
            self.store.write(part, Marker(bytes(32), self.bits, 0, bytes(32)))
            self.store.renew()


class SparseTree:
    """The compact sparse Merkle tree over a dict."""

    def __init__(self, count: int) -> None:
        self.store: dict[bytes, bytes] = {}
        for part in entries(count):
            self.store.update(part)
        self.before = resident_mb()
        self.root: sparse_merkle.Node = None
        hashes = {key_hash: entry[:32] for key_hash, entry in self.store.items()}
        self.root = sparse_merkle.update(None, hashes)
        self.updates: dict[bytes, bytes] = {}

    def update(self, updates: dict[bytes, bytes]) -> None:
        """See ``Design``."""
        self.updates = updates
        self.root = sparse_merkle.update(
            self.root, {key_hash_of(key): value_hash_of(value) for key, value in updates.items()}
        )

    def settle(self) -> None:
        """See ``Design``."""
        for key, value in self.updates.items():
            self.store[key_hash_of(key)] = make_entry(key, value, value_hash_of(value))

    def prove(self, key: bytes) -> Any:
        """See ``Design``."""
        return sparse_merkle.prove(self.root, key_hash_of(key))

    def size(self, proof: Any) -> int:
        """See ``Design``."""
        siblings, leaf = proof
        end = None if leaf is None else [leaf[1].to_bytes(32, "big"), leaf[2]]
        return len(codec.encode(["proof", 1, siblings, end]))

    def verify(self, key: bytes, value: bytes | None, proof: Any) -> None:
        """See ``Design``."""
        value_hash = None if value is None else value_hash_of(value)
        root = sparse_merkle.hash_of(self.root)
        if not sparse_merkle.verify(root, key_hash_of(key), value_hash, *proof):
            raise AssertionError("a proof does not hold")


DESIGNS: dict[str, Callable[[int, str], Design]] = {
    "bucket tree 2^16, 16-ary": lambda count, folder: BucketTree(count, 16, None),
    "bucket tree 2^20, 16-ary": lambda count, folder: BucketTree(count, 20, None),
    "bucket tree 2^16, over LMDB": lambda count, folder: BucketTree(count, 16, folder),
    "compact sparse Merkle tree": lambda count, folder: SparseTree(count),
}


def key_of(number: int) -> bytes:
    """Return a key as contracts make them."""
    return object_key("fines", "fine", f"A{number}").encode()


def entries(count: int) -> Iterator[dict[bytes, bytes]]:
    """Return the store's entries, in parts."""
    for start in range(0, count, 10_000):
        part = {}
        for number in range(start, min(start + 10_000, count)):
            key, value = key_of(number), sha256(b"%d" % number).digest() * (VALUE_BYTES // 32)
            part[key_hash_of(key)] = make_entry(key, value, value_hash_of(value))
        yield part


def resident_mb() -> float:
    """Return this process's resident memory, after collecting garbage."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def measure(name: str, count: int) -> dict[str, float]:
    """Build one case and return its figures."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        design: Any = DESIGNS[name](count, folder)
        built_s = time.perf_counter() - started
        memory = resident_mb() - design.before
        chooser = random.Random(1)
        changed = timed(design, lambda: [chooser.randrange(count) for _ in range(UPDATES)])
        fresh = iter(range(count, count + ROUNDS * UPDATES))
        added = timed(design, lambda: [next(fresh) for _ in range(UPDATES)])
        return {
            "update_ms": changed,
            "insert_ms": added,
            "tree_mb": memory,
            "build_s": built_s,
            **proofs(design, count, chooser),
        }


def timed(design: Design, numbers: Callable[[], list[int]]) -> float:
    """Return the median milliseconds from 1,000 updates to the new root."""
    times = []
    for round_number in range(ROUNDS):
        updates = {key_of(number): b"%d of round %d" % (number, round_number) for number in numbers()}
        started = time.perf_counter()
        design.update(updates)
        times.append(time.perf_counter() - started)
        design.settle()
    return statistics.median(times) * 1e3


def proofs(design: Any, count: int, chooser: random.Random) -> dict[str, float]:
    """Return sizes and times of proofs of presence and absence; every proof is verified."""
    present = [key_of(chooser.randrange(count + ROUNDS * UPDATES)) for _ in range(PROOFS)]
    started = time.perf_counter()
    made = [design.prove(key) for key in present]
    prove_s = time.perf_counter() - started
    absent = [key_of(count * 10 + number) for number in range(PROOFS)]
    missing = [design.prove(key) for key in absent]
    started = time.perf_counter()
    for key, proof in zip(absent, missing, strict=True):
        design.verify(key, None, proof)
    verify_s = time.perf_counter() - started
    sizes = sorted(design.size(proof) for proof in made + missing)
    return {
        "proof_bytes_median": statistics.median(sizes),
        "proof_bytes_max": sizes[-1],
        "prove_us": prove_s / PROOFS * 1e6,
        "verify_us": verify_s / PROOFS * 1e6,
    }


def run_case(name: str, count: int) -> dict[str, float]:
    """Measure a case in a process of its own."""
    command = [sys.executable, "-m", "bench.state_designs", "--case", name, "--keys", str(count)]
    output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=900).stdout
    figures: dict[str, float] = json.loads(output)
    return figures


def table(results: list[dict[str, Any]]) -> Table:
    """Return the results for people."""
    shown = Table(title=f"{UPDATES:,} updates, values of {VALUE_BYTES} bytes")
    columns = ("keys", "design", "update ms", "insert ms", "tree MB", "proof bytes (max)", "prove us", "verify us")
    for position, column in enumerate(columns):
        shown.add_column(column, justify="left" if position == 1 else "right")
    for item in results:
        shown.add_row(
            f"{item['keys']:,}",
            item["design"],
            f"{item['update_ms']:.1f}",
            f"{item['insert_ms']:.1f}",
            f"{item['tree_mb']:.0f}",
            f"{item['proof_bytes_median']:,.0f} ({item['proof_bytes_max']:,})",
            f"{item['prove_us']:.0f}",
            f"{item['verify_us']:.0f}",
        )
    return shown


def main() -> None:
    """Run every case and print the table, and JSON where ``--json`` says."""
    parser = argparse.ArgumentParser(prog="python -m bench.state_designs", description=__doc__)
    parser.add_argument("--keys", default="100000,1000000", help="sizes of the state, comma-separated")
    parser.add_argument("--json", type=Path, help="where the result goes")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    options = parser.parse_args()
    counts = [int(text) for text in options.keys.split(",")]
    if options.case:
        print(json.dumps(measure(options.case, counts[0])))
        return
    console, results = Console(width=112), []
    for count in counts:
        for name in DESIGNS:
            results.append({"keys": count, "design": name, **run_case(name, count)})
            console.print(f"[dim]{name}, {count:,} keys: {results[-1]['update_ms']:.1f} ms[/dim]")
    console.print(table(results))
    if options.json is not None:
        machine = {"python": platform.python_version(), "cores": os.cpu_count(), "machine": platform.machine()}
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps({"machine": machine, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
