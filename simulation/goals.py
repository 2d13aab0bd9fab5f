"""Goals: rare situations that a long run must have reached (`sometimes`), or it has not tested what it claims.

Law: a goal is counted where it is seen to happen, by what nodes said and decided, never by what was intended.
"""

from __future__ import annotations

from typing import Final

GOALS: Final[dict[str, str]] = {
    "late_round": "a block is decided at round 3 or later",
    "reproposed": "a prepared block is proposed again by another leader, and decided",
    "old_round_commit": "a node decides by a certificate of an older round than its own",
    "weak_quorum_join": "f + 1 round changes move a node to a later round",
    "crash_between_votes": "a node crashes between PREPARE and COMMIT, recovers, and decides that height",
    "same_proposal_again": "a restarted leader proposes the very same block again",
    "torn_journal": "a torn journal is cut and the node votes on",
    "damaged_journal": "a damaged or lost journal makes a node follow without voting",
    "released": "a node that lost its journal votes again",
    "guard_stopped": "a node, or a twin, that is shown a signature its journal lacks stops signing",
    "damaged_log": "a damaged block log is refused, and fetched anew",
    "torn_log": "a torn last block is cut off and fetched again",
    "disk_error": "a disk error ends a process",
    "caught_up": "a node that was behind gets blocks from peers",
    "snapshot": "a node joins by a snapshot because no peer has the blocks any more",
    "liar_found": "a wrong block from a peer is refused, and another peer asked",
    "body_fetched": "a missing body is fetched",
    "mempool_full": "a mempool refuses what has no place",
    "accused": "a validator is accused with two messages",
    "evidence_committed": "proof that a validator contradicted itself is committed",
    "evidence_refused": "a Byzantine node's forged evidence is committed as a refusal",
    "malformed_frame": "a malformed frame closes a link",
    "status_lie": "a certificate that proves nothing is refused",
    "all_down": "all nodes are down at once, and go on",
    "idle": "an idle chain runs no round timer",
    "consistent_read": "a consistent read is answered",
    "fault_contained": "an exception of a contract refuses its transaction",
    "validator_added": "a new epoch has one validator more, while faults strike",
    "validator_removed": "a new epoch has one validator less",
    "leader_removed": "a validator is removed while it leads",
    "key_rotated": "a new epoch has another key of a validator",
    "epoch_in_round_change": "an epoch is announced, or begins, in a block of round 1 or later",
    "change_void": "of two changes at once the second is void or refused",
    "snapshot_over_epochs": "a node joins by a snapshot of a later epoch than it knew",
    "version_waits": "rules that are decided wait beyond their height for nodes that have them",
    "version_withdrawn": "rules that wait are withdrawn",
    "amended": "a document takes the place of the founding constitution, while faults strike",
    "amended_again": "a document takes the place of another",
    "suspended": "a member is suspended",
    "reinstated": "a suspended member is reinstated by ballot",
    "stepped_down": "the validator of a suspended member leaves its seat",
    "member_added": "a member is admitted",
    "member_removed": "a member is removed",
    "measure_paused": "what a measure pauses is refused",
    "decided_by_time": "the start of a block decides a proposal, or has it take effect",
    "overridden": "a proposal passes against one constituency",
    "appealed": "a member appeals, and all vote again",
    "paid": "money that was issued is paid from wallet to wallet",
    "release_lacking": "a node stops before the rules that it lacks, having said so",
}
"""Every name with what it means."""
