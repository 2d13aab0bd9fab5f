"""What the client puts in beside a correction, asked of a chain in memory."""

from __future__ import annotations

from typing import Any

import pytest

from coseal.client.corrections import with_hashes, with_history
from coseal.contracts.process.chain import objects_of
from coseal.errors import BadAnswer, Refused
from tests.contracts.conftest import Court
from tests.support.chain import Chain

SOURCE = "bank-a/log"


class Asked:
    """A session that answers from a court, whose node may leave the first item of an object out."""

    def __init__(self, court: Court) -> None:
        self.court, self.lies = court, False

    def value(self, key: str) -> Any:
        yield from ()
        return self.court.chain.get(key)

    def get(self, path: str, **params: Any) -> Any:
        yield from ()
        if "/items/" in path:
            return {"item": {"item": self.court.item(int(path.rpartition("/")[2]))}}
        name = (params["type"], path.split("/")[3])
        items = [entry for entry in self.court.recorded if name in objects_of(entry[4])]
        rows = [dict(zip(("source", "sequence", "height", "time_ms", "item"), entry, strict=True)) for entry in items]
        return {"items": rows[self.lies :], "next": None}


def answer(exchange: Any) -> Any:
    with pytest.raises(StopIteration) as ended:
        next(exchange)
    return ended.value.value


@pytest.fixture
def asked() -> Asked:
    court = Court(Chain(), late_ms=86_400_000)
    court.adopt(court.rule("R-1", template="precedence", a="check", b="decide"))
    court.record(court.event("check"), court.event("decide"))
    return Asked(court)


def args(asked: Asked, **fields: Any) -> dict[str, Any]:
    item = {**asked.court.event("pay"), "corrects": 1, **fields}
    return {"source": "log", "sequence": 3, "items": [item]}


def test_what_names_an_item_by_number_is_recorded_and_judged_again(asked: Asked) -> None:
    given = answer(with_history(asked, SOURCE, args(asked)))
    assert given["items"][0]["corrects"] == asked.court.corrects(1)
    assert (given["corrected"], given["history"]["objects"]) == ([asked.court.item(1)], [["case", "c1", [0, 1]]])
    more = {name: given[name] for name in ("corrected", "history")}
    receipt = asked.court.record(*given["items"], **more)
    assert [(entry["rule"], entry["verdict"]) for entry in receipt.data["findings"]] == [("R-1", "violated")]


def test_nothing_is_asked_for_a_batch_without_corrections(asked: Asked) -> None:
    given = {"source": "log", "sequence": 3, "items": [asked.court.event("pay")]}
    assert answer(with_history(asked, SOURCE, given)) == given


def test_another_hash_is_refused_before_anything_is_signed(asked: Asked) -> None:
    with pytest.raises(Refused, match="another hash"):
        next(with_history(asked, SOURCE, args(asked, corrects=[1, "00" * 32])))


def test_a_node_that_leaves_an_item_out_is_found(asked: Asked) -> None:
    asked.lies = True
    with pytest.raises(BadAnswer, match="not those of its certified state"):
        next(with_history(asked, SOURCE, args(asked)))


def test_a_number_may_name_an_item_of_the_same_run(asked: Asked) -> None:
    items = [asked.court.event("apply"), {**asked.court.event("pay"), "corrects": 3}]
    named = answer(with_hashes(asked, SOURCE, items, 3))
    asked.court.record(items[0])
    assert named[1]["corrects"] == asked.court.corrects(3)
