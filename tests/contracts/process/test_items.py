from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.process.chain import objects_of
from coseal.contracts.process.items import Reading, Unfit, is_decimal, schema_of, time_ms
from coseal.contracts.process.types import normalised

HASH = "ab" * 32
DEFINITION = {
    **normalised(
        {
            "id": "loans",
            "version": 1,
            "title": "Loans",
            "object_types": {"loan": {"attributes": {"status": "string", "size": "integer"}}, "party": {}},
            "event_types": {
                "Approve": {
                    "attributes": {
                        "text": "string",
                        "count": "integer",
                        "flag": "boolean",
                        "due": "time",
                        "rate": "decimal",
                        "amount": {"type": "scaled", "scale": 2, "required": True},
                        "customer": {"type": "integer", "class": "sealed"},
                    }
                },
                "Close": {},
            },
        }
    ),
    "definition": "01" * 32,
}
SCHEMA = schema_of(DEFINITION, None)
ZONED = schema_of(DEFINITION, 480)
EVENT = {
    "event": "e1",
    "type": "Approve",
    "time": "2026-01-05T10:00:00.123456+08:00",
    "objects": [["loan", "L-1"], ["party", "p-1", "applicant"], ["party", "p-1", "payer"]],
    "attributes": {
        "text": "",
        "count": -(2**63),
        "flag": False,
        "due": "2026-02-01T00:00:00Z",
        "rate": "0.1",
        "amount": 2**63 - 1,
        "customer": HASH,
    },
    "recorded": "2026-01-05T10:05:00+08:00",
    "counterparty": "bank-a",
    "evidence": [HASH],
    "policy": ["cn/2021/237"],
    "corrects": [1, HASH],
    "late": "the line was down",
}
CLOSE = {"event": "e2", "type": "Close", "time": "2026-01-05T02:00:00Z"}
DECLARATION = {"object": "L-1", "type": "loan", "attributes": [["status", "0", "new"]]}
CHANGE = {"change": "L-1", "type": "loan", "attributes": [["size", "2026-01-05T02:00:00Z", 3]]}
RELATION = {"relation": ["loan", "L-1"], "to": ["party", "p-1"], "qualifier": "of"}


def unfit(item, schema=SCHEMA):
    with pytest.raises(Unfit) as caught:
        schema.read(item)
    return str(caught.value)


def test_an_event_is_read_with_its_time_and_each_object_once():
    assert SCHEMA.read(EVENT) == Reading("event", 1_767_578_400_123, (("loan", "L-1"), ("party", "p-1")))
    assert SCHEMA.read(CLOSE) == Reading("event", 1_767_578_400_000, ())


@pytest.mark.parametrize(
    ("item", "reading"),
    [
        (DECLARATION, Reading("object", None, (("loan", "L-1"),))),
        ({"object": "p-1", "type": "party"}, Reading("object", None, (("party", "p-1"),))),
        (CHANGE, Reading("change", None, (("loan", "L-1"),))),
        ({**CHANGE, "corrects": [1, HASH]}, Reading("change", None, (("loan", "L-1"),))),
        (RELATION, Reading("relation", None, (("loan", "L-1"), ("party", "p-1")))),
        ({"relation": ["loan", "L-1"], "to": ["loan", "L-1"]}, Reading("relation", None, (("loan", "L-1"),))),
    ],
)
def test_the_other_kinds_are_read(item, reading):
    assert SCHEMA.read(item) == reading


def test_an_event_names_up_to_256_objects():
    assert len(SCHEMA.read({**CLOSE, "objects": [["loan", str(i)] for i in range(256)]}).objects) == 256


