from __future__ import annotations

import base64
import re
from hashlib import sha256
from typing import Any

import httpx
import pytest

from coseal.ledger import http_signatures, signing
from coseal.ledger.signing import Signer
from coseal.node.http import auth
from coseal.node.http.auth import Nonces, Token
from coseal.node.http.context import Settings
from coseal.node.http.gatekeeper import OPEN_PATHS
from coseal.node.http.problems import Problem
from tests.node.http.world import World, scenario
from tests.support.genesis import make_genesis
from tests.support.keys import operator

PRIVATE = {"genesis": make_genesis(public_read=False)}
TOKENS = Settings(
    tokens=(
        Token("console", "enterprise-a", sha256(b"c" * 40).digest(), frozenset({"read"})),
        Token("writer", "enterprise-a", sha256(b"w" * 40).digest(), frozenset({"submit"})),
    )
)
NONCE = "0123456789abcdef" * 2


def signed_headers(
    world: World,
    target: str,
    *,
    method: str = "GET",
    body: bytes = b"",
    who: str = "bank-a/admin",
    signer: Signer | None = None,
    nonce: str = NONCE,
    expires_in_s: int = 60,
    tag: bytes = signing.TAG_HTTP,
    chain_id: bytes | None = None,
) -> dict[str, str]:
    parameters = http_signatures.signature_parameters(
        expires_s=world.clock_ms // 1_000 + expires_in_s, key_id=who, nonce=nonce
    )
    digest = http_signatures.content_digest(body)
    base = http_signatures.signature_base(method, target, digest, parameters)
    preimage = signing.body_preimage(tag, chain_id or world.genesis.chain_id, base)
    signature = (signer or operator(who.partition("/")[0])).sign(preimage)
    return {
        "Content-Digest": digest,
        "Signature-Input": f"coseal={parameters}",
        "Signature": f"coseal=:{base64.b64encode(signature).decode()}:",
    }


