"""Cases of participation: the greatest batch of entries, the greatest assignment, a consultation that closes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from bench.budget.scene import Result, Scene, time_case
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.membership.state import EXAMPLE_KEY
from coseal.contracts.participation.consultations import MAX_OPEN
from coseal.contracts.participation.receiving import MAX_BATCH
from coseal.contracts.participation.themes import MAX_ASSIGNED

GATEWAY: Final = "regulator"
OPENER: Final = "bank-a"


def _scene() -> Scene:
    """Return a scene with a gateway and as many consultations about a standard as a member may have."""
    scene = Scene()
    office = {"url": "https://comments.example", "include_ms": DAY_MS, "duties_sha256": "dd" * 32}
    scene.must(GATEWAY, "participation.register_gateway", {**office, "key": EXAMPLE_KEY})
    named = {"standard": "areas", "version": 1, "domain": "areas", "title": "Areas", "patents": []}
    scene.must(OPENER, "standards.propose", {**named, "kind": "area_list", "content": {"areas": ["Lending"]}})
    closes_ms = scene.chain.executor.time_ms + 20 * DAY_MS
    args = {"title": "C", "about": "standard", "subject": "areas", "questions": ["Is it right?"]}
    for number in range(MAX_OPEN):
        scene.must(OPENER, "participation.open", {"consultation": f"c{number}", **args, "closes_ms": closes_ms})
    return scene


def _received(first: int, reason: str = "") -> dict[str, Any]:
    """Return a batch of as many entries as there may be, their texts withheld if there is a reason."""
    numbers = range(first, first + MAX_BATCH)
    entries = [[f"{n:064x}", reason or f"{n % 61:064x}", "person", "comment", f"{n % 997:032x}"] for n in numbers]
    return {"consultation": "c0", "first": first, "entries": entries}


def consulting() -> Iterator[Result]:
    """Participation: 1,000 entries, 1,000 withheld ones, 5,000 assignments, 16 consultations that close."""
    scene = _scene()
    for name, reason in (("1,000 entries of comments", ""), ("1,000 entries without their texts", "personal_data")):
        yield time_case(name, scene, scene.chain.signed(GATEWAY, "participation.receive", _received(1, reason)))
    for first in range(1, MAX_ASSIGNED + 1, MAX_BATCH):
        scene.must(GATEWAY, "participation.receive", _received(first))
    scene.must(OPENER, "participation.theme", {"consultation": "c0", "titles": [f"T{n}" for n in range(64)]})
    assignments = [[GATEWAY, entry, entry % 64 + 1] for entry in range(1, MAX_ASSIGNED + 1)]
    args = {"consultation": "c0", "assignments": assignments}
    yield time_case("5,000 entries are assigned", scene, scene.chain.signed(OPENER, "participation.assign", args))
    few = {"consultation": "c0", "assignments": assignments[:1]}
    yield time_case("an entry is assigned", scene, scene.chain.signed(OPENER, "participation.assign", few))
    yield time_case("16 consultations close", scene, after_ms=20 * DAY_MS)
