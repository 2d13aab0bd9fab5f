"""All steps that concern what a member sealed, as a document: who was granted a key, who asked, what was erased.

Law: the entries count only if they lead to the head, and are as many, as the certified state says; so nobody who makes
the document can leave an access out.

docs/spec/audit.md, section Access history.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from coseal.audit import certified
from coseal.audit.certified import Judged, block_text
from coseal.audit.steps import Trace
from coseal.contracts.disclosure.log import Entry, head_after
from coseal.contracts.disclosure.state import log_key
from coseal.contracts.process.chain import count_and_head
from coseal.ledger import codec
from coseal.ledger.errors import BadProof, Malformed
from coseal.ledger.genesis import Genesis
from coseal.ledger.proof import CertifiedValue
from coseal.ledger.render import document_fields, plain, state_proof_from_json, state_proof_json
from coseal.ledger.signing import ZERO_HASH

KIND: Final = "access-history"
STEP_NAMES: Final = ("form", "chain", "header", "validators", "certificate", "state path", "entries")
MAX_ENTRIES: Final = 200_000
_NAMES: Final = frozenset({"coseal", "version", "owner", "entries", "record"})
_ENTRY_NAMES: Final = frozenset({"number", "step", "vault", "subject", "height"})


class Access(NamedTuple):
    """One step: its number in the log, what happened to which vault, about whom or what, and in which block."""

    number: int
    step: str
    vault: str
    subject: str
    height: int


class Shown(NamedTuple):
    """What a document shows: whose log, its entries, and the certified record of it. Nothing is proven yet."""

    owner: str
    entries: Sequence[Access]
    record: CertifiedValue


def read(value: Any) -> Shown:
    """Return what a document shows; raise ``Malformed``. Proves nothing yet."""
    fields = document_fields(value, KIND, _NAMES)
    owner = codec.text(fields["owner"], f"{KIND}.owner", limit=64)
    rows = codec.sequence(fields["entries"], f"{KIND}.entries", limit=MAX_ENTRIES)
    record = state_proof_from_json(fields["record"])
    if record.key != log_key(owner).encode():
        raise Malformed(f"{KIND}.record: it is of another owner")
    return Shown(owner, tuple(map(_entry, rows)), record)


def _entry(row: Any) -> Access:
    fields = codec.all_fields(row, "entry", _ENTRY_NAMES)
    return Access(
        codec.integer(fields["number"], "entry.number", low=1),
        codec.text(fields["step"], "entry.step", limit=64),
        codec.text(fields["vault"], "entry.vault", limit=64),
        codec.text(fields["subject"], "entry.subject", limit=1_024),
        codec.integer(fields["height"], "entry.height", low=1),
    )


def verify_access(document: Any, genesis: Genesis, trace: Trace) -> tuple[str, dict[str, Any], Judged]:
    """Return in words and as facts what a document proves; raise a ``LedgerError`` unless it does."""
    shown, handovers = certified.read(document, trace, read)
    judged = certified.judge(shown.record.header, shown.record.certificate, handovers, genesis, trace)
    certified.state_path(shown.record, trace)
    with trace.step("entries", "audit.md A44; contracts/disclosure/README.md V14") as seen:
        recorded = recorded_head(shown.record)
        seen.values = {"recorded": plain(list(recorded)), "shown": len(shown.entries)}
        require_whole(shown.owner, shown.entries, recorded)
        seen.detail = f"{len(shown.entries)} entries lead to the head, and are as many, as the certified record says"
    steps = Counter(entry.step for entry in shown.entries)
    facts = {"owner": shown.owner, "entries": len(shown.entries), "steps": dict(sorted(steps.items()))}
    count = "this 1 step is all that" if len(shown.entries) == 1 else f"these {len(shown.entries)} steps are all that"
    return f"{count} concerned what {shown.owner} sealed, as of {block_text(judged.header)}", facts, judged


def recorded_head(record: CertifiedValue) -> tuple[int, bytes]:
    """Return how many entries a log has, and its head, as the state has it; raise ``BadProof`` for another value."""
    return count_and_head(None if record.value is None else codec.decode(record.value), "the record of a log")


def require_whole(owner: str, entries: Sequence[Access], recorded: tuple[int, bytes]) -> None:
    """Raise ``BadProof`` unless these are all entries of the log of ``owner``, in their order (V14)."""
    count, expected = recorded
    head = ZERO_HASH
    for place, (number, step, vault, subject, height) in enumerate(entries, 1):
        if number != place:
            raise BadProof(f"entry {place} of {owner} is missing or out of order")
        head = head_after(head, Entry(owner, number, step, vault, subject), height)
    if len(entries) != count:
        raise BadProof(f"{len(entries)} entries are shown, {count} are recorded")
    if head != expected:  # A44
        raise BadProof("the entries are not those recorded")


def access_json(shown: Shown) -> dict[str, Any]:
    """Return the document."""
    rows = [entry._asdict() for entry in shown.entries]
    record = state_proof_json(shown.record)
    return {"coseal": KIND, "version": 1, "owner": shown.owner, "entries": rows, "record": record}
