"""Cases of the currency: full batches, mandates, pending transfers that are voided or end at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.budget.scene import DAY_MS, Result, Scene, time_case
from bench.standards import kept, view_of
from coseal.contracts.currency.ledger import ISSUANCE, MAX_AMOUNT, POSTED, Wallet, mandate_preimage
from coseal.contracts.currency.post import Order, Origin, Posting
from coseal.ledger.signing import Ed25519Signer

MANY = 1_000
VAULT = "bank-a/vault"
_CUSTOMER = Ed25519Signer(b"\7" * 32)


def paying() -> Iterator[Result]:
    """Money: batches of 1,000, mandates, pending transfers."""
    scene = funded()
    around = [payment(f"bank-a/w{at}", f"bank-a/w{(at + MANY // 2) % MANY}") for at in range(MANY)]
    for name, items in (
        ("a batch of 1,000 payments among 1,000 wallets", around),
        ("a batch of 1,000 payments into one wallet", [payment("bank-a/w1", "bank-a/w2")] * MANY),
        ("a batch of 1,000 payments, all refused", [payment("bank-a/w1", f"bank-a/x{at}") for at in range(MANY)]),
    ):
        args = {"items": items, "linked": False}
        yield time_case(name, scene, scene.chain.signed("bank-a", "currency.pay_batch", args))
    yield time_case("a batch of 64 payments by mandates", scene, _mandated(scene))
    release: dict[str, Any] = {"object": ["bench", "case", "a"], "unheld": True, "no_finding": True, "after_ms": 1}
    until_ms = scene.chain.executor.time_ms + DAY_MS
    pend = {**payment("bank-a/w1", "bank-a/w2"), "expires_ms": until_ms, "release": release}
    yield time_case("a pending transfer", scene, scene.chain.signed("bank-a", "currency.pend", pend))
    for _ in range(4):
        scene.commit(*(scene.chain.signed("bank-a", "currency.pend", pend) for _ in range(MANY // 4)))
    names = [f"P{number}" for number in range(1, MANY + 1)]
    post = scene.chain.signed("bank-a", "currency.post_pending", {"pending": "P1"})
    yield time_case("a pending transfer is posted on three conditions", scene, post)
    void = scene.chain.signed("bank-a", "currency.void_pending", {"pendings": names})
    yield time_case("1,000 pending transfers are voided", scene, void)
    yield time_case("1,000 pending transfers end at once", scene, after_ms=DAY_MS)


def payment(debit: str, credit: str) -> dict[str, Any]:
    """Return a payment of a fen."""
    return {"from": debit, "to": credit, "amount": 1, "code": "SUPP", "reference": "r" * 35}


def funded() -> Scene:
    """Return a scene with 1,000 wallets of bank-a and 64 of customers with a key, all of them with money."""
    scene = Scene()
    scene.must("central-bank", "currency.admit_institution", {"member": "bank-a"})
    executor = scene.chain.executor
    view = view_of(executor)
    posting = Posting(view, Origin(executor.height, executor.time_ms))
    posting.post(Order(POSTED, ISSUANCE, VAULT, MAX_AMOUNT, supply=True))
    key = _CUSTOMER.public_key.hex()
    wallets = {f"bank-a/w{at}": Wallet("member:bank-a", "member", "", "corporate") for at in range(MANY)}
    wallets |= {f"bank-a/k{at}": Wallet("uscc:91110000600037341L", "key", key, "corporate") for at in range(64)}
    for name, wallet in wallets.items():
        posting.open_wallet(name, wallet)
        posting.post(Order(POSTED, VAULT, name, 1_000_000))
    posting.write()
    kept(executor, view)
    return scene


def _mandated(scene: Scene) -> Any:
    executor = scene.chain.executor
    items = [payment(f"bank-a/k{at}", "bank-a/w1") for at in range(64)]
    until_ms, mandates = executor.time_ms + DAY_MS, {}
    for item in items:
        covered = {"linked": False, "items": [item]}
        message = mandate_preimage(executor.chain_id, item["from"], 1, until_ms, "currency.pay_batch", covered)
        signature = _CUSTOMER.sign(message).hex()
        mandates[item["from"]] = {"nonce": 1, "until_ms": until_ms, "signature": signature}
    args = {"items": items, "linked": False, "mandates": mandates}
    return scene.chain.signed("bank-a", "currency.pay_batch", args)
