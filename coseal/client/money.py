"""Money from a member's side: paying, what a wallet has, what was issued; and mandates, which a customer's key signs.

Law: an amount is given as ``Decimal``, as text, or in fen as ``int``, never as a float; what is read is proven against
the certified state. One class for both clients: its methods return what a blocking client does, or an awaitable of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Generic, TypeVar

from coseal.client.corrections import submitted
from coseal.client.exchange import Exchange
from coseal.client.session import COMMIT_TIMEOUT_S, Session
from coseal.contracts.currency.ledger import LIMITS, MAX_AMOUNT, Wallet, mandate_preimage
from coseal.contracts.currency.post import OBJECT_TYPE, PROCESS_TYPE, Totals, class_of, issuance
from coseal.contracts.currency.state import ISSUANCE_KEY, NAME, TOTALS_KEY, class_key, rekey_key, wallet_key
from coseal.contracts.supervision.state import hold_key
from coseal.errors import BadAnswer, CosealError
from coseal.ledger import codec
from coseal.ledger.signing import Signer

Acted = TypeVar("Acted")
One = TypeVar("One")
Amount = TypeVar("Amount")
MANDATE_MS: Final = 24 * 3_600_000
"""How long a mandate lasts unless it is said."""


def fen(amount: Decimal | str | int) -> int:
    """Return an amount in fen: an ``int`` counts fen, text and ``Decimal`` are yuan. Raises ``CosealError``.

    >>> fen("12.50"), fen(Decimal("12.5")), fen(1250)
    (1250, 1250, 1250)
    """
    if type(amount) is int:
        found = amount
    elif isinstance(amount, (str, Decimal)):
        found = _fen(amount)
    else:
        raise CosealError(f"{amount!r} is no amount", "give yuan as text or Decimal, or fen as int")
    if not 0 < found <= MAX_AMOUNT:
        raise CosealError(f"{amount} is no amount from 0.01 to {MAX_AMOUNT // 100}.00 yuan")
    return found


def _fen(amount: str | Decimal) -> int:
    try:
        exact = Decimal(amount) * 100
        whole = int(exact)
    except (ArithmeticError, ValueError):
        raise CosealError(f"{amount!r} is no amount in yuan, such as 12.50") from None
    if whole != exact:
        raise CosealError(f"{amount} has more than two decimals")
    return whole


def mandate(
    signer: Signer, chain_id: bytes, wallet: str, nonce: int, until_ms: int, action: str, args: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what the key of a wallet signs to have any member carry ``action``; ``args`` are all but the mandate.

    In a batch these are ``linked`` and the ``items`` that debit the wallet.
    """
    message = mandate_preimage(chain_id, wallet, nonce, until_ms, f"{NAME}.{action}", dict(args))
    return {"nonce": nonce, "until_ms": until_ms, "signature": signer.sign(message).hex()}


