"""A validator with damaged files on a running network: what it says, and that its advice works, after a new key too."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from coseal.network import folders, processes
from tests.cluster.commands import coseal, documents
from tests.cluster.network import reserve_ports

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

NODE = "bank-a"


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[folders.Network]:
    """A network whose bank has replaced its consensus key, and recorded something before and after."""
    base, _held = reserve_ports(4)
    folder = tmp_path_factory.mktemp("repair") / "net"
    coseal("up", folder, "--detach", "--no-console", "--base-port", base)
    record(folder, 3)
    coseal("node", "rotate-key", NODE, "--dir", folder)
    record(folder, 3)
    yield folders.load(folder)
    coseal("down", folder)


def record(folder: Path, times: int) -> None:
    for number in range(times):
        words = ("membership.set_profile", f"description={number}", "--as", "regulator", "--dir", folder)
        coseal("submit", *words)


def flip(path: Path, at: int, count: int = 8) -> None:
    raw = bytearray(path.read_bytes())
    raw[at : at + count] = bytes(byte ^ 0xFF for byte in raw[at : at + count])
    path.write_bytes(raw)


def stopped(net: folders.Network) -> Path:
    """Stop the bank's node and return its folder."""
    coseal("node", "stop", NODE, "--dir", net.directory)
    return net.node(NODE).data


def refused(net: folders.Network) -> str:
    """Start the node, which does not, and return what the command says; the status says it too."""
    said = coseal("node", "start", NODE, "--dir", net.directory, code=2)
    rows = {row["name"]: row for row in documents("status", net.directory)["nodes"]}
    why = rows[NODE]["why_stalled"]
    assert why.startswith("not running: ")
    assert why.removeprefix("not running: ") in said
    return said


def repaired(net: folders.Network) -> list[str]:
    """Repair the node; it has what the others have, and votes in what is recorded then."""
    found = documents("node", "repair", NODE, "--dir", net.directory)
    for _ in range(30):  # without its journal it observes until blocks are certified beyond where it may have voted
        record(net.directory, 1)
        status = processes.probe(net.node(NODE))
        if status is not None and status["voting"]:
            break
    assert status is not None
    assert (status["voting"], status["silence"], status["healthy"]) == (True, None, True)
    assert len({row["state_root"] for row in documents("status", net.directory)["nodes"]}) == 1
    lines: list[str] = found["done"]
    return lines


def test_a_damaged_block_log_is_kept_up_to_the_damage(net: folders.Network) -> None:
    folder = stopped(net)
    flip(folder / "blocks" / "00000001.log", 5_000)
    said = refused(net)
    assert "is damaged" in said
    assert f"coseal node repair {NODE}" in said
    (line,) = repaired(net)
    assert "are kept, the others come from the peers again" in line


def test_a_node_without_blocks_follows_from_the_genesis_also_after_a_new_key(net: folders.Network) -> None:
    shutil.rmtree(stopped(net) / "blocks")
    assert repaired(net) == ["nothing is damaged"]


def test_a_damaged_state_database_is_rebuilt_without_asking(net: folders.Network) -> None:
    folder = stopped(net)
    flip(folder / "state" / "data.mdb", 0, 8_192)
    coseal("node", "start", NODE, "--dir", net.directory)
    assert repaired(net) == ["nothing is damaged"]


def test_the_gateways_damaged_memory_is_named_and_put_aside(net: folders.Network) -> None:
    flip(stopped(net) / "idempotency.sqlite", 0, 100)
    assert "idempotency.sqlite, the gateway's memory of requests, is damaged" in refused(net)
    (line,) = repaired(net)
    assert "may be recorded twice" in line


def test_a_certificate_that_does_not_fit_its_key_is_named_and_put_right(net: folders.Network) -> None:
    folder = stopped(net)
    certificate = folder / "keys" / "link.crt"
    shutil.copy(net.node("regulator").data / "keys" / "link.crt", certificate)
    assert "link.crt is not the certificate of" in refused(net)
    (line,) = repaired(net)
    assert "the certificate that the chain registers is in its place" in line


def test_a_key_of_another_node_is_still_refused(net: folders.Network) -> None:
    folder = stopped(net)
    key = folder / "keys" / "consensus.pem"
    kept = key.read_bytes()
    key.write_bytes((net.node("regulator").data / "keys" / "consensus.pem").read_bytes())
    assert "is not the key of bank-a" in refused(net)
    key.write_bytes(kept)
    assert repaired(net) == ["nothing is damaged"]


def test_a_validator_that_lost_blocks_and_journal_observes_first_and_votes_later(net: folders.Network) -> None:
    folder = stopped(net)
    shutil.rmtree(folder / "blocks")
    flip(folder / "journal" / "journal.log", 50)
    (line,) = repaired(net)
    assert line.startswith("the journal is damaged")
    assert '"journal_missing"' in (folder / "node.log").read_text("utf-8")
