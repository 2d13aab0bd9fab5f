"""The mistakes that the tests must find: one small change of the product each.

Law: every one changes what the product does; none is found by a type checker or by not compiling. ``suite`` names the
tests that must find it when the simulator, which is asked first, does not. Those that ``walk`` says are the walk's to
find, alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

Change: TypeAlias = tuple[str, str, str]
"""Module, the text in its source (exactly once), and what takes its place."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A mistake: ``what`` in words, the changes that make it, and the pytest arguments of a suite that must see it.

    ``walk``: the random walk over sequences of actions must see it, and no suite is asked.
    """

    what: str
    changes: tuple[Change, ...]
    suite: str = "tests/consensus"
    walk: bool = False


def _one(what: str, module: str, old: str, new: str, suite: str = "tests/consensus") -> Mutant:
    return Mutant(what, ((module, old, new),), suite)


def _walked(what: str, module: str, old: str, new: str) -> Mutant:
    return Mutant(what, ((module, old, new),), "", walk=True)


_CHECKS = "coseal.contracts.supervision.checks"
_SETS = "coseal.contracts.supervision.sets"
_WATCH = "coseal.contracts.supervision.monitor_runtime"
_HEIGHT = "coseal.consensus.height"
_VOTES = "coseal.consensus.votes"
_GUARD = "coseal.consensus.guard"
_JUSTIFY = "coseal.consensus.justification"
_EVIDENCE = "coseal.contracts.evidence.actions"
_STANDARDS = "coseal.contracts.standards"
_STANDARDS_SUITE = "tests/contracts/standards"
_KINDS = "coseal.contracts.governance.kinds"
_SEATS = "coseal.contracts.governance.seats"
_STANDING = "coseal.contracts.governance.standing"
_MEASURES = "coseal.contracts.governance.measures"
_VERSIONS = "coseal.contracts.governance.versions"
_ADMISSIONS = "coseal.contracts.governance.admissions"
_REGISTRY = "coseal.contracts.registry"
_OTHERS = "coseal.contracts.rows.others"
_ADMISSIONS_SUITE = "tests/contracts/governance/test_admissions.py"
_INSTALLED_SUITE = "tests/contracts/installed"
_OTHERS_SUITE = "tests/contracts/rows/test_others.py"
_SIGNING = "coseal.node.signing.signing_service"
_OLD_ROUND = """\
        if self.me is None:
            return False
        if self.prepared is None or"""
_OLD_ROUND_VOTED = """\
        if self.me is None:
            return False
        held = self.votes.prepare_certificate(self.round - 1, self.validators) if self.round else None
        if held is not None and (self.prepared is None or self.prepared.round < held.round):
            from coseal.consensus.events import SignRecord
            from coseal.ledger.certificate import vote_preimage
            epoch, number, _, me = self.vote_signer.place()
            chain, last = self._context.config.chain_id, held.block_hash
            preimage = vote_preimage(chain, epoch, number, held.round, Phase.COMMIT, last)
            signature = self._context.config.signer.sign(preimage)
            self.prepared = held
            block = self.bodies.get(last)
            for record in (*(self.bodies.unstored(block) if block else ()), PreparedRecord(held)):
                self._context.emit(Persist(record))
            self._context.emit(Persist(SignRecord(number, held.round, 3, preimage, signature)))
            self._context.emit(Broadcast(Commit(epoch, number, held.round, me, last, signature)))
            return True
        if self.prepared is None or"""

MUTANTS: Final[dict[str, Mutant]] = {
    # The mistakes that an exhaustive exploration of the protocol found to fork it
    "no_certificate": _one(
        "a round change carries no certificate",
        _HEIGHT,
        'self._context.fire("R5")\n        self._ask(self.prepared)',
        'self._context.fire("R5")\n        self._ask(None)',
    ),
    "unproven_certificate": _one(
        "a certificate in a round change is believed unproven",
        _JUSTIFY,
        "change.prepared.round < change.round and self.certificate_holds(change.prepared, Phase.PREPARE)",
        "change.prepared.round < change.round",
    ),
    "lowest_certificate": _one(
        "the lowest certificate binds instead of the highest", _JUSTIFY, "highest = max(", "highest = min("
    ),
    "small_prepare_quorum": Mutant(
        "f + 1 PREPAREs are a certificate",
        (
            (_VOTES, "if len(votes) < validators.quorum:", "if len(votes) < validators.weak_quorum:"),
            (
                _VOTES,
                "if count < validators.quorum:",
                "if count < (validators.weak_quorum if phase is Phase.PREPARE else validators.quorum):",
            ),
            (
                "coseal.ledger.certificate",
                "if len(signers) < validators.quorum:",
                "if len(signers) < (validators.weak_quorum if self.phase is Phase.PREPARE else validators.quorum):",
            ),
        ),
    ),
    "small_commit_quorum": Mutant(
        "f + 1 COMMITs decide",
        (
            (_VOTES, "if len(votes) < validators.quorum:", "if len(votes) < validators.weak_quorum:"),
            (
                _VOTES,
                "if count < validators.quorum:",
                "if count < (validators.weak_quorum if phase is Phase.COMMIT else validators.quorum):",
            ),
            (
                "coseal.ledger.certificate",
                "if len(signers) < validators.quorum:",
                "if len(signers) < (validators.weak_quorum if self.phase is Phase.COMMIT else validators.quorum):",
            ),
        ),
    ),
    "small_change_quorum": Mutant(
        "f + 1 round changes justify a proposal",
        (
            (_JUSTIFY, "if len(changes) < self._validators.quorum:", "if len(changes) < self._validators.weak_quorum:"),
            (
                _HEIGHT,
                "choose(changes) if len(changes) >= self.validators.quorum",
                "choose(changes) if len(changes) >= self.validators.weak_quorum",
            ),
        ),
    ),
    "signer_twice": _one(
        "a signer counts twice in a justification", _JUSTIFY, "if len(set(senders)) != len(senders):", "if not senders:"
    ),
    "votes_in_old_round": _one("votes in the round it left", _HEIGHT, _OLD_ROUND, _OLD_ROUND_VOTED),
    "justification_trusted": _one(
        "the justification of a proposal is not recomputed",
        _JUSTIFY,
        "        if proposal.round == 0:\n            return None if",
        "        if proposal.round:\n            return Justified(proposal.justification, None)\n"
        "        if proposal.round == 0:\n            return None if",
    ),
    "certificate_round_unsigned": _one(
        "a round change signs the prepared block, not its certificate",
        "coseal.consensus.messages",
        "ZERO_HASH if message.prepared is None else message.prepared.hash",
        "ZERO_HASH if message.prepared is None else message.prepared.block_hash",
    ),
    # Quorums and leaders
    "two_f_plus_one": _one(
        "quorum 2f + 1 at every n", "coseal.ledger.validators", "return 2 * n // 3 + 1", "return 2 * max_faulty(n) + 1"
    ),
    "same_leader": _one(
        "the leader does not change with the round",
        "coseal.consensus.rules",
        "return leader_index(validators, tip.proposer, tip.height + 1, round, parameters.tenure)",
        "return leader_index(validators, tip.proposer, tip.height + 1, 0, parameters.tenure)",
    ),
    "any_leader": _one(
        "anybody may propose",
        _HEIGHT,
        "if proposal.sender != leader(self.validators, self.tip, proposal.round, config.parameters):",
        "if proposal.sender > len(self.validators.validators):",
    ),
    # The guard and the journal
    "guard_steps_back": _one(
        "the guard signs below what it signed last",
        _GUARD,
        "return place > self._place or",
        "return place != self._place or",
    ),
    "guard_forgets": _one(
        "the guard is not restored after a restart",
        "coseal.consensus.replica",
        "SignGuard(config.signer, persisted.signs)",
        "SignGuard(config.signer, FRESH.signs)",
    ),
    "lost_journal_is_new": _one(
        "a lost journal counts as an empty one", _GUARD, "self._absent = signs is None", "self._absent = False"
    ),
    "released_early": _one(
        "a node that lost its journal votes at once when it has seen a quorum's tips",
        _GUARD,
        "_MAY_HAVE_VOTED_ABOVE: Final = 2",
        "_MAY_HAVE_VOTED_ABOVE: Final = -1",
    ),
    "foreign_signature_ignored": _one(
        "a node goes on signing when its key is in use elsewhere",
        "coseal.consensus.vote_signer",
        "if guard is not None and guard.lacks(",
        "if guard is not None and not guard and guard.lacks(",
    ),
    "said_before_durable": _one(
        "a message leaves before its records",
        "coseal.consensus.vote_signer",
        "        for record in records if signed.record is None else (*records, signed.record):\n"
        "            self._context.emit(Persist(record))\n"
        "        self._context.emit(Broadcast(message))",
        "        self._context.emit(Broadcast(message))\n"
        "        for record in records if signed.record is None else (*records, signed.record):\n"
        "            self._context.emit(Persist(record))",
    ),
    "body_not_stored": _one(
        "the body of a prepared block is not made durable",
        "coseal.consensus.bodies",
        "return [BodyRecord(block.header.height, block)]",
        "return []",
    ),
    "certificate_not_stored": _one(
        "COMMIT is said before the prepared certificate is durable",
        _HEIGHT,
        "for record in (*self.bodies.unstored(block), PreparedRecord(certificate)):",
        "for record in self.bodies.unstored(block):",
    ),
    "round_not_stored": _one(
        "the round asked for is not made durable",
        _HEIGHT,
        "self._say(self._change, signed, [] if signed.record is None else [record])",
        "self._say(self._change, signed, [])",
    ),
    "block_told_early": _one(
        "a block is told to clients before it is durable",
        "coseal.consensus.replica",
        "            self._context.emit(Persist(DecidedRecord(executed, certificate)))  # P5\n"
        "            self._context.application.commit(executed, certificate)\n"
        "            self._context.emit(Decided(executed, certificate))",
        "            self._context.application.commit(executed, certificate)\n"
        "            self._context.emit(Decided(executed, certificate))\n"
        "            self._context.emit(Persist(DecidedRecord(executed, certificate)))",
    ),
    "signed_once": _one(
        "a signature is written once, so a damaged last record forgets it",
        "coseal.node.core.journal",
        "return framed + self._framed(_RECORD, payload) if isinstance(record, SignRecord) else framed  # N23",
        "return framed",
        "tests/node/core/test_journal.py",
    ),
    "damage_is_torn": _one(
        "a journal damaged in its middle entitles to vote",
        "coseal.node.core.journal",
        "return self.verdict in (Verdict.INTACT, Verdict.TORN)",
        "return True",
        "tests/node/core/test_journal.py tests/node/core/test_machine_faults.py",
    ),
    "torn_not_cut": _one(
        "a torn journal is not cut",
        "coseal.node.core.journal_writer",
        "        if self._verdict is journal.Verdict.TORN:",
        "        if self._verdict is journal.Verdict.TORN and not self._entitled:",
        "tests/node/core/test_machine_faults.py",
    ),
    # What is checked
    "signature_unchecked": _one(
        "the outer signature of a message is not checked",
        "coseal.node.core.ordering",
        "if not verified or message.epoch != self.validators.epoch:",
        "if message.epoch != self.validators.epoch:",
        "tests/node/core/test_machine_frames.py",
    ),
    "certificate_unchecked": _one(
        "a commit certificate of a peer is taken unverified",
        _HEIGHT,
        "if not self._judge.certificate_holds(certificate, Phase.COMMIT):",
        "if certificate.height != self.number:",
    ),
    "quorum_of_signatures": _one(
        "only the first q - 1 signatures of a certificate are verified",
        "coseal.ledger.certificate",
        "in zip(signers, self.signatures, strict=True):  # Q2: all of them",
        "in list(zip(signers, self.signatures, strict=True))[: validators.quorum - 1]:",
        "tests/ledger",
    ),
    "root_unchecked": _one(
        "a block whose roots differ from our execution is voted for",
        "coseal.contracts.execution",
        "            if claimed != found:",
        "            if claimed != found and what == 'next_validators_hash':",
        "tests/contracts/test_execution.py",
    ),
    "time_unchecked": _one(
        "the time of a fresh block is not checked",
        "coseal.consensus.rules",
        "if not earliest <= header.time_ms <= latest:",
        "if earliest > latest:",
    ),
    "window_unchecked": _one(
        "a committed transaction may be committed again",
        "coseal.contracts.execution",
        "if tx.id in self._seen:  # V4, X1",
        "if tx.id in ():",
        "tests/contracts/test_execution.py",
    ),
    "transaction_unverified": _one(
        "the signature of a transaction in a block is not checked",
        "coseal.node.core.verified_cache",
        "transaction.verify_signature(self._verify)",
        "transaction.salt",
        "tests/node/core/test_machine_frames.py tests/node/core/test_application.py",
    ),
    "status_believed": _one(
        "a peer's claimed tip is believed without its certificate",
        "coseal.node.core.peer_status",
        "require_commit(certificate, executor.chain_id, executor.validators, self._verify)",
        "certificate.signers()",
        "tests/node/core/test_machine_frames.py",
    ),
    "any_later_round": _one(
        "one validator's round change moves the others",
        _HEIGHT,
        "asked = self.votes.round_asked(self.validators.weak_quorum)",
        "asked = self.votes.round_asked(1)",
    ),
    "no_join": _one(
        "f + 1 round changes move nobody",
        _HEIGHT,
        "        if asked <= self.round:\n            return False\n",
        "        if asked <= self.round or self.round >= 0:\n            return False\n",
    ),
    "second_proposal_taken": _one(
        "of two conflicting messages the second replaces the first",
        _VOTES,
        "return Verdict.KNOWN if subject(held) == subject(message) else Verdict.CONFLICT",
        "return Verdict.KNOWN if subject(held) == subject(message) else Verdict.NEW",
    ),
    "accuses_repetition": _one(
        "a message said twice is evidence",
        _VOTES,
        "return Verdict.KNOWN if subject(held) == subject(message) else Verdict.CONFLICT",
        "return Verdict.CONFLICT",
    ),
    # Progress
    "old_round_cannot_decide": _one(
        "commits of an older round do not decide",
        _VOTES,
        "for round in sorted({r for r, _ in self._commits}, reverse=True):",
        "for round in (self.round,):",
    ),
    "runs_ahead": _one(
        "a round's timer starts before q validators ask for it",
        _HEIGHT,
        "if self.round == 0 or self.votes.asking(self.round) >= self.validators.quorum:  # T2, T3",
        "if self.round >= 0:",
    ),
    "timeouts_constant": _one(
        "timeouts do not grow",
        "coseal.consensus.timers",
        "min(base_ms << min(round, _SHIFT_MAX), cap_ms)",
        "min(base_ms, cap_ms)",
    ),
    "no_repetition": _one(
        "nothing is said again",
        _HEIGHT,
        "                for message in said:\n                    self._context.emit(Broadcast(message))",
        "                for message in ():\n                    self._context.emit(Broadcast(message))",
    ),
    "no_fetch": _one(
        "a missing body is not asked for",
        "coseal.node.core.ordering",
        "            if state is not None and state.connected:\n",
        "            if not peer:\n",
        "tests/node/core/test_machine.py",
    ),
    "times_while_idle": _one(
        "an idle chain times its rounds",
        _HEIGHT,
        "if self.round == 0 and not self.pacing.has_work() and not self.bodies.all():  # T2",
        "if self.round > ROUND_MAX:",
    ),
    "followers_keep_silent": _one(
        "what only a node without a vote holds is not gossiped again",
        "coseal.node.core.machine",
        "        self._gossip_as_follower()\n        self._reads",
        "        self._reads",
        "tests/node/core/test_machine.py",
    ),
    "reads_alone": _one(
        "a consistent read is answered without a quorum",
        "coseal.node.core.consistent_reads",
        "if len(question.answered) < validators.quorum:",
        "if not question.answered:",
        "tests/node/core/test_machine_reads.py",
    ),
    "liars_asked_again": _one(
        "a peer that gave wrong blocks is asked again at once",
        "coseal.node.core.sync",
        "            and not self.is_liar(name, now_ms)\n",
        "",
        "tests/node/core/test_sync.py",
    ),
    # Changes of the validators
    "signs_a_block_early": _one(
        "a new set signs the block that should only announce it",
        "coseal.contracts.execution",
        "next_validators=membership.validators(view),",
        "next_validators=membership.coming(view) or membership.validators(view),",
        "tests/contracts/test_execution.py tests/contracts/governance/test_proposals.py",
    ),
    "epoch_unsigned": _one(
        "a vote does not bind its epoch",
        "coseal.ledger.certificate",
        'epoch.to_bytes(8, "big"),',
        "bytes(8),",
        "tests/ledger",
    ),
    "old_epoch_certifies": _one(
        "a certificate of an earlier epoch is taken for one of this",
        "coseal.ledger.certificate",
        "if self.epoch != validators.epoch:",
        "if self.epoch > validators.epoch:",
        "tests/ledger",
    ),
    "removed_still_counts": _one(
        "a removed validator keeps its seat",
        _KINDS,
        'membership_epochs.schedule(view, case.id, seats.without(seats.current(view), subject["node"]))',
        "membership_epochs.schedule(view, case.id, seats.current(view))",
        "tests/contracts/governance/test_proposals.py",
    ),
    "successors_unchecked": _one(
        "the set that a header announces is not compared with our own",
        "coseal.contracts.execution",
        '            ("next_validators_hash", header.next_validators_hash, outcome.next_validators.hash),\n',
        "",
        "tests/contracts/test_execution.py tests/contracts/governance/test_proposals.py",
    ),
    "two_changes_at_once": _one(
        "a second change is decided while the first waits for its block",
        _SEATS,
        "if membership_epochs.pending(view) is not None:  # A4",
        "if view is None:",
        "tests/contracts/governance/test_proposals.py",
    ),
    "readiness_not_required": _one(
        "a node becomes a validator without having said that it is ready",
        _KINDS,
        "if not membership_nodes.is_ready(view, node_id, case.height):  # A3",
        "if not node_id:",
        "tests/contracts/governance/test_proposals.py",
    ),
    "version_needs_nobody": _one(
        "a protocol version takes effect at its height, whoever has it",
        _VERSIONS,
        "if record is None or height + 1 < record[1] or not support(view, record[0]).suffices:  # A8",
        "if record is None or height + 1 < record[1]:",
        "tests/contracts/governance/test_versions.py",
    ),
    "newcomer_lacks_version": _one(
        "a node becomes a validator without having said that it has the version in force",
        _KINDS,
        "if not governance_versions.has(view, node_id, version):  # A11",
        "if not node_id:",
        "tests/contracts/governance/test_versions.py",
    ),
    "version_loses_quorum": _one(
        "a removal leaves fewer than a quorum that have the version in force",
        _SEATS,
        "if not support.suffices and governance_versions.has(view, removed, version):  # A11",
        "if view is None:",
        "tests/contracts/governance/test_versions.py",
    ),
    "suspension_cut_short": _one(
        "an older, shorter suspension ends the one that took its place",
        _STANDING,
        "    if now.until_ms != until_ms:\n        return {}\n",
        "    if now.until_ms is None:\n        return {}\n",
        "tests/contracts/governance/test_standing.py",
    ),
    "suspended_by_instalments": _one(
        "more than a third of the members can be suspended",
        _STANDING,
        "    if already < most:  # S5",
        "    if already <= most:  # S5",
        "tests/contracts/governance/test_standing.py",
    ),
    "emergency_by_instalments": _one(
        "an emergency measure is renewed as soon as it is over",
        _MEASURES,
        "if ended_ms is None or case.time_ms >= ended_ms + REST_MS:  # S14",
        "if ended_ms is None or case.time_ms >= ended_ms:  # S14",
        "tests/contracts/governance/test_measures.py",
    ),
    "paused_in_the_deciding_block": _one(
        "a measure pauses actions that stand after its deciding vote in the same block",
        _MEASURES,
        '        "first_height": case.height + 1,\n',
        '        "first_height": case.height,\n',
        "tests/contracts/governance/test_measures.py",
    ),
    "contract_named_as_another": _one(
        "a ballot admits a contract of others under the name of a shipped one",
        _KINDS,
        'if subject["name"] in taken:  # W1',
        "if not taken:",
        _ADMISSIONS_SUITE,
    ),
    "genesis_names_as_another": _one(
        "a genesis admits a contract of others under the name of a shipped one",
        "coseal.contracts.execution",
        "if sources.name in admitted.RESERVED or sources.name in RULES[genesis.protocol_version]:  # W1",
        "if not sources.name:",
        _ADMISSIONS_SUITE,
    ),
    "offered_as_another": _one(
        "a contract of others is offered under the name of a shipped one",
        "coseal.contracts.installed.form",
        "elif name in TAKEN:  # W1",
        "elif not name:",
        _INSTALLED_SUITE,
    ),
    "digest_without_lengths": _one(
        "two sets of sources whose files only together have the same bytes have one digest",
        "coseal.contracts.installed.sources",
        'hashed.update(len(part).to_bytes(8, "big") + part)',
        "hashed.update(part)",
        _INSTALLED_SUITE,
    ),
    "contract_imports_all": _one(
        "a contract of others imports whatever of this software it likes",
        "coseal.contracts.installed.imports",
        'any(module == own or module.startswith(f"{own}.") for own in OWN)',
        'module.startswith("coseal.")',
        _INSTALLED_SUITE,
    ),
    "genesis_sources_unknown": _one(
        "what the genesis admits counts as lacking on every node",
        _ADMISSIONS,
        "return in_genesis or sources in",
        "return sources in",
        _ADMISSIONS_SUITE,
    ),
    "contract_needs_nobody": _one(
        "a contract of others comes into force at its height, whoever has it",
        _ADMISSIONS,
        "if found.suffices:  # W5",
        "if found.needed:",
        _ADMISSIONS_SUITE,
    ),
    "same_version_again": _one(
        "a ballot admits the version that is in force once more",
        _ADMISSIONS,
        "if sources.version <= present.get(sources.name, 0):  # W5",
        "if sources.version < present.get(sources.name, 0):",
        _ADMISSIONS_SUITE,
    ),
    "contracts_of_the_start": _one(
        "blocks run with the contracts that the state admitted when the node started",
        "coseal.contracts.execution",
        "if self._composed is None or self._composed[0] != (version, wanted):",
        "if self._composed is None:",
        _ADMISSIONS_SUITE,
    ),
    "other_sources_will_do": _one(
        "a node runs a contract without the sources that the state names",
        "coseal.contracts.execution",
        "if entry.sources not in self._others:  # W7",
        "if entry.sources.name not in {each.name for each in self._others}:",
        _ADMISSIONS_SUITE,
    ),
    "newcomer_lacks_contract": _one(
        "a node becomes a validator without having said that it has a contract in force",
        _KINDS,
        "if sources is not None:  # W8",
        "if not node_id:",
        _ADMISSIONS_SUITE,
    ),
    "contract_loses_quorum": _one(
        "a removal leaves fewer than a quorum that have a contract in force",
        _SEATS,
        "if lost is not None:  # W8",
        "if view is None:",
        _ADMISSIONS_SUITE,
    ),
    "contract_writes_anywhere": _one(
        "a contract of others writes keys of another",
        _REGISTRY,
        'writes=f"{name}/")  # W9',
        'writes="")',
        _ADMISSIONS_SUITE,
    ),
    "hooks_that_are_not_run": _one(
        "a contract of others is offered with one hook that the frame does not run",
        "coseal.contracts.installed.form",
        "if given:  # W10",
        "if len(given) > 1:",
        _INSTALLED_SUITE,
    ),
    "damaged_index_stops": _one(
        "a contract of others that damages its index of due things stops every node",
        _REGISTRY,
        "except TypeError:  # W10",
        "except ZeroDivisionError:",
        _ADMISSIONS_SUITE,
    ),
    "first_names_declared": _one(
        "a node that has many contracts says those first by name, not those that the chain needs",
        _ADMISSIONS,
        "for each in sorted(offered, key=lambda each: (each not in needed, each))",
        "for each in sorted(offered)",
        _ADMISSIONS_SUITE,
    ),
    "bytecode_runs": _one(
        "bytecode that lies beside the sources of a contract runs in their place",
        "coseal.contracts.installed.loading",
        "sys.meta_path.insert(0, reader)",
        "sys.meta_path.append(reader)",
        _INSTALLED_SUITE,
    ),
    "rows_of_the_newest": _one(
        "rows are those of the newest version, not of the one that the block ran with",
        _OTHERS,
        "in_force(sorted(entries), height)",
        "in_force(sorted(entries))",
        _OTHERS_SUITE,
    ),
    "events_of_the_newest": _one(
        "events are those of the newest version, not of the one that the block ran with",
        _REGISTRY,
        "for entry in in_force(entries, height))",
        "for entry in in_force(entries))",
        _ADMISSIONS_SUITE,
    ),
    "table_of_another_form": _one(
        "a later version writes rows into a table that has other columns",
        _OTHERS,
        "elif table.structure != present[table.name].structure:  # W13",
        "elif table.name != present[table.name].name:",
        _OTHERS_SUITE,
    ),
    "promise_not_asked": _one(
        "what a contract of others promises of its state is not asked after what it did",
        _REGISTRY,
        "if broken is not None:  # W14",
        "if broken == contract.name:",
        _ADMISSIONS_SUITE,
    ),
    "event_fault_spreads": _one(
        "an exception of a contract's events costs the events of the whole transaction",
        "coseal.contracts.block_events",
        'return [{CANNOT_BE_SHOWN: f"{type(error).__name__}: {error}"[:400]}]  # W15',
        "raise",
        _OTHERS_SUITE,
    ),
    "majority_decides": _one(
        "a majority of the members decides where a quorum must",
        "coseal.contracts.governance.document",
        "            total=TWO_THIRDS,\n            opening=Opening(1,",
        "            total=Quota(1, 2),\n            opening=Opening(1,",
        "tests/contracts/governance/test_ballot.py",
    ),
    "first_seat_succeeds": _one(
        "when the leader was removed, the first validator leads instead of the next in order",
        "coseal.ledger.validators",
        "index = sum(seat.id < previous_proposer for seat in validators.validators) % validators.n  # V2",
        "index = 0",
        "tests/ledger tests/consensus/test_epochs.py",
    ),
    "new_key_unused": _one(
        "a node goes on signing with the key that its seat no longer has",
        "coseal.consensus.vote_signer",
        "holds = index is not None and guard is not None and guard.use_key(validators[index].key)",
        "holds = index is not None and guard is not None",
        "tests/consensus/test_epochs.py",
    ),
    "journal_above_the_tip_ignored": _one(
        "a journal that outlived blocks of the log is not taken up",
        "coseal.consensus.replica",
        "if guard is not None and guard.place[0] == self.height:  # the journal",
        "if guard is not None and guard.place[0] < 0:  # the journal",
    ),
    # Standards
    "standard_without_use": _one(
        "an adopter that does not use a standard counts as a user",
        f"{_STANDARDS}.status",
        "        if not exceeds(found.items, items[each], terms.of_items):",
        "        if items[each] < 0:",
        _STANDARDS_SUITE,
    ),
    "standard_of_one_constituency": _one(
        "one constituency alone makes a standard de facto",
        f"{_STANDARDS}.status",
        "        and carrying >= terms.carried_by",
        "        and carrying >= 0",
        _STANDARDS_SUITE,
    ),
    "standard_at_a_quota": _one(
        "a share that only equals its quota is enough",
        f"{_STANDARDS}.status",
        "return part * quota[1] > whole * quota[0]",
        "return part * quota[1] >= whole * quota[0]",
        _STANDARDS_SUITE,
    ),
    "standard_without_hysteresis": _one(
        "a standard is lost as soon as it would not be gained again",
        f"{_STANDARDS}.status",
        "    if before:\n",
        "    if before and not shares:\n",
        _STANDARDS_SUITE,
    ),
    "standard_by_trial": _one(
        "who only tries a standard counts as a user",
        f"{_STANDARDS}.reviews",
        'if adoption["mode"] != ADOPTED or not in_force_at(adoption, closed_ms):',
        "if not in_force_at(adoption, closed_ms):",
        _STANDARDS_SUITE,
    ),
    "standard_of_first_page": _one(
        "a review decides by its first page",
        f"{_STANDARDS}.reviews",
        'if page + 1 < series.pages(record["adopters"]):',
        'if page + 1 < series.pages(record["adopters"]) and page < 0:',
        _STANDARDS_SUITE,
    ),
    "standard_by_history": _one(
        "what a historical source records counts as use",
        f"{_STANDARDS}.use",
        'if isinstance(facts, RecordedBatch) and facts.record["mode"] == "live":  # E2',
        "if isinstance(facts, RecordedBatch):",
        _STANDARDS_SUITE,
    ),
    "recognised_unused": _one(
        "government recognises what is not de facto",
        f"{_STANDARDS}.recognition",
        'if record["status"] != DE_FACTO and "approved" not in record:',
        'if record["status"] == "":',
        _STANDARDS_SUITE,
    ),
    "adoption_without_notice": _one(
        "an adoption ends at once",
        f"{_STANDARDS}.adoptions",
        "until_ms = now_ms + NOTICE_MS if notice else now_ms  # E13",
        "until_ms = now_ms",
        _STANDARDS_SUITE,
    ),
    "dispute_by_anybody": _one(
        "who does not use a standard disputes it",
        f"{_STANDARDS}.disputes",
        "if not in_force_at(adoption, context.time_ms):  # E21",
        "if adoption == 0:",
        _STANDARDS_SUITE,
    ),
    # Evidence
    "evidence_unproven": _one(
        "the signatures of evidence are not checked",
        _EVIDENCE,
        "proof.verify(chain_id, voters[index].key, verify)  # O1",
        "pass",
        "tests/contracts/evidence/test_evidence.py",
    ),
    "evidence_repeated": _one(
        "one contradiction is recorded again and again",
        _EVIDENCE,
        "if reader.get(_proof_key(args)) is not None:  # O3",
        "if at < 0:",
        "tests/contracts/evidence/test_evidence.py",
    ),
    "evidence_kept_back": _one(
        "what proves a contradiction is not reported",
        "coseal.node.core.evidence",
        "            elif not self._is_on_its_way(pending.args):",
        "            elif pending.wait < 0:",
        "tests/node/core/test_evidence.py",
    ),
    "evidence_in_certificates_unseen": _one(
        "certificates are not compared with the votes that came",
        "coseal.consensus.contradictions",
        "if sender != self._vote_signer.me and self._votes.judge(message) is Verdict.CONFLICT:",
        "if sender == self._vote_signer.me and self._votes.judge(message) is Verdict.CONFLICT:",
    ),
    # The signer process
    "signer_away_forgotten": _one(
        "a round change that could not be signed is not asked for again",
        _HEIGHT,
        "if self.round > 0 and self._change is None:  # the signer",
        "if self.round < 0 and self._change is None:  # the signer",
    ),
    "signer_answers_early": _one(
        "the signer answers before its record is durable",
        _SIGNING,
        "            self._file.sync()  # U5\n",
        "",
        "tests/node/signing/test_signing_service.py",
    ),
    "signer_signs_for_any_chain": _one(
        "the signer signs votes of another chain",
        _SIGNING,
        "if vote.chain_id != self._chain_id:",
        "if vote.height == 0:",
        "tests/node/signing/test_signing_service.py",
    ),
    "signer_signs_any_digest": _one(
        "the signer signs whatever has the form of a transaction's preimage",
        _SIGNING,
        "if len(preimage) == _FREE_BYTES and preimage[:_TAG_BYTES] in _FREE_TAGS:",
        "if len(preimage) == _FREE_BYTES:",
        "tests/node/signing/test_signing_service.py",
    ),
    # Catching up, and what a power failure leaves
    "journal_before_block": _one(
        "the journal's records of a height may become durable before the block of the height below",
        "coseal.node.storage.writer",
        "if unsynced_blocks and not isinstance(effect, AppendBlock):",
        "if unsynced_blocks and isinstance(effect, ReplaceJournal):",
        "tests/node/storage/test_writer.py",
    ),
    "snapshot_certificate_trusted": _one(
        "the certificate that comes with a snapshot's block is not verified",
        "coseal.node.core.snapshot",
        "if committed is not None:\n            self.header_chain",
        "if item < 0:\n            self.header_chain",
        "tests/node/core/test_joining.py",
    ),
    "old_offers_count": _one(
        "who once offered a snapshot that is too old by now is not asked again",
        "coseal.node.core.snapshot",
        "            self._forget_old_offers()\n",
        "",
        "tests/node/core/test_joining.py",
    ),
    "passed_snapshot_adopted": _one(
        "a node goes back to a snapshot that blocks brought it past",
        "coseal.node.core.joining",
        "        self.snapshots.advanced(self._header_chain())\n        chosen",
        "        chosen",
        "tests/node/core/test_joining.py",
    ),
    # Decisions by a constitution
    "votes_of_who_left_count": _one(
        "the votes of a member that lost its vote stay in the tallies of open ballots",
        "coseal.contracts.governance.electorate",
        "    _recount(view, member, before, after)\n",
        "",
        "tests/contracts/governance/test_ballot.py",
    ),
    "own_case_counted": _one(
        "the member that a proposal is about is counted among those who have a vote",
        "coseal.contracts.governance.ballot",
        "        found[seat.constituency] -= 1\n",
        "        pass\n",
        "tests/contracts/governance/test_ballot.py",
    ),
    "old_rule_kept": _one(
        "an open proposal is not looked at when a new constitution says",
        "coseal.contracts.governance.amendment",
        "    left = ballot.reschedule(view, entry[1])  # Q17\n",
        "    left = 0\n",
        "tests/contracts/governance/test_tracks.py",
    ),
    "appeal_keeps_votes": _one(
        "after an appeal the votes of the first round count on",
        "coseal.contracts.governance.ballot",
        'record |= {"round": turn, "round_ms": time_ms, "tally": electorate.no_votes()}',
        'record |= {"round": turn, "round_ms": time_ms, "tally": record.get("tally") or electorate.no_votes()}',
        "tests/contracts/governance/test_tracks.py",
    ),
    "unsafe_genesis": _one(
        "a chain begins with a constitution that no amendment could bring",
        "coseal.contracts.governance.founding",
        "    if refused is not None:\n",
        "    if refused is None:\n",
        "tests/contracts/governance/test_tracks.py",
    ),
    # Findings and rules in force, over sequences of actions
    "closed_counts_as_open": _walked(
        "a finding that closes because nobody appealed stays counted as open",
        "coseal.contracts.supervision.findings",
        'due["holds"] += _count_closed(view, record)',
        'due["holds"] += supervision_holds.end_of_finding(view, record)',
    ),
    "ended_rule_compiled": _walked(
        "a rule that was superseded or retired is compiled with the others",
        _SETS,
        'rules.append(ended_rule(document["rule"]) if off else compiled_rule(document, definition))',
        "rules.append(compiled_rule(document, definition) if off else compiled_rule(document, definition))",
    ),
    "trial_unchecked": _walked(
        "a set is not checked again when its trial begins",
        "coseal.contracts.supervision.rule_sets",
        "    return check_set(view, _proposed(view, record), set_id, phase)\n",
        "    from coseal.contracts.rules.rule import parse_rule\n"
        "    if phase == TRIAL:\n"
        "        return tuple(parse_rule(rule) for rule in _proposed(view, record))\n"
        "    return check_set(view, _proposed(view, record), set_id, phase)\n",
    ),
    "trials_left_out_of_types": _walked(
        "a type may lose what a rule on trial names",
        _CHECKS,
        "        for document in judging_documents(view, entry):\n            object_types, event_types",
        '        for document in judging_documents(view, entry) if entry["phase"] == ADOPTED else ():\n'
        "            object_types, event_types",
    ),
    "trials_left_out_of_room": _walked(
        "rules on trial do not count towards what may judge",
        _CHECKS,
        '        if entry["set"] != set_id:\n',
        '        if entry["set"] != set_id and entry["phase"] == ADOPTED:\n',
    ),
    "gives_way_to_a_trial": _walked(
        "a version in force is taken to give way to the next one's trial",
        _CHECKS,
        "for rule in rules if phase == ADOPTED else ():",
        "for rule in rules:",
    ),
    "room_unchecked_at_adoption": _walked(
        "a set is adopted whether there is room or not",
        _CHECKS,
        '            return Rejected("limit", f"{what}, at most {most}; retire some first")',
        '            return None if view.get(f"supervision/set/{set_id}") else Rejected("limit", what)',
    ),
    "type_named_as_sources": _walked(
        "a type gets objects named as sources while rules about sources judge it",
        _CHECKS,
        "        if about is not None:\n",
        "        if about is None and not changed:\n",
    ),
    "dear_types": _walked(
        "the costs of rules are not those under the new version of their type",
        _CHECKS,
        "cost += after.cost - compiled_rule(document, before).cost",
        "cost += after.cost - after.cost",
    ),
    "obligation_by_events": _walked(
        "an obligation of a historical source goes by the source's own clock",
        _WATCH,
        "watched.recorded_by(source, live=True)  # J5",
        "watched.recorded_by(source, live=False)",
    ),
    "foreign_obligation": _walked(
        "an obligation names a source of another process type",
        _CHECKS,
        'if record is not None and record["process_type"] != process_type:  # J5',
        'if record is not None and record["process_type"] is None:',
    ),
    "long_texts_kept": _walked(
        "what is kept of events holds long texts whole",
        "coseal.contracts.rules.facts",
        "    if len(text) <= _SHORT_BYTES and (",
        "    if text or (",
    ),
    "compiled_for_another_type": _walked(
        "a rule compiled under one version of a type is used under the next",
        _SETS,
        "    return digest, named\n",
        "    return digest, len(named)\n",
    ),
    "compiling_charged_to_events": _walked(
        "recording is charged for what the node has not compiled yet",
        _SETS,
        "document: Any = peek(reader, rule_key(rule_id, version))",
        "document: Any = reader.get(rule_key(rule_id, version))",
    ),
    "effect_not_undone": _walked(
        "what the failed effect of a ballot wrote stays",
        "coseal.contracts.kernel.overlay",
        "        self._rollback_to(undone)\n        return refused\n",
        "        return refused\n",
    ),
    "due_without_a_mark": _walked(
        "a due thing that fails is put back among those that are due",
        "coseal.contracts.kernel.due",
        "            self.view.mark()\n            done += 1\n",
        "            done += 1\n",
    ),
    # Corrections
    "corrected_away_satisfies": _one(
        "an event that was corrected away still counts in its place",
        "coseal.contracts.process.corrections",
        "        found[root] = Place(root, index, lost if root == index else found[root].lost)\n",
        "        found.setdefault(root, Place(root, index, lost))\n",
        "tests/contracts/supervision/test_corrections.py",
    ),
    "correction_leaves_its_object": _one(
        "a correction belongs only to the objects that it names",
        "coseal.contracts.process.batch",
        "objects = tuple(dict.fromkeys((*objects, *named_objects(corrected, self.definition))))  # T11",
        "objects = tuple(objects)",
        "tests/contracts/supervision/test_corrections.py",
    ),
    "history_unproven": _one(
        "what is shown of an object need not be all of it",
        "coseal.contracts.supervision.watched",
        "    if len(items) == count and current == head:\n",
        "    if len(items) <= count or current == head:\n",
        "tests/contracts/supervision/test_corrections.py",
    ),
    "disputes_do_not_matter": _one(
        "a trace is judged with its disputed events whatever the rule says",
        "coseal.contracts.supervision.corrections",
        "                if judge.disputed != COUNT and name in",
        "                if not judge.disputed and name in",
        "tests/contracts/supervision/test_disputes.py",
    ),
    "settled_disputes_stay": _one(
        "an event that was confirmed after a dispute is still taken for disputed",
        "coseal.contracts.process.attestation",
        '    return record is not None and record["status"] == DISPUTED\n',
        '    return record is not None and record["status"] != OPEN\n',
        "tests/contracts/supervision/test_disputes.py",
    ),
    "dispute_shows_anything": _one(
        "what a dispute shows need not be the event that is attested",
        "coseal.contracts.process.attestation",
        '    if hashed.hex() != args["item"]:\n',
        "    if not hashed.hex():\n",
        "tests/contracts/process/test_attestation.py",
    ),
    "silent_without_history": _one(
        "without the history a correction leaves the verdicts as they were",
        "coseal.contracts.rules.monitor",
        "        return self.undetermine(state, slots, why, event, time_ms)\n",
        "        return self.undetermine(state, slots[:0], why, event, time_ms)\n",
        "tests/contracts/supervision/test_corrections.py",
    ),
    "related_corrected_in_silence": _one(
        "what was judged by a related object stays as it was when that is corrected",
        "coseal.contracts.supervision.superseding",
        "    return settled, others\n",
        "    return settled, others[:0]\n",
        "tests/contracts/supervision/test_related.py",
    ),
    "related_later": _one(
        "an object that is judged again is judged by what related objects had later, too",
        "coseal.contracts.rules.related",
        "order = [True if sight.settled else earlier(event, place) for event in events]",
        "order = [True for event in events]",
        "tests/contracts/supervision/test_related.py",
    ),
    "related_beyond_the_bound": _one(
        "related objects beyond the bound do not matter",
        "coseal.contracts.rules.related",
        "names, more = names[:MAX_RELATED], len(names) > MAX_RELATED",
        "names, more = names[:MAX_RELATED], False",
        "tests/contracts/rules/test_related.py",
    ),
    "superseded_counts_as_open": _walked(
        "a finding that is superseded stays counted as open",
        "coseal.contracts.supervision.findings",
        '    return [] if record["status"] == "notified" else _count_closed(view, record)\n',
        "    return []\n",
    ),
    "recording_times_unproven": _one(
        "when an item was recorded is not part of the chain",
        "coseal.contracts.supervision.watched",
        'time_ms.to_bytes(8, "big")',
        "bytes(8)",
        "tests/contracts/supervision/test_corrections.py",
    ),
    "compiled_at_the_door": _walked(
        "a type's rules are compiled before it is asked who defines it",
        "coseal.contracts.process.types",
        "    definition = next_definition(view, context, args)  # T1\n",
        "    from coseal.contracts.supervision.checks import fit_type\n"
        '    known: Any = view.get(type_key(args["id"]))\n'
        "    if known is not None:\n"
        '        fit_type(view, known, {**normalised(args), "definition": str(dict(args))})\n'
        "    definition = next_definition(view, context, args)  # T1\n",
    ),
}
