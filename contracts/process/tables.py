"""The tables of process data: types, sources, items, objects, and which activity follows which.

Items are numbered in ledger order; ``batches`` says which transaction holds which numbers. In place of an activity, 0
stands for the start or the end of a trace.
"""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel.rows.schema import MADE, WRITTEN, Table, View, document, integer, text

_TYPE: Final = text("process_type", "its process type")

PROCESS_TYPES: Final = Table(
    "process_types",
    "one row a version of a process type",
    ("id", "version"),
    (
        text("id", "its id"),
        integer("version", "its version"),
        text("title", "its title, in English if it has that"),
        text("member", "member that defined it"),
        text("definition", "hash of the definition, hexadecimal"),
        *MADE,
    ),
)
SOURCES: Final = Table(
    "sources",
    "one row a source of process data, with what it recorded so far",
    ("name",),
    (
        text("name", "`member/source`"),
        text("member", "its member"),
        _TYPE,
        text("mode", "`live` or `historical`"),
        integer("zone_minutes", "its time zone, minutes east of UTC, if it declared one", null=True),
        integer("sequence", "number of its last item"),
        integer("items", "items recorded"),
        integer("events", "events among them"),
        integer("gaps", "gaps in its sequence"),
        integer("missing", "items missing in them"),
        integer("latest_ms", "latest time of an event", null=True),
        integer("recorded_ms", "block time of its last batch", null=True),
        *WRITTEN,
    ),
)
BATCHES: Final = Table(
    "batches",
    "one row an accepted `process.record`",
    ("first_item",),
    (
        integer("first_item", "number of its first item"),
        integer("items", "how many"),
        text("source", "`member/source`"),
        integer("sequence", "number of the first one in its source"),
        *MADE,
    ),
    series=0,
    indexes=(("batches_by_source", "(source, sequence)"),),
)
ITEMS: Final = Table(
    "items",
    "one row an item: an event, an object's declaration, a change, a relation, or a correction of one",
    ("number",),
    (
        integer("number", "its number in ledger order"),
        _TYPE,
        text("source", "`member/source` that recorded it"),
        integer("sequence", "its number in the source"),
        text("kind", "`event`, `object`, `change` or `relation`"),
        text("event", "id of the event", null=True),
        text("activity", "type of the event", null=True),
        text("time", "when it happened, as the source wrote it", null=True),
        integer("time_ms", "when it happened", null=True),
        integer("recorded_ms", "time of the block that holds it", null=False),
        text("late", "the reason that the source gave for recording it late; null if it was not late", null=True),
        integer("corrects", "number, in the source, of the item that it corrects", null=True),
        *MADE,
        document("the whole item: attributes, objects, evidence, policies"),
    ),
    indexes=(
        ("items_by_source", "(source, sequence)"),
        ("items_by_time", "(process_type, activity, time_ms)"),
    ),
    detail=True,
)
ACTIVITIES: Final = Table(
    "activities",
    "one row an event type that occurred",
    ("id",),
    (
        integer("id", "its number here"),
        _TYPE,
        text("name", "its name"),
        integer("events", "how many events"),
        *MADE,
    ),
    unique=("process_type", "name"),
)
OBJECTS: Final = Table(
    "objects",
    "one row an object, by its first item",
    ("id",),
    (
        integer("id", "its number here"),
        _TYPE,
        text("type", "its object type"),
        text("name", "its id on the ledger"),
        *MADE,
    ),
    unique=("name", "type", "process_type"),
    indexes=(("objects_by_type", "(process_type, type, id)"),),
)
ITEM_OBJECTS: Final = Table(
    "item_objects",
    "one row an object that an item names; where it comes from is where its item does",
    ("object", "item"),
    (
        integer("object", "`objects.id`"),
        integer("item", "`items.number`"),
        integer("activity", "`activities.id` of the event that stands there now; null for none", null=True),
        integer("time_ms", "when that happened", null=True),
    ),
)

