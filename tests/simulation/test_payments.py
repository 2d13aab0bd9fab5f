"""Clients pay while a world runs, and what receipts say of money is added up again."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from simulation import payments, reading
from simulation.payments import HOLDERS, Book, Misbooked
from simulation.phases import Course
from simulation.reading import Seen
from simulation.run import run_options
from simulation.swarm import Options
from simulation.world import World

PAYING = Options(write_every_ms=40, tenure=1, pays=True, faults_ms=12_000, heights_min=60)


@pytest.fixture(scope="module")
def blocks() -> list[Seen]:
    """The blocks of a calm world in which clients pay."""
    world = World(replace(PAYING, fault_every_ms=10**9), random.Random(1))
    Course(world).start()
    assert world.run(lambda: world.goals["paid"] >= 30, 60_000)
    return list(world.invariants.chain.values())


def followed(blocks: list[Seen]) -> Book:
    book = Book()
    for seen in blocks:
        book.follow(seen)
    return book


def test_every_holder_is_paid_and_all_that_was_issued_is_there(blocks: list[Seen]) -> None:
    book = followed(blocks)
    assert book.payments >= 30
    assert book.outside > 0
    assert {f"{payments.BANK}/{name}" for name in HOLDERS} <= set(book.wallets)


@pytest.mark.parametrize("total", [0, 1], ids=["debits", "credits"])
def test_a_fen_too_much_is_seen_in_its_block(blocks: list[Seen], total: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A receipt that says one fen more than was paid, of one wallet."""
    honest = reading.receipt

    def lying(raw: bytes) -> tuple[str, dict[str, object]]:
        code, data = honest(raw)
        wallets = data.get("wallets")
        if isinstance(wallets, dict) and len(wallets) == 2:
            name = min(wallets)
            totals = list(wallets[name])
            totals[total] = str(int(totals[total]) + 1)
            data = {**data, "wallets": {**wallets, name: totals}}
        return code, data

    monkeypatch.setattr(reading, "receipt", lying)
    with pytest.raises(Misbooked):
        followed(blocks)


def test_money_that_nobody_issued_is_seen(blocks: list[Seen], monkeypatch: pytest.MonkeyPatch) -> None:
    honest = reading.claim

    def silent(raw: bytes) -> reading.Claim | None:
        claim = honest(raw)
        return None if claim is not None and claim.name == "currency.issue" else claim

    monkeypatch.setattr(reading, "claim", silent)
    with pytest.raises(Misbooked):
        followed(blocks)


def test_a_run_in_which_clients_pay_is_good_and_the_same_again() -> None:
    options = replace(PAYING, faults=("loss", "kill", "power failure"))
    first, again = (run_options("random", 5, options, random.Random(5)) for _ in range(2))
    assert (first.failure, first.goals["paid"] > 0) == (None, True)
    assert first.digest == again.digest
