"""Moves about money: supply, wallets, payments with and without mandates, pending transfers, keys, cases.

Law: as ``simulation.walk.walker``; after every block what all wallets have is what was issued and not redeemed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.currency.authority import KEY, is_admitted
from coseal.contracts.currency.ledger import LIMITS, VAULT, Balance, Wallet, mandate_preimage
from coseal.contracts.currency.post import Totals, issuance, wallet_of
from coseal.contracts.currency.state import institution_key, pending_key, rekey_key, used_key
from coseal.contracts.currency.supply import INSTRUCTION_EXAMPLE, RESERVES_TYPE
from coseal.contracts.kernel.action import Reader
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.process.chain import item_hash
from coseal.contracts.process.state import attestation_key, source_key, type_key
from coseal.ledger.render import time_text
from simulation.invariants import Violation
from simulation.walk.walker import Make, Move, Walker

BANK: Final = "bank-a"
SOURCE: Final = f"{BANK}/reserves"
HOLDERS: Final[Mapping[str, dict[str, str]]] = {
    "one": {"holder": "member:enterprise-a"},
    "two": {"holder": "member:public-a"},
    "own": {"holder": "member:bank-a"},
    "keyed": {"holder": "uscc:91110000600037341L"},
    "hosted": {"holder": "lei:5493001KJTIIGC8Y1R12"},
    "hidden": {"holder_commitment": "ab" * 32},
}
"""The wallets of a walk, by their ids."""
KEYED: Final = frozenset(("keyed", "hidden"))
NAMES: Final = tuple(f"{BANK}/{name}" for name in (VAULT, *HOLDERS))
REFUSED: Final[Mapping[str, str]] = {"currency.define_unit": "virtual_currency"}
"""Actions that nobody may ever have accepted, and how they are refused."""


def _supply(walk: Walker) -> Move | None:
    """Take the next step towards money: the type, the institution, its source, an instruction, its issue."""
    central, bank = walk.operator("central-bank", "treasury"), walk.operator(BANK)
    if central is None or bank is None:
        return None
    if walk.get(type_key(RESERVES_TYPE["id"])) is None:
        return Move(central, "process.define_type", dict(RESERVES_TYPE))
    if not is_admitted(walk.sight.reader, BANK):
        return Move(central, "currency.admit_institution", {"member": BANK})
    record = walk.get(source_key(SOURCE))
    if record is None:
        return Move(bank, "process.register_source", {"id": "reserves", "process_type": "reserves", "mode": "live"})
    seen = [one for one in walk.memory.recorded if one.source == SOURCE]
    if seen and (issued := _issue(walk, seen[-1].sequence, seen[-1].item)) is not None:
        return issued
    number, said = walk.memory.next(), INSTRUCTION_EXAMPLE["attributes"]
    item = {**INSTRUCTION_EXAMPLE, "event": f"i{number}", "time": time_text(walk.sight.time_ms)}
    item["attributes"] = {**said, "instruction": f"I{number}"}
    return Move(bank, "process.record", {"source": "reserves", "sequence": record["sequence"] + 1, "items": [item]})


def _institution(walk: Walker) -> Move | None:
    """Admit another bank; dismiss one of two, mostly the other, in favour of the one that stays."""
    central = walk.operator("central-bank", "treasury")
    others = [name for name in walk.members("bank") if name not in (BANK, "central-bank")]
    if central is None or not others:
        return None
    other = walk.pick(others)
    if not is_admitted(walk.sight.reader, other):
        return Move(central, "currency.admit_institution", {"member": other})
    dismissed, successor = (BANK, other) if walk.chance(4) else (other, BANK)
    return Move(central, "currency.dismiss_institution", {"member": dismissed, "successor": successor})


def _issue(walk: Walker, sequence: int, item: dict[str, Any]) -> Move | None:
    """Have the last instruction confirmed, or issue on it; None if that was done."""
    hashed = item_hash(SOURCE, sequence, item)
    said = walk.get(attestation_key(hashed))
    if said is None or walk.get(used_key(BANK, item["attributes"]["instruction"])) is not None:
        return None
    if said["status"] != "confirmed":
        sender = walk.operator("central-bank")
        confirmed = {"item": hashed.hex(), "verdict": "confirm"}
        return None if sender is None else Move(sender, "process.attest", confirmed)
    issuer = walk.operator("central-bank", "treasury", but=said["by"])
    args = {"source": SOURCE, "sequence": sequence, "item": item}
    return None if issuer is None else Move(issuer, "currency.issue", args)


def _wallet(walk: Walker) -> tuple[str, Wallet] | None:
    name = walk.pick(NAMES)
    wallet = wallet_of(walk.sight.reader, name)
    return None if wallet is None else (name, wallet)


def _open(walk: Walker) -> Move | None:
    sender = walk.operator(BANK, "pay")
    free = [name for name in HOLDERS if wallet_of(walk.sight.reader, f"{BANK}/{name}") is None]
    if sender is None or not free or walk.get(institution_key(BANK)) is None:
        return None
    name = walk.pick(free)
    key = {"key": walk.keys.make().public_key.hex()} if name in KEYED else {}
    return Move(sender, "currency.open_wallet", {"id": name, "class": "corporate", **HOLDERS[name], **key})


def _disposes(walk: Walker, name: str, wallet: Wallet) -> str | None:
    """Return an operator that disposes of a wallet, or any that may carry what its key signs."""
    if wallet.authority == KEY:
        return walk.operator(walk.member())
    scheme, _, code = wallet.holder.partition(":")
    return walk.operator(code if scheme == "member" else BANK, "pay")


def _mandate(walk: Walker, name: str, wallet: Wallet, action: str, args: dict[str, Any]) -> Any:
    """Return the mandate of a keyed wallet for these arguments, None if its key is nobody's."""
    signer = walk.keys.of(bytes.fromhex(wallet.key))
    if signer is None:
        return None
    nonce, until_ms = wallet.nonce + (1 if walk.rng.randrange(20) else 2), walk.sight.time_ms + DAY_MS
    message = mandate_preimage(walk.genesis.chain_id, name, nonce, until_ms, f"currency.{action}", args)
    return {"nonce": nonce, "until_ms": until_ms, "signature": signer.sign(message).hex()}


