"""Verifying one document offline: a receipt, a proof about the state, a certified header.

Law: the answer is ``bad`` only if something in the document is false, and ``unknown`` if it cannot be judged with
what is at hand; nothing is asked of a node. Every check is a step that says what it saw.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

from coseal.audit import (
    access,
    bundle,
    certificate,
    certified,
    credential,
    decision,
    dossier,
    fork_document,
    reveal,
    statement,
    trade,
)
from coseal.audit.certified import Judged, block_text
from coseal.audit.export import Beside, file_in, read_at_most, verify_export
from coseal.audit.history import record_of, verify_history
from coseal.audit.light import UnknownValidators
from coseal.audit.report import Verdict
from coseal.audit.steps import Step, Trace, Untold
from coseal.contracts.certification.proof import KIND as CERTIFICATE
from coseal.contracts.credit.dossier import KIND as DOSSIER
from coseal.contracts.currency.statement import KIND as STATEMENT
from coseal.contracts.governance.decision_keys import KIND as DECISION
from coseal.contracts.trade.proofs import KIND as TRADE_PROOF
from coseal.ledger.codec import decode
from coseal.ledger.errors import LedgerError, Malformed
from coseal.ledger.genesis import Genesis
from coseal.ledger.proof import BeginProof, CertifiedValue, TransactionProof
from coseal.ledger.render import (
    MAX_DOCUMENT_DEPTH,
    begin_proof_from_json,
    certified_header_from_json,
    plain,
    proof_from_json,
    state_proof_from_json,
    time_text,
)
from coseal.ledger.strict_json import strict_json

MAX_DOCUMENT_BYTES: Final = 64 * 1024 * 1024
REMAINING_TRUST: Final[Mapping[str, str]] = {
    "genesis": bundle.REMAINING_TRUST[0],
    "quorum": "that among the validators that signed one is honest: the outcome and the state are what they certified",
    "contracts": bundle.REMAINING_TRUST[1],
    "newest": "that no later block says otherwise: a document does not say that it is the newest",
    "issuer": "that what the issuer says is so: nothing here shows what the ledger has of it",
    "again": "that the items are those of the chain: exporting again at the same height gives the same bytes",
}
"""What a document cannot prove by itself, by name."""
_HEADER_STEPS: Final = ("form", "chain", "header", "validators", "certificate")
STEPS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "receipt": (*_HEADER_STEPS, "transaction path", "receipt path", "signature"),
    "begin-receipt": (*_HEADER_STEPS, "receipt path", "content"),
    "state-proof": (*_HEADER_STEPS, "state path"),
    "certified-header": _HEADER_STEPS,
    "object-history": (*_HEADER_STEPS, "state path", "items"),
    reveal.KIND: reveal.STEP_NAMES,
    access.KIND: access.STEP_NAMES,
    "export": ("form", "chain", "signature", "file", "registered"),
    fork_document.KIND: fork_document.STEP_NAMES,
    DECISION: decision.STEP_NAMES,
    STATEMENT: statement.STEP_NAMES,
    TRADE_PROOF: trade.STEP_NAMES,
    DOSSIER: dossier.STEP_NAMES,
    CERTIFICATE: certificate.STEP_NAMES,
    credential.KIND: credential.STEP_NAMES,
    bundle.KIND: bundle.STEP_NAMES,
}
"""The steps of each kind of document, in order."""
_CERTIFIED: Final = ("genesis", "quorum", "newest")
_REMAINING: Final[Mapping[str, tuple[str, ...]]] = {
    bundle.KIND: ("genesis", "contracts", "newest"),
    fork_document.KIND: ("genesis",),
    "export": ("genesis", "again"),
}

_Told: TypeAlias = tuple[str, dict[str, Any]]
_Verify: TypeAlias = Callable[[Any, Genesis, Trace], _Told]
_Proof = TypeVar("_Proof", TransactionProof, BeginProof, CertifiedValue)


@dataclass(frozen=True, slots=True)
class Verification:
    """What a document turned out to be: its kind, the verdict, one sentence, and what it proves if it is ``OK``.

    ``steps`` are the checks in order, up to the one that fails.
    """

    kind: str
    verdict: Verdict
    reason: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the document proves what it says."""
        return self.verdict is Verdict.OK

    @property
    def exit_code(self) -> int:
        """0 for ok, 1 for bad, 2 for could not tell."""
        return {Verdict.OK: 0, Verdict.BAD: 1, Verdict.UNKNOWN: 2}[self.verdict]

    @property
    def height(self) -> int | None:
        """The block as of which the document proves something; None if it proves nothing, or of no block."""
        last = self.facts.get("heights")  # of an export, "first to last"
        if last is not None:
            return int(str(last).rpartition(" ")[2])
        return self.facts["height"] if "time" in self.facts else None  # a fork is of two blocks

    def as_of(self, min_height: int) -> Verification:
        """Return this verdict, or ``unknown`` if the document is of a block before ``min_height``."""
        if not self.ok or self.height is None or self.height >= min_height:
            return self
        reason = f"this holds as of block {self.height}, and says nothing of block {min_height}: ask for a newer one"
        return replace(self, verdict=Verdict.UNKNOWN, reason=reason)

    @property
    def remaining(self) -> tuple[str, ...]:
        """The names in ``REMAINING_TRUST`` of what must be believed beside what was proven; nothing was, nothing is."""
        if not self.ok:
            return ()
        word = ("issuer",) if self.facts.get("proven") is False else ()
        return (*_REMAINING.get(self.kind, _CERTIFIED), *word)

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON values."""
        return {
            "kind": self.kind,
            "ok": self.ok,
            "verdict": self.verdict.value,
            "reason": self.reason,
            "facts": dict(self.facts),
            "steps": [step.to_json() for step in self.steps],
            "remaining_trust": [REMAINING_TRUST[name] for name in self.remaining],
        }


def verify_file(path: Path | str, genesis: Genesis) -> Verification:
    """Verify the document in a file against a trusted genesis. Never raises for what the file holds."""
    try:
        with Path(path).open("rb") as file:
            raw = read_at_most(file.read, MAX_DOCUMENT_BYTES + 1)
    except OSError as error:
        return Verification("file", Verdict.UNKNOWN, f"{path}: {error.strerror or error}")
    return verify_bytes(raw, genesis, Path(path).parent)


def verify_bytes(raw: bytes, genesis: Genesis, beside: Path | Beside | None = None) -> Verification:
    """Verify the bytes of a document; see ``verify_file``.

    ``beside`` gives the file of an export's manifest: the folder that holds it, or what reads it by name.
    """
    if len(raw) > MAX_DOCUMENT_BYTES:
        return Verification("file", Verdict.UNKNOWN, f"more than {MAX_DOCUMENT_BYTES} bytes: not a document of ours")
    try:
        document = strict_json(raw, "document", depth=MAX_DOCUMENT_DEPTH)
    except Malformed as error:
        kind = _kind_of(_parsed(raw))
        if kind is None:
            return Verification("file", Verdict.UNKNOWN, f"no document of ours: {error.reason}")
        return Verification(kind, Verdict.BAD, error.reason)
    return verify_document(document, genesis, beside)


def _parsed(raw: bytes) -> Any:
    """Return what bytes hold as JSON of any kind, None if they hold none."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _kind_of(document: Any) -> str | None:
    """Return the kind that a document says it is of, None if it names none of ours."""
    kind = document.get("coseal") if type(document) is dict else None
    return kind if type(kind) is str and kind in STEPS_OF else None


