"""Obligations: a source owes events of some types in every period, by the period's end.

Law: every period that ends without enough of them is one finding, also if nothing is ever recorded.

docs/spec/rules.md, section Monitors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from coseal.contracts.kernel.dates import DAY_MS, days_since_epoch
from coseal.contracts.rules.cel.compile import Charge
from coseal.contracts.rules.cel.values import civil
from coseal.contracts.rules.reasons import Reason, reason
from coseal.contracts.rules.verdict import NO_CHARGE, VIOLATED, Facts, Reach, Ruling, Verdict

MAX_OPEN_PERIODS: Final = 16


@dataclass(frozen=True, slots=True)
class Periodic:
    """``source`` (``member/source``) owes ``n`` events of the types of ``reach`` in every period.

    A period is ``every_ms`` long, counted from ``start_ms``; or ``months`` of the calendar, in the zone
    ``zone_minutes`` east of UTC, counted from January. The detail of its state is
    ``[start of the oldest open period, [[start, events], ...]]``.
    """

    source: str
    reach: Reach
    n: int
    every_ms: int
    months: int
    zone_minutes: int
    start_ms: int
    cost: int = 1
    charge: Charge = Charge(8, 8)  # noqa: RUF009 - it is frozen

    @property
    def kept_charge(self) -> Charge:
        """See ``Body``."""
        return NO_CHARGE

    @property
    def forward(self) -> bool:
        """See ``Body``."""
        return True

    @property
    def repeats(self) -> bool:
        """See ``Body``: every period anew."""
        return True

    @property
    def tables(self) -> Mapping[str, bytes]:
        """See ``Body``."""
        return {}

    def period(self, time_ms: int) -> tuple[int, int]:
        """Return the first ms of the period that holds a time, and the first ms after it."""
        if not self.months:
            start = time_ms - (time_ms - self.start_ms) % self.every_ms
            return start, start + self.every_ms
        offset_ms = self.zone_minutes * 60_000
        year, month, _, _ = civil(time_ms + offset_ms)
        index = (year * 12 + month - 1) // self.months * self.months
        return self._month(index) - offset_ms, self._month(index + self.months) - offset_ms

    def _month(self, index: int) -> int:
        return days_since_epoch(index // 12, index % 12 + 1, 1) * DAY_MS

    def begin(self, time_ms: int) -> Any:
        """Return the detail of a state that begins at a time: what is owed first is the next whole period."""
        start, end = self.period(time_ms)
        return [start if start == time_ms else end, []]  # M6

    def step(self, symbol: str, code: int, detail: Any, facts: Facts) -> Ruling:
        """See ``Body``."""
        if facts.object_id != self.source:
            return Ruling(code, detail)
        time_ms = facts.event.time_ms
        start = self.period(time_ms)[0]
        oldest, counts = (start, []) if detail is None else detail
        known: dict[int, int] = dict(counts)
        if start < oldest or (start not in known and len(known) == MAX_OPEN_PERIODS):
            return Ruling(code, [oldest, counts])
        known[start] = known.get(start, 0) + 1
        return Ruling(code, [oldest, [[key, known[key]] for key in sorted(known)]])

    def uncount(self, detail: Any, time_ms: int) -> tuple[Any, Reason | None]:  # M12
        """Return the detail without an event of a time; with a reason if its period is over, as nothing told then."""
        oldest, counts = detail
        start = self.period(time_ms)[0]
        if start < oldest:
            return detail, reason("period_corrected", from_ms=start, until_ms=self.period(start)[1])
        left = [[key, count - (key == start)] for key, count in counts]
        return [oldest, [entry for entry in left if entry[1]]], None

    def verdict(self, code: int, detail: Any) -> Verdict:
        """See ``Body``."""
        if code == VIOLATED:
            return Verdict.VIOLATED
        met = detail is not None and dict(detail[1]).get(detail[0], 0) >= self.n
        return Verdict.PENDING if met else Verdict.PENDING_VIOLATING

    def deadline_ms(self, code: int, detail: Any) -> int | None:
        """See ``Body``: the last ms of the oldest open period."""
        return None if detail is None else self.period(detail[0])[1] - 1

    def expire(self, code: int, detail: Any) -> Ruling:
        """See ``Body``: the oldest open period is over."""
        oldest, counts = detail
        end = self.period(oldest)[1]
        done = dict(counts).get(oldest, 0)
        rest = [end, [entry for entry in counts if entry[0] > oldest]]
        if done >= self.n:
            return Ruling(code, rest)
        owed = " / ".join(self.reach.symbols)
        why = reason("too_few", done=done, n=self.n, activities=owed, from_ms=oldest, until_ms=end)
        return Ruling(VIOLATED, rest, Verdict.VIOLATED, why)
