"""The light client: it follows what holds, from whoever gives it, and nothing else."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import httpx
import pytest

from coseal.audit.verify import verify_bytes
from coseal.console.light import RUN_HEADERS, follow_run
from coseal.console.nodes import Address
from coseal.ledger import codec
from coseal.ledger.errors import BadProof
from coseal.ledger.signing import ZERO_HASH
from tests.audit.conftest import Chain, seat
from tests.console.fake import FakeNetwork
from tests.support.keys import signer


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
    assert [doubt.node for doubt in network.nodes.doubts.standing()] == ["liar"]
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
    assert network.light.trouble.node == "liar"


def test_a_node_that_is_silent_is_no_liar():
    chain = chain_of(12)
    network = FakeNetwork(silent=chain, honest=chain)
    network.twists["silent"] = lambda path, answer: httpx.ConnectError("refused") if path == "/v1/headers" else answer
    asyncio.run(network.follow())
    assert network.light.height == 12
    assert not network.nodes.doubts.kept()


def test_two_runs_at_once_accuse_nobody_however_late_the_answers_come():
    async def play() -> FakeNetwork:
        network = FakeNetwork(regulator=chain_of(12))
        first, second = asyncio.Event(), asyncio.Event()
        network.holding["regulator", "/v1/headers"] = [first, second]
        await network.nodes.poll()
        runs = [asyncio.create_task(network.light.advance()) for _ in range(2)]
        await asyncio.sleep(0)
        second.set()
        await asyncio.sleep(0.05)
        first.set()
        assert await asyncio.gather(*runs) == [True, False]
        return network

    network = asyncio.run(play())
    assert network.light.height == 12
    assert network.light.trouble is None
    assert not network.nodes.doubts.kept()


def test_a_node_that_claims_more_than_it_has_headers_of_is_not_believed_about_the_tip():
    chain = chain_of(12)
    network = FakeNetwork(boaster=chain, honest=chain)
    network.twists["boaster"] = lambda path, answer: {**answer, "height": 10**15} if path == "/v1/status" else answer
    asyncio.run(network.follow())
    assert (network.light.height, network.nodes.tip) == (12, 12)
    assert [doubt.node for doubt in network.nodes.doubts.standing()] == ["boaster"]
    assert "gives no header" in network.nodes.doubts.kept()[0].reason


def test_what_troubled_once_is_forgotten_when_nobody_is_ahead():
    chain = chain_of(12)
    network = FakeNetwork(liar=chain)
    network.twists["liar"] = lambda path, answer: b"rubbish" if path == "/v1/headers" else answer
    asyncio.run(network.follow())
    assert network.light.trouble is not None
    network.twists.clear()
    asyncio.run(network.follow())
    assert network.light.trouble is None
    assert network.light.height == 12


def test_a_node_on_another_certified_branch_accuses_who_signed_both_and_not_the_node():
    chain = chain_of(4)
    network = FakeNetwork(first=chain)
    asyncio.run(network.follow())
    fork = Chain(chain.genesis).grow(3)
    fork.add(2)
    fork.grow(2)
    network.chains["second"] = fork
    network.nodes.addresses = (*network.nodes.addresses, Address("second", "http://second"))
    asyncio.run(network.follow())
    assert network.light.height == 4
    [proof] = network.nodes.doubts.forks()
    assert (proof.height, proof.node) == (4, "second")
    found = verify_bytes(json.dumps(proof.document).encode(), chain.genesis)
    assert found.ok, found.reason
    assert tuple(found.facts["signed_both"]) == proof.members
    assert len(proof.members) >= 2
    kept = network.nodes.doubts.kept()
    assert [doubt.node for doubt in kept] == ["second"]
    assert "parent" in kept[0].reason


def test_another_certified_block_below_the_tip_is_proven_with_the_followed_one():
    chain = chain_of(6)
    network = FakeNetwork(honest=chain, other=chain)
    asyncio.run(network.follow())
    fork = Chain(chain.genesis).grow(3).add(2)
    network.twists["other"] = lambda path, answer: fork.encode() if path == "/v1/blocks/4" else answer
    network.nodes.addresses = tuple(reversed(network.nodes.addresses))
    network.nodes._current = "other"
    shown = asyncio.run(network.reader.block(4))
    assert (shown.node, shown.value.block.hash) == ("honest", chain.blocks[3].block.hash)
    assert [proof.height for proof in network.nodes.doubts.forks()] == [4]


def test_a_change_of_validators_is_followed_and_only_the_announced_set_is_taken():
    chain = chain_of(3)
    chain.change(**{"bank-a": "node:bank-a 2"})
    chain.grow(3)
    network = FakeNetwork(regulator=chain)
    asyncio.run(network.follow())
    assert network.light.height == 7
    assert network.light.validators(1).validators[0].key == signer("node:bank-a 2").public_key
    other = FakeNetwork(regulator=chain)
    stranger = seat("stranger", "bank")
    other.twists["regulator"] = lambda path, answer: (
        {
            **answer,
            "validators": [
                {"id": stranger.id, "member": stranger.member, "role": stranger.role, "key": stranger.key.hex()}
            ],
        }
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
    with pytest.raises(BadProof, match="another block is certified"):
        network.light.check(fork.block.header, fork.certificate)


def test_the_last_header_of_a_run_needs_its_own_certificate():
    chain = chain_of(3)
    pairs = [(one.block.header, one.certificate) for one in chain.blocks]
    run = follow_run(FakeNetwork(regulator=chain).light.anchor, pairs, [])
    assert (run.anchor.height, len(run.headers)) == (3, 3)
