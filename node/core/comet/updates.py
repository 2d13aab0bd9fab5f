"""Who validates from two heights on, as CometBFT is told.

Law: what CometBFT hears after block H is in force at H + 2; a change accepted in H is promoted at the start of H + 1
and signs from H + 2 (V1). So it is told after H what H + 1 is going to promote.
"""

from __future__ import annotations

from coseal.contracts.execution import Executor, Outcome
from coseal.contracts.kernel.overlay import CommittedReader
from coseal.contracts.membership import actions as membership
from coseal.ledger.state import key_hash_of, split_entry
from coseal.ledger.validators import ValidatorSet


def coming_after(executor: Executor, outcome: Outcome) -> ValidatorSet | None:
    """Return the set that the block after ``outcome``'s promotes, None for no change; the state is not touched."""
    entries, state = outcome.change.entries, executor.state

    def get(key: bytes) -> bytes | None:
        key_hash = key_hash_of(key)
        if key_hash not in entries:
            return state.get(key)
        entry = entries[key_hash]
        return None if entry is None else split_entry(entry)[1]

    return membership.coming(CommittedReader(get))


def changed_power(before: ValidatorSet, after: ValidatorSet) -> list[tuple[bytes, int]]:
    """Return the keys whose power changes, ascending: 0 for one that goes, 1 for one that comes."""
    old, new = ({seat.key for seat in one.validators} for one in (before, after))
    return sorted([*((key, 0) for key in old - new), *((key, 1) for key in new - old)])
