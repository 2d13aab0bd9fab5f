"""Money in a run: clients issue it, open wallets and pay, and every block's receipts are added up again.

Law: of the blocks nothing but their bytes is asked: after each block all wallets together have what was issued and not
redeemed, and a payment moved just its amount from one wallet to the other (I25).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from coseal.contracts.currency.authority import is_admitted
from coseal.contracts.currency.ledger import VAULT
from coseal.contracts.currency.post import wallet_of
from coseal.contracts.currency.state import used_key
from coseal.contracts.currency.supply import INSTRUCTION_EXAMPLE, RESERVES_TYPE
from coseal.contracts.kernel.action import Reader
from coseal.contracts.process.chain import item_hash
from coseal.contracts.process.state import attestation_key, source_key, type_key
from coseal.ledger.render import time_text
from simulation import reading
from simulation.decisions import Wrong

if TYPE_CHECKING:
    from simulation.reading import Claim, Seen

CENTRAL, BANK, ISSUER = "central-bank", "bank-a", "issuer"
SOURCE: Final = f"{BANK}/reserves"
HOLDERS: Final = (BANK, "enterprise-a", "regulator", CENTRAL)
"""Members that there are in every world; each has a wallet of its own name at the bank."""
LOW: Final = 100_000
MOST: Final = 50_000

Move = tuple[str, str, dict[str, Any]]


class Misbooked(Wrong):
    """Money that a block makes, or loses, or moves otherwise than it was paid."""

    rule = "I25"


# What clients do


class Payer:
    """Makes the next act of one run by the state that a node has."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._number = 0
        self._instruction: dict[str, Any] = {}
        self._sequence = 0

    def move(self, reader: Reader, time_ms: int) -> Move:
        """Return (sender, ``contract.action``, arguments)."""
        vault = wallet_of(reader, f"{BANK}/{VAULT}")
        if vault is None or (vault.balance.available < LOW and self._rng.randrange(3)):
            return self._supply(reader, time_ms)
        missing = [name for name in HOLDERS if wallet_of(reader, f"{BANK}/{name}") is None]
        if missing:
            opened = {"id": missing[0], "class": "corporate", "holder": f"member:{missing[0]}"}
            return f"{BANK}/admin", "currency.open_wallet", opened
        payer = self._rng.choice((VAULT, *HOLDERS))
        payee = self._rng.choice([name for name in (VAULT, *HOLDERS) if name != payer])
        args = {"from": f"{BANK}/{payer}", "to": f"{BANK}/{payee}", "amount": self._rng.randint(1, MOST)}
        sender = BANK if payer == VAULT else payer
        if self._rng.randrange(4) == 0:
            more = {**args, "amount": self._rng.randint(1, MOST), "code": "CASH"}
            batch = {"items": [{**args, "code": "CASH"}, more], "linked": self._rng.randrange(2) == 0}
            return f"{sender}/admin", "currency.pay_batch", batch
        return f"{sender}/admin", "currency.pay", {**args, "code": "CASH"}

    def _supply(self, reader: Reader, time_ms: int) -> Move:
        central = f"{CENTRAL}/admin"
        if reader.get(type_key(RESERVES_TYPE["id"])) is None:
            return central, "process.define_type", dict(RESERVES_TYPE)
        if not is_admitted(reader, BANK):
            return central, "currency.admit_institution", {"member": BANK}
        record: Any = reader.get(source_key(SOURCE))
        if record is None:
            args = {"id": "reserves", "process_type": "reserves", "mode": "live"}
            return f"{BANK}/admin", "process.register_source", args
        named = self._instruction.get("attributes", {}).get("instruction", "")
        if not named or reader.get(used_key(BANK, named)) is not None or record["sequence"] > self._sequence:
            self._number += 1
            said = {**INSTRUCTION_EXAMPLE["attributes"], "instruction": f"I{self._number}"}
            self._instruction = {**INSTRUCTION_EXAMPLE, "event": f"i{self._number}", "time": time_text(time_ms)}
            self._instruction["attributes"], self._sequence = said, record["sequence"] + 1
        if record["sequence"] < self._sequence:
            batch = {"source": "reserves", "sequence": self._sequence, "items": [self._instruction]}
            return f"{BANK}/admin", "process.record", batch
        hashed = item_hash(SOURCE, self._sequence, self._instruction)
        attested: Any = reader.get(attestation_key(hashed))
        if attested is not None and attested["status"] == "confirmed":
            shown: dict[str, Any] = {"source": SOURCE, "sequence": self._sequence, "item": self._instruction}
            return f"{CENTRAL}/{ISSUER}", "currency.issue", shown
        return central, "process.attest", {"item": hashed.hex(), "verdict": "confirm"}


# What blocks say


class Book:
    """What every wallet has by the receipts: ``[debits, credits, reserved debits, reserved credits]``, in fen."""

    def __init__(self) -> None:
        self.wallets: dict[str, list[int]] = {}
        self.outside = self.payments = 0
        """Fen that were issued and not redeemed, and how many payments were followed."""

    def follow(self, seen: Seen) -> None:
        """Add up what a block says; raise ``Misbooked`` where it is not what was paid."""
        self._take(reading.receipt(seen.receipts[0])[1])
        for raw, receipt in zip(seen.transactions, seen.receipts[1:], strict=True):
            claim, (code, data) = reading.claim(raw), reading.receipt(receipt)
            if claim is not None and code == "ok":
                self._sent(claim, data)
        held = sum(credits - debits for debits, credits, _, _ in self.wallets.values())
        if held != self.outside:
            raise Misbooked(f"leaves {held} fen in wallets, {self.outside} were issued and not redeemed")

    def _sent(self, claim: Claim, data: dict[str, Any]) -> None:
        if claim.name == "currency.issue":
            whole, _, part = claim.args["item"]["attributes"]["amount"].partition(".")
            self.outside += int(whole) * 100 + int(part)
        elif claim.name == "currency.settle_redeem":
            self.outside -= data["amount"]
        expected: dict[str, list[int]] = {}
        for item in _paid(claim, data):
            self.payments += 1
            for name, total in ((item["from"], 0), (item["to"], 1)):
                expected.setdefault(name, [*self.wallets.get(name, (0, 0, 0, 0))])[total] += item["amount"]
        self._take(data)
        for name, totals in expected.items():
            if self.wallets[name] != totals:
                raise Misbooked(f"leaves {name} with {self.wallets[name]} after {claim.name}, not {totals}")

    def _take(self, data: dict[str, Any]) -> None:
        for wallets in _shown(data):
            for name, totals in wallets.items():
                self.wallets[name] = [int(total) for total in totals]


def _paid(claim: Claim, data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the payments that an accepted transaction made."""
    if claim.name == "currency.pay":
        yield claim.args
    elif claim.name == "currency.pay_batch":
        refused = {index for index, _ in data.get("refused", ())}
        yield from (item for index, item in enumerate(claim.args["items"]) if index not in refused)


def _shown(data: Any) -> Iterator[dict[str, Any]]:
    """Yield the totals of wallets wherever a receipt shows them."""
    if isinstance(data, dict):
        if isinstance(data.get("wallets"), dict):
            yield data["wallets"]
        for value in data.values():
            yield from _shown(value)
    elif isinstance(data, list):
        for value in data:
            yield from _shown(value)
