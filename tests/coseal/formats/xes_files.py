"""XES files made for tests: random ones that say all that XES can say, and one with a header as large as published."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from hypothesis import strategies as st

from coseal.formats.exporters.xml_text import quoted

Attribute = tuple[str, str, str, tuple[Any, ...]]
"""XES type, key, value, those in it."""

_KEYS = ("a", "b", "a>b", ">", "a>", "\\", "\\>", "b\\>a", "coseal:x", "键")
_VALUES = {
    "string": st.sampled_from(("", "x", "a>b", "\\", "\n", "付")),
    "id": st.sampled_from(("u-1", "")),
    "int": st.integers(-(2**63), 2**63 - 1).map(str),
    "float": st.sampled_from(("0.10", "1e-05", "-0")),
    "boolean": st.sampled_from(("true", "false")),
    "date": st.sampled_from(("2026-01-01T00:00:00.500+01:00", "1970-01-01T00:00:00Z")),
}
_HEAD = "<?xml version='1.0' encoding='UTF-8'?>\n"


@st.composite
def _attributes(draw: Any, path: tuple[str, ...] = ()) -> tuple[Attribute, ...]:
    """Attributes whose type follows from their place, as a log's have one type each."""
    rows = []
    for key in draw(st.lists(st.sampled_from(_KEYS), max_size=3, unique=True)) if len(path) < 3 else ():
        kind = sorted(_VALUES)[sum(map(ord, "/".join((*path, key)))) % len(_VALUES)]
        rows.append((kind, key, draw(_VALUES[kind]), draw(_attributes((*path, key)))))
    return tuple(rows)


@st.composite
def xes_files(draw: Any) -> str:
    """A file with nested attributes wherever they may stand, keys of any form, ids, and events in the order of time."""
    name_kind, id_kind = draw(st.sampled_from(("string", "int", "id"))), draw(st.sampled_from(("string", "id")))
    traces, number = [], 0
    for trace in range(draw(st.integers(1, 3))):
        events = []
        for _ in range(draw(st.integers(0, 3))):
            number += 1
            own: list[Attribute] = [
                ("string", "concept:name", draw(st.sampled_from(("pay", "a>b"))), draw(_attributes(("name",)))),
                ("date", "time:timestamp", f"2026-01-01T00:00:00.{number:03}Z", draw(_attributes(("time",)))),
            ]
            if draw(st.booleans()):
                own.append((id_kind, "identity:id", f"u-{number}", draw(_attributes(("id",)))))
            events.append("<event>" + "".join(map(_written, (*own, *draw(_attributes())))) + "</event>")
        name = (name_kind, "concept:name", str(trace), draw(_attributes(("case",))))
        traces.append("<trace>" + "".join(map(_written, (name, *draw(_attributes())))) + "".join(events) + "</trace>")
    log = "".join(map(_written, draw(_attributes(("log",)))))
    return f'{_HEAD}<log xes.version="1849.2016">{log}{"".join(traces)}</log>'


def _written(row: Attribute) -> str:
    kind, key, value, inner = row
    return f"<{kind} key={quoted(key)} value={quoted(value)}>{''.join(map(_written, inner))}</{kind}>"


def said_by(text: str | bytes) -> dict[str, Any]:
    """What a file says of its log, traces and events, without the marks of an export and the order of attributes."""
    root = ElementTree.fromstring(text)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]  # without the namespace of some files
    return {
        "log": _read(root),
        "traces": [(_read(trace), [_read(event) for event in trace.iter("event")]) for trace in root.iter("trace")],
    }


def _read(element: ElementTree.Element) -> list[Any]:
    marks = ("coseal:event_id", "coseal:object_type", "coseal:keys")
    return sorted(
        (child.tag, child.get("key"), child.get("value"), _read(child))
        for child in element
        if child.tag in _VALUES and child.get("key") not in marks
    )


def published_like(traces: int, characters: int) -> Iterator[str]:
    """Lines of a log as one widespread tool publishes it: figures of each trace as attributes of the whole log."""
    yield _HEAD + '<log xes.version="1.0" xes.features="nested-attributes" openxes.version="1.0RC7">'
    yield '<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>'
    yield '<classifier name="Activity classifier" keys="concept:name lifecycle:transition"/>'
    figures = ("events_total", "different_names_total", "resource_events_total", "attributes_total", "log_duration")
    row = len('<int key="999999" value="23"/>')
    for name in (f"meta_{number}:{figure}" for number in range(1_000) for figure in figures):
        if characters <= 0:
            break
        rows = "".join(f'<int key="{173_688 + number}" value="{number % 90 + 10}"/>' for number in range(traces))
        yield f'<int key="{name}" value="{traces}">{rows}</int><float key="{name}_average" value="20.03"/>'
        characters -= row * traces
    for number in range(traces):
        time = f"2011-10-{number % 28 + 1:02}T00:38:44.546+02:00"
        yield f'<trace><date key="REG_DATE" value="{time}"/><string key="concept:name" value="{173_688 + number}"/>'
        yield f'<string key="AMOUNT_REQ" value="{number}"/><event><string key="org:resource" value="112"/>'
        yield '<string key="lifecycle:transition" value="COMPLETE"/><string key="concept:name" value="A_SUBMITTED"/>'
        yield f'<date key="time:timestamp" value="{time}"/></event></trace>'
    yield "</log>"
