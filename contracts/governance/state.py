"""Where the governance contract keeps what in the state: the only place where its keys are spelt."""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel import deadlines

NAME: Final = "governance"
PROPOSALS_KEY: Final = "governance/proposals"
COUNT_KEY: Final = "governance/count"
UPGRADE_KEY: Final = "governance/upgrade"
VERSION_KEY: Final = "governance/version"
ADMISSIONS_KEY: Final = "governance/admissions"
STEPPING_DOWN_KEY: Final = "governance/stepping_down"
MEASURES_KEY: Final = "governance/measures"

KEYS: Final = {
    "governance/proposal/<id>": "a proposal with its votes, and what became of it",
    PROPOSALS_KEY: "the open proposals, oldest first",
    COUNT_KEY: "how many proposals there ever were",
    "governance/number/<n>": "the id of the n-th proposal",
    UPGRADE_KEY: "the protocol version that is accepted and not in force yet",
    VERSION_KEY: "the protocol version in force, if a ballot brought it",
    ADMISSIONS_KEY: "the contracts of others that are accepted and not in force yet",
    "governance/leaving/<member>": "when a member that gave notice leaves",
    MEASURES_KEY: "the ids of the measures in force, oldest first",
    "governance/measure/<id>": "a measure: what it pauses, and how it ended",
    "governance/paused/<action>": "when the last emergency measure that paused an action ends, or ended",
    STEPPING_DOWN_KEY: "the validators of suspended members that leave their seats, one a block",
    **deadlines.keys(NAME),
}
OPEN_KEYS: Final = ("governance/proposal/", PROPOSALS_KEY, STEPPING_DOWN_KEY, MEASURES_KEY, *deadlines.open_keys(NAME))


def proposal_key(proposal_id: str) -> str:
    """Return the state key of a proposal."""
    return f"governance/proposal/{proposal_id}"


def number_key(number: int) -> str:
    """Return the state key of the id of the n-th proposal."""
    return f"governance/number/{number}"


def leaving_key(member_id: str) -> str:
    """Return the state key of the notice of a member that leaves."""
    return f"governance/leaving/{member_id}"


def measure_key(measure_id: str) -> str:
    """Return the state key of a measure."""
    return f"governance/measure/{measure_id}"


def paused_key(action: str) -> str:
    """Return the state key of the end of the last emergency measure that paused an action."""
    return f"governance/paused/{action}"
