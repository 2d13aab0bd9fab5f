"""The statement of a wallet as a document: which keys of the state it shows, and how it writes movements.

Law: pure. From what the state says of a wallet it follows which keys there are between two months: the first month in
which it moved has its totals before that, and each month before it is proven to have none. So what a statement begins
and ends with can be proven, and nothing can be left out of it.

docs/spec/audit.md, section Statement of a wallet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from coseal.contracts.currency.ledger import ISSUANCE, Balance, Movement, Wallet, next_month
from coseal.contracts.currency.post import issuance_of, wallet_of
from coseal.contracts.currency.state import ISSUANCE_KEY, month_key, wallet_key
from coseal.contracts.kernel.action import Reader
from coseal.ledger import codec
from coseal.ledger.errors import Malformed
from coseal.ledger.proof import CertifiedValue
from coseal.ledger.render import certified_header_json, proven_value_json
from coseal.ledger.signing import HASH_BYTES

KIND: Final = "wallet-statement"
"""The document that shows all movements of a wallet, and proves that they are all (``audit.statement``)."""
MAX_MONTHS: Final = 240
"""Months without a movement that are proven one by one on either end."""
MAX_MOVEMENTS: Final = 1_000_000
_FIRST_MONTH, _LAST_MONTH = 197001, 999912
_NAMES: Final = (*Movement._fields, "hash")


class TooManyMonths(ValueError):
    """More than ``MAX_MONTHS`` months without a movement would have to be proven one by one."""


class Period(NamedTuple):
    """The months (202603) that a statement is of, both included; None: from the beginning, up to its block."""

    first: int | None = None
    last: int | None = None


class Keys(NamedTuple):
    """The keys of a statement: the wallet, and on either end the months up to the one that has totals.

    An end without months is that of the period at which the wallet did not move any more, or the beginning.
    """

    wallet: str
    opening: tuple[str, ...]
    closing: tuple[str, ...]

    @property
    def all(self) -> list[str]:
        """Every key, in order."""
        return [self.wallet, *self.opening, *self.closing]


def state_key(name: str) -> str:
    """Return the key of a wallet, or of the issuance."""
    return ISSUANCE_KEY if name == ISSUANCE else wallet_key(name)


def keys(reader: Reader, name: str, period: Period) -> Keys:
    """Return the keys of the statement of a wallet that is there; raise ``TooManyMonths``."""
    wallet = None if name == ISSUANCE else wallet_of(reader, name)
    moved = 0 if wallet is None else wallet.month
    after = None if period.last is None else next_month(period.last)
    return Keys(state_key(name), *(_months(reader, name, month, moved) for month in (period.first, after)))


def _months(reader: Reader, name: str, month: int | None, moved: int) -> tuple[str, ...]:
    """Return the keys of the months from ``month`` to the first in which it moved; none if it did not since."""
    found: list[str] = []
    while month is not None and month <= moved and (not found or reader.get(found[-1]) is None):
        found.append(month_key(name, month))
        month = next_month(month)
        if len(found) > MAX_MONTHS:
            raise TooManyMonths(f"{name} did not move in the {MAX_MONTHS} months from then on; name a later one")
    return tuple(found)


def ends(wanted: Keys, name: str, period: Period, proven: Sequence[CertifiedValue]) -> tuple[Balance, Balance]:
    """Return what the wallet had at either end of a period, by the values of the keys, in order."""
    values: list[Any] = [None if value.value is None else codec.decode(value.value) for value in proven]
    now = values[0]
    balance = issuance_of(now) if name == ISSUANCE else Wallet.decoded(now).balance
    split = 1 + len(wanted.opening)
    opening, closing = (
        balance if not part or part[-1] is None else Balance.decoded(part[-1])
        for part in (values[1:split], values[split:])
    )
    return Balance() if period.first is None else opening, closing


def month_from(text: str) -> int:
    """Return the month written ``2026-03``; raise ``Malformed``."""
    year, dash, month = text.partition("-")
    if not (text.isascii() and len(year) == 4 and len(month) == 2 and year.isdecimal() and month.isdecimal() and dash):
        raise Malformed("expected a month such as 2026-03")
    return require_month(int(year) * 100 + int(month), "month")


def month_text(month: int) -> str:
    """Return a month such as 202603 as ``2026-03``."""
    return f"{month // 100:04}-{month % 100:02}"


def require_month(value: Any, what: str) -> int:
    """Return a value if it is a month such as 202603; raise ``Malformed``."""
    month = codec.integer(value, what, low=_FIRST_MONTH, high=_LAST_MONTH)
    if not 1 <= month % 100 <= 12:
        raise Malformed(f"{what}: there is no such month")
    return month


def movement_of(row: Mapping[str, Any]) -> Movement:
    """Return a movement as it was hashed, from its row or its entry in a list."""
    given = {name: row[name] for name in Movement._fields if name not in ("about", "tx")}
    return Movement(**given, about=tuple(row.get("about", ())), tx=bytes.fromhex(row["tx"]))


def movement_json(movement: Movement) -> dict[str, Any]:
    """Return a movement as JSON values, with its hash."""
    shown = movement._asdict() | {"about": list(movement.about), "tx": movement.tx.hex()}
    return {**shown, "hash": movement.hash.hex()}


def movement_from_json(value: Any) -> Movement:
    """Read a movement with exactly the fields of ``movement_json``; raise ``Malformed``."""
    row = codec.mapping(value, "movement")
    if row.keys() != frozenset(_NAMES):
        raise Malformed(f"movement: expected the fields {', '.join(_NAMES)}")
    for name in ("number", "height", "time_ms", "amount", "reserved", "pending"):
        codec.integer(row[name], f"movement.{name}")
    for name in ("kind", "debit", "credit", "code"):
        codec.text(row[name], f"movement.{name}", limit=64)
    for name in ("reference", "end_to_end"):
        if row[name] != "":
            codec.text(row[name], f"movement.{name}")
    for part in codec.sequence(row["about"], "movement.about", limit=3):
        codec.text(part, "movement.about", limit=128)
    tx = codec.text(row["tx"], "movement.tx", limit=2 * HASH_BYTES)
    try:
        found = movement_of(row)
    except ValueError:
        raise Malformed("movement.tx: expected 64 hexadecimal digits") from None
    if found.tx.hex() != tx or len(found.tx) != HASH_BYTES or found.hash.hex() != row["hash"]:
        raise Malformed(f"movement {found.number} does not have the hash that is shown beside it")
    return found


def document(
    name: str, period: Period, wanted: Keys, proven: Sequence[CertifiedValue], movements: Sequence[Movement]
) -> dict[str, Any]:
    """Return the statement of a wallet; ``proven`` are the values of its keys, in order, all of one block."""
    shown = list(map(proven_value_json, proven))
    ends = 1 + len(wanted.opening)
    return {
        "coseal": KIND,
        "version": 1,
        "wallet": name,
        "first": period.first,
        "last": period.last,
        "block": certified_header_json(proven[0].header, proven[0].certificate),
        "record": shown[0],
        "opening": shown[1:ends],
        "closing": shown[ends:],
        "movements": list(map(movement_json, movements)),
    }
