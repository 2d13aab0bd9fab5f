"""Process models as files say them: a Petri net in PNML (ISO/IEC 15909-2), or a process in BPMN 2.0 as a Petri net.

Law: what a model has and this does not read is a finding with its id; a net never means less than its file.

A transition without a label is silent. A run ends in the final marking, where the file has one; else with all tokens
on places that nothing leaves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias, cast

from coseal.formats.importers.log import Findings
from coseal.formats.importers.xml_stream import Element, stream

MAX_NODES: Final = 5_000
MAX_TOKENS: Final = 1_000

Marking: TypeAlias = tuple[int, ...]
"""Tokens by place."""


@dataclass(frozen=True, slots=True)
class Transition:
    """What takes and gives tokens, as (place, tokens); its label is an activity, None if it is silent."""

    id: str
    label: str | None
    takes: tuple[tuple[int, int], ...]
    gives: tuple[tuple[int, int], ...]

    def enabled(self, marking: Marking) -> bool:
        """Return whether it can fire."""
        return all(marking[place] >= tokens for place, tokens in self.takes)

    def fire(self, marking: Marking) -> Marking:
        """Return the marking after it fired; it is enabled."""
        changed = list(marking)
        for place, tokens in self.takes:
            changed[place] -= tokens
        for place, tokens in self.gives:
            changed[place] += tokens
        return tuple(changed)


@dataclass(frozen=True, slots=True)
class Net:
    """A Petri net with labels. Without ``final`` a run ends with all tokens on the places ``ends``."""

    transitions: tuple[Transition, ...]
    initial: Marking
    final: Marking | None
    ends: frozenset[int]

    def is_final(self, marking: Marking) -> bool:
        """Return whether a run may end here."""
        if self.final is not None:
            return marking == self.final
        return any(marking) and all(place in self.ends for place, tokens in enumerate(marking) if tokens)

    @property
    def activities(self) -> tuple[str, ...]:
        """The labels, each once, ascending."""
        return tuple(sorted({one.label for one in self.transitions if one.label is not None}))


def read_model(path: Path) -> Net:
    """Read a ``.pnml`` or ``.bpmn`` file, told apart by its root element; raise ``BadLog`` with all findings."""
    findings = Findings()
    elements: list[Element] = []
    root = stream(path, 1, lambda _, element: elements.append(element), findings)
    findings = Findings()  # text between elements is of diagrams and notes
    net = None
    if root.tag == "pnml":
        net = _pnml(elements, findings)
    elif root.tag == "definitions":
        net = _bpmn(elements, findings)
    if net is None:
        findings.add("not_a_model", root.tag, "expected a net in PNML, or a process in BPMN 2.0")
    findings.require_none(path)
    return cast("Net", net)


class _Builder:
    """Places by name, arcs by the transition."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}
        self.tokens: dict[int, int] = {}
        self._transitions: dict[str, tuple[str | None, dict[int, int], dict[int, int]]] = {}

    def place(self, name: str, tokens: int = 0) -> int:
        index = self.places.setdefault(name, len(self.places))
        if tokens:
            self.tokens[index] = tokens
        return index

    def transition(self, name: str, label: str | None, takes: Iterable[str] = (), gives: Iterable[str] = ()) -> None:
        self._transitions[name] = (label, {}, {})
        for place in takes:
            self.take(name, place)
        for place in gives:
            self.give(name, place)

    def has(self, name: str) -> bool:
        return name in self._transitions

    def take(self, name: str, place: str, tokens: int = 1) -> None:
        taken, index = self._transitions[name][1], self.place(place)
        taken[index] = taken.get(index, 0) + tokens

    def give(self, name: str, place: str, tokens: int = 1) -> None:
        given, index = self._transitions[name][2], self.place(place)
        given[index] = given.get(index, 0) + tokens

    def net(self, final: Mapping[int, int] | None) -> Net:
        made = [
            Transition(name, label, tuple(sorted(takes.items())), tuple(sorted(gives.items())))
            for name, (label, takes, gives) in sorted(self._transitions.items())
        ]
        left = {place for one in made for place, _ in one.takes}
        everywhere = range(len(self.places))
        return Net(
            tuple(made),
            tuple(self.tokens.get(place, 0) for place in everywhere),
            None if final is None else tuple(final.get(place, 0) for place in everywhere),
            frozenset(everywhere) - left,
        )


# PNML


def _pnml(elements: list[Element], findings: Findings) -> Net | None:
    nets = [element for element in elements if element.tag == "net"]
    if len(nets) != 1:
        findings.add("not_one_net", "pnml", f"{len(nets)} nets; expected one")
        return None
    nodes = list(_inside(nets[0], "page"))
    build = _Builder()
    for node in nodes:
        if node.tag == "place":
            build.place(node.attributes.get("id", ""), _number(node, "initialMarking", findings))
        elif node.tag == "transition":
            build.transition(node.attributes.get("id", ""), _label(node))
    if _too_large(len(nodes), findings):
        return None
    for node in nodes:
        if node.tag == "arc":
            _arc(build, node, findings)
    marked = [place for element in nodes if element.tag == "finalmarkings" for place in _places(element)]
    if not marked:
        return build.net(None)
    final = {}
    for place in marked:
        name = place.attributes.get("idref", "")
        if name not in build.places:
            findings.add("unknown_place", name, "in the final marking")
            continue
        final[build.places[name]] = _number_of(_text(place), name, findings)
    return build.net(final)