CORRECTIONS: Final = Table(
    "corrections",
    "one row a link of an object whose place was corrected, and one a correction: what was recorded there",
    ("object", "item"),
    (
        integer("object", "`objects.id`"),
        integer("item", "`items.number`"),
        integer("place", "`items.number` of the first item in this place"),
        integer("now", "`items.number` of what stands there now; null for a correction", null=True),
        integer("activity", "`activities.id` as it was recorded, of events", null=True),
        integer(
            "time_ms", "when it happened, as it was recorded, of events, also of one that left the object", null=True
        ),
        *WRITTEN,
    ),
)
ITEM_VALUES: Final = Table(
    "item_values",
    "one row a value of an attribute that an item gives, if it is no longer than 64 characters",
    ("name", "value", "item"),
    (
        text("name", "name of the attribute"),
        text("value", "its value as text"),
        integer("item", "`items.number`"),
    ),
)

_KIND: Final = integer("kind", "`trace_kinds.id`")
_BEFORE: Final = integer("before", "activity before; 0 for the start")
_AFTER: Final = integer("after", "activity after; 0 for the end")

TRACE_KINDS: Final = Table(
    "trace_kinds",
    "one row an object type that events name, and how many cases, events and variants it has",
    ("id",),
    (
        integer("id", "its number here"),
        _TYPE,
        text("type", "its object type"),
        integer("cases", "objects with events"),
        integer("events", "events, counted once for each object"),
        integer("variants", "different traces"),
        *WRITTEN,
    ),
    unique=("process_type", "type"),
)
TRACES: Final = Table(
    "traces",
    "one row an object with events: what it has been through",
    ("object",),
    (
        integer("object", "`objects.id`"),
        _KIND,
        integer("activity", "its last activity"),
        integer("first_activity", "its first activity"),
        integer("last_ms", "time of its last event", null=True),
        integer("first_ms", "time of its first event", null=True),
        integer("events", "how many events"),
        integer("variant", "`variants.id`"),
        *WRITTEN,
    ),
    indexes=(
        ("traces_by_kind", "(kind, object)"),
        ("traces_by_variant", "(variant, object)"),
        ("traces_by_activity", "(kind, activity, object)"),
    ),
)
FLOWS: Final = Table(
    "flows",
    "one row a pair of activities that followed one another",
    ("kind", "before", "after"),
    (_KIND, _BEFORE, _AFTER, integer("count", "how often"), integer("total_ms", "time between them, summed"), *WRITTEN),
)
FLOW_TIMES: Final = Table(
    "flow_times",
    "how often each time between two activities occurred, in classes about 6 % wide",
    ("kind", "before", "after", "class"),
    (
        _KIND,
        _BEFORE,
        _AFTER,
        integer("class", "class of the time between them"),
        integer("count", "how often"),
        *WRITTEN,
    ),
)
VARIANTS: Final = Table(
    "variants",
    "a tree of activities: one row a beginning that traces have",
    ("id",),
    (
        integer("id", "its number here"),
        _KIND,
        integer("parent", "`variants.id` of the same without its last activity; 0 for none"),
        integer("activity", "its last activity"),
        integer("length", "how many activities"),
        integer("cases", "traces that are exactly this"),
        *WRITTEN,
    ),
    unique=("kind", "parent", "activity"),
    indexes=(("variants_by_cases", "(kind, cases DESC, id) WHERE cases > 0"),),
)

_OBJECT: Final = (_TYPE, text("type", "object type"), text("id", "id of the object"))
TALLIED_TYPES: Final = Table(
    "tallied_types",
    "one row a process type that declares tallies, with its newest definition",
    ("process_type",),
    (_TYPE, *WRITTEN, document("the definition")),
)
TALLY_MEMBERS: Final = Table(
    "tally_members",
    "one row an object and member that recorded something of its tallies",
    ("process_type", "type", "id", "member"),
    (
        *_OBJECT,
        text("member", "who recorded"),
        text("mode", "the mode of matching that its first event said", null=True),
        text("unit", "the unit that its first event said", null=True),
        text("currency", "the currency that its first event said", null=True),
        integer("corrections", "how many of its items corrected something of these tallies"),
        *WRITTEN,
        document("what the state has of it"),
    ),
)
TALLIES: Final = Table(
    "tallies",
    "one row a tally of an object, for each member that recorded something of it",
    ("process_type", "type", "id", "tally", "member"),
    (
        *_OBJECT,
        text("tally", "its name"),
        text("member", "who recorded"),
        integer("sum", "the sum, in units of the tally's scale; null if it grew beyond all bounds", null=True),
        integer("events", "how many events are in it"),
        integer("inexact", "how many more could not be added exactly"),
        *WRITTEN,
    ),
)
MATCHES: Final = Table(
    "matches",
    "one row an object that is matched, for each pair of buyer and seller",
    ("process_type", "type", "id", "buyer", "seller"),
    (
        *_OBJECT,
        text("buyer", "whose word counts for what was ordered and received"),
        text("seller", "whose word counts for what was invoiced"),
        text("verdict", "`matched`, or what is to be said first"),
        text("reasons", "all that is to be said"),
        text("mode", "how it is matched"),
        integer("ordered", "quantity ordered, in units of its scale"),
        integer("received", "quantity received"),
        integer("invoiced", "quantity invoiced"),
        integer("ordered_amount", "amount ordered, in fen"),
        integer("invoiced_amount", "amount invoiced, in fen"),
        integer("payable_quantity", "quantity payable"),
        integer("payable", "amount payable, in fen"),
        *WRITTEN,
    ),
    indexes=(("matches_by_verdict", "(verdict, process_type, type, id)"),),
)

