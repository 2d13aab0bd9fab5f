"""The process contract: sources record process data in a gapless sequence, and every object keeps its chain.

Law: one bad item refuses the batch; per source the sequence has no hole but a recorded one; what is recorded is
never edited; an object's record fixes all its items.

State: ``process/source/<member>/<source>``, ``process/object/<process type>/<object type>/<id>``,
``process/statistics/<process type>``, and those of ``process.types`` and ``attestation``.
docs/spec/contracts-process.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Reader, Rejected, Result, View
from coseal.contracts.kernel.budget import ENTRY_STEPS, ITEM_STEPS, OBJECT_STEPS
from coseal.contracts.kernel.contract import Contract
from coseal.contracts.kernel.fields import Identifier, Integer, Later, Many, OneOf, Reference, Text, Translatable
from coseal.contracts.kernel.wording import duration_text, moment_text
from coseal.contracts.process.attestation import ATTEST, await_attestation
from coseal.contracts.process.chain import EMPTY_RECORD, chain, decoded_item_hash, object_key
from coseal.contracts.process.items import Reading, Unfit, schema_of
from coseal.contracts.process.types import DEFINE_TYPE, next_definition, put_definition, type_key
from coseal.contracts.supervision.checks import fit_type
from coseal.contracts.supervision.monitor_runtime import Watch
from coseal.ledger.signing import ZERO_HASH

MAX_ITEMS: Final = 1_000
MAX_KEPT_GAPS: Final = 16
MAX_SEQUENCE: Final = 2**53
_COUNTERS: Final = {"event": "events", "object": "declarations", "change": "changes", "relation": "relations"}


def source_key(member: str, source: str) -> str:
    """Return the state key of a member's source."""
    return f"process/source/{member}/{source}"


def statistics_key(process_type: str) -> str:
    """Return the state key of a process type's counters."""
    return f"process/statistics/{process_type}"


def source(reader: Reader, name: str) -> dict[str, Any] | None:
    """Return the record of a source named ``member/source``, or None."""
    value: Any = reader.get(f"process/source/{name}")
    return value  # type: ignore[no-any-return]


def statistics(reader: Reader, process_type: str) -> dict[str, int]:
    """Return how many items, events, distinct objects, ... were recorded of a process type; zeros if unknown."""
    value: Any = reader.get(statistics_key(process_type))
    return dict(_NO_STATISTICS) if value is None else dict(value)


_NO_STATISTICS: Final = {
    "items": 0, "events": 0, "objects": 0, "changes": 0, "relations": 0, "declarations": 0, "sources": 0
}  # fmt: skip


# Defining a type


def _define(view: View, context: Context, args: Args) -> Result | Rejected:
    """Define a type, or its next version, under which everything that judges it still has what it names."""
    definition = next_definition(view, context, args)  # T1
    if isinstance(definition, Rejected):
        return definition
    before: Any = view.get(type_key(args["id"]))
    error = None if before is None else fit_type(view, before, definition)  # T2
    if error is not None:
        return Rejected("rule_broken", f"{error}; have the rule retired first, or keep what it names")
    return put_definition(view, definition)


# Registering a source


def _register(view: View, context: Context, args: Args) -> Result | Rejected:
    key = source_key(context.member, args["id"])
    if view.get(key) is not None:  # T5
        return Rejected("exists", f"{context.member}/{args['id']} is registered; it goes on from its last sequence")
    if view.get(type_key(args["process_type"])) is None:
        return _unknown_type(args["process_type"])
    record: dict[str, Any] = {name: value for name, value in args.items() if name != "id"}
    record |= {"sequence": 0, "head": ZERO_HASH, "items": 0, "latest_ms": None, "height": context.height}
    record |= {"gaps": 0, "missing": 0, "last_gaps": []}
    view.put(key, record)
    _count(view, args["process_type"], {"sources": 1})
    return {
        "source": f"{context.member}/{args['id']}",
        "process_type": args["process_type"],
        "mode": args["mode"],
    }


# Recording a batch


def _record(view: View, context: Context, args: Args) -> Result | Rejected:
    key = source_key(context.member, args["source"])
    record: Any = view.get(key)
    if record is None:  # T5
        return Rejected("unknown_source", f"{context.member} has no source {args['source']}; register it first")
    definition: Any = view.get(type_key(record["process_type"]))
    if args.get("version", definition["version"]) != definition["version"]:
        return Rejected("version", f"{definition['id']} is at version {definition['version']}, not {args['version']}")
    refusal = _check_place(record, definition, args)
    if refusal is not None:
        return refusal
    batch = _Batch(view, context, record, definition, args)
    view.charge(ITEM_STEPS * len(args["items"]))
    before = view.spent
    for offset, item in enumerate(args["items"]):
        refusal = batch.add(offset, item)
        if refusal is not None:
            return refusal
        if offset == 0:
            view.note(f"items: {len(args['items'])}, steps of the first: {view.spent - before + ITEM_STEPS}")
    return batch.write(key)


def _check_place(record: Mapping[str, Any], definition: Mapping[str, Any], args: Args) -> Rejected | None:
    """Refuse a batch that does not begin where the source's sequence goes on."""
    expected, first = record["sequence"] + 1, args["sequence"]
    if first < expected:  # T6
        return Rejected("already_recorded", f"expected {expected}, got {first}; go on from {expected}")
    if "gap" in args and definition["gaps"] == "refuse":
        return Rejected("gap_refused", f"{definition['id']} refuses gaps; send the items from {expected} on")
    if first > expected and "gap" not in args:
        return Rejected("sequence", f"expected {expected}, got {first}; send what lies between first")
    return None


