"""A running network whose members, nodes and keys change by command, under load, and what an outsider can check."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from coseal.audit.report import Verdict
from coseal.audit.verify import verify_bytes
from coseal.client import keys
from coseal.client.blocking import Client
from coseal.errors import CosealError
from coseal.network import folders
from coseal.network.processes import probe
from tests.cluster.commands import command, coseal, documents, environment
from tests.cluster.network import reserve_ports

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

LOADED = "enterprise-a"
PROBE = Path(__file__).parents[1] / "coseal" / "formats" / "roundtrip_probe.json"


class Load:
    """Submits one transaction after another through one node; keeps a receipt of each epoch."""

    def __init__(self, net: folders.Network, node: str) -> None:
        self.receipts: dict[int, bytes] = {}
        self.count, self.longest_s, self.failure = 0, 0.0, ""
        self._net, self._node = net, node
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def end(self) -> None:
        self._stop.set()
        self._thread.join(90)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        signer = keys.read_signer(self._net.key_path(f"{LOADED}/admin"))
        with Client(
            self._net.node(self._node).url, self._net.genesis(), signer=signer, sender=f"{LOADED}/admin"
        ) as client:
            while not self._stop.is_set():
                began = time.monotonic()
                try:
                    committed = client.submit("membership", "set_profile", {"description": f"load {self.count}"})
                except CosealError as error:
                    self.failure = str(error)
                    return
                self.count += 1
                self.longest_s = max(self.longest_s, time.monotonic() - began)
                raw = json.dumps(committed.document()).encode()
                self.receipts.setdefault(committed.proof.header.epoch, raw)


@dataclass
class Story:
    """What was done to the network, in order, and what the commands said."""

    folder: Path
    said: dict[str, Any] = field(default_factory=dict)
    load: Load | None = None

    @property
    def validator(self) -> folders.NodeEntry:
        """A validator that stayed."""
        return next(node for node in self.net.nodes if node.kind == "validator")

    @property
    def net(self) -> folders.Network:
        return folders.load(self.folder)

    def status(self, name: str) -> dict[str, Any]:
        found = probe(self.net.node(name), 10)
        assert found is not None, name
        return found

    def leader_among(self, *names: str) -> str:
        """Wait until one of these leads, and return which; under load the leader changes every few blocks."""
        deadline = time.monotonic() + 120
        while (leader := str(self.status("observer-1")["leader"])) not in names:
            assert time.monotonic() < deadline, leader
            time.sleep(0.05)
        return leader


def interrupted(marker: str, *words: object) -> None:
    """Begin a command, and kill it as soon as it has said ``marker``."""
    process = subprocess.Popen(command(*words), stdout=subprocess.PIPE, text=True, env=environment())
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if marker in line:
                break
        else:
            raise AssertionError(f"it ended by itself: {process.wait(10)}")
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Four validators; an observer, a fifth validator (after an interruption), a new key, and the leader is removed."""
    folder = tmp_path_factory.mktemp("membership") / "net"
    base, lock = reserve_ports(7)
    coseal("up", folder, "--base-port", base, "--detach", "--no-console")
    told = Story(folder)
    try:
        told.said["observer"] = documents("node", "add", "--role", "observer", "--dir", folder)
        told.load = load = Load(told.net, told.said["observer"]["node"])
        try:
            interrupted("registered by", "node", "add", "--role", "validator", "--dir", folder)
            told.said["unfinished"] = coseal("node", "add", "--role", "observer", "--dir", folder, code=2)
            told.said["validator"] = documents("node", "add", "--role", "validator", "--dir", folder)
            told.said["key"] = documents("node", "rotate-key", "bank-a", "--dir", folder)
            interrupted("the chain knows", "member", "rotate-key", "bank-a/admin", "--dir", folder)
            told.said["user"] = documents("member", "rotate-key", "bank-a/admin", "--dir", folder)
            leader = told.leader_among("regulator", "central-bank", "enterprise-a")
            told.said["leader"] = leader
            told.said["removed"] = documents("node", "remove", leader, "--dir", folder)
            told.said["height"] = told.status("observer-1")["height"]
        finally:
            load.end()
        coseal("down", folder)
        told.said["up"] = documents("up", folder, "--detach", "--no-console")
        yield told
    finally:
        coseal("down", folder)
        os.close(lock)


