"""Mistakes in trade: a claim financed twice, receipts claimed twice, money without the right, exposure miscounted."""

from __future__ import annotations

from typing import Final

from simulation.mutations.mutant import Mutant, one

_TRADE = "coseal.contracts.trade"
_SUITE = "tests/contracts/trade"

MUTANTS: Final[dict[str, Mutant]] = {
    "financed_twice": one(
        "a receivable that a bank finances is offered to another",
        f"{_TRADE}.financing",
        "    if not receivable.financier:\n",
        "    if receivable is not None:\n",
        _SUITE,
    ),
    "offer_outlives": one(
        "an offer stands when the receivable changed hands since",
        f"{_TRADE}.moving",
        '    if offer["turn"] != receivable.turn:  # D11',
        '    if offer["turn"] > receivable.turn:  # D11',
        _SUITE,
    ),
    "pledge_forgotten": one(
        "a pledged receivable is free",
        f"{_TRADE}.ledger",
        "        if self.pledgee:\n",
        "        if self.pledgee and self.status != ACCEPTED:\n",
        _SUITE,
    ),
    "receipts_twice": one(
        "what is owed on a line already is not counted",
        f"{_TRADE}.lines",
        "        left = match.payable_amount - used(view, debtor, line.place)",
        "        left = match.payable_amount - 0 * used(view, debtor, line.place)",
        _SUITE,
    ),
    "invoice_by_spelling": one(
        "another spelling of an invoice's number is another invoice",
        f"{_TRADE}.ledger",
        "number.translate(_CAPITALS)",
        "number",
        _SUITE,
    ),
    "advance_unpaid": one(
        "a bank that buys a receivable keeps its money",
        f"{_TRADE}.financing",
        '        books.pay(offer["from"], args["wallet"], offer["advance"], "TRAD", number)\n',
        '        books.pay(offer["from"], args["wallet"], 0, "TRAD", number)\n',
        _SUITE,
    ),
    "holder_before_loan": one(
        "what is paid on a pledged receivable goes to its holder",
        f"{_TRADE}.paying",
        "    if receivable.loan:  # D5",
        "    if receivable.loan < 0:  # D5",
        _SUITE,
    ),
    "exposure_kept": one(
        "what a debtor pays stays in a bank's exposure",
        f"{_TRADE}.books",
        "        exposed[pair] = exposed.get(pair, 0) + sign * receivable.outstanding",
        "        exposed[pair] = exposed.get(pair, 0) + sign * receivable.amount",
        _SUITE,
    ),
    "claim_closes": one(
        "a wallet that a claim names can be closed",
        f"{_TRADE}.books",
        "            wallet.claims += change  # D14",
        "            wallet.claims += 0 * change  # D14",
        _SUITE,
    ),
    "favoured_clearing": one(
        "a clearing that is balanced passes, though more would clear",
        f"{_TRADE}.clearing",
        "(reduced < 0 and amount < one.amount)",
        "(reduced < 0 and amount < 0 * one.amount)",
        _SUITE,
    ),
    "spoilt_by_a_fen": one(
        "a debtor pays a fen in the clearing hour",
        f"{_TRADE}.runs",
        "phase(run, time_ms) == CLEARING else None",
        "phase(run, time_ms) == ENDED else None",
        _SUITE,
    ),
    "cleared_on_hold": one(
        "a party on hold clears what it owes",
        f"{_TRADE}.netting",
        "out = bool(_hindrance(one)) or one.debtor in apart or one.holder in apart",
        "out = bool(_hindrance(one))",
        _SUITE,
    ),
    "credit_by_two": one(
        "a credit note needs no word of the bank that has it in pledge",
        f"{_TRADE}.disputes",
        "all(agreed.get(party) == amount for party in parties)",
        "all(agreed.get(party) == amount for party in (receivable.debtor, receivable.holder))",
        _SUITE,
    ),
}
