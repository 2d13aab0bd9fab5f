"""The door: who may speak to the console, and what a browser may do with what it gets.

Law: only this machine's own browser, on a page of this console, reaches anything; only one that came by the start link
may act; nothing from elsewhere runs, frames, or is fetched.

A foreign site cannot read (no CORS, and the name in Host must be this machine's, which defeats DNS rebinding), cannot
send (Origin must be ours, the cookie is SameSite=Strict, forms carry a token) and cannot frame us.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_SAID_MAX: Final = 64
_SAFE: Final = frozenset({"GET", "HEAD"})
_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class Guard:
    """ASGI middleware: refuses what is not for us before any page sees it, and sets the headers of every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the module."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # the console has no websockets: refuse to open one
            await send({"type": "websocket.close", "code": 1008})
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                if "cache-control" not in headers:
                    headers["Cache-Control"] = "no-store"
            await send(message)

        reason = refusal(scope["method"], Headers(scope=scope))
        if reason is not None:
            await PlainTextResponse(reason + "\n", 403)(scope, receive, send_guarded)
            return
        await self._app(scope, receive, send_guarded)


def refusal(method: str, headers: Headers) -> str | None:
    """Say why a request is refused, None if it may pass."""
    host = headers.get("host", "")
    if urlsplit(f"//{host}").hostname not in LOCAL_NAMES:
        return "the console answers under localhost, 127.0.0.1 or [::1] only"
    site = headers.get("sec-fetch-site", "none")
    if method in _SAFE:
        if site in ("cross-site", "same-site") and headers.get("sec-fetch-mode") != "navigate":
            return "another site may not read from the console"
        return None
    if method != "POST":
        return "the console takes GET and POST"
    if headers.get("origin") != f"http://{host}" or site not in ("same-origin", "none"):
        return "only a page of this console may send to it"
    return None


class BrowserSession:
    """Which browsers may act: those that came by the start link, whose ticket only the console's terminal shows."""

    def __init__(self, port: int) -> None:
        self.ticket = secrets.token_urlsafe(24)
        self._cookie = f"coseal_session_{port}"
        self._value = secrets.token_urlsafe(32)
        self._said: OrderedDict[str, tuple[str, bool]] = OrderedDict()
        self._csrf = hmac.new(self._value.encode(), b"csrf", hashlib.sha256).hexdigest()

    @property
    def csrf(self) -> str:
        """The token that forms carry."""
        return self._csrf

    def may_act(self, request: Request) -> bool:
        """Say whether a request comes from such a browser."""
        return hmac.compare_digest(request.cookies.get(self._cookie, "").encode(), self._value.encode())

    def fits(self, csrf: str) -> bool:
        """Say whether a form carries the right token."""
        return hmac.compare_digest(csrf.encode(), self._csrf.encode())

    def say(self, words: str, *, ok: bool) -> str:
        """Keep a message for the page that follows an action, and return its id: a link cannot make one up."""
        said = secrets.token_urlsafe(8)
        self._said[said] = (words, ok)
        while len(self._said) > _SAID_MAX:
            self._said.popitem(last=False)
        return said

    def said(self, said: str) -> tuple[str, bool] | None:
        """Return a kept message and whether it is a good one."""
        return self._said.get(said)

    def enter(self, ticket: str) -> Response:
        """Answer the start link: a right ticket sets the cookie, a wrong one sets nothing."""
        response = RedirectResponse("/", 303)
        if hmac.compare_digest(ticket.encode(), self.ticket.encode()):
            response.set_cookie(self._cookie, self._value, httponly=True, samesite="strict", path="/")
        return response
