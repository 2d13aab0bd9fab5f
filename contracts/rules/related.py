"""Rules over related objects: how many of those that an object is related to had an event, or meet a condition.

Law: what counts is what was recorded before the event that judges, wherever the log is judged again; an object that is
related later counts for later events; what cannot be determined is ``undetermined`` and says of which object.

A rule judges on one type of object and sees others through its *witnesses*: on each related object a state of its own,
which that object's trace alone decides. docs/spec/rules.md, section Related objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

from coseal.contracts.process.chain import ObjectName
from coseal.contracts.rules.cel.compile import LARGEST, Charge, Expression, Undetermined
from coseal.contracts.rules.facts import Event, Place, rich
from coseal.contracts.rules.reasons import NOTHING, Reason, reason
from coseal.contracts.rules.verdict import (
    FINAL,
    NO_CHARGE,
    UNDETERMINED,
    Facts,
    Reach,
    Ruling,
    Sight,
    Verdict,
    undetermined,
    violated,
)

BY_ITEM: Final = "item"
BY_RELATION: Final = "relation"
EACH, ANY, ALL, COUNT = "each", "any", "all", "count"
QUANTIFIERS: Final = (EACH, ANY, ALL, COUNT)
MAX_RELATED: Final = 64
"""The most related objects of one object that are looked at."""
MAX_IDS_BYTES: Final = 3_072
"""The most bytes of the ids that a rule keeps with an object: as many rules as may judge keep a state value small."""
MAX_TOGETHER: Final = 8
"""The most events of a related object that are kept to find one that names all objects."""
MAX_NAMED: Final = 8
"""The most objects that a reason names."""
LOOK_STEPS: Final = 64  # E6
"""What looking at a related object takes, beside reading its state."""
EVENT_STEPS: Final = 3
"""What looking at an event takes that a related object had."""
HAD: Final = "had"
JUDGES: Final = "judges"
FULFILLED: Final = 1
"""The code of a rule that has judged and found nothing, and of a witness that saw its event."""

Witnessed: TypeAlias = "list[Any]"
"""The detail of a witness: ``[events, links, more, mark]``.

