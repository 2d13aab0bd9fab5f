"""The parts of a path: a route matches what was sent, percent-encoded, and each part is decoded by itself.

Law: what a client percent-encodes is part of an id and never a '/' or a word of the route, so every id can be asked
for: ``/v1/objects/x%2Fevents`` is the object ``x/events``, ``/v1/objects/x/events`` are the items of ``x``.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

from starlette.convertors import Convertor, register_url_convertor
from starlette.types import Scope

from coseal.node.http.problems import Problem


class Part(Convertor[str]):
    """``{id:part}``: what is between two slashes, decoded."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        """Return the part as its sender meant it."""
        return unquote(value, errors="strict")  # Y28

    def to_string(self, value: str) -> str:
        """Return the part as it is sent."""
        return quote(value, safe="")


class Rest(Part):
    """``{id:rest}``: all that follows, slashes included, decoded."""

    regex = ".*"


register_url_convertor("part", Part())
register_url_convertor("rest", Rest())


def route_as_sent(scope: Scope) -> None:
    """Have routes see the path as it was sent; raise the problem 400 for one that is no percent-encoded UTF-8."""
    raw = scope.get("raw_path") or quote(scope["path"]).encode()
    try:
        path = raw.decode("ascii")
        unquote(path, errors="strict")
    except UnicodeDecodeError:
        raise Problem(400, "malformed_path", "the path is no percent-encoded UTF-8") from None
    scope["path"] = path
