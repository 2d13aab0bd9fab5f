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
