"""K1 to K5: of the shipped documents for every small consortium, and each breach with the voting that shows it."""

from __future__ import annotations

import copy
import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from coseal.contracts.governance.document import FOUNDING, Constitution, constitution_of, faults_of
from coseal.contracts.governance.resolution import CONSTITUENCIES, Clock, Count, resolve
from coseal.contracts.governance.safety import arithmetic, breaches, votings
from coseal.contracts.kernel.dates import DAY_MS

EXAMPLES = Path(__file__).parents[3] / "examples" / "constitution"
CONSORTIA = [
    dict(zip(CONSTITUENCIES, sizes, strict=True))
    for sizes in itertools.product(range(5), repeat=len(CONSTITUENCIES))
    if sum(size > 0 for size in sizes) >= 2
]
FEW = [sizes for sizes in CONSORTIA if max(sizes.values()) <= 2]
SEVEN = {"government": 1, "bank": 5, "enterprise": 1}
"""Seven members, eight seats that pass the check of seats: the five banks have more than two thirds."""


def document(name: str = "recommended") -> dict[str, Any]:
    return json.loads((EXAMPLES / f"{name}.json").read_text())  # type: ignore[no-any-return]


def changed(*path: Any, value: Any) -> Constitution:
    """Return the recommended constitution with one thing in it changed (None: left out)."""
    made = copy.deepcopy(document())
    place = made
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    assert not list(faults_of(made))
    return constitution_of(made)


def found(constitution: Constitution, sizes: dict[str, int]) -> list[tuple[str, str]]:
    """Return property and track of each breach, once."""
    every = breaches(constitution, {"members": sizes, "validators": sizes})
    return sorted({(breach.property, breach.track) for breach in every})


@pytest.mark.parametrize("name", ["recommended", "consent"])
def test_the_shipped_documents_are_safe_for_every_consortium_of_two_in_each_constituency(name: str) -> None:
    made = document(name)
    assert list(faults_of(made)) == []
    constitution = constitution_of(made)
    assert [str(breach) for breach in arithmetic(constitution)] == []
    for sizes in FEW:
        assert found(constitution, sizes) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["recommended", "consent"])
def test_the_shipped_documents_are_safe_for_every_consortium_of_four_in_each_constituency(name: str) -> None:
    constitution = constitution_of(document(name))
    assert len(CONSORTIA) == 3_104
    assert [sizes for sizes in CONSORTIA if found(constitution, sizes)] == []


def test_the_founding_rule_lets_one_constituency_decide_alone_in_forty_consortia() -> None:
    each = FOUNDING.tracks["ordinary"]
    alone = [sizes for sizes in CONSORTIA if any(breach.property == "K2" for breach in votings(each, sizes))]
    assert len(alone) == 40
    assert "bank says yes, nobody else votes: it passes" in [breach.detail for breach in votings(each, SEVEN)]


def test_five_banks_of_seven_members_decide_nothing_alone_under_the_recommended_document() -> None:
    votes = {name: Count(size, yes=size if name == "bank" else 0) for name, size in SEVEN.items()}
    assert resolve(FOUNDING.track_of("add_member"), votes, Clock(0, 10, 0)).status == "passed"
    constitution = constitution_of(document())
    for kind in ("add_member", "protocol_version", "supervision.rules", "amend_constitution"):
        each = constitution.track_of(kind)
        for day in range(98):
            clock = Clock(0, each.opening.most_ms, day * DAY_MS)
            assert resolve(each, votes, clock, "enterprise").status != "passed", (kind, day)


def test_without_an_override_one_constituency_stalls_seats_in_2820_of_12130_cases() -> None:
    stalled: Counter[bool] = Counter()
    each = changed("tracks", "seats", "override", value=None).tracks["seats"]
    for sizes in CONSORTIA:
        there = [name for name, size in sizes.items() if size]
        everyone = sum(sizes.values())
        names = {breach.detail.split()[0] for breach in votings(each, sizes) if breach.property == "K3"}
        if len(there) > 2:
            stalled.update(name in names for name in there if (everyone - sizes[name]) * 3 > everyone)
    assert (stalled[True], stalled.total()) == (2_820, 12_130)


def test_a_document_in_which_all_must_agree_and_nothing_overrides_breaks_k3() -> None:
    every = changed("tracks", "rules", value={**document()["tracks"]["rules"], "pass": {"total": [999, 1000]}})
    assert ("K3", "rules") not in found(every, SEVEN)  # the override is there
    made = document()
    made["tracks"]["rules"]["pass"] = {"total": [999, 1000]}
    del made["tracks"]["rules"]["override"]
    assert ("K3", "rules") in found(constitution_of(made), SEVEN)


