"""The lists of contracts over HTTP: one route for each, with its filters, orders and pages.

Law: a list comes from the index and carries its height; nothing of it is proven.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from inspect import Parameter, Signature
from typing import Annotated, Any, Final, Literal

import structlog
from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from coseal.contracts.kernel.admitted import history, in_force
from coseal.contracts.kernel.lists import Filter, List, Order
from coseal.contracts.registry import LISTS
from coseal.contracts.rows.blocks import reason_of
from coseal.ledger.genesis import Sources
from coseal.node.http import paging
from coseal.node.http.bodies import answer
from coseal.node.http.context import Context
from coseal.node.http.problems import Problem
from coseal.node.index import lists

_log = structlog.get_logger("node.http")
_LIMIT: Final = 100
_TEXT_MAX: Final = 4_096


def router(context: Context) -> APIRouter:
    """Return the routes of all lists."""
    routes = APIRouter(dependencies=[Depends(context.fresh_index)])
    for listed in LISTS.values():
        endpoint = _endpoint(context, listed)
        routes.add_api_route(listed.path, endpoint, summary=listed.says, tags=[listed.part], name=listed.entries)
    for versions in _of_others(context).values():
        listed = versions[max(versions)]
        endpoint = _endpoint_of_others(context, versions)
        routes.add_api_route(listed.path, endpoint, summary=listed.says, tags=["contracts of others"], name=listed.name)
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
        return await _answer(context, listed, filters, order, limit, cursor)

    return _taking(entries, _parameters(listed))


def _parameters(listed: List) -> dict[str, tuple[Any, Any]]:
    parameters: dict[str, tuple[Any, Any]] = {"filters": (dict[str, str], filters_of(listed))}
    if len(listed.orders) > 1:
        names = tuple(order.name for order in listed.orders)
        parameters["order"] = (Annotated[Literal[names], Query(description=listed.orders_say)], names[0])
    if listed.paged:
        parameters |= {"limit": (paging.Limit, _LIMIT), "cursor": (paging.Cursor, None)}
    return parameters


async def _answer(
    context: Context, listed: List, filters: Mapping[str, str], order: str, limit: int, cursor: str | None
) -> Response:
    chosen = listed.order(order)
    after = _place(listed, chosen, cursor)
    height, page = await context.services.index.query(lists.page, listed, filters, after, limit, chosen)
    following = {"next": paging.encode(page.next)} if listed.paged else {}
    return answer({"height": height, listed.entries: page.items, **following}, height=height)


# Contracts of others: the version that is in force answers, and a fault of its list costs the answer alone


def _of_others(context: Context) -> dict[str, dict[Sources, List]]:
    """Return the lists of all contracts of others that are installed, by name and version."""
    found: dict[str, dict[Sources, List]] = {}
    for sources, contract in sorted(context.services.others.items(), key=lambda item: item[0]):
        for listed in contract.lists:
            found.setdefault(listed.name, {})[sources] = listed
    return found


def _endpoint_of_others(context: Context, versions: Mapping[Sources, List]) -> Callable[..., Any]:
    newest = versions[max(versions)]
    every = {
        one.name: replace(one, values=(), pattern="", high=_TEXT_MAX)
        for listed in versions.values()
        for one in listed.filters
    }

    async def entries(filters: dict[str, str], limit: int, order: str = "", cursor: str | None = None) -> Response:
        listed = _in_force(context, versions)
        _require_known(listed, filters, order)
        try:
            return await _answer(context, listed, filters, order, limit if listed.paged else lists.MAX_ROWS, cursor)
        except Problem:
            raise
        except Exception as error:  # W15
            _log.error("list_failed", list=listed.name, exc_info=error)
            raise Problem(500, "list_failed", f"{listed.name} of this version fails: {reason_of(error)}") from None

    all_parameters = _parameters(replace(newest, filters=tuple(every.values()), paged=True, orders=()))
    order: dict[str, tuple[Any, Any]] = {"order": (Annotated[str, Query(max_length=64)], "")}
    return _taking(entries, all_parameters | order)


def _in_force(context: Context, versions: Mapping[Sources, List]) -> List:
    """Return the list of the version that is in force; raise the problem 404."""  # W13
    height = max(context.services.height, 1)
    for entry in in_force(history(context.reader()), height):
        if entry.sources in versions:
            return versions[entry.sources]
    newest = max(versions)
    detail = f"no version of contract {newest.name} that has the list {versions[newest].name} is in force"
    raise Problem(404, "unknown_list", detail)


def _require_known(listed: List, filters: Mapping[str, str], order: str) -> None:
    known = {one.name: one for one in listed.filters}
    for name, value in filters.items():
        one = known.get(name)
        if one is None:
            raise Problem(400, "invalid_parameter", f"{name}: the version in force has no such filter")
        wrong_form = bool(one.pattern) and re.fullmatch(one.pattern, value) is None
        if len(value) > one.high or wrong_form or (one.values and value not in one.values):
            expected = ", ".join(one.values) or one.pattern or f"at most {one.high} characters"
            raise Problem(400, "invalid_parameter", f"{name}: expected {expected}")
    if order and order not in {one.name for one in listed.orders}:
        raise Problem(
            400, "invalid_parameter", f"order: expected one of {', '.join(one.name for one in listed.orders)}"
        )


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