def verify_document(document: Any, genesis: Genesis, beside: Path | Beside | None = None) -> Verification:
    """Verify a parsed document; see ``verify_bytes``."""
    kind = _kind_of(document)
    if kind == bundle.KIND:
        return _bundle(document, genesis)
    if kind is None:
        known = ", ".join(sorted(STEPS_OF))
        return Verification("file", Verdict.UNKNOWN, f'no document of ours: "coseal" names none of {known}')
    trace = Trace()
    try:
        if kind == "export":
            reader = file_in(beside) if isinstance(beside, Path) else beside
            reason, facts = verify_export(document, genesis, trace, reader)
        else:
            reason, facts = _KINDS[kind](document, genesis, trace)
    except (UnknownValidators, Untold) as error:
        return Verification(kind, Verdict.UNKNOWN, str(error), steps=tuple(trace.steps))
    except LedgerError as error:
        return Verification(kind, Verdict.BAD, error.reason, steps=tuple(trace.steps))
    return Verification(kind, Verdict.OK, reason, facts, tuple(trace.steps))


def _bundle(document: Any, genesis: Genesis) -> Verification:
    report = bundle.verify_bundle(document, genesis)
    last = report.steps[-1]
    if report.verdict is not Verdict.OK:
        reason = f"step {len(report.steps)} of {len(bundle.STEP_NAMES)}, {last.name}: {last.detail}"
        return Verification(bundle.KIND, report.verdict, reason, steps=report.steps)
    facts = report.facts
    reason = f"the case {facts['object']} is proven as of block {facts['height']} ({facts['time']}): "
    reason += f"{facts['items']} items, {len(facts['findings'])} findings with their whole trail"
    return Verification(bundle.KIND, Verdict.OK, reason, report.facts, report.steps)


