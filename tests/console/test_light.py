"""The light client: it follows what holds, from whoever gives it, and nothing else."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import httpx
import pytest

from console.light import RUN_HEADERS, follow_run
from ledger import codec
from ledger.errors import BadProof
from ledger.signing import ZERO_HASH
from tests.audit.conftest import Chain, signer, validator
from tests.console.fake import FakeNetwork


def chain_of(blocks: int) -> Chain:
    return Chain().grow(blocks)


def test_every_header_is_followed_and_its_hash_kept():
    network = FakeNetwork(regulator=chain_of(RUN_HEADERS + 20))
    asyncio.run(network.follow())
    blocks = network.chains["regulator"].blocks
    assert network.light.height == len(blocks)
    assert [network.light.hash_at(height) for height in (1, 200, len(blocks))] == [
        blocks[index].block.hash for index in (0, 199, len(blocks) - 1)
    ]
    assert network.light.hash_at(0) is network.light.hash_at(len(blocks) + 1) is None
    assert network.light.trouble is None


def test_a_false_node_is_named_and_another_one_followed():
    chain = chain_of(12)
    network = FakeNetwork(liar=chain, honest=chain)
    lie = replace(chain.blocks[5].block.header, state_root=ZERO_HASH)

    def twist(path, answer):
        if path != "/v1/headers":
            return answer
        rows = codec.decode(answer)
        return codec.encode([*rows[:5], [lie.raw, rows[5][1]], *rows[6:]])

    network.twists["liar"] = twist
    asyncio.run(network.follow())
    assert network.light.height == 12
    assert list(network.nodes.distrusted) == ["liar"]
    assert [address.name for address in network.nodes.order()] == ["honest", "liar"]


def test_with_nobody_else_a_false_node_stops_the_following_and_that_is_said():
    chain = chain_of(12)
    network = FakeNetwork(liar=chain)
    network.twists["liar"] = lambda path, answer: (
        codec.encode([[row[0], codec.decode(answer)[0][1]] for row in codec.decode(answer)])
        if path == "/v1/headers"
        else answer
    )
    asyncio.run(network.follow())
    assert network.light.height == 0
    assert network.light.trouble is not None
    assert network.light.trouble.false
    assert network.light.trouble.node == "liar"


def test_a_node_that_is_silent_is_no_liar():
    chain = chain_of(12)
    network = FakeNetwork(silent=chain, honest=chain)
    network.twists["silent"] = lambda path, answer: httpx.ConnectError("refused") if path == "/v1/headers" else answer
    asyncio.run(network.follow())
    assert network.light.height == 12
    assert not network.nodes.distrusted


def test_a_change_of_validators_is_followed_and_only_the_announced_set_is_taken():
    chain = chain_of(3)
    chain.change(**{"bank-a": "bank-a/node-2"})
    chain.grow(3)
    network = FakeNetwork(regulator=chain)
    asyncio.run(network.follow())
    assert network.light.height == 7
    assert network.light.validators(1).validators[0].key == signer("bank-a/node-2").public_key
    other = FakeNetwork(regulator=chain)
    seat = validator("stranger", "bank")
    other.twists["regulator"] = lambda path, answer: (
        {**answer, "validators": [{"id": seat.id, "member": seat.member, "role": seat.role, "key": seat.key.hex()}]}
        if path == "/v1/validators"
        else answer
    )
    asyncio.run(other.follow())
    assert other.light.height == 0


def test_a_second_certified_block_at_a_followed_height_is_a_fork():
    chain = chain_of(4)
    network = FakeNetwork(regulator=chain)
    asyncio.run(network.follow())
    fork = Chain(chain.genesis).grow(3).add(2)
    with pytest.raises(BadProof, match="forked"):
        network.light.check(fork.block.header, fork.certificate)


def test_the_last_header_of_a_run_needs_its_own_certificate():
    chain = chain_of(3)
    pairs = [(one.block.header, one.certificate) for one in chain.blocks]
    anchor, headers = follow_run(FakeNetwork(regulator=chain).light.anchor, pairs, [])
    assert (anchor.height, len(headers)) == (3, 3)
