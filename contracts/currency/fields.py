"""The forms of arguments that several actions of the currency share."""

from __future__ import annotations

from typing import Final

from coseal.contracts.currency.ledger import CODES, LIMITS, MAX_AMOUNT, VAULT
from coseal.contracts.kernel.fields import (
    Hexadecimal,
    Identifier,
    Integer,
    Many,
    Nullable,
    OneOf,
    Record,
    Table,
    Text,
)

MAX_WALLET_CHARACTERS: Final = 34
"""Of ``institution/id``: an account's other identification in ISO 20022."""
MAX_MANDATES: Final = 64

wallet: Final = Identifier()
amount: Final = Integer(1, MAX_AMOUNT)
mandate: Final = Record({"nonce": Integer(1, 2**53), "until_ms": Integer(0, 2**53), "signature": Hexadecimal(64)})
mandates: Final = Table(mandate, high=MAX_MANDATES, key=Identifier())
"""By the wallet whose key signed."""
limits: Final = Record(dict.fromkeys(LIMITS, Nullable(Integer(0, 2**62))))
pending: Final = Identifier(slash=False)
PAYMENT: Final = {"from": wallet, "to": wallet, "amount": amount, "code": OneOf(*CODES)}
DETAILS: Final = {
    "reference": Text(high=35),
    "end_to_end": Text(high=35),
    "about": Many(Identifier(), low=3, high=3),
}
EXAMPLE: Final = {"from": f"bank-a/{VAULT}", "to": "bank-a/w1", "amount": 1_250, "code": "CASH"}
