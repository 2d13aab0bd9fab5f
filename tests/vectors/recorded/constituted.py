"""The scenario's last part: the founding rule gives way to a document, and members decide by its tracks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.vectors.recorded.governed import Proposals
from tests.vectors.recorded.scenario import DAY_MS, Scenario

DOCUMENT = Path(__file__).parents[3] / "examples" / "constitution" / "recommended.json"
FOUNDING = "00" * 32
OTHERS = ("bank-a", "central-bank", "city", "enterprise-a", "institute-a", "public-a")
WHY = "So that no constituency decides alone"


def run(scenario: Scenario) -> None:
    """Run this part."""
    document = json.loads(DOCUMENT.read_text("utf-8"))
    document["tracks"]["ordinary"]["reason"] = ["no"]
    waiting = _amendment(scenario, document)
    _tracks(scenario, document)
    _void(scenario, waiting)
    _appeal(scenario)
    _presence(scenario)


def _amendment(scenario: Scenario, document: dict[str, Any]) -> str:
    """Amend the founding constitution; return an amendment that is void once its delay is over."""
    amend = Proposals(scenario, "amend_constitution")
    subject = {"from": FOUNDING, "document": document}
    nowhere = {**document, "kinds": {"add_member": "nowhere"}}
    amend.no("invalid_argument", {"from": FOUNDING, "document": nowhere})
    amend.no("stale_constitution", {"from": "11" * 32, "document": document})
    stalling = {name: {**track, "veto": ["bank"]} for name, track in document["tracks"].items()}
    amend.no("unsafe_constitution", {"from": FOUNDING, "document": {**document, "tracks": stalling}})
    scenario.decided("governance", amend.make("rejected", subject), "rejected", "no", but="regulator")
    amend.make("expired", subject, closes_ms=scenario.now_ms + 10_000)
    waiting = amend.make("void", subject, reason=WHY, closes_ms=scenario.now_ms + 60 * DAY_MS)
    scenario.wait(20_000)
    amend.accept("accepted", subject)
    return waiting


def _tracks(scenario: Scenario, document: dict[str, Any]) -> None:
    """Proposals under the document: a reason is asked for, one is withdrawn, one passes against a constituency."""
    amend, retry = Proposals(scenario, "amend_constitution"), Proposals(scenario, "add_member")
    operator = {"user": "admin", "key": scenario.key("bank-y/admin"), "capabilities": ["operate"]}
    fields = {"name": "Bank Y", "role": "bank", "level": "", "sector": "", "operators": [operator]}
    scenario.no(
        "reason_missing", "regulator", "governance.propose", **amend.args("x", {"from": FOUNDING, "document": document})
    )
    subject = {"member": "bank-y", **fields}
    first = retry.make("withdrawn", subject)
    scenario.ok("city", "governance.vote", ballot=first, choice="abstain")
    scenario.no("unknown_ballot", "regulator", "governance.withdraw", proposal="nothing")
    scenario.no("not_proposer", "city", "governance.withdraw", proposal=first)
    scenario.ok("regulator", "governance.withdraw", proposal=first, reason="Not yet")
    scenario.no("not_open", "regulator", "governance.withdraw", proposal=first)
    scenario.no("unknown_ballot", "city", "governance.appeal", proposal="nothing", reason=WHY)
    scenario.no("not_concerned", "city", "governance.appeal", proposal=first, reason=WHY)
    terms = {"terms": {"respond": DAY_MS}, "reason": WHY}
    scenario.no("bad_time", "bank-a", "supervision.propose_terms", **terms, open_ms=1_000)
    shorter = scenario.ok("bank-a", "supervision.propose_terms", **terms)["ballot"]
    scenario.no("reason_missing", "city", "supervision.vote", ballot=shorter, choice="no")
    second = retry.make("overridden", subject)
    for member in ("city", "enterprise-a", "institute-a", "public-a"):
        scenario.ok(member, "governance.vote", ballot=second, choice="yes")
    for member in ("bank-a", "central-bank"):
        scenario.ok(member, "governance.vote", ballot=second, choice="no")
    scenario.wait(14 * DAY_MS)


def _void(scenario: Scenario, waiting: str) -> None:
    for member in OTHERS:
        scenario.ok(member, "governance.vote", ballot=waiting, choice="yes")
        if scenario.get(f"governance/ballot/{waiting}")["status"] != "open":
            break
    for _ in range(8):  # a day each, so that no block begins with more than a line shows
        scenario.wait(DAY_MS)


def _appeal(scenario: Scenario) -> None:
    """The member that is to be suspended has no vote in that, appeals, and all vote again."""
    suspend = Proposals(scenario, "suspend_member")
    subject: dict[str, Any] = {"member": "public-a", "until_ms": scenario.now_ms + 90 * DAY_MS, "seats": False}
    subject["grounds"] = [{"kind": "external", "id": "Judgment 8/2026"}]
    first = suspend.make("withdrawn", subject, reason=WHY)
    appeal = {"reason": "It rests on what was withdrawn", "evidence": ["22" * 32]}
    scenario.no("own_case", "public-a", "governance.vote", ballot=first, choice="no", reason=WHY)
    scenario.no("not_passed", "public-a", "governance.appeal", proposal=first, **appeal)
    scenario.ok("regulator", "governance.withdraw", proposal=first)
    scenario.no("too_late", "public-a", "governance.appeal", proposal=first, **appeal)
    second = suspend.make("appealed", subject, reason=WHY)
    for member in OTHERS[:-1]:
        scenario.ok(member, "governance.vote", ballot=second, choice="yes", reason=WHY)
    for _ in range(8):
        scenario.wait(DAY_MS)
    scenario.ok("public-a", "governance.appeal", proposal=second, **appeal)
    scenario.no("already_appealed", "public-a", "governance.appeal", proposal=second, **appeal)
    for member in OTHERS[:-1]:
        scenario.ok(member, "governance.vote", ballot=second, choice="no", reason=WHY)
        if scenario.get(f"governance/ballot/{second}")["status"] != "open":
            return


def _presence(scenario: Scenario) -> None:
    """Who gave no sign for half a year counts no more, until it votes."""
    scenario.wait(180 * DAY_MS)
    for _ in range(4):
        scenario.wait(1_000)
