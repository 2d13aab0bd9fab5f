"""Proposes blocks that no honest validator may prepare: wrong transactions, time, roots or header."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from coseal.consensus.messages import Proposal
from coseal.ledger import merkle
from coseal.ledger.block import Block
from coseal.node.core.wire import WireMessage
from simulation.byzantine.behaviour import Behaviour, frame


class InvalidProposer(Behaviour):
    """One thing is wrong at a time; now and then a block is right."""

    name = "invalid proposer"

    def outbound(self, target: int, message: WireMessage, data: bytes) -> list[bytes]:
        """Spoil its proposals of new blocks."""
        own = self.own(message)
        if not isinstance(own, Proposal) or any(change.prepared for change in own.justification):
            return [data]
        kind = own.block.hash[0] % 12
        return [frame(self.signed(replace(own, block=_spoilt(own.block, kind))))]


def _spoilt(block: Block, kind: int) -> Block:
    header, transactions = block.header, block.transactions
    changes: dict[int, dict[str, Any]] = {
        0: {"time_ms": header.time_ms - 100_000},
        1: {"time_ms": header.time_ms + 100_000},
        2: {"time_ms": 2**62},
        3: {"state_root": bytes(32)},
        4: {"receipts_root": bytes(32)},
        5: {"next_validators_hash": bytes(32)},
        6: {"parent_hash": bytes(32)},
        7: {"created_round": header.created_round + 1},
        8: {"epoch": header.epoch + 1},
    }
    if kind == 9 and transactions:
        transactions = (*transactions, transactions[0])
    elif kind == 10 and transactions:
        transactions = (transactions[0][:-1] + bytes([transactions[0][-1] ^ 1]), *transactions[1:])
    elif kind not in changes:
        return block
    changed = {"tx_root": merkle.root(transactions), "tx_count": len(transactions), **changes.get(kind, {})}
    return Block(replace(header, **changed), transactions, block.last_commit)
