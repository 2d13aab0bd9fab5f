"""Money over HTTP beside its lists: the totals, which everybody may see, and single wallets, from the certified state.

Law: only reads; what all wallets have is public, what one of them has is for members. A statement is complete as of
the certified height that it names: the state fixes how many movements there are and what chain they form.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from coseal.contracts.currency import statement
from coseal.contracts.currency.ledger import ISSUANCE, LIMITS, Movement, month_start_ms, next_month
from coseal.contracts.currency.lists import MOVEMENTS
from coseal.contracts.currency.post import Totals, issuance, wallet_of
from coseal.contracts.currency.state import TOTALS_KEY, wallet_key
from coseal.contracts.currency.statement import Period, TooManyMonths, month_from
from coseal.ledger.errors import Malformed
from coseal.ledger.handover import with_handovers
from coseal.node.http.bodies import answer, json_bytes
from coseal.node.http.chain import KeyProof, proof_document, prove_key, prove_keys
from coseal.node.http.context import Context, WithHandovers
from coseal.node.http.problems import Problem, unavailable
from coseal.node.index import lists

MAX_PROVEN_MOVEMENTS: Final = 10_000
_PATTERN: Final = "^[0-9]{4}-(0[1-9]|1[0-2])$"

First = Annotated[str | None, Query(pattern=_PATTERN, description="The first month, `2026-03`; else all before too.")]
Last = Annotated[str | None, Query(pattern=_PATTERN, description="The last month; else up to the newest block.")]


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

    @routes.get("/wallets/{institution:part}/{id:part}/statement", summary="All movements of a wallet, provably all")
    async def statement_of_wallet(
        institution: Annotated[str, Path(max_length=64)],
        id: Annotated[str, Path(max_length=64)],
        first: First = None,
        last: Last = None,
        handovers: WithHandovers = True,
    ) -> Response:
        name = f"{institution}/{id}"
        if wallet_of(context.reader(), name) is None:
            height = context.services.height
            raise Problem(404, "unknown_wallet", "no wallet has this name", more={"height": height})
        return await _statement(context, name, _period(first, last), handovers=handovers)

    @routes.get("/supply/statement", summary="All that was issued and redeemed, provably all")
    async def statement_of_issuance(handovers: WithHandovers = True) -> Response:
        return await _statement(context, ISSUANCE, Period(), handovers=handovers)

    return routes


def _period(first: str | None, last: str | None) -> Period:
    """Return the months of a query; raise the problem 400."""
    try:
        period = Period(*(None if text is None else month_from(text) for text in (first, last)))
    except Malformed as error:
        raise Problem(400, "invalid_parameter", error.reason) from None
    if period.first is not None and period.last is not None and period.last < period.first:
        raise Problem(400, "invalid_parameter", "last: expected no month before the first")
    return period


async def _statement(context: Context, name: str, period: Period, *, handovers: bool) -> Response:
    """Answer with the movements of a wallet as of the newest certified state, and the proof that they are all."""
    try:
        keys = statement.keys(context.reader(), name, period)
    except TooManyMonths as error:
        raise Problem(422, "too_many_months", str(error)) from None
    proven = await prove_keys(context, keys.all)
    header = proven[0].header
    opening, closing = statement.ends(keys, name, period, proven)
    count = closing.count - opening.count
    if count > MAX_PROVEN_MOVEMENTS:
        raise _too_large(f"{count} movements, at most {MAX_PROVEN_MOVEMENTS}")
    movements = await _movements(context, name, period, count, header.height)
    document = statement.document(name, period, keys, proven, movements)
    leading = await context.handovers(header.epoch) if handovers else ()
    document = with_handovers(document, leading)
    if len(json_bytes(document)) > context.limits.response_bytes:
        raise _too_large(f"more than {context.limits.response_bytes} bytes")
    return answer(document, height=header.height)


async def _movements(context: Context, name: str, period: Period, count: int, height: int) -> Sequence[Movement]:
    """Return the first ``count`` movements of a wallet in these months, which the index has by this height."""
    filters = {"wallet": name}
    if period.first is not None:
        filters["from_ms"] = str(month_start_ms(period.first))
    if period.last is not None:
        filters["before_ms"] = str(month_start_ms(next_month(period.last)))
    await context.index_reaches(height)
    _, page = await context.services.index.query(lists.page, MOVEMENTS, filters, (), max(count, 1))
    found = page.items[:count]
    if len(found) != count:
        raise unavailable(f"the index holds {len(found)} movements of this wallet, the state {count}")
    return [statement.movement_of(row) for row in found]


def _too_large(detail: str) -> Problem:
    return Problem(422, "statement_too_large", f"{detail}; ask for fewer months")
