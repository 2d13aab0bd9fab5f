"""What reviewing standards costs: ``python -m bench.standards``: the blocks after a period in which many were used.

The state is written as the contract writes it, without the transactions that would have led to it: so many standards
in domains of 64, each adopted by some of a thousand members that record in its domain. Then empty blocks follow until
nothing is due. A block does at most 1,000 due things; exit status 1 if one did more.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from bench.machine import about
from bench.rules import Chain
from coseal.contracts.execution import Executor
from coseal.contracts.kernel.budget import MAX_DUE
from coseal.contracts.kernel.overlay import Overlay
from coseal.contracts.membership.state import MEMBERS_KEY, member_key
from coseal.contracts.registry import CONTRACTS
from coseal.contracts.standards import domains, series
from coseal.contracts.standards.domains import MAX_STANDARDS
from coseal.contracts.standards.records import IN_USE
from coseal.contracts.standards.state import adopters_key, adoption_key, head_key, standard_key, use_key
from coseal.contracts.standards.status import TERMS, judged_periods, opens_ms, period_of
from coseal.ledger.block import Receipt
from coseal.ledger.validators import ROLES

KEYS_AT_ONCE: Final = 20_000


def populate(executor: Executor, standards: int, adopters: int, members: int) -> int:
    """Write standards with their adopters into the state; return when their review is due."""
    period = period_of(executor.time_ms) + TERMS.periods
    due_ms = opens_ms(period + 1)
    names = [f"m{number}" for number in range(members)]
    view = view_of(executor)
    known: Any = view.get(MEMBERS_KEY)
    view.put(MEMBERS_KEY, sorted([*known, *names]))
    for number, name in enumerate(names):
        view.put(member_key(name), {**_MEMBER, "role": ROLES[number % len(ROLES)], "name": name})
    for first in range(0, standards, MAX_STANDARDS):
        domain, count = f"d{first}", min(MAX_STANDARDS, standards - first)
        there = [names[(first + number) % members] for number in range(max(adopters, 10))]
        for member in there:
            for each in judged_periods(period):
                domains.count(view, domain, member, each, TERMS.use_min)
        domains.enter(view, domain, [[f"s{first + at}", 1] for at in range(count)], due_ms)
        for at in range(count):
            for key, value in _standard(f"s{first + at}", domain, there[:adopters], period):
                view.put(key, value)
        if len(view.updates()) > KEYS_AT_ONCE:
            view = kept(executor, view)
    kept(executor, view)
    return due_ms


_MEMBER: Final = {"level": "", "sector": "", "central_bank": False, "profile": {}, "since": 1}


def _standard(name: str, domain: str, adopters: list[str], period: int) -> Iterator[tuple[str, Any]]:
    """Yield what the state has of a standard that all its adopters use."""
    yield head_key(name), {"member": adopters[0], "kind": "process_type", "domain": domain, "latest": 1}
    record: dict[str, Any] = {
        "kind": "process_type",
        "title": name,
        "patents": [],
        "digest": "00" * 32,
        "member": adopters[0],
    }
    record |= {"tx": "00" * 32, "adopters": len(adopters), "status": IN_USE, "history": [[IN_USE, 1, 1]]}
    yield standard_key(name, 1), record
    for page in range(series.pages(len(adopters))):
        yield adopters_key(name, 1, page), adopters[page * series.PAGE_MEMBERS :][: series.PAGE_MEMBERS]
    use = [[each, TERMS.use_min, TERMS.use_min, 0] for each in judged_periods(period)]
    for member in adopters:
        adoption = {"mode": "adopted", "sources": [], "from_ms": 0, "until_ms": None, "history": [["adopted", 1, 1]]}
        yield adoption_key(name, 1, member), adoption
        yield use_key(name, 1, member), use


def view_of(executor: Executor) -> Overlay:
    """Return a view of the committed state, for what is written into it directly."""
    return Overlay(executor.state.get, CONTRACTS["standards"].open_keys)


def kept(executor: Executor, view: Overlay) -> Overlay:
    """Make what was written the state."""
    change = executor.state.derive(view.updates())
    executor.state.commit(change)
    executor.state._store.write(change.entries)  # type: ignore[attr-defined]
    executor.state.flushed(change)
    return view_of(executor)


def reviewed(executor: Executor, due_ms: int) -> Iterator[dict[str, Any]]:
    """Execute blocks until nothing is due; yield of each what it did and took."""
    time_ms = max(due_ms, executor.time_ms + 1)
    earliest_ms: int | None = due_ms
    while earliest_ms is not None and earliest_ms <= time_ms:
        started = time.process_time()
        outcome = executor.run(executor.height + 1, time_ms, ())
        executor.commit(outcome)
        took_ms = (time.process_time() - started) * 1_000
        executor.state._store.write(outcome.change.entries)  # type: ignore[attr-defined]
        executor.state.flushed(outcome.change)
        data = Receipt.decode(outcome.receipts[0]).data
        found = data.get("standards", {})
        done = len(found.get("reviews", ())) + len(found.get("domains", ()))
        aside = len(data.get("system", {}).get("aside", ()))
        yield {"done": done, "aside": aside, "steps": outcome.steps, "ms": took_ms}
        earliest_ms, time_ms = executor.next_deadline_ms(), time_ms + 1


def main(arguments: list[str] | None = None) -> int:
    """Run the measurement, print a line a block; return 1 if a block did more than it may, or set something aside."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--standards", type=int, default=10_000, help="how many standards (10,000)")
    parser.add_argument("--adopters", type=int, default=10, help="how many members have adopted each (10)")
    parser.add_argument("--members", type=int, default=990, help="how many members there are besides (990)")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    given = parser.parse_args(arguments)
    executor = Chain(state_bits=16).executor
    rows = []
    print(f"{'block':>6}{'due things':>12}{'steps':>10}{'ms':>9}")
    for number, row in enumerate(
        reviewed(executor, populate(executor, given.standards, given.adopters, given.members)), 1
    ):
        rows.append(row)
        print(f"{number:>6}{row['done']:>12,}{row['steps']:>10,}{row['ms']:>9.1f}", flush=True)
    done, longest = sum(row["done"] for row in rows), max(row["ms"] for row in rows)
    print(f"{done:,} reviews in {len(rows)} blocks, at most {longest:.0f} ms a block")
    if given.json is not None:
        given.json.write_text(json.dumps({"machine": about(), "rows": rows}, indent=1), "utf-8")
    return 1 if any(row["done"] > MAX_DUE or row["aside"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
