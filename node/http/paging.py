"""Cursor pagination, the same for every list.

Law: pages joined by their cursors give each item that exists throughout exactly once, whatever is added meanwhile;
a cursor is opaque to clients and refused when it was not made here.
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import Query

from coseal.node.http.problems import Problem

Limit = Annotated[int, Query(ge=1, le=1_000, description="Items a page, at most.")]
Cursor = Annotated[str | None, Query(max_length=1_024, description="`next` of the page before.")]


def encode(key: str | None) -> str | None:
    """Return the cursor that goes on after ``key``, None for None."""
    return None if key is None else base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def decode(cursor: str | None) -> str:  # Y8
    """Return the key a cursor goes on after, empty without one; raise the problem 400."""
    if cursor is None:
        return ""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise Problem(400, "invalid_cursor", "cursor: use `next` of the page before, unchanged") from None


def decode_number(cursor: str | None) -> int:
    """Return the number a cursor goes on after, 0 without one; raise the problem 400."""
    key = decode(cursor)
    if key and not (key.isascii() and key.isdigit() and len(key) <= 18):
        raise Problem(400, "invalid_cursor", "cursor: use `next` of the page before, unchanged")
    return int(key or 0)
