"""Moves about trade: lines that match, receivables on them, offers, loans, payments, disputes, cases.

Law: after every block exposures and what wallets are named by are what the receivables and loans themselves say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.currency.ledger import LIMITS
from coseal.contracts.currency.post import wallet_of
from coseal.contracts.kernel.action import Reader
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.process.state import object_key, source_key, type_key
from coseal.contracts.supervision.findings import about
from coseal.contracts.trade.ledger import OPEN, OWED, PROPOSED, SPLIT, Loan, Receivable
from coseal.contracts.trade.netting import in_run, obligations
from coseal.contracts.trade.paying import WRITE_OFF_MS
from coseal.contracts.trade.runs import CLEARING, ENDED, phase, run_of
from coseal.contracts.trade.solving import solve
from coseal.contracts.trade.state import COUNT_KEY, exposure_key, limit_key, loan_key, offer_key, receivable_key
from simulation.invariants import Violation
from simulation.walk.walker import Make, Move, Walker

DEBTOR, CREDITOR, BANK = "enterprise-a", "public-a", "bank-a"
WALLETS: Final[Mapping[str, str]] = {DEBTOR: "bank-a/one", CREDITOR: "bank-a/two", BANK: "bank-a/own"}
TYPE: Final = "purchases"
SOURCE: Final = "erp"
_UNIT: Final = {"unit": "KGM", "currency": "CNY"}
_TEXTS: Final = dict.fromkeys(_UNIT, "string")
_FIGURES: Final = {"quantity": "decimal", "net_amount": "decimal"}
ORDERS: Final[dict[str, Any]] = {
    "id": TYPE,
    "version": 1,
    "title": "Purchases",
    "object_types": {"order_line": {}},
    "event_types": {kind: {"attributes": {**_FIGURES, **_TEXTS}} for kind in ("Ordered", "Received", "Invoiced")},
    "tallies": {
        "order_line": {
            **{kind.lower(): [{"on": kind, "add": "quantity"}] for kind in ("Ordered", "Received", "Invoiced")},
            "ordered_amount": [{"on": "Ordered", "add": "net_amount", "scale": 2}],
            "invoiced_amount": [{"on": "Invoiced", "add": "net_amount", "scale": 2}],
        }
    },
    "match": {"order_line": {"currency": "currency"}},
}
AMOUNT: Final = 200_000
NEWEST: Final = 12
RUNS_MS: Final = (3_600_000, DAY_MS)
TERMS_MS: Final = (DAY_MS, 10 * DAY_MS, 60 * DAY_MS)
_NET: Final = {"quantity": "1", "net_amount": f"{AMOUNT // 100}.00", **_UNIT}


def _line(walk: Walker, buyer: str, seller: str, name: str) -> Move | dict[str, Any] | None:
    """Return the next move towards a line that matches, or the line as it is claimed."""
    if walk.get(type_key(TYPE)) is None:
        sender = walk.operator(BANK)
        return None if sender is None else Move(sender, "process.define_type", dict(ORDERS))
    record: Any = walk.get(object_key(TYPE, "order_line", name))
    count = 0 if record is None else record[0]
    if count >= 3:
        return {"object": [TYPE, "order_line", name], "amount": AMOUNT}
    member, other, kinds = (buyer, seller, ("Ordered", "Received")) if count < 2 else (seller, buyer, ("Invoiced",))
    sender = walk.operator(member)
    if sender is None:
        return None
    source: Any = walk.get(source_key(f"{member}/{SOURCE}"))
    if source is None:
        return Move(sender, "process.register_source", {"id": SOURCE, "process_type": TYPE, "mode": "historical"})
    time = "2023-11-01T00:00:00Z"
    items = [
        {
            "event": f"{name}{kind}",
            "type": kind,
            "time": time,
            "objects": [["order_line", name]],
            "attributes": dict(_NET),
            "counterparty": other,
        }
        for kind in kinds
    ]
    args = {"source": SOURCE, "sequence": source["sequence"] + 1, "items": items}
    return Move(sender, "process.record", args)


def _ready(walk: Walker, member: str) -> Move | None:
    """Return what a member's wallet lacks: to be opened, its limits taken off, or money in it; None for nothing."""
    name, vault = WALLETS[member], wallet_of(walk.sight.reader, f"{BANK}/vault")
    wallet, bank = wallet_of(walk.sight.reader, name), walk.operator(BANK, "pay")
    if bank is None or vault is None:
        return None
    if wallet is None:
        opened = {"id": name.partition("/")[2], "class": "corporate", "holder": f"member:{member}"}
        return Move(bank, "currency.open_wallet", opened)
    if any(limit is not None for limit in wallet.limits):
        sender, free = walk.operator(member, "pay"), dict.fromkeys(LIMITS)
        return None if sender is None else Move(sender, "currency.reclass_wallet", {"wallet": name, "limits": free})
    if wallet.balance.available < AMOUNT and vault.balance.available:
        amount = min(20 * AMOUNT, vault.balance.available)
        paid = {"from": f"{BANK}/vault", "to": name, "amount": amount, "code": "CASH"}
        return Move(bank, "currency.pay", paid)
    return None


