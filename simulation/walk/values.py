"""Values that nobody should send, put in the place of one that somebody would.

Law: what comes out can be told apart from what went in by the contracts alone; whether it can be signed at all is
found out by signing it.
"""

from __future__ import annotations

import random
from typing import Any, Final

TEXTS: Final = (
    "",
    " ",
    ".",
    "..",
    "a/../b",
    "//",
    "/a",
    "a/",
    "\ud800",
    "a\udfffb",
    "\x00",
    "\u2028",
    "\u202e",
    "\ufeff",
    "\U0010ffff",
    "\ufdd0",
    "é",
    "e\u0301",
    "中文",
    "__proto__",
    "%2e%2e",
    "x" * 128,
    "x" * 129,
    "中" * 4_096,
    "y" * 4_097,
    "node:bank-a",
    "case",
    "source",
    "0",
    "1e400",
    "٣",
    "0000-00-00",
    "9999-12-31",
    "2024-02-30",
    "9999-12-31T23:59:59.999Z",
    "0001-01-01T00:00:00Z",
    "2016-12-31T23:59:60Z",
)
NUMBERS: Final = (
    0,
    1,
    -1,
    2,
    64,
    65,
    255,
    256,
    1_000,
    1_001,
    2**31,
    2**53,
    2**53 + 1,
    2**63 - 1,
    -(2**63),
    2**63,
    2**64 - 1,
)
OTHERS: Final[tuple[Any, ...]] = (
    None,
    True,
    False,
    [],
    {},
    [[]],
    {"": None},
    b"\xff",
    [None] * 257,
    {"a": {"b": {"c": {"d": {}}}}},
)


def nasty(rng: random.Random) -> Any:
    """Return a value that nobody should send."""
    kind = rng.randrange(4)
    if kind == 0:
        return rng.choice(OTHERS)
    return rng.choice(NUMBERS) if kind == 1 else rng.choice(TEXTS)


def spoiled(rng: random.Random, args: dict[str, Any]) -> dict[str, Any]:
    """Return arguments that differ in one place from those given."""
    changed = _spoiled(rng, args)
    return changed if type(changed) is dict else {**args, "surprise": changed}


def _spoiled(rng: random.Random, value: Any) -> Any:
    if type(value) is dict and value and rng.randrange(8):
        name = rng.choice(list(value))
        match rng.randrange(12):
            case 0:
                return {key: item for key, item in value.items() if key != name}
            case 1:
                return {**value, _name(rng): value[name]}
            case _:
                return {**value, name: _spoiled(rng, value[name])}
    if type(value) is list and value and rng.randrange(8):
        at = rng.randrange(len(value))
        match rng.randrange(12):
            case 0:
                return value[:at] + value[at + 1 :]
            case 1:
                return [*value, value[at]]
            case _:
                return [*value[:at], _spoiled(rng, value[at]), *value[at + 1 :]]
    if type(value) is str and rng.randrange(3) == 0:
        return value + rng.choice(TEXTS)
    if type(value) is int and rng.randrange(3) == 0:
        return value + rng.choice((-1, 1))
    return nasty(rng)


def _name(rng: random.Random) -> str:
    return rng.choice(("surprise", "", "é", "x" * 129, "a/b", "\u2028"))
