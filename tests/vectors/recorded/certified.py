"""The scenario's part about certification: schemes by every end of a ballot, projects argued, sealed, lapsing."""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.certification.kept import root_of_written
from coseal.contracts.certification.projects import LAPSE_MS, MAX_DRAFTS
from coseal.contracts.certification.schemes import PROPOSALS
from tests.vectors.recorded import funding, panels
from tests.vectors.recorded.governed import Proposals
from tests.vectors.recorded.scenario import Scenario

SUBJECT: Final = PROPOSALS["adopt_scheme"].example
NODES: Final[list[dict[str, Any]]] = [
    {"id": "c", "kind": "claim", "statement": "Credit is kept", "criterion": "credit-system"},
    {"id": "e", "kind": "evidence", "parent": "c", "statement": "A test", "place": "test.csv", "sha256": "ab" * 32},
]


def run(scenario: Scenario) -> None:
    """Run this part."""
    schemes = Proposals(scenario, "adopt_scheme")
    schemes.no("wrong_body", {**SUBJECT, "bodies": ["regulator", "bank-a"]})
    schemes.every_end({**SUBJECT})
    schemes.no("exists", {**SUBJECT})
    schemes.accept("old", {**SUBJECT, "scheme": "old"})
    Proposals(scenario, "retire_scheme").every_end({"scheme": "old", "reason": "It asks too little"})
    scenario.wait(1)
    _projects(scenario)
    panels.run(scenario, _apply("q"), NODES)
    funding.run(scenario, _apply("q"), NODES)
    scenario.wait(LAPSE_MS)


def _apply(project: str, **more: Any) -> dict[str, Any]:
    args = {"project": project, "title": "P", "scheme": "rationality", "kind": "payment", "parties": ["city"]}
    return {**args, "framework_sha256": "cd" * 32, **more}


def _projects(scenario: Scenario) -> None:
    for number in range(MAX_DRAFTS):
        scenario.ok("bank-a", "certification.apply", **_apply(f"p{number}"))
    scenario.no("limit", "bank-a", "certification.apply", **_apply("more"))
    scenario.no("exists", "city", "certification.apply", **_apply("p1"))
    scenario.no("unknown_scheme", "city", "certification.apply", **_apply("q", scheme="none"))
    scenario.no("unknown_member", "city", "certification.apply", **_apply("q", parties=["nobody"]))
    scenario.no("retired", "city", "certification.apply", **_apply("q", scheme="old"))
    scenario.no("invalid_argument", "city", "certification.apply", **_apply("a/b"))
    argue: dict[str, Any] = {"project": "p0", "nodes": NODES, "drop": []}
    scenario.no("unknown_project", "bank-a", "certification.argue", **{**argue, "project": "none"})
    scenario.no("not_applicant", "city", "certification.argue", **argue)
    scenario.no("unknown_node", "bank-a", "certification.argue", **{**argue, "drop": ["e"]})
    scenario.ok("bank-a", "certification.argue", **{**argue, "nodes": NODES[:1]})
    seal: dict[str, Any] = {"project": "p0", "count": 1, "root": root_of_written(NODES[:1])}
    scenario.no("inconsistent_argument", "bank-a", "certification.seal", **seal)
    scenario.no("root_differs", "bank-a", "certification.seal", **{**seal, "count": 2})
    scenario.ok("bank-a", "certification.argue", **{**argue, "nodes": NODES[1:]})
    scenario.ok("bank-a", "certification.argue", **{**argue, "drop": ["e"]})
    scenario.ok("bank-a", "certification.argue", **{**argue, "project": "p1"})
    scenario.ok("bank-a", "certification.seal", project="p0", count=2, root=root_of_written(NODES))
    scenario.no("not_draft", "bank-a", "certification.argue", **argue)
