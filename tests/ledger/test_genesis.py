"""Genesis documents, and JSON read strictly (row K2)."""

import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import codec
from ledger.errors import Malformed
from ledger.genesis import (
    MAX_GENESIS_BYTES,
    Genesis,
    Member,
    Node,
    Operator,
    Parameters,
    encode_genesis,
    is_name,
    strict_json,
)
from ledger.signing import Ed25519Signer

ROLES = {"regulator": "government", "central-bank": "bank", "bank-a": "bank", "enterprise-a": "enterprise"}


def key(text):
    return Ed25519Signer(text.encode().ljust(32, b".")).public_key


def document():
    """A valid genesis as JSON values, to be spoilt."""
    members = tuple(
        Member(
            id=member,
            name=member.title(),
            role=role,
            level="central" if role == "government" else "",
            sector="",
            central_bank=member == "central-bank",
            operators=(Operator("admin", key(f"{member}/admin"), ("submit", "operate")),),
        )
        for member, role in ROLES.items()
    )
    nodes = tuple(Node(member, member, "validator", key(f"{member}/node"), b"\x30\x00") for member in ROLES)
    raw = encode_genesis(name="test", time_ms=1, parameters=Parameters(), members=members, nodes=nodes)
    return json.loads(raw)


def decode(value):
    return Genesis.decode(json.dumps(value).encode())


def test_a_genesis_survives_its_encoding():
    genesis = decode(document())
    again = Genesis.decode(
        encode_genesis(
            name=genesis.name,
            time_ms=genesis.time_ms,
            parameters=genesis.parameters,
            members=genesis.members,
            nodes=genesis.nodes,
        )
    )
    assert (again.members, again.nodes, again.parameters) == (genesis.members, genesis.nodes, genesis.parameters)
    assert genesis.members[0].operators[0].capabilities == ("operate", "submit")


def test_the_chain_id_is_that_of_the_exact_bytes():
    raw = json.dumps(document()).encode()
    assert Genesis.decode(raw).chain_id != Genesis.decode(raw + b"\n").chain_id


def test_validators_are_the_validating_nodes_by_id():
    value = document()
    value["nodes"].append(
        {**value["nodes"][0], "id": "observer-1", "kind": "observer", "consensus_key": key("o").hex()}
    )
    validators = decode(value).validators
    assert [seat.id for seat in validators.validators] == sorted(ROLES)
    assert [seat.role for seat in validators.validators] == [ROLES[name] for name in sorted(ROLES)]


def spoil(path, new):
    def change(value):
        *steps, last = path
        for step in steps:
            value = value[step]
        if new is ...:
            del value[last]
        else:
            value[last] = new

    return change


@pytest.mark.parametrize(
    ("path", "new", "named"),
    [
        (("coseal",), 2, "coseal"),
        (("coseal",), ..., "coseal"),
        (("name",), "", "name"),
        (("name",), 7, "name"),
        (("surprise",), 1, "surprise"),
        (("time_ms",), -1, "time_ms"),
        (("time_ms",), True, "time_ms"),
        (("time_ms",), 2**60, "time_ms"),
        (("protocol_version",), 2, "protocol_version"),
        (("parameters", "tenure"), 0, "tenure"),
        (("parameters", "tenure"), ..., "tenure"),
        (("parameters", "state_bits"), 5, "bits"),
        (("parameters", "state_bits"), 28, "bits"),
        (("parameters", "public_read"), 1, "public_read"),
        (("parameters", "block_bytes_max"), 1, "block_bytes_max"),
        (("parameters", "other"), 1, "other"),
        (("members",), {}, "members"),
        (("members", 0, "id"), "Regulator", "id"),
        (("members", 0, "id"), "central-bank", "duplicate member id"),
        (("members", 0, "role"), "king", "role"),
        (("members", 0, "role"), ["government"], "role"),
        (("members", 0, "level"), "galactic", "level"),
        (("members", 0, "level"), "", "level"),
        (("members", 1, "level"), "central", "level"),
        (("members", 0, "sector"), ["energy"], "sector"),
        (("members", 0, "sector"), "s" * 65, "sector"),
        (("members", 0, "central_bank"), True, "central bank"),
        (("members", 2, "central_bank"), True, "central bank"),
        (("members", 0, "central_bank"), 0, "central_bank"),
        (("members", 0, "operators", 0, "user"), "a/b", "user"),
        (("members", 0, "operators", 0, "key"), "AB" * 32, "key"),
        (("members", 0, "operators", 0, "key"), "ab" * 31, "key"),
        (("members", 0, "operators", 0, "key"), "01" + "00" * 31, "small order"),
        (("members", 0, "operators", 0, "key"), "ff" * 32, "small order"),
        (("members", 0, "operators", 0, "capabilities"), ["fly"], "capabilities"),
        (("members", 0, "operators", 0, "capabilities"), "submit", "capabilities"),
        (("nodes", 0, "kind"), "miner", "kind"),
        (("nodes", 0, "member"), "nobody", "unknown member"),
        (("nodes", 0, "id"), "bank-a", "duplicate node id"),
        (("nodes", 0, "link_certificate"), "zz", "link_certificate"),
        (("nodes", 0, "link_certificate"), "00 00", "link_certificate"),
        (("nodes", 0, "link_certificate"), "00" * 4097, "link_certificate"),
        (("nodes", 0, "extra"), None, "extra"),
        (("nodes",), [], "validators"),
    ],
)
def test_a_spoilt_genesis_is_refused_and_the_place_is_named(path, new, named):
    value = document()
    decode(value)
    spoil(path, new)(value)
    with pytest.raises(Malformed) as caught:
        decode(value)
    assert named in caught.value.reason


