"""What gateways record of the comments that they took: batches of entries, each gateway's under a tree of its own.

Law: entries are numbered without a gap, and a root proves that these are all; no text and no person is among them.

contracts/participation/README.md, E3 to E7.
"""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Reader, Rejected, Result, View
from coseal.contracts.kernel.fields import Integer, Many
from coseal.contracts.kernel.wording import moment_text
from coseal.contracts.participation.consultations import CONCLUDED, consultation, consultation_id, put
from coseal.contracts.participation.entry import CLASSES, entry_field, is_withheld, leaf_of
from coseal.contracts.participation.marks import WITHHELD, Marks
from coseal.contracts.participation.offices import include_ms, office
from coseal.contracts.participation.state import gateway_key, office_key
from coseal.ledger.merkle import Frontier

MAX_BATCH: Final = 1_000
MAX_ENTRIES: Final = 100_000
"""Of one gateway for one consultation."""
ENTRY_COST: Final = 24
"""The steps that an entry takes, beside its bytes: its leaf, two hashes of the tree, its class."""

Recorded = dict[str, Any]


def recorded(reader: Reader, name: str, member: str) -> Recorded:
    """Return what a gateway recorded for a consultation; the caller may change it."""
    found: Any = reader.get(gateway_key(name, member))
    return {"entries": 0, "withheld": 0, "set_aside": 0, "frontier": []} if found is None else dict(found)


def _receive(view: View, context: Context, args: Args) -> Result | Rejected:
    name, member, entries = args["consultation"], context.member, args["entries"]
    record = consultation(view, name)
    if isinstance(record, Rejected):
        return record
    held = office(view, member)
    if isinstance(held, Rejected):
        return held
    found = recorded(view, name, member)
    wrong = _may_record(record, member, context.time_ms, include_ms(held, record["closes_ms"])) or _fits(found, args)
    if wrong is not None:
        return wrong
    view.charge(ENTRY_COST * len(entries))
    frontier = Frontier(found["entries"], tuple(bytes.fromhex(text) for text in found["frontier"]))
    grown = frontier.grown([leaf_of(entry) for entry in entries])
    withheld = _count(view, context, record, held, args)
    found |= {"entries": grown.size, "root": grown.root().hex(), "frontier": [one.hex() for one in grown.hashes]}
    found |= {"withheld": found["withheld"] + withheld, "time_ms": context.time_ms, "height": context.height}
    view.put(gateway_key(name, member), found)
    put(view, name, record)
    said = {"consultation": name, "gateway": member, "first": args["first"], "last": grown.size}
    return {**said, "root": found["root"], "received": record["received"], "withheld": record["withheld"]}


def _may_record(record: Recorded, member: str, time_ms: int, after_ms: int) -> Rejected | None:
    if member not in record.get("gateways", (member,)):  # N4
        return Rejected("not_gateway", f"comments are taken by {', '.join(record['gateways'])}")
    until_ms = record["closes_ms"] + after_ms
    if record["status"] == CONCLUDED or time_ms > until_ms:  # N5
        return Rejected("closed", f"comments were recorded until {moment_text(until_ms)}")
    return None


def _fits(found: Recorded, args: Args) -> Rejected | None:
    if args["first"] != found["entries"] + 1:  # E5
        return Rejected("sequence", f"expected args.first {found['entries'] + 1}, got {args['first']}")
    if found["entries"] + len(args["entries"]) > MAX_ENTRIES:  # E6
        return Rejected("limit", f"a gateway records {MAX_ENTRIES} entries a consultation at most")
    return None


def _count(view: View, context: Context, record: Recorded, held: Recorded, args: Args) -> int:
    """Count entries in the record of their consultation, mark those whose text is withheld; return how many are."""
    name, member = args["consultation"], context.member
    classes = {who: record["classes"].get(who, 0) for who in CLASSES}
    reasons: dict[str, int] = dict(held["withheld"])
    withheld = 0
    marks = Marks(view, name, member)
    for number, entry in enumerate(args["entries"], args["first"]):
        classes[entry[2]] += 1
        if is_withheld(entry):  # E7
            marks.put(number, WITHHELD)
            reasons[entry[1]] = reasons.get(entry[1], 0) + 1
            withheld += 1
    if withheld:
        marks.save()
        view.put(office_key(member), {**held, "withheld": reasons})
    record["received"] += len(args["entries"])
    record["withheld"] += withheld
    record["classes"] = {who: count for who, count in classes.items() if count}
    if member not in record["recorded"]:
        record["recorded"] = [*record["recorded"], member]
    return withheld


ACTIONS: Final[dict[str, Action]] = {
    "receive": Action(
        arguments=Arguments(
            {
                "consultation": consultation_id,
                "first": Integer(1, MAX_ENTRIES),
                "entries": Many(entry_field, low=1, high=MAX_BATCH),
            }
        ),
        apply=_receive,
        title="Record comments that a gateway took, without their texts and without names",
        example={
            "consultation": "aml-2021",
            "first": 1,
            "entries": [["11" * 32, "22" * 32, "person", "comment", "33" * 16]],
        },
        capability="operate",
    ),
}
