"""The pages of standards and of a domain: what is proven is sealed so, and forms are shown for what may be done."""

from __future__ import annotations

import asyncio
import html
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from coseal.console.app import application
from coseal.console.console import Console
from coseal.console.nodes import Address
from coseal.console.pages.standard_acts import arguments_of
from coseal.console.signing import Operator
from tests.node.http.world import World
from tests.support.genesis import make_genesis
from tests.support.keys import signer
from tests.support.standards import LOANS, NAMED, Competition, competing

PERIOD_MS = 20_000
ANY = {"confirmed": "yes"}


@dataclass
class Visitor:
    """A browser at a console that signs as one member."""

    world: World
    scene: Competition
    console: Console
    browser: httpx.AsyncClient

    async def see(self, path: str, language: str = "en") -> str:
        answer = await self.browser.get(path, headers={"accept-language": language})
        assert answer.status_code == 200, answer.text
        return answer.text

    async def send(self, path: str, **fields: str) -> str:
        """Send a form and return the page that it leads to."""
        origin = {"origin": "http://127.0.0.1:1", "sec-fetch-site": "same-origin"}
        given = {**fields, "csrf": self.console.session.csrf}
        answer = await self.browser.post(path, data=given, headers=origin, follow_redirects=True)
        assert answer.status_code == 200, answer.text
        return answer.text

    async def settle(self) -> None:
        """Have index and console come up to the chain."""
        for committed in self.world.chain.blocks[self.world.index.height :]:
            self.world.index.feed(committed)
        assert await self.world.index.reached(self.world.height, 20)
        await self.console.nodes.poll()
        while await self.console.light.advance():
            pass
        self.console.reader.forget()


def section(text: str, name: str) -> str:
    """Return the part of a page below a title."""
    assert f'aria-labelledby="{name}"' in text, name
    return text.partition(f'aria-labelledby="{name}"')[2].partition("</section>")[0]


