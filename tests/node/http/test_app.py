from __future__ import annotations

import asyncio
import dataclasses
import re
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator

import coseal.node.http
from coseal.contracts.registry import CONTRACTS
from coseal.node.http.limits import Limits
from tests.node.http.world import World, scenario

API = Path(__file__).parents[3] / "docs" / "spec" / "api.md"
SOURCES = Path(coseal.node.http.__file__).parent


def documented_routes() -> set[str]:
    """Return ``METHOD /path`` of every route that a table of the specification names."""
    found = re.findall(r"\| `(GET|POST) ([^`?\s]+)[^`]*`", API.read_text("utf-8"))
    return {f"{method} {path}" for method, path in found}


@scenario()
async def test_each_route_is_documented_and_each_documented_route_is_served(
    world: World, client: httpx.AsyncClient
) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    served = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    of_others = {"GET /v1/lists/NAME.LIST"}  # none is installed here
    assert served | {"GET /openapi.json", "GET /docs"} | of_others == documented_routes()
    assert set(world.app._hot) == {path for path, methods in paths.items() if "post" in methods}


@scenario()
async def test_the_document_describes_answers_and_problems(world: World, client: httpx.AsyncClient) -> None:
    document: dict[str, Any] = (await client.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert operation["summary"], path
            assert "default" in operation["responses"]
            assert "422" not in operation["responses"], "validation errors are problems of status 400"


@scenario()
async def test_the_bodies_of_the_document_take_every_action_with_its_arguments_and_no_others(
    world: World, client: httpx.AsyncClient
) -> None:
    document: dict[str, Any] = (await client.get("/openapi.json")).json()
    reference = document["paths"]["/v1/submit"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    submission = Draft202012Validator({**reference, "components": document["components"]})
    for contract in CONTRACTS.values():
        for name, action in contract.actions.items():
            body = {"contract": contract.name, "action": name, "args": dict(action.example)}
            assert submission.is_valid(body), name
            assert not submission.is_valid({**body, "args": {**body["args"], "no such field": 1}}), name
            assert not submission.is_valid({**body, "contract": "nothing"})


@scenario()
async def test_each_route_expects_the_query_parameters_of_the_document(world: World, client: httpx.AsyncClient) -> None:
    compared = 0
    for path, methods in (await client.get("/openapi.json")).json()["paths"].items():
        if "get" in methods:
            problem = (await client.get(re.sub(r"{[^}]*}", "1", path), params={"nonsense": "1"})).json()
            names = sorted(item["name"] for item in methods["get"].get("parameters", ()) if item["in"] == "query")
            if "unknown query parameter" in problem.get("detail", ""):
                assert problem["detail"].endswith(f"expected {', '.join(names) or 'none'}"), path
                compared += 1
    assert compared > 20, "others refuse what stands in the path first"


def test_each_code_of_a_problem_is_documented() -> None:
    text = API.read_text("utf-8")
    pattern = r'(?:Problem\(\s*\d+,|unauthorized\(|_not_reached\(|_refuse\(\s*\d+,)\s*"([a-z_]+)"'
    codes = {code for path in SOURCES.glob("*.py") for code in re.findall(pattern, path.read_text("utf-8"))}
    assert len(codes) > 30
    assert {code for code in codes if f"`{code}`" not in text} == set()


def test_each_limit_is_documented() -> None:
    text = API.read_text("utf-8")
    names = [field.name for field in dataclasses.fields(Limits)]
    assert [name for name in names if f"`{name}`" not in text] == []


@scenario()
async def test_unknown_routes_methods_and_parameters_are_problems(world: World, client: httpx.AsyncClient) -> None:
    for method, path, status, code in (
        ("GET", "/", 404, "not_found"),
        ("GET", "/redoc", 404, "not_found"),
        ("GET", "/v1/members/", 404, "not_found"),
        ("GET", "/v1/policies/", 404, "unknown_policy"),
        ("POST", "/v1/members", 405, "method_not_allowed"),
        ("DELETE", "/v1/members", 405, "method_not_allowed"),
        ("PUT", "/v1/submit", 405, "method_not_allowed"),
        ("POST", "/v1/submit?" + "a=1&" * 17, 400, "invalid_parameter"),
        ("GET", "/v1/members?who=x", 400, "invalid_parameter"),
        ("GET", "/v1/members?min_height=1&min_height=0", 400, "invalid_parameter"),
        ("GET", "/v1/members?min_height=x", 400, "invalid_parameter"),
        ("GET", "/v1/policies/a/b?who=x", 400, "invalid_parameter"),
        ("GET", "/v1/blocks?from=1&to=2", 400, "invalid_parameter"),
    ):
        response = await client.request(method, path)
        assert (response.status_code, response.json()["code"]) == (status, code), (method, path)
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.json()["type"] == f"urn:coseal:problem:{code}"


@scenario()
async def test_a_method_that_no_route_takes_is_405_with_a_body_too(world: World, client: httpx.AsyncClient) -> None:
    for path in ("/v1/members", "/v1/transactions", "/v1/transactions/batch", "/v1/blocks/1"):
        for method in ("PUT", "PATCH", "DELETE"):
            response = await client.request(method, path, content=b"{}")
            assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
            assert response.headers["Allow"] in ("GET", "POST")
    assert (await client.put("/nowhere", content=b"{}")).status_code == 404
    assert (await client.put("/v1/members", content=bytes(9_000_000))).status_code == 413


@scenario()
async def test_a_parameter_of_the_wrong_form_is_told_in_words(world: World, client: httpx.AsyncClient) -> None:
    for path, expected in (
        ("/v1/transactions/zz", "id: expected: Transaction id, 64 lower-case hex digits."),
        ("/v1/blocks/first", "height: expected: A height, or `latest`."),
        ("/v1/policies?year=now", "year: expected: Four digits, or `undated`."),
        ("/v1/stream?from=x", "from: expected: `height` or `height:index`, as ids are; inclusive."),
        ("/v1/findings/x", "id: expected: A capital letter and a number without leading zeros."),
        ("/v1/blocks?limit=x", "limit: Input should be a valid integer, unable to parse string as an integer"),
    ):
        assert (await client.get(path)).json()["detail"] == expected
    headers = {"Last-Event-ID": "x"}
    told = (await client.get("/v1/stream", headers=headers)).json()["detail"]
    assert told == "last-event-id: expected: Resume after the event with this id."


@scenario()
async def test_a_fault_of_ours_is_a_problem_without_a_trace(world: World, client: httpx.AsyncClient) -> None:
    def broken() -> Any:
        raise RuntimeError("a secret detail")

    world.status = broken  # type: ignore[method-assign]
    response = await client.get("/v1/status")
    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert "secret" not in response.text
    world.submit = None  # type: ignore[assignment, method-assign]
    headers = {"Content-Type": "application/msgpack"}
    response = await client.post("/v1/transactions", content=world.profile().raw, headers=headers)
    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert "Traceback" not in response.text


@scenario()
async def test_a_read_is_answered_once_what_it_shows_is_on_the_disk(world: World, client: httpx.AsyncClient) -> None:
    await world.commit(world.profile())
    written = asyncio.Event()
    waits: list[int] = []

    async def wait_height(height: int, timeout_s: float) -> bool:
        waits.append(height)
        try:
            await asyncio.wait_for(written.wait(), 0.2)
        except TimeoutError:
            return False
        return True

    world.wait_height = wait_height  # type: ignore[method-assign]
    for path in ("/v1/state/membership/member/enterprise-a", "/v1/blocks/latest", "/v1/headers"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable"), path
    assert waits == [1, 1, 1]
    assert [(await client.get(path)).status_code for path in ("/healthz", "/readyz", "/v1/status")] == [200, 200, 200]
    reading = asyncio.ensure_future(client.get("/v1/blocks/latest"))
    await asyncio.sleep(0.05)
    assert not reading.done()
    written.set()
    assert (await reading).json()["height"] == 1