TABLES: Final = (
    *(PROCESS_TYPES, SOURCES, BATCHES, ITEMS, ACTIVITIES, OBJECTS, ITEM_OBJECTS, CORRECTIONS, ITEM_VALUES),
    *(TRACE_KINDS, TRACES, FLOWS, FLOW_TIMES, VARIANTS),
    *(TALLIED_TYPES, TALLY_MEMBERS, TALLIES, MATCHES),
)

VIEWS: Final = (
    View(
        "case_events",
        "every event of every object, by names; corrections in the place of what they correct",
        (
            ("process_type", "process type"),
            ("object_type", "object type"),
            ("object", "id of the object"),
            ("event", "id of the event"),
            ("activity", "event type"),
            ("time", "when it happened, as the source wrote it"),
            ("time_ms", "when it happened"),
            ("recorded_ms", "time of the block that holds it"),
            ("source", "`member/source`"),
            ("late", "the reason given for recording it late"),
            ("item", "`items.number`"),
            ("height", "block"),
            ("position", "index of the transaction"),
        ),
        "SELECT i.process_type, o.type AS object_type, o.name AS object, i.event, i.activity, i.time, i.time_ms,"
        " i.recorded_ms, i.source, i.late, i.number AS item, i.height, i.position"
        " FROM item_objects l JOIN objects o ON o.id = l.object"
        " LEFT JOIN corrections c ON c.object = l.object AND c.item = l.item"
        " JOIN items i ON i.number = CASE WHEN c.now IS NULL THEN l.item ELSE c.now END"
        " WHERE l.activity IS NOT NULL",
    ),
    View(
        "recorded_case_events",
        "every event of every object as it was recorded, corrections as events of their own",
        (
            ("process_type", "process type"),
            ("object_type", "object type"),
            ("object", "id of the object"),
            ("event", "id of the event"),
            ("activity", "event type"),
            ("time", "when it happened, as the source wrote it"),
            ("time_ms", "when it happened"),
            ("recorded_ms", "time of the block that holds it"),
            ("source", "`member/source`"),
            ("corrected_by", "`items.number` of what stands in its place now; null if nothing corrects it"),
            ("corrects", "number, in the source, of the item that it corrects"),
            ("item", "`items.number`"),
        ),
        "SELECT i.process_type, o.type AS object_type, o.name AS object, i.event, i.activity, i.time, i.time_ms,"
        " i.recorded_ms, i.source, c.now AS corrected_by, i.corrects, i.number AS item"
        " FROM item_objects l JOIN objects o ON o.id = l.object JOIN items i ON i.number = l.item"
        " LEFT JOIN corrections c ON c.object = l.object AND c.item = l.item"
        " WHERE CASE WHEN c.item IS NULL THEN l.activity ELSE c.activity END IS NOT NULL",
    ),
    View(
        "process_map",
        "which activity follows which, by names; null for the start before the first and the end after the last",
        (
            ("process_type", "process type"),
            ("object_type", "object type of the cases"),
            ("before", "activity before"),
            ("after", "activity after"),
            ("count", "how often"),
            ("total_ms", "time between them, summed"),
        ),
        "SELECT k.process_type, k.type AS object_type, b.name AS before, a.name AS after, f.count, f.total_ms"
        " FROM flows f JOIN trace_kinds k ON k.id = f.kind LEFT JOIN activities b ON b.id = f.before"
        " LEFT JOIN activities a ON a.id = f.after WHERE f.count > 0",
    ),
)
