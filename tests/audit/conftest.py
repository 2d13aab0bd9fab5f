"""A chain whose validators change without a ballot, and sources of its blocks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Self

import pytest

from coseal.contracts import registry
from coseal.contracts.registry import CONTRACTS
from coseal.ledger.block import CommittedBlock
from coseal.ledger.genesis import PROTOCOL_VERSION, Genesis
from coseal.ledger.handover import Handover
from coseal.ledger.transaction import Transaction
from coseal.ledger.validators import Validator, ValidatorSet
from tests.support import chain as chains
from tests.support.genesis import VALIDATORS, make_genesis
from tests.support.keys import signer, validator


def seat(name: str, role: str) -> Validator:
    """Return the seat of a node that bears the name of its member."""
    return Validator(name, name, role, validator(name).public_key)


class Chain(chains.Chain):
    """A chain of four members whose blocks have one transaction each; it goes to any other set of validators."""

    def __init__(self, genesis: Genesis | None = None) -> None:
        self.following: ValidatorSet | None = None
        promoting = replace(CONTRACTS["membership"], begin=self._promote)
        rules = {PROTOCOL_VERSION: {**registry.CONTRACTS, "membership": promoting}}
        super().__init__(genesis or make_genesis(members=VALIDATORS, state_bits=4, tenure=3), rules)
        self.handovers: list[Handover] = []

    def _promote(self, view, moment) -> dict:
        """Make the set that waits the next one, as an accepted ballot would."""
        if self.following is None:
            return CONTRACTS["membership"].begin(view, moment)
        rows = [[seat.id, seat.member, seat.role, seat.key] for seat in self.following.validators]
        view.put("membership/validators", [self.following.epoch, rows])
        return {"validators": {"epoch": self.following.epoch, "first_height": moment.height + 1, "rows": rows}}

    def change(self, *, add: Validator | None = None, remove: str = "", **changed: str) -> Self:
        """Hand over, with one more block, to a set with a validator more, or less, or in part ``changed``."""
        seats = [seat for seat in self.executor.validators.validators if seat.id != remove]
        seats = [
            replace(seat, key=signer(changed[seat.id]).public_key) if seat.id in changed else seat for seat in seats
        ]
        seats = sorted([*seats, *([add] if add else [])], key=lambda seat: seat.id)
        self.following = ValidatorSet(self.executor.validators.epoch + 1, tuple(seats))
        committed = self.add()
        self.handovers.append(Handover(committed.block.header, committed.certificate, self.following))
        self.following = None
        return self

    def transaction(
        self, *, action: str = "nothing", sender: str = "regulator/admin", contract: str = "membership", **args: Any
    ) -> bytes:
        """Return a transaction of the next block; one that does nothing is refused."""
        return self.sign(sender, f"{contract}.{action}", args).raw

    def add(self, transactions: int | Sequence[bytes] = 1, **changes: Any) -> CommittedBlock:
        """Commit a block with so many transactions, or with these."""
        raws = [self.transaction() for _ in range(transactions)] if isinstance(transactions, int) else transactions
        return self.extend([Transaction.decode(raw) for raw in raws], **changes)

    def grow(self, count: int, transactions: int = 1) -> Self:
        """Commit so many blocks of refused transactions: their receipts and the roots of the state are all there is."""
        for _ in range(count):
            self.add(transactions)
        return self


class ListSource:
    """A source that is a list of block bytes; ``claims`` is the tip it tells."""

    def __init__(self, blocks, name: str = "list", claims: int | None = None, handovers=()) -> None:
        self.handed = handovers
        self.raws = [block if isinstance(block, bytes) else block.encode() for block in blocks]
        self.name = name
        self.claims = len(self.raws) if claims is None else claims

    def tip(self) -> int:
        return self.claims

    def blocks(self, first: int, last: int) -> Iterator[bytes]:
        yield from self.raws[first - 1 : last]

    def handovers(self) -> Iterator[bytes]:
        yield from (handover.encode() for handover in self.handed)


@pytest.fixture
def chain() -> Chain:
    """A chain of twelve blocks, one transaction each."""
    return Chain().grow(12)


@pytest.fixture
def make_chain() -> Callable[..., Chain]:
    return Chain


@pytest.fixture
def list_source() -> type[ListSource]:
    return ListSource
