"""The tables of the SQL index, and opening a file of them.

Law: every row is traceable to the (height, position) it came from; times are integer ms, ids that are hashes are
blobs. Raise ``VERSION`` with any change here or in the rows written: files of another version are rebuilt.

Items of process data are numbered in ledger order; ``batches`` says which transaction holds which numbers, so an item
costs a row only where an object names it.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Final

VERSION: Final = 5

_TABLES: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE blocks (
    height INTEGER PRIMARY KEY, hash BLOB NOT NULL, time_ms INTEGER NOT NULL, proposer TEXT NOT NULL,
    round INTEGER NOT NULL, transactions INTEGER NOT NULL
);
CREATE TABLE transactions (
    id BLOB PRIMARY KEY, height INTEGER NOT NULL, position INTEGER NOT NULL, sender TEXT NOT NULL,
    contract TEXT NOT NULL, action TEXT NOT NULL, code TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX transactions_by_place ON transactions (height, position);

CREATE TABLE process_types (
    id TEXT NOT NULL, version INTEGER NOT NULL, title TEXT NOT NULL, member TEXT NOT NULL, definition TEXT NOT NULL,
    height INTEGER NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (id, version)
) WITHOUT ROWID;
CREATE TABLE sources (
    name TEXT PRIMARY KEY, member TEXT NOT NULL, process_type TEXT NOT NULL, mode TEXT NOT NULL, zone_minutes INTEGER,
    sequence INTEGER NOT NULL, items INTEGER NOT NULL, events INTEGER NOT NULL, gaps INTEGER NOT NULL,
    missing INTEGER NOT NULL, latest_ms INTEGER, recorded_ms INTEGER,
    height INTEGER NOT NULL, position INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE batches (
    first_item INTEGER PRIMARY KEY, items INTEGER NOT NULL, source TEXT NOT NULL, sequence INTEGER NOT NULL,
    height INTEGER NOT NULL, position INTEGER NOT NULL
);
CREATE TABLE activities (
    id INTEGER PRIMARY KEY, process_type TEXT NOT NULL, name TEXT NOT NULL, events INTEGER NOT NULL,
    height INTEGER NOT NULL, position INTEGER NOT NULL, UNIQUE (process_type, name)
);
CREATE TABLE objects (
    id INTEGER PRIMARY KEY, process_type TEXT NOT NULL, type TEXT NOT NULL, name TEXT NOT NULL,
    height INTEGER NOT NULL, position INTEGER NOT NULL, UNIQUE (name, type, process_type)
);
CREATE INDEX objects_by_type ON objects (process_type, type, id);
CREATE TABLE item_objects (
    object INTEGER NOT NULL, item INTEGER NOT NULL, activity INTEGER, time_ms INTEGER, PRIMARY KEY (object, item)
) WITHOUT ROWID;

CREATE TABLE trace_kinds (
    id INTEGER PRIMARY KEY, process_type TEXT NOT NULL, type TEXT NOT NULL, cases INTEGER NOT NULL DEFAULT 0,
    events INTEGER NOT NULL DEFAULT 0, variants INTEGER NOT NULL DEFAULT 0, UNIQUE (process_type, type)
);
CREATE TABLE traces (
    object INTEGER PRIMARY KEY, kind INTEGER NOT NULL, activity INTEGER NOT NULL, last_ms INTEGER, first_ms INTEGER,
    events INTEGER NOT NULL, variant INTEGER NOT NULL
);
CREATE INDEX traces_by_kind ON traces (kind, object);
CREATE INDEX traces_by_variant ON traces (variant, object);
CREATE INDEX traces_by_activity ON traces (kind, activity, object);
CREATE TABLE flows (
    kind INTEGER NOT NULL, before INTEGER NOT NULL, after INTEGER NOT NULL, count INTEGER NOT NULL,
    total_ms INTEGER NOT NULL, PRIMARY KEY (kind, before, after)
) WITHOUT ROWID;
CREATE TABLE flow_times (
    kind INTEGER NOT NULL, before INTEGER NOT NULL, after INTEGER NOT NULL, class INTEGER NOT NULL,
    count INTEGER NOT NULL, PRIMARY KEY (kind, before, after, class)
) WITHOUT ROWID;
CREATE TABLE variants (
    id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, parent INTEGER NOT NULL, activity INTEGER NOT NULL,
    length INTEGER NOT NULL, cases INTEGER NOT NULL, UNIQUE (kind, parent, activity)
);
CREATE INDEX variants_by_cases ON variants (kind, cases DESC, id) WHERE cases > 0;

CREATE TABLE policies (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, level TEXT NOT NULL, year TEXT NOT NULL, type_document TEXT NOT NULL,
    status TEXT NOT NULL, origin TEXT NOT NULL, member TEXT NOT NULL, date TEXT NOT NULL, source TEXT NOT NULL,
    height INTEGER NOT NULL, position INTEGER NOT NULL, document TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX policies_by_year ON policies (year, id);
CREATE INDEX policies_by_date ON policies (date, id);
CREATE INDEX policies_by_source ON policies (source, status);
CREATE TABLE policy_sources (
    sha256 TEXT PRIMARY KEY, source TEXT NOT NULL, member TEXT NOT NULL,
    height INTEGER NOT NULL, position INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE policy_relations (
    policy TEXT NOT NULL, relation TEXT NOT NULL, target TEXT NOT NULL, PRIMARY KEY (policy, relation, target)
) WITHOUT ROWID;
CREATE INDEX policy_relations_to ON policy_relations (target, policy, relation);
CREATE TABLE policy_areas (area TEXT NOT NULL, policy TEXT NOT NULL, PRIMARY KEY (area, policy)) WITHOUT ROWID;
CREATE TABLE policy_issuers (
    issuer TEXT NOT NULL, policy TEXT NOT NULL, joint INTEGER NOT NULL, PRIMARY KEY (issuer, policy)
) WITHOUT ROWID;
CREATE INDEX policy_areas_of ON policy_areas (policy, area);
CREATE INDEX policy_issuers_of ON policy_issuers (policy, issuer, joint);
CREATE TABLE policy_events (
    policy TEXT NOT NULL, number INTEGER NOT NULL, action TEXT NOT NULL, date TEXT NOT NULL, issuer TEXT NOT NULL,
    height INTEGER NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (policy, number)
) WITHOUT ROWID;

CREATE TABLE rules (
    id TEXT NOT NULL, version INTEGER NOT NULL, process_type TEXT NOT NULL, kind TEXT NOT NULL, status TEXT NOT NULL,
    severity TEXT NOT NULL, effect TEXT NOT NULL, proposer TEXT NOT NULL, ballot TEXT NOT NULL,
    height INTEGER NOT NULL, position INTEGER NOT NULL, document TEXT NOT NULL, PRIMARY KEY (id, version)
) WITHOUT ROWID;
CREATE TABLE ballots (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, status TEXT NOT NULL,
    proposer TEXT NOT NULL, yes INTEGER NOT NULL, no INTEGER NOT NULL, closes_ms INTEGER NOT NULL,
    height INTEGER NOT NULL, position INTEGER NOT NULL, document TEXT NOT NULL
);
CREATE TABLE findings (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, rule TEXT NOT NULL, version INTEGER NOT NULL,
    process_type TEXT NOT NULL, object_type TEXT NOT NULL, object TEXT NOT NULL, source TEXT, subject TEXT,
    severity TEXT NOT NULL, effect TEXT NOT NULL, verdict TEXT NOT NULL, status TEXT NOT NULL, deadline_ms INTEGER,
    step TEXT, side TEXT, supervisor TEXT, outcome TEXT, overdue INTEGER NOT NULL, escalation INTEGER NOT NULL,
    term_ms INTEGER, time_ms INTEGER NOT NULL, height INTEGER NOT NULL, position INTEGER NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX findings_by_status ON findings (status, number);
CREATE INDEX findings_by_rule ON findings (rule, number);
CREATE INDEX findings_by_object ON findings (object, number);
CREATE TABLE finding_steps (
    finding INTEGER NOT NULL, number INTEGER NOT NULL, step TEXT NOT NULL, sender TEXT NOT NULL,
    time_ms INTEGER NOT NULL, tx BLOB, height INTEGER NOT NULL, position INTEGER NOT NULL, document TEXT NOT NULL,
    PRIMARY KEY (finding, number)
) WITHOUT ROWID;
CREATE TABLE holds (
    process_type TEXT NOT NULL, object_type TEXT NOT NULL, object TEXT NOT NULL, finding TEXT NOT NULL,
    status TEXT NOT NULL, until_ms INTEGER NOT NULL, height INTEGER NOT NULL, position INTEGER NOT NULL,
    PRIMARY KEY (process_type, object_type, object)
) WITHOUT ROWID;
CREATE TABLE questions (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, topic TEXT NOT NULL, member TEXT NOT NULL,
    status TEXT NOT NULL, deadline_ms INTEGER, overdue INTEGER NOT NULL, term_ms INTEGER, time_ms INTEGER NOT NULL,
    answered_by TEXT, took_ms INTEGER, height INTEGER NOT NULL, position INTEGER NOT NULL, document TEXT NOT NULL
);
CREATE TABLE guidance (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL, member TEXT NOT NULL, replaced_by TEXT,
    time_ms INTEGER NOT NULL, height INTEGER NOT NULL, position INTEGER NOT NULL, document TEXT NOT NULL
);
"""


