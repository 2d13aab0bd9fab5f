"""Mistakes with money: one fen made, a mandate used twice, a freeze that is none, a unit that is two."""

from __future__ import annotations

from typing import Final

from simulation.mutations.mutant import Mutant, one

_CURRENCY = "coseal.contracts.currency"
_SUITE = "tests/contracts/currency"

MUTANTS: Final[dict[str, Mutant]] = {
    "money_from_nothing": one(
        "a payment credits one fen more than it debits",
        f"{_CURRENCY}.ledger",
        "        balance.credits_posted += posted\n",
        "        balance.credits_posted += posted + (posted > 0)\n",
        _SUITE,
    ),
    "money_unwatched": one(
        "nobody compares what wallets have with what was issued",
        f"{_CURRENCY}.post",
        "    if totals.posted != -issued.posted:  # C1",
        "    if totals.posted < 0:  # C1",
        _SUITE,
    ),
    "money_burnt": one(
        "anybody pays money to where only redemptions go",
        f"{_CURRENCY}.post",
        "        if not order.supply and ISSUANCE in (order.debit, order.credit):",
        "        if not order.supply and ISSUANCE == order.debit:",
        _SUITE,
    ),
    "mandate_twice": one(
        "a mandate may be used again",
        f"{_CURRENCY}.authority",
        "        wallet.nonce += 1\n",
        "        wallet.nonce += 0\n",
        _SUITE,
    ),
    "escrow_for_a_fen": one(
        "the payer ends an escrow by posting a part of it",
        f"{_CURRENCY}.pending",
        '    if amount < record["amount"] and side == "payer"',
        '    if amount < record["amount"] and side == "nobody"',
        _SUITE,
    ),
    "issue_by_one_person": one(
        "who attested an instruction issues on it",
        f"{_CURRENCY}.supply",
        '    if attested["by"] == context.sender:  # C2',
        '    if attested["by"] == "":  # C2',
        _SUITE,
    ),
    "limits_in_utc": one(
        "a day of a limit begins at midnight UTC",
        f"{_CURRENCY}.ledger",
        "    return (time_ms + ZONE_MS) // DAY_MS",
        "    return time_ms // DAY_MS",
        _SUITE,
    ),
}
