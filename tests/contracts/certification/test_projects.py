"""Projects on a chain: applied for, argued, sealed or refused, lapsing."""

from __future__ import annotations

from typing import Any

import pytest

from coseal.contracts.certification.kept import ids_of, kept, nodes_in, root_of, root_of_written
from coseal.contracts.certification.projects import LAPSE_MS, MAX_DRAFTS
from coseal.contracts.certification.state import argument_node_key, drafts_key, nodes_key, project_key
from coseal.ledger import codec, merkle
from coseal.ledger.render import time_text
from tests.support.certification import CONTENT, DAY_MS, Certified, changed, clearing

ARGUMENT = clearing()


@pytest.fixture
def scene() -> Certified:
    return Certified()


@pytest.fixture
def argued(scene: Certified) -> Certified:
    scene.apply()
    scene.argue(ARGUMENT)
    return scene


def state_of(scene: Certified, project: str = "clearing") -> Any:
    return scene.chain.get(project_key(project))


# Applying


def test_the_receipt_of_an_application_names_the_criteria_that_apply(scene: Certified) -> None:
    applied = scene.apply()
    three = {"financial-risk", "credit-system", "incentives"}
    assert set(applied["criteria"]) == {"framework", "outcome", "value", *three}
    assert (applied["number"], applied["status"]) == (1, "draft")
    assert "privacy-supervision" in scene.apply("other", kind="consortium_chain")["criteria"]
    assert scene.chain.get("certification/number/2") == "other"
    assert scene.chain.get("certification/count") == 2


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"scheme": "none"}, "unknown_scheme"),
        ({"parties": ["nobody"]}, "unknown_member"),
        ({"project": "clearing"}, "exists"),
        ({"project": "a/b"}, "invalid_argument"),
        ({"parties": ["bank-a", "bank-a"]}, "invalid_argument"),
    ],
)
def test_an_application_is_refused_by_what_is_wrong_with_it(
    scene: Certified, changes: dict[str, Any], code: str
) -> None:
    scene.apply()
    args = {"project": "new", "title": "New", "scheme": "rationality", "kind": "payment"}
    assert scene.code("bank-a", "apply", **{**args, "framework_sha256": "00" * 32, **changes}) == code


def test_a_member_has_at_most_eight_drafts_and_gets_room_by_sealing(scene: Certified) -> None:
    for number in range(MAX_DRAFTS):
        scene.apply(f"p{number}")
    args = {"project": "more", "title": "M", "scheme": "rationality", "kind": "payment"}
    args |= {"framework_sha256": "00" * 32}
    assert scene.code("enterprise-a", "apply", **args) == "limit"
    scene.argue(ARGUMENT, "p0")
    assert scene.seal(ARGUMENT, "p0").ok
    assert scene.code("enterprise-a", "apply", **args) == "ok"


# Arguing


def test_the_state_keeps_texts_as_a_digest_and_ids_in_their_order(argued: Certified) -> None:
    node = argued.chain.get(argument_node_key("clearing", "Load-Test"))
    assert node == kept(next(each for each in ARGUMENT if each["id"] == "Load-Test"))
    assert "statement" not in node
    assert argued.chain.get(nodes_key("clearing", 0)) == [node["id"] for node in ARGUMENT]


def test_a_node_is_replaced_in_its_place_or_dropped_until_it_is_sealed(argued: Certified) -> None:
    instead = {**ARGUMENT[0], "statement": "Another one"}
    assert argued.argue([instead], drop=["Scope"])["nodes"] == len(ARGUMENT) - 1
    after = [instead, *(node for node in ARGUMENT[1:] if node["id"] != "Scope")]
    assert ids_of(argued.chain.executor, "clearing", len(after)) == [node["id"] for node in after]
    assert argued.chain.get(argument_node_key("clearing", "Scope")) is None
    assert argued.seal(after).ok
    again = {"project": "clearing", "nodes": [], "drop": ["Survey"]}
    assert argued.code("enterprise-a", "argue", **again) == "not_draft"


def test_nobody_else_argues_or_seals_and_what_is_not_there_is_not_dropped(argued: Certified) -> None:
    args: dict[str, Any] = {"project": "clearing", "nodes": [], "drop": []}
    assert argued.code("bank-a", "argue", **args) == "not_applicant"
    assert argued.code("bank-a", "seal", project="clearing", count=0, root="00" * 32) == "not_applicant"
    assert argued.code("enterprise-a", "argue", **{**args, "drop": ["none"]}) == "unknown_node"
    assert argued.code("enterprise-a", "argue", **{**args, "project": "none"}) == "unknown_project"


