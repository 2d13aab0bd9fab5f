"""A chain with money on it: institutions, wallets, issues on attested instructions, payments, keys of customers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.currency.ledger import Wallet, mandate_preimage
from coseal.contracts.currency.post import Totals, issuance, wallet_of
from coseal.contracts.currency.supply import RESERVES_TYPE
from coseal.contracts.process.chain import item_hash
from coseal.ledger.block import Receipt
from coseal.ledger.genesis import Genesis
from coseal.ledger.render import time_text
from coseal.ledger.transaction import Transaction
from tests.support.chain import Chain
from tests.support.genesis import make_genesis
from tests.support.keys import signer

DAY_MS: Final = 86_400_000
MEMBERS: Final = ("regulator", "city", "central-bank", "bank-a", "bank-b", "enterprise-a", "enterprise-b")
RIGHTS: Final = ("operate", "submit", "supervise", "pay", "treasury")
VAULT_A: Final = "bank-a/vault"
USCC: Final = "uscc:91110000600037341L"
"""A unified social credit code whose check character is right."""


def money_genesis(**more: Any) -> Genesis:
    """Return a genesis of two banks, whose operators may pay."""
    return make_genesis(name="money", members=MEMBERS, capabilities=RIGHTS, **more)


class Money:
    """What members do with money; each call is a block. A sender without a user is its ``admin``."""

    def __init__(self, chain: Chain | None = None) -> None:
        self.chain = Chain(money_genesis()) if chain is None else chain
        self._instructions = 0
        self._sequences: dict[str, int] = {}

    def sign(self, sender: str, action: str, /, **args: Any) -> Transaction:
        name = action if "." in action else f"currency.{action}"
        return self.chain.sign(sender if "/" in sender else f"{sender}/admin", name, args)

    def submit(self, sender: str, action: str, /, **args: Any) -> Receipt:
        return self.chain.block(self.sign(sender, action, **args))[0]

    def ok(self, sender: str, action: str, /, **args: Any) -> dict[str, Any]:
        receipt = self.submit(sender, action, **args)
        assert receipt.ok, (receipt.code, receipt.detail)
        return dict(receipt.data)

    def code(self, sender: str, action: str, /, **args: Any) -> str:
        return self.submit(sender, action, **args).code

    def wait(self, later_ms: int) -> dict[str, Any]:
        """Commit an empty block so much later; return what the currency began it with."""
        self.chain.extend([], later_ms=later_ms)
        return dict(self.chain.begun.get("currency", {}))

    # Supply

    def found(self, *banks: str) -> None:
        """Define the reserves, admit banks (both of a genesis with money), give the central bank a second operator."""
        key = signer("central-bank/issuer").public_key.hex()
        rights = ["pay", "submit", "treasury"]
        self.ok("central-bank", "membership.add_operator", user="issuer", key=key, capabilities=rights)
        self.ok("central-bank", "process.define_type", **RESERVES_TYPE)
        for bank in banks or ("bank-a", "bank-b"):
            self.ok("central-bank", "admit_institution", member=bank)
            self.ok(bank, "process.register_source", id="reserves", process_type="reserves", mode="live")

    def instruct(self, bank: str, amount: str, *, confirm: bool = True, **changes: Any) -> dict[str, Any]:
        """Record a reserve instruction and have it confirmed; return the arguments of ``issue``."""
        self._instructions += 1
        sequence = self._sequences[bank] = self._sequences.get(bank, 0) + 1
        said = {"direction": "issue", "amount": amount, "currency": "CNY", "instruction": f"I-{self._instructions}"}
        item = {
            "event": f"i{self._instructions}",
            "type": "Reserve instruction",
            "time": time_text(self.chain.now_ms),
            "objects": [["account", bank]],
            "attributes": {**said, **changes},
            "counterparty": "central-bank",
        }
        self.ok(bank, "process.record", source="reserves", sequence=sequence, items=[item])
        source = f"{bank}/reserves"
        if confirm:
            hashed = item_hash(source, sequence, item).hex()
            self.ok("central-bank", "process.attest", item=hashed, verdict="confirm")
        return {"source": source, "sequence": sequence, "item": item}

    def issue(self, bank: str = "bank-a", amount: str = "1000.00") -> dict[str, Any]:
        return self.ok("central-bank/issuer", "issue", **self.instruct(bank, amount))

    # Wallets

    def open(self, name: str, holder: str = "", **more: Any) -> str:
        """Open a wallet ``institution/id``; return its name."""
        bank, _, wallet_id = name.partition("/")
        whose = {"holder": holder} if holder else {}
        self.ok(bank, "open_wallet", **{"id": wallet_id, "class": "corporate", **whose, **more})
        return name

    def keyed(self, name: str, key: str = "customer") -> str:
        """Open a wallet that a customer's key guards; return its name."""
        return self.open(name, USCC, key=signer(key).public_key.hex())

    def mandate(
        self,
        wallet: str,
        action: str,
        args: Mapping[str, Any],
        *,
        key: str = "customer",
        nonce: int | None = None,
        until_ms: int | None = None,
        chain_id: bytes | None = None,
    ) -> dict[str, Any]:
        """Return the mandate by which a customer's key has an action carried."""
        nonce = self.wallet(wallet).nonce + 1 if nonce is None else nonce
        until_ms = self.chain.now_ms + DAY_MS if until_ms is None else until_ms
        chain_id = self.chain.chain_id if chain_id is None else chain_id
        message = mandate_preimage(chain_id, wallet, nonce, until_ms, f"currency.{action}", dict(args))
        return {"nonce": nonce, "until_ms": until_ms, "signature": signer(key).sign(message).hex()}

    def carry(self, carrier: str, wallet: str, action: str, /, **args: Any) -> Receipt:
        """Have a member carry what the key of a wallet signs."""
        return self.submit(carrier, action, **args, mandate=self.mandate(wallet, action, args))

    # What is there

    def wallet(self, name: str) -> Wallet:
        found = wallet_of(self.chain.executor.reader, name)
        assert found is not None, name
        return found

    def balance(self, name: str) -> int:
        return self.wallet(name).balance.posted

    @property
    def issued(self) -> int:
        return issuance(self.chain.executor.reader).posted * -1

    @property
    def totals(self) -> Totals:
        return Totals.read(self.chain.executor.reader)

    def decide(self, kind: str, /, **subject: Any) -> dict[str, Any]:
        """Propose and have it accepted; return the last vote's result."""
        proposal = f"{kind.replace('_', '-')}-{self.chain.executor.height}"
        result = self.ok("regulator", "governance.propose", id=proposal, kind=kind, subject=subject)
        for member in ("central-bank", "bank-a", "enterprise-a"):
            if result["status"] == "open" and member != subject.get("member"):
                result = self.ok(member, "governance.vote", ballot=proposal, choice="yes")
        return result


def payment(debit: str, credit: str, amount: int, code: str = "SUPP", **more: Any) -> dict[str, Any]:
    """Return the arguments of a payment."""
    return {"from": debit, "to": credit, "amount": amount, "code": code, **more}


def funded(money: Money | None = None, **more: Any) -> Money:
    """Return money in both layers: 1,000.00 at bank-a, of which 400.00 are enterprise-a's; wallets of every authority.

    ``bank-a/ea`` is enterprise-a's, ``bank-b/eb`` enterprise-b's, ``bank-a/keyed`` has a key, ``bank-b/hosted`` none.
    """
    money = Money(Chain(money_genesis(**more))) if money is None else money
    money.found()
    money.issue()
    money.open("bank-a/ea", "member:enterprise-a")
    money.open("bank-b/eb", "member:enterprise-b")
    money.keyed("bank-a/keyed")
    money.open("bank-b/hosted", "uscc:91110000600037341L")
    money.ok("bank-a", "pay", **payment(VAULT_A, "bank-a/ea", 40_000, "CASH"))
    money.ok("bank-a", "pay", **payment(VAULT_A, "bank-a/keyed", 10_000, "CASH"))
    return money
