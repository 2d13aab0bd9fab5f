"""The scenario's part about disclosure: plans, keys, vaults armed, refused, dealt again, sealed into and destroyed."""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.disclosure.keys import KEPT_VERSIONS
from coseal.contracts.disclosure.plans import PLAN
from coseal.contracts.disclosure.policy import ACCEPT, POLICY, TERMS, term_ms
from coseal.ledger.custody import Plan
from coseal.ledger.sealed import SEALING_KEY_BYTES
from tests.vectors.recorded.governed import Proposals
from tests.vectors.recorded.scenario import DAY_MS, Scenario
from tests.vectors.recorded.supervised import rule

SUBJECT: Final[dict[str, Any]] = {**PLAN.example, "retentions": {"loan": 2 * DAY_MS}}
OWNER: Final = "bank-a"
SEATS: Final[list[str]] = SUBJECT["seats"]
TYPE: Final[dict[str, Any]] = {
    "id": "sealed-loans",
    "version": 1,
    "title": "Loans with sealed terms",
    "object_types": {"loan": {"attributes": {"cap": {"type": "decimal", "class": "sealed"}}}},
    "event_types": {
        "Grant": {
            "attributes": {
                "rate": {"type": "decimal", "class": "sealed", "label": "price"},
                "fee": {"type": "decimal", "class": "sealed", "label": "price"},
                "borrower": {"type": "string", "class": "sealed"},
            }
        }
    },
}
KEY: Final = "5c" * SEALING_KEY_BYTES

CLAIM: Final = rule(
    "R-CAP",
    "claim",
    scope={"process_type": "sealed-loans", "object_type": "loan"},
    on=["Grant"],
    **{"assert": "compare(s.rate, '0.06') <= 0"},
)


def run(scenario: Scenario) -> None:
    """Run this part."""
    disclosing = Disclosing(scenario)
    disclosing.ballots()
    disclosing.found()
    disclosing.refusals()
    disclosing.answers()
    disclosing.reads()
    disclosing.seals()
    disclosing.ends()
    scenario.wait(1)


