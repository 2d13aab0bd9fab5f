"""The pages of sealed data in a real browser, on a chain in memory with an erased sidecar and a request under way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.console.served import Served, served
from tests.console.test_disclosure import ACCESSES, REQUEST, SEATS, VAULT, WHICH
from tests.node.http.world import World
from tests.support.disclosure import DAY_MS, OWNER, Custody, custody_genesis

pytestmark = pytest.mark.browser


def _play(world: World) -> None:
    """Have a batch sealed and erased, another one sealed, and a request for it approved and released in part."""
    custody = Custody(world.chain, seats=SEATS, substitutes=[], threshold=3, retentions={"loan": 30 * DAY_MS})
    custody.armed()
    custody.define()
    custody.ok(OWNER, "process.record", **custody.batch(1))
    custody.wait(30 * DAY_MS)
    custody.ok(OWNER, "process.record", **custody.batch(3))
    custody.ok(OWNER, "define_audience", vault="loans", audience="readers", members=["city"])
    custody.open("other")
    custody.ok("public-a", "refuse_seat", owner=OWNER, vault="other", reason="Keys 1, 2 are not those committed to")
    custody.ok("regulator", "request", **custody.asking(scope=[{"number": 2, "sequences": [3], "labels": ["price"]}]))
    custody.ok(OWNER, "object", **WHICH, reason="One would do")
    custody.ok("regulator", "answer", request="r1", reason="All are meant")
    for member in ("city", "institute-a"):
        custody.ok(member, "approve", **WHICH, reason="It fits the purpose")
    custody.release("public-a")
    custody.ok("central-bank", "decline", **WHICH, reason="technical", text="The keys are lost")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The console of the scene, on a port of its own."""
    with served(tmp_path_factory.mktemp("disclosure"), custody_genesis(), _play) as console:
        yield console


@pytest.mark.parametrize("path", ["/disclosure", VAULT, "/disclosure/requests", REQUEST, f"{ACCESSES}/bank-a"])
def test_a_page_of_sealed_data_can_be_read_by_everybody(look: Any, path: str) -> None:
    look(path)
