"""How members change what concerns all: proposals and the votes on them, from the state.

Law: only reads; a proposal is shown as the state has it at the height the answer names.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from coseal.contracts.governance import actions as governance
from coseal.contracts.governance.state import proposal_key
from coseal.contracts.registry import KINDS
from coseal.node.http import paging
from coseal.node.http.bodies import answer
from coseal.node.http.chain import KeyProof, proof_document, prove_key
from coseal.node.http.context import Context
from coseal.node.http.problems import Problem

Status = Annotated[
    Literal["open", "accepted", "rejected", "expired", "void", "failed"] | None,
    Query(description="Only those that are so."),
]


def router(context: Context) -> APIRouter:
    """Return the routes of governance."""
    routes = APIRouter(prefix="/v1/governance", tags=["governance"], dependencies=[Depends(context.fresh)])

    @routes.get("/proposals", summary="Proposals, newest first")
    async def proposals(status: Status = None, limit: paging.Limit = 100, cursor: paging.Cursor = None) -> Response:
        height, before = context.services.height, paging.decode_number(cursor) or None
        found = governance.proposals(context.reader(), KINDS, status, limit=limit + 1, before=before)
        page, more = found[:limit], len(found) > limit
        following = paging.encode(str(page[-1]["number"])) if more else None
        return answer({"height": height, "proposals": page, "next": following}, height=height)

    @routes.get("/proposals/{id:part}", summary="One proposal with its votes, with its proof if wanted")
    async def proposal(id: Annotated[str, Path(max_length=64)], proof: KeyProof = False) -> Response:
        height = context.services.height
        found = governance.proposal(context.reader(), id, KINDS)
        if found is None:
            raise Problem(404, "unknown_proposal", "no proposal has this id", more={"height": height})
        document: dict[str, Any] = {"height": height, "proposal": found}
        if proof:
            certified = await prove_key(context, proposal_key(id))
            document |= {"height": certified.header.height, "proof": await proof_document(context, certified)}
        return answer(document, height=document["height"])

    return routes
