"""The log of an owner: every step that concerns what it sealed, chained, so that none can be left out of a list of all.

Law: the state has the number of entries and the head; who shows that many entries with that head shows them all.

contracts/disclosure/README.md, V14.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final, NamedTuple

from coseal.contracts.disclosure.state import log_key
from coseal.contracts.kernel.action import Reader, View
from coseal.ledger import codec
from coseal.ledger.signing import ZERO_HASH

_TAG: Final = b"coseal/disclosure-log/1\0"
LOG: Final = "log"
"""Where a receipt shows the entries that it adds."""


class Entry(NamedTuple):
    """A step: whose log, its number from 1, what happened to which vault, and about whom or what."""

    owner: str
    number: int
    step: str
    vault: str
    subject: str


def head_after(head: bytes, entry: Entry, height: int) -> bytes:
    """Return the head of a log after an entry of the block ``height``."""
    return sha256(_TAG + head + codec.encode([*entry, height])).digest()  # V14


def head_of(reader: Reader, owner: str) -> tuple[int, bytes]:
    """Return how many entries the log of a member has, and its head."""
    value: Any = reader.get(log_key(owner))
    return (0, ZERO_HASH) if value is None else (value[0], value[1])


def extend(view: View, height: int, owner: str, step: str, vault: str, subject: str) -> list[Any]:
    """Add an entry to the log of an owner; return it as receipts show it."""
    count, head = head_of(view, owner)
    entry = Entry(owner, count + 1, step, vault, subject)
    view.put(log_key(owner), [count + 1, head_after(head, entry, height)])
    return list(entry)
