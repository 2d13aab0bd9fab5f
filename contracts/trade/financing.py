"""Banks finance receivables: they buy them, or lend on them; money and right change hands in one write.

Law: a receivable is financed once: an offer blocks nothing, the first acceptance takes it, and every later one is
refused; a bank's own limit on a debtor is never exceeded by what it finances.

contracts/trade/README.md, section Financing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from coseal.contracts.currency.authority import TREASURY
from coseal.contracts.currency.ledger import yuan
from coseal.contracts.kernel.action import (
    FORMER,
    Accepted,
    Action,
    Args,
    Arguments,
    Context,
    Reader,
    Rejected,
    View,
)
from coseal.contracts.kernel.fields import OneOf
from coseal.contracts.membership.state import member_key
from coseal.contracts.trade import fields, history
from coseal.contracts.trade.books import LOANS, Books, encumbered, paid_wallet, paying_wallet, stayed
from coseal.contracts.trade.ledger import MAX_HANDS, OPEN, REPAID, Loan, Receivable, number_of, waterfall
from coseal.contracts.trade.moving import free_of_holder, offer_time, offered_before, open_offer, passed_on, shown_offer
from coseal.contracts.trade.state import capital_key, exposure_key, limit_key, offer_key

ASSIGNMENT: Final = "assignment"
PLEDGE: Final = "pledge"
BANK: Final = "bank"
FINANCE_STEPS: Final = 250
"""What it takes to hold an offer against the bank's book and both wallets, and to hand the receivable over."""
KINDS: Final = (ASSIGNMENT, PLEDGE)


def _offer(view: View, context: Context, args: Args) -> Accepted | Rejected:
    books, bank = Books(view, context), context.member
    found = books.found(args["receivable"])
    if isinstance(found, Rejected):
        return found
    number, receivable = found
    wrong = (
        _not_a_bank(context)
        or stayed(view, bank)
        or _financed(number, receivable)
        or encumbered(view, number, receivable, context.time_ms)
        or offered_before(view, number, receivable, bank, context.time_ms)
        or offer_time(args["expires_ms"], context.time_ms)
        or _fits(view, number, receivable, bank, args)
        or paying_wallet(view, context, args["from"])
        or paid_wallet(view, args["wallet"], bank)
    )
    if wrong is not None:
        return wrong
    names = ("kind", "advance", "fee", "from", "wallet", "recourse", "expires_ms")
    offer = {**{name: args[name] for name in names}, "by": bank, "turn": receivable.turn}
    view.put(offer_key(number, bank), offer)
    terms = {name: args[name] for name in ("advance", "fee", "recourse")}
    books.about(number, receivable)
    said = {"offer": {**shown_offer(number, bank, offer), **terms}}
    return books.write(history.FINANCE_OFFERED, said, **_terms(context, receivable, offer))


def _terms(context: Context, receivable: Receivable, offer: Mapping[str, Any]) -> dict[str, Any]:
    """Return what events say of an offer to finance."""
    said = {name: offer[name] for name in ("kind", "advance", "fee", "recourse")}
    return {"bank": offer["by"], **said, "days": history.days_until(receivable.due_ms, context.time_ms)}


def _not_a_bank(context: Context) -> Rejected | None:
    if context.role == BANK:
        return None
    return Rejected("not_a_bank", f"{context.member} is no bank")


def _financed(number: int, receivable: Receivable) -> Rejected | None:
    if not receivable.financier:
        return None
    return Rejected("encumbered", f"R{number} is financed by {receivable.financier}")  # D11


def _fits(reader: Reader, number: int, receivable: Receivable, bank: str, offer: Mapping[str, Any]) -> Rejected | None:
    """Refuse what is not the right sum, or beyond the bank's limit, or too many hands."""
    owed, advance, fee = receivable.outstanding, offer["advance"], offer["fee"]
    if bank in (receivable.debtor, receivable.holder):
        return Rejected("same_party", f"{bank} owes R{number}, or holds it")
    if offer["kind"] == ASSIGNMENT:
        if advance + fee != owed:
            return Rejected("not_whole", f"advance and fee are {yuan(advance + fee)}, {yuan(owed)} are outstanding")
        if len(receivable.hands) >= MAX_HANDS:  # D10
            return Rejected("too_many_hands", f"R{number} went through {MAX_HANDS} hands")
    elif advance > owed:
        return Rejected("not_whole", f"the advance is {yuan(advance)}, {yuan(owed)} are outstanding")
    limit: Any = reader.get(limit_key(bank, receivable.debtor)) or 0
    exposed: Any = reader.get(exposure_key(bank, receivable.debtor)) or 0
    if exposed + owed > limit:  # D13
        said = f"its limit on {receivable.debtor} is {yuan(limit)}, {yuan(exposed)} are used"
        return Rejected("over_exposure", f"{bank} cannot finance {yuan(owed)}: {said}")
    return None


def _accept(view: View, context: Context, args: Args) -> Accepted | Rejected:
    books, bank = Books(view, context), args["bank"]
    found = books.found(args["receivable"])
    if isinstance(found, Rejected):
        return found
    view.charge(FINANCE_STEPS)
    number, receivable = found
    wrong = _financed(number, receivable)
    if wrong is not None:
        return wrong
    offer = open_offer(view, number, receivable, bank, KINDS, context.time_ms)
    if isinstance(offer, Rejected):
        return offer
    mine = free_of_holder(books, context, args["receivable"])
    if isinstance(mine, Rejected):
        return mine
    wrong = (
        stayed(view, bank)
        or _fits(view, number, receivable, bank, offer)
        or paid_wallet(view, args["wallet"], context.member)
        or paid_wallet(view, offer["wallet"], bank)
    )
    if wrong is not None:
        return wrong
    view.delete(offer_key(number, bank))
    if offer["kind"] == ASSIGNMENT:
        books.pay(offer["from"], args["wallet"], offer["advance"], "TRAD", number)
        books.put(number, receivable, passed_on(receivable, bank, offer["wallet"], offer["recourse"], bank))
    else:
        books.pay(offer["from"], args["wallet"], offer["advance"], "LOAN", number)
        _lend(books, context, number, receivable, offer)
    return books.write(history.FINANCED, None, **_terms(context, receivable, offer))  # D6