def _issue(walk: Walker) -> Move | None:
    lacks = _ready(walk, walk.pick((CREDITOR, CREDITOR, DEBTOR, BANK)))
    if lacks is not None:
        return lacks
    sender, count = walk.operator(CREDITOR), walk.get(COUNT_KEY)
    number = 1 if count is None else count[0] + 1
    line = _line(walk, DEBTOR, CREDITOR, f"{DEBTOR}/W{number}/{walk.pick(range(4))}")
    if sender is None or line is None or isinstance(line, Move):
        return line if isinstance(line, Move) else None
    invoice = {"number": f"W{number}", "date": "2026-03-31", "total": AMOUNT}
    due_ms = walk.sight.time_ms + walk.pick(TERMS_MS)
    args = {"debtor": DEBTOR, "amount": AMOUNT, "tax": 0, "due_ms": due_ms, "lines": [line], "invoice": invoice}
    args["nettable"] = not walk.chance(4)
    return Move(sender, "trade.issue", {**args, "wallet": WALLETS[CREDITOR]})


def _newest(walk: Walker, back: int = NEWEST) -> list[tuple[int, Receivable]]:
    count: Any = walk.get(COUNT_KEY) or (0, 0)
    numbers = range(max(1, count[0] - back), count[0] + 1)
    return [(number, Receivable.decoded(walk.get(receivable_key(number)))) for number in numbers]


def _some(walk: Walker, *statuses: str, free: bool = False, recourse: bool = False) -> tuple[int, Receivable] | None:
    """Return one of the newest receivables of these statuses, mostly a ``free`` one if that is asked, or None.

    With ``recourse`` one whose last hand gave it.
    """
    fitting = [one for one in _newest(walk) if one[1].status in statuses]
    if recourse:
        fitting = [one for one in fitting if one[1].hands and one[1].hands[-1][1]]
    if free and not walk.chance(10):
        fitting = [one for one in fitting if not one[1].encumbrance]
    return walk.pick(fitting) if fitting else None


def _free(walk: Walker) -> tuple[int, Receivable] | None:
    """Return a receivable to move or to finance: mostly one that is offered, else the newest, so that acts meet."""
    if walk.chance(4):
        return _some(walk, "accepted", free=True)
    free = [one for one in _newest(walk) if one[1].status == "accepted" and not one[1].encumbrance]
    offered = [one for one in free if _offered(walk, *one)]
    return walk.pick(offered or free[-1:]) if free else None


def _offered(walk: Walker, number: int, receivable: Receivable) -> str:
    """Return the kind of what the bank is offered, or offers, and may still be accepted; nothing for none."""
    offer: Any = walk.get(offer_key(number, BANK))
    if offer is None or offer["turn"] != receivable.turn or offer["expires_ms"] <= walk.sight.time_ms:
        return ""
    return str(offer["kind"])


