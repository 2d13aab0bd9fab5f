"""`coseal wallet` and `coseal currency`: statements and checks from block files, and the exit codes they end with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from coseal.audit import replay
from coseal.audit.verify import verify_bytes
from coseal.cli import app
from coseal.client import keys
from coseal.client.blocking import Client
from coseal.contracts.currency.post import wallet_of
from coseal.contracts.currency.state import wallet_key
from coseal.contracts.execution import Executor
from coseal.contracts.registry import CONTRACTS
from coseal.ledger.genesis import PROTOCOL_VERSION
from coseal.network.access import Access
from tests.coseal.formats.iso20022.messages import pain_001, transfer
from tests.support.chain import Chain
from tests.support.currency import VAULT_A, Money, funded, money_genesis, payment
from tests.support.keys import seed

EA, EB = "bank-a/ea", "bank-b/eb"


def run(*words: Any, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(map(str, words)))
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Block files of a chain with money, and its genesis beside them."""
    scene = funded()
    scene.ok("enterprise-a", "pay", **payment(EA, EB, 1_250, reference="Order 7"))
    scene.ok("enterprise-b", "pay", **payment(EB, EA, 50))
    folder: Path = tmp_path_factory.mktemp("archive")
    scene.chain.write(folder / "blocks")
    (folder / "genesis.json").write_bytes(scene.chain.genesis.raw)
    return folder


def test_a_statement_is_made_of_an_archive_and_verifies_offline(archive: Path, tmp_path: Path) -> None:
    genesis = ("--genesis", archive / "genesis.json")
    said = run("wallet", "statement", EA, "--archive", archive / "blocks", *genesis)
    assert "bank-a/ea, the beginning to now: 3 movements, proven to be all" in said
    lines = [line.split() for line in said.splitlines() if " posted " in line]
    assert [line[3:6] for line in lines] == [
        ["bank-a/vault", "400.00", "400.00"],
        [EB, "-12.50", "387.50"],
        [EB, "0.50", "388.00"],
    ]
    out = tmp_path / "statement.json"
    run("wallet", "statement", EA, "--archive", archive / "blocks", *genesis, "--out", out)
    assert "ok: these 3 movements are all of bank-a/ea" in run("verify", out, *genesis)
    document = json.loads(out.read_text())
    del document["movements"][1]
    out.write_text(json.dumps(document))
    assert "bad: 2 movements are shown, 3 were made" in run("verify", out, *genesis, code=1)


def test_months_are_named_once(archive: Path) -> None:
    asked = ("wallet", "statement", EA, "--archive", archive / "blocks", "--genesis", archive / "genesis.json")
    assert json.loads(run(*asked, "--month", "2023-11", "--json"))["first"] == 202311
    assert "no movement" not in run(*asked, "--month", "2023-12")
    assert "--month is both" in run(*asked, "--month", "2023-11", "--last", "2023-12", code=2)
    assert "expected a month such as 2026-03" in run(*asked, "--first", "March", code=2)
    assert "2023-10 is before 2023-11" in run(*asked, "--first", "2023-11", "--last", "2023-10", code=2)
    assert "there is no wallet bank-a/nobody" in run(
        *(word if word != EA else "bank-a/nobody" for word in asked), code=2
    )


def test_money_is_checked_by_institution_and_layer(archive: Path) -> None:
    asked = ("currency", "check", archive / "blocks", "--genesis", archive / "genesis.json")
    said = run(*asked)
    assert "issued 1000.00 less redeemed 0.00 = 1000.00" in said
    assert "all 6 wallets together have 1000.00, after each block up to" in said
    found = json.loads(run(*asked, "--json"))
    assert (found["ok"], found["fails_at"], found["currency"]["in_wallets"]) == (True, None, 100_000)
    assert found["currency"]["institutions"]["bank-b"] == {"customers": 1_200, "vault": 0, "wallets": 3}