``events`` are the places of what it saw, earliest first; ``links`` the objects that may have been judged by it, and
``more`` that there are others; ``mark`` the place of the last change of an attribute that is read, or of the first
event of which the condition had no value.
"""
_NO_WITNESS: Final[Witnessed] = [[], [], False, None]


@dataclass(frozen=True, slots=True)
class Over:
    """Which objects a rule looks at: of a type, named ``by`` the event that judges or by relations to its object."""

    type: str
    by: str
    qualifier: str | None

    def named(self, event: Event) -> Mapping[str, None]:
        """Return the ids of these objects that an event names, made once for all objects that it names."""
        return named_by(event, self.type, self.qualifier)

    def _fits(self, qualifier: str) -> bool:
        return self.qualifier is None or qualifier == self.qualifier

    # E2
    def linked(self, item: Mapping[str, Any], me: ObjectName, other_type: str) -> str | None:
        """Return the id of the object of a type to which a relation connects ``me``, in either direction, or None."""
        ends = [(entry[0], entry[1]) for entry in (item["relation"], item["to"])]
        if self.by == BY_RELATION and me in ends and self._fits(item.get("qualifier", "")):
            other = ends[1 - ends.index(me)]
            return other[1] if other[0] == other_type else None
        return None


def named_by(event: Event, object_type: str, qualifier: str | None = None) -> Mapping[str, None]:
    """Return the ids of the objects of a type that an event names, with a qualifier or with any."""
    key = f"\0named {object_type}" if qualifier is None else f"\0named {object_type}\0{qualifier}"
    if key not in event.made:
        event.made[key] = {
            entry[1]: None
            for entry in event.item.get("objects", ())
            if entry[0] == object_type and qualifier in (None, entry[2] if len(entry) == 3 else "")
        }
    return event.made[key]  # type: ignore[no-any-return]


class Known(NamedTuple):
    """What is known of a related object: whether it ``holds``, None and ``why`` if that cannot be determined.

    ``events`` are those that name it, of which there may be ``more``.
    """

    holds: bool | None
    why: Reason = NOTHING
    events: tuple[tuple[str, int], ...] = ()
    more: bool = False


# E4
def fulfilled(quantifier: str, least: int, most: int | None, known: Sequence[Known], *, more: bool) -> bool | None:
    """Say whether a quantifier is fulfilled by what is known, None if that cannot be determined.

    ``more``: there are related objects beside these.
    """
    held = sum(one.holds is True for one in known)
    not_held = sum(one.holds is False for one in known)
    high = len(known) - not_held
    if quantifier == ANY:
        quantifier, least, most = COUNT, 1, None
    if quantifier == EACH:
        return False if not_held else None if more or held < len(known) else True
    if quantifier == COUNT:
        if (most is not None and held > most) or (not more and high < least):
            return False
        return True if held >= least and (most is None or (not more and high <= most)) else None
    if not known:
        return None if more else True
    open_ended = sum(one.more for one in known)
    named: dict[tuple[str, int], int] = {}
    possible: dict[tuple[str, int], int] = {}
    for one in known:
        for event in one.events:
            named[event] = named.get(event, 0) + 1
            possible[event] = possible.get(event, open_ended) + (not one.more)
    if not more and len(known) in named.values():
        return True
    return None if open_ended == len(known) or len(known) in possible.values() else False


def earlier(one: Sequence[Any], other: Sequence[Any]) -> bool | None:
    """Say whether a place in the ledger is before another; None if nothing proves it: two sources in one block."""
    if one[0] != other[0]:
        return bool(one[0] < other[0])
    return bool(one[2] < other[2]) if one[1] == other[1] else None


class _Part:
    """What a rule and its witnesses share: nothing is due, and no table says it all."""

    __slots__ = ()

    @property
    def kept_charge(self) -> Charge:
        """See ``Body``."""
        return NO_CHARGE

    @property
    def repeats(self) -> bool:
        """See ``Body``: one finding says it for good."""
        return False

    @property
    def tables(self) -> Mapping[str, bytes]:
        """See ``Body``."""
        return {}

    def deadline_ms(self, code: int, detail: Any) -> int | None:
        """See ``Body``."""
        return None

    def expire(self, code: int, detail: Any) -> Ruling:
        """See ``Body``."""
        return Ruling(code, detail)


@dataclass(frozen=True, slots=True)
class Related(_Part):
    """A rule over related objects; the detail of its state is ``[ids, more]`` where relations make them such.

    ``had`` is the event that is asked for, or empty: then ``where`` is the condition. ``reads`` are the attributes of
    related objects that ``where`` and ``target`` read.
    """

    rule_id: str
    object_type: str
    on: tuple[str, ...]
    over: Over
    quantifier: str
    least: int
    most: int | None
    had: str
    target: Expression | None
    where: Expression | None
    reads: tuple[str, ...]
    cost: int

    @property
    def reach(self) -> Reach:
        """See ``Body``."""
        return Reach(dict.fromkeys(self.on, JUDGES), relations=self.over.by == BY_RELATION)

    @property
    def charge(self) -> Charge:
        """See ``Body``: what each related object takes is charged when it is looked at."""
        return Charge(8, 8)

    @property
    def forward(self) -> bool:
        """See ``Body``: relations that were recorded before the rule are not known to it."""
        return self.over.by == BY_ITEM

    def verdict(self, code: int, detail: Any) -> Verdict:
        """See ``Body``."""
        return FINAL.get(code, Verdict.PENDING)

    def witness(self) -> Witness:
        """Return what it keeps of each related object."""
        return Witness(self)

    def link(self, detail: Any, item: Mapping[str, Any], me: ObjectName) -> Any:
        """Return the detail after a relation of its object."""
        other = self.over.linked(item, me, self.over.type)
        names, more = detail or ([], False)
        if other is None or other in names or more:
            return detail
        return list(_bounded([*names, other]))

    def step(self, symbol: str, code: int, detail: Any, facts: Facts) -> Ruling:
        """See ``Body``."""
        names, more = detail or ([], False)
        if self.over.by == BY_ITEM:
            names = list(self.over.named(facts.event))
            names, more = names[:MAX_RELATED], len(names) > MAX_RELATED
        known = []
        for name in names:
            facts.spend(LOOK_STEPS)
            known.append(self._known(name, facts))
        held = fulfilled(self.quantifier, self.least, self.most, known, more=more)
        if held:
            return Ruling(FULFILLED, detail)
        if held is None:
            return undetermined(self._doubt(known, names, more=more))
        return violated(self._complaint(facts.event.item["type"], names, known))

    # E3
    def _known(self, name: str, facts: Facts) -> Known:
        sight = facts.look(self.rule_id, self.over.type, name)
        if not isinstance(sight, Sight):
            return Known(None, sight, more=True)
        who = {"object_type": self.over.type, "object": name}
        if sight.code == UNDETERMINED:  # E7
            return Known(None, reason("related_unproven", **who), more=True)
        events, _, _, mark = sight.detail or _NO_WITNESS
        place = facts.event.place
        marked = mark is not None and (sight.settled or earlier(mark, place) is not False)
        if self.where is not None:
            if mark is not None and not sight.settled and earlier(mark, place) is not True:
                return Known(None, reason("related_changed", **who))
            if self.reads and not sight.whole:
                return Known(None, reason("related_unseen", **who))
            return self._meets(self.where, name, sight, facts)
        facts.spend(EVENT_STEPS * len(events))
        order = [True if sight.settled else earlier(event, place) for event in events]
        seen = tuple((event[1], event[3]) for event, before in zip(events, order, strict=True) if before)
        more = len(events) > MAX_TOGETHER or marked or None in order or not sight.whole
        if seen:
            return Known(True, NOTHING, seen, more)
        if None in order:
            return Known(None, reason("related_order", a=self.had, **who), more=True)
        if marked:
            return Known(None, reason("related_no_target", a=self.had, **who), more=True)
        return Known(False) if sight.whole else Known(None, reason("related_unseen", **who), more=True)

    def _meets(self, where: Expression, name: str, sight: Sight, facts: Facts) -> Known:
        known = {key: rich(value) for key, _, value in sight.attributes}
        size = facts.event.size
        for value in (*known.values(), *facts.attributes.values()):
            if type(value) is str and len(value) > 16 * size:
                size = min(LARGEST, -(-len(value) // 16))
        facts.spend(where.charge.at(size))
        value = where.evaluate({**facts.bindings(), "r": {"type": self.over.type, "id": name, "attributes": known}})
        if type(value) is Undetermined:
            who = {"object_type": self.over.type, "object": name}
            return Known(None, reason("related_no_value", problem=value.reason, **who))
        return Known(value is True)

    def _doubt(self, known: Sequence[Known], names: Sequence[str], *, more: bool) -> Reason:
        for one in known:
            if one.holds is None:
                return one.why
        if more:
            return reason("too_many_related", object_type=self.over.type, most=MAX_RELATED)
        name = next(name for name, one in zip(names, known, strict=True) if one.more)
        return reason("too_many_together", a=self.had, object_type=self.over.type, object=name, most=MAX_TOGETHER)

    def _complaint(self, b: str, names: Sequence[str], known: Sequence[Known]) -> Reason:
        """Return why it is violated; it names the related objects that break it."""
        held = sum(one.holds is True for one in known)
        too_many = self.most is not None and held > self.most
        about = [
            name
            for name, one in zip(names, known, strict=True)
            if self.quantifier == ALL or (one.holds is True) == too_many
        ]
        objects = ", ".join(about[:MAX_NAMED]) + (", ..." if len(about) > MAX_NAMED else "")
        values: dict[str, str | int | bool] = {"b": b, "n": len(names), "object_type": self.over.type}
        values["objects"] = objects or "-"
        if self.had:
            values["a"] = self.had
        if self.quantifier == EACH:
            return reason("had_not" if self.had else "met_not", count=len(about), **values)
        if self.quantifier == ALL:
            return reason("had_not_together", **values)
        values["count"] = held
        code = "many" if too_many else "few"
        values["most" if too_many else "least"] = (self.most or 0) if too_many else max(self.least, 1)
        return reason(f"had_{code}" if self.had else f"met_{code}", **values)


@dataclass(frozen=True, slots=True)
class Witness(_Part):
    """What a rule keeps of a related object: the events it asks for, and which objects may be judged by them."""

    rule: Related

    @property
    def cost(self) -> int:
        """See ``Body``: it is counted in that of its rule."""
        return 0

    @property
    def reach(self) -> Reach:
        """See ``Body``."""
        rule = self.rule
        symbols = dict.fromkeys(rule.on, JUDGES) if rule.over.by == BY_ITEM else {}
        had = {rule.had: HAD} if rule.had else {}
        return Reach({**symbols, **had}, relations=rule.over.by == BY_RELATION)

    @property
    def charge(self) -> Charge:
        """See ``Body``."""
        usual = Charge(16, 64)
        return usual if self.rule.target is None else self.rule.target.charge.plus(usual)

    @property
    def forward(self) -> bool:
        """See ``Body``: what it saw it saw; whether it saw all is asked where it is looked at."""
        return True

    def verdict(self, code: int, detail: Any) -> Verdict:
        """See ``Body``: it says nothing of its own object."""
        return Verdict.PENDING

    def link(self, detail: Any, item: Mapping[str, Any], me: ObjectName) -> Any:
        """Return the detail after a relation of its object."""
        other = self.rule.over.linked(item, me, self.rule.object_type)
        return detail if other is None else _linked(detail, [other])

    def mark(self, detail: Any, place: Place) -> Any:
        """Return the detail after an attribute that is read was changed."""
        events, links, more, _ = detail or _NO_WITNESS
        return [events, links, more, list(place)]

    def step(self, symbol: str, code: int, detail: Any, facts: Facts) -> Ruling:
        """See ``Body``."""
        rule = self.rule
        if symbol == JUDGES:
            if facts.object_id not in rule.over.named(facts.event):
                return Ruling(code, detail)
            return Ruling(code, _linked(detail, named_by(facts.event, rule.object_type)))
        events, links, more, mark = detail or _NO_WITNESS
        wanted = MAX_TOGETHER + 1 if rule.quantifier == ALL else 1
        if len(events) >= wanted:
            return Ruling(code, detail)
        value = True if rule.target is None else rule.target.evaluate(facts.bindings())
        place = facts.event.place
        if type(value) is Undetermined:
            return Ruling(code, [events, links, more, mark or list(place)])
        if value is not True:  # D4
            return Ruling(code, detail)
        return Ruling(FULFILLED, [[*events, [*place, facts.event.sequence]], links, more, mark])


# E5
def _bounded(names: Sequence[str]) -> tuple[list[str], bool]:
    """Return as many ids as are kept, and whether there are more."""
    size, kept = 0, list[str]()
    for name in names:
        size += len(name.encode("utf-8", "surrogatepass"))
        if size > MAX_IDS_BYTES or len(kept) == MAX_RELATED:
            return kept, True
        kept.append(name)
    return kept, False


def _linked(detail: Any, names: Iterable[str]) -> Witnessed:
    """Return the detail of a witness of which more objects may be judged by it."""
    events, links, more, mark = detail or _NO_WITNESS
    new = [] if more else [name for name in names if name not in links]
    if not new:
        return detail or _NO_WITNESS
    return [events, *_bounded([*links, *new]), mark]  # E8


class Shaken(NamedTuple):
    """A witness that a correction changed: by its place among the rules of its set, and whom it may concern."""

    slot: int
    links: Sequence[str]
    more: bool


# E8
def shaken(slot: int, body: Witness, before: Sequence[Any], after: Sequence[Any], since: Place) -> Shaken | None:
    """Return a witness of which others may have been judged otherwise: ``(code, detail, attributes)`` before and after.

    What was recorded at ``since`` or later, by the batch that corrects, is new and concerns nobody yet.
    """
    (code, detail, known), (code_after, detail_after, known_after) = before, after
    if code == UNDETERMINED:
        return None
    events, links, more, mark = detail or _NO_WITNESS
    events_after, links_after, more_after, mark_after = detail_after or _NO_WITNESS

    def old(place: Any) -> bool:
        return place is not None and not (place[:2] == list(since[:2]) and place[2] >= since[2])

    seen, seen_after = ([one[:3] for one in kept if old(one)] for kept in (events, events_after))
    same = code_after != UNDETERMINED and seen == seen_after
    same = same and (mark if old(mark) else None) == (mark_after if old(mark_after) else None)
    reads = dict.fromkeys(body.rule.reads if body.rule.where is not None else ())
    same = same and [one for one in known if one[0] in reads] == [one for one in known_after if one[0] in reads]
    if same:
        return None
    return Shaken(slot, list(dict.fromkeys((*links, *links_after))), more or more_after)
