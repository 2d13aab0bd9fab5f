"""What an owner and its readers open of an object's sealed values, and what they show to others."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from coseal.audit.report import Verdict
from coseal.audit.verify import verify_document
from coseal.client import sealing
from coseal.client.sealed_values import ERASED, FALSE, NO_ACCESS, NO_CELL, NO_KEY, NO_TYPE, READ, OpenedHistory
from coseal.errors import BadAnswer, CosealError
from coseal.sealing.cells import Batch
from tests.support.disclosure import DAY_MS, OWNER, SUBJECT, TYPE
from tests.support.sealing import TERMS, Sealing, event, reveal_document

LOAN = (TYPE["id"], "loan", "L1")
SOURCE = f"{OWNER}/log"
READER = "city"


@pytest.fixture
def scene(node: Any, tmp_path: Path) -> Sealing:
    scene = Sealing(node, tmp_path)
    scene.arm()
    return scene


def opened(scene: Sealing, member: str = OWNER, place: tuple[str, str, str] = LOAN) -> OpenedHistory:
    found: OpenedHistory = scene.vaults(member).read(*place)
    return found


def statuses(found: OpenedHistory) -> set[str]:
    return {one.status for one in found.attributes}


def values(found: OpenedHistory, sequence: int = 1) -> dict[str, Any]:
    return {name: one.value for name, one in found.of(SOURCE, sequence).items()}


revealed = cache(reveal_document)


def grant(scene: Sealing, *members: str) -> None:
    for member in members:
        scene.vaults(member).set_sealing_key("reader").require_ok()
    scene.vaults(OWNER).define_audience("loans", "readers", list(members)).require_ok()
    scene.vaults(OWNER).grant("loans", "readers").require_ok()


def test_an_owner_reads_what_it_sealed_beside_all_items(scene: Sealing) -> None:
    declared = {"object": "L1", "type": "loan", "attributes": [["cap", "0", "0.07"]]}
    scene.record([event(1), declared, event(2, rate="0.06")])
    found = opened(scene)
    assert [item[1] for item in found.history.items] == [1, 2, 3]
    assert [values(found, number) for number in (1, 2, 3)] == [TERMS, {"cap": "0.07"}, {**TERMS, "rate": "0.06"}]
    assert (statuses(found), {one.vault for one in found.attributes}) == ({READ}, {"loans"})


def test_what_items_share_is_asked_for_once(scene: Sealing, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.record([event(number) for number in range(1, 6)])
    asked: list[str] = []
    handle = scene.node.handle_request

    def noting(request: Any) -> Any:
        asked.append(request.url.path)
        return handle(request)

    monkeypatch.setattr(scene.node, "handle_request", noting)
    assert len(opened(scene).attributes) == 15
    assert sum(path.endswith("/receipt") for path in asked) == 1
    assert sum(path.startswith("/v1/sidecars/") for path in asked) == 1


def test_a_reader_reads_with_a_granted_key_and_keeps_it(scene: Sealing) -> None:
    grant(scene, READER)
    scene.record([event(1)])
    assert values(opened(scene, READER)) == TERMS
    scene.vaults(OWNER).define_audience("loans", "readers", [READER, "regulator"]).require_ok()  # erases the grant
    scene.record([event(2)])
    found = opened(scene, READER)
    assert values(found) == TERMS
    assert {one.status for one in found.of(SOURCE, 2).values()} == {NO_KEY}
    scene.vaults(OWNER).grant("loans", "readers", to=[READER]).require_ok()
    assert values(opened(scene, READER), 2) == TERMS


def test_who_is_in_no_audience_or_was_granted_nothing_reads_nothing(scene: Sealing) -> None:
    grant(scene, READER)
    scene.record([event(1)])
    assert statuses(opened(scene, "enterprise-a")) == {NO_ACCESS}
    scene.vaults(OWNER).define_audience("loans", "readers", ["enterprise-a"]).require_ok()
    assert statuses(opened(scene, "enterprise-a")) == {NO_KEY}
    assert statuses(opened(scene, READER)) == {NO_ACCESS}


def test_an_envelope_for_another_key_gives_nothing(scene: Sealing) -> None:
    grant(scene, READER)
    scene.record([event(1)])
    for file in scene.secrets(READER).folder.glob("sealing-reader-*"):
        file.unlink()
    assert statuses(opened(scene, READER)) == {NO_KEY}


def test_what_was_erased_and_what_has_no_cell_says_so(scene: Sealing) -> None:
    scene.record([event(1)])
    plain = event(2) | {"attributes": {"rate": "ab" * 32, "fee": "ab" * 32, "borrower": "ab" * 32, "branch": "East"}}
    with scene.node.client(OWNER) as client:
        client.submit("process", "record", {"source": "log", "sequence": 2, "items": [plain]}).require_ok()
    retention = SUBJECT["retentions"]["loan"]
    scene.chain.extend([], later_ms=retention + DAY_MS)
    scene.chain.extend([])
    found = opened(scene)
    assert {one.status for one in found.of(SOURCE, 1).values()} == {ERASED}
    assert {one.status for one in found.of(SOURCE, 2).values()} == {NO_CELL}


def test_values_that_are_not_those_committed_to_are_never_shown(
    scene: Sealing, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal = sealing.seal_batch

    def false(*given: Any) -> Batch:
        made = seal(*given)
        ((sequence, label, named), *rest) = made.lines
        return replace(made, lines=((sequence, label, tuple((name, bytes(32)) for name, _ in named)), *rest))

    monkeypatch.setattr(sealing, "seal_batch", false)
    scene.record([event(1)])
    found = opened(scene).of(SOURCE, 1)
    assert {name: one.status for name, one in found.items()} == {"fee": FALSE, "rate": FALSE, "borrower": READ}
    assert found["rate"].value is None


def test_a_type_that_a_new_version_dropped_leaves_its_items_unread(scene: Sealing) -> None:
    scene.record([event(1)])
    scene.ok(OWNER, "process.define_type", **{**TYPE, "version": 2, "event_types": {"Close": {"attributes": {}}}})
    assert statuses(opened(scene)) == {NO_TYPE}


@pytest.mark.parametrize("tx", [None, 7])
def test_a_node_that_misleads_about_the_place_of_an_item_is_not_believed(scene: Sealing, tx: Any) -> None:
    scene.record([event(1)])
    other = scene.node.posted[0].id.hex()

    def mislead(path: str, document: dict[str, Any]) -> dict[str, Any]:
        if path == "/v1/objects":
            document["items"][0]["unproven"]["tx"] = other if tx == 7 else tx
        return document

    scene.node.tamper = mislead
    with pytest.raises(CosealError):
        opened(scene)


def test_an_object_that_is_not_there_has_no_items(scene: Sealing) -> None:
    found = opened(scene, place=(LOAN[0], "loan", "nowhere"))
    assert (found.history.items, found.attributes) == ((), ())
    with pytest.raises(BadAnswer, match="no process type"):
        opened(scene, place=("nothing", "loan", "L1"))


# Showing a value to others


def test_a_value_is_revealed_with_its_proof_and_no_other(scene: Sealing) -> None:
    grant(scene, READER)
    scene.record([event(1), event(2, rate="0.06")])
    for member in (OWNER, READER):
        document = scene.vaults(member).reveal(*LOAN, ["rate"], item=(SOURCE, 2))
        result = verify_document(document, scene.node.genesis)
        assert (result.verdict, result.kind) == (Verdict.OK, "reveal"), result.reason
        (shown,) = result.facts["values"]
        assert shown == {
            "source": SOURCE,
            "sequence": 2,
            "item": "event e2",
            "type": "Grant",
            "name": "rate",
            "value": "0.06",
        }
        assert "ACME" not in str(document)
    both = scene.vaults(OWNER).reveal(*LOAN, ["rate", "borrower"])
    assert len(verify_document(both, scene.node.genesis).facts["values"]) == 4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"value": "0.04"}, "does not commit"),
        ({"value": 5}, "does not commit"),
        ({"value": 2**70}, "no encoding"),
        ({"value": None}, "expected a text"),
        ({"name": "fee"}, "does not commit"),
        ({"name": "nothing"}, "does not commit"),
        ({"salt": "00" * 32}, "does not commit"),
        ({"salt": "AB" * 32}, "lower-case"),
        ({"salt": "ab"}, "salt"),
        ({"sequence": 1}, "does not commit"),
        ({"sequence": 9}, "not one of these items"),
        ({"source": "bank-b/log"}, "not one of these items"),
        ({"more": 1}, "more"),
    ],
)
def test_a_value_that_is_not_committed_to_is_bad(change: dict[str, Any], said: str) -> None:
    genesis, document = revealed()
    assert verify_document(document, genesis).verdict is Verdict.OK
    spoilt = deepcopy(document)
    spoilt["values"][0] |= change
    result = verify_document(spoilt, genesis)
    assert result.verdict is Verdict.BAD
    assert said in result.reason


def test_a_history_with_one_item_less_or_no_value_is_bad() -> None:
    genesis, document = revealed()
    for spoil in (
        lambda one: one["history"]["items"].pop(),
        lambda one: one["values"].clear(),
        lambda one: one["values"].append(one["values"][0]),
        lambda one: one["values"][0].pop("salt"),
        lambda one: one.pop("history"),
        lambda one: one["history"].update(more=1),
    ):
        spoilt = deepcopy(document)
        spoil(spoilt)
        assert verify_document(spoilt, genesis).verdict is Verdict.BAD


def test_what_cannot_be_read_is_not_revealed(scene: Sealing) -> None:
    scene.record([event(1)])
    with pytest.raises(CosealError, match="in no audience"):
        scene.vaults("enterprise-a").reveal(*LOAN, ["rate"])
    with pytest.raises(CosealError, match="no sealed attribute branch"):
        scene.vaults(OWNER).reveal(*LOAN, ["branch"])
