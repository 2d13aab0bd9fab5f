"""The pages of trade: books against limits, a receivable with its hands, a run before and after."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import quote

from coseal.contracts.trade.netting import MIN_OPEN_MS
from tests.console import visiting
from tests.console.test_standards import section, words
from tests.console.visiting import See
from tests.node.http.world import READING, World
from tests.support.currency import DAY_MS
from tests.support.trade import Trade, trading


def visit(folder: Path, scenario: Callable[[Trade, See], Awaitable[None]], token: str | None = READING) -> None:
    """Let a scenario see a console of one node on whose chain members trade."""
    visiting.visit(folder, lambda chain: trading(Trade(chain)), lambda scene, see, _: scenario(scene, see), token)


def test_a_receivable_is_shown_with_its_hands_its_financier_and_what_was_offered(tmp_path: Path) -> None:
    async def scenario(scene: Trade, see: See) -> None:
        name = scene.owed(nettable=True)
        scene.transfer(name, "city")
        scene.finance(name, "bank-a", kind="pledge")
        text = await see(f"/trade/receivables/{name}")
        hands = section(text, "trade-hands")
        assert 'class="seal verified"' in hands
        shown = words(hands)
        assert "former holder enterprise-b gave recourse holder city debtor enterprise-a owes the holder" in shown
        assert "Financed by bank-a in pledge" in shown
        assert "Loan L1: 9,000.00 of principal and 1,000.00 of the fee are left" in shown
        steps = section(text, "trade-steps")
        assert 'class="seal verified"' in steps
        assert 'href="/processes/trade/cases/receivable/R1"' in steps
        assert "Receivable transferred city/admin city 10,000.00" in words(steps)
        assert "loan against pledge accepted 9,000.00 1,000.00" in words(section(text, "trade-offers"))
        scene.ok("enterprise-a", "trade.dispute", receivable=name, reason="short")
        assert "Dispute disputed" in words(section(await see(f"/trade/receivables/{name}"), "trade-hands"))
        assert "持有人" in await see(f"/trade/receivables/{name}", "zh")
        for nothing in ("R99", "R0", "X1", "R%20", "R" + "9" * 40):
            await see(f"/trade/receivables/{nothing}", status=404)

    visit(tmp_path, scenario)


def test_a_hold_is_shown_with_the_finding_that_gives_it(tmp_path: Path) -> None:
    async def scenario(scene: Trade, see: See) -> None:
        name = scene.owed()
        case = {"receivable": name, "severity": "warning", "reason": "r", "legal_basis": ["external: a court"]}
        finding = scene.ok("regulator", "trade.open_case", **case)["id"]
        scene.ok("regulator", "supervision.hold", finding=finding, reason="r", hold_ms=DAY_MS)
        hands = section(await see(f"/trade/receivables/{name}"), "trade-hands")
        assert f'href="/supervision/findings/{finding}"' in hands
        await see(f"/supervision/findings/{finding}")
        assert "A hold of supervision stops all but payment and dispute" in hands

    visit(tmp_path, scenario)


def test_books_are_shown_beside_their_limits_and_one_over_its_limit_is_marked(tmp_path: Path) -> None:
    async def scenario(scene: Trade, see: See) -> None:
        scene.finance(scene.owed())
        text = await see("/trade")
        books = words(section(text, "trade-books"))
        assert "bank-a enterprise-a 10,000.00 200,000.00 5 %" in books
        assert "over the limit" not in books
        assert 'href="/trade/receivables/R1"' in section(text, "trade-receivables")
        scene.ok("bank-a", "trade.set_limit", debtor="enterprise-a", amount=500_000)
        assert "10,000.00 5,000.00 200 % over the limit" in words(section(await see("/trade"), "trade-books"))
        assert "R1" not in section(await see("/trade?debtor=city"), "trade-receivables")

    visit(tmp_path, scenario)


def test_a_run_is_shown_before_and_after_and_says_that_no_other_clears_more(tmp_path: Path) -> None:
    async def scenario(scene: Trade, see: See) -> None:
        first = scene.owed(nettable=True)
        second = scene.owed(
            scene.deal(seller="enterprise-a", buyer="enterprise-b", amount=600_000),
            debtor="enterprise-b",
            creditor="enterprise-a",
            nettable=True,
        )
        run = scene.ok("city", "trade.open_run", closes_ms=scene.chain.now_ms + 2 * MIN_OPEN_MS)["run"]["id"]
        scene.ok("enterprise-b", "trade.enter", run=run, receivables=[first])
        scene.ok("enterprise-a", "trade.enter", run=run, receivables=[second])
        assert "Status open" in words(section(await see(f"/trade/runs/{run}"), "trade-run"))
        scene.chain.extend([], later_ms=2 * MIN_OPEN_MS)
        assert "Status clearing" in words(section(await see(f"/trade/runs/{run}"), "trade-run"))
        amounts = [600_000, 600_000]
        potentials = {"enterprise-a": 0, "enterprise-b": -1_000_000}
        scene.ok("city", "trade.clear", run=run, cleared=amounts, potentials=potentials)
        text = await see(f"/trade/runs/{run}")
        about = section(text, "trade-run")
        assert 'class="seal verified"' in about
        assert "No other amounts clear a greater total" in about
        parties = words(section(text, "trade-parties"))
        assert "enterprise-a 10,000.00 6,000.00 4,000.00 0.00 -4,000.00" in parties
        assert "R1 enterprise-a enterprise-b 10,000.00 6,000.00 4,000.00" in parties
        assert "cleared 12,000.00" in words(section(await see("/trade"), "trade-runs"))
        await see("/trade/runs/N9", status=404)

    visit(tmp_path, scenario)


def test_a_chain_without_trade_says_so(tmp_path: Path) -> None:
    async def scenario(_: Trade, see: See, world: World) -> None:
        text = await see("/trade")
        assert "No bank finances anything" in text
        assert "There was no netting run." in text

    visiting.visit(tmp_path, Trade, scenario)


def test_a_console_without_a_token_says_that_trade_is_for_members(tmp_path: Path) -> None:
    async def scenario(_: Trade, see: See) -> None:
        assert "Trade is for members" in await see("/trade")

    visit(tmp_path, scenario, token=None)


def test_a_line_of_an_order_is_shown_in_three_columns_by_whose_word_each_is(tmp_path: Path) -> None:
    async def scenario(scene: Trade, see: See) -> None:
        line = quote(scene.deal(received="90")["object"][2], safe="")
        text = section(await see(f"/processes/orders/cases/order_line/{line}"), "cases-tallies")
        deal = words(text)
        assert "Ordered, says enterprise-a Received, says enterprise-a Invoiced, says enterprise-b" in deal
        assert "Quantity 100.000 90.000 −10.000 100.000 +10.000" in deal
        assert "Amount 10000.00 10000.00" in deal

    visit(tmp_path, scenario)
