"""A vault is dealt and armed on a network of processes, by commands alone; a custodian refuses keys that are wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from coseal.network.access import Access
from coseal.sealing import dealing
from tests.cluster.commands import coseal, documents
from tests.cluster.network import reserve_ports

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

VALIDATORS = ("regulator", "central-bank", "bank-a", "enterprise-a")
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
    (tmp_path / "plan.json").write_text(json.dumps(PLAN), encoding="utf-8")
    words = ("--data", tmp_path / "plan.json", "--id", "plan", "--as", "regulator", "--dir", net)
    found = dict(documents("governance", "propose", "custody_plan", *words))
    for member in VALIDATORS[1:]:
        if found["status"] == "open":
            found = dict(documents("governance", "vote", "plan", "yes", "--as", member, "--dir", net))
    assert found["status"] == "accepted"

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

    with monkeypatch.context() as lying:
        lying.setattr(dealing, "commitments", lambda vault, keys: [b"x" * 32 for _ in keys])
        access = Access(net)
        with access.client("bank-a") as client:
            client.vaults(net / "members" / "bank-a" / "sealing").open_vault("bad", "usual", "loan").require_ok()
    refused = run("custodian", "run", "--once", "--as", "regulator")
    assert "bank-a/bad, seat 0: refused: Keys 1, 2 are not those committed to; the vault is refused" in refused
    assert run("custodian", "run", "--once", "--as", "central-bank") == ""
    assert "closed" in run("vault", "close", "loans", "--as", "bank-a")
