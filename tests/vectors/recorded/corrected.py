"""The scenario's part about corrections and disputes: cases judged again, with their history and without."""

from __future__ import annotations

from typing import Any

from coseal.contracts.process.chain import item_hash
from coseal.contracts.process.corrections import shown_history
from tests.vectors.recorded.processes import Source
from tests.vectors.recorded.scenario import Scenario


class Case:
    """A case of the scenario, which knows what was recorded of it."""

    def __init__(self, scenario: Scenario, log: Source, name: str) -> None:
        self.scenario, self.log, self.name = scenario, log, name
        self.recorded: list[tuple[str, int, int, int, dict[str, Any]]] = []

    def event(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Return an event of the case."""
        return self.log.event(kind, self.name, **fields)

    def keep(self, *items: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Record items of the case."""
        result = self.log.record(*items, **more)
        executor = self.scenario.chain.executor
        for sequence, item in enumerate(items, result["first"]):
            self.recorded.append((self.log.full_name, sequence, executor.height, executor.time_ms, item))
        return result

    def amended(self, place: int, **fields: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what corrects the item at a place, and what the transaction shows of it."""
        source, sequence, _, _, item = self.recorded[place]
        corrects = [sequence, item_hash(source, sequence, item).hex()]
        changed = {
            **item,
            "event": f"again {self.name} {len(self.recorded)}",
            "late": "A mistake",
            "corrects": corrects,
        }
        return {**changed, **fields}, {"corrected": [item]}

    def history(self) -> dict[str, Any]:
        """Return all that was recorded of the case."""
        return {"history": shown_history({("case", self.name): self.recorded})}


def run(scenario: Scenario, log: Source) -> None:
    """Run this part with a source of the type whose rules are in force."""
    amounts = {"attributes": {"amount": 5}}
    paid = Case(scenario, log, "paid twice")
    paid.keep(paid.event("pay", **amounts), paid.event("pay", **{**amounts, "event": "second"}))
    item, shown = paid.amended(1, type="report")
    log.no("corrected_missing", item)
    log.no("history_incomplete", item, **shown, **shown_but(paid))
    paid.keep(item, **shown, **paid.history())  # the finding is superseded, its hold ends
    item, shown = paid.amended(2, type="pay")
    paid.keep(item, **shown, **paid.history())  # and what holds again is raised
    asked = Case(scenario, log, "not shown")
    asked.keep(asked.event("apply"), asked.event("decide", attributes={"by": "ann"}))
    item, shown = asked.amended(0, type="check", attributes={"by": "ben", "amount": 1})
    asked.keep(item, **shown)  # what cannot be judged again is undetermined
    moved = Case(scenario, log, "moved")
    moved.keep(moved.event("apply"))
    item, shown = moved.amended(0, objects=[["case", "moved to"]])
    moved.keep(item, **shown, **moved.history())


RULES = [
    {
        "id": f"R-{mode}",
        "version": 1,
        "legal_basis": ["external: the law"],
        "scope": {"process_type": "loans"},
        "kind": "declare",
        "template": "absence",
        "a": "decide",
        "disputed": mode,
    }
    for mode in ("leave_out", "undetermined")
]


def disputed(scenario: Scenario, log: Source) -> None:
    """Run the part about disputes; its rules are retired at the end."""
    ballot = scenario.ok("bank-a", "supervision.propose_rules", rules=RULES)["ballot"]
    scenario.decided("supervision", ballot, "accepted")
    for name, shown in (("disputed", True), ("disputed, not shown", False)):
        case = Case(scenario, log, name)
        case.keep(case.event("decide", attributes={"by": "ann"}, counterparty="city"))
        source, sequence, _, _, item = case.recorded[0]
        about = {"item": item_hash(source, sequence, item).hex(), "attested": item}
        history = case.history() if shown else {}
        scenario.ok("city", "process.attest", verdict="dispute", reason="Not so", **about, **history)
        scenario.ok("city", "process.attest", verdict="confirm", **about, **history)
    names = {"process_type": "loans", "rules": [rule["id"] for rule in RULES]}
    retired = scenario.ok("bank-a", "supervision.propose_retirement", **names, reason="It was tried")["ballot"]
    scenario.decided("supervision", retired, "accepted")


def shown_but(case: Case) -> dict[str, Any]:
    """Return the history of a case without its last item."""
    return {"history": shown_history({("case", case.name): case.recorded[:-1]})}
