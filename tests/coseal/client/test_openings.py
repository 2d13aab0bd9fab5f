"""An opening from end to end: sealed, requested, approved, released by seats of which one lies, opened and compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from coseal.client import sealing
from coseal.client.openings import OPENED, WAITING, Opening
from coseal.errors import BadAnswer, CosealError
from coseal.ledger import custody
from coseal.sealing import releasing
from coseal.sealing.cells import Batch
from coseal.sealing.envelopes import SealingKey
from coseal.sealing.secrets import Secrets
from tests.support.disclosure import DAY_MS, OWNER, SUBJECT
from tests.support.sealing import TERMS, Sealing, event

SEATS = ["regulator", "central-bank", "enterprise-a", "institute-a", "public-a"]
PLAN = {**SUBJECT, "seats": SEATS, "substitutes": [], "threshold": 3}
REQUESTER = "city"
CAP = Decimal("0.06")


class Scene(Sealing):
    """A vault of five seats, three of which open, and a request for the rates that are sealed in it."""

    scope: Any = ({"number": 1, "sequences": [1, 2, 3], "labels": ["price"]},)

    def openings(self, member: str) -> Any:
        return self.node.client(member).openings(self.secrets(member))

    def request(self, member: str = REQUESTER, name: str = "r1", **more: Any) -> None:
        why = {"basis": "order", "reference": "Order 12", "purpose": "Compare the rates", "legal_basis": "Article 38"}
        ends_ms = self.chain.executor.time_ms + 20 * DAY_MS
        args = {**why, "expires_ms": ends_ms, **more}
        self.openings(member).request(name, OWNER, "loans", self.scope, **args).require_ok()

    def approve(self) -> None:
        """The owner objects, so nobody waits for the end of its term; the requester answers, two others approve."""
        which = {"by": REQUESTER, "request": "r1"}
        self.ok(OWNER, "object", **which, reason="The cap is public")
        self.ok(REQUESTER, "answer", request="r1", reason="The rates are not")
        for member in ("regulator", "institute-a"):
            self.ok(member, "approve", **which, reason="It fits the purpose")

    def release(self, *members: str) -> None:
        for member in members:
            self.openings(member).release(REQUESTER, "r1").require_ok()

    def opened(self) -> Opening:
        found: Opening = self.openings(REQUESTER).open("r1")
        return found


@pytest.fixture
def scene(node: Any, tmp_path: Path) -> Scene:
    scene = Scene(node, tmp_path, PLAN)
    scene.arm()
    scene.record([event(1), event(2, rate="0.09", branch="West"), event(3)])
    scene.request()
    return scene


@pytest.fixture
def lying(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Have parts of a release be others than those of its keys, until undone."""

    def lie() -> None:
        part = custody.part
        monkeypatch.setattr(releasing.custody, "part", lambda key, cell: bytes(32) if key else part(key, cell))

    return lie


def test_three_of_five_seats_open_the_scope_and_a_claim_is_refuted(scene: Scene) -> None:
    scene.approve()
    scene.release("regulator", "public-a", "institute-a")
    found = scene.opened()
    assert [(cell.sequence, cell.label, cell.status) for cell in found.cells] == [
        (number, "price", OPENED) for number in (1, 2, 3)
    ]
    assert found.cells[0].values == {"fee": TERMS["fee"], "rate": TERMS["rate"]}
    assert (found.faults, found.unsigned, found.is_decided) == ((), (), True)
    above = [cell.sequence for cell in found.cells if Decimal(str(cell.values["rate"])) > CAP]
    assert above == [2]  # the owner said that every rate is at most the cap
    done = scene.openings(REQUESTER).report(found).require_ok().data
    assert (done["status"], len(done["erased"])) == ("opened", 3)
    with pytest.raises(BadAnswer, match="city/r1 is opened"):
        scene.opened()


def test_an_emergency_is_opened_with_as_many_seats_and_without_approvals(scene: Scene) -> None:
    scene.request(name="r2", emergency="The bank closes its books tonight")
    for member in ("regulator", "public-a", "institute-a"):
        scene.openings(member).release(REQUESTER, "r2").require_ok()
    found = scene.openings(REQUESTER).open("r2")
    assert {cell.status for cell in found.cells} == {OPENED}
    said = {"by": REQUESTER, "request": "r2", "verdict": "justified", "reason": "It could not wait"}
    assert scene.ok("enterprise-a", "review", **said)["review"] == "waiting"


def adopt(scene: Sealing, text: str, version: int = 1) -> None:
    """Have a claim of this text judge grants."""
    scope = {"process_type": "loans", "object_type": "loan"}
    rule = {"id": "R-CAP", "version": version, "legal_basis": ["external:a cap"], "scope": scope}
    claim = {**rule, "kind": "claim", "on": ["Grant"], "assert": text, "disputed": "count"}
    ballot = scene.ok("regulator", "supervision.propose_rules", rules=[claim])["ballot"]
    for member in ("central-bank", "bank-a", "enterprise-a"):
        if scene.ok(member, "supervision.vote", ballot=ballot, choice="yes")["status"] != "open":
            break


