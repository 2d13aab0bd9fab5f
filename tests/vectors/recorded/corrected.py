"""The scenario's part about corrections: cases judged again, with their history and without."""

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


def shown_but(case: Case) -> dict[str, Any]:
    """Return the history of a case without its last item."""
    return {"history": shown_history({("case", case.name): case.recorded[:-1]})}
