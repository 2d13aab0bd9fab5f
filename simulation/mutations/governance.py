"""Mistakes in what members decide: validators, versions, standing, measures, the constitution."""

from __future__ import annotations

from typing import Final

from simulation.mutations.mutant import Mutant, one

_GOVERNANCE = "coseal.contracts.governance"
_KINDS = "coseal.contracts.governance.kinds"
_SEATS = "coseal.contracts.governance.seats"
_STANDING = "coseal.contracts.governance.standing"
_MEASURES = "coseal.contracts.governance.measures"
_VERSIONS = "coseal.contracts.governance.versions"
_OPENING_CONSTITUTION = """\
    from coseal.contracts.governance import in_force
    from coseal.contracts.governance.state import constitution_key
    newest, opened = in_force.version(view).number, record["height"]
    before = [each for each in range(1, newest + 1) if view.get(constitution_key(each))["height"] < opened]
    track = in_force.of_version(view, max(before, default=0)).track_of(record["kind"])
    voted"""

MUTANTS: Final[dict[str, Mutant]] = {
    # Changes of the validators
    "signs_a_block_early": one(
        "a new set signs the block that should only announce it",
        "coseal.contracts.execution",
        "next_validators=membership.validators(view),",
        "next_validators=membership.coming(view) or membership.validators(view),",
        "tests/contracts/test_execution.py tests/contracts/governance/test_proposals.py",
    ),
    "epoch_unsigned": one(
        "a vote does not bind its epoch",
        "coseal.ledger.certificate",
        'epoch.to_bytes(8, "big"),',
        "bytes(8),",
        "tests/ledger",
    ),
    "old_epoch_certifies": one(
        "a certificate of an earlier epoch is taken for one of this",
        "coseal.ledger.certificate",
        "if self.epoch != validators.epoch:",
        "if self.epoch > validators.epoch:",
        "tests/ledger",
    ),
    "removed_still_counts": one(
        "a removed validator keeps its seat",
        _KINDS,
        'membership_epochs.schedule(view, case.id, seats.without(seats.current(view), subject["node"]))',
        "membership_epochs.schedule(view, case.id, seats.current(view))",
        "tests/contracts/governance/test_proposals.py",
    ),
    "successors_unchecked": one(
        "the set that a header announces is not compared with our own",
        "coseal.contracts.execution",
        '            ("next_validators_hash", header.next_validators_hash, outcome.next_validators.hash),\n',
        "",
        "tests/contracts/test_execution.py tests/contracts/governance/test_proposals.py",
    ),
    "two_changes_at_once": one(
        "a second change is decided while the first waits for its block",
        _SEATS,
        "if membership_epochs.pending(view) is not None:  # A4",
        "if view is None:",
        "tests/contracts/governance/test_proposals.py",
    ),
    "readiness_not_required": one(
        "a node becomes a validator without having said that it is ready",
        _KINDS,
        "if not membership_nodes.is_ready(view, node_id, case.height):  # A3",
        "if not node_id:",
        "tests/contracts/governance/test_proposals.py",
    ),
    "version_needs_nobody": one(
        "a protocol version takes effect at its height, whoever has it",
        _VERSIONS,
        "if record is None or height + 1 < record[1] or not support(view, record[0]).suffices:  # A8",
        "if record is None or height + 1 < record[1]:",
        "tests/contracts/governance/test_versions.py",
    ),
    "newcomer_lacks_version": one(
        "a node becomes a validator without having said that it has the version in force",
        _KINDS,
        "if not governance_versions.has(view, node_id, version):  # A11",
        "if not node_id:",
        "tests/contracts/governance/test_versions.py",
    ),
    "version_loses_quorum": one(
        "a removal leaves fewer than a quorum that have the version in force",
        _SEATS,
        "if not support.suffices and governance_versions.has(view, removed, version):  # A11",
        "if view is None:",
        "tests/contracts/governance/test_versions.py",
    ),
    "first_seat_succeeds": one(
        "when the leader was removed, the first validator leads instead of the next in order",
        "coseal.ledger.validators",
        "index = sum(seat.id < previous_proposer for seat in validators.validators) % validators.n  # V2",
        "index = 0",
        "tests/ledger tests/consensus/test_epochs.py",
    ),
    "new_key_unused": one(
        "a node goes on signing with the key that its seat no longer has",
        "coseal.consensus.vote_signer",
        "holds = index is not None and guard is not None and guard.use_key(validators[index].key)",
        "holds = index is not None and guard is not None",
        "tests/consensus/test_epochs.py",
    ),
    # Standing and measures
    "suspension_cut_short": one(
        "an older, shorter suspension ends the one that took its place",
        _STANDING,
        "    if now.until_ms != until_ms:\n        return {}\n",
        "    if now.until_ms is None:\n        return {}\n",
        "tests/contracts/governance/test_standing.py",
    ),
    "suspended_by_instalments": one(
        "more than a third of the members can be suspended",
        _STANDING,
        "    if already < most:  # S5",
        "    if already <= most:  # S5",
        "tests/contracts/governance/test_standing.py",
    ),
    "emergency_by_instalments": one(
        "an emergency measure is renewed as soon as it is over",
        _MEASURES,
        "if ended_ms is None or case.time_ms >= ended_ms + REST_MS:  # S14",
        "if ended_ms is None or case.time_ms >= ended_ms:  # S14",
        "tests/contracts/governance/test_measures.py",
    ),
    "paused_in_the_deciding_block": one(
        "a measure pauses actions that stand after its deciding vote in the same block",
        _MEASURES,
        '        "first_height": case.height + 1,\n',
        '        "first_height": case.height,\n',
        "tests/contracts/governance/test_measures.py",
    ),
    # Decisions by a constitution
    "majority_decides": one(
        "a majority of the members decides where a quorum must",
        "coseal.contracts.governance.document",
        "            total=TWO_THIRDS,\n            opening=Opening(1,",
        "            total=Quota(1, 2),\n            opening=Opening(1,",
        "tests/contracts/governance/test_ballot.py",
    ),
    "votes_of_who_left_count": one(
        "the votes of a member that lost its vote stay in the tallies of open ballots",
        "coseal.contracts.governance.electorate",
        "    _recount(view, member, before, after)\n",
        "",
        "tests/contracts/governance/test_ballot.py",
    ),
    "own_case_counted": one(
        "the member that a proposal is about is counted among those who have a vote",
        "coseal.contracts.governance.ballot",
        "        found[seat.constituency] -= 1\n",
        "        pass\n",
        "tests/contracts/governance/test_ballot.py",
    ),
    "old_rule_kept": one(
        "an open proposal is not looked at when a new constitution says",
        "coseal.contracts.governance.amendment",
        "    left = ballot.reschedule(view, entry[1])  # Q17\n",
        "    left = 0\n",
        "tests/contracts/governance/test_tracks.py",
    ),
    "appeal_keeps_votes": one(
        "after an appeal the votes of the first round count on",
        "coseal.contracts.governance.ballot",
        'record |= {"round": turn, "round_ms": time_ms, "tally": electorate.no_votes()}',
        'record |= {"round": turn, "round_ms": time_ms, "tally": record.get("tally") or electorate.no_votes()}',
        "tests/contracts/governance/test_tracks.py",
    ),
    "unsafe_genesis": one(
        "a chain begins with a constitution that no amendment could bring",
        "coseal.contracts.governance.founding",
        "    if refused is not None:\n",
        "    if refused is None:\n",
        "tests/contracts/governance/test_tracks.py",
    ),
    "quota_by_equality": one(
        "a share that only equals its quota passes a proposal",
        f"{_GOVERNANCE}.resolution",
        "return part * self.denominator > self.numerator * whole  # Q1",
        "return part * self.denominator >= self.numerator * whole",
        "tests/contracts/governance/test_resolution.py",
    ),
    "override_of_two": one(
        "a proposal passes against two constituencies",
        f"{_GOVERNANCE}.resolution",
        "if len(there) < 3 or len(against) > 1:  # Q6",
        "if len(there) < 3 or len(against) > 2:",
        "tests/contracts/governance/test_resolution.py",
    ),
    "newcomers_own_not_asked": one(
        "a member is admitted into a constituency that does not want it",
        f"{_GOVERNANCE}.resolution",
        "    if own.members:  # Q5\n        return _majority(own)\n",
        "    if own.members:  # Q5\n        return True\n",
        "tests/contracts/governance/test_adversaries.py",
    ),
    "suspended_vote_counts": one(
        "a suspended member is counted, with the votes that it gave",
        f"{_GOVERNANCE}.electorate",
        "return self.good and (self.validator if electorate == VALIDATORS else self.present)",
        "return self.validator if electorate == VALIDATORS else self.present",
        "tests/contracts/governance/test_adversaries.py",
    ),
    "decided_as_it_was_opened": one(
        "a vote is decided by the constitution under which its proposal was opened",
        f"{_GOVERNANCE}.actions",
        '    track = ballot.track_of(view, NAME, record["kind"])\n    voted',
        _OPENING_CONSTITUTION,
        "tests/contracts/governance/test_tracks.py",
    ),
    "constituencies_passed_over": one(
        "an amendment may pass over constituencies that another track needs",
        f"{_GOVERNANCE}.safety",
        "        least = shared - max(0, shared + only_here - track.at_least)\n",
        "        least = min(shared, track.at_least)\n",
        "tests/contracts/governance/test_safety.py",
    ),
    # What the simulator follows by itself (``simulation.decisions``)
    "override_ignored": one(
        "one constituency can stop what all others want",
        f"{_GOVERNANCE}.resolution",
        "    if track.override is None:\n        return None\n",
        "    if track.override is None or tally:\n        return None\n",
        "tests/contracts/governance/test_resolution.py",
    ),
    "passed_unheard": one(
        "a proposal passes before it was heard",
        f"{_GOVERNANCE}.resolution",
        "    if clock.now_ms >= clock.opened_ms + track.not_before_ms and not stopped",
        "    if not stopped",
        "tests/contracts/governance/test_resolution.py",
    ),
    "veto_forgotten": one(
        "a proposal that was vetoed and cannot override waits until it closes",
        f"{_GOVERNANCE}.resolution",
        "    if holds(track, full, newcomer) and not vetoed(track, tally):\n        return True\n",
        "    if holds(track, full, newcomer):\n        return True\n",
        "tests/contracts/governance/test_resolution.py",
    ),
    "any_constituency_suffices": one(
        "of the constituencies that a track names one less has to meet its quota",
        f"{_GOVERNANCE}.resolution",
        "return met >= min(track.at_least, len(there))  # Q3",
        "return met >= min(track.at_least, len(there)) - 1",
        "tests/contracts/governance/test_resolution.py",
    ),
    "effect_without_delay": one(
        "what passed takes effect at the first look at it, whatever the delay",
        f"{_GOVERNANCE}.ballot",
        'if record["status"] == PASSED and time_ms >= record["effect_ms"]:',
        'if record["status"] == PASSED and time_ms >= record["passed_ms"]:',
        "tests/contracts/governance/test_tracks.py",
    ),
    "delay_of_the_opening": one(
        "a delay runs from the opening of a proposal, not from when it passed",
        f"{_GOVERNANCE}.ballot",
        "effect_ms = time_ms + poll.track.delay_ms  # Q15",
        'effect_ms = max(time_ms, record["round_ms"] + poll.track.delay_ms)',
        "tests/contracts/governance/test_tracks.py",
    ),
    "amended_before_its_time": one(
        "an amendment is in force as soon as it is proposed",
        f"{_GOVERNANCE}.amendment",
        '    return unsafe(document.constitution_of(subject["document"]), electorate.sizes(view))\n\n\ndef _amend',
        '    refused = unsafe(document.constitution_of(subject["document"]), electorate.sizes(view))\n'
        "    if refused is None:\n"
        '        in_force.enact(view, subject["document"], height=case.height, proposal=case.id)\n'
        "    return refused\n\n\ndef _amend",
        "tests/contracts/governance/test_tracks.py",
    ),
    "stale_amendment": one(
        "an amendment of a constitution that is in force no more takes the place of the one that is",
        f"{_GOVERNANCE}.amendment",
        '    if subject["from"] != current.digest:  # Q16',
        "    if not current.digest:",
        "tests/contracts/governance/test_tracks.py",
    ),
    "central_bank_stays": one(
        "the central bank stays in its constituency when an amendment gives it another",
        f"{_GOVERNANCE}.amendment",
        "    electorate.reseated(view)\n",
        "",
        "tests/contracts/governance/test_tracks.py",
    ),
    "seats_not_followed": one(
        "who has a vote does not follow the validators",
        f"{_GOVERNANCE}.electorate",
        "        deadlines.add(view, NAME, BLOCK_CLOCK, moment.time_ms, [SEAT, member])\n",
        "        pass\n",
        "tests/contracts/governance/test_ballot.py",
    ),
    "newcomer_not_counted": one(
        "a new member has a vote that nobody counts on",
        f"{_GOVERNANCE}.electorate",
        "    _resize(view, None, new)\n",
        "",
        "tests/contracts/governance/test_tracks.py",
    ),
    "suspension_for_ever": one(
        "a suspension ends only by ballot",
        _STANDING,
        "    deadlines.add(view, NAME, BLOCK_CLOCK, until_ms, [SUSPENSION, member_id, until_ms])\n",
        "",
        "tests/contracts/governance/test_standing.py",
    ),
    "suspended_keep_their_voice": one(
        "what a suspended member sends is taken as before",
        "coseal.contracts.apply",
        "    if not standing.allows(action.standing):  # S2, S3\n",
        "    if standing.until_ms is None and not standing.allows(action.standing):\n",
        "tests/contracts/governance/test_standing_of_actions.py",
    ),
    "suspended_keep_their_seats": one(
        "a validator of a suspended member keeps the seat that it was to leave",
        _SEATS,
        '    membership_epochs.schedule(view, proposal_id, left)\n    return {"stepped_down"',
        '    return {"stepped_down"',
        "tests/contracts/governance/test_standing.py",
    ),
    "measure_never_ended": one(
        "a measure whose time is over stays among those in force",
        _MEASURES,
        "    deadlines.add(view, NAME, BLOCK_CLOCK, until_ms, [END, case.id])\n",
        "",
        "tests/contracts/governance/test_measures.py",
    ),
}
