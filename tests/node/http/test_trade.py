"""Trade over HTTP: its lists are for members, and what nobody claims is a document that proves itself."""

from __future__ import annotations

import httpx

from coseal.audit.verify import verify_document
from coseal.ledger.transaction import Transaction
from coseal.node.http.context import Settings
from tests.node.http.world import READER, READING, World, scenario
from tests.support.currency import money_genesis
from tests.support.trade import Trade, trading

SIGNED = {"Authorization": f"Bearer {READING}"}
INVOICE = "/v1/receivables/unregistered?creditor=enterprise-b&date=2026-03-31"


@scenario(genesis=money_genesis(), settings=Settings(tokens=(READER,)))
async def test_what_nobody_claims_is_a_document(world: World, client: httpx.AsyncClient) -> None:
    trade = trading(Trade(world.chain))
    trade.owed(invoice={"number": "I-1", "date": "2026-03-31", "total": 1_000_000})
    trade.finance(trade.owed(), kind="pledge")
    trade.issue()
    for committed in world.chain.blocks[world.index.height :]:
        world.index.feed(committed, tuple(map(Transaction.decode, committed.block.transactions)))
    paths = ("/v1/receivables", "/v1/receivables/R1/unpledged", f"{INVOICE}&number=I-2&total=1")
    for path in paths:
        assert (await client.get(path)).status_code == 401, path
    client.headers.update(SIGNED)
    rows = (await client.get("/v1/receivables?status=accepted")).json()["receivables"]
    assert [row["id"] for row in rows] == ["R1", "R2"]
    for path in paths[1:]:
        answer = await client.get(path)
        result = verify_document(answer.json(), world.genesis)
        assert result.ok, result.reason
        assert result.height == int(answer.headers["Coseal-Height"])
    for path, status, code in (
        ("/v1/receivables/R2/unpledged", 409, "encumbered"),
        ("/v1/receivables/R3/unpledged", 409, "encumbered"),
        ("/v1/receivables/R9/unpledged", 404, "unknown_receivable"),
        ("/v1/receivables/x/unpledged", 400, "invalid_parameter"),
        (f"{INVOICE}&number=i1&total=1000000", 409, "already_registered"),
        (f"{INVOICE}&number=-&total=1", 400, "invalid_parameter"),
    ):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (status, code), path
