"""From a sealed project to a seated panel: who admits, who gives seeds, who is replaced, and by what clock."""

from __future__ import annotations

import pytest

from coseal.contracts.certification.panel import Reviewer, draw, joined, seed_commitment
from coseal.contracts.certification.proceedings import MAX_ROUNDS, REST_MS
from coseal.contracts.certification.reviewers import get_eligible
from tests.support.panelled import APPLICANT, DAY_MS, REVIEWERS, SMALL, Panelled, seed_of

PROJECT = {"project": "clearing"}


@pytest.fixture
def scene() -> Panelled:
    return Panelled()


# Reviewers


def test_a_member_offers_operators_of_its_own_for_three_years_at_most(scene: Panelled) -> None:
    now_ms = scene.chain.now_ms
    office = {"user": "admin", "fields": ["6"], "statement_sha256": "ee" * 32, "until_ms": now_ms + DAY_MS}
    assert scene.ok("bank-e", "register_reviewer", **office)["sector"] == "industry"
    assert scene.code("bank-e", "register_reviewer", **{**office, "user": "nobody"}) == "unknown_operator"
    for until_ms in (now_ms, now_ms + 4 * 366 * DAY_MS):
        assert scene.code("bank-e", "register_reviewer", **{**office, "until_ms": until_ms}) == "bad_time"
    assert scene.code("bank-e", "register_reviewer", **{**office, "fields": ["7"]}) == "invalid_argument"
    assert scene.chain.get("certification/reviewers") == len(REVIEWERS) + 1


def test_a_member_has_sixteen_reviewers_at_most(scene: Panelled) -> None:
    users = [f"u{number}" for number in range(16)]
    capabilities = ["submit"]
    scene.together(
        *(
            ("bank-e", "membership.add_operator", {"user": user, "key": f"{n:064x}", "capabilities": capabilities})
            for n, user in enumerate(users, 1)
        )
    )
    office = {"fields": ["5"], "statement_sha256": "ee" * 32, "until_ms": scene.chain.now_ms + DAY_MS}
    scene.together(*(("bank-e", "register_reviewer", {"user": user, **office}) for user in users))
    assert scene.code("bank-e", "register_reviewer", user="admin", **office) == "limit"
    assert scene.code("bank-e", "register_reviewer", user="u3", **office) == "ok"


# Admission


def test_the_first_body_admits_and_fixes_who_may_be_drawn_as_of_the_seal(scene: Panelled) -> None:
    scene.sealed()
    late = {"user": "admin", "fields": ["6"], "statement_sha256": "ee" * 32, "until_ms": scene.chain.now_ms + DAY_MS}
    scene.ok("bank-e", "register_reviewer", **late)
    assert scene.code("institute-a", "admit", **PROJECT) == "not_body"
    assert scene.code(APPLICANT, "admit", **PROJECT) == "own_case"
    assert scene.code("bank-a", "admit", **PROJECT) == "own_case"
    admitted = scene.ok("regulator", "admit", **PROJECT)
    assert (admitted["status"], admitted["eligible"]) == ("admitted", len(REVIEWERS) - 1)
    names = {each.name for each in get_eligible(scene.chain.executor, "clearing", admitted["eligible"])}
    assert names == set(REVIEWERS) - {"bank-a/admin"}
    assert scene.code("regulator", "admit", **PROJECT) == "wrong_step"


def test_a_body_that_is_late_is_noted_and_the_next_one_acts_after_the_last_any_of_them(scene: Panelled) -> None:
    scene.sealed()
    (over,) = scene.wait(15 * DAY_MS + 1)["steps"]
    assert (over["late"], over["status"]) == ([[0, "sealed", "regulator"]], "sealed")
    assert scene.code("regulator", "admit", **PROJECT) == "not_body"
    (over,) = scene.wait(15 * DAY_MS + 1)["steps"]
    assert (over["late"], over["due_ms"]) == ([[0, "sealed", "institute-a"]], 0)
    assert scene.wait(200 * DAY_MS) == {}
    assert scene.record["late"] == [["sealed", "regulator"], ["sealed", "institute-a"]]
    scene.ok("regulator", "admit", **PROJECT)


def test_a_body_that_is_a_party_never_acts_and_without_another_there_is_no_project(scene: Panelled) -> None:
    scene.sealed(parties=["regulator"])
    assert scene.code("regulator", "admit", **PROJECT) == "own_case"
    scene.ok("institute-a", "admit", **PROJECT)
    assert scene.round["seeders"] == [APPLICANT, "institute-a"]
    args = {"project": "all", "title": "T", "scheme": "rationality", "kind": "payment", "framework_sha256": "00" * 32}
    assert scene.code(APPLICANT, "apply", **args, parties=["regulator", "institute-a"]) == "own_case"


def test_without_the_humanities_nothing_is_admitted_and_it_is_said_what_is_missing() -> None:
    scene = Panelled(reviewers={name: ["2"] for name in REVIEWERS})
    scene.sealed()
    receipt = scene.submit("regulator", "admit", **PROJECT)
    assert receipt.code == "no_panel"
    assert "humanities 0 of 1" in receipt.detail


# Seeds


def test_the_panel_follows_from_the_seeds_of_applicant_and_all_bodies(scene: Panelled) -> None:
    scene.admitted().commit_seeds()
    scene.reveal_seeds()
    seed = joined([bytes.fromhex(seed_of(member)) for member in (APPLICANT, "regulator", "institute-a")])
    eligible = get_eligible(scene.chain.executor, "clearing", scene.record["eligible"])
    assert [Reviewer(*each) for each in scene.round["panel"]] == list(draw(seed, eligible, SMALL["panel"]) or ())
    assert (scene.record["status"], scene.round["seed"]) == ("drawn", seed.hex())