class Money(Generic[Acted, One, Amount]):
    """``client.money``. Writing returns a ``Committed``, whose refusal is in its receipt (``require_ok``)."""

    def __init__(self, session: Session, run: Callable[[Exchange[Any]], Any]) -> None:
        self._session, self._run = session, run

    # Writing

    def pay(
        self,
        debit: str,
        credit: str,
        amount: Decimal | str | int,
        *,
        code: str = "OTHR",
        reference: str = "",
        end_to_end: str = "",
        about: Sequence[str] = (),
        mandate: Mapping[str, Any] | None = None,
    ) -> Acted:
        """Pay from a wallet to another; ``about`` is a process type, an object type and an object."""
        args = payment(debit, credit, amount, code=code, reference=reference, end_to_end=end_to_end, about=about)
        return self._submit("pay", args if mandate is None else {**args, "mandate": dict(mandate)})

    def pay_batch(
        self,
        items: Sequence[Mapping[str, Any]],
        *,
        linked: bool = False,
        mandates: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Acted:
        """Make up to 1,000 payments (``payment``), each for itself, or ``linked``: all or none."""
        args: dict[str, Any] = {"items": [dict(item) for item in items], "linked": linked}
        return self._submit("pay_batch", args | ({"mandates": dict(mandates)} if mandates else {}))

    def mandate(
        self, signer: Signer, wallet: str, action: str, args: Mapping[str, Any], *, lasting_ms: int = MANDATE_MS
    ) -> One:
        """Return the next mandate of a wallet for an action, signed by its key; see ``coseal.client.money.mandate``."""
        found: One = self._run(_mandated(self._session, signer, wallet, action, args, lasting_ms))
        return found

    def _submit(self, action: str, args: Mapping[str, Any]) -> Acted:
        acted: Acted = self._run(submitted(self._session, NAME, action, args, COMMIT_TIMEOUT_S))
        return acted

    # Reading, proven

    def wallet(self, name: str) -> One:
        """Return a wallet: whose it is, what it has (fen), its limits, its freeze and change of key if there is one."""
        found: One = self._run(wallet_of(self._session, name))
        return found

    def balance(self, name: str) -> Amount:
        """Return what a wallet has, in yuan, without what is pending."""
        found: Amount = self._run(_balance(self._session, name))
        return found

    def totals(self) -> One:
        """Return what was issued and redeemed and where it is, in fen, all of one block."""
        found: One = self._run(_totals(self._session))
        return found


def payment(
    debit: str,
    credit: str,
    amount: Decimal | str | int,
    *,
    code: str = "OTHR",
    reference: str = "",
    end_to_end: str = "",
    about: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the arguments of a payment, as ``pay`` sends it and ``pay_batch`` takes it."""
    more = {"reference": reference, "end_to_end": end_to_end, "about": list(about)}
    given = {name: value for name, value in more.items() if value}
    return {"from": debit, "to": credit, "amount": fen(amount), "code": code, **given}


def _values(session: Session, *keys: str) -> Exchange[tuple[dict[str, Any], int]]:
    """Return proven values by key, all of one block, and its height."""
    found = yield from session.values(list(keys))
    decoded = {one.key.decode(): None if one.value is None else codec.decode(one.value) for one in found}
    return decoded, found[0].header.height


class _Reader:
    """Proven values, as the contracts read them."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def get(self, key: str) -> Any:
        return self._values.get(key)


def wallet_of(session: Session, name: str) -> Exchange[dict[str, Any]]:
    """See ``Money.wallet``."""
    key, frozen, rekey = wallet_key(name), hold_key(PROCESS_TYPE, OBJECT_TYPE, name), rekey_key(name)
    values, height = yield from _values(session, key, frozen, rekey)
    if values[key] is None:
        raise BadAnswer(f"there is no wallet {name} (block {height})")
    wallet, hold, change = Wallet.decoded(values[key]), values[frozen], values[rekey]
    ruled, _ = yield from _values(session, class_key(wallet.class_id))
    balance, limits = wallet.balance, class_of(_Reader(ruled), wallet.class_id)["limits"]
    found: dict[str, Any] = {
        "wallet": name,
        "height": height,
        "holder": wallet.holder,
        "authority": wallet.authority,
        "key": wallet.key,
        "nonce": wallet.nonce,
        "class": wallet.class_id,
        "status": wallet.status,
        "balance": balance.posted,
        "available": balance.available,
        "reserved": balance.debits_pending,
        "incoming": balance.credits_pending,
        "debits": balance.debits_posted,
        "credits": balance.credits_posted,
        "movements": balance.count,
        "limits": {name: list(pair) for name, *pair in zip(LIMITS, limits, wallet.limits, strict=True)},
    }
    if hold is not None and hold["status"] == "held":
        found["frozen"] = {part: hold[part] for part in ("amount", "finding", "since_ms", "until_ms", "contested")}
    if change is not None:
        found["change_of_key"] = dict(zip(("key", "effective_ms", "objected_ms"), change, strict=True))
    return found


def _balance(session: Session, name: str) -> Exchange[Decimal]:
    found = yield from wallet_of(session, name)
    return Decimal(found["balance"]).scaleb(-2)


def _totals(session: Session) -> Exchange[dict[str, Any]]:
    values, height = yield from _values(session, ISSUANCE_KEY, TOTALS_KEY)
    issued, sums = issuance(_Reader(values)), Totals.read(_Reader(values))
    return {
        "height": height,
        "issued": issued.debits_posted,
        "redeemed": issued.credits_posted,
        "redeeming": issued.credits_pending,
        "circulating": sums.balance.posted,
        "reserved": sums.balance.debits_pending,
        "wallets": sums.wallets,
        "institutions": sums.institutions,
        "movements": sums.balance.count,
        "pendings": sums.pendings,
    }


def _mandated(
    session: Session, signer: Signer, wallet: str, action: str, args: Mapping[str, Any], lasting_ms: int
) -> Exchange[dict[str, Any]]:
    found = yield from wallet_of(session, wallet)
    if found["key"] != signer.public_key.hex():
        raise CosealError(f"the key of {wallet} is {found['key'] or 'none'}, not {signer.public_key.hex()}")
    until_ms = time.time_ns() // 1_000_000 + lasting_ms
    return mandate(signer, session.genesis.chain_id, wallet, found["nonce"] + 1, until_ms, action, args)
