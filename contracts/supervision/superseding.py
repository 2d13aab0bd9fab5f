"""What judging an object again means for its findings: those that still hold stay, others are superseded or new.

Law: a finding that holds by the trace as it is now is neither raised twice nor touched; one that was decided stays;
none is gone without a trace.

contracts/supervision/README.md, section Corrections.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from coseal.contracts.kernel.action import Context, Rejected, View
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.process.batch import RecordedBatch
from coseal.contracts.process.chain import ObjectName
from coseal.contracts.rules.draft import State
from coseal.contracts.rules.monitor import RuleSet
from coseal.contracts.rules.reasons import reason
from coseal.contracts.rules.related import Shaken
from coseal.contracts.rules.verdict import Look, Verdict, unseen
from coseal.contracts.supervision import findings as supervision_findings
from coseal.contracts.supervision.corrections import (
    Again,
    Change,
    Judged,
    Recording,
    Seen,
    correction,
    read_history,
)
from coseal.contracts.supervision.corrections import Found as FoundAgain
from coseal.contracts.supervision.effects import Found, Item, Outcome, refuses, violated
from coseal.contracts.supervision.object_monitors import Watched, prove_history
from coseal.contracts.supervision.related import Neighbours, unsettle
from coseal.contracts.supervision.sets_in_force import JudgingSet

Settled: TypeAlias = "tuple[Case, Judged, list[dict[str, Any]]]"
"""An object and a set, what judging it again gave, and the findings about the object until then."""


_WHY: Final = (("history_missing", "history_long"), ("dispute_missing", "dispute_long"))
"""Why what is corrected cannot be judged again, and what is disputed: the history is missing, or too long."""


class Case(NamedTuple):
    """An object whose rules of one set judged again: ``before`` is their state until then.

    ``source`` is the last that recorded it, ``batch`` what this transaction recorded of it, ``changes`` why it is
    judged again.
    """

    process_type: str
    object_type: str
    object_id: str
    judge: JudgingSet
    rules: RuleSet
    source: str
    before: State | None
    batch: Sequence[Recording]
    changes: Sequence[Change]

    @property
    def name(self) -> ObjectName:
        """The object."""
        return self.object_type, self.object_id


def judge_again(
    view: View,
    context: Context,
    batch: RecordedBatch,
    neighbours: Neighbours,
    objects: Mapping[ObjectName, Watched],
    corrected: Mapping[ObjectName, Sequence[Recording]],
) -> tuple[list[Settled], list[Found]] | Rejected:
    """Judge the objects that a batch corrects something of; ``corrected`` is what it recorded of them.

    Returns also what is found on others, that were judged by one of these.
    """
    settled: list[Settled] = []
    shaken: list[tuple[Case, list[Shaken]]] = []
    since = (context.height, batch.source, batch.items[0].sequence)
    again = Again(view, context, batch.definition["late_ms"])
    histories = read_history(view, batch.history) if corrected else {}
    for related, name in [(related, name) for related in (True, False) for name in corrected]:
        watched, recorded = objects[name], corrected[name]
        changes = [correction(one) for one in recorded if one.corrected is not None]
        judges = [at for at, judge in enumerate(watched.judges) if judge.related == related and not judge.keeps]
        if related and not judges:
            continue
        latest_ms = batch.record["latest_ms"]
        found = object_again(
            again, watched, histories.get(name), recorded, changes, judges, latest_ms, neighbours=neighbours
        )
        if isinstance(found, Rejected):
            return found
        if related:
            shaken += [(case, case.rules.shaken(case.before, judged.state, since)) for case, judged, _ in found]
            continue
        for case, judged, _ in found:
            for one in judged.found:
                if refuses(one.finding) and one.by is not None and one.by in recorded and not case.judge.shadow:  # J13
                    return violated(one.by.sequence - batch.items[0].sequence, one.by.item, one.finding)
        settled += found
    whole = {(case.name, case.judge.id): None for case, judged, _ in settled if judged.whole}
    others = [
        one
        for case, changed in shaken
        for one in unsettle(neighbours, context, case.name, case.judge, changed, case.changes[-1], whole, view.charge)
    ]
    return settled, others


def object_again(
    again: Again,
    watched: Watched,
    history: Sequence[Recording] | None,
    recorded: Sequence[Recording],
    changes: Sequence[Change],
    judges: Sequence[int],
    latest_ms: int | None,
    *,
    neighbours: Neighbours | None = None,
) -> list[Settled] | Rejected:
    """Judge an object again by some of the sets that judge it, from its history, if one is shown."""
    own = watched.keeping.own
    if own:
        history = None
    elif watched.proven[0] == 0:
        history = []
    refusal = None if history is None else prove_history(watched.place[1:], history, *watched.proven)  # J34
    if refusal is not None:
        return refusal
    settled: list[Settled] = []
    judged_itself = not own and any(not watched.judges[index].related for index in judges)
    about = supervision_findings.about(again.view, *watched.place) if judged_itself else []
    for index in judges:
        judge, before = watched.judges[index], watched.entries[index]
        case = Case(*watched.place, judge, watched.rules(judge), watched.source, before, recorded, changes)
        seen, since = None, watched.since[index]
        if history is not None:
            complete = watched.first == since == 0
            seen = Seen([*history, *recorded][since:], complete, watched.whole(judge))
        look = unseen if neighbours is None else neighbours.look(judge, settled=False)
        judged = _judged(again, watched, case, seen, latest_ms, about, look)
        watched.entries[index] = judged.state
        settled.append((case, judged, about))
    return settled


def _judged(
    again: Again,
    watched: Watched,
    case: Case,
    seen: Seen | None,
    latest_ms: int | None,
    about: Sequence[Mapping[str, Any]],
    look: Look,
) -> Judged:
    """Return what the rules of a set say of an object by its trace, or without it."""  # J35
    name, rules, whole = case.name, case.rules, watched.whole(case.judge)
    judged = None if seen is None else again.replayed(case.judge, name, seen, look)
    if judged is None or seen is None:
        return _judged_without(again, case, whole, _WHY[case.changes[0].disputed][seen is not None], look)
    by_block = watched.clock == BLOCK_CLOCK
    clock_ms = again.context.time_ms if by_block else latest_ms
    if clock_ms is None:
        return judged
    state, late = rules.expire(judged.state, clock_ms - again.late_ms, again.view.charge)
    found = [*judged.found, *(FoundAgain(finding, None) for finding in late)]
    # J36
    doubtful = [] if by_block else _doubtful(case, state, about)
    if doubtful:  # a deadline that was missed by a clock that nothing proves is met only if it cannot be missed
        strict = again.replayed(case.judge, name, seen, look, clock_ms=clock_ms)
        verdicts = None if strict is None else rules.verdicts(strict.state)
        slots = [slot for slot in doubtful if verdicts is None or verdicts[slot] is Verdict.VIOLATED]
        last = case.changes[-1]
        why = reason("recording_unproven", item=last.sequence, source=last.by.source)
        state, findings = rules.undetermine(state, slots, why, "", last.by.time_ms)
        found += [FoundAgain(finding, last.by) for finding in findings]
    return Judged(state, found, True)


def _judged_without(again: Again, case: Case, whole: bool, why: str, look: Look) -> Judged:
    """Return what is left to say of an object whose trace cannot be judged again."""
    name, found = case.name, list[FoundAgain]()
    state = case.before or case.rules.fresh(again.context.time_ms, whole=whole)
    for one in case.batch or [change.by for change in case.changes]:
        for change in case.changes:
            if change.by is one:
                state, lost = again.unsettled(case.rules, state, change, why)
                found += lost
        if one.new:
            state, more = again.judged(case.rules, state, name, one, one, again.view.charge, look, one.tallied)
            found += more
    return Judged(state, found, False)


def _doubtful(case: Case, state: State, about: Sequence[Mapping[str, Any]]) -> list[int]:
    """Return the rules whose deadline was found to be missed, and that are not violated now."""
    names = dict.fromkeys(
        record["rule"]
        for record in _mine(case, about)
        if record["sequence"] is None and record["verdict"] == Verdict.VIOLATED.value
    )
    verdicts = case.rules.verdicts(state)
    return [
        slot
        for slot, rule in enumerate(case.rules.rules)
        if rule.id in names and not rule.ended and verdicts[slot] is not Verdict.VIOLATED
    ]


def settle(outcome: Outcome, context: Context, case: Case, judged: Judged, about: Sequence[Mapping[str, Any]]) -> None:
    """Let what was found again take effect; ``about`` are the findings about the object until now."""
    if case.judge.shadow:
        _recount(outcome, case, judged)
        return
    standing: dict[Any, list[Mapping[str, Any]]] = {}
    for record in _mine(case, about):
        standing.setdefault(_key_of(record), []).append(record)
    new = []
    for found in judged.found:
        same = standing.get(_key(found)) if judged.whole else None
        if same:
            same.pop(0)  # J37
        else:
            new.append(found)
    rested = [change.hashed for change in case.changes]
    for records in standing.values():
        for record in records:
            if judged.whole or (record["item"] in rested and _repeats(case, record["rule"])):
                outcome.supersede(record, context)
    for found in new:
        _take(outcome, case, found)


def _mine(case: Case, about: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the findings that the rules of this case raised."""
    rules = dict.fromkeys((rule.id, rule.version) for rule in case.rules.rules if not rule.ended)
    return [record for record in about if (record["rule"], record["version"]) in rules]


