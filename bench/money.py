"""Payments on a running network: one a signature beside any signed transaction, and batches of them.

Law: what is compared is sent in turns to the same nodes by as many clients; what is counted is committed as ``ok``.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import uvloop

from bench.figures import Run
from bench.network import Network
from bench.rows import CLIENTS, send, throughput
from bench.work import submit, transaction
from coseal.client import keys
from coseal.client.blocking import Client
from coseal.client.money import payment
from coseal.contracts.currency.ledger import VAULT
from coseal.contracts.currency.supply import RESERVES, RESERVES_TYPE
from coseal.contracts.process.chain import item_hash
from coseal.demo.money import record_instruction
from coseal.ledger.signing import Ed25519Signer

BANK: Final = "bank-a"
TRANSFERS: Final = 500
"""Transfers of a batch."""
BATCH_CLIENTS: Final = 16
WALLETS: Final = 2 * TRANSFERS
HOT: Final = f"{BANK}/w{WALLETS - 1}"
_ISSUED: Final = "100000000.00"
_EACH: Final = "10000.00"
_POSTED: Final = 100
"""Wallets that are opened in one request."""


@cache
def fund(network: Network) -> None:
    """Issue money to a bank, open wallets there and pay each the same amount; once a network."""
    seed = keys.new_seed()
    with _client(network, "central-bank") as central, _client(network, BANK) as bank:
        central.submit_any("process", "define_type", RESERVES_TYPE).require_ok()
        central.submit("currency", "admit_institution", {"member": BANK}).require_ok()
        source = {"id": RESERVES, "process_type": RESERVES, "mode": "live"}
        bank.submit_any("process", "register_source", source).require_ok()
        args = record_instruction(bank, _ISSUED)
        hashed = item_hash(args["source"], 1, args["item"]).hex()
        central.submit_any("process", "attest", {"item": hashed, "verdict": "confirm"}).require_ok()
        issuer = {"user": "issuer", "key": keys.public_key(seed).hex(), "capabilities": ["treasury"]}
        central.submit_any("membership", "add_operator", issuer).require_ok()
        with Client(network.urls[0], network.genesis, signer=Ed25519Signer(seed), sender="central-bank/issuer") as by:
            by.submit_any("currency", "issue", args).require_ok()
        for first in range(0, WALLETS, _POSTED):
            opened = [_open(network, number) for number in range(first, first + _POSTED)]
            uvloop.run(submit(network.urls[0], opened))
        bank.money.pay_batch(
            [payment(f"{BANK}/{VAULT}", f"{BANK}/w{number}", _EACH) for number in range(WALLETS)], linked=True
        ).require_ok()


def payments(network: Network, *, transactions: int) -> Run:
    """Commit payments, one a signature, as many of the cheapest transaction and of events; return rates and ratios."""
    fund(network)
    each = max(1, transactions // CLIENTS)
    other = [[_profile(network, client, number) for number in range(each)] for client in range(CLIENTS)]
    any_rate = send(network, network.urls, other)["transactions/s"]
    pays = [[_pay(network, client, number) for number in range(each)] for client in range(CLIENTS)]
    run = send(network, network.urls, pays)
    rate = run["transactions/s"]
    event_rate = throughput(network, transactions=transactions)["transactions/s"]
    shares = {"of any signed transaction": rate / any_rate, "of a recorded event": rate / event_rate}
    return {**run, "payments/s": rate, **shares, "any transactions/s": any_rate}


def transfers(network: Network, *, batches: int) -> Run:
    """Commit batches of transfers between wallets, and as many into one wallet; return the rates and their ratio."""
    fund(network)
    rates = []
    for hot in (False, True):
        pairs = [(f"{BANK}/w{at}", HOT if hot else f"{BANK}/w{at + TRANSFERS}") for at in range(TRANSFERS)]
        items = [payment(debit, credit, "0.01") for debit, credit in pairs]
        args = {"items": items, "linked": False}
        signed = [transaction(network, "currency", "pay_batch", args, BANK) for _ in range(batches)]
        work = [signed[client::BATCH_CLIENTS] for client in range(BATCH_CLIENTS)]
        rates.append(send(network, network.urls, work)["transactions/s"] * TRANSFERS)
    return {"transfers/s": rates[0], "of distinct wallets": rates[1] / rates[0], "into one wallet/s": rates[1]}


def _client(network: Network, member: str) -> Client:
    return Client(network.urls[0], network.genesis, signer=network.signer(member), sender=f"{member}/admin")


def _open(network: Network, number: int) -> bytes:
    args = {"id": f"w{number}", "class": "corporate", "holder": f"member:{BANK}"}
    return transaction(network, "currency", "open_wallet", args, BANK)


def _profile(network: Network, client: int, number: int) -> bytes:
    args: dict[str, Any] = {"description": f"{client} {number}"}
    return transaction(network, "membership", "set_profile", args, BANK)


def _pay(network: Network, client: int, number: int) -> bytes:
    args = payment(f"{BANK}/w{client}", f"{BANK}/w{CLIENTS + client}", f"0.{number % 99 + 1:02}")
    return transaction(network, "currency", "pay", args, BANK)
