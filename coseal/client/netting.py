"""A netting run solved on the client's side: its receivables as the certified state has them, and what clears most.

Law: all that is solved is proven as of one block; the contract checks the solution again when it is sent.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from coseal.client.exchange import Exchange
from coseal.client.proven import proven_values
from coseal.client.session import Session
from coseal.contracts.supervision.state import hold_key, holds_key
from coseal.contracts.trade.clearing import Obligation
from coseal.contracts.trade.history import PARTY, RECEIVABLE
from coseal.contracts.trade.ledger import number_of
from coseal.contracts.trade.netting import Entered, in_run, obligations
from coseal.contracts.trade.runs import Run, run_of
from coseal.contracts.trade.solving import Solution, solve
from coseal.contracts.trade.state import NAME, entered_key, receivable_key, run_key
from coseal.errors import CosealError


class Solved(NamedTuple):
    """A run as of a block, what is in it in the order of entering, and the greatest clearing of it."""

    name: str
    run: Run
    receivables: list[str]
    obligations: list[Obligation]
    solution: Solution
    height: int

    @property
    def arguments(self) -> dict[str, Any]:
        """What ``trade.clear`` takes."""
        found = self.solution
        return {"run": self.name, "cleared": list(found.cleared), "potentials": dict(found.potentials)}

    @property
    def parties(self) -> dict[str, tuple[int, int, int]]:
        """By party: fen that it owes, that it is owed, and that clear on either side."""
        sums: dict[str, list[int]] = {name: [0, 0, 0] for name in sorted(self.solution.potentials)}
        for one, cleared in zip(self.obligations, self.solution.cleared, strict=True):
            sums[one.debtor][0] += one.amount
            sums[one.holder][1] += one.amount
            sums[one.debtor][2] += cleared
        return {name: (owes, owed, clears) for name, (owes, owed, clears) in sums.items()}


def solved(session: Session, name: str, min_height: int = 0) -> Exchange[Solved]:
    """Return a run, proven, with the greatest clearing of it; see ``Client.solved_run``."""
    number = number_of(name, "N")
    first = [run_key(number), entered_key(number), holds_key(NAME)]
    seen = yield from proven_values(session, first, min_height)
    run = run_of(seen, number)
    if run is None:
        raise CosealError(f"there is no run {name}", "`coseal netting list` names those that there are")
    numbers = Entered.read(seen, number).numbers
    if not numbers:
        raise CosealError(f"nothing is in {name}")
    # a second reading of the run and of all that is in it, as of one block
    keys = [*first, *map(receivable_key, numbers)]
    seen = yield from proven_values(session, keys, min_height)
    if seen.get(holds_key(NAME)) is not None:
        found = in_run(seen, number)
        parties = sorted({party for _, one in found for party in (one.debtor, one.holder)})
        holds = [hold_key(NAME, PARTY, party) for party in parties]
        holds += [hold_key(NAME, RECEIVABLE, f"R{each}") for each in numbers]
        seen = yield from proven_values(session, [*keys, *holds], min_height)
    receivables = in_run(seen, number)
    owed = obligations(seen, run, receivables)
    return Solved(name, run, [f"R{each}" for each, _ in receivables], owed, solve(owed), seen.height)
