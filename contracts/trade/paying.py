"""Receivables are paid: by the debtor, by itself when they fall due, or by who gave recourse.

Law: what is owed can always be paid, to any holder; money goes first to the loan that has it in pledge; a chain of
recourse ends at the first hand.

contracts/trade/README.md, section Payment.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from coseal.contracts.currency.ledger import yuan
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import FORMER, Accepted, Action, Args, Arguments, Context, Rejected, Result, View
from coseal.contracts.kernel.contract import Moment
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.fields import Text
from coseal.contracts.kernel.wording import moment_text
from coseal.contracts.trade import fields, history
from coseal.contracts.trade.books import Books, on_hold, own_wallet, paid_wallet, paying_wallet, stayed
from coseal.contracts.trade.financing import pay_loan, released
from coseal.contracts.trade.ledger import ACCEPTED, OVERDUE, RECOURSE, SETTLED, WRITTEN_OFF, Receivable
from coseal.contracts.trade.runs import ENDED, being_cleared, clears_until, phase, run_of
from coseal.contracts.trade.state import NAME

WRITE_OFF_MS: Final = 90 * DAY_MS


def _settle(view: View, context: Context, args: Args) -> Accepted | Rejected:
    books = Books(view, context)
    found = books.found(args["receivable"], "settle")
    if isinstance(found, Rejected):
        return found
    number, receivable = found
    if args["amount"] > receivable.outstanding:
        return Rejected("not_whole", f"{yuan(receivable.outstanding)} of R{number} are outstanding")
    wrong = being_cleared(view, number, receivable, context.time_ms) or stayed(view, context.member)
    wrong = wrong or paying_wallet(view, context, args["from"])
    if wrong is None and args["from"] == receivable.wallet:
        wrong = Rejected("same_party", f"R{number} is paid into {receivable.wallet}")
    if wrong is not None:
        return wrong
    _pay(books, number, receivable, args["from"], args["amount"])
    return books.write(history.PAID, amount=args["amount"])


def _pay(books: Books, number: int, receivable: Receivable, debit: str, amount: int) -> None:
    """Pay of a receivable: what its loan is owed first, the rest to its holder."""
    after = replace(receivable, outstanding=receivable.outstanding - amount)
    to_bank = 0
    if receivable.loan:  # D5
        loan = books.loan(receivable.loan)
        to_bank, repaid = pay_loan(books, receivable.loan, amount)
        if loan is not None:
            books.pay(debit, loan.wallet, to_bank, "LOAN", number)
        if repaid or not after.outstanding:
            after = released(after)
    books.pay(debit, receivable.wallet, amount - to_bank, "TRAD", number)
    books.put(number, receivable, after if after.outstanding else replace(after, status=SETTLED, dispute=None))


def _set_wallet(view: View, context: Context, args: Args) -> Accepted | Rejected:
    books = Books(view, context)
    found = _of_holder(books, context, args, "set_wallet")
    if isinstance(found, Rejected):
        return found
    number, receivable = found
    wrong = on_hold(view, number) or paid_wallet(view, args["wallet"], context.member)
    if wrong is not None:
        return wrong
    books.put(number, receivable, replace(receivable, wallet=args["wallet"]))
    return books.write(history.WALLET_NAMED)


def _of_holder(books: Books, context: Context, args: Args, action: str) -> tuple[int, Receivable] | Rejected:
    """Return a receivable that the sender holds, and is not kept from acting on."""
    found = books.found(args["receivable"], action)
    if isinstance(found, Rejected):
        return found
    if found[1].holder != context.member:
        return Rejected("not_yours", f"{found[1].holder} holds R{found[0]}")
    return stayed(books.view, context.member) or found


# When it is due


def fall_due(view: View, moment: Moment, number: int) -> Result | Accepted:
    """Have a receivable pay itself, for the whole and once, or be overdue."""
    books = Books(view, moment.context())
    receivable = books.receivable(number)
    if receivable.status != ACCEPTED:
        return {}
    until_ms = clears_until(view, receivable, moment.time_ms)
    if until_ms is not None:  # D23
        deadlines.add(view, NAME, BLOCK_CLOCK, until_ms, ["due", number])
        return {}
    paid = _pays_itself(books, number, receivable)
    if paid is not None:
        return paid
    late = Books(view, books.context)
    late.put(number, receivable, replace(receivable, status=OVERDUE))  # D15
    written = late.fell_due(history.OVERDUE)
    if isinstance(written, Rejected):
        raise ValueError(f"R{number} falls due and is {written.code}")
    return written


def _pays_itself(books: Books, number: int, receivable: Receivable) -> Accepted | None:
    """Return what a payment from the debtor's own wallet writes, or None if there is none."""
    if not receivable.autopay or stayed(books.view, receivable.debtor) is not None:
        return None
    if isinstance(own_wallet(books.view, receivable.autopay, receivable.debtor), Rejected):
        return None
    _pay(books, number, receivable, receivable.autopay, receivable.outstanding)
    written = books.fell_due(history.PAID, amount=receivable.outstanding)
    return None if isinstance(written, Rejected) else written


