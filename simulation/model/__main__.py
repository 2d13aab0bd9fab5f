"""``python -m simulation.model``: explore every state of one height, break the rules, and drive the real core.

Law: exits with status 1 if the rules or the core have a fault, or if a mistake has none.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations
from typing import Final

from simulation.model import held
from simulation.model.drive import Drive
from simulation.model.explore import STATES_MAX, Explored, TooMany, explore
from simulation.model.mistakes import CASES, shortest
from simulation.model.rules import Rules
from simulation.model.spaces import Plain, Reduced


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    options = _parser().parse_args(arguments)
    parts = [options.only] if options.only else ["states"] if options.plain or options.n else list(_PARTS)
    good = [_PARTS[part](options) for part in parts]
    return 0 if all(good) else 1


def positions(n: int, rounds: int) -> Iterator[tuple[int, ...]]:
    """Yield which f validators are Byzantine. Only the rounds they lead set them apart, so the others stand for all."""
    seen: dict[tuple[int, ...], None] = {}
    for byzantine in combinations(range(n), (n - 1) // 3):
        led = tuple(seat for seat in byzantine if seat < rounds)
        if led not in seen:
            seen[led] = None
            yield byzantine


def _sizes(options: argparse.Namespace) -> list[tuple[int, int]]:
    if options.n is not None or options.plain:
        return [(options.n or 4, options.rounds)]
    return [(4, rounds) for rounds in range(1, options.rounds + 1)] + [(5, 3), (6, 3), (7, 2)]


def _states(options: argparse.Namespace) -> bool:
    print(f"{'n':>2} {'rounds':>6}  {'Byzantine':9} {'states':>11} {'moves deep':>10} {'seconds':>8}")
    sizes = [(rules, rounds) for n, rounds in _sizes(options) for rules in map(partial(Rules, n), positions(n, rounds))]
    good = [_explore(rules, rounds, options) for rules, rounds in sizes]
    return all(good)


def _explore(rules: Rules, rounds: int, options: argparse.Namespace) -> bool:
    space = Plain(rules, rounds) if options.plain else Reduced(rules, rounds)
    began = time.monotonic()
    head = f"{rules.n:2} {rounds:6}  {' '.join(map(str, rules.byzantine)):9}"

    def progress(depth: int, states: int) -> None:
        if sys.stderr.isatty():
            print(f"{head} {states:11} {depth:10} {time.monotonic() - began:8.1f}", end="\r", file=sys.stderr)

    try:
        found = explore(space, states_max=options.states_max, progress=progress)
    except TooMany as error:
        print(f"{head} {error}", flush=True)
        return False
    print(f"{head} {found.states:11} {found.depth:10} {time.monotonic() - began:8.1f}", flush=True)
    _tell(found)
    return found.fault is None


def _mistakes(options: argparse.Namespace) -> bool:
    good = True
    for case in CASES:
        began = time.monotonic()
        rules, found = shortest(case, max(4, options.rounds))
        print(f"\n{case.what} (n = {rules.n}): {case.expected}, {time.monotonic() - began:.1f} s")
        _tell(found)
        good &= found.fault is not None
    return good


def _core(options: argparse.Namespace) -> bool:
    """Drive the real replicas: with attacks for two rounds, for the moves alone for three."""
    head = f"{'rounds':>6}  {'Byzantine':9} {'states':>6} {'moves':>6} {'not taken':>9} {'demands':>7} {'attacks':>8}"
    print(f"\nThe real core\n{head} {'seconds':>8}")
    good = True
    for rounds, attack in ((2, True), (3, False)):
        for seat in range(min(4, rounds + 1)):
            began = time.monotonic()
            driven = Drive(seat, rounds).run(attack=attack)
            counts = f"{driven.states:6} {driven.moves:6} {driven.untaken:9} {driven.demands:7} {driven.attacks:8}"
            print(f"{rounds:6}  {seat:<9} {counts} {time.monotonic() - began:8.1f}", flush=True)
            for fault in driven.faults:
                print(f"    {fault}")
            good &= not driven.faults and (rounds > 2 or not driven.untaken)
    return good


def _sidecars(options: argparse.Namespace) -> bool:
    """One round, and every place of the question: only at PREPARE is no certificate's block with too few."""
    print(f"\nWhat is beside a block\n{'asked at':8} {'Byzantine':9} {'states':>7}")
    good = True
    for question in held.QUESTIONS:
        for byzantine in positions(4, 1):
            found = held.explore(Rules(4, byzantine), 1, question)
            print(f"{question:8} {' '.join(map(str, byzantine)):9} {found.states:7}", flush=True)
            for step in found.fault or ():
                print(f"    {step.kind} by node {step.node} of value {step.value} in round {step.round}")
            good &= (found.fault is None) == (question == "prepare")
    return good


_PARTS: Final[dict[str, Callable[[argparse.Namespace], bool]]] = {
    "states": _states,
    "mistakes": _mistakes,
    "core": _core,
    "sidecars": _sidecars,
}


def _tell(found: Explored) -> None:
    for line in found.fault or ():
        print(f"    {line}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulation.model", description=__doc__)
    parser.add_argument("--rounds", type=int, default=4, help="explore so many rounds (4)")
    parser.add_argument("--n", type=int, help="only so many validators; else 4, and 5 to 7 for fewer rounds")
    parser.add_argument("--plain", action="store_true", help="without reductions; 3 rounds have up to a million states")
    parser.add_argument("--only", choices=_PARTS, help="only the states, the mistakes, or the real core")
    parser.add_argument("--states-max", type=int, default=STATES_MAX, help=f"give up beyond ({STATES_MAX})")
    return parser


if __name__ == "__main__":
    sys.exit(main())
