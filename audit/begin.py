"""Where an audit of a range begins: on the block below it, certified by the validators of its epoch.

Law: who they are follows from the genesis by certified handovers, or from a pin at that block; a source that shows
neither is not believed about them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coseal.audit.epochs import Epochs, ForkedEpochs
from coseal.audit.feeds import Feed
from coseal.audit.forks import two_blocks, two_handovers
from coseal.audit.light import (
    Anchor,
    BadHeader,
    FindValidators,
    UnknownValidators,
    check_certificate,
    require_pinned,
    resume,
)
from coseal.audit.report import Finding, Verdict
from coseal.ledger.block import CommittedBlock
from coseal.ledger.errors import LedgerError
from coseal.ledger.genesis import Genesis
from coseal.ledger.head import announced


@dataclass(frozen=True, slots=True)
class Beginning:
    """The anchor to go on from, None if there is none; ``finding`` ends the audit."""

    anchor: Anchor | None = None
    finding: Finding | None = None


def begin(
    feeds: Sequence[Feed], genesis: Genesis, epochs: Epochs, base: int, pin: tuple[int, bytes] | None, goal: int
) -> Beginning:
    """Take the block of height ``base`` as anchor, the same in all sources; ``epochs`` learns who certifies it."""
    shown = [(feed, committed) for feed in feeds if (committed := _shown(feed, base, pin, goal)) is not None]
    pinned = pin is not None and pin[0] == base
    last_epoch = max((committed.block.header.epoch for _, committed in shown), default=0)
    if last_epoch > epochs.last.epoch:
        fork = _learn(epochs, [feed for feed in feeds if feed.active], base, last_epoch)
        if fork is not None and not pinned:
            return Beginning(finding=fork)
    begun: tuple[CommittedBlock, Anchor] | None = None
    untold: list[tuple[Feed, UnknownValidators]] = []
    for feed, committed in shown:
        if not feed.active:
            continue
        try:
            anchor = _anchor(genesis, epochs, committed, pinned=pinned)
        except UnknownValidators as error:
            untold.append((feed, error))
            continue
        except LedgerError as error:
            feed.refute(base, error)
            continue
        if begun is not None and begun[0].block.hash != committed.block.hash:
            return Beginning(
                anchor, two_blocks(begun[0], committed, (begun[1].validators, anchor.validators), feed.name)
            )
        begun = begun or (committed, anchor)
        feed.advance(1)
    if begun is None and untold:
        hint = f"begin at height 1, or above a block that you pin: --from {base + 1} --trust {base}:HASH"
        return Beginning(finding=Finding(base, f"{untold[0][1].reason}; {hint}", "", (), Verdict.UNKNOWN))
    for feed, reason in untold:
        feed.refute(base, reason)
    if begun is None:
        return Beginning()
    for validators in (begun[1].validators, begun[1].next_validators):
        epochs.trust(validators)
    return Beginning(begun[1])


def finder(committed: CommittedBlock, epochs: Epochs) -> FindValidators:
    """Say where the set that a block announces may stand; it is believed by its hash alone."""
    return lambda wanted, epoch: announced(committed) or epochs.find(wanted, epoch)


def _shown(feed: Feed, base: int, pin: tuple[int, bytes] | None, goal: int) -> CommittedBlock | None:
    """Return the block of height ``base`` as a source shows it, None if it has none, or one that cannot be it."""
    if not feed.fill(1):
        if feed.waiting:
            feed.advance(1)
        else:
            feed.close(goal)
        return None
    try:
        committed = CommittedBlock.decode(feed.pending[0], check_roots=False)
        require_pinned(committed.block.header, pin)
        if committed.block.header.height != base:
            raise BadHeader(f"it is the block of height {committed.block.header.height}")
    except LedgerError as error:
        feed.refute(base, error)
        return None
    return committed


def _learn(epochs: Epochs, feeds: Sequence[Feed], base: int, last_epoch: int) -> Finding | None:
    """Follow the handovers that the sources show from the genesis on; return what contradicts among them."""
    fork: Finding | None = None
    for feed in feeds:
        try:
            for handover in feed.handovers(last_epoch):
                try:
                    epochs.take(handover)
                except UnknownValidators:
                    continue  # a pinned header may still name its set
                except ForkedEpochs as error:
                    fork = fork or two_handovers(error, feed.name)
        except LedgerError as error:
            feed.refute(base, error)
    return fork


def _anchor(genesis: Genesis, epochs: Epochs, committed: CommittedBlock, *, pinned: bool) -> Anchor:
    header = committed.block.header
    named = epochs.find(header.validators_hash, header.epoch) if pinned else None  # A12
    anchor = resume(genesis, header, named or epochs.of(header, committed.certificate), finder(committed, epochs))
    check_certificate(anchor, header, committed.certificate)
    return anchor
