"""A regulator answers: it takes up findings, asks the firm, and closes those whose explanation holds.

    python examples/sdk/regulator_answers.py http://127.0.0.1:8600 regulator.pem genesis.json

Each step has a term, for the supervisor as well; what is awaited of the supervisor is asked for, and every finding is
read with proof before anything is said about it. A person decides; here `reads` stands for that person.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import coseal
from coseal.client import supervision

Decision = tuple[str, str]
"""(outcome: rectified, dismissed or sanctioned; the reason in words)."""


def answer(client: coseal.Client, reads: Callable[[dict[str, Any]], Decision | None]) -> list[tuple[str, str]]:
    """Take every finding that waits for the supervisor one step further; return (finding, step taken)."""
    taken = []
    for row in client.findings(awaits="supervisor"):
        proven = supervision.finding(client, row["id"])  # with its rule and trail; raises if the node invents one
        step, args = next_step(proven, reads)
        if step is not None:
            committed = supervision.step(client, step, row["id"], **args)
            if committed.receipt.code != "status":  # another officer was faster; the ledger has decided
                committed.require_ok()
                taken.append((row["id"], step))
    return taken


def next_step(
    proven: dict[str, Any], reads: Callable[[dict[str, Any]], Decision | None]
) -> tuple[str | None, dict[str, Any]]:
    """Return the action that a finding needs now and its arguments."""
    status, detail = proven["finding"]["status"], proven["finding"]["detail"]
    if status == "raised":
        return "acknowledge", {}
    if status == "acknowledged":
        return "inquire", {"question": f"Please explain: {detail}"[:1_000]}
    decision = reads(proven) if status == "response" else None
    if decision is None:
        return None, {}
    return "decide", {"outcome": decision[0], "reason": decision[1]}


def by_hand(proven: dict[str, Any]) -> Decision | None:
    """Ask the officer at the terminal."""
    print(*(f"{step['by']}: {step.get('question') or step.get('response')}" for step in proven["trail"]), sep="\n")
    outcome = input("rectified, dismissed, or nothing yet? ").strip()
    return (outcome, input("because: ")) if outcome else None


def main(url: str, key: str, genesis: str) -> int:
    """Go through what waits, once."""
    with coseal.connect(url.split(","), key=key, genesis=genesis) as client:
        for finding, step in answer(client, by_hand):
            print(f"{finding}: {step}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
