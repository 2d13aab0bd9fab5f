"""``POST /v1/engine``: what CometBFT beside this node shows of headers, for the CometBFT of a node that joins.

Law: it speaks the RPC that CometBFT's light client speaks, in three calls and no other: none of them changes anything
or shows what a block holds.
"""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from coseal.ledger import codec
from coseal.ledger.errors import Malformed
from coseal.node.http.auth import require_reader
from coseal.node.http.bodies import answer, parse_json
from coseal.node.http.context import Context
from coseal.node.http.hot import HotRequest
from coseal.node.http.problems import Problem, unavailable
from coseal.node.http.services import Unavailable

METHODS: Final = ("commit", "validators", "consensus_params")
_PARAMETERS: Final = ("height", "page", "per_page")
_DIGITS_MAX: Final = 19


class EngineHeaders:
    """The route over one node."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def show(self, request: HotRequest) -> Response:
        """Return CometBFT's answer to one call; raise the problem of another call, or where there is no CometBFT."""
        if request.query:
            raise Problem(400, "invalid_parameter", "expected no query parameter")
        parameters = self._context.services.genesis.parameters
        require_reader(request.identity, "this needs", public_read=parameters.public_read)
        try:
            method, params, number = _call(await parse_json(request.body, "call"))
        except Malformed as error:
            raise Problem(400, "malformed", error.reason) from None
        try:
            shown = await self._context.services.engine_shows(method, params, number)
        except Unavailable as error:
            raise unavailable(error.reason) from None
        if shown is None:
            raise Problem(404, "no_engine", "Coseal's own PBFT orders this chain; see /v1/headers")
        return answer(shown)


def _call(document: Any) -> tuple[str, dict[str, str], int]:
    """Return method, parameters and number of a JSON-RPC call; raise ``Malformed``."""
    if type(document) is not dict or not {"method", "id"} <= document.keys() <= {"jsonrpc", "id", "method", "params"}:
        raise Malformed("expected one JSON-RPC call")
    if document["method"] not in METHODS:
        raise Malformed(f"method: expected one of {', '.join(METHODS)}")
    params = codec.mapping(document.get("params", {}), "params")
    for name, value in params.items():
        if name not in _PARAMETERS or type(value) is not str or not value.isascii() or not value.isdigit():
            raise Malformed(f"params: expected {', '.join(_PARAMETERS)}, each the digits of a number as a string")
        if len(value) > _DIGITS_MAX:
            raise Malformed(f"{name}: expected a number")
    return document["method"], params, codec.integer(document["id"], "id")
