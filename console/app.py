"""The console as a web application: pages, static files, and the line that tells browsers something changed.

Law: every answer passes the guard; a page that cannot be built becomes a page that says why.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Mount
from starlette.routing import Route as StarletteRoute
from starlette.staticfiles import StaticFiles

from coseal.console import frame
from coseal.console.console import Console
from coseal.console.guard import Guard
from coseal.console.multipart import parse
from coseal.console.nodes import NoAnswer, Problem
from coseal.console.page import Done, Page, Route, Take, View, language_of
from coseal.console.page_data import ATTEMPTS, PageData
from coseal.console.pages import NAVIGATION, ROUTES
from coseal.console.shapes import Odd
from coseal.console.shown import Untrue
from coseal.console.table_files import file_of, wanted
from coseal.console.texts import LANGUAGES
from coseal.ledger.errors import Malformed

FORM_BYTES_MAX: Final = 64 * 1024
TAKEN_BYTES_MAX: Final = 32 * 1024 * 1024
_DISCARDED_BYTES_MAX: Final = 1024 * 1024 * 1024
FORM_FIELDS_MAX: Final = 64
VIEWERS_MAX: Final = 64
_TOLD_S: Final = 1.0  # at most one change a second is reported
_COMMENT_S: Final = 15.0
# A page may hold state values as old as this (reader.py), so the last change of all is reported once more after it.
_SETTLED_S: Final = 2.5
_YEAR_S: Final = 31_536_000
_SEEN: Final = "coseal-seen"
_NO_NAME: Final = re.compile("[^A-Za-z0-9._-]")
_KINDS: Final = {"json": "application/json", "csv": "text/csv; charset=utf-8", "svg": "image/svg+xml"}

logger = logging.getLogger("console")


def application(console: Console) -> Starlette:
    """Return the ASGI application of a console."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        try:
            await console.live.refresh()  # so that the first page has something to show
        except Exception:
            logger.exception("the nodes could not be asked at the start")
        running = asyncio.create_task(console.live.run())
        try:
            yield
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            await console.audits.close()
            await console.nodes.close()

    routes = [
        StarletteRoute("/live", _live(console)),
        StarletteRoute("/settings", _settings),
        StarletteRoute("/enter", _enter(console)),
        Mount("/static", _Static(directory=frame.STATIC)),
        *(StarletteRoute(route.path, _page(console, route), methods=_methods(route)) for route in ROUTES),
    ]

    async def not_found(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 404
        page = _page_of(console, request)
        return HTMLResponse(frame.document(page, frame.missing(page), NAVIGATION, ""), status)

    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard)],
        exception_handlers={HTTPException: not_found},
        lifespan=lifespan,
    )


def _methods(route: Route) -> list[str]:
    return ["GET", "POST"] if route.act or route.take else ["GET"]


class _Static(StaticFiles):
    """Our own files; their URLs change with their content, so a browser may keep them."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = f"public, max-age={_YEAR_S}, immutable"
        return response


def _page_of(console: Console, request: Request) -> Page:
    theme = request.cookies.get("coseal_theme", "auto")
    read = PageData(console.reader)
    may_act = console.operator is not None and console.session.may_act(request)
    return Page(
        request,
        console,
        language_of(request),
        theme if theme in frame.THEMES else "auto",
        may_act,
        console.session.csrf if may_act else "",
        read=read,
    )


def _page(console: Console, route: Route) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint of a page: built again on each request, 204 if the browser has seen just that."""

    async def endpoint(request: Request) -> Response:
        page = _page_of(console, request)
        if request.method == "POST" and route.act is not None:
            return await _acted(page, route)
        if request.method == "POST" and route.take is not None:
            return await _taken(page, route.take)
        view = await _built(page, route)
        if wanted(page) and view.status == 200:
            view = await asyncio.to_thread(file_of, page, view)
        if view.to:
            return RedirectResponse(view.to, 303)
        if view.file is not None:
            name, written = view.file
            safe = _NO_NAME.sub("-", name)
            disposition = {"Content-Disposition": f'attachment; filename="{safe}"'}
            kind = _KINDS.get(name.rpartition(".")[2], "application/octet-stream")
            return Response(written, media_type=kind, headers=disposition)
        text = frame.document(page, view, NAVIGATION, route.nav)
        mark = hashlib.sha256(text.encode()).hexdigest()[:16]
        if request.headers.get(_SEEN) == mark:
            return Response(status_code=204)
        return HTMLResponse(text, view.status, {_SEEN: mark})

    return endpoint


