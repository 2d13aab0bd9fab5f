"""The certificate as a document: made of a real chain, verified, and spoilt in every part."""

from __future__ import annotations

import json
from copy import deepcopy
from random import Random
from typing import Any

import pytest

from coseal.audit import certified
from coseal.audit.certificate import STEP_NAMES
from coseal.audit.report import Verdict
from coseal.audit.verify import Verification, verify_bytes
from coseal.contracts.certification.state import certificate_key, project_key, round_key
from coseal.ledger import codec
from coseal.ledger.proof import CertifiedValue
from coseal.ledger.render import proven_value_json
from tests.liar.lies import Answer, sampled
from tests.support.panelled import APPLICANT, DAY_MS, Panelled, certificate_document

Document = dict[str, Any]


def verify(scene: Panelled, document: Any) -> Verification:
    return verify_bytes(json.dumps(document).encode(), scene.chain.genesis)


def bad(scene: Panelled, document: Any) -> str:
    found = verify(scene, document)
    assert (found.verdict, found.facts) == (Verdict.BAD, {})
    return found.reason


@pytest.fixture(scope="module")
def scene() -> Panelled:
    """One reviewer declared a conflict of interest, another was silent; the panel accepted everything."""
    found = Panelled().admitted().drawn()
    assert found.by(found.panel[0], "declare", conflict=True).ok
    staying = [{"project": "clearing", "conflict": False}] * 4
    found.together(*((name, "declare", args) for name, args in zip(found.panel[:4], staying, strict=True)))
    found.wait(7 * DAY_MS + 1)
    for name in found.panel:
        if name not in found.round["declared"]:
            assert found.by(name, "declare", conflict=False).ok
    found.commit().reveal().decided("certified")
    return found


@pytest.fixture
def document(scene: Panelled) -> Document:
    return certificate_document(scene)


def at(document: Document, key: str) -> int:
    return [value["key"] for value in document["values"]].index(key)


def test_a_certificate_is_proven_with_all_that_it_follows_from(scene: Panelled, document: Document) -> None:
    found = verify(scene, document)
    assert (found.verdict, found.kind) == (Verdict.OK, "certificate"), found.reason
    assert tuple(step.name for step in found.steps) == STEP_NAMES
    facts = found.facts
    assert (facts["certificate"], facts["status"], facts["applicant"]) == ("C1", "certified", APPLICANT)
    assert (facts["reviews"], facts["outcome"], len(facts["reviewers"])) == (5, "certified", 5)
    assert facts["argument"]["root"] == scene.record["root"]
    assert facts["criteria"]["credit-system"] == {"claims": "supported", "scores": 15}
    json.dumps(found.to_json())


def test_who_left_before_the_review_was_replaced_by_the_draw(scene: Panelled) -> None:
    assert len(scene.round["out"]) == 2
    assert {step for step, _ in scene.round["late"]} == {"drawn"}


def test_every_value_is_needed_and_no_other_is_taken(scene: Panelled, document: Document) -> None:
    for index, value in enumerate(document["values"]):
        less = {**document, "values": [*document["values"][:index], *document["values"][index + 1 :]]}
        assert f"{value['key']} is neither shown nor proven absent" in bad(scene, less)
    more = {**document, "values": [*document["values"], proven(scene, "certification/count")]}
    assert "certification/count is no part" in bad(scene, more)
    assert "shown twice" in bad(scene, {**document, "values": [*document["values"], document["values"][0]]})


def proven(scene: Panelled, key: str) -> Any:
    tip, raw = scene.chain.blocks[-1], key.encode()
    value = CertifiedValue(raw, *scene.chain.state.prove(raw), tip.block.header, tip.certificate)
    return json.loads(json.dumps(proven_value_json(value)))


@pytest.mark.parametrize(
    ("key", "field", "value"),
    [
        (certificate_key("C1"), "status", "conditional"),
        (project_key("clearing"), "root", "00" * 32),
        (round_key("clearing", 1), "seed", "00" * 32),
    ],
)
def test_another_value_than_that_of_the_state_is_found(
    scene: Panelled, document: Document, key: str, field: str, value: Any
) -> None:
    changed = deepcopy(document)
    held = scene.chain.get(key)
    fake = CertifiedValue(
        key.encode(),
        codec.encode({**held, field: value}),
        scene.chain.state.prove(key.encode())[1],
        scene.chain.blocks[-1].block.header,
        scene.chain.blocks[-1].certificate,
    )
    changed["values"][at(changed, key)] = json.loads(json.dumps(proven_value_json(fake)))
    bad(scene, changed)


def test_lies_about_every_part_are_refused_or_change_nothing(scene: Panelled, document: Document) -> None:
    raw = json.dumps(document).encode()
    true = verify_bytes(raw, scene.chain.genesis).facts
    count = 0
    for lie in sampled(Answer(raw), Random(7), 120, old=[], other=[]):
        found = verify_bytes(lie.content, scene.chain.genesis)
        assert not found.ok or found.facts == true, lie.kind
        count += not found.ok
    assert count > 60


# What a dishonest quorum might have certified


FORGED: list[tuple[str, Any, str]] = [
    ("project", {"root": "00" * 32}, "not those that were sealed"),
    ("project", {"certificate": "C2"}, "not the certificate"),
    ("project", {"parties": ["institute-a", "public-a"]}, "has an interest"),
    ("round", {"seed": "00" * 32}, "not that of the seeds"),
    ("round", {"out": []}, "draw another panel"),
    ("round", {"revealed": []}, "not those that the round counts"),
    ("round", {"verdict": {"outcome": "refused"}}, "not to the verdict"),
    ("certificate", {"status": "revoked"}, "C1 is revoked"),
    ("certificate", {"until_ms": 1}, "was over"),
    ("certificate", {"suspended": [0, 2**52, "regulator"]}, "is suspended"),
]


@pytest.mark.parametrize(("what", "changes", "words"), FORGED)
def test_what_does_not_follow_is_refused_whatever_was_certified(
    what: str, changes: Document, words: str, monkeypatch: pytest.MonkeyPatch, scene: Panelled, document: Document
) -> None:
    keys = {"project": project_key("clearing"), "round": round_key("clearing", 1), "certificate": certificate_key("C1")}
    honest = certified.value_of

    def forged(value: CertifiedValue, key: str) -> Any:
        held = honest(value, key)
        return {**held, **changes} if key == keys[what] else held

    monkeypatch.setattr(certified, "value_of", forged)
    assert words in bad(scene, document)


def test_no_document_holds_after_a_revocation_and_an_earlier_one_is_too_old() -> None:
    scene = Panelled().admitted().reviewed()
    scene.decided("certified")
    before = certificate_document(scene)
    scene.decide("revoke_certificate", certificate="C1", reason="It was staged")
    found = verify(scene, before)
    assert found.ok
    assert found.as_of(scene.chain.executor.height).verdict is Verdict.UNKNOWN
    assert "C1 is revoked" in bad(scene, certificate_document(scene))


@pytest.mark.parametrize("decides", [True, False])
def test_after_an_appeal_the_last_verdict_counts(decides: bool) -> None:
    scene = Panelled().admitted().reviewed()
    scene.decided("conditional")
    scene.ok(APPLICANT, "appeal", project="clearing", reason="It was repeated")
    if decides:
        scene.reviewed(turn=1)
    found = verify(scene, certificate_document(scene, "C2" if decides else "C1"))
    assert found.ok, found.reason
    assert found.facts["status"] == ("certified" if decides else "conditional")
