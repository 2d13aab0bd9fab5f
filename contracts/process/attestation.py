"""Attestation: the counterparty that an event names confirms the event or disputes it.

Law: only the named member speaks, and a confirmation is final; a dispute can be followed by a confirmation alone,
for disputes get settled, and what was confirmed is changed by a correction that both parties see. Which operator spoke
is kept.

contracts/process/README.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from coseal.contracts.kernel.action import INVALID, Action, Args, Arguments, Context, Reader, Rejected, Result, View
from coseal.contracts.kernel.fields import Hexadecimal, Many, OneOf, Text
from coseal.contracts.process.items import MAX_REFERENCES
from coseal.contracts.process.state import attestation_key

OPEN: Final = "open"
_STATUS: Final = {"confirm": "confirmed", "dispute": "disputed"}


def attestation(reader: Reader, item_hash: bytes) -> dict[str, Any] | None:
    """Return what is said about an item, and by which operator (``by``); None for one without a counterparty."""
    value: Any = reader.get(attestation_key(item_hash))
    return None if value is None else dict(value)


def await_attestation(
    view: View, context: Context, *, item_hash: bytes, source: str, sequence: int, counterparty: str
) -> None:
    """Note that ``counterparty`` is asked about an event that ``context.member`` records."""
    record = {
        "owner": context.member,
        "source": source,
        "sequence": sequence,
        "counterparty": counterparty,
        "status": OPEN,
        "height": context.height,
    }
    view.put(attestation_key(item_hash), record)


def _check_reason(args: Args) -> Iterator[Rejected]:
    if args["verdict"] == "dispute" and "reason" not in args:
        yield Rejected(INVALID, "args.reason: missing; a dispute says why")


def _attest(view: View, context: Context, args: Args) -> Result | Rejected:
    key = attestation_key(bytes.fromhex(args["item"]))
    record: Any = view.get(key)
    if record is None:
        return Rejected("unknown_item", f"no event with a counterparty has the hash {args['item']}")
    if record["counterparty"] != context.member:  # T15
        return Rejected("forbidden", f"the event names {record['counterparty']} as counterparty, not {context.member}")
    before, status = record["status"], _STATUS[args["verdict"]]
    if before == "confirmed" or before == status:  # T16
        return Rejected("already_attested", f"{context.member} has {before} this event at height {record['height']}")
    changed = {name: value for name, value in record.items() if name not in ("reason", "evidence")}
    changed |= {name: args[name] for name in ("reason", "evidence") if name in args}
    changed |= {"status": status, "by": context.sender, "height": context.height}
    if before == "disputed":
        changed["disputed_height"] = record["height"]
    view.put(key, changed)
    return {
        "item": args["item"],
        "status": status,
        "source": record["source"],
        "sequence": record["sequence"],
        "owner": record["owner"],
        "by": context.sender,
    }


_arguments = Arguments(
    {"item": Hexadecimal(), "verdict": OneOf("confirm", "dispute")},
    {
        "reason": Text(high=1_000),
        "evidence": Many(Hexadecimal(), high=MAX_REFERENCES, low=1, unique=True),
    },
    _check_reason,
)

ATTEST: Final = Action(
    arguments=_arguments,
    apply=_attest,
    title="Confirm or dispute an event that names the own member as counterparty",
    example={"item": "00" * 32, "verdict": "dispute", "reason": "The delivery was short by two boxes"},
)
