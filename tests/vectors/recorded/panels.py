"""The scenario's part about panels: admission, seeds, reviews, a decision, an appeal; and who is late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from coseal.contracts.certification.kept import root_of_written
from coseal.contracts.certification.panel import seed_commitment
from coseal.contracts.certification.reviewing import review_commitment
from coseal.contracts.certification.schemes import PROPOSALS
from coseal.contracts.certification.state import project_key, round_key
from tests.vectors.recorded.governed import Proposals
from tests.vectors.recorded.scenario import DAY_MS, Scenario

PANEL: Final = ("regulator", "enterprise-a", "central-bank", "institute-a", "public-a")
BODIES: Final = ("regulator", "institute-a")
APPLICANT: Final = "bank-a"
ACCEPTED: Final[dict[str, Any]] = {
    "leaves": {"e": {"opinion": "accepted", "reason": "It was repeated"}},
    "scores": {"credit-system": {"score": 3, "reason": "Debts are insured"}},
}
SEED: Final = "5e" * 32
SALT: Final = "5a" * 32
SCORES: Final = {"credit-system": {"score": 3, "reason": "Debts are insured"}}
REFUTED: Final[dict[str, Any]] = {
    "leaves": {"e": {"opinion": "refuted", "reason": "It fails"}},
    "scores": SCORES,
    "dissent": "It might be repeated",
}


def run(scenario: Scenario, application: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]]) -> None:
    """Run this part; ``p0`` is sealed, and ``p1`` to ``p7`` are drafts."""
    _admission(scenario, application)
    for project in ("p2", "p3"):
        scenario.ok(APPLICANT, "certification.argue", project=project, nodes=list(nodes), drop=[])
        scenario.ok(APPLICANT, "certification.seal", project=project, count=2, root=root_of_written(nodes))
        scenario.ok("regulator", "certification.admit", project=project)
    _seeds(scenario)
    _reviews(scenario)
    _appeal(scenario)
    _certificates(scenario, application, nodes)


def _admission(scenario: Scenario, application: Mapping[str, Any]) -> None:
    office: dict[str, Any] = {"fields": ["6.3"], "statement_sha256": "ee" * 32}
    office["until_ms"] = scenario.now_ms + 600 * DAY_MS
    register = "certification.register_reviewer"
    scenario.no("unknown_operator", "city", register, user="nobody", **office)
    scenario.no("bad_time", "city", register, user="admin", **{**office, "until_ms": 0})
    scenario.no("own_case", APPLICANT, "certification.apply", **{**application, "parties": list(BODIES)})
    scenario.no("no_panel", "regulator", "certification.admit", project="p0")
    for member in PANEL:
        key = scenario.key(f"{member}/second")
        scenario.ok(member, "membership.add_operator", user="second", key=key, capabilities=["submit"])
        for user in ("admin", "second"):
            scenario.ok(member, register, user=user, **office)
    scenario.wait(16 * DAY_MS)  # the first body of p0 is late
    scenario.no("own_case", APPLICANT, "certification.admit", project="p0")
    scenario.no("not_body", "regulator", "certification.admit", project="p0")


def _commit_seeds(scenario: Scenario, project: str) -> None:
    number = scenario.get(project_key(project))["round"]
    for member in (APPLICANT, *BODIES):
        commitment = seed_commitment(project, number, member, bytes.fromhex(SEED))
        scenario.ok(member, "certification.commit_seed", project=project, commitment=commitment)


def _draw(scenario: Scenario, project: str) -> None:
    for member in (APPLICANT, *BODIES):
        scenario.ok(member, "certification.reveal_seed", project=project, seed=SEED)


def _panel(scenario: Scenario, project: str) -> list[str]:
    number = scenario.get(project_key(project))["round"]
    return [f"{member}/{user}" for member, user, *_ in scenario.get(round_key(project, number))["panel"]]


def _seeds(scenario: Scenario) -> None:
    """An applicant keeps its seed back, and that project rests; for another one a panel is drawn."""
    scenario.no("wrong_step", APPLICANT, "certification.commit_seed", project="p0", commitment="00" * 32)
    scenario.no("too_early", APPLICANT, "certification.reveal_seed", project="p3", seed=SEED)
    for project in ("p2", "p3"):
        _commit_seeds(scenario, project)
    scenario.no("already_committed", APPLICANT, "certification.commit_seed", project="p3", commitment="00" * 32)
    scenario.no("wrong_seed", APPLICANT, "certification.reveal_seed", project="p3", seed="00" * 32)
    _draw(scenario, "p3")
    scenario.no("not_drawn", APPLICANT, "certification.declare", project="p3", conflict=True)
    scenario.wait(4 * DAY_MS)
    scenario.no("resting", APPLICANT, "certification.reveal_seed", project="p2", seed=SEED)


def _reviews(scenario: Scenario) -> None:
    """All refute the one leaf; the body decides so, and no better."""
    names = _seat(scenario)
    reveal: dict[str, Any] = {"project": "p3", "review": REFUTED, "salt": SALT}
    scenario.no("too_early", names[0], "certification.reveal", **reveal)
    _commit(scenario, dict.fromkeys(names, REFUTED))
    scenario.no("too_late", names[0], "certification.commit", project="p3", commitment="00" * 32)
    scenario.no("commitment_differs", names[0], "certification.reveal", **{**reveal, "salt": "00" * 32})
    for name in names:
        scenario.ok(name, "certification.reveal", **reveal)
    decide = {"project": "p3", "reason": "The exercise fails", "conditions": ["Another exercise"]}
    scenario.no("better_than_computed", "regulator", "certification.decide", **decide, outcome="certified")
    scenario.ok("regulator", "certification.decide", **decide, outcome="refused")


def _appeal(scenario: Scenario) -> None:
    """One of the second panel judges not everything and is late; the others refuse again."""
    appeal = {"project": "p3", "reason": "It was repeated", "evidence": ["ab" * 32]}
    scenario.ok(APPLICANT, "certification.appeal", **appeal)
    _commit_seeds(scenario, "p3")
    _draw(scenario, "p3")
    names = _seat(scenario)
    (partial,) = (name for name in names if name.startswith("enterprise-a/"))
    nothing = {**REFUTED, "leaves": {}}
    _commit(scenario, {name: nothing if name == partial else REFUTED for name in names})
    scenario.no("incomplete_review", partial, "certification.reveal", project="p3", review=nothing, salt=SALT)
    for name in names:
        if name != partial:
            scenario.ok(name, "certification.reveal", project="p3", review=REFUTED, salt=SALT)
    scenario.wait(6 * DAY_MS)
    scenario.no("already_appealed", APPLICANT, "certification.appeal", **appeal)


def _seat(scenario: Scenario, project: str = "p3") -> list[str]:
    """Have all who were drawn declare; return their names."""
    names = _panel(scenario, project)
    for name in names:
        scenario.ok(name, "certification.declare", project=project, conflict=False)
    return names


def _commit(scenario: Scenario, reviews: Mapping[str, Mapping[str, Any]], project: str = "p3") -> None:
    number = scenario.get(project_key(project))["round"]
    for name, review in reviews.items():
        commitment = review_commitment(project, number, name, review, SALT)
        scenario.ok(name, "certification.commit", project=project, commitment=commitment)


def certify(
    scenario: Scenario, application: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]], project: str
) -> None:
    """Have a project certified."""
    _reviewed(scenario, application, nodes, project)
    _decide(scenario, project)


def _reviewed(
    scenario: Scenario, application: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]], project: str
) -> None:
    scenario.ok(APPLICANT, "certification.apply", **{**application, "project": project})
    scenario.ok(APPLICANT, "certification.argue", project=project, nodes=list(nodes), drop=[])
    scenario.ok(APPLICANT, "certification.seal", project=project, count=2, root=root_of_written(nodes))
    scenario.ok("regulator", "certification.admit", project=project)
    _commit_seeds(scenario, project)
    _draw(scenario, project)
    names = _seat(scenario, project)
    _commit(scenario, dict.fromkeys(names, ACCEPTED), project)
    for name in names:
        scenario.ok(name, "certification.reveal", project=project, review=ACCEPTED, salt=SALT)


def _decide(scenario: Scenario, project: str) -> None:
    decide = {"project": project, "outcome": "certified", "reason": "The panel said so"}
    scenario.ok("regulator", "certification.decide", **decide)


def _certificates(scenario: Scenario, application: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]]) -> None:
    """Two certificates under a scheme that is short: one is revoked, the other expires."""
    example = PROPOSALS["adopt_scheme"].example
    short = {**example, "scheme": "short", "content": {**example["content"], "validity_ms": DAY_MS}}
    Proposals(scenario, "adopt_scheme").accept("short", short)
    for project in ("s1", "s2"):
        _reviewed(scenario, {**application, "scheme": "short"}, nodes, project)
    for project in ("s1", "s2"):
        _decide(scenario, project)
    Proposals(scenario, "revoke_certificate").every_end({"certificate": "C1", "reason": "The exercise was staged"})
    scenario.wait(DAY_MS)
