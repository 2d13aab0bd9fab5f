"""Money over HTTP: the totals are public with their proof, wallets and movements are for members, whoever may read."""

from __future__ import annotations

import httpx
import pytest

from coseal.contracts.currency.supply import RESERVES_TYPE
from coseal.ledger.render import state_proof_from_json
from coseal.node.http.context import Settings
from coseal.node.http.gatekeeper import is_for_members
from tests.node.http.world import READER, READING, World, scenario
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
