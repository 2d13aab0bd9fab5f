"""Claims: conditions over sealed attributes, which the owner judges before sealing and states with the event.

Law: the ledger judges what was stated and never sees the values; whoever opens them evaluates the same expression over
the same event, and finds what the owner must have found.

docs/spec/rules.md, section Claims.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from coseal.contracts.process.cells import in_the_clear
from coseal.contracts.process.items import MAX_CLAIMS, time_ms
from coseal.contracts.rules.cel.compile import Charge, Expression, Type, Undetermined, record
from coseal.contracts.rules.event_rules import Judge, worse
from coseal.contracts.rules.facts import EVENT_FIELDS, Definition, Event, attribute_types, event_facts, times_of
from coseal.contracts.rules.reasons import reason
from coseal.contracts.rules.verdict import Facts, Reach, Ruling, undetermined, violated

_OF_THE_LEDGER: Final = ("recorded", "sequence", "live", "late", "corrects")
"""What of an event is not said by its owner alone, or not before it is sent."""


@dataclass(frozen=True, slots=True)
class Claim(Judge):
    """A condition that the owner of an event states to hold: false is violated, nothing stated undetermined."""

    rule: str
    version: int
    reach: Reach
    condition: Expression
    charge: Charge = Charge(MAX_CLAIMS, MAX_CLAIMS)  # noqa: RUF009 - it is frozen

    @property
    def of_object(self) -> bool:
        """See ``Guard``."""
        return False

    @property
    def cost(self) -> int:
        """See ``Body``: of the condition, though the ledger does not evaluate it."""
        return max(self.condition.cost, MAX_CLAIMS)

    def step(self, symbol: str, code: int, detail: Any, facts: Facts) -> Ruling:
        """See ``Body``."""
        stated = next((one for one in facts.event.item.get("claims", ()) if one[0] == self.rule), None)
        if stated is None:  # C2
            return worse(code, undetermined(reason("claim_missing")))
        if stated[1] != self.version:  # C3
            return worse(code, undetermined(reason("claim_version", stated=stated[1], version=self.version)))
        # C1
        return Ruling(code) if stated[2] else violated(reason("claim_false"))

    def evaluate(
        self, item: Mapping[str, Any], definition: Definition, source: str, zone_minutes: int | None
    ) -> bool | Undetermined:  # C5
        """Return what the condition says of an event whose sealed attributes are in the clear, as far as known.

        ``item`` fits ``definition``, the normalised process type, but for these; ``source`` is ``member/source``.
        """
        known = in_the_clear(definition)
        occurred = time_ms(item["time"], zone_minutes) or 0
        event = Event(item, occurred, source, 0, 0, 0, zone_minutes=zone_minutes)
        facts = event_facts(event, times_of(known, (item["type"],)))
        declared = definition["event_types"][item["type"]]["attributes"]
        sealed = {name: value for name, value in facts["attributes"].items() if declared[name]["class"] == "sealed"}
        public = {name: value for name, value in facts["attributes"].items() if name not in sealed}
        said = {name: value for name, value in facts.items() if name not in _OF_THE_LEDGER}
        value: Any = self.condition.evaluate({"e": {**said, "attributes": public}, "s": sealed})
        return value if type(value) is Undetermined else value is True


def claim_types(definition: Definition | None, kinds: Sequence[str]) -> dict[str, str | Type]:  # C4
    """Return the types of ``e``, an event as its owner sends it without what is sealed, and ``s``, what is sealed."""
    fields = {name: kind for name, kind in EVENT_FIELDS.items() if name not in _OF_THE_LEDGER}
    public = attribute_types(definition, "event_types", kinds, sealed=False)
    return {
        "e": record({**fields, "attributes": public}),
        "s": attribute_types(definition, "event_types", kinds, sealed=True),
    }
