"""The scenario's part about standards: proposed, taken up, measured, de facto, recognised, disputed, ended, lapsed."""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.standards.life import LAPSE_MS, MAX_OPEN
from coseal.contracts.standards.status import TERMS, opens_ms, period_of
from tests.vectors.recorded.governed import Proposals
from tests.vectors.recorded.processes import Source
from tests.vectors.recorded.scenario import DAY_MS, Scenario

TYPE: Final[dict[str, Any]] = {
    "id": "credits",
    "version": 1,
    "title": {"en": "Credits", "zh": "信贷"},
    "object_types": {"case": {}},
    "event_types": {"apply": {}},
    "late_ms": 1_000,
}
FORMAT: Final[dict[str, Any]] = {
    "kind": "format",
    "domain": "event-logs",
    "title": "OCEL 2.0",
    "content": {"name": "OCEL 2.0", "sha256": "00" * 32, "place": "https://www.ocel-standard.org"},
    "patents": ["none asserted"],
}
NAMED: Final = {"standard": "credit-events", "version": 1}
RECOGNITION: Final = {**NAMED, "level": "recommended", "instrument": "cn/2022/2"}


def run(scenario: Scenario) -> None:
    """Run this part."""
    definition = scenario.ok("bank-a", "process.define_type", **TYPE)["definition"]
    _proposed(scenario, definition)
    _taken_up(scenario)
    sources = [Source(scenario, member, "credits", "credits") for member in ("bank-a", "central-bank", "enterprise-a")]
    _used(scenario, sources)
    _recognised(scenario)
    _disputed(scenario)
    _own(scenario)
    _ended(scenario)


def _proposed(scenario: Scenario, definition: str) -> None:
    scenario.ok("bank-a", "standards.classify", process_type="credits", domain="credit")
    scenario.no("classified", "bank-a", "standards.classify", process_type="credits", domain="other")
    scenario.no("unknown_type", "bank-a", "standards.classify", process_type="none", domain="credit")
    scenario.no("not_owner", "city", "standards.classify", process_type="credits", domain="credit")
    content = {"process_type": "credits", "definition": definition}
    args = {**NAMED, "kind": "process_type", "domain": "credit", "title": "Credit", "content": content, "patents": []}
    scenario.no("invalid_argument", "bank-a", "standards.propose", **{**args, "kind": "format"})
    wrong = {**content, "definition": "00" * 32}
    scenario.no("invalid_content", "bank-a", "standards.propose", **{**args, "content": wrong})
    scenario.no("version", "bank-a", "standards.propose", **{**args, "version": 2})
    scenario.no("not_owner", "city", "standards.propose", **args)
    scenario.no("classified", "bank-a", "standards.propose", **{**args, "domain": "other"})
    scenario.ok("bank-a", "standards.propose", **args)
    scenario.no("exists", "bank-a", "standards.propose", **{**args, "standard": "other"})
    steps = [
        scenario.step("ok", "institute-a", "standards.propose", standard=f"format-{number}", version=1, **FORMAT)
        for number in range(MAX_OPEN)
    ]
    scenario.block(*steps)
    scenario.no("limit", "institute-a", "standards.propose", standard="format-more", version=1, **FORMAT)
    areas = {"kind": "area_list", "domain": "areas", "title": "Areas", "content": {"areas": ["Lending", "贷款"]}}
    scenario.ok("regulator", "standards.propose", standard="areas", version=1, **areas, patents=[])


def _taken_up(scenario: Scenario) -> None:
    scenario.no("unknown_standard", "city", "standards.try", standard="none", version=1)
    scenario.no("unknown_source", "city", "standards.try", **NAMED, sources=["none"])
    scenario.no("bad_time", "city", "standards.adopt", **NAMED, effective_ms=1)
    scenario.no("not_adopted", "city", "standards.end_adoption", **NAMED, reason="Never")
    scenario.ok("city", "standards.try", **NAMED)
    scenario.no("already_adopted", "city", "standards.try", **NAMED)
    scenario.ok("city", "standards.end_adoption", **NAMED, reason="It was tried")
    for member in ("bank-a", "central-bank", "enterprise-a"):
        scenario.ok(member, "standards.adopt", **NAMED)
    scenario.ok("public-a", "standards.adopt", standard="format-0", version=1)


def _used(scenario: Scenario, sources: list[Source]) -> None:
    """Record in three whole periods; the standard is de facto afterwards."""
    _close(scenario)
    for _ in range(TERMS.periods):
        for source in sources:
            source.record(*(source.event("apply", f"{number}") for number in range(TERMS.use_min)))
        _close(scenario)
    if scenario.get("standards/standard/credit-events/1")["status"] != "de_facto":
        raise RuntimeError("three periods of use did not make the standard de facto")


def _close(scenario: Scenario) -> None:
    """Commit the first block of the next period."""
    scenario.wait(opens_ms(period_of(scenario.now_ms) + 1) - scenario.now_ms)


