"""The proof of a fork: two certified blocks of one height, and nothing that only looks like it."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from coseal.audit.fork_document import STEP_NAMES, fork_json
from coseal.audit.report import Verdict
from coseal.audit.verify import Verification, verify_bytes
from coseal.ledger.block import CommittedBlock
from coseal.ledger.genesis import Genesis
from tests.audit.conftest import Chain


def forked(*, change: bool = False) -> tuple[Chain, CommittedBlock, CommittedBlock]:
    """Return a chain and two certified blocks of its last height."""
    chains = []
    for last in (1, 2):
        chain = Chain(chains[0].genesis if chains else None).grow(3)
        if change:
            chain.change(**{"bank-a": "node:bank-a 2"}).grow(1)
        chain.add(last)
        chains.append(chain)
    return chains[0], chains[0].blocks[-1], chains[1].blocks[-1]


def pair(block: CommittedBlock) -> tuple[Any, Any]:
    return block.block.header, block.certificate


def verify(document: Any, genesis: Genesis) -> Verification:
    return verify_bytes(json.dumps(document).encode(), genesis)


def test_two_certified_blocks_of_one_height_are_proven_with_who_signed_both():
    chain, one, other = forked()
    found = verify(fork_json(pair(one), pair(other)), chain.genesis)
    assert (found.verdict, found.kind) == (Verdict.OK, "fork"), found.reason
    assert tuple(step.name for step in found.steps) == STEP_NAMES
    assert set(found.facts["blocks"]) == {one.block.hash.hex(), other.block.hash.hex()}
    assert len(found.facts["signed_both"]) >= 2
    assert found.remaining == ("genesis",)


def test_the_document_is_the_same_whichever_block_comes_first():
    _, one, other = forked()
    assert fork_json(pair(one), pair(other)) == fork_json(pair(other), pair(one))


def test_a_fork_after_a_change_of_validators_is_proven_with_its_handovers():
    chain, one, other = forked(change=True)
    bare = fork_json(pair(one), pair(other))
    assert verify(bare, chain.genesis).verdict is Verdict.UNKNOWN
    assert verify(fork_json(pair(one), pair(other), chain.handovers), chain.genesis).ok


def test_what_is_no_contradiction_is_bad():
    chain, one, other = forked()
    below = chain.blocks[0]
    same = fork_json(pair(one), pair(one))
    apart = fork_json(pair(one), pair(below))
    for document in (same, apart, {**apart, "height": 1}):
        assert verify(document, chain.genesis).verdict is Verdict.BAD
    good = fork_json(pair(one), pair(other))
    uncertified = copy.deepcopy(good)
    uncertified["blocks"][0]["certificate"] = good["blocks"][1]["certificate"]
    assert verify(uncertified, chain.genesis).verdict is Verdict.BAD


@pytest.mark.parametrize(
    "changed",
    [{"height": 5}, {"height": True}, {"height": None}, {"blocks": []}, {"blocks": {}}, {"version": 2}, {"more": 1}],
)
def test_a_document_that_says_other_than_its_blocks_is_bad(changed: dict[str, Any]):
    chain, one, other = forked()
    assert verify({**fork_json(pair(one), pair(other)), **changed}, chain.genesis).verdict is Verdict.BAD


@pytest.mark.parametrize("name", ["height", "blocks", "version"])
def test_a_document_that_lacks_a_field_is_bad(name: str):
    chain, one, other = forked()
    document = fork_json(pair(one), pair(other))
    del document[name]
    assert verify(document, chain.genesis).verdict is Verdict.BAD
