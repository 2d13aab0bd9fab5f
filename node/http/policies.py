"""The policy register over HTTP: lists and figures from the index, single instruments from the state.

Law: what comes from the index carries the index's height; what can be proved is read from the certified state.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from coseal.contracts.kernel.action import Reader
from coseal.contracts.policy import instrument as policy_instrument
from coseal.contracts.policy import statistics as policy_statistics
from coseal.ledger.render import plain
from coseal.node.http import paging
from coseal.node.http.bodies import answer
from coseal.node.http.chain import KeyProof, proof_document, prove_key
from coseal.node.http.context import Context
from coseal.node.http.problems import Problem
from coseal.node.index import queries

Text = Annotated[str | None, Query(max_length=256)]
_COUNTERS_MAX: Final = 2_000
_BY: Final = ", ".join(queries.DIMENSIONS)


async def filters(
    year: Annotated[str | None, Query(pattern="^([0-9]{4}|undated)$", description="Four digits, or `undated`.")] = None,
    area: Text = None,
    level: Text = None,
    issuer: Text = None,
    status: Text = None,
    origin: Text = None,
    type_document: Text = None,
    member: Text = None,
    source: Annotated[str | None, Query(max_length=256, description="SHA-256 of what it was recorded from.")] = None,
    title: Annotated[str | None, Query(max_length=256, description="Text that the title contains.")] = None,
) -> dict[str, str]:
    """Return the filters that were given."""
    given = {
        "year": year,
        "area": area,
        "level": level,
        "issuer": issuer,
        "status": status,
        "origin": origin,
        "type_document": type_document,
        "member": member,
        "source": source,
        "title": title,
    }
    return {name: value for name, value in given.items() if value is not None}


Filters = Annotated[dict[str, str], Depends(filters)]


def router(context: Context) -> APIRouter:
    """Return the routes of the policy register."""
    routes = APIRouter(prefix="/v1/policies", tags=["policies"])
    fresh, fresh_index = [Depends(context.fresh)], [Depends(context.fresh_index)]
    index = context.services.index

    @routes.get("", summary="Instruments, filtered, by id or the newest first", dependencies=fresh_index)
    async def policies(
        given: Filters,
        limit: paging.Limit = 100,
        cursor: paging.Cursor = None,
        order: Annotated[Literal["id", "newest"], Query(description="`newest`: by date, latest first.")] = "id",
    ) -> Response:
        after = paging.decode(cursor)
        if order == "id":
            height, page = await index.query(queries.policies, given, after, limit)
        else:
            height, page = await index.query(queries.newest_policies, given, _date_and_id(after), limit)
        return answer({"height": height, "policies": page.items, "next": paging.encode(page.next)}, height=height)

    @routes.get("/statistics", summary="Counts of instruments by dimensions", dependencies=fresh_index)
    async def statistics(
        given: Filters, by: Annotated[str, Query(max_length=128, description=f"Some of {_BY}.")] = "year"
    ) -> Response:
        dimensions = _dimensions(by)
        if not given and (counted := _counted(context.reader(), dimensions)) is not None:
            total, rows = counted
            height = context.services.height
            return answer({"height": height, "by": dimensions, "policies": total, "counts": rows}, height=height)
        try:
            height, total, rows = await index.query(queries.policy_statistics, dimensions, given)
        except queries.TooMany:
            raise _too_many() from None
        return answer({"height": height, "by": dimensions, "policies": total, "counts": rows}, height=height)

    @routes.get("/sources", summary="What recorded instruments come from", dependencies=fresh_index)
    async def sources() -> Response:
        height, rows = await index.query(queries.policy_sources)
        return answer({"height": height, "sources": rows}, height=height)

    @routes.get("/relations", summary="What an instrument rests on, and what rests on it", dependencies=fresh_index)
    async def relations(
        id: Annotated[str, Query(max_length=128)],
        depth: Annotated[int, Query(ge=1, le=8, description="How many steps away, at most.")] = 3,
    ) -> Response:
        height, found = await index.query(queries.relations, id, depth)
        return answer({"height": height, "id": id, **found}, height=height)

    @routes.get("/coissuing", summary="How often issuers passed instruments together", dependencies=fresh_index)
    async def coissuing(
        given: Filters,
        by: Annotated[
            Literal["passed", "acted"], Query(description="`acted`: both had a part in it, whatever each did.")
        ] = "passed",
    ) -> Response:
        try:
            height, pairs = await index.query(queries.co_issuing, given, acted=by == "acted")
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
            certified = await prove_key(context, f"policy/instrument/{id}")
            document |= {"height": certified.header.height, "proof": await proof_document(context, certified)}
        return answer(document, height=document["height"])

    return routes


def _date_and_id(after: str) -> tuple[str, str] | None:
    """Return the (date, id) after which to go on, None at the start."""
    date, space, policy = after.partition(" ")
    if after and not space:
        raise Problem(400, "invalid_cursor", "cursor: use `next` of the page before, unchanged, in the same order")
    return (date, policy) if after else None


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
    detail = f"more than {queries.MAX_ROWS} rows; ask for fewer dimensions, or filter"
    return Problem(422, "too_many_rows", detail)