def test_an_argument_has_at_most_1024_nodes_over_all_transactions(scene: Certified) -> None:
    scene.apply()
    nodes = [{"id": f"n{n}", "kind": "claim", "statement": "s", "declared": "assumed"} for n in range(1_025)]
    for start in (0, 500):
        scene.argue(nodes[start : start + 500])
    assert scene.code("enterprise-a", "argue", project="clearing", nodes=nodes[1_000:], drop=[]) == "limit"
    assert scene.argue(nodes[1_000:1_024])["nodes"] == 1_024
    assert ids_of(scene.chain.executor, "clearing", 1_024) == [node["id"] for node in nodes[:1_024]]
    scene.argue([], drop=[node["id"] for node in nodes[100:600]])
    assert len(ids_of(scene.chain.executor, "clearing", 524)) == 524
    assert scene.chain.get(nodes_key("clearing", 9)) is None


# Sealing


def test_an_argument_without_fault_is_sealed_under_a_root_by_which_a_node_is_proven(argued: Certified) -> None:
    receipt = argued.seal(ARGUMENT)
    assert receipt.ok, receipt.detail
    record = state_of(argued)
    assert (record["status"], record["root"]) == ("sealed", root_of_written(ARGUMENT))
    nodes = nodes_in(argued.chain.executor, "clearing", ids_of(argued.chain.executor, "clearing", record["nodes"]))
    assert root_of(nodes) == record["root"]
    leaves = [codec.encode([name, nodes[name]]) for name in sorted(nodes)]
    path = merkle.prove(leaves, 3)
    merkle.verify(leaves[3], 3, len(leaves), path, bytes.fromhex(record["root"]))
    assert argued.chain.get(drafts_key("enterprise-a")) is None


@pytest.mark.parametrize(
    ("name", "fields", "fault"),
    [
        ("Limits", {"sha256": None}, "Limits: evidence_without_digest"),
        ("Insured", {"declared": None}, "Insured: undeveloped"),
        ("Credit-System", {"criterion": None}, "credit-system: criterion_unaddressed"),
        ("Value^Outcome", {"cites": "none"}, "Value^Outcome: unknown_reference"),
        ("Value^Outcome", {"cites": "Value"}, "Value: cycle"),
        ("Fees", {"sha256": None, "reference": ["policy", "none"]}, "Fees: unknown_reference"),
        ("Fees", {"sha256": None, "reference": ["certificate", "C1"]}, "Fees: unknown_reference"),
        ("Fees", {"sha256": None, "reference": ["item", "bank-a", "log", "1"]}, "Fees: unknown_reference"),
        ("Fees", {"sha256": None, "reference": ["standard", "s", "01"]}, "Fees: unknown_reference"),
    ],
)
def test_an_argument_with_a_fault_is_not_sealed_and_the_refusal_names_it(
    argued: Certified, name: str, fields: dict[str, Any], fault: str
) -> None:
    nodes = changed(ARGUMENT, name, **fields)
    argued.argue([node for node in nodes if node["id"] == name])
    receipt = argued.seal(nodes)
    assert receipt.code == "inconsistent_argument"
    assert fault in receipt.detail
    argued.argue([node for node in ARGUMENT if node["id"] == name])
    assert argued.seal(ARGUMENT).ok


def test_evidence_on_the_ledger_counts_once_it_is_there(argued: Certified) -> None:
    source = {"id": "log", "process_type": "t", "mode": "live"}
    definition = {"id": "t", "version": 1, "title": "T", "object_types": {"case": {}}, "event_types": {"Begin": {}}}
    argued.ok("bank-a", "process.define_type", **definition)
    argued.ok("bank-a", "process.register_source", **source)
    item = {
        "event": "e",
        "type": "Begin",
        "time": time_text(argued.chain.now_ms),
        "objects": [["case", "c", ""]],
        "late": "Typed",
    }
    for name, reference in (("Fees", ["object", "t", "case", "c"]), ("Survey", ["item", "bank-a", "log", "1"])):
        nodes = changed(ARGUMENT, name, sha256=None, place=None, reference=reference)
        argued.argue([node for node in nodes if node["id"] == name])
    nodes = changed(ARGUMENT, "Fees", sha256=None, place=None, reference=["object", "t", "case", "c"])
    nodes = changed(nodes, "Survey", sha256=None, place=None, reference=["item", "bank-a", "log", "1"])
    assert argued.seal(nodes).code == "inconsistent_argument"
    argued.ok("bank-a", "process.record", source="log", sequence=1, items=[item])
    assert argued.seal(nodes).ok


