"""The examples of missions made valid: missions, what serves them, evaluations at every step.

Law: as in ``tests.support.prepared``, whose chain it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from coseal.contracts.policy.state import instrument_key
from tests.support.chain import Chain
from tests.support.missions import DAY_MS, day, mission

Args = dict[str, Any]
Ready = tuple[str, Args]

OWNER: Final = "regulator"
EVALUATOR: Final = "institute-a"
POLICY: Final = "cn/serves/missions"
SAID: Final = {"verdict": "partly", "reason": "Some of it"}


class PreparedMission:
    """What ``Prepared`` has for the actions of missions."""

    chain: Chain

    @property
    def now_ms(self) -> int:
        raise NotImplementedError

    def _ok(self, calls: Sequence[tuple[str, str, Args]]) -> list[dict[str, Any]]:
        raise NotImplementedError

    def _next(self) -> int:
        raise NotImplementedError

    def _mission_open(self, count: int) -> Iterator[Ready]:
        for _ in range(count):
            yield OWNER, mission(self.now_ms, f"m{self._next()}", evaluations=[day(self.now_ms + 2 * DAY_MS)])

    def _missions(self, count: int) -> list[Args]:
        """Open ``count`` missions; return what each says."""
        opened = [args for _, args in self._mission_open(count)]
        self._ok([(OWNER, "mission.open", args) for args in opened])
        return opened

    def _mission_revise(self, count: int) -> Iterator[Ready]:
        for args in self._missions(count):
            yield OWNER, {"mission": args["mission"], "reason": "It grew", "goals": args["goals"]}

    def _mission_link(self, count: int) -> Iterator[Ready]:
        if self.chain.get(instrument_key(POLICY)) is None:
            named = {"title": "P", "type_document": "notice", "date_document": "2020-01-01"}
            self._ok([(OWNER, "policy.publish", {"id": POLICY, **named})])
        for args in self._missions(count):
            yield OWNER, {"mission": args["mission"], "policy": POLICY, "goal": "use", "role": "funding"}

    def _mission_join(self, count: int) -> Iterator[Ready]:
        for args in self._missions(count):
            yield "bank-a", {"mission": args["mission"], "goals": ["use"], "part": "Opens wallets"}

    def _mission_leave(self, count: int) -> Iterator[Ready]:
        joined = list(self._mission_join(count))
        self._ok([(member, "mission.join", args) for member, args in joined])
        for member, args in joined:
            yield member, {"mission": args["mission"]}

    def _mission_report(self, count: int) -> Iterator[Ready]:
        for args in self._missions(count):
            said = {"indicator": "wallets", "value": 1, "date": day(self.now_ms), "evidence": ["00" * 32]}
            yield "central-bank", {"mission": args["mission"], **said}

    def _mission_evaluate(self, count: int) -> Iterator[Ready]:
        opened = self._missions(count)
        self.chain.extend([], later_ms=2 * DAY_MS)
        for args in opened:
            said: Args = {"date": args["evaluations"][0], "goals": {"use": SAID}, "recommendations": ["Do more"]}
            yield EVALUATOR, {"mission": args["mission"], **said}

    def _mission_answer(self, count: int) -> Iterator[Ready]:
        evaluated = list(self._mission_evaluate(count))
        self._ok([(member, "mission.evaluate", args) for member, args in evaluated])
        for _, args in evaluated:
            answers = [{"outcome": "adopted", "reason": "From now on"}]
            yield OWNER, {"mission": args["mission"], "evaluation": 1, "answers": answers}
