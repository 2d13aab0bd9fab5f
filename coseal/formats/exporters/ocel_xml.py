"""OCEL 2.0 XML, as its schema has it.

Law: the reader of ``coseal.formats.importers.ocel_xml`` gets the same log back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from coseal.formats.exporters.log import ExportLog, Types
from coseal.formats.exporters.xml_text import HEAD, escaped, plain, quoted


def write_ocel_xml(log: ExportLog) -> bytes:
    """Return the file's bytes; raise ``CosealError`` for a character XML has no place for."""
    return "".join(_lines(log)).encode()


def _lines(log: ExportLog) -> Iterator[str]:
    yield HEAD + "<log>\n"
    yield from _types(log.object_types, "object")
    yield from _types(log.event_types, "event")
    yield "  <objects>\n"
    for one in log.objects:
        yield f"    <object id={quoted(one.id)} type={quoted(one.type)}>\n"
        values = (f" time={quoted(time)}>{escaped(plain(value))}" for _, time, value in one.values)
        yield from _values(zip((name for name, _, _ in one.values), values, strict=True))
        yield from _relations(one.relations)
        yield "    </object>\n"
    yield "  </objects>\n  <events>\n"
    for event in log.events:
        yield f"    <event id={quoted(event.id)} type={quoted(event.type)} time={quoted(event.time)}>\n"
        yield from _values((name, f">{escaped(plain(value))}") for name, value in event.attributes.items())
        yield from _relations(event.objects)
        yield "    </event>\n"
    yield "  </events>\n</log>\n"


def _types(types: Types, kind: str) -> Iterator[str]:
    yield f"  <{kind}-types>\n"
    for name, attributes in types.items():
        yield f"    <{kind}-type name={quoted(name)}>\n      <attributes>\n"
        for key, ocel in attributes.items():
            yield f"        <attribute name={quoted(key)} type={quoted(ocel)}/>\n"
        yield f"      </attributes>\n    </{kind}-type>\n"
    yield f"  </{kind}-types>\n"


def _values(values: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield "      <attributes>\n"
    for name, rest in values:
        yield f"        <attribute name={quoted(name)}{rest}</attribute>\n"
    yield "      </attributes>\n"


def _relations(relations: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield "      <objects>\n"
    for name, qualifier in relations:
        yield f"        <relationship object-id={quoted(name)} qualifier={quoted(qualifier)}/>\n"
    yield "      </objects>\n"
