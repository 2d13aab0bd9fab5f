"""The audit of a whole chain, from one or several sources, at one of four levels.

Law: only the genesis is trusted, and a pin if one is given. The source that leads is believed as far as its blocks
verify; every other is compared with it, and where two disagree the certificates decide, not the number of sources.

Blocks are taken in runs: follow the headers, compare the sources, check what costs time on several threads, replay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final, TypeAlias

from coseal.audit import checks
from coseal.audit.begin import begin, finder
from coseal.audit.checks import Copy, Step
from coseal.audit.contradictions import Contradiction, in_block
from coseal.audit.epochs import Epochs
from coseal.audit.feeds import Feed
from coseal.audit.forks import two_blocks
from coseal.audit.light import (
    Anchor,
    BadHeader,
    OtherChain,
    UnknownValidators,
    check_certificate,
    follow,
    genesis_anchor,
    require_pinned,
)
from coseal.audit.replay import CannotReplay, Replay
from coseal.audit.report import AuditReport, Finding, Level, Verdict, remaining_trust
from coseal.audit.sources import Source
from coseal.ledger.block import CommittedBlock, Header
from coseal.ledger.certificates import Certificate
from coseal.ledger.errors import LedgerError
from coseal.ledger.genesis import Genesis
from coseal.ledger.handover import Handover
from coseal.ledger.proof import verify_certified
from coseal.ledger.validators import ValidatorSet

RUN_BLOCKS: Final = 256
Progress: TypeAlias = Callable[[int, int], None]
"""``progress(height, goal)`` is called as heights are verified."""
Take: TypeAlias = Callable[[Sequence[CommittedBlock]], None]
"""``take(blocks)`` gets each run of blocks, in order, once everything the level asks of them holds."""


def audit(
    sources: Sequence[Source],
    genesis: Genesis,
    level: Level = Level.REPLAY,
    *,
    first: int = 1,
    last: int | None = None,
    pin: tuple[int, bytes] | None = None,
    progress: Progress | None = None,
    take: Take | None = None,
    replay: Replay | None = None,
) -> AuditReport:
    """Audit heights ``first``..``last`` (None: the highest tip any source claims) and return what was found.

    ``pin`` is a height and the block hash known to be right there. Never raises for what a source does; raises
    ``ValueError`` for a question that makes no sense (replay that does not begin at 1, an empty range, no source),
    and whatever ``take`` raises, which ends the audit. ``replay`` is what computes the state, for who asks it more
    afterwards; a new one unless given.
    """
    if not sources:
        raise ValueError("an audit needs at least one source: a folder, a file or a URL")
    if first < 1 or (last is not None and last < first):
        raise ValueError(f"heights {first} to {last}: expected 1 <= from <= to")
    if level is Level.REPLAY and first != 1:
        raise ValueError("replay computes the state from the genesis on, so it begins at height 1")
    with ThreadPoolExecutor(checks.WORKERS) as pool:
        return _Audit(sources, genesis, level, first, last, pin, progress, take, pool, replay).run()


def parse_pin(text: str) -> tuple[int, bytes]:
    """Return the pin written ``HEIGHT:HASH``; raise ``ValueError``."""
    height, colon, block_hash = text.partition(":")
    if not colon or not height.isascii() or not height.isdecimal() or len(height) > 18 or len(block_hash) != 64:
        raise ValueError(f"pin {text!r}: expected HEIGHT:HASH with a hash of 64 hexadecimal digits")
    return int(height), bytes.fromhex(block_hash)


class _Audit:
    """The state of one audit; ``anchor`` is the last verified height."""

    def __init__(
        self,
        sources: Sequence[Source],
        genesis: Genesis,
        level: Level,
        first: int,
        last: int | None,
        pin: tuple[int, bytes] | None,
        progress: Progress | None,
        take: Take | None,
        pool: ThreadPoolExecutor,
        replay: Replay | None,
    ) -> None:
        self._genesis, self._level, self._pin, self._pool = genesis, level, pin, pool
        self._first, self._last, self._goal = first, last, 0
        self._progress, self._take = progress, take
        self._feeds = [Feed(source) for source in sources]
        self._findings: list[Finding] = []
        self._stopped = False
        self._anchor = genesis_anchor(genesis)
        self._epochs = Epochs(genesis)
        self._tip: CommittedBlock | None = None
        self._transactions = 0
        self._contradictions: list[Contradiction] = []
        self._replay = (replay or Replay(genesis)) if level is Level.REPLAY else None

    def run(self) -> AuditReport:
        for feed in self._feeds:
            feed.ask()
        self._goal = self._wanted()
        base = self._first - 1
        for feed in self._active():
            feed.open(max(base, 1), self._goal)
        if base:
            self._start()
        elif self._pin is not None and self._pin[0] == 0 and self._pin[1] != self._anchor.hash:
            self._chain_finding(0, "the genesis is not the pinned one")
        while not self._stopped and self._anchor.height < self._goal:
            lead = self._lead()
            if lead is None:
                break
            self._take_run(lead)
        return self._report()

    def _start(self) -> None:
        """Begin on the block below the range."""
        begun = begin(self._active(), self._genesis, self._epochs, self._first - 1, self._pin, self._goal)
        if begun.anchor is not None:
            self._anchor = begun.anchor
        if begun.finding is not None:
            self._findings.append(begun.finding)
        self._stopped = begun.anchor is None or begun.finding is not None

    def _wanted(self) -> int:
        """Return the last height asked for: the highest tip unless given, but not less than what is to be first."""
        least = self._first if self._first > 1 else 0
        return self._last or max(least, *(feed.claimed or 0 for feed in self._feeds))

    # One run of blocks

    def _lead(self) -> Feed | None:
        """Return the first source that has the next block; sources that have no more end here."""
        for feed in self._active():
            if feed.fill(1):
                return feed
            if not feed.waiting:
                feed.close(self._goal)
        return None

    def _take_run(self, lead: Feed) -> None:
        """Verify as many of the lead's next blocks as hold, and end the sources that turn out false."""
        for feed in self._active():
            feed.fill(1)
        lacking = (feed.lacks for feed in self._active() if feed.waiting)
        count = min(lead.fill(RUN_BLOCKS), RUN_BLOCKS, *lacking)  # a pruned source is compared from its first block on
        followed, error = self._follow(lead, count)
        steps = self._compare(lead, followed)
        if len(steps) < len(followed):
            error = None  # another source disagrees before that; it is judged first, in a run of its own
            if not steps:
                return
        steps, fault = self._check(steps)
        if fault is not None:
            error = fault
        steps = self._execute(steps)
        self._advance(steps)
        if error is not None and not self._stopped and self._anchor.height + 1 == error[0]:
            lead.refute(error[0], error[1])

    def _follow(self, lead: Feed, count: int) -> tuple[list[Step], tuple[int, LedgerError] | None]:
        """Follow the lead's headers; return the lawful steps, and the height and error that ended them."""
        steps: list[Step] = []
        anchor = self._anchor
        for data in lead.pending[:count]:
            try:
                committed = CommittedBlock.decode(data, check_roots=False)
                following = self._follow_one(anchor, committed, at_start=not steps)
                require_pinned(committed.block.header, self._pin)  # A18
            except (UnknownValidators, CannotReplay) as error:
                if not steps:
                    self._chain_finding(anchor.height + 1, error.reason, Verdict.UNKNOWN)
                break
            except LedgerError as error:
                return steps, (anchor.height + 1, error)
            steps.append(Step(anchor, following, committed, ()))
            anchor = following
        return steps, None

    def _follow_one(self, anchor: Anchor, committed: CommittedBlock, *, at_start: bool) -> Anchor:
        """Follow one header. To whom the validators change is computed by replay if the block does not say."""
        header, replay = committed.block.header, self._replay
        find = finder(committed, self._epochs)

        def certified(wanted: bytes, epoch: int) -> ValidatorSet | None:
            # Nothing below it proves a set that takes over, so this certificate is checked at every level.
            verify_certified(header, committed.certificate, anchor.chain_id, anchor.next_validators)  # A10
            found = find(wanted, epoch)
            if found is None and replay is not None and at_start:
                found = replay.validators_after(committed.block)
            return found

        return follow(anchor, header, certified)

    def _compare(self, lead: Feed, steps: list[Step]) -> list[Step]:
        """Return the steps up to where another source has a different block, with the others' copies of them.

        If that is at once, judge the two blocks.
        """
        copies: list[list[Copy]] = [[] for _ in steps]
        agreed = len(steps)
        for index, feed in enumerate(self._feeds):
            if feed is lead or not feed.active or not steps:
                continue
            feed.fill(agreed)
            for position, data in enumerate(feed.pending[:agreed]):
                try:
                    copy = checks.same_block(steps[position].committed, data, index)  # A16
                except LedgerError as error:
                    if position == 0:
                        feed.refute(steps[0].anchor.height, error)
                    else:
                        agreed = position  # what comes before it is audited first
                    break
                if copy is None:
                    if position == 0:
                        self._judge(lead, steps[0], feed, data)
                    agreed = position
                    break
                copies[position].append(copy)
        return [replace(step, copies=tuple(held)) for step, held in zip(steps[:agreed], copies, strict=False)]

    def _judge(self, lead: Feed, step: Step, feed: Feed, data: bytes) -> None:
        """Two sources show different blocks at one height: end who has no certificate; with two it is a fork."""
        anchor, height = step.anchor, step.anchor.height
        try:
            check_certificate(anchor, step.committed.block.header, step.committed.certificate)
        except LedgerError as error:
            lead.refute(height, error)
            return
        try:
            other = CommittedBlock.decode(data, check_roots=False)
            header = other.block.header
            if header.chain_id != anchor.chain_id:
                raise OtherChain(f"of chain {header.chain_id.hex()}")
            if header.height != height:
                raise BadHeader(f"it is the block of height {header.height}")
            if (header.epoch, header.validators_hash) == (anchor.validators.epoch, anchor.validators.hash):
                validators = anchor.validators
                verify_certified(header, other.certificate, anchor.chain_id, validators)
            else:
                validators = self._verify_elsewhere(feed, header, other.certificate)  # A14
        except LedgerError as error:
            feed.refute(height, error)
            return
        names = f"{lead.name} and {feed.name}"
        self._findings.append(two_blocks(step.committed, other, (anchor.validators, validators), names))  # A17
        self._stopped = True

    def _verify_elsewhere(self, feed: Feed, header: Header, certificate: Certificate) -> ValidatorSet:
        """Return the set of another epoch that certified a header, by the handovers that its source shows."""
        epochs = Epochs(self._genesis)
        if header.epoch > epochs.last.epoch:
            epochs.take_all(feed.handovers(header.epoch))
        return epochs.verify(header, certificate)

    def _check(self, steps: list[Step]) -> tuple[list[Step], tuple[int, LedgerError] | None]:
        """Do the checks of the level; return the steps that hold and, if the lead's next does not, why."""
        if not steps:
            return steps, None
        faults = []
        if self._level is not Level.HEADERS:
            faults = checks.check_steps(self._pool, steps, roots=self._level >= Level.MERKLE)
        elif checks.check_only_last(steps[-1], len(steps) - 1):
            faults = checks.check_steps(self._pool, steps, roots=False)  # to learn which one is the first bad one
        for fault in faults:
            height = steps[fault.position].anchor.height
            if fault.source is None:
                return steps[: fault.position], (height, BadHeader(fault.reason))
            if self._feeds[fault.source].active:
                self._feeds[fault.source].refute(height, BadHeader(fault.reason))
        return steps, None

    def _execute(self, steps: list[Step]) -> list[Step]:
        """Replay the steps; return those that come out as certified. A difference ends the audit."""
        if self._replay is None or not steps:
            return steps
        verified = checks.admit_all(self._pool, steps)
        for position, step in enumerate(steps):
            try:
                self._replay.apply(step.committed.block, verified)  # A9
            except CannotReplay as error:
                self._chain_finding(step.anchor.height, error.reason, Verdict.UNKNOWN)
                return steps[:position]
            except LedgerError as error:
                signers = step.committed.certificate.signers()
                members = tuple(sorted({step.anchor.validators[index].member for index in signers}))
                self._chain_finding(step.anchor.height, error.reason, members=members)
                return steps[:position]
            self._tell(step.anchor.height)
        return steps

    def _advance(self, steps: list[Step]) -> None:
        if not steps:
            return
        for feed in self._active():
            feed.advance(len(steps))
        self._anchor, self._tip = steps[-1].anchor, steps[-1].committed
        for step in steps:
            if step.anchor.next_validators is not step.anchor.validators:
                header, certificate = step.committed.block.header, step.committed.certificate
                self._epochs.take(Handover(header, certificate, step.anchor.next_validators))
            if self._level >= Level.MERKLE and not self._stopped:
                self._look_for_evidence(step)
        self._transactions += sum(step.committed.block.header.tx_count for step in steps)
        if self._take is not None and not self._stopped:
            self._take([step.committed for step in steps])
        self._tell(self._anchor.height)

    def _look_for_evidence(self, step: Step) -> None:
        """Verify anew what a block puts on record against validators; a record that proves nothing is a lie."""
        try:
            self._contradictions += in_block(step.committed, self._epochs, self._genesis.chain_id)
        except UnknownValidators as error:
            self._chain_finding(step.anchor.height, error.reason, Verdict.UNKNOWN)
        except LedgerError as error:
            self._chain_finding(step.anchor.height, error.reason)

    # Findings

    def _chain_finding(
        self,
        height: int,
        reason: str,
        verdict: Verdict = Verdict.BAD,
        *,
        members: tuple[str, ...] = (),
        source: str = "",
    ) -> None:
        """Record a finding about the chain itself and end the audit."""
        self._findings.append(Finding(height, reason, source, members, verdict))
        self._stopped = True

    # Report

    def _report(self) -> AuditReport:
        for feed in self._active():
            if feed.agreed < self._goal and not self._stopped:
                feed.close(self._goal)
        findings = [finding for feed in self._feeds for finding in feed.findings] + self._findings
        height, tip = self._anchor.height, None if self._tip is None else self._tip.block.header
        bad = any(finding.verdict is Verdict.BAD for finding in findings)
        if not bad:
            findings += self._unanswered(height)
        agreed = sum(feed.agreed >= max(height, self._first) for feed in self._feeds)
        verdict = Verdict.BAD if bad else Verdict.UNKNOWN if findings else Verdict.OK
        return AuditReport(
            chain_id=self._genesis.chain_id.hex(),
            level=self._level.name.lower(),
            first=self._first,
            last=height,
            goal=self._goal,
            transactions=self._transactions,
            head_hash=None if tip is None else tip.hash.hex(),
            state_root=None if tip is None else tip.state_root.hex(),
            head_time_ms=None if tip is None else tip.time_ms,
            pin=None if self._pin is None else f"{self._pin[0]}:{self._pin[1].hex()}",
            findings=tuple(sorted(findings, key=lambda item: (item.height or 0, item.source))),
            sources=tuple(feed.report() for feed in self._feeds),
            epoch=self._anchor.next_validators.epoch,
            remaining_trust=remaining_trust(
                self._genesis,
                self._level,
                validators=self._anchor.validators,
                first=min(self._first, height + 1),
                pin=self._pin,
                sources=agreed,
            ),
            verdict=verdict,
            contradictions=tuple(self._contradictions) if self._level >= Level.MERKLE else None,
        )

    def _unanswered(self, height: int) -> list[Finding]:
        """Return what was asked and could not be told, though nothing is known to be wrong."""
        if all(feed.claimed is None for feed in self._feeds):
            return [Finding(None, "no source could be read", "", (), Verdict.UNKNOWN)]
        found = []
        goal = self._wanted()
        if height < self._first - 1 and not self._findings:
            reason = f"no source gave this block, on which those from {self._first} on stand"
            found.append(Finding(self._first - 1, reason, "", (), Verdict.UNKNOWN))
        elif height < goal and not self._stopped:
            reason = f"no source gave the blocks up to {goal}"
            if any(feed.pruned for feed in self._feeds):
                reason += "; they are pruned: an archive is needed, or a node that keeps all blocks"
            found.append(Finding(height + 1, reason, "", (), Verdict.UNKNOWN))
        if self._pin is not None and not self._first - 1 <= self._pin[0] <= height:
            reason = f"the pinned height {self._pin[0]} is not among the audited blocks"
            found.append(Finding(self._pin[0], reason, "", (), Verdict.UNKNOWN))
        return found

    def _active(self) -> list[Feed]:
        return [feed for feed in self._feeds if feed.active]

    def _tell(self, height: int) -> None:
        if self._progress is not None:
            self._progress(height, self._goal)
