from __future__ import annotations

import json

import pytest

from coseal.contracts.membership import actions as membership
from coseal.contracts.membership.nodes import MAX_NODES, READY_LAG_BLOCKS

DER = "3003020100"


def add(chain, signer_of, node="bank-a-2", by="bank-a", **changes):
    key = signer_of(f"node {node}").public_key.hex()
    args = {"node": node, "consensus_key": key, "link_certificate": f"3004{len(chain.blocks):08x}", **changes}
    return chain.submit(f"{by}/admin", "membership.add_node", **args)


def test_an_added_node_is_an_observer_of_its_member(chain, signer_of):
    receipt = add(chain, signer_of, address="node.bank.example:7001")
    assert (receipt.ok, receipt.data["kind"]) == (True, "observer")
    node = membership.node(chain.executor.reader, "bank-a-2")
    assert (node["member"], node["kind"], node["since"]) == ("bank-a", "observer", 1)
    assert node["address"] == "node.bank.example:7001"
    assert json.loads(json.dumps(node)) == node
    assert "bank-a-2" in [item["id"] for item in membership.nodes(chain.executor.reader)]
    assert membership.member(chain.executor.reader, "bank-a")["nodes"] == ["bank-a", "bank-a-2"]
    assert membership.validators(chain.executor.reader) == chain.genesis.validators


def test_a_nodes_name_is_used_once_for_ever(chain, signer_of):
    assert add(chain, signer_of, node="bank-a").code == "node_exists"
    assert add(chain, signer_of).ok
    assert chain.submit("bank-a/admin", "membership.remove_node", node="bank-a-2").ok
    again = add(chain, signer_of, consensus_key=signer_of("another").public_key.hex())
    assert again.code == "node_exists"


def test_a_member_has_so_many_nodes_and_no_more(chain, signer_of):
    for number in range(MAX_NODES - 1):
        assert add(chain, signer_of, node=f"more-{number}").ok
    assert add(chain, signer_of, node="one-too-many").code == "too_many_nodes"
    assert add(chain, signer_of, node="of-another", by="institute-a").ok
    assert chain.submit("bank-a/admin", "membership.remove_node", node="more-0").ok
    assert add(chain, signer_of, node="one-more").ok


@pytest.mark.parametrize("owner", ["bank-a/admin", "node regulator"])
def test_a_nodes_key_is_its_own(chain, signer_of, owner):
    assert add(chain, signer_of, consensus_key=signer_of(owner).public_key.hex()).code == "key_in_use"


@pytest.mark.parametrize("key", ["00" * 32, "ab", 7])
def test_a_weak_or_malformed_key_is_refused(chain, signer_of, key):
    assert add(chain, signer_of, consensus_key=key).code == "invalid_argument"


@pytest.mark.parametrize(
    "certificate",
    [
        *("", "3", "30", "3001", "300100ff", "3103020100", "3003020A00", "zz03020100", "3080", "308300000100"),
        *("30820fff" + "00" * 4095, 7, None),
    ],
)
def test_what_is_no_certificate_by_its_outer_form_is_refused(chain, signer_of, certificate):
    assert add(chain, signer_of, link_certificate=certificate).code == "invalid_argument"


@pytest.mark.parametrize("certificate", ["3000", DER, "30817f" + "00" * 127, "30820ffc" + "00" * 4092])
def test_what_is_a_sequence_up_to_4096_bytes_passes(chain, signer_of, certificate):
    assert add(chain, signer_of, link_certificate=certificate).ok


def test_a_link_certificate_is_of_one_node_for_ever(chain, signer_of):
    assert add(chain, signer_of, link_certificate=DER).ok
    assert add(chain, signer_of, node="other", link_certificate=DER).code == "certificate_in_use"
    new = "30020500"
    args = {"node": "bank-a-2", "certificate": new}
    assert chain.submit("bank-a/admin", "membership.rotate_link_certificate", **args).ok
    assert membership.node(chain.executor.reader, "bank-a-2")["link_certificate"] == new
    for taken in (DER, new):
        args = {"node": "bank-a", "certificate": taken}
        assert chain.submit("bank-a/admin", "membership.rotate_link_certificate", **args).code == "certificate_in_use"


