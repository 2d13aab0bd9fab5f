"""What a process type declares of tallies and of matching: its form, its checks, and what is compiled of it.

Law: a declaration names only what its type has, and what is in force of a tally never changes but by what is added.

contracts/process/README.md, section Tallies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from coseal.contracts.kernel.fields import Identifier, Integer, Label, Many, OneOf, Record, Special, Table
from coseal.contracts.kernel.memo import remember
from coseal.contracts.process.matching import DEFAULT_MODE, FIGURES, MODES, QUANTITIES, Terms

MAX_TALLIES: Final = 16
MAX_TERMS: Final = 16
MAX_TALLIED_TYPES: Final = 16
MAX_SCALE: Final = 18
MAX_PPM: Final = 10**6
MAX_CONSTANT: Final = 1_000
_AMOUNT_SCALE: Final = 2
_ADDABLE: Final = ("integer", "scaled", "decimal")


class Term(NamedTuple):
    """What one event adds to a tally: a ``constant``, or the value of ``attribute``, which has ``own`` digits or -1.

    An integer of it counts ``factor`` units of the tally, 0 where that has to be found out. The event has to agree in
    ``agrees``, the attribute that says unit or currency, with the ``place`` of it in a row; with "" in nothing.
    """

    tally: str
    attribute: str
    constant: int
    scale: int
    own: int
    sign: int
    factor: int
    agrees: str
    place: int


@dataclass(frozen=True, slots=True)
class Declared:
    """The tallies of an object type: ``terms`` by event type, the names of ``tallies``, and how it is matched.

    ``said`` are the attributes that say mode, unit and currency, by their place in a row. ``sellers`` are the event
    types that a seller records: invoices.
    """

    tallies: tuple[str, ...]
    scales: Mapping[str, int]
    terms: Mapping[str, tuple[Term, ...]]
    default: str
    matched: Terms | None
    sellers: frozenset[str]
    said: tuple[tuple[int, str], ...]


def declared_tallies(definition: Mapping[str, Any] | None) -> Mapping[str, Declared]:
    """Return by object type what a normalised definition declares; nothing without one."""
    if definition is None or "tallies" not in definition:
        return {}
    key = definition.get("definition")  # a definition is named by its hash
    if key is None:
        return _compiled(definition)
    found = _declared.get(key)
    if found is None:
        found = _compiled(definition)
        remember(_declared, key, found)
    return found


_declared: Final[dict[str, Mapping[str, Declared]]] = {}


def _compiled(definition: Mapping[str, Any]) -> dict[str, Declared]:
    matches = definition.get("match", {})
    return {kind: _of_type(definition, tallies, matches.get(kind)) for kind, tallies in definition["tallies"].items()}


def _of_type(definition: Mapping[str, Any], tallies: Mapping[str, Any], match: Mapping[str, Any] | None) -> Declared:
    terms: dict[str, list[Term]] = {}
    sellers = set()
    given = match or {}
    said = (given.get("mode", {}).get("attribute", ""), given.get("unit", ""), given.get("currency", ""))
    for name, entries in tallies.items():
        place = 1 if name in QUANTITIES else 2
        agrees = said[place] if name in FIGURES else ""
        for entry in entries:
            attributes = definition["event_types"][entry["on"]]["attributes"]
            terms.setdefault(entry["on"], []).append(_term(name, entry, attributes, agrees, place))
            if match is not None and name in ("invoiced", "invoiced_amount"):
                sellers.add(entry["on"])
    match_terms = None
    if match is not None:
        match_terms = Terms(match["quantity_ppm"], match["price_ppm"], match["amount_fen"])
    return Declared(
        tallies=tuple(sorted(tallies)),
        scales={name: entries[0]["scale"] for name, entries in tallies.items()},
        terms={kind: tuple(found) for kind, found in terms.items()},
        default=given.get("mode", {}).get("default", DEFAULT_MODE),
        matched=match_terms,
        sellers=frozenset(sellers),
        said=tuple((place, name) for place, name in enumerate(said) if name),
    )


def _term(name: str, entry: Mapping[str, Any], attributes: Mapping[str, Any], agrees: str, place: int) -> Term:
    add, scale, sign = entry["add"], entry["scale"], entry["sign"]
    if type(add) is int:
        return Term(name, "", sign * add * 10**scale, scale, 0, sign, 0, "", place)
    spec = attributes[add]
    own = {"integer": 0, "decimal": -1}.get(spec["type"], spec.get("scale", 0))
    factor = 10 ** (scale - own) if 0 <= own <= scale else 0
    return Term(name, add, 0, scale, own, sign, factor, agrees, place)


# What process.define_type has of it


def normalised_tallies(args: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``tallies`` and ``match`` of a definition with every default written out; neither, where it has none."""
    found: dict[str, Any] = {}
    if args.get("tallies"):
        found["tallies"] = {
            kind: {
                name: [{"scale": 0, "sign": 1, **entry} for entry in sorted(entries, key=_on)]
                for name, entries in tallies.items()
            }
            for kind, tallies in args["tallies"].items()
        }
    if args.get("match"):
        found["match"] = {kind: _full_match(match) for kind, match in args["match"].items()}
    return found


def _on(entry: Mapping[str, Any]) -> str:
    on: str = entry["on"]
    return on


def _full_match(match: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "quantity_ppm": 0,
        "price_ppm": 0,
        "amount_fen": 0,
        **match,
        "mode": {"default": DEFAULT_MODE, **match.get("mode", {})},
    }


