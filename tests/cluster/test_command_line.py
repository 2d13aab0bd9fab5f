"""The command line against real nodes: the story of the README, and what happens when things go wrong."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import commands
from tests.cluster.network import reserve_ports

pytestmark = pytest.mark.cluster

EXAMPLES = Path(__file__).parents[2] / "examples"
NOTICE = ["id=cn/2026-1", "title=On process data", "type_document=notice", "date_document=2026-01-05"]


def free_base_port(nodes: int = 4) -> int:
    """Reserve ports for this test process; the lock goes with it."""
    return reserve_ports(nodes)[0]


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "coseal", *(str(word) for word in words)]


def coseal(*words: object, code: int = 0, stdin: str | None = None) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COSEAL_")}
    done = subprocess.run(
        command(*words), capture_output=True, text=True, input=stdin, timeout=120, env=environment, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout if code != 2 else done.stderr


def documents(*words: object, code: int = 0) -> Any:
    return json.loads(coseal(*words, "--json", code=code))


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A running network of four nodes, started by ``coseal up --detach``."""
    folder = tmp_path_factory.mktemp("cluster") / "net"
    document = documents("up", folder, "--base-port", free_base_port(), "--detach")
    try:
        assert [node["healthy"] and node["height"] >= 1 for node in document["nodes"]] == [True] * 4
        with urllib.request.urlopen(document["console"], timeout=60) as page:
            assert b"Coseal" in page.read()
        yield folder
    finally:
        coseal("down", folder)
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(document["console"], timeout=5)


def test_status_tells_the_same_tip_everywhere(net: Path):
    document = documents("status", net)
    assert len({(node["height"], node["state_root"]) for node in document["nodes"]}) == 1
    assert all(node["pid"] and node["why_stalled"] is None for node in document["nodes"])
    coseal("status", net, "--check")


def test_a_policy_is_published_shown_and_its_receipt_verifies_offline(net: Path, tmp_path: Path):
    receipt = tmp_path / "receipt.json"
    outcome = documents("submit", "policy.publish", *NOTICE, "--as", "regulator", "--out", receipt, "--dir", net)
    assert outcome["status"] == "committed"
    assert outcome["receipt"]["ok"]
    assert documents("verify", receipt, "--genesis", net / "genesis.json")["verdict"] == "ok"
    assert documents("show", "policy", "cn/2026-1", "--dir", net)["value"]["status"] == "passed"
    shown = documents("show", "tx", outcome["id"], "--dir", net)
    assert shown["height"] == outcome["height"]
    assert documents("show", "block", outcome["height"], "--dir", net)["height"] == outcome["height"]
    changed = json.loads(receipt.read_text())
    changed["receipt"]["code"] = "forbidden"
    receipt.write_text(json.dumps(changed))
    assert documents("verify", receipt, "--dir", net, code=1)["verdict"] == "bad"


