"""What rules over related objects see of these, and whom a correction of one concerns.

Law: an object is judged by what related ones had then; where a correction changes that, every rule that was judged by
it is undetermined, or violated as before, never satisfied in silence.

A set keeps what it needs of related objects as a part of its own (``JudgingSet.related``) in the state of their
monitors.
contracts/rules/related.py; docs/spec/rules.md, section Related objects.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, MutableMapping, Sequence
from typing import Final

from coseal.contracts.kernel.action import Context, View
from coseal.contracts.process.chain import ObjectName
from coseal.contracts.rules.draft import State
from coseal.contracts.rules.monitor import Finding
from coseal.contracts.rules.reasons import Reason, reason
from coseal.contracts.rules.related import MAX_RELATED, Shaken
from coseal.contracts.rules.verdict import FINAL, Look, Sight, Verdict, unseen
from coseal.contracts.supervision.corrections import Change
from coseal.contracts.supervision.effects import Found, Item
from coseal.contracts.supervision.object_monitors import Watched
from coseal.contracts.supervision.sets_in_force import JudgingSet

WATCH_STEPS: Final = 60
"""What the monitors of an object take once a transaction."""
UNSETTLE_STEPS: Final = 80
"""What making a rule undetermined on an object takes that was judged by another."""
SET_STEPS: Final = 8
"""What finding the monitors of an object takes for each set that judges its type."""


class Neighbours:
    """The monitors of related objects of one batch: those that it changes, and others as they are read.

    ``objects`` are those that the batch changes, by name.
    """

    __slots__ = ("_judges", "_load", "_objects", "_read", "_view")

    def __init__(
        self,
        view: View,
        judges: Sequence[JudgingSet],
        objects: MutableMapping[ObjectName, Watched],
        read: Callable[[ObjectName], Watched],
    ) -> None:
        """``read`` reads the monitors of an object that nothing is known of yet."""
        self._view, self._judges, self._objects, self._load = view, judges, objects, read
        self._read: dict[ObjectName, Watched] = {}

    def watched(self, name: ObjectName) -> Watched:
        """Return the monitors of an object, read once."""
        found = self._objects.get(name) or self._read.get(name)
        if found is None:
            self._view.charge(WATCH_STEPS + SET_STEPS * len(self._judges))
            found = self._read[name] = self._load(name)
        return found

    def look(self, judge: JudgingSet, *, settled: bool, pending: Collection[ObjectName] = ()) -> Look:
        """Return what shows related objects to a set that judges.

        ``settled``: all of them was recorded before. Of those ``pending`` nothing can be told yet.
        """

        def look(rule_id: str, object_type: str, object_id: str) -> Sight | Reason:
            name = (object_type, object_id)
            if name in pending:  # E7
                return reason("related_again", object_type=object_type, object=object_id)
            watched = self.watched(name)
            index = watched.related(judge)
            if index is None:
                return unseen(rule_id, object_type, object_id)
            part = watched.judges[index]
            rules, whole = watched.rules(part), watched.whole(part)
            return rules.sight(watched.entries[index], rule_id, whole=whole, settled=settled)

        return look

    def to_change(self, name: ObjectName) -> Watched:
        """Return the monitors of an object that is going to be changed."""
        watched = self._objects[name] = self.watched(name)
        return watched


# E8
def unsettle(
    neighbours: Neighbours,
    context: Context,
    name: ObjectName,
    judge: JudgingSet,
    shaken: Sequence[Shaken],
    change: Change,
    judged: Collection[tuple[ObjectName, str]],
    charge: Callable[[int], None],
) -> list[Found]:
    """Make undetermined what was judged by a related object that a correction changed; return what that finds.

    ``judge`` is the part of its set that keeps what it needs of ``name``, ``change`` what corrects. Objects of
    ``judged`` were judged again by this set.
    """
    found, one = [], change.by
    item = Item(one.sequence, one.item.get("event"), one.hashed.hex())
    values: dict[str, str | int | bool] = {"item": change.sequence, "source": one.source}
    rules = judge.by_type[name[0]]
    for witness in shaken:
        rule = rules.rules[witness.slot]
        other_type = rule.body.rule.object_type  # type: ignore[attr-defined]
        why = reason("related_corrected", object_type=name[0], object=name[1], **values)
        for object_id in witness.links:
            charge(UNSETTLE_STEPS)
            other = (other_type, object_id)
            if (other, judge.id) not in judged:
                found += _unsettle(neighbours, context, other, judge, rule.id, why, item)
        if witness.more:
            why = reason("related_beyond", object_type=other_type, most=MAX_RELATED, **values)
            finding = Finding(rule, Verdict.UNDETERMINED, why, item.event or "", context.time_ms)
            found.append(Found(judge, *name, finding, item))
    return found


def _unsettle(
    neighbours: Neighbours,
    context: Context,
    name: ObjectName,
    judge: JudgingSet,
    rule_id: str,
    why: Reason,
    item: Item,
) -> list[Found]:
    watched = neighbours.watched(name)
    mine = [at for at, one in enumerate(watched.judges) if (one.id, one.generation) == (judge.id, judge.generation)]
    index = next((at for at in mine if watched.rules(watched.judges[at]).slot_of(rule_id) is not None), None)
    state: State | None = None if index is None else watched.entries[index]
    if index is None or state is None:
        return []
    rules = watched.rules(watched.judges[index])
    slot = rules.slot_of(rule_id)
    if slot is None or not rules.code(state, slot) or rules.code(state, slot) in FINAL:
        return []
    watched = neighbours.to_change(name)
    watched.entries[index], findings = rules.undetermine(state, [slot], why, item.event or "", context.time_ms)
    return [Found(watched.judges[index], *name, finding, item) for finding in findings]
