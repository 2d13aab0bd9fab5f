"""The OpenAPI description of the routes that do not go through the framework.

Law: what is described here is what ``create_app`` serves as hot routes; a test compares the two.
"""

from __future__ import annotations

from typing import Any, Final

from coseal.node.http.action_schemas import action_schemas
from coseal.node.http.engine import METHODS
from coseal.node.http.problems import MEDIA_TYPE
from coseal.node.http.sidecars import SEALED

_RESULT: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["id", "status", "height", "index", "receipt"],
    "properties": {
        "id": {"type": "string"},
        "status": {"enum": ["accepted", "committed", "rejected"]},
        "height": {"type": ["integer", "null"]},
        "index": {"type": ["integer", "null"]},
        "receipt": {"type": ["object", "null"]},
    },
}
_WAIT: Final[dict[str, Any]] = {
    "name": "wait",
    "in": "query",
    "required": False,
    "description": "`accepted` (default) answers when the mempool has it, `commit` when it is committed, 30 s at most.",
    "schema": {"enum": ["accepted", "commit"], "default": "accepted"},
}
_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
    },
}
_EVENT: Final[dict[str, Any]] = {
    "type": "object",
    "description": "A CloudEvent 1.0 with `time` and `sequence`. Binary mode: headers `ce-*`, JSON data as the body.",
    "required": ["specversion", "id", "source", "type", "time", "sequence"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string"},
        "source": {"type": "string"},
        "type": {"type": "string"},
        "time": {"type": "string", "format": "date-time"},
        "subject": {"type": "string"},
        "sequence": {"type": ["string", "integer"]},
        "data": {"type": "object"},
    },
}
_EVENTS: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        "application/cloudevents+json": {"schema": _EVENT},
        "application/cloudevents-batch+json": {"schema": {"type": "array", "items": _EVENT, "maxItems": 1000}},
        "application/json": {"schema": {"type": "object"}},
    },
}
_BINARY: Final[dict[str, Any]] = {"type": "string", "format": "binary"}
_DOCUMENT: Final[dict[str, Any]] = {"type": "object"}
# What routes answer besides JSON, or instead of it.
_ALSO_MSGPACK: Final = ("/v1/blocks", "/v1/blocks/{height}", "/v1/headers", "/v1/proofs", "/v1/snapshot")
_INSTEAD: Final = {
    "/v1/snapshot/{height}/{item}": ("application/msgpack", _BINARY),
    "/v1/sidecars/{name}": ("application/msgpack", _BINARY),
    "/v1/stream": ("text/event-stream", {"type": "string"}),
    "/metrics": ("text/plain", {"type": "string"}),
}
_SAYS_NO: Final = ("/healthz", "/readyz")
"""Their answer 503 is the same document as their answer 200, and no problem."""


def add_hot_routes(document: dict[str, Any]) -> dict[str, Any]:
    """Return the framework's document with the hot routes and the problem type added."""
    transaction = _reference("Transaction")
    many = {"type": "array", "items": transaction}
    states = [*_RESULT["properties"]["status"]["enum"], "refused"]
    result = {"type": "object", "required": ["id", "status"], "properties": {"status": {"enum": states}}}
    results = {
        "type": "object",
        "required": ["height", "results"],
        "properties": {"height": {"type": "integer"}, "results": {"type": "array", "items": result}},
    }
    simulation = {
        "type": "object",
        "required": ["simulated", "status", "height", "time_ms", "time", "receipt"],
        "properties": {
            "simulated": {"const": True},
            "status": {"enum": ["committed", "rejected"]},
            "height": {"type": "integer"},
            "time_ms": {"type": "integer"},
            "time": {"type": "string"},
            "receipt": {"type": "object"},
        },
    }
    either = {"anyOf": [transaction, _reference("Unsigned")]}
    key = {"name": "Idempotency-Key", "in": "header", "required": True, "schema": {"type": "string", "maxLength": 255}}
    document["paths"] |= {
        "/v1/transactions": {"post": _post("Submit one signed transaction", _one(transaction), _RESULT, [_WAIT])},
        "/v1/transactions/batch": {
            "post": _post("Submit many signed transactions", _bodies(many, binary=True), results, [_WAIT])
        },
        "/v1/submit": {
            "post": _post(
                "Let this node sign for its member",
                _bodies(_reference("Submission"), binary=False),
                _RESULT,
                [_WAIT, key],
            )
        },
        "/v1/simulate": {"post": _simulated(_bodies(either, binary=True), simulation)},
        "/v1/engine": {"post": _engine()},
        "/v1/events": {"post": _post("Record CloudEvents", _EVENTS, _RESULT, [_WAIT, {**key, "required": False}])},
    }
    components = document.setdefault("components", {})
    components.setdefault("schemas", {}).update(action_schemas(), Problem=_PROBLEM)
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    problem = {"description": "A problem (RFC 9457)", "content": {MEDIA_TYPE: {"schema": _reference("Problem")}}}
    for path, methods in document["paths"].items():
        if "get" in methods:
            _describe_answer(path, methods["get"]["responses"])
        for operation in methods.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = problem
    return document


def _describe_answer(path: str, responses: dict[str, Any]) -> None:
    """Say which media types a reading route answers with."""
    content = {"application/json": {"schema": _DOCUMENT}}
    if path in _ALSO_MSGPACK:
        content["application/msgpack"] = {"schema": _BINARY}
    if path in _INSTEAD:
        media_type, schema = _INSTEAD[path]
        content = {media_type: {"schema": schema}}
    responses["200"]["content"] = content
    if path in _SAYS_NO:
        responses["503"] = {"description": "No, and why", "content": content}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _bodies(schema: dict[str, Any], *, binary: bool) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": schema}}
    if binary:
        content["application/msgpack"] = {"schema": _BINARY}
    return {"required": True, "content": content}


def _one(schema: dict[str, Any]) -> dict[str, Any]:
    body = _bodies(schema, binary=True)
    body["content"][SEALED] = {"schema": _BINARY}
    return body


def _simulated(body: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": result}}
    return {
        "tags": ["transactions"],
        "summary": "Say what would come of a transaction, recording nothing",
        "requestBody": body,
        "responses": {"200": {"description": "The receipt it would get in the next block", "content": content}},
    }


def _engine() -> dict[str, Any]:
    call = {
        "type": "object",
        "required": ["id", "method"],
        "properties": {
            "jsonrpc": {"const": "2.0"},
            "id": {"type": "integer"},
            "method": {"enum": list(METHODS)},
            "params": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    }
    return {
        "tags": ["chain"],
        "summary": "What CometBFT shows of headers, where it orders the chain, as its JSON-RPC does",
        "requestBody": _bodies(call, binary=False),
        "responses": {
            "200": {"description": "CometBFT's answer", "content": {"application/json": {"schema": _DOCUMENT}}}
        },
    }


def _post(summary: str, body: dict[str, Any], result: dict[str, Any], parameters: list[Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": result}}
    return {
        "tags": ["transactions"],
        "summary": summary,
        "parameters": parameters,
        "requestBody": body,
        "responses": {
            "200": {"description": "Final: committed or rejected", "content": content},
            "202": {"description": "Accepted, not committed yet", "content": content},
        },
    }
