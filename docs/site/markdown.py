"""Small pieces of Markdown that the made pages are put together from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; nothing if there are no rows."""
    lines = [f"| {' | '.join(cell(value) for value in row)} |" for row in rows]
    if not lines:
        return ""
    return "\n".join([f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *lines, ""])


def cell(value: str) -> str:
    """Return a text as one cell of a table."""
    return " ".join(value.split()).replace("|", "\\|")


def code(value: str) -> str:
    """Return a text as code within a line; nothing for an empty one."""
    return f"`{value}`" if value else ""


def block(text: str, language: str = "") -> str:
    """Return a text as a block of code."""
    return f"```{language}\n{text.rstrip()}\n```\n"
