"""What a rule may know of an event, its object and its block, and the types of these names.

Law: an event's facts are those on the ledger; a rule that names an attribute its process type does not declare is
refused before it runs.

docs/spec/rules.md, section Facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from coseal.contracts.process.chain import ObjectName
from coseal.contracts.process.items import time_ms as read_time_ms
from coseal.contracts.process.tallies import Declared, declared_tallies
from coseal.contracts.process.tally import Tally, figure, matched, sides
from coseal.contracts.rules.cel import parser as tree
from coseal.contracts.rules.cel.compile import LARGEST, Timestamp, Type, list_of, map_of, parse_type, record
from coseal.contracts.rules.cel.values import Digest, digest_of
from coseal.contracts.rules.errors import RuleError

Definition = Mapping[str, Any]
"""A normalised process type (``process.types.normalised``)."""

Place: TypeAlias = tuple[int, str, int]
"""Where something stands in the ledger: height, source, and the sequence of the first item that stood there."""

_KINDS: Final = {
    "string": "string",
    "integer": "int",
    "boolean": "bool",
    "time": "timestamp",
    "decimal": "string",
    "scaled": "int",
}
_SHORT_BYTES: Final = 32
FACTS: Final = "\0facts"
_SIZE: Final = "\0size"
"""What ``Event.made`` holds beside the values of expressions, by their texts."""
_CHARACTERS_A_SIZE: Final = 16
_NOTHING: Final[Mapping[str, Any]] = {"attributes": {}}
_DYN: Final = parse_type("dyn")
_STRING: Final = parse_type("string")
_INT: Final = parse_type("int")
EVENT_FIELDS: Final[Mapping[str, Type]] = {
    "id": _STRING,
    "type": _STRING,
    "time": parse_type("timestamp"),
    "recorded": parse_type("timestamp"),
    "source": _STRING,
    "member": _STRING,
    "sequence": parse_type("int"),
    "live": parse_type("bool"),
    "late": parse_type("bool"),
    "corrects": parse_type("bool"),
    "counterparty": _STRING,
    "policy": list_of(_STRING),
    "evidence": list_of(_STRING),
    "objects": list_of(parse_type("{type: string, id: string, qualifier: string}")),
}
MATCH_TYPE: Final = parse_type(
    "{verdict: string, mode: string, payable_quantity: int, payable: int, reasons: list(string)}"
)
FIGURES_STEPS: Final = 300
"""What it takes to make what the tallies of an object say, its match included."""
TALLY_FIELDS: Final = frozenset(("tally", "tally_of", "match"))
"""What of an object its tallies say."""
BLOCK_TYPE: Final = parse_type("{height: int, time: timestamp}")


@dataclass(frozen=True, slots=True)
class Event:
    """A recorded event: the process item, and what the ledger adds.

    ``item`` is valid, ``time_ms`` its occurrence; ``source`` is ``member/source``, ``zone_minutes`` its zone if it
    declares one, ``live`` whether its clock is the block time ``block_ms``. ``made`` is what was made of it for one
    object and serves others, too. ``first`` is the sequence of the item in whose place it stands, 0 for its own.
    ``tallied`` are the tallies of its objects after it, as far as they are known.
    """

    item: Mapping[str, Any]
    time_ms: int
    source: str
    sequence: int
    height: int
    block_ms: int
    live: bool = True
    zone_minutes: int | None = None
    made: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    first: int = 0
    tallied: Mapping[ObjectName, Tally] = field(default_factory=dict, compare=False, repr=False)

    @property
    def place(self) -> Place:
        """Where it stands in the ledger."""
        return self.height, self.source, self.first or self.sequence

    @property
    def size(self) -> int:
        """What charges go by, 0 to ``LARGEST`` (``size_of_item``)."""
        made = self.made
        if _SIZE not in made:
            made[_SIZE] = size_of_item(self.item, self.source)
        return made[_SIZE]  # type: ignore[no-any-return]

    @property
    def member(self) -> str:
        """The member that recorded it."""
        return self.source.partition("/")[0]


def times_of(definition: Definition | None, kinds: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """Return event type -> the attributes that are times, of some event types, for ``event_facts``."""
    if definition is None:
        return {}
    known = definition["event_types"]
    found = {
        name: frozenset(key for key, spec in known[name]["attributes"].items() if _kind_of(spec) == "timestamp")
        for name in kinds
        if name in known
    }
    return {name: times for name, times in found.items() if times}


def object_times(definition: Definition | None, kind: str) -> frozenset[str]:
    """Return the attributes of an object type that are times."""
    body = {} if definition is None else definition["object_types"].get(kind, {})
    return frozenset(name for name, spec in body.get("attributes", {}).items() if _kind_of(spec) == "timestamp")


def size_of_item(item: Mapping[str, Any], source: str) -> int:
    """Return the size of an event, 0 to ``LARGEST``.

    It is the entries of its longest list, or a sixteenth of the characters of its longest text if that is more. Texts
    in lists, of at most 128 characters, count as a list of 8 entries.
    """
    entries = len(item.get("objects", ()))
    if "policy" in item or "evidence" in item:
        entries = max(entries, len(item.get("policy", ())), len(item.get("evidence", ())))
    size = max(entries, 8) if entries else 0
    longest = max(len(source), len(item["event"]), len(item["type"]))
    for value in item.get("attributes", {}).values():
        if type(value) is str and len(value) > longest:
            longest = len(value)
    if longest > _CHARACTERS_A_SIZE * size:
        size = min(LARGEST, -(-longest // _CHARACTERS_A_SIZE))
    return size


def event_facts(event: Event, times: Mapping[str, frozenset[str]]) -> dict[str, Any]:
    """Return the value of ``e`` (and of ``a``, ``t``)."""
    item = event.item
    kind = item["type"]
    attributes = item.get("attributes", {})
    if kind in times and not times[kind].isdisjoint(attributes):
        attributes = {
            name: time_value(value, event.zone_minutes) if name in times[kind] else value
            for name, value in attributes.items()
        }
    facts = {
        "id": item["event"],
        "type": kind,
        "time": Timestamp(event.time_ms),
        "source": event.source,
        "member": event.member,
        "sequence": event.sequence,
        "live": event.live,
        "late": "late" in item,
        "corrects": "corrects" in item,
        "objects": [
            {"type": entry[0], "id": entry[1], "qualifier": entry[2] if len(entry) == 3 else ""}
            for entry in item.get("objects", ())
        ],
        "attributes": attributes,
    }
    if "recorded" in item:
        facts["recorded"] = time_value(item["recorded"], event.zone_minutes)
    for name in ("counterparty", "policy", "evidence"):
        if name in item:
            facts[name] = item[name]
    return facts


def time_value(value: Any, zone_minutes: int | None) -> Any:
    """Return the instant that a time's text names."""
    ms = read_time_ms(value, zone_minutes)
    return value if ms is None else Timestamp(ms)


