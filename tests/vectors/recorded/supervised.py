"""The scenario's part about supervision: rules and their ballots, findings, holds, questions, guidance, deadlines."""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.supervision.terms import TERMS
from tests.vectors.recorded import corrected
from tests.vectors.recorded.processes import LOANS, Source
from tests.vectors.recorded.scenario import DAY_MS, Scenario


def rule(name: str, kind: str = "declare", *, process_type: str = "loans", **fields: Any) -> dict[str, Any]:
    """Return a rule as it is proposed."""
    scope = {"process_type": process_type}
    return {"id": name, "version": 1, "legal_basis": ["external: the law"], "scope": scope, "kind": kind, **fields}


ONCE: Final = {"template": "absence", "a": "pay", "n": 2}
RULES: Final = [
    rule("R-DECIDE", template="response", a="apply", b="decide", within_ms=60_000, legal_basis=["cn/2022/2"]),
    rule("R-ONCE", **ONCE, effect="hold", hold_ms=20 * DAY_MS, title={"en": "Pay once", "zh": "一次"}),
    rule("R-LIMIT", "guard", on=["pay"], **{"assert": "e.attributes.amount <= 1000"}, effect="reject"),
    rule("R-SHAPE", "shape", on=["check"], schema={"type": "object", "required": ["amount"]}, severity="warning"),
    rule("R-FOUR", "segregation", a="check", b="decide", by="attributes.by"),
    rule(
        "R-CHECKED",
        "related",
        on=["decide"],
        over={"type": "party", "by": "relation"},
        quantifier="each",
        had="check",
    ),
    rule("R-LAG", "lag", within_ms=5_000),
    rule("R-GAP", "gap"),
    rule("R-MONTHLY", "periodic", on=["report"], source="bank-a/log", every={"days": 30}),
    rule("R-NOTE", "guard", on=["report"], **{"assert": "e.attributes.amount > o.count"}, effect="notify"),
]


class Cases:
    """The supervised sources, and what is done about findings."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.log = Source(scenario, "bank-a", "log", "loans")
        self.own = Source(scenario, "city", "log", "loans")
        self.old = Source(scenario, "bank-a", "old", "loans", "historical")
        self._case = 0

    def finding(self, source: Source | None = None) -> str:
        """Have R-ONCE broken on a new case, which goes on hold; return the finding's id."""
        source = source or self.log
        self._case += 1
        case = f"twice {self._case}"
        attributes = {"attributes": {"amount": 5}}
        result = source.record(
            source.event("pay", case, **attributes), source.event("pay", case, event="b", **attributes)
        )
        return str(result["findings"][0]["id"])

    def act(self, who: str, action: str, finding: str = "", /, **args: Any) -> dict[str, Any]:
        """Take a step that is accepted."""
        named = {"finding": finding} if finding else {}
        return self.scenario.ok(who, f"supervision.{action}", **named, **args)

    def no(self, code: str, who: str, action: str, finding: str = "", /, **args: Any) -> None:
        """Try a step that is refused."""
        named = {"finding": finding} if finding else {}
        self.scenario.no(code, who, f"supervision.{action}", **named, **args)

    def propose(self, *rules: dict[str, Any], sender: str = "bank-a", **args: Any) -> str:
        """Propose rules; return the ballot."""
        return str(self.act(sender, "propose_rules", rules=list(rules), **args)["ballot"])


def heavy(name: str, events: int = 26) -> dict[str, Any]:
    """Return a rule whose check takes more than is left for a ballot that is decided when it is due."""
    text = " || ".join(["e.objects.exists(x, x.id == e.id)"] * 7) + " || true"
    tests = [{"events": [{"type": "pay"}] * events, "verdict": "satisfied"}]
    return rule(name, "guard", on=["pay"], tests=tests, **{"assert": text})


def run(scenario: Scenario) -> Cases:
    """Run this part, but for bounds; return the sources for more."""
    cases = Cases(scenario)
    _proposals(cases)
    adopted = cases.propose(*RULES, title="Lending", reason="The law")
    scenario.decided("supervision", adopted, "accepted")
    _votes(cases, adopted)
    _judged(cases)
    corrected.run(scenario, cases.log)
    corrected.disputed(scenario, cases.log)
    _life(cases)
    _holds(cases)
    _opened(cases)
    _overdue(cases)
    _service(cases)
    _ballots(cases)
    _trials(cases)
    return cases


