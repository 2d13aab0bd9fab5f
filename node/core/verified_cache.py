"""What was verified is not verified again: transactions by their raw bytes, shared by ingress, gossip and blocks, and
signatures of validators, which come as votes and again in every certificate that holds these votes.

Law: only what was found good is in here; forgetting it costs time, never safety.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from coseal.ledger import signing
from coseal.ledger.signing import Verify
from coseal.ledger.transaction import Transaction

_ENTRIES_MAX: Final = 20_000
_BYTES_MAX: Final = 96 * 1024 * 1024
_SIGNATURES_MAX: Final = 4_096  # both phases of 20 heights of a hundred validators, in some 1.5 MB


class VerifiedCache:
    """A bounded cache raw bytes -> ``Transaction``; the oldest are forgotten first.

    The shell fills it (``add``) with what ``node.verifier`` checked; ``admit`` is what the executor and the
    machine call, and verifies what is missing itself.
    """

    def __init__(
        self, verify: Verify = signing.verify, *, entries_max: int = _ENTRIES_MAX, bytes_max: int = _BYTES_MAX
    ) -> None:
        self._verify = verify
        self._entries_max = entries_max
        self._bytes_max = bytes_max
        self._known: OrderedDict[bytes, Transaction] = OrderedDict()
        self._bytes = 0

    def __contains__(self, raw: bytes) -> bool:
        return raw in self._known

    def __len__(self) -> int:
        return len(self._known)

    @property
    def size_bytes(self) -> int:
        """The raw bytes held."""
        return self._bytes

    def add(self, transaction: Transaction) -> None:
        """Remember a transaction whose signature the caller has verified."""
        if transaction.raw in self._known:
            return
        self._known[transaction.raw] = transaction
        self._bytes += len(transaction.raw)
        while len(self._known) > self._entries_max or self._bytes > self._bytes_max:
            oldest, _ = self._known.popitem(last=False)
            self._bytes -= len(oldest)

    def get(self, raw: bytes) -> Transaction | None:
        """Return the transaction of ``raw`` if its signature was checked before."""
        return self._known.get(raw)

    def admit(self, raw: bytes) -> Transaction:
        """Return the transaction of ``raw``, verified now or before; raise a ``LedgerError`` if it is not valid."""
        known = self._known.get(raw)
        if known is not None:
            return known
        transaction = Transaction.decode(raw)
        self.verify(transaction)
        return transaction

    def verify(self, transaction: Transaction) -> None:
        """Check a decoded transaction's signature and remember that it is good; raise ``BadSignature``."""
        transaction.verify_signature(self._verify)
        self.add(transaction)

    def forget(self, raws: tuple[bytes, ...]) -> None:
        """Drop transactions that are committed and will not be asked for again."""
        for raw in raws:
            if self._known.pop(raw, None) is not None:
                self._bytes -= len(raw)


class VerifiedSignatures:
    """Remembers the signatures that ``verify`` found good; the oldest are forgotten first."""

    def __init__(self, verify: Verify, *, entries_max: int = _SIGNATURES_MAX) -> None:
        self._verify = verify
        self._entries_max = entries_max
        self._known: dict[tuple[bytes, bytes, bytes], None] = {}

    def __len__(self) -> int:
        return len(self._known)

    def verify(self, key: bytes, message: bytes, signature: bytes) -> bool:
        """Say whether the signature is good, as ``ledger.signing.verify`` does."""
        claim = (key, message, signature)
        if claim in self._known:
            return True
        if not self._verify(key, message, signature):
            return False
        self._known[claim] = None
        if len(self._known) > self._entries_max:
            del self._known[next(iter(self._known))]
        return True
