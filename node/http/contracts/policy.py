"""The policy register over HTTP beside its lists: figures from the index, single instruments from the state.

Law: what comes from the index carries the index's height; what can be proved is read from the certified state.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from coseal.contracts.kernel.action import Reader
from coseal.contracts.policy import instrument as policy_instrument
from coseal.contracts.policy import statistics as policy_statistics
from coseal.contracts.policy.lists import POLICIES
from coseal.contracts.policy.state import instrument_key
from coseal.ledger.render import plain
from coseal.node.http.bodies import answer
from coseal.node.http.chain import KeyProof, proof_document, prove_key
from coseal.node.http.context import Context
from coseal.node.http.lists import filters_of
from coseal.node.http.problems import Problem
from coseal.node.index import lists
from coseal.node.index.contracts import policy as queries

Filters = Annotated[dict[str, str], filters_of(POLICIES)]
_COUNTERS_MAX: Final = 2_000
_BY: Final = ", ".join(queries.DIMENSIONS)


def router(context: Context) -> APIRouter:
    """Return the routes of the policy register."""
    routes = APIRouter(prefix="/v1/policies", tags=["policies"])
    fresh, fresh_index = [Depends(context.fresh)], [Depends(context.fresh_index)]
    index = context.services.index

    @routes.get("/statistics", summary="Counts of instruments by dimensions", dependencies=fresh_index)
    async def statistics(
        filters: Filters, by: Annotated[str, Query(max_length=128, description=f"Some of {_BY}.")] = "year"
    ) -> Response:
        dimensions = _dimensions(by)
        if not filters and (counted := _counted(context.reader(), dimensions)) is not None:
            total, rows = counted
            height = context.services.height
            return answer({"height": height, "by": dimensions, "policies": total, "counts": rows}, height=height)
        try:
            height, total, rows = await index.query(queries.policy_statistics, dimensions, filters)
        except queries.TooMany:
            raise _too_many() from None
        return answer({"height": height, "by": dimensions, "policies": total, "counts": rows}, height=height)

    @routes.get("/relations", summary="What an instrument rests on, and what rests on it", dependencies=fresh_index)
    async def relations(
        id: Annotated[str, Query(max_length=128)],
        depth: Annotated[int, Query(ge=1, le=8, description="How many steps away, at most.")] = 3,
    ) -> Response:
        height, found = await index.query(queries.relations, id, depth)
        return answer({"height": height, "id": id, **found}, height=height)

    @routes.get("/coissuing", summary="How often issuers passed instruments together", dependencies=fresh_index)
    async def coissuing(
        filters: Filters,
        by: Annotated[
            Literal["passed", "acted"], Query(description="`acted`: both had a part in it, whatever each did.")
        ] = "passed",
    ) -> Response:
        try:
            height, pairs = await index.query(queries.co_issuing, filters, acted=by == "acted")
        except queries.TooMany:
            raise _too_many() from None
        return answer({"height": height, "by": by, "pairs": pairs}, height=height)

    @routes.get("/{id:rest}", summary="One instrument, with its proof if wanted", dependencies=fresh)
    async def policy(id: Annotated[str, Path(max_length=128)], proof: KeyProof = False) -> Response:
        services = context.services
        height = services.height
        found = policy_instrument.instrument(context.reader(), id)
        if found is None and not proof:
            raise Problem(404, "unknown_policy", "no instrument has this id", more={"height": height})
        document: dict[str, Any] = {"height": height, "policy": None}
        if found is not None:
            header, _ = await context.certified(height)
            verdict, reason = policy_instrument.standing(found, header.time_ms)
            document |= {"policy": plain(found), "in_force": {"verdict": verdict, "reason": reason}}
        if proof:
            certified = await prove_key(context, instrument_key(id))
            document |= {"height": certified.header.height, "proof": await proof_document(context, certified)}
        return answer(document, height=document["height"])

    return routes


def _dimensions(by: str) -> list[str]:
    names = by.split(",")
    if not set(names) <= queries.DIMENSIONS.keys() or len(set(names)) < len(names):
        raise Problem(400, "invalid_parameter", f"by: expected some of {_BY}, each once, with commas between")
    return names


def _counted(reader: Reader, dimensions: list[str]) -> tuple[int, list[dict[str, Any]]] | None:
    """Return (instruments, figures of one dimension of all) from the counters in the state; None: ask the index."""
    by = dimensions[0]
    if len(dimensions) > 1 or by not in policy_statistics.DIMENSIONS:
        return None
    if policy_statistics.distinct(reader, by) > _COUNTERS_MAX:
        return None
    counts = [{by: value, "count": count} for value, count in policy_statistics.statistics(reader, by).items()]
    return sum(policy_statistics.statistics(reader, "origin").values()), counts


def _too_many() -> Problem:
    detail = f"more than {lists.MAX_ROWS} rows; ask for fewer dimensions, or filter"
    return Problem(422, "too_many_rows", detail)
