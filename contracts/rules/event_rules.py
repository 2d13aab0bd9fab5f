"""Rules that are no DECLARE: guards, shapes, segregation of duties, reporting lag and gaps.

Law: a guard or shape judges every event anew; an error in a guard is ``undetermined``, never a pass.

docs/spec/rules.md, sections Guards, Shape and Monitors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from coseal.contracts.rules.cel.compile import Charge, Expression, Undetermined
from coseal.contracts.rules.facts import short
from coseal.contracts.rules.reasons import Reason, reason
from coseal.contracts.rules.shape import Shape
from coseal.contracts.rules.verdict import (
    FINAL,
    NO_CHARGE,
    VIOLATED,
    Facts,
    Reach,
    Ruling,
    Verdict,
    undetermined,
    violated,
)

MAX_ACTORS: Final = 64
ON: Final = "on"


class Judge:
    """What all of these share: no tables and no deadlines; pending until something is found."""

    __slots__ = ()

    @property
    def kept_charge(self) -> Charge:
        """See ``Body``."""
        return NO_CHARGE

    @property
    def forward(self) -> bool:
        """See ``Body``: they look at what is recorded from now on."""
        return True

    @property
    def repeats(self) -> bool:
        """See ``Body``."""
        return True

    @property
    def tables(self) -> Mapping[str, bytes]:
        """See ``Body``."""
        return {}

    def verdict(self, code: int, detail: Any) -> Verdict:
        """See ``Body``."""
        return FINAL.get(code, Verdict.PENDING)

    def deadline_ms(self, code: int, detail: Any) -> int | None:
        """See ``Body``."""
        return None

    def expire(self, code: int, detail: Any) -> Ruling:
        """See ``Body``."""
        return Ruling(code, detail)


@dataclass(frozen=True, slots=True)
class Ended(Judge):
    """What is left of a rule that was superseded or retired: no event concerns it, and nothing of it is due."""

    # M7
    reach: Reach = Reach({})  # noqa: RUF009 - it is frozen
    cost: int = 0
    charge: Charge = NO_CHARGE

    def step(self, symbol: str, code: int, detail: Any, facts: Facts) -> Ruling:
        """See ``Body``: events do not concern it."""
        return Ruling(code, detail)


@dataclass(frozen=True, slots=True)
class Guard(Judge):
    """An expression that must be true of every event of some types.

    ``of_object``: it reads ``o``; else it is the same for all objects that an event names.
    """

    reach: Reach
    expression: Expression
    of_object: bool = True

    @property
    def charge(self) -> Charge:
        """See ``Body``."""
        return self.expression.charge

    @property
    def cost(self) -> int:
        """See ``Body``."""
        return self.expression.cost

    def step(self, symbol: str, code: int, detail: Any, facts: Facts) -> Ruling:
        """See ``Body``."""
        value = facts.once(self.expression) if not self.of_object else self.expression.evaluate(facts.bindings())
        if value is True:
            return Ruling(code)
        if type(value) is Undetermined:
            return worse(code, undetermined(reason("no_value", problem=value.reason)))
        return violated(reason("condition"))


@dataclass(frozen=True, slots=True)
class ShapeCheck(Judge):
    """A schema that the attributes of every event of some types must fit."""

    reach: Reach
    shape: Shape

    @property
    def of_object(self) -> bool:
        """See ``Guard``."""
        return False

    @property
    def charge(self) -> Charge:
        """See ``Body``: an event's attributes are flat, so their size does not matter."""
        return Charge(self.shape.cost, self.shape.cost)

    @property
    def cost(self) -> int:
        """See ``Body``."""
        return self.shape.cost

    def step(self, symbol: str, code: int, detail: Any, facts: Facts) -> Ruling:
        """See ``Body``."""
        error = self.shape.check(dict(facts.event.item.get("attributes", {})))
        return Ruling(code) if error is None else violated(reason("shape", problem=f"attributes{error}"))