def test_a_seed_is_shown_only_when_all_have_committed_and_only_the_one_that_was_committed_to(scene: Panelled) -> None:
    scene.admitted().commit_seeds(APPLICANT, "regulator")
    seed = {"seed": seed_of(APPLICANT)}
    assert scene.code(APPLICANT, "reveal_seed", **PROJECT, **seed) == "too_early"
    assert scene.code(APPLICANT, "commit_seed", **PROJECT, commitment="00" * 32) == "already_committed"
    assert scene.code("city", "commit_seed", **PROJECT, commitment="00" * 32) == "not_body"
    scene.commit_seeds("institute-a")
    assert scene.code(APPLICANT, "reveal_seed", **PROJECT, seed=seed_of(APPLICANT, 1)) == "wrong_seed"
    scene.reveal_seeds(APPLICANT)
    assert scene.code(APPLICANT, "reveal_seed", **PROJECT, **seed) == "already_committed"
    assert scene.code(APPLICANT, "declare", **PROJECT, conflict=True) == "wrong_step"


def test_a_copied_commitment_is_opened_by_nobody_but_its_maker(scene: Panelled) -> None:
    scene.admitted()
    copied = seed_commitment("clearing", 1, "regulator", bytes.fromhex(seed_of("regulator")))
    scene.ok("institute-a", "commit_seed", **PROJECT, commitment=copied)
    scene.commit_seeds(APPLICANT, "regulator")
    scene.reveal_seeds("regulator")
    assert scene.code("institute-a", "reveal_seed", **PROJECT, seed=seed_of("regulator")) == "wrong_seed"


def test_a_body_that_keeps_its_seed_back_is_left_out_and_all_others_choose_again(scene: Panelled) -> None:
    scene.admitted().commit_seeds()
    scene.reveal_seeds(APPLICANT, "regulator")
    (over,) = scene.wait(3 * DAY_MS + 1)["steps"]
    assert over["late"] == [[1, "admitted", "institute-a"]]
    assert scene.round["seeds"] == {}
    assert scene.code(APPLICANT, "reveal_seed", **PROJECT, seed=seed_of(APPLICANT)) == "too_early"
    assert scene.code("institute-a", "commit_seed", **PROJECT, commitment="00" * 32) == "not_body"
    scene.drawn(turn=1)
    assert scene.round["seed"] == joined([bytes.fromhex(seed_of(m, 1)) for m in (APPLICANT, "regulator")]).hex()


def test_a_body_that_commits_to_nothing_is_left_out_and_the_others_show_theirs(scene: Panelled) -> None:
    scene.admitted().commit_seeds(APPLICANT, "institute-a")
    scene.wait(3 * DAY_MS + 1)
    assert scene.round["late"] == [["admitted", "regulator"]]
    scene.reveal_seeds()
    assert scene.record["status"] == "drawn"


@pytest.mark.parametrize("silent", [(APPLICANT,), ("regulator", "institute-a"), ()])
def test_an_applicant_that_saw_the_others_seeds_and_keeps_its_own_back_rests_and_gets_another_draw_of_all(
    scene: Panelled, silent: tuple[str, ...]
) -> None:
    members = (APPLICANT, "regulator", "institute-a")
    shown = [member for member in members if member not in silent] if silent else []
    scene.admitted().commit_seeds()
    if shown:
        scene.reveal_seeds(*shown)
    (over,) = scene.wait(3 * DAY_MS + 1)["steps"]
    assert [name for _, _, name in over["late"]] == list(silent or members)
    assert scene.code(APPLICANT, "commit_seed", **PROJECT, commitment="00" * 32) == "resting"
    assert scene.wait(REST_MS - DAY_MS) == {}
    scene.wait(2 * DAY_MS)
    assert scene.round["seeders"] == [APPLICANT, "regulator", "institute-a"]
    scene.drawn(turn=1)


# Conflicts


def test_who_has_a_conflict_is_replaced_by_the_next_in_the_draw_and_the_others_stay(scene: Panelled) -> None:
    scene.admitted().drawn()
    before = scene.panel
    assert scene.by(before[1], "declare", conflict=False).ok
    assert scene.by(before[1], "declare", conflict=False).code == "not_drawn"
    assert scene.by("bank-a/admin", "declare", conflict=True).code == "not_drawn"
    assert scene.by(before[0], "declare", conflict=True, statement_sha256="00" * 32).ok
    after = scene.panel
    assert set(before[1:]) < set(after)
    assert before[0] not in after
    assert len(after) == len(before)
    assert scene.by(before[0], "declare", conflict=False).code == "not_drawn"
    assert scene.round["declared"] == [before[1]]


def test_who_is_silent_is_replaced_until_nobody_is_left_and_a_panel_without_its_mix_is_never_seated(
    scene: Panelled,
) -> None:
    scene.admitted()
    for number in range(1, 100):
        if scene.record["status"] == "admitted":
            scene.drawn(turn=number)
        if scene.record["status"] != "drawn":
            break
        over, *_ = scene.wait(7 * DAY_MS + 1)["steps"]
        assert {step for _, step, _ in over["late"]} == {"drawn"}
    assert scene.record["status"] == "inconclusive"
    assert scene.record["round"] <= MAX_ROUNDS
    late = [name for _, name in scene.round["late"]]
    assert len(set(late)) == len(late) > SMALL["panel"]["size"]


def test_the_panel_begins_to_review_when_all_have_declared(scene: Panelled) -> None:
    scene.admitted().drawn().seated()
    assert scene.record["status"] == "review"
    assert scene.record["due_ms"] == scene.chain.executor.time_ms + 30 * DAY_MS