def event_type(definition: Definition | None, kinds: Sequence[str]) -> Type:
    """Return the type of an event of one of ``kinds``; without a definition its attributes are ``dyn``."""
    return record({**EVENT_FIELDS, "attributes": attribute_types(definition, "event_types", kinds)})


def object_type(definition: Definition | None, kind: str) -> Type:
    """Return the type of ``o``."""
    attributes = attribute_types(definition, "object_types", (kind,))
    known = {"type": _STRING, "id": _STRING, "count": parse_type("int"), "attributes": attributes}
    return record({**known, **_figure_types(definition, kind)})


def _figure_types(definition: Definition | None, kind: str) -> dict[str, Type]:
    """Return the types of what an object's tallies say: none where its type declares no tally."""
    if definition is None:  # F2
        return {"tally": map_of(_INT), "tally_of": map_of(map_of(_INT)), "match": MATCH_TYPE}
    declared = declared_tallies(definition).get(kind)
    if declared is None:
        return {}
    sums = {
        "tally": record(dict.fromkeys(declared.tallies, _INT)),
        "tally_of": record(dict.fromkeys(declared.tallies, map_of(_INT))),
    }
    return sums if declared.matched is None else {**sums, "match": MATCH_TYPE}


def tally_facts(
    declared: Declared | None, fields: Iterable[str], event: Event, name: ObjectName
) -> Mapping[str, Any]:  # F4
    """Return of what an object's tallies say the ``fields`` that rules read; nothing where they are not known."""
    tally = event.tallied.get(name)
    if declared is None or tally is None:
        return {}
    found: dict[str, Any] = {}
    other = event.item.get("counterparty", event.member)
    for field_name in fields:
        if field_name == "tally":
            sums = ((name, tally.total(name)) for name in declared.tallies)
            found["tally"] = {name: value for name, value in sums if value is not None}
        elif field_name == "tally_of":
            found["tally_of"] = {name: _by_member(tally, name, (event.member, other)) for name in declared.tallies}
        elif declared.matched is not None:
            buyer, seller = sides(declared, tally, event.item["type"], event.member, other)
            match = matched(declared, tally, buyer, seller)
            if match is not None:
                found["match"] = {
                    "verdict": match.verdict,
                    "mode": match.mode,
                    "payable_quantity": match.payable_quantity,
                    "payable": match.payable_amount,
                    "reasons": list(match.reasons),
                }
    return found


def _by_member(tally: Tally, name: str, always: Iterable[str]) -> dict[str, int]:
    members = (*tally.members, *(member for member in always if member not in tally.members))
    sums = ((member, figure(tally.row(member)[3], name)) for member in members)
    return {member: value for member, value in sums if value is not None}


def related_type(definition: Definition | None, kind: str) -> Type:
    """Return the type of ``r``, a related object."""
    return record({"type": _STRING, "id": _STRING, "attributes": attribute_types(definition, "object_types", (kind,))})