def test_one_key_for_two_purposes_is_refused():
    value = document()
    value["nodes"][0]["consensus_key"] = value["members"][2]["operators"][0]["key"]
    with pytest.raises(Malformed, match="duplicate key"):
        decode(value)


def test_a_member_with_too_many_seats_is_refused():
    value = document()
    value["nodes"][1]["member"] = "regulator"
    with pytest.raises(Malformed, match="more than f"):
        decode(value)


def test_a_genesis_is_bounded():
    with pytest.raises(Malformed, match="at most"):
        Genesis.decode(b" " * (MAX_GENESIS_BYTES + 1))


# Strict JSON


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        b"{",
        b"1 2",
        b"[1,]",
        b"{'a': 1}",
        b"\xef\xbb\xbf{}",
        b'{"a": 1, "a": 2}',
        b'{"b": {"a": 1, "a": 1}}',
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"1.5",
        b"1e400",
        b"1E2",
        b"-0.0",
        b"18446744073709551616",
        b"-9223372036854775809",
        b"9" * 5_000,
        b"[" * 17 + b"]" * 17,
        b"[" * 100_000,
        b'{"a":' * 17 + b"1" + b"}" * 17,
        rb'"\ud800"',
        rb'{"\udfff": 1}',
        b'"\x01"',
        b'"unclosed',
        b'["\\\\", "' + b"[" * 20,
    ],
)
def test_json_outside_the_strict_subset_is_refused(raw):
    with pytest.raises(Malformed):
        strict_json(raw)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"18446744073709551615", 2**64 - 1),
        (b"-9223372036854775808", -(2**63)),
        (b"[" * 16 + b"]" * 16, None),
        (b'"' + b"[" * 40 + b'"', "[" * 40),
        (b'["\\"[[[[[[[[[[[[[[[[[[", "\\\\"]', None),
        (rb'"\ud83d\ude00"', "😀"),
        ('"ключ"'.encode(), "ключ"),
        (b'{"a": [1, true, null]}', {"a": [1, True, None]}),
    ],
)
def test_json_within_the_strict_subset_is_read(raw, value):
    assert value is None or strict_json(raw) == value
    strict_json(raw)


def test_the_depth_can_be_set_for_documents_that_wrap_a_value():
    assert strict_json("[" * 20 + "]" * 20, depth=20)
    with pytest.raises(Malformed, match="deeper than 20"):
        strict_json("[" * 21 + "]" * 21, depth=20)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('ab"\\[{é', max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(JSON_VALUES, st.booleans())
@settings(max_examples=150, deadline=None)
def test_whatever_has_a_canonical_encoding_and_no_bytes_survives_json(value, ascii_only):
    codec.encode(value)
    assert strict_json(json.dumps(value, ensure_ascii=ascii_only)) == value


@pytest.mark.parametrize(
    "raw",
    [
        b'"' + b"a" * 10_000_000 + b'"',
        b"9" * 10_000_000,
        b"[" * 10_000_000,
        b'"' + b'\\"' * 2_000_000 + b'"',
    ],
    ids=["long text", "long number", "deep nesting", "many escapes"],
)
def test_large_inputs_take_memory_in_proportion_to_their_size(raw):
    tracemalloc.start()
    try:
        refusal = refused(raw)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * len(raw)
    assert len(refusal) < 200


def refused(raw):
    """Return why ``raw`` is refused, nothing if it is read."""
    try:
        strict_json(raw)
    except Malformed as error:
        return error.reason
    return ""


@pytest.mark.parametrize("name", ["a", "bank-a", "a.b-1", "z" * 64])
def test_names_are_plain(name):
    assert is_name(name)


@pytest.mark.parametrize("name", ["", "A", "1a", "-a", "a_b", "a/b", "a b", "é", "z" * 65, None, 5, b"a"])
def test_other_names_are_not(name):
    assert not is_name(name)
