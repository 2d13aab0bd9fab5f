"""Supervision from the command line, on four real nodes: a rule proposed, adopted, broken, answered, proven."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.commands import command, coseal, documents
from tests.cluster.test_command_line import EXAMPLES, free_base_port

pytestmark = pytest.mark.cluster

RULES = EXAMPLES / "rules"


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A running network on which receivables are defined and their rules adopted."""
    folder = tmp_path_factory.mktemp("cluster") / "net"
    documents("up", folder, "--base-port", free_base_port(), "--detach", "--no-console")
    try:
        define = ["process.define_type", "--data", RULES / "receivables.type.json", "--as", "enterprise-a"]
        source = ["process.register_source", "id=live", "process_type=receivables", "mode=live", "--as", "enterprise-a"]
        documents("submit", *define, "--dir", folder)
        documents("submit", *source, "--dir", folder)
        yield folder
    finally:
        coseal("down", folder)


def certificate(number: int, due: str, name: str) -> dict[str, Any]:
    return {
        "event": f"e{number}",
        "type": "Certificate issued",
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "objects": [["certificate", name]],
        "attributes": {"amount": 100_000, "payment_date": due},
    }


def record(net: Path, tmp_path: Path, sequence: int, *items: dict[str, Any], code: int = 0) -> Any:
    batch = tmp_path / f"batch-{sequence}.json"
    batch.write_text(json.dumps({"source": "live", "sequence": sequence, "items": items}))
    return documents("submit", "process.record", "--data", batch, "--as", "enterprise-a", "--dir", net, code=code)


def test_from_a_rule_file_to_verified_evidence(net: Path, tmp_path: Path):
    at = ("--dir", net)
    proposed = documents("rules", "propose", RULES / "receivables.json", "--as", "regulator", *at)
    ballot = proposed["receipt"]["data"]["ballot"]
    assert "2 no" not in coseal("rules", "vote", ballot, "no", "--as", "enterprise-a", *at)
    again = documents("rules", "vote", ballot, "yes", "--as", "enterprise-a", *at, code=1)
    assert again["receipt"]["code"] == "already_voted"
    assert "is accepted: 3 yes, 1 no; 3 of 4 needed" in coseal("rules", "adopt", ballot, *at)
    rules = documents("rules", "list", "--status", "adopted", *at)
    assert len(rules) == 6
    assert documents("rules", "show", "RC-TERM-MAX", *at)["status"] == "adopted"
    shown = documents("rules", "ballots", "--id", ballot, *at)
    assert {vote["member"]: vote["choice"] for vote in shown["votes"]}["enterprise-a"] == "no"
    assert (shown["track"], shown["constituencies"]["enterprise"]["no"]) == ("rules", 1)

    refused = record(net, tmp_path, 1, certificate(1, "2020-01-01T00:00:00Z", "C0"), code=1)
    assert refused["receipt"]["code"] == "rule_violated"
    assert "RC-TERM-SENSE" in refused["receipt"]["detail"]
    data = record(net, tmp_path, 1, certificate(1, "2099-01-01T00:00:00Z", "C1"))["receipt"]["data"]
    finding = next(view["id"] for view in data["findings"] if view["rule"] == "RC-TERM-MAX")
    listed = documents("findings", "list", "--awaits", "supervisor", "--party", "enterprise-a", *at)
    assert finding in {row["id"] for row in listed}

    wrong = documents("findings", "acknowledge", finding, "--as", "bank-a", *at, code=1)
    assert wrong["receipt"]["code"] == "forbidden"
    assert "next: inquire, by regulator" in coseal("findings", "acknowledge", finding, "--as", "regulator", *at)
    early = documents("findings", "sanction", finding, "No", "--measure", "Fine", "--as", "regulator", *at, code=1)
    assert early["receipt"]["code"] == "hearing_first"
    coseal("findings", "inquire", finding, "Why so long?", "--within", "20d", "--as", "regulator", *at)
    letter = tmp_path / "letter.txt"
    letter.write_text("The date is a typing error.")
    coseal("findings", "respond", finding, "See the letter", "--evidence", letter, "--as", "enterprise-a", *at)
    coseal("findings", "hold", finding, "Until it is cleared", "--for", "1h", "--as", "regulator", *at)
    coseal("findings", "lift-hold", finding, "Cleared", "--as", "regulator", *at)
    assert "is closed (dismissed)" in coseal("findings", "dismiss", finding, "A typo", "--as", "regulator", *at)
    shown = documents("findings", "show", finding, *at)
    assert [step["step"] for step in shown["trail"]] == ["acknowledge", "inquire", "respond", "dismissed"]
    assert shown["trail"][2]["response"] == "See the letter"
    assert "See the letter" in coseal("show", "finding", finding, *at)
    assert "proven here" in coseal("show", "rule", "RC-TERM-MAX", *at)

    out = tmp_path / "evidence.json"
    documents("bundle", finding, "--out", out, *at)
    verified = documents("verify", out, "--genesis", net / "genesis.json")
    assert verified["verdict"] == "ok"
    assert [step["verdict"] for step in verified["steps"]] == ["ok"] * 12
    assert "10 trail" in coseal("verify", out, "--genesis", net / "genesis.json")
    document = json.loads(out.read_text())
    document["trail"].pop()
    out.write_text(json.dumps(document))
    spoilt = documents("verify", out, "--genesis", net / "genesis.json", code=1)
    assert spoilt["reason"].startswith("step 10 of 12, trail: ")


def test_questions_are_answered_and_obligations_listed(net: Path):
    at = ("--dir", net)
    asked = documents("questions", "ask", "Terms", "From which day?", "--as", "bank-a", *at)["receipt"]["data"]["id"]
    documents("questions", "answer", asked, "From the day of issue", "--as", "regulator", *at)
    own = documents("questions", "ask", "Own", "?", "--as", "regulator", *at)["receipt"]["data"]["id"]
    assert documents("questions", "answer", own, "!", "--as", "regulator", *at, code=1)["receipt"]["code"] == "own_case"
    rows = {row["id"]: row for row in _until(lambda: documents("questions", "list", *at), 2)}
    assert (rows[asked]["answer"], rows[own]["status"]) == ("From the day of issue", "open")
    times = {row["step"]: row for row in documents("questions", "times", *at)}
    assert times["answer"]["done"] == 1
    assert documents("obligations", *at) == []
    assert "expected a time such as" in coseal(
        "rules", "propose", RULES / "receivables.json", "--trial", "soon", "--as", "regulator", *at, code=2
    )
    done = subprocess.run(
        command("show", "finding", "F999", *at), capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, "no finding F999" in done.stderr) == (1, True)


def _until(look: Any, count: int) -> Any:
    """Look until a list of the index holds enough."""
    deadline = time.monotonic() + 20
    while len(found := look()) < count:
        assert time.monotonic() < deadline
    return found