def attribute_types(
    definition: Definition | None, part: str, kinds: Sequence[str], *, sealed: bool | None = None
) -> Type:
    """Return the type of the attributes of some types of events or objects.

    With ``sealed`` true those of the class ``sealed`` alone, by the types of their values; with false the others.
    """
    if definition is None:
        return map_of(_DYN)  # F2
    found: dict[str, Type] = {}
    for kind in kinds:
        for name, spec in definition[part].get(kind, _NOTHING)["attributes"].items():
            if sealed in (None, spec["class"] == "sealed"):
                known = parse_type(_KINDS[spec["type"]] if sealed else _kind_of(spec))
                found[name] = known if found.get(name, known) == known else _DYN
    return record(found)


def _kind_of(spec: Mapping[str, Any]) -> str:
    return "string" if spec["class"] == "sealed" else _KINDS[spec["type"]]  # F1


@dataclass(frozen=True, slots=True)
class Used:
    """What an expression reads of one variable: its fields, and of its attributes the names."""

    fields: tuple[str, ...]
    attributes: tuple[str, ...]

    def kept(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Return what has to be kept of an event's facts, as a value the ledger can encode."""
        result: dict[str, Any] = {name: _kept(facts[name]) for name in self.fields if name in facts}
        if self.attributes:
            attributes = facts["attributes"]
            result["attributes"] = {name: _kept(attributes[name]) for name in self.attributes if name in attributes}
        return result


def short(text: str) -> str | bytes:
    """Return what state keeps of a text that is only compared: the text, or the digest of a longer one."""
    if len(text) <= _SHORT_BYTES and (text.isascii() or len(_encoded(text)) <= _SHORT_BYTES):  # D9, M5
        return text
    return digest_of(text)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _kept(value: Any) -> Any:
    """Return what state keeps of a fact: texts as ``short`` makes them, the rest as ``plain`` does."""
    kind = type(value)
    if kind is str:
        return short(value)
    if kind is list:
        return [_kept(entry) for entry in value]
    if kind is dict:
        return {name: _kept(entry) for name, entry in value.items()}
    return plain(value)


def plain(value: Any) -> Any:
    """Return a value of a fact as the ledger can encode it."""
    return {"ms": value.ms} if type(value) is Timestamp else value


def restored(kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts that ``Used.kept`` kept."""
    result = {name: _restored(value) for name, value in kept.items() if name != "attributes"}
    result["attributes"] = {name: _restored(value) for name, value in kept.get("attributes", {}).items()}
    return result


def _restored(kept: Any) -> Any:
    kind = type(kept)
    if kind is bytes:
        return Digest(kept)
    if kind is list:
        return [_restored(entry) for entry in kept]
    if kind is dict and "ms" not in kept:
        return {name: _restored(entry) for name, entry in kept.items()}
    return rich(kept)


def rich(value: Any) -> Any:
    """Return the value of a fact that ``plain`` made encodable."""
    return Timestamp(value["ms"]) if type(value) is dict else value


def used(text: str, variable: str, path: str) -> Used:
    """Return what ``text`` reads of ``variable``; raises RuleError where that is not told by constant names.

    Only what is read is kept in state until the other event comes.
    """
    fields: dict[str, None] = {}
    attributes: dict[str, None] = {}

    def walk(node: tree.Node) -> None:
        chain = _constant_path(node)
        if chain is not None and chain[0] == variable:
            if len(chain) == 1 or chain[1:] == ["attributes"]:
                what = variable if len(chain) == 1 else f"{variable}.attributes"
                raise RuleError(path, node.position, f"name what is read of {what}, as {what}.name")  # F3
            if chain[1] == "attributes":
                attributes[chain[2]] = None
            else:
                fields[chain[1]] = None
            return
        for child in _children(node):
            walk(child)

    walk(tree.parse(text, path))
    return Used(tuple(fields), tuple(attributes))


def _constant_path(node: tree.Node) -> list[str] | None:
    """Return ``[variable, field, ...]`` of selections and constant indexes, or None."""
    if type(node) is tree.Variable and not node.item:
        return [node.name]
    if type(node) is tree.Select:
        holder, name = _constant_path(node.operand), node.field
    elif type(node) is tree.Call and node.function == "_[_]" and type(node.operands[1]) is tree.Literal:
        if type(node.operands[1].value) is not str:
            return None
        holder, name = _constant_path(node.operands[0]), node.operands[1].value
    else:
        return None
    return None if holder is None else [*holder, name]


def _children(node: tree.Node) -> Sequence[tree.Node]:
    match node:
        case tree.Select():
            return (node.operand,)
        case tree.Call() | tree.Logic():
            return node.operands
        case tree.Conditional():
            return (node.condition, node.accepted, node.rejected)
        case tree.Macro():
            return (node.range, node.body)
        case tree.ListLiteral():
            return node.items
        case tree.MapLiteral():
            return (*node.keys, *node.values)
        case _:
            return ()
