"""The keys of the state that belong to execution itself: the only place where they are spelt.

Law: a key begins with the name of its contract, here ``system``, and a slash, so no two contracts write one key.
"""

from __future__ import annotations

from typing import Final

SYSTEM: Final = "system"
PROTOCOL_VERSION_KEY: Final = "system/protocol_version"
CONTRACTS_KEY: Final = "system/contracts"
WINDOW_KEY: Final = "system/window"
ASIDES_KEY: Final = "system/asides"
ASIDES_COUNT_KEY: Final = "system/asides/count"

KEYS: Final = {
    PROTOCOL_VERSION_KEY: "the version of the rules that the next block runs under",
    CONTRACTS_KEY: "the versions of contracts of others that ever came into force",
    "system/seen/<height>": "the transactions of a block that have not expired",
    WINDOW_KEY: "the oldest and the newest height with such transactions",
    "system/aside/<n>": "a due thing that failed and was set aside",
    ASIDES_KEY: "the numbers of the due things that are set aside",
    ASIDES_COUNT_KEY: "how many due things were ever set aside",
}


def seen_key(height: int) -> str:
    """Return the state key of the transactions of a block that have not expired."""
    return f"system/seen/{height}"


def aside_key(number: int) -> str:
    """Return the state key of a due thing that was set aside."""
    return f"system/aside/{number}"
