"""The pages of projects: for whom they wait, their panels, the argument as a tree, their money, their certificate."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from coseal.audit.report import Verdict
from coseal.audit.verify import verify_bytes
from coseal.console import argument_reading, document_file
from coseal.errors import CosealError
from tests.console import visiting
from tests.console.test_standards import section, words
from tests.console.visiting import See
from tests.contracts.certification.test_funding import APPLICANT, FIRST, FUNDER, SECOND, Funded
from tests.support.certification import Data, changed, clearing
from tests.support.chain import Chain
from tests.support.currency import DAY_MS
from tests.support.genesis import ROLES, make_genesis
from tests.support.panelled import WHOLE, Panelled, certificate_document, review

PAGE = "/projects/clearing"
TRANCHES = [FIRST, SECOND]


def visit(folder: Path, scenario: Callable[[Funded, See], Awaitable[None]]) -> None:
    """Let a scenario see a console of one node on whose chain projects are certified."""

    def begin(chain: Chain) -> Funded:
        return Funded(chain=chain)

    genesis = make_genesis(name="panels", members=tuple(ROLES))
    visiting.visit(folder, begin, lambda scene, see, _: scenario(scene, see), genesis=genesis)


def refuting(*reviewers: str) -> Callable[[str], Data]:
    """Return how a panel judges of which some hold the load test for refuted."""
    return lambda name: {**review(Load_Test="refuted"), "dissent": "It failed"} if name in reviewers else review()


async def standing(see: See) -> str:
    return words(section(await see(PAGE), "projects-standing"))


def test_each_step_says_who_is_to_act_and_until_when(tmp_path: Path) -> None:
    async def scenario(scene: Funded, see: See) -> None:
        scene.apply()
        assert f"{APPLICANT} : to argue and seal, or the draft lapses" in await standing(see)
        assert "Nothing is argued yet." in await see(PAGE)
        scene.argue(WHOLE)
        assert scene.seal(WHOLE).ok
        sealed = await standing(see)
        assert "regulator : to admit it, or the next body acts" in sealed
        assert "Admit at most 15 d" in sealed
        scene.wait(15 * DAY_MS + 1)
        late = await standing(see)
        assert "institute-a : to admit it" in late
        assert "Who was late regulator – Admit" in late
        scene.ok("institute-a", "admit", project="clearing")
        scene.commit_seeds(APPLICANT)
        assert "regulator , institute-a : to commit to seeds" in await standing(see)
        scene.commit_seeds("regulator", "institute-a")
        scene.reveal_seeds("institute-a")
        assert "enterprise-a , regulator : to show the seeds" in await standing(see)
        scene.reveal_seeds(APPLICANT, "regulator")
        assert await waits_for(see) == set(scene.panel)
        scene.seated()
        scene.commit(but=scene.panel[1:])
        assert await waits_for(see) == set(scene.panel[1:])
        scene.together(
            *(
                (name, "commit", {"project": "clearing", "commitment": scene.commitment(name, review())})
                for name in scene.panel[1:]
            )
        )
        scene.reveal(but=scene.panel[:2])
        assert await waits_for(see) == set(scene.panel[:2])
        assert "3 of 5 revealed" in words(section(await see("/projects"), "projects-list"))

    visit(tmp_path, scenario)


async def waits_for(see: See) -> set[str]:
    """Return whom the page names as those that a project waits for."""
    said = section(await see(PAGE), "projects-standing").partition('class="notice wait"')[2].partition("</p>")[0]
    return set(re.findall(r">([a-z-]+/[a-z]+)<", said))


def test_a_certified_project_is_listed_with_its_money_and_gives_its_certificate(tmp_path: Path) -> None:
    async def scenario(scene: Funded, see: See) -> None:
        scene.certified()
        assert "no certificate" not in await see(PAGE)
        assert (scene.pledge(1), scene.pledge(2), scene.claim(1, scene.attested()), scene.release(1)) == ("ok",) * 4
        text = await see(PAGE)
        money = words(section(text, "projects-money"))
        assert "Asked for 150.00 Pledged 150.00 Claimed 0.00 Released 100.00 Kept back 0.00" in money
        assert "event built · site S1 city nothing: released in block" in money
        assert "built counted to 2 · site S1 city the milestone, claimed by enterprise-a" in money
        assert 'href="/processes/works/cases/site/S1"' in section(text, "projects-money")
        listed = words(section(await see("/projects"), "projects-list"))
        assert "clearing Clearing enterprise-a rationality certified – 5 of 5 revealed 2" in listed
        assert "150.00 100.00 0.00" in listed
        assert "rationality 150.00 100.00 0.00" in words(section(await see("/projects"), "projects-funds"))
        for name in ("standing", "verdict", "money", "panels", "reviews", "argument"):
            assert 'class="seal verified"' in section(text, f"projects-{name}")
        assert f'href="{PAGE}/certificate"' in section(text, "projects-standing")
        assert "已认证" in await see("/projects", "zh")
        assert "项目" in await see(PAGE, "zh")
        scene.ok("regulator", "suspend", project="clearing", reason="r", until_ms=scene.chain.now_ms + DAY_MS)
        shown = section(await see(PAGE), "projects-standing")
        assert "suspended" in words(shown)
        assert f"{PAGE}/certificate" not in shown
        await see("/projects/nothing", status=404)
        await see("/projects/nothing/certificate", status=404)

    visit(tmp_path, scenario)


def test_a_refused_project_shows_the_leaf_that_broke_it_and_what_is_kept_back(tmp_path: Path) -> None:
    async def scenario(scene: Funded, see: See) -> None:
        scene.applied()
        assert scene.pledge(1) == "ok"
        scene.drawn().seated()
        against = scene.panel[:3]
        scene.commit(refuting(*against)).reveal(refuting(*against))
        scene.decided("refused")
        text = await see(PAGE)
        found = words(section(text, "projects-verdict"))
        assert "Leaves that do not stand Load-Test" in found
        leaf = text.partition('id="node-Load-Test"')[2].partition("</li></ul>")[0]
        assert "not accepted by 3 of 5" in words(leaf)
        for name in against:
            assert f"{name} refuted So it is" in words(leaf)
        fallen = re.findall(r'#node-([A-Za-z-]+)"', section(text, "projects-verdict"))
        assert fallen == ["Load-Test", "Framework", "Load"]
        for name in fallen:
            assert f'id="node-{name}" class="undermined"' in text
        assert "Kept back 100.00" in words(section(text, "projects-money"))
        assert "pledged kept back" in words(section(text, "projects-money"))
        assert words(section(text, "projects-reviews")).count("It failed") == 3
        assert "Appeal until" in await standing(see)
        assert "150.00" not in words(section(await see("/projects"), "projects-funds"))
        assert "rationality 100.00 0.00 100.00" in words(section(await see("/projects"), "projects-funds"))

    visit(tmp_path, scenario)


def test_who_declared_a_conflict_or_was_silent_is_shown_as_replaced(tmp_path: Path) -> None:
    async def scenario(scene: Funded, see: See) -> None:
        Panelled.admitted(scene).drawn()
        first, second = scene.panel[:2]
        assert scene.by(first, "declare", conflict=True).ok
        for name in scene.panel:
            if name != second:
                assert scene.by(name, "declare", conflict=False).ok
        scene.wait(7 * DAY_MS + 1)
        panels = words(section(await see(PAGE), "projects-panels"))
        assert f"{first} – – declared; replaced" in panels
        assert f"{second} – – silent; replaced" in panels
        assert "none declared" in panels
        assert "to be declared" in panels

    visit(tmp_path, scenario)


def test_a_text_whose_digest_the_state_has_not_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = argument_reading._all

    async def lying(*asked: Any) -> list[dict[str, Any]]:
        rows = await honest(*asked)
        for row in rows:
            row["statement"] = "A lie"
            for leaf in row.get("leaves", {}).values():
                leaf["reason"] = "A lie"
        return rows

    async def scenario(scene: Funded, see: See) -> None:
        Panelled.admitted(scene).reviewed(lambda name: review(Load_Test="refuted"))
        text = await see(PAGE)
        assert "refuted So it is" in words(section(text, "projects-argument"))
        assert "no node gives this text" not in text
        monkeypatch.setattr(argument_reading, "_all", lying)
        text = await see(PAGE)
        assert "A lie" not in text
        assert "no node gives this text" in section(text, "projects-argument")
        assert "not accepted by 5 of 5" in section(text, "projects-argument")

    visit(tmp_path, scenario)


def test_the_certificate_is_a_file_that_verifies_and_none_if_no_node_proves_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(scene: Funded, see: See) -> None:
        await see(f"{PAGE}/certificate", status=404)
        scene.certified()

        def proven(page: Any, address: Any, ask: Any) -> Data:
            return certificate_document(scene, "C1")

        def refusing(page: Any, address: Any, ask: Any) -> Data:
            raise CosealError("a review is left out")

        monkeypatch.setattr(document_file, "proven", proven)
        given = await see(f"{PAGE}/certificate")
        assert verify_bytes(given.encode(), scene.chain.genesis).verdict is Verdict.OK
        monkeypatch.setattr(document_file, "proven", refusing)
        assert "a review is left out" in await see(f"{PAGE}/certificate", status=503)

    visit(tmp_path, scenario)


def test_a_draft_whose_nodes_hang_on_each_other_is_drawn_once(tmp_path: Path) -> None:
    async def scenario(scene: Funded, see: See) -> None:
        scene.apply(tranches=TRANCHES)
        nodes = changed(clearing(), clearing()[0]["id"], parent=clearing()[1]["id"])
        chain = [{"id": f"n{number}", "kind": "claim", "statement": "s"} for number in range(60)]
        chain = [{**node, "parent": f"n{number - 1}"} if number else node for number, node in enumerate(chain)]
        scene.argue([*nodes, *chain])
        text = section(await see(PAGE), "projects-argument")
        for node in (*nodes, *chain):
            assert text.count(f'id="node-{node["id"]}"') == 1
        assert f"the pledge of {FUNDER}" in words(section(await see(PAGE), "projects-money"))

    visit(tmp_path, scenario)


def test_a_chain_without_projects_says_so(tmp_path: Path) -> None:
    async def scenario(_: Funded, see: See) -> None:
        assert "Nobody has applied for a project." in await see("/projects")
        assert "Nothing was pledged under any scheme." in await see("/projects")

    visit(tmp_path, scenario)
