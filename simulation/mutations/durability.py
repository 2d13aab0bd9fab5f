"""Mistakes in what survives a failure: the guard, the journal, the signer process, catching up."""

from __future__ import annotations

from typing import Final

from simulation.mutations.mutant import Mutant, one

_HEIGHT = "coseal.consensus.height"
_GUARD = "coseal.consensus.guard"
_SIGNING = "coseal.node.signing.signing_service"

MUTANTS: Final[dict[str, Mutant]] = {
    # The guard and the journal
    "guard_steps_back": one(
        "the guard signs below what it signed last",
        _GUARD,
        "return place > self._place or",
        "return place != self._place or",
    ),
    "guard_forgets": one(
        "the guard is not restored after a restart",
        "coseal.consensus.replica",
        "SignGuard(config.signer, persisted.signs)",
        "SignGuard(config.signer, FRESH.signs)",
    ),
    "lost_journal_is_new": one(
        "a lost journal counts as an empty one", _GUARD, "self._absent = signs is None", "self._absent = False"
    ),
    "released_early": one(
        "a node that lost its journal votes at once when it has seen a quorum's tips",
        _GUARD,
        "_MAY_HAVE_VOTED_ABOVE: Final = 2",
        "_MAY_HAVE_VOTED_ABOVE: Final = -1",
    ),
    "foreign_signature_ignored": one(
        "a node goes on signing when its key is in use elsewhere",
        "coseal.consensus.vote_signer",
        "if guard is not None and guard.lacks(",
        "if guard is not None and not guard and guard.lacks(",
    ),
    "said_before_durable": one(
        "a message leaves before its records",
        "coseal.consensus.vote_signer",
        "        for record in records if signed.record is None else (*records, signed.record):\n"
        "            self._context.emit(Persist(record))\n"
        "        self._context.emit(Broadcast(message))",
        "        self._context.emit(Broadcast(message))\n"
        "        for record in records if signed.record is None else (*records, signed.record):\n"
        "            self._context.emit(Persist(record))",
    ),
    "body_not_stored": one(
        "the body of a prepared block is not made durable",
        "coseal.consensus.bodies",
        "return [BodyRecord(block.header.height, block)]",
        "return []",
    ),
    "certificate_forgotten": one(
        "the certificate of a decided height is forgotten when the next one begins",
        "coseal.node.core.journal",
        "self._forget(height - 1)",
        "self._forget(height)",
        "tests/node/core/test_journal.py",
    ),
    "one_height_folded": one(
        "a record of the next height makes a node forget the certificate of a block that its log may lose",
        "coseal.consensus.persisted",
        "for height in (newest - 1, newest)",
        "for height in (newest,)",
        "tests/consensus/test_restart.py",
    ),
    "certificate_not_stored": one(
        "COMMIT is said before the prepared certificate is durable",
        _HEIGHT,
        "for record in (*self.bodies.unstored(block), PreparedRecord(certificate)):",
        "for record in self.bodies.unstored(block):",
    ),
    "round_not_stored": one(
        "the round asked for is not made durable",
        _HEIGHT,
        "self._say(self._change, signed, [] if signed.record is None else [record])",
        "self._say(self._change, signed, [])",
    ),
    "block_told_early": one(
        "a block is told to clients before it is durable",
        "coseal.consensus.replica",
        "            self._context.emit(Persist(DecidedRecord(executed, certificate)))  # P5\n"
        "            self._context.application.commit(executed, certificate)\n"
        "            self._context.emit(Decided(executed, certificate))",
        "            self._context.application.commit(executed, certificate)\n"
        "            self._context.emit(Decided(executed, certificate))\n"
        "            self._context.emit(Persist(DecidedRecord(executed, certificate)))",
    ),
    "signed_once": one(
        "a signature is written once, so a damaged last record forgets it",
        "coseal.node.core.journal",
        "return framed + self._framed(_RECORD, payload) if isinstance(record, SignRecord) else framed  # N23",
        "return framed",
        "tests/node/core/test_journal.py",
    ),
    "damage_is_torn": one(
        "a journal damaged in its middle entitles to vote",
        "coseal.node.core.journal",
        "return self.verdict in (Verdict.INTACT, Verdict.TORN)",
        "return True",
        "tests/node/core/test_journal.py tests/node/core/test_machine_faults.py",
    ),
    "torn_not_cut": one(
        "a torn journal is not cut",
        "coseal.node.core.journal_writer",
        "        if self._verdict is journal.Verdict.TORN:",
        "        if self._verdict is journal.Verdict.TORN and not self._entitled:",
        "tests/node/core/test_machine_faults.py",
    ),
    "journal_above_the_tip_ignored": one(
        "a journal that outlived blocks of the log is not taken up",
        "coseal.consensus.replica",
        "if guard is not None and guard.place[0] == self.height:  # the journal",
        "if guard is not None and guard.place[0] < 0:  # the journal",
    ),
    # The signer process
    "signer_answers_early": one(
        "the signer answers before its record is durable",
        _SIGNING,
        "            self._file.sync()  # U5\n",
        "",
        "tests/node/signing/test_signing_service.py",
    ),
    "signer_signs_for_any_chain": one(
        "the signer signs votes of another chain",
        _SIGNING,
        "if vote.chain_id != self._chain_id:",
        "if vote.height == 0:",
        "tests/node/signing/test_signing_service.py",
    ),
    "signer_signs_any_digest": one(
        "the signer signs whatever has the form of a transaction's preimage",
        _SIGNING,
        "if len(preimage) == _FREE_BYTES and preimage[:_TAG_BYTES] in _FREE_TAGS:",
        "if len(preimage) == _FREE_BYTES:",
        "tests/node/signing/test_signing_service.py",
    ),
    # Catching up, and what a power failure leaves
    "journal_before_block": one(
        "the journal's records of a height may become durable before the block of the height below",
        "coseal.node.storage.writer",
        "if unsynced_blocks and not isinstance(effect, AppendBlock):",
        "if unsynced_blocks and isinstance(effect, ReplaceJournal):",
        "tests/node/storage/test_writer.py",
    ),
    "snapshot_certificate_trusted": one(
        "the certificate that comes with a snapshot's block is not verified",
        "coseal.node.core.snapshot",
        "if committed is not None:\n            self.header_chain",
        "if item < 0:\n            self.header_chain",
        "tests/node/core/test_joining.py",
    ),
    "old_offers_count": one(
        "who once offered a snapshot that is too old by now is not asked again",
        "coseal.node.core.snapshot",
        "            self._forget_old_offers()\n",
        "",
        "tests/node/core/test_joining.py",
    ),
    "passed_snapshot_adopted": one(
        "a node goes back to a snapshot that blocks brought it past",
        "coseal.node.core.joining",
        "        self.snapshots.advanced(self._header_chain())\n        chosen",
        "        chosen",
        "tests/node/core/test_joining.py",
    ),
}
