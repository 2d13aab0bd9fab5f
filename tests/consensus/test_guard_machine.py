"""The sign guard as a state machine: signatures leave only when durable; crashes, lost journals and old copies."""

from __future__ import annotations

from consensus_harness import ToySigner
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from coseal.consensus.guard import SignGuard
from coseal.consensus.persisted import EMPTY_GUARD, fold
from coseal.ledger.certificate import Phase

QUORUM = 3
PREIMAGES = (b"a" * 80, b"b" * 80)
heights, rounds = st.integers(1, 6), st.integers(0, 2)


class GuardMachine(RuleBasedStateMachine):
    """One key over its whole life. ``sent`` holds what others have seen, by (height, round, step)."""

    def __init__(self) -> None:
        super().__init__()
        self.durable = [EMPTY_GUARD]
        self.guard = self.guarded()
        self.sent: dict[tuple[int, int, int], bytes] = {}
        self.tips: dict[int, int] = {}
        self.lost = False
        self.stopped = False

    def guarded(self) -> SignGuard:
        return SignGuard(ToySigner("ann"), fold(self.durable).signs)

    @rule(height=heights, round=rounds, step=st.sampled_from(Phase), which=st.integers(0, 1), crash=st.booleans())
    def sign(self, height: int, round: int, step: Phase, which: int, crash: bool) -> None:
        """Sign, write, say; or crash between: then nobody has seen it, and the record may be there or not."""
        place, preimage = (height, round, int(step)), PREIMAGES[which]
        allowed = self.guard.may_sign(height, round, step)
        signed = self.guard.sign(height, round, step, preimage)
        if signed is None:
            assert not allowed
            return
        assert not self.stopped
        if self.lost:
            assert len(self.tips) >= QUORUM
            assert height > max(self.tips.values()) + 2
            self.lost = False
        if signed.record is None:
            assert self.sent.get(place, preimage) == preimage
        elif crash:
            self.restart()
            return
        else:
            self.durable.append(signed.record)
        assert self.sent.setdefault(place, preimage) == preimage

    @precondition(lambda self: self.sent and not self.lost and not self.stopped)
    @rule(which=st.integers(0, 1))
    def sign_the_last_step_again(self, which: int) -> None:
        """The very bytes get the very signature; other bytes get none (G2)."""
        height, round, step = max(self.sent)
        again = self.guard.sign(height, round, Phase(step), PREIMAGES[which])
        if self.sent[height, round, step] != PREIMAGES[which]:
            assert again is None
        elif again is not None:
            assert again.record is None
            assert again.signature == ToySigner("ann").sign(PREIMAGES[which])

    @rule(written=st.booleans())
    def restart(self, written: bool = False) -> None:
        """What is folded and written anew entitles as before; tips that it was shown are forgotten."""
        if written and self.durable:
            self.durable = list(fold(self.durable).signs or ())
        self.lost, self.tips = not self.durable, {}
        self.guard = self.guarded()

    @precondition(lambda self: not self.lost and not self.stopped)
    @rule()
    def lose_the_journal(self) -> None:
        """The disk is gone; the network has certified every height below the one where this node last voted."""
        self.durable, self.lost, self.tips = [], True, {}
        self.guard = self.guarded()
        assert self.guard.absent

    @precondition(lambda self: self.lost)
    @rule(validator=st.integers(1, 3), behind=st.integers(0, 1))
    def witness(self, validator: int, behind: int) -> None:
        """A validator shows its tip: at most one below the height where this node may have voted."""
        voted = max((place[0] for place in self.sent), default=0)
        height = max(0, voted - 1 - behind * (validator == 1))
        if len(self.tips) < QUORUM:
            self.tips[validator] = max(height, self.tips.get(validator, 0))
        self.guard.witness(validator, height, QUORUM)

    @rule(height=heights, round=rounds, step=st.sampled_from(Phase), which=st.integers(0, 1))
    def shown_its_own_signature(self, height: int, round: int, step: Phase, which: int) -> None:
        """What it said itself is no news; what it never said ends its signing, for good."""
        place, preimage = (height, round, int(step)), PREIMAGES[which]
        if not self.guard.lacks(height, round, step, preimage):
            return
        assert self.sent.get(place) != preimage or self.lost
        self.durable.append(self.guard.stop())
        self.stopped = True

    @invariant()
    def a_stopped_guard_stays_stopped(self) -> None:
        if self.stopped:
            assert self.guard.stopped
            assert self.guarded().stopped
            assert self.guard.silence(2**40) is not None

    @invariant()
    def it_signs_above_everything_it_said(self) -> None:
        if self.sent and not self.lost:
            height, round, step = max(self.sent)
            assert not self.guard.may_sign(height, round, Phase(step))
            assert self.guard.place >= (height, round)


GuardMachine.TestCase.settings = settings(deadline=None, max_examples=150, stateful_step_count=30)
TestGuard = GuardMachine.TestCase
