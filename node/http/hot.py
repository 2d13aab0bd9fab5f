"""What the routes that carry the load get and give, called by the gatekeeper without the framework's layers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from starlette.datastructures import Headers
from starlette.responses import Response

from coseal.node.http.auth import Identity


@dataclass(frozen=True, slots=True)
class HotRequest:
    """What a hot route gets: headers, the whole body, the query, and who asks (``asker`` names the rate's bucket).

    ``connection`` is its far end, ``address:port``.
    """

    headers: Headers
    body: bytes
    query: Mapping[str, str]
    identity: Identity | None
    asker: str
    loopback: bool
    connection: str


HotRoute: TypeAlias = Callable[[HotRequest], Awaitable[Response]]
