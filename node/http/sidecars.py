"""Sidecars over HTTP: one comes with its transaction in one body, and who may read a live one gets it by name.

Law: a sidecar that an asker may not read is answered as if it were not there, and whether it is there changes nothing
that others see.
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from coseal.ledger import codec
from coseal.ledger.errors import LedgerError
from coseal.ledger.sealed import SIDECAR_BYTES_MAX
from coseal.ledger.transaction import MAX_TRANSACTION_BYTES
from coseal.node.http.auth import unauthorized
from coseal.node.http.bodies import MSGPACK
from coseal.node.http.context import Context
from coseal.node.http.hot import HotRequest
from coseal.node.http.problems import Problem

SEALED: Final = "application/vnd.coseal.sealed+msgpack"
"""The body ``["sealed", 1, transaction, sidecar]``: a transaction's wire form, and the sidecar that it names."""
SEALED_BYTES_MAX: Final = MAX_TRANSACTION_BYTES + SIDECAR_BYTES_MAX + 64

Name = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="Name of a sidecar, 64 lower-case hex digits.")]


def split_sealed(body: bytes) -> tuple[bytes, bytes]:
    """Return transaction and sidecar of a body; raise the problem 400, or 413."""
    if len(body) > SEALED_BYTES_MAX:
        raise Problem(413, "too_large", f"{len(body)} bytes, at most {SEALED_BYTES_MAX}")
    try:
        raw, sidecar = codec.decode_record(body, "sealed", 1, 2)
        return codec.octets(raw, "transaction"), codec.octets(sidecar, "sidecar")
    except LedgerError as error:
        raise Problem(400, "malformed", f"{SEALED}: {error.reason}") from None


def router(context: Context) -> APIRouter:
    """Return the route that reads sidecars."""
    routes = APIRouter(prefix="/v1/sidecars", tags=["sidecars"])

    @routes.get("/{name:part}", summary="A live sidecar, for who may read it")
    async def read(request: Request, name: Name) -> Response:
        asked: HotRequest = request.scope["coseal"]
        if asked.identity is None or asked.identity.token is not None:  # Y31
            raise unauthorized(
                "unauthenticated", "a sidecar is for an operator whose member may read it: sign the request"
            )
        found = await context.services.sidecar(bytes.fromhex(name), asked.identity.member)
        if found is None:
            raise Problem(404, "unknown_sidecar", "no sidecar of this name is here for this member")
        return Response(found, 200, {"Cache-Control": "no-store"}, MSGPACK)

    return routes
