"""The scenario's part about tranches: pledged, claimed by an event and by a tally, released, paid; and a suspension."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from coseal.contracts.process.chain import item_hash
from coseal.ledger.render import time_text
from tests.vectors.recorded.panels import APPLICANT, certify
from tests.vectors.recorded.scenario import DAY_MS, Scenario

FUNDER: Final = "city"
ATTESTER: Final = "enterprise-a"
SITE: Final = ["works", "site", "S1"]
TYPE: Final[dict[str, Any]] = {
    "id": "works",
    "version": 1,
    "title": "Works",
    "object_types": {"site": {}},
    "event_types": {"built": {}, "seen": {}},
    "tallies": {"site": {"built": [{"on": "built", "add": 1}]}},
}
EVENT: Final = {"object": SITE, "event": "built", "members": [ATTESTER]}
TALLY: Final = {"object": SITE, "tally": {"name": "built", "least": 1}, "members": [ATTESTER]}
TRANCHES: Final[list[dict[str, Any]]] = [
    {"amount": 2, "funder": FUNDER, "milestone": EVENT},
    {"amount": 1, "funder": FUNDER, "milestone": TALLY},
    {"amount": 1, "funder": FUNDER, "milestone": EVENT},
]


class _Works:
    """Events about the site, by the member that records them."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario, self.sequences = scenario, {APPLICANT: 0, ATTESTER: 0}
        scenario.ok(APPLICANT, "process.define_type", **TYPE)
        for member in self.sequences:
            scenario.ok(member, "process.register_source", id="works", process_type="works", mode="live")

    def record(self, member: str, counterparty: str, kind: str = "built") -> dict[str, Any]:
        """Record an event; return it as a claim shows it."""
        sequence = self.sequences[member] = self.sequences[member] + 1
        item = {"event": str(sequence), "type": kind, "time": time_text(self.scenario.now_ms), "objects": [SITE[1:]]}
        item = dict(sorted({**item, "counterparty": counterparty}.items()))
        self.scenario.ok(member, "process.record", source="works", sequence=sequence, items=[item])
        return {"source": f"{member}/works", "sequence": sequence, "item": item}

    def confirm(self, shown: Mapping[str, Any]) -> None:
        hashed = item_hash(shown["source"], shown["sequence"], shown["item"]).hex()
        self.scenario.ok(ATTESTER, "process.attest", item=hashed, verdict="confirm")


def run(scenario: Scenario, application: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]]) -> None:
    """Run this part: ``f1`` is certified and has three tranches."""
    works = _Works(scenario)
    pledge, release = "certification.pledge", "certification.release"
    first, second = {"project": "f1", "tranche": 1}, {"project": "f1", "tranche": 2}
    given = {name: value for name, value in application.items() if name != "parties"}
    certify(scenario, {**given, "scheme": "rationality", "tranches": TRANCHES}, nodes, "f1")
    scenario.no("unknown_tranche", FUNDER, pledge, project="f1", tranche=9)
    scenario.no("not_funder", APPLICANT, pledge, **first)
    scenario.no("wrong_pending", FUNDER, pledge, **first, pending="P1000000")
    scenario.no("not_pledged", FUNDER, release, **first)
    transfer = {"from": "bank-a/ea", "to": "bank-a/vault", "amount": 2, "code": "OTHR"}
    ends = {"expires_ms": scenario.now_ms + 90 * DAY_MS, "release": {"tranche": ["f1", 1]}}
    pending = scenario.ok("enterprise-a", "currency.pend", **transfer, **ends)["pending"]
    scenario.ok(FUNDER, pledge, **first, pending=pending)
    scenario.ok(FUNDER, pledge, **second)
    scenario.no("pledged", FUNDER, pledge, **second)
    scenario.no("milestone_missing", FUNDER, release, **first)
    _claims(scenario, works)
    scenario.no("out_of_order", FUNDER, release, **second)
    scenario.no("not_released", APPLICANT, "currency.post_pending", pending=pending)
    _held(scenario, first)
    _suspended(scenario, first)
    scenario.ok(FUNDER, release, **first)
    scenario.no("released", FUNDER, release, **first)
    scenario.ok(APPLICANT, "currency.post_pending", pending=pending)


def _claims(scenario: Scenario, works: _Works) -> None:
    claim = "certification.claim_milestone"
    first, second = {"project": "f1", "tranche": 1}, {"project": "f1", "tranche": 2}
    built, seen = works.record(APPLICANT, ATTESTER), works.record(APPLICANT, ATTESTER, "seen")
    scenario.no("not_attested", APPLICANT, claim, **first, items=[built])
    scenario.no("not_reached", APPLICANT, claim, **second)
    for shown in (built, seen):
        works.confirm(shown)
    scenario.no("wrong_item", APPLICANT, claim, **first, items=[seen])
    scenario.ok(APPLICANT, claim, **first, items=[built])
    scenario.no("claimed", APPLICANT, claim, **first, items=[built])
    scenario.ok(FUNDER, "certification.pledge", project="f1", tranche=3)
    scenario.no("used", APPLICANT, claim, project="f1", tranche=3, items=[built])
    works.record(ATTESTER, APPLICANT)
    scenario.ok(APPLICANT, claim, **second)


def _held(scenario: Scenario, tranche: Mapping[str, Any]) -> None:
    about = {"process_type": SITE[0], "object_type": SITE[1], "object": SITE[2], "subject": APPLICANT}
    why = {"severity": "violation", "reason": "It leaks", "legal_basis": ["external: an order"]}
    finding = scenario.ok("regulator", "supervision.open_case", **about, **why)["id"]
    scenario.ok("regulator", "supervision.hold", finding=finding, reason="A risk", hold_ms=DAY_MS)
    scenario.no("on_hold", FUNDER, "certification.release", **tranche)
    scenario.ok("regulator", "supervision.lift_hold", finding=finding, reason="It was mended")


def _suspended(scenario: Scenario, tranche: Mapping[str, Any]) -> None:
    why = {"project": "f1", "reason": "It has to be looked at"}
    scenario.ok("regulator", "certification.suspend", **why, until_ms=scenario.now_ms + DAY_MS)
    scenario.no("not_certified", FUNDER, "certification.release", **tranche)
    scenario.ok("regulator", "certification.reinstate", **why)
