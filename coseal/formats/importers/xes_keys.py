"""The keys of nested XES attributes as one name on the ledger, ``outer>inner``, and back.

Law: ``path_of(name_of(path)) == path`` for every path; a name that stands for no path has none.

A ``>`` within a key is written ``\\>`` and a ``\\`` as ``\\\\``, so that such a key is told from a nested one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

NEST: Final = ">"
_ESCAPED: Final = re.compile(r"[\\>]")
_PART: Final = re.compile(r"(?:[^\\>]|\\[\\>])+", re.DOTALL)


def name_of(path: Sequence[str]) -> str:
    """Return the name of an attribute from its key and those around it, the outermost first."""
    return NEST.join(_ESCAPED.sub(r"\\\g<0>", key) for key in path)


def path_of(name: str) -> tuple[str, ...] | None:
    """Return the keys that a name stands for, the outermost first; None if ``name_of`` makes no such name."""
    parts = _PART.findall(name)
    if not name or NEST.join(parts) != name:
        return None
    return tuple(re.sub(r"\\(.)", r"\1", part) for part in parts)


def is_plain(name: str) -> bool:
    """Say whether a name stands for itself."""
    return _ESCAPED.search(name) is None
