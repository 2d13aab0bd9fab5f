"""The checks of one run of blocks that cost time: signatures, roots, transaction signatures, on several threads.

Law: a check that was left out because an equal one succeeded is one over the very same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor as Pool
from dataclasses import dataclass
from itertools import chain
from typing import Final, TypeVar

from coseal.audit.light import Anchor, check_certificate, check_last_commit
from coseal.ledger import codec, signing
from coseal.ledger.block import CommittedBlock
from coseal.ledger.certificates import Certificate, decode_certificate
from coseal.ledger.errors import LedgerError, Malformed
from coseal.ledger.transaction import Transaction

_Item = TypeVar("_Item")

WORKERS: Final = 2
"""Threads for signatures; PyNaCl releases the interpreter's lock while it verifies."""


@dataclass(frozen=True, slots=True)
class Copy:
    """What another source holds for the block of the same hash; ``committed`` if its body differs in any byte."""

    source: int
    certificate: Certificate
    committed: CommittedBlock | None


@dataclass(frozen=True, slots=True)
class Step:
    """One height of a run: the anchor below and at it, the leading source's block, the others' copies of it."""

    parent: Anchor
    anchor: Anchor
    committed: CommittedBlock
    copies: tuple[Copy, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """A step of a run that does not hold: its position, whose copy (None: the leading one), and why."""

    position: int
    source: int | None
    reason: str


class _Memo:
    """A verifier that remembers what it accepted at this height and the one below.

    A block's last_commit and the certificates other sources hold repeat the very signatures checked before.
    """

    def __init__(self) -> None:
        self._accepted: set[tuple[bytes, bytes, bytes]] = set()
        self._older: set[tuple[bytes, bytes, bytes]] = set()

    def advance(self) -> None:
        self._older, self._accepted = self._accepted, set()

    def verify(self, key: bytes, message: bytes, signature: bytes) -> bool:
        triple = (key, message, signature)
        if triple in self._accepted or triple in self._older:
            return True
        if not signing.verify(key, message, signature):
            return False
        self._accepted.add(triple)
        return True


def check_steps(pool: Pool, steps: Sequence[Step], *, roots: bool) -> list[Fault]:
    """Check certificates, parents' certificates and, with ``roots``, bodies; return the faults by position."""
    parts = _split(list(enumerate(steps)), WORKERS)
    return sorted(
        chain.from_iterable(pool.map(lambda part: _check_part(part, roots=roots), parts)),
        key=lambda fault: (fault.position, fault.source is not None, fault.source or 0),
    )


def check_only_last(step: Step, position: int) -> list[Fault]:
    """Check the certificate of one step, and of its copies."""
    return _check_step(step, position, _Memo(), roots=False, parent=False)


def admit_all(pool: Pool, steps: Sequence[Step]) -> dict[bytes, Transaction]:
    """Decode and verify all transactions of a run; those that fail are left out, to fail again where it is told."""
    raws = list(chain.from_iterable(step.committed.block.transactions for step in steps))
    admitted: dict[bytes, Transaction] = {}
    for part in pool.map(_admit_part, _split(raws, WORKERS * 4)):
        admitted.update(part)
    return admitted


def same_block(committed: CommittedBlock, data: bytes, source: int) -> Copy | None:
    """Return another source's copy if its block has the same header, None if not; raise ``Malformed``."""
    block_raw, certificate_raw, receipts = codec.decode_record(data, "committed", 1, 3)
    if block_raw == committed.block.raw and receipts == list(committed.receipts):
        certificate = decode_certificate(codec.octets(certificate_raw, "certificate"))
        if not certificate.is_of(committed.block.header):
            raise Malformed("the certificate is of another block")
        return Copy(source, certificate, None)
    other = CommittedBlock.decode(data, check_roots=False)
    return Copy(source, other.certificate, other) if other.block.hash == committed.block.hash else None


def _check_part(part: Sequence[tuple[int, Step]], *, roots: bool) -> list[Fault]:
    memo, faults = _Memo(), []
    for position, step in part:
        memo.advance()
        faults += _check_step(step, position, memo, roots=roots, parent=True)
        if faults and faults[-1].source is None:
            break
    return faults


def _check_step(step: Step, position: int, memo: _Memo, *, roots: bool, parent: bool) -> list[Fault]:
    committed, header = step.committed, step.committed.block.header
    try:
        if parent:
            check_last_commit(step.parent, header, committed.block.last_commit, memo.verify)
        check_certificate(step.anchor, header, committed.certificate, memo.verify)
        if roots:
            committed.check_roots()  # A8
    except LedgerError as error:
        return [Fault(position, None, error.reason)]
    faults = []
    for copy in step.copies:
        try:
            if copy.certificate != committed.certificate:
                check_certificate(step.anchor, header, copy.certificate, memo.verify)
            if roots and copy.committed is not None:
                copy.committed.check_roots()
        except LedgerError as error:
            faults.append(Fault(position, copy.source, error.reason))
    return faults


def _admit_part(raws: Sequence[bytes]) -> dict[bytes, Transaction]:
    admitted = {}
    for raw in raws:
        try:
            transaction = Transaction.decode(raw)
            transaction.verify_signature()
        except LedgerError:
            continue
        admitted[raw] = transaction
    return admitted


def _split(items: Sequence[_Item], count: int) -> list[Sequence[_Item]]:
    """Return ``items`` in at most ``count`` runs of nearly equal length."""
    size = max(1, -(-len(items) // count))
    return [items[start : start + size] for start in range(0, len(items), size)]
