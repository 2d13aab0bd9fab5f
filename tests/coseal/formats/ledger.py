"""A log recorded by the contracts, in certified blocks that an exporter reads as from a node."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from coseal.formats.importers.log import Log
from coseal.ledger.block import Receipt
from coseal.ledger.transaction import sign
from tests.support.chain import Chain
from tests.support.genesis import make_genesis
from tests.support.keys import operator

NOW_MS = 8_000_000_000_000  # later than every event of a test


class Ledger:
    """Certified blocks in memory, and the ``audit.sources.Source`` that hands them over."""

    name = "ledger"

    def __init__(self) -> None:
        self.genesis = make_genesis(time_ms=NOW_MS)
        self.chain = Chain(self.genesis)
        self._salt = 0

    def submit(self, action: str, args: dict[str, Any], *, member: str = "enterprise-a") -> Receipt:
        """Commit one transaction in a block of its own; return its receipt."""
        self._salt += 1
        transaction = sign(
            operator(member),
            chain_id=self.genesis.chain_id,
            sender=f"{member}/admin",
            contract="process",
            action=action,
            args=args,
            valid_until_ms=self.chain.executor.time_ms + 300_000,
            salt=self._salt.to_bytes(16, "big"),
        )
        committed = self.chain.extend([transaction])
        return Receipt.decode(committed.receipts[1])

    def record(self, log: Log, *, member: str = "enterprise-a", batch: int = 400) -> None:
        """Record a log as the recorder does; every batch must take effect."""
        outcomes = [self.submit("define_type", log.definition, member=member)]
        outcomes.append(self.submit("register_source", log.source, member=member))
        for first in range(0, len(log.items), batch):
            items = list(log.items[first : first + batch])
            args = {"source": log.source["id"], "sequence": first + 1, "items": items}
            outcomes.append(self.submit("record", args, member=member))
        assert [outcome.detail for outcome in outcomes if not outcome.ok] == []

    # The source

    def tip(self) -> int:
        return len(self.chain.blocks)

    def blocks(self, first: int, last: int) -> Iterator[bytes]:
        return (committed.encode() for committed in self.chain.blocks[first - 1 : last])
