"""DECLARE with a window in time and no correlation: of each kind of event only the time that decides is kept.

Law: what is kept of an object is one time a place, four places at most, however many events there are.
docs/spec/rules.md, section DECLARE.

The parts of a template are those of ``correlated``. Without a correlation all events of a kind are alike: the
activation that waits longest decides, and the latest target that was seen. A ``follow`` has a place for the activation
that waits, a ``precede`` and an ``exclude`` one for the target that was seen, an ``answer`` both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from coseal.contracts.rules.cel.compile import Charge, Expression, Undetermined
from coseal.contracts.rules.correlated import PARTS, Part
from coseal.contracts.rules.declare import complaint, is_forward, reach_of, summed
from coseal.contracts.rules.reasons import Reason, reason
from coseal.contracts.rules.verdict import (
    FINAL,
    NO_CHARGE,
    Facts,
    Reach,
    Ruling,
    Verdict,
    undetermined,
    violated,
)

TIME_BYTES: Final = 7
NO_TIME: Final = bytes(TIME_BYTES)
_OFFSET: Final = 2**55
_STEP_CHARGE: Final = Charge(10, 10)


def _places(part: Part) -> int:
    return 2 if part.kind == "answer" else 1


def _waiting(parts: tuple[Part, ...]) -> tuple[tuple[int, Part], ...]:
    """Return (place, part) of the times at which an activation waits."""
    found, place = [], 0
    for part in parts:
        if part.kind == "follow" or part.kind == "answer":
            found.append((place, part))
        place += _places(part)
    return tuple(found)


_WAITING: Final = {template: _waiting(parts) for template, parts in PARTS.items()}
_WIDTHS: Final = {template: sum(map(_places, parts)) for template, parts in PARTS.items()}


def time_bytes(time_ms: int) -> bytes:
    """Return a time in ms as it is kept."""
    return (time_ms + _OFFSET).to_bytes(TIME_BYTES, "big")


def places(data: Mapping[str, Any]) -> int:
    """Return how many times are kept for a rule, given as the map it was made from; 0 for all that is no ``Timed``."""
    if data.get("kind") != "declare" or data.get("within_ms") is None or data.get("correlation") is not None:
        return 0
    return _WIDTHS[data["template"]]


class Quick(NamedTuple):
    """What an event does to a rule in the usual cases.

    Where no time is kept, ``code`` is the code after it, and its time is kept at ``places``; ``waits`` says that its
    activation waits then. Where one is kept it may be a target that ``meets`` the activation, if it is within the
    window, and does nothing if not; or an activation ``again``, of which the earliest is kept.
    """

    code: int
    places: tuple[int, ...]
    waits: bool
    meets: bool
    again: bool


@dataclass(frozen=True, slots=True)
class Timed:
    """A binary template with a window.

    The detail of its state is its times, ``TIME_BYTES`` a place; its code has a bit for each place that holds one.
    """

    template: str
    a: str
    b: str
    conditions: Mapping[str, Expression]
    within_ms: int
    cost: int

    @property
    def reach(self) -> Reach:
        """See ``Body``."""
        return reach_of(self.template, self.a, self.b)

    @property
    def charge(self) -> Charge:
        """See ``Body``."""
        return summed(self.conditions).plus(_STEP_CHARGE)

    @property
    def kept_charge(self) -> Charge:
        """See ``Body``: what is kept is not compared."""
        return NO_CHARGE

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
        """See ``Body``: times are in no table."""
        return {}

    def step(self, symbol: str, code: int, detail: Any, facts: Facts) -> Ruling:
        """See ``Body``."""
        condition = self.conditions.get(symbol)
        if condition is not None:
            value = condition.evaluate(facts.bindings())
            if type(value) is Undetermined:
                return undetermined(reason("no_value", problem=value.reason))  # D8
            if value is not True:
                symbol = "other"  # D4
        after = self._moved(symbol, facts.event.time_ms, _times(code, detail))
        return violated(self.complaint()) if after is None else _kept(after)

    def quick(self, symbol: str) -> Quick | None:
        """Return what an event does in the usual cases; None if it takes ``step`` to say, as where a condition does."""
        after = self._moved(symbol, 0, [None] * _WIDTHS[self.template])
        if after is None or symbol in self.conditions:
            return None
        held = tuple(place for place, time_ms in enumerate(after) if time_ms is not None)
        waits = any(place in held for place, _ in _WAITING[self.template])
        parts = PARTS[self.template]
        part = parts[0] if _WIDTHS[self.template] == 1 else Part("", "", "")
        meets = part.kind == "follow" and part.mode != "chain" and symbol == part.target
        again = part.kind == "follow" and part.mode == "" and symbol == part.activation
        return Quick(sum(1 << place for place in held), held, waits, meets, again)

    def _moved(self, symbol: str, now_ms: int, times: list[int | None]) -> list[int | None] | None:
        """Return the times after an event; None if it violates the rule."""
        after = list[int | None]()
        for part in PARTS[self.template]:
            time_ms = times[len(after)]
            if part.kind == "follow":
                broken = self._followed(part, symbol, now_ms, time_ms, after)
            elif part.kind == "precede":
                broken = self._preceded(part, symbol, now_ms, time_ms, after)
            elif part.kind == "answer":
                broken = self._answered(part, symbol, now_ms, time_ms, times[len(after) + 1], after)
            else:
                broken = self._excluded(part, symbol, now_ms, time_ms, after)
            if broken:
                return None
        return after

    def _near(self, now_ms: int, time_ms: int | None) -> bool:
        """Say whether an event of now is within the window of an earlier one."""
        return time_ms is not None and now_ms - time_ms <= self.within_ms  # D6

    def _followed(self, part: Part, symbol: str, now_ms: int, waiting_ms: int | None, after: list[int | None]) -> bool:
        """Add the activation that still waits to ``after``; return whether the event violates the rule."""
        if symbol == part.target and self._near(now_ms, waiting_ms):
            waiting_ms = None
        if waiting_ms is not None and (
            part.mode == "chain" or (part.mode == "alternate" and symbol == part.activation)
        ):
            return True
        after.append(_earliest(waiting_ms, now_ms) if symbol == part.activation else waiting_ms)
        return False

    def _preceded(self, part: Part, symbol: str, now_ms: int, seen_ms: int | None, after: list[int | None]) -> bool:
        """Add the target that was seen to ``after``; return whether the event violates the rule."""
        if symbol == part.activation and not self._near(now_ms, seen_ms):
            return True
        if part.mode == "chain" or (part.mode == "alternate" and symbol == part.activation):
            seen_ms = None
        after.append(_latest(seen_ms, now_ms) if symbol == part.target else seen_ms)
        return False

    def _answered(
        self,
        part: Part,
        symbol: str,
        now_ms: int,
        waiting_ms: int | None,
        seen_ms: int | None,
        after: list[int | None],
    ) -> bool:
        """Add the activation that still waits and the target that was seen to ``after``; nothing violates it."""
        if symbol == part.target:
            if self._near(now_ms, waiting_ms):
                waiting_ms = None
            seen_ms = _latest(seen_ms, now_ms)
        elif symbol == part.activation and not self._near(now_ms, seen_ms):
            waiting_ms = _earliest(waiting_ms, now_ms)
        after.append(waiting_ms)
        after.append(seen_ms)
        return False

    def _excluded(self, part: Part, symbol: str, now_ms: int, seen_ms: int | None, after: list[int | None]) -> bool:
        """Add the target that was seen to ``after``; return whether the event violates the rule."""
        after.append(_latest(seen_ms, now_ms) if symbol == part.target else seen_ms)
        return symbol == part.activation and self._near(now_ms, seen_ms)

    def complaint(self) -> Reason:
        """Return how an event violates it."""
        return complaint(self.template, self.a, self.b, within_ms=self.within_ms)

    def verdict(self, code: int, detail: Any) -> Verdict:
        """See ``Body``."""
        if code in FINAL:
            return FINAL[code]
        waits = any(code >> place & 1 for place, _ in _WAITING[self.template])
        return Verdict.PENDING_VIOLATING if waits else Verdict.PENDING

    def deadline_ms(self, code: int, detail: Any) -> int | None:
        """See ``Body``."""
        if code in FINAL:
            return None
        waits = self._waits(code, detail)
        return None if waits is None else waits[0] + self.within_ms

    def expire(self, code: int, detail: Any) -> Ruling:
        """See ``Body``: an activation waited for its target longer than the window."""
        waits = self._waits(code, detail)
        kind, activation = ("", "a") if waits is None else (waits[1].kind, waits[1].activation)
        waited, target = (self.a, self.b) if activation == "a" else (self.b, self.a)
        why = "not_near_within" if kind == "answer" else "not_after_within"
        return violated(reason(why, a=waited, b=target, matching=False, within_ms=self.within_ms))

    def _waits(self, code: int, detail: Any) -> tuple[int, Part] | None:
        """Return the time of the activation that waits longest, and of what part it is."""
        first: tuple[int, Part] | None = None
        for place, part in _WAITING[self.template]:
            if code >> place & 1:
                time_ms = int.from_bytes(detail[place * TIME_BYTES : (place + 1) * TIME_BYTES], "big") - _OFFSET
                if first is None or time_ms < first[0]:
                    first = (time_ms, part)
        return first


def _times(code: int, detail: Any) -> list[int | None]:
    return [
        int.from_bytes(detail[start : start + TIME_BYTES], "big") - _OFFSET if code >> place & 1 else None
        for place, start in enumerate(range(0, len(detail), TIME_BYTES))
    ]


def _kept(times: list[int | None]) -> Ruling:
    code, detail = 0, b""
    for place, time_ms in enumerate(times):
        if time_ms is None:
            detail += NO_TIME
        else:
            code, detail = code | 1 << place, detail + time_bytes(time_ms)
    return Ruling(code, detail)


def _earliest(time_ms: int | None, now_ms: int) -> int:
    return now_ms if time_ms is None or now_ms < time_ms else time_ms


def _latest(time_ms: int | None, now_ms: int) -> int:
    return now_ms if time_ms is None or now_ms > time_ms else time_ms