def _by(walk: Walker, member: str, action: str, number: int, /, **args: Any) -> Move | None:
    """Return an act about a receivable by a member, seldom by somebody else."""
    sender = walk.operator(walk.member() if walk.chance(20) else member)
    return None if sender is None else Move(sender, f"trade.{action}", {"receivable": f"R{number}", **args})


def _answer(walk: Walker) -> Move | None:
    found = _some(walk, PROPOSED)
    if found is None:
        return None
    number, debtor = found[0], found[1].debtor
    if walk.chance(5):
        return _by(walk, debtor, "reject", number, reason="Late")
    return _by(walk, debtor, "accept", number, **({"autopay": WALLETS[debtor]} if walk.chance(3) else {}))


def _move(walk: Walker) -> Move | None:
    """Split, or transfer from the creditor to the bank, or withdraw."""
    found = _free(walk)
    if found is None:
        return None
    number, receivable = found
    if walk.chance(6):
        half = receivable.outstanding // 2
        return _by(walk, receivable.holder, "split", number, amounts=[half, receivable.outstanding - half])
    offered = _offered(walk, number, receivable)
    if offered and walk.chance(8):
        return _by(walk, receivable.holder if offered == "transfer" else BANK, "withdraw_offer", number, member=BANK)
    if offered == "transfer" and not walk.chance(6):
        lacks = None if walk.chance(6) else _ready(walk, BANK)
        return lacks or _by(walk, BANK, "accept_transfer", number, wallet=WALLETS[BANK])
    if walk.chance(12):
        return _by(walk, walk.pick((BANK, CREDITOR)), "withdraw_offer", number, member=BANK)
    line = _line(walk, CREDITOR, BANK, f"{CREDITOR}/W{number}")
    if line is None or isinstance(line, Move):
        return line
    until_ms = walk.sight.time_ms + DAY_MS
    against = [{**line, "amount": receivable.outstanding or 1}]
    terms = {"against": against, "recourse": not walk.chance(4), "expires_ms": until_ms}
    return _by(walk, receivable.holder, "offer_transfer", number, to=BANK, **terms)


def _finance(walk: Walker) -> Move | None:
    sender, found = walk.operator(BANK, "treasury"), _free(walk)
    if sender is None or found is None:
        return None
    if walk.get(limit_key(BANK, DEBTOR)) is None or walk.chance(20):
        limit = walk.pick((3 * AMOUNT, 10**12))
        return Move(sender, "trade.set_limit", {"debtor": DEBTOR, "amount": limit})
    number, receivable = found
    if _offered(walk, number, receivable) not in ("", "transfer"):
        lacks = None if walk.chance(6) else _ready(walk, BANK)
        return lacks or _by(walk, receivable.holder, "accept_finance", number, bank=BANK, wallet=WALLETS[CREDITOR])
    kind, owed = walk.pick(("assignment", "pledge")), receivable.outstanding
    advance = owed if walk.chance(6) else min(owed, 1_000)
    terms = {"kind": kind, "advance": advance, "fee": owed - advance if kind == "assignment" else 0}
    wallets = {"from": WALLETS[BANK], "wallet": WALLETS[BANK], "recourse": not walk.chance(4)}
    args = {"receivable": f"R{number}", **terms, **wallets, "expires_ms": walk.sight.time_ms + DAY_MS}
    return Move(sender, "trade.offer_finance", args)


def _lapsed(walk: Walker, receivable: Receivable) -> bool:
    """Say whether a receivable may be written off by its time."""
    return walk.sight.time_ms >= receivable.due_ms + WRITE_OFF_MS


