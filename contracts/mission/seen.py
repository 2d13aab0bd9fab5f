"""What the checks of a mission look at: its parts, the policies that serve it and the consultations about them.

Law: at most ``MAX_READS`` values are read, each by its key, so that a client with proofs of these values comes to the
same result.

contracts/mission/README.md, section Failures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from coseal.contracts.kernel.action import Reader
from coseal.contracts.mission.sources import value_of
from coseal.contracts.mission.state import evaluation_key, indicator_key, instrument_key, mission_key
from coseal.contracts.participation.state import consultation_key
from coseal.contracts.policy.instrument import events_of, standing
from coseal.contracts.policy.state import instrument_key as policy_key

MAX_READS: Final = 1_000
MAX_CONSULTATIONS: Final = 64
"""Of more consultations the newest are looked at."""


class Policy(NamedTuple):
    """A policy that serves a mission: its record, and whether it is in force (None: that is not known)."""

    name: str
    record: Mapping[str, Any]
    in_force: bool | None

    @property
    def key(self) -> str:
        """The state key of its record."""
        return policy_key(self.name)

    @property
    def level(self) -> str:
        """The level of its issuers, empty if it is not known."""
        level: str = self.record.get("level", "")
        return level


class Seen(NamedTuple):
    """A mission at a time; ``links`` has by goal and policy the keys of its instruments, in the order of links."""

    name: str
    time_ms: int
    record: Mapping[str, Any]
    indicators: Mapping[str, Mapping[str, Any]]
    counted: Mapping[str, int | None]
    links: Mapping[tuple[str, str], tuple[str, ...]]
    policies: Mapping[str, Policy]
    evaluations: Mapping[int, Mapping[str, Any]]
    consultations: Mapping[str, Mapping[str, Any]]

    @property
    def key(self) -> str:
        """The state key of the mission."""
        return mission_key(self.name)

    @property
    def pursued(self) -> dict[str, Mapping[str, Any]]:
        """The indicators that a goal names."""
        named = {name for goal in self.record["goals"] for name in goal.get("indicators", ())}
        return {name: indicator for name, indicator in self.indicators.items() if name in named}

    def serving(self, goal: str) -> list[Policy]:
        """Return the policies that serve a goal."""
        return [self.policies[policy] for linked, policy in self.links if linked == goal and policy in self.policies]

    def link_keys(self, goal: str, *policies: Policy) -> tuple[str, ...]:
        """Return the keys that show that policies serve a goal, and what they say."""
        return tuple(key for one in policies for key in (*self.links.get((goal, one.name), ()), one.key))

    def goals_of(self, policy: str) -> list[str]:
        """Return the goals that a policy serves."""
        return [goal for goal, linked in self.links if linked == policy]


def see(reader: Reader, name: str, time_ms: int) -> Seen | None:
    """Read a mission as it is at a time, or None if there is none."""
    record: Any = reader.get(mission_key(name))
    if record is None:
        return None
    indicators = _read(reader, {each: indicator_key(name, each) for each in record["indicators"]})
    counted = {each: value_of(reader, said["source"]) for each, said in indicators.items() if "source" in said}
    links: dict[tuple[str, str], tuple[str, ...]] = {}
    for number in range(1, record["instruments"] + 1):
        key = instrument_key(name, number)
        linked: Any = reader.get(key)
        if linked is not None:
            at = (linked["goal"], linked["policy"])
            links[at] = (*links.get(at, ()), key)
    found = _read(reader, {policy: policy_key(policy) for _, policy in links})
    policies = {each: Policy(each, said, _in_force(said, time_ms)) for each, said in found.items()}
    evaluations = _read(reader, {n: evaluation_key(name, n) for n in range(1, record["evaluated"] + 1)})
    consulted = [event["consultation"] for said in found.values() for event in _consulted(said)]
    newest = list(dict.fromkeys(consulted))[-MAX_CONSULTATIONS:]
    consultations = _read(reader, {each: consultation_key(each) for each in newest})
    return Seen(name, time_ms, record, indicators, counted, links, policies, evaluations, consultations)


def _read(reader: Reader, keys: Mapping[Any, str]) -> dict[Any, Mapping[str, Any]]:
    values: dict[Any, Any] = {name: reader.get(key) for name, key in keys.items()}
    return {name: value for name, value in values.items() if value is not None}


def _in_force(record: Mapping[str, Any], time_ms: int) -> bool | None:
    verdict, _ = standing(record, time_ms)
    return None if verdict == "unknown" else verdict == "in_force"


def _consulted(record: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return [event for event in events_of(record, "consulted") if "consultation" in event]
