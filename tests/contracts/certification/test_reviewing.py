"""Reviews of a panel, the verdict that follows, the decision and the appeal."""

from __future__ import annotations

from typing import Any

import pytest

from coseal.contracts.certification.proceedings import MAX_ROUNDS
from coseal.contracts.certification.reviewers import BARRED_MS
from coseal.contracts.certification.state import review_key, reviewer_key
from tests.support.certification import clearing
from tests.support.panelled import APPLICANT, DAY_MS, SALT, WHOLE, Panelled, review

PROJECT = {"project": "clearing"}
DECIDE = {**PROJECT, "reason": "The panel said so"}
APPEAL = {**PROJECT, "reason": "It was repeated"}


@pytest.fixture
def scene() -> Panelled:
    return Panelled()


def refuting(*reviewers: str) -> Any:
    """Return what reviewers say: the first named refute the exercise on defaults."""
    return lambda name: review(Default_Test="refuted") if name in reviewers else review()


# Committing and revealing


def test_a_review_is_shown_after_all_have_committed_and_only_as_it_was_committed_to(scene: Panelled) -> None:
    scene.admitted().drawn().seated()
    first, *rest = scene.panel
    assert scene.by(first, "commit", commitment=scene.commitment(first, review())).ok
    assert scene.by(first, "commit", commitment="00" * 32).code == "already_committed"
    assert scene.by(first, "reveal", review=review(), salt=SALT).code == "too_early"
    assert scene.by("bank-a/admin", "commit", commitment="00" * 32).code == "not_drawn"
    scene.commit(but=[first])
    assert scene.record["status"] == "reveal"
    assert scene.by(first, "commit", commitment="00" * 32).code == "too_late"
    assert scene.by(first, "reveal", review=review(score=4), salt=SALT).code == "commitment_differs"
    assert scene.by(first, "reveal", review=review(), salt="00" * 32).code == "commitment_differs"
    assert scene.by("bank-a/admin", "reveal", review=review(), salt=SALT).code == "not_drawn"
    assert scene.by(first, "reveal", review=review(), salt=SALT).ok
    assert scene.by(first, "reveal", review=review(), salt=SALT).code == "already_committed"
    scene.reveal(but=[first])
    assert scene.record["status"] == "reviewed"
    assert scene.by(rest[0], "reveal", review=review(), salt=SALT).code == "too_late"
    kept = scene.chain.get(review_key("clearing", 1, first))
    assert kept["opinions"] == ["accepted"] * len(kept["opinions"])
    assert kept["scores"] == dict.fromkeys(review()["scores"], 3)


def test_a_commitment_that_was_copied_opens_for_nobody_else(scene: Panelled) -> None:
    scene.admitted().drawn().seated()
    first, second, *_ = scene.panel
    copied = scene.commitment(first, review())
    assert scene.by(first, "commit", commitment=copied).ok
    assert scene.by(second, "commit", commitment=copied).ok
    scene.commit(but=[first, second])
    assert scene.by(first, "reveal", review=review(), salt=SALT).ok
    assert scene.by(second, "reveal", review=review(), salt=SALT).code == "commitment_differs"


@pytest.mark.parametrize("lacks", ["leaves", "scores"])
def test_a_review_judges_every_leaf_and_every_criterion(scene: Panelled, lacks: str) -> None:
    said = review()
    said = {**said, lacks: dict(list(said[lacks].items())[1:])}
    scene.admitted().drawn().seated().commit(lambda name: said)
    assert scene.by(scene.panel[0], "reveal", review=said, salt=SALT).code == "incomplete_review"


# The verdict


