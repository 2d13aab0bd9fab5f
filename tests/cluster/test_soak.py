"""What a soak finds, and how its runs add up; a soak itself is `make soak`."""

from __future__ import annotations

from tests.cluster.soak import Sample, growth, merge, total


def samples(count: int = 30, **growing: float) -> list[Sample]:
    """Samples of a steady node, in which the named figures grow by so much each time."""
    steady = {"memory_mb": 100.0, "open_files": 30, "chain_mb": 10.0, "beyond_mb": 20.0}
    return [
        Sample(
            at_s=5.0 * at,
            height=at,
            acknowledged=at,
            **{name: value + at * growing.get(name, 0) for name, value in steady.items()},
        )
        for at in range(count)
    ]


def test_nothing_is_found_in_a_steady_node() -> None:
    assert growth(samples()) == []


def test_memory_that_grows_is_found() -> None:
    (found,) = growth(samples(memory_mb=10.0))
    assert found.startswith("memory grew")


def test_files_that_are_not_closed_are_found() -> None:
    (found,) = growth(samples(open_files=1))
    assert found.startswith("open files grew")


def test_disk_may_grow_as_the_chain_does_and_not_faster() -> None:
    assert growth(samples(chain_mb=1.0, beyond_mb=2.0)) == []
    (found,) = growth(samples(beyond_mb=2.0))
    assert found.startswith("disk beyond the chain grew")


def test_too_few_samples_are_no_good_verdict() -> None:
    assert growth(samples(2)) == ["too few samples to judge by"]


def test_runs_add_up_and_the_newest_keeps_its_samples() -> None:
    good = {"wrong": [], "minutes": 10.0, "acknowledged": 5, "samples": [1]}
    bad = {"wrong": ["memory grew"], "minutes": 10.0}
    runs = merge(merge([], good), bad)
    assert "samples" not in runs[0]
    assert total(merge(runs, good)) == "2 of 3 runs good, 20 minutes and 10 transactions in them"