def test_an_empty_argument_and_one_that_changed_meanwhile_are_not_sealed(scene: Certified) -> None:
    scene.apply(kind="none")
    assert scene.seal([]).code == "inconsistent_argument"
    scene.argue(ARGUMENT)
    scene.argue([{**ARGUMENT[0], "statement": "Changed by another operator"}])
    receipt = scene.seal(ARGUMENT)
    assert receipt.code == "root_differs"
    assert str(len(ARGUMENT)) in receipt.detail


# Lapsing


def test_a_draft_lapses_90_days_after_it_was_touched_and_leaves_no_node(argued: Certified) -> None:
    more = [{"id": f"n{n}", "kind": "context", "parent": "Value", "statement": "s"} for n in range(400)]
    argued.wait(50 * DAY_MS)
    argued.argue(more)
    assert argued.wait(LAPSE_MS - 40 * DAY_MS) == {}
    assert state_of(argued)["status"] == "draft"
    assert argued.wait(41 * DAY_MS)["lapsed"] == [{"project": "clearing"}]
    argued.wait(1)
    assert state_of(argued)["status"] == "lapsed"
    assert argued.chain.get(drafts_key("enterprise-a")) is None
    for node in (*ARGUMENT, *more):
        assert argued.chain.get(argument_node_key("clearing", node["id"])) is None
    assert argued.chain.get(nodes_key("clearing", 0)) is None
    assert argued.chain.get(nodes_key("clearing", 6)) is None
    assert argued.code("enterprise-a", "argue", project="clearing", nodes=[], drop=[]) == "not_draft"
    applied = {"title": "C", "scheme": "rationality", "kind": "x", "framework_sha256": "00" * 32}
    assert argued.code("bank-a", "apply", project="clearing", **applied) == "exists"


def test_what_is_sealed_does_not_lapse(argued: Certified) -> None:
    argued.seal(ARGUMENT)
    assert "lapsed" not in argued.wait(LAPSE_MS + DAY_MS)
    assert state_of(argued)["status"] == "sealed"


# Schemes


def test_a_ballot_adopts_a_scheme_and_the_next_block_names_it() -> None:
    scene = Certified(scheme=False)
    scene.decide("adopt_scheme", scheme="s", content=CONTENT, bodies=["regulator", "institute-a"])
    (named,) = scene.wait(1)["schemes"]
    assert (named["scheme"], named["status"], named["bodies"]) == ("s", "adopted", ["regulator", "institute-a"])
    assert scene.chain.get("certification/scheme/s")["criteria"] == CONTENT["criteria"]


@pytest.mark.parametrize(
    ("bodies", "code"),
    [
        (["regulator", "city"], "wrong_body"),
        (["regulator", "bank-a"], "wrong_body"),
        (["regulator", "nobody"], "wrong_body"),
        (["regulator"], "invalid_argument"),
        (["city", "institute-a"], "ok"),
    ],
)
def test_bodies_are_government_and_institute_members_of_both_constituencies(
    scene: Certified, bodies: list[str], code: str
) -> None:
    assert scene.propose("adopt_scheme", scheme="other", content=CONTENT, bodies=bodies).code == code


def test_a_scheme_never_changes_and_a_retired_one_takes_no_project_but_keeps_its_own(argued: Certified) -> None:
    again = {"scheme": "rationality", "content": CONTENT, "bodies": ["regulator", "institute-a"]}
    assert argued.propose("adopt_scheme", **again).code == "exists"
    assert argued.propose("retire_scheme", scheme="none", reason="r").code == "unknown_scheme"
    argued.decide("retire_scheme", scheme="rationality", reason="It asks too little")
    assert argued.wait(1)["schemes"][0]["status"] == "retired"
    assert argued.propose("retire_scheme", scheme="rationality", reason="r").code == "retired"
    applied = {"title": "C", "scheme": "rationality", "kind": "x", "framework_sha256": "00" * 32}
    assert argued.code("bank-a", "apply", project="new", **applied) == "retired"
    assert argued.seal(ARGUMENT).ok


def test_a_scheme_of_which_nothing_can_pass_is_no_subject(scene: Certified) -> None:
    receipt = scene.propose(
        "adopt_scheme", scheme="x", content={**CONTENT, "threshold": [6, 5]}, bodies=["regulator", "institute-a"]
    )
    assert receipt.code == "invalid_argument"
    assert "threshold" in receipt.detail
