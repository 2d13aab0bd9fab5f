"""Measures: actions that members pause together, for a time.

Law: a measure ends by itself, and nothing is ever paused that a member needs to record facts, to answer, to appeal or
to decide with others (``Action.pausable``). What an emergency measure paused is not soon paused again, by any measure.
Rules S10 to S15 of docs/spec/standing.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final, NamedTuple, TypeAlias

from coseal.contracts.governance import grounds
from coseal.contracts.governance.standing import MAX_TERM_MS, check_term
from coseal.contracts.governance.state import MEASURES_KEY, NAME, measure_key, paused_key
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Reader, Rejected, Result, View
from coseal.contracts.kernel.admitted import admitted
from coseal.contracts.kernel.budget import ENTRY_STEPS
from coseal.contracts.kernel.contract import Entry, Moment
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.fields import Hexadecimal, Integer, Label, Many, Name, OneOf, Record, Short, Table
from coseal.contracts.kernel.proposals import Case, ProposalKind, Subject
from coseal.contracts.kernel.wording import duration_text, moment_text
from coseal.contracts.membership.state import MEMBERS_KEY

MAX_MEASURES: Final = 64  # S11
"""Measures in force at a time."""
MAX_ACTIONS: Final = 16
MAX_MEMBERS: Final = 32
"""Actions that one measure pauses, and members that it names for one."""
MAX_EMERGENCY_MS: Final = 7 * DAY_MS  # S13
REST_MS: Final = 30 * DAY_MS
"""How long after an emergency measure what it paused cannot be paused again."""
ALL: Final = "all"
END: Final = "measure"
"""The kind of due thing that ends a measure."""

Pausable: TypeAlias = Mapping[str, bool]
"""Of each action of the other shipped contracts whether it can be paused."""


# What is paused


class Pause(NamedTuple):
    """An action that a measure pauses until a block time, for these members (empty: for all)."""

    measure: str
    until_ms: int
    members: tuple[str, ...]

    def concerns(self, member: str) -> bool:
        """Say whether it is paused for a member."""
        return not self.members or member in self.members


Paused: TypeAlias = Mapping[str, list[Pause]]
"""By action."""


def in_force(reader: Reader) -> list[str]:
    """Return the ids of the measures that are in force, oldest first."""
    ids: Any = reader.get(MEASURES_KEY)
    return list(ids or ())


def paused(reader: Reader, height: int, time_ms: int) -> Paused:
    """Return what is paused in a block."""
    found: dict[str, list[Pause]] = {}
    for measure_id in in_force(reader):
        record: Any = reader.get(measure_key(measure_id))
        if record["first_height"] > height or record["until_ms"] <= time_ms:  # S10
            continue
        for action, members in record["pause"].items():
            named = () if members == ALL else tuple(members)
            found.setdefault(action, []).append(Pause(measure_id, record["until_ms"], named))
    return found


# Proposals


def _check_measure(
    most_ms: int, keys: grounds.Keys, pausable: Pausable, view: View, case: Case, subject: Subject
) -> Rejected | None:
    refusal = check_term(case, subject["until_ms"], most_ms) or grounds.check(keys, view, subject)  # S10
    if refusal is not None:
        return refusal
    if len(in_force(view)) >= MAX_MEASURES:
        return Rejected("too_many_measures", f"{MAX_MEASURES} measures are in force; wait, or end one first")
    others = frozenset(entry.sources.name for entry in admitted(view))
    for action in subject["pause"]:
        refusal = _check_action(pausable, others, action) or _check_rest(view, case, action)
        if refusal is not None:
            return refusal
    return _check_members(view, subject["pause"])


def _check_members(view: View, pause: Mapping[str, Any]) -> Rejected | None:
    named = [member for members in pause.values() if members != ALL for member in members]
    listed: Any = view.get(MEMBERS_KEY)
    view.charge(ENTRY_STEPS * (len(named) + len(listed)))
    everyone = frozenset(listed)
    unknown = next((member for member in named if member not in everyone), None)
    return None if unknown is None else Rejected("unknown_member", f"there is no member {unknown}")


def _check_action(pausable: Pausable, others: frozenset[str], action: str) -> Rejected | None:
    """Refuse what is no action, or one that is never paused; a contract of others says itself which it has."""
    contract, _, name = action.partition(".")
    if contract == NAME or not pausable.get(action, True):  # S12
        return Rejected("not_pausable", f"{action} is never paused")
    if action not in pausable and (contract not in others or not name):
        return Rejected("unknown_action", f"this chain has no action {action}")
    return None


def _check_rest(view: View, case: Case, action: str) -> Rejected | None:
    ended_ms: Any = view.get(paused_key(action))
    if ended_ms is None or case.time_ms >= ended_ms + REST_MS:  # S14
        return None
    free, limit = moment_text(ended_ms + REST_MS), duration_text(REST_MS)
    return Rejected("renewed", f"an emergency measure paused {action}; {limit} after its end, at {free}, another may")


def _begin(emergency: bool, view: View, case: Case, subject: Subject) -> Result:
    until_ms = subject["until_ms"]
    record = {
        "emergency": emergency,
        "pause": dict(subject["pause"]),
        "title": subject["title"],
        "text_sha256": subject["text_sha256"],
        "first_height": case.height + 1,
        "until_ms": until_ms,
    }
    view.put(measure_key(case.id), record)
    view.put(MEASURES_KEY, [*in_force(view), case.id])
    if emergency:
        _rest_from(view, subject["pause"], until_ms)
    deadlines.add(view, NAME, BLOCK_CLOCK, until_ms, [END, case.id])
    return {"measure": case.id, **record}


def _rest_from(view: View, pause: Mapping[str, Any], ended_ms: int) -> None:
    for action in pause:
        view.put(paused_key(action), ended_ms)


def _check_end(view: View, case: Case, subject: Subject) -> Rejected | None:
    if subject["measure"] in in_force(view):
        return None
    return Rejected("not_in_force", f"there is no measure {subject['measure']} in force")


def _end(view: View, case: Case, subject: Subject) -> Result:
    measure_id = subject["measure"]
    _close(view, measure_id, case.height, case.time_ms, case.id)
    return {"measure": measure_id}


def end_measure(view: View, moment: Moment, entry: Entry) -> Result:
    """End a measure whose time is over, unless it was ended before."""
    _, measure_id = entry
    if measure_id not in in_force(view):
        return {}
    _close(view, measure_id, moment.height, moment.time_ms, "")
    return {"ended": [{"measure": measure_id}]}


def _close(view: View, measure_id: str, height: int, time_ms: int, proposal_id: str) -> None:
    """End a measure, from the next block on; by which proposal (empty: by its time)."""
    record: Any = view.get(measure_key(measure_id))
    view.put(measure_key(measure_id), {**record, "ended": [height, time_ms, proposal_id]})
    left = [other for other in in_force(view) if other != measure_id]
    if left:
        view.put(MEASURES_KEY, left)
    else:
        view.delete(MEASURES_KEY)
    if record["emergency"] and proposal_id:
        _rest_from(view, record["pause"], time_ms)


# Queries


def measure(reader: Reader, measure_id: str) -> dict[str, Any] | None:
    """Return a measure as JSON can hold it, or None: what it pauses from which height until when, and its end if it
    ended: ``height``, ``time_ms`` and ``proposal``, empty where its time was over.
    """
    record: Any = reader.get(measure_key(measure_id))
    if record is None:
        return None
    ended = record.get("ended")
    end = None if ended is None else dict(zip(("height", "time_ms", "proposal"), ended, strict=True))
    return {"id": measure_id, **record, "ended": end}


def measures(reader: Reader) -> list[dict[str, Any]]:
    """Return the measures that are in force, oldest first."""
    found = (measure(reader, measure_id) for measure_id in in_force(reader))
    return [item for item in found if item is not None]


# The table

_members: Final = Short(OneOf(ALL), Many(Name(), low=1, high=MAX_MEMBERS, unique=True))
_MEASURE: Final = Record(
    {
        "title": Label(),
        "text_sha256": Hexadecimal(),
        "until_ms": Integer(1),
        "pause": Table(_members, high=MAX_ACTIONS),
        "grounds": grounds.GROUNDS,
    }
)
_EXAMPLE: Final = {
    "title": "No new process types during the audit",
    "text_sha256": "00" * 32,
    "until_ms": 1_900_000_000_000,
    "pause": {"process.define_type": ALL, "process.register_source": ["bank-a"]},
    "grounds": list(grounds.EXAMPLE),
}


def kinds(keys: grounds.Keys, pausable: Pausable) -> dict[str, ProposalKind]:
    """Return what can be proposed about measures, by name."""
    ordinary, emergency = (
        partial(_check_measure, most_ms, keys, pausable) for most_ms in (MAX_TERM_MS, MAX_EMERGENCY_MS)
    )
    return {
        "measure": ProposalKind(_MEASURE, ordinary, partial(_begin, False), _EXAMPLE),
        "emergency_measure": ProposalKind(_MEASURE, emergency, partial(_begin, True), _EXAMPLE),
        "end_measure": ProposalKind(Record({"measure": Name()}), _check_end, _end, {"measure": "audit-pause"}),
    }
