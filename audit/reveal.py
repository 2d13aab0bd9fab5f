"""Sealed values of one object, shown to anyone: each with its salt, beside the object's history.

Law: a value counts only if it and its salt lead to the commitment that a proven item carries under that name, at that
place; no key is needed, and nothing is learnt of the values that are not shown.

docs/spec/audit.md, section Reveal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from coseal.audit import certified
from coseal.audit.certified import Judged, block_text
from coseal.audit.history import record_of, verify_history
from coseal.audit.steps import Trace
from coseal.ledger import codec, sealed
from coseal.ledger.codec import Value
from coseal.ledger.errors import BadProof, Malformed
from coseal.ledger.genesis import Genesis
from coseal.ledger.proof import CertifiedValue
from coseal.ledger.render import document_fields

KIND: Final = "reveal"
STEP_NAMES: Final = ("form", "chain", "header", "validators", "certificate", "state path", "items", "values")
MAX_VALUES: Final = 1_000
_NAMES: Final = frozenset({"coseal", "version", "history", "values"})
_VALUE_NAMES: Final = frozenset({"source", "sequence", "name", "salt", "value"})


class Revealed(NamedTuple):
    """A sealed value: of which item, under which name, and the salt (32 bytes) of its commitment."""

    source: str
    sequence: int
    name: str
    salt: bytes
    value: Value


class Shown(NamedTuple):
    """What a document shows: a history without its handovers, the record in it, and values. Nothing is proven yet."""

    history: Mapping[str, Any]
    record: CertifiedValue
    values: Sequence[Revealed]


def read(value: Any) -> Shown:
    """Return what a document shows; raise ``Malformed``. Proves nothing yet."""
    fields = document_fields(value, KIND, _NAMES)
    history = codec.mapping(fields["history"], f"{KIND}.history")
    rows = codec.sequence(fields["values"], f"{KIND}.values", limit=MAX_VALUES)
    if not rows:
        raise Malformed(f"{KIND}.values: there is none")
    values = tuple(map(_value, rows))
    if len(set(values)) < len(values):
        raise Malformed(f"{KIND}.values: one is shown twice")
    return Shown(history, record_of(history), values)


def _value(row: Any) -> Revealed:
    fields = codec.all_fields(row, "value", _VALUE_NAMES)
    value = fields["value"]
    if type(value) not in (str, int, bool):
        raise Malformed("value.value: expected a text, an integer or a truth value")
    return Revealed(
        codec.text(fields["source"], "value.source", limit=129),
        codec.integer(fields["sequence"], "value.sequence", low=1),
        codec.text(fields["name"], "value.name", limit=128),
        _salt(fields["salt"]),
        value,
    )


def _salt(text: Any) -> bytes:
    try:
        if type(text) is not str or text != text.lower():
            raise ValueError
        return codec.octets(bytes.fromhex(text), "value.salt", size=sealed.SALT_BYTES)
    except ValueError:
        raise Malformed("value.salt: expected lower-case hexadecimal") from None


def verify_reveal(document: Any, genesis: Genesis, trace: Trace) -> tuple[str, dict[str, Any], Judged]:
    """Return in words and as facts what a document proves; raise a ``LedgerError`` unless it does."""
    shown, handovers = certified.read(document, trace, read)
    judged = certified.judge(shown.record.header, shown.record.certificate, handovers, genesis, trace)
    certified.state_path(shown.record, trace)
    with trace.step("items", "contracts/process/README.md T13, T14") as seen:
        history = verify_history(shown.history, genesis, validators=judged.validators)
        seen.values = {"items": len(history.items)}
        seen.detail = f"{len(history.items)} items hash to the head, and are as many, as the certified record says"
    with trace.step("values", "audit.md A43; disclosure.md B2") as seen:
        seen.values = {"values": len(shown.values)}
        items = {(source, sequence): item for source, sequence, item in history.items}
        carrying = [require_committed(each, items.get((each.source, each.sequence))) for each in shown.values]
        seen.detail = f"{len(carrying)} values with their salts are those that the items commit to"
    name = f"{history.object_type} {history.object_id}"
    facts = {
        "process_type": history.process_type,
        "object": name,
        "items": len(history.items),
        "values": [_fact(each, item) for each, item in zip(shown.values, carrying, strict=True)],
    }
    values = "this sealed value" if len(carrying) == 1 else f"these {len(carrying)} sealed values"
    return f"{name} was recorded with {values}, as of {block_text(judged.header)}", facts, judged


def require_committed(revealed: Revealed, item: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return the item that commits to a value; raise ``BadProof`` if there is none."""
    source, sequence, name, salt, value = revealed
    where = f"item {sequence} of {source}"
    if item is None:
        raise BadProof(f"{where} is not one of these items")
    try:
        commitment = sealed.commitment(salt, source, sequence, name, value).hex()
    except (TypeError, ValueError, OverflowError) as error:
        raise Malformed(f"the value of {name} in {where} has no encoding: {error}") from None
    if commitment not in committed(item, name):
        raise BadProof(f"{where} does not commit to this value of {name}")  # A43
    return item


def committed(item: Mapping[str, Any], name: str) -> list[Any]:
    """Return what an item has under the name of an attribute: of an object, each of its values in time."""
    attributes = item.get("attributes", ())
    if isinstance(attributes, Mapping):
        return [attributes[name]] if name in attributes else []
    return [value for each_name, _, value in attributes if each_name == name]


def reveal_json(history: Mapping[str, Any], values: Sequence[Revealed]) -> dict[str, Any]:
    """Return the document: a history as ``history_json`` has it, and values."""
    rows = [{**each._asdict(), "salt": each.salt.hex()} for each in values]
    return {"coseal": KIND, "version": 1, "history": dict(history), "values": rows}


def _fact(revealed: Revealed, item: Mapping[str, Any]) -> dict[str, Any]:
    kind = next((name for name in ("event", "object", "change") if name in item), "relation")
    named = {"source": revealed.source, "sequence": revealed.sequence, "item": f"{kind} {item.get(kind)}"}
    return {**named, "type": item.get("type"), "name": revealed.name, "value": revealed.value}
