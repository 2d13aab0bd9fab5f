"""The statement of a wallet made by an auditor, from blocks alone: a folder, an archive, or any nodes.

Law: every block is verified and every outcome computed again before a line is written; the document is the one that a
node gives, and verified as its receiver will.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from coseal.audit.audit import Progress
from coseal.audit.replay import Replay
from coseal.audit.report import AuditReport
from coseal.audit.sources import Damaged, Source, Unreachable
from coseal.audit.statement import verify_wallet_statement
from coseal.audit.steps import Trace
from coseal.contracts.currency import statement
from coseal.contracts.currency.ledger import ISSUANCE, Movement, month_start_ms, next_month
from coseal.contracts.currency.lists import MOVEMENTS
from coseal.contracts.currency.statement import Period, TooManyMonths
from coseal.contracts.membership import epochs
from coseal.errors import BadAnswer, CosealError
from coseal.ledger.block import CommittedBlock
from coseal.ledger.errors import LedgerError
from coseal.ledger.genesis import Genesis
from coseal.ledger.handover import Handover, with_handovers
from coseal.ledger.proof import CertifiedValue
from coseal.sql.sqlite import SqliteStore
from coseal.sql.sync import sync


def statement_from(
    sources: Sequence[Source],
    genesis: Genesis,
    name: str,
    period: Period,
    *,
    last: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Return the statement of a wallet as of block ``last`` (None: the highest that any source has).

    Raises ``BadAnswer`` if the chain does not verify, ``CosealError`` if there is no such wallet or no blocks.
    """
    state = Replay(genesis)
    with TemporaryDirectory() as folder, closing(SqliteStore(Path(folder) / "index.sqlite")) as store:
        report = sync(store, sources, genesis, last=last, replay=True, progress=progress, state=state).report
        if report is None or not report.ok or not report.blocks:
            raise _unverified(report)
        try:
            keys = statement.keys(state.reader, name, period)
        except TooManyMonths as error:
            raise CosealError(str(error)) from None
        tip = _block(sources, report.last, report.head_hash or "")
        values = [(key.encode(), *state.prove(key.encode())) for key in keys.all]
        proven = [CertifiedValue(*value, tip.block.header, tip.certificate) for value in values]
        if proven[0].value is None and name != ISSUANCE:
            raise CosealError(f"there is no wallet {name} at block {report.last}")
        movements = _movements(store, name, period)
    document = statement.document(name, period, keys, proven, movements)
    document = with_handovers(
        document, _handovers(sources, state, genesis.validators.epoch + 1, tip.block.header.epoch)
    )
    try:
        verify_wallet_statement(document, genesis, Trace())
    except LedgerError as error:
        raise BadAnswer(f"the blocks do not give the statement of {name}: {error.reason}") from None
    return document


def _unverified(report: AuditReport | None) -> CosealError:
    if report is None or not report.findings:
        return CosealError("no source has any blocks")
    first = report.findings[0]
    where = "" if first.height is None else f"block {first.height}: "
    return BadAnswer(f"the chain does not verify: {where}{first.reason}")


def _movements(store: SqliteStore, name: str, period: Period) -> list[Movement]:
    filters = {"wallet": name}
    if period.first is not None:
        filters["from_ms"] = str(month_start_ms(period.first))
    if period.last is not None:
        filters["before_ms"] = str(month_start_ms(next_month(period.last)))
    query = MOVEMENTS.select(filters, MOVEMENTS.order(), after=False)
    rows = store.mappings(query, {**filters, "limit": statement.MAX_MOVEMENTS + 1})
    return [statement.movement_of(MOVEMENTS.entry(MOVEMENTS.row(row))) for row in rows]


def _block(sources: Sequence[Source], height: int, block_hash: str = "") -> CommittedBlock:
    """Return a verified block from whatever source has it; without ``block_hash`` the first one's."""
    for source in sources:
        try:
            for raw in source.blocks(height, height):
                found = CommittedBlock.decode(raw)
                if not block_hash or found.block.hash.hex() == block_hash:
                    return found
        except (Unreachable, Damaged, LedgerError):
            continue
    raise CosealError(f"no source gives block {height} again")


def _handovers(sources: Sequence[Source], state: Replay, first: int, last: int) -> list[Handover]:
    """Return what leads to the epochs ``first`` to ``last``, for readers that have no blocks."""
    found = []
    for number in range(first, last + 1):
        epoch = epochs.epoch(state.reader, number)
        if epoch is not None:
            before = _block(sources, epoch.first_height - 1)
            found.append(Handover(before.block.header, before.certificate, epoch.validators))
    return found
