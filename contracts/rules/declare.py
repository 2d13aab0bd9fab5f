"""DECLARE without data: every template as a small table, stepped in one look-up an event.

Law: a table's state is one byte and never depends on how long the history is; a state that is final stays.
Source: "Declare: full support for loosely-structured processes" (Pesic, Schonenberg, van der Aalst, 2007);
verdicts are RV-LTL's. docs/spec/rules.md, section DECLARE.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from coseal.contracts.rules.cel.compile import Charge, Expression, Undetermined
from coseal.contracts.rules.reasons import NOTHING, Reason, reason
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

MAX_N: Final = 100

_SATISFIED, _PENDING, _OPEN = Verdict.SATISFIED, Verdict.PENDING, Verdict.PENDING_VIOLATING
State = tuple[Verdict, Mapping[str, int]]
"""What is known in a state, and the next state by symbol (``a``, ``b``, ``other``); one left out changes nothing."""

_BAD = VIOLATED
_TEMPLATES: Final[Mapping[str, tuple[State, ...]]] = {  # D1
    "init": ((_OPEN, {"a": 1, "other": _BAD}), (_SATISFIED, {})),
    "end": ((_OPEN, {"a": 1}), (_PENDING, {"other": 0})),
    "responded_existence": ((_PENDING, {"a": 1, "b": 2}), (_OPEN, {"b": 2}), (_SATISFIED, {})),
    "coexistence": (
        (_PENDING, {"a": 1, "b": 2}),
        (_OPEN, {"b": 3}),
        (_OPEN, {"a": 3}),
        (_SATISFIED, {}),
    ),
    "noncoexistence": ((_PENDING, {"a": 1, "b": 2}), (_PENDING, {"b": _BAD}), (_PENDING, {"a": _BAD})),
    "response": ((_PENDING, {"a": 1}), (_OPEN, {"b": 0})),
    "precedence": ((_PENDING, {"a": 1, "b": _BAD}), (_SATISFIED, {})),
    "succession": ((_PENDING, {"a": 1, "b": _BAD}), (_OPEN, {"b": 2}), (_PENDING, {"a": 1})),
    "altresponse": ((_PENDING, {"a": 1}), (_OPEN, {"a": _BAD, "b": 0})),
    "altprecedence": ((_PENDING, {"a": 1, "b": _BAD}), (_PENDING, {"b": 0})),
    "altsuccession": ((_PENDING, {"a": 1, "b": _BAD}), (_OPEN, {"a": _BAD, "b": 0})),
    "chainresponse": ((_PENDING, {"a": 1}), (_OPEN, {"a": _BAD, "b": 0, "other": _BAD})),
    "chainprecedence": ((_PENDING, {"a": 1, "b": _BAD}), (_PENDING, {"b": 0, "other": 0})),
    "chainsuccession": ((_PENDING, {"a": 1, "b": _BAD}), (_OPEN, {"a": _BAD, "b": 0, "other": _BAD})),
}
COUNTING: Final = ("existence", "absence", "exactly_one")
UNARY: Final = (*COUNTING, "init", "end")
BINARY: Final = tuple(name for name in _TEMPLATES if name not in UNARY)
TEMPLATES: Final = (*UNARY, *BINARY)
_FORWARD: Final = frozenset(
    ("existence", "absence", "response", "altresponse", "chainresponse", "noncoexistence", "end")
)
"""The templates that events before the rule cannot make violated, however it judges what follows."""
_AFTER: Final = frozenset(("end", "chainresponse", "chainprecedence", "chainsuccession"))
_CODES: Final[Mapping[str, str]] = {
    "noncoexistence": "both",
    "precedence": "not_before",
    "succession": "not_before",
    "altresponse": "again",
    "altprecedence": "not_since",
    "altsuccession": "not_alternating",
    "chainresponse": "not_next",
    "chainprecedence": "not_previous",
    "chainsuccession": "not_adjacent",
}
"""Binary template -> why an event violates it; those that no event violates are left out."""


def is_forward(template: str) -> bool:
    """Say whether a rule of this template may judge objects that began before it."""
    return template in _FORWARD


def needs_next(template: str) -> bool:
    """Say whether the event right after ``a`` concerns this template, whatever it is."""
    return template in _AFTER


def complaint(
    template: str, a: str, b: str, *, n: int = 1, matching: bool = False, within_ms: int | None = None
) -> Reason:
    """Return how an event violates a template; ``NOTHING`` for one that no event violates.

    ``matching``: the rule has a correlation.
    """
    if template == "init":
        return reason("not_first", a=a)
    if template in COUNTING:
        count = n if template == "absence" else n + 1
        return reason("occurred", a=a) if count == 1 else reason("too_often", a=a, count=count, most=count - 1)
    code = _CODES.get(template)
    if code is None:
        return NOTHING
    if within_ms is None:
        return reason(code, a=a, b=b, matching=matching)
    return reason(f"{code}_within", a=a, b=b, matching=matching, within_ms=within_ms)


def _counting(template: str, n: int) -> tuple[State, ...]:
    """Return the states 0 to n of a counter."""
    if template == "existence":
        return (*((_OPEN, {"a": count + 1}) for count in range(n)), (_SATISFIED, {}))
    if template == "absence":
        return tuple((_PENDING, {"a": count + 1 if count + 1 < n else _BAD}) for count in range(n))
    return (*((_OPEN, {"a": count + 1}) for count in range(n)), (_PENDING, {"a": _BAD}))


def _tables(states: tuple[State, ...]) -> dict[str, bytes]:
    tables = {symbol: bytearray(range(256)) for symbol in ("a", "b", "other")}
    for code, (_, steps) in enumerate(states):
        for symbol, following in steps.items():
            tables[symbol][code] = following
    return {symbol: bytes(table) for symbol, table in tables.items()}


@dataclass(frozen=True, slots=True)
class Automaton:
    """A template on two event types; ``conditions`` are by symbol and say which events count as one.

    An event that does not count is to the automaton an event of any other type.
    """

    template: str
    a: str
    b: str
    n: int
    conditions: Mapping[str, Expression]
    reach: Reach
    tables: Mapping[str, bytes]
    cost: int
    _all_tables: Mapping[str, bytes] = field(repr=False)
    _verdicts: tuple[Verdict, ...] = field(repr=False)

    @property
    def charge(self) -> Charge:
        """See ``Body``."""
        return summed(self.conditions)

    @property
    def kept_charge(self) -> Charge:
        """See ``Body``."""
        return NO_CHARGE

    @property
    def forward(self) -> bool:
        """See ``Body``."""
        return is_forward(self.template)

    @property
    def repeats(self) -> bool:
        """See ``Body``: one finding says it for good."""
        return False

    def step(self, symbol: str, code: int, detail: Any, facts: Facts) -> Ruling:
        """See ``Body``."""
        condition = self.conditions.get(symbol)
        if condition is not None:
            value = condition.evaluate(facts.bindings())
            if type(value) is Undetermined:
                return undetermined(reason("no_value", problem=value.reason))  # D8
            if value is not True:
                symbol = "other"  # D4
        following = self._all_tables[symbol][code]
        if following == VIOLATED:
            return violated(self.complaint())
        return Ruling(following)

    def complaint(self) -> Reason:
        """Return how an event violates it."""
        return complaint(self.template, self.a, self.b, n=self.n)

    def verdict(self, code: int, detail: Any) -> Verdict:
        """See ``Body``."""
        return FINAL[code] if code in FINAL else self._verdicts[code]

    def deadline_ms(self, code: int, detail: Any) -> int | None:
        """See ``Body``: without a window there is none."""
        return None

    def expire(self, code: int, detail: Any) -> Ruling:
        """See ``Body``: nothing expires."""
        return Ruling(code, detail)


def summed(conditions: Mapping[str, Expression]) -> Charge:
    """Return the charge for a step of a template with conditions, each of which is evaluated."""
    total = Charge(1, 1)
    for condition in conditions.values():
        total = total.plus(condition.charge)
    return total


def automaton(template: str, a: str, b: str, n: int, conditions: Mapping[str, Expression]) -> Automaton:
    """Return the automaton of a template of ``TEMPLATES``; ``b`` is empty for unary ones."""
    states = _counting(template, n) if template in COUNTING else _TEMPLATES[template]
    tables = _tables(states)
    return Automaton(
        template=template,
        a=a,
        b=b,
        n=n,
        conditions=conditions,
        reach=reach_of(template, a, b),
        tables={symbol: table for symbol, table in tables.items() if symbol not in conditions},
        cost=1 + sum(condition.cost for condition in conditions.values()),
        _all_tables=tables,
        _verdicts=tuple(verdict for verdict, _ in states),
    )


def reach_of(template: str, a: str, b: str) -> Reach:
    """Return which events concern a template."""
    symbols = {a: "a", b: "b"} if b else {a: "a"}
    return Reach(symbols, after=a if needs_next(template) else "", first=template == "init")
