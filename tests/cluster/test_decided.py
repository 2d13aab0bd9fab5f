"""Members decide by a constitution on a network of processes: the commands that they type, and what these show.

Five banks of seven members pass nothing alone; a bank is suspended, appeals, and records all the same; a chain that
was founded without a document takes one by ballot while blocks go on.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from coseal.client.connection import connect
from coseal.contracts.governance.in_force import FOUNDING_DIGEST, digest_of
from coseal.contracts.registry import KINDS
from coseal.demo.examples import example
from tests.cluster.commands import coseal, documents
from tests.cluster.network import reserve_ports
from tests.support.keys import signer

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

RECOMMENDED = json.loads(example("constitution/recommended.json").read_text())
DELAY_MS = 25_000
BANKS = ("bank-a", "bank-b", "bank-c", "bank-d", "bank-e")
MEMBERS = {"regulator": "government", **dict.fromkeys(BANKS, "bank"), "factory": "enterprise"}
ROWS = ("case,activity,when\n", *(f"c{n},pay,2026-0{n}-01T08:00:00Z\n" for n in range(1, 7)))
MAP = 'case = "case"\nactivity = "activity"\ntimestamp = "when"\nprocess_type = "payments"\nsource = "till"\n'


def consortium() -> str:
    """Return five banks with a seat each, a government with one and an enterprise with two."""
    seats = json.dumps([*MEMBERS, "factory"])
    lines = ['name = "seven"', f"validators = {seats}"]
    for name, role in MEMBERS.items():
        level = 'level = "central"\n' if role == "government" else ""
        lines.append(f'[[members]]\nid = "{name}"\nname = "{name}"\nrole = "{role}"\n{level}')
    return "\n".join(lines)


def quick() -> dict[str, Any]:
    """Return the recommended document, in which nobody is heard for a week before it is suspended."""
    standing = {**RECOMMENDED["tracks"]["standing"], "not_before_ms": 0, "delay_ms": DELAY_MS}
    return {**RECOMMENDED, "tracks": {**RECOMMENDED["tracks"], "standing": standing}}


class Town:
    """A network folder, and commands in it."""

    def __init__(self, folder: Path, nodes: int, *words: str) -> None:
        self.folder, self.net = folder, folder / "net"
        self.base = reserve_ports(nodes)[0]
        coseal("up", self.net, "--detach", "--no-console", "--base-port", self.base, "--timeout", 200, *words)

    def run(self, *words: object, code: int = 0) -> str:
        return " ".join(coseal(*words, "--dir", self.net, code=code).split())

    def propose(self, name: str, kind: str, subject: dict[str, Any], by: str) -> dict[str, Any]:
        file = self.folder / f"{name}.json"
        file.write_text(json.dumps(subject))
        words = ("--data", file, "--id", name, "--as", by, "--reason", "It is time")
        return dict(documents("governance", "propose", kind, *words, "--dir", self.net))

    def vote(self, name: str, *members: str) -> dict[str, Any]:
        for member in members:
            words = ("vote", name, "yes", "--as", member, "--reason", f"{member} agrees")
            found = documents("governance", *words, "--dir", self.net)
        return dict(found)

    def shown(self, name: str) -> dict[str, Any]:
        return dict(documents("governance", "show", name, "--dir", self.net))

    def wait(self, name: str, status: str) -> dict[str, Any]:
        end = time.monotonic() + 120
        while (found := self.shown(name))["status"] != status:
            assert time.monotonic() < end, found
            time.sleep(1)
        return found

    def decision(self, name: str) -> Path:
        out = self.folder / f"decision-{name}.json"
        assert "verified" in self.run("governance", "decision", name, "--out", out)
        return out

    def verify(self, file: Path, code: int = 0) -> str:
        genesis = self.net / "genesis.json"
        return " ".join(coseal("verify", file, "--genesis", genesis, code=code).split())

    def down(self) -> None:
        coseal("down", self.net)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Callable[..., Town]]:
    started: list[Town] = []

    def start(nodes: int, *words: str) -> Town:
        started.append(Town(tmp_path, nodes, *words))
        return started[-1]

    yield start
    for one in started:
        one.down()


def test_five_banks_pass_nothing_alone_and_one_is_suspended_records_and_appeals(
    town: Callable[..., Town], tmp_path: Path
) -> None:
    (tmp_path / "seven.toml").write_text(consortium())
    (tmp_path / "quick.json").write_text(json.dumps(quick()))
    (tmp_path / "map.toml").write_text(MAP)
    seven = town(8, "--consortium", str(tmp_path / "seven.toml"), "--constitution", str(tmp_path / "quick.json"))

    def bring_in(rows: int, code: int = 0) -> str:
        (tmp_path / "till.csv").write_text("".join(ROWS[: rows + 1]))
        return seven.run("import", tmp_path / "till.csv", "--map", tmp_path / "map.toml", "--as", "bank-e", code=code)

    bring_in(3)
    # Five banks of seven members, five seats of eight
    operator = {"user": "admin", "key": signer("bank-z/admin").public_key.hex(), "capabilities": ["operate"]}
    newcomer = {**KINDS["add_member"].example, "member": "bank-z", "operators": [operator]}
    seven.propose("joins", "add_member", newcomer, "bank-a")
    seven.propose("version", "protocol_version", {"version": 2, "height": 1_000_000}, "bank-a")
    for name in ("joins", "version"):
        found = seven.vote(name, *BANKS[1:])
        assert (found["status"], found["yes"], found["of"]) == ("open", 5, 7)
    rule = {
        "id": "R-ONCE",
        "version": 1,
        "kind": "declare",
        "legal_basis": ["external: the statutes"],
        "scope": {"process_type": "payments"},
        "template": "absence",
        "a": "pay",
        "n": 2,
    }
    (tmp_path / "rules.json").write_text(json.dumps([rule]))
    seven.run("rules", "propose", tmp_path / "rules.json", "--as", "bank-a")
    for bank in BANKS:
        seven.run("rules", "vote", "B1", "yes", "--as", bank)
    assert "open" in seven.run("rules", "ballots")
    assert seven.vote("joins", "regulator")["status"] == "accepted"
    file = seven.decision("joins")
    assert "6 yes of 7, more than 2/3;" in seven.verify(file)
    assert "bank-b agrees" in seven.verify(file)
    document, spoilt = json.loads(file.read_text()), tmp_path / "spoilt.json"
    removed = [vote for vote in document["votes"] if not vote["key"].endswith("/bank-b")]
    spoilt.write_text(json.dumps({**document, "votes": removed}))
    assert "the vote of bank-b in round 1 is neither shown nor proven absent" in seven.verify(spoilt, code=1)
    document["votes"][0]["value"][4] = "Another reason"
    spoilt.write_text(json.dumps(document))
    assert "differs from what the raw form holds" in seven.verify(spoilt, code=1)
    # A bank is suspended, appeals within the delay, and is suspended all the same
    subject = {
        "member": "bank-e",
        "until_ms": time.time_ns() // 1_000_000 + 86_400_000,
        "seats": False,
        "grounds": [{"kind": "external", "id": "judgment"}],
    }
    seven.propose("out", "suspend_member", subject, "regulator")
    assert seven.vote("out", *BANKS[:4], "factory")["status"] == "passed"
    appealed = seven.run("governance", "appeal", "out", "--as", "bank-e", "--reason", "Our till was closed")
    assert "round 2, after an appeal" in appealed
    seven.vote("out", "regulator", *BANKS[:4])
    assert seven.vote("out", "factory")["status"] == "passed"
    seven.wait("out", "accepted")
    assert "suspended" in seven.run("governance", "vote", "version", "no", "--as", "bank-e", code=1)
    bring_in(6)
    assert "suspended" in seven.run("show", "member", "bank-e")
    proven = seven.verify(seven.decision("out"))
    assert "government 1 of 1" in proven
    assert "bank 4 of 5" in proven or "bank 4 of 4" in proven
    coseal("audit", seven.net)


def test_a_chain_founded_without_a_document_takes_one_while_blocks_go_on(
    town: Callable[..., Town], tmp_path: Path
) -> None:
    net = town(4, "--constitution", "founding")
    done, made = Event(), count()

    def keep_on() -> None:
        key, url = net.net / "members" / "enterprise-a" / "admin.pem", f"http://127.0.0.1:{net.base}"
        with connect(url, key=key, genesis=net.net / "genesis.json") as client:
            while not done.is_set():
                client.submit("membership", "set_profile", {"description": str(next(made))}).require_ok()

    writer = Thread(target=keep_on)
    writer.start()
    try:
        subject = {"from": FOUNDING_DIGEST, "document": RECOMMENDED}
        assert net.propose("amends", "amend_constitution", subject, "regulator")["status"] == "open"
        found = net.vote("amends", "bank-a", "central-bank")
        assert (found["status"], found["outcome"]) == ("accepted", {"version": 1, "digest": digest_of(RECOMMENDED)})
        height = documents("status", net.net)["nodes"][0]["height"]
        before = next(made)
        while next(made) < before + 6:
            time.sleep(0.2)
        assert documents("status", net.net)["nodes"][0]["height"] > height
    finally:
        done.set()
        writer.join()
    net.propose("version", "protocol_version", {"version": 2, "height": 1_000_000}, "regulator")
    assert net.vote("version", "bank-a", "central-bank", "enterprise-a")["status"] == "open"  # heard for two days
    assert net.shown("version")["rule"]["outlook"]["status"] == "passed"
    assert "by constitution 0, Founding constitution, track ordinary" in net.verify(net.decision("amends"))
    coseal("audit", net.net)
