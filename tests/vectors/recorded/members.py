"""The scenario's part about membership and the frame: operators, nodes, who may send what."""

from __future__ import annotations

from coseal.ledger.transaction import Transaction
from tests.support.keys import signer
from tests.vectors.recorded.scenario import Scenario, Step

MAX_NODES = 16


def certificate(number: int) -> str:
    """Return a link certificate as far as the chain looks at it."""
    return f"3004{number:08x}"


def run(scenario: Scenario) -> None:
    """Run this part."""
    _never_in_a_block(scenario)
    _operators(scenario)
    _senders(scenario)
    _nodes(scenario)
    _words_of_nodes(scenario)


def _never_in_a_block(scenario: Scenario) -> None:
    """Rules V1 to V6: blocks that are invalid, whatever is in their headers."""
    chain, name, args = scenario.chain, "membership.set_profile", {"name": "Bank A"}
    now_ms = chain.now_ms
    scenario.refuse("wrong_chain", [chain.sign("bank-a/admin", name, args, chain_id=bytes(32))])
    scenario.refuse("expired", [chain.sign("bank-a/admin", name, args, valid_until_ms=now_ms)])
    scenario.refuse("too_far", [chain.sign("bank-a/admin", name, args, valid_until_ms=now_ms + 600_001)])
    scenario.refuse("unknown_sender", [chain.sign("nobody/admin", name, args)])
    scenario.refuse("unknown_sender", [chain.sign("bank-a/admin", name, args, signer=signer("somebody else"))])
    twice = chain.sign("bank-a/admin", name, args)
    scenario.refuse("duplicate", [twice, twice])
    scenario.refuse("invalid_block", [twice], time_ms=chain.executor.time_ms)
    scenario.refuse("diverged", [twice])
    raw = bytearray(twice.raw)
    raw[-1] ^= 1
    scenario.refuse("invalid_transaction", [Transaction.decode(bytes(raw))])
    scenario.block(Step("ok", twice))
    scenario.refuse("duplicate", [twice])


def _operators(scenario: Scenario) -> None:
    for user, rights in (("clerk", ["submit"]), ("manager", ["operate", "submit"])):
        key = scenario.key(f"bank-a/{user}")
        scenario.ok("bank-a", "membership.add_operator", user=user, key=key, capabilities=rights)
    for member in ("regulator", "city"):
        rights = ["operate", "registrar", "submit", "supervise"]
        key = scenario.key(f"{member}/deputy")
        scenario.ok(member, "membership.add_operator", user="deputy", key=key, capabilities=rights)
    add = {"key": scenario.key("bank-a/new"), "capabilities": ["submit"]}
    scenario.no("operator_exists", "bank-a", "membership.add_operator", user="clerk", **add)
    scenario.no(
        "key_in_use", "bank-a", "membership.add_operator", user="new", **{**add, "key": scenario.key("bank-a/clerk")}
    )
    for right in ("supervise", "registrar"):
        scenario.no("forbidden", "bank-a", "membership.add_operator", user="new", **{**add, "capabilities": [right]})
    scenario.no("invalid_argument", "bank-a", "membership.add_operator", user="new", **{**add, "key": "00" * 32})
    scenario.no("unknown_operator", "bank-a", "membership.remove_operator", user="nobody")
    scenario.no("unknown_operator", "bank-a", "membership.rotate_operator_key", user="nobody", key=scenario.key("new"))
    scenario.no("last_operator", "enterprise-a", "membership.remove_operator", user="admin")
    scenario.no("forbidden", "bank-a/clerk", "membership.rotate_operator_key", user="admin", key=scenario.key("new"))
    scenario.ok("bank-a/manager", "membership.remove_operator", user="clerk")
    scenario.ok("bank-a", "membership.add_operator", user="clerk", **{**add, "key": scenario.key("bank-a/clerk 2")})
    scenario.chain.keys["bank-a/clerk"] = signer("bank-a/clerk 2")
    scenario.ok("bank-a", "membership.rotate_operator_key", user="manager", key=scenario.key("bank-a/manager 2"))
    scenario.chain.keys["bank-a/manager"] = signer("bank-a/manager 2")
    scenario.ok("bank-a", "membership.set_profile", name="First Bank", description="A bank", url="https://bank.example")
    scenario.no("invalid_argument", "bank-a", "membership.set_profile")