def _recognised(scenario: Scenario) -> None:
    format_0 = {"standard": "format-0", "version": 1}
    scenario.no("forbidden", "bank-a", "standards.recognise", **RECOGNITION)
    scenario.no("not_de_facto", "city", "standards.recognise", **{**RECOGNITION, **format_0})
    scenario.no("unknown_policy", "city", "standards.recognise", **{**RECOGNITION, "instrument": "none"})
    scenario.ok("city", "standards.recognise", **RECOGNITION)
    scenario.no("already_recognised", "regulator", "standards.recognise", **RECOGNITION)
    scenario.no("not_recognised", "regulator", "standards.withdraw_recognition", **NAMED, reason="No")
    scenario.ok("city", "standards.withdraw_recognition", **NAMED, reason="The notice was replaced")
    Proposals(scenario, "recognise_standard").every_end(format_0)
    scenario.ok("central-bank", "standards.recognise", **{**RECOGNITION, **format_0, "level": "reference"})


def _disputed(scenario: Scenario) -> None:
    dispute = {**NAMED, "ground": "ambiguity", "text": "Is a renewal a credit?"}
    answer = {**NAMED, "member": "central-bank", "text": "It is"}
    scenario.no("not_party", "public-a", "standards.dispute", **dispute)
    scenario.no("unknown_dispute", "bank-a", "standards.answer", **answer)
    scenario.ok("central-bank", "standards.dispute", **dispute, evidence=["ab" * 32])
    scenario.no("limit", "central-bank", "standards.dispute", **dispute)
    scenario.wait(30 * DAY_MS)
    scenario.ok("bank-a", "standards.answer", **answer)
    settled = {"dispute": {**NAMED, "member": "central-bank", "outcome": "upheld", "notice_ms": 30 * DAY_MS}}
    moved = {"classify": {"process_type": "credits", "domain": "lending"}}
    Proposals(scenario, "settle_dispute").every_end({**settled, **moved})
    scenario.wait(1_000)
    scenario.no("already_deprecated", "bank-a", "standards.deprecate", **NAMED, notice_ms=30 * DAY_MS, reason="Old")
    scenario.no("not_open", "city", "standards.adopt", **NAMED)


def _own(scenario: Scenario) -> None:
    """A member's own rules judge what it records, see deadlines missed, and stand still where they do not fit."""
    events = {"place": {"attributes": {"amount": "integer"}}, "ship": {}}
    scenario.ok("bank-a", "process.define_type", **{**TYPE, "id": "parcels", "event_types": events})
    scenario.ok("bank-a", "standards.classify", process_type="parcels", domain="parcels")
    rule = {
        "version": 1,
        "title": "R",
        "severity": "violation",
        "legal_basis": [],
        "scope": {"process_type": "parcels"},
    }
    small = {**rule, "id": "SMALL", "effect": "reject", "kind": "guard", "on": ["place"]}
    small["assert"] = "e.attributes.amount <= 100"
    shipped = {**rule, "id": "SHIPPED", "effect": "hold", "hold_ms": DAY_MS, "kind": "declare", "template": "response"}
    shipped |= {"a": "place", "b": "ship", "within_ms": DAY_MS}
    args = {
        "version": 1,
        "kind": "rule_set",
        "domain": "parcels",
        "title": "Parcels",
        "content": {"rules": [small, shipped]},
    }
    for code, content in (
        ("invalid_argument", {"rules": []}),
        ("invalid_content", {"rules": [{**small, "assert": "e.attributes.none > 1"}]}),
        ("invalid_content", {"rules": [{**small, "disputed": "leave_out"}]}),
        ("limit", {"rules": [{**small, "assert": " && ".join([small["assert"]] * 60)}]}),
    ):
        scenario.no(code, "city", "standards.propose", **{**args, "standard": "parcel-rules", "content": content})
    scenario.ok("city", "standards.propose", **args, standard="parcel-rules")
    schema = {"process_type": "parcels", "object_type": "case", "schemas": {"place": {"required": ["amount"]}}}
    scenario.ok("city", "standards.propose", **{**args, "standard": "parcel-form", "kind": "schema", "content": schema})
    scenario.ok("bank-a", "standards.try", standard="parcel-rules", version=1)
    scenario.ok("bank-a", "standards.adopt", standard="parcel-form", version=1)
    source = Source(scenario, "bank-a", "parcels", "parcels")
    source.record(source.event("place", "a", attributes={"amount": 5}), source.event("place", "b"))
    source.record(source.event("ship", "b"), source.event("place", "c", attributes={"amount": 500}))
    scenario.wait(2 * DAY_MS)
    scenario.ok("bank-a", "standards.adopt", standard="parcel-rules", version=1)
    fewer = {**TYPE, "id": "parcels", "version": 2, "event_types": {"ship": {}}}
    scenario.ok("bank-a", "process.define_type", **fewer)
    source.record(source.event("ship", "c"))
    scenario.ok("bank-a", "standards.end_adoption", standard="parcel-rules", version=1, reason="It fits no more")


def _ended(scenario: Scenario) -> None:
    """Standards end, or lapse: nobody but its proposer took them up."""
    ending = {"version": 1, "notice_ms": 30 * DAY_MS, "reason": "There is a better one"}
    following = {"successor": "format-0", "successor_version": 1}
    scenario.ok("institute-a", "standards.supersede", standard="format-1", **ending, **following)
    scenario.ok("regulator", "standards.deprecate", standard="areas", **ending)
    scenario.wait(30 * DAY_MS)
    scenario.wait(LAPSE_MS)
