"""A panel as it is drawn, beside a second draw that tries every choice."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.certification.panel import (
    FIELDS,
    ROLE_SECTORS,
    Reviewer,
    can_decide,
    draw,
    joined,
    lacking,
    seed_commitment,
)

PANEL = {"size": 5, "least": {"government": 1, "industry": 1, "academia": 1, "humanities": 1}}


def reviewer(member: str, sector: str, *, humanities: bool = False, user: str = "a") -> Reviewer:
    return Reviewer(member, user, sector, humanities)


def register(rng: random.Random, members: int, each: int = 2) -> list[Reviewer]:
    made: list[Reviewer] = []
    for number in range(members):
        sector = rng.choice(ROLE_SECTORS)
        users = range(rng.randint(1, each))
        made += [reviewer(f"m{number}", sector, humanities=rng.random() < 0.3, user=f"u{user}") for user in users]
    return made


def fits(panel: dict[str, Any], some: tuple[Reviewer, ...]) -> bool:
    counts = Counter(each.sector for each in some)
    counts["humanities"] = sum(each.humanities for each in some)
    return len(some) == panel["size"] and all(counts[name] >= least for name, least in panel["least"].items())


def there_is_one(panel: dict[str, Any], eligible: list[Reviewer], seated: tuple[Reviewer, ...] = ()) -> bool:
    """Try every choice of members, and of each every reviewer that differs."""
    of: dict[str, set[Reviewer]] = {}
    for each in eligible:
        if each.member not in {one.member for one in seated}:
            of.setdefault(each.member, set()).add(Reviewer(each.member, "", each.sector, each.humanities))
    return any(
        fits(panel, (*seated, *some))
        for members in combinations(sorted(of), panel["size"] - len(seated))
        for some in product(*(sorted(of[member]) for member in members))
    )


def drawn_slowly(seed: bytes, eligible: list[Reviewer], panel: dict[str, Any]) -> list[Reviewer]:
    """Draw a panel of one of the humanities: the best of what may still be chosen, seat after seat."""

    def rank(name: str) -> bytes:
        return sha256(seed + name.encode()).digest()

    def best(want: Callable[[Reviewer], bool]) -> Reviewer:
        sitting = {seat.member for seat in seats}
        left = [each for each in eligible if each.member not in sitting and want(each)]
        return min(left, key=lambda each: (rank(each.member), rank(each.name)))

    seats: list[Reviewer] = []
    seats.append(best(lambda each: each.humanities))
    for sector in ROLE_SECTORS:
        while sum(seat.sector == sector for seat in seats) < panel["least"][sector]:
            seats.append(best(lambda each, sector=sector: each.sector == sector))  # type: ignore[misc]
    while len(seats) < panel["size"]:
        seats.append(best(lambda each: True))
    return seats


@pytest.mark.parametrize("size", [5, 6])
def test_a_panel_is_found_whenever_there_is_one_and_is_that_of_the_slow_draw(size: int) -> None:
    rng, found = random.Random(size), Counter[bool]()
    for number in range(250):
        least = {**{sector: rng.choice((1, 1, 1, 2)) for sector in ROLE_SECTORS}, "humanities": 1}
        panel = {"size": size, "least": least}
        if sum(least[sector] for sector in ROLE_SECTORS) > size:
            continue
        eligible, seed = register(rng, rng.randint(4, 9)), bytes([number])
        panel_drawn = draw(seed, eligible, panel)
        assert (panel_drawn is not None) == there_is_one(panel, eligible)
        found[panel_drawn is not None] += 1
        if panel_drawn is not None:
            assert fits(panel, panel_drawn)
            assert list(panel_drawn) == drawn_slowly(seed, eligible, panel)
    assert found[True] > 50
    assert found[False] > 25


def test_a_panel_that_needs_several_of_the_humanities_is_found_whenever_there_is_one() -> None:
    rng, found = random.Random(1), Counter[bool]()
    for number in range(250):
        panel = {"size": 5, "least": {"government": 2, "industry": 1, "academia": 1, "humanities": rng.choice((2, 3))}}
        eligible = register(rng, rng.randint(5, 9))
        panel_drawn = draw(bytes([number]), eligible, panel)
        assert (panel_drawn is not None) == there_is_one(panel, eligible)
        assert panel_drawn is None or fits(panel, panel_drawn)
        found[panel_drawn is not None] += 1
    assert min(found[True], found[False]) > 20


def test_free_seats_are_filled_beside_those_who_sit_whenever_that_can_be() -> None:
    rng, found = random.Random(2), Counter[bool]()
    for number in range(250):
        eligible, seed = register(rng, rng.randint(6, 8)), bytes([number])
        whole = draw(seed, eligible, PANEL)
        if whole is None:
            continue
        leaving = set(rng.sample([each.name for each in whole], rng.randint(1, 3)))
        seated = tuple(each for each in whole if each.name not in leaving)
        left = [each for each in eligible if each.name not in leaving]
        again = draw(seed, left, PANEL, seated)
        assert (again is not None) == there_is_one(PANEL, left, seated)
        assert again is None or (again[: len(seated)] == seated and fits(PANEL, again))
        found[again is not None] += 1
    assert min(found[True], found[False]) > 20


@settings(max_examples=30, deadline=None)
@given(st.randoms(use_true_random=False), st.binary(min_size=1, max_size=4))
def test_the_order_of_the_register_does_not_matter(rng: random.Random, seed: bytes) -> None:
    eligible = register(rng, 8)
    shuffled = list(eligible)
    rng.shuffle(shuffled)
    assert draw(seed, eligible, PANEL) == draw(seed, shuffled, PANEL)


def test_no_member_is_drawn_more_often_because_it_has_more_reviewers() -> None:
    eligible = [reviewer(f"{sector}-{n}", sector) for sector in ROLE_SECTORS for n in range(12)]
    eligible += [reviewer("industry-0", "industry", user=f"u{n}") for n in range(15)]
    eligible += [reviewer(f"h-{n}", "academia", humanities=True) for n in range(4)]
    counts: Counter[str] = Counter()
    draws = 3_000
    for number in range(draws):
        panel = draw(number.to_bytes(4, "big"), eligible, {**PANEL, "size": 7})
        assert panel is not None
        counts.update({each.member for each in panel})
    industry = [counts[f"industry-{n}"] for n in range(12)]
    mean = sum(industry) / 12
    assert sum((each - mean) ** 2 / mean for each in industry) < 31.3  # chi square, 11 degrees: 0.1 %


def test_a_panel_that_lost_half_a_sector_or_the_humanities_decides_nothing() -> None:
    panel = [reviewer("g", "government"), reviewer("i", "industry"), reviewer("a", "academia", humanities=True)]
    assert can_decide(PANEL, panel)
    assert not can_decide({**PANEL, "size": 6}, panel)
    for gone in range(3):
        rest = [*panel[:gone], *panel[gone + 1 :], reviewer("x", panel[gone - 1].sector)]
        assert not can_decide(PANEL, rest)
    assert not can_decide(PANEL, [each._replace(humanities=False) for each in panel])


def test_who_reads_why_there_is_no_panel_is_given_the_numbers_of_each_sector() -> None:
    said = lacking([reviewer("g", "government"), reviewer("g", "government", user="b")], PANEL)
    assert said == "government 1 of 1, industry 0 of 1, academia 0 of 1, humanities 0 of 1; 1 members for 5 seats"


def test_every_seed_changes_the_joined_one_and_a_commitment_is_of_one_member_and_round() -> None:
    seeds = [bytes([n]) * 32 for n in range(3)]
    assert len({joined(seeds), joined(seeds[::-1]), joined(seeds[:2]), joined([*seeds[:2], b"x" * 32])}) == 4
    of = {seed_commitment(*args, seeds[0]) for args in product(("p", "q"), (1, 2), ("a", "b"))}
    assert len(of) == 8


def test_the_fields_of_research_are_those_of_the_frascati_manual() -> None:
    assert len(FIELDS) == 6 + 42
    assert {"1", "2.11", "5.9", "6", "6.5"} <= set(FIELDS)
