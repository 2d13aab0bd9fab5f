"""Processes as wholes over HTTP: the directly-follows map of an object type, its variants, and its cases.

Law: everything here is counted by the index while events come, so an answer costs the same for a million events as for
a thousand; nothing of it is proven, each case is (``/v1/objects/{id}/events?proof=true``).
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from coseal.node.http import paging
from coseal.node.http.bodies import answer
from coseal.node.http.context import Context
from coseal.node.http.problems import Problem
from coseal.node.index.contracts import process_flows as queries

Id = Annotated[str, Path(max_length=128)]
ObjectType = Annotated[
    str | None, Query(alias="type", max_length=128, description="The object type; default: the one with most events.")
]
Flows = Annotated[int, Query(ge=1, le=1_000, description="The most frequent flows, at most so many.")]
Variant = Annotated[int | None, Query(ge=1, le=2**62, description="Only cases of this variant, by its number.")]
Last = Annotated[str | None, Query(max_length=128, description="Only cases whose last event is of this type.")]

_DIGITS_MAX: Final = 18


def router(context: Context) -> APIRouter:
    """Return the routes of processes as wholes."""
    fresh_index = [Depends(context.fresh_index)]
    routes = APIRouter(prefix="/v1/process-types/{id:part}", tags=["process"], dependencies=fresh_index)
    index = context.services.index

    @routes.get("/map", summary="Which activity follows which, how often and how fast")
    async def process_map(id: Id, object_type: ObjectType = None, limit: Flows = 200) -> Response:
        height, found = await index.query(queries.process_map, id, object_type, limit)
        return answer({"height": height, "process_type": id, **found}, height=height)

    @routes.get("/variants", summary="The ways cases went, most frequent first")
    async def variants(
        id: Id, object_type: ObjectType = None, limit: paging.Limit = 100, cursor: paging.Cursor = None
    ) -> Response:
        height, figures, page = await index.query(queries.variants, id, object_type, _place(cursor), limit)
        document = {"height": height, "process_type": id, **figures, "items": page.items}
        return answer({**document, "next": paging.encode(page.next)}, height=height)

    @routes.get("/cases", summary="Objects with events, in the order of their first item")
    async def cases(
        id: Id,
        object_type: ObjectType = None,
        variant: Variant = None,
        last: Last = None,
        limit: paging.Limit = 100,
        cursor: paging.Cursor = None,
    ) -> Response:
        given: dict[str, Any] = {"variant": variant, "last": last}
        filters = {name: value for name, value in given.items() if value is not None}
        after = paging.decode_number(cursor)
        height, figures, page = await index.query(queries.cases, id, object_type, filters, after, limit)
        document = {"height": height, "process_type": id, **figures, "items": page.items}
        return answer({**document, "next": paging.encode(page.next)}, height=height)

    return routes


def _place(cursor: str | None) -> list[int]:
    """Return the (cases, number) a cursor of variants goes on after, empty without one; raise the problem 400."""
    key = paging.decode(cursor)
    parts = key.split("-") if key else []
    if parts and (len(parts) != 2 or not all(p.isascii() and p.isdigit() and len(p) <= _DIGITS_MAX for p in parts)):
        raise Problem(400, "invalid_cursor", "cursor: use `next` of the page before, unchanged")
    return [int(part) for part in parts]
