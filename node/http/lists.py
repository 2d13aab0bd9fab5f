"""The lists of contracts over HTTP: one route for each, with its filters, orders and pages.

Law: a list comes from the index and carries its height; nothing of it is proven.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from coseal.contracts.kernel.lists import Filter, List, Order
from coseal.contracts.registry import LISTS
from coseal.node.http import paging
from coseal.node.http.bodies import answer
from coseal.node.http.context import Context
from coseal.node.http.problems import Problem
from coseal.node.index import lists

_LIMIT: Final = 100


def router(context: Context) -> APIRouter:
    """Return the routes of all lists."""
    routes = APIRouter(dependencies=[Depends(context.fresh_index)])
    for listed in LISTS.values():
        endpoint = _endpoint(context, listed)
        routes.add_api_route(listed.path, endpoint, summary=listed.says, tags=[listed.part], name=listed.entries)
    return routes


def filters_of(listed: List) -> Any:
    """Return a dependency: the filters of a list that were given, by name."""

    async def given(**values: str | None) -> dict[str, str]:
        return {name: value for name, value in values.items() if value is not None}

    return Depends(_taking(given, {one.name: (_hint(one), None) for one in listed.filters}))


def _endpoint(context: Context, listed: List) -> Callable[..., Any]:
    async def entries(
        filters: dict[str, str], order: str = "", limit: int = lists.MAX_ROWS, cursor: str | None = None
    ) -> Response:
        chosen = listed.order(order)
        after = _place(listed, chosen, cursor)
        height, page = await context.services.index.query(lists.page, listed, filters, after, limit, chosen)
        following = {"next": paging.encode(page.next)} if listed.paged else {}
        return answer({"height": height, listed.entries: page.items, **following}, height=height)

    parameters: dict[str, tuple[Any, Any]] = {"filters": (dict[str, str], filters_of(listed))}
    if len(listed.orders) > 1:
        names = tuple(order.name for order in listed.orders)
        parameters["order"] = (Annotated[Literal[names], Query(description=listed.orders_say)], names[0])
    if listed.paged:
        parameters |= {"limit": (paging.Limit, _LIMIT), "cursor": (paging.Cursor, None)}
    return _taking(entries, parameters)


def _place(listed: List, order: Order, cursor: str | None) -> tuple[str | int, ...]:
    """Return the place in the order that a cursor goes on after, empty without one; raise the problem 400."""
    after = listed.place(order, paging.decode(cursor))
    if after is None:
        among = ", in the same order" if len({one.by for one in listed.orders}) > 1 else ""
        raise Problem(400, "invalid_cursor", f"cursor: use `next` of the page before, unchanged{among}")
    return after


def _hint(one: Filter) -> Any:
    says = one.says or None
    if one.values:
        return Annotated[Literal[one.values] | None, Query(description=says)]
    if one.pattern:
        return Annotated[str | None, Query(pattern=one.pattern, description=says)]
    return Annotated[str | None, Query(max_length=one.high, description=says)]


def _taking(function: Callable[..., Any], parameters: dict[str, tuple[Any, Any]]) -> Callable[..., Any]:
    """Give a function its parameters, as annotations with defaults: what FastAPI makes of them is what it takes."""
    named = [
        Parameter(name, Parameter.KEYWORD_ONLY, annotation=hint, default=default)
        for name, (hint, default) in parameters.items()
    ]
    function.__signature__ = Signature(named)  # type: ignore[attr-defined]
    return function
