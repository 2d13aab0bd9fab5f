"""What a seed's members propose about each other and about how they decide: subjects of ballots, drawn by chance.

Law: a constitution that is drawn has K1 to K5 whatever the electorate, but one that is meant to be refused; its times
are so short that hearings, overrides and delays end within a run. A veto asks for a hearing of a day, so where there
is one, nothing passes there but by override.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Final

from simulation.votings import DAY_MS

if TYPE_CHECKING:
    from simulation.decisions import Decisions
    from simulation.keys import Scheme

HOUR_MS: Final = 3_600_000
GROUNDS: Final = [{"kind": "external", "id": "A judgment"}]
PAUSED: Final = "process.define_type"
"""What measures pause."""
ROLES: Final = ("government", "bank", "enterprise", "institute", "public")
MAJORITIES: Final = {role: [1, 2] for role in ROLES}
Subject = dict[str, Any]


def _track(electorate: str, total: list[int], at_least: int | str, after_ms: int, **more: Any) -> dict[str, Any]:
    rule = {"total": total, "classes": dict(MAJORITIES), "at_least": at_least}
    return {
        "electorate": electorate,
        "pass": rule,
        "override": {"after_ms": after_ms, "floor": [1, 3]},
        "open_ms": [HOUR_MS, 7 * DAY_MS, 90 * DAY_MS],
        **more,
    }


def constitution(rng: random.Random) -> dict[str, Any]:
    """Draw a document: tracks as in the recommended one, with other quotas, and times of seconds."""
    grave = rng.choice(([2, 3], [2, 3], [3, 4]))
    after_ms, latest_ms = sorted(rng.choices((0, 300, 900, 1_800), k=2))
    hearing_ms, delay_ms = rng.choice((0, 500, 1_000)), rng.choice((0, 300, 900))
    seats = _track("validators", [2, 3], 2, after_ms, delay_ms=rng.choice((0, 0, 400)))
    standing = _track("members", grave, "all", after_ms, not_before_ms=hearing_ms, delay_ms=delay_ms)
    if rng.randrange(5) < 2:
        hearing_ms = DAY_MS
        rng.choice((seats, standing, standing)).update(veto=rng.sample(ROLES[:3], 1), not_before_ms=DAY_MS)
    admission = _track("members", [2, 3], 2, after_ms)
    admission["pass"]["own"] = True
    emergency = _track("members", [1, 2], 2, after_ms, open_ms=[HOUR_MS, 2 * DAY_MS, 3 * DAY_MS])
    return {
        "title": f"Constitution {rng.randrange(1_000_000)}",
        "central_bank_counts_as": rng.choice(("bank", "government")),
        "present_ms": 180 * DAY_MS,
        "tracks": {
            "ordinary": _track("members", [1, 2], rng.choice((2, 3)), after_ms),
            "seats": seats,
            "admission": admission,
            "standing": standing,
            "emergency": emergency,
            "constitution": _track("members", grave, "all", latest_ms, not_before_ms=hearing_ms),
        },
        "kinds": {
            **dict.fromkeys(("add_validator", "remove_validator", "rotate_validator_key"), "seats"),
            **dict.fromkeys(("suspend_member", "reinstate_member", "remove_member", "measure"), "standing"),
            **dict.fromkeys(("protocol_version", "withdraw_version", "add_contract"), "constitution"),
            "add_member": "admission",
            "emergency_measure": "emergency",
        },
    }


def amendment(decisions: Decisions, rng: random.Random) -> Subject:
    """Amend the constitution in force; now and then by a document that lets a constituency stop others or decide."""
    document = constitution(rng)
    if rng.randrange(5) == 0:
        if rng.randrange(2):
            del document["tracks"]["constitution"]["override"]
        else:
            document["tracks"][rng.choice(("ordinary", "standing", "seats"))]["pass"] = {"total": [0, 1]}
    return {"from": decisions.digest, "document": document}


def suspension(decisions: Decisions, rng: random.Random, member: str, *, seats: bool) -> Subject:
    """Suspend a member for some seconds, or longer than a run."""
    until_ms = decisions.time_ms + rng.choice((3_000, 6_000, 600_000))
    return {"member": member, "until_ms": until_ms, "seats": seats, "grounds": GROUNDS}


def admission(scheme: Scheme, rng: random.Random, member: str) -> Subject:
    """Admit a member of some constituency that has others, or none."""
    role = rng.choice(ROLES)
    key = scheme.signer("operator", member).public_key.hex()
    operators = [{"user": "admin", "key": key, "capabilities": ["operate", "submit"]}]
    level = "central" if role == "government" else ""
    return {"member": member, "name": member, "role": role, "level": level, "sector": "", "operators": operators}


def measure(decisions: Decisions, rng: random.Random) -> Subject:
    """Pause an action for some seconds, for all members or for some."""
    members = sorted(decisions.roles)
    whom = "all" if rng.randrange(2) else rng.sample(members, rng.randint(1, len(members)))
    until_ms = decisions.time_ms + rng.choice((5_000, 8_000))
    about = {"title": "A measure", "text_sha256": "00" * 32, "until_ms": until_ms, "grounds": GROUNDS}
    return {**about, "pause": {PAUSED: whom}}