def _payment(walk: Walker, name: str, wallet: Wallet) -> dict[str, Any]:
    available = wallet.balance.available
    amount = max(1, available if walk.chance(8) else available // walk.rng.randint(2, 50) + walk.rng.randrange(2))
    code = walk.pick(("SUPP", "TRAD", "CASH", "INTE"))
    return {"from": name, "to": walk.pick(NAMES), "amount": min(amount, 10**15), "code": code}


def _pay(walk: Walker) -> Move | None:
    found = _wallet(walk)
    sender = None if found is None else _disposes(walk, *found)
    if found is None or sender is None:
        return None
    name, wallet = found
    args = _payment(walk, name, wallet)
    action = "pay"
    if walk.chance(3):
        items = [_payment(walk, name, wallet) for _ in range(walk.rng.randint(1, 4))]
        action, args = "pay_batch", {"items": items, "linked": walk.chance(2)}
    elif walk.chance(3):
        release = walk.pick(({}, {"payer": True}, {"arbiter": walk.member()}, {"after_ms": walk.sight.time_ms + 5_000}))
        args |= {
            "expires_ms": walk.sight.time_ms + walk.pick((2_000, DAY_MS, 30 * DAY_MS, 300 * DAY_MS)),
            "release": release,
        }
        action = "pend"
    if wallet.authority == KEY:
        mandate = _mandate(walk, name, wallet, action, args)
        args = {**args, **({"mandates": {name: mandate}} if action == "pay_batch" else {"mandate": mandate})}
    return Move(sender, f"currency.{action}", args)


def _pending(walk: Walker) -> Move | None:
    """End one of the last pending transfers, or a redemption."""
    last = Totals.read(walk.sight.reader).pendings
    if not last:
        return None
    numbers = range(max(1, last - 8), last + 1)
    alive = [number for number in numbers if walk.get(pending_key(number))["expires_ms"] > walk.sight.time_ms]
    number = walk.pick(alive if alive and not walk.chance(4) else numbers)
    record = walk.get(pending_key(number))
    if record["credit"] == "issuance":
        sender = walk.operator("central-bank", "treasury")
        action = walk.pick(("settle_redeem", "void_redeem"))
        return None if sender is None else Move(sender, f"currency.{action}", {"redemption": f"P{number}"})
    voids, arbiter = walk.chance(2), record["release"].get("arbiter")
    side = "debit" if record["release"].get("payer") and not voids else "credit"
    party = wallet_of(walk.sight.reader, record[side])
    if arbiter:
        sender = walk.operator(arbiter, "pay")
    else:
        sender = None if party is None else _disposes(walk, record[side], party)
    if sender is None:
        return None
    if voids:
        return Move(sender, "currency.void_pending", {"pendings": [f"P{number}"]})
    part = {"amount": max(1, record["amount"] // 2)} if walk.chance(2) else {}
    return Move(sender, "currency.post_pending", {"pending": f"P{number}", **part})


def _redeem(walk: Walker) -> Move | None:
    sender, vault = walk.operator(BANK, "treasury"), wallet_of(walk.sight.reader, f"{BANK}/{VAULT}")
    if sender is None or vault is None:
        return None
    return Move(sender, "currency.redeem", {"amount": max(1, min(vault.balance.available // 5, 10**15))})


def _keep(walk: Walker) -> Move | None:
    """Change a wallet: its key, its limits, whether it is open; or object to a change of its key."""
    found = _wallet(walk)
    if found is None:
        return None
    name, wallet = found
    sender, bank = _disposes(walk, name, wallet), walk.operator(BANK, "pay")
    if sender is None or bank is None:
        return None
    if wallet.authority == KEY and walk.get(rekey_key(name)) is not None and not walk.chance(4):
        mandate = _mandate(walk, name, wallet, "keep_key", {"wallet": name})
        return Move(sender, "currency.keep_key", {"wallet": name, "mandate": mandate})
    if wallet.authority == KEY:
        args = {"wallet": name, "key": walk.keys.make().public_key.hex()}
        mandate = {} if walk.chance(2) else {"mandate": _mandate(walk, name, wallet, "rekey_wallet", args)}
        return Move(sender if mandate else bank, "currency.rekey_wallet", {**args, **mandate})
    if walk.chance(6):
        return Move(bank, "currency.close_wallet", {"wallet": name})
    limits = {limit: walk.pick((None, None, 10**6, 10**13)) for limit in LIMITS}
    return Move(sender, "currency.reclass_wallet", {"wallet": name, "limits": limits})


def _case(walk: Walker) -> Move | None:
    found, sender = _wallet(walk), walk.operator(walk.member("government"), "supervise")
    if found is None or sender is None or not walk.chance(2):
        return None
    why = {"severity": "warning", "reason": "No contract", "legal_basis": ["external: an order"]}
    return Move(sender, "currency.open_case", {"wallet": found[0], **why})


def _unit(walk: Walker) -> Move | None:
    sender = walk.operator(walk.member())
    return None if sender is None or not walk.chance(4) else Move(sender, "currency.define_unit", {"name": "Coin"})


KINDS: Final[dict[str, tuple[int, Make]]] = {
    "supply": (4, _supply),
    "institution": (1, _institution),
    "open a wallet": (2, _open),
    "pay": (8, _pay),
    "end a pending transfer": (4, _pending),
    "redeem": (1, _redeem),
    "change a wallet": (2, _keep),
    "case about a wallet": (1, _case),
    "second unit": (1, _unit),
}


# Ballots


def money_class(walk: Walker, member: str) -> dict[str, Any] | None:
    """Return what a ballot on a class says."""
    limits = {limit: walk.pick((None, 10**6, 10**12)) for limit in LIMITS}
    return {"id": walk.pick(("corporate", "small")), "limits": limits, "holders": ["member", "uscc", "lei"]}


def money_regime(walk: Walker, member: str) -> dict[str, Any] | None:
    """Return what a ballot on the regime says."""
    return {"regime": walk.pick(("cash", "deposit"))}


def money_correction(walk: Walker, member: str) -> dict[str, Any] | None:
    """Return what a ballot on a correction says."""
    found = _wallet(walk)
    if found is None or not found[1].balance.available:
        return None
    scheme, _, code = found[1].holder.partition(":")
    concerned = code if scheme == "member" else BANK
    args = {"from": found[0], "to": walk.pick(NAMES), "amount": 1, "member": concerned, "basis": ["external: an error"]}
    return args if args["to"] != args["from"] else None


# The law


def conserved(reader: Reader) -> None:
    """Raise ``Violation`` unless the wallets themselves sum up to what was issued and not redeemed."""
    sums = Balance()
    for name in NAMES:
        wallet = wallet_of(reader, name)
        if wallet is None:
            continue
        one = wallet.balance
        if one.available < 0 or one.credits_pending < 0:
            raise Violation(f"{name} has {one}")
        sums.debits_posted += one.debits_posted
        sums.credits_posted += one.credits_posted
        sums.debits_pending += one.debits_pending
        sums.credits_pending += one.credits_pending
    issued, totals = issuance(reader), Totals.read(reader).balance
    if sums.texts() != totals.texts():
        raise Violation(f"the wallets sum up to {sums.texts()}, the state says {totals.texts()}")
    if sums.posted != -issued.posted or sums.debits_pending != sums.credits_pending + issued.credits_pending:
        raise Violation(f"the wallets have {sums.texts()}, issued were {issued.texts()}")
