"""What an audit found, and what must still be believed after it.

Law: a report never says more than was checked; ``remaining_trust`` names everything that was not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import Enum, IntEnum
from typing import Any, Final

from coseal.audit.contradictions import Contradiction
from coseal.ledger.genesis import COMETBFT_NAME, Genesis
from coseal.ledger.validators import ValidatorSet


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
    remaining_trust: tuple[Remaining, ...]
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
        fields = {
            **asdict(replace(self, remaining_trust=())),
            "ok": self.ok,
            "blocks": self.blocks,
            "verdict": self.verdict.value,
        }
        fields["findings"] = [
            {**asdict(item), "members": list(item.members), "verdict": item.verdict.value} for item in self.findings
        ]
        fields["sources"] = [asdict(item) for item in self.sources]
        fields["remaining_trust"] = [str(line) for line in self.remaining_trust]
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
) -> tuple[Remaining, ...]:
    """Return what must still be believed of the blocks that held, a sentence a line; ``sources`` agree on them.

    ``validators`` are those of the last of these blocks.
    """
    n, q, former = validators.n, validators.quorum, validators.epoch > genesis.validators.epoch
    lines = [Remaining("genesis", chain=genesis.chain_id.hex())]
    if level is Level.HEADERS:
        lines.append(Remaining("headers"))
    if level <= Level.CERTIFICATES:
        lines.append(Remaining("bodies"))
    if level <= Level.MERKLE:
        lines.append(Remaining("outcomes", quorum=q))
    if first > 1:
        lines.append(Remaining("below" if first > 2 else "below_one", last=first - 2, base=first - 1))
    if pin is None:
        lines.append(Remaining("keys_former" if former else "keys", quorum=q, all=n))
    else:
        lines.append(Remaining("pin", height=pin[0], quorum=q, all=n))
    if genesis.engine == COMETBFT_NAME:
        lines.append(Remaining("cometbft"))
    lines.append(Remaining(("nothing", "one_source")[sources] if sources < 2 else "sources", count=sources))
    if n < 4:
        lines.append(Remaining("few" if n > 1 else "single", all=n))
    return tuple(lines)


class Remaining(str):
    """A sentence on what must still be believed; ``key`` and ``values`` say the same to who has other words for it."""

    key: str
    values: Mapping[str, Any]

    def __new__(cls, key: str, **values: Any) -> Remaining:
        """Return the sentence of ``key``."""
        made = super().__new__(cls, _SENTENCES[key].format(**values))
        made.key, made.values = key, values
        return made


_KEYS: Final = (
    "No {quorum} of the {all} validators' keys were stolen or misused to sign a second history%s: a pin "
    "(HEIGHT:HASH) learnt from elsewhere, --trust, excludes that up to its height."
)
_SENTENCES: Final[Mapping[str, str]] = {
    "genesis": "The genesis file is the one the members agreed on (chain id {chain}).",
    "headers": "Below the last block only hash links were checked, and the certificate of every few hundredth block: "
    "the last certificate covers them all. Level certificates checks each.",
    "bodies": "Transactions and receipts were not compared with the headers: level merkle does that.",
    "outcomes": "At least one honest validator is among every {quorum} that signed: outcomes and the state root are "
    "what they certified. Level replay computes them again, and checks every transaction's signature.",
    "below": "Blocks 1 to {last} were not looked at: block {base} is believed because a quorum certified it.",
    "below_one": "Block 1 is believed because a quorum certified it.",
    "keys": _KEYS % "",
    "keys_former": _KEYS % ", nor those of a quorum of any epoch before",
    "pin": "The pin at height {height} is right; above it, no {quorum} of the {all} validators signed two histories.",
    "nothing": "No source gave blocks of this range that hold: nothing is known of them.",
    "one_source": "Only one source answered: it may hide newer blocks, or a second history. Compare several.",
    "sources": "The {count} sources that agreed do not all hide newer blocks or a second history.",
    "cometbft": "The order was agreed by CometBFT 0.38, which also chose who proposes.",
    "few": "With {all} validators no faulty one is tolerated.",
    "single": "With 1 validator no faulty one is tolerated.",
}
