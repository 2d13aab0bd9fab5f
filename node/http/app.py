"""The HTTP application of a node: FastAPI for most routes, plain ASGI for the hot ones, one gatekeeper in front.

Law: every route is in the OpenAPI document and in docs/spec/api.md; an unknown query parameter is refused, so that a
misspelt filter never passes for an unfiltered answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from fastapi import Depends, FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from coseal.node.http import chain, lists, operations, reference, sidecars, stream, transactions
from coseal.node.http.bodies import answer
from coseal.node.http.cloudevents import Events
from coseal.node.http.context import Context, Settings
from coseal.node.http.contracts import ROUTERS
from coseal.node.http.engine import EngineHeaders
from coseal.node.http.fast_path import FastPath
from coseal.node.http.gatekeeper import Gatekeeper
from coseal.node.http.gateway import Submission
from coseal.node.http.hot import HotRoute
from coseal.node.http.metrics import RequestMetrics
from coseal.node.http.openapi import add_hot_routes
from coseal.node.http.problems import Problem
from coseal.node.http.services import Services
from coseal.node.http.simulation import Simulations

_CODES: Final[Mapping[int, tuple[str, str]]] = {
    404: ("not_found", "no such route; see /docs"),
    405: ("method_not_allowed", "the route does not take this method"),
}


def create_app(services: Services, settings: Settings) -> Gatekeeper:
    """Return the ASGI application of a node."""
    context = Context(services, settings)
    submission = transactions.Transactions(context)
    gateway = Submission(context, submission)
    hot: dict[str, HotRoute] = {
        "/v1/transactions": submission.single,
        "/v1/transactions/batch": submission.batch,
        "/v1/submit": gateway.submit,
        "/v1/simulate": Simulations(context).simulate,
        "/v1/events": Events(gateway).record,
        "/v1/engine": EngineHeaders(context).show,
    }
    metrics = RequestMetrics(services.registry)
    fast_path = FastPath(context, submission, metrics)
    return Gatekeeper(_framework(context, submission), context, hot, fast_path, metrics)


def _framework(context: Context, submission: transactions.Transactions) -> FastAPI:
    app = FastAPI(
        title="Coseal node",
        version=context.services.software_version,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(_known_parameters)],
    )
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _internal_error)
    for router in (
        transactions.router(context, submission),
        chain.router(context),
        lists.router(context),  # before routes that take any id under the same path
        *(router(context) for router in ROUTERS),
        stream.router(context),
        sidecars.router(context),
        operations.router(context),
    ):
        app.include_router(router)
    app.state.document = cache(lambda: add_hot_routes(app.openapi()))  # a tenth of a second, for who asks for it
    app.state.parameters = {}

    @app.get("/openapi.json", include_in_schema=False)
    def openapi() -> Response:  # in a thread
        return answer(app.state.document())

    @app.get("/docs", include_in_schema=False)
    def docs(request: Request) -> Response:  # in a thread
        base = str(request.base_url).rstrip("/")
        return HTMLResponse(reference.page(app.state.document(), base), headers=reference.HEADERS)

    return app


def _query_parameters(dependant: Dependant) -> frozenset[str]:
    """Return the names of the query parameters of a route, those of what it depends on included."""
    names = {str(parameter.alias) for parameter in dependant.query_params}
    return frozenset(names.union(*map(_query_parameters, dependant.dependencies)))


async def _known_parameters(request: Request) -> None:
    route, parameters = request.scope["route"], request.app.state.parameters
    known = parameters.get(route.path)
    if known is None:
        known = parameters[route.path] = _query_parameters(route.dependant)
    given = request.query_params
    for name in given:
        if name not in known:  # Y3
            expected = ", ".join(sorted(known)) or "none"
            raise Problem(400, "invalid_parameter", f"unknown query parameter {name[:64]!r}; expected {expected}")
    if len(given.multi_items()) != len(given):
        raise Problem(400, "invalid_parameter", "a query parameter is given twice")


async def _problem(request: Request, error: Exception) -> Response:
    problem = error if isinstance(error, Problem) else Problem(500, "internal_error", "the node failed to answer")
    return problem.response()


async def _internal_error(request: Request, error: Exception) -> Response:
    return Problem(500, "internal_error", "the node failed to answer; its log says why").response()


async def _http_exception(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    code, detail = _CODES.get(status, ("refused", "the request was refused"))
    headers = error.headers if isinstance(error, HTTPException) else None
    return Problem(status, code, detail, headers=headers).response()


async def _invalid(request: Request, error: Exception) -> Response:
    """Name the first parameter that is wrong and what is expected, without repeating its value."""
    errors = error.errors() if isinstance(error, RequestValidationError) else []
    first = errors[0] if errors else {"loc": ("?",), "msg": "invalid", "type": ""}
    name = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
    expected = str(first["msg"])
    if first["type"] == "string_pattern_mismatch":  # a regular expression tells a reader little
        expected = f"expected: {_description(request, name)}"
    return Problem(400, "invalid_parameter", f"{name}: {expected}").response()


def _description(request: Request, name: str) -> str:
    """Return what the OpenAPI document says of a parameter."""
    path = request.scope["route"].path_format
    parameters = request.app.state.document()["paths"][path]["get"]["parameters"]
    found: Mapping[str, Any] = next((item for item in parameters if item["name"].lower() == name.lower()), {})
    return str(found.get("description", "the form that /openapi.json gives"))
