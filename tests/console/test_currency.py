"""The pages of money: the two layers with the sealed equation, and a wallet with its statement and its freeze."""

from __future__ import annotations

import html
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from coseal.audit.verify import verify_bytes
from coseal.console.two_layers import Holding, two_layers
from tests.console import visiting
from tests.console.test_standards import section, words
from tests.console.visiting import See
from tests.node.http.world import READING, World
from tests.support.currency import DAY_MS, Money, funded, payment

EA, EB = "bank-a/ea", "bank-b/eb"


def visit(folder: Path, scenario: Callable[[Money, See, World], Awaitable[None]], token: str | None = READING) -> None:
    """Let a scenario see a console of one node whose chain has money on it."""
    visiting.visit(folder, lambda chain: funded(Money(chain)), scenario, token)


def test_the_two_layers_are_shown_with_the_equation_sealed(tmp_path: Path) -> None:
    async def scenario(scene: Money, see: See, world: World) -> None:
        scene.ok("bank-a", "redeem", amount=500)
        text = await see("/currency")
        layers = section(text, "currency-layers")
        assert 'class="seal verified"' in layers
        assert "issued 1,000.00 − redeemed 0.00 = 1,000.00 = vaults 500.00 + customers 500.00 it adds up" in words(
            layers
        )
        assert "bank-a 3 500.00 500.00 bank-a" in words(layers)
        assert "In circulation: 1,000.00" in layers
        assert "Of that, to be redeemed 5.00" in words(layers)
        listed = section(text, "currency-list")
        assert 'href="/currency/bank-a/ea"' in listed
        assert 'href="/currency/bank-b/eb"' not in section(await see("/currency?institution=bank-a"), "currency-list")
        assert "No wallet is frozen." in text
        assert "数字货币" in await see("/currency", "zh")

    visit(tmp_path, scenario)


def test_a_wallet_shows_that_its_movements_are_all_and_by_what_it_is_frozen(tmp_path: Path) -> None:
    async def scenario(scene: Money, see: See, world: World) -> None:
        scene.ok("enterprise-a", "pay", **payment(EA, EB, 1_250, reference="<b>Order</b> 7"))
        later = {"expires_ms": scene.chain.now_ms + 20 * DAY_MS, "release": {"arbiter": "regulator"}}
        scene.ok("enterprise-a", "pend", **payment(EA, EB, 70), **later)
        case = {"wallet": EA, "severity": "warning", "reason": "r", "legal_basis": ["external: a court"]}
        finding = scene.ok("regulator", "open_case", **case)["id"]
        scene.ok("regulator", "supervision.hold", finding=finding, reason="r", hold_ms=DAY_MS, amount=100)
        text = await see("/currency/bank-a/ea")
        about = section(text, "currency-about")
        assert 'class="seal verified"' in about
        assert "Balance 387.50 Available 385.80 Reserved 0.70" in words(about)
        assert f'href="/supervision/findings/{finding}"' in about
        await see(f"/supervision/findings/{finding}")
        statement = section(text, "currency-statement")
        assert 'class="seal verified"' in statement
        assert "These 3 movements of 2023-11 are proven to be all." in statement
        assert "&lt;b&gt;Order&lt;/b&gt; 7" in statement
        assert "-12.50 387.50 supplier" in words(statement)
        pending = section(text, "currency-pending")
        assert "P1 bank-a/ea bank-b/eb 0.70 supplier posted by: regulator" in words(pending)
        assert EA in section(await see("/currency"), "currency-frozen")
        assert "2023-12 的 0 笔资金变动" in await see("/currency/bank-a/ea?month=2023-12", "zh")
        assert "No node proves a statement" in await see("/currency/bank-a/ea?month=x")
        await see("/currency/bank-a/nobody", status=404)
        file = await see("/currency/bank-a/ea/statement?month=2023-11")
        result = verify_bytes(file.encode(), world.genesis)
        assert (result.ok, result.facts["movements"]) == (True, 3)

    visit(tmp_path, scenario)


def test_without_a_token_what_is_for_members_is_not_shown(tmp_path: Path) -> None:
    async def scenario(scene: Money, see: See, world: World) -> None:
        text = await see("/currency")
        assert "it adds up" in text
        assert "Wallets are for members" in section(text, "currency-list")
        assert "No node proves a statement" in await see("/currency/bank-a/ea")

    visit(tmp_path, scenario, token=None)


@pytest.mark.parametrize("count", [0, 1, 40])
def test_the_picture_has_a_part_for_each_institution_as_wide_as_what_it_has(count: int) -> None:
    holdings = [Holding(f"bank-{n}", 100, 300, "4.00", f"/x/{n}") for n in range(count)]
    text = str(two_layers("Layers", "In circulation", holdings, ("Vault", "Customers")))
    assert text.count('class="vault"') == count + 1  # one in the legend
    widths = [float(each) for each in re.findall(r'width="([0-9.]+)" height="34" class="customers"', text)]
    assert all(abs(each - (720 / count - 2) * 0.75) < 0.2 for each in widths)
    assert "bank-0" in html.unescape(text) or not count


def test_a_transfer_that_waits_for_a_tranche_leads_to_its_project(tmp_path: Path) -> None:
    async def scenario(scene: Money, see: See, world: World) -> None:
        later = {"expires_ms": scene.chain.now_ms + 20 * DAY_MS, "release": {"tranche": ["clearing", 2]}}
        scene.ok("enterprise-a", "pend", **payment(EA, EB, 70), **later)
        pending = section(await see("/currency/bank-a/ea"), "currency-pending")
        assert "released tranche: clearing 2" in words(pending).replace(" : ", ": ")
        assert 'href="/projects/clearing"' in pending
        assert "Every answer verified" in section(await see("/evidence"), "evidence-doubts")

    visit(tmp_path, scenario)