def test_a_refuted_leaf_refuses_the_project_and_is_named_with_the_claims_that_fall(scene: Panelled) -> None:
    scene.admitted().drawn().seated()
    judge = refuting(*scene.panel[:3])
    scene.commit(judge).reveal(judge)
    assert scene.round["verdict"]["outcome"] == "refused"
    said = scene.chain.blocks[-1].receipts[-1]
    assert b"Default-Test" in said
    assert b"Credit-System" in said
    assert scene.code("regulator", "decide", **DECIDE, outcome="certified") == "better_than_computed"
    assert scene.code("regulator", "decide", **DECIDE, outcome="conditional") == "better_than_computed"
    scene.decided("refused")
    assert scene.record["status"] == "refused"


def test_what_more_than_half_accept_stands_whatever_the_others_say(scene: Panelled) -> None:
    scene.admitted().drawn().seated()
    judge = refuting(*scene.panel[:2])
    scene.commit(judge).reveal(judge)
    assert scene.round["verdict"]["outcome"] == "certified"


def test_an_argument_with_an_open_claim_is_certified_on_conditions_at_most(scene: Panelled) -> None:
    nodes = clearing()
    judge = lambda name: review(nodes)  # noqa: E731
    scene.admitted(nodes).reviewed(judge)
    assert scene.round["verdict"]["outcome"] == "conditional"
    assert scene.round["verdict"]["criteria"]["value"] == ["open", 15]
    assert scene.code("regulator", "decide", **DECIDE, outcome="certified") == "better_than_computed"
    scene.ok("regulator", "decide", **DECIDE, outcome="conditional", conditions=["Show that shippers pay no more"])


def test_greatest_scores_do_not_help_an_argument_that_falls(scene: Panelled) -> None:
    judge = lambda name: review(score=4, Fees="unavailable")  # noqa: E731
    scene.admitted().reviewed(judge)
    assert scene.round["verdict"]["outcome"] == "refused"


# What is late


def test_a_reviewer_that_commits_to_nothing_loses_its_say_and_the_others_decide(scene: Panelled) -> None:
    scene.admitted().drawn().seated()
    silent = next(name for name in scene.panel if name.startswith(("bank", "enterprise", "central")))
    scene.commit(but=[silent])
    (over,) = scene.wait(30 * DAY_MS + 1)["steps"]
    assert (over["late"], over["status"]) == ([[1, "review", silent]], "reveal")
    scene.reveal()
    assert scene.round["verdict"]["reviews"] == 4
    assert scene.chain.get(reviewer_key(silent))["barred_ms"] == 0


def test_who_keeps_a_review_back_to_break_the_mix_loses_its_office_and_another_panel_is_drawn(
    scene: Panelled,
) -> None:
    scene.admitted().drawn().seated().commit()
    humanities = [f"{member}/{user}" for member, user, _, human in scene.round["panel"] if human]
    scene.reveal(but=humanities)
    (over,) = scene.wait(5 * DAY_MS + 1)["steps"]
    assert sorted(over["late"]) == sorted([1, "reveal", name] for name in humanities)
    assert (over["status"], over["round"]) == ("admitted", 2)
    for name in humanities:
        assert scene.chain.get(reviewer_key(name))["barred_ms"] == scene.chain.executor.time_ms + BARRED_MS
    member, user = humanities[0].split("/")
    again = {"user": user, "fields": ["6"], "statement_sha256": "ee" * 32, "until_ms": scene.chain.now_ms + DAY_MS}
    scene.ok(member, "register_reviewer", **again)
    assert scene.chain.get(reviewer_key(humanities[0]))["barred_ms"] > scene.chain.now_ms
    scene.drawn(turn=1)
    assert not set(humanities) & set(scene.panel)


def test_three_panels_that_cannot_decide_end_without_a_verdict(scene: Panelled) -> None:
    scene.admitted()
    for number in range(1, MAX_ROUNDS + 1):
        assert scene.record["round"] == number
        scene.drawn(turn=number).seated()
        silent = [name for name in scene.panel if name.startswith(("regulator", "city"))][:1]
        both = [f"{member}/{user}" for member, user, sector, _ in scene.round["panel"] if sector == "government"]
        scene.commit(but=both or silent)
        scene.wait(30 * DAY_MS + 1)
        if scene.record["status"] == "inconclusive":
            break
    assert scene.record["status"] == "inconclusive"
    assert scene.code(APPLICANT, "appeal", **APPEAL) == "wrong_step"


