"""Process types: which objects, events and attributes a process has, how each attribute is classified, versioned.

Law: a version never changes; its hash names it; a person's data enters the chain as a commitment or not at all.

contracts/process/README.md, section Actions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from coseal.contracts.kernel.action import (
    INVALID,
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
from coseal.contracts.kernel.fields import (
    Boolean,
    Identifier,
    Integer,
    Many,
    Name,
    OneOf,
    Record,
    Short,
    Table,
    Translatable,
)
from coseal.contracts.kernel.names import folded
from coseal.contracts.policy.notices import UNITS, virtual_currency
from coseal.contracts.process.state import definition_key, type_key
from coseal.contracts.process.tallies import (
    MATCH,
    TALLIES,
    changed_tally,
    count_terms,
    normalised_tallies,
    tally_faults,
)
from coseal.ledger import codec

KINDS: Final = ("string", "integer", "boolean", "time", "decimal", "scaled")
CLASSES: Final = ("public", "restricted", "sealed")
MAX_OBJECT_TYPES: Final = 256
MAX_EVENT_TYPES: Final = 1_024
MAX_ATTRIBUTES: Final = 128
_ATTRIBUTE_STEPS: Final = 12
MAX_SCALE: Final = 18
DEFAULT_EARLY_MS: Final = 300_000
DEFAULT_LATE_MS: Final = 86_400_000
MAX_LATE_MS: Final = 366 * 86_400_000
TAG_DEFINITION: Final = b"coseal/definition/1".ljust(24, b"\0")

_PERSONAL_NAMES = """
birthdate birthday bankaccount cellphone dateofbirth email emailaddress firstname fullname givenname homeaddress idcard
idcardno idnumber identitycard lastname mobile mobilenumber nationalid passport passportno passportnumber personname
phone phonenumber surname telephone 住址 出生日期 姓名 手机 手机号 电话 身份证 身份证号 邮箱
"""
PERSONAL: Final = frozenset(_PERSONAL_NAMES.split())
"""Attribute names, without separators and in lower case, that stand for the data of a person."""

RESERVED: Final[frozenset[str]] = frozenset(("currency", "disclosure", "trade"))
"""Process types that no member defines: what they name are things of contracts."""

_PLAIN: Final = {ord(c): None for c in " _-."} | {ord("A") + i: ord("a") + i for i in range(26)}


@dataclass(frozen=True, slots=True)
class Defined:
    """What others observe of a definition: the one before it, None of a new type, and itself."""

    before: Mapping[str, Any] | None
    definition: Mapping[str, Any]


def definition_hash(definition: Mapping[str, Any]) -> bytes:
    """Return the 32-byte hash of a normalised definition (see ``normalised``)."""
    return sha256(TAG_DEFINITION + codec.encode(dict(definition))).digest()  # T4


def normalised(args: Args) -> dict[str, Any]:
    """Return the definition that arguments of ``process.define_type`` stand for, every default written out."""
    return {
        "id": args["id"],
        "version": args["version"],
        "title": args["title"],
        "object_types": _full_types(args["object_types"]),
        "event_types": _full_types(args["event_types"]),
        "gaps": args.get("gaps", "refuse"),
        "early_ms": args.get("early_ms", DEFAULT_EARLY_MS),
        "late_ms": args.get("late_ms", DEFAULT_LATE_MS),
        "legal_basis": list(args.get("legal_basis", [])),
        **normalised_tallies(args),
    }


def process_type(reader: Reader, type_id: str) -> dict[str, Any] | None:
    """Return the current definition of a process type, or None."""
    value: Any = reader.get(type_key(type_id))
    return value  # type: ignore[no-any-return]


def _full_types(types: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {"attributes": {item: _full(spec) for item, spec in body.get("attributes", {}).items()}}
        for name, body in types.items()
    }


def _full(spec: str | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(spec, str):
        return {"type": spec, "class": "public"}
    return {"class": "public", **spec}


# The action


def _check_attributes(args: Args) -> Iterator[Rejected]:
    for part in ("object_types", "event_types"):
        for type_name, body in args[part].items():
            for name, spec in body.get("attributes", {}).items():
                refusal = _check_attribute(f"args.{part}.{type_name}.attributes.{name}", part, name, _full(spec))
                if refusal is not None:
                    yield refusal
    for fault in tally_faults(args):
        yield Rejected(INVALID, fault)


def _check_attribute(path: str, part: str, name: str, spec: Mapping[str, Any]) -> Rejected | None:
    if (spec["type"] == "scaled") != ("scale" in spec):
        return Rejected(INVALID, f"{path}.scale: needed with type scaled, and only with it")
    if "label" in spec and spec["class"] != "sealed":  # T30
        return Rejected(INVALID, f"{path}.label: for the class sealed only; it names the cell that the value is in")
    if part == "object_types" and "required" in spec:
        return Rejected(INVALID, f"{path}.required: for event types only; an object's values come one by one")
    if spec["class"] != "sealed" and folded(name) in PERSONAL:  # T3
        return Rejected("personal_data", f"{path}: a person's data; give it the class sealed, or leave it out")
    return None


def next_definition(view: View, context: Context, args: Args) -> dict[str, Any] | Rejected:
    """Return the definition that the state would hold, if the sender may define this version of the type."""
    type_id, version = args["id"], args["version"]
    if type_id in RESERVED:  # T19
        return Rejected("reserved", f"the process type {type_id} is a contract's own; choose another id")
    for name in args["object_types"]:
        if folded(name) in UNITS:  # T20
            detail = f"args.object_types.{name}: {virtual_currency(view, context.time_ms)}"
            return Rejected("virtual_currency", detail)
    current: Any = view.get(type_key(type_id))
    if current is not None and current["member"] != context.member:
        return Rejected("forbidden", f"process type {type_id} belongs to {current['member']}; choose another id")
    expected = 1 if current is None else current["version"] + 1
    if version != expected:
        return Rejected("version", f"expected version {expected} of {type_id}, got {version}")
    view.charge(_ATTRIBUTE_STEPS * _entries(args))
    definition = normalised(args)
    changed = None if current is None else changed_tally(current, definition)
    if changed is not None:
        return Rejected("tally_changed", changed)
    digest = definition_hash(definition).hex()
    return {**definition, "member": context.member, "definition": digest, "height": context.height}


def _entries(args: Args) -> int:
    """Return how many types and attributes a definition has."""
    bodies = (body for part in ("object_types", "event_types") for body in args[part].values())
    return sum(1 + len(body.get("attributes", ())) for body in bodies) + count_terms(args)


def put_definition(view: View, definition: Mapping[str, Any]) -> Result:
    """Make a definition the current one of its type; return the receipt's data."""
    type_id, version, digest = definition["id"], definition["version"], definition["definition"]
    view.put(type_key(type_id), dict(definition))
    view.put(definition_key(type_id, version), digest)
    return {"id": type_id, "version": version, "definition": digest}