def _proposals(cases: Cases) -> None:
    """What is wrong with rules."""
    good = rule("R-1", **ONCE)
    failing = {**good, "tests": [{"events": [{"type": "pay"}], "verdict": "violated"}]}
    periodic = rule("R-1", "periodic", on=["report"], source="nobody/log", every={"months": 1})
    for code, wrong in (
        ("invalid_argument", {**good, "version": "1"}),
        ("invalid_rule", {**good, "a": "unknown"}),
        ("rule_test_failed", failing),
        ("unknown_type", rule("R-1", process_type="ships", **ONCE)),
        ("unknown_member", periodic),
        ("unknown_policy", {**good, "legal_basis": ["cn/unknown"]}),
        ("unknown_policy", {**good, "legal_basis": []}),
        ("version", {**good, "version": 2}),
    ):
        cases.no(code, "bank-a", "propose_rules", rules=[wrong])
    cases.no("unknown_rule", "bank-a", "propose_retirement", process_type="loans", rules=["R-1"], reason="Gone")
    cases.no("invalid_argument", "bank-a", "propose_terms", terms={"answer": 1}, reason="Quick")


def _votes(cases: Cases, adopted: str) -> None:
    cases.no("ballot_closed", "regulator", "vote", ballot=adopted, choice="no")
    cases.no("unknown_ballot", "regulator", "vote", ballot="B99", choice="no")
    ballot = cases.propose(rule("R-2", **ONCE), open_ms=60_000)
    cases.no("exists", "city", "propose_rules", rules=[rule("R-2", **ONCE)])
    cases.no("not_elector", "public-a", "vote", ballot=ballot, choice="yes")
    cases.act("regulator", "vote", ballot=ballot, choice="yes")
    cases.no("already_voted", "regulator", "vote", ballot=ballot, choice="no")
    for number in range(7):
        cases.propose(rule(f"R-{number + 3}", **ONCE), open_ms=60_000)
    cases.no("limit", "bank-a", "propose_rules", rules=[rule("R-10", **ONCE)])
    cases.scenario.wait(70_000)  # all of them expire


def _judged(cases: Cases) -> None:
    """Every kind of rule judges something; a clock of a historical source passes a deadline."""
    log, old, scenario = cases.log, cases.old, cases.scenario
    log.no("rule_violated", log.event("pay", "c1", attributes={"amount": 5_000}))
    without = {name: body for name, body in LOANS["event_types"].items() if name != "pay"}
    scenario.no("rule_broken", "bank-a", "process.define_type", **{**LOANS, "version": 2, "event_types": without})
    log.record(log.event("apply", "c1"), log.event("check", "c1", attributes={"by": "ann"}))
    log.record(log.event("decide", "c2", attributes={"by": "ben"}), log.event("pay", "c2"))
    log.record(
        log.event("check", "c3", attributes={"by": "ann", "amount": 1}),
        log.event("decide", "c3", attributes={"by": "ann"}),
    )
    log.record(log.event("report", "c4", attributes={"amount": 0}))
    log.record(log.event("apply", "c5", scenario.now_ms - 8_000, late="It was typed in later"), skip=3, gap="Lost")
    log.record({"object": "c6", "type": "case", "attributes": [["limit", "0", 5]]}, log.event("apply", "c6"))
    party = {"relation": ["case", "c7"], "to": ["party", "p7"], "qualifier": "guarantor"}
    log.record(party, log.event("decide", "c7", attributes={"by": "ben"}))
    scenario.wait(70_000)  # nothing was decided
    at_ms = scenario.now_ms - 300 * DAY_MS
    old.record(old.event("apply", "o1", at_ms))
    old.record(old.event("check", "o2", at_ms + DAY_MS, attributes={"amount": 1}))  # its clock passed o1's deadline
    scenario.wait(1_000)


