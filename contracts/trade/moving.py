"""Receivables change hands: split into parts, and transferred to a creditor of their holder against matched debt.

Law: a receivable is no money: it moves only against what its holder owes the receiver by documents that match, through
at most ``MAX_HANDS`` hands; what is offered promises nothing of the state in which it is accepted.

contracts/trade/README.md, section Transfer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from coseal.contracts.currency.ledger import yuan
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import (
    FORMER,
    INVALID,
    Accepted,
    Action,
    Args,
    Arguments,
    Context,
    Reader,
    Rejected,
    View,
)
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.fields import Many
from coseal.contracts.kernel.wording import moment_text
from coseal.contracts.membership.standing import standing
from coseal.contracts.membership.state import member_key
from coseal.contracts.trade import fields, history, lines
from coseal.contracts.trade.books import RECEIVABLES, Books, encumbered, paid_wallet, stayed
from coseal.contracts.trade.ledger import MAX_DEPTH, MAX_HANDS, MIN_PART, SPLIT, Receivable
from coseal.contracts.trade.state import NAME, offer_key

MAX_PARTS: Final = 16
PART_STEPS: Final = 60
"""A part, beside its reads and writes."""
TRANSFER: Final = "transfer"


def _split(view: View, context: Context, args: Args) -> Accepted | Rejected:
    books, amounts = Books(view, context), args["amounts"]
    found = free_of_holder(books, context, args["receivable"])
    if isinstance(found, Rejected):
        return found
    number, receivable = found
    if sum(amounts) != receivable.outstanding:
        said = f"expected amounts of {yuan(receivable.outstanding)} in all, which are outstanding"
        return Rejected("not_whole", f"args.amounts: {said}")
    if min(amounts) < MIN_PART:
        return Rejected("too_small", f"args.amounts: a part is at least {yuan(MIN_PART)}")
    if receivable.depth >= MAX_DEPTH:
        return Rejected("too_many_hands", f"R{number} is a part of parts already, {MAX_DEPTH} deep")
    view.charge(PART_STEPS * len(amounts))
    for amount in amounts:  # D8
        part = books.new_number(RECEIVABLES)
        made = replace(receivable, amount=amount, outstanding=amount, parent=number, depth=receivable.depth + 1)
        books.put(part, None, replace(made, turn=0, run=0, height=context.height))
        deadlines.add(view, NAME, BLOCK_CLOCK, receivable.due_ms, ["due", part])
    books.put(number, receivable, replace(receivable, status=SPLIT, outstanding=0))
    return books.write(history.SPLIT, parts=len(amounts))


def free_of_holder(books: Books, context: Context, name: str) -> tuple[int, Receivable] | Rejected:
    """Return a receivable that is free, and that the sender holds and may dispose of."""
    found = books.found(name)
    if isinstance(found, Rejected):
        return found
    number, receivable = found
    if receivable.holder != context.member:
        return Rejected("not_yours", f"{receivable.holder} holds R{number}")
    wrong = stayed(books.view, context.member) or encumbered(books.view, number, receivable, context.time_ms)
    return wrong or found


# Transfer


def _offer(view: View, context: Context, args: Args) -> Accepted | Rejected:
    books, receiver = Books(view, context), args["to"]
    found = free_of_holder(books, context, args["receivable"])
    if isinstance(found, Rejected):
        return found
    number, receivable = found
    against = fields.lines_of(args["against"])
    wrong = (
        _receiver(view, receivable, receiver)
        or offered_before(view, number, receivable, receiver, context.time_ms)
        or offer_time(args["expires_ms"], context.time_ms)
        or _owed(view, receivable, receiver, against, "args.against")
        or _hands(number, receivable)
    )
    if wrong is not None:
        return wrong
    offer = {"kind": TRANSFER, "by": context.member, "turn": receivable.turn, "expires_ms": args["expires_ms"]}
    view.put(
        offer_key(number, receiver),
        {**offer, "recourse": args["recourse"], "against": [list(line) for line in against]},
    )
    books.about(number, receivable)
    said = {"offer": shown_offer(number, receiver, offer)}
    return books.write(history.TRANSFER_OFFERED, said, to=receiver, recourse=args["recourse"])


def _receiver(view: View, receivable: Receivable, receiver: str) -> Rejected | None:
    if receiver in (receivable.debtor, receivable.holder):
        return Rejected("same_party", f"args.to: {receiver} owes it, or holds it")
    if view.get(member_key(receiver)) is None:
        return Rejected("unknown_member", f"args.to: there is no member {receiver}")
    return None


def _owed(view: View, receivable: Receivable, receiver: str, against: list[lines.Line], path: str) -> Rejected | None:
    """Refuse lines that are not a matched debt of just this size of the holder to the receiver."""
    if sum(line.amount for line in against) != receivable.outstanding:  # D9
        owed = yuan(receivable.outstanding)
        return Rejected("no_debt_between", f"{path}: expected lines of {owed}, which are outstanding")
    wrong = lines.refusal(view, receivable.holder, receiver, against, path)
    if wrong is None or wrong.code == "other_currency":
        return wrong
    return Rejected("no_debt_between", f"{wrong.detail} ({wrong.code})")


def _hands(number: int, receivable: Receivable) -> Rejected | None:
    if len(receivable.hands) < MAX_HANDS:  # D10
        return None
    return Rejected("too_many_hands", f"R{number} went through {MAX_HANDS} hands")


def _accept(view: View, context: Context, args: Args) -> Accepted | Rejected:
    books = Books(view, context)
    found = books.found(args["receivable"])
    if isinstance(found, Rejected):
        return found
    number, receivable = found
    offer = open_offer(view, number, receivable, context.member, (TRANSFER,), context.time_ms)
    if isinstance(offer, Rejected):
        return offer
    against = [lines.Line(*line) for line in offer["against"]]
    wrong = (
        stayed(view, context.member)
        or stayed(view, receivable.holder)
        or encumbered(view, number, receivable, context.time_ms)
        or paid_wallet(view, args["wallet"], context.member)
        or _owed(view, receivable, context.member, against, f"R{number}")
        or _hands(number, receivable)
    )
    if wrong is not None:
        return wrong
    lines.take(view, receivable.holder, against)
    view.delete(offer_key(number, context.member))
    books.put(number, receivable, passed_on(receivable, context.member, args["wallet"], offer["recourse"], ""))
    return books.write(history.TRANSFERRED, amount=receivable.outstanding, recourse=offer["recourse"])


def passed_on(receivable: Receivable, holder: str, wallet: str, recourse: bool, financier: str) -> Receivable:
    """Return a receivable in another's hands."""
    hands = [*receivable.hands, [receivable.holder, recourse]]
    turned = replace(receivable, holder=holder, wallet=wallet, hands=hands)
    return replace(turned, financier=financier, turn=receivable.turn + 1)


