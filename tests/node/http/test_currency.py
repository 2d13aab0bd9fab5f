"""Money over HTTP: the totals are public with their proof, wallets and movements are for members, whoever may read."""

from __future__ import annotations

import httpx
import pytest

from coseal.audit.verify import verify_document
from coseal.contracts.currency.supply import RESERVES_TYPE
from coseal.ledger.render import state_proof_from_json
from coseal.ledger.transaction import Transaction
from coseal.node.http.context import Settings
from coseal.node.http.gatekeeper import is_for_members
from tests.node.http.world import READER, READING, World, scenario
from tests.support.currency import DAY_MS, Money, funded, money_genesis, payment
from tests.support.genesis import make_genesis

SIGNED = {"Authorization": f"Bearer {READING}"}


async def admit(world: World) -> None:
    await world.commit(world.sign("process.define_type", RESERVES_TYPE, sender="central-bank"))
    await world.commit(world.sign("currency.admit_institution", {"member": "bank-a"}, sender="central-bank"))


@scenario(genesis=make_genesis("money", money=True), settings=Settings(tokens=(READER,)))
async def test_totals_are_public_and_nothing_else_is(world: World, client: httpx.AsyncClient) -> None:
    await admit(world)
    answer = await client.get("/v1/currency", params={"proof": "true"})
    assert answer.status_code == 200, answer.text
    document = answer.json()
    assert document["currency"]["circulating"] == document["currency"]["issued"] == 0
    assert document["currency"]["wallets"] == document["currency"]["institutions"] == 1
    certified = state_proof_from_json(document["proof"])
    assert certified.key == b"currency/totals"
    for path in ("/v1/wallets", "/v1/wallets/bank-a/vault", "/v1/movements", "/v1/pendings", "/v1/supply"):
        assert (await client.get(path)).status_code == 401, path
        signed = await client.get(path, headers=SIGNED)
        assert signed.status_code == 200, (path, signed.text)
    wallet = (await client.get("/v1/wallets/bank-a/vault", headers=SIGNED)).json()["wallet"]
    assert (wallet["holder"], wallet["balance"], wallet["class"]) == ("member:bank-a", 0, "institution")
    assert (await client.get("/v1/wallets/bank-a/none", headers=SIGNED)).status_code == 404


def feed(world: World) -> None:
    for committed in world.chain.blocks[world.index.height :]:
        world.index.feed(committed, tuple(map(Transaction.decode, committed.block.transactions)))


@scenario(genesis=money_genesis(), settings=Settings(tokens=(READER,)))
async def test_a_statement_is_a_document_of_all_movements(world: World, client: httpx.AsyncClient) -> None:
    scene = funded(Money(world.chain))
    scene.ok("enterprise-a", "pay", **payment("bank-a/ea", "bank-b/eb", 100))
    scene.wait(60 * DAY_MS)
    scene.ok("enterprise-a", "pay", **payment("bank-a/ea", "bank-b/eb", 7))
    feed(world)
    client.headers.update(SIGNED)
    path = "/v1/wallets/bank-a/ea/statement"
    answer = await client.get(path)
    result = verify_document(answer.json(), world.genesis)
    assert result.ok, result.reason
    assert (result.facts["movements"], result.facts["closing"]) == (3, "398.93")
    assert result.height == int(answer.headers["Coseal-Height"])
    for months, count in (("first=2024-01", 1), ("last=2023-12", 2), ("first=2023-12&last=2023-12", 0)):
        result = verify_document((await client.get(f"{path}?{months}")).json(), world.genesis)
        assert (result.ok, result.facts["movements"]) == (True, count), result.reason
    issued = verify_document((await client.get("/v1/supply/statement")).json(), world.genesis)
    assert (issued.ok, issued.facts["closing"]) == (True, "-1000.00"), issued.reason
    for query, status in (("first=2023-13", 400), ("first=2024-01&last=2023-12", 400), ("first=1999-01", 422)):
        assert (await client.get(f"{path}?{query}")).status_code == status, query
    assert (await client.get("/v1/wallets/bank-a/none/statement")).json()["code"] == "unknown_wallet"
    client.headers.pop("Authorization")
    for closed in (path, "/v1/supply/statement"):
        assert (await client.get(closed)).status_code == 401


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/v1/wallets", True),
        ("/v1/wallets/bank-a/vault", True),
        ("/v1/movements", True),
        ("/v1/walletsx", False),
        ("/v1/currency", False),
        ("/v1/standards", False),
    ],
)
def test_which_paths_are_for_members(path: str, wanted: bool) -> None:
    assert is_for_members(path) is wanted
