"""How members change what concerns all: proposals with their votes, and the constitution, from the state.

Law: only reads; a proposal is shown as the state has it at the height the answer names.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from coseal.contracts.governance import actions as governance
from coseal.contracts.governance import described
from coseal.contracts.governance.described import Described
from coseal.contracts.governance.state import CONSTITUTION_KEY, NAME, constitution_key, proposal_key
from coseal.contracts.registry import KINDS
from coseal.node.http import paging
from coseal.node.http.bodies import answer
from coseal.node.http.chain import KeyProof, proof_document, prove_key
from coseal.node.http.context import Context
from coseal.node.http.problems import Problem

Status = Annotated[
    Literal["open", "passed", "accepted", "rejected", "expired", "withdrawn", "void", "failed"] | None,
    Query(description="Only those that are so."),
]
Number = Annotated[str, Path(pattern="^(0|[1-9][0-9]{0,8})$", description="A version, without leading zeros.")]


def router(context: Context) -> APIRouter:
    """Return the routes of governance."""
    routes = APIRouter(prefix="/v1", tags=["governance"], dependencies=[Depends(context.fresh)])
    _add_proposals(routes, context)
    _add_constitution(routes, context)
    return routes


def _add_proposals(routes: APIRouter, context: Context) -> None:
    @routes.get("/governance/proposals", summary="Proposals, newest first")
    async def proposals(status: Status = None, limit: paging.Limit = 100, cursor: paging.Cursor = None) -> Response:
        height, before = context.services.height, paging.decode_number(cursor) or None
        found = governance.proposals(context.reader(), KINDS, status, limit=limit + 1, before=before)
        page, more = found[:limit], len(found) > limit
        following = paging.encode(str(page[-1]["number"])) if more else None
        return answer({"height": height, "proposals": page, "next": following}, height=height)

    @routes.get("/governance/proposals/{id:part}", summary="One proposal with its votes, with its proof if wanted")
    async def proposal(id: Annotated[str, Path(max_length=64)], proof: KeyProof = False) -> Response:
        height = context.services.height
        reader = context.reader()
        record: Any = reader.get(proposal_key(id))
        if record is None:
            raise Problem(404, "unknown_proposal", "no proposal has this id", more={"height": height})
        found = {**(governance.proposal(reader, id, KINDS) or {}), "rule": described.rule(reader, NAME, record)}
        document: dict[str, Any] = {"height": height, "proposal": found}
        if proof:
            certified = await prove_key(context, proposal_key(id))
            document |= {"height": certified.header.height, "proof": await proof_document(context, certified)}
        return answer(document, height=document["height"])


def _add_constitution(routes: APIRouter, context: Context) -> None:
    @routes.get("/constitution", summary="The constitution in force, with its proof if wanted")
    async def in_force(proof: KeyProof = False) -> Response:
        height, found = context.services.height, described.constitution(context.reader())
        return await _constitution(context, height, found, proof)

    @routes.get("/constitution/{number:part}", summary="A constitution of this chain, 0 for the founding one")
    async def constitution(number: Number, proof: KeyProof = False) -> Response:
        height, found = context.services.height, described.constitution(context.reader(), int(number))
        return await _constitution(context, height, found, proof)


async def _constitution(context: Context, height: int, found: Described | None, proof: bool) -> Response:
    if found is None:
        raise Problem(404, "unknown_constitution", "no constitution has this number", more={"height": height})
    document: dict[str, Any] = {"height": height, "constitution": found._asdict()}
    if proof:
        key = constitution_key(found.version) if found.version else CONSTITUTION_KEY
        certified = await prove_key(context, key)
        document |= {"height": certified.header.height, "proof": await proof_document(context, certified)}
    return answer(document, height=document["height"])
