"""The one writer of wallets: checks every leg before it writes any, and keeps the sums over all wallets.

Law: nobody else writes a wallet; what one account gives the other gets; the sums move by the difference between the
wallets that were read and those that are written, so they say what the wallets say. Who may do it is for callers.

contracts/currency/README.md, sections Money and Invariants.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from coseal.contracts.currency.ledger import (
    CLOSED,
    CREDIT,
    DEBIT,
    ISSUANCE,
    PENDING,
    POST,
    VAULT,
    VOID,
    Balance,
    Limits,
    Movement,
    Wallet,
    apply_leg,
    day_of,
    month_of,
    over_balance,
    over_limit,
    yuan,
)
from coseal.contracts.currency.state import (
    ISSUANCE_KEY,
    TOTALS_KEY,
    class_key,
    institution_key,
    month_key,
    wallet_key,
)
from coseal.contracts.kernel.action import Context, Reader, Rejected, Result, View
from coseal.contracts.kernel.wording import moment_text
from coseal.contracts.supervision.holds import held
from coseal.contracts.supervision.state import finding_key, holds_key
from coseal.ledger.signing import ZERO_HASH

MOVEMENT_STEPS: Final = 150
MAX_OPEN_DEBITS: Final = 1_000
"""Open pending debits of one wallet."""
INSTITUTION_CLASS: Final = "institution"
CORPORATE_CLASS: Final = "corporate"
SHIPPED_CLASSES: Final = {
    INSTITUTION_CLASS: {"version": 0, "limits": [None] * 4, "holders": [VAULT], "height": 0},
    CORPORATE_CLASS: {"version": 0, "limits": [None] * 4, "holders": ["member", "uscc", "lei"], "height": 0},
}
"""The classes that there are as long as no ballot decides others."""
PROCESS_TYPE: Final = "currency"
OBJECT_TYPE: Final = "wallet"


class Origin(NamedTuple):
    """What posts: the block's height and time in ms, and the transaction; zeros for what fell due."""

    height: int
    time_ms: int
    tx: bytes = ZERO_HASH


def origin_of(context: Context) -> Origin:
    """Return the origin of what a transaction posts."""
    return Origin(context.height, context.time_ms, context.tx_id)


class Order(NamedTuple):
    """A movement that is asked for.

    ``forced``: past limits and freezes, for corrections that a ballot decided; ``supply``: against the issuance, which
    is no wallet to anybody else.
    """

    kind: str
    debit: str
    credit: str
    amount: int
    reserved: int = 0
    code: str = "OTHR"
    reference: str = ""
    end_to_end: str = ""
    about: Sequence[str] = ()
    pending: int = 0
    forced: bool = False
    supply: bool = False


@dataclass(slots=True)
class Totals:
    """Sums over all wallets, and how many movements and pending transfers there ever were."""

    wallets: int = 0
    balance: Balance = field(default_factory=Balance)
    institutions: int = 0
    pendings: int = 0

    @classmethod
    def read(cls, reader: Reader) -> Totals:
        """Return what the state says; zeros before the first wallet."""
        value: Any = reader.get(TOTALS_KEY)
        if value is None:
            return cls()
        return cls(value[0], Balance.decoded([*value[1:6], ZERO_HASH]), value[6], value[7])

    def write(self, view: View) -> None:
        """Put them into the state."""
        totals = self.balance.encoded()[:5]
        view.put(TOTALS_KEY, [self.wallets, *totals, self.institutions, self.pendings])


def issuance(reader: Reader) -> Balance:
    """Return what was issued (as debits) and redeemed (as credits)."""
    return issuance_of(reader.get(ISSUANCE_KEY))


def issuance_of(value: Any) -> Balance:
    """Return the issuance that the state has, None before there is money."""
    if value is None:
        return Balance()
    issued, redeemed, redeeming, count, head = value
    return Balance(issued, redeemed, 0, redeeming, count, head)


def holds(reader: Reader) -> str | None:
    """Say how the wallets contradict what was issued, or None. Two reads."""
    value: Any = reader.get(TOTALS_KEY)
    if value is None:
        return None
    totals, issued = Totals.read(reader).balance, issuance(reader)
    if totals.posted != -issued.posted:  # C1
        return f"wallets hold {totals.posted} fen, {-issued.posted} were issued and not redeemed"
    if totals.debits_pending != totals.credits_pending + issued.credits_pending:
        return f"{totals.debits_pending} fen are reserved, for {totals.credits_pending} and {issued.credits_pending}"
    return None


def class_of(reader: Reader, class_id: str) -> Any:
    """Return a class of wallets, or None."""
    value: Any = reader.get(class_key(class_id))
    return SHIPPED_CLASSES.get(class_id) if value is None else value


