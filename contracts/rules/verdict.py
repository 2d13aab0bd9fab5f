"""What a rule says of an object: four verdicts and one for what cannot be determined, and how a rule comes to them.

Law: violated and undetermined are final for a rule and an object; a finding says which event or deadline brought it.
Source: RV-LTL, "Comparing LTL semantics for runtime verification" (Bauer, Leucker, Schallhart, 2010).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from coseal.contracts.kernel.budget import free
from coseal.contracts.process.tallies import Declared
from coseal.contracts.rules.cel.compile import Charge, Expression, Timestamp
from coseal.contracts.rules.facts import FACTS, Event, event_facts, tally_facts
from coseal.contracts.rules.reasons import NOTHING, Reason, reason


class Verdict(StrEnum):
    """What is known of a rule on an object so far.

    ``satisfied`` and ``violated``: whatever comes. ``pending``: satisfied if nothing more comes,
    ``pending_violating``: violated if nothing more comes. ``undetermined``: an expression had no value.
    """

    SATISFIED = "satisfied"
    PENDING = "pending"
    PENDING_VIOLATING = "pending_violating"
    VIOLATED = "violated"
    UNDETERMINED = "undetermined"


NO_CHARGE: Final = Charge(0, 0)
VIOLATED: Final = 254
UNDETERMINED: Final = 255
FINAL: Final[Mapping[int, Verdict]] = {VIOLATED: Verdict.VIOLATED, UNDETERMINED: Verdict.UNDETERMINED}
"""The codes of a rule's state that no event changes; 0 is how every rule begins."""


class Ruling(NamedTuple):
    """A rule's state after an event: its code and detail, and with a ``verdict`` what has been found and why."""

    code: int
    detail: Any = None
    verdict: Verdict | None = None
    reason: Reason = NOTHING


def violated(reason: Reason) -> Ruling:
    """Return the ruling that an event violates the rule."""
    return Ruling(VIOLATED, None, Verdict.VIOLATED, reason)


def undetermined(reason: Reason) -> Ruling:
    """Return the ruling that nothing can be told of the rule any more."""
    return Ruling(UNDETERMINED, None, Verdict.UNDETERMINED, reason)


class Sight(NamedTuple):
    """What is kept of a related object: the code and detail of a rule's witness, and the attributes that are read.

    ``whole``: all that was recorded of the object was seen; ``settled``: all of it was recorded before the event.
    """

    code: int
    detail: Any
    attributes: Sequence[Any]
    whole: bool
    settled: bool


Look: TypeAlias = Callable[[str, str, str], "Sight | Reason"]
"""What gives the ``Sight`` of a related object by rule, object type and object, or why there is none."""


def unseen(rule_id: str, object_type: str, object_id: str) -> Sight | Reason:
    """See nothing of related objects."""
    return reason("related_unseen", object_type=object_type, object=object_id)


@dataclass(slots=True)
class Facts:
    """An event of an object as rules see it; what expressions need is made when the first one asks.

    ``figures`` are what rules read of the object's tallies, which are ``declared``.
    """

    event: Event
    times: Mapping[str, frozenset[str]]
    object_type: str
    object_id: str
    count: int
    attributes: Mapping[str, Any]
    look: Look = unseen
    spend: Callable[[int], None] = free
    declared: Declared | None = None
    figures: tuple[str, ...] = ()
    _bindings: dict[str, Any] | None = None

    def bindings(self) -> dict[str, Any]:
        """Return the values of ``e``, ``o`` and ``block``."""
        if self._bindings is None:
            self._bindings = {
                "e": self._event(),
                "o": {
                    "type": self.object_type,
                    "id": self.object_id,
                    "count": self.count,
                    "attributes": self.attributes,
                    **self._figures(),
                },
                "block": {"height": self.event.height, "time": Timestamp(self.event.block_ms)},
            }
        return self._bindings

    def _figures(self) -> Mapping[str, Any]:
        if not self.figures:
            return {}
        return tally_facts(self.declared, self.figures, self.event, (self.object_type, self.object_id))

    def _event(self) -> Any:
        """Return the value of ``e``, made once for all objects that the event names."""
        made = self.event.made
        if FACTS not in made:
            made[FACTS] = event_facts(self.event, self.times)
        return made[FACTS]

    def once(self, expression: Expression) -> Any:
        """Return the value of an expression that does not read ``o``, evaluated once for all objects."""
        made = self.event.made
        if expression.text not in made:
            made[expression.text] = expression.evaluate(self.bindings())
        return made[expression.text]


@dataclass(frozen=True, slots=True)
class Reach:
    """Which events concern a rule, and how.

    ``symbols`` is by event type; ``every`` the symbol of all other types, if they concern it always. An event of
    another type concerns it as ``other`` right ``after`` an event of that type, and if it is the object's ``first``.
    ``relations``: those of its object concern it.
    """

    symbols: Mapping[str, str]
    every: str = ""
    after: str = ""
    first: bool = False
    relations: bool = False


class Body(Protocol):
    """The part of a rule that judges: pure functions from (state, event) to state and verdict."""

    @property
    def reach(self) -> Reach:
        """Which events concern it."""
        ...

    @property
    def forward(self) -> bool:
        """Whether what was recorded before the rule does not matter to it."""
        ...

    @property
    def repeats(self) -> bool:
        """Whether it judges on once something was found."""
        ...

    @property
    def cost(self) -> int:
        """The most steps that one event takes."""
        ...

    @property
    def charge(self) -> Charge:
        """What one event is charged, but for what was kept of others."""
        ...

    @property
    def kept_charge(self) -> Charge:
        """What one event is charged for each event that was kept."""
        ...

    @property
    def tables(self) -> Mapping[str, bytes]:
        """Symbol -> the new code by the old one, for symbols that need no more than that."""
        ...

    def step(self, symbol: str, code: int, detail: Any, facts: Facts) -> Ruling:
        """Return the state after an event, for a state that is not final (or any, if it ``repeats``)."""
        ...

    def verdict(self, code: int, detail: Any) -> Verdict:
        """Return what is known in a state."""
        ...

    def deadline_ms(self, code: int, detail: Any) -> int | None:
        """Return the occurrence time until which the next obligation has to be met, or None."""
        ...

    def expire(self, code: int, detail: Any) -> Ruling:
        """Return the state after ``deadline_ms`` has passed unmet."""
        ...
