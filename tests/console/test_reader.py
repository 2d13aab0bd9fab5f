"""What pages are given: verified is what a proof leads to, everything else is said to be somebody's word."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest

from coseal.console.documents import STATUS
from coseal.console.nodes import NoAnswer, Problem
from coseal.console.shown import Trust, Untrue, joined
from coseal.ledger.render import raw_text, state_proof_json
from tests.audit.conftest import Chain
from tests.console.fake import FakeNetwork

KEY = "membership/members"


def network(**more: Chain) -> FakeNetwork:
    made = FakeNetwork(**({"regulator": Chain().grow(12)} | more))
    asyncio.run(made.follow())
    return made


def read(made: FakeNetwork, what: str, *args: Any) -> Any:
    return asyncio.run(getattr(made.reader, what)(*args))


def test_a_state_value_is_verified_and_asked_once_a_height():
    made = network()
    shown = read(made, "state", KEY)
    assert (shown.trust, shown.height, shown.node) == (Trust.VERIFIED, 12, "regulator")
    assert shown.value == ["bank-a", "central-bank", "enterprise-a", "regulator"]
    asked = len(made.asked)
    assert read(made, "state", KEY) == shown
    assert len(made.asked) == asked


def test_absence_is_proven_as_well():
    shown = read(network(), "state", "membership/member/nobody")
    assert (shown.value, shown.trust) == (None, Trust.VERIFIED)


def test_the_proof_of_another_key_is_refused():
    made = network()
    chain = made.chains["regulator"]
    made.twists["regulator"] = lambda path, answer: made._honest(
        chain, "/v1/state/membership/nodes", httpx.QueryParams()
    )
    with pytest.raises(Untrue, match="another key"):
        read(made, "state", KEY)


def test_a_false_value_is_never_shown_and_an_honest_node_answers_instead():
    chain = Chain().grow(12)
    made = FakeNetwork(liar=chain, honest=chain)
    asyncio.run(made.follow())

    def twist(path: str, answer: Any) -> Any:
        if not path.startswith("/v1/state/"):
            return answer
        proof = chain.executor.state.prove(KEY.encode())[1]
        header = chain.blocks[-1].block.header
        from coseal.ledger.proof import CertifiedValue

        lie = CertifiedValue(KEY.encode(), b"\x91\xa3you", proof, header, chain.blocks[-1].certificate)
        return state_proof_json(lie)

    made.twists["liar"] = twist
    shown = read(made, "state", KEY)
    assert (shown.node, shown.trust) == ("honest", Trust.VERIFIED)
    assert [doubt.node for doubt in made.nodes.doubts.standing()] == ["liar"]
    made.twists["honest"] = twist
    made.reader.forget()
    with pytest.raises(Untrue) as refused:
        read(made, "state", KEY)
    assert refused.value.shown.trust is Trust.FAILED
    assert refused.value.shown.value is None


def test_a_block_whose_body_was_changed_is_refused():
    made = network()
    chain = made.chains["regulator"]
    block = chain.blocks[4]
    other = replace(block, block=replace(block.block, transactions=chain.blocks[5].block.transactions))
    made.twists["regulator"] = lambda path, answer: other.encode() if path == "/v1/blocks/5" else answer
    with pytest.raises(Untrue):
        read(made, "block", 5)


def test_blocks_are_verified_and_only_missing_ones_are_asked_for():
    made = network()
    shown = read(made, "blocks", 3, 4)
    assert [one.block.header.height for one in shown.value] == [3, 4, 5, 6]
    assert (shown.trust, shown.height) == (Trust.VERIFIED, 6)
    asked = len(made.asked)
    assert [one.block.header.height for one in read(made, "blocks", 4, 2).value] == [4, 5]
    assert len(made.asked) == asked
    assert [one.block.header.height for one in read(made, "blocks", 5, 4).value] == [5, 6, 7, 8]


def test_a_receipt_is_verified_and_must_be_of_the_transaction_asked_for():
    made = network()
    from coseal.ledger.transaction import Transaction

    wanted = Transaction.decode(made.chains["regulator"].blocks[2].block.transactions[0]).id.hex()
    shown = read(made, "transaction", wanted)
    assert (shown.trust, shown.value["height"], shown.value["transaction"]["id"]) == (Trust.VERIFIED, 3, wanted)
    with pytest.raises(Untrue, match="another transaction"):
        read(made, "transaction", "0" * 64)


def test_what_has_no_proof_is_a_nodes_word():
    made = network()
    shown = read(made, "get", "/v1/status", STATUS, "trust.word")
    assert (shown.trust, shown.why, shown.node) == (Trust.UNVERIFIED, "trust.word", "regulator")
    assert shown.of(3).trust is Trust.UNVERIFIED


def test_what_is_made_of_several_values_is_as_good_as_the_weakest():
    made = network()
    good, word = read(made, "state", KEY), read(made, "get", "/v1/status", STATUS)
    assert joined(good, word).trust is Trust.UNVERIFIED
    assert joined(good, good).trust is Trust.VERIFIED


def test_silence_a_refusal_and_rubbish_are_told_apart():
    made = network()
    made.twists["regulator"] = lambda path, answer: httpx.ConnectError("refused")
    with pytest.raises(NoAnswer, match="regulator: refused"):
        read(made, "get", "/v1/policies", STATUS)
    made.twists["regulator"] = lambda path, answer: 503
    with pytest.raises(NoAnswer, match="answered 503"):
        read(made, "state", KEY)
    made.twists["regulator"] = lambda path, answer: 404
    with pytest.raises(Problem) as problem:
        read(made, "state", KEY)
    assert problem.value.status == 404
    for rubbish in (
        b"\xff\x00",
        b"[]",
        b"{}",
        b'{"coseal": "state-proof", "version": 1, "raw": "AAAA"}',
        raw_text(b"x").encode(),
    ):
        made.twists["regulator"] = lambda path, answer, rubbish=rubbish: rubbish
        with pytest.raises(Untrue):
            read(made, "state", KEY)


def test_a_pruned_block_is_asked_of_another_node():
    chain = Chain().grow(12)
    made = FakeNetwork(pruned=chain, archive=chain)
    asyncio.run(made.follow())
    made.twists["pruned"] = lambda path, answer: 410 if path.startswith("/v1/blocks") else answer
    assert read(made, "block", 2).node == "archive"
    made.twists["archive"] = made.twists["pruned"]
    with pytest.raises(Problem):
        read(made, "block", 3)
