"""The scenario's part about process data: types, sources, items of every kind, attestations."""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.process.chain import item_hash
from coseal.ledger.render import time_text
from coseal.ledger.transaction import Transaction
from tests.vectors.recorded.scenario import DAY_MS, Scenario

EVENTS: Final = ("apply", "check", "decide", "pay", "report", "extra")
LOANS: Final[dict[str, Any]] = {
    "id": "loans",
    "version": 1,
    "title": {"en": "Loans", "zh": "贷款"},
    "object_types": {"case": {"attributes": {"limit": "integer"}}, "party": {}},
    "event_types": {name: {"attributes": {"amount": "integer", "by": "string"}} for name in EVENTS},
    "gaps": "record",
    "late_ms": 1_000,
}
ALL_KINDS: Final[dict[str, Any]] = {
    "text": "string",
    "count": {"type": "integer", "required": True},
    "done": {"type": "boolean", "class": "restricted"},
    "when": "time",
    "price": "decimal",
    "sum": {"type": "scaled", "scale": 2},
    "phone": {"type": "string", "class": "sealed"},
}
FINES: Final[dict[str, Any]] = {
    "id": "fines",
    "version": 1,
    "title": "Fines",
    "object_types": {"case": {"attributes": {"status": "string"}}, "party": {}},
    "event_types": {"Create Fine": {"attributes": ALL_KINDS}},
}


class Source:
    """A source of the scenario, which knows its sequence."""

    def __init__(
        self, scenario: Scenario, member: str, name: str, process_type: str, mode: str = "live", **more: Any
    ) -> None:
        self.scenario, self.member, self.name, self.sequence = scenario, member, name, 0
        args = {"id": name, "process_type": process_type, "mode": mode, **more}
        scenario.ok(member, "process.register_source", **args)

    @property
    def full_name(self) -> str:
        """``member/source``."""
        return f"{self.member}/{self.name}"

    def event(self, kind: str, case: str, at_ms: int | None = None, **fields: Any) -> dict[str, Any]:
        """Return an event as an item, by default of now."""
        time = time_text(self.scenario.now_ms if at_ms is None else at_ms)
        return {"event": f"{kind} {case} {time}", "type": kind, "time": time, "objects": [["case", case]], **fields}

    def args(self, *items: dict[str, Any], skip: int = 0, **more: Any) -> dict[str, Any]:
        """Return the arguments that record these items."""
        return {"source": self.name, "sequence": self.sequence + 1 + skip, "items": list(items), **more}

    def record(self, *items: dict[str, Any], skip: int = 0, **more: Any) -> dict[str, Any]:
        """Record items; return the result."""
        result = self.scenario.ok(self.member, "process.record", **self.args(*items, skip=skip, **more))
        self.sequence = result["last"]
        return result

    def no(self, code: str, *items: dict[str, Any], skip: int = 0, **more: Any) -> None:
        """Have a batch refused in the next block."""
        self.scenario.no(code, self.member, "process.record", **self.args(*items, skip=skip, **more))


def run(scenario: Scenario) -> None:
    """Run this part, with a type of its own."""
    _types(scenario)
    fines = Source(scenario, "enterprise-a", "fines", "fines", zone_minutes=480, title="Register of fines")
    _sources(scenario, fines)
    _items(scenario, fines)
    _attestations(scenario, fines)
    _tallies(scenario)


def _types(scenario: Scenario) -> None:
    scenario.no("unknown_type", "bank-a", "process.register_source", id="log", process_type="loans", mode="live")
    scenario.no("invalid_argument", "bank-a", "process.define_type", **{**LOANS, "gaps": "ignore"})
    personal = {"Create Fine": {"attributes": {"e-mail": "string"}}}
    scenario.no("personal_data", "enterprise-a", "process.define_type", **{**FINES, "event_types": personal})
    scenario.no("version", "enterprise-a", "process.define_type", **{**FINES, "version": 2})
    scenario.ok("enterprise-a", "process.define_type", **FINES)
    scenario.no("forbidden", "bank-a", "process.define_type", **{**FINES, "version": 2})
    scenario.ok("enterprise-a", "process.define_type", **{**FINES, "version": 2, "legal_basis": ["cn/2022/2"]})
    scenario.ok("bank-a", "process.define_type", **LOANS)


def _tallies(scenario: Scenario) -> None:
    """Order, receipt and invoice of a line by two members: matched, corrected, not exact."""
    scenario.ok("bank-a", "process.define_type", **_orders(1))
    scenario.no("tally_changed", "bank-a", "process.define_type", **_orders(2) | {"tallies": {}, "match": {}})
    buyer = Source(scenario, "bank-a", "orders", "orders")
    seller = Source(scenario, "enterprise-a", "orders", "orders")
    placed = buyer.event("Ordered", "L1", attributes={"quantity": "100", "amount": "100.00", "unit": "KGM"})
    received = buyer.event("Received", "L1", attributes={"quantity": "900", "unit": "KGM"})
    buyer.record(placed, received)
    invoiced = {"quantity": "90", "amount": "90.00", "unit": "KGM"}
    seller.record(seller.event("Invoiced", "L1", attributes=invoiced, counterparty="bank-a"))
    fixed = buyer.event("Received", "L1", attributes={"quantity": "90", "unit": "KGM"})
    fixed["corrects"] = [2, item_hash(buyer.full_name, 2, received).hex()]
    buyer.record(fixed, corrected=[received])
    buyer.record(buyer.event("Received", "L1", attributes={"quantity": "0.0001", "unit": "KGM"}))


