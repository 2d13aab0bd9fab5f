"""Rows of standings and measures, as they are decided by votes and at the start of blocks."""

from __future__ import annotations

import asyncio

from coseal.contracts.governance.leaving import NOTICE_MS
from coseal.contracts.registry import LISTS
from coseal.node.index import lists
from tests.node.index.test_index import opened
from tests.support.chain import Chain
from tests.support.governance import World
from tests.support.keys import signer_of

DAY_MS = 86_400_000
GROUNDS = [{"kind": "external", "id": "Judgment 7/2026"}]
VOTERS = ("bank-a", "central-bank", "regulator")


def listed(folder, chain, name, **filters):
    """Return the entries of a list, in an index that is made of the whole chain."""
    index = opened(folder / f"{name}-{len(filters)}.sqlite", chain)
    index.start(len(chain.blocks))
    assert index.wait(len(chain.blocks), 20)
    page = asyncio.run(index.query(lists.page, LISTS[name], filters))[1]
    index.stop()
    return [dict(entry) for entry in page.items]


def test_a_standing_has_a_row_for_each_change(tmp_path):
    chain = Chain()
    world = World(chain, signer_of)
    until_ms = chain.now_ms + DAY_MS
    subject = {"member": "institute-a", "until_ms": until_ms, "seats": False, "grounds": GROUNDS}
    world.accept("suspend", "suspend_member", subject, "public-a", VOTERS)
    suspended = chain.executor.height
    chain.block(time_ms=until_ms)
    chain.submit("institute-a/admin", "governance.leave", member="institute-a")
    chain.block(time_ms=chain.now_ms + NOTICE_MS)
    world.accept("out", "remove_member", {"member": "public-a", "grounds": GROUNDS}, "bank-a", VOTERS)
    found = listed(tmp_path, chain, "standings")
    said = [
        (entry["member"], entry["standing"], entry["until_ms"], entry["proposal"], entry["index"]) for entry in found
    ]
    assert said == [
        ("institute-a", "suspended", until_ms, "suspend", 0),
        ("institute-a", "good", None, None, None),
        ("institute-a", "former", None, None, None),
        ("public-a", "former", None, "out", 0),
    ]
    assert found[0]["height"] == suspended
    assert [entry["member"] for entry in listed(tmp_path, chain, "standings", standing="suspended")] == ["institute-a"]


def test_a_measure_has_a_row_with_its_end(tmp_path):
    chain = Chain()
    world = World(chain, signer_of)
    until_ms = chain.now_ms + DAY_MS
    about = {"title": "Audit", "text_sha256": "00" * 32, "until_ms": until_ms, "grounds": GROUNDS}
    pause = {"process.define_type": ["bank-a"], "supervision.guide": "all"}
    world.accept("audit", "measure", {**about, "pause": pause}, "public-a", VOTERS)
    world.accept("fire", "emergency_measure", {**about, "pause": pause}, "public-a", VOTERS)
    (open_one, _) = listed(tmp_path, chain, "measures")
    assert (open_one["id"], open_one["status"], open_one["emergency"], open_one["pause"]) == (
        "audit",
        "in force",
        False,
        pause,
    )
    world.accept("end", "end_measure", {"measure": "audit"}, "public-a", VOTERS)
    ended_ms = chain.executor.time_ms
    chain.block(time_ms=until_ms)
    (tmp_path / "later").mkdir()
    found = listed(tmp_path / "later", chain, "measures")
    assert [(entry["id"], entry["status"], entry["ended_ms"], entry["ended_by"]) for entry in found] == [
        ("audit", "ended", ended_ms, "end"),
        ("fire", "ended", until_ms, None),
    ]
