"""Lists of the API, a page at a time, as the node says.

Law: pages joined hold each item that existed throughout exactly once; nothing of it is proven.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.conversation import Conversation, Dialogue
from coseal.errors import BadAnswer

PAGE_ITEMS: Final = 1_000


def page(
    conversation: Conversation, path: str, name: str, filters: Mapping[str, Any], size: int, cursor: str | None
) -> Dialogue[tuple[list[dict[str, Any]], str | None]]:
    """Return one page of at most ``size`` items and the cursor of the next, None at the end."""
    document = yield from conversation.get(path, **filters, limit=size, cursor=cursor)
    items, following = document.get(name), document.get("next")
    if type(items) is not list or (following is not None and type(following) is not str):
        raise BadAnswer(f"{conversation.url}{path} gave no list of {name}", "is this the URL of a node?")
    return items, following