def test_what_an_owner_stated_before_it_sealed_is_evaluated_again_over_what_was_opened(
    node: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(node, tmp_path, PLAN)
    scene.arm()
    adopt(scene, "compare(s.rate, '0.06') <= 0 && e.attributes.branch != ''")
    told = event(2, rate="0.09") | {"claims": [["R-CAP", 1, True]]}  # not so
    (honest, lied) = (scene.record([each])[0].receipt for each in (event(1), told))
    assert ["findings" in receipt.data for receipt in (honest, lied)] == [False, False]
    high = scene.record([event(3, rate="0.07")])[0].receipt.data["findings"]
    assert len(high) == 1  # it said itself that the condition is false
    scope = [{"number": number, "sequences": [number], "labels": ["price"]} for number in (1, 2, 3)]
    monkeypatch.setattr(scene, "scope", scope)
    scene.request()
    scene.approve()
    scene.release("regulator", "public-a", "institute-a")
    found = scene.opened()
    assert [(claim.sequence, claim.rule, claim.stated, claim.outcome) for claim in found.claims] == [
        (1, "R-CAP", True, "holds"),
        (2, "R-CAP", True, "refuted"),
        (3, "R-CAP", False, "false"),
    ]


def test_a_claim_about_a_label_that_was_not_opened_is_not_determined(node: Any, tmp_path: Path) -> None:
    scene = Scene(node, tmp_path, PLAN)
    scene.arm()
    adopt(scene, "compare(s.rate, '0.06') <= 0 && s.borrower != ''")
    scene.record([event(1), event(2), event(3)])
    scene.request()
    scene.approve()
    scene.release("regulator", "public-a", "institute-a")
    found = scene.opened()
    assert {claim.outcome for claim in found.claims} == {"undetermined"}
    assert "borrower" in found.claims[0].says


def test_a_seat_that_lies_is_named_once_a_fourth_released(
    scene: Scene, lying: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.approve()
    lying()
    scene.release("enterprise-a")
    monkeypatch.undo()
    scene.release("regulator", "public-a")
    found = scene.opened()
    assert ({cell.status for cell in found.cells}, found.faults, found.is_decided) == ({WAITING}, (), False)
    scene.release("institute-a")
    found = scene.opened()
    assert {cell.status for cell in found.cells} == {OPENED}
    assert [(fault.kind, fault.member) for fault in found.faults] == [("part", "enterprise-a")]
    assert len(found.faults[0].digest) == 64
    done = scene.openings(REQUESTER).report(found).require_ok().data
    assert [entry[2:] for entry in done["log"]] == [
        ["opened", "loans", "city/r1 3 opened, 0 failed"],
        ["fault", "loans", "city/r1 enterprise-a part"],
    ]


def test_an_owner_that_commits_to_other_values_than_it_sealed_is_named(
    node: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, seal = Scene(node, tmp_path, PLAN), sealing.seal_batch
    scene.arm()

    def false(*given: Any) -> Batch:
        made = seal(*given)
        first, *rest = made.lines
        return replace(made, lines=((*first[:2], tuple((name, bytes(32)) for name, _ in first[2])), *rest))

    monkeypatch.setattr(sealing, "seal_batch", false)
    scene.record([event(1), event(2), event(3)])
    scene.request()
    scene.approve()
    scene.release("regulator", "public-a", "institute-a")
    found = scene.opened()
    assert [cell.status for cell in found.cells] == ["commitment", OPENED, OPENED]
    assert (found.cells[0].values, [fault.member for fault in found.faults]) == ({}, [OWNER])


def test_an_owner_that_seals_with_another_key_is_named_once_enough_released(
    node: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(node, tmp_path, PLAN)
    scene.arm()
    with monkeypatch.context() as other:
        other.setattr(custody, "cell_key", lambda vault, keys, cell: b"o" * 32)
        scene.record([event(1), event(2), event(3)])
    scene.request()
    scene.approve()
    scene.release("regulator", "public-a", "institute-a", "central-bank")
    assert not scene.opened().is_decided
    scene.release("enterprise-a")
    found = scene.opened()
    assert {cell.status for cell in found.cells} == {"check"}
    assert [(fault.kind, fault.member) for fault in found.faults] == [("check", OWNER)]
    assert scene.openings(REQUESTER).report(found).require_ok().data["status"] == "opened"


def test_a_release_that_does_not_open_names_its_seat(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.approve()
    with monkeypatch.context() as other:
        other.setattr(releasing, "USE", "reader")
        scene.release("enterprise-a")
    scene.release("regulator", "public-a", "institute-a")
    found = scene.opened()
    assert {cell.status for cell in found.cells} == {OPENED}
    assert [(fault.kind, fault.member) for fault in found.faults] == [("part", "enterprise-a")]


def test_nothing_is_released_before_the_approval_or_with_other_keys(scene: Scene) -> None:
    with pytest.raises(BadAnswer, match="city/r1 is asked"):
        scene.release("regulator")
    with pytest.raises(BadAnswer, match="city/r1 is asked"):
        scene.opened()
    with pytest.raises(BadAnswer, match="city has no request none"):
        scene.openings("regulator").release(REQUESTER, "none")
    scene.approve()
    with pytest.raises(CosealError, match="there is no such secret"):
        scene.node.client("regulator").openings(Secrets(scene.folder / "empty")).release(REQUESTER, "r1")


def test_a_request_is_opened_with_its_own_key_alone(scene: Scene) -> None:
    with pytest.raises(CosealError, match="city has a request r1"):
        scene.request()
    scene.approve()
    scene.release("regulator", "public-a", "institute-a")
    (file,) = scene.secrets(REQUESTER).folder.glob("request-r1.json")
    assert file.stat().st_mode & 0o777 == 0o600
    file.unlink()
    with pytest.raises(CosealError, match="no key of the request r1"):
        scene.opened()


def test_a_request_that_was_interrupted_is_sent_with_the_same_key(scene: Scene) -> None:
    kept = SealingKey.generate()
    scene.secrets(REQUESTER).save_request_key(scene.chain.genesis.chain_id, "r2", kept)
    scene.request(name="r2")
    assert scene.node.posted[-1].args["key"] == kept.public.hex()
