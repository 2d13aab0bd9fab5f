"""Attestation: the counterparty that an event names confirms the event or disputes it.

Law: only the named member speaks, and a confirmation is final; a dispute can be followed by a confirmation alone,
for disputes get settled, and what was confirmed is changed by a correction that both parties see. Which operator spoke
is kept. What begins or ends a dispute shows the event, so that others judge again what rests on it.

contracts/process/README.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from coseal.contracts.kernel.action import (
    INVALID,
    SUSPENDED,
    Accepted,
    Action,
    Args,
    Arguments,
    Context,
    Reader,
    Rejected,
    Result,
    View,
)
from coseal.contracts.kernel.budget import ITEM_STEPS
from coseal.contracts.kernel.fields import Hexadecimal, Later, Many, OneOf, Text
from coseal.contracts.process.chain import decoded_item_hash
from coseal.contracts.process.corrections import HISTORY, ITEM_EXAMPLE
from coseal.contracts.process.items import MAX_REFERENCES
from coseal.contracts.process.state import attestation_key, source_key, type_key

OPEN: Final = "open"
DISPUTED: Final = "disputed"
_STATUS: Final = {"confirm": "confirmed", "dispute": DISPUTED}


class Contested(NamedTuple):
    """What others observe of a dispute that begins or ends: the event, and what is shown of its objects.

    ``source`` is ``member/source``; ``history`` is what the transaction shows, None for nothing.
    """

    source: str
    sequence: int
    item: Any
    hashed: bytes
    definition: Mapping[str, Any]
    history: Any


def attestation(reader: Reader, item_hash: bytes) -> dict[str, Any] | None:
    """Return what is said about an item, and by which operator (``by``); None for one without a counterparty."""
    value: Any = reader.get(attestation_key(item_hash))
    return None if value is None else dict(value)


def is_disputed(reader: Reader, item: Any, item_hash: bytes) -> bool:
    """Say whether an item that was recorded is disputed now; only an event with a counterparty may be."""
    if "counterparty" not in item:
        return False
    record: Any = reader.get(attestation_key(item_hash))
    return record is not None and record["status"] == DISPUTED


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


def _attest(view: View, context: Context, args: Args) -> Result | Accepted | Rejected:
    key = attestation_key(bytes.fromhex(args["item"]))
    record: Any = view.get(key)
    if record is None:
        return Rejected("unknown_item", f"no event with a counterparty has the hash {args['item']}")
    if record["counterparty"] != context.member:  # T15
        return Rejected("forbidden", f"the event names {record['counterparty']} as counterparty, not {context.member}")
    before, status = record["status"], _STATUS[args["verdict"]]
    if before == "confirmed" or before == status:  # T16
        return Rejected("already_attested", f"{context.member} has {before} this event at height {record['height']}")
    contested = _contested(view, record, args) if DISPUTED in (before, status) else None
    if isinstance(contested, Rejected):
        return contested
    changed = {name: value for name, value in record.items() if name not in ("reason", "evidence")}
    changed |= {name: args[name] for name in ("reason", "evidence") if name in args}
    changed |= {"status": status, "by": context.sender, "height": context.height}
    if before == DISPUTED:
        changed["disputed_height"] = record["height"]
    view.put(key, changed)
    data: Result = {
        "item": args["item"],
        "status": status,
        "source": record["source"],
        "sequence": record["sequence"],
        "owner": record["owner"],
        "by": context.sender,
    }
    return data if contested is None else Accepted(data, contested)


# T18
def _contested(view: View, record: Mapping[str, Any], args: Args) -> Contested | Rejected:
    """Return what a dispute that begins or ends is about, or a refusal."""
    source, sequence = record["source"], record["sequence"]
    if "attested" not in args:
        shows = f"a dispute, or a confirmation after one, shows item {sequence} of {source}"
        detail = f"args.attested: missing; {shows}; `coseal submit` puts it in"
        return Rejected("attested_missing", detail)
    view.charge(ITEM_STEPS)
    hashed = decoded_item_hash(source, sequence, args["attested"])
    if hashed.hex() != args["item"]:
        return Rejected("invalid_item", f"args.attested: item {sequence} of {source} has another hash")
    registered: Any = view.get(source_key(source))
    definition: Any = view.get(type_key(registered["process_type"]))
    return Contested(source, sequence, args["attested"], hashed, definition, args.get("history"))


_arguments = Arguments(
    {"item": Hexadecimal(), "verdict": OneOf("confirm", "dispute")},
    {
        "reason": Text(high=1_000),
        "evidence": Many(Hexadecimal(), high=MAX_REFERENCES, low=1, unique=True),
        "attested": Later(
            "the item that is attested, as it was recorded",
            refused=(None, 1, {}, ITEM_EXAMPLE),
            passed=(ITEM_EXAMPLE,),
        ),
        "history": HISTORY,
    },
    _check_reason,
)

ATTEST: Final = Action(
    arguments=_arguments,
    apply=_attest,
    title="Confirm or dispute an event that names the own member as counterparty",
    example={"item": "00" * 32, "verdict": "dispute", "reason": "The delivery was short by two boxes"},
    standing=SUSPENDED,
    pausable=False,
)
