"""Transactions that wait apart, and whom a node asks for what they lack."""

from __future__ import annotations

from coseal.contracts.kernel.sidecars import Named
from coseal.ledger.transaction import Transaction
from coseal.node.core import apart, sidecar_requests
from coseal.node.core.apart import Apart
from coseal.node.core.sidecar_requests import AT_ONCE, SidecarRequests
from tests.support.genesis import genesis
from tests.support.transactions import signed

MEBIBYTE = 1024 * 1024


def named(number: int, size: int = 100) -> Named:
    return Named(number.to_bytes(32, "big"), size)


def made(number: int, member: str = "bank-a") -> Transaction:
    return signed(genesis(), number, member=member)


def nothing(sidecar: Named) -> bool:
    return False


def everything(sidecar: Named) -> bool:
    return True


# --- waiting ---


def test_what_came_later_of_a_sender_waits_behind_and_leaves_in_order() -> None:
    waiting = Apart()
    first, second, third = made(1), made(2), made(3)
    assert waiting.add(first, named(1), "bank-a", 0) is None
    assert waiting.holds_up(first.sender)
    assert not waiting.holds_up("regulator/admin")
    waiting.add(second, None, "bank-a", 0)
    waiting.add(third, named(3), "bank-a", 0)
    assert waiting.take_ready(lambda sidecar: sidecar == named(3)) == []
    assert waiting.take_ready(lambda sidecar: sidecar == named(1)) == [first, second]
    assert waiting.take_ready(everything) == [third]
    assert len(waiting) == 0


def test_one_sender_does_not_hold_up_another() -> None:
    waiting = Apart()
    waiting.add(made(1), named(1), "bank-a", 0)
    other = made(2, "regulator")
    waiting.add(other, named(2), "regulator", 0)
    assert waiting.take_ready(lambda sidecar: sidecar == named(2)) == [other]


def test_it_waits_half_a_minute_and_holds_up_nobody_the_second_time() -> None:
    waiting = Apart()
    first, second = made(1), made(2)
    waiting.add(first, named(1), "bank-a", 0)
    waiting.add(second, None, "bank-a", 0)
    assert waiting.take_late(nothing, apart.PATIENCE_MS - 1) == []
    assert [late.transaction for late in waiting.take_late(nothing, apart.PATIENCE_MS)] == [first]
    assert waiting.take_ready(nothing) == [second]
    waiting.add(first, named(1), "bank-a", apart.PATIENCE_MS)
    assert not waiting.holds_up(first.sender)
    waiting.add(second, None, "bank-a", apart.PATIENCE_MS)
    assert waiting.take_ready(nothing) == [second]


def test_what_has_its_sidecar_is_not_late() -> None:
    waiting = Apart()
    waiting.add(made(1), named(1), "bank-a", 0)
    assert waiting.take_late(everything, apart.PATIENCE_MS) == []


def test_the_bounds_go_by_what_is_claimed_and_each_member_has_half() -> None:
    waiting = Apart()
    for number in range(31):
        assert waiting.add(made(number), named(number, MEBIBYTE), "bank-a", 0) is None
    refused = waiting.add(made(40), named(40, MEBIBYTE), "bank-a", 0)
    assert refused is not None
    assert refused.code == "member_share_full"
    for number in range(31):
        assert waiting.add(made(number, "regulator"), named(100 + number, MEBIBYTE), "regulator", 0) is None
    assert waiting.add(made(50, "central-bank"), named(50, MEBIBYTE), "central-bank", 0) is None
    refused = waiting.add(made(51, "central-bank"), named(51, MEBIBYTE), "central-bank", 0)
    assert refused is not None
    assert refused.code == "mempool_full"


def test_what_a_block_holds_waits_no_more() -> None:
    waiting = Apart()
    first = made(1)
    waiting.add(first, named(1), "bank-a", 0)
    waiting.remove(first)
    waiting.remove(made(2))
    assert len(waiting) == 0
    assert waiting.find(first) is None


# --- asking ---


def test_an_urgent_one_is_asked_of_the_next_after_300_ms_two_at_a_time() -> None:
    requests = SidecarRequests()
    requests.want(named(1), ("a", "b", "c"), urgent=True)
    everyone = ("c", "b", "a")
    assert requests.is_urgent
    assert requests.due(everyone, 0) == {"a": [named(1).name]}
    assert requests.due(everyone, 299) == {}
    assert requests.due(everyone, 300) == {"b": [named(1).name]}
    assert requests.due(everyone, 600) == {}
    assert requests.answered("a", named(1).name) == named(1)
    assert requests.due(everyone, 601) == {"c": [named(1).name]}


def test_who_refuses_is_passed_over_at_once_and_asked_again_later() -> None:
    requests = SidecarRequests()
    requests.want(named(1), ("a", "b"))
    assert requests.due(("a", "b"), 0) == {"a": [named(1).name]}
    requests.answered("a", named(1).name)
    assert not requests.refused_by(named(1).name, ("a", "b"))
    assert requests.due(("a", "b"), 1) == {"b": [named(1).name]}
    requests.answered("b", named(1).name)
    assert requests.refused_by(named(1).name, ("a", "b"))
    assert not requests.refused_by(named(1).name, ())
    assert requests.due(("a", "b"), 2) == {}
    again_ms = 1 + sidecar_requests.AGAIN_MS
    requests.due(("a", "b"), again_ms)
    assert requests.due(("a", "b"), again_ms + 1) == {"a": [named(1).name]}


def test_an_answer_counts_once_and_only_from_who_was_asked() -> None:
    requests = SidecarRequests()
    requests.want(named(1), ("a", "b"))
    requests.due(("a", "b"), 0)
    assert requests.answered("b", named(1).name) is None
    assert requests.answered("a", named(2).name) is None
    assert requests.answered("a", named(1).name) == named(1)
    assert requests.answered("a", named(1).name) is None


def test_eight_at_a_time_and_16_mebibytes_a_second() -> None:
    requests = SidecarRequests()
    for number in range(40):
        requests.want(named(number, MEBIBYTE), ("a",))
    asked = 0
    for now_ms in (0, 1, 2, 3):
        names = requests.due(("a",), now_ms).get("a", [])
        assert len(names) <= AT_ONCE
        asked += len(names)
        for name in names:
            requests.answered("a", name)
            requests.forget(name)
    assert asked == 16
    assert len(requests.due(("a",), 1_000)["a"]) == AT_ONCE


def test_a_peer_that_is_gone_is_not_waited_for() -> None:
    requests = SidecarRequests()
    requests.want(named(1), ("a", "b"))
    requests.due(("a", "b"), 0)
    requests.disconnected("a")
    assert requests.due(("b",), 1) == {"b": [named(1).name]}


def test_what_is_not_wanted_any_more_is_forgotten() -> None:
    requests = SidecarRequests()
    requests.want(named(1), ("a",))
    requests.want(named(2), ("a",))
    requests.keep_only(frozenset((named(2).name,)))
    assert named(1).name not in requests
    assert requests.due(("a",), 0) == {"a": [named(2).name]}
