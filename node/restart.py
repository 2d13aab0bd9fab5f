"""The tip from which a node that starts goes on.

Law: a tip is never paired with validators that did not sign it.
"""

from __future__ import annotations

from consensus.rules import Tip
from ledger.block import CommittedBlock
from ledger.genesis import Genesis
from ledger.validators import ValidatorSet


def tip_of(genesis: Genesis, committed: CommittedBlock | None, candidates: tuple[ValidatorSet | None, ...]) -> Tip:
    """Return the tip that a block is (None: genesis); the set that signed it must be among the candidates.

    Raises ``ValueError`` if it is not: a bug of the caller.
    """
    if committed is None:
        return Tip.of_genesis(genesis)
    header = committed.block.header
    for voters in candidates:
        if voters is not None and (voters.epoch, voters.hash) == (header.epoch, header.validators_hash):
            return Tip.of_block(header, committed.certificate, voters)
    raise ValueError(f"the validators of epoch {header.epoch}, which signed the tip, must be given")
