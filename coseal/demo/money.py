"""The chapter of the demo about money: issued against reserves, passed on, paid, frozen, and proven to add up.

Law: as ``coseal.demo.story``: what is paid are real payments of the log, amounts are theirs; every figure is read back
with its proof, and what is refused is refused by the chain.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from coseal.audit.verify import verify_bytes
from coseal.client import keys
from coseal.client.blocking import Client
from coseal.client.money import payment
from coseal.contracts.currency.ledger import VAULT
from coseal.contracts.currency.supply import RESERVES, RESERVES_TYPE
from coseal.contracts.process.chain import item_hash
from coseal.demo.progress import Narrator, Summary
from coseal.errors import BadAnswer
from coseal.formats.importers.log import Log
from coseal.ledger.genesis import Genesis
from coseal.ledger.render import time_text
from coseal.ledger.signing import Ed25519Signer

_ISSUED: Final = "10000000.00"
_PASSED_ON: Final = "3000000.00"
_BATCH: Final = 1_000
_BATCHES: Final = 3
_PAYER: Final = "bank-a/enterprise-a"
_PAYEE: Final = "bank-a/treasury"
_HOLD_MS: Final = 24 * 3_600_000


class Treasury:
    """Plays the chapter over clients of the members' own nodes; ``signing`` makes one that signs with another key."""

    def __init__(
        self,
        client: Callable[[str], Client],
        signing: Callable[[str, Ed25519Signer], Client],
        narrator: Narrator,
        summary: Summary,
    ) -> None:
        self._client, self._signing, self._tell, self._summary = client, signing, narrator, summary

    def play(self, log: Log, genesis: Genesis, directory: Path) -> None:
        """Issue, pass on, pay the largest payments of a log, freeze, prove."""
        self._issue()
        self._open()
        paid = self._pay(log)
        self._freeze()
        self._refuse_a_second_unit()
        movements = self._prove(genesis, directory / "statement.json")
        self._summary.figures |= {"issued": _ISSUED, "paid": str(paid), "statement_movements": movements}

    def _issue(self) -> None:
        seed = keys.new_seed()
        with self._client("central-bank") as central, self._client("bank-a") as bank:
            central.submit_any("process", "define_type", RESERVES_TYPE).require_ok()
            central.submit("currency", "admit_institution", {"member": "bank-a"}).require_ok()
            source = {"id": RESERVES, "process_type": RESERVES, "mode": "live"}
            bank.submit_any("process", "register_source", source).require_ok()
            args = record_instruction(bank, _ISSUED)
            hashed = item_hash(args["source"], 1, args["item"]).hex()
            central.submit_any("process", "attest", {"item": hashed, "verdict": "confirm"}).require_ok()
            alone = central.submit_any("currency", "issue", args).receipt.code
            issuer = {"user": "issuer", "key": keys.public_key(seed).hex(), "capabilities": ["treasury"]}
            central.submit_any("membership", "add_operator", issuer).require_ok()
        with self._signing("central-bank/issuer", Ed25519Signer(seed)) as issuing:
            issuing.submit_any("currency", "issue", args).require_ok()
            again = issuing.submit_any("currency", "issue", args).receipt.code
        self._tell.say(
            f"bank-a has {_ISSUED} of reserves confirmed; the central bank issues as much, by another person than who "
            f"confirmed them (the same one: {alone}), and once (a second time: {again})"
        )

    def _open(self) -> None:
        with self._client("bank-a") as bank:
            for wallet, holder in ((_PAYER, "enterprise-a"), (_PAYEE, "regulator")):
                args = {"id": wallet.partition("/")[2], "class": "corporate", "holder": f"member:{holder}"}
                bank.submit_any("currency", "open_wallet", args).require_ok()
            bank.money.pay(f"bank-a/{VAULT}", _PAYER, _PASSED_ON, code="CASH").require_ok()
            held = bank.money.balance(_PAYER)
        self._tell.say(f"bank-a opens wallets for two legal entities and passes money on: {_PAYER} has {held}")

    def _pay(self, log: Log) -> Decimal:
        """Pay the largest payments of the log, each about its fine; return what they came to."""
        largest = sorted(log.items, key=_amount, reverse=True)[: _BATCH * _BATCHES]
        batches = [largest[at : at + _BATCH] for at in range(0, len(largest), _BATCH)]
        with self._client("enterprise-a") as client, self._tell.progress("payments", len(largest)) as update:
            for number, batch in enumerate(batches, 1):
                items = [_payment(item, log.definition["id"]) for item in batch]
                client.money.pay_batch(items, linked=True).require_ok()
                update(number * _BATCH, len(largest))
            paid = client.money.balance(_PAYEE)
        self._tell.say(
            f"enterprise-a pays the {len(largest)} largest real fines in {len(batches)} signed batches, all or nothing "
            f"each: {paid}, and each payment names its fine"
        )
        return paid

    def _freeze(self) -> None:
        case = {"wallet": _PAYER, "severity": "warning", "reason": "The payments of one day have no record"}
        with self._client("regulator") as regulator, self._client("enterprise-a") as payer:
            opened = regulator.submit_any("currency", "open_case", {**case, "legal_basis": ["external: a court order"]})
            finding = opened.require_ok().receipt.data["id"]
            hold = {"finding": finding, "reason": case["reason"], "hold_ms": _HOLD_MS}
            regulator.submit_any("supervision", "hold", hold).require_ok()
            refused = payer.money.pay(_PAYER, _PAYEE, "1.00").receipt
            contest = {"finding": finding, "reason": "They are recorded"}
            payer.submit_any("supervision", "contest_hold", contest).require_ok()
            lift = {"finding": finding, "reason": "They are"}
            regulator.submit_any("supervision", "lift_hold", lift).require_ok()
            payer.money.pay(_PAYER, _PAYEE, "1.00").require_ok()
        self._tell.say(
            f"the regulator freezes the wallet by {finding}, for a day at most: a payment is refused ({refused.code}); "
            f"enterprise-a contests it, the hold is lifted, and the payment passes. Nobody took any money"
        )

    def _refuse_a_second_unit(self) -> None:
        with self._client("bank-a") as bank:
            refused = bank.submit_any("currency", "define_unit", {"name": "bank-a coin"}).receipt
        self._tell.say(f"a coin of its own, which bank-a asks for, is refused by name: {refused.code}")

    def _prove(self, genesis: Genesis, path: Path) -> int:
        """Write a wallet's statement, verify it offline, and see that it fails with one line removed."""
        with self._client("enterprise-a") as client:
            found = client.statement(_PAYER)
            totals = client.money.totals()
        path.write_text(json.dumps(found.document, ensure_ascii=False), encoding="utf-8")
        whole = verify_bytes(path.read_bytes(), genesis)
        rows = found.document["movements"]
        short = {**found.document, "movements": [*rows[:7], *rows[8:]]}
        spoilt = verify_bytes(json.dumps(short).encode(), genesis)
        if not whole.ok or spoilt.ok:
            raise BadAnswer(f"the statement of {_PAYER} does not verify as it should: {whole.reason}; {spoilt.reason}")
        self._tell.say(f"one file proves the wallet's {len(rows)} movements to be all: coseal verify {path}")
        self._tell.say(f"with one line removed it is refused: {spoilt.reason}")
        same = totals["circulating"] == totals["issued"] - totals["redeemed"]
        if not same:
            raise BadAnswer("what is in circulation is not what was issued")
        self._tell.say(
            "what all wallets have is what was issued; the audit below sums them one by one, after each block"
        )
        return len(rows)


def record_instruction(bank: Client, amount: str) -> dict[str, Any]:
    """Record an instruction of reserves for ``amount`` yuan; return the arguments by which money is issued on it."""
    said = {"direction": "issue", "amount": amount, "currency": "CNY", "instruction": "I-1"}
    time_ms = bank.block("latest").block.header.time_ms
    what = {"event": "I-1", "type": "Reserve instruction", "time": time_text(time_ms)}
    item = {**what, "objects": [["account", "bank-a"]], "attributes": said, "counterparty": "central-bank"}
    args = {"source": RESERVES, "sequence": 1, "items": [item]}
    bank.submit_any("process", "record", args).require_ok()
    return {"source": f"bank-a/{RESERVES}", "sequence": 1, "item": item}


def _amount(item: Mapping[str, Any]) -> Decimal:
    return Decimal(item.get("attributes", {}).get("paymentamount", "0"))


def _payment(item: Mapping[str, Any], process_type: str) -> dict[str, Any]:
    """Return a payment of the log as one of money: to the treasury, about its fine."""
    object_type, fine = item["objects"][0]
    about = (process_type, object_type, fine)
    return payment(_PAYER, _PAYEE, _amount(item), code="GOVT", end_to_end=f"fine-{item['event']}", about=about)
