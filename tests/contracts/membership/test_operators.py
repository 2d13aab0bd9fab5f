from __future__ import annotations

import json

import pytest

from coseal.contracts.membership import actions as membership
from coseal.contracts.registry import CONTRACTS
from coseal.ledger.genesis import ROLES

SMALL_ORDER = "00" * 32
NOT_CANONICAL = (2**255 - 19 + 3).to_bytes(32, "little").hex()


def rows(chain):
    """Every value of the state that a transaction could have changed, without the exactly-once window."""
    store = chain.state._store
    return {
        entry: None
        for index in range(1 << chain.state.bits)
        for _, entry in store.bucket(index)
        if b"system/" not in entry
    }


def add(chain, signer_of, user="clerk", capabilities=("submit",), by="bank-a/admin", key=None):
    member = by.partition("/")[0]
    key = signer_of(f"{member}/{user}").public_key.hex() if key is None else key
    return chain.submit(by, "membership.add_operator", user=user, key=key, capabilities=list(capabilities))


def test_genesis_members_of_every_role_are_registered(chain):
    found = membership.members(chain.executor.reader)
    assert {member["role"] for member in found} == set(ROLES)
    assert [member["id"] for member in found] == sorted(member["id"] for member in found)
    regulator = membership.member(chain.executor.reader, "regulator")
    assert (regulator["level"], regulator["nodes"]) == ("central", ["regulator"])
    assert regulator["operators"][0]["capabilities"] == ["operate", "registrar", "submit", "supervise"]
    assert membership.member(chain.executor.reader, "central-bank")["central_bank"] is True


def test_queries_give_what_json_can_hold(chain, signer_of):
    add(chain, signer_of)
    reader = chain.executor.reader
    assert json.loads(json.dumps(membership.members(reader))) == membership.members(reader)
    assert json.loads(json.dumps(membership.nodes(reader))) == membership.nodes(reader)


def test_queries_of_unknown_things_give_nothing(chain):
    reader = chain.executor.reader
    assert membership.member(reader, "nobody") is None
    assert membership.node(reader, "nobody") is None
    assert membership.operator(reader, "bank-a", "nobody") is None
    assert membership.sender_key(reader, "bank-a/nobody") is None
    assert membership.sender(reader, "bank-a/nobody") is None


def test_the_node_registry_holds_kind_and_link_certificate(chain):
    node = membership.node(chain.executor.reader, "bank-a")
    assert (node["member"], node["kind"]) == ("bank-a", "validator")
    assert bytes.fromhex(node["link_certificate"]) == b"certificate"


def test_validators_of_the_state_are_those_of_genesis(chain):
    assert membership.validators(chain.executor.reader) == chain.genesis.validators


def test_an_added_operator_can_act(chain, signer_of):
    assert add(chain, signer_of, capabilities=["submit", "operate"]).ok
    assert chain.submit("bank-a/clerk", "membership.set_profile", name="Bank A").ok
    assert membership.member(chain.executor.reader, "bank-a")["name"] == "Bank A"


def test_the_receipt_of_an_added_operator_says_who_and_what(chain, signer_of):
    data = add(chain, signer_of, capabilities=["submit", "operate"]).data
    key = signer_of("bank-a/clerk").public_key.hex()
    assert data == {"member": "bank-a", "user": "clerk", "key": key, "capabilities": ["operate", "submit"]}


def test_operate_is_needed_to_change_the_member(chain, signer_of):
    add(chain, signer_of)
    before = rows(chain)
    assert add(chain, signer_of, user="other", by="bank-a/clerk").code == "forbidden"
    assert chain.submit("bank-a/clerk", "membership.remove_operator", user="admin").code == "forbidden"
    assert chain.submit("bank-a/clerk", "membership.set_profile", name="Mine").code == "forbidden"
    assert rows(chain) == before


@pytest.mark.parametrize("owner", ["bank-a/admin", "enterprise-a/admin", "node regulator"])
def test_a_key_in_use_anywhere_is_refused(chain, signer_of, owner):
    before = rows(chain)
    key = signer_of(owner).public_key.hex()
    assert add(chain, signer_of, key=key).code == "key_in_use"
    assert chain.submit("bank-a/admin", "membership.rotate_operator_key", key=key).code == "key_in_use"
    assert rows(chain) == before


