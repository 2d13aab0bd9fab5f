"""What an audit found, and what must still be believed after it.

Law: a report never says more than was checked; ``remaining_trust`` names everything that was not.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum, IntEnum
from typing import Any

from audit.contradictions import Contradiction
from ledger.genesis import Genesis
from ledger.validators import ValidatorSet


class Level(IntEnum):
    """How deep to look; each level does what the ones below it do."""

    HEADERS = 1
    CERTIFICATES = 2
    MERKLE = 3
    REPLAY = 4

    @staticmethod
    def of(name: str) -> Level:
        """Return the level called ``name`` (``headers`` .. ``replay``); raise ``ValueError``."""
        try:
            return Level[name.upper()]
        except KeyError:
            raise ValueError(f"level {name!r}: expected headers, certificates, merkle or replay") from None


class Verdict(Enum):
    """``OK``: everything asked for holds. ``BAD``: something is false or damaged. ``UNKNOWN``: could not tell."""

    OK = "ok"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something false, damaged or undecidable: at which height, in which source, which members are answerable.

    ``verdict`` is ``BAD`` or ``UNKNOWN``.
    """

    height: int | None
    reason: str
    source: str
    members: tuple[str, ...] = ()
    verdict: Verdict = Verdict.BAD


@dataclass(frozen=True, slots=True)
class SourceReport:
    """How one source did: ``ok``, ``behind``, ``pruned``, ``torn``, ``unreachable``, ``damaged``, ``false_tip``,
    ``other_chain`` or ``refuted``.

    ``claimed`` is the tip it claimed (None if it did not answer), ``agreed`` up to which height it agreed.
    """

    name: str
    status: str
    claimed: int | None
    agreed: int
    note: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """The outcome of an audit. Heights ``first``..``last`` were verified (none if ``last`` < ``first``).

    ``head_hash``, ``state_root`` and ``head_time_ms`` are those of ``last`` (hex, ms), None if there is none;
    ``epoch`` is that of the height after it. ``contradictions`` is what these blocks have on record against validators,
    each verified again; None below level merkle, which looks into no block.
    """

    chain_id: str
    level: str
    first: int
    last: int
    goal: int
    transactions: int
    head_hash: str | None
    state_root: str | None
    head_time_ms: int | None
    epoch: int
    pin: str | None
    findings: tuple[Finding, ...]
    sources: tuple[SourceReport, ...]
    remaining_trust: tuple[str, ...]
    verdict: Verdict
    contradictions: tuple[Contradiction, ...] | None = None

    @property
    def ok(self) -> bool:
        """Whether everything asked for holds."""
        return self.verdict is Verdict.OK

    @property
    def blocks(self) -> int:
        """How many blocks were verified."""
        return max(0, self.last - self.first + 1)

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        fields = {**asdict(self), "ok": self.ok, "blocks": self.blocks, "verdict": self.verdict.value}
        fields["findings"] = [
            {**asdict(item), "members": list(item.members), "verdict": item.verdict.value} for item in self.findings
        ]
        fields["sources"] = [asdict(item) for item in self.sources]
        fields["remaining_trust"] = list(self.remaining_trust)
        if self.contradictions is not None:
            fields["contradictions"] = [asdict(item) for item in self.contradictions]
        return fields


def remaining_trust(
    genesis: Genesis,
    level: Level,
    *,
    validators: ValidatorSet,
    first: int,
    pin: tuple[int, bytes] | None,
    sources: int,
) -> tuple[str, ...]:
    """Return what must still be believed of the blocks that held, a sentence a line; ``sources`` agree on them.

    ``validators`` are those of the last of these blocks.
    """
    n, q, epoch = validators.n, validators.quorum, validators.epoch
    former = ", nor those of a quorum of any epoch before" if epoch > genesis.validators.epoch else ""
    lines = [f"The genesis file is the one the members agreed on (chain id {genesis.chain_id.hex()})."]
    if level is Level.HEADERS:
        lines.append(
            "Below the last block only hash links were checked, and the certificate of every few hundredth block: "
            "the last certificate covers them all. Level certificates checks each."
        )
    if level <= Level.CERTIFICATES:
        lines.append("Transactions and receipts were not compared with the headers: level merkle does that.")
    if level <= Level.MERKLE:
        lines.append(
            f"At least one honest validator is among every {q} that signed: outcomes and the state root are what "
            "they certified. Level replay computes them again, and checks every transaction's signature."
        )
    if first > 1:
        lines.append(
            f"Blocks 1 to {first - 2} were not looked at: block {first - 1} is believed because a quorum certified it."
            if first > 2
            else "Block 1 is believed because a quorum certified it."
        )
    if pin is None:
        lines.append(
            f"No {q} of the {n} validators' keys were stolen or misused to sign a second history{former}: a pin "
            "(HEIGHT:HASH) learnt from elsewhere, --trust, excludes that up to its height."
        )
    else:
        lines.append(
            f"The pin at height {pin[0]} is right; above it, no {q} of the {n} validators signed two histories."
        )
    if sources == 0:
        lines.append("No source gave blocks of this range that hold: nothing is known of them.")
    elif sources == 1:
        lines.append("Only one source answered: it may hide newer blocks, or a second history. Compare several.")
    else:
        lines.append(f"The {sources} sources that agreed do not all hide newer blocks or a second history.")
    if n < 4:
        lines.append(f"With {n} validator{'s' if n > 1 else ''} no faulty one is tolerated.")
    return tuple(lines)