def _repeats(case: Case, rule_id: str) -> bool:
    return any(rule.id == rule_id and rule.body.repeats for rule in case.rules.rules)


def _key(found: FoundAgain) -> Any:
    finding, by = found
    where = None if by is None else (by.source, by.sequence)
    why = (finding.reason.code, tuple(sorted(finding.reason.values.items())))
    return (finding.rule.id, finding.rule.version, finding.verdict.value, where, why)


def _key_of(record: Mapping[str, Any]) -> Any:
    code, values = record["reason"]
    where = None if record["sequence"] is None else (record["source"], record["sequence"])
    return (record["rule"], record["version"], record["verdict"], where, (code, tuple(sorted(values.items()))))


def _take(outcome: Outcome, case: Case, found: FoundAgain) -> None:
    item = Item() if found.by is None else Item(found.by.sequence, found.by.item.get("event"), found.by.hashed.hex())
    source = case.source if found.by is None else found.by.source
    outcome.take(case.process_type, source, Found(case.judge, case.object_type, case.object_id, found.finding, item))


# J38
def _recount(outcome: Outcome, case: Case, judged: Judged) -> None:
    """Count for a trial what changed: rules that judge a trace by their verdict, others by what this batch recorded."""
    recorded = dict.fromkeys((one.source, one.sequence) for one in case.batch)
    for found in judged.found:
        if not judged.whole or (
            found.finding.rule.body.repeats
            and found.by is not None
            and (found.by.source, found.by.sequence) in recorded
        ):
            _take(outcome, case, found)
    if judged.whole:
        pairs = zip(case.rules.verdicts(case.before), case.rules.verdicts(judged.state), strict=True)
        for rule, (before, after) in zip(case.rules.rules, pairs, strict=True):
            if not rule.body.repeats and before is not after:
                outcome.recount(case.judge, rule.id, before, after)
