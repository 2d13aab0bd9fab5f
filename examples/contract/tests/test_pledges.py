"""The rules of README.md, on a chain in memory."""

from typing import Any

from coseal.kit import Trial
from pledges_1 import CONTRACT

DAY_MS = 86_400_000


def pledge(chain: Trial, **args: Any) -> Any:
    given = {"receipt": "WR-7", "bank": "bank-a", "amount": 50_000, "until_ms": chain.time_ms + DAY_MS}
    return chain.submit("enterprise-a", "pledges.pledge", **{**given, **args})


def test_nothing_is_pledged_twice() -> None:
    chain = Trial(CONTRACT)
    assert pledge(chain).ok
    assert pledge(chain, bank="bank-b").code == "pledged_already"
    assert pledge(chain, receipt="WR-8").ok


def test_the_bank_alone_releases() -> None:
    chain = Trial(CONTRACT)
    pledge(chain)
    assert chain.submit("bank-b", "pledges.release", receipt="WR-7").code == "not_pledged"
    assert chain.submit("bank-a", "pledges.release", receipt="WR-7").ok
    assert pledge(chain, bank="bank-b").ok


def test_a_pledge_ends_when_its_time_is_over() -> None:
    chain = Trial(CONTRACT)
    assert pledge(chain, until_ms=0).code == "bad_time"
    pledge(chain)
    assert chain.wait(2 * DAY_MS)["pledges"] == {"ended": ["WR-7"]}
    assert chain.get("pledges/receipt/WR-7") is None


def test_the_time_of_a_released_pledge_does_not_end_the_next_one() -> None:
    chain = Trial(CONTRACT)
    pledge(chain)
    chain.submit("bank-a", "pledges.release", receipt="WR-7")
    pledge(chain, until_ms=chain.time_ms + 9 * DAY_MS)
    assert "pledges" not in chain.wait(2 * DAY_MS)
    assert chain.get("pledges/receipt/WR-7") is not None


def test_receipts_are_listed_with_what_became_of_them() -> None:
    chain = Trial(CONTRACT)
    for receipt, bank in (("WR-7", "bank-a"), ("WR-8", "bank-b"), ("WR-9", "bank-b")):
        pledge(chain, receipt=receipt, bank=bank, until_ms=chain.time_ms + (2 if receipt == "WR-9" else 9) * DAY_MS)
    chain.submit("bank-b", "pledges.release", receipt="WR-8")
    chain.wait(3 * DAY_MS)
    listed = chain.shown.entries("pledges.receipts", bank="bank-b")
    assert [(entry["receipt"], entry["status"]) for entry in listed] == [("WR-8", "released"), ("WR-9", "ended")]
    assert chain.shown.rows("pledges__receipts")[0]["debtor"] == "enterprise-a"
    assert chain.shown.events == [("pledges.ended", {"id": "WR-9"})]
    assert chain.shown.faults == []
