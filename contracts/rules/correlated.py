"""DECLARE with data: correlation between two events, and a window in time between them.

Law: what is kept of an object is at most ``MAX_KEPT`` events a list, each as far as the correlation reads it; one
more makes the rule undetermined, never forgetful.
Source: multi-perspective DECLARE, "Conformance checking based on multi-perspective declarative process models"
(Burattin, Maggi, Sperduti, 2016). docs/spec/rules.md, section DECLARE.

A template is made of one or two parts. A part has an activation, which obliges, and a target, which meets: a target
matches an activation if the correlation holds and the later of them in ledger order occurred at most the window
after the earlier one. Where events are alike to the correlation, only the one that decides is kept: the earliest
that waits, the latest that was seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from coseal.contracts.rules.cel.compile import Charge, Expression, Undetermined
from coseal.contracts.rules.declare import complaint, is_forward, reach_of, summed
from coseal.contracts.rules.facts import Used, restored
from coseal.contracts.rules.reasons import Reason, reason
from coseal.contracts.rules.verdict import FINAL, Facts, Reach, Ruling, Verdict, undetermined, violated

MAX_KEPT: Final = 64
MAX_KEPT_CHARACTERS: Final = 1_024

_KEPT_STEPS: Final = 6
_PARTS_CHARGE: Final = Charge(8, 8)
_KEPT_LIST_STEPS: Final[Mapping[str, int]] = {"objects": 180, "policy": 16, "evidence": 16}
KEPT_SIZE: Final = 64
"""The size of the largest event that is kept."""
Kept = list[Any]
"""``[occurrence in ms, what the correlation reads of the event]``."""


class _Unclear(Exception):
    """Nothing can be told any more, and why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class _Broken(Exception):
    """The event violates the rule."""


class Part(NamedTuple):
    """One direction of a template.

    ``kind``: ``follow`` (a target comes later), ``answer`` (later or earlier), ``precede`` (earlier), ``exclude``
    (neither). ``mode``: ``""``, ``alternate`` (no second activation between), ``chain`` (at once).
    """

    kind: str
    activation: str
    target: str
    mode: str = ""


PARTS: Final[Mapping[str, tuple[Part, ...]]] = {
    "responded_existence": (Part("answer", "a", "b"),),
    "coexistence": (Part("answer", "a", "b"), Part("answer", "b", "a")),
    "noncoexistence": (Part("exclude", "a", "b"), Part("exclude", "b", "a")),
    "response": (Part("follow", "a", "b"),),
    "precedence": (Part("precede", "b", "a"),),
    "succession": (Part("follow", "a", "b"), Part("precede", "b", "a")),
    "altresponse": (Part("follow", "a", "b", "alternate"),),
    "altprecedence": (Part("precede", "b", "a", "alternate"),),
    "altsuccession": (Part("follow", "a", "b", "alternate"), Part("precede", "b", "a", "alternate")),
    "chainresponse": (Part("follow", "a", "b", "chain"),),
    "chainprecedence": (Part("precede", "b", "a", "chain"),),
    "chainsuccession": (Part("follow", "a", "b", "chain"), Part("precede", "b", "a", "chain")),
}
"""The parts of each binary template."""
PRECEDING: Final = frozenset(("precedence", "altprecedence", "chainprecedence"))
"""The templates whose activation is their ``b``."""


@dataclass(frozen=True, slots=True)
class Correlated:
    """A binary template with a ``correlation`` over ``a``, the activation, and ``t``, the target, and maybe a window.

    The detail of its state is by part ``[waiting, seen]``, lists of ``Kept``; None while both are empty.
    """

    template: str
    a: str
    b: str
    conditions: Mapping[str, Expression]
    correlation: Expression
    read: Mapping[str, Used]
    within_ms: int | None
    cost: int

    @property
    def activation(self) -> str:
        """The symbol of the activation, ``a`` to the correlation; where both oblige, that of ``a``."""
        return "b" if self.template in PRECEDING else "a"

    @property
    def reach(self) -> Reach:
        """See ``Body``."""
        return reach_of(self.template, self.a, self.b)

    @property
    def charge(self) -> Charge:
        """See ``Body``."""
        return summed(self.conditions).plus(_PARTS_CHARGE)

    @property
    def kept_charge(self) -> Charge:
        """See ``Body``: each is matched in every part, and compared with the event that is kept."""
        lists = {name for used in self.read.values() for name in used.fields}
        steps = _KEPT_STEPS + sum(_KEPT_LIST_STEPS[name] for name in sorted(lists & _KEPT_LIST_STEPS.keys()))
        return Charge(steps, steps).plus(self.correlation.charge)

    @property
    def forward(self) -> bool:
        """See ``Body``."""
        return is_forward(self.template)

    @property
    def repeats(self) -> bool:
        """See ``Body``: one finding says it for good."""
        return False

    @property
    def tables(self) -> Mapping[str, bytes]:
        """See ``Body``: no symbol is told by a table alone."""
        return {}

    def step(self, symbol: str, code: int, detail: Any, facts: Facts) -> Ruling:
        """See ``Body``."""
        try:
            step = _Step(self, self._counted(symbol, facts), facts)
            parts = PARTS[self.template]
            before = detail or [[[], []]] * len(parts)
            after = [step.part(part, *lists) for part, lists in zip(parts, before, strict=True)]
        except _Unclear as error:
            return undetermined(error.reason)
        except _Broken:
            return violated(self._complaint())
        return Ruling(0, after if any(lists != [[], []] for lists in after) else None)

    def _counted(self, symbol: str, facts: Facts) -> str:
        condition = self.conditions.get(symbol)
        if condition is None:
            return symbol
        value = condition.evaluate(facts.bindings())
        if type(value) is Undetermined:
            raise _Unclear(_no_value(value))
        return symbol if value is True else "other"

    def _complaint(self) -> Reason:
        return complaint(self.template, self.a, self.b, matching=True, within_ms=self.within_ms)

    def verdict(self, code: int, detail: Any) -> Verdict:
        """See ``Body``."""
        if code in FINAL:
            return FINAL[code]
        return Verdict.PENDING_VIOLATING if any(lists[0] for lists in detail or ()) else Verdict.PENDING

    def deadline_ms(self, code: int, detail: Any) -> int | None:
        """See ``Body``."""
        if self.within_ms is None or detail is None:
            return None
        waiting = [kept[0] + self.within_ms for lists in detail for kept in lists[0]]
        return min(waiting, default=None)

    def expire(self, code: int, detail: Any) -> Ruling:
        """See ``Body``: an activation waited for its target longer than the window."""
        waits = next((part for part, lists in zip(PARTS[self.template], detail, strict=True) if lists[0]))
        waited, target = (self.a, self.b) if waits.activation == "a" else (self.b, self.a)
        why = "not_near_within" if waits.kind == "answer" else "not_after_within"
        return violated(reason(why, a=waited, b=target, matching=True, within_ms=self.within_ms or 0))


