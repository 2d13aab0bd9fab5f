"""Mistakes in standards: what counts as use, and what is computed of it."""

from __future__ import annotations

from typing import Final

from simulation.mutations.mutant import Mutant, one

_STANDARDS = "coseal.contracts.standards"
_STANDARDS_SUITE = "tests/contracts/standards"

MUTANTS: Final[dict[str, Mutant]] = {
    "own_set_of_all": one(
        "an own set has the effect of a set that all adopted",
        "coseal.contracts.supervision.sets_in_force",
        "    return list(_parts((set_id, TRIAL, generation, since_ms), compiled))",
        "    return list(_parts((set_id, ADOPTED, generation, since_ms), compiled))",
        _STANDARDS_SUITE,
    ),
    "own_set_shares_monitors": one(
        "the own sets of all members keep one state of an object",
        f"{_STANDARDS}.state",
        '    return f"standards/monitors/{member}/{process_type}/{object_type}/{object_id}"',
        '    return f"standards/monitors/all/{process_type}/{object_type}/{object_id}"',
        _STANDARDS_SUITE,
    ),
    "own_set_never_checked_again": one(
        "an own set goes on under a version of the type that it does not fit",
        f"{_STANDARDS}.own",
        "    fits = cost <= room",
        "    fits = cost >= 0",
        _STANDARDS_SUITE,
    ),
    "standard_without_use": one(
        "an adopter that does not use a standard counts as a user",
        f"{_STANDARDS}.status",
        "        if not exceeds(found.items, items[each], terms.of_items):",
        "        if items[each] < 0:",
        _STANDARDS_SUITE,
    ),
    "standard_of_one_constituency": one(
        "one constituency alone makes a standard de facto",
        f"{_STANDARDS}.status",
        "and carrying >= terms.carried_by and",
        "and carrying >= 0 and",
        _STANDARDS_SUITE,
    ),
    "standard_at_a_quota": one(
        "a share that only equals its quota is enough",
        f"{_STANDARDS}.status",
        "return part * quota[1] > whole * quota[0]",
        "return part * quota[1] >= whole * quota[0]",
        _STANDARDS_SUITE,
    ),
    "standard_without_hysteresis": one(
        "a standard is lost as soon as it would not be gained again",
        f"{_STANDARDS}.status",
        "    if before:\n",
        "    if before and not shares:\n",
        _STANDARDS_SUITE,
    ),
    "standard_by_trial": one(
        "who only tries a standard counts as a user",
        f"{_STANDARDS}.reviews",
        'if adoption["mode"] != ADOPTED or not in_force_at(adoption, end_ms):',
        "if not in_force_at(adoption, end_ms):",
        _STANDARDS_SUITE,
    ),
    "standard_of_first_page": one(
        "a review decides by its first page",
        f"{_STANDARDS}.reviews",
        'if page + 1 < series.pages(record["adopters"]):',
        'if page + 1 < series.pages(record["adopters"]) and page < 0:',
        _STANDARDS_SUITE,
    ),
    "standard_by_history": one(
        "what a historical source records counts as use",
        f"{_STANDARDS}.use",
        'if isinstance(facts, RecordedBatch) and facts.record["mode"] == "live":  # E2',
        "if isinstance(facts, RecordedBatch):",
        _STANDARDS_SUITE,
    ),
    "recognised_unused": one(
        "government recognises what is not de facto",
        f"{_STANDARDS}.recognition",
        "if not may_be(record):",
        "if not record:",
        _STANDARDS_SUITE,
    ),
    "adoption_without_notice": one(
        "an adoption ends at once",
        f"{_STANDARDS}.adoptions",
        "until_ms = now_ms + NOTICE_MS if notice else now_ms  # E13",
        "until_ms = now_ms",
        _STANDARDS_SUITE,
    ),
    "dispute_by_anybody": one(
        "who does not use a standard disputes it",
        f"{_STANDARDS}.disputes",
        "if not in_force_at(adoption, context.time_ms):  # E21",
        "if adoption == 0:",
        _STANDARDS_SUITE,
    ),
}
