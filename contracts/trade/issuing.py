"""Receivables begin: a creditor issues one on matched lines, and it is owed once its debtor accepts.

Law: an invoice is registered once; nothing is owed that the debtor did not confirm; what is rejected or lapses leaves
nothing behind.

contracts/trade/README.md, section Life.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from coseal.contracts.currency.ledger import yuan
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import (
    INVALID,
    Accepted,
    Action,
    Args,
    Arguments,
    Context,
    Rejected,
    Result,
    View,
)
from coseal.contracts.kernel.contract import Moment
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.fields import Text
from coseal.contracts.kernel.wording import moment_text
from coseal.contracts.membership.state import member_key
from coseal.contracts.trade import fields, history, lines
from coseal.contracts.trade.books import RECEIVABLES, Books, on_hold, paid_wallet, paying_wallet, stayed
from coseal.contracts.trade.history import days_until
from coseal.contracts.trade.ledger import (
    ACCEPTED,
    LAPSED,
    MAX_TAX_DIVISOR,
    PROPOSED,
    REJECTED,
    Receivable,
    fingerprint,
)
from coseal.contracts.trade.lines import Line
from coseal.contracts.trade.state import NAME, claimed_key, invoice_key

ANSWER_MS: Final = 5 * DAY_MS
MAX_TERM_MS: Final = 366 * DAY_MS


def _issue(view: View, context: Context, args: Args) -> Accepted | Rejected:
    creditor, debtor, invoice = context.member, args["debtor"], args["invoice"]
    books = Books(view, context)
    wrong = stayed(view, creditor) or _parties(view, creditor, debtor) or _sums(args)
    if wrong is not None:
        return wrong
    if not context.time_ms < args["due_ms"] <= context.time_ms + MAX_TERM_MS:
        now = moment_text(context.time_ms)
        return Rejected("bad_term", f"args.due_ms: after block time {now}, by at most 366 days")
    key = invoice_key(creditor, fingerprint(creditor, invoice["number"], invoice["date"], invoice["total"]))
    taken: Any = view.get(key)
    if taken is not None:  # D3
        return Rejected("already_registered", f"invoice {invoice['number']} stands behind R{taken}")
    claimed = fields.lines_of(args["lines"])
    wrong = paid_wallet(view, args["wallet"], creditor) or lines.refusal(view, debtor, creditor, claimed, "args.lines")
    if wrong is not None:
        return wrong
    number = books.new_number(RECEIVABLES)
    receivable = Receivable(
        debtor=debtor,
        creditor=creditor,
        holder=creditor,
        wallet=args["wallet"],
        amount=args["amount"],
        outstanding=args["amount"],
        due_ms=args["due_ms"],
        status=PROPOSED,
        invoice=key.rpartition("/")[2],
        height=context.height,
        nettable=args.get("nettable", False),
    )
    answer_ms = min(context.time_ms + ANSWER_MS, args["due_ms"])
    view.put(key, number)
    view.put(claimed_key(number), [answer_ms, [list(line) for line in claimed]])
    deadlines.add(view, NAME, BLOCK_CLOCK, answer_ms, ["lapse", number])
    books.put(number, None, receivable)
    said = {"amount": args["amount"], "tax": args["tax"], "due": moment_text(args["due_ms"]), "lines": len(claimed)}
    days = days_until(args["due_ms"], context.time_ms)
    return books.write(history.ISSUED, {"answer_ms": answer_ms}, **said, days=days)


def _parties(view: View, creditor: str, debtor: str) -> Rejected | None:
    if debtor == creditor:
        return Rejected("same_party", f"{debtor} owes itself nothing")
    if view.get(member_key(debtor)) is None:
        return Rejected("unknown_member", f"args.debtor: there is no member {debtor}")
    return None


def _sums(args: Args) -> Rejected | None:
    """Refuse an amount that is not that of its lines and their tax, or more than the invoice's."""
    amount, tax, total = args["amount"], args["tax"], args["invoice"]["total"]
    net = sum(line["amount"] for line in args["lines"])
    if net + tax != amount or tax * MAX_TAX_DIVISOR > net or amount > total:
        said = f"lines of {yuan(net)} and tax of {yuan(tax)}, at most a fifth of them, are {yuan(amount)}"
        return Rejected("not_whole", f"args.amount: expected that {said}, at most the invoice's {yuan(total)}")
    return None