def _pay(walk: Walker) -> Move | None:
    """Settle, repay, name another wallet, claim and pay recourse, write off."""
    lapsed = [one for one in _newest(walk, 4 * NEWEST) if one[1].status == "overdue" and _lapsed(walk, one[1])]
    found = walk.pick(lapsed) if lapsed else _some(walk, "recourse") or _some(walk, "overdue", recourse=True)
    found = found or (_some(walk, "overdue") if walk.chance(2) else None)
    found = found or _some(walk, *sorted(OWED))
    if found is None:
        return None
    number, receivable = found
    if receivable.hands and receivable.status == "accepted" and not walk.chance(8):
        return None  # what was transferred falls due, so that there is recourse
    payer = receivable.hands[-1][0] if receivable.status == "recourse" else CREDITOR if receivable.loan else DEBTOR
    lacks = None if walk.chance(12) else _ready(walk, payer)
    if lacks is not None:
        return lacks
    holder, own = receivable.holder, WALLETS[receivable.holder]
    if receivable.loan and not walk.chance(3):
        sender = walk.operator(CREDITOR, "pay")
        left = Loan(**walk.get(loan_key(receivable.loan))).left
        amount = walk.pick((1_000, left, left, max(1, left // 2)))
        repay = {"loan": f"L{receivable.loan}", "amount": amount, "from": WALLETS[CREDITOR]}
        return None if sender is None else Move(sender, "trade.repay", repay)
    if receivable.status == "recourse" and not walk.chance(4):
        return _by(walk, payer, "pay_recourse", number, **{"from": WALLETS[payer]})
    if receivable.status == "overdue" and not walk.chance(3):
        action = "claim_recourse" if receivable.hands else "write_off"
        if action == "write_off" and not _lapsed(walk, receivable) and not walk.chance(12):
            return None  # it stays overdue until it may be written off
        return _by(walk, holder, action, number, **({"reason": "Insolvent"} if action == "write_off" else {}))
    if walk.chance(6):
        return _by(walk, holder, "set_wallet", number, wallet=own)
    amount = walk.pick((1_000, max(1, receivable.outstanding)))
    return _by(walk, DEBTOR, "settle", number, amount=amount, **{"from": WALLETS[DEBTOR]})


def _dispute(walk: Walker) -> Move | None:
    found = _some(walk, "accepted", "overdue", "recourse")
    if found is None:
        return None
    number, receivable = found
    if receivable.dispute is None:
        return _by(walk, DEBTOR, "dispute", number, reason="Broken") if walk.chance(3) else None
    if walk.chance(3):
        return _by(walk, receivable.holder, "answer", number, reason="It is not")
    amount = walk.pick((0, 1_000))
    judged = _decided(walk, number, amount) if walk.chance(2) else None
    if judged is not None:
        return judged
    return _by(walk, walk.pick((DEBTOR, receivable.holder, BANK)), "resolve", number, amount=amount)


def _decided(walk: Walker, number: int, amount: int) -> Move | None:
    """Have a supervisor resolve a dispute by its finding about the receivable, if there is one."""
    found = about(walk.sight.reader, "trade", "receivable", f"R{number}")
    sender = None if not found else walk.operator(found[0]["supervisor"], "supervise")
    args = {"receivable": f"R{number}", "amount": amount}
    return None if sender is None else Move(sender, "trade.resolve", {**args, "finding": found[0]["id"]})


def _net(walk: Walker) -> Move | None:
    """Open a run, enter it, leave it, clear it; seldom by amounts that are not the greatest."""
    counts: Any = walk.get(COUNT_KEY) or (0, 0, 0)
    number = counts[2]
    run, now_ms = run_of(walk.sight.reader, number), walk.sight.time_ms
    found_one = _some(walk, "accepted", "overdue", free=True)
    if run is None or phase(run, now_ms) == ENDED:
        sender = None if found_one is None and not walk.chance(10) else walk.operator(walk.member())
        return None if sender is None else Move(sender, "trade.open_run", {"closes_ms": now_ms + walk.pick(RUNS_MS)})
    if phase(run, now_ms) == CLEARING:
        sender, entered = walk.operator(walk.member()), in_run(walk.sight.reader, number)
        if sender is None or not entered:
            return None
        found = solve(obligations(walk.sight.reader, run, entered))
        cleared = [amount + walk.pick((0, 1)) for amount in found.cleared] if walk.chance(4) else found.cleared
        return Move(sender, "trade.clear", {"run": f"N{number}", "cleared": cleared, "potentials": found.potentials})
    ring = _back(walk) if walk.chance(3) else None
    if ring is not None:
        return ring
    if found_one is None:
        return None
    action = "withdraw" if found_one[1].run == number else "enter"
    args = {"run": f"N{number}", "receivables": [f"R{found_one[0]}"]}
    sender = walk.operator(found_one[1].holder)
    return None if sender is None else Move(sender, f"trade.{action}", args)


def _back(walk: Walker) -> Move | None:
    """Return a step towards a debt of the creditor to its debtor, which closes a ring."""
    lacks, sender = _ready(walk, DEBTOR), walk.operator(DEBTOR)
    counts: Any = walk.get(COUNT_KEY) or (0, 0, 0)
    line = _line(walk, CREDITOR, DEBTOR, f"{CREDITOR}/B{counts[0]}")
    if lacks is not None or sender is None or line is None or isinstance(line, Move):
        return lacks or (line if isinstance(line, Move) else None)
    number = f"B{counts[0]}"
    invoice = {"number": number, "date": "2026-03-31", "total": AMOUNT}
    args = {"debtor": CREDITOR, "amount": AMOUNT, "tax": 0, "due_ms": walk.sight.time_ms + walk.pick(TERMS_MS)}
    args |= {"lines": [line], "invoice": invoice, "nettable": True, "wallet": WALLETS[DEBTOR]}
    return Move(sender, "trade.issue", args)


def _case(walk: Walker) -> Move | None:
    found, sender = _some(walk, "accepted", "overdue"), walk.operator(walk.member("government"), "supervise")
    if found is None or sender is None or not walk.chance(3):
        return None
    about = {"party": CREDITOR} if walk.chance(8) else {"receivable": f"R{found[0]}"}
    why = {"severity": "warning", "reason": "Insolvency", "legal_basis": ["external: an order"]}
    return Move(sender, "trade.open_case", {**about, **why})


KINDS: Final[dict[str, tuple[int, Make]]] = {
    "issue a receivable": (6, _issue),
    "answer a receivable": (3, _answer),
    "move a receivable": (10, _move),
    "finance a receivable": (9, _finance),
    "pay a receivable": (12, _pay),
    "dispute a receivable": (1, _dispute),
    "net receivables": (7, _net),
    "case about trade": (1, _case),
}


# The law


def rights(reader: Reader) -> None:
    """Raise ``Violation`` unless exposures and the claims on wallets are what receivables and loans say."""
    counts: Any = reader.get(COUNT_KEY) or (0, 0, 0)
    exposed: Counter[tuple[str, str]] = Counter({(BANK, DEBTOR): 0})
    claims: Counter[str] = Counter()
    for number in range(1, counts[0] + 1):
        receivable = Receivable.decoded(reader.get(receivable_key(number)))
        if not 0 <= receivable.outstanding <= receivable.amount:
            raise Violation(f"R{number} has {receivable.outstanding} of {receivable.amount} outstanding")
        if receivable.status not in OWED and receivable.status != PROPOSED:
            if receivable.outstanding:
                raise Violation(f"R{number} is {receivable.status} and {receivable.outstanding} are outstanding")
            if receivable.pledgee and receivable.status != SPLIT:
                raise Violation(f"R{number} is {receivable.status} and pledged")
            continue
        claims[receivable.wallet] += 1
        if receivable.financier:
            exposed[receivable.financier, receivable.debtor] += receivable.outstanding
    for number in range(1, counts[1] + 1):
        loan: Any = reader.get(loan_key(number))
        claims[loan["wallet"]] += loan["status"] == OPEN
    for pair, expected in exposed.items():
        said: Any = reader.get(exposure_key(*pair)) or 0
        if said != expected:
            raise Violation(f"the exposure of {pair[0]} to {pair[1]} is {said}, its receivables say {expected}")
    for name, expected in claims.items():
        wallet = wallet_of(reader, name)
        if wallet is None or wallet.claims != expected:
            raise Violation(f"{name} is named by {expected} claims, the state says otherwise")
