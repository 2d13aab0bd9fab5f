"""The pages of sealed data: vaults with what is sealed and erased, requests with who holds them up, all accesses."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from coseal.audit.report import Verdict
from coseal.audit.verify import verify_document
from coseal.client import pages
from coseal.console import vault_parts
from coseal.console.texts import CATALOGUE
from coseal.contracts.disclosure.plans import PLAN
from coseal.contracts.disclosure.policy import BASES
from coseal.contracts.disclosure.releasing import FAULTS, REASONS
from coseal.contracts.disclosure.requests import STATUSES
from coseal.contracts.disclosure.reviewing import VERDICTS
from tests.console import visiting
from tests.console.test_standards import section, words
from tests.console.visiting import See
from tests.node.http.world import READING
from tests.support.disclosure import DAY_MS, OWNER, Custody, custody_genesis, items

VAULT, REQUEST, ACCESSES = (
    "/disclosure/vaults/bank-a/loans",
    "/disclosure/requests/regulator/r1",
    "/disclosure/accesses",
)
WHICH = {"by": "regulator", "request": "r1"}
SEATS = ["regulator", "central-bank", "enterprise-a", "institute-a", "public-a"]
RETAIN_MS = PLAN.example["retentions"]["loan"]
Scenario = Callable[[Custody, See], Awaitable[None]]


def visit(folder: Path, scenario: Scenario, token: str | None = READING) -> None:
    """Let a scenario see a console of one node on whose chain a vault is armed and two batches are sealed."""

    def begin(chain: Any) -> Custody:
        custody = Custody(chain, seats=SEATS, substitutes=[], threshold=3)
        custody.armed()
        custody.define()
        for sequence in (1, 3):
            custody.ok(OWNER, "process.record", **custody.batch(sequence))
        return custody

    visiting.visit(folder, begin, lambda scene, see, _: scenario(scene, see), token, custody_genesis())


def verified(text: str, name: str) -> str:
    """Return the words of a section that must be sealed as verified."""
    found = section(text, name)
    assert 'class="seal verified"' in found
    return words(found)


def test_a_vault_shows_seats_what_is_sealed_and_when_it_is_erased(tmp_path: Path) -> None:
    async def scenario(custody: Custody, see: See) -> None:
        listed = words(section(await see("/disclosure"), "disclosure-list"))
        assert "bank-a/loans usual: 3 of 5 5 of 5 accepted armed" in listed
        assert listed.rstrip().find(" 2 2 0") > 0
        text = await see(VAULT)
        assert "5 seats that accept; 5 have" in verified(text, "disclosure-about")
        assert "accepted" in verified(text, "disclosure-seats")
        contents = verified(text, "disclosure-contents")
        assert "2 bank-a/log 3 to 4 3" in contents
        assert contents.index("bank-a/log 3 to 4") < contents.index("bank-a/log 1 to 2")
        assert "erased in block" not in contents
        custody.ok(OWNER, "define_audience", vault="loans", audience="readers", members=["city"])
        assert "readers 1 city" in verified(await see(VAULT), "disclosure-audiences")
        custody.wait(RETAIN_MS)
        height = custody.chain.executor.height
        text = await see(VAULT)
        assert f"2 erased in block {height} 1 erased in block {height}" in verified(text, "disclosure-contents")
        assert "密封库" in await see(VAULT, "zh")

    visit(tmp_path, scenario)


def test_a_refused_seat_says_why_and_a_vault_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    async def scenario(custody: Custody, see: See) -> None:
        custody.open("other")
        custody.ok("public-a", "refuse_seat", owner=OWNER, vault="other", reason="Keys 1, 2 are not those")
        text = await see("/disclosure/vaults/bank-a/other")
        assert "public-a refused Keys 1, 2 are not those" in verified(text, "disclosure-seats")
        listed = words(section(await see("/disclosure?status=refused"), "disclosure-list"))
        assert "bank-a/other" in listed
        assert "bank-a/loans" not in listed
        assert "no vault bank-a/none" in await see("/disclosure/vaults/bank-a/none", status=404)
        assert "no request city/none" in await see("/disclosure/requests/city/none", status=404)

    visit(tmp_path, scenario)


def test_a_request_says_at_each_step_who_holds_it_up(tmp_path: Path) -> None:
    async def now(see: See) -> str:
        listed = words(section(await see("/disclosure/requests"), "disclosure-requests-list"))
        stands = verified(await see(REQUEST), "disclosure-now")
        found = stands.partition("Waits for ")[2].partition(" Until")[0]
        assert found in listed
        return found

    async def scenario(custody: Custody, see: See) -> None:
        custody.ok("regulator", "request", **custody.asking())
        text = await see(REQUEST)
        assert "Compare the rates with the cap Legal basis Article 38 Basis order: Order 12" in verified(
            text, "disclosure-why"
        )
        assert "1 bank-a/log 1 price 1" in verified(text, "disclosure-scope")
        assert await now(see) == "bank-a may object"
        custody.ok(OWNER, "object", **WHICH, reason="Ten would do")
        assert await now(see) == "regulator answers the objection"
        custody.ok("regulator", "answer", request="r1", reason="All are meant")
        assert await now(see) == "approvals of other supervisors: 1 approvals of members of other roles: 1"
        custody.ok("city", "approve", **WHICH, reason="It fits")
        custody.ok("institute-a", "approve", **WHICH, reason="It fits as well")
        seats = [member for member in custody.vault().members() if member != "regulator"]
        assert await now(see) == f"{' , '.join(seats)} 3 of these release"
        custody.release(seats[0])
        custody.ok(seats[1], "decline", **WHICH, reason="technical", text="The keys are lost")
        text = await see(REQUEST)
        clocks = verified(text, "disclosure-clocks")
        assert "Owner bank-a object" in clocks
        assert "supervisors 1 of 1; other roles 1 of 1" in clocks
        assert f"Custodian {seats[0]} release parts of keys – released" in clocks
        assert f"Custodian {seats[1]} release parts of keys – declined" in clocks
        assert "its own request: does not count" in clocks
        steps = verified(text, "disclosure-steps")
        assert "declined" in steps
        assert "technical The keys are lost" in steps
        custody.ok(seats[3], "decline", **WHICH, reason="basis", text="No order is attached")
        assert await now(see) == "too few custodians are left to release"
        custody.wait(5 * DAY_MS)
        assert "overdue" in await now(see)
        steps = verified(await see(REQUEST), "disclosure-steps")
        assert f"overdue {seats[2]} release parts of keys" in steps
        custody.wait(30 * DAY_MS)
        text = await see(REQUEST)
        assert "nobody; it has ended" in verified(text, "disclosure-now")
        assert "expired" in verified(text, "disclosure-steps")

    visit(tmp_path, scenario)


def test_an_emergency_waits_for_custodians_and_for_a_review(tmp_path: Path) -> None:
    async def scenario(custody: Custody, see: See) -> None:
        custody.ok("regulator", "emergency", reason="Assets leave today", **custody.asking())
        text = await see(REQUEST)
        assert "requested in an emergency Assets leave today" in verified(text, "disclosure-why")
        stands = verified(text, "disclosure-now")
        assert "3 of these release two members of other roles review the emergency" in stands
        clocks = verified(text, "disclosure-clocks")
        assert "Approvers" not in clocks
        assert "no objection" not in clocks
        for member in ("institute-a", "public-a"):
            custody.ok(member, "review", **WHICH, verdict="unjustified", reason="There was time")
        text = await see(REQUEST)
        clocks = verified(text, "disclosure-clocks")
        assert "Reviewers institute-a , public-a review the emergency – unjustified" in clocks
        assert "There was time" in verified(text, "disclosure-steps")

    visit(tmp_path, scenario)


def test_who_opened_says_counts_and_whose_fault_something_is(tmp_path: Path) -> None:
    async def scenario(custody: Custody, see: See) -> None:
        custody.approved()
        seats = [member for member in custody.vault().members() if member != "regulator"]
        for member in seats[:3]:
            custody.release(member)
        assert "regulator opens, and reports" in verified(await see(REQUEST), "disclosure-now")
        fault = {"kind": "part", "member": seats[0], "evidence": "ab" * 32}
        custody.ok("regulator", "opened", request="r1", opened=1, failed=0, faults=[fault])
        steps = verified(await see(REQUEST), "disclosure-steps")
        assert "1 opened, 0 failed" in steps
        assert f"{seats[0]} : its part is not that of its keys" in steps

    visit(tmp_path, scenario)


def test_what_is_due_waits_for_an_open_request(tmp_path: Path) -> None:
    async def scenario(custody: Custody, see: See) -> None:
        custody.wait(RETAIN_MS - DAY_MS)
        custody.ok("regulator", "request", **custody.asking())
        custody.wait(DAY_MS)
        contents = verified(await see(VAULT), "disclosure-contents")
        assert "due, waits for a request" in contents
        assert "regulator/r1" in contents

    visit(tmp_path, scenario)


def test_a_case_says_what_became_of_its_sealed_values(tmp_path: Path) -> None:
    async def scenario(custody: Custody, see: See) -> None:
        custody.ok(OWNER, "process.record", source="log", sequence=5, items=items(5))
        custody.wait(RETAIN_MS - DAY_MS)
        custody.ok("regulator", "request", **custody.asking())
        timeline = verified(await see("/processes/loans/cases/loan/L1"), "cases-timeline")
        assert timeline.count("sealed values are kept until") == 3
        assert timeline.count("opening requested: regulator/r1") == 1
        assert timeline.count("sealed values are with their owner") == 1
        assert "rate sealed ababababab…abab" in timeline
        assert "branch East" in timeline
        custody.wait(DAY_MS)
        timeline = verified(await see("/processes/loans/cases/loan/L1"), "cases-timeline")
        assert timeline.count("sealed values are erased bank-a/loans number 2") == 1

    visit(tmp_path, scenario)


def test_all_accesses_are_proven_to_be_all_and_kept_as_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PAGE_ITEMS", 3)

    async def scenario(custody: Custody, see: See) -> None:
        custody.approved()
        listed = await see(f"{ACCESSES}/bank-a")
        shown = verified(listed, "disclosure-accesses-list")
        assert "These 8 steps are all that concerned what bank-a sealed" in shown
        assert "8 approved bank-a/loans regulator/r1 institute-a/admin" in shown
        assert "requested bank-a/loans regulator/r1 order" in shown
        some = verified(await see(f"{ACCESSES}/bank-a?step=approved"), "disclosure-accesses-list")
        assert "seat accepted bank-a/loans" not in some
        document = json.loads(await see(f"{ACCESSES}/bank-a/file"))
        result = verify_document(document, custody.chain.genesis)
        assert (result.verdict, result.facts["entries"]) == (Verdict.OK, 8)
        none = verified(await see(f"{ACCESSES}/city"), "disclosure-accesses-list")
        assert "These 0 steps are all" in none

    visit(tmp_path, scenario)


@pytest.mark.parametrize("lie", ["subject = 'readers 1 city' WHERE number = 3", "step = 'erased' WHERE number = 5"])
def test_a_list_that_is_not_the_recorded_one_is_refused(tmp_path: Path, lie: str) -> None:
    async def scenario(custody: Custody, see: See) -> None:
        custody.wait(RETAIN_MS)
        await see("/disclosure")
        spoil(lie)
        text = section(await see(f"{ACCESSES}/bank-a"), "disclosure-accesses-list")
        assert 'class="seal failed"' in text
        assert "are not those recorded" in text
        assert "seat accepted" not in text
        await see(f"{ACCESSES}/bank-a/file", status=404)
        text = await see(VAULT)
        assert "In which blocks something was erased is not shown. Nothing is shown: what the node lists" in words(text)
        assert "2 erased 1 erased" in verified(text, "disclosure-contents")

    def spoil(change: str) -> None:
        with contextlib.closing(sqlite3.connect(tmp_path / "index.sqlite")) as index:
            assert index.execute(f"UPDATE disclosure_log SET {change}").rowcount == 1
            index.commit()

    visit(tmp_path, scenario)


def test_without_a_token_what_is_for_members_is_not_shown_and_the_rest_is(tmp_path: Path) -> None:
    async def scenario(custody: Custody, see: See) -> None:
        custody.ok("regulator", "request", **custody.asking())
        for path in ("/disclosure/requests", f"{ACCESSES}/bank-a", REQUEST):
            assert "needs a token" in await see(path), path
        assert "bank-a may object" in verified(await see(REQUEST), "disclosure-now")
        custody.wait(RETAIN_MS + 40 * DAY_MS)
        text = await see(VAULT)
        assert "In which blocks something was erased is not shown" in text
        assert "2 erased 1 erased" in verified(text, "disclosure-contents")

    visit(tmp_path, scenario, token=None)


def test_every_word_of_the_contract_has_its_words() -> None:
    wanted = [f"disclosure.request.{one}" for one in STATUSES]
    wanted += [f"disclosure.basis.{one}" for one in BASES] + [f"disclosure.fault.{one}" for one in FAULTS]
    wanted += [f"disclosure.review.{one}" for one in VERDICTS]
    wanted += [f"disclosure.declined.{one}" for one in REASONS]
    wanted += [f"disclosure.step.{one}" for one in (*vault_parts.OF_REQUESTS, *vault_parts.OF_SEATS)]
    assert [key for key in wanted if key not in CATALOGUE] == []
