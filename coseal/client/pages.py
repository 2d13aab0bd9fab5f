"""Lists of the API, a page at a time, as the node says.

Law: pages joined hold each item that existed throughout exactly once; nothing of it is proven, but a list is of no
older block than what was verified before, as far as its node says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.client.exchange import Exchange, false_answer
from coseal.client.reads import require_reached
from coseal.client.session import Session
from coseal.errors import BadAnswer

PAGE_ITEMS: Final = 1_000

Page = tuple[list[dict[str, Any]], str | None]
"""The items of a page, and the cursor of the next, None at the end."""


class Pages:
    """The pages of one list; ``more`` returns the items of the next, until ``done``. At most ``limit`` items."""

    def __init__(self, session: Session, path: str, name: str, filters: Mapping[str, Any], limit: int | None) -> None:
        self._session, self._path, self._name, self._filters = session, path, name, filters
        self._left = limit
        self._cursor: str | None = None
        self._asked: set[str | None] = set()
        self.done = limit is not None and limit <= 0

    def more(self) -> Exchange[list[dict[str, Any]]]:
        """Return the items of the next page; raise ``BadAnswer`` for a list that comes back to a page it had."""
        size = PAGE_ITEMS if self._left is None else min(self._left, PAGE_ITEMS)
        self._asked.add(self._cursor)
        items, following = yield from page(self._session, self._path, self._name, self._filters, size, self._cursor)
        if following is not None and (following in self._asked or not items):
            raise BadAnswer(f"{self._session.url}{self._path} gave a list that does not end", "ask another node")
        self._cursor = following
        self._left = None if self._left is None else self._left - len(items)
        self.done = following is None or self._left == 0
        return items


def page(
    session: Session, path: str, name: str, filters: Mapping[str, Any], size: int, cursor: str | None
) -> Exchange[Page]:
    """Return one page of at most ``size`` items and the cursor of the next, None at the end."""
    return (yield from session.believed(lambda: _page(session, path, name, filters, size, cursor)))


def _page(
    session: Session, path: str, name: str, filters: Mapping[str, Any], size: int, cursor: str | None
) -> Exchange[Page]:
    floor = session.height
    document = yield from session.get(path, **filters, limit=size, cursor=cursor)
    items, following, height = document.get(name), document.get("next"), document.get("height")
    if type(items) is not list or any(type(item) is not dict for item in items) or len(items) > size:
        raise false_answer(session.url, f"gave no list of {name}")
    if following is not None and type(following) is not str:
        raise false_answer(session.url, f"gave a list of {name} that names no next page")
    if type(height) is int:
        require_reached(session.url, f"the list of {name}", height, floor)
    return items, following