def _life(cases: Cases) -> None:
    """Findings from the first step to the last."""
    appealed = cases.finding()
    cases.no("unknown_finding", "regulator", "acknowledge", "F999")
    cases.no("invalid_argument", "regulator", "decide", appealed, outcome="sanctioned", reason="Why not")
    cases.act("regulator", "acknowledge", appealed, note="Seen")
    cases.no("wrong_step", "city", "acknowledge", appealed)
    cases.no("other_supervisor", "city", "inquire", appealed, question="Why?")
    cases.no("hearing_first", "regulator", "decide", appealed, outcome="rectified", reason="At once")
    cases.act("regulator", "inquire", appealed, question="Why twice?", within_ms=20 * DAY_MS)
    cases.no("forbidden", "city", "respond", appealed, response="I know nothing")
    cases.act("bank-a", "respond", appealed, response="By mistake", evidence=["ab" * 32])
    cases.act("regulator", "inquire", appealed, question="And then?", evidence=["cd" * 32])
    cases.act("bank-a", "respond", appealed, response="It was paid back")
    cases.act("regulator", "decide", appealed, outcome="sanctioned", reason="Again", measure="A fine")
    cases.act("bank-a", "appeal", appealed, reason="It was paid back at once")
    cases.no("same_person", "regulator", "decide_appeal", appealed, outcome="upheld", reason="So")
    cases.act("regulator/deputy", "decide_appeal", appealed, outcome="overturned", reason="It was")
    for outcome, appeal in (("dismissed", ""), ("rectified", "upheld"), ("rectified", "")):
        found = cases.finding()
        cases.act("city", "acknowledge", found)
        if outcome != "dismissed":
            cases.act("city", "inquire", found, question="Why?")
            cases.act("bank-a", "respond", found, response="So")
        cases.act("city", "decide", found, outcome=outcome, reason="Seen")
        if appeal:
            cases.act("bank-a", "appeal", found, reason="No")
            cases.act("regulator", "decide_appeal", found, outcome=appeal, reason="Yes")
    own = cases.finding(cases.own)
    cases.no("own_case", "city", "acknowledge", own)
    cases.act("regulator", "acknowledge", own)
    cases.scenario.wait(TERMS["appeal"] + 1)  # the last decision stands; the inquiry into the city's own case is late


def _holds(cases: Cases) -> None:
    first, second = cases.finding(), cases.finding()
    reason = {"reason": "It may be so"}
    cases.no("exists_hold", "regulator", "hold", first, **reason, hold_ms=DAY_MS)
    cases.no("forbidden", "city", "contest_hold", first, **reason)
    cases.act("bank-a", "contest_hold", first, reason="The goods perish", evidence=["ab" * 32])
    cases.no("wrong_step", "bank-a", "contest_hold", first, **reason)
    cases.act("city", "confirm_hold", first, **reason)
    cases.log.record(cases.log.event("apply", f"twice {cases._case - 1}"))  # on hold: one more finding
    cases.act("regulator", "lift_hold", first, **reason)
    cases.no("unknown_hold", "regulator", "lift_hold", first, **reason)
    cases.act("regulator", "hold", first, **reason, hold_ms=DAY_MS, amount=3_500)
    cases.act("bank-a", "contest_hold", second, **reason)
    cases.scenario.wait(DAY_MS + 1)  # the short hold ends
    cases.scenario.wait(TERMS["contest"] + 1)  # nobody answered


def _opened(cases: Cases) -> None:
    """Findings that a supervisor opens."""
    case = {"process_type": "loans", "object_type": "case", "object": "c4", "subject": "bank-a", "severity": "notice"}
    case |= {"reason": "The file on paper says otherwise", "legal_basis": ["cn/2022/2", "external: complaint 17"]}
    for code, wrong in (
        ("unknown_type", {"process_type": "ships"}),
        ("unknown_object", {"object": "c99"}),
        ("unknown_member", {"subject": "nobody"}),
        ("own_case", {"subject": "city"}),
        ("unknown_policy", {"legal_basis": ["cn/unknown"]}),
    ):
        cases.no(code, "city", "open_case", **{**case, **wrong})
    cases.no("forbidden", "bank-a", "open_case", **{**case, "subject": "enterprise-a"})
    first = cases.act("city", "open_case", **case)["id"]
    source = {"object_type": "source", "object": "bank-a/log", "severity": "violation", "evidence": ["ab" * 32]}
    second = cases.act("regulator", "open_case", **{**case, **source})["id"]
    cases.act("city", "hold", first, reason="It may be paid twice", hold_ms=DAY_MS, amount=5)
    for found, outcome in ((first, "dismissed"), (second, "rectified")):
        cases.act("regulator", "acknowledge", found)
        if outcome != "dismissed":
            cases.act("regulator", "inquire", found, question="Why?")
            cases.act("bank-a", "respond", found, response="So")
        cases.act("regulator", "decide", found, outcome=outcome, reason="Seen")


