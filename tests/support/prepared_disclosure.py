"""The examples of disclosure made valid: a plan, keys of its custodians, vaults at every step.

Law: as in ``tests.support.prepared``, whose chain it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from coseal.contracts.disclosure.dealing import ACTIONS
from coseal.contracts.disclosure.keys import ACTIONS as KEY_ACTIONS
from coseal.contracts.disclosure.plans import PLAN
from coseal.contracts.disclosure.requesting import ACTIONS as REQUESTING
from coseal.contracts.disclosure.requests import MAX_REQUESTS
from coseal.contracts.disclosure.state import plan_key
from tests.support.chain import Chain

Args = dict[str, Any]
Ready = tuple[str, Args]

OWNER: Final = "bank-a"
SEATS: Final[tuple[str, ...]] = tuple(PLAN.example["seats"])
READER: Final = "city"
DAY_MS: Final = 86_400_000
VAULT_MS: Final = 300 * DAY_MS
REQUESTER: Final = "regulator"
APPROVERS: Final = ("city", "institute-a")
"""Another supervisor, and a member of another role."""
REVIEWER: Final = "institute-a"
"""A member of another role than the requester's."""
RELEASERS: Final = tuple(member for member in SEATS if member != REQUESTER)[: PLAN.example["threshold"]]


