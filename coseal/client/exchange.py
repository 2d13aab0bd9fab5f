"""Exchanges with nodes as generators, without a socket.

Law: nothing here reads or writes; a request that failed comes back into its exchange as ``Unreachable``.

An exchange yields an ``Ask`` (one HTTP request) or a ``Pause``, is sent the ``Reply``, and returns its result.
``coseal.client.blocking`` and ``coseal.client.asynchronous`` carry the same ones out.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import quote

from coseal.errors import Busy, FalseAnswer, Refused

MSGPACK: Final = "application/msgpack"
SEALED: Final = "application/vnd.coseal.sealed+msgpack"
"""The body ``["sealed", 1, transaction, sidecar]``."""
REQUEST_TIMEOUT_S: Final = 40.0  # a node holds ``wait=commit`` and ``min_height`` for up to 30 s
BUSY: Final = frozenset({429, 503})
_NOT_THE_NODE: Final = frozenset({502, 503, 504})
"""What a proxy answers when it does not reach its node."""
_TAKEN_OUT: Final = frozenset(("", ".", ".."))

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Ask:
    """One HTTP request to a path of a node; a failed one comes back into the session as ``Unreachable``."""

    method: str
    node: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = REQUEST_TIMEOUT_S

    @property
    def url(self) -> str:
        """The whole URL, but for the parameters."""
        return self.node + self.path


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing to be asked for some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Reply:
    """What a node answered, whatever it is."""

    node: str
    status: int
    content: bytes


Exchange: TypeAlias = Generator[Ask | Pause, Reply, _T]


def document_of(reply: Reply) -> dict[str, Any]:
    """Return the JSON object of a good answer; raise the problem of a bad one."""
    try:
        document = json.loads(reply.content)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        if reply.status in _NOT_THE_NODE:
            raise Busy(f"{reply.node} answered {reply.status}", "try again in a moment", node=reply.node)
        hint = "is this the URL of a node?"
        raise FalseAnswer(f"{reply.node} answered {reply.status} without a JSON object", hint, node=reply.node)
    if 200 <= reply.status < 300:
        return document
    code, detail = str(document.get("code", f"http_{reply.status}")), str(document.get("detail", ""))
    if reply.status in BUSY:
        raise Busy(f"the node is busy: {code}: {detail}", "try again in a moment", node=reply.node)
    raise Refused(code, detail)


def state_path(key: str) -> str:
    """Return the route of a state key, with what a URL cannot hold, or clients would take out of a path, escaped."""
    contract, _, rest = key.partition("/")
    changed = not _TAKEN_OUT.isdisjoint(rest.split("/"))
    return f"/v1/state/{quote(contract, safe='')}/{quote(rest, safe='' if changed else '/')}"


def false_answer(node: str, what: str) -> FalseAnswer:
    """Return the error for a node that ``what`` is said of."""
    return FalseAnswer(f"{node} {what}", "ask another node, and tell the member that runs this one", node=node)


def asking_for(floor: int) -> dict[str, Any]:
    """Return the parameter that makes a node wait until it has come to a height."""
    return {"min_height": floor} if floor else {}
