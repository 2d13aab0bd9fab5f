"""Two certified blocks where there can be one: what is found, and which members answer for it.

Law: members are named only for signatures that were verified.
"""

from __future__ import annotations

from coseal.audit.epochs import ForkedEpochs
from coseal.audit.light import signed_both
from coseal.audit.report import Finding
from coseal.ledger.block import CommittedBlock
from coseal.ledger.validators import ValidatorSet


def two_blocks(
    left: CommittedBlock, right: CommittedBlock, validators: tuple[ValidatorSet, ValidatorSet], source: str
) -> Finding:
    """Return the finding about two certified blocks of one height; ``validators`` are the sets that certified each."""
    members = signed_both(left.certificate, right.certificate, *validators)
    rounds = sorted({left.certificate.round, right.certificate.round})
    where = f"both in round {rounds[0]}" if len(rounds) == 1 else f"in rounds {rounds[0]} and {rounds[1]}"
    epochs = (left.block.header.epoch, right.block.header.epoch)
    if epochs[0] != epochs[1]:
        where += f", of epochs {epochs[0]} and {epochs[1]}"
    reason = f"two certified blocks at one height, {left.block.hash.hex()} and {right.block.hash.hex()} ({where})"
    return Finding(left.block.header.height, f"{reason}; signed by both: {_names(members)}", source, members)


def two_handovers(fork: ForkedEpochs, source: str) -> Finding:
    """Return the finding about two certified handovers to one epoch."""
    one, other = fork.one, fork.other
    members = signed_both(one.certificate, other.certificate, fork.validators)
    blocks = " and ".join(f"block {each.header.hash.hex()} of height {each.header.height}" for each in (one, other))
    reason = f"{fork.reason}, {blocks}; signed by both: {_names(members)}"
    return Finding(min(one.header.height, other.header.height), reason, source, members)


def _names(members: tuple[str, ...]) -> str:
    return ", ".join(members) or "nobody"
