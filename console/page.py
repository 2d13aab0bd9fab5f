"""What a page is given, and what it gives back.

Law: a page is a function of the request and of what nodes answer; it keeps nothing between two requests.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from starlette.requests import Request

from coseal.client.languages import LANGUAGES as LANGUAGES_OF_FINDINGS
from coseal.client.languages import title_of, why
from coseal.console.html import EMPTY, Html
from coseal.console.page_data import PageData
from coseal.console.texts import LANGUAGES, text
from coseal.contracts.kernel.wording import duration_text
from coseal.ledger.render import time_text

if TYPE_CHECKING:
    from coseal.console.console import Console
    from coseal.console.multipart import Part

Handler = Callable[["Page"], Awaitable["View"]]
Act = Callable[["Page", Mapping[str, str]], Awaitable["Done"]]
Take = Callable[["Page", Sequence["Part"]], Awaitable["Done"]]

FILE_ROWS: Final = 1_000
"""How many rows a file of a table has at most, from where the page of the list begins."""
_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Route:
    """A page: its path (Starlette's syntax), what builds it, and the key of the navigation entry it belongs to.

    ``act`` answers a form sent to the same path; it is reached only with the console's own key and from its own page.
    ``take`` answers a form with files from anybody at a page of this console: it must change nothing but what this
    console itself remembers, within bounds. ``lists`` names the list whose page it is, in place of the default one.
    """

    path: str
    handler: Handler
    nav: str
    act: Act | None = None
    take: Take | None = None
    lists: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the navigation: a key of the catalogue and where it leads."""

    key: str
    path: str


@dataclass(frozen=True, slots=True)
class View:
    """A built page: its title, its body, whether it is built again on every change, and the HTTP status.

    With ``file`` (name, text or bytes as they are) the browser is given that to keep instead; with ``to`` it is sent
    on to another page.
    """

    title: str
    body: Html
    live: bool = True
    status: int = 200
    file: tuple[str, str | bytes] | None = None
    to: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """The outcome of an action: a text for the person (may be empty), where to go on, and whether it took effect."""

    text: str
    path: str
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """The request as a page sees it: words in its language, data, links."""

    request: Request
    console: Console
    language: str
    theme: str = "auto"
    may_act: bool = False
    """Whether this browser may sign with the console's key."""
    csrf: str = ""
    now_ms: int = field(default_factory=lambda: time.time_ns() // 1_000_000)
    read: PageData | None = None

    @property
    def data(self) -> PageData:
        """Where a page reads the chain."""
        return self.read or PageData(self.console.reader)

    @property
    def path(self) -> str:
        """The path of this page, percent-encoded: part of it may be an id."""
        return quote(self.request.scope["path"])

    def t(self, key: str, **values: Any) -> str:
        """Return a text of the catalogue in the reader's language, its ``{placeholders}`` filled in."""
        return text(key, self.language, **values)

    def t_or(self, key: str, otherwise: str) -> str:
        """Return a text of the catalogue, or ``otherwise`` (a word of the chain itself) where there is none."""
        return text(key, self.language, otherwise=otherwise)

    def query(self, name: str) -> str | None:
        """Return a query parameter, None if it is absent or empty."""
        return self.request.query_params.get(name) or None

    def query_integer(self, name: str, *, low: int = 0, high: int = 2**62) -> int | None:
        """Return a query parameter that is an integer within bounds, else None."""
        value = self.query(name)
        if value is None or not value.isascii() or not value.isdigit() or len(value) > 18:
            return None
        number = int(value)
        return number if low <= number <= high else None

    def rows(self, shown: int) -> int:
        """Return how many rows of a list to ask for: as many as a page shows, or as many as a file of it may have."""
        asks_file = self.query("table") is not None and self.query("file") is not None
        return FILE_ROWS if asks_file else shown

    def part(self, name: str) -> str:
        """Return a part of the path, as the route names it."""
        return str(self.request.path_params[name])

    def link(self, path: str | None = None, **params: Any) -> str:
        """Return a link to a page of the console; with no path, this page with its query changed (None removes)."""
        query: dict[str, Any] = dict(self.request.query_params) if path is None else {}
        query |= params
        kept = {name: value for name, value in query.items() if value not in (None, "")}
        start = path if path is not None else self.path
        return start + (f"{'&' if '?' in start else '?'}{urlencode(kept)}" if kept else "")

    def title_of(self, document: Mapping[str, Any] | None, otherwise: str = "") -> str:
        """Return the title of a rule, set or process type in the reader's language."""
        return title_of(document, self.language, otherwise)

    def why(self, finding: Mapping[str, Any]) -> str:
        """Return why a finding was raised, in the reader's language."""
        return why(finding, self.language)

    def number(self, value: float, digits: int = 0) -> str:
        """Return a number with thousands separated."""
        return f"{value:,.{digits}f}"

    def time(self, time_ms: int) -> str:
        """Return a moment as text, UTC, to the second."""
        return time_text(time_ms)[:19].replace("T", " ") + " UTC"

    def duration(self, ms: int) -> str:
        """Return a length of time in the largest two units that fit."""
        seconds, days = abs(ms) // 1_000, abs(ms) // _DAY_MS
        if abs(ms) < 1_000:
            return self.t("time.ms", count=abs(ms))
        if seconds < 60:
            return self.t("time.seconds", count=seconds)
        if seconds < 3_600:
            return self._two("time.minutes", "time.minutes.whole", seconds // 60, seconds % 60)
        if days < 1:
            return self._two("time.hours", "time.hours.whole", seconds // 3_600, seconds // 60 % 60)
        return self._two("time.days", "time.days.whole", days, seconds // 3_600 % 24)

    def length(self, ms: int) -> str:
        """Return a length of time to the ms, as a rule or a term says it."""
        return duration_text(ms, LANGUAGES_OF_FINDINGS[self.language].units)

    def _two(self, key: str, whole: str, count: int, rest: int) -> str:
        return self.t(key, count=count, rest=rest) if rest else self.t(whole, count=count)

    def to(self, path: str) -> View:
        """Return the way on to another page of the console."""
        return View("", EMPTY, live=False, to=path)

    def file(self, name: str, written: str | bytes) -> View:
        """Return a file for the browser to keep; its kind is by the ending of its name."""
        return View(name, EMPTY, live=False, file=(name, written))

    def view(self, title: str, *body: Html | None, live: bool = True, status: int = 200) -> View:
        """Return the built page. ``title`` is text, from ``t`` or of the chain."""
        return View(title, Html("".join(part for part in body if part is not None)), live, status)


def language_of(request: Request) -> str:
    """Return the language a reader chose, else the first of the browser's that we have, else English."""
    chosen = request.cookies.get("coseal_language", "")
    if chosen in LANGUAGES:
        return chosen
    for accepted in request.headers.get("accept-language", "").split(","):
        code = accepted.split(";")[0].strip().lower().split("-")[0]
        if code in LANGUAGES:
            return code
    return "en"
