"""The recorded chain: its transactions executed again, and the results as lines of JSON.

Law: recorded transactions are executed as they were recorded, never signed again; all that a block gives is compared.

The first line is the genesis. Of a block there is a line of what was due at its start (``height``), one for each of its
transactions (``tx``), and one with its roots and the hash of its events; a block that is refused whole has one line
(``refused``). The last lines have the hashes of all rows, by table.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

from coseal.contracts.block_events import BEGIN, BlockEvent, block_events, place_text
from coseal.contracts.execution import Outcome, decode_and_verify
from coseal.contracts.kernel.action import Rejected, Result, View
from coseal.contracts.kernel.admitted import history
from coseal.contracts.kernel.contract import Contract, Entry, Fire, Moment
from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.schema import SQLITE, Table, definitions
from coseal.contracts.registry import Others, others_at
from coseal.contracts.rows.blocks import BlockRows
from coseal.contracts.rows.tables import CORE, TABLES
from coseal.ledger.block import CommittedBlock, Header, Receipt
from coseal.ledger.certificate import PbftCertificate, Phase
from coseal.ledger.genesis import Genesis
from coseal.ledger.render import plain
from coseal.ledger.signing import ZERO_HASH
from coseal.ledger.state import split_entry
from coseal.ledger.transaction import Transaction
from coseal.node.index.database import Writer
from tests.support.chain import Chain
from tests.support.others import TALLIES
from tests.vectors.recorded.scenario import VERSIONS, Offered

SHOWN_CHARACTERS: Final = 8_192
"""The longest data of a receipt that a line shows; of longer ones it has the hash."""

Line = dict[str, Any]


def offered_in(lines: Sequence[Line]) -> Iterator[Offered]:
    """Yield what was offered to a recorded chain."""
    transactions: dict[int, list[bytes]] = {}
    for line in lines:
        if "tx" in line:
            transactions.setdefault(line["block"], []).append(bytes.fromhex(line["tx"]))
    for line in lines:
        if "refused" in line:
            yield Offered(line["time_ms"], tuple(map(bytes.fromhex, line["transactions"])), line["refused"])
        elif "height" in line:
            yield Offered(line["time_ms"], tuple(transactions.get(line["height"], ())))


class Replay:
    """Executes blocks on a chain of its own, and takes their events and rows.

    ``fired`` are the kinds of due things that were done, by contract; ``event_kinds`` those of the feed.
    """

    def __init__(self, genesis: Genesis) -> None:
        self.fired: set[tuple[str, str]] = set()
        self.event_kinds: set[str] = set()
        rules = {version: self._watched(contracts) for version, contracts in VERSIONS.items()}
        self.chain = Uncertified(genesis, rules, TALLIES)
        self.detailed, self.node = Index(TABLES), Index(CORE)

    def _watched(self, contracts: Mapping[str, Contract]) -> dict[str, Contract]:
        """Return contracts that note each due thing that is done."""

        def watched(name: str, fire: Fire) -> Fire:
            def fire_and_note(view: View, moment: Moment, entry: Entry) -> Result:
                self.fired.add((name, str(entry[0]) if entry[0] != "show" else f"show {entry[1]}"))
                return fire(view, moment, entry)

            return fire_and_note

        return {
            name: contract if contract.fire is None else replace(contract, fire=watched(name, contract.fire))
            for name, contract in contracts.items()
        }

    def lines(self, offered: Iterable[Offered]) -> Iterator[Line]:
        """Execute what was offered; yield the lines of the recording."""
        yield {"genesis": self.chain.genesis.raw.decode()}
        for offer in offered:
            yield from self.refused(offer) if offer.code else self.block(offer)
        for name, index in (("detailed", self.detailed), ("node", self.node)):
            yield from ({"rows": name, **line} for line in index.lines())

    def refused(self, offer: Offered) -> Iterator[Line]:
        """Offer a block; yield what the refusal says."""
        transactions = [Transaction.decode(raw) for raw in offer.transactions]
        roots = dict.fromkeys(("receipts_root", "state_root", "next_validators_hash"), ZERO_HASH)
        refusal = self.chain.executor.execute_block(self.chain.draft(transactions, offer.time_ms, **roots))
        if not isinstance(refusal, Rejected):
            refusal = Rejected("", "the block is valid")
        yield {
            "refused": refusal.code,
            "detail": refusal.detail,
            "time_ms": offer.time_ms,
            "transactions": [raw.hex() for raw in offer.transactions],
        }

    def block(self, offer: Offered) -> Iterator[Line]:
        """Execute and commit a block; yield its lines."""
        executor = self.chain.executor
        transactions = [decode_and_verify(raw) for raw in offer.transactions]
        for position, tx in enumerate(transactions):
            refusal = executor.check(tx, offer.time_ms)
            if refusal is not None:
                place = f"block {executor.height + 1}, transaction {position}"
                raise RuntimeError(f"{place}: {refusal.code}, {refusal.detail}")
        fixed = {"proposer": executor.validators[0].id, "last_commit_hash": ZERO_HASH}  # whatever the certificates are
        committed = self.chain.extend(transactions, later_ms=offer.time_ms - executor.time_ms, **fixed)
        for index in (self.detailed, self.node):
            index.take(committed, transactions)
        others = others_at(history(executor.reader), executor.height, TALLIES)
        events = list(block_events(committed, (executor.height, BEGIN, 0), others))
        self.event_kinds |= {event.kind for event in events}
        yield from _block_lines(committed, transactions, events)


class Uncertified(Chain):
    """A chain whose certificates are empty: no key is needed to execute it again.

    ``written`` are all keys that its state ever had.
    """

    def __init__(self, genesis: Genesis, rules: Mapping[int, Any], others: Others) -> None:
        super().__init__(genesis, rules, others)
        self.written = {key_in(entry) for _, bucket in self.store.buckets() for _, entry in bucket}

    def commit(self, outcome: Outcome) -> None:
        """Make an outcome the tip, and note the keys that it wrote."""
        super().commit(outcome)
        self.written |= {key_in(entry) for entry in outcome.change.entries.values() if entry is not None}

    def certify(self, header: Header, *_: Any, **__: Any) -> PbftCertificate:
        """Return a certificate without signatures."""
        return PbftCertificate(Phase.COMMIT, header.epoch, header.height, 0, header.hash, b"", ())


def key_in(entry: bytes) -> str:
    """Return the key in an entry of the state."""
    return split_entry(entry)[0].decode()


def _block_lines(
    committed: CommittedBlock, transactions: Sequence[Transaction], events: Sequence[BlockEvent]
) -> Iterator[Line]:
    header = committed.block.header
    begun, *receipts = map(Receipt.decode, committed.receipts)
    yield {
        "height": header.height,
        "time_ms": header.time_ms,
        "begun": _shown(begun),
    }
    for position, (tx, receipt) in enumerate(zip(transactions, receipts, strict=True)):
        yield {
            "block": header.height,
            "position": position,
            "action": f"{tx.contract}.{tx.action}",
            "sender": tx.sender,
            "code": receipt.code,
            **({"detail": receipt.detail} if receipt.detail else {}),
            **_shown(receipt),
            "tx": tx.raw.hex(),
        }
    yield {
        "block": header.height,
        "receipts_root": header.receipts_root.hex(),
        "state_root": header.state_root.hex(),
        "next_validators_hash": header.next_validators_hash.hex(),
        "events": _hash([[place_text(event.place), event.kind, *event.contracts, event.data] for event in events]),
    }


def _shown(receipt: Receipt) -> dict[str, Any]:
    """Return the steps and data of a receipt, or the hash of data that would make too long a line."""
    data = plain(receipt.data)
    text = _text(data)
    shown = {"data": data} if len(text) <= SHOWN_CHARACTERS else {"data_hash": sha256(text.encode()).hexdigest()}
    return {"steps": receipt.steps, **(shown if data else {})}


class Index:
    """Rows of some tables, in memory."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self._tables = tables
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        for statement in definitions(tables, (), SQLITE):
            self._connection.execute(statement)
        self._rows = Rows(Writer(self._connection), tables)
        self._blocks = BlockRows(self._rows, TALLIES)

    def take(self, committed: CommittedBlock, transactions: Sequence[Transaction]) -> None:
        """Write the rows of a block."""
        self._connection.execute("BEGIN")
        self._blocks.write(committed, transactions, Receipt.decode_own)
        self._rows.flush()
        self._connection.execute("COMMIT")

    def rows(self, table: Table) -> list[tuple[Any, ...]]:
        """Return the rows of a table by key."""
        return self._connection.execute(f"SELECT * FROM {table.name} ORDER BY {', '.join(table.key)}").fetchall()

    def lines(self) -> Iterator[Line]:
        """Yield of each table how many rows it has and their hash."""
        for table in self._tables:
            rows = [[value.hex() if isinstance(value, bytes) else value for value in row] for row in self.rows(table)]
            yield {"table": table.name, "count": len(rows), "hash": _hash([list(table.names), rows])}


def _hash(value: Any) -> str:
    return sha256(_text(value).encode()).hexdigest()


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


# The file


def text_of(lines: Iterable[Line]) -> str:
    """Return lines as the file has them."""
    return "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)


def read(text: str) -> list[Line]:
    """Return the lines of a file."""
    return [json.loads(line) for line in text.splitlines()]


def first_difference(expected: Sequence[Line], found: Sequence[Line]) -> str:
    """Say where two recordings differ first; empty if they do not."""
    for before, after in zip(expected, found, strict=False):
        for name in {**before, **after}:
            if before.get(name) != after.get(name):
                return f"{_place(before)}: {name}\n  expected {_short(before, name)}\n  found    {_short(after, name)}"
    if len(expected) != len(found):
        return f"{len(expected)} lines expected, {len(found)} found"
    return ""


def _place(line: Line) -> str:
    if "tx" in line:
        return f"block {line['block']}, transaction {line['position']} ({line['action']} by {line['sender']})"
    if "rows" in line:
        return f"rows ({line['rows']}) of {line['table']}"
    height = line.get("height", line.get("block"))
    return next(iter(line)) if height is None else f"block {height}"


def _short(line: Line, name: str) -> str:
    return _text(line[name])[:2_000] if name in line else "nothing"