def _overdue(cases: Cases) -> None:
    """Steps that do not come in time, on either side; a hold that ends by its time."""
    raised, asked = cases.finding(), cases.finding()
    cases.act("regulator", "acknowledge", asked)
    cases.act("regulator", "inquire", asked, question="Why?")
    cases.act("bank-a", "ask", topic="Terms", question="From when?", about=["R-DECIDE"])
    for _ in range(4):
        cases.scenario.wait(TERMS["respond"] + 1)
    cases.act("city", "acknowledge", raised, note="Late")
    cases.act("regulator", "decide", asked, outcome="sanctioned", reason="No answer", measure="A fine")


def _service(cases: Cases) -> None:
    answer = {"answer": "From the day of issue"}
    question = cases.act("bank-a", "ask", topic="Terms", question="And then?")["id"]
    cases.no("unknown_question", "regulator", "answer", question="Q99", **answer)
    cases.act("regulator", "answer", question=question, **answer, about=["cn/2022/2"])
    cases.no("wrong_step", "city", "answer", question=question, **answer)
    guide = {"title": "Terms", "text": "They count from the day of issue"}
    cases.no("unknown_guidance", "regulator", "guide", **guide, replaces="G9")
    guidance = cases.act("regulator", "guide", **guide, about=["R-DECIDE"])["id"]
    cases.no("forbidden", "city", "guide", **guide, replaces=guidance)
    cases.act("regulator", "guide", **guide, replaces=guidance)
    cases.no("wrong_step", "regulator", "guide", **guide, replaces=guidance)


def _ballots(cases: Cases) -> None:
    """Ballots about rules, retirement and terms: accepted, rejected and expired; a set that does not fit any more."""
    scenario = cases.scenario
    second = {**RULES[8], "version": 2}
    retire = {"process_type": "loans", "rules": ["R-NOTE"], "reason": "Too noisy"}
    terms = {"terms": {"answer": 10 * DAY_MS, "decide": 20 * DAY_MS}, "reason": "Shorter"}
    for action, args in (
        ("propose_rules", {"rules": [second]}),
        ("propose_retirement", retire),
        ("propose_terms", terms),
    ):
        ballots = []
        for status in ("rejected", "expired", "accepted"):
            ballots.append(cases.act("central-bank", action, **args, open_ms=60_000)["ballot"])
            if status == "expired":
                scenario.wait(60_000)
            else:
                scenario.decided("supervision", ballots[-1], status, "yes" if status == "accepted" else "no")
    unfit = cases.propose(rule("R-EXTRA", template="absence", a="extra", n=2))
    without = {name: body for name, body in LOANS["event_types"].items() if name != "extra"}
    scenario.ok("bank-a", "process.define_type", **{**LOANS, "version": 2, "event_types": without})
    scenario.decided("supervision", unfit, "accepted")


def _trials(cases: Cases) -> None:
    """Sets on trial: adopted, rejected, forgotten, and one whose adoption takes more than is left when it is due."""
    scenario = cases.scenario
    sets = {
        "accepted": rule("R-TRIED", template="absence", a="apply", n=2),
        "rejected": rule("R-NO", template="response", a="apply", b="report", within_ms=60_000),
        "expired": rule("R-FORGOTTEN", template="absence", a="apply", n=4),
        "failed": heavy("R-HEAVY"),
    }
    second = {}
    for status, tried in sets.items():
        ballot = cases.propose(tried, trial_ms=DAY_MS, open_ms=DAY_MS)
        second[status] = scenario.decided("supervision", ballot, "accepted")["effects"][-1]["ballot"]
    cases.log.record(*(cases.log.event("apply", "c9", event=f"again {n}") for n in range(3)))  # shadows
    for status, choice in (("accepted", "yes"), ("rejected", "no"), ("failed", "yes")):
        scenario.vote("supervision", second[status], choice)
    types = {**scenario.get("process/type/loans")["event_types"], "more": {}}
    scenario.ok("bank-a", "process.define_type", **{**LOANS, "version": 3, "event_types": types})
    for _ in range(3):
        scenario.wait(DAY_MS)
    for status, ballot in second.items():
        found = scenario.get(f"supervision/ballot/{ballot}")["status"]
        if found != status:
            raise RuntimeError(f"the ballot about a trial is {found}, not {status}")
