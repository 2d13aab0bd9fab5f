"""Every action of a contract on a chain, with its example and every nasty value of its fields; ``-m`` prints the roots.

Law: what is driven follows from the contract alone, so two processes that differ in it differ in the contract.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

from coseal.contracts.installed.loading import load
from coseal.contracts.kernel.action import Action
from coseal.contracts.kernel.contract import Contract
from coseal.contracts.kernel.nasty import trials
from coseal.kit.shown import Shown
from coseal.kit.trial import Trial
from coseal.ledger import codec

WAITS_MS: Final = (1_000, 86_400_000, 400 * 86_400_000)
"""What lies between the blocks at the end, in which what is due is done."""


class Tried(NamedTuple):
    """One transaction: what was tried, what it was to be, and what came of it. ``field`` empty: the example."""

    action: str
    field: str
    refused: bool
    code: str
    detail: str
    steps: int
    fault: str
    came: str
    """A hash of the receipt and of the state after it."""

    @property
    def wrong(self) -> str:
        """What is wrong with the outcome, in words; empty if nothing is."""
        if self.fault:
            return f"raised {self.fault}"
        if self.refused and self.code == "ok":
            return "was taken, and should be refused"
        if self.refused and self.code == "invalid_argument" and self.field not in self.detail:
            return f"the refusal does not name the field: {self.detail}"
        if not self.refused and self.code == "invalid_argument":
            return f"was refused, and should be taken: {self.detail}"
        return ""


def drive(contract: Contract) -> tuple[list[Tried], Shown]:
    """Try everything on one chain, then let time pass; return what came of it, and what is shown of it."""
    chain = Trial(contract)
    done: list[Tried] = []
    for name, action in contract.actions.items():
        for field, args, refused in _all(action):
            done.append(_send(chain, f"{contract.name}.{name}", action, field, args, refused))
        chain.shown.try_lists()
    for wait_ms in WAITS_MS:
        chain.wait(wait_ms)
        chain.shown.try_lists()
        faults = ", ".join(str(fault.error) for fault in chain.faults)
        chain.faults.clear()
        aside = chain.begun.get("system", {}).get("aside", [])
        fault = faults or ("" if not aside else f"set aside: {json.dumps(aside)}")
        came = sha256(chain.state_root + codec.encode(chain.begun)).hexdigest()
        done.append(Tried(f"{contract.name}, due", "", False, "ok", "", 0, fault, came))
    return done, chain.shown


def _all(action: Action) -> Iterator[tuple[str, dict[str, Any], bool]]:
    yield "", dict(action.example), False
    for trial in trials(action.arguments, action.example):
        if not trial.later:
            yield trial.field, trial.args, trial.refused


def _send(chain: Trial, name: str, action: Action, field: str, args: dict[str, Any], refused: bool) -> Tried:
    sender = "node:regulator" if action.capability is None else "regulator"
    receipt = chain.send(sender, name, args)
    fault = ", ".join(f"{type(each.error).__name__}: {each.error}" for each in chain.faults)
    chain.faults.clear()
    came = sha256(chain.state_root + receipt.encode()).hexdigest()
    return Tried(name, field, refused, receipt.code, receipt.detail, receipt.steps, fault, came)


def digest(tried: list[Tried]) -> str:
    """Return a hash of everything that came out."""
    return sha256(codec.encode([list(each) for each in tried])).hexdigest()


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    sys.path.insert(0, str(folder.parent))
    print(digest(drive(load(folder.name, sys.argv[2], folder)[1])[0]))
