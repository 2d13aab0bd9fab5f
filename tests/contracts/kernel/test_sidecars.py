"""What transactions name, how much a block may name, and where sidecars are refused."""

from __future__ import annotations

from typing import Any

import pytest

from coseal.contracts.execution import Outcome
from coseal.contracts.kernel.action import Arguments, Rejected
from coseal.contracts.kernel.fields import Integer, Nullable, Record
from coseal.contracts.kernel.sidecars import BLOCK_SIDECARS_BYTES_MAX, Named, Sidecar
from coseal.ledger.genesis import COMETBFT_NAME
from coseal.ledger.sealed import SIDECAR_BYTES_MAX
from simulation.lockers import CONTRACT, with_lockers
from tests.support.chain import Chain
from tests.support.genesis import make_genesis

SENDER = "bank-a/admin"
MEBIBYTE = 1024 * 1024


def sidecar(number: int = 1, size: int = 64) -> dict[str, Any]:
    return {"name": number.to_bytes(32, "big").hex(), "bytes": size}


def named(number: int = 1, size: int = 64) -> Named:
    return Named(number.to_bytes(32, "big"), size)


@pytest.fixture
def chain() -> Chain:
    return Chain(rules=with_lockers())


def put(chain: Chain, number: int, size: int = 64) -> Any:
    return chain.sign(SENDER, "lockers.put", {"sidecar": sidecar(number, size)})


def test_a_transaction_names_what_its_arguments_say(chain: Chain) -> None:
    transaction = put(chain, 7, 100)
    assert chain.executor.names(transaction) == named(7, 100)
    block = chain.draft([chain.sign(SENDER, "membership.set_profile", {}), transaction])
    assert chain.executor.names_in(block) == (named(7, 100),)


@pytest.mark.parametrize(
    "args",
    [
        {},
        {"sidecar": None},
        {"sidecar": sidecar(size=0)},
        {"sidecar": sidecar(size=SIDECAR_BYTES_MAX + 1)},
        {"sidecar": {**sidecar(), "name": "ab"}},
        {"sidecar": sidecar(), "more": 1},
    ],
)
def test_arguments_that_are_refused_name_nothing(chain: Chain, args: dict[str, Any]) -> None:
    transaction = chain.sign(SENDER, "lockers.put", args)
    assert chain.executor.names(transaction) is None
    assert isinstance(CONTRACT.actions["put"].arguments.check(args), Rejected)


def test_other_actions_and_unknown_ones_name_nothing(chain: Chain) -> None:
    for name in ("lockers.erase", "lockers.nothing", "nothing.put", "membership.set_profile"):
        assert chain.executor.names(chain.sign(SENDER, name, {"sidecar": sidecar()})) is None


def test_the_field_may_stand_within_records_and_be_left_out() -> None:
    arguments = Arguments(
        {"n": Integer(0)}, {"sealed": Nullable(Record({"cells": Integer(1)}, {"sidecar": Sidecar()}))}
    )
    assert arguments.sidecar == ("sealed", "sidecar")
    assert arguments.names({"n": 1, "sealed": {"cells": 2, "sidecar": sidecar(3)}}) == named(3)
    for without in ({"n": 1}, {"n": 1, "sealed": None}, {"n": 1, "sealed": {"cells": 2}}, {"n": 1, "sealed": 5}):
        assert arguments.names(without) is None


def test_an_action_has_at_most_one_such_field() -> None:
    with pytest.raises(ValueError, match="at most one sidecar, not 2"):
        Arguments({"first": Sidecar()}, {"more": Record({"second": Sidecar()})})


def test_a_block_names_at_most_four_mebibytes(chain: Chain) -> None:
    count = BLOCK_SIDECARS_BYTES_MAX // MEBIBYTE
    fits = [put(chain, number, MEBIBYTE) for number in range(count)]
    assert isinstance(chain.executor.execute_block(chain.draft(fits)), Outcome)
    refused = chain.executor.execute_block(chain.draft([*fits, put(chain, 0, 1)]))
    assert isinstance(refused, Rejected)
    assert refused.code == "invalid_block"
    assert f"sidecars of {4 * MEBIBYTE + 1} bytes" in refused.detail


def test_a_chain_ordered_by_cometbft_refuses_an_action_with_a_sidecar() -> None:
    chain = Chain(make_genesis(engine=COMETBFT_NAME), rules=with_lockers())
    transaction = put(chain, 1)
    assert chain.executor.names(transaction) is None
    receipt = chain.submit(SENDER, "lockers.put", sidecar=sidecar())
    assert receipt.code == "not_on_this_engine"
    assert "a chain that Coseal's PBFT orders" in receipt.detail
    assert chain.get("lockers/live") is None


def test_what_is_no_argument_is_refused_as_such_on_any_engine() -> None:
    chain = Chain(make_genesis(engine=COMETBFT_NAME), rules=with_lockers())
    assert chain.submit(SENDER, "lockers.put", sidecar=1).code == "invalid_argument"
    assert chain.submit(SENDER, "lockers.erase", name="ab" * 32).code == "not_put"


def test_a_contract_says_which_are_live_and_whose_listing_an_act_changes(chain: Chain) -> None:
    says = CONTRACT.sidecars
    assert says is not None
    for number in (1, 2):
        receipt = chain.submit(SENDER, "lockers.put", sidecar=sidecar(number))
        assert list(says.changed("lockers.put", receipt.data)) == [named(number).name]
    assert list(says.live(chain.executor.reader)) == [named(2), named(1)]
    assert says.find(chain.executor.reader, named(1).name) == named(1)
    assert says.may_read(chain.executor.reader, named(1).name, "bank-a")
    assert not says.may_read(chain.executor.reader, named(1).name, "regulator")
    receipt = chain.submit(SENDER, "lockers.erase", name=named(1).name.hex())
    assert list(says.changed("lockers.erase", receipt.data)) == [named(1).name]
    assert list(says.live(chain.executor.reader)) == [named(2)]
    assert says.find(chain.executor.reader, named(1).name) is None
