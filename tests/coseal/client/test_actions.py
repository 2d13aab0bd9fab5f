"""What actions are said to be."""

from __future__ import annotations

import pytest

from coseal.client import actions
from coseal.client.arguments import require_valid
from coseal.contracts.kernel.action import Action
from coseal.contracts.registry import CONTRACTS


@pytest.mark.parametrize("name", list(actions.actions()))
def test_every_action_is_described_with_arguments_that_it_takes(name: str) -> None:
    found = actions.document(name, actions.actions()[name])
    assert found["title"]
    assert found["sent_by"]
    assert all(field["expected"] for field in found["fields"])
    named = {field["name"] for field in found["fields"]}
    assert set(found["example"]) <= named
    assert {field["name"] for field in found["fields"] if not field["optional"]} <= set(found["example"])
    require_valid(*name.split("."), found["example"])


def test_the_list_is_that_of_the_contracts() -> None:
    assert len(actions.actions()) == sum(len(contract.actions) for contract in CONTRACTS.values())


def test_who_may_send_an_action_is_said_in_words() -> None:
    every = actions.actions()
    assert actions.sender_of(every["policy.publish"]) == "an operator with the capability submit"
    assert actions.sender_of(every["membership.ready"]) == "a node, signed with its own key"
    assert actions.sender_of(every["evidence.report"]) == "any operator, or a node"
    assert isinstance(every["policy.publish"], Action)