BAD = [
    ("K4", "", ("present_ms",), 89 * DAY_MS),
    ("K4", "seats", ("tracks", "seats", "open_ms"), [3_600_000, 14 * DAY_MS, 90 * DAY_MS]),
    ("K4", "rules", ("tracks", "rules", "veto"), ["government"]),
    ("K4", "standing", ("tracks", "standing", "delay_ms"), 125 * DAY_MS),
    ("K5", "constitution", ("tracks", "constitution", "pass", "total"), [1, 2]),
    ("K5", "constitution", ("tracks", "constitution", "not_before_ms"), DAY_MS),
    ("K5", "constitution", ("tracks", "constitution", "override", "after_ms"), DAY_MS),
    ("K5", "constitution", ("tracks", "constitution", "override", "floor"), [1, 4]),
    ("K5", "constitution", ("tracks", "constitution", "pass", "at_least"), 2),
    ("K5", "protocol", ("tracks", "protocol", "pass", "total"), [1, 2]),
    ("K5", "admission", ("tracks", "admission", "pass", "own"), False),
    ("K5", "ordinary", ("kinds", "measure"), "ordinary"),
    ("K5", "emergency", ("kinds", "end_measure"), "emergency"),
    ("K5", "ordinary", ("kinds", "emergency_measure"), "ordinary"),
    ("K5", "constitution", ("kinds", "emergency_measure"), "constitution"),
    ("K5", "constitution", ("tracks", "constitution", "pass", "at_least"), 4),
    ("K5", "emergency", ("tracks", "emergency", "open_ms"), [3_600_000, 3 * DAY_MS, 4 * DAY_MS]),
    ("K5", "ordinary", ("kinds", "emergency_measure"), None),
]


@pytest.mark.parametrize(("name", "where", "path", "value"), BAD)
def test_each_property_is_refused_where_it_is_broken(name: str, where: str, path: tuple[Any, ...], value: Any) -> None:
    assert (name, where) in {(breach.property, breach.track) for breach in arithmetic(changed(*path, value=value))}


def test_an_amendment_passes_over_no_constituency_that_another_track_needs() -> None:
    """Three of five are no less than two of two by number alone."""
    made = document()
    for track in made["tracks"].values():
        at_least = track["pass"]["at_least"]
        track["pass"]["at_least"] = 3 if at_least == "all" else min(at_least, 3)
    assert list(arithmetic(constitution_of(made))) == []
    made["tracks"]["rules"]["pass"]["classes"] = {"government": [1, 2], "bank": [1, 2]}
    made["tracks"]["rules"]["pass"]["at_least"] = "all"
    assert [str(breach) for breach in arithmetic(constitution_of(made))] == [
        "K5, track constitution: it needs fewer constituencies than track rules"
    ]


def test_an_amendment_needs_the_single_yes_of_each_constituency_that_another_track_needs() -> None:
    """A quota of 0 is one yes: without classes of its own an amendment passes over those that have to give it."""
    made = document()
    for name in made["tracks"]:
        for key in ("classes", "at_least"):
            made["tracks"][name]["pass"].pop(key, None)
    made["tracks"]["rules"]["pass"] |= {"classes": {"government": [0, 1], "bank": [0, 1]}, "at_least": "all"}
    assert "K5, track constitution: it needs fewer constituencies than track rules" in [
        str(breach) for breach in arithmetic(constitution_of(made))
    ]


def test_two_constituencies_decide_together_and_one_by_its_total() -> None:
    constitution = constitution_of(document())
    assert found(constitution, {"government": 2, "bank": 2}) == []
    assert found(constitution, {"bank": 4}) == []
    rules = constitution.tracks["rules"]
    assert resolve(rules, {"bank": Count(4, yes=3)}, Clock(0, 10, 0)).status == "passed"
    assert resolve(rules, {"bank": Count(4, yes=2)}, Clock(0, 10, 0)).status == "open"


DOCUMENT_FAULTS = [
    (("tracks", "rules", "pass", "total"), [1, 1], "a quota is below 1"),
    (("tracks", "rules", "pass", "at_least"), None, "classes and at_least go together"),
    (("tracks", "rules", "pass", "classes"), {"bank": [1, 2]}, "two constituencies at least"),
    (("tracks", "rules", "override", "floor"), [2, 3], "at most 1/2"),
    (("tracks", "rules", "open_ms"), [1, 2, 3], "from an hour at least"),
    (("tracks", "rules", "electorate"), "everybody", "rules.electorate"),
    (("tracks", "rules", "quorum"), 1, "quorum"),
    (("tracks", "constitution"), None, "there has to be a track constitution"),
    (("kinds", "amend_constitution"), "ordinary", "it is on the track constitution"),
    (("kinds", "add_member"), "nowhere", "there is no track nowhere"),
    (("de_facto",), {"lost": [1, 2], "gained": [1, 3]}, "lost is at most gained"),
    (("de_facto",), {"gained": [1, 3]}, "lost is at most gained"),
    (("de_facto",), {"carried_by": 1}, "carried_by"),
    (("de_facto",), {"periods": 1}, "periods"),
]


@pytest.mark.parametrize(("path", "value", "text"), DOCUMENT_FAULTS)
def test_what_has_not_the_form_is_refused_by_its_place(path: tuple[str, ...], value: Any, text: str) -> None:
    made = document()
    place = made
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    assert text in " | ".join(faults_of(made))
