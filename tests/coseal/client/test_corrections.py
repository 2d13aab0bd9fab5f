"""What the client puts in beside a correction, asked of a chain in memory."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from coseal.client.corrections import completed, needs_history, submitted, with_hashes, with_history
from coseal.contracts.process.chain import objects_of
from coseal.errors import BadAnswer, Refused
from tests.contracts.conftest import Court
from tests.support.chain import Chain

SOURCE = "bank-a/log"


class Asked:
    """A session that answers from a court, whose node may leave the first item of an object out.

    What it commits is kept; ``codes`` are those of the receipts that it gets.
    """

    member = "bank-a"

    def __init__(self, court: Court) -> None:
        self.court, self.lies = court, False
        self.signed: list[dict[str, Any]] = []
        self.codes = ["ok"]

    def sign(self, contract: str, action: str, given: dict[str, Any]) -> dict[str, Any]:
        self.signed.append(given)
        return given

    def commit(self, transaction: dict[str, Any], timeout_s: float) -> Any:
        yield from ()
        return SimpleNamespace(receipt=SimpleNamespace(code=self.codes.pop(0)))

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


def test_submitting_a_correction_gathers_what_it_shows(asked: Asked) -> None:
    answer(submitted(asked, "process", "record", args(asked), 1.0))
    (signed,) = asked.signed
    assert (signed["corrected"], signed["history"]["objects"]) == ([asked.court.item(1)], [["case", "c1", [0, 1]]])
    assert asked.court.record(*signed["items"], **{name: signed[name] for name in ("corrected", "history")}).ok


def test_what_was_recorded_meanwhile_is_gathered_again(asked: Asked) -> None:
    asked.codes = ["history_incomplete", "history_incomplete", "ok"]
    assert answer(submitted(asked, "process", "record", args(asked), 1.0)).receipt.code == "ok"
    assert len(asked.signed) == 3


def test_a_history_that_was_given_is_sent_as_it_is_and_once(asked: Asked) -> None:
    given = answer(with_history(asked, SOURCE, args(asked)))
    asked.codes = ["history_incomplete"]
    assert answer(submitted(asked, "process", "record", given, 1.0)).receipt.code == "history_incomplete"
    assert asked.signed == [given]


@pytest.mark.parametrize(("mode", "shown"), [("leave_out", [["case", "c1", [0]]]), ("count", None)])
def test_a_dispute_shows_the_event_and_the_history_where_it_matters(mode: str, shown: Any) -> None:
    court = Court(Chain())
    court.adopt(court.rule("R-1", template="absence", a="pay", disputed=mode))
    court.record(court.event("pay", counterparty="central-bank"))
    asked = Asked(court)
    dispute = {"item": court.corrects(1)[1], "verdict": "dispute", "reason": "It was less"}
    given = answer(completed(asked, "process", "attest", dispute))
    assert given["attested"] == court.item(1)
    assert given.get("history", {}).get("objects") == shown
    receipt = court.chain.submit("central-bank/admin", "process.attest", **given)
    assert (receipt.ok, len(receipt.data.get("superseded", []))) == (True, mode == "leave_out")
    confirm = {"item": dispute["item"], "verdict": "confirm"}
    settled = answer(completed(asked, "process", "attest", confirm))
    assert court.chain.submit("central-bank/admin", "process.attest", **settled).ok


def test_a_confirmation_without_a_dispute_shows_nothing(asked: Asked) -> None:
    asked.court.record(asked.court.event("pay", counterparty="central-bank"))
    confirm = {"item": asked.court.corrects(3)[1], "verdict": "confirm"}
    assert answer(completed(asked, "process", "attest", confirm)) == confirm


@pytest.mark.parametrize(
    ("action", "given"),
    [
        ("record", {"source": "log", "sequence": 3, "items": [1]}),
        ("record", {"source": "log", "items": []}),
        ("attest", {"item": "00", "verdict": "dispute"}),
        ("attest", {}),
        ("define_type", {}),
    ],
)
def test_wrong_arguments_are_left_to_the_chain(asked: Asked, action: str, given: dict[str, Any]) -> None:
    assert answer(completed(asked, "process", action, given)) == given
    assert not needs_history("process", action, given)


def test_what_a_node_has_to_be_asked_for_is_known_without_asking(asked: Asked) -> None:
    assert needs_history("process", "record", args(asked))
    assert needs_history("process", "attest", {"item": "00" * 32, "verdict": "dispute", "reason": "x"})
    assert not needs_history("process", "record", {"source": "log", "sequence": 3, "items": [asked.court.event("pay")]})
