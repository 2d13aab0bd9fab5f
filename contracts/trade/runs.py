"""What a netting run is, and in which phase: for the acts that a run keeps from happening, and those of the run itself.

Law: block time alone says whether a run is open, in its clearing hour or over; only that it cleared is written.

contracts/trade/README.md, section Netting.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from coseal.contracts.kernel.action import Reader, Rejected
from coseal.contracts.kernel.wording import moment_text
from coseal.contracts.trade.ledger import Receivable
from coseal.contracts.trade.state import run_key

OPEN: Final = "open"
CLEARED: Final = "cleared"
LAPSED: Final = "lapsed"
STATUSES: Final[tuple[str, ...]] = (OPEN, CLEARED, LAPSED)
CLEARING: Final = "clearing"
ENDED: Final = "ended"
CLEARING_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Run:
    """A run as the state has it; ``total`` is what it cleared, in fen."""

    by: str
    closes_ms: int
    status: str
    height: int
    total: int = 0

    def encoded(self) -> dict[str, Any]:
        """Return it as the state has it."""
        return asdict(self)


def run_of(reader: Reader, number: int) -> Run | None:
    """Return a run, or None."""
    value: Any = reader.get(run_key(number)) if number else None
    return None if value is None else Run(**value)


def phase(run: Run | None, time_ms: int) -> str:
    """Return ``open``, ``clearing`` or ``ended``; nothing is in a run that there never was."""
    if run is None or run.status != OPEN or time_ms >= run.closes_ms + CLEARING_MS:
        return ENDED
    return OPEN if time_ms < run.closes_ms else CLEARING


def clears_until(reader: Reader, receivable: Receivable, time_ms: int) -> int | None:
    """Return when the clearing hour ends in which a receivable does not change, or None if it is in none."""
    run = run_of(reader, receivable.run)
    return run.closes_ms + CLEARING_MS if run is not None and phase(run, time_ms) == CLEARING else None


def being_cleared(reader: Reader, number: int, receivable: Receivable, time_ms: int) -> Rejected | None:
    """Refuse to change a receivable in the clearing hour of its run."""
    until_ms = clears_until(reader, receivable, time_ms)
    if until_ms is None:
        return None
    until = moment_text(until_ms)
    return Rejected("in_run", f"R{number} is being cleared in N{receivable.run}, until {until} at most")  # D23


def shown_run(number: int, run: Run) -> dict[str, Any]:
    """Return a run as receipts show it."""
    return {"id": f"N{number}", "by": run.by, "closes_ms": run.closes_ms, "status": run.status, "total": run.total}
