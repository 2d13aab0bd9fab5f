"""A chain on which supervision happens: rules by ballot, findings at every stage, holds, questions, deadlines."""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.supervision.terms import TERMS
from coseal.ledger import transaction
from coseal.ledger.block import CommittedBlock
from coseal.ledger.render import time_text
from coseal.ledger.transaction import Transaction
from tests.support.chain import Chain
from tests.support.keys import operator

SUPERVISION: Final = ("rules", "ballots", "findings", "finding_steps", "holds", "questions", "guidance")
DAY_MS: Final = 86_400_000
TYPE: Final = {
    "id": "t",
    "version": 1,
    "title": "T",
    "object_types": {"case": {}},
    "event_types": {"Create": {"attributes": {"amount": "integer"}}, "Check": {}, "Decide": {}},
    "gaps": "record",
    "late_ms": 1_000,
}


def rule(name: str, kind: str, **fields: Any) -> dict[str, Any]:
    scope = {"process_type": "t"} | ({} if kind in ("gap", "periodic") else {"object_type": "case"})
    head = {"id": name, "version": 1, "title": name, "legal_basis": ["external:a law"], "severity": "violation"}
    return {**head, "effect": "flag", "scope": scope, "kind": kind, **fields}


RULES: Final = [
    rule("R-DECIDE", "declare", template="response", a="Create", b="Decide", within_ms=60_000),
    rule("R-ONCE", "declare", template="absence", a="Check", n=2, effect="hold", hold_ms=DAY_MS * 20),
    rule("R-AMOUNT", "guard", on=["Create"], **{"assert": "e.attributes.amount > 0"}, severity="warning"),
    rule("R-NOTE", "guard", on=["Decide"], **{"assert": "false"}, effect="notify"),
    rule("R-GAP", "gap"),
    rule("R-MONTHLY", "periodic", on=["Create"], source="enterprise-a/live", every={"days": 30}),
]


class Story:
    """Tells it on ``chain``, one block a call; ``state`` reads what came of it."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self._salt = 0
        self._sequence = 1

    def state(self, key: str) -> Any:
        return self.chain.executor.get(key)

    def sign(self, name: str, args: dict[str, Any], sender: str) -> Transaction:
        contract, _, action = name.partition(".")
        self._salt += 1
        return transaction.sign(
            operator(sender),
            chain_id=self.chain.genesis.chain_id,
            sender=f"{sender}/admin",
            contract=contract,
            action=action,
            args=args,
            valid_until_ms=self.chain.executor.time_ms + 300_000,
            salt=self._salt.to_bytes(16, "big"),
        )

    def do(self, name: str, sender: str = "regulator", **args: Any) -> CommittedBlock:
        return self.chain.extend([self.sign(name, args, sender)])

    def wait(self, later_ms: int) -> CommittedBlock:
        return self.chain.extend([], later_ms=later_ms)

    def record(self, *events: tuple[str, str], gap: int = 0, **attributes: Any) -> CommittedBlock:
        """Record (type, case) pairs of the live source, as happening now."""
        now = time_text(self.chain.executor.time_ms)
        first = self._sequence + gap
        items = [
            {
                "event": f"e{first + offset}",
                "type": kind,
                "time": now,
                "objects": [["case", case]],
                **({"attributes": attributes} if attributes else {}),
            }
            for offset, (kind, case) in enumerate(events)
        ]
        self._sequence = first + len(items)
        more = {"gap": "the meter was off"} if gap else {}
        return self.do("process.record", "enterprise-a", source="live", sequence=first, items=items, **more)

    def vote(self, ballot: str) -> None:
        for member in ("regulator", "central-bank", "bank-a"):
            self.do("supervision.vote", member, ballot=ballot, choice="yes", reason="it is right")

    def begin(self) -> None:
        """Define the type and its live source, and adopt the rules."""
        self.do("process.define_type", "enterprise-a", **TYPE)
        self.do("process.register_source", "enterprise-a", id="live", process_type="t", mode="live")
        self.do("supervision.propose_rules", "regulator", rules=RULES, title="The rules")
        self.vote("B1")

    def tell(self) -> None:
        """Tell the whole story; nothing of it is refused."""
        self.begin()
        self.record(("Create", "c1"), ("Create", "c2"), amount=5)
        self.record(("Decide", "c2"), ("Check", "c2"))  # F1: a notice
        self.record(("Check", "c2"), gap=3)  # F2: once more, on hold; F3: the gap
        self.record(("Create", "c3"), amount=-1)  # F4
        self.record(("Decide", "c3"))  # F5: a notice
        self.do("supervision.contest_hold", "enterprise-a", finding="F2", reason="The goods perish")
        self.wait(70_000)  # F6: c1 was not decided
        self._answer("F4", "dismissed")
        self._answer("F2", "rectified")
        self.do("supervision.confirm_hold", finding="F2", reason="Until the appeal is over")
        self.wait(TERMS["acknowledge"] + 1)  # F3 and F6 are late
        self.do("supervision.acknowledge", finding="F6", note="late, sorry")
        self._serve()
        self.wait(TERMS["appeal"] + 1)  # F2 closes
        self._change_rules()
        self.wait(TERMS["acknowledge"])

    def _answer(self, finding: str, outcome: str) -> None:
        self.do("supervision.acknowledge", finding=finding)
        self.do("supervision.inquire", finding=finding, question="Why?")
        self.do("supervision.respond", "enterprise-a", finding=finding, response="So.", evidence=["ab" * 32])
        self.do("supervision.decide", finding=finding, outcome=outcome, reason="Seen")

    def _serve(self) -> None:
        self.do("supervision.ask", "bank-a", topic="Terms", question="From when?", about=["R-DECIDE"])
        self.do("supervision.answer", question="Q1", answer="From the day of issue")
        self.do("supervision.ask", "bank-a", topic="Terms", question="And then?")  # never answered in time
        self.do("supervision.guide", title="Terms", text="First")
        self.do("supervision.guide", title="Terms", text="Second", replaces="G1")

    def _change_rules(self) -> None:
        self.do("supervision.propose_rules", "bank-a", rules=[{**RULES[2], "version": 2}])
        self.vote("B2")
        self.do("supervision.propose_retirement", process_type="t", rules=["R-NOTE"], reason="Too noisy")
        self.vote("B3")
        self.do("supervision.propose_terms", terms={"respond": 10 * DAY_MS}, reason="Shorter")
        self.vote("B4")
        tried = rule("R-TRIED", "declare", template="absence", a="Create", n=2)
        self.do("supervision.propose_rules", rules=[tried], trial_ms=60_000)
        self.vote("B5")
        self.record(("Create", "c9"), ("Create", "c9"), amount=1)
        self.wait(70_000)  # the trial ends
        self.vote("B6")
        waiting = rule("R-WAITING", "declare", template="absence", a="Check", n=3)
        self.do("supervision.propose_rules", "central-bank", rules=[waiting], reason="To be thought over")
