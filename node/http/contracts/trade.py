"""Trade over HTTP beside its lists: documents that say what nobody claims, from the certified state.

Law: only reads; a document is as of the certified height that it names, and is refused where it would prove nothing.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from coseal.contracts.trade import proofs
from coseal.contracts.trade.ledger import OWED, Receivable
from coseal.contracts.trade.proofs import Question, question_from_json
from coseal.ledger import codec
from coseal.ledger.errors import Malformed
from coseal.ledger.handover import with_handovers
from coseal.node.http.bodies import answer
from coseal.node.http.chain import prove_key
from coseal.node.http.context import Context, WithHandovers
from coseal.node.http.problems import Problem


def router(context: Context) -> APIRouter:
    """Return the routes of trade."""
    routes = APIRouter(prefix="/v1", tags=["trade"], dependencies=[Depends(context.fresh)])

    @routes.get("/receivables/{id:part}/unpledged", summary="The proof that no bank finances a receivable")
    async def unpledged(id: Annotated[str, Path(max_length=20)], handovers: WithHandovers = True) -> Response:
        return await _proof(context, _question(id, None), handovers=handovers)

    @routes.get("/receivables/unregistered", summary="The proof that an invoice stands behind no receivable")
    async def unregistered(
        creditor: Annotated[str, Query(max_length=64, description="Whose invoice.")],
        number: Annotated[str, Query(max_length=64, description="Its number, in any spelling.")],
        date: Annotated[str, Query(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="Its day, `2026-03-31`.")],
        total: Annotated[int, Query(ge=1, le=10**15, description="Its total in fen.")],
        handovers: WithHandovers = True,
    ) -> Response:
        invoice = {"creditor": creditor, "number": number, "date": date, "total": total}
        return await _proof(context, _question(None, invoice), handovers=handovers)

    return routes


def _question(receivable: str | None, invoice: Any) -> Question:
    """Return the question of a path; raise the problem 400."""
    try:
        return question_from_json(receivable, invoice)
    except Malformed as error:
        raise Problem(400, "invalid_parameter", error.reason) from None


async def _proof(context: Context, question: Question, *, handovers: bool) -> Response:
    proven = await prove_key(context, question.key)
    value: Any = None if proven.value is None else codec.decode(proven.value)
    _require_unclaimed(question, value, proven.header.height)
    document = proofs.document(question, proven)
    leading = await context.handovers(proven.header.epoch) if handovers else ()
    return answer(with_handovers(document, leading), height=proven.header.height)


def _require_unclaimed(question: Question, value: Any, height: int) -> None:
    """Raise the problem that says why a document would prove nothing."""
    if question.invoice is not None:
        if value is not None:
            raise Problem(409, "already_registered", f"it stands behind R{value}", more={"height": height})
        return
    if value is None:
        raise Problem(404, "unknown_receivable", "no receivable has this name", more={"height": height})
    found = Receivable.decoded(value)
    if found.financier or found.status not in OWED:
        why = f"{found.financier} finances it" if found.financier else f"it is {found.status}"
        raise Problem(409, "encumbered", why, more={"height": height})
