"""Seeds and reviews as a member makes and keeps them: what opens a commitment is in the file, and nothing else is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from coseal.client import panels
from coseal.errors import BadAnswer, CosealError
from coseal.ledger import codec
from tests.support.panelled import APPLICANT, DAY_MS, WHOLE, Panelled, review


class Read:
    """What a client reads of a chain."""

    def __init__(self, scene: Panelled) -> None:
        self.scene = scene

    def value(self, key: str) -> Any:
        return self.scene.chain.get(key)

    def values(self, keys: list[str]) -> list[Any]:
        return [type("Found", (), {"value": codec.encode(self.value(key))})() for key in keys]


@pytest.fixture
def scene() -> Panelled:
    return Panelled().admitted()


def seed(scene: Panelled, member: str, folder: Path) -> Any:
    return panels.next_seed(Read(scene), "clearing", member, folder / f"seed-{member}")  # type: ignore[arg-type]


def judged(scene: Panelled, name: str, written: Path | None, file: Path) -> Any:
    return panels.next_review(Read(scene), "clearing", name, written, file)  # type: ignore[arg-type]


def test_the_same_call_commits_to_a_seed_and_shows_it_and_the_file_is_of_its_owner(
    scene: Panelled, tmp_path: Path
) -> None:
    members = (APPLICANT, "regulator", "institute-a")
    for member in members:
        action, args = seed(scene, member, tmp_path)
        assert action == "commit_seed"
        scene.ok(member, action, **args)
        assert (tmp_path / f"seed-{member}").stat().st_mode & 0o777 == 0o600
    (tmp_path / "seed-regulator").rename(tmp_path / "kept")
    (tmp_path / f"seed-{APPLICANT}").rename(tmp_path / "seed-regulator")
    with pytest.raises(BadAnswer, match="member regulator"):
        seed(scene, "regulator", tmp_path)
    (tmp_path / "seed-regulator").rename(tmp_path / f"seed-{APPLICANT}")
    (tmp_path / "kept").rename(tmp_path / "seed-regulator")
    for member in members:
        action, args = seed(scene, member, tmp_path)
        assert action == "reveal_seed"
        scene.ok(member, action, **args)
    with pytest.raises(CosealError, match="no seeds are given now"):
        seed(scene, "regulator", tmp_path)


def test_a_form_has_every_leaf_and_criterion_and_is_no_review_before_it_is_filled_in(
    scene: Panelled, tmp_path: Path
) -> None:
    form = panels.review_form(Read(scene), "clearing")  # type: ignore[arg-type]
    assert {name: form[name].keys() for name in form} == {
        "leaves": review(WHOLE)["leaves"].keys(),
        "scores": review(WHOLE)["scores"].keys(),
    }
    scene.drawn().seated()
    name, file = scene.panel[0], tmp_path / "review.json"
    file.write_text(json.dumps(form), encoding="utf-8")
    with pytest.raises(BadAnswer, match="opinion"):
        judged(scene, name, file, tmp_path / "kept")
    with pytest.raises(CosealError, match="--review"):
        judged(scene, name, None, tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


def test_the_same_call_commits_to_a_review_and_reveals_it_whatever_the_written_one_says_by_then(
    scene: Panelled, tmp_path: Path
) -> None:
    scene.drawn().seated()
    name, written, kept = scene.panel[0], tmp_path / "review.json", tmp_path / "kept"
    written.write_text(json.dumps(review()), encoding="utf-8")
    action, args = judged(scene, name, written, kept)
    assert scene.by(name, action, **args).ok
    written.write_text(json.dumps(review(score=4)), encoding="utf-8")
    scene.commit(but=[name])
    action, args = judged(scene, name, written, kept)
    assert (action, args["review"]) == ("reveal", review())
    assert scene.by(name, action, **args).ok
    scene.wait(6 * DAY_MS)
    with pytest.raises(CosealError, match="nothing is reviewed now"):
        judged(scene, name, written, kept)


def test_what_opens_a_commitment_is_never_written_over(scene: Panelled, tmp_path: Path) -> None:
    first = seed(scene, "regulator", tmp_path)
    assert seed(scene, "regulator", tmp_path) == first  # an answer that was lost: the same is sent again
    kept = (tmp_path / "seed-regulator").read_bytes()
    scene.ok("regulator", "commit_seed", **first[1])
    (tmp_path / "seed-regulator").rename(tmp_path / "seed-institute-a")
    with pytest.raises(BadAnswer, match="member institute-a"):
        seed(scene, "institute-a", tmp_path)
    assert (tmp_path / "seed-institute-a").read_bytes() == kept


def test_a_review_is_committed_to_once_and_its_salt_is_not_lost_by_calling_again(
    scene: Panelled, tmp_path: Path
) -> None:
    scene.drawn().seated()
    name, written, kept = scene.panel[0], tmp_path / "review.json", tmp_path / "kept"
    written.write_text(json.dumps(review()), encoding="utf-8")
    action, args = judged(scene, name, written, kept)
    assert judged(scene, name, written, kept) == (action, args)
    before = kept.read_bytes()
    written.write_text(json.dumps(review(score=4)), encoding="utf-8")
    with pytest.raises(CosealError, match="keeps another review"):
        judged(scene, name, written, kept)
    assert scene.by(name, action, **args).ok
    for file in (kept, tmp_path / "another"):
        with pytest.raises(CosealError, match="has committed"):
            judged(scene, name, written, file)
    assert kept.read_bytes() == before
    assert not (tmp_path / "another").exists()


def test_of_a_project_that_there_is_not_nothing_is_said(scene: Panelled) -> None:
    with pytest.raises(BadAnswer, match="no project other"):
        panels.project_of(Read(scene), "other")  # type: ignore[arg-type]
