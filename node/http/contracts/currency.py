"""Money over HTTP beside its lists: the totals, which everybody may see, and single wallets, from the certified state.

Law: only reads; what all wallets have is public, what one of them has is for members.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from coseal.contracts.currency.ledger import LIMITS
from coseal.contracts.currency.post import Totals, issuance, wallet_of
from coseal.contracts.currency.state import TOTALS_KEY, wallet_key
from coseal.node.http.bodies import answer
from coseal.node.http.chain import KeyProof, proof_document, prove_key
from coseal.node.http.context import Context
from coseal.node.http.problems import Problem


def router(context: Context) -> APIRouter:
    """Return the routes of the currency."""
    routes = APIRouter(prefix="/v1", tags=["currency"], dependencies=[Depends(context.fresh)])

    @routes.get("/currency", summary="What was issued and redeemed, and sums over all wallets, with proof if wanted")
    async def totals(proof: KeyProof = False) -> Response:
        height, reader = context.services.height, context.reader()
        issued, sums = issuance(reader), Totals.read(reader)
        found: dict[str, Any] = {"issued": issued.debits_posted, "redeemed": issued.credits_posted}
        found |= {"redeeming": issued.credits_pending, "circulating": sums.balance.posted, "wallets": sums.wallets}
        found |= {"movements": sums.balance.count, "institutions": sums.institutions, "pendings": sums.pendings}
        document: dict[str, Any] = {"height": height, "currency": found}
        if proof:
            certified = await prove_key(context, TOTALS_KEY)
            document |= {"height": certified.header.height, "proof": await proof_document(context, certified)}
        return answer(document, height=document["height"])

    @routes.get("/wallets/{institution:part}/{id:part}", summary="One wallet, with its proof if wanted")
    async def wallet(
        institution: Annotated[str, Path(max_length=64)],
        id: Annotated[str, Path(max_length=64)],
        proof: KeyProof = False,
    ) -> Response:
        height, name = context.services.height, f"{institution}/{id}"
        found = wallet_of(context.reader(), name)
        if found is None:
            raise Problem(404, "unknown_wallet", "no wallet has this name", more={"height": height})
        balance = found.balance
        shown: dict[str, Any] = {"wallet": name, "holder": found.holder, "authority": found.authority}
        shown |= {"key": found.key, "nonce": found.nonce, "class": found.class_id, "status": found.status}
        shown |= {"balance": balance.posted, "available": balance.available, "movements": balance.count}
        totals = dict(zip(("debits", "credits", "reserved", "incoming"), balance.texts(), strict=True))
        limits = dict(zip(LIMITS, found.limits, strict=True))
        document: dict[str, Any] = {"height": height, "wallet": {**shown, **totals, "limits": limits}}
        if proof:
            certified = await prove_key(context, wallet_key(name))
            document |= {"height": certified.header.height, "proof": await proof_document(context, certified)}
        return answer(document, height=document["height"])

    return routes
