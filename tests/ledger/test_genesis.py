"""Genesis documents: what is accepted, and how what is not is named."""

import json

import pytest

from coseal.ledger.errors import Malformed
from coseal.ledger.genesis import (
    MAX_GENESIS_BYTES,
    Genesis,
    Member,
    Node,
    Operator,
    Parameters,
    encode_genesis,
    is_name,
)
from coseal.ledger.signing import Ed25519Signer

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
        (("parameters", "standard_period_ms"), 999, "standard_period_ms"),
        (("parameters", "netting_open_ms"), 3_600_001, "netting_open_ms"),
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
        (("members", 0, "operators", 0, "capabilities"), ["Fly"], "capabilities"),
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


@pytest.mark.parametrize("name", ["a", "bank-a", "a.b-1", "z" * 64])
def test_names_are_plain(name):
    assert is_name(name)


@pytest.mark.parametrize("name", ["", "A", "1a", "-a", "a_b", "a/b", "a b", "é", "z" * 65, None, 5, b"a"])
def test_other_names_are_not(name):
    assert not is_name(name)


@pytest.mark.parametrize(("name", "usual"), [("standard_period_ms", 30 * 86_400_000), ("netting_open_ms", 3_600_000)])
def test_the_usual_length_of_periods_and_runs_is_not_written(name, usual):
    found = document()
    assert name not in found["parameters"]
    assert getattr(decode(found).parameters, name) == usual
    found["parameters"][name] = 5_000
    genesis = decode(found)
    assert getattr(genesis.parameters, name) == 5_000
    raw = encode_genesis(
        name=genesis.name,
        time_ms=genesis.time_ms,
        parameters=genesis.parameters,
        members=genesis.members,
        nodes=genesis.nodes,
    )
    assert Genesis.decode(raw).parameters == genesis.parameters
