"""A receivable's evidence bundle: what the contract appended is proven by the acts, and by what fell due."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coseal.audit.bundle import verify_bundle
from coseal.audit.report import Verdict
from coseal.client import bundle
from coseal.contracts.process.chain import objects_of
from coseal.contracts.process.recorded import RecordedItem, recorded_items
from coseal.ledger.block import Receipt
from coseal.ledger.render import state_proof_json
from coseal.ledger.transaction import Transaction
from coseal.node.index.contracts import process as queries
from coseal.node.index.index import Index
from tests.audit.test_bundle import FakeClient
from tests.support.currency import DAY_MS
from tests.support.trade import DUE_DAYS, A, B, Trade, trading

NAME = ("trade", "receivable", "R1")


class TradeClient(FakeClient):
    """A client of a node that has a chain of trade."""

    def recorded(self) -> Iterator[tuple[int, int, RecordedItem]]:
        """Yield (height, index, item) of all that is recorded; index -1: it fell due."""
        for committed in self._chain.blocks:
            transactions = (None, *map(Transaction.decode, committed.block.transactions))
            for index, (tx, raw) in enumerate(zip(transactions, committed.receipts, strict=True), -1):
                for one in recorded_items(tx, Receipt.decode(raw)):
                    yield committed.block.header.height, index, one

    def _history(self, name: str, process_type: str, object_type: str) -> dict[str, Any]:
        items = []
        for height, index, one in self.recorded():
            if one.process_type == process_type and (object_type, name) in objects_of(one.item):
                place = {"height": height, "index": index, "tx": None}
                shown = {"source": one.source, "sequence": one.sequence, "hash": one.hash.hex(), "item": one.item}
                items.append({**shown, "unproven": place})
        record = state_proof_json(self.state(f"process/object/{process_type}/{object_type}/{name}"))
        names = {"coseal": "object-history", "version": 1, "process_type": process_type, "type": object_type}
        return {**names, "id": name, "count": len(items), "items": items, "record": record}


@pytest.fixture(scope="module")
def client(tmp_path_factory: Any) -> Iterator[TradeClient]:
    """A chain on which a receivable was accepted, and fell due unpaid."""
    trade: Trade = trading()
    trade.owed()
    trade.fell_due((DUE_DAYS + 1) * DAY_MS)
    chain = trade.chain
    folder: Path = tmp_path_factory.mktemp("trade")
    index = Index(folder / "i.sqlite", chain.genesis.chain_id, lambda height: chain.blocks[height - 1].encode())
    index.start(len(chain.blocks))
    assert index.wait(len(chain.blocks), 20)
    yield TradeClient(trade, index)  # type: ignore[arg-type]  # what it needs of a story is its chain
    index.stop()


@pytest.fixture(scope="module")
def document(client: TradeClient) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(bundle.collect(client, NAME)))  # type: ignore[arg-type]
    return found


def recordings(client: TradeClient, document: dict[str, Any]) -> Any:
    return next(step for step in verify_bundle(document, client.genesis).steps if step.name == "recordings")


def test_the_bundle_says_for_whom_the_contract_made_items(client: TradeClient, document: dict[str, Any]) -> None:
    report = verify_bundle(document, client.genesis)
    assert report.verdict is Verdict.OK, report.steps[-1]
    assert report.facts["items"] == 3
    assert f"some by the contract, for {A}, {B}" in recordings(client, document).detail


def test_an_item_without_the_act_or_the_block_that_made_it_is_named(
    client: TradeClient, document: dict[str, Any]
) -> None:
    for part in ("recordings", "deadlines"):
        step = recordings(client, {**document, part: document[part][1:]})
        assert (step.verdict, "nothing shows who recorded" in step.detail) == (Verdict.BAD, True)


def test_the_index_has_every_item_where_it_is(client: TradeClient) -> None:
    index = client._index
    _, found = asyncio.run(index.query(queries.objects_named, "R1", "receivable", "trade"))
    _, places = asyncio.run(index.query(queries.items_of, found[0]["number"], after=0, limit=10, until_height=10**6))
    expected = [
        (one.source, one.sequence, height, at)
        for height, at, one in client.recorded()
        if NAME[1:] in objects_of(one.item)
    ]
    assert [(place.source, place.sequence, place.height, place.position) for place in places] == expected
    assert [at for *_, at in expected] == [0, 0, -1]