@pytest.mark.parametrize("item", [EVENT, CLOSE, DECLARATION, CHANGE, RELATION])
def test_clients_and_the_contract_agree_on_the_objects_of_an_item(item):
    assert objects_of(item) == SCHEMA.read(item).objects


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ([], ": expected a map"),
        ({}, ": expected one of the keys event"),
        ({**CLOSE, "place": 1}, ".place: unknown"),
        ({**CLOSE, 1: 1}, ".1: unknown"),
        ({**CLOSE, "event": ""}, ".event: expected an identifier"),
        ({**CLOSE, "event": 1}, ".event: expected an identifier"),
        ({**CLOSE, "type": "Open"}, ".type: 'Open' is no event type of loans"),
        ({**CLOSE, "type": ["Close"]}, ".type: "),
        ({"event": "e", "time": "2026-01-05T02:00:00Z"}, ".type: "),
        ({"event": "e", "type": "Close"}, ".time: expected a time"),
        ({**CLOSE, "time": "2026-01-05T02:00:00"}, ".time: expected a time as 2006-07-24T10:00:00Z, with its offset"),
        ({**CLOSE, "time": 1}, ".time: "),
        ({**CLOSE, "time": "2026-02-30T02:00:00Z"}, ".time: "),
        ({**CLOSE, "attributes": []}, ".attributes: expected a map"),
        ({**CLOSE, "attributes": None}, ".attributes: expected a map"),
        ({**CLOSE, "attributes": {"text": "x"}}, ".attributes.text: not declared for event type Close"),
        ({**CLOSE, "type": "Approve"}, ".attributes.amount: missing"),
        ({**CLOSE, "type": "Approve", "attributes": {}}, ".attributes.amount: missing"),
        ({**CLOSE, "objects": {}}, ".objects: expected a list"),
        ({**CLOSE, "objects": [["loan", str(i)] for i in range(257)]}, ".objects: expected a list of at most 256"),
        ({**CLOSE, "objects": [["loan"]]}, ".objects[0]: expected [object type, id, qualifier]"),
        ({**CLOSE, "objects": [["car", "1"]]}, ".objects[0][0]: 'car' is no object type"),
        ({**CLOSE, "objects": [["loan", "1"], ["loan", " 2"]]}, ".objects[1][1]: expected an identifier"),
        ({**CLOSE, "objects": [["loan", "1", 5]]}, ".objects[0][2]: expected a qualifier"),
        ({**CLOSE, "objects": [["loan", "1", "q" * 129]]}, ".objects[0][2]: expected a qualifier"),
        ({**CLOSE, "objects": [["loan", "1"], ["loan", "1", ""]]}, ".objects[1]: the same object with the same"),
        ({**CLOSE, "recorded": "yesterday"}, ".recorded: "),
        ({**CLOSE, "counterparty": "Bank A"}, ".counterparty: "),
        ({**CLOSE, "evidence": [HASH.upper()]}, ".evidence[0]: "),
        ({**CLOSE, "evidence": []}, ".evidence: "),
        ({**CLOSE, "policy": [str(i) for i in range(17)]}, ".policy: "),
        ({**CLOSE, "corrects": [0, HASH]}, ".corrects: "),
        ({**CLOSE, "corrects": {"sequence": 1, "hash": HASH}}, ".corrects: "),
        ({**CLOSE, "late": ""}, ".late: "),
        ({**DECLARATION, "time": "2026-01-05T02:00:00Z"}, ".time: unknown"),
        ({**DECLARATION, "object": None}, ".object: "),
        ({**DECLARATION, "type": "car"}, ".type: 'car' is no object type"),
        ({**DECLARATION, "attributes": {"status": "new"}}, ".attributes: expected a list of 0 to 128"),
        ({**DECLARATION, "attributes": [["status", "new"]]}, ".attributes[0]: expected [name, time, value]"),
        ({**DECLARATION, "attributes": [["colour", "0", "red"]]}, ".attributes[0][0]: 'colour' is not declared"),
        ({**DECLARATION, "attributes": [["status", "1", "new"]]}, ".attributes[0][1]: "),
        ({**DECLARATION, "attributes": [["status", 0, "new"]]}, ".attributes[0][1]: "),
        ({**DECLARATION, "attributes": [["status", "0", "new"], ["size", "0", "3"]]}, ".attributes[1][2]: expected"),
        ({**CHANGE, "attributes": []}, ".attributes: expected a list of 1 to 128"),
        ({"change": "L-1", "type": "loan"}, ".attributes: expected a list of 1 to 128"),
        ({**RELATION, "to": ["party", "p-1", "of"]}, ".to: expected [object type, id]"),
        ({"relation": ["loan", "L-1"]}, ".to: expected [object type, id]"),
        ({**RELATION, "relation": ["car", "L-1"]}, ".relation[0]: "),
        ({**RELATION, "qualifier": None}, ".qualifier: "),
        ({**RELATION, "late": "x"}, ".late: unknown"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_path(item, message):
    assert unfit(item).startswith(message)


@pytest.mark.parametrize(
    ("attribute", "values"),
    [
        ("text", [1, None, True, "x" * 4_097, "\ud800", ["x"]]),
        ("count", ["1", True, 2**63, -(2**63) - 1, None, 1.0]),
        ("flag", [0, 1, "true", None]),
        ("due", ["2026-02-01", 1_767_578_400_123, "0", None]),
        ("rate", [1, 0.1, "", ".5", "5.", "1e", "--1", "+1", "1_0", "NaN", "١", "1 ", "1" * 65, None]),
        ("amount", ["1.00", 2**63, None]),
        ("customer", [5, "5", HASH.upper(), HASH[:-1], None]),
    ],
)
def test_a_value_that_is_not_of_the_declared_type_is_refused(attribute, values):
    for value in values:
        message = unfit({**EVENT, "attributes": {**EVENT["attributes"], attribute: value}})
        assert message.startswith(f".attributes.{attribute}: "), (value, message)


def test_times_without_an_offset_need_a_source_that_declares_its_zone():
    for text in ("2026-01-05T10:00:00", "2026-01-05 10:00:00", "2026-01-05", "2026-01-05T10:00:00.123456"):
        item = {**CLOSE, "time": text}
        assert unfit(item).startswith(".time")
        midnight = 1_767_542_400_000
        expected = midnight + (0 if len(text) == 10 else 36_000_000) + (123 if "." in text else 0)
        assert ZONED.read(item).time_ms == expected
    assert ZONED.read(CLOSE) == SCHEMA.read(CLOSE)
    assert time_ms("2026-01-05 10:00:00+08:00") == 1_767_578_400_000


@pytest.mark.parametrize("text", ["", "0", "2026", "2026-01-05Z", "2026-01-05T10:00", "2026-01-05T10:00:00ZZ", None, 5])
def test_what_is_no_time_is_none_in_every_zone(text):
    assert time_ms(text) is None
    assert time_ms(text, 480) is None


@settings(deadline=None, max_examples=300)
@given(
    st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)),
    st.integers(-839, 839),
    st.sampled_from("T "),
    st.booleans(),
)
def test_a_time_means_what_the_standard_library_says(moment, zone, separator, written):
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=zone)))
    expected = (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    text = (aware if written else moment).isoformat(separator)
    assert time_ms(text, None if written else zone) == expected


@settings(deadline=None, max_examples=300)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_a_source_writes_is_a_decimal(value):
    assert is_decimal(repr(value))


@settings(deadline=None, max_examples=300)
@given(st.text("0123456789-+eE. ", max_size=12))
def test_every_decimal_is_a_number(text):
    if is_decimal(text):
        Decimal(text)
    assert not (text and is_decimal(text + " "))


def test_a_schema_is_compiled_once_for_a_definition_and_zone():
    plain, zoned = schema_of(DEFINITION, None), schema_of(DEFINITION, 480)  # others may have taken their place since
    assert schema_of(dict(DEFINITION), None) is plain
    assert schema_of(DEFINITION, 480) is zoned is not plain
    other = {**DEFINITION, "definition": "02" * 32, "event_types": {}}
    assert schema_of(other, None).events == {}


JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=6), st.sampled_from(["loan", "Approve", HASH])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*EVENT, "to"]), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from([EVENT, DECLARATION, CHANGE, RELATION]), st.sampled_from([*EVENT, "to", "qualifier"]), JUNK)
def test_whatever_comes_is_read_or_unfit(item, field, junk):
    for candidate in ({**item, field: junk}, junk):
        try:
            reading = SCHEMA.read(candidate)
        except Unfit:
            continue
        assert objects_of(candidate) == reading.objects
