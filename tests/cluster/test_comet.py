"""Real nodes with real CometBFT: they commit, survive kills and pauses of either process, and the chain is audited."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import coseal as sdk
from coseal.ledger import framing
from coseal.ledger.comet import VoteKind, address_of
from coseal.ledger.engines import COMETBFT_INSTALL, is_cometbft
from coseal.ledger.genesis import Genesis
from coseal.node.comet.rpc import Rpc
from coseal.node.signing.keys import load_signer
from tests.cluster.network import reserve_ports
from tests.cluster.shown import follow
from tests.cluster.test_readme import README
from tests.support.comet import vote_shown, voted_twice

FOUND = shutil.which("cometbft")
MISSING = f"CometBFT is not on the PATH, or another release: `{COMETBFT_INSTALL}`"
pytestmark = [
    pytest.mark.cluster,
    pytest.mark.slow,
    pytest.mark.skipif(FOUND is None or not is_cometbft(Path(FOUND).read_bytes()), reason=MISSING),
]
POLICY = {"title": "A notice", "type_document": "notice", "date_document": "2021-09-15"}
RULES = Path(__file__).parents[2] / "examples" / "rules"
GAP_S = 3.0
"""The longest without a block, beyond what a block takes, when any process dies: its turn to propose, and two steps."""


def coseal(*words: object, code: int = 0, timeout_s: float = 120) -> str:
    command = [sys.executable, "-m", "coseal", *map(str, words)]
    environment = {**os.environ, "COSEAL_SNAPSHOT_BLOCKS": "8", "COSEAL_JOIN_GAP_BLOCKS": "8"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False, env=environment)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = Path(tmp_path_factory.mktemp("c")) / "n"
    base, lock = reserve_ports(4)
    up = ["up", made, "--engine", "cometbft", "--detach", "--no-console", "--base-port", base, "--timeout", 90]
    coseal(*up)
    try:
        yield made
    finally:
        coseal("down", made)
        os.close(lock)
        assert not [process for node in made.glob("nodes/*") for process in engines(node)]


def engines(node: Path) -> list[int]:
    """Return the processes of CometBFT that live in a node's folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                here, words = (entry / "cwd").readlink(), (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if here == node / "engine" and b"cometbft" in words:
                found.append(int(entry.name))
    return found


def publish(folder: Path, number: str, node: str = "regulator", out: Path | None = None) -> None:
    data = folder.parent / "policy.json"
    data.write_text(json.dumps({"id": f"cn/{number}", **POLICY}))
    written = [] if out is None else ["--out", out]
    coseal("submit", "policy.publish", "--data", data, "--as", "regulator", "--dir", folder, "--node", node, *written)


def heights(folder: Path) -> dict[str, int]:
    rows = json.loads(coseal("status", folder, "--json"))["nodes"]
    return {row["name"]: row["height"] or -1 for row in rows}


def documents(*words: object) -> Any:
    return json.loads(coseal(*words, "--json"))


def process_of(node: Path) -> int:
    return int((node / "node.pid").read_text().split()[0])


class Recording:
    """A client of the regulator's node, which waits for each commit and sends the next: when each began and ended."""

    def __init__(self, folder: Path) -> None:
        self.waits: list[tuple[float, float]] = []
        self._folder, self._ended = folder, False
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Recording:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        self._thread.join()

    def longest(self, since: float) -> float:
        return max(end - begin for begin, end in self.waits if end > since)

    def _run(self) -> None:
        (key,) = (self._folder / "members" / "regulator").rglob("admin.pem")
        rows = tomllib.loads((self._folder / "network.toml").read_text())["nodes"]
        url = "http://" + next(row["http"] for row in rows if row["name"] == "regulator")
        with sdk.connect(url, key=key, genesis=self._folder / "genesis.json") as client:
            while not self._ended:
                begin = time.monotonic()
                args: Any = {"id": f"cn/{time.time_ns()}", **POLICY}
                client.submit("policy", "publish", args)
                self.waits.append((begin, time.monotonic()))


