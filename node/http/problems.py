"""Errors as ``application/problem+json`` (RFC 9457): one exception, one table of codes, one way out.

Law: every answer of 400 and above is a problem whose ``code`` docs/spec/api.md explains; none carries a stack trace,
a secret, or text of a request longer than a few words.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import structlog
from starlette.responses import Response

from coseal.contracts.kernel.action import Rejected
from coseal.node.http.limits import STILL_S
from coseal.node.http.services import Unavailable
from coseal.node.index.queries import LONGEST_S

_log = structlog.get_logger("node.http")

RETRY_S: Final = 1
MEDIA_TYPE: Final = "application/problem+json"

# Refusals of a transaction before it is in a block; any other code of a refusal means "never, as it stands".
_REFUSAL_STATUS: Final[Mapping[str, int]] = {
    "malformed": 400,
    "bad_signature": 400,
    "mempool_full": 503,
    "member_share_full": 429,
    "syncing": 503,
    "unavailable": 503,
}


class Problem(Exception):
    """An answer that is an error: an HTTP status, a stable ``code``, and a ``detail`` that says what to do.

    ``retry_after_s`` becomes the Retry-After header; ``close`` ends the connection, for requests not read whole.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        retry_after_s: float | None = None,
        close: bool = False,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.close = close
        self.headers = dict(headers or {})
        self.more = dict(more or {})

    def body(self) -> bytes:  # Y9
        """Return the document to send."""
        document = {
            "type": f"urn:coseal:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            **self.more,
        }
        return json.dumps(document, ensure_ascii=False).encode()

    def header_lines(self) -> dict[str, str]:
        """Return the headers of its own: without those that describe the body or the connection."""
        headers = dict(self.headers)
        if self.retry_after_s is not None:
            headers["Retry-After"] = str(max(1, -int(-self.retry_after_s // 1)))
        return headers

    def response(self) -> Response:
        """Return the answer to send."""
        closing = {"Connection": "close"} if self.close else {}
        return Response(self.body(), self.status, {**self.header_lines(), **closing}, MEDIA_TYPE)


def refusal(refused: Rejected, tx_id: bytes | None = None) -> Problem:
    """Return the problem of a transaction that was not admitted."""
    status = _REFUSAL_STATUS.get(refused.code, 422)
    retry = RETRY_S if status in (429, 503) else None
    more = {} if tx_id is None else {"id": tx_id.hex()}
    return Problem(status, refused.code, refused.detail, retry_after_s=retry, more=more)


def problem_of(error: Exception, route: str) -> Problem:
    """Return what to answer where ``error`` ended a request to ``route``; what nobody thought of is logged."""
    match error:
        case Problem():
            return error
        case Unavailable():
            return unavailable(error.reason)
        case _:
            # Formatted here: a logger that shows local variables would show tokens and bodies as well.
            trace = "".join(traceback.format_exception(error))
            _log.error("request_failed", route=route, exception=trace)
            return Problem(500, "internal_error", "the node failed to answer; its log says why")


def slow_down() -> Problem:
    """Return the problem of who is held off (``limits.Patience``)."""
    detail = f"refused many times for lack of room: send nothing for {STILL_S} s, then again"
    return Problem(429, "slow_down", detail, retry_after_s=STILL_S)


def stopping() -> Problem:
    """Return the problem of a node that ends."""
    return Problem(503, "unavailable", "this node is stopping", retry_after_s=1, close=True)


def too_wide() -> Problem:
    """Return the problem of a question whose answer would take too long to count."""
    return Problem(422, "filter_too_wide", f"counting this would take more than {LONGEST_S:.0f} s; narrow the filters")


def unavailable(reason: str) -> Problem:
    """Return the problem of a node that cannot answer now."""
    return Problem(503, "unavailable", reason, retry_after_s=RETRY_S)