def test_the_first_block_that_makes_money_ends_the_check_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin(view: Any, moment: Any) -> dict[str, Any]:
        wallet = wallet_of(view, EA)
        if wallet is not None and moment.height == 22:
            wallet.balance.credits_posted += 1
            view.put(wallet_key(EA), wallet.encoded())
        return {}

    rules = {PROTOCOL_VERSION: {**CONTRACTS, "currency": replace(CONTRACTS["currency"], begin=begin)}}
    scene = funded(Money(Chain(money_genesis(), rules)))
    scene.chain.grow(24 - len(scene.chain.blocks))
    scene.chain.write(tmp_path / "blocks")
    (tmp_path / "genesis.json").write_bytes(scene.chain.genesis.raw)
    monkeypatch.setattr(replay, "Executor", partial(Executor, rules=rules))
    asked = ("currency", "check", tmp_path / "blocks", "--genesis", tmp_path / "genesis.json")
    found = json.loads(run(*asked, "--json", code=1))
    assert (found["ok"], found["fails_at"], found["height"]) == (False, 22, 21)
    said = run(*asked, code=1)
    assert "height 22: money is not conserved: all wallets have 100001 fen, 100000 were issued" in said


@pytest.fixture
def asked(node: Any, monkeypatch: pytest.MonkeyPatch) -> Money:
    """The commands speak to this chain: 1,000.00 at bank-a, of which 400.00 are enterprise-a's."""

    @contextmanager
    def client(access: Access, who: str | None = None) -> Iterator[Any]:
        with node.client((who or "regulator").partition("/")[0]) as found:
            yield found

    monkeypatch.setattr(Access, "client", client)
    scene = Money(node.chain)
    scene.found("bank-a")
    scene.issue()
    scene.open(EA, "member:enterprise-a")
    scene.keyed("bank-a/shop")
    scene.ok("bank-a", "pay", **payment("bank-a/vault", EA, 40_000, "CASH"))
    return scene


def test_a_payment_is_made_in_yuan_and_seen_in_the_wallets(asked: Money) -> None:
    run("pay", EA, "bank-a/shop", "12.50", "--about", "t/case/7/1", "--as", "enterprise-a")
    said = run("wallet", "show", EA)
    assert "bank-a/ea: 387.50 yuan" in said
    assert "member:enterprise-a (member), class corporate, open" in said
    assert "more than two decimals" in run("pay", EA, "bank-a/shop", "12.505", "--as", "enterprise-a", code=2)
    assert "expected TYPE/OBJECT-TYPE" in run("pay", EA, "bank-a/shop", "1", "--about", "x", "--as", "bank-a", code=2)
    assert "insufficient" in run("pay", EA, "bank-a/shop", "1000", "--as", "enterprise-a", code=1)
    assert "issued 1000.00 less redeemed 0.00 = 1000.00 in circulation" in run("currency", "show")


def test_a_wallet_is_frozen_in_one_command(asked: Money) -> None:
    words = ("wallet", "freeze", EA, "By order of a court", "--basis", "external:court/17", "--for", "7d")
    run(*words, "--amount", "390.00", "--as", "regulator")
    assert "frozen     390.00 by finding F1, until" in run("wallet", "show", EA)
    assert "frozen" in run("pay", EA, "bank-a/shop", "12.50", "--as", "enterprise-a", code=1)
    run("pay", EA, "bank-a/shop", "10.00", "--as", "enterprise-a")
    assert "forbidden" in run(*words, "--as", "bank-a", code=1)


def test_a_mandate_is_signed_here_and_carried_by_another(asked: Money, tmp_path: Path) -> None:
    key = tmp_path / "shop.pem"
    keys.write_key(key, seed("customer"))
    run("pay", EA, "bank-a/shop", "10", "--as", "enterprise-a")
    words = (f"from={'bank-a/shop'}", f"to={EA}", "amount:=250", "code=SUPP")
    carried = run("wallet", "mandate", "bank-a/shop", "pay", *words, "--wallet-key", key)
    (tmp_path / "payment.json").write_text(carried)
    run("submit", "currency.pay", "--data", tmp_path / "payment.json", "--as", "regulator")
    assert "bank-a/shop: 7.50 yuan" in run("wallet", "show", "bank-a/shop")
    assert "give --wallet-key" in run("wallet", "mandate", "bank-a/shop", "pay", *words, code=2)


