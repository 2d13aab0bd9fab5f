"""`client.money`: what is paid and read is as the chain has it, and no amount is ever a float."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import httpx
import pytest

from coseal.client.asynchronous import AsyncClient
from coseal.client.money import fen, payment
from coseal.errors import BadAnswer, CosealError
from tests.support.currency import USCC, VAULT_A, Money
from tests.support.currency import payment as expected
from tests.support.keys import signer

EA, SHOP = "bank-a/ea", "bank-a/shop"


@pytest.fixture
def scene(node: Any) -> Money:
    """The chain of a node: 1,000.00 at bank-a, of which 400.00 are enterprise-a's."""
    money = Money(node.chain)
    money.found("bank-a")
    money.issue()
    money.open(EA, "member:enterprise-a")
    money.open(SHOP, USCC, key=signer("shop").public_key.hex())
    money.ok("bank-a", "pay", **expected(VAULT_A, EA, 40_000, "CASH"))
    return money


@pytest.mark.parametrize(
    ("given", "wanted"), [("12.50", 1250), ("12", 1200), ("0.01", 1), (Decimal("12.5"), 1250), (7, 7), ("1e2", 10_000)]
)
def test_an_amount_is_yuan_as_text_and_fen_as_a_number(given: Any, wanted: int) -> None:
    assert fen(given) == wanted


@pytest.mark.parametrize(
    "given", [12.5, True, None, "12.505", Decimal("0.001"), "", "twelve", "nan", "inf", 0, "-1.00", 10**15 + 1]
)
def test_what_is_no_amount_is_refused(given: Any) -> None:
    with pytest.raises(CosealError, match=r"amount|decimals"):
        fen(given)


def test_a_payment_is_what_the_wallets_have_after_it(node: Any, scene: Money) -> None:
    with node.client("enterprise-a") as client:
        paid = client.money.pay(EA, SHOP, "12.50", code="SUPP", reference="7", about=["t", "case", "1"])
        paid.require_ok()
        assert client.money.balance(EA) == Decimal("387.50")
        assert client.money.balance(SHOP) == Decimal("12.50")
        items = [payment(EA, SHOP, 5), payment(EA, SHOP, "1000"), payment(EA, VAULT_A, Decimal("1.00"))]
        batch = client.money.pay_batch(items)
        assert batch.receipt.data["refused"] == [[1, "insufficient"]]
        assert not client.money.pay_batch(items, linked=True).ok
        found = client.money.wallet(EA)
    assert (found["balance"], found["available"], found["movements"]) == (38_645, 38_645, 4)
    assert (found["holder"], found["authority"], "frozen" in found) == ("member:enterprise-a", "member", False)
    assert found["limits"]["single_max"] == [None, None]


def test_a_mandate_that_the_key_of_a_wallet_signs_is_carried_by_any_member(node: Any, scene: Money) -> None:
    scene.ok("enterprise-a", "pay", **expected(EA, SHOP, 1_000))
    args = payment(SHOP, EA, "2.50")
    with node.client("regulator") as client:
        signed = client.money.mandate(signer("shop"), SHOP, "pay", args, lasting_ms=3_600_000)
        assert signed["nonce"] == 1
        client.money.pay(SHOP, EA, "2.50", mandate=signed).require_ok()
        assert client.money.pay(SHOP, EA, "2.50", mandate=signed).receipt.code == "bad_mandate"
        assert client.money.wallet(SHOP)["nonce"] == 1
        with pytest.raises(CosealError, match="the key of bank-a/shop is"):
            client.money.mandate(signer("another"), SHOP, "pay", args)


def test_a_freeze_and_limits_are_shown_with_a_wallet(node: Any, scene: Money) -> None:
    limits = {"single_max": 10_000, "day_max": None, "year_max": None, "balance_max": None}
    scene.ok("enterprise-a", "reclass_wallet", wallet=EA, limits=limits)
    case = {"wallet": EA, "severity": "warning", "reason": "r", "legal_basis": ["external: a court"]}
    finding = scene.ok("regulator", "open_case", **case)["id"]
    scene.ok("regulator", "supervision.hold", finding=finding, reason="r", hold_ms=86_400_000, amount=100)
    with node.client("enterprise-a") as client:
        found = client.money.wallet(EA)
        assert (found["frozen"]["finding"], found["frozen"]["amount"]) == (finding, 100)
        assert found["limits"]["single_max"] == [None, 10_000]
        with pytest.raises(BadAnswer, match="there is no wallet bank-a/nobody"):
            client.money.balance("bank-a/nobody")


def test_totals_are_of_one_block(node: Any, scene: Money) -> None:
    with node.client() as client:
        found = client.money.totals()
    assert (found["issued"], found["circulating"], found["wallets"]) == (100_000, 100_000, 3)
    assert found["height"] == len(node.chain.blocks)


def test_the_asynchronous_client_does_the_same(node: Any, scene: Money) -> None:
    async def ask() -> Decimal:
        transport = httpx.MockTransport(node.handle_request)
        async with AsyncClient("http://node.test", node.genesis, transport=transport) as client:
            return await client.money.balance(EA)

    assert asyncio.run(ask()) == Decimal("400.00")