# Recourse


def _claim_recourse(view: View, context: Context, args: Args) -> Accepted | Rejected:
    books = Books(view, context)
    found = _of_holder(books, context, args, "claim_recourse")
    if isinstance(found, Rejected):
        return found
    number, receivable = found
    if receivable.pledgee:
        return Rejected("encumbered", f"R{number} is pledged to {receivable.pledgee}; its loan is repaid first")
    if not receivable.hands or not receivable.hands[-1][1]:  # D16
        return Rejected("no_recourse", f"who had R{number} before gave no recourse")
    if phase(run_of(view, receivable.run), context.time_ms) != ENDED:
        return Rejected("in_run", f"R{number} is in N{receivable.run}; withdraw it first, or wait until that ends")
    wrong = on_hold(view, number)
    if wrong is not None:
        return wrong
    books.put(number, receivable, replace(receivable, status=RECOURSE))
    return books.write(history.RECOURSE_CLAIMED)


def _pay_recourse(view: View, context: Context, args: Args) -> Accepted | Rejected:
    books, payer = Books(view, context), context.member
    found = books.found(args["receivable"], "pay_recourse")
    if isinstance(found, Rejected):
        return found
    number, receivable = found
    if receivable.hands[-1][0] != payer:
        return Rejected("not_yours", f"{receivable.hands[-1][0]} gave recourse for R{number}")
    wrong = stayed(view, payer) or on_hold(view, number)
    wrong = wrong or paying_wallet(view, context, args["from"]) or paid_wallet(view, args["from"], payer)
    if wrong is not None:
        return wrong
    books.pay(args["from"], receivable.wallet, receivable.outstanding, "TRAD", number)
    back = replace(receivable, holder=payer, wallet=args["from"], hands=receivable.hands[:-1], status=OVERDUE)
    books.put(number, receivable, replace(back, financier="", turn=receivable.turn + 1))
    return books.write(history.RECOURSE_PAID, amount=receivable.outstanding)  # D6


def _write_off(view: View, context: Context, args: Args) -> Accepted | Rejected:
    books = Books(view, context)
    found = _of_holder(books, context, args, "write_off")
    if isinstance(found, Rejected):
        return found
    number, receivable = found
    if receivable.pledgee:
        return Rejected("encumbered", f"R{number} is pledged to {receivable.pledgee}")
    if context.time_ms < receivable.due_ms + WRITE_OFF_MS:
        until = moment_text(receivable.due_ms + WRITE_OFF_MS)
        return Rejected("too_soon", f"R{number} is written off from {until} on")
    wrong = on_hold(view, number) or being_cleared(view, number, receivable, context.time_ms)
    if wrong is not None:
        return wrong
    books.put(number, receivable, replace(receivable, status=WRITTEN_OFF))
    return books.write(history.WRITTEN_OFF)


ACTIONS: Final[dict[str, Action]] = {
    "settle": Action(
        arguments=Arguments({"receivable": fields.receivable, "amount": fields.amount, "from": fields.wallet}),
        apply=_settle,
        title="Pay a receivable, or a part of it",
        example={"receivable": "R1", "amount": 1_017_000, "from": "bank-a/ea"},
        standing=FORMER,
    ),
    "set_wallet": Action(
        arguments=Arguments({"receivable": fields.receivable, "wallet": fields.wallet}),
        apply=_set_wallet,
        title="Say into which wallet a receivable is paid",
        example={"receivable": "R1", "wallet": "bank-a/eb"},
        standing=FORMER,
        pausable=False,
    ),
    "claim_recourse": Action(
        arguments=Arguments({"receivable": fields.receivable}),
        apply=_claim_recourse,
        title="Claim an overdue receivable of who had it before",
        example={"receivable": "R1"},
        standing=FORMER,
        pausable=False,
    ),
    "pay_recourse": Action(
        arguments=Arguments({"receivable": fields.receivable, "from": fields.wallet}),
        apply=_pay_recourse,
        title="Take a receivable back for what is outstanding",
        example={"receivable": "R1", "from": "bank-a/eb"},
        standing=FORMER,
    ),
    "write_off": Action(
        arguments=Arguments({"receivable": fields.receivable, "reason": Text()}),
        apply=_write_off,
        title="Write off a receivable that is long overdue; it stays owed",
        example={"receivable": "R1", "reason": "The debtor is insolvent"},
    ),
}
