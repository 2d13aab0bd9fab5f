"""Cases of trade: receivables on as many lines as there may be, financing, payment, many that fall due at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from bench.budget.scene import DAY_MS, Result, Scene, time_case
from bench.standards import kept, view_of
from coseal.contracts.credit.facts import PAGE_ENTRIES
from coseal.contracts.credit.figures import FELL_OVERDUE, SETTLED_LATE, Entry, Figure, Place, after, month_of
from coseal.contracts.credit.state import entries_key, fact_key, month_key, origin_key
from coseal.contracts.currency.ledger import ISSUANCE, MAX_AMOUNT, POSTED, Wallet
from coseal.contracts.currency.post import Order, Origin, Posting
from coseal.contracts.kernel.action import View
from coseal.contracts.process.state import source_key
from coseal.contracts.supervision.state import holds_key
from coseal.contracts.trade.ledger import ACCEPTED, Receivable
from coseal.contracts.trade.lines import MAX_LINES
from coseal.contracts.trade.moving import MAX_PARTS
from coseal.contracts.trade.netting import MAX_OBLIGATIONS, MAX_PARTIES, Entered, in_run, obligations
from coseal.contracts.trade.runs import CLEARING_MS, run_of
from coseal.contracts.trade.solving import solve
from coseal.contracts.trade.state import book_key, entered_key, exposure_key, receivable_key

DEBTOR, CREDITOR, BANK = "enterprise-a", "central-bank", "bank-a"
WALLETS: Final = {DEBTOR: "bank-a/debtor", CREDITOR: "bank-a/creditor", BANK: "bank-a/own"}
ORDERS: Final = json.loads((Path(__file__).parents[2] / "examples/rules/orders.type.json").read_text("utf-8"))
AMOUNT: Final = 100_000
MANY: Final = 1_000
TIME: Final = "2023-11-01T00:00:00Z"


def trading() -> Iterator[Result]:
    """Acts of trade, each at its largest."""
    scene = founded()
    yield time_case("a receivable on 64 lines is issued", scene, _sign(scene, CREDITOR, "issue", issuing(scene)))
    scene.must(CREDITOR, "trade.issue", issuing(scene))
    accept = {"receivable": "R1", "autopay": WALLETS[DEBTOR]}
    yield time_case("a receivable on 64 lines is accepted", scene, _sign(scene, DEBTOR, "accept", accept))
    scene.must(DEBTOR, "trade.accept", accept)
    parts = {"receivable": "R1", "amounts": [AMOUNT * MAX_LINES // MAX_PARTS] * MAX_PARTS}
    yield time_case("a receivable is split into 16 parts", scene, _sign(scene, CREDITOR, "split", parts))
    against = [{"object": ["orders", "order_line", f"none{at}"], "amount": AMOUNT} for at in range(MAX_LINES)]
    until_ms = scene.chain.executor.time_ms + DAY_MS
    offer = {"receivable": "R1", "to": BANK, "against": against, "recourse": True, "expires_ms": until_ms}
    transfer = _sign(scene, CREDITOR, "offer_transfer", offer)
    yield time_case("a transfer against 64 lines is refused", scene, transfer, expected="no_debt_between")
    finance = {"receivable": "R1", "kind": "pledge", "advance": AMOUNT, "fee": 1, "recourse": True}
    finance |= {"from": WALLETS[BANK], "wallet": WALLETS[BANK], "expires_ms": until_ms}
    yield time_case("a bank offers to finance", scene, _sign(scene, BANK, "offer_finance", finance))
    scene.must(BANK, "trade.offer_finance", finance)
    taken = {"receivable": "R1", "bank": BANK, "wallet": WALLETS[CREDITOR]}
    yield time_case("a bank's offer is accepted", scene, _sign(scene, CREDITOR, "accept_finance", taken))
    scene.must(CREDITOR, "trade.accept_finance", taken)
    settle = {"receivable": "R1", "amount": AMOUNT * MAX_LINES, "from": WALLETS[DEBTOR]}
    yield time_case("a pledged receivable is paid", scene, _sign(scene, DEBTOR, "settle", settle))
    yield from _due()
    yield from _netting()


def _due() -> Iterator[Result]:
    """Many receivables that fall due at one time and pay themselves."""
    scene = founded()
    due_ms = scene.chain.executor.time_ms + 30 * DAY_MS
    for _ in range(MANY // MAX_PARTS + 1):
        asked = {**issuing(scene), "due_ms": due_ms}
        name = scene.must(CREDITOR, "trade.issue", asked).data["receivables"][0]["id"]
        scene.must(DEBTOR, "trade.accept", {"receivable": name, "autopay": WALLETS[DEBTOR]})
        parts = {"receivable": name, "amounts": [asked["amount"] // MAX_PARTS] * MAX_PARTS}
        scene.must(CREDITOR, "trade.split", parts)
    yield time_case("1,000 receivables pay themselves at once", scene, after_ms=31 * DAY_MS)


def _netting() -> Iterator[Result]:
    """A run as large as there may be that clears whole, each of a wallet and an exposure of its own, and late."""
    scene, parties = founded(), [f"party{at}" for at in range(MAX_PARTIES)]
    executor = scene.chain.executor
    scene.must(BANK, "trade.open_run", {"closes_ms": executor.time_ms + 2 * CLEARING_MS})
    view = view_of(executor)
    posting, entered = Posting(view, Origin(executor.height, executor.time_ms)), Entered([], {})
    for number in range(1, MAX_OBLIGATIONS + 1):
        debtor = parties[number % MAX_PARTIES]
        holder = parties[(number + 1 + number // MAX_PARTIES) % MAX_PARTIES]
        wallet = f"{BANK}/w{number}"
        owed = Receivable(debtor, holder, holder, wallet, AMOUNT, AMOUNT, MAX_AMOUNT, ACCEPTED, "", executor.height)
        owed = replace(owed, financier=holder, nettable=True, run=1)
        view.put(receivable_key(number), owed.encoded())
        view.put(exposure_key(holder, debtor), AMOUNT)
        view.put(book_key(holder), MANY * AMOUNT)
        posting.open_wallet(wallet, Wallet(f"member:{holder}", "member", "", "corporate", claims=1))
        entered.numbers.append(number)
        entered.tally(owed, 1)
        view.put(origin_key(f"R{number}"), [debtor, 1970_01, FELL_OVERDUE, 1])
    posting.write()
    _nearly_full(view, parties, month_of(executor.time_ms + 2 * CLEARING_MS))
    view.put(entered_key(1), [entered.numbers, entered.parties])
    view.put(holds_key("trade"), 1)
    kept(executor, view)
    found = in_run(executor.reader, 1)
    run = run_of(executor.reader, 1)
    if run is None:
        raise SystemExit("there is no run")
    solved = solve(obligations(executor.reader, run, found))
    args = {"run": "N1", "cleared": solved.cleared, "potentials": solved.potentials}
    clear = _sign(scene, BANK, "clear", args)
    yield time_case("a run of 1,000 obligations clears", scene, clear, after_ms=2 * CLEARING_MS)


def _nearly_full(view: View, parties: Sequence[str], month: int) -> None:
    """Give each party a page of facts that has room for one more."""
    for party in parties:
        place, figure, page = Place(party, month, SETTLED_LATE), Figure(), []
        for number in range(1, PAGE_ENTRIES):
            entry = Entry(number, 1, 0, "", f"R{number}", parties[0], AMOUNT, 1, "", 1)
            figure = after(figure, place, entry)
            page.append([list(entry), "", 0])
        view.put(fact_key(*place), list(figure))
        view.put(entries_key(*place, 0), page)
        view.put(month_key(party, month), [SETTLED_LATE])


def _sign(scene: Scene, member: str, action: str, args: dict[str, Any]) -> Any:
    return scene.chain.signed(member, f"trade.{action}", args)


def founded(*, state_bits: int = 12) -> Scene:
    """Return a scene with wallets full of money, and lines that may be recorded."""
    scene = Scene(state_bits=state_bits)
    scene.must(CREDITOR, "currency.admit_institution", {"member": BANK})
    executor = scene.chain.executor
    view = view_of(executor)
    posting = Posting(view, Origin(executor.height, executor.time_ms))
    posting.post(Order(POSTED, ISSUANCE, "bank-a/vault", MAX_AMOUNT, supply=True))
    for member, name in WALLETS.items():
        posting.open_wallet(name, Wallet(f"member:{member}", "member", "", "corporate"))
        posting.post(Order(POSTED, "bank-a/vault", name, MAX_AMOUNT // 10))
    posting.write()
    kept(executor, view)
    scene.must(DEBTOR, "process.define_type", ORDERS)
    for member in (DEBTOR, CREDITOR):
        scene.must(member, "process.register_source", {"id": "erp", "process_type": "orders", "mode": "historical"})
    scene.must(BANK, "trade.set_limit", {"debtor": DEBTOR, "amount": MAX_AMOUNT})
    return scene


def issuing(scene: Scene) -> dict[str, Any]:
    """Record 64 new lines that match; return the arguments of an issue on them."""
    height = scene.chain.executor.height
    names = [f"{DEBTOR}/{height}/{at}" for at in range(MAX_LINES)]
    unit, net = {"unit": "KGM", "currency": "CNY"}, f"{AMOUNT // 100}.00"
    kinds = (
        (DEBTOR, CREDITOR, "Order line placed", {"quantity": "1", "net_amount": net, **unit}),
        (DEBTOR, CREDITOR, "Goods received", {"accepted": "1", "unit": "KGM"}),
        (CREDITOR, DEBTOR, "Invoice line issued", {"quantity": "1", "net_amount": net, **unit}),
    )
    for number, (member, other, kind, said) in enumerate(kinds):
        items = [
            {
                "event": f"{number}{name}",
                "type": kind,
                "time": TIME,
                "objects": [["order_line", name]],
                "attributes": said,
                "counterparty": other,
            }
            for name in names
        ]
        source: Any = view_of(scene.chain.executor).get(source_key(f"{member}/erp"))
        batch = {"source": "erp", "sequence": source["sequence"] + 1, "items": items}
        scene.must(member, "process.record", batch)
    amount = AMOUNT * MAX_LINES
    lines = [{"object": ["orders", "order_line", name], "amount": AMOUNT} for name in names]
    invoice = {"number": f"B{height}", "date": "2026-03-31", "total": amount}
    due_ms = scene.chain.executor.time_ms + 100 * DAY_MS
    args = {"debtor": DEBTOR, "amount": amount, "tax": 0, "due_ms": due_ms, "lines": lines, "invoice": invoice}
    return {**args, "wallet": WALLETS[CREDITOR]}