async def _built(page: Page, route: Route) -> View:
    """Return a page, built until all of the state that it shows is of one block; at most ``ATTEMPTS`` times."""
    try:
        for _ in range(ATTEMPTS):
            view: View = await route.handler(page)
            if await page.data.settled():
                break
        return view
    except NoAnswer as error:
        return frame.stalled(page, error.reasons)
    except Untrue as error:
        return frame.untrue(page, error.shown)
    except Problem as error:
        return frame.refused(page, error.code, error.said, error.node)
    except Odd as error:
        return frame.odd(page, error.reason)
    except Exception:
        logger.exception("page %s failed", page.path)
        return frame.broken(page)


async def _acted(page: Page, route: Route) -> Response:
    """Carry out a form, if its sender may, and go on with its outcome."""
    fields = await _form(page.request)
    if not page.may_act or not page.console.session.fits(fields.pop("csrf", "")):
        done = Done(page.t("state.forbidden"), page.path, ok=False)
    else:
        try:
            done = await route.act(page, fields) if route.act is not None else Done("", page.path)
        except Problem as error:
            done = Done(error.detail, page.path, ok=False)
        except Untrue as error:
            done = Done(f"{error.shown.node}: {error.shown.detail}", page.path, ok=False)
        except (NoAnswer, Odd) as error:
            done = Done(str(error), page.path, ok=False)
    return _go_on(page, done)


async def _taken(page: Page, take: Take) -> Response:
    """Let a page take a form with files; what cannot be read is refused in words, on the page it came from."""
    body = await _body(page.request, TAKEN_BYTES_MAX)
    if body is None:
        mebibytes = TAKEN_BYTES_MAX // 1_048_576
        return _go_on(page, Done(page.t("state.too_large", mebibytes=mebibytes), page.path, ok=False))
    try:
        done = await take(page, parse(page.request.headers.get("content-type", ""), body))
    except Malformed as error:
        done = Done(error.reason, page.path, ok=False)
    return _go_on(page, done)


def _go_on(page: Page, done: Done) -> Response:
    if page.request.headers.get("accept") == "application/json":  # a script asks, and writes it beside what it is about
        return JSONResponse({"ok": done.ok, "text": done.text})
    said = page.console.session.say(done.text, ok=done.ok) if done.text else None
    return RedirectResponse(page.link(done.path, said=said), 303)


async def _body(request: Request, limit: int) -> bytes | None:
    """Return the body, None if it is larger than ``limit``.

    The rest is then read and thrown away, up to a bound: a browser shows our answer only once it has sent all.
    """
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > _DISCARDED_BYTES_MAX:
                raise HTTPException(413)
            if size > limit:
                parts.clear()
            else:
                parts.append(part)
    except ClientDisconnect:
        raise HTTPException(400) from None
    return b"".join(parts) if size <= limit else None


async def _form(request: Request) -> dict[str, str]:
    """Return the fields of a form, each once; more than ``FORM_BYTES_MAX`` is refused."""
    body = await _body(request, FORM_BYTES_MAX)
    if body is None:
        raise HTTPException(413)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FORM_FIELDS_MAX, errors="strict")
    except ValueError:
        raise HTTPException(400) from None
    return {name: value.replace("\r\n", "\n") for name, value in pairs}


async def _settings(request: Request) -> Response:
    """Remember a language or colours, and go back."""
    back = request.query_params.get("back", "/")
    if not back.startswith("/") or back.startswith(("//", "/\\")):
        back = "/"
    response = RedirectResponse(back, 303)
    for name, known in (("language", tuple(LANGUAGES)), ("theme", frame.THEMES)):
        value = request.query_params.get(name, "")
        if value in known:
            response.set_cookie(f"coseal_{name}", value, max_age=_YEAR_S, samesite="strict", path="/")
    return response


def _enter(console: Console) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return console.session.enter(request.query_params.get("ticket", ""))

    return endpoint


def _live(console: Console) -> Callable[[Request], Awaitable[Response]]:
    """Return the event stream to browsers: one word, ``changed``, at most once a second, and once after the last."""

    async def events() -> AsyncIterator[bytes]:
        async with console.live.watching():
            seen, settled = console.live.version, False
            yield b"retry: 1000\nevent: changed\ndata: %d\n\n" % seen
            while True:
                version = await console.live.wait(seen, _COMMENT_S if settled else _SETTLED_S)
                again = version == seen and not settled
                yield b"event: changed\ndata: %d\n\n" % version if again or version != seen else b": nothing\n\n"
                seen, settled = version, again or version == seen
                await asyncio.sleep(_TOLD_S)

    async def endpoint(request: Request) -> Response:
        if console.live.viewers >= VIEWERS_MAX:
            return PlainTextResponse("too many viewers\n", 429)
        return StreamingResponse(events(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    return endpoint