def wallet_of(reader: Reader, name: str) -> Wallet | None:
    """Return a wallet, or None."""
    value: Any = reader.get(wallet_key(name))
    return None if value is None else Wallet.decoded(value)


def unknown_wallet(name: str) -> Rejected:
    """Refuse a wallet that is not there."""
    return Rejected("unknown_wallet", f"there is no wallet {name[:64]}")


def closed_wallet(name: str) -> Rejected:
    """Refuse a wallet that was closed."""
    return Rejected("closed_wallet", f"wallet {name} is closed")


class Posting:
    """What one transaction, or one due thing, does to wallets: ``refusal``, ``post``, and in the end ``write``."""

    def __init__(self, view: View, origin: Origin, movements: int = 1) -> None:
        view.charge(MOVEMENT_STEPS * movements)
        self.view, self.origin = view, origin
        self.totals = Totals.read(view)
        self.first = self.totals.balance.count + 1
        self._day = day_of(origin.time_ms)
        self._month = month_of(self._day)
        self._wallets: dict[str, Wallet] = {}
        self._before: dict[str, tuple[int, tuple[int, int, int, int]]] = {}
        """How many movements each of these wallets had, and its totals."""
        self._new: set[str] = set()
        self._limits: dict[str, Limits] = {}
        self._issuance: Balance | None = None
        self._any_held: bool | None = None

    # Wallets

    def wallet(self, name: str) -> Wallet | None:
        """Return a wallet as it is after what was posted here, or None. What a caller changes of it is written."""
        found = self._wallets.get(name)
        if found is None:
            found = wallet_of(self.view, name)
            if found is not None:
                self._keep(name, found)
        return found

    def open_wallet(self, name: str, wallet: Wallet) -> None:
        """Add a wallet; the caller has seen that its name is free."""
        self._new.add(name)
        self.totals.wallets += 1
        self._keep(name, wallet)

    def _keep(self, name: str, wallet: Wallet) -> None:
        self._wallets[name] = wallet
        self._before[name] = (wallet.balance.count, wallet.balance.totals)

    def usable(self, name: str) -> Wallet | Rejected:
        """Return a wallet that is open, or a refusal."""
        wallet = self.wallet(name)
        if wallet is None:
            return unknown_wallet(name)
        return closed_wallet(name) if wallet.status == CLOSED else wallet

    def limits(self, wallet: Wallet) -> Limits:
        """Return the limits of a wallet's class."""
        known = self._limits.get(wallet.class_id)
        if known is None:
            known = self._limits[wallet.class_id] = class_of(self.view, wallet.class_id)["limits"]
        return known

    @property
    def issuance(self) -> Balance:
        """The account against which money is issued and redeemed."""
        if self._issuance is None:
            self._issuance = issuance(self.view)
        return self._issuance

    def hold_on(self, name: str) -> Any:
        """Return the hold that freezes a wallet, or None: one read if nothing is frozen at all."""
        if self._any_held is None:
            self._any_held = self.view.get(holds_key(PROCESS_TYPE)) is not None
        return held(self.view, PROCESS_TYPE, OBJECT_TYPE, name) if self._any_held else None

    # Movements

    def refusal(self, order: Order) -> Rejected | None:
        """Say why the money cannot move, or None. What was reserved before moves whatever came between."""
        if order.kind in (POST, VOID):
            return None
        if not order.supply and ISSUANCE in (order.debit, order.credit):
            return unknown_wallet(ISSUANCE)
        if order.debit == order.credit:
            return Rejected("same_wallet", f"{order.debit} is on both sides")
        if order.debit != ISSUANCE:
            refused = self._debit_refusal(order)
            if refused is not None:
                return refused
        return None if order.credit == ISSUANCE else self._credit_refusal(order)

    def _debit_refusal(self, order: Order) -> Rejected | None:
        wallet = self.usable(order.debit)
        if isinstance(wallet, Rejected):
            return wallet
        available = wallet.balance.available
        if order.amount > available:
            return Rejected("insufficient", f"{order.debit} has {yuan(available)}, not {yuan(order.amount)}")
        if order.forced:
            return None
        hold = self.hold_on(order.debit)
        if hold is not None:  # C10
            frozen = available if hold["amount"] is None else min(hold["amount"], available)
            if order.amount > available - frozen:
                return self._frozen(order.debit, hold, available - frozen)
        if order.kind == PENDING and wallet.open_debits >= MAX_OPEN_DEBITS:
            return Rejected("limit", f"{order.debit} has {MAX_OPEN_DEBITS} open pending transfers; void some first")
        over = over_limit(wallet, self.limits(wallet), order.amount, self._day, self._month // 100)
        return None if over is None else Rejected("over_limit", f"{order.debit}: {over}")

    def _frozen(self, name: str, hold: Any, left: int) -> Rejected:
        finding: Any = self.view.get(finding_key(hold["finding"]))
        basis = "; ".join(finding.get("legal_basis", ())) or finding["rule"]
        until = moment_text(hold["until_ms"])
        detail = f"{name} is frozen until {until} by finding {hold['finding']} ({basis[:256]}); {yuan(left)} are free"
        return Rejected("frozen", detail)

    def _credit_refusal(self, order: Order) -> Rejected | None:
        wallet = self.usable(order.credit)
        if isinstance(wallet, Rejected):
            return wallet
        over = None if order.forced else over_balance(wallet, self.limits(wallet), order.amount)
        return None if over is None else Rejected("receiver_over_limit", f"{order.credit}: {over}")

    def post(self, order: Order) -> int:
        """Move the money, of an order that was not refused; return the movement's number."""
        number = self.totals.balance.count = self.totals.balance.count + 1
        movement = Movement(
            number,
            *self.origin[:2],
            order.kind,
            order.debit,
            order.credit,
            order.amount,
            order.reserved,
            order.code,
            order.reference,
            order.end_to_end,
            order.about,
            order.pending,
            self.origin.tx,
        )
        hashed = movement.hash
        self._leg(DEBIT, movement, hashed)
        self._leg(CREDIT, movement, hashed)
        return number

    def _leg(self, side: str, movement: Movement, hashed: bytes) -> None:
        name = movement.debit if side == DEBIT else movement.credit
        if name == ISSUANCE:
            apply_leg(self.issuance, side, movement, hashed, reverse=True)
            return
        wallet = self.wallet(name)
        if wallet is None:
            raise ValueError(f"{name} moves money and is no wallet")
        if wallet.month != self._month:  # C13
            self.view.put(month_key(name, self._month), wallet.balance.encoded())
            wallet.month = self._month
        if side == DEBIT:
            self._count_debit(wallet, movement)
        apply_leg(wallet.balance, side, movement, hashed)
        wallet.height = self.origin.height

    def _count_debit(self, wallet: Wallet, movement: Movement) -> None:
        if movement.kind in (POST, VOID):
            wallet.open_debits -= 1
            return
        wallet.open_debits += movement.kind == PENDING
        year = self._month // 100
        wallet.day_out = movement.amount + (wallet.day_out if wallet.day == self._day else 0)  # C8
        wallet.year_out = movement.amount + (wallet.year_out if wallet.year == year else 0)
        wallet.day, wallet.year = self._day, year

    # The end

    def write(self) -> Result:
        """Write what changed; return what receipts say of it: the movements' numbers and the wallets' totals."""
        view, sums = self.view, self.totals.balance
        shown: dict[str, list[str]] = {}
        institutions: dict[str, list[int]] = {}
        for name, wallet in self._wallets.items():
            after, (count, (debits, credits, debits_pending, credits_pending)) = wallet.balance, self._before[name]
            view.put(wallet_key(name), wallet.encoded())
            if after.count == count and name not in self._new:
                continue
            sums.debits_posted += after.debits_posted - debits  # C1
            sums.credits_posted += after.credits_posted - credits
            sums.debits_pending += after.debits_pending - debits_pending
            sums.credits_pending += after.credits_pending - credits_pending
            shown[name] = after.texts()
            institution, _, wallet_id = name.partition("/")
            change = institutions.setdefault(institution, [0, 0, 0])
            change[wallet_id == VAULT] += after.posted - (credits - debits)
            change[2] += name in self._new
        for institution, (customers, vault, wallets) in institutions.items():
            self._sum(institution, customers, vault, wallets)
        self._wallets, self._before = {}, {}
        if self._issuance is not None:
            issued = self._issuance
            view.put(
                ISSUANCE_KEY,
                [issued.debits_posted, issued.credits_posted, issued.credits_pending, issued.count, issued.head],
            )
        self.totals.write(view)
        if sums.count < self.first:
            return {"wallets": shown}
        return {"first": self.first, "last": sums.count, "wallets": shown}

    def _sum(self, institution: str, customers: int, vault: int, wallets: int) -> None:
        key = institution_key(institution)
        record: Any = self.view.get(key)
        before = (record[0] + customers, record[1] + vault, record[2] + wallets)
        self.view.put(key, [*before, *record[3:]])


def post(view: View, origin: Origin, orders: Sequence[Order]) -> Result | Rejected:
    """Move money by all of these orders, or by none: what ``Posting.write`` returns, or the first refusal.

    Who may is for the caller to know.
    """
    posting = Posting(view, origin, len(orders))
    for order in orders:
        refused = posting.refusal(order)
        if refused is not None:
            return refused
        posting.post(order)
    return posting.write()