@scenario(**PRIVATE, settings=TOKENS)
async def test_reading_a_private_chain_needs_a_token_or_a_signature(world: World, client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/members")
    assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")
    assert (await client.get("/v1/genesis")).status_code == 401
    assert (await client.get("/metrics")).status_code == 401
    for path in ("/healthz", "/readyz", "/openapi.json"):
        assert (await client.get(path)).status_code == 200
    with_token = {"Authorization": f"Bearer {'c' * 40}"}
    assert (await client.get("/v1/members", headers=with_token)).status_code == 200
    response = await client.get("/v1/members", headers={"Authorization": f"Bearer {'w' * 40}"})
    assert (response.status_code, response.json()["code"]) == (403, "forbidden")
    signed = signed_headers(world, "/v1/members?min_height=0")
    assert (await client.get("/v1/members?min_height=0", headers=signed)).status_code == 200


@scenario(**PRIVATE, settings=TOKENS)
async def test_no_route_of_a_private_chain_answers_a_stranger_but_the_open_ones(
    world: World, client: httpx.AsyncClient
) -> None:
    """Every route there is, as the document of the API names them; a new one is in here by itself."""
    paths = (await client.get("/openapi.json")).json()["paths"]
    reads = [path for path, methods in paths.items() if "get" in methods]
    assert len(reads) > 20
    for path in reads:
        status = (await client.get(re.sub(r"\{[^}]+\}", "1", path))).status_code
        assert (status == 401) is (path not in OPEN_PATHS), (path, status)
    for method in ("HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"):
        assert (await client.request(method, "/v1/members")).status_code in (401, 405), method
    assert (await client.get("/v1/no-such-route")).status_code == 401


@scenario(settings=TOKENS)
async def test_a_wrong_token_is_refused_even_where_none_is_needed(world: World, client: httpx.AsyncClient) -> None:
    for value in ("Bearer wrong", "Basic abc", "Bearer"):
        response = await client.get("/v1/members", headers={"Authorization": value})
        assert (response.status_code, response.json()["code"]) == (401, "bad_token")


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "another method": ({"method": "POST"}, "bad_request_signature"),
    "another target": ({"target": "/v1/members?min_height=1"}, "bad_request_signature"),
    "another member's key": ({"signer": operator("regulator")}, "bad_request_signature"),
    "an unknown member": ({"who": "nobody/admin"}, "bad_request_signature"),
    "another chain": ({"chain_id": bytes(32)}, "bad_request_signature"),
    "a transaction's domain": ({"tag": signing.TAG_TRANSACTION}, "bad_request_signature"),
    "expired": ({"expires_in_s": 0}, "signature_expired"),
    "valid for too long": ({"expires_in_s": 301}, "signature_expired"),
    "a body that was not sent": ({"body": b"{}"}, "bad_digest"),
    "a short nonce": ({"nonce": "00"}, "bad_signature_headers"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_signature_that_does_not_hold_is_refused(case: str, tmp_path: Any) -> None:
    changes, code = BAD[case]

    @scenario(**PRIVATE)
    async def refused(world: World, client: httpx.AsyncClient) -> None:
        target = changes.get("target", "/v1/members")
        given = {name: value for name, value in changes.items() if name != "target"}
        response = await client.get("/v1/members", headers=signed_headers(world, target, **given))
        assert (response.status_code, response.json()["code"]) == (401, code)

    refused(tmp_path)


@scenario(**PRIVATE)
async def test_a_nonce_is_good_once(world: World, client: httpx.AsyncClient) -> None:
    headers = signed_headers(world, "/v1/members")
    assert (await client.get("/v1/members", headers=headers)).status_code == 200
    response = await client.get("/v1/members", headers=headers)
    assert (response.status_code, response.json()["code"]) == (401, "nonce_used")
    other = signed_headers(world, "/v1/members", nonce=NONCE[::-1])
    assert (await client.get("/v1/members", headers=other)).status_code == 200


@scenario(**PRIVATE)
async def test_a_signature_covers_the_body_of_a_submission(world: World, client: httpx.AsyncClient) -> None:
    raw = world.profile().raw
    headers = signed_headers(world, "/v1/transactions?wait=commit", method="POST", body=raw)
    headers["Content-Type"] = "application/msgpack"
    other = world.profile("other").raw
    response = await client.post("/v1/transactions?wait=commit", content=other, headers=headers)
    assert (response.status_code, response.json()["code"]) == (401, "bad_digest")
    response = await client.post("/v1/transactions?wait=commit", content=raw, headers=headers)
    assert (response.status_code, response.json()["status"]) == (200, "committed")


@scenario(**PRIVATE)
async def test_an_operator_whose_key_was_replaced_cannot_read_with_the_old_one(
    world: World, client: httpx.AsyncClient
) -> None:
    new = operator("somebody else")
    await world.commit(world.sign("membership.rotate_operator_key", {"key": new.public_key.hex()}, sender="bank-a"))
    response = await client.get("/v1/members", headers=signed_headers(world, "/v1/members"))
    assert response.json()["code"] == "bad_request_signature"
    response = await client.get("/v1/members", headers=signed_headers(world, "/v1/members", signer=new))
    assert response.status_code == 200


@scenario(**PRIVATE)
async def test_headers_of_another_form_are_refused(world: World, client: httpx.AsyncClient) -> None:
    good = signed_headers(world, "/v1/members")
    for name, value in (
        ("Signature-Input", good["Signature-Input"].replace('"@method" ', "")),
        ("Signature-Input", good["Signature-Input"] + ';alg="none"'),
        ("Signature-Input", ""),
        ("Signature", "coseal=:AAAA:"),
        ("Signature", ""),
    ):
        response = await client.get("/v1/members", headers={**good, name: value})
        assert (response.status_code, response.json()["code"]) == (401, "bad_signature_headers")


def test_nonces_are_bounded_and_forgotten_after_the_longest_validity() -> None:
    nonces = Nonces(2)
    assert [nonces.use("a", "1", 0), nonces.use("a", "1", 0), nonces.use("b", "1", 0)] == [True, False, True]
    with pytest.raises(Problem) as caught:
        nonces.use("a", "2", auth.MAX_VALIDITY_S)
    assert caught.value.status == 429
    assert nonces.use("a", "1", auth.MAX_VALIDITY_S + 1), "expired with its signature"


SECRETS = ["c" * 40, "w" * 40]


@scenario(settings=TOKENS)
async def test_no_answer_repeats_a_secret(world: World, client: httpx.AsyncClient) -> None:
    outputs = []
    for secret in [*SECRETS, "wrong" * 8]:
        for path in ("/v1/members", f"/v1/{secret}", f"/v1/members?x={secret}", "/v1/transactions/xx", "/metrics"):
            response = await client.get(path, headers={"Authorization": f"Bearer {secret}"})
            outputs.append(response.text + str(dict(response.headers)))
        response = await client.post("/v1/submit", content=secret, headers={"Authorization": f"Bearer {secret}"})
        outputs.append(response.text)
    asked = [text for text in outputs if any(secret in text for secret in SECRETS)]
    assert all("unknown query parameter" not in text for text in asked)
    assert asked == []
