"""Evidence against validators over HTTP: who contradicted itself, and the proofs, from the certified state.

Law: only reads; a proof shown here is complete, and verifies against its own key without this node's help.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from coseal.contracts.evidence import actions as evidence
from coseal.contracts.evidence.state import places_key
from coseal.contracts.membership import actions as membership
from coseal.node.http.bodies import answer
from coseal.node.http.chain import KeyProof, proof_document, prove_key
from coseal.node.http.context import Context
from coseal.node.http.problems import Problem


def router(context: Context) -> APIRouter:
    """Return the routes of evidence."""
    routes = APIRouter(prefix="/v1/evidence", tags=["evidence"], dependencies=[Depends(context.fresh)])

    @routes.get("", summary="Validators that are proven to have contradicted themselves")
    async def accused() -> Response:
        height = context.services.height
        return answer({"height": height, "validators": evidence.summary(context.reader())}, height=height)

    @routes.get("/{validator:part}", summary="The proofs against one validator; none is an answer too, with its proof")
    async def proofs(validator: Annotated[str, Path(max_length=64)], proof: KeyProof = False) -> Response:
        height, reader = context.services.height, context.reader()
        found = evidence.proofs(reader, validator)
        if not found and membership.node(reader, validator) is None:
            raise Problem(404, "unknown_node", "no node has this id", more={"height": height})
        document: dict[str, Any] = {"height": height, "validator": validator, "proofs": found}
        if proof:
            certified = await prove_key(context, places_key(validator))
            document |= {"height": certified.header.height, "proof": await proof_document(context, certified)}
        return answer(document, height=document["height"])

    return routes