def settle(folder: Path) -> None:
    """Wait until all nodes have one height."""
    until = time.monotonic() + 120
    while len(set(heights(folder).values())) > 1:
        assert time.monotonic() < until, heights(folder)
        time.sleep(0.5)


def test_a_receipt_is_certified_by_its_own_block(folder: Path) -> None:
    receipt = folder.parent / "receipt.json"
    publish(folder, "first", out=receipt)
    said = coseal("verify", receipt, "--genesis", folder / "genesis.json")
    assert "signed_by" in said
    words = ("-m", "coseal", "verify", str(receipt), "--genesis", str(folder / "genesis.json"))
    loaded = subprocess.run(
        [sys.executable, "-X", "importtime", *words], capture_output=True, text=True, timeout=120, check=True
    ).stderr
    assert "coseal.ledger.comet" in loaded
    assert "protobuf" not in loaded


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_the_others_go_on_without_an_engine_and_it_comes_back(folder: Path, number: signal.Signals) -> None:
    (process,) = engines(folder / "nodes" / "bank-a")
    os.kill(process, number)
    publish(folder, f"engine-{number.name.lower()}")
    if number is signal.SIGSTOP:
        os.kill(process, signal.SIGCONT)
    settle(folder)


def test_a_killed_node_takes_its_engine_with_it_and_catches_up(folder: Path) -> None:
    coseal("node", "kill", "enterprise-a", "--dir", folder)
    publish(folder, "without")
    until = time.monotonic() + 30
    while engines(folder / "nodes" / "enterprise-a"):
        assert time.monotonic() < until, "two engines would share one key"
        time.sleep(0.1)
    coseal("node", "start", "enterprise-a", "--dir", folder)
    settle(folder)
    publish(folder, "again", "enterprise-a")


@pytest.mark.parametrize("what", ["engine", "node"])
def test_a_process_that_dies_holds_the_others_up_for_at_most_three_seconds(folder: Path, what: str) -> None:
    """Each of the three others in turn, so one of them is to propose next."""
    with Recording(folder) as client:
        time.sleep(2)
        usual = client.longest(0)
        for name in ("central-bank", "bank-a", "enterprise-a"):
            node, at = folder / "nodes" / name, time.monotonic()
            victims = engines(node) if what == "engine" else [process_of(node)]
            for victim in victims:
                os.kill(victim, signal.SIGKILL)
            time.sleep(5)
            assert client.longest(at) < GAP_S + usual, name
            if what == "node":
                coseal("node", "start", name, "--dir", folder)
    settle(folder)


def test_all_processes_stand_still_at_once_and_the_chain_goes_on(folder: Path) -> None:
    """Whatever the nodes had said of a block before, a time that is long past is accepted after some rounds."""
    nodes = list((folder / "nodes").iterdir())
    every = [process for node in nodes for process in (*engines(node), process_of(node))]
    with Recording(folder) as client:
        time.sleep(1)
        for process in every:
            os.kill(process, signal.SIGSTOP)
        time.sleep(15)
        for process in every:
            os.kill(process, signal.SIGCONT)
        time.sleep(10)
        done = len(client.waits)
        time.sleep(2)
        assert len(client.waits) > done
    settle(folder)


def test_a_deadline_fires_on_an_idle_chain(folder: Path) -> None:
    """A transfer is to be registered within some seconds, and is not."""
    at, type, rule = ("--dir", folder), folder.parent / "type.json", folder.parent / "rule.json"
    type.write_text(json.dumps({**json.loads((RULES / "receivables.type.json").read_text()), "late_ms": 10_000}))
    (wanted,) = (one for one in json.loads((RULES / "receivables.json").read_text()) if one["id"] == "RC-TRANSFER-24H")
    rule.write_text(json.dumps([{**wanted, "within_ms": 3_000, "tests": []}]))
    by = ("--as", "enterprise-a", *at)
    coseal("submit", "process.define_type", "--data", type, *by)
    coseal("submit", "process.register_source", "id=live", "process_type=receivables", "mode=live", *by)
    ballot = documents("rules", "propose", rule, "--as", "regulator", *at)
    coseal("rules", "adopt", ballot["receipt"]["data"]["ballot"], *at)
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    item: dict[str, Any] = {"event": "e1", "type": "Transfer agreed", "time": now}
    item |= {"objects": [["certificate", "C1"]], "attributes": {"transfer": "T1"}}
    batch = folder.parent / "batch.json"
    batch.write_text(json.dumps({"source": "live", "sequence": 1, "items": [item]}))
    coseal("submit", "process.record", "--data", batch, *by)
    before, until = max(heights(folder).values()), time.monotonic() + 40
    while not (found := [row for row in documents("findings", "list", *at) if row["rule"] == "RC-TRANSFER-24H"]):
        assert time.monotonic() < until
        time.sleep(0.5)
    assert len(found) == 1
    assert max(heights(folder).values()) == before + 1, "a block that holds nothing, and no more of them"


