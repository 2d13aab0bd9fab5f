"""What a built site would fetch from other hosts: nothing, or the build fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

_FETCHED = re.compile(
    r"""<(?:script|img|iframe|source|video|audio|embed)\b[^>]*\bsrc=["']?(?:https?:)?//"""
    r"""|<link\b(?![^>]*\brel=["']?(?:canonical|alternate|next|prev)\b)[^>]*\bhref=["']?(?:https?:)?//"""
    r"""|url\(\s*["']?(?:https?:)?//|@import\s+["'](?:https?:)?//""",
    re.IGNORECASE,
)


def fetched(site: Path) -> Iterator[str]:
    """Yield what pages and style sheets of a built site would fetch from other hosts, with their file."""
    for path in sorted(site.rglob("*")):
        if path.suffix in (".html", ".css"):
            for match in _FETCHED.finditer(path.read_text("utf-8")):
                yield f"{path.relative_to(site)}: {match.group()[:200]}"
