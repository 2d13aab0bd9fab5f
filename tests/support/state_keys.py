"""The documented families of state keys as patterns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

SLASHES = {"clock", "object", "policy", "source", "value"}
"""Placeholders that stand for texts that may have slashes (I3, I4)."""
NUMBERS = {"height", "level", "n", "page", "round", "version"}


def pattern(family: str) -> re.Pattern[str]:
    """Return what the keys of a family match: each placeholder is one part between slashes, or as said above."""

    def part(name: str) -> str:
        return ".+" if name in SLASHES else "[0-9]+" if name in NUMBERS else "[^/]+"

    pieces = re.split("<([^<>]+)>", family)
    return re.compile("".join(part(text) if odd % 2 else re.escape(text) for odd, text in enumerate(pieces)), re.DOTALL)


def families_of(keys: Iterable[str], families: Iterable[str]) -> Mapping[str, list[str]]:
    """Return of each key the families that it is of."""
    patterns = [(family, pattern(family)) for family in families]
    return {key: [family for family, made in patterns if made.fullmatch(key)] for key in keys}