def test_the_network_goes_on_while_it_changes(story: Story) -> None:
    load = story.load
    assert load is not None
    assert load.failure == ""
    assert load.count > 20
    assert set(load.receipts) == {0, 1, 2, 3}
    assert load.longest_s < 30


def test_an_observer_follows_and_does_not_vote(story: Story) -> None:
    assert story.said["observer"]["kind"] == "observer"
    status = story.status("observer-1")
    assert (status["kind"], status["voting"]) == ("observer", False)
    assert status["height"] >= story.said["height"]


def test_an_interrupted_addition_is_told_and_gone_on_with(story: Story) -> None:
    assert "is being added as validator and not finished" in story.said["unfinished"]
    added = story.said["validator"]
    assert (added["kind"], added["epoch"]) == ("validator", 1)
    assert not (story.net.node(added["node"]).data / "adding.json").exists()


def test_a_removed_leader_is_gone_and_its_folder_is_kept(story: Story) -> None:
    leader = story.said["leader"]
    assert story.said["removed"]["epoch"] == 3
    assert leader not in [node.name for node in story.net.nodes]
    assert (Path(story.said["removed"]["folder"]) / "keys" / "consensus.pem").is_file()
    assert leader not in json.dumps(story.status("observer-1")["peers"])
    again = coseal("node", "remove", leader, "--dir", story.folder, code=2)
    assert "no node" in again


def test_status_up_and_down_know_the_nodes_that_came_later(story: Story) -> None:
    shown = documents("status", story.folder)["nodes"]
    assert [node["name"] for node in shown] == [node.name for node in story.net.nodes]
    assert story.said["validator"]["node"] in [node["name"] for node in shown]
    assert all(node["healthy"] and node["pid"] for node in shown)
    assert len({(node["height"], node["state_root"]) for node in story.said["up"]["nodes"]}) == 1


def test_keys_are_replaced_in_their_files_and_the_former_ones_are_kept(story: Story) -> None:
    node = story.net.node("bank-a") if story.said["leader"] != "bank-a" else None
    folder = node.data if node is not None else Path(story.said["removed"]["folder"])
    signer = keys.read_signer(folder / "keys" / "consensus.pem")
    assert signer.public_key.hex() == story.said["key"]["public_key"]
    assert not (folder / "keys" / "consensus-next.pem").exists()
    former = Path(story.said["key"]["former_file"]).name
    assert keys.read_signer(folder / "keys" / "former" / former).public_key != signer.public_key
    user = keys.read_signer(story.net.key_path("bank-a/admin"))
    assert user.public_key.hex() == story.said["user"]["public_key"]
    out = documents(
        "submit", "membership.set_profile", "description=with a new key", "--as", "bank-a", "--dir", story.folder
    )
    assert out["receipt"]["ok"]


def test_every_receipt_verifies_with_the_genesis_alone(story: Story, tmp_path: Path) -> None:
    load = story.load
    assert load is not None
    genesis = story.net.genesis()
    for epoch, raw in load.receipts.items():
        result = verify_bytes(raw, genesis)
        assert (result.verdict, result.facts["epoch"]) == (Verdict.OK, epoch)
        bare = {name: value for name, value in json.loads(raw).items() if name != "handovers"}
        expected = Verdict.OK if epoch == 0 else Verdict.UNKNOWN
        assert verify_bytes(json.dumps(bare).encode(), genesis).verdict is expected
    path = tmp_path / "receipt.json"
    path.write_bytes(load.receipts[3])
    assert documents("verify", path, "--genesis", story.net.genesis_path)["facts"]["epoch"] == 3


