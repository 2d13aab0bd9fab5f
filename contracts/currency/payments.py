"""Payments: one, or a batch whose items stand alone or all together.

Law: a payment is one movement; a vault deals with its own customers and with other vaults alone.

contracts/currency/README.md, section Actions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.currency import fields
from coseal.contracts.currency.authority import may_debit
from coseal.contracts.currency.ledger import POSTED, VAULT
from coseal.contracts.currency.post import MOVEMENT_STEPS, Order, Posting, origin_of
from coseal.contracts.currency.state import REGIME_KEY
from coseal.contracts.kernel.action import FORMER, Action, Args, Arguments, Context, Reader, Rejected, Result, View
from coseal.contracts.kernel.fields import Boolean, Many, Record

MAX_ITEMS: Final = 1_000
REGIMES: Final = ("cash", "deposit")


def order_of(kind: str, item: Mapping[str, Any], **more: Any) -> Order:
    """Return the movement that a payment asks for."""
    return Order(
        kind,
        item["from"],
        item["to"],
        item["amount"],
        code=item["code"],
        reference=item.get("reference", ""),
        end_to_end=item.get("end_to_end", ""),
        about=item.get("about", ()),
        **more,
    )


def between(reader: Reader, item: Mapping[str, Any]) -> Rejected | None:
    """Refuse what the two layers, or the regime, do not allow between these wallets."""
    payer, _, from_id = item["from"].partition("/")
    payee, _, to_id = item["to"].partition("/")
    if payer != payee and (from_id == VAULT) != (to_id == VAULT):  # C7
        vault = item["from"] if from_id == VAULT else item["to"]
        return Rejected("other_institution", f"{vault} deals with its own customers and with other vaults")
    if item["code"] == "INTE" and from_id == VAULT and (reader.get(REGIME_KEY) or REGIMES[0]) == REGIMES[0]:  # C9
        return Rejected("interest_forbidden", "wallets are like cash, so no institution pays interest on them")
    return None


def _pay(view: View, context: Context, args: Args) -> Result | Rejected:
    posting = Posting(view, origin_of(context))
    refused = debited(posting, context, "pay", args, args["from"], args.get("mandate"))
    order = order_of(POSTED, args)
    refused = refused or posting.refusal(order) or between(view, args)
    if refused is not None:
        return refused
    posting.post(order)
    return posting.write()


def debited(posting: Posting, context: Context, action: str, covered: Args, name: str, mandate: Any) -> Rejected | None:
    """Refuse who may not debit the wallet of this name."""
    wallet = posting.usable(name)
    if isinstance(wallet, Rejected):
        return wallet
    return may_debit(posting, context, name, wallet, action, covered, mandate)


def _pay_batch(view: View, context: Context, args: Args) -> Result | Rejected:
    items, mandates = args["items"], args.get("mandates", {})
    posting = Posting(view, origin_of(context), len(items))
    view.note(f"items: {len(items)}, steps of each: {MOVEMENT_STEPS} and its keys")
    by_payer: dict[str, list[Any]] = {}
    for item in items:
        by_payer.setdefault(item["from"], []).append(item)
    unused = next((name for name in mandates if name not in by_payer), None)
    if unused is not None:
        return Rejected("bad_mandate", f"args.mandates.{unused}: no item debits this wallet")
    payers: dict[str, Rejected | None] = {}
    for name, own in by_payer.items():
        covered = {"linked": args["linked"], "items": own}
        payers[name] = debited(posting, context, "pay_batch", covered, name, mandates.get(name))
    refusals: list[list[Any]] = []
    for index, item in enumerate(items):
        order = order_of(POSTED, item)
        refused = payers[item["from"]] or posting.refusal(order) or between(view, item)
        if refused is None:
            posting.post(order)
        elif args["linked"]:  # C11
            return Rejected(refused.code, f"args.items[{index}]: {refused.detail}")
        else:
            refusals.append([index, refused.code])
    return {**posting.write(), "refused": refusals}


ACTIONS: Final[dict[str, Action]] = {
    "pay": Action(
        arguments=Arguments(fields.PAYMENT, {**fields.DETAILS, "mandate": fields.mandate}),
        apply=_pay,
        title="Pay from a wallet to another",
        example=fields.EXAMPLE,
        capability="",
        standing=FORMER,
    ),
    "pay_batch": Action(
        arguments=Arguments(
            {"items": Many(Record(fields.PAYMENT, fields.DETAILS), low=1, high=MAX_ITEMS), "linked": Boolean()},
            {"mandates": fields.mandates},
        ),
        apply=_pay_batch,
        title="Make many payments, each for itself or all together",
        example={"items": [fields.EXAMPLE], "linked": True},
        capability="",
        standing=FORMER,
    ),
}