def test_a_former_key_is_never_accepted_again(chain, signer_of):
    old = signer_of("bank-a/admin").public_key.hex()
    new = signer_of("bank-a/admin, second")
    assert chain.submit("bank-a/admin", "membership.rotate_operator_key", key=new.public_key.hex()).ok
    chain.keys["bank-a/admin"] = new
    assert chain.submit("bank-a/admin", "membership.rotate_operator_key", key=old).code == "key_in_use"
    assert add(chain, signer_of, by="enterprise-a/admin", key=old).code == "key_in_use"


@pytest.mark.parametrize("key", [SMALL_ORDER, NOT_CANONICAL, "ab", "AB" * 32, 7, None])
def test_a_weak_or_malformed_key_is_refused(chain, signer_of, key):
    before = rows(chain)
    receipt = chain.submit("bank-a/admin", "membership.add_operator", user="clerk", key=key, capabilities=["submit"])
    assert receipt.code == "invalid_argument"
    assert receipt.detail.startswith("args.key:")
    assert chain.submit("bank-a/admin", "membership.rotate_operator_key", key=key).code == "invalid_argument"
    assert rows(chain) == before


def test_nobody_grants_a_capability_they_lack(chain, signer_of):
    assert add(chain, signer_of, capabilities=["registrar"]).code == "forbidden"
    assert add(chain, signer_of, user="manager", capabilities=["operate"]).ok
    assert add(chain, signer_of, user="other", by="bank-a/manager").code == "forbidden"


def test_a_government_registrar_can_make_another(chain, signer_of):
    assert add(chain, signer_of, by="regulator/admin", capabilities=["registrar"]).ok
    assert add(chain, signer_of, by="city/admin", capabilities=["registrar"]).code == "forbidden"


def test_a_registrar_that_is_no_government_can_make_no_other(make_chain, genesis_with, signer_of):
    chain = make_chain(genesis_with(registrars=("bank-a",)))
    receipt = add(chain, signer_of, capabilities=["registrar"])
    assert (receipt.code, "government" in receipt.detail) == ("forbidden", True)
    assert add(chain, signer_of, capabilities=["submit"]).ok


def test_replacing_the_key_of_a_stronger_operator_is_refused(chain, signer_of):
    assert add(chain, signer_of, by="regulator/admin", user="manager", capabilities=["operate"]).ok
    before = rows(chain)
    mine = signer_of("mine").public_key.hex()
    receipt = chain.submit("regulator/manager", "membership.rotate_operator_key", user="admin", key=mine)
    assert receipt.code == "forbidden"
    assert rows(chain) == before


def test_a_plain_operator_replaces_the_own_key_and_no_other(chain, signer_of):
    add(chain, signer_of)
    keys = [signer_of(f"key {i}") for i in range(2)]
    receipt = chain.submit("bank-a/clerk", "membership.rotate_operator_key", user="admin", key=keys[0].public_key.hex())
    assert receipt.code == "forbidden"
    assert chain.submit("bank-a/clerk", "membership.rotate_operator_key", key=keys[0].public_key.hex()).ok
    assert membership.sender_key(chain.executor.reader, "bank-a/clerk") == keys[0].public_key


def test_replacing_the_key_of_an_equal_needs_operate(chain, signer_of):
    add(chain, signer_of)
    add(chain, signer_of, user="other")
    key = signer_of("new").public_key.hex()
    receipt = chain.submit("bank-a/clerk", "membership.rotate_operator_key", user="other", key=key)
    assert receipt.code == "forbidden"


def test_an_operator_with_operate_replaces_the_lost_key_of_another(chain, signer_of):
    add(chain, signer_of)
    new = signer_of("new")
    receipt = chain.submit("bank-a/admin", "membership.rotate_operator_key", user="clerk", key=new.public_key.hex())
    assert receipt.data["former_key"] == signer_of("bank-a/clerk").public_key.hex()
    chain.keys["bank-a/clerk"] = new
    assert chain.submit("bank-a/clerk", "membership.set_profile", name="x").code == "forbidden"  # known, but weak


