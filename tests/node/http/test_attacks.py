"""Row H1 of the attack table on a real socket: who asks wrongly, and ten thousand who only connect."""

from __future__ import annotations

import asyncio
import json
import resource
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from coseal.node.http.auth import Token
from coseal.node.http.context import Settings
from coseal.node.http.limits import Limits
from coseal.node.http.server import HttpServer
from tests.node.http.test_auth import signed_headers
from tests.node.http.world import World
from tests.support.genesis import make_genesis
from tests.support.keys import operator

TOKEN = "t" * 40
TOKENS = (Token("erp", "enterprise-a", sha256(TOKEN.encode()).digest(), frozenset({"read", "submit"})),)
FOREIGN = "f" * 40
FOREIGN_TOKENS = (Token("other", "bank-a", sha256(FOREIGN.encode()).digest(), frozenset({"read", "submit"})),)
ASK = {"contract": "membership", "action": "set_profile", "args": {"description": "x"}}
JSON = {"Content-Type": "application/json", "Idempotency-Key": "1"}
CONNECTIONS = 10_000
_FILES_SPARE = 300


def serve(folder: Path, play: Callable[[World, HttpServer], Awaitable[None]], limits: Limits | None = None) -> None:
    async def run() -> None:
        settings = Settings(limits=limits or Limits(), tokens=(*TOKENS, *FOREIGN_TOKENS))
        world = World(folder, genesis=make_genesis(public_read=False), settings=settings)
        server = HttpServer(world.app, "127.0.0.1", 0, settings.limits)
        await server.start()
        try:
            await play(world, server)
        finally:
            await server.stop()
            world.close()

    asyncio.run(run())


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


Request = tuple[str, str, dict[str, Any]]
CASES: dict[str, tuple[Callable[[World], Request], int, str]] = {
    "no identity": (lambda w: ("GET", "/v1/members", {}), 401, "unauthenticated"),
    "an unknown token": (lambda w: ("GET", "/v1/members", {"headers": bearer("u" * 40)}), 401, "bad_token"),
    "a bad signature": (
        lambda w: ("GET", "/v1/members", {"headers": signed_headers(w, "/v1/members", signer=operator("regulator"))}),
        401,
        "bad_request_signature",
    ),
    "another member's id": (
        lambda w: (
            "GET",
            "/v1/members",
            {"headers": signed_headers(w, "/v1/members", who="regulator/admin", signer=operator("bank-a"))},
        ),
        401,
        "bad_request_signature",
    ),
    "another body than was signed": (
        lambda w: (
            "POST",
            "/v1/submit",
            {"headers": JSON | signed_headers(w, "/v1/submit", method="POST", body=b"{}"), "json": ASK},
        ),
        401,
        "bad_digest",
    ),
    "a gateway of another member": (
        lambda w: ("POST", "/v1/submit", {"headers": JSON | bearer(FOREIGN), "json": ASK}),
        403,
        "forbidden",
    ),
    "an unknown field": (
        lambda w: ("POST", "/v1/submit", {"headers": JSON | bearer(TOKEN), "json": ASK | {"as": "regulator"}}),
        400,
        "malformed",
    ),
    "an unknown parameter": (
        lambda w: ("GET", "/v1/members?who=x", {"headers": bearer(TOKEN)}),
        400,
        "invalid_parameter",
    ),
    "another media type": (
        lambda w: ("POST", "/v1/transactions", {"headers": {"Content-Type": "text/plain"}, "content": b"x"}),
        415,
        "unsupported_media_type",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_h1_a_request_that_may_not_be_is_a_problem_without_a_trace(case: str, tmp_path: Path) -> None:
    make, status, code = CASES[case]

    async def play(world: World, server: HttpServer) -> None:
        method, target, rest = make(world)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
            response = await client.request(method, target, **rest)
        assert (response.status_code, response.json()["code"]) == (status, code)
        assert "Traceback" not in response.text
        assert 'File "' not in response.text
        assert TOKEN not in response.text

    serve(tmp_path, play)


def test_h1_a_replayed_nonce_is_refused_also_with_another_target(tmp_path: Path) -> None:
    async def play(world: World, server: HttpServer) -> None:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
            headers = signed_headers(world, "/v1/members")
            assert (await client.get("/v1/members", headers=headers)).status_code == 200
            for target in ("/v1/members", "/v1/status"):
                response = await client.get(target, headers=signed_headers(world, target))
                assert (response.status_code, response.json()["code"]) == (401, "nonce_used")

    serve(tmp_path, play)


def test_h1_ten_thousand_connections_are_bounded_and_the_first_are_served(tmp_path: Path) -> None:
    """As many are held as the files of this process allow, at most the node's own limit; the others try meanwhile."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = hard if hard != resource.RLIM_INFINITY else 1 << 20
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(files, max(soft, 4_096)), hard))
    limits = Limits(connections=min(1_000, (min(files, 4_096) - _FILES_SPARE) // 3), header_seconds=300)
    get = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"

    async def play(world: World, server: HttpServer) -> None:
        held = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(limits.connections)]

        async def knock() -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            try:
                async with asyncio.timeout(60):
                    return await reader.read()
            except ConnectionResetError:
                return b""
            finally:
                writer.close()

        refused = 0
        for _ in range((CONNECTIONS - limits.connections) // 100):
            answers = await asyncio.gather(*(knock() for _ in range(100)))
            refused += len(answers)
            for answer in answers:
                assert answer == b"" or b'"too_many_connections"' in answer
            assert len(server._server.server_state.connections) <= limits.connections + 100
        assert refused + limits.connections >= CONNECTIONS - 100
        reader, writer = held[0]
        writer.write(get)
        async with asyncio.timeout(60):
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        for _, writer in held:
            writer.close()
        async with asyncio.timeout(60):
            while server._server.server_state.connections:
                await asyncio.sleep(0.05)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
            assert json.loads((await client.get("/healthz")).text)["healthy"]

    try:
        serve(tmp_path, play, limits)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
