"""HTML as values: elements that escape whatever they hold.

Law: text from outside can never become markup; only ``el`` makes markup, and it escapes every child and attribute.

    el("p", {"class": "note"}, "1 < 2")      <p class="note">1 &lt; 2</p>
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Final, TypeAlias

_VOID: Final = frozenset({"br", "hr", "img", "input", "link", "meta"})


class Html(str):
    """Markup that is safe to send as it stands."""

    __slots__ = ()


Child: TypeAlias = "str | int | Html | Iterable[Child] | None"
Attributes: TypeAlias = Mapping[str, "str | int | bool | None"]
EMPTY: Final = Html("")


def el(tag: str, attributes: Attributes | None = None, *children: Child) -> Html:
    """Return an element. An attribute of ``True`` stands bare; ``None`` and ``False`` leave it out."""
    parts = [f"<{tag}"]
    for name, value in (attributes or {}).items():
        if value is True:
            parts.append(f" {name}")
        elif value is not None and value is not False:
            parts.append(f' {name}="{escape(str(value))}"')
    parts.append(">")
    if tag not in _VOID:
        _write(children, parts)
        parts.append(f"</{tag}>")
    return Html("".join(parts))


def join(*children: Child) -> Html:
    """Return children one after another, escaped."""
    parts: list[str] = []
    _write(children, parts)
    return Html("".join(parts))


def _write(child: Child, parts: list[str]) -> None:
    if child is None:
        return
    if isinstance(child, Html):
        parts.append(child)
    elif isinstance(child, str):
        parts.append(escape(child))
    elif isinstance(child, int):
        parts.append(str(child))
    else:
        for one in child:
            _write(one, parts)
