"""What forbids a second transferable unit, as data, and whether the register has it in force.

Law: a unit is refused by name, with the notices that forbid it; the refusal does not depend on the register, which
only adds what it knows of them.

Source: Guo Tengda, Table 1 (examples/policies/README.md).
"""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel.action import Reader
from coseal.contracts.policy.instrument import in_force, instrument

NOTICES: Final = (
    ("table1/01", "Announcement on Preventing the Financing Risks of Token Issuance (2017-09)"),
    (
        "table1/09",
        "Notice on Further Preventing and Handling the Risk of Speculation in Virtual Currency Transactions (2021-09)",
    ),
)
UNITS: Final = frozenset(("token", "coin", "cryptocurrency", "stablecoin", "代币", "虚拟货币", "稳定币"))
"""Names, without separators and in lower case, of what would be a second unit."""


def virtual_currency(reader: Reader, time_ms: int) -> str:
    """Return why no second unit is defined, with what the register says of the notices at a block time."""
    names = ", ".join(title for _, title in NOTICES)
    register = ", ".join(f"{name} ({_stands(reader, name, time_ms)})" for name, _ in NOTICES)
    return f"the one transferable unit is the yuan; {names}; {register}"


def _stands(reader: Reader, name: str, time_ms: int) -> str:
    if instrument(reader, name) is None:
        return "not in the register"
    found = in_force(reader, name, time_ms)
    return "in the register" if found is None else "in force" if found else "not in force"
