"""What members can decide together by ballot: of each kind what a proposal says, and what it then does.

Law: a proposal is checked when it is made and again when it is accepted, by the same function, against the state of
that moment; what takes effect cannot fail any more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from coseal.contracts.kernel.action import Context, Reader, Rejected, Result, View
from coseal.contracts.kernel.fields import Field

Subject: TypeAlias = Mapping[str, Any]


class Case(NamedTuple):
    """A proposal before the state of a block: its id, who made it, and the block's height and time in ms."""

    id: str
    proposer: str
    height: int
    time_ms: int


@dataclass(frozen=True, slots=True)
class ProposalKind:
    """One kind of proposal. ``check`` says why it cannot take effect now, or None; ``enact`` makes it take effect.

    ``admit(context, subject)`` refuses what is wrong once and for all, so it is asked only when it is proposed.
    ``note`` returns what voters should know of the present state, for the receipts of proposal and votes.
    ``concerned(subject)`` is the member that the proposal is about, which has no vote in it and may appeal;
    ``newcomer(subject)`` the role of the member that it admits.
    """

    subject: Field
    check: Callable[[View, Case, Subject], Rejected | None]
    enact: Callable[[View, Case, Subject], Result]
    example: Subject
    admit: Callable[[Context, Subject], Rejected | None] = lambda context, subject: None
    note: Callable[[Reader, Subject], Result] = lambda reader, subject: {}
    concerned: Callable[[Subject], str | None] = lambda subject: None
    newcomer: Callable[[Subject], str | None] = lambda subject: None