@pytest.mark.parametrize(
    "address", ["host", ":1", "host:", "host:0", "host:65536", "host:1x", "h st:1", "h" * 256 + ":1", "hö:1", 7]
)
def test_an_address_that_is_none_is_refused(chain, signer_of, address):
    assert add(chain, signer_of, address=address).code == "invalid_argument"


def test_only_the_own_observer_is_removed(chain, signer_of):
    assert add(chain, signer_of).ok
    remove = "membership.remove_node"
    assert chain.submit("bank-a/admin", remove, node="bank-a").code == "is_validator"
    assert chain.submit("enterprise-a/admin", remove, node="bank-a-2").code == "forbidden"
    assert chain.submit("bank-a/admin", remove, node="nobody").code == "unknown_node"
    assert chain.submit("bank-a/admin", remove, node="bank-a-2").ok
    assert chain.submit("bank-a/admin", remove, node="bank-a-2").code == "unknown_node"
    node = membership.node(chain.executor.reader, "bank-a-2")
    assert (node["kind"], node["consensus_key"], node["link_certificate"]) == ("former", None, None)
    assert "bank-a-2" not in [item["id"] for item in membership.nodes(chain.executor.reader)]
    assert membership.sender_key(chain.executor.reader, "node:bank-a-2") is None


def test_the_key_of_a_removed_node_is_never_used_again(chain, signer_of):
    assert add(chain, signer_of).ok
    assert chain.submit("bank-a/admin", "membership.remove_node", node="bank-a-2").ok
    key = signer_of("node bank-a-2").public_key.hex()
    assert add(chain, signer_of, node="other", consensus_key=key).code == "key_in_use"


def test_the_link_certificate_of_an_own_node_alone_is_replaced(chain):
    args = {"node": "regulator", "certificate": DER}
    assert chain.submit("bank-a/admin", "membership.rotate_link_certificate", **args).code == "forbidden"
    assert chain.submit("regulator/admin", "membership.rotate_link_certificate", **args).ok


def test_only_who_may_operate_changes_nodes(chain, signer_of):
    key = signer_of("clerk").public_key.hex()
    clerk = {"user": "clerk", "key": key, "capabilities": ["submit"]}
    assert chain.submit("bank-a/admin", "membership.add_operator", **clerk).ok
    chain.keys["bank-a/clerk"] = signer_of("clerk")
    assert chain.submit("bank-a/clerk", "membership.remove_node", node="bank-a").code == "forbidden"


def test_an_observer_says_that_it_is_ready_now_and_then(chain, signer_of):
    assert add(chain, signer_of).ok
    ready = chain.submit("node:bank-a-2", "membership.ready", height=1)
    assert ready.data == {"node": "bank-a-2", "height": 1, "ready": 2}
    assert membership.node(chain.executor.reader, "bank-a-2")["ready"] == 2
    assert chain.submit("node:bank-a-2", "membership.ready", height=2).code == "ready_already"
    while chain.executor.height < READY_LAG_BLOCKS:
        chain.block()
    assert chain.submit("node:bank-a-2", "membership.ready", height=100).code == "ready_already"
    assert chain.submit("node:bank-a-2", "membership.ready", height=1).code == "not_caught_up"
    assert chain.submit("node:bank-a-2", "membership.ready", height=103).code == "not_caught_up"
    assert chain.submit("node:bank-a-2", "membership.ready", height=4).ok


def test_a_validator_and_an_operator_cannot_say_that_they_are_ready(chain):
    assert chain.submit("node:regulator", "membership.ready", height=0).code == "not_observer"
    assert chain.submit("regulator/admin", "membership.ready", height=1).code == "only_for_nodes"
