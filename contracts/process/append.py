"""Items that a contract makes itself: what it did, on the history of the objects that it did it to.

Law: they are chained, and judged by the rules in force, as recorded items are, and the receipt carries them; nobody
signs such an item, for it follows from the act that somebody signed, or from what fell due. Only contracts write the
sources whose ids begin with ``ledger/``.

The act returns ``Appended.batch`` as its facts (``kernel.action.Accepted``), so that the rules see it: one that rejects
refuses the act. contracts/process/README.md, section Items of contracts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from coseal.contracts.kernel.action import APPENDED, Context, Result, View
from coseal.contracts.kernel.budget import ITEM_STEPS
from coseal.contracts.kernel.wording import moment_text
from coseal.contracts.process.batch import Batch, RecordedBatch
from coseal.contracts.process.recorded import RESERVED_SOURCES
from coseal.contracts.process.state import add_counts, source_key
from coseal.contracts.process.types import definition_hash, put_definition
from coseal.ledger import codec
from coseal.ledger.signing import ZERO_HASH

LIVE: Final = "live"


class Appended(NamedTuple):
    """What was appended: ``result`` joins the receipt's data, ``batch`` is what others observe of it."""

    result: Result
    batch: RecordedBatch


def own_definition(
    process_type: str,
    title: Mapping[str, str],
    object_types: Sequence[str],
    event_types: Mapping[str, Mapping[str, str]],
) -> dict[str, Any]:
    """Return the definition of a contract's own process type; ``event_types`` are the types of attributes by name."""
    declared = {
        name: {"attributes": {attribute: {"type": kind, "class": "public"} for attribute, kind in attributes.items()}}
        for name, attributes in event_types.items()
    }
    definition = {
        "id": process_type,
        "version": 1,
        "title": dict(title),
        "object_types": {name: {"attributes": {}} for name in object_types},
        "event_types": declared,
        "gaps": "refuse",
        "early_ms": 0,
        "late_ms": 0,
        "legal_basis": [],
    }
    return {**definition, "member": "", "definition": definition_hash(definition).hex(), "height": 0}


def install_type(view: View, definition: Mapping[str, Any]) -> None:
    """Write a contract's own process type into the state that a chain begins with."""
    put_definition(view, definition)


def append(
    view: View,
    context: Context,
    member: str,
    definition: Mapping[str, Any],
    events: Sequence[Mapping[str, Any]],
    judged: str = "",
) -> Appended:
    """Append events of a contract to ``member``'s source of its process type, which opens at first use.

    ``events`` have ``type``, ``objects`` and ``attributes``; id and time are given here. ``context`` is that of the
    act, or of nobody for what fell due (``Moment.context``). ``judged`` is the one object type of whose objects rules
    judge them, for events that name so many objects that judging each would take too much; empty for all.
    """
    type_id, due = definition["id"], not context.sender
    source_id = f"{RESERVED_SOURCES}{type_id}"
    name = f"{member}/{source_id}"
    record: Any = view.get(source_key(name))
    if record is None:
        record = _opened(context, type_id)
        add_counts(view, type_id, {"sources": 1})
    first = record["sequence"] + 1
    time = moment_text(context.time_ms)
    made = [
        {**event, "event": f"due:{context.height}:{first + n}" if due else f"{context.tx_id.hex()}:{n}", "time": time}
        for n, event in enumerate(events)
    ]
    items: Any = codec.decode(codec.encode(made))  # as of a transaction: maps in their order
    batch = Batch(view, context, record, definition, {"source": source_id, "sequence": first, "items": items}, member)
    batch.facts.appended, batch.facts.refusable, batch.facts.judged = True, not due, judged
    view.charge(ITEM_STEPS * len(items))
    for offset, item in enumerate(items):
        refusal = batch.add(offset, item)
        if refusal is not None:
            raise ValueError(f"{type_id} appends {item['type']}: {refusal.detail}")
    batch.write(source_key(name))
    shown = [[name, first + n, item] for n, item in enumerate(items)]
    return Appended({APPENDED: shown}, batch.facts)


def _opened(context: Context, type_id: str) -> dict[str, Any]:
    record: dict[str, Any] = {"process_type": type_id, "mode": LIVE, "sequence": 0, "head": ZERO_HASH, "items": 0}
    record |= {"latest_ms": None, "height": context.height, "gaps": 0, "missing": 0, "last_gaps": []}
    return record
