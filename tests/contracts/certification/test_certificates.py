"""Certificates: issued with an outcome, replaced by an appeal, over by their time, revoked by ballot."""

from __future__ import annotations

from typing import Any

import pytest

from coseal.contracts.certification.references import is_known
from coseal.contracts.certification.state import certificate_key
from tests.support.panelled import APPLICANT, DAY_MS, SMALL, Panelled, review

APPEAL = {"project": "clearing", "reason": "It was repeated"}


@pytest.fixture
def scene() -> Panelled:
    return Panelled().admitted().reviewed()


def certificate(scene: Panelled, name: str = "C1") -> Any:
    return scene.chain.get(certificate_key(name))


def test_an_outcome_issues_a_certificate_for_the_time_of_the_scheme_and_it_expires_with_its_project(
    scene: Panelled,
) -> None:
    (issued,) = scene.decided("certified")["certificates"]
    assert (issued["certificate"], issued["status"], issued["project"]) == ("C1", "certified", "clearing")
    assert issued["until_ms"] == scene.chain.executor.time_ms + SMALL["validity_ms"]
    assert scene.record["certificate"] == "C1"
    assert is_known(scene.chain.executor, ["certificate", "C1"])
    assert not is_known(scene.chain.executor, ["certificate", "C2"])
    (over,) = scene.wait(SMALL["validity_ms"])["certificates"]
    assert (over["certificate"], over["status"]) == ("C1", "expired")
    assert (certificate(scene)["status"], scene.record["status"]) == ("expired", "expired")


def test_a_refused_project_has_no_certificate(scene: Panelled) -> None:
    assert "certificates" not in scene.decided("refused")
    assert scene.chain.get("certification/certificates") is None


def test_an_appeal_replaces_a_conditional_certificate_by_what_the_second_panel_finds(scene: Panelled) -> None:
    scene.decided("conditional")
    scene.ok(APPLICANT, "appeal", **APPEAL)
    assert certificate(scene)["status"] == "conditional"
    scene.reviewed(turn=1)
    assert (certificate(scene)["status"], certificate(scene, "C2")["status"]) == ("replaced", "certified")
    assert scene.wait(SMALL["validity_ms"])["certificates"][0]["certificate"] == "C2"


def test_an_appeal_that_fails_ends_a_conditional_certificate(scene: Panelled) -> None:
    scene.decided("conditional")
    scene.ok(APPLICANT, "appeal", **APPEAL)
    scene.reviewed(lambda name: review(Default_Test="refuted"), turn=1)
    assert (certificate(scene)["status"], scene.record["status"]) == ("replaced", "refused")
    assert certificate(scene, "C2") is None


@pytest.mark.parametrize(("waits_ms", "status"), [(0, "conditional"), (SMALL["validity_ms"], "expired")])
def test_an_appeal_that_nobody_can_decide_leaves_the_certificate_as_it_is(
    scene: Panelled, waits_ms: int, status: str
) -> None:
    scene.decided("conditional")
    scene.ok(APPLICANT, "appeal", **APPEAL)
    scene.chain.extend([], later_ms=max(waits_ms, 1))
    for turn in range(1, 40):
        while scene.record["status"] == "admitted" and scene.round.get("rests"):
            scene.wait(91 * DAY_MS)
        if scene.record["status"] == "admitted":
            scene.drawn(turn=turn)
        if scene.record["status"] != "drawn":
            break
        scene.wait(7 * DAY_MS + 1)
    assert (certificate(scene)["status"], scene.record["status"]) == (status, status)


def test_a_ballot_revokes_what_is_in_force_and_the_next_block_says_so(scene: Panelled) -> None:
    scene.decided("certified")
    scene.decide("revoke_certificate", certificate="C1", reason="It was staged")
    (revoked,) = scene.wait(1)["certificates"]
    assert (revoked["status"], revoked["reason"]) == ("revoked", "It was staged")
    assert scene.record["status"] == "revoked"
    assert scene.propose("revoke_certificate", certificate="C1", reason="r").code == "not_in_force"
    assert scene.propose("revoke_certificate", certificate="C9", reason="r").code == "unknown_certificate"
    assert "certificates" not in scene.wait(SMALL["validity_ms"])


def test_what_is_revoked_during_an_appeal_is_not_judged_any_more(scene: Panelled) -> None:
    scene.decided("conditional")
    scene.ok(APPLICANT, "appeal", **APPEAL)
    scene.decide("revoke_certificate", certificate="C1", reason="It was staged")
    assert scene.code(APPLICANT, "commit_seed", project="clearing", commitment="00" * 32) == "wrong_step"
    assert "steps" not in scene.wait(4 * DAY_MS)
    assert scene.record["status"] == "revoked"
