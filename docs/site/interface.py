"""The reference of the HTTP interface, made from the OpenAPI document that a node serves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any, cast

import httpx
from prometheus_client import CollectorRegistry

from coseal import __version__
from coseal.node.http.app import create_app
from coseal.node.http.context import Settings
from coseal.node.http.services import Services
from docs.site.markdown import code, table


def document() -> dict[str, Any]:
    """Return the OpenAPI document of a node, without a node: the routes are made, and none is called."""
    nothing = SimpleNamespace(
        software_version=__version__, gateway=None, index=None, registry=CollectorRegistry(), others={}
    )
    return asyncio.run(_asked(create_app(cast(Services, nothing), Settings())))


async def _asked(application: Any) -> dict[str, Any]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://node") as client:
        found: dict[str, Any] = (await client.get("/openapi.json")).json()
        return found


def page() -> str:
    """Return every route by what it is about, with its parameters, bodies and answers."""
    found = document()
    groups: dict[str, list[str]] = {}
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            entry = "\n".join(_entry(method.upper(), path, operation, found["components"]["schemas"]))
            groups.setdefault(operation.get("tags", ["operations"])[0], []).append(entry)
    return "\n".join(f"## {name.capitalize()}\n\n" + "\n".join(entries) for name, entries in groups.items())


def _entry(method: str, path: str, operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {method} {path}\n"
    yield f"{operation['summary']}.\n"
    if operation.get("description"):
        yield f"{operation['description']}\n"
    rows = [
        (code(item["name"]), item["in"], item.get("description", ""), _kind(item["schema"]), _default(item))
        for item in operation.get("parameters", ())
    ]
    yield table(("parameter", "in", "", "form", "if not given"), rows)
    body = operation.get("requestBody", {}).get("content", {})
    yield table(("body", "form"), [(code(name), _form(item["schema"], schemas)) for name, item in body.items()])
    yield table(("answer", "", "media types"), map(_answer, operation["responses"].items()))


def _answer(response: tuple[str, Mapping[str, Any]]) -> tuple[str, str, str]:
    status, told = response
    name = "other" if status == "default" else status
    return name, told["description"], ", ".join(code(media) for media in told.get("content", {}))


def _default(item: Mapping[str, Any]) -> str:
    if item.get("required"):
        return "required"
    default = item["schema"].get("default")
    return "" if default is None else code(json.dumps(default).strip('"'))


def _kind(schema: Mapping[str, Any]) -> str:
    """Return in a few words what a parameter may be."""
    forms = [form for form in schema.get("anyOf", [schema]) if form.get("type") != "null"]
    return " or ".join(_one(form) for form in forms)


def _one(form: Mapping[str, Any]) -> str:
    if "enum" in form:
        return ", ".join(code(str(value)) for value in form["enum"])
    told = str(form.get("type", "any"))
    if "pattern" in form:
        told += " " + code(form["pattern"])
    low, high = form.get("minimum"), form.get("maximum")
    if low is not None and high is not None:
        told += f", {low} to {high}"
    if "maxLength" in form:
        told += f", at most {form['maxLength']} characters"
    return told


def _form(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    """Return what a body is: its description, or its fields."""
    if "$ref" in schema:
        return _form(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "anyOf" in schema and "description" not in schema:
        return " Or: ".join(_form(form, schemas) for form in schema["anyOf"])
    if schema.get("format") == "binary":
        return "the wire form"
    if schema.get("type") == "array":
        return "a list: " + _form(schema["items"], schemas)
    fields = ", ".join(code(name) for name in schema.get("properties", ()))
    return str(schema.get("description") or (f"an object with {fields}" if fields else "an object"))
