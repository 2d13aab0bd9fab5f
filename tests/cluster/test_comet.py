"""Real nodes with real CometBFT: they commit, survive kills and pauses of either process, and the chain is audited."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from coseal.ledger.engines import COMETBFT_INSTALL, is_cometbft
from tests.cluster.network import reserve_ports

FOUND = shutil.which("cometbft")
MISSING = f"CometBFT is not on the PATH, or another release: `{COMETBFT_INSTALL}`"
pytestmark = [
    pytest.mark.cluster,
    pytest.mark.slow,
    pytest.mark.skipif(FOUND is None or not is_cometbft(Path(FOUND).read_bytes()), reason=MISSING),
]
POLICY = {"title": "A notice", "type_document": "notice", "date_document": "2021-09-15"}


def coseal(*words: object, code: int = 0, timeout_s: float = 120) -> str:
    command = [sys.executable, "-m", "coseal", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
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