def _judged(document: Any, genesis: Genesis, trace: Trace, read: Callable[[Any], _Proof]) -> tuple[_Proof, Judged]:
    """Return the proof that a document holds, once its header is certified."""
    shown, handovers = certified.read(document, trace, read)
    return shown, certified.judge(shown.header, shown.certificate, handovers, genesis, trace)


def _begin_receipt(document: Any, genesis: Genesis, trace: Trace) -> _Told:
    proof, judged = _judged(document, genesis, trace, begin_proof_from_json)
    with trace.step("receipt path", "encoding.md H1 to H4") as seen:
        seen.values = certified.path(
            proof.receipt, 0, proof.header.tx_count + 1, proof.receipt_path, proof.header.receipts_root
        )
        proof.verify_path()
        seen.detail = "the siblings lead from the receipt to the header's receipts_root"
    with trace.step("content", "encoding.md H4") as seen:
        receipt = proof.content()
        seen.detail = "the first receipt of a block is what fell due at its start"
    facts = {**_facts(judged), "due": plain(receipt.data)}
    return f"this is what fell due at the start of {block_text(proof.header)}", facts


def _receipt(document: Any, genesis: Genesis, trace: Trace) -> _Told:
    proof, judged = _judged(document, genesis, trace, proof_from_json)
    header = proof.header
    with trace.step("transaction path", "encoding.md H1 to H4") as seen:
        seen.values = certified.path(
            proof.transaction, proof.index, header.tx_count, proof.transaction_path, header.tx_root
        )
        proof.verify_transaction_path()
        seen.detail = "the siblings lead from the transaction to the header's tx_root"
    with trace.step("receipt path", "encoding.md H1 to H4") as seen:
        size = header.tx_count + 1
        seen.values = certified.path(proof.receipt, proof.index + 1, size, proof.receipt_path, header.receipts_root)
        proof.verify_receipt_path()
        seen.detail = "the siblings lead from the receipt to the header's receipts_root"
    with trace.step("signature", "encoding.md E1, D3") as seen:
        seen.values = certified.signed(proof.transaction)
        transaction, receipt = proof.content(genesis.chain_id)
        seen.detail = f"{transaction.sender} signed it, and the receipt is of this transaction"
    came_to = "took effect" if receipt.ok else f"was rejected ({receipt.code})"
    reason = f"{transaction.contract}.{transaction.action} by {transaction.sender} {came_to}"
    facts = {
        **_facts(judged),
        "transaction": transaction.id.hex(),
        "index": proof.index,
        "sender": transaction.sender,
        "action": f"{transaction.contract}.{transaction.action}",
        "code": receipt.code,
    }
    return f"{reason} in {block_text(header)}", facts


