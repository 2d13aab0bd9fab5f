"""HTML as values: elements that escape whatever they hold.

Law: text from outside can never become markup; only ``el`` makes markup, and it escapes every child and attribute.
Signs that cannot be seen, or that turn what stands around them, are shown by their code: no text can pass for another.

    el("p", {"class": "note"}, "1 < 2")      <p class="note">1 &lt; 2</p>
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

_VOID: Final = frozenset({"br", "hr", "img", "input", "link", "meta"})


# Control characters but tab and line feed, the separators of lines and paragraphs, everything that sets the direction
# of writing, signs without a width but the joiners that scripts need, halves of surrogate pairs, and noncharacters.
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)


def shown(text: str) -> str:
    """Return a text in which every sign that is not seen stands as its code, such as [U+202E]."""
    return _UNSEEN.sub(lambda found: f"[U+{ord(found.group()):04X}]", text)


def escape(text: str) -> str:
    """Return a text as markup that shows it."""
    return html.escape(shown(text))


class Html(str):
    """Markup that is safe to send unchanged."""

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