def test_a_node_gives_documents_that_verify_in_every_epoch(story: Story, tmp_path: Path) -> None:
    shown = documents("show", "tx", _last_transaction(story), "--dir", story.folder)
    assert len(shown["handovers"]) == 3
    path = tmp_path / "shown.json"
    path.write_text(json.dumps(shown))
    assert documents("verify", path, "--genesis", story.net.genesis_path)["verdict"] == "ok"
    for height, epoch in ((1, 0), (story.said["height"], 3)):
        with Client(story.net.node("observer-1").url, story.net.genesis()) as client:
            assert client.block(height).block.header.epoch == epoch
            found = client.get("/v1/validators", height=height)
        assert (found["epoch"], found["n"]) == (epoch, 4)


def _last_transaction(story: Story) -> str:
    out = documents("submit", "membership.set_profile", "description=last", "--as", LOADED, "--dir", story.folder)
    return str(out["id"])


def test_an_audit_by_replay_and_by_handovers_agrees_over_all_epochs(story: Story) -> None:
    whole = documents("audit", story.folder, "--level", "replay")
    assert (whole["verdict"], whole["epoch"], whole["first"]) == ("ok", 3, 1)
    assert {source["status"] for source in whole["sources"]} == {"ok"}
    urls = [word for node in story.net.nodes for word in ("--url", node.url)]
    genesis = ("--genesis", story.net.genesis_path)
    for level in ("headers", "merkle"):
        part = documents("audit", *urls, *genesis, "--level", level, "--from", story.said["height"])
        assert (part["verdict"], part["epoch"]) == ("ok", 3)


def test_a_process_is_exported_and_a_case_bundled_across_all_epochs(story: Story, tmp_path: Path) -> None:
    signed = ("--as", "bank-a", "--dir", story.folder)  # with the key that replaced the one of the genesis
    genesis = ("--genesis", story.net.genesis_path)
    assert documents("import", PROBE, *signed)["recorded"] == 6
    out = tmp_path / "log.json"
    documents("export", "ocel-json", "--out", out, *signed)
    verified = documents("verify", f"{out}.manifest.json", *genesis)
    assert (verified["verdict"], verified["facts"]["signed_by"]) == ("ok", ["bank-a/admin"])
    with Client(story.net.node("observer-1").url, story.net.genesis()) as client:
        one = client.get("/v1/objects", limit=1)["objects"][0]
    case = tmp_path / "case.json"
    documents("bundle", f"{one['process_type']}/{one['type']}/{one['id']}", "--out", case, "--dir", story.folder)
    proven = documents("verify", case, *genesis)
    assert proven["verdict"] == "ok"
    assert proven["steps"][1]["detail"].startswith("4 epoch(s)")


def test_what_was_decided_stays_readable(story: Story) -> None:
    listed = documents("governance", "list", "--status", "accepted", "--dir", story.folder)
    kinds = [row["kind"] for row in listed]
    assert kinds == ["remove_validator", "rotate_validator_key", "add_validator", "add_member"]
    shown = documents("governance", "show", listed[0]["id"], "--dir", story.folder)
    assert shown["subject"] == {"node": story.said["leader"]}
    assert shown["status"] == "accepted"
    assert "ballot_closed" in coseal(
        "governance", "vote", listed[0]["id"], "yes", "--as", story.validator.member, "--dir", story.folder, code=1
    )


def test_what_must_not_be_is_refused_with_what_to_do(story: Story) -> None:
    for words, says in (
        (("node", "add", "--role", "validator", "--member", story.validator.member), "cannot take another seat"),
        (("node", "add", "--role", "observer", "--member", "nobody"), "is not a member of this chain"),
        (("node", "add", "--role", "observer", "--name", story.said["leader"]), "had a node"),
        (("node", "rotate-key", "observer-1"), "is not a validator"),
        (("member", "rotate-key", "enterprise-a/nobody"), "no key of"),
    ):
        assert says in coseal(*words, "--dir", story.folder, code=2), words
    few = coseal("node", "remove", story.validator.name, "--dir", story.folder, code=1)
    assert "too_few_validators" in few
