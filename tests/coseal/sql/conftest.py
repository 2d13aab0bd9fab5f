"""A chain that fills every table, its block files, and a PostgreSQL server of the tests' own."""

from __future__ import annotations

import getpass
import glob
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coseal.ledger import framing
from coseal.ledger.render import time_text
from coseal.sql.store import Store, open_store
from tests.support.chain import Chain
from tests.support.genesis import make_genesis
from tests.support.standards import Competition
from tests.support.supervised import Story

HASH = "cd" * 32
PERIOD_MS = 10_000


def tell(story: Story) -> None:
    """Tell the story of supervision, and around it policies, history, late and corrected events, refusals."""
    story.tell()
    _publish(story)
    _record_policies(story)
    now_ms = story.chain.executor.time_ms
    early = {"event": "late1", "type": "Create", "time": time_text(now_ms - 5_000), "late": "The line was down"}
    early |= {"objects": [["case", "c7"]], "attributes": {"amount": 3}}
    sequence = story.state("process/source/enterprise-a/live")["sequence"] + 1
    story.do("process.record", "enterprise-a", source="live", sequence=sequence, items=[early])
    story.do("process.record", "enterprise-a", source="live", sequence=1, items=[early])  # refused: it is there
    story.do("process.register_source", "enterprise-a", id="old", process_type="t", mode="historical")
    declared: list[dict[str, Any]] = [{"object": f"old{number}", "type": "case"} for number in range(3)]
    related = {"relation": ["case", "old0"], "to": ["case", "old1"], "qualifier": "follows"}
    past = [
        {"event": f"o{i}", "type": kind, "time": f"2020-01-0{i + 1}T00:00:00Z", "objects": [["case", f"old{i % 3}"]]}
        for i, kind in enumerate(("Create", "Create", "Check", "Decide", "Decide"))
    ]
    story.do("process.record", "enterprise-a", source="old", sequence=1, items=[*declared, related, *past])
    story.do("membership.set_profile", "bank-a", description="a text with \x00 in it")
    _compete(Competition(story.chain))


def _compete(scene: Competition) -> None:
    """Have a standard used, disputed, and reviewed once."""
    scene.define("loans")
    scene.propose("s", "loans")
    scene.ok("central-bank", "adopt", standard="s", version=1)
    scene.source("central-bank", "loans")
    scene.record("central-bank", "loans")
    scene.ok("central-bank", "dispute", standard="s", version=1, ground="ambiguity", text="Is a renewal a loan?")
    scene.wait(PERIOD_MS)


def _publish(story: Story) -> None:
    policy = {"id": "p/live", "title": "Live", "type_document": "law", "is_about": ["banking", "green"]}
    story.do("policy.publish", "regulator", **policy, date_document="2024-05-01")


def _record_policies(story: Story) -> None:
    def instrument(number: int, **more: Any) -> dict[str, Any]:
        event = {"action": "passed", "date": f"20{10 + number // 2}-01-01", "issuer": "State Council"}
        dated = {"date_publication": f"20{10 + number // 2}-02-01"}
        return {"id": f"p/{number}", "title": f"Law {number}", "level": "central", "events": [event], **dated, **more}

    first = [instrument(n, is_about=["banking"], passed_by=["State Council", "Ministry"]) for n in range(5)]
    second = [instrument(5, implements=["p/1"]), {"id": "p/1", "title": "Law 1", "events": [], "is_about": ["tax"]}]
    for part in (first, second):
        story.do("policy.record", "regulator", source="A gazette", source_sha256=HASH, instruments=part)


@pytest.fixture(scope="session")
def told() -> Story:
    story = Story(Chain(make_genesis(name="sql", standard_period_ms=PERIOD_MS)))
    tell(story)
    return story


def write(chain: Chain, folder: Path, last: int | None = None) -> Path:
    """Write a network's folder with one node's block files, up to height ``last``."""
    blocks = folder / "nodes" / "regulator" / "blocks"
    blocks.mkdir(parents=True, exist_ok=True)
    (folder / "genesis.json").write_bytes(chain.genesis.raw)
    frames = [framing.frame(height, 1, one.encode()) for height, one in enumerate(chain.blocks[:last], 1)]
    (blocks / "00000001.log").write_bytes(b"".join(frames))
    return folder


@pytest.fixture
def folder(told: Story, tmp_path: Path) -> Path:
    return write(told.chain, tmp_path / "net")


def rows_of(place: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of all tables of an index, sorted by their texts; bytes as bytes, JSON as its text."""
    from coseal.contracts.rows.tables import TABLES

    store: Store = open_store(place, create=False)
    found = {}
    try:
        for table in TABLES:
            query = f"SELECT {', '.join(table.names)} FROM {table.name}"
            listed = store._connection.execute(query).fetchall()  # type: ignore[attr-defined]
            found[table.name] = sorted((tuple(row) for row in listed), key=repr)
    finally:
        store.close()
    return found


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, None if it is not installed."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/pg_ctl"), key=lambda path: int(Path(path).parts[4]))
    if found:
        return Path(found[-1]).parent
    path = shutil.which("pg_ctl")
    return None if path is None else Path(path).resolve().parent


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """A real server on a socket in a folder of its own, run by a user that may run one; its URL for an owner."""
    place = programs()
    if place is None:
        pytest.skip("no PostgreSQL here: apt-get install postgresql")
    user = "nobody" if os.getuid() == 0 else getpass.getuser()  # root may not run a server
    folder = Path(tempfile.mkdtemp(prefix="coseal-pg-"))
    if os.getuid() == 0:
        shutil.chown(folder, user)

    def run(program: str, *arguments: str) -> None:
        as_user: dict[str, Any] = {"user": user} if os.getuid() == 0 else {}
        command = [str(place / program), *arguments]
        log = folder.with_name(folder.name + ".log")
        with log.open("ab") as out:
            done = subprocess.run(
                command,
                cwd=folder,
                stdout=out,
                stderr=out,
                timeout=120,
                check=False,
                stdin=subprocess.DEVNULL,
                **as_user,
            )
        assert done.returncode == 0, log.read_text()

    data = str(folder / "data")
    run("initdb", "-D", data, "-U", "owner", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off -c max_connections=20"
    run("pg_ctl", "-D", data, "-w", "-t", "60", "-o", options, "start")
    try:
        yield f"postgresql://owner@/postgres?host={folder}"
    finally:
        run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder)
        folder.with_name(folder.name + ".log").unlink()
