"""Processes as wholes over HTTP: the directly-follows map of an object type, its variants, cases, and their times.

Law: without filters everything here is counted by the index while events come, so an answer costs the same for a
million events as for a thousand; with filters it costs what passes them, and is given up when that is too much.
An answer is kept until more is recorded of its process type (``index/contracts/remembered.py``).
Nothing of it is proven, each case is (``/v1/objects/{id}/events?proof=true``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from coseal.node.http import paging
from coseal.node.http.bodies import answer
from coseal.node.http.context import Context
from coseal.node.http.problems import Problem, too_wide
from coseal.node.index.contracts import process_flows as queries
from coseal.node.index.contracts import process_times
from coseal.node.index.contracts.remembered import Remembered
from coseal.node.index.queries import TooWide

_DIGITS_MAX: Final = 18
_MS_MAX: Final = 2**53

Id = Annotated[str, Path(max_length=128)]
ObjectType = Annotated[
    str | None, Query(alias="type", max_length=128, description="The object type; default: the one with most events.")
]
Flows = Annotated[int, Query(ge=1, le=1_000, description="The most frequent flows, at most so many.")]
View = Annotated[
    Literal["corrected", "recorded"],
    Query(description="Corrections in the place of what they correct, or as events of their own."),
]
Dotted = Annotated[int, Query(ge=1, le=500, description="Cases, at most.")]
Order = Annotated[
    Literal["begun", "longest", "shortest"],
    Query(description="By their first item, or by how long they took."),
]


Variant = Annotated[int | None, Query(ge=1, le=2**62, description="Only cases of this variant, by its number.")]
First = Annotated[str | None, Query(max_length=128, description="Only cases whose first event is of this type.")]
Last = Annotated[str | None, Query(max_length=128, description="Only cases whose last event is of this type.")]
Activity = Annotated[str | None, Query(max_length=128, description="Only cases with an event of this type.")]
Attribute = Annotated[str | None, Query(max_length=128, description="Only cases where this attribute has `value`.")]
Value = Annotated[str | None, Query(max_length=64, description="See `attribute`.")]
Before = Annotated[
    str | None, Query(max_length=128, description="Only cases where this event type comes right before `after`.")
]
After = Annotated[str | None, Query(max_length=128, description="See `before`.")]
FromMs = Annotated[int | None, Query(ge=0, le=_MS_MAX, description="Only cases from this moment on, see `during`.")]
ToMs = Annotated[int | None, Query(ge=0, le=_MS_MAX, description="Only cases before this moment, see `during`.")]
During = Annotated[
    Literal["overlaps", "within", "begins", "ends"] | None,
    Query(description="What lies between `from_ms` and `to_ms`: a part of it (default), all, its begin, its end."),
]
LeastMs = Annotated[
    int | None,
    Query(ge=-_MS_MAX, le=_MS_MAX, description="Only cases that took at least so long."),
]
BelowMs = Annotated[int | None, Query(ge=-_MS_MAX, le=_MS_MAX, description="Only cases that took less.")]


async def _filters(
    variant: Variant = None,
    first: First = None,
    last: Last = None,
    activity: Activity = None,
    attribute: Attribute = None,
    value: Value = None,
    before: Before = None,
    after: After = None,
    from_ms: FromMs = None,
    to_ms: ToMs = None,
    during: During = None,
    least_ms: LeastMs = None,
    below_ms: BelowMs = None,
) -> dict[str, Any]:
    """Return the filters of cases that were given, by name."""
    given = dict(locals())
    for one, other in (("before", "after"), ("attribute", "value")):
        if (given[one] is None) != (given[other] is None):
            raise Problem(400, "invalid_parameter", f"{one}, {other}: one needs the other")
    return {name: held for name, held in given.items() if held is not None}


Filters = Annotated[dict[str, Any], Depends(_filters)]


def router(context: Context) -> APIRouter:
    """Return the routes of processes as wholes."""
    fresh_index = [Depends(context.fresh_index)]
    routes = APIRouter(prefix="/v1/process-types/{id:part}", tags=["process"], dependencies=fresh_index)

    remembered = Remembered()

    async def asked(question: Callable[..., tuple[Any, ...]], process_type: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return await context.services.index.query(remembered.ask, question, process_type, *args, **kwargs)
        except TooWide:
            raise too_wide() from None

    @routes.get("/map", summary="Which activity follows which, how often and how fast")
    async def process_map(
        id: Id, filters: Filters, object_type: ObjectType = None, limit: Flows = 200, view: View = "corrected"
    ) -> Response:
        recorded = view == "recorded"
        height, found = await asked(queries.process_map, id, object_type, limit, filters, recorded=recorded)
        return answer({"height": height, "process_type": id, **found}, height=height)

    @routes.get("/variants", summary="The ways cases went, most frequent first")
    async def variants(
        id: Id,
        filters: Filters,
        object_type: ObjectType = None,
        limit: paging.Limit = 100,
        cursor: paging.Cursor = None,
        view: View = "corrected",
    ) -> Response:
        recorded = view == "recorded"
        place = _place(cursor, "-", 2)
        height, figures, page = await asked(queries.variants, id, object_type, place, limit, filters, recorded=recorded)
        document = {"height": height, "process_type": id, **figures, "items": page.items}
        return answer({**document, "next": paging.encode(page.next)}, height=height)

    @routes.get("/cases", summary="Objects with events, in the order of their first item or by how long they took")
    async def cases(
        id: Id,
        filters: Filters,
        object_type: ObjectType = None,
        order: Order = "begun",
        limit: paging.Limit = 100,
        cursor: paging.Cursor = None,
        view: View = "corrected",
    ) -> Response:
        recorded = view == "recorded"
        place = _place(cursor, "_", 1 if order == "begun" else 2)
        height, figures, page = await asked(
            queries.cases, id, object_type, filters, place, limit, order, recorded=recorded
        )
        document = {"height": height, "process_type": id, **figures, "items": page.items}
        return answer({**document, "next": paging.encode(page.next)}, height=height)

    @routes.get("/times", summary="How long cases took so far: a histogram")
    async def times(id: Id, filters: Filters, object_type: ObjectType = None, view: View = "corrected") -> Response:
        height, found = await asked(process_times.times, id, object_type, filters, recorded=view == "recorded")
        return answer({"height": height, "process_type": id, **found}, height=height)

    @routes.get("/dots", summary="The events of cases over time: a dotted chart")
    async def dots(
        id: Id, filters: Filters, object_type: ObjectType = None, limit: Dotted = 200, view: View = "corrected"
    ) -> Response:
        height, found = await asked(process_times.dots, id, object_type, filters, limit, recorded=view == "recorded")
        return answer({"height": height, "process_type": id, **found}, height=height)

    return routes


def _place(cursor: str | None, between: str, parts: int) -> list[int]:
    """Return the numbers of the place a cursor goes on after, empty without one; raise the problem 400."""
    key = paging.decode(cursor)
    found = key.split(between) if key else []
    digits = [part.removeprefix("-") if between == "_" else part for part in found]
    if found and (
        len(found) != parts or not all(p.isascii() and p.isdigit() and len(p) <= _DIGITS_MAX for p in digits)
    ):
        raise Problem(400, "invalid_cursor", "cursor: use `next` of the page before, unchanged")
    return [int(part) for part in found]
