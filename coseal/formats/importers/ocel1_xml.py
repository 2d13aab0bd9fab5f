"""OCEL 1.0 in its XML encoding: read strictly into what its JSON encoding has, and recorded as that is.

Law: every element, attribute and text of the file is understood, or is a finding with its path.

The encoding uses the elements of XES (``string``, ``date``, ``list``, ..), yet has events and objects, not traces. Its
values say their type; an integer is one here, while the JSON encoding has only numbers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from coseal.formats.importers.log import Findings, Log
from coseal.formats.importers.mapping import Mapping
from coseal.formats.importers.ocel1_json import Ocel1Reader, Typed
from coseal.formats.importers.xes import LEDGER_TYPES
from coseal.formats.importers.xml_stream import Element, stream

_SCOPES: Final = ("log", "event", "object")
_SECTIONS: Final = {"events": "event", "objects": "object"}
_MAPS: Final = ("vmap", "ovmap")
_LISTS: Final = ("omap", "attribute-names", "object-types")


def read_ocel1_xml(path: Path, mapping: Mapping) -> Log:
    """Read an ``.xmlocel`` file of OCEL 1.0 or one with ``.gz``; raise ``BadLog`` with all findings."""
    findings = Findings()
    reader = _Document(findings)
    root = stream(path, 1, reader.add, findings)
    if root.tag != "log":
        findings.add("not_ocel", root.tag, "expected the element log")
    for name in root.attributes:
        if not name.startswith(("xmlns", "xsi:")):
            findings.add("unknown_field", f"{root.tag}/@{name}", "not of OCEL 1.0")
    log = Ocel1Reader(reader.document, findings, mapping).log()
    findings.require_none(path)
    return log


class _Document:
    """Collects the document as the JSON encoding has it."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self.document: dict[str, Any] = {"ocel:global-log": {}, "ocel:events": {}, "ocel:objects": {}}

    def add(self, around: tuple[str, ...], element: Element) -> None:
        """Take a child of the log."""
        scope = element.attributes.get("scope")
        if element.tag == "global" and scope in _SCOPES:
            fields = self._fields(element, f"global[{scope}]")
            self.document[f"ocel:global-{scope}"] = {name: _plain(value) for name, value in fields.items()}
        elif element.tag in _SECTIONS:
            self._rows(element, element.tag, _SECTIONS[element.tag])
        else:
            self._findings.add("unknown_element", element.tag, "expected global, events, objects")

    def _rows(self, section: Element, name: str, tag: str) -> None:
        rows = self.document[f"ocel:{name}"]
        for number, element in enumerate(section.children, start=1):
            path = f"{name}/{element.tag}[{number}]"
            if element.tag != tag:
                self._findings.add("unknown_element", path, f"expected {tag}")
                continue
            fields = {
                key: value if key[5:] in _MAPS else _plain(value) for key, value in self._fields(element, path).items()
            }
            row_id = fields.pop("ocel:id", None)
            if row_id is None:
                self._findings.add("no_id", path, f"an {tag} needs an id")
            elif row_id in rows:
                self._findings.add("duplicate_id", path, f"{tag} {row_id}")
            else:
                rows[row_id] = fields

    def _fields(self, element: Element, path: str) -> dict[str, Any]:
        """Return the children of an element by key: values ``Typed``, those in a list as a list or as a map."""
        fields: dict[str, Any] = {}
        for child in element.children:
            key, value = child.attributes.get("key", ""), child.attributes.get("value")
            where = f"{path}/{key or child.tag}"
            self._check(child, where)
            if f"ocel:{key}" in fields:
                self._findings.add("duplicate_key", where, key)
            elif child.tag == "list" and key in _MAPS:
                fields[f"ocel:{key}"] = self._map(child, where)
            elif child.tag == "list" and key in _LISTS:
                fields[f"ocel:{key}"] = list(self._list(child, where))
            elif child.tag in LEDGER_TYPES and key and value is not None and not child.children:
                fields[f"ocel:{key}"] = Typed(LEDGER_TYPES[child.tag], value)
            else:
                self._findings.add("unknown_element", where, f"{child.tag}: not of OCEL 1.0")
        return fields

    def _map(self, element: Element, path: str) -> dict[str, Typed]:
        values: dict[str, Typed] = {}
        for number, child in enumerate(element.children, start=1):
            key, value = child.attributes.get("key", ""), child.attributes.get("value")
            where = f"{path}/{key or f'{child.tag}[{number}]'}"
            self._check(child, where)
            if child.tag not in LEDGER_TYPES or not key or value is None or child.children:
                self._findings.add("unknown_element", where, f"{child.tag}: expected a value with its key")
            elif key in values:
                self._findings.add("duplicate_attribute", where, key)
            else:
                values[key] = Typed(LEDGER_TYPES[child.tag], value)
        return values

    def _list(self, element: Element, path: str) -> list[str]:
        values = []
        for number, child in enumerate(element.children, start=1):
            where = f"{path}/{child.tag}[{number}]"
            self._check(child, where)
            value = child.attributes.get("value")
            if child.tag != "string" or value is None or child.children:
                self._findings.add("unknown_element", where, f"{child.tag}: expected a string")
            else:
                values.append(value)
        return values

    def _check(self, element: Element, path: str) -> None:
        for name in element.attributes:
            if name not in ("key", "value"):
                self._findings.add("unknown_field", f"{path}/@{name}", "expected only key, value")
        if element.text.strip() and not element.children:
            self._findings.add("unknown_text", path, element.text.strip()[:60])


def _plain(value: Any) -> Any:
    """Return a field's text, which the JSON encoding has too, or its list."""
    return value.text if isinstance(value, Typed) else value
