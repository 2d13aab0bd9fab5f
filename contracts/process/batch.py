"""One batch of process data: every item is read and checked, then all that they change is written.

Law: one bad item refuses the batch; an object's record fixes all its items.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from coseal.contracts.kernel.action import Args, Context, Rejected, Result, View
from coseal.contracts.kernel.budget import ENTRY_STEPS, ITEM_STEPS, OBJECT_STEPS
from coseal.contracts.kernel.wording import duration_text, moment_text
from coseal.contracts.membership.state import member_key
from coseal.contracts.process.attestation import await_attestation
from coseal.contracts.process.chain import EMPTY_RECORD, ObjectName, chain, decoded_item_hash
from coseal.contracts.process.corrections import named_objects
from coseal.contracts.process.items import Reading, Unfit, schema_of
from coseal.contracts.process.state import add_counts, object_key
from coseal.contracts.process.tallies import declared_tallies
from coseal.contracts.process.tally import (
    NO_TALLIES,
    Tally,
    after,
    read_tally,
    with_member,
    write_tally,
)

MAX_KEPT_GAPS: Final = 16
_COUNTERS: Final = {"event": "events", "object": "declarations", "change": "changes", "relation": "relations"}


class BatchItem(NamedTuple):
    """An item of a batch: ``objects`` are those it belongs to, ``counts`` how many items each had before.

    ``corrected`` is the item that it corrects, None if it corrects none; ``tallied`` are the tallies of its objects
    after it, of those types that have some.
    """

    offset: int
    sequence: int
    item: Any
    reading: Reading
    hashed: bytes
    objects: tuple[ObjectName, ...]
    counts: list[int]
    corrected: Any
    tallied: Mapping[ObjectName, Tally]


@dataclass(slots=True)
class RecordedBatch:
    """What others observe of a batch: ``source`` is ``member/source``, ``record`` its state before the batch.

    ``latest_ms`` is the source's clock after it, ``first_steps`` what its first item took. ``history`` is what the
    transaction shows of what was recorded before, None for nothing. ``appended``: a contract made it, which keeps to
    holds of its objects itself; ``refusable``: a rule may refuse it, which what fell due is not; ``judged`` is the one
    object type of whose objects rules judge it, empty for all.
    """

    source: str
    record: Mapping[str, Any]
    definition: Mapping[str, Any]
    items: list[BatchItem] = field(default_factory=list)
    gap: list[int] | None = None
    latest_ms: int | None = None
    first_steps: int = 0
    history: Any = None
    appended: bool = False
    refusable: bool = True
    judged: str = ""


class Batch:
    """Reads the items of one batch, keeping what they change until all of them proved good.

    ``facts`` is what others observe of it.
    """

    __slots__ = (
        *("args", "attestations", "context", "corrections", "counts", "definition", "facts", "hashes", "head"),
        *(
            "latest_allowed_ms",
            "latest_ms",
            "member",
            "name",
            "new_objects",
            "objects",
            "oldest_allowed_ms",
            "record",
            "schema",
        ),
        *("seen", "shown", "tallies", "tallies_before", "tallying", "view"),
    )

    def __init__(
        self,
        view: View,
        context: Context,
        record: Mapping[str, Any],
        definition: Mapping[str, Any],
        args: Args,
        member: str = "",
    ) -> None:
        """``member`` is whose source it is, by default the sender's."""
        self.member = member or context.member
        self.view, self.context, self.record, self.definition, self.args = view, context, record, definition, args
        self.schema = schema_of(definition, record.get("zone_minutes"))
        self.name = f"{self.member}/{args['source']}"
        self.head: bytes = record["head"]
        self.latest_ms: int | None = record["latest_ms"]
        self.latest_allowed_ms = context.time_ms + definition["early_ms"]
        live = record["mode"] == "live"
        self.oldest_allowed_ms = context.time_ms - definition["late_ms"] if live else None
        self.hashes: list[bytes] = []
        self.objects: dict[tuple[str, str], tuple[int, bytes]] = {}
        self.attestations: list[tuple[int, str]] = []
        self.counts: dict[str, int] = {}
        self.seen: set[str] = set()
        self.new_objects = 0
        self.shown: list[Any] = list(reversed(args.get("corrected", ())))
        self.corrections: list[list[Any]] = []
        self.tallying = declared_tallies(definition)
        self.tallies_before: dict[ObjectName, Tally] = {}
        self.tallies: dict[ObjectName, Tally] = {}
        self.facts = RecordedBatch(self.name, record, definition, history=args.get("history"))

    def add(self, offset: int, item: Any) -> Rejected | None:
        """Read one item, or refuse the batch for it."""
        try:
            reading = self.schema.read(item)
        except Unfit as unfit:
            return Rejected("invalid_item", f"items[{offset}]{unfit}")  # T7
        self.view.charge(OBJECT_STEPS * len(reading.objects) + ENTRY_STEPS * len(item.get("attributes", ())))
        if reading.kind == "event":
            refusal = self._check_event(offset, item, reading)
            if refusal is not None:
                return refusal
        objects, corrected = reading.objects, None
        if "corrects" in item:
            corrected = self._corrected(offset, item["corrects"])
            if isinstance(corrected, Rejected):
                return corrected
            objects = tuple(dict.fromkeys((*objects, *named_objects(corrected, self.definition))))  # T11
            self.view.charge(ITEM_STEPS + OBJECT_STEPS * (len(objects) - len(reading.objects)))
            also = [list(name) for name in objects[len(reading.objects) :]]
            self.corrections.append([self.args["sequence"] + offset, item["corrects"][0], also])
        hashed = decoded_item_hash(self.name, self.args["sequence"] + offset, item)
        self.hashes.append(hashed)
        self.head = chain(self.head, hashed)  # T13
        counter = _COUNTERS[reading.kind]
        self.counts[counter] = self.counts.get(counter, 0) + 1
        counts = []
        for name in objects:
            count, head = self.objects.get(name) or self._load(name)
            self.objects[name] = (count + 1, chain(head, hashed))
            counts.append(count)
        sequence = self.args["sequence"] + offset
        tallied = self._tally(sequence, item, reading, objects, corrected) if self.tallying else NO_TALLIES
        recorded = BatchItem(offset, sequence, item, reading, hashed, objects, counts, corrected, tallied)
        self.facts.items.append(recorded)
        return None

    def _tally(
        self, sequence: int, item: Any, reading: Reading, objects: tuple[ObjectName, ...], corrected: Any
    ) -> Mapping[ObjectName, Tally]:
        """Add an item to the tallies of its objects; return those of the event's."""
        if reading.kind != "event" and corrected is None:
            return NO_TALLIES
        named: Any = () if corrected is None else named_objects(corrected, self.definition)
        tallied: dict[ObjectName, Tally] = {}
        for name in objects:
            declared = self.tallying.get(name[0])
            if declared is None:
                continue
            before = self.tallies.get(name) or self._load_tally(name)
            own = item if name in reading.objects else None
            corrects = (item["corrects"][0], corrected) if name in named else None
            now = after(declared, before, self.name, sequence, own, corrects, self.view.charge)
            self.tallies[name] = now
            if own is not None:
                if "counterparty" in item:
                    now = with_member(self.view, now, item["counterparty"], self.definition["id"], *name)
                tallied[name] = now
        return tallied

    def _load_tally(self, name: ObjectName) -> Tally:
        """Return the tallies of an object, with the row of who records."""
        place = (self.definition["id"], *name)
        tally = with_member(self.view, read_tally(self.view, *place), self.member, *place)
        self.tallies_before[name] = tally
        return tally

    def _load(self, name: tuple[str, str]) -> tuple[int, bytes]:
        found: Any = self.view.get(object_key(self.definition["id"], *name))
        if found is None:
            self.new_objects += 1
            return EMPTY_RECORD
        return found[0], found[1]

    def _check_event(self, offset: int, item: Mapping[str, Any], reading: Reading) -> Rejected | None:
        occurred: Any = reading.time_ms
        if occurred > self.latest_allowed_ms:  # T10
            now, early = moment_text(self.context.time_ms), duration_text(self.definition["early_ms"])
            detail = f"items[{offset}].time: more than {early} (early_ms) after block time {now}"
            return Rejected("event_in_future", detail)
        if self.oldest_allowed_ms is not None and occurred < self.oldest_allowed_ms and "late" not in item:
            allowed = duration_text(self.definition["late_ms"])
            detail = f"items[{offset}].late: the event is older than {allowed} (late_ms); say why it comes late"
            return Rejected("late_without_reason", detail)
        if item["event"] in self.seen:  # T11
            return Rejected("invalid_item", f"items[{offset}].event: '{item['event']}' stands in the batch twice")
        self.seen.add(item["event"])
        if self.latest_ms is None or occurred > self.latest_ms:
            self.latest_ms = occurred
        if "counterparty" in item:
            counterparty = item["counterparty"]
            if counterparty == self.context.member or self.view.get(member_key(counterparty)) is None:
                detail = f"items[{offset}].counterparty: {counterparty} is no other member"
                return Rejected("unknown_counterparty", detail)
            self.attestations.append((offset, counterparty))
        return None

    def _corrected(self, offset: int, corrects: list[Any]) -> Any:
        """Return the item that one corrects, or a refusal.

        One of an earlier batch is shown by ``corrected`` and has to have the hash that is named. Whether it is what was
        recorded under that number is for those who have the item: the index, every auditor, the history of an object.
        """
        sequence, first = corrects[0], self.args["sequence"]
        if sequence >= first + offset:  # T12
            return Rejected("invalid_item", f"items[{offset}].corrects[0]: expected an earlier sequence")
        if sequence >= first:
            shown, hashed = self.args["items"][sequence - first], self.hashes[sequence - first]
        elif not self.shown:
            shows = f"args.corrected has to show item {sequence}, which it corrects; `coseal submit` puts it in"
            detail = f"items[{offset}].corrects: {shows}"
            return Rejected("corrected_missing", detail)
        else:
            shown = self.shown.pop()
            hashed = decoded_item_hash(self.name, sequence, shown) if type(shown) is dict else b""
        if hashed.hex() != corrects[1]:
            return Rejected("invalid_item", f"items[{offset}].corrects[1]: item {sequence} has another hash")
        return shown

    def complete(self) -> Rejected | None:
        """Refuse items that ``corrected`` shows, and nothing corrects."""
        if not self.shown:
            return None
        count = len(self.args["corrected"])
        detail = f"args.corrected: {count} items are shown, {count - len(self.shown)} are corrected"
        return Rejected("invalid_argument", detail)

    def write(self, key: str) -> Result:
        """Write what the batch changes and return the receipt's data."""
        first, count = self.args["sequence"], len(self.hashes)
        last, type_id = first + count - 1, self.definition["id"]
        for name, (items, head) in self.objects.items():
            self.view.put(object_key(type_id, *name), [items, head])
        for name, tally in self.tallies.items():
            before = self.tallies_before[name]
            if tally is not before:
                write_tally(self.view, before, tally, type_id, *name)
        for offset, counterparty in self.attestations:
            await_attestation(
                self.view,
                self.context,
                item_hash=self.hashes[offset],
                source=self.name,
                sequence=first + offset,
                counterparty=counterparty,
            )
        gap = self._gap()
        changed = {**self.record, "sequence": last, "head": self.head, "latest_ms": self.latest_ms}
        changed |= {"items": self.record["items"] + count, "height": self.context.height}
        if gap is not None:
            changed["gaps"] += 1
            changed["missing"] += gap[1] - gap[0] + 1
            changed["last_gaps"] = [*changed["last_gaps"], [*gap, self.args["gap"]]][-MAX_KEPT_GAPS:]
        self.view.put(key, changed)
        add_counts(self.view, type_id, {**self.counts, "items": count, "objects": self.new_objects})
        data: Result = {
            "source": self.name,
            "process_type": type_id,
            "version": self.definition["version"],
            "definition": self.definition["definition"],
            "first": first,
            "last": last,
            "items": count,
            "events": self.counts.get("events", 0),
            "new_objects": self.new_objects,
            "head": self.head.hex(),
        }
        if gap is not None:
            data["gap"] = gap
        if self.corrections:
            data["corrections"] = self.corrections
        self.facts.gap, self.facts.latest_ms = gap, self.latest_ms
        return data

    def _gap(self) -> list[int] | None:
        expected, first = self.record["sequence"] + 1, self.args["sequence"]
        return [expected, first - 1] if first > expected else None
