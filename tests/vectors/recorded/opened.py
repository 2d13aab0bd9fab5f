"""The scenario's part about openings: requests that are opened, that lapse and that expire, with what is refused."""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.disclosure.policy import OBJECT, QUOTA_BYTES, REVIEW, TERMS
from tests.vectors.recorded.disclosed import KEY, OWNER, SEATS, SUBJECT, Disclosing
from tests.vectors.recorded.governed import Proposals
from tests.vectors.recorded.scenario import DAY_MS, Scenario

REQUESTER: Final = "city"
REASON: Final = {"reason": "The purpose needs it"}


def run(scenario: Scenario) -> None:
    """Run this part, after the one about vaults."""
    openings = Openings(scenario)
    openings.seal()
    openings.refusals()
    openings.opened()
    openings.late()
    openings.urgent()
    scenario.wait(1)


class Openings(Disclosing):
    """What members do about openings, with vaults and names of sidecars of their own."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self.number = 10_000
        self.vaults: dict[str, str] = {}

    def seal(self) -> None:
        """Seal a batch into a vault with a long retention, and one into a vault whose batch is erased soon."""
        kept = {**SUBJECT, "id": "kept", "retentions": {"loan": 300 * DAY_MS}}
        Proposals(self.scenario, "custody_plan").accept("kept", kept)
        for sequence, plan in ((5, "kept"), (7, SUBJECT["id"])):
            where = self.open(plan=plan)
            for seat in range(len(SEATS)):
                self.seat(seat, "accept_seat", where)
            self.vaults[plan] = where["vault"]
            self.scenario.ok(OWNER, "process.record", **self.batch(sequence, where["vault"]))

    def asking(self, request: str, plan: str = "kept", sequence: int = 5, **more: Any) -> dict[str, Any]:
        """Return arguments of a request for a cell."""
        named = {"request": request, "basis": "order", "reference": "Order 12", "owner": OWNER}
        scope = [{"number": 1, "sequences": [sequence], "labels": ["price"]}]
        why = {"purpose": "Compare the rates with the cap", "legal_basis": "Article 38", "key": KEY}
        ends_ms = self.scenario.now_ms + 30 * DAY_MS
        return {**named, **why, "vault": self.vaults[plan], "scope": scope, "expires_ms": ends_ms, **more}

    def ask(self, request: str) -> dict[str, Any]:
        """Request a cell; return how the steps of others name the request."""
        self.scenario.ok(REQUESTER, "disclosure.request", **self.asking(request))
        return {"by": REQUESTER, "request": request}

    def approve(self, which: dict[str, Any]) -> None:
        """Have another supervisor and a member of another role approve."""
        for member in ("regulator", "institute-a"):
            self.scenario.ok(member, "disclosure.approve", **which, **REASON)

    def release(self, member: str, which: dict[str, Any]) -> None:
        """Have a seat release."""
        self.number += 1
        sidecar = {"name": f"{self.number:064x}", "bytes": 2_000}
        self.scenario.ok(member, "disclosure.release", **which, envelopes=sidecar)

    def refusals(self) -> None:
        """What is wrong with requests."""
        scenario, request = self.scenario, "disclosure.request"
        scenario.wait(SUBJECT["retentions"]["loan"])
        scenario.no("erased", REQUESTER, request, **self.asking("r0", SUBJECT["id"], 7))
        scenario.no("forbidden", "enterprise-a", request, **self.asking("r0"))
        for code, more in (
            ("unknown_vault", {"vault": "none"}),
            ("wrong_end", {"expires_ms": 1}),
            ("wrong_basis", {"basis": "finding", "reference": "none"}),
            ("wrong_scope", {"scope": [{"number": 1, "sequences": [99], "labels": ["price"]}]}),
        ):
            scenario.no(code, REQUESTER, request, **self.asking("r0", **more))

    def opened(self) -> None:
        """A request is objected to, approved, released and opened, with a false part; an owner opens its own."""
        scenario, which = self.scenario, self.ask("r1")
        unknown = {"by": REQUESTER, "request": "none"}
        scenario.no("exists", REQUESTER, "disclosure.request", **self.asking("r1"))
        scenario.no("unknown_request", OWNER, "disclosure.object", **unknown, **REASON)
        scenario.no("too_early", "regulator", "disclosure.approve", **which, **REASON)
        scenario.no("conflict", OWNER, "disclosure.approve", **which, **REASON)
        scenario.ok(OWNER, "disclosure.object", **which, reason="The cap is public")
        scenario.ok(REQUESTER, "disclosure.answer", request="r1", reason="The rates are not")
        scenario.ok("central-bank", "disclosure.refuse", **which, reason="One loan would do")
        scenario.no("already_answered", "central-bank", "disclosure.approve", **which, **REASON)
        sidecar = {"name": "e2" * 32, "bytes": 2_000}
        scenario.no("not_approved", "public-a", "disclosure.release", **which, envelopes=sidecar)
        self.approve(which)
        self.release("public-a", which)
        scenario.ok("regulator", "disclosure.decline", **which, reason="technical", text="The keys are lost")
        said = {"request": "r1", "opened": 1, "failed": 0, "faults": []}
        scenario.no("wrong_step", REQUESTER, "disclosure.opened", **said)
        self.release("institute-a", which)
        fault = {"kind": "part", "member": "public-a", "evidence": "ab" * 32}
        scenario.no("wrong_fault", REQUESTER, "disclosure.opened", **said | {"faults": [{**fault, "member": OWNER}]})
        scenario.ok(REQUESTER, "disclosure.opened", **said | {"faults": [fault]})
        scenario.ok(OWNER, "disclosure.request", **self.asking("own", basis="own"))
        scenario.no("too_late", OWNER, "disclosure.object", by=OWNER, request="own", **REASON)

    def late(self) -> None:
        """One is objected to and not answered, one not approved, one not released in time, one not opened."""
        scenario = self.scenario
        answer, _, release, opening = (self.ask(f"r{number}") for number in range(2, 6))
        scenario.ok(OWNER, "disclosure.object", **answer, **REASON)
        scenario.wait(TERMS[OBJECT])
        self.approve(release)
        self.approve(opening)
        self.release("public-a", opening)
        self.release("institute-a", opening)
        for _ in range(3):
            scenario.wait(10 * DAY_MS)

    def urgent(self) -> None:
        """An emergency is reviewed and found justified, one unjustified after its time; a ballot readmits."""
        scenario, review = self.scenario, "disclosure.review"
        for name in ("r6", "r7"):
            scenario.ok(REQUESTER, "disclosure.emergency", **self.asking(name), reason="It cannot wait")
        justified, other = ({"by": REQUESTER, "request": name} for name in ("r6", "r7"))
        yes, no = {"verdict": "justified", **REASON}, {"verdict": "unjustified", "reason": "It could wait"}
        scenario.no("conflict", OWNER, review, **justified, **no)
        scenario.no("forbidden", "regulator", review, **justified, **yes)
        scenario.ok("enterprise-a", review, **justified, **yes)
        scenario.no("already_answered", "enterprise-a", review, **justified, **yes)
        scenario.ok("institute-a", review, **justified, **yes)
        scenario.no("wrong_step", "public-a", review, **justified, **no)
        self.release("public-a", other)
        scenario.wait(TERMS[REVIEW])
        scenario.ok("enterprise-a", review, **other, **no)
        scenario.ok("institute-a", review, **other, **no)
        scenario.no("barred", REQUESTER, "disclosure.emergency", **self.asking("r8"), reason="It cannot wait")
        again = {"terms": {}, "quota_bytes": QUOTA_BYTES, "readmit": [REQUESTER]}
        Proposals(scenario, "disclosure_policy").accept("readmit", again)
        scenario.ok(REQUESTER, "disclosure.emergency", **self.asking("r8"), reason="It cannot wait")