def count_terms(args: Mapping[str, Any]) -> int:
    """Return how many terms the tallies of a definition have."""
    return sum(len(terms) for tallies in args.get("tallies", {}).values() for terms in tallies.values())


def tally_faults(args: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with ``tallies`` and ``match``, each field of which has its form."""
    for kind, tallies in args.get("tallies", {}).items():  # T21
        where = f"args.tallies.{kind}"
        if kind not in args["object_types"]:
            yield f"{where}: '{kind}' is no object type of this definition"
        for name, entries in tallies.items():
            yield from _term_faults(args, f"{where}.{name}", entries)
    for kind, match in args.get("match", {}).items():
        yield from _match_faults(args, kind, match)


def _term_faults(args: Mapping[str, Any], where: str, entries: list[Any]) -> Iterator[str]:
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        on, add = entry["on"], entry["add"]
        if on in seen:
            yield f"{where}[{index}].on: '{on}' stands twice in this tally"
        seen.add(on)
        if entry.get("scale", 0) != entries[0].get("scale", 0):
            yield f"{where}[{index}].scale: expected {entries[0].get('scale', 0)}, as all of this tally"
        body = args["event_types"].get(on)
        if body is None:
            yield f"{where}[{index}].on: '{on}' is no event type of this definition"
        elif type(add) is str:
            spec = _spec(body, add)
            if spec is None or spec["type"] not in _ADDABLE or spec.get("class") == "sealed":
                kinds = ", ".join(_ADDABLE)
                yield f"{where}[{index}].add: expected an attribute of '{on}' that is {kinds}, and not sealed"


def _match_faults(args: Mapping[str, Any], kind: str, match: Mapping[str, Any]) -> Iterator[str]:  # T22
    where, tallies = f"args.match.{kind}", args.get("tallies", {}).get(kind, {})
    for name in FIGURES:
        if name not in tallies:
            yield f"{where}: {kind} has no tally '{name}'; matching needs {', '.join(FIGURES)}"
            return
    scales = {name: tallies[name][0].get("scale", 0) for name in FIGURES}
    if len({scales[name] for name in QUANTITIES}) > 1:
        yield f"{where}: the tallies {', '.join(QUANTITIES)} need one scale"
    for name in FIGURES:
        if name not in QUANTITIES and scales[name] != _AMOUNT_SCALE:
            yield f"{where}: the tally {name} needs scale {_AMOUNT_SCALE}: it is counted in fen"
    texts = {"mode.attribute": match.get("mode", {}).get("attribute"), "unit": match.get("unit")}
    for path, attribute in (*texts.items(), ("currency", match.get("currency"))):
        if attribute is not None and not any(_is_text(body, attribute) for body in args["event_types"].values()):
            yield f"{where}.{path}: no event type has an attribute '{attribute}' that is a string, and not sealed"


def _spec(body: Mapping[str, Any], attribute: str) -> Mapping[str, Any] | None:
    spec: Any = body.get("attributes", {}).get(attribute)
    return {"type": spec} if type(spec) is str else spec


def _is_text(body: Mapping[str, Any], attribute: str) -> bool:
    spec = _spec(body, attribute)
    return spec is not None and spec["type"] == "string" and spec.get("class") != "sealed"


def changed_tally(before: Mapping[str, Any], definition: Mapping[str, Any]) -> str | None:
    """Say which tally of a version before a definition does not keep, or return None."""
    after = definition.get("tallies", {})
    for kind, tallies in before.get("tallies", {}).items():  # T23
        for name, entries in tallies.items():
            if after.get(kind, {}).get(name) != entries:
                return f"args.tallies.{kind}.{name}: keep it as it was: its sums go on; a new tally has another name"
    return None


def _add_faults(value: Any) -> Iterator[str]:
    if type(value) is int and 1 <= value <= MAX_CONSTANT:
        return
    if type(value) is not str or _label.check(value) is not None:
        yield f": expected an attribute of the event type, or an integer of 1 to {MAX_CONSTANT}"


def _sign_faults(value: Any) -> Iterator[str]:
    if type(value) is not int or value not in (-1, 1):
        yield ": expected 1 or -1"


_label: Final = Label()
_add: Final = Special(
    _add_faults,
    f"an attribute of the event type, or an integer of 1 to {MAX_CONSTANT}",
    {"anyOf": [_label.json_schema(), {"type": "integer", "minimum": 1, "maximum": MAX_CONSTANT}]},
    refused=(None, True, 0, -1, MAX_CONSTANT + 1, "", [], {}),
    passed=(1, MAX_CONSTANT),
)
_ppm: Final = Integer(0, MAX_PPM)
_sign: Final = Special(
    _sign_faults,
    "1 or -1",
    {"type": "integer", "enum": [-1, 1]},
    refused=(None, True, 0, 2, -2, "1", [], {}),
    passed=(1, -1),
)
_term_field: Final = Record({"on": Label(), "add": _add}, {"scale": Integer(0, MAX_SCALE), "sign": _sign})
_kind: Final = Identifier(slash=False)
TALLIES: Final = Table(
    Table(Many(_term_field, low=1, high=MAX_TERMS), high=MAX_TALLIES, key=_kind), high=MAX_TALLIED_TYPES, key=_kind
)
MATCH: Final = Table(
    Record(
        {},
        {
            "mode": Record({}, {"attribute": Label(), "default": OneOf(*MODES)}),
            "unit": Label(),
            "currency": Label(),
            "quantity_ppm": _ppm,
            "price_ppm": _ppm,
            "amount_fen": Integer(0, 10**9),
        },
    ),
    high=MAX_TALLIED_TYPES,
    key=_kind,
)
