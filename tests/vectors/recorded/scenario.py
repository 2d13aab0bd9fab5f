"""A scenario on a chain, block by block; what was offered to the chain is kept, to be executed again.

Law: keys, genesis and block times are fixed, so the same scenario gives the same bytes. Every step states its outcome,
and the scenario ends at the first step with another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from coseal.contracts.registry import CONTRACTS
from coseal.ledger.block import Receipt
from coseal.ledger.genesis import Genesis
from coseal.ledger.transaction import Transaction
from tests.support.chain import Chain
from tests.support.genesis import make_genesis
from tests.support.keys import signer
from tests.support.others import TALLIES

VERSIONS: Final = {1: CONTRACTS, 2: CONTRACTS}
"""The rules of the second version are those of the first: there is one to change to."""
VALIDATORS: Final = ("bank-a", "central-bank", "city", "enterprise-a", "regulator")
DAY_MS: Final = 86_400_000


class Offered(NamedTuple):
    """What was offered to the chain: the next block, or one that it refused whole (``code``)."""

    time_ms: int
    transactions: tuple[bytes, ...]
    code: str = ""


class Step(NamedTuple):
    """A transaction and the code of its receipt."""

    code: str
    transaction: Transaction


def genesis() -> Genesis:
    """Return the genesis of the recorded chain: members of every role, five of which run a validator."""
    return make_genesis("recorded", registrars=("regulator", "city"), validators=VALIDATORS, money=True)


class Scenario:
    """What members do on one chain. ``bank-a`` is short for ``bank-a/admin``; a node is ``node:ID``."""

    def __init__(self) -> None:
        self.chain = Chain(genesis(), VERSIONS, TALLIES)
        self.offered: list[Offered] = []
        self._refused: list[Step] = []

    # Blocks

    def sign(self, sender: str, name: str, /, **args: Any) -> Transaction:
        """Return a transaction for the next block."""
        return self.chain.sign(sender if "/" in sender or ":" in sender else f"{sender}/admin", name, args)

    def step(self, code: str, sender: str, name: str, /, **args: Any) -> Step:
        """Return a step of a block that has several."""
        return Step(code, self.sign(sender, name, **args))

    def block(self, *steps: Step, later_ms: int = 0) -> list[Receipt]:
        """Commit a block, after what was refused since the last one; return the receipts of ``steps``."""
        if later_ms and self._refused:
            self.block()
        count = len(steps)
        steps, self._refused = (*self._refused, *steps), []
        time_ms = self.chain.now_ms + later_ms
        self.offered.append(Offered(time_ms, tuple(step.transaction.raw for step in steps)))
        receipts = self.chain.block(*(step.transaction for step in steps), time_ms=time_ms)
        for step, receipt in zip(steps, receipts, strict=True):
            name = f"{step.transaction.contract}.{step.transaction.action} by {step.transaction.sender}"
            if receipt.code != step.code:
                found = f"{receipt.code} {receipt.detail}"
                raise RuntimeError(f"{name} in block {self.chain.executor.height}: expected {step.code}, found {found}")
        return receipts[len(steps) - count :]

    def refuse(self, code: str, transactions: Sequence[Transaction], time_ms: int | None = None) -> None:
        """Offer a block that is refused whole."""
        time_ms = self.chain.now_ms if time_ms is None else time_ms
        self.offered.append(Offered(time_ms, tuple(tx.raw for tx in transactions), code))

    def ok(self, sender: str, name: str, /, **args: Any) -> dict[str, Any]:
        """Commit an action that is accepted; return its result."""
        return self.block(self.step("ok", sender, name, **args))[-1].data

    def no(self, code: str, sender: str, name: str, /, **args: Any) -> None:
        """Have an action refused in the next block."""
        self._refused.append(self.step(code, sender, name, **args))

    def wait(self, duration_ms: int) -> dict[str, Any]:
        """Commit an empty block so much later; return what it began with."""
        self.block(later_ms=duration_ms)
        return self.chain.begun

    # What is there

    @property
    def now_ms(self) -> int:
        """The time of the next block."""
        return self.chain.now_ms

    def get(self, key: str) -> Any:
        """Return a state value."""
        return self.chain.get(key)

    def key(self, who: str) -> str:
        """Return the public key that belongs to a name."""
        return signer(who).public_key.hex()

    def electors(self, *, but: str = "") -> list[str]:
        """Return the members that have a vote."""
        members = dict.fromkeys(seat.member for seat in self.chain.executor.validators.validators)
        return [member for member in sorted(members) if member != but]

    # Ballots

    def vote(self, contract: str, ballot: str, choice: str = "yes", *, but: str = "") -> dict[str, Any]:
        """Have the electors vote, one after another, until the ballot is decided; return the last result."""
        result: dict[str, Any] = {}
        for member in self.electors(but=but):
            result = self.ok(member, f"{contract}.vote", ballot=ballot, choice=choice, reason=f"{member} says {choice}")
            if result["status"] != "open":
                break
        return result

    def decided(self, contract: str, ballot: str, status: str, choice: str = "yes", *, but: str = "") -> dict[str, Any]:
        """Vote until a ballot is decided, as ``status``; return the last result."""
        result = self.vote(contract, ballot, choice, but=but)
        if result["status"] != status:
            raise RuntimeError(f"{contract} ballot {ballot} is {result['status']}, not {status}")
        return result
