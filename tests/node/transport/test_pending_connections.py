from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coseal.node.transport.pending_connections import PendingConnections


def test_an_address_has_its_share_and_gets_it_back() -> None:
    pending, ended = PendingConnections(10, 2), []
    places = [pending.enter("a", lambda: ended.append("a")) for _ in range(3)]
    assert places[2] is None
    assert pending.enter("b", lambda: ended.append("b")) is not None
    assert pending.enter("a", lambda: None, counted=False) is not None
    pending.leave(places[0])
    pending.leave(places[0])  # twice is once
    assert pending.enter("a", lambda: None) is None  # one that was not counted took a place of the address all the same
    assert ended == []


def test_when_all_places_are_taken_the_oldest_gives_way() -> None:
    pending, ended = PendingConnections(3, 3), []
    first = pending.enter("a", lambda: ended.append(1))
    for number in (2, 3, 4, 5):
        assert pending.enter(str(number), lambda number=number: ended.append(number)) is not None
    assert ended == [1, 2]
    assert len(pending) == 3
    pending.leave(first)  # it left by itself as well; nothing happens
    assert len(pending) == 3


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans())))
def test_the_bounds_hold_whatever_comes_and_goes(moves: list[tuple[str, bool]]) -> None:
    pending, inside = PendingConnections(4, 2), {}
    for address, comes in moves:
        if comes:
            key = object()
            place = pending.enter(address, lambda key=key: inside.pop(key))
            if place is not None:
                inside[key] = (address, place)
        elif inside:
            key = next(iter(inside))
            pending.leave(inside.pop(key)[1])
        assert len(pending) == len(inside) <= 4
        assert all([held for held, _ in inside.values()].count(each) <= 2 for each in "abc")
