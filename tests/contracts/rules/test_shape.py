from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.rules.errors import RuleError
from coseal.contracts.rules.shape import DIALECT, MAX_COST, MAX_DEPTH, compile_shape

TERM = {
    "$schema": DIALECT,
    "title": "an electronic receivable certificate",
    "type": "object",
    "required": ["days", "amount"],
    "additionalProperties": False,
    "properties": {
        "days": {"type": "integer", "minimum": 1, "maximum": 366},
        "amount": {"type": "string", "minLength": 1, "maxLength": 24},
        "currency": {"enum": ["CNY", "USD"]},
        "kind": {"const": "trade"},
        "parties": {"type": "array", "minItems": 2, "maxItems": 4, "items": {"$ref": "#/$defs/party"}},
        "note": {"type": ["string", "null"]},
    },
    "$defs": {"party": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}},
}
GOOD = {"days": 180, "amount": "1.5", "currency": "CNY", "kind": "trade", "note": None, "parties": [{"id": "a"}] * 2}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({}, None),
        ({"note": "x"}, None),
        ({"days": 0}, ".days: expected at least 1"),
        ({"days": 367}, ".days: expected at most 366"),
        ({"days": True}, ".days: expected integer, got boolean"),
        ({"days": "1"}, ".days: expected integer, got string"),
        ({"amount": ""}, ".amount: expected at least 1 characters"),
        ({"amount": "9" * 25}, ".amount: expected at most 24 characters"),
        ({"amount": "贷" * 24}, None),
        ({"currency": "EUR"}, ".currency: expected one of 'CNY', 'USD'"),
        ({"currency": []}, ".currency: expected one of 'CNY', 'USD'"),
        ({"kind": "other"}, ".kind: expected 'trade'"),
        ({"parties": [{"id": "a"}]}, ".parties: expected at least 2 items"),
        ({"parties": [{}] * 5}, ".parties: expected at most 4 items"),
        ({"parties": [{"id": "a"}, {"id": 7}]}, ".parties[1].id: expected string, got integer"),
        ({"parties": [{"id": "a"}, {}]}, ".parties[1].id: missing"),
        ({"note": 1}, ".note: expected string or null, got integer"),
        ({"more": 1}, ".more: unknown; expected days, amount, currency, kind, parties, note"),
    ],
)
def test_a_value_fits_or_is_told_where_not(change, error):
    assert compile_shape(TERM).check({**GOOD, **change}) == error


def test_a_missing_property_and_another_type_are_told():
    shape = compile_shape(TERM)
    assert shape.check({"days": 1}) == ".amount: missing"
    assert shape.check([]) == ": expected object, got array"


def test_keywords_concern_values_of_their_type_alone():
    shape = compile_shape({"minimum": 3, "maxLength": 1, "required": ["a"], "items": {"type": "null"}, "maxItems": 1})
    assert [shape.check(value) for value in (3, "a", {"a": 0}, [None], None, True)] == [None] * 6


def test_true_is_not_one():
    shape = compile_shape({"enum": [1, "a", None]})
    assert [shape.check(value) is None for value in (1, True, "a", None, 0, False)] == [
        True,
        False,
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("schema", "path", "reason"),
    [
        (True, "", "expected an object"),
        ({"pattern": "a"}, ".pattern", "regular expressions"),
        ({"patternProperties": {}}, ".patternProperties", "regular expressions"),
        ({"properties": {"a": {"format": "date"}}}, ".properties.a.format", "unsupported keyword: formats"),
        ({"uniqueItems": True}, ".uniqueItems", "unsupported keyword"),
        ({"multipleOf": 2}, ".multipleOf", "use a guard with %"),
        ({"anyOf": []}, ".anyOf", "unsupported keyword: expected one of $ref, additionalProperties, const"),
        ({"minimim": 1}, ".minimim", "unsupported keyword"),
        ({"$id": "x"}, ".$id", "unsupported keyword"),
        ({"properties": {"a": {"$defs": {}}}}, ".properties.a.$defs", "unsupported keyword"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, ".$schema", "the dialect is"),
        ({"type": "number"}, ".type", "a number is an integer or a decimal text here"),
        ({"type": "text"}, ".type", "unknown type; expected one of object, array"),
        ({"type": []}, ".type", "each once"),
        ({"type": ["string", "string"]}, ".type", "each once"),
        ({"type": 1}, ".type", "unknown type"),
        ({"enum": []}, ".enum", "1 to 256 values"),
        ({"enum": [1, 1]}, ".enum", "a value stands twice"),
        ({"enum": [[]]}, ".enum", "expected texts, integers"),
        ({"const": {}}, ".const", "expected texts, integers"),
        ({"const": 2**64}, ".const", "64 bit"),
        ({"minimum": 1.5}, ".minimum", "expected an integer"),
        ({"minimum": True}, ".minimum", "expected an integer"),
        ({"maxLength": -1}, ".maxLength", "at least 0"),
        ({"required": "a"}, ".required", "a list of at most 256 names"),
        ({"required": ["a", "a"]}, ".required", "stands twice"),
        ({"required": [1]}, ".required", "names"),
        ({"additionalProperties": True}, ".additionalProperties", "expected false"),
        ({"additionalProperties": {}}, ".additionalProperties", "expected false"),
        ({"properties": []}, ".properties", "expected an object"),
        ({"items": {}}, ".items", "items needs maxItems beside it, at most 256"),
        ({"items": {}, "maxItems": 257}, ".items", "items needs maxItems"),
        ({"items": False, "maxItems": 2}, ".items", "expected an object"),
        ({"$ref": "https://example.org/a.json"}, ".$ref", "a reference is local"),
        ({"$ref": "#/properties/a"}, ".$ref", "a reference is local"),
        ({"$ref": "#/$defs/a/b"}, ".$ref", "a reference is local"),
        ({"$ref": "#"}, ".$ref", "a reference is local"),
        ({"$ref": "#/$defs/a"}, ".$ref", "no definition 'a'"),
        ({"$defs": {"a": {"pattern": ""}}}, ".$defs.a.pattern", "unsupported"),
        ({"$defs": {"a": {"$ref": "#/$defs/a"}}}, ".$defs.a.$ref", "the reference is cyclic: a > a"),
    ],
)
def test_what_is_not_in_the_subset_is_refused_with_its_path(schema, path, reason):
    with pytest.raises(RuleError) as refusal:
        compile_shape(schema, ".schema")
    assert refusal.value.path == f".schema{path}"
    assert reason in refusal.value.reason
    assert str(refusal.value) == f".schema{path}: {refusal.value.reason}"