def connect(path: Path) -> sqlite3.Connection:
    """Open the file for writing, in autocommit; WAL, synced at checkpoints only: it can be rebuilt."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """Open the file for reading only; rows come as mappings."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    return connection


def prepare(path: Path, chain_id: bytes) -> int:
    """Make ``path`` an index of ``chain_id`` and return its height; one that is not, or is damaged, is made anew."""
    if path.exists():
        connection = connect_or_none(path)
        if connection is not None:
            try:
                found = dict(connection.execute("SELECT key, value FROM meta").fetchall())
                if found.get("version") == VERSION and found.get("chain_id") == chain_id:
                    return int(found["height"])
            except (sqlite3.DatabaseError, KeyError):
                pass
            finally:
                connection.close()
    for name in (path.name, path.name + "-wal", path.name + "-shm"):
        path.with_name(name).unlink(missing_ok=True)
    _create(path, chain_id)
    return 0


def connect_or_none(path: Path) -> sqlite3.Connection | None:
    """Open a file that may be no database at all."""
    try:
        return connect(path)
    except sqlite3.DatabaseError:
        return None


def _create(path: Path, chain_id: bytes) -> None:
    connection = connect(path)
    connection.executescript(f"BEGIN; {_TABLES} COMMIT;")
    rows: list[tuple[str, Any]] = [("chain_id", chain_id), ("version", VERSION), ("height", 0)]
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO meta VALUES (?, ?)", rows)
    connection.execute("COMMIT")
    connection.close()


def height_of(connection: sqlite3.Connection) -> int:
    """Return the height marker."""
    return int(connection.execute("SELECT value FROM meta WHERE key = 'height'").fetchone()[0])


def set_height(connection: sqlite3.Connection, height: int) -> None:
    """Move the height marker, inside the transaction that wrote the rows."""
    connection.execute("UPDATE meta SET value = ? WHERE key = 'height'", (height,))