def _withdraw(view: View, context: Context, args: Args) -> Accepted | Rejected:
    books = Books(view, context)
    found = books.found(args["receivable"])
    if isinstance(found, Rejected):
        return found
    (number, receivable), other = found, args["member"]
    offer: Any = view.get(offer_key(number, other))
    if offer is None:
        return Rejected("unknown_offer", f"nothing is offered to or by {other} for R{number}")
    if offer["by"] != context.member:
        return Rejected("not_yours", f"{offer['by']} made this offer")
    view.delete(offer_key(number, other))
    books.about(number, receivable)
    said = {"offer": shown_offer(number, other, {**offer, "kind": "withdrawn"})}
    return books.write(history.OFFER_WITHDRAWN, said, kind=offer["kind"])


# Offers


def shown_offer(number: int, member: str, offer: Mapping[str, Any]) -> dict[str, Any]:
    """Return an offer as receipts show it; ``member`` is its receiver, or the bank that made it."""
    return {
        "receivable": f"R{number}",
        "member": member,
        **{name: offer[name] for name in ("kind", "by", "expires_ms")},
    }


def offer_time(expires_ms: int, time_ms: int) -> Rejected | None:
    """Refuse the end of an offer that is over, or too far away."""
    if time_ms < expires_ms <= time_ms + fields.MAX_OFFER_MS:
        return None
    return Rejected("bad_term", f"args.expires_ms: after block time {moment_text(time_ms)}, by at most 30 days")


def offered_before(reader: Reader, number: int, receivable: Receivable, member: str, time_ms: int) -> Rejected | None:
    """Refuse a second offer beside one that is open; one that is over is replaced."""
    offer: Any = reader.get(offer_key(number, member))
    if offer is None or offer["turn"] != receivable.turn or offer["expires_ms"] <= time_ms:
        return None
    return Rejected("exists", f"an offer for R{number} to or by {member} is open; it is withdrawn first")


def open_offer(
    reader: Reader, number: int, receivable: Receivable, member: str, kinds: tuple[str, ...], time_ms: int
) -> Any:
    """Return an offer that still is one, or a refusal: since it was made the receivable stayed in the same hands."""
    offer: Any = reader.get(offer_key(number, member))
    if offer is None or offer["kind"] not in kinds or offer["expires_ms"] <= time_ms:
        return Rejected("unknown_offer", f"no offer to or by {member} for R{number} is open")
    if standing(reader, offer["by"]).status == FORMER:  # D11
        return Rejected("unknown_offer", f"{offer['by']} is no member any more; its offers ended with that")
    if offer["turn"] != receivable.turn:  # D11
        return Rejected("encumbered", f"R{number} changed hands, or was pledged, since {member}'s offer")
    return offer


def _faults(args: Args) -> Iterator[Rejected]:
    for fault in fields.doubled(args["against"], "against"):
        yield Rejected(INVALID, f"args{fault}")


ACTIONS: Final[dict[str, Action]] = {
    "split": Action(
        arguments=Arguments({"receivable": fields.receivable, "amounts": Many(fields.amount, low=2, high=MAX_PARTS)}),
        apply=_split,
        title="Split a receivable into parts",
        example={"receivable": "R1", "amounts": [500_000, 517_000]},
    ),
    "offer_transfer": Action(
        arguments=Arguments(
            {
                "receivable": fields.receivable,
                "to": fields.member,
                "against": fields.lines,
                "recourse": fields.recourse,
                "expires_ms": fields.moment,
            },
            {},
            _faults,
        ),
        apply=_offer,
        title="Offer a receivable to a creditor, against what is owed by lines that match",
        example={
            "receivable": "R1",
            "to": "bank-a",
            "against": [fields.EXAMPLE_LINE],
            "recourse": True,
            "expires_ms": 1_700_086_400_000,
        },
    ),
    "accept_transfer": Action(
        arguments=Arguments({"receivable": fields.receivable, "wallet": fields.wallet}),
        apply=_accept,
        title="Take over a receivable for what its holder owes",
        example={"receivable": "R1", "wallet": "bank-a/own"},
    ),
    "withdraw_offer": Action(
        arguments=Arguments({"receivable": fields.receivable, "member": fields.member}),
        apply=_withdraw,
        title="Withdraw an own offer: to a receiver, or a bank's",
        example={"receivable": "R1", "member": "bank-a"},
    ),
}
