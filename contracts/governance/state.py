"""Where the governance contract keeps what in the state: the only place where its keys are spelt.

And those of ballots of any contract, which all have the same form: ``<contract>/ballot/<id>`` and the votes beside it.
"""

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
CONSTITUTION_KEY: Final = "governance/constitution"
DE_FACTO_KEY: Final = "governance/de_facto"
OPEN_KEY: Final = "governance/open"
SIZES_KEY: Final = "governance/sizes"

MEASURES_KEY: Final = "governance/measures"

KEYS: Final = {
    "governance/ballot/<id>": "a proposal: how it stands, and what became of it",
    "governance/vote/<id>/<round>/<member>": "a vote, with its reason, and where it counts",
    "governance/subject/<id>": "what a proposal says, as it was made",
    PROPOSALS_KEY: "the proposals that are not decided, oldest first",
    COUNT_KEY: "how many proposals there ever were",
    "governance/number/<n>": "the id of the n-th proposal",
    CONSTITUTION_KEY: "the version and digest of the constitution in force; absent: the founding one",
    DE_FACTO_KEY: "what the constitution says of standards in use; absent: nothing",
    "governance/constitution/<n>": "a constitution, with the height and proposal that brought it",
    OPEN_KEY: "the ballots of all contracts that take votes: `[contract, id]`, oldest first",
    SIZES_KEY: "how many members of each constituency have a vote, by electorate, and the epoch of which that is so",
    "governance/seat/<member>": "the constituency of a member, and in which electorates it counts",
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
OPEN_KEYS: Final = (
    "governance/subject/",
    "governance/constitution/",
    PROPOSALS_KEY,
    OPEN_KEY,
    STEPPING_DOWN_KEY,
    MEASURES_KEY,
    *deadlines.open_keys(NAME),
)


def ballot_key(contract: str, ballot_id: str) -> str:
    """Return the state key of a ballot of a contract."""
    return f"{contract}/ballot/{ballot_id}"


def vote_key(contract: str, ballot_id: str, turn: int, member: str) -> str:
    """Return the state key of the vote of a member in a round of a ballot."""
    return f"{contract}/vote/{ballot_id}/{turn}/{member}"


def ballot_subject_key(contract: str, ballot_id: str) -> str:
    """Return the state key of what a ballot of a contract is about."""
    return f"{contract}/subject/{ballot_id}"


def proposal_key(proposal_id: str) -> str:
    """Return the state key of a proposal: a ballot of this contract."""
    return ballot_key(NAME, proposal_id)


def subject_key(proposal_id: str) -> str:
    """Return the state key of what a proposal says."""
    return f"governance/subject/{proposal_id}"


def number_key(number: int) -> str:
    """Return the state key of the id of the n-th proposal."""
    return f"governance/number/{number}"


def constitution_key(version: int) -> str:
    """Return the state key of a constitution, from 1 on."""
    return f"governance/constitution/{version}"


def leaving_key(member_id: str) -> str:
    """Return the state key of the notice of a member that leaves."""
    return f"governance/leaving/{member_id}"


def seat_key(member: str) -> str:
    """Return the state key of where a member votes."""
    return f"governance/seat/{member}"


def measure_key(measure_id: str) -> str:
    """Return the state key of a measure."""
    return f"governance/measure/{measure_id}"


def paused_key(action: str) -> str:
    """Return the state key of the end of the last emergency measure that paused an action."""
    return f"governance/paused/{action}"
