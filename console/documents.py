"""The documents of the HTTP API that pages take at a node's word, each as the shape it must have.

Law: only what a page uses is named here, so nothing else of a node's answer reaches one. Where a page looks a word up
in its catalogue, the words are listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from coseal.console.shapes import (
    Shape,
    cursor,
    digest,
    duration_ms,
    flag,
    height,
    integer,
    listed,
    mapped,
    matching,
    maybe,
    name,
    one_of,
    optional,
    record,
    text,
    time_ms,
)
from coseal.contracts.supervision.terms import TERMS

COUNT_MAX: Final = 2**53
count: Final = integer(high=COUNT_MAX)
_steps: Final = optional(one_of(*TERMS))
_side: Final = optional(one_of("supervisor", "subject"))
_peers: Final = 1_000
_contracts: Final = 64


# How a node is


@dataclass(frozen=True, slots=True)
class Peer:
    """What a node says of another one."""

    node: str
    connected: bool
    height: int


@dataclass(frozen=True, slots=True)
class Lacking:
    """A contract of others that a node says it does not have, and the first block that may need it."""

    name: str
    version: int
    height: int


@dataclass(frozen=True, slots=True)
class Status:
    """What a node says of itself (``GET /v1/status``)."""

    node: str
    height: int
    healthy: bool
    why_stalled: str
    syncing: bool
    voting: bool
    silence: str
    round: int
    leader: str
    waiting: int
    peers: tuple[Peer, ...]
    lacking: tuple[Lacking, ...] = ()


_word: Final = maybe(optional(text(512)))
STATUS: Final = record(
    node=name,
    height=height,
    healthy=flag,
    why_stalled=_word,
    syncing=maybe(flag, otherwise=False),
    voting=maybe(flag, otherwise=True),
    silence=_word,
    round=maybe(optional(integer(high=2**31))),
    leader=maybe(optional(name)),
    mempool=maybe(record(transactions=count), otherwise={"transactions": 0}),
    contracts=maybe(
        listed(
            record(
                name=text(32),
                version=integer(high=COUNT_MAX),
                known=flag,
                height=maybe(optional(height)),
                first_height=maybe(optional(height)),
            ),
            _contracts,
        )
    ),
    peers=listed(record(node=name, connected=flag, height=optional(height)), _peers),
)


def status_of(document: Mapping[str, Any]) -> Status:
    """Return the status in a document of the shape ``STATUS``."""
    peers = (Peer(one["node"], one["connected"], one["height"] or 0) for one in document["peers"])
    return Status(
        node=document["node"],
        height=document["height"],
        healthy=document["healthy"],
        why_stalled=document["why_stalled"] or "",
        syncing=document["syncing"],
        voting=document["voting"],
        silence=document["silence"] or "",
        round=document["round"] or 0,
        leader=document["leader"] or "",
        waiting=document["mempool"]["transactions"],
        peers=tuple(peers),
        lacking=tuple(
            Lacking(one["name"], one["version"], one["height"] or one["first_height"] or 0)
            for one in document["contracts"] or ()
            if not one["known"]
        ),
    )


VALIDATORS: Final = record(
    epoch=integer(), validators=listed(record(id=name, member=name, role=name, key=digest), 1_000)
)
SENT: Final = record(status=text(64))
"""What a node says became of a transaction that was sent to it."""
STREAMED: Final = record(height=height)
"""The data of an event of the stream, as far as the console uses it."""


# Supervision

_finding_id: Final = matching("F[0-9]{1,18}", "the id of a finding")
_finding: Final = record(
    id=_finding_id,
    process_type=name,
    object_type=name,
    object=name,
    rule=name,
    severity=name,
    status=name,
    outcome=optional(name),
    subject=optional(name),
    step=_steps,
    side=_side,
    deadline_ms=optional(time_ms),
    overdue=flag,
)
FINDINGS: Final = record(height=height, findings=listed(_finding, 1_000), next=cursor)
FINDING_COUNTS: Final = record(height=height, counts=listed(record(status=name, count=count, overdue=count)))
_trail: Final = record(
    step=name, by=optional(name), height=height, time_ms=optional(time_ms), tx=maybe(optional(digest))
)
FINDING_FIGURES: Final = record(
    height=height,
    first_ms=duration_ms,
    now_ms=time_ms,
    weeks=listed(record(week_ms=duration_ms, rule=name, subject=optional(name), count=count)),
    ages=listed(record(from_ms=time_ms, to_ms=optional(time_ms), count=count, overdue=count), 100),
    taken=listed(record(step=one_of(*TERMS), member=name, taken=count, in_time=count)),
)
FINDING: Final = record(height=height, trail=listed(_trail))
HOLDS: Final = record(
    height=height, holds=listed(record(process_type=name, object_type=name, object=name), 1_000), next=cursor
)
BALLOTS: Final = record(
    height=height, ballots=listed(record(id=matching("B[0-9]{1,18}", "the id of a ballot")), 1_000), next=cursor
)
OBLIGATIONS: Final = record(height=height, obligations=listed(record(rule=name, source=name)))
RULES: Final = record(height=height, rules=listed(record(id=name, version=integer(low=1)), 1_000), next=cursor)
SOURCES: Final = record(height=height, sources=listed(record(name=name), 1_000), next=cursor)


# Processes

_names: Final = listed(name, 1_000)
_of_type: Final[dict[str, Shape]] = {"height": height, "type": optional(name), "types": _names, "cases": count}
PROCESS_TYPES: Final = record(
    height=height, process_types=listed(record(id=name, title=text(), member=name, version=integer(low=1)))
)
FOUND_OBJECTS: Final = record(height=height, objects=listed(record(process_type=name, type=name, id=name), 1_000))
PROCESS_MAP: Final = record(
    **_of_type,
    cases_in_all=count,
    events=count,
    variants=count,
    activities=listed(record(activity=name, events=count, starts=count, ends=count)),
    flows=listed(
        record(
            **{"from": name, "to": name},
            count=integer(low=1, high=COUNT_MAX),
            mean_ms=optional(duration_ms),
            median_ms=optional(duration_ms),
        )
    ),
    flows_in_all=count,
)
VARIANTS: Final = record(
    **_of_type,
    variants=count,
    items=listed(record(variant=count, cases=count, length=count, or_longer=flag, activities=_names), 1_000),
    next=cursor,
)
CASES: Final = record(
    **_of_type,
    items=listed(
        record(id=name, events=count, first_ms=optional(time_ms), last_ms=optional(time_ms), last=optional(name)), 1_000
    ),
    next=cursor,
)
_TIMED: Final = optional(duration_ms)
CASE_TIMES: Final = record(
    **_of_type,
    mean_ms=_TIMED,
    median_ms=_TIMED,
    ninth_ms=_TIMED,
    longest_ms=_TIMED,
    bins=listed(record(from_ms=duration_ms, to_ms=_TIMED, cases=count), 100),
)
_dot: Final = listed(duration_ms, 2, least=2)
CASE_DOTS: Final = record(
    height=height,
    type=maybe(name),
    activities=_names,
    total=count,
    cases=listed(record(id=name, dots=listed(_dot, 10_000)), 500),
)


# Policies

_title: Final = text()
_policy: Final = record(
    id=name,
    title=_title,
    title_language=maybe(text(35), otherwise="zh"),
    date_publication=maybe(name),
    date_document=maybe(name),
    level=maybe(name, otherwise="unstated"),
    status=name,
    issuers=_names,
)
FOUND_POLICIES: Final = record(height=height, policies=listed(record(id=name, title=_title), 1_000))
POLICIES: Final = record(height=height, policies=listed(_policy, 1_000), next=cursor)
_edge: Final = record(policy=name, target=name, relation=name)
RELATIONS: Final = record(
    height=height,
    up=listed(_edge),
    down=listed(_edge),
    instruments=mapped(record(title=_title, level=name, status=name, year=name)),
    complete=flag,
)
COISSUING: Final = record(height=height, pairs=listed(record(issuers=listed(name, 2, least=2), count=count), 100_000))
POLICY_SOURCES: Final = record(height=height, sources=listed(record(sha256=digest, source=_title, instruments=count)))


_year: Final = matching("[0-9]{4}|undated", "a year, or undated")


def policy_counts(by: str) -> Shape:
    """Return the shape of the statistics of one dimension."""
    value = _year if by == "year" else name
    return record(height=height, policies=count, counts=listed(record(**{by: value}, count=count), 100_000))
