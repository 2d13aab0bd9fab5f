"""Parquet: one table of events, each with the objects it names and its attributes as columns.

Law: every event's content is in the file: numbers as numbers, exactly, and other texts as they are. Objects' own
values and relations are not in a table of events: they are counted in ``leaves_out``. docs/formats.md, Parquet.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal
from typing import Any, Final

from coseal.contracts.kernel.dates import parse_time
from coseal.errors import CosealError
from coseal.formats.exporters.log import ExportLog
from coseal.formats.exporters.xml_text import plain

_OWN: Final = ("event", "activity", "time", "time_text", "objects")
_DIGITS: Final = 38
_GROUP_ROWS: Final = 100_000


def write_parquet(log: ExportLog) -> bytes:
    """Return the file's bytes; the same log and release of pyarrow give the same ones.

    Raises ``CosealError`` without pyarrow.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise CosealError("Parquet needs a library", "pip install 'coseal[parquet]'") from None
    log.leave_out("object_values", sum(len(one.values) for one in log.objects))
    log.leave_out("relations", sum(len(one.relations) for one in log.objects))
    types = {one.id: one.type for one in log.objects}
    named = pyarrow.struct([("type", pyarrow.string()), ("id", pyarrow.string()), ("qualifier", pyarrow.string())])
    objects = [
        [{"type": types[name], "id": name, "qualifier": kind} for name, kind in event.objects] for event in log.events
    ]
    columns = {
        "event": pyarrow.array([event.id for event in log.events], pyarrow.string()),
        "activity": pyarrow.array([event.type for event in log.events], pyarrow.string()),
        "time": pyarrow.array([parse_time(event.time) for event in log.events], pyarrow.timestamp("ms", "UTC")),
        "time_text": pyarrow.array([event.time for event in log.events], pyarrow.string()),
        "objects": pyarrow.array(objects, pyarrow.list_(named)),
    }
    for name, kind in log.event_columns(_OWN).items():
        values = [event.attributes.get(name) for event in log.events]
        columns[log.column(name, _OWN)] = _attribute(pyarrow, log, kind, values)
    out = pyarrow.BufferOutputStream()
    parquet.write_table(
        pyarrow.table(columns), out, row_group_size=_GROUP_ROWS, compression="zstd", version="2.6", store_schema=False
    )
    data: bytes = out.getvalue().to_pybytes()
    return data


def _attribute(pyarrow: Any, log: ExportLog, kind: str, values: Sequence[Any]) -> Any:
    """Return the column of an attribute."""
    if kind == "integer":
        return pyarrow.array(values, pyarrow.int64())
    if kind == "boolean":
        return pyarrow.array(values, pyarrow.bool_())
    if kind == "float":
        return _decimals(pyarrow, log, values)
    return pyarrow.array([None if value is None else plain(value) for value in values], pyarrow.string())


def _decimals(pyarrow: Any, log: ExportLog, texts: Sequence[str | None]) -> Any:
    """Return decimals as exact numbers of one scale; as texts, if they would need more digits than Parquet has.

    A number does not tell how many zeros its text ended with: values for which that changes are counted.
    """
    try:
        values = [None if text is None else Decimal(text) for text in texts]
    except ArithmeticError:  # an exponent beyond what any number has
        return pyarrow.array(texts, pyarrow.string())
    tuples = [value.as_tuple() for value in values if value is not None]
    scale = max([0, *(-int(one.exponent) for one in tuples)])
    whole = max([1, *(len(one.digits) + int(one.exponent) for one in tuples)])
    if whole + scale > _DIGITS:
        return pyarrow.array(texts, pyarrow.string())
    unit, context = Decimal(1).scaleb(-scale), Context(prec=_DIGITS)
    exact = [None if value is None else value.quantize(unit, context=context) for value in values]
    log.leave_out("decimal_spellings", sum(not _spells(value, text) for value, text in zip(exact, texts, strict=True)))
    return pyarrow.array(exact, pyarrow.decimal128(_DIGITS, scale))


def _spells(value: Decimal | None, text: str | None) -> bool:
    """Say whether a number, read from the file, has this text again."""
    return value is None or (f"{value:f}" == text and not (value.is_zero() and value.is_signed()))