def test_a_ballot_adds_a_validator_that_signs_and_is_counted(folder: Path) -> None:
    have_a_snapshot(folder)
    coseal("node", "add", "--role", "validator", "--name", "extra", *("--dir", folder), timeout_s=240)
    (row,) = (row for row in documents("status", folder)["nodes"] if row["name"] == "extra")
    assert (row["kind"], documents("status", folder)["nodes"][0]["height"]) == ("validator", row["height"])
    assert "joined the chain by the snapshot" in (folder / "nodes" / "extra" / "node.log").read_text()
    publish(folder, "with-five", "extra")
    settle(folder)


def test_a_validator_gets_another_key_while_it_runs(folder: Path) -> None:
    node = folder / "nodes" / "central-bank"
    before = process_of(node)
    done = json.loads(coseal("node", "rotate-key", "central-bank", "--dir", folder, "--json", timeout_s=240))
    assert process_of(node) == before
    key = json.loads((node / "engine" / "config" / "priv_validator_key.json").read_text())["pub_key"]["value"]
    assert base64.b64decode(key).hex() == done["public_key"]
    settle(folder)


def have_a_snapshot(folder: Path) -> None:
    """Commit until nodes show a snapshot: of height 8, once two blocks follow it."""
    with Recording(folder):
        while max(heights(folder).values()) < 11:
            time.sleep(0.2)
    settle(folder)


def vote_twice(folder: Path, height: int) -> None:
    """Give two precommits of bank-a's validator to the CometBFT of another node, which checks and gossips them."""
    genesis = Genesis.decode((folder / "genesis.json").read_bytes())
    signer = load_signer(folder / "nodes" / "bank-a" / "keys" / "consensus.pem")
    rpc = Rpc(folder / "nodes" / "regulator" / "engine" / "rpc.sock")
    shown = {"height": str(height)}
    block = asyncio.run(rpc._result("block", shown))["block"]
    validators = asyncio.run(rpc._result("validators", shown))["validators"]
    address = address_of(signer.public_key).hex().upper()
    (index,) = (at for at, one in enumerate(validators) if one["address"] == address)
    place: dict[str, Any] = {"kind": VoteKind.PRECOMMIT, "height": height}
    halves = voted_twice(genesis.chain_id, signer, **place)
    votes = [vote_shown(half, signer.public_key, index=index, **place) for half in halves]
    powers = {"TotalVotingPower": str(len(validators)), "ValidatorPower": "1"}
    proof = {"vote_a": votes[0], "vote_b": votes[1], **powers, "Timestamp": block["header"]["time"]}
    given = {"evidence": {"type": "tendermint/DuplicateVoteEvidence", "value": proof}}
    asyncio.run(rpc._result("broadcast_evidence", given))


def test_a_double_vote_is_on_record(folder: Path) -> None:
    publish(folder, "after-who-joined-by-a-snapshot")  # whose CometBFT has no headers from before that (M21)
    height = max(heights(folder).values())
    vote_twice(folder, height)
    until = time.monotonic() + 60
    while not (shown := documents("show", "evidence", "bank-a", "--dir", folder).get("proofs")):
        assert time.monotonic() < until
        publish(folder, f"may-carry-the-evidence-{time.time_ns()}")  # if its proposer has it by then
    assert [(one["height"], one["phase"]) for one in shown] == [(height, "precommit")]
    assert list((folder / "nodes" / "central-bank" / "evidence").glob("*-bank-a.json"))


