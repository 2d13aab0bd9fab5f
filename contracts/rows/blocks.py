"""How committed blocks become rows.

Law: what is written for a block depends on the rows before it, its transactions and its receipts alone; a rejected
transaction leaves its rows in ``transactions`` and ``acts`` and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from coseal.contracts.kernel.action import APPENDED
from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.place import BEGIN, Act
from coseal.contracts.kernel.rows.writer import Put
from coseal.contracts.registry import CONTRACTS, NO_OTHERS, Others, coming
from coseal.contracts.rows.others import OthersRows, Unwritten
from coseal.contracts.rows.tables import ACTS, BLOCKS, LEFT_OUT, TRANSACTIONS
from coseal.ledger.block import CommittedBlock, Receipt
from coseal.ledger.genesis import Sources
from coseal.ledger.render import plain
from coseal.ledger.transaction import Transaction

REASON_MAX: Final = 400


class Part(NamedTuple):
    """A part of a block: a transaction, or None for what was due at its start; its receipt, and what rows say of it."""

    tx: Transaction | None
    receipt: Receipt
    act: Act

    @property
    def name(self) -> str:
        """``contract.action``, or ``begin``."""
        return "begin" if self.tx is None else f"{self.tx.contract}.{self.tx.action}"


class LeftOut(NamedTuple):
    """What has no rows: its place (position -1: what was due), ``contract.action``, and the fault.

    ``contract`` is the contract of others whose rows alone are missing, empty if all are.
    """

    height: int
    position: int
    contract: str
    name: str
    error: Any  # an exception; see contracts.kernel.overlay.Fault


class BlockRows:
    """Puts the rows of blocks, in order, into ``rows``; ``others`` are the contracts of others that are known here,
    ``genesis`` those that the chain began with.
    """

    def __init__(self, rows: Rows, others: Others = NO_OTHERS, genesis: Sequence[Sources] = ()) -> None:
        self._rows = rows
        self._others = OthersRows(rows, others, genesis)
        self._left: list[LeftOut] = []
        self._detailed = rows.holds(ACTS)
        self._blocks, self._transactions = rows.of(BLOCKS), rows.of(TRANSACTIONS)
        self._writers = {name: contract.rows(rows) for name, contract in CONTRACTS.items() if contract.rows is not None}
        self._accepted: dict[str, list[Put]] = {}
        self._elsewhere: dict[str, str] = {}
        for writer in self._writers.values():
            self._elsewhere.update(writer.elsewhere)
            for action, put in writer.accepted.items():
                self._accepted.setdefault(action, []).append(put)

    def write(
        self,
        committed: CommittedBlock,
        transactions: Sequence[Transaction] = (),
        decode_receipt: Callable[[bytes], Receipt] = Receipt.decode,
    ) -> None:
        """Put the rows of one block; see ``parts_of`` for its parts."""
        self.begin(committed)
        for part in parts_of(committed, transactions, decode_receipt):
            self.put(part)
            for name in self.concerned(part):
                try:
                    self._others.put(name, *part)
                except Unwritten as reason:
                    self.leave_out(part, reason, name)
        self.finish()
        self._others.finish()

    def take_left(self) -> list[LeftOut]:
        """Return, once, what ``write`` left out."""
        left, self._left = self._left, []
        return left

    def begin(self, committed: CommittedBlock) -> None:
        """Put the row of the block itself."""
        header = committed.block.header
        certificate = committed.certificate
        self._others.at(header.height)
        self._blocks.add(
            header.height, header.hash, header.time_ms, header.proposer, certificate.round, header.tx_count
        )

    def put(self, part: Part) -> None:
        """Put the rows of a transaction, or of what was due at the start of a block."""
        tx, receipt, act = part
        if tx is None:
            self._due(receipt, act)
            return
        self._named(tx, receipt, act)
        if self._detailed:
            self._act(act, part.name, tx.args, receipt)
        for put in self._accepted.get(part.name, ()) if receipt.ok else ():
            put(tx, receipt.data, act)
        if receipt.ok:
            self._append(receipt.data, act)

    def concerned(self, part: Part) -> list[str]:
        """Return the contracts of others that have rows of a part, by name."""
        if self._others.idle:
            return []
        self._others.at(part.act.height)
        return list(self._others.concerned(part.tx, part.receipt))

    def put_of(self, name: str, part: Part) -> None:
        """Put the rows that one contract of others has of a part, and what they count up to."""
        self._others.at(part.act.height)
        self._others.put(name, *part)
        self._others.finish(name)

    def leave_out(self, part: Part, error: Exception, name: str = "") -> LeftOut:
        """Put, instead of the rows of ``part``, that there is such a transaction and why no more is said of it.

        ``name``: the contract of others whose rows alone are left out.
        """
        if part.tx is not None and not name:
            self._named(part.tx, part.receipt, part.act)
        self._rows.of(LEFT_OUT).add(*part.act.where, name, part.name, reason_of(error))
        self._left.append(LeftOut(*part.act.where, name, part.name, error))
        return self._left[-1]

    def _named(self, tx: Transaction, receipt: Receipt, act: Act) -> None:
        self._transactions.add(tx.id, *act.where, tx.sender, tx.contract, tx.action, receipt.code)

    def finish(self) -> None:
        """Put what a block's rows count up to, once for all of them."""
        for writer in self._writers.values():
            if writer.finish is not None:
                writer.finish()

    def _due(self, receipt: Receipt, act: Act) -> None:
        for name, writer in self._writers.items():
            due = receipt.data.get(name)
            if due and writer.due is not None:
                writer.due(due, act)
        for name in sorted(receipt.data):
            self._append(receipt.data[name], act)
        if self._detailed and receipt.data:
            self._act(act, "begin", {}, receipt)
        came = coming(receipt.data, act.height)
        if came:
            self._others.admit(came)

    def _append(self, data: Mapping[str, Any], act: Act) -> None:
        """Put what a contract appended to process data."""
        for writer in self._writers.values() if APPENDED in data else ():
            if writer.appended is not None:
                writer.appended(data, act)

    def _act(self, act: Act, name: str, args: Mapping[str, Any], receipt: Receipt) -> None:
        elsewhere = self._elsewhere.get(name)
        said = {key: plain(value) for key, value in args.items() if key != elsewhere}
        self._rows.of(ACTS).add(
            *act.where, act.member, name, int(receipt.ok), receipt.detail, said, plain(receipt.data)
        )


def reason_of(error: Exception) -> str:
    """Return a fault as a text that every database can hold."""
    kind = "" if isinstance(error, Unwritten) else f"{type(error).__name__}: "
    said = f"{kind}{error}".encode("utf-8", "replace").decode()
    return said.replace("\x00", "")[:REASON_MAX]


def parts_of(
    committed: CommittedBlock,
    transactions: Sequence[Transaction] = (),
    decode_receipt: Callable[[bytes], Receipt] = Receipt.decode,
) -> Iterator[Part]:
    """Yield what was due at the start of a block, then its transactions; these are given if parsed already.

    ``decode_receipt`` is ``Receipt.decode_own`` for a block that was decided here.
    """
    header = committed.block.header
    receipts = map(decode_receipt, committed.receipts)
    yield Part(None, next(receipts), Act("", b"", header.time_ms, header.height, BEGIN))
    for position, tx in enumerate(transactions or map(Transaction.decode, committed.block.transactions)):
        yield Part(tx, next(receipts), Act(tx.sender, tx.id, header.time_ms, header.height, position))
