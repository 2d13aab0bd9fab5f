"""Mistakes in what is checked of others: signatures, certificates, roots, evidence."""

from __future__ import annotations

from typing import Final

from simulation.mutations.mutant import Mutant, one

_HEIGHT = "coseal.consensus.height"
_EVIDENCE = "coseal.contracts.evidence.actions"

MUTANTS: Final[dict[str, Mutant]] = {
    # What is checked
    "signature_unchecked": one(
        "the outer signature of a message is not checked",
        "coseal.node.core.ordering",
        "if not verified or message.epoch != self.validators.epoch:",
        "if message.epoch != self.validators.epoch:",
        "tests/node/core/test_machine_frames.py",
    ),
    "certificate_unchecked": one(
        "a commit certificate of a peer is taken unverified",
        _HEIGHT,
        "if not self._judge.certificate_holds(certificate, Phase.COMMIT):",
        "if certificate.height != self.number:",
    ),
    "quorum_of_signatures": one(
        "only the first q - 1 signatures of a certificate are verified",
        "coseal.ledger.certificate",
        "in zip(signers, self.signatures, strict=True):  # Q2: all of them",
        "in list(zip(signers, self.signatures, strict=True))[: validators.quorum - 1]:",
        "tests/ledger",
    ),
    "root_unchecked": one(
        "a block whose roots differ from our execution is voted for",
        "coseal.contracts.execution",
        "            if claimed != found:",
        "            if claimed != found and what == 'next_validators_hash':",
        "tests/contracts/test_execution.py",
    ),
    "time_unchecked": one(
        "the time of a fresh block is not checked",
        "coseal.consensus.rules",
        "if not earliest <= header.time_ms <= latest:",
        "if earliest > latest:",
    ),
    "window_unchecked": one(
        "a committed transaction may be committed again",
        "coseal.contracts.execution",
        "if tx.id in self._seen:  # V4, X1",
        "if tx.id in ():",
        "tests/contracts/test_execution.py",
    ),
    "transaction_unverified": one(
        "the signature of a transaction in a block is not checked",
        "coseal.node.core.verified_cache",
        "transaction.verify_signature(self._verify)",
        "transaction.salt",
        "tests/node/core/test_machine_frames.py tests/node/core/test_application.py",
    ),
    "status_believed": one(
        "a peer's claimed tip is believed without its certificate",
        "coseal.node.core.peer_status",
        "require_commit(certificate, executor.chain_id, executor.validators, self._verify)",
        "certificate.signers()",
        "tests/node/core/test_machine_frames.py",
    ),
    # Evidence
    "evidence_unproven": one(
        "the signatures of evidence are not checked",
        _EVIDENCE,
        "proof.verify(chain_id, voters[index].key, verify)  # O1",
        "pass",
        "tests/contracts/evidence/test_evidence.py",
    ),
    "evidence_repeated": one(
        "one contradiction is recorded again and again",
        _EVIDENCE,
        "if reader.get(_proof_key(args)) is not None:  # O3",
        "if at < 0:",
        "tests/contracts/evidence/test_evidence.py",
    ),
    "evidence_kept_back": one(
        "what proves a contradiction is not reported",
        "coseal.node.core.evidence",
        "            elif not self._is_on_its_way(pending.args):",
        "            elif pending.wait < 0:",
        "tests/node/core/test_evidence.py",
    ),
    "evidence_in_certificates_unseen": one(
        "certificates are not compared with the votes that came",
        "coseal.consensus.contradictions",
        "if sender != self._vote_signer.me and self._votes.judge(message) is Verdict.CONFLICT:",
        "if sender == self._vote_signer.me and self._votes.judge(message) is Verdict.CONFLICT:",
    ),
}