def test_a_cycle_of_references_is_named():
    definitions = {
        "a": {"properties": {"x": {"$ref": "#/$defs/b"}}},
        "b": {"items": {"$ref": "#/$defs/a"}, "maxItems": 1},
    }
    with pytest.raises(RuleError, match="cyclic: a > b > a"):
        compile_shape({"$defs": definitions})


@pytest.mark.parametrize("order", [list, reversed])
def test_depth_is_bounded_also_through_references_in_any_order(order):
    def chain(length):
        links = {f"d{index}": {"$ref": f"#/$defs/d{index + 1}"} for index in range(length)}
        return {"$defs": dict(order(list({**links, f"d{length}": {"type": "null"}}.items())))}

    assert compile_shape(chain(MAX_DEPTH)).cost == 1
    with pytest.raises(RuleError, match="nested deeper than 16"):
        compile_shape(chain(MAX_DEPTH + 1))
    with pytest.raises(RuleError, match="nested deeper than 16"):
        compile_shape(chain(250))
    deep = {"type": "null"}
    for _ in range(MAX_DEPTH + 1):
        deep = {"properties": {"a": deep}}
    with pytest.raises(RuleError, match="nested deeper than 16"):
        compile_shape(deep)


def test_the_cost_multiplies_along_items_and_is_bounded():
    inner = {"type": "array", "maxItems": 100, "items": {"type": "integer"}}
    assert compile_shape(inner).cost == 1 + 1 + 1 + 100 * (1 + 2)
    with pytest.raises(RuleError, match=f"more than {MAX_COST}"):
        compile_shape({"type": "array", "maxItems": 100, "items": inner})
    doubling = {
        f"d{index}": {"properties": {p: {"$ref": f"#/$defs/d{index + 1}"} for p in "abcdef"}} for index in range(7)
    }
    with pytest.raises(RuleError, match="the worst case takes"):
        compile_shape({"$ref": "#/$defs/d0", "$defs": {**doubling, "d7": {}}})


# The oracle

NAMES = st.sampled_from(("a", "b", "c"))
SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(("", "a", "贷款", "abc"))
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=12
)
TYPES = st.sampled_from(("object", "array", "string", "integer", "boolean", "null"))
SIZES = st.integers(0, 3)


def schemas(inner):
    optional = {
        "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
        "enum": st.lists(SCALARS, min_size=1, max_size=4, unique_by=lambda value: (type(value), value)),
        "const": SCALARS,
        **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), st.integers(-3, 3)),
        **dict.fromkeys(("minLength", "maxLength", "minItems"), SIZES),
        "required": st.lists(NAMES, max_size=2, unique=True),
        "properties": st.dictionaries(NAMES, inner, max_size=3),
        "additionalProperties": st.just(False),
    }
    plain = st.fixed_dictionaries({}, optional=optional)
    return plain | st.builds(
        lambda schema, item, high: {**schema, "items": item, "maxItems": high}, plain, inner, SIZES
    )


@st.composite
def whole_schemas(draw):
    reference = st.sampled_from(("p", "q")).map(lambda name: {"$ref": f"#/$defs/{name}"})
    one = st.recursive(st.just({}) | reference, schemas, max_leaves=6)
    without = st.recursive(st.just({}), schemas, max_leaves=3)
    return {**draw(schemas(one)), "$defs": {"p": draw(without), "q": draw(without)}}


@settings(deadline=None, max_examples=150)
@given(whole_schemas(), st.lists(VALUES, min_size=1, max_size=8))
def test_a_shape_says_what_json_schema_says(schema, found):
    jsonschema = pytest.importorskip("jsonschema", reason="the oracle is not installed: pip install -e '.[oracle]'")
    jsonschema.Draft202012Validator.check_schema(schema)
    oracle = jsonschema.Draft202012Validator(schema)
    shape = compile_shape(schema)
    for value in found:
        assert (shape.check(value) is None) == oracle.is_valid(value), value