class PreparedDisclosure:
    """What ``Prepared`` has for the actions of disclosure."""

    chain: Chain

    @property
    def now_ms(self) -> int:
        raise NotImplementedError

    def _ok(self, calls: Sequence[tuple[str, str, Args]]) -> list[dict[str, Any]]:
        raise NotImplementedError

    def _next(self) -> int:
        raise NotImplementedError

    def _accepted(self, name: str, kind: str, subject: Args, by: str = "regulator") -> None:
        raise NotImplementedError

    def _plan(self) -> None:
        """Have the plan of the example decided and its custodians' keys published, once."""
        if self.chain.get(plan_key(PLAN.example["id"])) is not None:
            return
        self._accepted("custody-plan", "custody_plan", dict(PLAN.example))
        key = dict(KEY_ACTIONS["set_sealing_key"].example)
        self._ok([(member, "disclosure.set_sealing_key", key) for member in SEATS])

    def _opening(self) -> Args:
        number = self._next()
        named = {"vault": f"v{number}", "ends_ms": self.now_ms + VAULT_MS}
        sidecar = {"name": f"{number:064x}", "bytes": 5_000}
        return {**ACTIONS["open_vault"].example, **named, "envelopes": sidecar}

    def _opened(self, count: int) -> list[Args]:
        """Open so many vaults; return where they are."""
        opened = [args for _, args in self._disclosure_open_vault(count)]
        self._ok([(OWNER, "disclosure.open_vault", args) for args in opened])
        return [{"owner": OWNER, "vault": args["vault"]} for args in opened]

    def _disclosure_set_sealing_key(self, count: int) -> Iterator[Ready]:
        for _ in range(count):
            yield OWNER, dict(KEY_ACTIONS["set_sealing_key"].example)

    def _disclosure_open_vault(self, count: int) -> Iterator[Ready]:
        self._plan()
        for _ in range(count):
            yield OWNER, self._opening()

    def _disclosure_accept_seat(self, count: int) -> Iterator[Ready]:
        for vault in self._opened(count):
            yield SEATS[0], vault

    def _disclosure_refuse_seat(self, count: int) -> Iterator[Ready]:
        for vault in self._opened(count):
            yield SEATS[0], {**vault, "reason": "Key 2 is not the one committed to"}

    def _disclosure_define_audience(self, count: int) -> Iterator[Ready]:
        for vault in self._opened(count):
            yield OWNER, {"vault": vault["vault"], "audience": "readers", "members": [READER]}

    def _disclosure_grant(self, count: int) -> Iterator[Ready]:
        """Each to a reader of another vault."""
        audiences = [args for _, args in self._disclosure_define_audience(count)]
        self._ok([(OWNER, "disclosure.define_audience", args) for args in audiences])
        self._ok([(READER, "disclosure.set_sealing_key", {**KEY_ACTIONS["set_sealing_key"].example, "use": "reader"})])
        for args in audiences:
            sidecar = {"name": f"{self._next():064x}", "bytes": 2_000}
            named = {"vault": args["vault"], "audience": "readers", "version": 1}
            yield OWNER, {**named, "to": [READER], "envelopes": sidecar}

    def _disclosure_close_vault(self, count: int) -> Iterator[Ready]:
        for vault in self._opened(count):
            yield OWNER, {"vault": vault["vault"]}

    def _disclosure_destroy_seat(self, count: int) -> Iterator[Ready]:
        vaults = self._opened(count)
        self._ok([(SEATS[0], "disclosure.accept_seat", vault) for vault in vaults])
        self._ok([(OWNER, "disclosure.close_vault", {"vault": vault["vault"]}) for vault in vaults])
        for vault in vaults:
            yield SEATS[0], vault

    def _in_a_vault(self, count: int) -> dict[str, Any]:
        """Seal ``count`` sidecars of a cell each into an armed vault; return where it is."""
        (vault,) = self._opened(1)
        self._ok([(member, "disclosure.accept_seat", vault) for member in SEATS])
        name = f"sealed-{self._next()}"
        rate = {"rate": {"type": "decimal", "class": "sealed"}}
        types = {"object_types": {"loan": {}}, "event_types": {"Grant": {"attributes": rate}}}
        source = {"id": name, "process_type": name, "mode": "historical"}
        self._ok([(OWNER, "process.define_type", {"id": name, "version": 1, "title": "Loans", **types})])
        self._ok([(OWNER, "process.register_source", source)])
        event = {"type": "Grant", "time": "2020-01-05T10:00:00Z", "objects": [["loan", "L1"]]}
        for sequence in range(1, count + 1):
            items = [{**event, "event": f"e{sequence}", "attributes": {"rate": "ab" * 32}}]
            sidecar = {"name": f"{self._next():064x}", "bytes": 900}
            sealed = {"vault": vault["vault"], "sidecar": sidecar, "cells": 1}
            record = {"source": name, "sequence": sequence, "items": items, "sealed": sealed}
            self._ok([(OWNER, "process.record", record)])
        return vault

    def _disclosure_request(self, count: int, days: int = 29) -> Iterator[Ready]:
        """Not more of one sidecar than may name it."""
        vault = self._in_a_vault(-(-count // MAX_REQUESTS))
        for place in range(count):
            number = place // MAX_REQUESTS + 1
            scope = [{"number": number, "sequences": [number], "labels": ["sealed"]}]
            named = {"request": f"r{self._next()}", "basis": "order", **vault, "scope": scope}
            ends_ms = self.now_ms + days * DAY_MS
            yield REQUESTER, {**REQUESTING["request"].example, **named, "reference": "Order 12", "expires_ms": ends_ms}

    def _disclosure_emergency(self, count: int) -> Iterator[Ready]:
        for sender, args in self._disclosure_request(count):
            yield sender, {**args, "reason": "It cannot wait"}

    def _disclosure_review(self, count: int) -> Iterator[Ready]:
        """Each a first verdict: it decides nothing, and bars nobody from the emergencies that others prepare."""
        urgent = list(self._disclosure_emergency(count))
        self._ok([(sender, "disclosure.emergency", args) for sender, args in urgent])
        for _, args in urgent:
            said = {"by": REQUESTER, "request": args["request"]}
            yield REVIEWER, {**said, "verdict": "unjustified", "reason": "It could wait"}

    def _asked(self, count: int) -> list[str]:
        """Have ``count`` requests on record; return their ids."""
        asked = [args for _, args in self._disclosure_request(count)]
        self._ok([(REQUESTER, "disclosure.request", args) for args in asked])
        return [args["request"] for args in asked]

    def _disclosure_object(self, count: int) -> Iterator[Ready]:
        for name in self._asked(count):
            yield OWNER, {"by": REQUESTER, "request": name, "reason": "The cap is public"}

    def _disclosure_answer(self, count: int) -> Iterator[Ready]:
        objected = list(self._disclosure_object(count))
        self._ok([(OWNER, "disclosure.object", args) for _, args in objected])
        for _, args in objected:
            yield REQUESTER, {"request": args["request"], "reason": "The rate is not"}

    def _approvals(self, count: int) -> list[Args]:
        """Have ``count`` requests wait for approvals, their owner not having objected."""
        asked = self._asked(count)
        self.chain.extend([], later_ms=2 * DAY_MS)
        return [{"by": REQUESTER, "request": name, "reason": "It fits the purpose"} for name in asked]

    def _disclosure_approve(self, count: int) -> Iterator[Ready]:
        for args in self._approvals(count):
            yield APPROVERS[0], args

    def _disclosure_refuse(self, count: int) -> Iterator[Ready]:
        for args in self._approvals(count):
            yield APPROVERS[0], args

    def _approved(self, count: int) -> list[Args]:
        """Have ``count`` requests approved; return them as steps of seats name them."""
        approvals = self._approvals(count)
        for approver in APPROVERS:
            self._ok([(approver, "disclosure.approve", args) for args in approvals])
        return [{"by": args["by"], "request": args["request"]} for args in approvals]

    def _releases(self, requests: Sequence[Args], member: str) -> list[tuple[str, Args]]:
        return [(member, {**args, "envelopes": {"name": f"{self._next():064x}", "bytes": 1_000}}) for args in requests]

    def _disclosure_release(self, count: int) -> Iterator[Ready]:
        yield from self._releases(self._approved(count), RELEASERS[0])

    def _disclosure_decline(self, count: int) -> Iterator[Ready]:
        for args in self._approved(count):
            yield RELEASERS[0], {**args, "reason": "technical", "text": "The keys are lost"}

    def _disclosure_opened(self, count: int) -> Iterator[Ready]:
        approved = self._approved(count)
        for member in RELEASERS:
            self._ok([(who, "disclosure.release", args) for who, args in self._releases(approved, member)])
        for args in approved:
            yield REQUESTER, {"request": args["request"], "opened": 1, "failed": 0, "faults": []}
