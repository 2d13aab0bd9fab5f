"""Random logs: whatever the ledger can hold and every encoding can say."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import strategies as st

from coseal.contracts.kernel.names import is_identifier, is_visible
from coseal.formats.exporters.log import ExportLog, LogEvent, LogObject

_XML = st.characters(min_codepoint=9, exclude_categories=("Cs", "Cc", "Cn"), include_characters="\n\t\r")
TEXTS = st.text(_XML, max_size=12)
QUALIFIERS = TEXTS.filter(is_visible)
NAMES = st.text(
    st.characters(min_codepoint=32, exclude_categories=("Cs", "Cc", "Cn"), exclude_characters="/"),
    min_size=1,
    max_size=8,
).filter(is_identifier)
TIMES = st.builds(
    lambda day, second, fraction, offset: f"{day}T10:{second:02}:00{fraction}{offset}",
    st.dates(date(1700, 1, 1), date(2199, 12, 31)),
    st.integers(0, 59),
    st.sampled_from(("", ".5", ".123456", ".000", ".999999999")),
    st.sampled_from(("Z", "+08:00", "-03:30", "+00:00")),
)
DECIMAL_TEXTS = ("0.1", "1.0", "1e-05", "0.10", "007", "-0", "-0.0", "1E5", "35", "12345678901234567890.12345")
DECIMALS = st.one_of(
    st.sampled_from(DECIMAL_TEXTS),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
)
VALUES = {
    "string": TEXTS,
    "integer": st.integers(-(2**63), 2**63 - 1),
    "boolean": st.booleans(),
    "float": DECIMALS,
    "time": TIMES,
}
_ATTRIBUTES = st.lists(NAMES, min_size=1, max_size=4, unique_by=str.lower).flatmap(
    lambda names: st.fixed_dictionaries({name: st.sampled_from(sorted(VALUES)) for name in names})
)
_TYPES = st.dictionaries(NAMES, _ATTRIBUTES, min_size=2, max_size=3)
_EPOCHS = st.sampled_from(("1970-01-01T00:00:00Z", "1970-01-01T08:00:00+08:00"))


@st.composite
def logs(draw: Any) -> ExportLog:
    """A log with declared types that may never occur, objects without events, several qualifiers, histories."""
    object_types, event_types = draw(_TYPES), draw(_TYPES)
    object_ids = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    objects = [LogObject(name, draw(st.sampled_from(sorted(object_types)))) for name in object_ids]
    for one in objects:
        for name, kind in object_types[one.type].items():
            for time in draw(st.tuples(_EPOCHS, TIMES, TIMES))[: draw(st.integers(0, 3))]:
                one.values.append((name, time, draw(VALUES[kind])))
        for target in object_ids[: draw(st.integers(0, 2))]:
            one.relations[target, draw(QUALIFIERS)] = None
    events = []
    for name in draw(st.lists(NAMES, min_size=1, max_size=4, unique=True)):
        event_type = draw(st.sampled_from(sorted(event_types)))
        attributes = {
            key: draw(VALUES[kind]) for key, kind in event_types[event_type].items() if draw(st.integers(0, 3)) > 0
        }
        links = [(target, draw(QUALIFIERS)) for target in object_ids for _ in range(draw(st.integers(0, 2)))]
        events.append(LogEvent(name, event_type, draw(TIMES), attributes, list(dict.fromkeys(links))))
    return ExportLog(object_types, event_types, events, objects)
