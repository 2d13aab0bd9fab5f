"""Fields: what a value has to be, as data that is checked, described, turned into a JSON Schema and into test values.

Law: what passes is exactly what is described: no unknown field, no float, no digit but 0-9, nothing unbounded;
and the verdict is the same on every machine, so no table of Unicode properties and no time zone data is asked.

    Record({"id": Identifier(), "date": Date()}, {"areas": Many(Text(high=64), high=32)})
"""

from coseal.contracts.kernel.fields.base import Field, Form, JsonSchema, Later, Nasty, Parts, Special
from coseal.contracts.kernel.fields.parts import Dependent, Many, Nullable, Record, Short, Table, Translatable
from coseal.contracts.kernel.fields.values import (
    Boolean,
    Date,
    Hexadecimal,
    Identifier,
    Integer,
    Label,
    Language,
    Name,
    OneOf,
    Reference,
    Scalar,
    Text,
    Timestamp,
)

__all__ = [
    "Boolean",
    "Date",
    "Dependent",
    "Field",
    "Form",
    "Hexadecimal",
    "Identifier",
    "Integer",
    "JsonSchema",
    "Label",
    "Language",
    "Later",
    "Many",
    "Name",
    "Nasty",
    "Nullable",
    "OneOf",
    "Parts",
    "Record",
    "Reference",
    "Scalar",
    "Short",
    "Special",
    "Table",
    "Text",
    "Timestamp",
    "Translatable",
]
