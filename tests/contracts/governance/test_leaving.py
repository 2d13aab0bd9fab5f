"""Members that give notice, leave, or stay."""

from __future__ import annotations

import pytest

from coseal.contracts.governance.leaving import NOTICE_MS
from coseal.contracts.membership import actions as membership
from coseal.contracts.membership.standing import former, standing
from tests.support.chain import Chain
from tests.support.genesis import make_genesis
from tests.support.governance import World


@pytest.fixture
def world(chain, signer_of):
    return World(chain, signer_of)


def leave(world, sender="institute-a", **more):
    return world.chain.submit(f"{sender}/admin", "governance.leave", **{"member": sender, **more})


def test_a_member_is_a_former_one_when_its_notice_is_over(world):
    chain = world.chain
    world.node("institute-a")
    leaves_ms = chain.now_ms + NOTICE_MS
    assert leave(world, reason="We merge").data == {"member": "institute-a", "leaves_ms": leaves_ms}
    assert leave(world).code == "already_leaving"
    chain.block(time_ms=leaves_ms - 1)
    assert standing(world.reader, "institute-a").status == "good"
    assert chain.executor.next_deadline_ms() == leaves_ms
    chain.block(time_ms=leaves_ms)
    assert chain.begun["governance"]["left"] == [{"member": "institute-a", "nodes": ["institute-a"]}]
    shown = membership.member(world.reader, "institute-a")["standing"]
    assert shown == {"status": "former", "since": chain.executor.height, "proposal": ""}
    assert (former(world.reader), world.reader.get("governance/leaving/institute-a")) == (["institute-a"], None)
    assert leave(world).code == "former_member"


def test_who_stays_does_not_leave_at_the_time_of_the_first_notice(world):
    chain = world.chain
    first_ms = leave(world).data["leaves_ms"]
    assert chain.submit("institute-a/admin", "governance.stay").data == {"member": "institute-a"}
    assert chain.submit("institute-a/admin", "governance.stay").code == "not_leaving"
    second_ms = leave(world).data["leaves_ms"]
    chain.block(time_ms=first_ms)
    assert (standing(world.reader, "institute-a").status, "governance" in chain.begun) == ("good", False)
    chain.block(time_ms=second_ms)
    assert standing(world.reader, "institute-a").status == "former"


def test_a_member_leaves_for_itself_and_not_with_a_validator(world):
    assert leave(world, "public-a", member="institute-a").code == "forbidden"
    assert leave(world, "bank-a").code == "runs_validator"


def test_who_got_a_seat_in_the_meantime_does_not_leave(world):
    chain = world.chain
    leaves_ms = leave(world).data["leaves_ms"]
    world.add("institute-a")
    chain.block(time_ms=leaves_ms)
    (said,) = chain.begun["governance"]["left"]
    assert (said["member"], said["code"]) == ("institute-a", "runs_validator")
    assert standing(world.reader, "institute-a").status == "good"
    assert chain.submit("institute-a/admin", "governance.stay").code == "not_leaving"


def test_the_last_government_member_does_not_leave(signer_of):
    seats = ("bank-a", "central-bank", "enterprise-a", "institute-a")
    world = World(Chain(make_genesis(members=(*seats, "city", "regulator"), validators=seats)), signer_of)
    leaves_ms = leave(world, "city").data["leaves_ms"]
    assert leave(world, "regulator").ok  # the city is a member yet; whoever is last then stays
    world.chain.block(time_ms=leaves_ms + 1_000)
    said = {one["member"]: one.get("code") for one in world.chain.begun["governance"]["left"]}
    assert said == {"city": None, "regulator": "last_government"}