def _inside(element: Element, page: str) -> Iterator[Element]:
    for child in element.children:
        if child.tag == page:
            yield from _inside(child, page)
        else:
            yield child


def _arc(build: _Builder, arc: Element, findings: Findings) -> None:
    name = arc.attributes.get("id", "")
    source, target = arc.attributes.get("source", ""), arc.attributes.get("target", "")
    kind = next((_text(child) for child in arc.children if child.tag in ("arctype", "type")), "normal")
    if kind not in ("normal", ""):
        findings.add("unsupported_arc", name, f"an arc of type {kind}: only normal arcs are read")
        return
    weight = _number(arc, "inscription", findings, 1)
    if source in build.places and build.has(target):
        build.take(target, source, weight)
    elif target in build.places and build.has(source):
        build.give(source, target, weight)
    else:
        findings.add("bad_arc", name, f"{source} to {target} is not between a place and a transition")


def _label(transition: Element) -> str | None:
    for child in transition.children:
        if child.tag == "toolspecific" and child.attributes.get("activity") == "$invisible$":
            return None
    name = next((_text(child) for child in transition.children if child.tag == "name"), "")
    return name or None


def _places(final: Element) -> Iterator[Element]:
    for marking in final.children[:1]:
        yield from (place for place in marking.children if place.tag == "place")


def _number(element: Element, tag: str, findings: Findings, absent: int = 0) -> int:
    text = next((_text(child) for child in element.children if child.tag == tag), "")
    return _number_of(text, element.attributes.get("id", ""), findings) if text else absent


def _number_of(text: str, name: str, findings: Findings) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 4 and int(text) <= MAX_TOKENS:
        return int(text)
    findings.add("bad_number", name, f"{text[:40]!r}: expected tokens, 0 to {MAX_TOKENS}")
    return 0


def _text(element: Element) -> str:
    """Return the text of an element, or of its child ``text`` (or ``value``, as older files have it)."""
    inner = next((child.text for child in element.children if child.tag in ("text", "value")), element.text)
    return " ".join(inner.split())


# BPMN

_TASKS: Final = frozenset(
    ("task", "userTask", "manualTask", "serviceTask", "scriptTask", "sendTask", "receiveTask", "businessRuleTask")
)
_SILENT: Final = frozenset(("intermediateCatchEvent", "intermediateThrowEvent"))
_CHOICES: Final = frozenset(("exclusiveGateway", "eventBasedGateway"))
_NOT_FLOW: Final = frozenset(
    (
        "sequenceFlow",
        "laneSet",
        "textAnnotation",
        "association",
        "group",
        "dataObject",
        "dataObjectReference",
        "dataStoreReference",
        "documentation",
        "extensionElements",
        "ioSpecification",
        "property",
    )
)
_START, _END = " start", " end"
"""Names of two places of a net from BPMN: no id of XML has a blank."""


def _bpmn(elements: list[Element], findings: Findings) -> Net | None:
    processes = [element for element in elements if element.tag == "process" and element.children]
    if len(processes) != 1:
        findings.add("not_one_process", "definitions", f"{len(processes)} processes, expected one")
        return None
    nodes = processes[0].children
    if _too_large(len(nodes), findings):
        return None
    into: dict[str, list[str]] = {}
    out: dict[str, list[str]] = {}
    for flow in (node for node in nodes if node.tag == "sequenceFlow"):
        name = flow.attributes.get("id", "")
        out.setdefault(flow.attributes.get("sourceRef", ""), []).append(name)
        into.setdefault(flow.attributes.get("targetRef", ""), []).append(name)
    known = {node.attributes.get("id", "") for node in nodes}
    for name in sorted({*into, *out} - known):
        findings.add("bad_flow", name, "a sequence flow begins or ends at what the process does not have")
    build = _Builder()
    build.place(_START, 1)
    build.place(_END)
    for node in nodes:
        if node.tag not in _NOT_FLOW:
            name = node.attributes.get("id", "")
            _node(build, node, into.get(name, []), out.get(name, []), findings)
    return build.net(None)


def _node(build: _Builder, node: Element, into: list[str], out: list[str], findings: Findings) -> None:
    name, tag = node.attributes.get("id", ""), node.tag
    if tag in _CHOICES:
        for number, (taken, given) in enumerate((a, b) for a in into for b in out):
            build.transition(f"{name} {number}", None, [taken], [given])
    elif tag == "parallelGateway":
        build.transition(name, None, into, out)
    elif tag in _TASKS or tag in _SILENT or tag == "startEvent" or tag == "endEvent":
        label = " ".join(node.attributes.get("name", "").split()) if tag in _TASKS else ""
        before = f"{name} in"
        for number, taken in enumerate(into):  # each of several flows into an activity begins it
            build.transition(f"{name} in {number}", None, [taken], [before])
        if tag == "startEvent" or not into:
            build.transition(f"{name} begins", None, [_START], [before])
        build.transition(name, label or None, [before], out or [_END])
    else:
        findings.add("unsupported_element", name, f"{tag} is not read: draw it with tasks and gateways")


def _too_large(nodes: int, findings: Findings) -> bool:
    if nodes > MAX_NODES:
        findings.add("too_large", "model", f"{nodes} elements, at most {MAX_NODES}")
    return nodes > MAX_NODES
