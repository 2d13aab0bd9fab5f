"""Certification over HTTP beside its lists: a certificate with all that it follows from, from the certified state.

Law: only reads; a document is as of the certified height that it names, and is refused where it would prove nothing.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from coseal.contracts.certification import proof
from coseal.ledger.handover import with_handovers
from coseal.node.http.bodies import answer, json_bytes
from coseal.node.http.chain import prove_keys
from coseal.node.http.context import Context, WithHandovers
from coseal.node.http.problems import Problem


def router(context: Context) -> APIRouter:
    """Return the routes of certification."""
    routes = APIRouter(prefix="/v1", tags=["certification"], dependencies=[Depends(context.fresh)])

    @routes.get("/certificates/{id:part}", summary="A certificate in force, with all that it follows from")
    async def certificate(id: Annotated[str, Path(max_length=32)], handovers: WithHandovers = True) -> Response:
        height, reader = context.services.height, context.reader()
        found = proof.certificate_in(reader, id)
        if found is None:
            raise Problem(404, "unknown_certificate", "no certificate has this name", more={"height": height})
        proven = await prove_keys(context, proof.keys(reader, id))
        header = proven[0].header
        wrong = proof.not_in_force(id, found, header.time_ms)
        if wrong is not None:
            raise Problem(409, "not_in_force", wrong, more={"height": height})
        leading = await context.handovers(header.epoch) if handovers else ()
        document = with_handovers(proof.document(id, proven), leading)
        if len(json_bytes(document)) > context.limits.response_bytes:
            raise Problem(422, "too_many_rows", "this certificate follows from too much for one answer")
        return answer(document, height=header.height)

    return routes
