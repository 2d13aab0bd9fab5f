"""What a node says of its software, when, and how often (N36)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from coseal.contracts.membership import actions as membership
from coseal.contracts.registry import CONTRACTS, RULES
from coseal.ledger.signing import CannotSign
from coseal.node.core.declaration import Declaration
from tests.support.cluster import Cluster
from tests.support.keys import validator

NEWER = {**RULES, 2: CONTRACTS}


class Away:
    """A signer whose process is not there."""

    public_key = validator("regulator").public_key

    def sign(self, message: bytes) -> bytes:
        raise CannotSign("away")


@pytest.fixture
def executor() -> Any:
    cluster = Cluster()
    cluster["regulator"].rules = NEWER
    cluster["regulator"].boot()
    machine = cluster["regulator"].machine
    assert machine is not None
    return machine.executor


def own(executor: Any) -> dict[str, Any]:
    found = membership.node(executor.reader, "regulator")
    assert found is not None
    return found


def test_a_node_says_which_later_versions_it_has(executor: Any) -> None:
    word = Declaration(executor, "regulator", validator("regulator")).due(own(executor), executor.time_ms)
    assert word is not None
    assert (word.sender, word.contract, word.action) == ("node:regulator", "membership", "declare_software")
    assert word.args == {"protocol_versions": [2]}


def test_a_word_that_does_not_arrive_is_said_again_ever_more_rarely(executor: Any) -> None:
    declaration, sent = Declaration(executor, "regulator", validator("regulator")), []
    for second in range(4 * 3_600):
        if declaration.due(own(executor), executor.time_ms + second * 1_000) is not None:
            sent.append(second)
    pauses = [later - earlier for earlier, later in pairwise(sent)]
    assert pauses == [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600]


def test_a_node_whose_software_has_nothing_new_says_nothing(executor: Any) -> None:
    executor._rules = RULES
    assert Declaration(executor, "regulator", validator("regulator")).due(own(executor), executor.time_ms) is None


@pytest.mark.parametrize("signer", [None, validator("bank-a"), Away()])
def test_a_node_without_its_registered_key_says_nothing(executor: Any, signer: Any) -> None:
    assert Declaration(executor, "regulator", signer).due(own(executor), executor.time_ms) is None


def test_a_node_that_is_not_registered_says_nothing(executor: Any) -> None:
    assert Declaration(executor, "regulator", validator("regulator")).due(None, executor.time_ms) is None