def test_the_history_of_keys_is_kept_and_bounded(chain, signer_of):
    first = signer_of("bank-a/admin").public_key.hex()
    for turn in range(membership.MAX_KEY_HISTORY):
        new = signer_of(f"turn {turn}")
        assert chain.submit("bank-a/admin", "membership.rotate_operator_key", key=new.public_key.hex()).ok
        chain.keys["bank-a/admin"] = new
    history = membership.operator(chain.executor.reader, "bank-a", "admin")["history"]
    assert history[0] == {"key": first, "from": 0, "to": 1}
    assert [item["to"] for item in history[:-1]] == [item["from"] for item in history[1:]]
    new = signer_of("one more")
    assert chain.submit("bank-a/admin", "membership.rotate_operator_key", key=new.public_key.hex()).ok
    history = membership.operator(chain.executor.reader, "bank-a", "admin")["history"]
    assert len(history) == membership.MAX_KEY_HISTORY
    assert history[0]["key"] != first


def test_the_last_operator_who_may_operate_stays(chain, signer_of):
    add(chain, signer_of)
    assert chain.submit("bank-a/admin", "membership.remove_operator", user="admin").code == "last_operator"
    assert add(chain, signer_of, user="manager", capabilities=["operate"]).ok
    assert chain.submit("bank-a/manager", "membership.remove_operator", user="admin").ok


def test_a_removed_operator_can_do_nothing_more_and_its_history_stays(chain, signer_of):
    add(chain, signer_of)
    assert chain.submit("bank-a/admin", "membership.remove_operator", user="clerk").ok
    tx = chain.sign("bank-a/clerk", "membership.set_profile", {"name": "x"})
    assert chain.executor.check(tx, chain.now_ms).code == "unknown_sender"
    clerk = membership.operator(chain.executor.reader, "bank-a", "clerk")
    assert (clerk["key"], clerk["capabilities"]) == (None, [])
    assert clerk["history"] == [{"key": signer_of("bank-a/clerk").public_key.hex(), "from": 1, "to": 2}]


def test_a_removed_operator_comes_back_with_a_new_key_only(chain, signer_of):
    add(chain, signer_of)
    chain.submit("bank-a/admin", "membership.remove_operator", user="clerk")
    assert add(chain, signer_of).code == "key_in_use"
    assert add(chain, signer_of, key=signer_of("new").public_key.hex()).ok
    assert len(membership.operator(chain.executor.reader, "bank-a", "clerk")["history"]) == 1


def test_unknown_and_present_operators_are_told_apart(chain, signer_of):
    add(chain, signer_of)
    assert add(chain, signer_of, key=signer_of("new").public_key.hex()).code == "operator_exists"
    key = signer_of("newer").public_key.hex()
    for name, args in (("remove_operator", {}), ("rotate_operator_key", {"key": key})):
        receipt = chain.submit("bank-a/admin", f"membership.{name}", user="nobody", **args)
        assert receipt.code == "unknown_operator"


def test_the_number_of_operators_is_bounded(chain, signer_of, monkeypatch):
    monkeypatch.setattr(membership, "MAX_OPERATORS", 2)
    assert add(chain, signer_of, user="one").ok
    assert add(chain, signer_of, user="two").code == "too_many_operators"


def test_after_a_key_change_in_a_block_the_old_key_fails_in_that_block_and_is_invalid_after(chain, signer_of):
    new = signer_of("new").public_key.hex()
    rotate = chain.sign("bank-a/admin", "membership.rotate_operator_key", {"key": new})
    late = chain.sign("bank-a/admin", "membership.set_profile", {"name": "late"})
    later = chain.sign("bank-a/admin", "membership.set_profile", {"name": "later"})
    assert [receipt.code for receipt in chain.block(rotate, late)] == ["ok", "unknown_sender"]
    assert chain.executor.check(later, chain.now_ms).code == "unknown_sender"


def test_a_profile_needs_a_field_and_keeps_the_others(chain):
    assert chain.submit("bank-a/admin", "membership.set_profile").code == "invalid_argument"
    assert chain.submit("bank-a/admin", "membership.set_profile", url="https://a.example").ok
    assert chain.submit("bank-a/admin", "membership.set_profile", description="A bank").ok
    profile = membership.member(chain.executor.reader, "bank-a")["profile"]
    assert profile == {"url": "https://a.example", "description": "A bank"}


@pytest.mark.parametrize("name", sorted(CONTRACTS["membership"].actions))
def test_the_example_of_every_action_validates(name):
    action = CONTRACTS["membership"].actions[name]
    assert action.arguments.check(dict(action.example)) is None
    assert action.title
