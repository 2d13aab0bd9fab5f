"""A chain with a plan of custody and keys of its custodians, on which members open vaults; each call is a block."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

from coseal.contracts.disclosure.plans import PLAN
from coseal.contracts.disclosure.vaults import Vault, vault_of
from coseal.ledger.custody import Plan
from coseal.ledger.genesis import Genesis
from coseal.ledger.sealed import SEALING_KEY_BYTES
from tests.support.chain import Chain
from tests.support.deciding import Deciding
from tests.support.genesis import MEMBERS, make_genesis

DAY_MS: Final = 86_400_000
RIGHTS: Final = ("approve", "custody", "operate", "submit", "supervise")
SUBJECT: Final[dict[str, Any]] = dict(PLAN.example)
OWNER: Final = "bank-a"
KEY: Final = "5c" * SEALING_KEY_BYTES
Data = dict[str, Any]
TYPE: Final[Data] = {
    "id": "loans",
    "version": 1,
    "title": "Loans with sealed terms",
    "object_types": {"loan": {"attributes": {"cap": {"type": "decimal", "class": "sealed"}}}},
    "event_types": {
        "Grant": {
            "attributes": {
                "rate": {"type": "decimal", "class": "sealed", "label": "price"},
                "fee": {"type": "decimal", "class": "sealed", "label": "price"},
                "borrower": {"type": "string", "class": "sealed"},
                "branch": "string",
            }
        }
    },
}


def items(sequence: int) -> list[Data]:
    """Return an event with two cells, ``price`` and ``sealed``, and a declaration with one."""
    sealed = {"rate": "ab" * 32, "fee": "cd" * 32, "borrower": "ef" * 32, "branch": "East"}
    event = {"event": f"e{sequence}", "type": "Grant", "time": "2023-01-05T10:00:00Z", "objects": [["loan", "L1"]]}
    declared = {"object": f"L{sequence}", "type": "loan", "attributes": [["cap", "0", "12" * 32]]}
    return [{**event, "attributes": sealed}, declared]


def envelopes(name: str, size: int = 5_000) -> Data:
    """Return how a transaction names the sidecar of envelopes of a vault."""
    return {"name": sha256(name.encode()).hexdigest(), "bytes": size}


def commitments(count: int) -> list[str]:
    """Return so many commitments to keys."""
    return [f"{number:02x}" * 32 for number in range(count)]


def custody_genesis() -> Genesis:
    """Return the genesis of a chain on which everybody may do all that vaults and requests take."""
    return make_genesis(name="custody", capabilities=RIGHTS)


class Custody(Deciding):
    """What members do about vaults; with ``keys`` everybody has published one for custody."""

    contract = "disclosure"

    def __init__(self, chain: Chain | None = None, *, keys: bool = True, **more: Any) -> None:
        self.chain = chain or Chain(custody_genesis())
        self.decide("custody_plan", **{**SUBJECT, **more})
        self.chain.extend([])
        for member in MEMBERS if keys else ():
            self.ok(member, "set_sealing_key", use="custody", key=KEY)

    def opening(self, vault: str = "loans", /, **more: Any) -> Data:
        """Return arguments that open a vault by the usual plan."""
        plan: Any = self.chain.get("disclosure/plan/usual")
        named = {"vault": vault, "plan": "usual", "retention": "loan", "pad": 8}
        count = Plan(len(plan["seats"]), plan["threshold"]).keys
        ends_ms = self.chain.executor.time_ms + 100 * DAY_MS
        made = {"commitments": commitments(count), "ends_ms": ends_ms, "envelopes": envelopes(vault)}
        return {**named, **made, **more}

    def open(self, vault: str = "loans", owner: str = OWNER, /, **more: Any) -> Data:
        return self.ok(owner, "open_vault", **self.opening(vault, **more))

    def accept(self, members: Sequence[str], vault: str = "loans", owner: str = OWNER) -> Data:
        result: Data = {}
        for member in members:
            result = self.ok(member, "accept_seat", owner=owner, vault=vault)
        return result

    def armed(self, vault: str = "loans", owner: str = OWNER) -> Data:
        """Open a vault and have all its seats accept."""
        seats = [member for member, _ in self.open(vault, owner)["seats"]]
        return self.accept(seats, vault, owner)

    def define(self, owner: str = OWNER) -> None:
        """Define a process type with sealed attributes under two labels, and register a source of it."""
        self.ok(owner, "process.define_type", **TYPE)
        self.ok(owner, "process.register_source", id="log", process_type=TYPE["id"], mode="historical")

    def batch(self, sequence: int = 1, /, **sealed: Any) -> Data:
        """Return a batch of an event and a declaration, with three cells."""
        said = {"vault": "loans", "sidecar": envelopes(f"cells {sequence}", 900), "cells": 3, **sealed}
        return {"source": "log", "sequence": sequence, "items": items(sequence), "sealed": said}

    def asking(self, request: str = "r1", /, **more: Any) -> Data:
        """Return arguments of a request for the cell ``price`` of the first item of a sealed batch."""
        named = {"request": request, "basis": "order", "reference": "Order 12", "owner": OWNER, "vault": "loans"}
        scope = [{"number": 1, "sequences": [1], "labels": ["price"]}]
        why = {"purpose": "Compare the rates with the cap", "legal_basis": "Article 38", "key": KEY}
        return {**named, **why, "scope": scope, "expires_ms": self.chain.executor.time_ms + 30 * DAY_MS, **more}

    def approved(self, request: str = "r1", /, **more: Any) -> Data:
        """Have a request of the regulator approved, after the term in which the owner may object."""
        self.ok("regulator", "request", **self.asking(request, **more))
        self.wait(2 * DAY_MS)
        self.ok("city", "approve", by="regulator", request=request, reason="It fits")
        return self.ok("institute-a", "approve", by="regulator", request=request, reason="It fits")

    def release(self, member: str, request: str = "r1", by: str = "regulator") -> Data:
        return self.ok(
            member, "release", by=by, request=request, envelopes=envelopes(f"{member} {by} {request}", 2_000)
        )

    def vault(self, vault: str = "loans", owner: str = OWNER) -> Vault:
        found = vault_of(self.chain.executor.reader, owner, vault)
        assert found is not None
        return found

    def wait(self, later_ms: int) -> Data:
        """Commit an empty block so much later; return what disclosure began it with."""
        self.chain.extend([], later_ms=later_ms)
        return dict(self.chain.begun.get("disclosure", {}))