def _define(view: View, context: Context, args: Args) -> Accepted | Rejected:
    definition = next_definition(view, context, args)  # T1
    if isinstance(definition, Rejected):
        return definition
    before: Any = view.get(type_key(args["id"]))
    return Accepted(put_definition(view, definition), Defined(before, definition))


_kind = OneOf(*KINDS)
_attribute = Short(
    _kind,
    Record(
        {"type": _kind},
        {"class": OneOf(*CLASSES), "required": Boolean(), "scale": Integer(0, MAX_SCALE), "label": Name()},
    ),
)
_body = Record({}, {"attributes": Table(_attribute, high=MAX_ATTRIBUTES)})
_arguments = Arguments(
    {
        "id": Identifier(slash=False),
        "version": Integer(1, 1_000_000),
        "title": Translatable(),
        "object_types": Table(_body, high=MAX_OBJECT_TYPES, key=Identifier(slash=False)),
        "event_types": Table(_body, high=MAX_EVENT_TYPES),
    },
    {
        "gaps": OneOf("refuse", "record"),
        "early_ms": Integer(0, DEFAULT_LATE_MS),
        "late_ms": Integer(0, MAX_LATE_MS),
        "legal_basis": Many(Identifier(), high=16, unique=True),
        "tallies": TALLIES,
        "match": MATCH,
    },
    _check_attributes,
)

DEFINE_TYPE: Final = Action(
    arguments=_arguments,
    apply=_define,
    title="Define a process type, or its next version",
    example={
        "id": "fines",
        "version": 1,
        "title": "Road traffic fines",
        "object_types": {"case": {}},
        "event_types": {"Create Fine": {"attributes": {"amount": {"type": "decimal", "required": True}}}},
    },
)