def test_a_body_that_is_silent_decides_nothing_but_what_was_computed(scene: Panelled) -> None:
    scene.admitted().reviewed()
    assert scene.code("institute-a", "decide", **DECIDE, outcome="refused") == "not_body"
    (over,) = scene.wait(15 * DAY_MS + 1)["steps"]
    assert (over["late"], over["status"]) == ([[1, "reviewed", "regulator"]], "certified")
    assert scene.code("regulator", "decide", **DECIDE, outcome="refused") == "wrong_step"
    assert scene.code(APPLICANT, "appeal", **APPEAL) == "wrong_step"


# Appeals


def test_a_decision_worse_than_the_verdict_is_appealed_once_to_a_second_panel_that_decides_by_itself(
    scene: Panelled,
) -> None:
    scene.admitted().reviewed()
    first = scene.panel
    scene.decided("refused")
    assert scene.code("bank-a", "appeal", **APPEAL) == "not_applicant"
    scene.ok(APPLICANT, "appeal", **APPEAL, evidence=["00" * 32])
    assert scene.record["status"] == "admitted"
    scene.drawn(turn=1)
    assert not set(first) & set(scene.panel)
    scene.seated().commit().reveal()
    assert scene.record["status"] == "certified"


def test_an_appeal_that_fails_is_the_last_and_one_that_is_late_is_none(scene: Panelled) -> None:
    judge = lambda name: review(Default_Test="insufficient")  # noqa: E731
    scene.admitted().reviewed(judge)
    scene.decided("refused")
    scene.ok(APPLICANT, "appeal", **APPEAL)
    scene.reviewed(judge, turn=1)
    assert scene.record["status"] == "refused"
    assert scene.code(APPLICANT, "appeal", **APPEAL) == "already_appealed"


def test_an_appeal_is_late_after_its_term(scene: Panelled) -> None:
    scene.admitted().reviewed()
    scene.decided("refused")
    scene.wait(15 * DAY_MS + 1)
    assert scene.code(APPLICANT, "appeal", **APPEAL) == "too_late"


def test_an_appeal_whose_panels_cannot_decide_leaves_the_first_outcome(scene: Panelled) -> None:
    scene.admitted().reviewed()
    scene.decided("refused")
    scene.ok(APPLICANT, "appeal", **APPEAL)
    for turn in range(1, 50):
        if scene.record["status"] == "admitted":
            scene.drawn(turn=turn)
        if scene.record["status"] != "drawn":
            break
        scene.wait(7 * DAY_MS + 1)
    assert scene.record["status"] == "refused"


def test_without_a_second_panel_the_first_outcome_stands_and_says_so() -> None:
    few = ("regulator/admin", "city/admin", "bank-b/admin", "bank-c/admin", "institute-a/admin", "public-a/admin")
    scene = Panelled(reviewers={name: ["6"] for name in few})
    scene.admitted().reviewed()
    scene.decided("refused")
    receipt = scene.submit(APPLICANT, "appeal", **APPEAL)
    assert receipt.code == "no_panel"
    assert "stays refused" in receipt.detail
    assert scene.record["status"] == "refused"


def test_the_order_in_which_reviews_are_revealed_changes_nothing(scene: Panelled) -> None:
    verdicts = []
    for order in (1, -1):
        other = Panelled()
        other.admitted().drawn().seated()
        judge = refuting(*sorted(other.panel)[:2])
        other.commit(judge)
        for name in sorted(other.panel)[::order]:
            assert other.by(name, "reveal", review=judge(name), salt=SALT).ok
        verdicts.append(other.round["verdict"])
    assert verdicts[0] == verdicts[1]
    assert len(WHOLE) == len(clearing())
