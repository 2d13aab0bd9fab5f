"""Dossiers over HTTP: to the own member, to others once they recorded why, and as a document that proves itself."""

from __future__ import annotations

import httpx

from coseal.audit.verify import verify_document
from coseal.ledger.transaction import Transaction
from coseal.node.http.context import Settings
from tests.node.http.world import READER, READING, World, scenario
from tests.support.currency import money_genesis
from tests.support.trade import Trade, with_facts

PATH = "/v1/credit/enterprise-a/dossier"


@scenario(genesis=money_genesis(), settings=Settings(tokens=(READER,)))
async def test_a_dossier_is_shown_to_who_recorded_why(world: World, client: httpx.AsyncClient) -> None:
    trade = with_facts(Trade(world.chain))
    for committed in world.chain.blocks[world.index.height :]:
        world.index.feed(committed, tuple(map(Transaction.decode, committed.block.transactions)))
    assert (await client.get(PATH)).status_code == 401
    client.headers["Authorization"] = f"Bearer {READING}"
    refused = await client.get(PATH)
    assert (refused.status_code, refused.json()["code"]) == (403, "consult_first")
    own = await client.get("/v1/credit/city/dossier")
    assert verify_document(own.json(), world.genesis).facts["facts"] == 0
    trade.ok("city", "credit.consult", member="enterprise-a", purpose="A loan", legal_basis="external: consent")
    listed = (await client.get("/v1/credit/formulas")).json()["credit_formulas"]
    assert [(one["formula"], one["version"]) for one in listed] == [("payment", 1)]
    answer = await client.get(f"{PATH}?formulas=payment&months=12")
    result = verify_document(answer.json(), world.genesis)
    assert result.ok, result.reason
    assert result.height == int(answer.headers["Coseal-Height"])
    assert result.facts["formulas"][0]["value"] == "100 of 100 points"
    for path, status, code in (
        ("/v1/credit/nobody/dossier", 404, "unknown_member"),
        (f"{PATH}?formulas=other", 404, "unknown_formula"),
        (f"{PATH}?formulas=payment,payment", 400, "invalid_parameter"),
        (f"{PATH}?formulas=payment&months=3", 400, "invalid_parameter"),
        (f"{PATH}?months=62", 400, "invalid_parameter"),
    ):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (status, code), path