def _state_proof(document: Any, genesis: Genesis, trace: Trace) -> _Told:
    value, judged = _judged(document, genesis, trace, state_proof_from_json)
    certified.state_path(value, trace)
    key = value.key.decode("utf-8", "backslashreplace")
    facts = {
        **_facts(judged),
        "key": key,
        "present": value.value is not None,
        "value": None if value.value is None else plain(decode(value.value)),
    }
    holds = "holds this value" if value.value is not None else "is absent"
    return f"{key} {holds} in the state after {block_text(value.header)}", facts


def _certified_header(document: Any, genesis: Genesis, trace: Trace) -> _Told:
    (header, certificate), handovers = certified.read(document, trace, certified_header_from_json)
    judged = certified.judge(header, certificate, handovers, genesis, trace)
    return f"{block_text(header)} is certified", _facts(judged)


def _object_history(document: Any, genesis: Genesis, trace: Trace) -> _Told:
    record, handovers = certified.read(document, trace, record_of)
    judged = certified.judge(record.header, record.certificate, handovers, genesis, trace)
    certified.state_path(record, trace)
    with trace.step("items", "contracts/process/README.md T13, T14") as seen:
        recorded: Any = (0, b"") if record.value is None else decode(record.value)
        shown = document.get("items")
        seen.values = {"recorded": plain(recorded), "shown": len(shown) if type(shown) is list else None}
        history = verify_history(document, genesis)
        seen.detail = f"{len(history.items)} items hash to the head, and are as many, as the certified record says"
    facts = {
        **_facts(judged),
        "process_type": history.process_type,
        "object": f"{history.object_type} {history.object_id}",
        "items": len(history.items),
    }
    return f"these {len(history.items)} items are all of {facts['object']} up to {block_text(record.header)}", facts


def _in_block(verify: Callable[[Any, Genesis, Trace], tuple[str, dict[str, Any], Judged]]) -> _Verify:
    """Return what verifies a kind of document in a module of its own, with the facts of its block."""

    def verified(document: Any, genesis: Genesis, trace: Trace) -> _Told:
        reason, facts, judged = verify(document, genesis, trace)
        return reason, {**_facts(judged), **facts}

    return verified


def _facts(judged: Judged) -> dict[str, Any]:
    header, validators = judged.header, judged.validators
    signers = [validators[index] for index in judged.certificate.signers()]
    return {
        "chain_id": header.chain_id.hex(),
        "height": header.height,
        "epoch": header.epoch,
        "block_hash": header.hash.hex(),
        "state_root": header.state_root.hex(),
        "time": time_text(header.time_ms),
        "signed_by": sorted({validator.member for validator in signers}),
    }


_KINDS: Final[Mapping[str, _Verify]] = {
    "receipt": _receipt,
    "begin-receipt": _begin_receipt,
    "state-proof": _state_proof,
    "certified-header": _certified_header,
    "object-history": _object_history,
    reveal.KIND: _in_block(reveal.verify_reveal),
    access.KIND: _in_block(access.verify_access),
    DECISION: _in_block(decision.verify_decision),
    STATEMENT: _in_block(statement.verify_wallet_statement),
    TRADE_PROOF: _in_block(trade.verify_trade_proof),
    DOSSIER: _in_block(dossier.verify_dossier),
    CERTIFICATE: _in_block(certificate.verify_certificate),
    credential.KIND: _in_block(credential.verify_credential),
    fork_document.KIND: fork_document.verify_fork,
}
