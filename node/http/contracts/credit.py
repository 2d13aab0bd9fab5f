"""Credit over HTTP beside its list: the dossier of a member, from the certified state.

Law: only reads; a dossier is shown to its own member, and to others once they recorded why they read it (C10).
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from coseal.contracts.credit import dossier
from coseal.contracts.credit.consulting import may_read
from coseal.contracts.credit.dossier import MAX_FORMULAS, MAX_MONTHS, MAX_VALUES, Question
from coseal.contracts.credit.figures import month_of
from coseal.contracts.credit.formulas import newest_version
from coseal.contracts.membership.state import member_key
from coseal.ledger.errors import BadProof
from coseal.ledger.handover import with_handovers
from coseal.ledger.proof import CertifiedValue
from coseal.node.http.auth import CREDENTIALS, unauthorized
from coseal.node.http.bodies import answer, json_bytes
from coseal.node.http.chain import prove_keys
from coseal.node.http.context import Context, WithHandovers
from coseal.node.http.hot import HotRequest
from coseal.node.http.problems import Problem, unavailable

_TOO_MUCH: Final = "this member has too many facts for one answer; ask for fewer months"
_TRIES: Final = 3

Months = Annotated[
    int, Query(ge=1, le=MAX_MONTHS, description="How many months up to that of the block; by default all there can be.")
]
Formulas = Annotated[
    str, Query(max_length=1_000, description=f"Ids of formulas, commas between them, {MAX_FORMULAS} at most.")
]


def router(context: Context) -> APIRouter:
    """Return the routes of credit."""
    routes = APIRouter(prefix="/v1/credit", tags=["credit"], dependencies=[Depends(context.fresh)])

    @routes.get("/{member:part}/dossier", summary="All facts of a member, proven to be all, with formulas in force")
    async def read(
        request: Request,
        member: Annotated[str, Path(max_length=64)],
        months: Months = MAX_MONTHS,
        formulas: Formulas = "",
        handovers: WithHandovers = True,
    ) -> Response:
        asked: HotRequest = request.scope["coseal"]
        if asked.identity is None:
            raise unauthorized("unauthenticated", f"a dossier is for members: reading it needs {CREDENTIALS}")
        question = Question(member, months, tuple(filter(None, formulas.split(","))))
        if len(set(question.formulas)) < len(question.formulas) or len(question.formulas) > MAX_FORMULAS:
            raise Problem(400, "invalid_parameter", f"formulas: at most {MAX_FORMULAS}, each once")
        proven = await _proven(context, question, asked.identity.member)
        header = proven[0].header
        leading = await context.handovers(header.epoch) if handovers else ()
        document = with_handovers(dossier.document(question, proven), leading)
        if len(json_bytes(document)) > context.limits.response_bytes:
            raise Problem(422, "too_many_rows", _TOO_MUCH)
        return answer(document, height=header.height)

    return routes


async def _proven(context: Context, question: Question, by: str) -> list[CertifiedValue]:
    """Return the values of a dossier, all of one block; raise the problem that says why it is not shown."""
    for _ in range(_TRIES):
        header, _certificate = await context.certified(context.services.height)
        month = month_of(header.time_ms)
        found = await prove_keys(context, _keys(context, question, by, header.time_ms))
        if month_of(found[0].header.time_ms) == month:  # else a month began between the two
            return found
    raise unavailable("months begin faster than this node answers")


def _keys(context: Context, question: Question, by: str, time_ms: int) -> list[str]:
    reader, more = context.reader(), {"height": context.services.height}
    if reader.get(member_key(question.member)) is None:
        raise Problem(404, "unknown_member", f"{question.member} is no member of this chain", more=more)
    if not may_read(reader, question.member, by, time_ms):
        why = f"{by} reads the dossier of {question.member} after it recorded why (credit.consult), for 30 days"
        raise Problem(403, "consult_first", why, more=more)
    for name in question.formulas:
        if not newest_version(reader, name):
            raise Problem(404, "unknown_formula", f"no ballot adopted the formula {name}", more=more)
    try:
        keys = dossier.keys(reader, question, month_of(time_ms))
    except BadProof as error:
        raise Problem(400, "invalid_parameter", error.reason, more=more) from None
    if len(keys) > MAX_VALUES:
        raise Problem(422, "too_many_rows", _TOO_MUCH, more=more)
    return keys
