"""The demo, as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("cluster")]


def test_the_demo_tells_the_whole_story_and_what_it_leaves_verifies(tmp_path: Path):
    folder = tmp_path / "demo"
    command = [sys.executable, "-m", "coseal"]
    done = subprocess.run(
        [*command, "demo", folder, "--json"], capture_output=True, text=True, timeout=170, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    figures = told["figures"]
    assert (figures["instruments"], figures["policy_events"], figures["events"]) == (3_464, 8_117, 34_724)
    assert figures["levels"] == {"central": 1_563, "provincial": 1_089, "municipal": 822}  # Table 1 is central
    assert figures["findings"]["effective_without_passing"] == 69
    assert (figures["attestation"], figures["audit"], figures["refusal"]) == ("confirmed", "ok", "forbidden")
    assert sum(told["seconds"].values()) < 170
    verified = [*command, "verify", figures["proof_file"], "--genesis", folder / "genesis.json"]
    assert subprocess.run(verified, capture_output=True, timeout=60, check=False).returncode == 0
    assert not list(folder.glob("nodes/*/node.pid"))
