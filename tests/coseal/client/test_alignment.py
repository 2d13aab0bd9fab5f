"""Alignments against all runs of a model: random process trees, their nets and their languages."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.client import alignment
from coseal.client.alignment import Aligner
from coseal.formats.importers.model import Net, Transition

Tree = Any
"""An activity, None, or (operator, trees)."""
ACTIVITIES = st.sampled_from(["a", "b", "c", None])
TREES: st.SearchStrategy[Tree] = st.recursive(
    ACTIVITIES,
    lambda inner: st.tuples(st.sampled_from(["then", "or", "and"]), st.lists(inner, min_size=1, max_size=3)),
    max_leaves=6,
)


def language(tree: Tree) -> set[tuple[str, ...]]:
    if tree is None or isinstance(tree, str):
        return {(tree,) if tree else ()}
    operator, parts = tree[0], [language(part) for part in tree[1]]
    if operator == "or":
        return set().union(*parts)
    chosen = itertools.product(*parts)
    if operator == "then":
        return {tuple(itertools.chain(*runs)) for runs in chosen}
    return {mixed for runs in chosen for mixed in shuffles(list(runs))}


def shuffles(runs: list[tuple[str, ...]]) -> set[tuple[str, ...]]:
    if not any(runs):
        return {()}
    found = set()
    for place, run in enumerate(runs):
        if run:
            rest = [*runs[:place], run[1:], *runs[place + 1 :]]
            found |= {(run[0], *after) for after in shuffles(rest)}
    return found


class Nets:
    """Builds the net of a tree: each part between two places."""

    def __init__(self) -> None:
        self.places = 2
        self.transitions: list[Transition] = []

    def place(self) -> int:
        self.places += 1
        return self.places - 1

    def fire(self, label: str | None, takes: Sequence[int], gives: Sequence[int]) -> None:
        ones = ((place, 1) for place in takes), ((place, 1) for place in gives)
        self.transitions.append(Transition(f"t{len(self.transitions)}", label, *map(tuple, ones)))  # type: ignore[arg-type]

    def add(self, tree: Tree, begin: int, end: int) -> None:
        if tree is None or isinstance(tree, str):
            self.fire(tree, [begin], [end])
        elif tree[0] == "or":
            for part in tree[1]:
                self.add(part, begin, end)
        elif tree[0] == "then":
            places = [begin, *(self.place() for _ in tree[1][1:]), end]
            for part, (before, after) in zip(tree[1], itertools.pairwise(places), strict=True):
                self.add(part, before, after)
        else:
            pairs = [(self.place(), self.place()) for _ in tree[1]]
            self.fire(None, [begin], [before for before, _ in pairs])
            self.fire(None, [after for _, after in pairs], [end])
            for part, (before, after) in zip(tree[1], pairs, strict=True):
                self.add(part, before, after)


def net_of(tree: Tree) -> Net:
    nets = Nets()
    nets.add(tree, 0, 1)
    rest = (0,) * (nets.places - 2)
    return Net(tuple(nets.transitions), (1, 0, *rest), (0, 1, *rest), frozenset({1}))


def distance(run: Sequence[str], trace: Sequence[str]) -> int:
    """How many have to be taken out of both until they are the same."""
    row = list(range(len(trace) + 1))
    for one in run:
        above, row = row, [row[0] + 1]
        for place, other in enumerate(trace):
            row.append(above[place] if one == other else 1 + min(above[place + 1], row[place]))
    return row[-1]


@settings(deadline=None)
@given(TREES, st.lists(st.sampled_from("abcd"), max_size=6))
def test_an_alignment_costs_as_much_as_the_nearest_run_of_the_model(tree: Tree, trace: list[str]) -> None:
    found = Aligner(net_of(tree)).align(trace)
    assert found is not None
    assert found.cost == min(distance(run, trace) for run in language(tree))


@settings(deadline=None)
@given(TREES, st.lists(st.sampled_from("abcd"), max_size=6))
def test_what_deviates_makes_the_trace_a_run_of_the_model(tree: Tree, trace: list[str]) -> None:
    found = Aligner(net_of(tree)).align(trace)
    assert found is not None
    extra = {deviation.at for deviation in found.deviations if deviation.kind == "extra"}
    assert all(trace[deviation.at] == deviation.activity for deviation in found.deviations if deviation.kind == "extra")
    put_right: list[str] = []
    for at in range(len(trace) + 1):
        put_right += [each.activity for each in found.deviations if each.kind == "missing" and each.at == at]
        put_right += [trace[at]] if at < len(trace) and at not in extra else []
    assert tuple(put_right) in language(tree)


def loop() -> Net:
    """a, then b and a again as often as one likes."""
    first, again = Transition("1", "a", ((0, 1),), ((1, 1),)), Transition("2", "b", ((1, 1),), ((0, 1),))
    return Net((first, again), (1, 0), (0, 1), frozenset())


def test_a_loop_is_gone_through_as_often_as_the_trace_does() -> None:
    aligner = Aligner(loop())
    assert aligner.align("abababa") == alignment.Alignment(())
    assert aligner.align("abaa").cost == 1  # type: ignore[union-attr]
    assert aligner.align("abb").cost == 2  # type: ignore[union-attr]
    assert aligner.align("abba").cost == 1  # type: ignore[union-attr]


def test_a_net_that_makes_tokens_without_end_is_given_up_and_so_is_one_without_an_end(monkeypatch: Any) -> None:
    monkeypatch.setattr(alignment, "MAX_STATES", 300)
    makes = Transition("1", None, ((0, 1),), ((0, 1), (1, 1)))
    assert Aligner(Net((makes,), (1, 0), (0, 1), frozenset())).align("a") is None
    assert Aligner(Net((), (1,), (2,), frozenset())).align("a") is None