@dataclass(frozen=True, slots=True)
class Lag(Judge):
    """Every event of a live source is recorded at most ``within_ms`` after it happened."""

    reach: Reach
    within_ms: int
    cost: int = 1
    charge: Charge = Charge(1, 1)  # noqa: RUF009 - it is frozen

    def step(self, symbol: str, code: int, detail: Any, facts: Facts) -> Ruling:
        """See ``Body``."""
        event = facts.event
        if "corrects" in event.item:  # M11
            return Ruling(code)
        lag = event.block_ms - event.time_ms
        if not event.live or lag <= self.within_ms:
            return Ruling(code)
        return violated(reason("late", lag_ms=lag, within_ms=self.within_ms))


@dataclass(frozen=True, slots=True)
class Gap(Judge):
    """A source leaves out at most ``missing_max`` items at a time; its state is told by ``RuleSet.gap``."""

    missing_max: int
    reach: Reach = Reach({})  # noqa: RUF009 - it is frozen
    cost: int = 1
    charge: Charge = Charge(1, 1)  # noqa: RUF009 - it is frozen

    def step(self, symbol: str, code: int, detail: Any, facts: Facts) -> Ruling:
        """See ``Body``: events do not concern it."""
        return Ruling(code)

    def gap(self, code: int, first: int, last: int) -> Ruling:
        """Return the state after a source left out the items from ``first`` to ``last``."""
        missing = last - first + 1
        if missing <= self.missing_max:
            return Ruling(code)
        if missing == 1:
            return violated(reason("item_missing", first=first))
        if not self.missing_max:
            return violated(reason("items_missing", first=first, last=last))
        return violated(reason("too_many_missing", first=first, last=last, most=self.missing_max))


@dataclass(frozen=True, slots=True)
class Segregation(Judge):
    """Two activities on one object are not by one actor; if they are the same, each is by another actor.

    ``actor``: ``member``, ``source``, or the name of an attribute behind ``attributes.``. The detail of its state
    is ``[actors of a, actors of b]``, each as ``short`` makes it.
    """

    a: str
    b: str
    actor: str
    cost: int = 1
    charge: Charge = Charge(4, 4)  # noqa: RUF009 - it is frozen

    @property
    def reach(self) -> Reach:
        """See ``Body``."""
        return Reach({self.a: "a"} if self.a == self.b else {self.a: "a", self.b: "b"})

    @property
    def repeats(self) -> bool:
        """See ``Body``: one finding says it for good."""
        return False

    def step(self, symbol: str, code: int, detail: Any, facts: Facts) -> Ruling:
        """See ``Body``."""
        who = self._actor(facts)
        if type(who) is not str or not who:
            return undetermined(reason("no_actor", actor=self.actor))
        sides, actor = detail or [[], []], short(who)
        mine = 0 if symbol == "a" else 1
        others = sides[mine] if self.a == self.b else sides[1 - mine]
        if actor in others:
            return violated(self._complaint(who[:64]))
        if actor in sides[mine]:
            return Ruling(code, detail)
        if len(sides[mine]) == MAX_ACTORS:  # M5
            return undetermined(reason("too_many_actors", most=MAX_ACTORS))
        changed = [sides[0], sides[1]]
        changed[mine] = [*sides[mine], actor]
        return Ruling(code, changed)

    def _complaint(self, who: str) -> Reason:
        if self.a == self.b:
            return reason("same_actor_again", a=self.a, actor=self.actor, who=who)
        return reason("same_actor", a=self.a, b=self.b, actor=self.actor, who=who)

    def _actor(self, facts: Facts) -> Any:
        if self.actor == "member":
            return facts.event.member
        if self.actor == "source":
            return facts.event.source
        value = facts.event.item.get("attributes", {}).get(self.actor.removeprefix("attributes."))
        return str(value) if type(value) is int else value


def worse(code: int, ruling: Ruling) -> Ruling:
    """Return a ruling, but keep the code of an object that is violated already."""
    return ruling._replace(code=code) if code == VIOLATED else ruling  # M2
