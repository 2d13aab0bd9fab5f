"""Mistakes in what is made of another engine: its certificates, and what its questions are answered."""

from __future__ import annotations

from typing import Final

from simulation.mutations.mutant import Mutant, one

_COMET = "coseal.ledger.comet"
_CERTIFYING = "coseal.node.core.comet.certifying"
_PROPOSALS = "coseal.node.core.comet.proposals"
_MACHINE = "coseal.node.core.comet.machine"
_SNAPSHOTS = "coseal.node.core.comet.snapshots"
_UNCERTIFIED = "coseal.node.core.comet.uncertified"
_LEDGER_SUITE = "tests/ledger/test_comet.py"
_MACHINE_SUITE = "tests/node/core/comet/test_machine.py"
_SNAPSHOTS_SUITE = "tests/node/core/comet/test_snapshots.py"

MUTANTS: Final[dict[str, Mutant]] = {
    "comet_round_unsigned": one(
        "the round is left out of what a precommit signs",
        _COMET,
        "    if round:\n",
        "    if round > 2**31:\n",
        _LEDGER_SUITE,
    ),
    "comet_rows_unsorted": one(
        "a validator may have two rows in a certificate",
        _COMET,
        "if any(left >= right for left, right in itertools.pairwise(signers)):  # M5",
        "if any(left > right for left, right in itertools.pairwise(signers)):",
        _LEDGER_SUITE,
    ),
    "comet_quorum": one(
        "one signature fewer than a quorum is a certificate",
        _COMET,
        "        if len(signers) < validators.quorum:  # M6",
        "        if len(signers) < validators.quorum - 1:",
        _LEDGER_SUITE,
    ),
    "comet_any_header": one(
        "a certificate is of any header of its height",
        _COMET,
        "        leaf = sha256(header.raw).digest()",
        "        leaf = sha256(header.raw[:9]).digest()",
        _LEDGER_SUITE,
    ),
    "comet_voter_twice": one(
        "a validator's precommit counts as often as CometBFT shows it",
        _CERTIFYING,
        "                found[index] = Row(",
        "                found[-1 - len(found)] = Row(",
        _MACHINE_SUITE,
    ),
    "comet_time_unjudged": one(
        "a proposed block may have any time",
        _PROPOSALS,
        "return None if earliest <= time_ms <= latest else",
        "return None if time_ms else",
        _MACHINE_SUITE,
    ),
    "comet_time_capped": one(
        "the window of a block's time ends a minute ago, however long nothing was decided",
        _PROPOSALS,
        "earliest = now_ms - ((PATIENCE_MS + precision_ms) << min(round, 40))",
        "earliest = now_ms - min(WINDOW_MS_MAX, (PATIENCE_MS + precision_ms) << min(round, 40))",
        _MACHINE_SUITE,
    ),
    "comet_any_proposer": one(
        "a header may name another proposer than CometBFT does",
        _PROPOSALS,
        "if index is None or address_of(validators[index].key) != proposed.proposer:",
        "if index is None:",
        _MACHINE_SUITE,
    ),
    "comet_validators_late": one(
        "CometBFT is told of new validators one block late",
        "coseal.node.core.comet.updates",
        "        if key_hash not in entries:",
        "        if key_hash:",
        _MACHINE_SUITE,
    ),
    "comet_commit_unwritten": one(
        "Commit is answered although the block is in no journal",
        _UNCERTIFIED,
        "        self._context.emit(shell.Append(self._journal.append(executed.block)))\n",
        "        self._journal.append(executed.block)\n",
        _MACHINE_SUITE,
    ),
    "comet_finalized_counts": one(
        "Info counts a block that was only finalized",
        _PROPOSALS,
        "        self.finalized = executed\n",
        "        self.advance(executed)\n        self.finalized = executed\n",
        _MACHINE_SUITE,
    ),
    "comet_double_vote_believed": one(
        "a double vote is reported although its signatures do not verify",
        _CERTIFYING,
        "        proof.verify(chain_id, seat.key, verify)\n",
        "        proof.verify(chain_id, seat.key, lambda *_: True)\n",
        _MACHINE_SUITE,
    ),
    "comet_odd_vote_lost": one(
        "a signature that CometBFT alone accepts never counts",
        _CERTIFYING,
        "    for accepts in (verify, zip215.verify):  # M6",
        "    for accepts in (verify,):",
        _MACHINE_SUITE,
    ),
    "comet_snapshot_unproven": one(
        "a snapshot's block counts with a certificate that nobody signed",
        _SNAPSHOTS,
        "            self._header_chain.check(manifest.header, committed.certificate, verify)  # Z7",
        "            self._header_chain.check(manifest.header, committed.certificate, lambda *_: True)",
        _SNAPSHOTS_SUITE,
    ),
    "comet_heads_unproven": one(
        "the heads below a snapshot count although their signatures do not verify",
        _SNAPSHOTS,
        "            followed = followed.follow(head, self._context.config.verify)  # Z8",
        "            followed = followed.follow(head, lambda *_: True)",
        _SNAPSHOTS_SUITE,
    ),
    "comet_bad_sender_asked_again": one(
        "who sent a chunk that does not prove itself is asked for others",
        _SNAPSHOTS,
        "            return abci.refetch_snapshot_chunk(request.index, request.sender)",
        '            return abci.refetch_snapshot_chunk(request.index, "")',
        _SNAPSHOTS_SUITE,
    ),
    "comet_snapshot_shown_early": one(
        "a snapshot is shown before the blocks after it are certified",
        _MACHINE,
        "certified - AHEAD))  # M14",
        "certified))",
        _SNAPSHOTS_SUITE,
    ),
    "comet_dropped_early": one(
        "CometBFT may drop blocks that the node has not pruned",
        _MACHINE,
        "        return abci.commit(self.first_height if self.first_height > 1 else 0)  # M20",
        "        return abci.commit(self.executor.height)",
        _MACHINE_SUITE,
    ),
}
