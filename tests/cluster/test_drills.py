"""One network through faults of every sort, judged from outside; and what the judge says of altered histories."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cluster import drills
from tests.cluster.clients import Clients
from tests.cluster.judge import Recorded, faults, of_clients, recorded

TOUR = "mute-leader+full-disk-leader+wipe-followers+clock-ahead-leader+split+kill-all/mixed/4"


def altered(clients: Clients, **lists: Sequence[object]) -> Clients:
    changed = copy(clients)
    for name, items in lists.items():
        setattr(changed, name, items)
    return changed


Case = tuple[Clients, Sequence[Recorded]]


def loses_a_transaction(clients: Clients, chain: Sequence[Recorded]) -> Case:
    acknowledged = {item.transaction.id for item in clients.sent if item.place is not None}
    lost = next(item for item in chain if item.transaction.id in acknowledged)
    return clients, [item for item in chain if item is not lost]


def commits_twice(clients: Clients, chain: Sequence[Recorded]) -> Case:
    return clients, [*chain, replace(chain[3], height=chain[-1].height)]


def commits_what_nobody_sent(clients: Clients, chain: Sequence[Recorded]) -> Case:
    sent = [item for item in clients.sent if item.transaction.id != chain[3].transaction.id]
    return altered(clients, sent=sent), chain


def reads_what_is_long_gone(clients: Clients, chain: Sequence[Recorded]) -> Case:
    last = max((read for read in clients.reads if read.value), key=lambda read: read.invoked_s)
    stale = min((read for read in clients.reads if read.register == last.register), key=lambda read: read.returned_s)
    return altered(clients, reads=[*clients.reads, replace(last, value=stale.value)]), chain


def shows_another_value_at_a_height(clients: Clients, chain: Sequence[Recorded]) -> Case:
    one, other = clients.plain[-1], next(plain for plain in clients.plain if plain.value != clients.plain[-1].value)
    return altered(clients, plain=[*clients.plain, replace(one, value=other.value)]), chain


def goes_back_to_a_lower_height(clients: Clients, chain: Sequence[Recorded]) -> Case:
    last = max(clients.plain, key=lambda plain: plain.height)
    late = replace(last, height=last.height - 50, invoked_s=last.returned_s + 1, returned_s=last.returned_s + 2)
    return altered(clients, plain=[*clients.plain, late]), chain


def forgets_an_element(clients: Clients, chain: Sequence[Recorded]) -> Case:
    last = max((look for look in clients.looks if look.elements), key=lambda look: look.invoked_s)
    first = next(add.element for add in clients.adds if add.element in last.elements)
    less = replace(last, elements=last.elements - {first})
    return altered(clients, looks=[*(look for look in clients.looks if look is not last), less]), chain


ALTERATIONS: list[tuple[Callable[[Clients, Sequence[Recorded]], Case], str]] = [
    (loses_a_transaction, "was acknowledged at"),
    (commits_twice, "is in the chain 2 times"),
    (commits_what_nobody_sent, "nobody sent it"),
    (reads_what_is_long_gone, "not linearizable: "),
    (shows_another_value_at_a_height, ", not '"),
    (goes_back_to_a_lower_height, "a read at height"),
    (forgets_an_element, "not linearizable: box-"),
]


@pytest.mark.cluster
@pytest.mark.slow
def test_clients_see_one_ledger_through_a_tour_of_faults_and_the_checker_sees_what_is_altered(tmp_path: Path) -> None:
    with drills.played(TOUR, tmp_path) as scene:
        assert faults(scene.cluster, scene.clients) + drills.complaints(scene.cluster) == []
        chain = recorded(scene.cluster)
        assert len(chain) > 100
        for alter, reason in ALTERATIONS:
            found = of_clients(*alter(scene.clients, chain))
            assert any(reason in fault for fault in found), (alter.__name__, found)


def test_a_name_tells_a_drill_and_the_same_seed_the_same_schedule() -> None:
    drill = drills.Drill.of("kill-leader+split/set/5")
    assert (drill.workload, drill.nodes, [step.fault for step in drill.steps]) == ("set", 5, ["kill", "split"])
    assert drills.schedule(7) == drills.schedule(7) != drills.schedule(8)
    for name in drills.matrix():
        assert drills.Drill.of(name).steps
    for name in ("kill/set/4", "burn-leader/set/4", "split/all/4"):
        with pytest.raises(ValueError, match=r"fault|workload"):
            drills.Drill.of(name)


def test_shares_rotate_over_the_whole_matrix() -> None:
    size = len(drills.matrix())
    assert drills.share(3, 6) == drills.share(3, 6)
    seen = {name for turn in range(100, 100 + -(-size // 6)) for name in drills.share(turn, 6)}
    assert seen == set(drills.matrix())


def test_long_results_are_merged_and_what_failed_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drills, "RESULTS", tmp_path / "results" / "drills.json")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(drills, "matrix", lambda: ["split/set/4", "kill-all/set/4", "flap/set/4"])
    runs: list[str] = []

    def run(name: str, folder: Path) -> dict[str, int]:
        runs.append(name)
        if runs.count("kill-all/set/4") == 1 and name == "kill-all/set/4":
            raise AssertionError("two ledgers")
        return {"acknowledged": 5}

    monkeypatch.setattr(drills, "run", run)
    assert drills.main(["--long"]) == 1
    assert drills.main(["--long"]) == 0
    assert runs == ["split/set/4", "kill-all/set/4", "flap/set/4", "kill-all/set/4"]
    results = drills._load()
    assert results["drills"]["kill-all/set/4"] == {"good": 1, "failed": 1, "sums": {"acknowledged": 5}}
    assert [failure["drill"] for failure in results["failures"]] == ["kill-all/set/4"]
