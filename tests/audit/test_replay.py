"""Replay computes what the validators certified, and stays where it was when it differs."""

from dataclasses import replace

import pytest

from coseal.audit import replay as replay_module
from coseal.audit.replay import BadReplay, CannotReplay, Replay
from coseal.contracts.execution import UnknownProtocol
from coseal.ledger.block import Block
from coseal.ledger.transaction import Transaction


def test_a_chain_is_replayed_to_its_certified_roots(chain):
    replay = Replay(chain.genesis)
    for committed in chain.blocks:
        replay.apply(committed.block, {})
        assert (replay.height, replay.root) == (committed.block.header.height, committed.block.header.state_root)


def test_a_block_that_comes_out_otherwise_changes_nothing(chain):
    replay = Replay(chain.genesis)
    first = chain.blocks[0].block
    wrong = [
        Block(replace(first.header, state_root=bytes(32)), first.transactions, None),
        Block(replace(first.header, receipts_root=bytes(32)), first.transactions, None),
        Block(replace(first.header, next_validators_hash=bytes(32)), first.transactions, None),
        Block(first.header, (), None),
        chain.blocks[1].block,
    ]
    root = replay.root
    for block in wrong:
        with pytest.raises(BadReplay):
            replay.apply(block, {})
        assert (replay.height, replay.root) == (0, root)
    replay.apply(first, {})
    assert replay.height == 1


def test_a_signature_that_was_checked_is_not_checked_again_and_others_are(chain, monkeypatch):
    checked = []
    real = replay_module.decode_and_verify
    monkeypatch.setattr(replay_module, "decode_and_verify", lambda raw: checked.append(raw) or real(raw))
    replay = Replay(chain.genesis)
    raws = chain.blocks[0].block.transactions
    replay.apply(chain.blocks[0].block, {raw: Transaction.decode(raw) for raw in raws})
    assert checked == []
    replay.apply(chain.blocks[1].block, {})
    assert tuple(checked) == chain.blocks[1].block.transactions


def test_the_next_validators_are_computed_without_moving(chain):
    replay = Replay(chain.genesis)
    assert replay.validators_after(chain.blocks[0].block) == chain.genesis.validators
    assert replay.height == 0


def test_a_block_of_unknown_rules_cannot_be_replayed(chain, monkeypatch):
    replay = Replay(chain.genesis)

    def unknown(block):
        raise UnknownProtocol("block 1 needs protocol version 2")

    monkeypatch.setattr(replay._executor, "execute_block", unknown)
    with pytest.raises(CannotReplay, match="version 2"):
        replay.apply(chain.blocks[0].block, {})
