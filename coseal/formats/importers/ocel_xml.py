"""OCEL 2.0 in its XML encoding, read as the standard has it and as strictly.

Law: every element, attribute and text of the file is understood, or is a finding.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from coseal.formats.importers.log import Findings, Log
from coseal.formats.importers.mapping import Mapping
from coseal.formats.importers.ocel import OcelBuilder
from coseal.formats.importers.xml_stream import Element, stream

_NAMES: Final = {
    "id": "/@id",
    "type": "/@type",
    "time": "/@time",
    "name": "/@name",
    "value": "",
    "objectId": "/@object-id",
    "sourceId": "/../../@id",
    "targetId": "/@object-id",
    "qualifier": "/@qualifier",
}
_SECTIONS: Final = {
    "object-types": "object-type",
    "event-types": "event-type",
    "objects": "object",
    "events": "event",
}
_RELATIONS: Final = ("relationship", "object")


def read_ocel_xml(path: Path, mapping: Mapping) -> Log:
    """Read an ``.xml``, ``.xmlocel`` file or one of them with ``.gz``; raise ``BadLog`` with all findings."""
    findings = Findings()
    reader = _Reader(OcelBuilder(findings, mapping, _NAMES))
    root = stream(path, 2, reader.add, findings)
    if root.tag != "log":
        findings.add("not_ocel", root.tag, "expected the element log")
    reader.check(root)
    log = reader.log()
    findings.require_none(path)
    return log


class _Reader:
    def __init__(self, builder: OcelBuilder) -> None:
        self._builder, self._findings = builder, builder.findings
        self._rows: dict[str, list[tuple[Element, str]]] = {name: [] for name in _SECTIONS}

    def add(self, around: tuple[str, ...], element: Element) -> None:
        """Take an element of one of the four sections."""
        section = around[1]
        rows = self._rows.get(section)
        if rows is None or element.tag != _SECTIONS[section]:
            self._findings.add("unknown_element", f"{section}/{element.tag}", f"expected {', '.join(_SECTIONS)}")
            return
        rows.append((element, f"{section}/{element.tag}[{len(rows) + 1}]"))

    def check(self, root: Element) -> None:
        """Note what the root and the sections say beside their elements; namespaces say nothing of the log."""
        for section in root.children:
            if section.tag not in _SECTIONS:
                self._findings.add("unknown_element", section.tag, f"expected {', '.join(_SECTIONS)}")
        for element in (root, *root.children):
            for name in element.attributes:
                if not name.startswith(("xmlns", "xsi:")):
                    self._findings.add("unknown_field", f"{element.tag}/@{name}", "not of OCEL 2.0")

    def log(self) -> Log:
        """Build the log; references may point forward, so this begins when all elements are there."""
        for section, kind in (("object-types", "object"), ("event-types", "event")):
            for element, path in self._rows[section]:
                self._fields(element, path, ("name",))
                declared = [
                    (row.attributes.get("name"), row.attributes.get("type"), at)
                    for row, at in self._parts(element, path, ("name", "type"))[0]
                ]
                self._builder.declare(kind, element.attributes.get("name"), declared, path)
        self._objects()
        self._events()
        return self._builder.log()

    def _objects(self) -> None:
        rows = []
        for element, path in self._rows["objects"]:
            self._fields(element, path, ("id", "type"))
            get = element.attributes.get
            rows.append((element, path, self._builder.add_object(get("id"), get("type"), path)))
        for element, path, name in rows:
            values, relations = self._parts(element, path, ("name", "time"))
            if name is None:
                continue
            for row, at in values:
                self._builder.object_value(name, row.attributes.get("name"), row.attributes.get("time"), row.text, at)
            for row, at in relations:
                self._builder.object_object(name, row.attributes.get("object-id"), row.attributes.get("qualifier"), at)

    def _events(self) -> None:
        for element, path in self._rows["events"]:
            self._fields(element, path, ("id", "type", "time"))
            get = element.attributes.get
            name = self._builder.add_event(get("id"), get("type"), get("time"), path)
            values, relations = self._parts(element, path, ("name",))
            if name is None:
                continue
            for row, at in values:
                self._builder.event_value(name, row.attributes.get("name"), row.text, at)
            for row, at in relations:
                self._builder.event_object(name, row.attributes.get("object-id"), row.attributes.get("qualifier"), at)

    def _parts(
        self, element: Element, path: str, fields: tuple[str, ...]
    ) -> tuple[list[tuple[Element, str]], list[tuple[Element, str]]]:
        """Return the attributes and the relationships of an element, each with its path."""
        values: list[tuple[Element, str]] = []
        relations: list[tuple[Element, str]] = []
        for part in element.children:
            self._fields(part, f"{path}/{part.tag}", ())
            for index, row in enumerate(part.children, start=1):
                at = f"{path}/{part.tag}/{row.tag}[{index}]"
                if part.tag == "attributes" and row.tag == "attribute":
                    self._fields(row, at, fields)
                    values.append((row, at))
                elif part.tag == "objects" and row.tag in _RELATIONS and element.tag in ("object", "event"):
                    self._fields(row, at, ("object-id", "qualifier"))
                    relations.append((row, at))
                else:
                    self._findings.add("unknown_element", at, "not of OCEL 2.0")
                if row.children:
                    self._findings.add("unknown_element", f"{at}/{row.children[0].tag}", "not of OCEL 2.0")
            if part.tag not in ("attributes", "objects"):
                self._findings.add("unknown_element", f"{path}/{part.tag}", "expected attributes, objects")
        return values, relations

    def _fields(self, element: Element, path: str, fields: tuple[str, ...]) -> None:
        for name in element.attributes:
            if name not in fields:
                self._findings.add("unknown_field", f"{path}/@{name}", f"expected only {', '.join(fields) or 'none'}")
        if element.text.strip() and element.tag != "attribute":
            self._findings.add("unknown_text", path, element.text.strip()[:60])
