"""Verifying one document offline: a receipt, a proof about the state, a certified header.

Law: the answer is ``bad`` only if something in the document is false, and ``unknown`` if it cannot be judged with
what is at hand; nothing is asked of a node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from audit import bundle
from audit.epochs import Epochs
from audit.export import Untold, read_at_most, verify_export
from audit.history import verify_history
from audit.light import UnknownValidators
from audit.report import Verdict
from ledger.block import Header
from ledger.certificate import Certificate
from ledger.codec import decode
from ledger.errors import LedgerError, Malformed
from ledger.genesis import Genesis
from ledger.handover import split_handovers
from ledger.render import (
    MAX_DOCUMENT_DEPTH,
    begin_proof_from_json,
    certified_header_from_json,
    plain,
    proof_from_json,
    state_proof_from_json,
    time_text,
)
from ledger.strict_json import strict_json
from ledger.validators import ValidatorSet

MAX_DOCUMENT_BYTES: Final = 64 * 1024 * 1024

_Told: TypeAlias = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Verification:
    """What a document turned out to be: its kind, the verdict, one sentence, and what it proves if it is ``OK``.

    ``steps`` are those of an evidence bundle, up to the one that fails.
    """

    kind: str
    verdict: Verdict
    reason: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[bundle.Step, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the document proves what it says."""
        return self.verdict is Verdict.OK

    @property
    def exit_code(self) -> int:
        """0 for ok, 1 for bad, 2 for could not tell."""
        return {Verdict.OK: 0, Verdict.BAD: 1, Verdict.UNKNOWN: 2}[self.verdict]

    def to_json(self) -> dict[str, Any]:
        """Return the result as JSON values."""
        document = {
            "kind": self.kind,
            "ok": self.ok,
            "verdict": self.verdict.value,
            "reason": self.reason,
            "facts": dict(self.facts),
        }
        if self.steps:
            document["steps"] = [
                {"name": step.name, "verdict": step.verdict.value, "detail": step.detail} for step in self.steps
            ]
        return document


def verify_file(path: Path | str, genesis: Genesis) -> Verification:
    """Verify the document in a file against a trusted genesis. Never raises for what the file holds."""
    try:
        with Path(path).open("rb") as file:
            raw = read_at_most(file.read, MAX_DOCUMENT_BYTES + 1)
    except OSError as error:
        return Verification("file", Verdict.UNKNOWN, f"{path}: {error.strerror or error}")
    return verify_bytes(raw, genesis, Path(path).parent)


def verify_bytes(raw: bytes, genesis: Genesis, folder: Path | None = None) -> Verification:
    """Verify the bytes of a document; see ``verify_file``. ``folder`` holds the file of an export's manifest."""
    if len(raw) > MAX_DOCUMENT_BYTES:
        return Verification("file", Verdict.UNKNOWN, f"more than {MAX_DOCUMENT_BYTES} bytes: not a document of ours")
    try:
        document = strict_json(raw, "document", depth=MAX_DOCUMENT_DEPTH)
    except Malformed as error:
        return Verification("file", Verdict.BAD, error.reason)
    return verify_document(document, genesis, folder)


def verify_document(document: Any, genesis: Genesis, folder: Path | None = None) -> Verification:
    """Verify a parsed document; see ``verify_bytes``."""
    kind = document.get("coseal") if type(document) is dict else None
    if kind == bundle.KIND:
        return _bundle(document, genesis)
    if type(kind) is not str or (kind not in _KINDS and kind != "export"):
        known = ", ".join(sorted((*_KINDS, "export", bundle.KIND)))
        return Verification("file", Verdict.UNKNOWN, f'no document of ours: "coseal" names none of {known}')
    try:
        if kind == "export":
            reason, facts = verify_export(document, genesis, folder)
        else:
            document, handovers = split_handovers(document)
            epochs = Epochs(genesis)
            epochs.take_all(handovers)
            reason, facts = _KINDS[kind](document, genesis, epochs)
    except (UnknownValidators, Untold) as error:
        return Verification(kind, Verdict.UNKNOWN, str(error))
    except LedgerError as error:
        return Verification(kind, Verdict.BAD, error.reason)
    return Verification(kind, Verdict.OK, reason, facts)


