"""One source being read in step with the others, and what becomes of it.

Law: a source that fails ends its own feed and nobody else's; why it ended is kept for the report.
"""

from __future__ import annotations

from collections.abc import Iterator

from coseal.audit.light import OtherChain
from coseal.audit.report import Finding, SourceReport
from coseal.audit.sources import Damaged, Pruned, Source, Unreachable
from coseal.ledger.errors import LedgerError
from coseal.ledger.handover import MAX_HANDOVERS, Handover

RUN_BYTES = 16 * 1024 * 1024
"""How many bytes of blocks a feed reads ahead, one block more at most."""


class Feed:
    """A source with the blocks read ahead: ``pending[0]`` is the block after ``agreed``.

    ``findings`` collects what makes the source itself false or damaged.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.name = source.name
        self.claimed: int | None = None
        self.agreed = 0
        self.pending: list[bytes] = []
        self.active = True
        self.findings: list[Finding] = []
        self._status, self._note = "ok", ""
        self._ended = False
        self._agrees = False
        self._first = 1  # the lowest block it has, as far as is known
        self._last = 0
        self._blocks: Iterator[bytes] = iter(())

    def ask(self) -> None:
        """Learn the tip the source claims; it ends if it does not answer."""
        try:
            self.claimed = self.source.tip()
        except Unreachable as error:
            self.end("unreachable", error.reason)

    def open(self, first: int, last: int) -> None:
        """Begin reading at ``first``."""
        self.agreed, self._last = first - 1, last
        self._blocks = iter(self.source.blocks(first, last))

    def handovers(self, last_epoch: int | None = None) -> Iterator[Handover]:
        """Yield what the source shows of the handovers, up to that to ``last_epoch``; nothing of it is verified.

        Ends where the source fails; raises ``Malformed`` for what is no handover.
        """
        try:
            for number, raw in enumerate(self.source.handovers()):
                handover = Handover.decode(raw)
                if number >= MAX_HANDOVERS or (last_epoch is not None and handover.epoch > last_epoch):
                    return
                yield handover
        except (Unreachable, Damaged):
            return

    @property
    def waiting(self) -> bool:
        """Whether it has pruned the next block, and has later ones to compare when the audit comes to them."""
        return self.active and self.agreed + 1 < self._first

    @property
    def lacks(self) -> int:
        """How many of the next blocks it has pruned; it is compared from there on."""
        return self._first - 1 - self.agreed if self.waiting else 0

    def fill(self, count: int) -> int:
        """Read ahead up to ``count`` blocks, fewer if they are large; return how many are there."""
        size = sum(map(len, self.pending))
        while self.active and not self._ended and not self.waiting and len(self.pending) < count and size < RUN_BYTES:
            try:
                block = next(self._blocks, None)
            except Pruned as error:
                self._first = error.first_height
                if not self.waiting:  # it has pruned meanwhile what it gave before
                    self._fault(Unreachable(str(error)))
                break
            except (Unreachable, Damaged) as error:
                self._fault(error)
                break
            if block is None:
                self._ended = True
                break
            self.pending.append(block)
            size += len(block)
        return len(self.pending)

    def advance(self, count: int) -> None:
        """Note that the next ``count`` blocks agree with the audited chain, or are none that it could show."""
        if self.waiting:
            self.agreed += count
            if not self.waiting:
                self._blocks = iter(self.source.blocks(self.agreed + 1, self._last))
            return
        taken = min(count, len(self.pending))
        del self.pending[:taken]
        self.agreed += taken
        self._agrees = self._agrees or taken > 0

    def end(self, status: str, note: str) -> None:
        """Take no more from this source."""
        self.active = False
        self.pending.clear()
        self._status, self._note = status, note

    def refute(self, height: int, error: LedgerError) -> None:
        """End a source whose block at ``height`` is false."""
        self.findings.append(Finding(height, error.reason, self.name))
        self.end("other_chain" if isinstance(error, OtherChain) else "refuted", f"block {height}: {error.reason}")

    def close(self, goal: int) -> None:
        """End a source that has no more blocks; ``goal`` is the height that was asked for."""
        if self._note or not self.active:
            self.active = False
            return
        if self.waiting:
            self.end("pruned", f"{self._begins}; what is before needs an archive, or a node that keeps all blocks")
            return
        expected = min(goal, self.claimed or 0)
        if self.agreed < expected:
            reason = f"it claims height {self.claimed} and has no block {self.agreed + 1}"
            self.findings.append(Finding(self.agreed + 1, reason, self.name))
            self.end("false_tip", reason)
        elif self.agreed < goal:
            self.end("behind", f"it has blocks up to {min(self.agreed, self.claimed or 0)} only")

    def report(self) -> SourceReport:
        """Return how it did."""
        if self._first > 1 and self._status == "ok":
            return SourceReport(self.name, "pruned", self.claimed, max(self.agreed, 0), f"{self._begins} and agree")
        return SourceReport(self.name, self._status, self.claimed, self.agreed if self._agrees else 0, self._note)

    @property
    def pruned(self) -> bool:
        """Whether it lacks blocks that it had once."""
        return self._first > 1

    @property
    def _begins(self) -> str:
        return f"its blocks begin at height {self._first}"

    def _fault(self, error: Unreachable | Damaged) -> None:
        """Remember why there are no more blocks; those read before it still count."""
        self._ended = True
        if isinstance(error, Unreachable):
            self._status, self._note = "unreachable", error.reason
        elif error.torn:
            self._status, self._note = "torn", f"block {error.height}: {error.reason}"
            self.claimed = error.height - 1
        else:
            self._status, self._note = "damaged", f"block {error.height}: {error.reason}"
            self.findings.append(Finding(error.height, error.reason, self.name))
