"""A vault is dealt and armed on a network of processes, by commands alone; a custodian refuses keys that are wrong."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from coseal.network.access import Access
from coseal.sealing import dealing
from tests.cluster.canary import forms, hits
from tests.cluster.commands import coseal, documents
from tests.cluster.network import reserve_ports
from tests.cluster.sealing import MAP, decide_plan

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

ROWS = """loan,step,when,rate,borrower
L1,Grant,2026-01-05T10:00:00Z,0.05,canary-borrower-c07e42
L1,Change,2026-02-05T10:00:00Z,0.06,canary-borrower-c07e42
L2,Grant,2026-03-05T10:00:00Z,0.07,Other
"""
PLAN = {
    "id": "usual",
    "seats": ["regulator", "central-bank", "enterprise-a"],
    "substitutes": [],
    "threshold": 2,
    "retentions": {"loan": 86_400_000},
}


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "net"
    base = reserve_ports(4)[0]
    words = ("--detach", "--no-console", "--base-port", base, "--constitution", "founding", "--timeout", 200)
    coseal("up", folder, *words)
    yield folder
    coseal("down", folder)


def test_custodians_arm_a_vault_and_refuse_another(net: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*words: object, code: int = 0) -> str:
        return " ".join(coseal("disclosure", *words, "--dir", net, code=code).split())

    for member in PLAN["seats"]:  # type: ignore[attr-defined]
        assert f"{member}: version 1 of its key for custody" in run("key", "set", "--use", "custody", "--as", member)
    decide_plan(net, tmp_path, PLAN)

    opened = ("--plan", "usual", "--retention", "loan", "--as", "bank-a")
    assert "dealt to regulator, central-bank, enterprise-a" in run("vault", "open", "loans", *opened)
    assert "bank-a/loans: dealt; 0 seats accepted, 3 arm it" in run("vault", "status", "bank-a/loans")
    for seat, member in enumerate(PLAN["seats"]):  # type: ignore[arg-type]
        said = run("custodian", "run", "--once", "--as", member)
        assert f"bank-a/loans, seat {seat}: accepted, every key compared" in said
        assert (net / "members" / member / "sealing" / "seat-bank-a_loans.json").stat().st_mode & 0o777 == 0o600
    assert "bank-a/loans: armed; 3 seats accepted" in run("vault", "status", "bank-a/loans")
    assert run("custodian", "run", "--once", "--as", "regulator") == ""

    run("key", "set", "--use", "reader", "--as", "regulator")
    assert "readers: version 1" in run(
        "audience", "define", "loans", "readers", "--member", "regulator", "--as", "bank-a"
    )
    assert "key of version 1 for regulator" in run("audience", "grant", "loans", "readers", "--as", "bank-a")

    seal_and_read(net, tmp_path)

    with monkeypatch.context() as lying:
        lying.setattr(dealing, "commitments", lambda vault, keys: [b"x" * 32 for _ in keys])
        access = Access(net)
        with access.client("bank-a") as client:
            client.vaults(net / "members" / "bank-a" / "sealing").open_vault("bad", "usual", "loan").require_ok()
    refused = run("custodian", "run", "--once", "--as", "regulator")
    assert "bank-a/bad, seat 0: refused: Keys 1, 2 are not those committed to; the vault is refused" in refused
    assert run("custodian", "run", "--once", "--as", "central-bank") == ""
    assert "not_erased" in run("vault", "close", "loans", "--as", "bank-a", code=1)


def seal_and_read(net: Path, folder: Path) -> None:
    """A log is sealed; its owner and a reader open a loan, others learn nothing, one value is shown to anyone."""
    (folder / "loans.csv").write_text(ROWS, encoding="utf-8")
    (folder / "loans.toml").write_text(MAP, encoding="utf-8")
    log = (folder / "loans.csv", "--map", folder / "loans.toml", "--as", "bank-a", "--dir", net)
    assert "does_not_fit" in coseal("import", *log, code=1)  # without a vault these would be commitments
    assert "recorded 3 items as bank-a/loans" in coseal("import", *log, "--seal", "loans")
    assert "3 were there already and were not compared" in coseal("import", *log, "--seal", "loans")

    def read(member: str) -> list[tuple[str, str]]:
        found = documents("disclosure", "read", "loans/case/L1", "--as", member, "--dir", net)
        return [(one["status"], one.get("value", "")) for one in found["sealed"]]

    values = [
        ("read", "0.05"),
        ("read", "canary-borrower-c07e42"),
        ("read", "0.06"),
        ("read", "canary-borrower-c07e42"),
    ]
    assert sorted(read("bank-a")) == sorted(read("regulator")) == sorted(values)
    assert {status for status, _ in read("enterprise-a")} == {"no_key"}  # it sits at the vault
    assert "canary-borrower-c07e42" in coseal("disclosure", "read", "loans/case/L1", "--as", "regulator", "--dir", net)

    nothing_leaked(net)
    shown = folder / "rate.json"
    words = ("loans/case/L1", "rate", "--item", "bank-a/loans/2", "--out", shown, "--dir", net)
    assert "rate of event row-2: 0.06" in coseal("disclosure", "reveal", *words, "--as", "regulator")
    genesis = ("--genesis", net / "genesis.json")
    assert "case L1 was recorded with this sealed value" in coseal("verify", shown, *genesis)
    document = json.loads(shown.read_text("utf-8"))
    document["values"][0]["value"] = "0.04"
    shown.write_text(json.dumps(document), encoding="utf-8")
    assert "does not commit to this value of rate" in coseal("verify", shown, *genesis, code=1)


def nothing_leaked(net: Path) -> None:
    """No sealed value, salt or key is in a node's files, logs or metrics, nor in what a member's folder logs."""
    opened = documents("disclosure", "read", "loans/case/L1", "--as", "bank-a", "--dir", net)
    wanted = {"a value": {b"canary-borrower-c07e42"}}
    wanted |= {f"salt of {one['item']} {one['name']}": forms(bytes.fromhex(one["salt"])) for one in opened["sealed"]}
    kept = json.loads((net / "members" / "bank-a" / "sealing" / "vault-loans.json").read_text("utf-8"))
    wanted |= {f"key {number}": forms(bytes.fromhex(key)) for number, key in enumerate(kept["keys"])}
    wanted |= {"audience": forms(bytes.fromhex(kept["audiences"]["readers"]["1"]))}
    assert len(wanted) == 1 + 4 + 3 + 1
    files = [path for path in net.rglob("*") if path.is_file() and path.parent.name != "sealing"]
    written = {str(path): path.read_bytes() for path in files}
    assert any("sidecars" in name for name in written)
    for node in Access(net).network().nodes:
        with urllib.request.urlopen(f"{node.url}/metrics", timeout=20) as answer:
            written[f"metrics of {node.name}"] = answer.read()
    assert hits(wanted, written) == []
    assert hits(wanted, {"a copy": json.dumps(kept).encode()})  # what is there is found
