"""What a wallet is and what a movement does to it: pure, for the contract, its clients and auditors alike.

Law: a movement changes both of its accounts by the same amount, has one hash, and stands in the chains of both; no
balance goes below zero. Gross totals only grow, so they have 128 bit.

contracts/currency/README.md, sections Money and Statements.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, NamedTuple, TypeAlias

from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.process.chain import chain
from coseal.ledger import codec
from coseal.ledger.errors import BadProof
from coseal.ledger.signing import HASH_BYTES, TAG_MANDATE, TAG_MOVEMENT, ZERO_HASH, body_preimage

ISSUANCE: Final = "issuance"
"""The account against which money is issued and redeemed; no wallet has such a name, for theirs have a slash."""
VAULT: Final = "vault"
MAX_AMOUNT: Final = 10**15
"""Fen that one movement moves at most."""
MAX_ISSUED: Final = 4 * 10**18
"""Fen that are in circulation at most; balances stay below 2^62."""
ZONE_MS: Final = 8 * 3_600_000
"""Days, months and years are those of UTC+08:00."""
TOTAL_BYTES: Final = 16

POSTED: Final = "posted"
PENDING: Final = "pending"
POST: Final = "post"
VOID: Final = "void"
DEBIT: Final = "debit"
CREDIT: Final = "credit"
OPEN: Final = "open"
CLOSED: Final = "closed"
CODES: Final = ("SUPP", "TRAD", "LOAN", "INTE", "TAXS", "GOVT", "CASH", "OTHR")
"""What a movement is for, as in ISO 20022."""
LIMITS: Final = ("single_max", "day_max", "year_max", "balance_max")

Limits: TypeAlias = Sequence[int | None]
"""As ``LIMITS`` names them, None for none."""


class Overdrawn(ValueError):
    """A movement would leave a balance below zero, or free what was not reserved: a fault of who posts it."""


class Movement(NamedTuple):
    """One movement, as it is hashed. ``debit`` and ``credit`` are ``institution/id``, or ``issuance``.

    ``reserved`` is what a post or void frees of a pending transfer, whose number is ``pending`` (0: none); ``about``
    is empty or ``[process type, object type, object]``. Times in ms; ``tx`` is zeros for what fell due.
    """

    number: int
    height: int
    time_ms: int
    kind: str
    debit: str
    credit: str
    amount: int
    reserved: int = 0
    code: str = "OTHR"
    reference: str = ""
    end_to_end: str = ""
    about: Sequence[str] = ()
    pending: int = 0
    tx: bytes = ZERO_HASH

    @property
    def hash(self) -> bytes:
        """The 32 bytes that stand in the chains of both accounts."""
        return sha256(TAG_MOVEMENT + codec.encode([*self[:11], list(self.about), *self[12:]])).digest()  # C12


_TYPES: Final = (bytes, bytes, bytes, bytes, int, bytes)
_SIZES: Final = (TOTAL_BYTES, TOTAL_BYTES, TOTAL_BYTES, TOTAL_BYTES, HASH_BYTES)
"""Of what the state has of a balance: of each value, and of those that are bytes."""


@dataclass(slots=True)
class Balance:
    """What was debited and credited in all, posted and pending, by how many movements; the head of their chain."""

    debits_posted: int = 0
    credits_posted: int = 0
    debits_pending: int = 0
    credits_pending: int = 0
    count: int = 0
    head: bytes = ZERO_HASH

    @property
    def posted(self) -> int:
        """The balance, without what is pending."""
        return self.credits_posted - self.debits_posted

    @property
    def available(self) -> int:
        """What new debits may take."""
        return self.credits_posted - self.debits_posted - self.debits_pending

    def encoded(self) -> list[Any]:
        """Return it as the state has it."""
        return [
            self.debits_posted.to_bytes(TOTAL_BYTES, "big"),
            self.credits_posted.to_bytes(TOTAL_BYTES, "big"),
            self.debits_pending.to_bytes(TOTAL_BYTES, "big"),
            self.credits_pending.to_bytes(TOTAL_BYTES, "big"),
            self.count,
            self.head,
        ]

    @classmethod
    def decoded(cls, value: Sequence[Any]) -> Balance:
        """Return what the state has; raises ``BadProof`` for what it never has."""
        if tuple(map(type, value)) != _TYPES or tuple(map(len, (*value[:4], value[5]))) != _SIZES:
            raise BadProof("a balance is four totals of 16 bytes, a count and a head")
        return cls(
            int.from_bytes(value[0], "big"),
            int.from_bytes(value[1], "big"),
            int.from_bytes(value[2], "big"),
            int.from_bytes(value[3], "big"),
            value[4],
            value[5],
        )

    @property
    def totals(self) -> tuple[int, int, int, int]:
        """What was debited and credited, posted and pending."""
        return self.debits_posted, self.credits_posted, self.debits_pending, self.credits_pending

    def texts(self) -> list[str]:
        """Return the totals as receipts show them: more than 64 bit have no other form there."""
        return list(map(str, self.totals))


def apply_leg(balance: Balance, side: str, movement: Movement, hashed: bytes, *, reverse: bool = False) -> None:
    """Change one account by its side of a movement; raises ``Overdrawn``.

    ``reverse`` is for the issuance, whose debits are never below its credits.
    """
    posted = movement.amount if movement.kind in (POSTED, POST) else 0
    pending = movement.amount if movement.kind == PENDING else -movement.reserved
    if side == DEBIT:
        balance.debits_posted += posted
        balance.debits_pending += pending
    else:
        balance.credits_posted += posted
        balance.credits_pending += pending
    left = balance.debits_posted - balance.credits_posted - balance.credits_pending if reverse else balance.available
    if left < 0 or balance.debits_pending < 0 or balance.credits_pending < 0:  # C3
        raise Overdrawn(f"movement {movement.number} overdraws its {side}")
    balance.count += 1
    balance.head = chain(balance.head, hashed)


@dataclass(slots=True)
class Wallet:
    """A wallet as the state has it. ``limits`` are its own, stricter than those of its class.

    ``holder`` is a code such as ``member:bank-a`` or ``uscc:...``; ``authority`` is ``member``, ``key`` or ``hosted``;
    ``day_out`` and ``year_out`` are what was debited in ``day`` and ``year``; ``month`` is that of the last movement.
    """

    holder: str
    authority: str
    key: str
    class_id: str
    balance: Balance = field(default_factory=Balance)
    nonce: int = 0
    status: str = OPEN
    day: int = 0
    day_out: int = 0
    year: int = 0
    year_out: int = 0
    month: int = 0
    height: int = 0
    open_debits: int = 0
    claims: int = 0
    limits: Limits = (None, None, None, None)

    def encoded(self) -> list[Any]:
        """Return it as the state has it, in the order of the specification."""
        head = [self.holder, self.authority, self.key, self.nonce, self.class_id, self.status]
        used = [self.day, self.day_out, self.year, self.year_out, self.month, self.height]
        return [*head, *self.balance.encoded(), *used, self.open_debits, self.claims, list(self.limits)]

    @classmethod
    def decoded(cls, value: Sequence[Any]) -> Wallet:
        """Return what the state has; raises ``BadProof`` for what it never has."""
        if len(value) != 21:
            raise BadProof("a wallet is a list of 21 values")
        holder, authority, key, nonce, class_id, status = value[:6]
        balance = Balance.decoded(value[6:12])
        return cls(holder, authority, key, class_id, balance, nonce, status, *value[12:])


# What may be moved


def over_limit(wallet: Wallet, limits: Limits, amount: int, day: int, year: int) -> str | None:
    """Say which limit a debit of ``amount`` would exceed on a day, and what is left of it; None if none."""
    day_out = wallet.day_out if wallet.day == day else 0
    year_out = wallet.year_out if wallet.year == year else 0
    for at, used in enumerate((0, day_out, year_out)):
        for limit in (limits[at], wallet.limits[at]):
            if limit is not None and used + amount > limit:  # C8
                return f"{LIMITS[at]} is {yuan(limit)}, {yuan(max(limit - used, 0))} are left"
    return None


def takes_any(wallet: Wallet, limits: Limits) -> bool:
    """Say whether no credit is ever too much for a wallet."""
    at = LIMITS.index("balance_max")
    return limits[at] is None and wallet.limits[at] is None


def over_balance(wallet: Wallet, limits: Limits, amount: int) -> str | None:
    """Say by what limit a credit of ``amount`` would be too much, and what is left of it; None if it is not."""
    holds = wallet.balance.posted + wallet.balance.credits_pending
    for limit in (limits[3], wallet.limits[3]):
        if limit is not None and holds + amount > limit:  # C8
            return f"balance_max is {yuan(limit)}, {yuan(max(limit - holds, 0))} are left"
    return None


def day_of(time_ms: int) -> int:
    """Return the day of a block time, numbered from 1970, at UTC+08:00."""
    return (time_ms + ZONE_MS) // DAY_MS


def month_of(day: int) -> int:
    """Return the month of a day: 202603. The civil calendar, by years that begin in March."""
    era, of_era = divmod(day + 719_468, 146_097)
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return (year + era * 400 + (month <= 2)) * 100 + month


def month_start_ms(month: int) -> int:
    """Return the block time at which a month such as 202603 begins: the inverse of ``month_of``."""
    year, number = divmod(month, 100)
    shifted_year, shifted = (year, number - 3) if number > 2 else (year - 1, number + 9)
    days = 365 * shifted_year + shifted_year // 4 - shifted_year // 100 + shifted_year // 400
    return (days + (153 * shifted + 2) // 5 - 719_468) * DAY_MS - ZONE_MS


def next_month(month: int) -> int:
    """Return the month after one such as 202603."""
    return month + 1 if month % 100 < 12 else (month // 100 + 1) * 100 + 1


def yuan(fen: int) -> str:
    """Return an amount in fen as yuan with two decimals: ``12.50``."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02}"


