"""The tip from which a node that starts goes on.

Law: a tip is never paired with validators that did not sign it.
"""

from __future__ import annotations

from coseal.consensus.rules import Tip
from coseal.contracts.kernel.action import Reader
from coseal.contracts.membership import actions as membership
from coseal.ledger.block import CommittedBlock
from coseal.ledger.certificates import require_pbft
from coseal.ledger.genesis import Genesis


def tip_of(genesis: Genesis, committed: CommittedBlock | None, state: Reader) -> Tip:
    """Return the tip that a block is (None: genesis); ``state`` is that after it, which knows the set of every epoch.

    Raises ``ValueError`` if it does not know who signed the block: a bug of the caller.
    """
    if committed is None:
        return Tip.of_genesis(genesis)
    header = committed.block.header
    epoch = membership.epoch(state, header.epoch)
    if epoch is None or epoch.validators.hash != header.validators_hash:
        raise ValueError(f"the state does not know the validators of epoch {header.epoch}, which signed the tip")
    return Tip.of_block(header, require_pbft(committed.certificate), epoch.validators)
