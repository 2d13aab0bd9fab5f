"""A supervisor opens sealed values on a network of processes: three of five custodians release, and one lies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coseal.sealing import releasing
from tests.cluster.commands import coseal, documents
from tests.cluster.network import reserve_ports
from tests.cluster.sealing import MAP, VALIDATORS, decide_plan

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

ROLES = {
    "regulator": 'role = "government"\nlevel = "central"',
    "city": 'role = "government"\nlevel = "municipal"',
    "central-bank": 'role = "bank"\ncentral_bank = true',
    "bank-a": 'role = "bank"',
    "enterprise-a": 'role = "enterprise"',
    "institute-a": 'role = "institute"',
    "public-a": 'role = "public"',
}
SEATS = ["regulator", "central-bank", "enterprise-a", "institute-a", "public-a"]
PLAN = {"id": "usual", "seats": SEATS, "substitutes": [], "threshold": 3, "retentions": {"loan": 86_400_000}}
ROWS = """loan,step,when,rate,borrower
L1,Grant,2026-01-05T10:00:00Z,0.05,ACME
L2,Grant,2026-02-05T10:00:00Z,0.09,ACME
L3,Grant,2026-03-05T10:00:00Z,0.06,Other
"""
CAP = 0.06


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Path]:
    members = "".join(f'[[members]]\nid = "{name}"\n{role}\n' for name, role in ROLES.items())
    consortium = tmp_path / "consortium.toml"
    consortium.write_text(f'name = "loans"\nvalidators = {json.dumps(VALIDATORS)}\n{members}', encoding="utf-8")
    folder = tmp_path / "net"
    words = ("--detach", "--no-console", "--base-port", reserve_ports(4)[0], "--constitution", "founding")
    coseal("up", folder, "--consortium", consortium, *words, "--timeout", 200)
    yield folder
    coseal("down", folder)


def test_custodians_release_to_an_approved_request_and_the_one_that_lies_is_named(
    net: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(member: str, *words: object, code: int = 0) -> str:
        return " ".join(coseal("disclosure", *words, "--as", member, "--dir", net, code=code).split())

    sealed(net, tmp_path, run)
    why = ("--order", "Order 12", "--purpose", "Compare the rates with the cap", "--legal-basis", "Article 38")
    said = run("city", "request", "r1", "bank-a/loans", "--cells", "1:1-3:price", *why)
    assert "city/r1: asked of bank-a/loans" in said
    which = ("--by", "city", "--request", "r1")
    run("bank-a", "object", *which, "--reason", "The cap is public")
    run("city", "answer", "--request", "r1", "--reason", "The rates are not")
    assert "is asked: seats release what is approved" in run("public-a", "release", "city/r1", code=1)
    run("regulator", "approve", *which, "--reason", "It fits")
    run("institute-a", "approve", *which, "--reason", "It fits")

    with monkeypatch.context() as lying:
        lying.setattr(releasing.custody, "part", lambda key, cell: bytes(32))
        run("enterprise-a", "release", "city/r1")
    run("public-a", "release", "city/r1")
    assert "the request is released" in run("institute-a", "release", "city/r1")
    out = tmp_path / "rates.json"
    assert "0 of 3 cells opened" in run("city", "open", "r1", "--out", out, code=2)
    said = run("central-bank", "custodian", "run", "--once", "--release")
    assert said == "city/r1: released by seat 1 of bank-a/loans; the request is released"
    assert run("central-bank", "custodian", "run", "--once", "--release") == ""
    said = run("city", "open", "r1", "--out", out)
    assert "3 of 3 cells opened" in said
    assert "fault of enterprise-a: its part is not that of its keys" in said
    assert out.stat().st_mode & 0o777 == 0o600
    cells = json.loads(out.read_text("utf-8"))["cells"]
    above = [cell["sequence"] for cell in cells if float(cell["values"]["rate"]) > CAP]
    assert above == [2]  # bank-a said that no rate is above the cap

    accesses = tmp_path / "accesses.json"
    coseal("disclosure", "log", "bank-a", "--out", accesses, "--dir", net)
    genesis = ("--genesis", net / "genesis.json")
    assert "concerned what bank-a sealed" in coseal("verify", accesses, *genesis)
    document = json.loads(accesses.read_text("utf-8"))
    del document["entries"][7]
    accesses.write_text(json.dumps(document), encoding="utf-8")
    coseal("verify", accesses, *genesis, code=1)

    urgent = ("--emergency", "The bank closes its books tonight")
    said = run("city", "request", "r2", "bank-a/loans", "--cells", "1:1:price", *why, *urgent)
    assert "city/r2: approved of bank-a/loans" in said
    assert "members of other roles review it until" in said
    assert run("central-bank", "custodian", "run", "--once", "--release") == ""  # a person decides
    assert "the request is approved" in run("central-bank", "release", "city/r2")
    verdict = ("--verdict", "unjustified", "--reason", "It could wait")
    for member in ("institute-a", "enterprise-a"):
        run(member, "review", "--by", "city", "--request", "r2", *verdict)
    assert "barred" in run("city", "request", "r3", "bank-a/loans", "--cells", "1:1:price", *why, *urgent, code=1)

    steps = documents("disclosure", "steps", "--dir", net)
    assert [row["step"] for row in rows_of(steps)] == [
        *("requested", "objected", "answered", "approved", "approved", "released", "released", "released", "released"),
        *("opened", "fault", "emergency", "released", "reviewed", "reviewed", "lapsed"),
    ]


def rows_of(found: Any) -> list[dict[str, Any]]:
    rows = found if isinstance(found, list) else next(value for value in found.values() if isinstance(value, list))
    return sorted(rows, key=lambda row: row["number"])


def sealed(net: Path, folder: Path, run: Any) -> None:
    """A plan is decided, a vault armed by its five custodians, and a log sealed into it."""
    for member in SEATS:
        run(member, "key", "set", "--use", "custody")
    decide_plan(net, folder, PLAN)
    run("bank-a", "vault", "open", "loans", "--plan", "usual", "--retention", "loan")
    for member in SEATS:
        assert "accepted, every key compared" in run(member, "custodian", "run", "--once")
    (folder / "loans.csv").write_text(ROWS, encoding="utf-8")
    (folder / "loans.toml").write_text(MAP, encoding="utf-8")
    log = (folder / "loans.csv", "--map", folder / "loans.toml", "--as", "bank-a", "--dir", net)
    assert "recorded 3 items as bank-a/loans" in coseal("import", *log, "--seal", "loans")
