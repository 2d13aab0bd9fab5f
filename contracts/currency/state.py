"""Where the currency contract keeps what in the state: the only place where its keys are spelt."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from coseal.contracts.kernel import deadlines

NAME: Final = "currency"
WALLETS: Final = "currency/wallet/"
"""The prefix of wallets, which ``currency.post`` alone writes."""
ISSUANCE_KEY: Final = "currency/issuance"
TOTALS_KEY: Final = "currency/totals"
REGIME_KEY: Final = "currency/regime"

KEYS: Final = {
    "currency/wallet/<institution>/<wallet>": "a wallet: whose it is, what it may, its totals, the head of its chain",
    ISSUANCE_KEY: "what was issued and redeemed, with the chain of it",
    TOTALS_KEY: "sums over all wallets",
    "currency/institution/<member>": "an institution: what its customers and its vault have",
    "currency/month/<institution>/<wallet>/<month>": "a wallet before its first movement of a month",
    "currency/pending/<n>": "a pending transfer, and what became of it",
    "currency/used/<institution>/<instruction>": "what was issued on a reserve instruction, by the SHA-256 of its id",
    "currency/class/<class>": "a class of wallets with its limits, as a ballot decided it",
    REGIME_KEY: "whether wallets are like cash or like deposits, as a ballot decided it",
    "currency/tranche/<project>/<n>": "the pending transfer that pays a tranche, and whether the tranche was released",
    "currency/rekey/<institution>/<wallet>": "a change of a wallet's key that waits, or was objected to",
    **deadlines.keys(NAME),
}
OPEN_KEYS: Final = deadlines.open_keys(NAME)


def wallet_key(wallet: str) -> str:
    """Return the state key of a wallet, ``institution/id``."""
    return f"currency/wallet/{wallet}"


def institution_key(member: str) -> str:
    """Return the state key of an institution."""
    return f"currency/institution/{member}"


def month_key(wallet: str, month: int) -> str:
    """Return the state key of a wallet before its first movement of a month such as 202603."""
    return f"currency/month/{wallet}/{month}"


def pending_key(number: int) -> str:
    """Return the state key of a pending transfer."""
    return f"currency/pending/{number}"


def used_key(institution: str, instruction: str) -> str:
    """Return the state key of what was issued on an instruction; its id is hashed, so it may hold any character."""
    return f"currency/used/{institution}/{sha256(instruction.encode()).hexdigest()}"


def class_key(class_id: str) -> str:
    """Return the state key of a class of wallets."""
    return f"currency/class/{class_id}"


def rekey_key(wallet: str) -> str:
    """Return the state key of a change of a wallet's key."""
    return f"currency/rekey/{wallet}"


def tranche_key(project: str, number: int) -> str:
    """Return the state key of what pays a tranche of a project."""
    return f"currency/tranche/{project}/{number}"
