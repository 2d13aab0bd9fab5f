"""Reading a process from a node's blocks, believing only what the validators certified.

Law: every header follows the one before it from the genesis on, every block's transactions and receipts are those
of its header, and the last block is certified; so the items returned are all there are up to that height.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from coseal.audit.light import Anchor, check_certificate, follow, genesis_anchor
from coseal.audit.sources import Damaged, Source
from coseal.audit.sources import Unreachable as SourceUnreachable
from coseal.contracts.process.append import LIVE
from coseal.contracts.process.chain import chain
from coseal.contracts.process.recorded import RecordedItem, recorded_items
from coseal.contracts.process.types import normalised
from coseal.contracts.registry import PROCESS_TYPES
from coseal.errors import BadAnswer, CosealError, Unreachable
from coseal.formats.exporters.log import Row
from coseal.ledger.block import CommittedBlock, Receipt
from coseal.ledger.errors import LedgerError
from coseal.ledger.genesis import Genesis
from coseal.ledger.head import announced
from coseal.ledger.proof import verify_certified
from coseal.ledger.signing import ZERO_HASH
from coseal.ledger.transaction import Transaction
from coseal.ledger.validators import ValidatorSet

_PLACE = frozenset(("member", "definition", "height"))
"""What the state adds to a definition."""
Progress = Callable[[int, int], None]
"""``progress(height, goal)``."""


@dataclass(slots=True)
class SourceRecord:
    """One source of a process: what it registered, how many items it has, where its chain stands."""

    zone_minutes: int | None
    mode: str
    items: int = 0
    sequence: int = 0
    head: bytes = ZERO_HASH


@dataclass(slots=True)
class ProcessRecord:
    """All that is recorded of a process type up to ``height``; ``rows`` are its items in ledger order.

    ``definition`` is the last version, ``definitions`` the hash (hex) of each one by version.
    """

    process_type: str
    definition: dict[str, Any] = field(default_factory=dict)
    definitions: dict[int, str] = field(default_factory=dict)
    sources: dict[str, SourceRecord] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)
    first_height: int = 0
    height: int = 0
    block_hash: bytes = ZERO_HASH


def read_process(
    source: Source,
    genesis: Genesis,
    process_type: str | None = None,
    height: int | None = None,
    progress: Progress | None = None,
) -> ProcessRecord:
    """Return what is recorded of a process type (None: the only one) up to ``height`` (None: the source's tip).

    Raises ``BadAnswer`` if the source shows what is not certified, ``CosealError`` for an unknown type or a height
    that is not there.
    """
    report = progress or (lambda done, goal: None)
    try:
        goal = source.tip() if height is None else height
        if goal < 1:
            raise CosealError(f"{source.name} has no block yet", "see `coseal status`")
        return _read(source, genesis, process_type, goal, report)
    except SourceUnreachable as error:
        raise Unreachable(f"{source.name}: {error.reason}", "see `coseal status`") from None
    except Damaged as error:
        raise BadAnswer(f"{source.name}: block {error.height} is damaged: {error.reason}") from None
    except LedgerError as error:
        raise BadAnswer(f"{source.name} shows blocks that do not hold: {error.reason}") from None


def _read(source: Source, genesis: Genesis, process_type: str | None, goal: int, report: Progress) -> ProcessRecord:
    records: dict[str, ProcessRecord] = {}
    known: dict[str, None] = {}
    last: CommittedBlock | None = None
    anchor = genesis_anchor(genesis)
    for anchor, last in _followed(source, genesis, goal):
        _take(records, known, last, process_type)
        report(anchor.height, goal)
    if last is None or anchor.height != goal:
        raise CosealError(f"{source.name} has no block {anchor.height + 1}", f"it has blocks up to {anchor.height}")
    check_certificate(anchor, last.block.header, last.certificate)
    if len(records) != 1:
        found = ", ".join(known) or "none"
        which = "which process type?" if process_type is None else f"no process type {process_type}:"
        hint = "give --process-type" if known else "`coseal import` records a log and defines its type"
        raise CosealError(f"{which} up to height {goal} there are {found}", hint)
    (record,) = records.values()
    record.height, record.block_hash = goal, last.block.hash
    return record


def _followed(source: Source, genesis: Genesis, goal: int) -> Iterator[tuple[Anchor, CommittedBlock]]:
    anchor = genesis_anchor(genesis)
    for data in source.blocks(1, goal):
        committed = CommittedBlock.decode(data)
        before = anchor

        def find(
            wanted: bytes, epoch: int, committed: CommittedBlock = committed, before: Anchor = before
        ) -> ValidatorSet | None:
            verify_certified(committed.block.header, committed.certificate, before.chain_id, before.next_validators)
            return announced(committed)

        anchor = follow(before, committed.block.header, find)
        yield anchor, committed


def _take(
    records: dict[str, ProcessRecord], known: dict[str, None], committed: CommittedBlock, wanted: str | None
) -> None:
    """Take what a block says of the wanted process, of all if None; note the names of all in ``known``."""
    transactions = (None, *map(Transaction.decode, committed.block.transactions))
    for transaction, leaf in zip(transactions, committed.receipts, strict=True):
        receipt = Receipt.decode(leaf)
        for one in recorded_items(transaction, receipt):
            own = PROCESS_TYPES.get(one.process_type)
            if own is not None:
                _open_own(records, known, own, one, wanted)
            if one.process_type in records:
                _record(records[one.process_type], one, committed.block.header.height)
        if transaction is None:
            continue
        if transaction.contract != "process" or not receipt.ok:
            continue
        args, member = transaction.args, transaction.sender.partition("/")[0]
        if transaction.action == "define_type":
            known[args["id"]] = None
        if transaction.action == "define_type" and wanted in (None, args["id"]):
            record = records.setdefault(args["id"], ProcessRecord(args["id"]))
            record.definition = normalised(args)
            record.definitions[args["version"]] = receipt.data["definition"]
        elif transaction.action == "register_source" and args["process_type"] in records:
            registered = SourceRecord(args.get("zone_minutes"), args["mode"])
            records[args["process_type"]].sources[f"{member}/{args['id']}"] = registered


def _open_own(
    records: dict[str, ProcessRecord],
    known: dict[str, None],
    definition: Mapping[str, Any],
    one: RecordedItem,
    wanted: str | None,
) -> None:
    """Have a contract's own process type, and its source, from the first item on that it appended."""
    known[one.process_type] = None
    if wanted == one.process_type:  # never meant where none is named: its items come beside what others record
        record = records.setdefault(one.process_type, ProcessRecord(one.process_type))
        record.definition = {name: definition[name] for name in definition if name not in _PLACE}
        record.definitions[definition["version"]] = definition["definition"]
        record.sources.setdefault(one.source, SourceRecord(None, LIVE))


def _record(record: ProcessRecord, one: RecordedItem, height: int) -> None:
    source, digest = record.sources[one.source], one.hash
    record.first_height = record.first_height or height
    record.rows.append((one.source, one.sequence, one.item, source.zone_minutes))
    record.hashes.append(digest)
    source.items, source.sequence, source.head = source.items + 1, one.sequence, chain(source.head, digest)