def words(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def visit(folder: Path, scenario: Callable[[Visitor], Awaitable[None]], member: str = "central-bank") -> None:
    """Let a scenario visit a console of one node whose chain has two standards that compete."""

    async def play() -> None:
        now_ms = time.time_ns() // 1_000_000
        genesis = make_genesis("door", time_ms=now_ms - 120_000, standard_period_ms=PERIOD_MS)
        world = World(folder, genesis=genesis)
        node = httpx.ASGITransport(app=world.app, client=("127.0.0.1", 1))
        operator = Operator(genesis, f"{member}/admin", signer(f"{member}/admin"))
        console = Console(genesis, [Address("node", "http://node")], port=1, transport=node, operator=operator)
        scene = competing(world.chain)
        scene.propose("s", "loans", title={"en": "Loans", "zh": "贷款"})
        scene.propose("t", "credits")
        try:
            pages = httpx.ASGITransport(app=application(console))
            async with httpx.AsyncClient(transport=pages, base_url="http://127.0.0.1:1", timeout=30) as browser:
                visitor = Visitor(world, scene, console, browser)
                await visitor.settle()
                await browser.get(f"/enter?ticket={console.session.ticket}")
                await scenario(visitor)
        finally:
            await console.nodes.close()
            world.close()

    asyncio.run(play())


def use(scene: Competition, *records: tuple[str, str]) -> None:
    """Have members record in three whole periods."""

    def close() -> None:
        scene.wait(PERIOD_MS - scene.chain.executor.time_ms % PERIOD_MS)

    close()
    for _ in range(3):
        for member, source in records:
            scene.record(member, source)
        close()


def test_a_domain_shows_what_competes_in_it_with_its_shares_by_period(tmp_path: Path) -> None:
    async def scenario(visitor: Visitor) -> None:
        for member, _ in LOANS:
            visitor.scene.ok(member, "adopt", **NAMED)
        visitor.scene.ok("public-a", "adopt", standard="t", version=1)
        use(visitor.scene, *LOANS, ("public-a", "credits"))
        await visitor.settle()
        text = await visitor.see("/domains/lending")
        competing = section(text, "standards-competing")
        assert 'class="seal verified"' in competing
        assert "s 1 Loans de facto 2/3 (66.7%) 3 of 4 3 30" in words(competing)
        assert "t 1 t in use 1/3 (33.3%) 1 of 4 1 10" in words(competing)
        over_time = section(text, "standards-over_time")
        assert 'class="seal unverified"' in over_time
        assert re.search(r"<title>s 1, [\d:]+: 2/3 \(66\.7%\)</title>", over_time), "the point of the last review"
        assert "above 1/2: may become de facto" in over_time
        assert "<h2" in section(await visitor.see("/domains/lending?figure=items"), "standards-over_time")
        assert "贷款" in await visitor.see("/domains/lending", "zh")
        listed = await visitor.see("/standards?status=de_facto")
        assert 'href="/standards/s/1"' in listed
        assert 'href="/standards/t/1"' not in listed
        assert (await visitor.browser.get("/domains/nothing")).status_code == 404

    visit(tmp_path, scenario)


def test_a_standard_shows_why_it_has_its_status_and_who_has_taken_it_up(tmp_path: Path) -> None:
    async def scenario(visitor: Visitor) -> None:
        text = await visitor.see("/standards/s/1")
        assert "Nobody but its proposer is on it" in text
        assert "Not reviewed yet." in section(text, "standards-why")
        for member, _ in LOANS[:2]:
            visitor.scene.ok(member, "adopt", **NAMED)
        use(visitor.scene, *LOANS)
        visitor.scene.ok("bank-a", "dispute", **NAMED, ground="defect", text="It <b>lacks</b> the lender")
        await visitor.settle()
        text = await visitor.see("/standards/s/1")
        why = section(text, "standards-why")
        assert 'class="seal verified"' in why
        assert "Mean of the constituencies' shares: more than 1/2 (50%) 1/2 (50%) not met" in words(why)
        assert "Members that use it: at least 3 2 not met" in words(why)
        adopters = section(text, "standards-adopters")
        assert 'class="seal verified"' in adopters
        assert [name in words(adopters) for name in ("bank-a", "central-bank", "enterprise-a")] == [True, True, False]
        assert "It &lt;b&gt;lacks&lt;/b&gt; the lender" in section(text, "standards-disputes")
        assert "disputed" in words(text.partition("<h2")[0])
        for path in ("/standards/s/2", "/standards/none/1", "/standards/s/x", "/standards/s/99999999"):
            assert (await visitor.browser.get(path)).status_code == 404, path

    visit(tmp_path, scenario)


def test_a_member_adopts_disputes_and_ends_from_the_page(tmp_path: Path) -> None:
    async def scenario(visitor: Visitor) -> None:
        path, chain = "/standards/s/1", visitor.world.chain
        text = await visitor.see(path)
        assert [f'id="act-{name}"' in text for name in ("adopt", "try", "dispute", "recognise")] == [
            *(True, True, False, False)
        ]
        assert "Not confirmed" in await visitor.send(path, action="adopt")
        assert chain.get("standards/adoption/s/1/central-bank") is None
        assert "the receipt was verified" in await visitor.send(path, action="adopt", sources="loans", **ANY)
        assert chain.get("standards/adoption/s/1/central-bank")["sources"] == ["loans"]
        await visitor.settle()
        text = await visitor.see(path)
        assert [f'id="act-{name}"' in text for name in ("adopt", "end_adoption", "dispute")] == [False, True, True]
        said = await visitor.send(path, action="dispute", ground="patent", text="Whose is it?", **ANY)
        assert "the receipt was verified" in said
        refused = await visitor.send(path, action="recognise", level="reference", instrument="cn/1", **ANY)
        assert "The standard is not de facto, and no ballot approved it." in refused
        assert "the receipt was verified" in await visitor.send(path, action="end_adoption", reason="Enough", **ANY)

    visit(tmp_path, scenario)


def test_the_proposer_answers_a_dispute_and_has_its_standard_end(tmp_path: Path) -> None:
    async def scenario(visitor: Visitor) -> None:
        visitor.scene.ok("central-bank", "adopt", **NAMED)
        visitor.scene.ok("central-bank", "dispute", **NAMED, ground="ambiguity", text="Is a renewal a loan?")
        await visitor.settle()
        path, chain = "/standards/s/1", visitor.world.chain
        text = await visitor.see(path)
        assert "Answer to central-bank" in section(text, "standards-disputes")
        await visitor.send(path, action="answer", member="central-bank", text="It is", **ANY)
        assert chain.get("standards/dispute/s/1/central-bank")["status"] == "answered"
        await visitor.send(path, action="supersede", successor="t 1", days="30", reason="t is better", **ANY)
        assert chain.get("standards/standard/s/1")["successor"] == ["t", 1]
        await visitor.settle()
        assert 'followed by <a href="/standards/t/1">t 1</a>' in await visitor.see(path)
        assert "superseded" in section(await visitor.see("/standards"), "standards-list").lower()

    visit(tmp_path, scenario, "bank-a")


@pytest.mark.parametrize(
    ("action", "fields", "found"),
    [
        ("adopt", {}, {}),
        ("try", {"sources": "a, b a"}, {"sources": ["a", "b"]}),
        ("try", {"sources": " ".join(f"s{number}" for number in range(65))}, "standards.wrong.sources"),
        ("deprecate", {"days": "29", "reason": "r"}, "standards.wrong.days"),
        ("deprecate", {"days": "30", "reason": "r"}, {"reason": "r", "notice_ms": 30 * 86_400_000}),
        ("supersede", {"days": "30", "successor": "t", "reason": "r"}, "standards.wrong.successor"),
        ("dispute", {"ground": "defect", "text": "x", "evidence": "ab"}, "supervision.wrong.evidence"),
    ],
)
def test_a_form_makes_arguments_or_says_what_is_wrong(action: str, fields: dict[str, str], found: Any) -> None:
    assert arguments_of(action, fields) == found
