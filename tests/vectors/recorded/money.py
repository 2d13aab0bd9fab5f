"""The scenario's part about money: supply, wallets, payments, pending transfers, keys, freezes, ballots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.currency.ledger import mandate_preimage
from coseal.contracts.currency.pending import MAX_PENDING_MS
from coseal.contracts.currency.supply import INSTRUCTION_EXAMPLE, RESERVES_TYPE
from coseal.contracts.currency.wallets import LOST_KEY_MS
from coseal.contracts.process.chain import item_hash
from coseal.ledger.render import time_text
from tests.support.keys import signer
from tests.vectors.recorded.governed import Proposals
from tests.vectors.recorded.scenario import DAY_MS, Scenario

ISSUER: Final = "central-bank/issuer"
USCC: Final = "uscc:91110000600037341L"
VAULT: Final = "bank-a/vault"
EA: Final = "bank-a/ea"
KEYED: Final = "bank-a/keyed"
_CUSTOMER: Final = "customer"


def run(scenario: Scenario) -> None:
    """Run this part."""
    _founded(scenario)
    _issued(scenario)
    _opened(scenario)
    _paid(scenario)
    _reserved(scenario)
    _keyed(scenario)
    _frozen(scenario)
    _decided(scenario)
    _ended(scenario)


def _pay(debit: str, credit: str, amount: int, code: str = "SUPP", **more: Any) -> dict[str, Any]:
    return {"from": debit, "to": credit, "amount": amount, "code": code, **more}


def _mandate(
    scenario: Scenario, wallet: str, nonce: int, action: str, args: Mapping[str, Any], key: str = _CUSTOMER
) -> Any:
    until_ms = scenario.now_ms + DAY_MS
    message = mandate_preimage(scenario.chain.chain_id, wallet, nonce, until_ms, f"currency.{action}", dict(args))
    return {"nonce": nonce, "until_ms": until_ms, "signature": signer(key).sign(message).hex()}


def _founded(scenario: Scenario) -> None:
    key = signer(ISSUER).public_key.hex()
    rights = ["submit", "treasury"]
    scenario.ok("central-bank", "membership.add_operator", user="issuer", key=key, capabilities=rights)
    scenario.ok("central-bank", "process.define_type", **RESERVES_TYPE)
    scenario.no("forbidden", "bank-a", "currency.admit_institution", member="bank-a")
    scenario.no("not_a_bank", "central-bank", "currency.admit_institution", member="city")
    scenario.no("not_an_institution", "bank-a", "currency.redeem", amount=1)
    scenario.ok("central-bank", "currency.admit_institution", member="bank-a")
    scenario.no("exists", "central-bank", "currency.admit_institution", member="bank-a")
    scenario.ok("bank-a", "process.register_source", id="reserves", process_type="reserves", mode="live")
    scenario.no("virtual_currency", "city", "currency.define_unit", name="Coin", supply=1)
    coin = {"id": "c", "version": 1, "title": "C", "object_types": {"Stable-Coin": {}}, "event_types": {}}
    scenario.no("virtual_currency", "city", "process.define_type", **coin)
    scenario.no("reserved", "city", "process.define_type", **{**coin, "id": "currency", "object_types": {}})


def _issued(scenario: Scenario) -> None:
    for number, changes in enumerate(({}, {"amount": "1.5"}, {"instruction": "I1"}), 1):
        said = {**INSTRUCTION_EXAMPLE["attributes"], "instruction": f"I{number}", **changes}
        item = {**INSTRUCTION_EXAMPLE, "event": f"i{number}", "time": time_text(scenario.now_ms), "attributes": said}
        scenario.ok("bank-a", "process.record", source="reserves", sequence=number, items=[item])
        args = {"source": "bank-a/reserves", "sequence": number, "item": item}
        if number == 1:
            scenario.no("not_attested", ISSUER, "currency.issue", **args)
        hashed = item_hash("bank-a/reserves", number, item).hex()
        scenario.ok("central-bank", "process.attest", item=hashed, verdict="confirm")
        if number == 1:
            scenario.no("same_person", "central-bank", "currency.issue", **args)
            scenario.ok(ISSUER, "currency.issue", **args)
        else:
            scenario.no("bad_instruction" if number == 2 else "already_used", ISSUER, "currency.issue", **args)


def _opened(scenario: Scenario) -> None:
    opened = {"id": "w", "class": "corporate", "holder": USCC}
    scenario.no("not_an_institution", "city", "currency.open_wallet", **opened)
    scenario.no("natural_person", "bank-a", "currency.open_wallet", **{**opened, "holder": "uscc:11010519491231002X"})
    scenario.no("bad_identifier", "bank-a", "currency.open_wallet", **{**opened, "holder": "lei:5493001KJTIIGC8Y1R13"})
    scenario.no("unknown_class", "bank-a", "currency.open_wallet", **{**opened, "class": "none"})
    scenario.no("class_not_for_holder", "bank-a", "currency.open_wallet", **{**opened, "class": "institution"})
    scenario.ok("bank-a", "currency.open_wallet", **{**opened, "id": "ea", "holder": "member:enterprise-a"})
    scenario.no("exists", "bank-a", "currency.open_wallet", **{**opened, "id": "ea"})
    key = signer(_CUSTOMER).public_key.hex()
    scenario.ok("bank-a", "currency.open_wallet", **{**opened, "id": "keyed"}, key=key)
    scenario.ok("bank-a", "currency.open_wallet", **{**opened, "id": "lei", "holder": "lei:5493001KJTIIGC8Y1R12"})
    hidden = {"id": "hidden", "class": "corporate", "holder_commitment": "ab" * 32}
    scenario.ok("bank-a", "currency.open_wallet", **hidden)


def _paid(scenario: Scenario) -> None:
    scenario.no("not_yours", "city", "currency.pay", **_pay(VAULT, EA, 1))
    scenario.no("unknown_wallet", "bank-a", "currency.pay", **_pay(VAULT, "bank-a/none", 1))
    scenario.no("same_wallet", "bank-a", "currency.pay", **_pay(VAULT, VAULT, 1))
    scenario.no("insufficient", "bank-a", "currency.pay", **_pay(VAULT, EA, 10**15))
    scenario.no("interest_forbidden", "bank-a", "currency.pay", **_pay(VAULT, EA, 1, "INTE"))
    about = {"about": ["fines", "case", "A1"], "reference": "May", "end_to_end": "E-1"}
    scenario.ok("bank-a", "currency.pay", **_pay(VAULT, EA, 50_000, "CASH", **about))
    scenario.ok("bank-a", "currency.pay", **_pay(VAULT, KEYED, 20_000, "CASH"))
    items = [_pay(EA, KEYED, 100), _pay(EA, "bank-a/none", 1), _pay(EA, "bank-a/lei", 200)]
    data = scenario.ok("enterprise-a", "currency.pay_batch", items=items, linked=False)
    if data["refused"] != [[1, "unknown_wallet"]]:
        raise RuntimeError(f"a batch refused {data['refused']}")
    scenario.no("unknown_wallet", "enterprise-a", "currency.pay_batch", items=items, linked=True)
    limits = {"single_max": 1_000, "day_max": None, "year_max": None, "balance_max": None}
    scenario.ok("bank-a", "currency.reclass_wallet", wallet="bank-a/lei", limits={**limits, "balance_max": 300})
    scenario.no("receiver_over_limit", "enterprise-a", "currency.pay", **_pay(EA, "bank-a/lei", 101))
    scenario.ok("enterprise-a", "currency.reclass_wallet", wallet=EA, limits=limits)
    scenario.no("over_limit", "enterprise-a", "currency.pay", **_pay(EA, KEYED, 1_001))


def _reserved(scenario: Scenario) -> None:
    pend = _pay(EA, KEYED, 500, expires_ms=scenario.now_ms + DAY_MS, release={})
    scenario.no("bad_time", "enterprise-a", "currency.pend", **{**pend, "expires_ms": MAX_PENDING_MS})
    unknown = {**pend, "release": {"arbiter": "nobody"}}
    scenario.no("unknown_member", "enterprise-a", "currency.pend", **unknown)
    escrow = {**pend, "release": {"arbiter": "regulator", "object": ["fines", "case", "A1"], "unheld": True}}
    names = [
        scenario.ok("enterprise-a", "currency.pend", **each)["pending"]
        for each in (escrow, pend, {**pend, "release": {"after_ms": scenario.now_ms + 2 * DAY_MS}}, pend, pend)
    ]
    scenario.no("not_yours", "enterprise-a", "currency.post_pending", pending=names[0])
    scenario.no("unknown_pending", "regulator", "currency.post_pending", pending="P99")
    scenario.no("insufficient", "regulator", "currency.post_pending", pending=names[0], amount=501)
    scenario.ok("regulator", "currency.post_pending", pending=names[0], amount=300)
    scenario.no("not_yours", "enterprise-a", "currency.post_pending", pending=names[1], amount=1)
    scenario.ok("enterprise-a", "currency.post_pending", pending=names[1])
    scenario.no("not_released", "enterprise-a", "currency.post_pending", pending=names[2])
    args = {"pendings": [names[3]]}
    mandates = {KEYED: _mandate(scenario, KEYED, 1, "void_pending", args)}
    scenario.ok("city", "currency.void_pending", **args, mandates=mandates)
    scenario.wait(DAY_MS)
    scenario.no("expired", "enterprise-a", "currency.post_pending", pending=names[4])
    redemption = scenario.ok("bank-a", "currency.redeem", amount=1_000)["redemption"]
    scenario.no("forbidden", "bank-a", "currency.settle_redeem", redemption=redemption)
    scenario.ok("central-bank", "currency.settle_redeem", redemption=redemption)
    refused = scenario.ok("bank-a", "currency.redeem", amount=1_000)["redemption"]
    scenario.ok("central-bank", "currency.void_redeem", redemption=refused)
    scenario.no("unknown_pending", "central-bank", "currency.void_redeem", redemption=refused)


def _keyed(scenario: Scenario) -> None:
    pay = _pay(KEYED, EA, 50)
    scenario.no("not_yours", "bank-a", "currency.pay", **pay)
    stale = _mandate(scenario, KEYED, 1, "pay", pay)
    scenario.no("bad_mandate", "city", "currency.pay", **pay, mandate=stale)
    scenario.ok("city", "currency.pay", **pay, mandate=_mandate(scenario, KEYED, 2, "pay", pay))
    other = {"wallet": KEYED, "key": signer("other").public_key.hex()}
    scenario.ok("city", "currency.rekey_wallet", **other, mandate=_mandate(scenario, KEYED, 3, "rekey_wallet", other))
    lost = {"wallet": KEYED, "key": signer("third").public_key.hex()}
    scenario.ok("bank-a", "currency.rekey_wallet", **lost)
    scenario.no("change_pending", "bank-a", "currency.rekey_wallet", **lost)
    keep = {"wallet": KEYED}
    scenario.ok("city", "currency.keep_key", **keep, mandate=_mandate(scenario, KEYED, 4, "keep_key", keep, "other"))
    scenario.no("objected", "bank-a", "currency.rekey_wallet", **lost)
    mandate = _mandate(scenario, KEYED, 5, "keep_key", keep, "other")
    scenario.no("no_change", "city", "currency.keep_key", **keep, mandate=mandate)
    scenario.wait(30 * DAY_MS)
    scenario.ok("bank-a", "currency.rekey_wallet", **lost)
    scenario.wait(LOST_KEY_MS)


def _frozen(scenario: Scenario) -> None:
    case = {"wallet": EA, "severity": "warning", "reason": "No contract", "legal_basis": ["external: court order 17"]}
    scenario.no("unknown_wallet", "regulator", "currency.open_case", **{**case, "wallet": "bank-a/none"})
    finding = scenario.ok("regulator", "currency.open_case", **case)["id"]
    scenario.ok("regulator", "supervision.hold", finding=finding, reason="A risk", hold_ms=DAY_MS)
    scenario.no("frozen", "enterprise-a", "currency.pay", **_pay(EA, KEYED, 1))
    scenario.ok("regulator", "supervision.lift_hold", finding=finding, reason="It is settled")


def _decided(scenario: Scenario) -> None:
    limits = {"single_max": 100, "day_max": 200, "year_max": 300, "balance_max": 400}
    small = {"id": "small", "limits": limits, "holders": ["lei"]}
    Proposals(scenario, "currency_class").every_end(small)
    scenario.ok("bank-a", "currency.reclass_wallet", **{"wallet": "bank-a/lei", "class": "small"})
    Proposals(scenario, "currency_regime").every_end({"regime": "deposit"})
    scenario.ok("bank-a", "currency.pay", **_pay(VAULT, EA, 1, "INTE"))
    scenario.ok("bank-a", "currency.open_wallet", **{"id": "pub", "class": "corporate", "holder": "member:public-a"})
    scenario.ok("bank-a", "currency.pay", **_pay(VAULT, "bank-a/pub", 200, "CASH"))
    wrong = {"from": "bank-a/pub", "to": VAULT, "amount": 150, "member": "public-a", "basis": ["external: an error"]}
    corrections = Proposals(scenario, "currency_correction")
    corrections.no("unknown_wallet", {**wrong, "from": "bank-a/none"})
    corrections.no("not_yours", {**wrong, "member": "city"})
    corrections.every_end(wrong)
    scenario.wait(1)


def _ended(scenario: Scenario) -> None:
    scenario.no("not_empty", "bank-a", "currency.close_wallet", wallet=EA)
    scenario.no("in_use", "bank-a", "currency.close_wallet", wallet=VAULT)
    scenario.ok("bank-a", "currency.close_wallet", wallet="bank-a/hidden")
    scenario.no("closed_wallet", "bank-a", "currency.pay", **_pay(VAULT, "bank-a/hidden", 1))
    scenario.no("not_an_institution", "central-bank", "currency.dismiss_institution", member="bank-a", successor="city")
    scenario.ok("central-bank", "currency.admit_institution", member="bank-b")
    scenario.no("other_institution", "enterprise-a", "currency.pay", **_pay(EA, "bank-b/vault", 1))
    scenario.no("invalid_argument", "enterprise-a", "currency.pay", **_pay(EA, "bank-a/lei", 0))
    scenario.ok("central-bank", "currency.dismiss_institution", member="bank-b", successor="bank-a")
