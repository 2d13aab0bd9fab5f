"""The lies themselves: each alters what it says, all kinds are made, and a seed gives the same ones again."""

from __future__ import annotations

import base64
import json
from random import Random

import msgpack

from tests.liar.lies import KINDS, OPENED, Answer, Lie, at, every, parsed, place_text, places, put, sampled

RAW = msgpack.packb(["proof", 1, {"a": [1, 2, 3]}, b"\x00" * 40])
DOCUMENT = {
    "coseal": "thing",
    "height": 7,
    "ok": True,
    "none": None,
    "rows": [{"id": "a"}, {"id": "b"}, {"id": "c"}],
    "raw": base64.b64encode(RAW).decode(),
}
ANSWER = Answer(json.dumps(DOCUMENT).encode())
OLD = Answer(json.dumps({**DOCUMENT, "height": 3, "rows": []}).encode())
OTHER = Answer(json.dumps({**DOCUMENT, "rows": [{"id": "z"}]}).encode())


def lies(seed: int = 1, count: int = 600) -> list[Lie]:
    return list(sampled(ANSWER, Random(seed), count, old=[OLD], other=[OTHER]))


def test_every_place_is_found_also_inside_of_what_is_encoded() -> None:
    found = {place_text(path) for path in places(DOCUMENT)}
    assert {"", "rows[1].id", f"raw.{OPENED}[2].a[1]", "none"} <= found
    assert at(DOCUMENT, ("raw", OPENED, 0)) == "proof"


def test_a_change_inside_of_an_encoding_makes_another_encoding() -> None:
    changed = put(DOCUMENT, ("raw", OPENED, 2, "a", 1), 9)
    assert msgpack.unpackb(base64.b64decode(changed["raw"]))[2] == {"a": [1, 9, 3]}
    assert DOCUMENT["raw"] != changed["raw"]


def test_all_kinds_of_lies_are_made_and_none_says_the_truth() -> None:
    made = lies()
    assert {lie.kind for lie in made} == set(KINDS)
    assert len(made) == 600
    assert all((lie.content, lie.status) != (ANSWER.content, 200) for lie in made)


def test_a_forged_document_shows_nothing_but_what_its_raw_holds() -> None:
    forged = [json.loads(lie.content) for lie in lies() if lie.kind == "forge"]
    assert forged
    for document in forged:
        assert set(document) == {"coseal", "raw"}
        assert document["raw"] != DOCUMENT["raw"]


def test_the_same_seed_tells_the_same_lies() -> None:
    assert lies(5) == lies(5)
    assert lies(5) != lies(6)


def test_an_old_answer_comes_back_whole_and_in_parts() -> None:
    replays = [lie for lie in lies() if lie.kind == "replay"]
    assert any(lie.content == OLD.content for lie in replays)
    heights = [json.loads(lie.content)["height"] for lie in replays if lie.place == "height"]
    assert 3 in heights


def test_every_single_alteration_of_every_place_can_be_listed() -> None:
    made = list(every(ANSWER, Random(1), 2, old=[OLD], other=[OTHER]))
    assert {"delete", "null", "type", "value", "swap", "unknown", "replay", "substitute"} <= {lie.kind for lie in made}
    assert {lie.place for lie in made} >= {"height", "rows[2]", "coseal"}
    assert "rows[2].id" not in {lie.place for lie in made}


def test_msgpack_is_altered_as_msgpack() -> None:
    answer = Answer(msgpack.packb([RAW, RAW]))
    assert parsed(answer.content)[0] == "msgpack"
    made = list(sampled(answer, Random(2), 300))
    assert any(lie.place.startswith(f"[0].{OPENED}[2]") for lie in made)