def _bundle(document: Any, genesis: Genesis) -> Verification:
    report = bundle.verify_bundle(document, genesis)
    last = report.steps[-1]
    if report.verdict is not Verdict.OK:
        reason = f"step {len(report.steps)} of {len(bundle.STEP_NAMES)}, {last.name}: {last.detail}"
        return Verification(bundle.KIND, report.verdict, reason, steps=report.steps)
    reason = f"the case {report.facts['object']} is proven: {report.facts['items']} items"
    reason += f", {len(report.facts['findings'])} findings with their whole trail"
    return Verification(bundle.KIND, Verdict.OK, reason, report.facts, report.steps)


def _begin_receipt(document: Any, genesis: Genesis, epochs: Epochs) -> _Told:
    proof = begin_proof_from_json(document)
    validators = epochs.of(proof.header, proof.certificate)
    receipt = proof.verify(genesis.chain_id, validators)
    facts = {**_facts(proof.header, proof.certificate, validators), "due": plain(receipt.data)}
    return f"this is what fell due at the start of block {proof.header.height}", facts


def _receipt(document: Any, genesis: Genesis, epochs: Epochs) -> _Told:
    proof = proof_from_json(document)
    validators = epochs.of(proof.header, proof.certificate)
    transaction, receipt = proof.verify(genesis.chain_id, validators)
    came_to = "took effect" if receipt.ok else f"was rejected ({receipt.code})"
    reason = f"{transaction.contract}.{transaction.action} by {transaction.sender} {came_to}"
    facts = {
        **_facts(proof.header, proof.certificate, validators),
        "transaction": transaction.id.hex(),
        "index": proof.index,
        "sender": transaction.sender,
        "action": f"{transaction.contract}.{transaction.action}",
        "code": receipt.code,
    }
    return f"{reason} in block {proof.header.height}", facts


def _state_proof(document: Any, genesis: Genesis, epochs: Epochs) -> _Told:
    certified = state_proof_from_json(document)
    validators = epochs.of(certified.header, certified.certificate)
    certified.verify(genesis.chain_id, validators)
    key = certified.key.decode("utf-8", "backslashreplace")
    value = None if certified.value is None else plain(decode(certified.value))
    facts = {
        **_facts(certified.header, certified.certificate, validators),
        "key": key,
        "present": certified.value is not None,
        "value": value,
    }
    holds = "holds this value" if certified.value is not None else "is absent"
    return f"{key} {holds} in the state after block {certified.header.height}", facts


def _certified_header(document: Any, genesis: Genesis, epochs: Epochs) -> _Told:
    header, certificate = certified_header_from_json(document)
    validators = epochs.verify(header, certificate)
    return f"block {header.height} is certified", _facts(header, certificate, validators)


def _object_history(document: Any, genesis: Genesis, epochs: Epochs) -> _Told:
    history = verify_history(document, genesis, epochs)
    header, certificate = history.record.header, history.record.certificate
    facts = {
        **_facts(header, certificate, epochs.of(header, certificate)),
        "process_type": history.process_type,
        "object": f"{history.object_type} {history.object_id}",
        "items": len(history.items),
    }
    return f"these {len(history.items)} items are all of {facts['object']} up to block {header.height}", facts


def _facts(header: Header, certificate: Certificate, validators: ValidatorSet) -> dict[str, Any]:
    signers = [validators[index] for index in certificate.signers()]
    return {
        "chain_id": header.chain_id.hex(),
        "height": header.height,
        "epoch": header.epoch,
        "block_hash": header.hash.hex(),
        "state_root": header.state_root.hex(),
        "time": time_text(header.time_ms),
        "signed_by": sorted({validator.member for validator in signers}),
    }


_KINDS: Final[Mapping[str, Callable[[Any, Genesis, Epochs], _Told]]] = {
    "receipt": _receipt,
    "begin-receipt": _begin_receipt,
    "state-proof": _state_proof,
    "certified-header": _certified_header,
    "object-history": _object_history,
}