class Disclosing:
    """What members do about vaults."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario, self.number = scenario, 0
        self.armed: dict[str, Any] = {}

    def ballots(self) -> None:
        """Decide plans and a policy."""
        plans, policy = Proposals(self.scenario, "custody_plan"), Proposals(self.scenario, "disclosure_policy")
        plans.no("bad_plan", {**SUBJECT, "threshold": 3})
        plans.no("bad_plan", {**SUBJECT, "substitutes": SEATS[:1]})
        plans.no("bad_plan", {**SUBJECT, "seats": [*SEATS[:2], "nobody"]})
        plans.no("bad_plan", {**SUBJECT, "seats": ["institute-a", "regulator", "city"]})
        plans.every_end(SUBJECT)
        plans.accept("alone", {**SUBJECT, "id": "alone", "substitutes": []})
        policy.every_end(dict(POLICY.example))
        self.scenario.wait(1)

    def found(self) -> None:
        """Publish keys."""
        scenario = self.scenario
        scenario.no("no_key", OWNER, "disclosure.open_vault", **self.opening())
        for member in (*SEATS, *SUBJECT["substitutes"]):
            scenario.ok(member, "disclosure.set_sealing_key", use="custody", key=KEY)
        for _ in range(KEPT_VERSIONS + 1):
            scenario.ok(OWNER, "disclosure.set_sealing_key", use="reader", key=KEY)

    def opening(self, **more: Any) -> dict[str, Any]:
        """Return arguments that open another vault by the plan of the example."""
        self.number += 1
        count = Plan(len(SEATS), SUBJECT["threshold"]).keys
        return {
            "vault": f"v{self.number}",
            "plan": SUBJECT["id"],
            "retention": "loan",
            "commitments": [f"{number:02x}" * 32 for number in range(count)],
            "pad": 8,
            "ends_ms": self.scenario.now_ms + 300 * DAY_MS,
            "envelopes": {"name": f"{self.number:064x}", "bytes": 5_000},
            **more,
        }

    def open(self, **more: Any) -> dict[str, Any]:
        """Open a vault; return where it is."""
        opened = self.scenario.ok(OWNER, "disclosure.open_vault", **self.opening(**more))
        return {"owner": OWNER, "vault": opened["vault"]}

    def seat(self, number: int, action: str, where: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Have a custodian act for its seat."""
        return self.scenario.ok(SEATS[number], f"disclosure.{action}", **where, **more)

    def refusals(self) -> None:
        """What is wrong with vaults."""
        scenario, first = self.scenario, self.open()
        for code, more in (
            ("no_plan", {"plan": "none"}),
            ("unknown_retention", {"retention": "none"}),
            ("wrong_keys", {"commitments": ["00" * 32]}),
            ("wrong_end", {"ends_ms": 1}),
            ("exists", {"vault": first["vault"]}),
            ("already_sealed", {"envelopes": {"name": f"{self.number:064x}", "bytes": 9}}),
            ("wrong_step", {"again": first["vault"]}),
            ("invalid_argument", {"envelopes": {"name": "ff" * 32, "bytes": 0}}),
        ):
            scenario.no(code, OWNER, "disclosure.open_vault", **self.opening(**more))
        opening = self.opening(plan="alone")
        scenario.no("no_custodian", SEATS[0], "disclosure.open_vault", **opening)
        scenario.no("unknown_vault", SEATS[0], "disclosure.accept_seat", owner=OWNER, vault="none")
        scenario.no("no_seat", "enterprise-a", "disclosure.accept_seat", **first)
        scenario.no("wrong_step", SEATS[0], "disclosure.destroy_seat", **first)
        policy = Proposals(scenario, "disclosure_policy")
        policy.accept("small", {"terms": {ACCEPT: 5 * DAY_MS}, "quota_bytes": 7_000})
        scenario.no("quota", OWNER, "disclosure.open_vault", **self.opening())
        policy.accept("usual", {**POLICY.example, "terms": dict(TERMS)})
        scenario.ok(OWNER, "disclosure.close_vault", vault=first["vault"])

    def answers(self) -> None:
        """One vault is armed; one is refused, and dealt again; of one a seat stays silent."""
        armed = self.open(ends_ms=self.scenario.now_ms + 15 * DAY_MS)
        refused, silent = self.open(), self.open()
        for number in range(len(SEATS)):
            self.seat(number, "accept_seat", armed)
        self.seat(0, "accept_seat", refused)
        self.seat(1, "refuse_seat", refused, reason="Key 2 is not the one committed to")
        self.seat(0, "destroy_seat", refused)
        again = self.open(again=refused["vault"])
        self.scenario.ok("central-bank", "disclosure.accept_seat", **again)
        self.seat(0, "accept_seat", silent)
        self.armed = armed
        self.scenario.wait(term_ms(self.scenario.chain.executor, ACCEPT) + 1)

    def reads(self) -> None:
        """An audience gets a second version, in which one reader is left out."""
        scenario, named = self.scenario, {"vault": self.armed["vault"], "audience": "readers"}
        define, grant = "disclosure.define_audience", "disclosure.grant"
        envelopes = {"name": "e1" * 32, "bytes": 2_000}
        args = {**named, "version": 1, "to": ["city"], "envelopes": envelopes}
        scenario.no("unknown_member", OWNER, define, **named, members=["nobody"])
        scenario.no("unknown_audience", OWNER, grant, **args)
        scenario.ok(OWNER, define, **named, members=["city", "enterprise-a"])
        scenario.no("no_key", OWNER, grant, **args)
        scenario.ok("city", "disclosure.set_sealing_key", use="reader", key=KEY)
        scenario.no("no_reader", OWNER, grant, **{**args, "to": ["public-a"]})
        scenario.ok(OWNER, grant, **args)
        scenario.ok(OWNER, define, **named, members=["city"])

    def seals(self) -> None:
        """Batches come with cells; one of each is erased when its retention ends."""
        scenario, vault, dealt = self.scenario, self.armed["vault"], self.open()["vault"]
        scenario.ok(OWNER, "process.define_type", **TYPE)
        scenario.ok(OWNER, "process.register_source", id="sealed-log", process_type=TYPE["id"], mode="historical")
        ballot = scenario.ok(OWNER, "supervision.propose_rules", rules=[CLAIM])["ballot"]
        scenario.decided("supervision", ballot, "accepted")
        for code, sealed in (
            ("unknown_vault", {"vault": "none"}),
            ("vault_not_armed", {"vault": dealt}),
            ("wrong_cells", {"cells": 1}),
            ("already_sealed", {"sidecar": {"name": f"{self.number:064x}", "bytes": 9}}),
        ):
            scenario.no(code, OWNER, "process.record", **self.batch(1, vault, **sealed))
        scenario.ok(OWNER, "process.record", **self.batch(1, vault))
        scenario.ok(OWNER, "process.record", **self.batch(3, vault))
        scenario.no("not_erased", OWNER, "disclosure.close_vault", vault=vault)
        scenario.wait(SUBJECT["retentions"]["loan"])
        scenario.wait(5 * DAY_MS)
        scenario.no("vault_ended", OWNER, "process.record", **self.batch(5, vault))

    def batch(self, sequence: int, vault: str, /, **sealed: Any) -> dict[str, Any]:
        """Return a batch of an event and a declaration with three cells, under the next name."""
        self.number += 1
        said = {"vault": vault, "sidecar": {"name": f"{self.number:064x}", "bytes": 900}, "cells": 3, **sealed}
        items = [
            {
                "event": f"e{sequence}",
                "type": "Grant",
                "time": "2023-01-05T10:00:00Z",
                "objects": [["loan", "L1"]],
                "attributes": {"rate": "ab" * 32, "fee": "cd" * 32, "borrower": "ef" * 32},
            },
            {"object": f"L{sequence}", "type": "loan", "attributes": [["cap", "0", "12" * 32]]},
        ]
        return {"source": "sealed-log", "sequence": sequence, "items": items, "sealed": said}

    def ends(self) -> None:
        """A vault is closed, and destroyed by all of its seats."""
        self.scenario.ok(OWNER, "disclosure.close_vault", vault=self.armed["vault"])
        for number in range(len(SEATS)):
            self.seat(number, "destroy_seat", self.armed)
