"""A certificate over HTTP: a document that verifies as it is, and a problem where nothing is in force."""

from __future__ import annotations

import httpx

from coseal.audit.verify import verify_document
from tests.node.http.world import World, scenario
from tests.support.genesis import ROLES, make_genesis
from tests.support.panelled import Panelled


@scenario(genesis=make_genesis(name="panels", members=tuple(ROLES)))
async def test_a_certificate_in_force_is_a_document(world: World, client: httpx.AsyncClient) -> None:
    scene = Panelled(chain=world.chain).admitted().reviewed()
    scene.decided("certified")
    answer = await client.get("/v1/certificates/C1")
    result = verify_document(answer.json(), world.genesis)
    assert result.ok, result.reason
    assert result.height == int(answer.headers["Coseal-Height"])
    answer = await client.get("/v1/certificates/C2")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_certificate")
    scene.decide("revoke_certificate", certificate="C1", reason="It was staged")
    answer = await client.get("/v1/certificates/C1")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_in_force")
