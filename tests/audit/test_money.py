"""Money is summed wallet by wallet: a contract that makes a fen, and hides it from its own sums, is found out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from coseal.audit import replay
from coseal.audit.audit import audit
from coseal.audit.replay import Replay
from coseal.audit.report import Level
from coseal.contracts.currency.post import Totals, wallet_of
from coseal.contracts.currency.state import TOTALS_KEY, institution_key, wallet_key
from coseal.contracts.execution import Executor
from coseal.contracts.kernel.action import View
from coseal.contracts.kernel.contract import Moment
from coseal.contracts.registry import CONTRACTS
from coseal.ledger.genesis import PROTOCOL_VERSION
from tests.audit.conftest import ListSource
from tests.support.chain import Chain
from tests.support.currency import VAULT_A, Money, funded, money_genesis, payment

EA, EB = "bank-a/ea", "bank-b/eb"


def test_all_wallets_are_summed_by_institution_and_layer() -> None:
    scene = funded()
    scene.ok("enterprise-a", "pay", **payment(EA, EB, 700))
    scene.ok("bank-a", "redeem", amount=500)
    state = Replay(scene.chain.genesis)
    report = audit([ListSource(scene.chain.blocks)], scene.chain.genesis, Level.REPLAY, replay=state)
    assert report.ok, report.findings
    found = state.money.to_json()
    assert found["institutions"] == {
        "bank-a": {"customers": 49_300, "vault": 50_000, "wallets": 3},
        "bank-b": {"customers": 700, "vault": 0, "wallets": 3},
    }
    assert (found["issued"], found["redeemed"], found["redeeming"]) == (100_000, 0, 500)
    assert found["circulating"] == found["in_wallets"] == 100_000
    assert (found["reserved"], found["wallets"]) == (500, scene.totals.wallets)


def _gift(view: View) -> None:
    """Give a wallet a fen that nobody paid."""
    wallet = wallet_of(view, EA)
    assert wallet is not None
    wallet.balance.credits_posted += 1
    view.put(wallet_key(EA), wallet.encoded())


def _hidden_gift(view: View) -> None:
    """The same, with sums that say so."""
    _gift(view)
    totals = Totals.read(view)
    totals.balance.credits_posted += 1
    totals.write(view)


def _reserve(view: View) -> None:
    wallet = wallet_of(view, EA)
    assert wallet is not None
    wallet.balance.debits_pending += 1
    view.put(wallet_key(EA), wallet.encoded())


def _overdraw(view: View) -> None:
    """Move more than there is, past the one writer; what it does balances."""
    for name, total in ((EA, "debits_posted"), (VAULT_A, "credits_posted")):
        wallet = wallet_of(view, name)
        assert wallet is not None
        setattr(wallet.balance, total, getattr(wallet.balance, total) + 10**6)
        view.put(wallet_key(name), wallet.encoded())


def _misstate(view: View) -> None:
    record: Any = view.get(institution_key("bank-a"))
    view.put(institution_key("bank-a"), [record[0] - 1, record[1] + 1, *record[2:]])


def _miscount(view: View) -> None:
    record: Any = view.get(TOTALS_KEY)
    view.put(TOTALS_KEY, [record[0] + 1, *record[1:]])


FORGERIES = [
    (_gift, "all wallets have 100001 fen, 100000 were issued and not redeemed"),
    (_hidden_gift, "all wallets have 100001 fen, 100000 were issued and not redeemed"),
    (_reserve, "1 fen are reserved, for 0 in wallets and 0 to redeem"),
    (_overdraw, "bank-a/ea has paid and reserved more than it received"),
    (_misstate, "the sums that the ledger has for institution bank-a are not those of its wallets"),
    (_miscount, "the sums over all wallets that the ledger has are not those of its wallets"),
]


def forging(forge: Callable[[View], None], at: int) -> dict[int, Any]:
    """Return the rules of validators whose contract forges the state at the start of a block, unwatched."""
    kept = CONTRACTS["currency"]

    def begin(view: View, moment: Moment) -> dict[str, Any]:
        if moment.height == at:
            forge(view)
        return {}

    return {PROTOCOL_VERSION: {**CONTRACTS, "currency": replace(kept, begin=begin, holds=None)}}


@pytest.mark.parametrize(("forge", "named"), FORGERIES)
def test_a_block_that_makes_money_is_the_first_at_which_an_audit_ends(
    forge: Callable[[View], None], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = len(funded().chain.blocks) + 2
    rules = forging(forge, at)
    scene = funded(Money(Chain(money_genesis(), rules)))
    scene.chain.grow(4)
    source = ListSource(scene.chain.blocks)
    honest = audit([source], scene.chain.genesis, Level.REPLAY)
    assert [finding.height for finding in honest.findings] == [at]  # its contract computes another state
    monkeypatch.setattr(replay, "Executor", partial(Executor, rules=rules))
    report = audit([source], scene.chain.genesis, Level.REPLAY)
    assert report.verdict.value == "bad"
    (finding,) = report.findings
    assert (finding.height, report.last) == (at, at - 1)
    assert finding.reason == f"money is not conserved: {named}"
    assert len(finding.members) == 3  # a quorum certified it


def test_what_a_contract_promises_is_asked_in_a_replay_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Validators that stopped watching are found out by an auditor whose contract watches."""
    at = len(funded().chain.blocks) + 2
    rules = forging(_hidden_gift, at)
    scene = funded(Money(Chain(money_genesis(), rules)))
    scene.chain.grow(4)
    watched = replace(rules[PROTOCOL_VERSION]["currency"], holds=CONTRACTS["currency"].holds)
    rules = {PROTOCOL_VERSION: {**rules[PROTOCOL_VERSION], "currency": watched}}
    monkeypatch.setattr(replay, "Executor", partial(Executor, rules=rules))
    report = audit([ListSource(scene.chain.blocks)], scene.chain.genesis, Level.REPLAY)
    (finding,) = report.findings
    assert finding.height == at
    assert "what a contract promises does not hold: currency: wallets hold 100001 fen" in finding.reason