def _senders(scenario: Scenario) -> None:
    """Who may send what; a key that was replaced earlier in a block is nobody's."""
    scenario.no("unknown_action", "bank-a", "membership.dance")
    scenario.no("unknown_action", "bank-a", "dance.membership")
    scenario.no("forbidden", "bank-a/clerk", "membership.set_profile", name="Mine")
    scenario.no("only_for_nodes", "bank-a", "membership.ready", height=1)
    scenario.no("not_for_nodes", "node:bank-a", "membership.set_profile", name="Node")
    rotate = scenario.step("ok", "bank-a/clerk", "membership.rotate_operator_key", key=scenario.key("bank-a/clerk 3"))
    after = scenario.step("unknown_sender", "bank-a/clerk", "supervision.ask", topic="Keys", question="Whose am I?")
    scenario.block(rotate, after)
    scenario.chain.keys["bank-a/clerk"] = signer("bank-a/clerk 3")


def _nodes(scenario: Scenario) -> None:
    number = 0

    def add(code: str, member: str, node: str, key: str = "", link: str = "") -> Step:
        nonlocal number
        number += 1
        args = {"consensus_key": key or scenario.key(f"node {node}"), "link_certificate": link or certificate(number)}
        return scenario.step(code, member, "membership.add_node", node=node, **args)

    scenario.block(add("ok", "institute-a", "institute-a-1"), add("ok", "bank-a", "bank-a-2"))
    scenario.ok(
        "public-a",
        "membership.add_node",
        node="public-a-0",
        consensus_key=scenario.key("node public-a-0"),
        link_certificate=certificate(0),
        address="[::1]:9000",
    )
    scenario.block(*(add("ok", "public-a", f"public-a-{n}") for n in range(1, MAX_NODES)))
    scenario.block(
        add("too_many_nodes", "public-a", "public-a-16"),
        add("node_exists", "bank-a", "public-a-1"),
        add("key_in_use", "bank-a", "bank-a-3", key=scenario.key("node bank-a-2")),
        add("certificate_in_use", "bank-a", "bank-a-3", link=certificate(0)),
        add("invalid_argument", "bank-a", "bank-a-3", link="00"),
    )
    scenario.no("unknown_node", "public-a", "membership.remove_node", node="nowhere")
    scenario.no("is_validator", "bank-a", "membership.remove_node", node="bank-a")
    scenario.no("forbidden", "bank-a", "membership.remove_node", node="public-a-1")
    scenario.ok("public-a", "membership.remove_node", node="public-a-15")
    scenario.no("node_exists", "public-a", "membership.add_node", **_again(scenario))
    scenario.ok("public-a", "membership.rotate_link_certificate", node="public-a-1", certificate=certificate(900))
    scenario.no(
        "certificate_in_use",
        "public-a",
        "membership.rotate_link_certificate",
        node="public-a-2",
        certificate=certificate(900),
    )


def _again(scenario: Scenario) -> dict[str, str]:
    key = scenario.key("node public-a-15 again")
    return {"node": "public-a-15", "consensus_key": key, "link_certificate": certificate(901)}


def _words_of_nodes(scenario: Scenario) -> None:
    """What nodes say of themselves."""
    scenario.no("not_observer", "node:bank-a", "membership.ready", height=1)
    scenario.no("not_caught_up", "node:institute-a-1", "membership.ready", height=10_000)
    for node in ("institute-a-1", "bank-a-2", "public-a-1"):
        scenario.ok(f"node:{node}", "membership.ready", height=scenario.chain.executor.height)
    scenario.no("ready_already", "node:institute-a-1", "membership.ready", height=scenario.chain.executor.height)
    scenario.ok("node:institute-a-1", "membership.declare_software", protocol_versions=[3, 2])
    scenario.no("declared_already", "node:institute-a-1", "membership.declare_software", protocol_versions=[2, 3])
