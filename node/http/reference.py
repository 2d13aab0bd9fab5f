"""``GET /docs``: the interface as a page, made from the OpenAPI document, for a reader without a network.

Law: the page is whole in itself: no script, nothing that is fetched from elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}
_STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code, pre { font: 14px/1.4 ui-monospace, monospace; }
pre { overflow-x: auto; padding: .5rem; border: 1px solid #8886; }
details { border-top: 1px solid #8886; padding: .4rem 0; }
summary { cursor: pointer; }
summary b { display: inline-block; min-width: 3.5rem; }
td { vertical-align: top; padding: .1rem 1rem .1rem 0; }
"""


def page(document: Mapping[str, Any], base: str) -> str:
    """Return the page of an OpenAPI document; ``base`` is the URL under which the node was asked."""
    info = document["info"]
    head = f"<title>{escape(info['title'])}</title><style>{_STYLE}</style>"
    intro = (
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>"
        "<p>Every route of this node's HTTP interface. The same for programs: "
        '<a href="/openapi.json">/openapi.json</a>. '
        "Errors are <code>application/problem+json</code> with a stable <code>code</code>. "
        f'How this node is: <a href="/v1/status">/v1/status</a>.</p>'
    )
    body = f"{intro}{''.join(_groups(document, base))}{_forms(document)}"
    return f'<!doctype html><html lang="en"><meta charset="utf-8">{head}<body>{body}'


def _groups(document: Mapping[str, Any], base: str) -> Iterator[str]:
    groups: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tag = (operation.get("tags") or ["other"])[0]
            groups.setdefault(tag, []).append(_route(method.upper(), path, operation, base))
    for tag, routes in groups.items():
        yield f"<h2>{escape(tag)}</h2>{''.join(routes)}"


def _forms(document: Mapping[str, Any]) -> str:
    """Return what the references in bodies stand for."""
    forms = "".join(
        f"<details><summary><code>{escape(name)}</code> {escape(schema.get('title', ''))}</summary>"
        f"<pre>{escape(json.dumps(schema, indent=1, ensure_ascii=False))}</pre></details>"
        for name, schema in document["components"]["schemas"].items()
    )
    return f"<h2>Forms (#/components/schemas)</h2>{forms}"


def _route(method: str, path: str, operation: Mapping[str, Any], base: str) -> str:
    summary = f"<b>{method}</b> <code>{escape(path)}</code> {escape(operation.get('summary', ''))}"
    rows = "".join(_parameter(one) for one in operation.get("parameters", ()))
    table = f"<table>{rows}</table>" if rows else ""
    body = operation.get("requestBody", {}).get("content", {})
    bodies = "".join(
        f"<p>body <code>{escape(kind)}</code></p><pre>{escape(json.dumps(content.get('schema', {}), indent=1))}</pre>"
        for kind, content in body.items()
        if content.get("schema", {}).get("format") != "binary"
    )
    return (
        f"<details><summary>{summary}</summary>{table}{bodies}<pre>{escape(_call(method, path, base))}</pre></details>"
    )


def _parameter(parameter: Mapping[str, Any]) -> str:
    schema = parameter.get("schema", {})
    needed = "needed" if parameter.get("required") else ""
    kind = " or ".join(map(str, schema.get("enum", ()))) or str(schema.get("type", ""))
    cells = (parameter["in"], kind, needed, parameter.get("description") or schema.get("description", ""))
    return f"<tr><td><code>{escape(parameter['name'])}</code></td>" + "".join(
        f"<td>{escape(str(cell))}</td>" for cell in cells
    )


def _call(method: str, path: str, base: str) -> str:
    """Return how curl asks it."""
    if method == "GET":
        return f"curl -s '{base}{path}'"
    return f"curl -s -H 'Content-Type: application/json' --data @body.json '{base}{path}'"