def forge(items: Path) -> Callable[[], None]:
    """Change the last byte of every part of the state in a snapshot on disk; return what puts it back."""
    before = items.read_bytes()
    records = framing.scan(before, first_sequence=1).records
    lies = [bytes([*record.payload[:-1], record.payload[-1] ^ 1]) for record in records[:-1]] + [records[-1].payload]
    framed = [
        framing.frame(at, record.kind, lie) for at, (record, lie) in enumerate(zip(records, lies, strict=True), 1)
    ]
    with items.open("r+b") as file:  # in place: the node has it open
        file.write(b"".join(framed))

    def put_back() -> None:
        with items.open("r+b") as file:
            file.write(before)

    return put_back


def test_a_node_joins_by_a_snapshot_and_takes_a_chunk_that_lies_from_another_peer(folder: Path) -> None:
    """Every node lies about the state until the newcomer has refused one of them, which it asks for nothing more."""
    have_a_snapshot(folder)
    true = [forge(items) for items in folder.glob("nodes/*/snapshots/*/items.log")]
    node = folder / "nodes" / "late"
    adding = threading.Thread(
        target=coseal, args=("node", "add", "--role", "observer", "--name", "late", "--dir", folder)
    )
    adding.start()
    until = time.monotonic() + 60
    log = node / "node.log"
    while not (log.exists() and "bad_snapshot" in log.read_text()):
        assert time.monotonic() < until
        time.sleep(0.05)
    for put_back in true:
        put_back()
    adding.join()
    settle(folder)
    assert "joined the chain by the snapshot" in log.read_text()
    shown = {row["name"]: row for row in documents("status", folder)["nodes"]}
    assert shown["late"]["state_root"] == shown["regulator"]["state_root"]
    publish(folder, "after-the-snapshot", "late")
    coseal("node", "remove", "late", "--dir", folder)


def test_a_newcomer_that_older_evidence_stops_joins_again_by_a_newer_snapshot(folder: Path) -> None:
    """What operators are advised where M21 is of no help: evidence from before a newcomer's snapshot."""
    node = folder / "nodes" / "extra"
    vote_twice(folder, 1)
    until = time.monotonic() + 120
    while "CONSENSUS FAILURE" not in (node / "engine" / "cometbft.log").read_text():
        assert time.monotonic() < until
        publish(folder, f"may-carry-older-evidence-{time.time_ns()}")
    while max(heights(folder).values()) < heights(folder)["extra"] + 12:  # a newer snapshot, and two blocks after it
        publish(folder, f"without-the-newcomer-{time.time_ns()}")
    coseal("node", "stop", "extra", "--dir", folder)
    (node / "engine").rename(folder.parent / "engine-that-stopped")
    coseal("node", "start", "extra", "--dir", folder)
    settle(folder)
    publish(folder, "with-the-newcomer", "extra")


def test_the_readmes_tour_is_the_same_where_cometbft_orders(tmp_path_factory: pytest.TempPathFactory) -> None:
    tour = README.split("## A tour")[1].split("\n## ")[0]
    tour = tour.replace("coseal up --detach", "coseal up --engine cometbft --detach")
    tour = tour.replace("      - The 4 sources", "      ...\n      - The 4 sources")  # after who agreed on the order
    here = tmp_path_factory.mktemp("t")  # a short path: sockets are in it
    base, lock = reserve_ports(4)
    try:
        follow(tour, here, base_port=base)
    finally:
        coseal("down", here / "coseal-net")
        os.close(lock)


def test_a_stopped_network_goes_on_and_every_block_of_it_is_audited(folder: Path) -> None:
    settle(folder)
    before = max(heights(folder).values())
    coseal("down", folder)
    coseal("up", folder, "--detach", "--no-console", "--timeout", 90)
    publish(folder, "after")
    settle(folder)
    report = json.loads(coseal("audit", folder, "--json"))
    assert report["verdict"] == "ok"
    assert report["level"] == "replay"
    assert heights(folder)["bank-a"] > before