def _lend(books: Books, context: Context, number: int, receivable: Receivable, offer: Mapping[str, Any]) -> None:
    """Give a loan, with a receivable as its pledge."""
    loan_number, bank = books.new_number(LOANS), offer["by"]
    loan = Loan(
        bank=bank,
        borrower=context.member,
        receivable=number,
        advance=offer["advance"],
        charge=offer["fee"],
        principal=offer["advance"],
        fee=offer["fee"],
        wallet=offer["wallet"],
        status=OPEN,
        height=context.height,
    )
    books.put_loan(loan_number, None, loan)
    pledged = replace(receivable, pledgee=bank, financier=bank, loan=loan_number, turn=receivable.turn + 1)
    books.put(number, receivable, pledged)


# Loans


def pay_loan(books: Books, number: int, amount: int) -> tuple[int, bool]:
    """Pay of an amount what a loan is owed; return how much that is, and whether the loan is repaid by it."""
    loan = books.loan(number)
    if loan is None:
        return 0, True
    principal, fee = waterfall(amount, (loan.principal, loan.fee))  # D5
    after = replace(loan, principal=loan.principal - principal, fee=loan.fee - fee)
    repaid = after.left == 0
    books.put_loan(number, loan, replace(after, status=REPAID) if repaid else after)
    return principal + fee, repaid


def released(receivable: Receivable) -> Receivable:
    """Return a receivable whose pledge has ended."""
    return replace(receivable, pledgee="", financier="", loan=0, turn=receivable.turn + 1)


def _repay(view: View, context: Context, args: Args) -> Accepted | Rejected:
    books, number = Books(view, context), number_of(args["loan"], "L")
    loan = books.loan(number)
    if loan is None:
        return Rejected("unknown_loan", f"there is no loan {args['loan']}")
    if loan.borrower != context.member:
        return Rejected("not_yours", f"{loan.borrower} repays L{number}")
    if args["amount"] > loan.left:
        return Rejected("not_whole", f"{yuan(loan.left)} are left of L{number}")
    wrong = stayed(view, context.member) or paying_wallet(view, context, args["from"])
    if wrong is not None:
        return wrong
    _, repaid = pay_loan(books, number, args["amount"])
    books.pay(args["from"], loan.wallet, args["amount"], "LOAN", loan.receivable)
    receivable = books.receivable(loan.receivable)
    if repaid and receivable.loan == number:
        books.put(loan.receivable, receivable, released(receivable))
    else:
        books.about(loan.receivable, receivable)
    return books.write(history.LOAN_REPAID, amount=args["amount"])


def _set_limit(view: View, context: Context, args: Args) -> Accepted | Rejected:
    wrong = _not_a_bank(context)
    if wrong is not None:
        return wrong
    if view.get(member_key(args["debtor"])) is None:
        return Rejected("unknown_member", f"args.debtor: there is no member {args['debtor']}")
    view.put(limit_key(context.member, args["debtor"]), args["amount"])
    said = {"bank": context.member, "debtor": args["debtor"], "amount": args["amount"]}
    if "capital" in args:
        view.put(capital_key(context.member), args["capital"])
        said["capital"] = args["capital"]
    named = [[history.EXPOSURE, f"{context.member}/{args['debtor']}"]]
    set_event = history.event(history.LIMIT_SET, named, by=context.sender, **said)
    return Books(view, context).append(context.member, [set_event], said)


ACTIONS: Final[dict[str, Action]] = {
    "offer_finance": Action(
        arguments=Arguments(
            {
                "receivable": fields.receivable,
                "kind": OneOf(*KINDS),
                "advance": fields.amount,
                "fee": fields.fen,
                "from": fields.wallet,
                "wallet": fields.wallet,
                "recourse": fields.recourse,
                "expires_ms": fields.moment,
            }
        ),
        apply=_offer,
        title="Offer to buy a receivable, or to lend on it",
        example={
            "receivable": "R1",
            "kind": ASSIGNMENT,
            "advance": 1_000_000,
            "fee": 17_000,
            "from": "bank-a/own",
            "wallet": "bank-a/own",
            "recourse": True,
            "expires_ms": 1_700_086_400_000,
        },
        capability=TREASURY,
    ),
    "accept_finance": Action(
        arguments=Arguments({"receivable": fields.receivable, "bank": fields.member, "wallet": fields.wallet}),
        apply=_accept,
        title="Accept a bank's offer: money and receivable change hands at once",
        example={"receivable": "R1", "bank": "bank-a", "wallet": "bank-a/eb"},
    ),
    "repay": Action(
        arguments=Arguments({"loan": fields.loan, "amount": fields.amount, "from": fields.wallet}),
        apply=_repay,
        title="Repay a loan, or a part of it: principal first",
        example={"loan": "L1", "amount": 100_000, "from": "bank-a/eb"},
        standing=FORMER,
    ),
    "set_limit": Action(
        arguments=Arguments({"debtor": fields.member, "amount": fields.fen}, {"capital": fields.amount}),
        apply=_set_limit,
        title="Set how much of what a debtor owes the own bank finances at most",
        example={"debtor": "enterprise-a", "amount": 10**12},
        capability=TREASURY,
    ),
}
