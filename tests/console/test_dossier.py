"""The page of a credit dossier: shown to who may read it, every figure with its list, and what may be done about it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from coseal.audit.verify import verify_bytes
from coseal.console.app import application
from coseal.console.console import Console
from coseal.console.nodes import Address
from coseal.console.pages.dossier_acts import arguments_of, possible
from coseal.console.signing import Operator
from coseal.node.http.auth import Token
from coseal.node.http.context import Settings
from tests.console.test_standards import ANY, Visitor, section, words
from tests.node.http.world import World
from tests.support.currency import DAY_MS, money_genesis
from tests.support.keys import signer
from tests.support.trade import DUE_DAYS, A, Trade, with_facts

PATH = f"/trade/credit/{A}"
OTHERS = ("enterprise-b", "regulator")


Enter = Callable[..., Awaitable[Visitor]]
"""Gives a browser at the console of a member; without ``token`` the node does not know whose it is."""


def visit(folder: Path, scenario: Callable[[Enter], Awaitable[None]]) -> None:
    """Let a scenario visit consoles on a chain on which enterprise-a paid in time and late."""
    readers = {one: Token(one, one, sha256(one.encode()).digest(), frozenset(("read",))) for one in (A, *OTHERS)}

    async def play() -> None:
        now_ms = time.time_ns() // 1_000_000  # a transaction is signed for now, so the chain ends a minute ago
        genesis = money_genesis(time_ms=now_ms - DUE_DAYS * DAY_MS - 120_000)
        world = World(folder, genesis=genesis, settings=Settings(tokens=tuple(readers.values())))
        scene = with_facts(Trade(world.chain))
        node = httpx.ASGITransport(app=world.app, client=("127.0.0.1", 1))
        async with contextlib.AsyncExitStack() as opened:
            opened.callback(world.close)

            async def enter(member: str, *, token: bool = True) -> Visitor:
                operator = Operator(genesis, f"{member}/admin", signer(f"{member}/admin"))
                address = Address("node", "http://node", member if token else None)
                console = Console(genesis, [address], port=1, transport=node, operator=operator)
                opened.push_async_callback(console.nodes.close)
                pages = httpx.ASGITransport(app=application(console))
                browser = httpx.AsyncClient(transport=pages, base_url="http://127.0.0.1:1", timeout=30)
                await opened.enter_async_context(browser)
                visitor = Visitor(world, scene, console, browser)
                await visitor.settle()
                await browser.get(f"/enter?ticket={console.session.ticket}")
                return visitor

            await scenario(enter)

    asyncio.run(play())


def entry_of(text: str, step: str) -> str:
    """Return the fact of the first link to a step."""
    return text.partition(f"step={step}&amp;entry=")[2].partition("#")[0]


async def sent(visitor: Visitor, action: str, **fields: str) -> None:
    """Send a form, whose receipt must verify, and have the console come up to it."""
    said = await visitor.send(PATH, action=action, **fields, **ANY)
    assert "the receipt was verified" in said, words(said)
    await visitor.settle()


def test_a_dossier_shows_points_figures_and_the_list_behind_each_to_who_may_read_it(tmp_path: Path) -> None:
    async def scenario(enter: Enter) -> None:
        own = await enter(A)
        text = await own.see(PATH)
        formulas, figures = section(text, "credit-formulas"), section(text, "credit-figures")
        assert 'class="seal verified"' in formulas
        assert 'class="seal verified"' in figures
        assert "Payment of receivables, version 1" in words(formulas)
        assert "Points reached 100 of 100" in words(formulas)
        assert "Paid on time 4 of 4 Paid on time / Paid on time, Paid late 100 of 100" in words(formulas)
        shown = words(figures)
        assert "Paid on time 4 0 40,000.00 enterprise-b: 4 of 4" in shown
        assert "Paid late 0 2 – –" in shown
        assert "contested, left out until answered" in shown
        assert "contest upheld, another fact in its place" in shown
        assert "counts a correction" in shown
        assert 'href="/trade/receivables/R1"' in figures
        assert "older than any formula looks" not in shown
        assert "No other member did." in section(text, "credit-readers")
        chinese = await own.see(PATH, "zh")
        assert "应收账款支付，第 1 版" in words(section(chinese, "credit-formulas"))
        assert "逾期付款" in words(section(chinese, "credit-figures"))
        assert "No formula looks at these months." in await own.see(f"{PATH}?months=1")
        file = await own.see(f"{PATH}/file?months=12")
        assert verify_bytes(file.encode(), own.console.genesis).ok
        assert json.loads(file)["months"] == 12
        assert f'href="{PATH}"' in await own.see(f"/members/{A}")
        assert "Credit dossiers" in await own.see("/trade")
        assert "Dossiers are for members" in await (await enter(A, token=False)).see(PATH)

        other = await enter("enterprise-b")
        text = await other.see(PATH)
        assert "for 30 days after it recorded" in text
        assert "Paid late" not in text
        why = {"purpose": "A loan", "legal_basis": "external: consent"}
        assert "Not confirmed" in await other.send(PATH, action="consult", **why)
        await sent(other, "consult", **why)
        text = await other.see(PATH)
        assert "Paid late" in text
        assert "?step=" not in text, "nothing of it is this member's to do"
        readers = section(text, "credit-readers")
        assert words(readers.partition("<tbody")[2]).startswith('role="rowgroup"> enterprise-b')
        assert 'class="seal verified"' in readers
        assert (await other.browser.get("/trade/credit/nobody")).status_code == 404
        found = await other.browser.get("/trade/credit?member=city")
        assert found.headers["location"] == "/trade/credit/city"

    visit(tmp_path, scenario)


def test_a_fact_is_contested_answered_and_corrected_from_its_list(tmp_path: Path) -> None:
    async def scenario(enter: Enter) -> None:
        own = await enter(A)
        entry = entry_of(text := await own.see(PATH), "contest")
        assert "step=answer" not in text
        assert "It is left out from then on" in section(
            await own.see(f"{PATH}?step=contest&entry={entry}"), "credit-act"
        )
        assert 'aria-labelledby="credit-act"' not in await own.see(f"{PATH}?step=correct&entry={entry}")
        await sent(own, "contest", entry=entry, reason="It was another's")
        assert "Paid on time 3 1" in words(section(await own.see(PATH), "credit-figures"))
        refused = await own.send(PATH, action="contest", entry=entry, reason="Again", **ANY)
        assert "a fact is contested once" in refused
        assert "Choose the fact" in await own.send(PATH, action="contest", reason="What?", **ANY)

        authority = await enter("regulator")
        await sent(authority, "consult", purpose="An answer", legal_basis="external: rules")
        text = await authority.see(f"{PATH}?step=answer&entry={entry}")
        assert "step=contest" not in text
        assert "Outcome" in section(text, "credit-act")
        await sent(authority, "answer", entry=entry, outcome="upheld", reason="So it was")
        assert entry_of(await authority.see(PATH), "correct") == entry
        assert "It becomes" in section(await authority.see(f"{PATH}?step=correct&entry={entry}"), "credit-act")
        right = {"kind": "settled_late", "amount": "1000000", "days": "3"}
        await sent(authority, "correct", entry=entry, reason="Three days late", **right)
        assert "Paid late 1 2" in words(section(await own.see(PATH), "credit-figures"))

    visit(tmp_path, scenario)


ENTRY = {"month": 2026_03, "kind": "settled_late", "entry": 2}


@pytest.mark.parametrize(
    ("action", "fields", "found"),
    [
        ("contest", {"entry": "202603.settled_late.2", "reason": "r"}, {**ENTRY, "reason": "r"}),
        ("contest", {"entry": "202603.settled_late", "reason": "r"}, "credit.wrong.entry"),
        ("answer", {"entry": "202603.settled_late.2", "evidence": "ab"}, "supervision.wrong.evidence"),
        ("correct", {"entry": "202603.settled_late.2", "amount": "1.5", "days": "0"}, "credit.wrong.number"),
        (
            "correct",
            {"entry": "202603.settled_late.2", "kind": "settled_on_time", "amount": "7", "days": "0"},
            {"member": A, **ENTRY, "becomes": {"kind": "settled_on_time", "amount": 7, "days": 0}},
        ),
        ("consult", {"purpose": "p", "legal_basis": "l"}, {"member": A, "purpose": "p", "legal_basis": "l"}),
    ],
)
def test_a_form_makes_arguments_or_says_what_is_wrong(action: str, fields: dict[str, str], found: Any) -> None:
    assert arguments_of(A, action, fields) == found


def test_a_step_is_possible_for_whom_it_is_and_when() -> None:
    statuses = ("", "open", "overdue", "upheld", "refused", "corrected", "overturned")
    assert [possible(one, own=True, authority=False) for one in statuses] == ["contest", *[""] * 6]
    authority = [possible(one, own=False, authority=True) for one in statuses]
    assert authority == ["", "answer", "answer", "correct", "", "", ""]
    assert {possible(one, own=False, authority=False) for one in statuses} == {""}
