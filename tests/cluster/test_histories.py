"""The checkers against histories known to be good or bad, and against an exhaustive search."""

from __future__ import annotations

import re
from random import Random

import pytest

from tests.cluster.histories import NEVER, Add, Look, Read, Write, register_fault, set_fault


def w(value: str, invoked: float, returned: float = NEVER) -> Write:
    return Write("r", value, invoked, returned)


def r(value: str, invoked: float, returned: float) -> Read:
    return Read("r", value, invoked, returned)


@pytest.mark.parametrize(
    ("writes", "reads"),
    [
        ([], []),
        ([w("a", 0, 1)], [r("", 0, 1), r("a", 0, 1), r("a", 2, 3)]),
        ([w("a", 0, 9), w("b", 0, 9)], [r("b", 1, 2), r("a", 3, 4)]),
        ([w("a", 0)], [r("", 1, 2), r("a", 3, 4)]),  # never answered, took effect late
        ([w("a", 0)], [r("", 1, 2), r("", 3, 4)]),  # never answered, never took effect
        ([w("a", 0, 1), w("b", 2)], [r("a", 3, 4), r("b", 5, 6), r("b", 7, 8)]),
    ],
)
def test_histories_that_one_copy_could_have_given_pass(writes: list[Write], reads: list[Read]) -> None:
    assert register_fault(writes, reads) is None


@pytest.mark.parametrize(
    ("writes", "reads", "reason"),
    [
        ([w("a", 0, 1)], [r("", 2, 3)], "each seen after the other|was there before and after"),  # stale
        ([w("a", 0, 1)], [r("x", 2, 3)], "never written"),
        ([w("a", 2, 3)], [r("a", 0, 1)], "before it was written"),
        ([w("a", 0, 1), w("b", 2, 3)], [r("a", 4, 5)], "'a'.*'b'|'b'.*'a'"),  # lost update
        ([w("a", 0, 9), w("b", 0, 9)], [r("a", 1, 2), r("b", 3, 4), r("a", 5, 6)], "before and after"),
        ([w("a", 0)], [r("a", 1, 2), r("", 3, 4)], "before and after"),  # it came and went
        ([w("a", 0, 1), w("b", 2, 3), w("c", 4, 9)], [r("c", 5, 6), r("b", 7, 8)], "'b'.*'c'|'c'.*'b'"),
    ],
)
def test_histories_that_no_single_copy_gives_are_refused(writes: list[Write], reads: list[Read], reason: str) -> None:
    found = register_fault(writes, reads)
    assert found is not None
    assert re.search(reason, found)


def test_a_value_of_another_register_is_refused() -> None:
    assert "never written to it" in str(register_fault([w("a", 0, 1)], [Read("other", "a", 2, 3)]))


def search(writes: list[Write], reads: list[Read]) -> bool:
    """Try every order: take next any operation that does not begin after another one is over."""

    def go(left: tuple[Write | Read, ...], value: str) -> bool:
        if all(operation.returned_s == NEVER for operation in left):
            return True
        first_over = min(operation.returned_s for operation in left)
        for index, operation in enumerate(left):
            rest = left[:index] + left[index + 1 :]
            if operation.invoked_s > first_over:
                continue
            if isinstance(operation, Write):
                if go(rest, operation.value):
                    return True
            elif operation.value == value and go(rest, value):
                return True
        return False

    return go((*writes, *reads), "")


def random_history(random: Random) -> tuple[list[Write], list[Read]]:
    """Return a history of up to eight operations; values read are drawn so that about half of all are possible."""
    writes, reads, values = [], [], [""]
    for number in range(random.randint(2, 8)):
        invoked = number * 2 + random.random()
        returned = invoked + random.choice((1.5, 3, 6, 10))
        if random.random() < 0.4:
            value = f"v{number}"
            values.append(value)
            writes.append(w(value, invoked, returned if random.random() < 0.8 else NEVER))
        else:
            reads.append(r(random.choice(values[-4:]), invoked, returned))
    return writes, reads


def test_the_register_checker_agrees_with_an_exhaustive_search() -> None:
    random, possible = Random(1), 0
    for _ in range(3_000):
        writes, reads = random_history(random)
        expected = search(writes, reads)
        assert (register_fault(writes, reads) is None) == expected, (writes, reads)
        possible += expected
    assert 600 < possible < 2_400


def a(element: str, invoked: float, returned: float = NEVER) -> Add:
    return Add("s", element, invoked, returned)


def look(elements: str, invoked: float, returned: float) -> Look:
    return Look("s", frozenset(elements), invoked, returned)


@pytest.mark.parametrize(
    ("adds", "looks", "reason"),
    [
        ([a("a", 0, 1), a("b", 0, 9)], [look("a", 2, 3), look("ab", 4, 5)], None),
        ([a("a", 0)], [look("", 1, 2), look("a", 3, 4)], None),
        ([a("a", 0)], [look("", 1, 2)], None),
        ([a("a", 0, 1)], [look("", 0.5, 2)], None),
        ([a("a", 0, 1)], [look("", 2, 3)], "add 'a'.*older|a look at 0 began after add 'a'"),  # lost
        ([a("a", 0, 9)], [look("a", 1, 2), look("", 3, 4)], "a look at 0 began after"),  # it vanished
        ([a("a", 0, 9), a("b", 0, 9)], [look("a", 1, 2), look("b", 3, 4)], "what the other did not"),
        ([], [look("a", 1, 2)], "never added"),
        ([a("a", 2, 3)], [look("a", 0, 1)], "add 'a' began after"),
        ([a("a", 0, 1), a("b", 2, 3)], [look("b", 4, 5), look("ab", 6, 7)], "a look at 1|add"),
    ],
)
def test_sets(adds: list[Add], looks: list[Look], reason: str | None) -> None:
    found = set_fault(adds, looks)
    assert (found is None) == (reason is None), found
    assert reason is None or re.search(reason, str(found)), found


def search_sets(adds: list[Add], looks: list[Look]) -> bool:
    def go(left: tuple[Add | Look, ...], elements: frozenset[str]) -> bool:
        if all(operation.returned_s == NEVER for operation in left):
            return True
        first_over = min(operation.returned_s for operation in left)
        for index, operation in enumerate(left):
            rest = left[:index] + left[index + 1 :]
            if operation.invoked_s > first_over:
                continue
            if isinstance(operation, Add):
                if go(rest, elements | {operation.element}):
                    return True
            elif operation.elements == elements and go(rest, elements):
                return True
        return False

    return go((*adds, *looks), frozenset())


def test_the_set_checker_agrees_with_an_exhaustive_search() -> None:
    random, possible = Random(2), 0
    for _ in range(3_000):
        adds: list[Add] = []
        looks: list[Look] = []
        for number in range(random.randint(2, 8)):
            invoked = number * 2 + random.random()
            returned = invoked + random.choice((1.5, 3, 6, 10))
            if random.random() < 0.5:
                adds.append(a(f"e{number}", invoked, returned if random.random() < 0.8 else NEVER))
            else:
                seen = [add.element for add in adds if add.returned_s < invoked or random.random() < 0.4]
                if random.random() < 0.1 and seen:
                    seen.pop(0)
                looks.append(Look("s", frozenset(seen), invoked, returned))
        expected = search_sets(adds, looks)
        assert (set_fault(adds, looks) is None) == expected, (adds, looks)
        possible += expected
    assert 600 < possible < 2_700
