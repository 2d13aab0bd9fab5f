"""The scenario's part about the standing of members: suspended, reinstated, removed, leaving."""

from __future__ import annotations

from typing import Any

from coseal.contracts.governance.leaving import NOTICE_MS
from tests.vectors.recorded.governed import Proposals
from tests.vectors.recorded.scenario import DAY_MS, Scenario

EXTERNAL = {"kind": "external", "id": "Judgment 7/2026"}


def run(scenario: Scenario) -> None:
    """Run this part."""
    _suspensions(scenario)
    _seats(scenario)
    _measures(scenario)
    _departures(scenario)


def _about(member: str, *grounds: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"member": member, "grounds": [EXTERNAL, *grounds], **more}


def _suspensions(scenario: Scenario) -> None:
    suspend, reinstate = Proposals(scenario, "suspend_member"), Proposals(scenario, "reinstate_member")
    until_ms = scenario.now_ms + DAY_MS
    known = [{"kind": kind, "id": name} for kind, name in (("finding", "F1"), ("evidence", "bank-a"))]
    subject = _about("institute-a", *known, until_ms=until_ms, seats=False)
    suspend.no("unknown_member", {**subject, "member": "nobody"})
    suspend.no("bad_time", {**subject, "until_ms": scenario.now_ms + 367 * DAY_MS})
    suspend.no("unknown_ground", {**subject, "grounds": [{"kind": "policy", "id": "none"}]})
    reinstate.no("not_suspended", _about("institute-a"))
    suspend.every_end(subject)
    suspend.no("already_suspended", subject)
    for action, args in (
        ("governance.vote", {"ballot": "none", "choice": "yes"}),
        ("membership.set_profile", {"name": "Institute"}),
        ("process.register_source", {"id": "late", "process_type": "loans", "mode": "live"}),
    ):
        scenario.no("suspended", "institute-a", action, **args)
    scenario.ok("institute-a", "supervision.ask", topic="Standing", question="Until when?")
    suspend.accept("second", _about("public-a", until_ms=until_ms, seats=False))
    third = _about("province", until_ms=until_ms + 9 * DAY_MS, seats=False)
    suspend.no("too_many_suspended", third)
    reinstate.every_end(_about("institute-a"))
    suspend.accept("third", third)
    scenario.wait(until_ms - scenario.now_ms)
    if scenario.get("membership/suspended") != ["province"]:
        raise RuntimeError("a suspension did not end by itself")


def _seats(scenario: Scenario) -> None:
    """A validator leaves its seat and takes it again."""
    until_ms = scenario.now_ms + DAY_MS
    suspend, reinstate = Proposals(scenario, "suspend_member"), Proposals(scenario, "reinstate_member")
    suspend.accept("seated", _about("city", until_ms=until_ms, seats=True))
    scenario.wait(1_000)
    scenario.wait(1_000)
    reinstate.accept("seated", _about("city"))
    scenario.ok("node:city", "membership.ready", height=scenario.chain.executor.height)
    Proposals(scenario, "add_validator").accept("again", {"node": "city"})
    scenario.wait(1_000)


def _measures(scenario: Scenario) -> None:
    measure, emergency = Proposals(scenario, "measure"), Proposals(scenario, "emergency_measure")
    end = Proposals(scenario, "end_measure")
    paused = ("process.register_source", {"id": "paused", "process_type": "loans", "mode": "live"})

    def subject(pause: dict[str, Any], days: int = 3) -> dict[str, Any]:
        about = {"title": "A measure", "text_sha256": "00" * 32, "until_ms": scenario.now_ms + days * DAY_MS}
        return {**about, "pause": pause, "grounds": [EXTERNAL]}

    some = {"process.register_source": ["bank-a", "public-a"], "process.define_type": "all"}
    measure.no("unknown_action", subject({"process.nothing": "all"}))
    measure.no("not_pausable", subject({"process.record": "all"}))
    measure.no("unknown_member", subject({"process.define_type": ["nobody"]}))
    measure.no("bad_time", subject(some, 367))
    emergency.no("bad_time", subject(some, 8))
    scenario.decided("governance", measure.make("rejected", subject(some)), "rejected", "no", but="regulator")
    measure.make("expired", subject(some), closes_ms=scenario.now_ms + 10_000)
    scenario.wait(20_000)
    late = measure.make("void", {**subject(some), "until_ms": scenario.now_ms + 10_000})
    scenario.wait(20_000)
    scenario.decided("governance", late, "void", but="regulator")
    measure.accept("accepted", subject(some))
    scenario.no("paused", "bank-a", *paused[:1], **paused[1])
    end.no("not_in_force", {"measure": "none"})
    end.every_end({"measure": "measure.accepted"})
    emergency.every_end(subject(some))
    scenario.no("paused", "public-a", *paused[:1], **paused[1])
    emergency.no("renewed", subject(some))
    measure.no("renewed", subject({"process.define_type": ["city"]}))
    scenario.wait(4 * DAY_MS)


def _departures(scenario: Scenario) -> None:
    remove = Proposals(scenario, "remove_member")
    remove.no("runs_validator", _about("bank-a"))
    remove.every_end(_about("bank-b"))
    remove.no("former_member", _about("bank-b"))
    scenario.no("former_member", "bank-b", "membership.set_profile", name="Second Bank")
    scenario.no("former_member", "bank-b", "supervision.ask", topic="Standing", question="Why?")
    scenario.ok("bank-b", "membership.rotate_operator_key", key=scenario.key("bank-b/last"))
    scenario.no("forbidden", "public-a", "governance.leave", member="province")
    scenario.no("runs_validator", "bank-a", "governance.leave", member="bank-a")
    scenario.no("not_leaving", "province", "governance.stay")
    scenario.ok("province", "governance.leave", member="province", reason="The province was merged")
    scenario.no("already_leaving", "province", "governance.leave", member="province")
    scenario.ok("province", "governance.stay", reason="It was not")
    scenario.ok("province", "governance.leave", member="province")
    scenario.wait(NOTICE_MS)
    scenario.wait(1_000)  # more falls due by then than one block does
    if scenario.get("membership/former") != ["bank-b", "province"]:
        raise RuntimeError("the members that left are not former ones")