class _Batch:
    """Reads the items of one batch, keeping what they change until all of them proved good."""

    __slots__ = (
        "args",
        "attestations",
        "context",
        "counts",
        "definition",
        "hashes",
        "head",
        "latest_allowed_ms",
        "latest_ms",
        "name",
        "new_objects",
        "objects",
        "oldest_allowed_ms",
        "record",
        "schema",
        "seen",
        "view",
        "watch",
    )

    def __init__(
        self, view: View, context: Context, record: Mapping[str, Any], definition: Mapping[str, Any], args: Args
    ) -> None:
        self.view, self.context, self.record, self.definition, self.args = view, context, record, definition, args
        self.schema = schema_of(definition, record.get("zone_minutes"))
        self.name = f"{context.member}/{args['source']}"
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
        self.watch = Watch.of(view, context, self.name, record, definition)

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
        if "corrects" in item:
            refusal = self._check_correction(offset, item["corrects"])
            if refusal is not None:
                return refusal
        hashed = decoded_item_hash(self.name, self.args["sequence"] + offset, item)
        self.hashes.append(hashed)
        self.head = chain(self.head, hashed)  # T13
        counter = _COUNTERS[reading.kind]
        self.counts[counter] = self.counts.get(counter, 0) + 1
        new = []
        for name in reading.objects:
            count, head = self.objects.get(name) or self._load(name)
            self.objects[name] = (count + 1, chain(head, hashed))
            new.append(count == 0)
        if self.watch is not None:
            return self.watch.item(offset, self.args["sequence"] + offset, item, reading, hashed, new)
        return None

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
            if counterparty == self.context.member or self.view.get(f"membership/member/{counterparty}") is None:
                detail = f"items[{offset}].counterparty: {counterparty} is no other member"
                return Rejected("unknown_counterparty", detail)
            self.attestations.append((offset, counterparty))
        return None

    def _check_correction(self, offset: int, corrects: list[Any]) -> Rejected | None:
        """Refuse what corrects itself or the future, or an item of this batch under another hash.

        The hash of an item recorded earlier is compared by who has the item: the index and every auditor.
        """
        sequence, first = corrects[0], self.args["sequence"]
        if sequence >= first + offset:  # T12
            return Rejected("invalid_item", f"items[{offset}].corrects[0]: expected an earlier sequence")
        if sequence >= first and self.hashes[sequence - first].hex() != corrects[1]:
            return Rejected("invalid_item", f"items[{offset}].corrects[1]: item {sequence} has another hash")
        return None

    def write(self, key: str) -> Result:
        """Write what the batch changes and return the receipt's data."""
        first, count = self.args["sequence"], len(self.hashes)
        last, type_id = first + count - 1, self.definition["id"]
        for name, (items, head) in self.objects.items():
            self.view.put(object_key(type_id, *name), [items, head])
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
        _count(self.view, type_id, {**self.counts, "items": count, "objects": self.new_objects})
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
        return data if self.watch is None else data | self.watch.finish(gap, self.latest_ms)

    def _gap(self) -> list[int] | None:
        expected, first = self.record["sequence"] + 1, self.args["sequence"]
        return [expected, first - 1] if first > expected else None


def _count(view: View, process_type: str, changes: Mapping[str, int]) -> None:
    counters = statistics(view, process_type)
    for name, change in changes.items():
        counters[name] += change
    view.put(statistics_key(process_type), counters)


def _unknown_type(type_id: str) -> Rejected:
    return Rejected("unknown_type", f"there is no process type {type_id}; define it first")


_items: Final = Many(
    Later(
        "an event, object, change or relation, as its source's process type has it",
        refused=(None, 1, [], {}, {"event": "1"}, {"event": "1", "type": "no such type"}, {"object": "1", "type": 7}),
        passed=({"event": "1", "type": "Create Fine", "time": "2006-07-24T00:00:00Z"},),
    ),
    low=1,
    high=MAX_ITEMS,
)
"""Only the frame of a batch: what an item has to be is known when the process type of its source is."""

CONTRACT: Final[Contract] = Contract(
    name="process",
    actions={
        "define_type": replace(DEFINE_TYPE, apply=_define),
        "register_source": Action(
            arguments=Arguments(
                {
                    "id": Reference(),
                    "process_type": Identifier(slash=False),
                    "mode": OneOf("live", "historical"),
                },
                {"title": Translatable(), "zone_minutes": Integer(-840, 840)},
            ),
            apply=_register,
            title="Register a source of process data of the own member",
            example={"id": "fines-log", "process_type": "fines", "mode": "historical"},
        ),
        "record": Action(
            arguments=Arguments(
                {"source": Reference(), "sequence": Integer(1, MAX_SEQUENCE), "items": _items},
                {"version": Integer(1, 1_000_000), "gap": Text()},
            ),
            apply=_record,
            title="Record a batch of process data, all of it or nothing",
            example={
                "source": "fines-log",
                "sequence": 1,
                "items": [
                    {
                        "event": "1",
                        "type": "Create Fine",
                        "time": "2006-07-24T00:00:00Z",
                        "objects": [["case", "A1"]],
                        "attributes": {"amount": "35.0"},
                    }
                ],
            },
        ),
        "attest": ATTEST,
    },
    open_keys=("process/type/",),
)
