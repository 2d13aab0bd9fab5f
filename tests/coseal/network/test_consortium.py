"""Consortium files: what makes one, and that every mistake is named."""

import tomllib
from pathlib import Path

import pytest

from coseal.errors import CosealError
from coseal.ledger.errors import Malformed
from coseal.ledger.genesis import Sources
from coseal.ledger.validators import max_faulty, quorum
from coseal.network.consortium import default_consortium, load_consortium, parse_consortium

GOOD = """
name = "harbour"
validators = ["regulator", "bank-a", "works", "institute"]
[[members]]
id = "regulator"
name = "Harbour authority"
role = "government"
level = "municipal"
[[members]]
id = "bank-a"
role = "bank"
central_bank = true
[[members.users]]
user = "clerk"
capabilities = ["submit"]
[[members]]
id = "works"
role = "enterprise"
[[members]]
id = "institute"
role = "institute"
[parameters]
tenure = 8
"""


def changed(old: str, new: str) -> dict:
    assert old in GOOD
    return tomllib.loads(GOOD.replace(old, new))


def test_a_good_file_gives_members_users_seats_and_parameters(tmp_path: Path):
    (tmp_path / "c.toml").write_text(GOOD)
    consortium = load_consortium(tmp_path / "c.toml")
    assert [member.id for member in consortium.members] == ["regulator", "bank-a", "works", "institute"]
    assert consortium.members[1].central_bank
    assert [user.name for user in consortium.members[1].users] == ["clerk"]
    assert consortium.members[0].users[0].capabilities == (
        "submit",
        "registrar",
        "operate",
        "supervise",
        "pay",
        "custody",
        "approve",
    )
    assert consortium.validators == ("regulator", "bank-a", "works", "institute")
    assert consortium.parameters.tenure == 8


def test_without_a_list_of_validators_every_member_but_the_public_has_one_seat():
    text = GOOD.replace('validators = ["regulator", "bank-a", "works", "institute"]', "")
    text += '[[members]]\nid = "citizens"\nrole = "public"\n'
    consortium = parse_consortium(tomllib.loads(text.replace("[parameters]\ntenure = 8", "")))
    assert consortium.validators == ("regulator", "bank-a", "works", "institute")


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ('name = "harbour"', 'name = "Harbour!"', "name"),
        ('name = "harbour"', 'colour = "red"', "colour"),
        ('id = "works"', 'id = "bank-a"', "members[2].id"),
        ('id = "works"', 'id = "The Works"', "members[2].id"),
        ('role = "enterprise"', 'role = "company"', "members[2].role"),
        ('level = "municipal"', 'level = "local"', "members[0].level"),
        ('level = "municipal"', "", "members[0].level"),
        ('role = "enterprise"', 'role = "enterprise"\nlevel = "central"', "members[2].level"),
        ('role = "enterprise"', 'role = "enterprise"\ncentral_bank = true', "members[2].central_bank"),
        ('role = "enterprise"', 'role = "enterprise"\nsize = 3', "members[2].size"),
        ('user = "clerk"', 'user = "The Clerk"', "members[1].users[0].user"),
        ('capabilities = ["submit"]', 'capabilities = ["rule"]', "members[1].users[0].capabilities"),
        ('"institute"]', '"nobody"]', "validators[3]"),
        ('"institute"]', '"works"]', "validators[2]"),
        ("tenure = 8", "tenure = true", "parameters.tenure"),
        ("tenure = 8", "speed = 8", "parameters.speed"),
        ('role = "enterprise"', 'role = "bank"\ncentral_bank = true', "members"),
    ],
)
def test_a_mistake_is_named_by_its_path(old: str, new: str, path: str):
    with pytest.raises(Malformed) as caught:
        parse_consortium(changed(old, new))
    assert caught.value.reason.startswith(f"{path}:") or caught.value.reason.startswith(f"{path} ")


def test_one_role_may_not_hold_a_quorum():
    document = changed('role = "enterprise"', 'role = "bank"')
    document["members"][3]["role"] = "bank"
    with pytest.raises(Malformed, match="role bank would hold 3 of 4 seats"):
        parse_consortium(document)


def test_the_example_of_a_consortium_is_a_good_one():
    consortium = load_consortium(Path(__file__).parents[3] / "examples" / "consortium" / "harbour.toml")
    assert len(consortium.members) == 7
    assert len(consortium.validators) == 5


def test_a_missing_or_unreadable_file_is_a_friendly_error(tmp_path: Path):
    with pytest.raises(CosealError, match="no such file"):
        load_consortium(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("name = ")
    with pytest.raises(CosealError, match=r"bad\.toml"):
        load_consortium(tmp_path / "bad.toml")


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 7, 10, 16, 31, 64])
def test_the_default_consortium_lets_nobody_decide_alone(n: int):
    consortium = default_consortium(n)
    roles = {member.id: member.role for member in consortium.members}
    assert len(consortium.validators) == n == len(set(consortium.validators))
    assert {"regulator", "central-bank", "bank-a", "enterprise-a"} <= roles.keys()
    if n >= 4:
        assert max_faulty(n) >= 1
        for role in set(roles.values()):
            assert sum(roles[seat] == role for seat in consortium.validators) < quorum(n)


@pytest.mark.parametrize("n", [0, 65])
def test_there_is_no_default_consortium_of_such_a_size(n: int):
    with pytest.raises(CosealError):
        default_consortium(n)


# Contracts of others

PLEDGES = {"name": "pledges", "version": 1, "sha256": "ab" * 32}


def test_contracts_of_others_are_named_with_version_and_digest():
    document = {**tomllib.loads(GOOD), "contracts": [PLEDGES]}
    assert parse_consortium(document).contracts == (Sources(**PLEDGES),)


@pytest.mark.parametrize(
    ("contracts", "field"),
    [
        ("pledges", "contracts[0]: expected"),
        ([{"name": "pledges"}], "contracts[0]: expected"),
        ([{**PLEDGES, "name": "process"}], "contracts[0].name: process is taken"),
        ([{**PLEDGES, "name": "Pledges"}], "contracts[0].name"),
        ([{**PLEDGES, "version": True}], "contracts[0].version"),
        ([{**PLEDGES, "sha256": "AB" * 32}], "contracts[0].sha256"),
    ],
)
def test_a_mistake_in_contracts_is_named(contracts, field):
    with pytest.raises(Malformed) as refused:
        parse_consortium({**tomllib.loads(GOOD), "contracts": contracts})
    assert field in refused.value.reason


def test_one_contract_in_two_versions_is_refused():
    first = Sources(**PLEDGES)
    consortium = default_consortium(4).with_contracts([first])
    assert consortium.with_contracts([first]).contracts == (first,)
    with pytest.raises(CosealError, match="pledges is given twice"):
        consortium.with_contracts([first._replace(version=2)])
