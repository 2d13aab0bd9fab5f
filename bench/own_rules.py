"""What own rule sets cost beside ballots: ``python -m bench.own_rules``: recording under four sets, adopted either way.

Two chains have the same rules: one by four ballots, one as four own sets of the member that records. Blocks of the
same batches are executed on both in turn; the quickest of each stands for it, so that what else the machine does comes
out. Exit status 1 if own sets take more than 1.1 times as long.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

from bench.machine import about
from bench.rules import BATCH, BATCHES_A_BLOCK, Chain, measure, rules

SETS: Final = 4
MOST: Final = 1.1
_VOTERS: Final = ("bank-a", "central-bank", "regulator")


def split(count: int) -> list[list[dict[str, Any]]]:
    """Return rules of all kinds in four sets."""
    found = rules(count)
    return [found[number::SETS] for number in range(SETS)]


def by_ballot(count: int) -> Chain:
    """Return a chain on which four ballots adopted rules."""
    chain = Chain()
    chain.prepare(0)
    for number, found in enumerate(split(count), 1):
        chain.block([chain.signed("bank-a", "supervision.propose_rules", {"rules": found})])
        for member in _VOTERS:
            vote = {"ballot": f"B{number}", "choice": "yes"}
            chain.block([chain.signed(member, "supervision.vote", vote)])
    return chain


def by_members(count: int) -> Chain:
    """Return a chain on which the member that records adopted the same rules for itself."""
    chain = Chain()
    chain.prepare(0)
    chain.block([chain.signed("bank-a", "standards.classify", {"process_type": "bench", "domain": "bench"})])
    for number, found in enumerate(split(count), 1):
        named = {"standard": f"set-{number}", "version": 1}
        args = {**named, "kind": "rule_set", "domain": "bench", "title": "Bench", "content": {"rules": found}}
        chain.block([chain.signed("bank-a", "standards.propose", args)])
        chain.block([chain.signed("bank-a", "standards.adopt", named)])
    return chain


def main(arguments: list[str] | None = None) -> int:
    """Measure both in turn, print what an event takes, return 1 if own sets are too slow."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rules", type=int, default=16, help="how many rules (16)")
    parser.add_argument("--blocks", type=int, default=12, help="blocks of a thousand events on each chain (12)")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    given = parser.parse_args(arguments)
    chains = {"by ballot": by_ballot(given.rules), "for oneself": by_members(given.rules)}
    events = BATCH * BATCHES_A_BLOCK
    took: dict[str, list[float]] = {name: [] for name in chains}
    for _ in range(given.blocks):
        for name, chain in chains.items():
            took[name].append(measure(chain, events) * 1e6 / events)
    figures = {name: min(found[1:]) for name, found in took.items()}
    for name, figure in figures.items():
        print(f"{given.rules} rules in {SETS} sets, adopted {name:<12}{figure:>8.1f} us an event")
    share = figures["for oneself"] / figures["by ballot"]
    print(f"own sets take {share:.2f} times as long, at most {MOST}")
    if given.json is not None:
        given.json.write_text(json.dumps({"machine": about(), "us": figures, "share": share}, indent=1), "utf-8")
    return 1 if share > MOST else 0


if __name__ == "__main__":
    sys.exit(main())
