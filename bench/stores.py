"""``python -m bench.stores``: what a block costs on disk, by the way it is stored.

A block of 1,000 changed keys (300-byte entries) and a 280 KB body, over a database that holds ``--keys`` keys.
Compared: the product's way (block log with fdatasync, state in LMDB that is not synced), LMDB synced, and one SQLite
database in WAL mode with full synchronisation that takes both. Figures of one machine at one time: read them as
ratios. The result is in docs/decisions/0008-lmdb-state-and-block-log.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import lmdb
from rich.console import Console
from rich.table import Table

from coseal.node.storage.block_log import BlockLog
from coseal.node.storage.state_store import LmdbStore, Marker

ENTRY_BYTES = 300
UPDATES = 1_000
BLOCK_BYTES = 280_000
READS = 20_000
BITS = 16

Entries = dict[bytes, bytes]


class Product:
    """Block log with fdatasync, LMDB without."""

    name = "block log + LMDB, only the log synced"

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.log = BlockLog(folder / "blocks")
        self.store = LmdbStore(folder / "state", BITS)
        self.height = 0

    def commit(self, entries: Entries, block: bytes) -> None:
        """Make the block durable, then apply its entries."""
        self.height += 1
        self.log.append(self.height, block)
        self.log.sync()
        self.store.write(dict(entries), Marker(bytes(32), BITS, self.height, bytes(32)))
        self.store.renew()

    def get(self, key: bytes) -> bytes | None:
        """Read one entry."""
        return self.store.get(key)


class LogOnly(Product):
    """The part of it that a vote or a client waits for."""

    name = "block log alone, synced"

    def commit(self, entries: Entries, block: bytes) -> None:
        """Make the block durable; the entries only in the first round, to have something to read."""
        self.height += 1
        self.log.append(self.height, block)
        self.log.sync()
        if self.height == 1:
            self.store.write(dict(entries), Marker(bytes(32), BITS, 1, bytes(32)))
            self.store.renew()


class SyncedLmdb:
    """Everything in one LMDB transaction, synced."""

    name = "LMDB alone, synced"

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.environment = lmdb.open(str(folder), map_size=1 << 36, max_dbs=2)
        self.entries = self.environment.open_db(b"entries")
        self.blocks = self.environment.open_db(b"blocks")
        self.height = 0
        self.reader = self.environment.begin(db=self.entries)

    def commit(self, entries: Entries, block: bytes) -> None:
        """Write entries and block in one durable transaction."""
        self.height += 1
        with self.environment.begin(write=True, db=self.entries) as transaction:
            with transaction.cursor() as cursor:
                cursor.putmulti(sorted(entries.items()))
            transaction.put(self.height.to_bytes(8, "big"), block, db=self.blocks)
        self.reader.abort()
        self.reader = self.environment.begin(db=self.entries)

    def get(self, key: bytes) -> bytes | None:
        """Read one entry."""
        return self.reader.get(key)


class Sqlite:
    """Everything in one SQLite transaction, WAL, synchronous = FULL."""

    name = "SQLite WAL alone, synced"

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.connection = sqlite3.connect(folder / "all.sqlite", isolation_level=None)
        self.connection.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;"
            "CREATE TABLE entries (key BLOB PRIMARY KEY, entry BLOB) WITHOUT ROWID;"
            "CREATE TABLE blocks (height INTEGER PRIMARY KEY, block BLOB);"
        )
        self.height = 0

    def commit(self, entries: Entries, block: bytes) -> None:
        """Write entries and block in one durable transaction."""
        self.height += 1
        self.connection.execute("BEGIN")
        self.connection.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?)", sorted(entries.items()))
        self.connection.execute("INSERT INTO blocks VALUES (?, ?)", (self.height, block))
        self.connection.execute("COMMIT")

    def get(self, key: bytes) -> bytes | None:
        """Read one entry."""
        row = self.connection.execute("SELECT entry FROM entries WHERE key = ?", (key,)).fetchone()
        return None if row is None else row[0]


def measure(make: Callable[[Path], Product | SyncedLmdb | Sqlite], folder: Path, keys: int, rounds: int) -> dict:  # type: ignore[type-arg]
    """Load ``keys`` keys, then time ``rounds`` blocks and some reads; times in microseconds."""
    source = random.Random(7)
    known = [source.randbytes(32) for _ in range(keys)]
    store = make(folder)
    for first in range(0, keys, 50_000):
        store.commit({key: source.randbytes(ENTRY_BYTES) for key in known[first : first + 50_000]}, b"x")
    times = []
    for _ in range(rounds):
        entries = {key: source.randbytes(ENTRY_BYTES) for key in source.sample(known, UPDATES)}
        block = source.randbytes(BLOCK_BYTES)
        started = time.perf_counter()
        store.commit(entries, block)
        times.append(time.perf_counter() - started)
    started = time.perf_counter()
    for key in source.choices(known[: min(keys, 50_000)], k=READS):
        store.get(key)
    read = (time.perf_counter() - started) / READS
    ordered = sorted(times)
    return {
        "commit_p50_us": round(statistics.median(times) * 1e6),
        "commit_p90_us": round(ordered[int(0.9 * len(ordered))] * 1e6),
        "get_us": round(read * 1e6, 2),
        "disk_mb": round(sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file()) / 1e6),
    }


def main() -> None:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--out", type=Path, default=Path("bench/results/stores.json"))
    given = parser.parse_args()
    results = {}
    for case in (Product, LogOnly, SyncedLmdb, Sqlite):
        folder = Path(tempfile.mkdtemp(prefix="coseal-stores-"))
        try:
            results[case.name] = measure(case, folder / "store", given.keys, given.rounds)
        finally:
            shutil.rmtree(folder)
    table = Table(title=f"one block of {UPDATES} keys and {BLOCK_BYTES // 1000} KB over {given.keys} keys")
    for column in ("way", "commit p50 us", "p90 us", "get us", "disk MB"):
        table.add_column(column)
    for name, row in results.items():
        table.add_row(name, *(str(value) for value in row.values()))
    Console().print(table)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    machine = {"python": platform.python_version(), "machine": platform.machine(), "cores": os.cpu_count()}
    given.out.write_text(json.dumps({"keys": given.keys, "on": machine, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
