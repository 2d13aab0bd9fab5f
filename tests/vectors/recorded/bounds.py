"""The scenario's part about bounds: too many steps, too large values and results, due things that are set aside."""

from __future__ import annotations

from typing import Any, Final

from tests.vectors.recorded.governed import Proposals
from tests.vectors.recorded.processes import Source
from tests.vectors.recorded.scenario import Scenario, Step
from tests.vectors.recorded.supervised import Cases, heavy, rule

CROWD: Final = 64
"""Rules of each of four sets that miss a deadline together: together more than one due thing may carry out."""
OBJECTS: Final = 10
"""Objects that do so at once: more than are set aside in one block."""
CHARACTERS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
LONG: Final = "\N{MUSICAL SYMBOL G CLEF}" * 128
"""The largest name."""


def run(scenario: Scenario, cases: Cases) -> None:
    """Run this part."""
    _crowd(scenario, cases)
    _set_aside(scenario)
    cases.no("too_costly", "bank-a", "propose_rules", rules=[heavy("R-TOO-HEAVY", 60)])
    scenario.no("value_too_large", "bank-a", "process.define_type", **_large_type())
    scenario.no("result_too_large", "regulator", "policy.record", **_odd_policies())
    _flood(scenario)


def _define(scenario: Scenario, name: str) -> Source:
    args = {"id": name, "version": 1, "title": name, "object_types": {"case": {}}, "event_types": {"a": {}, "b": {}}}
    scenario.ok("bank-a", "process.define_type", **args)
    return Source(scenario, "bank-a", name, name)


def _crowd(scenario: Scenario, cases: Cases) -> None:
    """So much is set aside in one block that the end of an appeal's time is not recorded in it."""
    crowd = _define(scenario, "crowd")
    late_ms = scenario.get("process/type/crowd")["late_ms"]
    response = {"template": "response", "a": "a", "b": "b", "within_ms": 1_000}
    for letter in "ABCD":
        rules = [rule(f"{letter}-{number}", process_type="crowd", **response) for number in range(CROWD)]
        scenario.decided("supervision", cases.propose(*rules), "accepted")
    found = cases.finding()
    cases.act("regulator", "acknowledge", found)
    cases.act("regulator", "inquire", found, question="Why?")
    cases.act("bank-a", "respond", found, response="So")
    deadline_ms = cases.act("regulator", "decide", found, outcome="rectified", reason="Seen")["deadline_ms"]
    scenario.wait(deadline_ms - late_ms - 100_000 - scenario.now_ms)
    event = crowd.event("a", "c0")
    crowd.record({**event, "objects": [["case", f"c{number}"] for number in range(OBJECTS)]})
    appeal = {"finding": found, "reason": "A second too late"}
    late = scenario.chain.sign("bank-a/admin", "supervision.appeal", appeal, valid_until_ms=deadline_ms + 300_000)
    scenario.block(Step("too_late", late), later_ms=deadline_ms + 1 - scenario.now_ms)
    scenario.wait(1_000)


def _set_aside(scenario: Scenario) -> None:
    retry = Proposals(scenario, "retry_due")
    retry.no("unknown_aside", {"number": 999})
    retry.every_end({"number": 1})


def _large_type() -> dict[str, Any]:
    """Return a process type that is small as sent, and too large with every default written out."""
    names = [first + second for first in CHARACTERS for second in CHARACTERS]
    attributes = dict.fromkeys(names[:128], "time")
    types = {name: {"attributes": attributes} for name in names[:78]}
    return {"id": "large", "version": 1, "title": "Large", "object_types": {"case": {}}, "event_types": types}


def _odd_policies() -> dict[str, Any]:
    """Return policies about each of which so much is odd that a receipt has no room for it."""
    dates = [("passed", str(2000 + number)) for number in range(16)]
    odd = [*dates, *dates, ("promulgated", "1990"), ("effective", "1980"), ("repealed", "1970"), ("amended", "")]
    events = [{"action": action, **({"date": date} if date else {})} for action, date in odd]
    fields = {"title": "T", "level": "municipal", "events": events}
    items = [{"id": f"{LONG[:125]}{number:03}", **fields} for number in range(92)]
    return {"source": "A table", "source_sha256": "00" * 32, "instruments": items}


def _flood(scenario: Scenario) -> None:
    """More findings and holds than a receipt shows: the next blocks show the rest."""
    flood = _define(scenario, "flood")
    held = rule(LONG, "guard", process_type="flood", on=["a"], **{"assert": "false"}, effect="hold", hold_ms=1_000)
    ballot = scenario.ok("bank-a", "supervision.propose_rules", rules=[held])["ballot"]
    scenario.decided("supervision", ballot, "accepted")
    objects = [["case", f"c{number}"] for number in range(256)]
    flood.record({**flood.event("a", "c"), "event": LONG, "objects": objects})
    for _ in range(3):
        scenario.wait(1_000)