def test_a_receipt_is_written_even_if_nobody_reads_what_is_printed(net: Path, tmp_path: Path):
    receipt = tmp_path / "receipt.json"
    words = ("submit", "membership.set_profile", "name=Bank", "--as", "bank-a", "--out", receipt, "--dir", net)
    with subprocess.Popen(command(*words), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        process.stdout.close()  # `| head` that has seen enough
        process.wait(60)
    assert documents("verify", receipt, "--dir", net)["verdict"] == "ok"


def test_what_the_chain_refuses_is_shown_with_its_code(net: Path):
    outcome = documents("submit", "policy.publish", *NOTICE[:1], *NOTICE[1:], "--as", "bank-a", "--dir", net, code=1)
    assert (outcome["status"], outcome["receipt"]["code"]) == ("rejected", "forbidden")


def test_a_signed_transaction_is_taken_by_any_node_once(net: Path):
    text = coseal("sign", "policy.publish", "id=cn/curl", *NOTICE[1:], "--as", "regulator", "--dir", net)
    url = documents("status", net)["nodes"][2]["url"] + "/v1/transactions?wait=commit"
    answers = []
    for _ in range(2):
        request = urllib.request.Request(url, text.encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as response:
            answers.append(json.load(response))
    assert answers[0] == answers[1]
    assert answers[0]["id"] == json.loads(text)["id"]


def test_a_log_is_imported_once_and_its_objects_are_provably_complete(net: Path, tmp_path: Path):
    rows = ["case,activity,when,amount"]
    rows += [f"A{n % 40},step {n % 3},2025-01-01T00:{n // 60:02}:{n % 60:02}Z,{n}.50" for n in range(600)]
    (tmp_path / "log.csv").write_text("\n".join(rows))
    settings = 'case = "case"\nactivity = "activity"\ntimestamp = "when"\n[attributes]\namount = "decimal"\n'
    (tmp_path / "map.toml").write_text(settings)
    words = ["import", tmp_path / "log.csv", "--map", tmp_path / "map.toml", "--as", "enterprise-a", "--dir", net]
    first = documents(*words, "--batch", 50)
    assert (first["recorded"], first["before"], first["sequence"]) == (600, 0, 600)
    second = documents(*words)
    assert (second["recorded"], second["before"], second["head"]) == (0, 600, first["head"])
    history = documents("show", "object", "log/case/A7", "--node", "regulator", "--dir", net)
    assert history["count"] == len(history["items"]) == 15
    path = tmp_path / "history.json"
    path.write_text(json.dumps(history))
    verified = documents("verify", path, "--dir", net, "--min-height", history["height"])
    assert (verified["verdict"], verified["chain"]["height"] >= history["height"]) == ("ok", True)
    coseal("verify", path, "--dir", net, "--min-height", 10_000, code=2)
    shown = coseal("show", "object", "log/case/A7", "--dir", net, "--min-height", history["height"])
    assert "log/case/A7: all its 15 items, up to block " in shown
    assert " proves block " in shown
    (tmp_path / "log.csv").write_text("\n".join([rows[0], *rows[2:]]))
    assert "not what the file begins with" in run_for_stderr(*words, code=1)


def run_for_stderr(*words: object, code: int) -> str:
    done = subprocess.run(command(*words), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stderr


def test_a_killed_node_comes_back_to_the_same_tip(net: Path):
    coseal("node", "kill", "bank-a", "--dir", net)
    dead = next(node for node in documents("status", net)["nodes"] if node["name"] == "bank-a")
    assert (dead["pid"], dead["why_stalled"]) == (None, "not running")
    words = ["submit", "policy.publish", "id=cn/without-bank-a", *NOTICE[1:], "--as", "regulator", "--dir", net]
    assert documents(*words)["status"] == "committed"
    coseal("node", "start", "bank-a", "--dir", net)
    deadline = time.monotonic() + 30
    while len({(node["height"], node["state_root"]) for node in documents("status", net)["nodes"]}) != 1:
        assert time.monotonic() < deadline
    assert "started" in coseal("logs", "bank-a", "--dir", net)


@pytest.mark.parametrize(
    ("level", "documents"),  # the last one as users do, the others without a process each
    [(level, commands.documents) for level in ("headers", "certificates", "merkle")] + [("replay", documents)],
)
def test_the_chain_is_audited_from_files_and_from_nodes(net: Path, level: str, documents: Callable[..., Any]):
    from_files = documents("audit", net, "--level", level)
    assert from_files["verdict"] == "ok"
    urls = [word for node in documents("status", net)["nodes"][:2] for word in ("--url", node["url"])]
    from_nodes = documents("audit", *urls, "--genesis", net / "genesis.json", "--level", level)
    assert from_nodes["verdict"] == "ok"
    assert from_nodes["last"] >= from_files["last"]
    pin = f"{from_files['last']}:{from_files['head_hash']}"
    assert documents("audit", net, "--level", level, "--trust", pin)["pin"] == pin
    wrong = f"{from_files['last']}:{'0' * 64}"
    assert documents("audit", net, "--level", level, "--trust", wrong, code=1)["verdict"] == "bad"


def test_a_load_is_committed_whole(net: Path):
    figures = documents("bench", "--clients", 4, "--transactions", 40, "--batch", 2, "--dir", net)
    assert figures["transactions"] == 40
    assert figures["transactions_per_s"] > 0


def test_a_second_network_on_the_same_ports_is_refused_before_anything_is_made(net: Path, tmp_path: Path):
    port = int(documents("status", net)["nodes"][0]["url"].rpartition(":")[2])
    said = coseal("up", tmp_path / "other", "--base-port", port, "--detach", code=2)
    assert re.search(rf"ports {port}, .* are in use by the network in {net}, which `coseal down {net}` ends", said)
    assert "--base-port" in said
    assert list(tmp_path.iterdir()) == []


def hear_interrupts() -> None:
    """A shell without job control lets what it starts in the background ignore Ctrl-C, and so would our child."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
def test_in_the_foreground_an_interrupt_stops_every_node_and_a_later_up_resumes_the_chain(tmp_path: Path):
    folder = tmp_path / "net"
    process = subprocess.Popen(
        command("up", folder, "--base-port", free_base_port(), "--no-console", "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=hear_interrupts,
    )
    assert process.stdout is not None
    try:
        deadline = time.monotonic() + 60
        while not (folder / "network.toml").exists() or not all(
            n["healthy"] for n in documents("status", folder)["nodes"]
        ):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        time.sleep(1)
        before = documents("status", folder)["nodes"][0]
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(30) == 0
        assert [node["pid"] for node in documents("status", folder)["nodes"]] == [None] * 4
        resumed = documents("up", folder, "--detach")
        assert resumed["nodes"][0]["height"] >= before["height"] >= 1
    finally:
        process.stdout.close()
        if process.poll() is None:
            process.kill()
            process.wait()
        coseal("down", folder)