def _accept(view: View, context: Context, args: Args) -> Accepted | Rejected:
    books = Books(view, context)
    found = _proposed(books, context, args, "accept")
    if isinstance(found, Rejected):
        return found
    number, receivable, claimed = found
    wrong = on_hold(view, number) or lines.refusal(view, receivable.debtor, receivable.creditor, claimed, f"R{number}")
    if wrong is None and "autopay" in args:
        wrong = paying_wallet(view, context, args["autopay"])
    if wrong is not None:
        return wrong
    lines.take(view, receivable.debtor, claimed)
    view.delete(claimed_key(number))
    deadlines.add(view, NAME, BLOCK_CLOCK, receivable.due_ms, ["due", number])
    books.put(number, receivable, replace(receivable, status=ACCEPTED, autopay=args.get("autopay", "")))
    return books.write(history.ACCEPTED)


def _reject(view: View, context: Context, args: Args) -> Accepted | Rejected:
    books = Books(view, context)
    found = _proposed(books, context, args, "reject")
    if isinstance(found, Rejected):
        return found
    _end(books, found[0], found[1], REJECTED)
    return books.write(history.REJECTED)


def _proposed(books: Books, context: Context, args: Args, action: str) -> tuple[int, Receivable, list[Line]] | Rejected:
    """Return what waits for its debtor's answer, who sends it, with its lines."""
    found = books.found(args["receivable"], action)
    if isinstance(found, Rejected):
        return found
    number, receivable = found
    if receivable.debtor != context.member:
        return Rejected("not_yours", f"{receivable.debtor} answers R{number}")
    claimed: Any = books.view.get(claimed_key(number))
    if claimed[0] <= context.time_ms:  # D4
        return Rejected("not_now", f"R{number} lapsed at {moment_text(claimed[0])}")
    wrong = stayed(books.view, context.member)
    return wrong or (number, receivable, [Line(*line) for line in claimed[1]])


def _end(books: Books, number: int, receivable: Receivable, status: str) -> None:
    """End what was not accepted; its invoice may be registered again."""
    books.view.delete(invoice_key(receivable.creditor, receivable.invoice))  # D4
    books.view.delete(claimed_key(number))
    books.put(number, receivable, replace(receivable, status=status, outstanding=0))


def lapse(view: View, moment: Moment, number: int) -> Result | Accepted:
    """End a receivable that its debtor did not answer in time."""
    books = Books(view, moment.context())
    receivable = books.receivable(number)
    if receivable.status != PROPOSED:
        return {}
    _end(books, number, receivable, LAPSED)
    written = books.fell_due(history.LAPSED)
    if isinstance(written, Rejected):
        raise ValueError(f"R{number} lapses and is {written.code}")
    return written


def _faults(args: Args) -> Iterator[Rejected]:
    for fault in fields.doubled(args["lines"], "lines"):
        yield Rejected(INVALID, f"args{fault}")


ACTIONS: Final[dict[str, Action]] = {
    "issue": Action(
        arguments=Arguments(
            {
                "debtor": fields.member,
                "amount": fields.amount,
                "tax": fields.fen,
                "due_ms": fields.moment,
                "lines": fields.lines,
                "invoice": fields.invoice,
                "wallet": fields.wallet,
            },
            {"nettable": fields.nettable},
            _faults,
        ),
        apply=_issue,
        title="Issue a receivable on lines that match",
        example={
            "debtor": "enterprise-a",
            "amount": 1_017_000,
            "tax": 117_000,
            "due_ms": 1_700_086_400_000,
            "lines": [fields.EXAMPLE_LINE],
            "invoice": {"number": "INV-2026/001", "date": "2026-03-31", "total": 1_017_000},
            "wallet": "bank-a/eb",
        },
    ),
    "accept": Action(
        arguments=Arguments({"receivable": fields.receivable}, {"autopay": fields.wallet}),
        apply=_accept,
        title="Accept a receivable: from then on it is owed",
        example={"receivable": "R1", "autopay": "bank-a/ea"},
    ),
    "reject": Action(
        arguments=Arguments({"receivable": fields.receivable, "reason": Text()}),
        apply=_reject,
        title="Reject a receivable; its invoice may be registered again",
        example={"receivable": "R1", "reason": "The goods came late"},
    ),
}
