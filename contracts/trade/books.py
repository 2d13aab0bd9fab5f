"""What one act changes: receivables, loans and money, written together or not at all.

Law: rights and money move in one write; what follows from receivables and loans, a bank's exposures and which wallets
cannot be closed, is computed from what was read and what is written, so it always says what they say.

contracts/trade/README.md, sections Delivery versus payment and Financing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from coseal.contracts.currency.authority import MEMBER, PAY
from coseal.contracts.currency.ledger import CLOSED, POSTED, VAULT, Wallet, takes_any
from coseal.contracts.currency.payments import between
from coseal.contracts.currency.post import Order, Posting, class_of, origin_of, unknown_wallet, wallet_of
from coseal.contracts.kernel.action import APPENDED, Accepted, Context, Reader, Rejected, Result, View
from coseal.contracts.kernel.wording import moment_text
from coseal.contracts.process.append import append
from coseal.contracts.supervision.holds import held
from coseal.contracts.trade.history import (
    DEFINITION,
    EXPOSURE,
    LOAN,
    PARTY,
    RECEIVABLE,
    RUN,
    event,
    exposure_event,
    run_events,
)
from coseal.contracts.trade.ledger import MAY, OPEN, OWED, PROPOSED, Loan, Receivable, number_of
from coseal.contracts.trade.runs import ENDED, phase, run_of
from coseal.contracts.trade.state import (
    COUNT_KEY,
    FELL_DUE,
    NAME,
    book_key,
    capital_key,
    exposure_key,
    loan_key,
    receivable_key,
)

ACT_STEPS: Final = 1_000
"""What an act takes beside its reads, writes and movements."""
RECEIVABLES, LOANS, RUNS = range(3)
"""What is numbered."""


class Books:
    """What an act changes: ``put``, ``put_loan`` and ``pay``, and in the end ``write``, with the event that it is.

    ``context`` is that of the act, or of nobody for what fell due.
    """

    def __init__(self, view: View, context: Context) -> None:
        view.charge(ACT_STEPS)
        self.view, self.context = view, context
        self._about: tuple[int, Receivable] | None = None
        self._receivables: dict[int, tuple[Receivable | None, Receivable]] = {}
        self._loans: dict[int, tuple[Loan | None, Loan]] = {}
        self._orders: list[Order] = []

    # Reading

    def found(self, name: str, action: str = "") -> tuple[int, Receivable] | Rejected:
        """Return a receivable by its name, with its number; refuse one whose status does not allow the action."""
        number = number_of(name, "R")
        value: Any = self.view.get(receivable_key(number))
        if value is None:
            return Rejected("unknown_receivable", f"there is no receivable {name}")
        receivable = Receivable.decoded(value)
        if action and receivable.status not in MAY[action]:
            return Rejected("not_now", f"{name} is {receivable.status}")
        return number, receivable

    def receivable(self, number: int) -> Receivable:
        """Return a receivable that is there."""
        value: Any = self.view.get(receivable_key(number))
        return Receivable.decoded(value)

    def loan(self, number: int) -> Loan | None:
        """Return a loan, or None."""
        value: Any = self.view.get(loan_key(number))
        return None if value is None else Loan(**value)

    # Changing

    def put(self, number: int, before: Receivable | None, after: Receivable) -> None:
        """Have a receivable written, which was ``before``; the last one is what the act is about."""
        self._receivables[number] = (before, after)
        self.about(number, after)

    def about(self, number: int, receivable: Receivable) -> None:
        """Have the event of the act be about a receivable."""
        self._about = (number, receivable)

    def put_loan(self, number: int, before: Loan | None, after: Loan) -> None:
        """Have a loan written, which was ``before``."""
        self._loans[number] = (before, after)

    def new_number(self, kind: int) -> int:
        """Return the number of a new receivable, loan or run (``RECEIVABLES``, ``LOANS``, ``RUNS``)."""
        counts: Any = self.view.get(COUNT_KEY) or (0, 0, 0)
        numbers = [*counts]
        numbers[kind] += 1
        self.view.put(COUNT_KEY, numbers)
        number: int = numbers[kind]
        return number

    def pay(self, debit: str, credit: str, amount: int, code: str, number: int) -> None:
        """Have money move from a wallet to another, for a receivable; nothing for nothing."""
        if amount:
            about = (NAME, RECEIVABLE, f"R{number}")
            self._orders.append(Order(POSTED, debit, credit, amount, code=code, about=about))

    def changed(self) -> list[tuple[int, int]]:
        """Return the receivables that the act changes, each with what is outstanding of it."""
        return [(number, after.outstanding) for number, (_, after) in self._receivables.items()]

    # The end

    def write(self, kind: str, said: Result | None = None, /, **attributes: Any) -> Accepted | Rejected:
        """Move the money, write what changed and append an event of it, or refuse all of it.

        Return what the receipt says, ``said`` included.
        """
        written = self._write()
        if isinstance(written, Rejected):
            return written
        by = self.context.sender  # D24
        events = [self._event(kind, attributes)]
        for bank, debtor, exposure, book in written.get("exposures", ()):  # D25
            capital: Any = self.view.get(capital_key(bank))
            events.append(exposure_event(by, bank, debtor, exposure, book, capital))
        return self.append(self.context.member or self._debtor(), events, {**(said or {}), **written})

    def fell_due(self, kind: str, /, **attributes: Any) -> Accepted | Rejected:
        """Return the same for what fell due; the event is the debtor's, who owes it or did not answer."""
        written = self.write(kind, **attributes)
        return written if isinstance(written, Rejected) else shown_due(written)

    def write_run(self, kind: str, run: int, named: Sequence[tuple[int, int]], said: Result) -> Accepted | Rejected:
        """Do the same for what became of receivables, (number, fen), in a netting run."""
        written = self._write()
        if isinstance(written, Rejected):
            return written
        events = [*run_events(kind, run, self.context.sender, named)]
        return self.append(self.context.member, events, {**said, **written}, RUN)

    def append(self, member: str, events: Sequence[Mapping[str, Any]], said: Result, judged: str = "") -> Accepted:
        """Append events to a member's source of the process type; return what the receipt says."""
        appended = append(self.view, self.context, member, DEFINITION, events, judged)
        return Accepted({**said, **appended.result}, appended.batch)

    def _event(self, kind: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
        if self._about is None:
            raise ValueError(f"{kind} is about no receivable")
        number, receivable = self._about
        objects = [[RECEIVABLE, f"R{number}"]]
        objects += [[RECEIVABLE, f"R{other}"] for other in self._receivables if other != number]
        objects += [[LOAN, f"L{loan}"] for loan in self._loans]
        if "bank" in attributes:
            objects.append([EXPOSURE, f"{attributes['bank']}/{receivable.debtor}"])
        before = self._receivables.get(number, (None, receivable))[0] or receivable
        parties = (receivable.debtor, receivable.holder, before.holder, self.context.member)
        objects += [[PARTY, party] for party in dict.fromkeys(parties) if party]
        said = {name: getattr(receivable, name) for name in ("debtor", "holder", "outstanding", "status")}
        return event(kind, objects, by=self.context.sender, **said, **attributes)

    def _debtor(self) -> str:
        return "" if self._about is None else self._about[1].debtor

    def _write(self) -> Result | Rejected:
        """Move the money and write what changed, or refuse all of it; return what the receipt says."""
        claims: dict[str, int] = {}
        exposed: dict[tuple[str, str], int] = {}
        for before, after in self._receivables.values():
            _count(claims, exposed, before, -1)
            _count(claims, exposed, after, 1)
        for owed, owes in self._loans.values():
            for loan, sign in ((owed, -1), (owes, 1)):
                if loan is not None and loan.status == OPEN:
                    claims[loan.wallet] = claims.get(loan.wallet, 0) + sign
        said = self._post({name: change for name, change in claims.items() if change})
        if isinstance(said, Rejected):
            return said
        for number, (_, after) in self._receivables.items():
            self.view.put(receivable_key(number), after.encoded())
        for number, (_, owes) in self._loans.items():
            self.view.put(loan_key(number), owes.encoded())
        shown = {
            "receivables": [shown_receivable(number, after) for number, (_, after) in self._receivables.items()],
            "loans": [shown_loan(number, owes) for number, (_, owes) in self._loans.items()],
            "exposures": [self._expose(*pair, change) for pair, change in exposed.items() if change],
        }
        return {**{name: value for name, value in shown.items() if value}, **said}

    def _post(self, claims: Mapping[str, int]) -> Result | Rejected:
        """Move the money, and count what wallets are named by; nothing is written of what is refused."""
        if not self._orders and not claims:
            return {}
        posting = Posting(self.view, origin_of(self.context), len(self._orders) + 1)
        for order in self._orders:
            wrong = between(self.view, {"from": order.debit, "to": order.credit, "code": order.code})
            wrong = wrong or posting.refusal(order)
            if wrong is not None:
                return wrong
        if len(self._orders) > 1:  # one wallet pays all of them
            total = sum(order.amount for order in self._orders)
            wrong = posting.refusal(self._orders[0]._replace(amount=total))
            if wrong is not None:
                return wrong
        for order in self._orders:
            posting.post(order)
        for name, change in claims.items():
            wallet = posting.wallet(name)
            if wallet is None:
                raise ValueError(f"{name} is named by a claim and is no wallet")
            wallet.claims += change  # D14
        posted = posting.write()
        if not self._orders:
            return {}
        return {"posted": {**posted, "payments": [_shown_payment(order) for order in self._orders]}}

    def _expose(self, bank: str, debtor: str, change: int) -> list[Any]:
        """Change what a bank is exposed to; return both sums as the receipt shows them."""
        sums = []
        for key in (exposure_key(bank, debtor), book_key(bank)):
            before: Any = self.view.get(key) or 0
            if before + change:
                self.view.put(key, before + change)
            else:
                self.view.delete(key)
            sums.append(before + change)
        return [bank, debtor, *sums]


def shown_due(written: Accepted) -> Accepted:
    """Return what an act says as the lists that the first receipt of a block has."""
    said = {name: value for name, value in written.result.items() if name != APPENDED}
    return Accepted({FELL_DUE: [said], APPENDED: written.result[APPENDED]}, written.facts)


def _count(
    claims: dict[str, int], exposed: dict[tuple[str, str], int], receivable: Receivable | None, sign: int
) -> None:
    """Add what a receivable says of wallets and exposures."""
    if receivable is None or not (receivable.status in OWED or receivable.status == PROPOSED):
        return
    claims[receivable.wallet] = claims.get(receivable.wallet, 0) + sign
    if receivable.financier:  # D12
        pair = (receivable.financier, receivable.debtor)
        exposed[pair] = exposed.get(pair, 0) + sign * receivable.outstanding


def shown_receivable(number: int, receivable: Receivable) -> dict[str, Any]:
    """Return a receivable as receipts show it."""
    names = ("debtor", "creditor", "holder", "wallet", "amount", "outstanding", "due_ms", "status", "pledgee")
    shown: dict[str, Any] = {"id": f"R{number}", **{name: getattr(receivable, name) for name in names}}
    shown |= {"parent": f"R{receivable.parent}" if receivable.parent else "", "hands": len(receivable.hands)}
    shown |= {"loan": f"L{receivable.loan}" if receivable.loan else "", "financier": receivable.financier}
    shown |= {"disputed": receivable.dispute is not None, "nettable": receivable.nettable}
    return {**shown, "run": f"N{receivable.run}" if receivable.run else ""}


def shown_loan(number: int, loan: Loan) -> dict[str, Any]:
    """Return a loan as receipts show it."""
    names = ("bank", "borrower", "advance", "charge", "principal", "fee", "status")
    return {"id": f"L{number}", "receivable": f"R{loan.receivable}", **{name: getattr(loan, name) for name in names}}


def _shown_payment(order: Order) -> dict[str, Any]:
    names = {"debit": order.debit, "credit": order.credit, "amount": order.amount, "code": order.code}
    return {**names, "about": list(order.about)}


# Guards


def encumbered(view: View, number: int, receivable: Receivable, time_ms: int) -> Rejected | None:
    """Refuse a receivable that is not free to be split, transferred or financed."""
    why = receivable.encumbrance or ("it is due" if receivable.due_ms <= time_ms else "")
    if not why and phase(run_of(view, receivable.run), time_ms) != ENDED:
        why = f"it is in N{receivable.run}"
    if why:  # D7
        return Rejected("encumbered", f"R{number}: {why}")
    return on_hold(view, number)


def on_hold(view: View, number: int) -> Rejected | None:
    """Refuse a receivable that is on hold."""
    hold = held(view, NAME, RECEIVABLE, f"R{number}")
    if hold is None:
        return None
    until = moment_text(hold["until_ms"])
    return Rejected("held", f"R{number} is on hold until {until} by finding {hold['finding']}")  # D17


def stayed(view: View, member: str) -> Rejected | None:
    """Refuse what a member does or pays while it is on hold as a party."""
    hold = held(view, NAME, PARTY, member)
    if hold is None:
        return None
    until = moment_text(hold["until_ms"])
    return Rejected("stayed", f"{member} is on hold until {until} by finding {hold['finding']}")  # D17


def own_wallet(reader: Reader, name: str, member: str) -> Wallet | Rejected:
    """Return an open wallet that a member disposes of itself, or a refusal."""
    wallet = wallet_of(reader, name)
    if wallet is None:
        return unknown_wallet(name)
    if wallet.holder != f"{MEMBER}:{member}" or wallet.authority != MEMBER or wallet.status == CLOSED:
        return Rejected("not_your_wallet", f"{name} is no open wallet of {member}")
    return wallet


def paid_wallet(reader: Reader, name: str, member: str) -> Rejected | None:
    """Refuse a wallet that a claim cannot name: another's, a vault, or one that may not take every amount."""
    wallet = own_wallet(reader, name, member)
    if isinstance(wallet, Rejected):
        return wallet
    if name.endswith(f"/{VAULT}") or not takes_any(wallet, class_of(reader, wallet.class_id)["limits"]):
        return Rejected("class_not_for_claims", f"{name} is a vault or has a balance_max; debtors could not pay it")
    return None


def paying_wallet(reader: Reader, context: Context, name: str) -> Rejected | None:
    """Refuse a wallet that the sender does not dispose of."""
    wallet = own_wallet(reader, name, context.member)
    if isinstance(wallet, Rejected):
        return wallet
    if PAY not in context.capabilities:
        who = f"an operator of {context.member} with the capability {PAY}"
        return Rejected("not_your_wallet", f"{who} disposes of {name}")
    return None
