"""Cases of disclosure: the greatest request for an opening, its approval, a release, its end, and many that expire."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from bench.budget.scene import DAY_MS, Result, Scene, time_case
from coseal.contracts.disclosure.requesting import LABELS_MAX, SCOPE_MAX
from coseal.contracts.disclosure.requests import MAX_REQUESTS
from coseal.ledger.custody import SEATS_MAX, Plan
from coseal.ledger.sealed import SEALING_KEY_BYTES

OWNER: Final = "bank-a"
REQUESTER: Final = "regulator"
SEATS: Final = ("central-bank", "enterprise-a", "regulator")
KEY: Final = "5c" * SEALING_KEY_BYTES
WHICH: Final = {"by": REQUESTER, "request": "r0"}
REASON: Final = {"reason": "It fits the purpose"}


def _sidecar(number: int) -> dict[str, Any]:
    return {"name": f"{number:064x}", "bytes": 900}


def _scene() -> Scene:
    """Return a scene with an armed vault and as many sidecars in it as a request names."""
    scene = Scene()
    plan = {"id": "usual", "seats": list(SEATS), "substitutes": [], "threshold": 2}
    scene.decide("plan", "custody_plan", {**plan, "retentions": {"loan": 300 * DAY_MS}})
    for member in SEATS:
        scene.must(member, "disclosure.set_sealing_key", {"use": "custody", "key": KEY})
    commitments = [f"{number:064x}" for number in range(Plan(len(SEATS), 2).keys)]
    ends_ms = scene.chain.executor.time_ms + 300 * DAY_MS
    dealt = {"vault": "loans", "plan": "usual", "retention": "loan", "commitments": commitments, "pad": 0}
    scene.must(OWNER, "disclosure.open_vault", {**dealt, "ends_ms": ends_ms, "envelopes": _sidecar(0)})
    for member in SEATS:
        scene.must(member, "disclosure.accept_seat", {"owner": OWNER, "vault": "loans"})
    rate = {"rate": {"type": "decimal", "class": "sealed"}}
    types = {"object_types": {"loan": {}}, "event_types": {"Grant": {"attributes": rate}}}
    scene.must(OWNER, "process.define_type", {"id": "loans", "version": 1, "title": "Loans", **types})
    scene.must(OWNER, "process.register_source", {"id": "loans", "process_type": "loans", "mode": "historical"})
    event = {"type": "Grant", "time": "2020-01-05T10:00:00Z", "objects": [["loan", "L1"]]}
    for number in range(1, SCOPE_MAX + 1):
        items = [{**event, "event": f"e{number}", "attributes": {"rate": "ab" * 32}}]
        sealed = {"vault": "loans", "sidecar": _sidecar(number), "cells": 1}
        scene.must(OWNER, "process.record", {"source": "loans", "sequence": number, "items": items, "sealed": sealed})
    return scene


def _asking(scene: Scene, number: int) -> dict[str, Any]:
    """Return the greatest request: as many sidecars as it may name, with nearly as many cells."""
    labels = [f"label-{label:02}" for label in range(LABELS_MAX - 1)]
    scope = [{"number": place, "sequences": [place], "labels": labels} for place in range(1, SCOPE_MAX + 1)]
    named = {"request": f"r{number}", "basis": "order", "reference": "Order 12", "owner": OWNER, "vault": "loans"}
    why = {"purpose": "p" * 1_000, "legal_basis": "b" * 1_000, "key": KEY}
    return {**named, **why, "scope": scope, "expires_ms": scene.chain.executor.time_ms + 30 * DAY_MS}


def opening() -> Iterator[Result]:
    """Openings: 64 sidecars requested, as many requests naming each as may; then to their end, and emergencies."""
    scene = _scene()
    for number in range(MAX_REQUESTS - 1):
        scene.must(REQUESTER, "disclosure.request", _asking(scene, number))
    last = scene.chain.signed(REQUESTER, "disclosure.request", _asking(scene, MAX_REQUESTS - 1))
    yield time_case("960 cells of 64 sidecars are requested", scene, last)
    scene.must(OWNER, "disclosure.object", {**WHICH, **REASON})
    scene.must(REQUESTER, "disclosure.answer", {"request": "r0", **REASON})
    scene.must("enterprise-a", "disclosure.approve", {**WHICH, **REASON})
    approval = scene.chain.signed("central-bank", "disclosure.approve", {**WHICH, **REASON})
    yield time_case("a request of 64 sidecars is approved", scene, approval)
    scene.commit(approval)
    for number, member in enumerate(("central-bank", "enterprise-a"), 1_000):
        given = scene.chain.signed(member, "disclosure.release", {**WHICH, "envelopes": _sidecar(number)})
        if member == "enterprise-a":
            yield time_case("a seat releases, so that enough did", scene, given)
        scene.commit(given)
    fault = {"kind": "part", "member": "central-bank", "evidence": "ab" * 32}
    said = {"request": "r0", "opened": 1_000, "failed": 0, "faults": [fault] * SEATS_MAX}
    yield time_case(
        "a request of 64 sidecars is opened", scene, scene.chain.signed(REQUESTER, "disclosure.opened", said)
    )
    yield time_case("15 requests of 64 sidecars lapse", scene, after_ms=29 * DAY_MS)
    scene.commit(after_ms=29 * DAY_MS)
    urgent = {**_asking(scene, MAX_REQUESTS), "reason": "r" * 1_000}
    emergency = scene.chain.signed(REQUESTER, "disclosure.emergency", urgent)
    yield time_case("960 cells of 64 sidecars are requested in an emergency", scene, emergency)
    scene.commit(emergency)
    verdict = {"by": REQUESTER, "request": f"r{MAX_REQUESTS}", "verdict": "unjustified", "reason": "r" * 1_000}
    scene.must("enterprise-a", "disclosure.review", verdict)
    review = scene.chain.signed("central-bank", "disclosure.review", verdict)
    yield time_case("an emergency of 64 sidecars is found unjustified", scene, review)