def _orders(version: int) -> dict[str, Any]:
    line: dict[str, Any] = {"attributes": {"quantity": "decimal", "amount": "decimal", "unit": "string"}}
    adds = {"ordered": "Ordered", "received": "Received", "invoiced": "Invoiced"}
    tallies = {name: [{"on": on, "add": "quantity", "scale": 3}] for name, on in adds.items()}
    tallies |= {f"{name}_amount": [{"on": adds[name], "add": "amount", "scale": 2}] for name in ("ordered", "invoiced")}
    return {
        "id": "orders",
        "version": version,
        "title": "Orders",
        "object_types": {"case": {}},
        "event_types": dict.fromkeys(adds.values(), line),
        "tallies": {"case": tallies},
        "match": {"case": {"unit": "unit", "quantity_ppm": 20_000}},
    }


def _sources(scenario: Scenario, fines: Source) -> None:
    scenario.no("exists", "enterprise-a", "process.register_source", id="fines", process_type="fines", mode="live")
    scenario.no("unknown_source", "bank-a", "process.record", source="fines", sequence=1, items=[_fine(fines, "A0")])


def _fine(fines: Source, case: str, **fields: Any) -> dict[str, Any]:
    return fines.event("Create Fine", case, **{"attributes": {"count": 1}, **fields})


def _items(scenario: Scenario, fines: Source) -> None:
    now_ms = scenario.now_ms
    fine = _fine(fines, "A1")
    fines.no("invalid_item", {"event": "e1", "type": "Create Fine"})
    fines.no("invalid_item", _fine(fines, "A1", attributes={"count": 1, "price": "ten"}))
    fines.no("invalid_item", fine, fine)
    fines.no("version", fine, version=1)
    fines.no("sequence", fine, skip=4)
    fines.no("gap_refused", fine, skip=4, gap="The line was down")
    fines.no("event_in_future", fines.event("Create Fine", "A1", now_ms + 400_000, attributes={"count": 1}))
    fines.no("late_without_reason", fines.event("Create Fine", "A1", now_ms - 2 * DAY_MS, attributes={"count": 1}))
    for nobody in ("enterprise-a", "nobody"):
        fines.no("unknown_counterparty", _fine(fines, "A1", counterparty=nobody))
    fines.no("invalid_argument")
    whole = {
        "text": "一",
        "count": -5,
        "done": True,
        "when": "2021-01-05",
        "price": "35.0",
        "sum": 3_500,
        "phone": "ab" * 32,
    }
    first = _fine(
        fines, "A1", attributes=whole, recorded="2024-01-01T00:00:00Z", evidence=["ef" * 32], policy=["cn/city/1"]
    )
    first["objects"] = [["case", "A1"], ["party", "p/1", "payer"]]
    late = {**fines.event("Create Fine", "A2", now_ms - 2 * DAY_MS), "late": "sent by post", "attributes": {"count": 2}}
    fines.record(
        first,
        {"object": "A3", "type": "case", "attributes": [["status", "0", "new"]]},
        {"change": "A3", "type": "case", "attributes": [["status", "2026-01-05T02:00:00Z", "sent"]]},
        {"relation": ["case", "A1"], "to": ["party", "p/1"], "qualifier": "of"},
        late,
        _fine(fines, "A4", counterparty="bank-a"),
        {**_fine(fines, "A5", counterparty="bank-a"), "corrects": [1, item_hash(fines.full_name, 1, first).hex()]},
    )
    fines.no("already_recorded", fine, skip=-1)


def _attestations(scenario: Scenario, fines: Source) -> None:
    items = Transaction.decode(scenario.chain.blocks[-1].block.transactions[-1]).args["items"]
    scenario.no("unknown_item", "bank-a", "process.attest", item="00" * 32, verdict="confirm")
    hashes = [item_hash(fines.full_name, number, items[number - 1]).hex() for number in (6, 7)]
    scenario.no("forbidden", "city", "process.attest", item=hashes[0], verdict="confirm")
    scenario.no("invalid_argument", "bank-a", "process.attest", item=hashes[0], verdict="dispute")
    scenario.ok("bank-a", "process.attest", item=hashes[0], verdict="confirm")
    scenario.no("already_attested", "bank-a", "process.attest", item=hashes[0], verdict="dispute", reason="Too late")
    disputed = {"item": hashes[1], "verdict": "dispute", "reason": "It was less"}
    scenario.no("attested_missing", "bank-a", "process.attest", **disputed)
    scenario.no("invalid_item", "bank-a", "process.attest", **disputed, attested=items[5])
    scenario.ok("bank-a", "process.attest", **disputed, evidence=["01" * 32], attested=items[6])
    scenario.no("attested_missing", "bank-a", "process.attest", item=hashes[1], verdict="confirm")
    scenario.ok("bank-a", "process.attest", item=hashes[1], verdict="confirm", attested=items[6])
