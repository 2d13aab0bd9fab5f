from __future__ import annotations

import pytest

from coseal.contracts.process import types as process_types
from coseal.contracts.process.types import CLASSES, KINDS, PERSONAL, definition_hash, normalised

DEFINITION = {
    "id": "loans",
    "version": 1,
    "title": "Loans",
    "object_types": {"loan": {"attributes": {"status": "string"}}, "party": {}},
    "event_types": {
        "Approve": {
            "attributes": {
                "amount": {"type": "scaled", "scale": 2, "required": True},
                "customer": {"type": "string", "class": "sealed"},
                "rate": "decimal",
            }
        },
        "Close": {},
    },
}


def validate(**changes):
    return process_types.DEFINE_TYPE.arguments.check({**DEFINITION, **changes})


def event_type(**attributes):
    return {"event_types": {"Approve": {"attributes": attributes}}}


def test_a_definition_is_stored_with_every_default_written_out(chain):
    receipt = chain.submit("bank-a/admin", "process.define_type", **DEFINITION)
    assert receipt.ok, receipt
    stored = chain.get("process/type/loans")
    assert stored["event_types"]["Approve"]["attributes"]["rate"] == {"type": "decimal", "class": "public"}
    assert stored["event_types"]["Close"] == {"attributes": {}}
    assert (stored["gaps"], stored["early_ms"], stored["late_ms"]) == ("refuse", 300_000, 86_400_000)
    assert (stored["member"], stored["height"]) == ("bank-a", 1)
    assert receipt.data == {"id": "loans", "version": 1, "definition": stored["definition"]}
    assert chain.get("process/definition/loans/1") == stored["definition"]


def test_the_hash_names_the_normalised_definition():
    full = normalised(DEFINITION)
    assert definition_hash(full).hex() == "602ff040ebd05240ba40604c2abc2fd4582b7f652262c4cde425f413137f3299"
    spelled_out = {**DEFINITION, "gaps": "refuse", "late_ms": 86_400_000, "legal_basis": []}
    assert definition_hash(normalised(spelled_out)) == definition_hash(full)
    for changes in ({"title": "Other"}, {"version": 2}, {"early_ms": 1}, {"gaps": "record"}, event_type(rate="string")):
        assert definition_hash(normalised({**DEFINITION, **changes})) != definition_hash(full)


def test_versions_follow_each_other_and_the_former_hash_stays(chain):
    first = chain.submit("bank-a/admin", "process.define_type", **DEFINITION).data["definition"]
    for version in (1, 3):
        receipt = chain.submit("bank-a/admin", "process.define_type", **{**DEFINITION, "version": version})
        assert (receipt.code, receipt.detail) == ("version", f"expected version 2 of loans, got {version}")
    second = chain.submit("bank-a/admin", "process.define_type", **{**DEFINITION, "version": 2}).data["definition"]
    assert chain.get("process/definition/loans/1") == first != second
    assert chain.get("process/definition/loans/2") == chain.get("process/type/loans")["definition"] == second


def test_a_first_version_is_number_one(chain):
    assert chain.submit("bank-a/admin", "process.define_type", **{**DEFINITION, "version": 2}).code == "version"


def test_only_the_member_that_defined_a_type_gives_it_a_new_version(chain):
    chain.submit("bank-a/admin", "process.define_type", **DEFINITION)
    receipt = chain.submit("enterprise-a/admin", "process.define_type", **{**DEFINITION, "version": 2})
    assert receipt.code == "forbidden"
    assert "belongs to bank-a" in receipt.detail


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("classification", CLASSES)
def test_every_kind_and_class_is_accepted(kind, classification):
    spec = {"type": kind, "class": classification, **({"scale": 0} if kind == "scaled" else {})}
    assert validate(**event_type(x=spec)) is None


@pytest.mark.parametrize("name", ["phone", "ID_Card", "e-mail", "Date of birth", "身份证号", "id.number"])
def test_a_persons_data_is_sealed_or_stays_outside(name):
    for changes in (event_type(**{name: "string"}), {"object_types": {"party": {"attributes": {name: "string"}}}}):
        refusal = validate(**changes)
        assert refusal is not None
        assert refusal.code == "personal_data"
        assert name in refusal.detail
    assert validate(**event_type(**{name: {"type": "string", "class": "sealed"}})) is None


def test_the_names_of_personal_data_are_written_as_they_are_compared():
    assert all(name == name.translate(process_types._PLAIN) for name in PERSONAL)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"id": "a/b"}, "args.id"),
        ({"version": 0}, "args.version"),
        ({"version": True}, "args.version"),
        ({"object_types": {"a/b": {}}}, "args.object_types: key 'a/b'"),
        ({"object_types": {"a": {"attribute": {}}}}, "args.object_types.a.attribute: unknown"),
        ({"event_types": []}, "args.event_types"),
        (event_type(x="float"), "args.event_types.Approve.attributes.x: expected one of string"),
        (event_type(x={"type": "string", "class": "secret"}), "args.event_types.Approve.attributes.x.class"),
        (event_type(x={"class": "public"}), "args.event_types.Approve.attributes.x.type: missing"),
        (event_type(x="scaled"), "args.event_types.Approve.attributes.x.scale: needed"),
        (event_type(x={"type": "scaled", "scale": 19}), "args.event_types.Approve.attributes.x.scale"),
        (event_type(x={"type": "integer", "scale": 2}), "args.event_types.Approve.attributes.x.scale: needed"),
        (
            {"object_types": {"a": {"attributes": {"x": {"type": "string", "required": True}}}}},
            "args.object_types.a.attributes.x.required",
        ),
        ({"gaps": "ignore"}, "args.gaps"),
        ({"early_ms": -1}, "args.early_ms"),
        ({"late_ms": 367 * 86_400_000}, "args.late_ms"),
        ({"owner": "bank-a"}, "args.owner: unknown"),
    ],
)
def test_a_wrong_definition_is_refused_with_its_path(changes, path):
    refusal = validate(**changes)
    assert refusal is not None
    assert refusal.code == "invalid_argument"
    assert refusal.detail.startswith(path)


def test_too_many_types_or_attributes_are_refused():
    assert validate(object_types={str(i): {} for i in range(257)}) is not None
    assert validate(event_types={str(i): {} for i in range(1_025)}) is not None
    assert validate(event_types={str(i): {} for i in range(1_024)}) is None
    assert validate(**event_type(**{str(i): "string" for i in range(129)})) is not None
    assert validate(**event_type(**{str(i): "string" for i in range(128)})) is None
