"""The examples of participation made valid: gateways, consultations at every step.

Law: as in ``tests.support.prepared``, whose chain it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

from coseal.contracts.participation.consultations import MAX_OPEN
from coseal.contracts.participation.state import office_key
from tests.support.chain import Chain
from tests.support.participation import entry, gateway_key_of

Args = dict[str, Any]
Ready = tuple[str, Args]

GATEWAY: Final = "public-a"
DAY_MS: Final = 86_400_000


class PreparedParticipation:
    """What ``Prepared`` has for the actions of participation."""

    chain: Chain

    @property
    def now_ms(self) -> int:
        raise NotImplementedError

    def _ok(self, calls: Sequence[tuple[str, str, Args]]) -> list[dict[str, Any]]:
        raise NotImplementedError

    def _next(self) -> int:
        raise NotImplementedError

    def _admitted(self, count: int) -> list[str]:
        raise NotImplementedError

    def _proposal(self) -> Args:
        raise NotImplementedError

    def _gateway_office(self) -> Args:
        office = {"url": "https://comments.example", "include_ms": DAY_MS, "duties_sha256": "00" * 32}
        return {**office, "key": gateway_key_of(GATEWAY)}

    def _participation_register_gateway(self, count: int) -> Iterator[Ready]:
        for _ in range(count):
            yield GATEWAY, self._gateway_office()

    def _openings(self, count: int) -> Iterator[Ready]:
        """Yield ``count`` openings or more: a member opens at most ``MAX_OPEN``, all about one standard of its own."""
        for member in self._admitted(-(-count // MAX_OPEN)):
            standard = self._proposal()
            self._ok([(member, "standards.propose", standard)])
            args = {"title": "C", "about": "standard", "subject": standard["standard"], "questions": ["Is it right?"]}
            for _ in range(MAX_OPEN):
                times = {"closes_ms": self.now_ms + 9 * DAY_MS, "answer_ms": 300 * DAY_MS}
                yield member, {"consultation": f"c{self._next()}", **args, **times}

    def _participation_open(self, count: int) -> Iterator[Ready]:
        yield from islice(self._openings(count), count)

    def _consultations(self, count: int) -> list[tuple[str, str]]:
        """Open ``count`` consultations; return the opener and the id of each."""
        if self.chain.get(office_key(GATEWAY)) is None:
            self._ok([(GATEWAY, "participation.register_gateway", self._gateway_office())])
        openings = list(self._participation_open(count))
        self._ok([(member, "participation.open", args) for member, args in openings])
        return [(member, args["consultation"]) for member, args in openings]

    def _participation_receive(self, count: int) -> Iterator[Ready]:
        for _, name in self._consultations(count):
            yield GATEWAY, {"consultation": name, "first": 1, "entries": [entry(1)]}

    def _participation_theme(self, count: int) -> Iterator[Ready]:
        for member, name in self._consultations(count):
            yield member, {"consultation": name, "titles": ["Duties"]}

    def _themed(self, count: int) -> list[tuple[str, str]]:
        opened = self._consultations(count)
        receive = {"first": 1, "entries": [entry(1)]}
        self._ok([(GATEWAY, "participation.receive", {"consultation": name, **receive}) for _, name in opened])
        themes = [(member, {"consultation": name, "titles": ["Duties"]}) for member, name in opened]
        self._ok([(member, "participation.theme", args) for member, args in themes])
        return opened

    def _participation_assign(self, count: int) -> Iterator[Ready]:
        for member, name in self._themed(count):
            yield member, {"consultation": name, "assignments": [[GATEWAY, 1, 1]]}

    def _participation_answer(self, count: int) -> Iterator[Ready]:
        for member, name in self._themed(count):
            answer = {"outcome": "partly", "reason": "Some of it", "change": "Article 6"}
            yield member, {"consultation": name, "theme": 1, **answer}

    def _participation_conclude(self, count: int) -> Iterator[Ready]:
        opened = self._consultations(count)
        self.chain.extend([], later_ms=17 * DAY_MS)
        for member, name in opened:
            yield member, {"consultation": name}
