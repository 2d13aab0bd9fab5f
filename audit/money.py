"""What all wallets have, summed one by one from the state, beside what was issued and what the ledger's sums say.

Law: nothing here rests on the contract's own bookkeeping; each wallet is read as a block left it, so a contract that
makes money, and adjusts its sums to hide that, is found out at the block in which it does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from coseal.contracts.currency.ledger import VAULT, Balance, Wallet
from coseal.contracts.currency.post import issuance_of
from coseal.contracts.currency.state import ISSUANCE_KEY, TOTALS_KEY, WALLETS, institution_key
from coseal.ledger.codec import decode_own
from coseal.ledger.state import split_entry

_INSTITUTIONS: Final = institution_key("")
_SUMS: Final = ("debits_posted", "credits_posted", "debits_pending", "credits_pending")


@dataclass(slots=True)
class Institution:
    """What one institution's wallets have together, in fen: those of customers, its vault, and how many there are."""

    customers: int = 0
    vault: int = 0
    wallets: int = 0


@dataclass(slots=True)
class Money:
    """The balances of all wallets at a height; ``take`` what a block wrote, then ask for the ``fault``."""

    issuance: Balance = field(default_factory=Balance)
    institutions: dict[str, Institution] = field(default_factory=dict)
    sums: Balance = field(default_factory=Balance)
    _wallets: dict[str, Balance] = field(default_factory=dict)
    _said: dict[str, list[Any]] = field(default_factory=dict)
    _totals: list[Any] | None = None
    _overdrawn: str = ""

    @property
    def circulating(self) -> int:
        """What was issued and not redeemed, in fen."""
        return -self.issuance.posted

    @property
    def wallets(self) -> int:
        """How many wallets there are."""
        return len(self._wallets)

    def take(self, entries: Iterable[bytes | None]) -> bool:
        """Take the entries of the state that a block wrote; say whether any of them was about money."""
        found = False
        for name, value in _currency(entries):
            found = True
            if name.startswith(WALLETS):
                self._wallet(name.removeprefix(WALLETS), Wallet.decoded(value).balance)
            elif name.startswith(_INSTITUTIONS):
                self._said[name.removeprefix(_INSTITUTIONS)] = value
            elif name == ISSUANCE_KEY:
                self.issuance = issuance_of(value)
            elif name == TOTALS_KEY:
                self._totals = value
        return found

    def _wallet(self, name: str, after: Balance) -> None:
        before = self._wallets.get(name)
        institution, _, wallet_id = name.partition("/")
        sums = self.institutions.setdefault(institution, Institution())
        sums.wallets += before is None
        moved = after.posted - (0 if before is None else before.posted)
        if wallet_id == VAULT:
            sums.vault += moved
        else:
            sums.customers += moved
        for total in _SUMS:
            was = 0 if before is None else getattr(before, total)
            setattr(self.sums, total, getattr(self.sums, total) + getattr(after, total) - was)
        if after.available < 0:
            self._overdrawn = self._overdrawn or name
        self._wallets[name] = after

    def fault(self) -> str | None:
        """Say in words how the wallets contradict what was issued or what the ledger says of them, or None."""
        if self.sums.posted != self.circulating:  # A25
            return f"all wallets have {self.sums.posted} fen, {self.circulating} were issued and not redeemed"
        incoming, redeeming = self.sums.credits_pending, self.issuance.credits_pending
        if self.sums.debits_pending != incoming + redeeming:
            return f"{self.sums.debits_pending} fen are reserved, for {incoming} in wallets and {redeeming} to redeem"
        if self._overdrawn:
            return f"{self._overdrawn} has paid and reserved more than it received"
        return self._untrue()

    def _untrue(self) -> str | None:
        """Say which of the ledger's own sums the wallets contradict, or None."""
        summed = [self.wallets, *self.sums.encoded()[:4]]
        if self._totals is not None and self._totals[:5] != summed:
            return "the sums over all wallets that the ledger has are not those of its wallets"
        for member, sums in self.institutions.items():
            said = self._said.get(member)
            if said is None or said[:3] != [sums.customers, sums.vault, sums.wallets]:
                return f"the sums that the ledger has for institution {member} are not those of its wallets"
        return None

    def to_json(self) -> dict[str, Any]:
        """Return what there is, in fen."""
        rows = {
            name: {"customers": one.customers, "vault": one.vault, "wallets": one.wallets}
            for name, one in sorted(self.institutions.items())
        }
        return {
            "issued": self.issuance.debits_posted,
            "redeemed": self.issuance.credits_posted,
            "redeeming": self.issuance.credits_pending,
            "circulating": self.circulating,
            "in_wallets": self.sums.posted,
            "reserved": self.sums.debits_pending,
            "wallets": self.wallets,
            "institutions": rows,
        }


def _currency(entries: Iterable[bytes | None]) -> Iterator[tuple[str, Any]]:
    """Yield the keys of the currency among entries, with their values; none of them is ever deleted."""
    for entry in entries:
        key, value = (b"", b"") if entry is None else split_entry(entry)
        if key.startswith((WALLETS.encode(), _INSTITUTIONS.encode(), ISSUANCE_KEY.encode(), TOTALS_KEY.encode())):
            yield key.decode(), decode_own(value)
