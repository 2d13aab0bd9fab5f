"""All accesses to what a member sealed, proven to be all: by the client, and by a receiver of the document."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from coseal.audit.report import Verdict
from coseal.audit.verify import verify_document
from coseal.client import pages
from coseal.errors import FalseAnswer
from tests.coseal.conftest import FakeNode
from tests.support.disclosure import OWNER, SUBJECT
from tests.support.sealing import Sealing, event

Document = dict[str, Any]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Sealing:
    """Three seats accepted, two versions of an audience, two grants and an erasure: eight steps."""
    scene = Sealing(FakeNode(), tmp_path_factory.mktemp("members"))
    scene.arm()
    scene.record([event(1)])
    scene.vaults("city").set_sealing_key("reader").require_ok()
    for _ in range(2):
        scene.vaults(OWNER).define_audience("loans", "readers", ["city"]).require_ok()
        scene.vaults(OWNER).grant("loans", "readers").require_ok()
    scene.chain.extend([], later_ms=SUBJECT["retentions"]["loan"])
    return scene


@pytest.fixture(scope="module")
def document(scene: Sealing) -> Document:
    made: Document = accesses(scene).document
    return made


def accesses(scene: Sealing, owner: str = OWNER) -> Any:
    with scene.node.client("regulator") as client:
        return client.access_history(owner)


def test_every_step_is_shown_and_proven_to_be_all(scene: Sealing, monkeypatch: pytest.MonkeyPatch) -> None:
    found = accesses(scene)
    steps = [entry.step for entry in found.entries]
    assert steps == ["accepted"] * 3 + ["audience", "granted"] * 2 + ["erased"]
    assert found.facts == {
        **{name: found.facts[name] for name in ("chain_id", "height") if name in found.facts},
        "owner": OWNER,
        "entries": 8,
        "steps": {"accepted": 3, "audience": 2, "erased": 1, "granted": 2},
    }
    result = verify_document(found.document, scene.node.genesis)
    assert (result.verdict, result.kind, result.facts["entries"]) == (Verdict.OK, "access-history", 8)
    monkeypatch.setattr(pages, "PAGE_ITEMS", 3)
    assert accesses(scene).entries == found.entries


def test_who_sealed_nothing_has_no_accesses_and_that_is_proven(scene: Sealing) -> None:
    found = accesses(scene, "enterprise-a")
    assert (found.entries, found.facts["entries"]) == ((), 0)
    assert verify_document(found.document, scene.node.genesis).verdict is Verdict.OK


def one_less(at: int) -> Callable[[list[Document]], None]:
    def apply(rows: list[Document]) -> None:
        del rows[at]

    return apply


def other(at: int, **values: Any) -> Callable[[list[Document]], None]:
    return lambda rows: rows[at].update(values)


def swapped(rows: list[Document]) -> None:
    rows[0], rows[1] = rows[1], rows[0]


LIES = [
    *(one_less(at) for at in range(8)),
    lambda rows: rows.append(dict(rows[-1], number=9)),
    swapped,
    other(3, step="erased"),
    other(4, subject="readers 1 regulator"),
    other(4, vault="other"),
    other(4, height=1),
    other(4, number=4),
]


@pytest.mark.parametrize("lie", LIES)
def test_a_document_with_another_list_is_bad(
    scene: Sealing, document: Document, lie: Callable[[list[Document]], None]
) -> None:
    spoilt = deepcopy(document)
    lie(spoilt["entries"])
    assert verify_document(spoilt, scene.node.genesis).verdict is Verdict.BAD


@pytest.mark.parametrize("lie", [*LIES[:1], LIES[7], *LIES[9:], other(2, height="x"), lambda rows: rows[1].pop("step")])
def test_a_node_that_lists_other_accesses_is_found_out(
    scene: Sealing, monkeypatch: pytest.MonkeyPatch, lie: Callable[[list[Document]], None]
) -> None:
    def tamper(path: str, document: Document) -> Document:
        if path == "/v1/disclosure/log":
            lie(document["entries"])
        return document

    monkeypatch.setattr(scene.node, "tamper", tamper)
    with pytest.raises(FalseAnswer):
        accesses(scene)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda one: one.update(owner="city"),
        lambda one: one.update(more=1),
        lambda one: one["entries"][0].update(more=1),
        lambda one: one["entries"][0].pop("height"),
        lambda one: one["entries"][0].update(number=True),
        lambda one: one["record"].update(key="disclosure/log/city"),
    ],
)
def test_a_document_of_another_form_is_bad(
    scene: Sealing, document: Document, spoil: Callable[[Document], Any]
) -> None:
    spoilt = deepcopy(document)
    spoil(spoilt)
    assert verify_document(spoilt, scene.node.genesis).verdict is Verdict.BAD
