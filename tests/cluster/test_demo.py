"""The demo, as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


def test_the_demo_tells_the_whole_story_and_what_it_leaves_verifies(tmp_path: Path):
    folder = tmp_path / "demo"
    command = [sys.executable, "-m", "coseal"]
    done = subprocess.run(
        [*command, "demo", folder, "--json"], capture_output=True, text=True, timeout=420, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    figures = told["figures"]
    assert (figures["instruments"], figures["policy_events"], figures["events"]) == (3_464, 8_117, 34_724)
    assert figures["levels"] == {"central": 1_563, "provincial": 1_089, "municipal": 822}  # Table 1 is central
    assert figures["findings"]["effective_without_passing"] == 69
    assert (figures["attestation"], figures["audit"], figures["refusal"]) == ("confirmed", "ok", "forbidden")
    assert sum(told["seconds"].values()) < 170
    for file in (figures["proof_file"], figures["bundle"], figures["dossier"]):
        verified = [*command, "verify", file, "--genesis", folder / "genesis.json"]
        assert subprocess.run(verified, capture_output=True, timeout=60, check=False).returncode == 0
    assert figures["findings_raised"] == {  # what `rules test` says of the log, and its README tells
        "TF-APPEAL-JUDGE": 5,
        "TF-APPEAL-PREFECT": 38,
        "TF-NOTIFIED": 197,
        "TF-RESULT-TOLD": 2,
    }
    assert 0 < figures["first_finding_at"] < 34_724, "findings come while the log is recorded"
    assert (figures["answered_as"], figures["refused_response"]) == ("rectified", "forbidden")
    assert figures["silent_transactions"] == 0, "the chain noticed the silence by itself"
    assert figures["gap"] == [3, 5]
    assert (figures["standard"], figures["standard_refused"]) == ("lending-events", "not_de_facto")
    assert (figures["paid"], figures["statement_movements"]) == ("1577999.00", 3_002)
    assert (figures["netted"], figures["netted_percent"]) == ("360000.00", 88)
    assert (figures["unread"], figures["points"]) == ("consult_first", "75 of 100 points")
    assert figures["standard_periods"] >= 3, "no fewer periods than decide"
    assert not list(folder.glob("nodes/*/node.pid"))