def mandate_preimage(
    chain_id: bytes, wallet: str, nonce: int, until_ms: int, action: str, args: dict[str, Any]
) -> bytes:
    """Return what the key of a wallet signs to have somebody carry an action; ``args`` are all but the mandate."""
    return body_preimage(TAG_MANDATE, chain_id, codec.encode([wallet, nonce, until_ms, action, args]))  # C6


# Statements


def fold(opening: Balance, wallet: str, movements: Iterable[Movement]) -> Balance:
    """Return a wallet after these movements; raises ``BadProof`` if one of them is not its own or cannot be."""
    found = Balance(*(getattr(opening, name) for name in Balance.__slots__))
    before = 0
    for movement in movements:
        if wallet not in (movement.debit, movement.credit) or movement.debit == movement.credit:
            raise BadProof(f"movement {movement.number} is not of {wallet}")
        if movement.number <= before:
            raise BadProof(f"movement {movement.number} does not come after {before}")
        before = movement.number
        try:
            side = DEBIT if movement.debit == wallet else CREDIT
            apply_leg(found, side, movement, movement.hash, reverse=wallet == ISSUANCE)
        except (Overdrawn, TypeError, ValueError, OverflowError) as error:
            raise BadProof(str(error)) from None
    return found


def verify_statement(
    wallet: str,
    movements: Sequence[Movement],
    opening: Balance,
    closing: Balance,
    first: int | None = None,
    last: int | None = None,
) -> None:
    """Raise ``BadProof`` unless these are all movements of a wallet between two states of it, and only those.

    ``first`` and ``last`` are the months (202603) that all of them lie in, None for any.
    """
    for movement in movements:
        month = month_of(day_of(movement.time_ms))
        if (first is not None and month < first) or (last is not None and month > last):
            raise BadProof(f"movement {movement.number} is of month {month}, outside of the statement")
    wanted = closing.count - opening.count
    if len(movements) != wanted:
        raise BadProof(f"{len(movements)} movements are shown, {wanted} were made")
    found = fold(opening, wallet, movements)
    if found.head != closing.head:
        raise BadProof("the movements are not those made, or not in that order")
    if found != closing:
        raise BadProof("the movements do not give the closing totals")