class _Step:
    """One event given to the parts of a rule."""

    def __init__(self, rule: Correlated, symbol: str, facts: Facts) -> None:
        self.rule, self.symbol, self.facts = rule, symbol, facts
        self.time_ms = facts.event.time_ms

    def part(self, part: Part, waiting: list[Kept], seen: list[Kept]) -> list[list[Kept]]:
        """Return a part's new ``[waiting, seen]``."""
        if part.kind == "follow":
            return [self._followed(part, waiting), []]
        if part.kind == "precede":
            return [[], self._preceded(part, seen)]
        if part.kind == "answer":
            return self._answered(part, waiting, seen)
        return [[], self._excluded(part, seen)]

    def _followed(self, part: Part, waiting: list[Kept]) -> list[Kept]:
        if self.symbol == part.target:
            waiting = self._left(waiting)
        if part.mode == "chain" and waiting:
            raise _Broken
        if self.symbol == part.activation:
            if part.mode == "alternate" and waiting:
                raise _Broken
            waiting = self._kept(waiting, earliest=True)
        return waiting

    def _preceded(self, part: Part, seen: list[Kept]) -> list[Kept]:
        if self.symbol == part.activation:
            if not self._any(seen):
                raise _Broken
            if part.mode == "alternate":
                seen = []
        if part.mode == "chain":
            seen = []
        return self._kept(seen, earliest=False) if self.symbol == part.target else seen

    def _answered(self, part: Part, waiting: list[Kept], seen: list[Kept]) -> list[list[Kept]]:
        if self.symbol == part.target:
            return [self._left(waiting), self._kept(seen, earliest=False)]
        if self.symbol == part.activation and not self._any(seen):
            return [self._kept(waiting, earliest=True), seen]
        return [waiting, seen]

    def _excluded(self, part: Part, seen: list[Kept]) -> list[Kept]:
        if self.symbol == part.activation and self._any(seen):
            raise _Broken
        return self._kept(seen, earliest=False) if self.symbol == part.target else seen

    def _left(self, waiting: list[Kept]) -> list[Kept]:
        """Return the activations that this target leaves waiting."""
        left, unclear = [], None
        for kept in waiting:
            value = self._matches(kept)
            if type(value) is Undetermined:
                unclear = unclear or value
            elif not value:
                left.append(kept)
        if unclear is not None:
            raise _Unclear(_no_value(unclear))
        return left

    def _any(self, keeps: list[Kept]) -> bool:
        """Say whether any kept event matches this one; as ``||``, one that does makes up for unclear ones."""
        unclear = None
        for kept in keeps:
            value = self._matches(kept)
            if value is True:
                return True
            if type(value) is Undetermined:
                unclear = unclear or value
        if unclear is not None:
            raise _Unclear(_no_value(unclear))
        return False

    def _matches(self, kept: Kept) -> Any:
        """Say whether an event that was kept and this one match."""
        rule = self.rule
        if rule.within_ms is not None and self.time_ms - kept[0] > rule.within_ms:  # D6
            return False
        # D5
        mine, other = ("a", "t") if self.symbol == rule.activation else ("t", "a")
        return rule.correlation.evaluate({mine: self.facts.bindings()["e"], other: restored(kept[1])})

    def _kept(self, keeps: list[Kept], *, earliest: bool) -> list[Kept]:
        """Return the list with this event."""
        used = self.rule.read.get("a" if self.symbol == self.rule.activation else "t")
        record = {} if used is None else used.kept(self.facts.bindings()["e"])
        if _characters(record) > MAX_KEPT_CHARACTERS:
            raise _Unclear(reason("too_much_read", most=MAX_KEPT_CHARACTERS))
        for index, (time_ms, known) in enumerate(keeps):
            if known == record:
                if (self.time_ms < time_ms) is not earliest:
                    return keeps
                return [*keeps[:index], [self.time_ms, record], *keeps[index + 1 :]]
        if len(keeps) == MAX_KEPT:  # D9
            raise _Unclear(reason("too_many_waiting", most=MAX_KEPT))
        return [*keeps, [self.time_ms, record]]


def _no_value(value: Undetermined) -> Reason:
    return reason("no_value", problem=value.reason)


def _characters(value: Any) -> int:
    if type(value) is str or type(value) is bytes:
        return len(value)
    if type(value) is dict:
        return sum(len(name) + _characters(item) for name, item in value.items())
    return sum(map(_characters, value)) if type(value) is list else 8
