"""How members change what concerns all: proposals with their votes, and the constitution, from the state.

Law: only reads; a proposal is shown as the state has it at the height the answer names.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from coseal.contracts.governance import actions as governance
from coseal.contracts.governance import decision_keys, described
from coseal.contracts.governance.described import Described
from coseal.contracts.governance.state import CONSTITUTION_KEY, NAME, ballot_key, constitution_key, proposal_key
from coseal.contracts.membership.state import MEMBERS_KEY
from coseal.contracts.registry import KINDS
from coseal.ledger.handover import with_handovers
from coseal.node.http import paging
from coseal.node.http.bodies import answer, json_bytes
from coseal.node.http.chain import KeyProof, proof_document, prove_key, prove_keys
from coseal.node.http.context import Context, WithHandovers
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

    @routes.get("/governance/proposals/{id:part}/decision", summary="How a proposal was decided, as a document")
    async def decided(id: Annotated[str, Path(max_length=64)], handovers: WithHandovers = True) -> Response:
        return await decision_document(context, NAME, id, handovers=handovers)


async def decision_document(context: Context, contract: str, ballot_id: str, *, handovers: bool) -> Response:
    """Return how a ballot was decided, with all votes, each proven to be there or absent, as of the newest block."""
    height, reader = context.services.height, context.reader()
    record: Any = reader.get(ballot_key(contract, ballot_id))
    if record is None:
        raise Problem(404, "unknown_ballot", "no ballot has this id", more={"height": height})
    if "decided" not in record:
        raise Problem(409, "not_decided", f"the ballot is {record['status']}", more={"height": height})
    members: Any = reader.get(MEMBERS_KEY)
    keys = decision_keys.keys(contract, ballot_id, record, members)
    proven = await prove_keys(context, keys.all)
    header = proven[0].header
    leading = await context.handovers(header.epoch) if handovers else ()
    document = with_handovers(decision_keys.document(contract, ballot_id, keys, proven), leading)
    if len(json_bytes(document)) > context.limits.response_bytes:
        raise Problem(422, "too_many_rows", "this decision has too many votes for one answer")
    return answer(document, height=header.height)


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
