"""The process contract: sources record process data in a gapless sequence, and every object keeps its chain.

Law: one bad item refuses the batch; per source the sequence has no hole but a recorded one; what is recorded is
never edited; an object's record fixes all its items.

State: ``process.state``. contracts/process/README.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.kernel.action import SUSPENDED, Accepted, Action, Args, Arguments, Context, Rejected, Result, View
from coseal.contracts.kernel.budget import ITEM_STEPS
from coseal.contracts.kernel.contract import Contract
from coseal.contracts.kernel.fields import (
    Identifier,
    Integer,
    Later,
    Many,
    Name,
    OneOf,
    Record,
    Reference,
    Text,
    Translatable,
)
from coseal.contracts.kernel.sidecars import Sidecar
from coseal.contracts.process.attestation import ATTEST
from coseal.contracts.process.batch import Batch
from coseal.contracts.process.corrections import CORRECTED, HISTORY
from coseal.contracts.process.lists import LISTS
from coseal.contracts.process.recorded import RESERVED_SOURCES
from coseal.contracts.process.rows import writer
from coseal.contracts.process.state import KEYS, OPEN_KEYS, add_counts, source_key, type_key
from coseal.contracts.process.tables import TABLES, VIEWS
from coseal.contracts.process.types import DEFINE_TYPE, RESERVED
from coseal.ledger.sealed import LINES_MAX
from coseal.ledger.signing import ZERO_HASH

MAX_ITEMS: Final = 1_000
MAX_SEQUENCE: Final = 2**53


# Registering a source


def _register(view: View, context: Context, args: Args) -> Result | Rejected:
    if args["id"].startswith(RESERVED_SOURCES):  # T5
        return _reserved(args["id"])
    key = source_key(f"{context.member}/{args['id']}")
    if view.get(key) is not None:  # T5
        return Rejected("exists", f"{context.member}/{args['id']} is registered; it goes on from its last sequence")
    if args["process_type"] in RESERVED:  # T19
        return Rejected("reserved", f"the process type {args['process_type']} is a contract's own; record in another")
    if view.get(type_key(args["process_type"])) is None:
        return _unknown_type(args["process_type"])
    record: dict[str, Any] = {name: value for name, value in args.items() if name != "id"}
    record |= {"sequence": 0, "head": ZERO_HASH, "items": 0, "latest_ms": None, "height": context.height}
    record |= {"gaps": 0, "missing": 0, "last_gaps": []}
    view.put(key, record)
    add_counts(view, args["process_type"], {"sources": 1})
    return {
        "source": f"{context.member}/{args['id']}",
        "process_type": args["process_type"],
        "mode": args["mode"],
    }


# Recording a batch


def _record(view: View, context: Context, args: Args) -> Accepted | Rejected:
    if args["source"].startswith(RESERVED_SOURCES):  # T5
        return _reserved(args["source"])
    key = source_key(f"{context.member}/{args['source']}")
    record: Any = view.get(key)
    if record is None:  # T5
        return Rejected("unknown_source", f"{context.member} has no source {args['source']}; register it first")
    definition: Any = view.get(type_key(record["process_type"]))
    if args.get("version", definition["version"]) != definition["version"]:
        return Rejected("version", f"{definition['id']} is at version {definition['version']}, not {args['version']}")
    refusal = _check_place(record, definition, args)
    if refusal is not None:
        return refusal
    batch = Batch(view, context, record, definition, args)
    view.charge(ITEM_STEPS * len(args["items"]))
    before = view.spent
    for offset, item in enumerate(args["items"]):
        refusal = batch.add(offset, item)
        if refusal is not None:
            return refusal
        if offset == 0:
            batch.facts.first_steps = view.spent - before + ITEM_STEPS
            view.note(f"items: {len(args['items'])}, steps of the first: {batch.facts.first_steps}")
    return batch.complete() or Accepted(batch.write(key), batch.facts)


def _check_place(record: Mapping[str, Any], definition: Mapping[str, Any], args: Args) -> Rejected | None:
    """Refuse a batch that does not continue the source's sequence."""
    expected, first = record["sequence"] + 1, args["sequence"]
    if first < expected:  # T6
        return Rejected("already_recorded", f"expected {expected}, got {first}; go on from {expected}")
    if "gap" in args and definition["gaps"] == "refuse":
        return Rejected("gap_refused", f"{definition['id']} refuses gaps; send the items from {expected} on")
    if first > expected and "gap" not in args:
        return Rejected("sequence", f"expected {expected}, got {first}; send what lies between first")
    return None


def _reserved(source_id: str) -> Rejected:
    return Rejected("reserved", f"{source_id} is a source of contracts; register one of another id")


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
_sealed: Final = Record({"vault": Name(), "sidecar": Sidecar(), "cells": Integer(1, LINES_MAX)})
"""The cells of a batch's sealed attributes, beside the transaction; who keeps them observes."""

CONTRACT: Final[Contract] = Contract(
    name="process",
    actions={
        "define_type": DEFINE_TYPE,
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
                {
                    "version": Integer(1, 1_000_000),
                    "gap": Text(),
                    "corrected": CORRECTED,
                    "history": HISTORY,
                    "sealed": _sealed,
                },
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
            standing=SUSPENDED,
            pausable=False,
        ),
        "attest": ATTEST,
    },
    tables=TABLES,
    views=VIEWS,
    rows=writer,
    keys=KEYS,
    open_keys=OPEN_KEYS,
    lists=LISTS,
)