def test_a_file_of_payments_is_paid_once_and_reported(asked: Money, tmp_path: Path) -> None:
    file, report = tmp_path / "pain.xml", tmp_path / "report.xml"
    transfers = [transfer(1, "bank-a/shop", "12.50"), transfer(2, "bank-a/shop", "1000.00"), transfer(3, VAULT_A, "1")]
    file.write_text(pain_001(transfers, total="1013.50"))
    words = ("import", file, "--format", "pain.001", "--as", "enterprise-a")
    assert "M-1: 3 payments of 1013.50 in all; nothing is wrong" in run(*words, "--dry-run")
    assert "M-1: 2 of 3 payments are settled" in run(*words, "--report", report, code=1)
    assert "<TxSts>RJCT</TxSts><StsRsnInf><Rsn><Prtry>insufficient</Prtry>" in report.read_text()
    again = json.loads(run(*words, "--json", code=1))
    assert [one["ok"] for one in again["payments"]] == [True, False, True]
    assert asked.balance(EA) == 40_000 - 1_350  # what was settled was not paid again
    file.write_text(pain_001([transfer(1, "bank-a/shop", "12.505")]))
    assert "bad_amount" in run(*words, code=1)
    assert asked.balance(EA) == 40_000 - 1_350


def test_a_linked_group_is_paid_whole_or_not_at_all(asked: Money, tmp_path: Path) -> None:
    file = tmp_path / "pain.xml"
    file.write_text(pain_001([transfer(1, "bank-a/shop", "12.50"), transfer(2, "bank-a/shop", "1000.00")]))
    words = ("import", file, "--format", "pain.001", "--as", "enterprise-a", "--linked")
    assert "0 of 2 payments are settled" in run(*words, code=1)
    assert asked.balance(EA) == 40_000


def test_a_wallet_is_exported_with_the_proof_beside_it(asked: Money, tmp_path: Path, node: Any) -> None:
    out = tmp_path / "s.xml"
    assert "2 movements of bank-a/vault" in run(
        "export", "camt.053", "--wallet", VAULT_A, "--out", out, "--as", "bank-a"
    )
    proof = (tmp_path / "s.xml.statement.json").read_bytes()
    assert sha256(proof).hexdigest() in out.read_text()
    assert verify_bytes(proof, node.genesis).ok
    assert "which one?" in run("export", "camt.054", "--out", out, "--as", "bank-a", code=2)


def test_money_is_issued_on_what_is_recorded_and_confirmed_by_another(
    asked: Money, node: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    args = asked.instruct("bank-a", "25.00", confirm=False)
    there = {"item": {"item": args["item"]}}
    monkeypatch.setattr(Client, "get", lambda client, path, **params: there)
    words = (args["source"], args["sequence"], "--as")
    assert "not_attested" in run("currency", "issue-on", *words, "central-bank", code=1)
    said = run("currency", "confirm", *words, "central-bank")
    assert "Reserve instruction of bank-a: amount 25.00, currency CNY" in said
    assert "same_person" in run("currency", "issue-on", *words, "central-bank", code=1)


def test_every_action_of_money_is_a_command_beside_these() -> None:
    wallet, currency = run("wallet", "--help"), run("currency", "--help")
    for name in ("statement", "list", "open", "close", "rekey"):
        assert f" {name} " in wallet, name
    for name in ("check", "supply", "pendings", "issue", "redeem", "pay-batch"):
        assert f" {name} " in currency, name
    assert "Usage: " in run("wallet", "open", "--help")
