"""The keys of everything in the state that says how a ballot was decided, for those who prove or verify it.

Law: pure. From what the state says of a ballot, and who ever was a member, it follows which keys there are; a vote is
either there or its key is absent, so a list of these keys is complete or has a gap that can be named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from coseal.contracts.governance.electorate import CHOICES, Vote, no_votes
from coseal.contracts.governance.state import ballot_key, ballot_subject_key, constitution_key, vote_key
from coseal.contracts.membership.state import MEMBERS_KEY
from coseal.ledger.proof import CertifiedValue
from coseal.ledger.render import certified_header_json, proven_value_json

KIND: Final = "decision"
"""The document that says how a ballot was decided, and proves it (``audit.decision``)."""


class Place(NamedTuple):
    """Where a vote of a member is, if it gave one: in which round of the ballot, and under which key."""

    member: str
    turn: int
    key: str


class Keys(NamedTuple):
    """The keys that say how a ballot was decided; no ``constitution`` if it was the founding one.

    ``next_constitution`` is that of the one after it, which is absent or came no earlier than the decision.
    """

    ballot: str
    subject: str
    constitution: str | None
    next_constitution: str
    members: str
    votes: tuple[Place, ...]

    @property
    def all(self) -> list[str]:
        """Every key, in order."""
        single = (self.ballot, self.subject, self.constitution, self.next_constitution, self.members)
        return [*(key for key in single if key is not None), *(place.key for place in self.votes)]


def keys(contract: str, ballot_id: str, record: Mapping[str, Any], members: Sequence[str]) -> Keys:
    """Return the keys of a ballot that was decided; ``members`` are all that there are, former ones too."""
    turns = range(1, record["round"] + 1)
    number = record["constitution"]
    return Keys(
        ballot_key(contract, ballot_id),
        ballot_subject_key(contract, ballot_id),
        constitution_key(number) if number else None,
        constitution_key(number + 1),
        MEMBERS_KEY,
        tuple(Place(member, turn, vote_key(contract, ballot_id, turn, member)) for turn in turns for member in members),
    )


def sums(votes: Iterable[Vote]) -> dict[str, Any]:
    """Return the tally that votes make: by electorate and constituency ``[yes, no, abstain]``."""
    tally = no_votes()
    for vote in votes:
        for name in vote.electorates:
            counts = tally[name].setdefault(vote.constituency, [0, 0, 0])
            counts[CHOICES.index(vote.choice)] += 1
    return tally


def document(contract: str, ballot_id: str, wanted: Keys, proven: Sequence[CertifiedValue]) -> dict[str, Any]:
    """Return the document about a ballot; ``proven`` are the values of its keys, in order, all of one block."""
    shown = dict(zip(wanted.all, map(proven_value_json, proven), strict=True))
    return {
        "coseal": KIND,
        "version": 1,
        "contract": contract,
        "id": ballot_id,
        "block": certified_header_json(proven[0].header, proven[0].certificate),
        "ballot": shown[wanted.ballot],
        "subject": shown[wanted.subject],
        "constitution": None if wanted.constitution is None else shown[wanted.constitution],
        "next_constitution": shown[wanted.next_constitution],
        "members": shown[wanted.members],
        "votes": [shown[place.key] for place in wanted.votes],
    }
