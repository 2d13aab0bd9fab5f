"""What members decide as the simulator follows it: as the product does, and blocks that say otherwise are seen."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.governance import document, safety
from coseal.contracts.governance import resolution as rule
from coseal.contracts.governance.in_force import digest_of
from coseal.contracts.governance.resolution import CONSTITUENCIES, Clock, Count
from simulation import proposals, reading, votings
from simulation.decisions import Misjudged
from simulation.epochs import Epochs
from simulation.phases import Course
from simulation.reading import Claim
from simulation.run import last_checks
from simulation.swarm import Options
from simulation.votings import Vote
from simulation.world import World
from tests.contracts.governance import documents

SAID = {"yes": "yes", "no": "no", "abstain": "abstain", "": ""}
VOTES = st.lists(st.builds(Vote, st.sampled_from(CONSTITUENCIES), st.sampled_from(list(SAID))), max_size=12)


def counted(votes):
    found = {}
    for where in CONSTITUENCIES:
        said = [vote.said for vote in votes if vote.where == where]
        if said:
            found[where] = Count(len(said), said.count("yes"), said.count("no"), said.count("abstain"))
    return found


@settings(deadline=None)
@given(documents.tracks(), VOTES, st.sampled_from((0, 1, 10, 100)), st.sampled_from(CONSTITUENCIES))
def test_votes_one_by_one_come_to_what_the_product_makes_of_their_sums(track, votes, days, newcomer):
    clock = Clock(0, track["open_ms"][1], days * votings.DAY_MS)
    found = rule.resolve(document._track_of("t", track), counted(votes), clock, newcomer)
    mine = votings.status(track, votes, *clock, newcomer)
    assert found.status == ("passed" if mine == "overriding" else mine)
    assert (found.overridden is not None) == (mine == "overriding")
    if mine == "overriding":
        assert found.overridden in votings.overridden(track, votes)


def test_constitutions_that_are_drawn_are_safe_or_lack_what_is_said_of_them():
    rng = random.Random(1)
    sizes = {"bank": 2, "enterprise": 2, "government": 1, "institute": 1}
    electorates = {"members": sizes, "validators": {**sizes, "institute": 0}}
    for _ in range(40):
        drawn = proposals.constitution(rng)
        assert list(document.faults_of(drawn)) == []
        assert list(safety.breaches(document.constitution_of(drawn), electorates)) == []
        assert votings.lacking(drawn, electorates) is None
        del drawn["tracks"]["constitution"]["override"]
        drawn["tracks"]["ordinary"]["pass"] = {"total": [0, 1]}
        broken = {breach.property for breach in safety.breaches(document.constitution_of(drawn), electorates)}
        assert broken == {"K2", "K3"}
        assert votings.lacking(drawn, electorates) in ("K2 on the track ordinary", "K3 on the track constitution")


def test_a_document_has_the_digest_that_the_product_gives_it():
    drawn = proposals.constitution(random.Random(2))
    assert reading.sha256(reading.pack(drawn)).hexdigest() == digest_of(drawn)


@pytest.fixture(scope="module")
def governed() -> World:
    """A calm world that amended its constitution, and then suspended and reinstated a member, after their delays."""
    options = Options(
        n=5,
        faults_ms=20_000,
        fault_every_ms=60_000,
        write_every_ms=150,
        changes=(("amend",), ("suspend", "reinstate")),
    )
    world = World(options, random.Random(5))
    course = Course(world)
    course.start()
    assert world.run(lambda: world.changes.over, 20_000)
    course.heal()
    assert world.run(course.settled, 20_000)
    last_checks(world)
    assert {"amended", "suspended", "decided_by_time"} <= world.goals.keys()
    return world


def judged(world, changed=None, until=1 << 62):
    epochs = Epochs(world)
    for height, seen in sorted(world.invariants.chain.items()):
        if height < until:
            epochs.follow((changed or {}).get(height, seen))
    return epochs.decisions


def begun(seen):
    return reading.receipt(seen.receipts[0])[1].get("governance", {})


def closing(world):
    """Return the first block at whose start a proposal was decided."""
    return next(seen for _, seen in sorted(world.invariants.chain.items()) if "closed" in begun(seen))


def test_the_decisions_of_a_chain_are_followed(governed):
    decisions = judged(governed)
    assert decisions.version >= 1
    assert decisions.digest == digest_of(decisions.document)
    assert {ballot.kind for ballot in decisions.ballots.values()} >= {"amend_constitution", "suspend_member"}


def test_i21_a_decision_that_a_time_brings_and_a_block_keeps_back_is_seen(governed):
    seen = closing(governed)
    nothing = governed.invariants.chain[1].receipts[0]
    with pytest.raises(Misjudged, match=r"leaves undone|take effect|says that"):
        judged(governed, {seen.height: replace(seen, receipts=(nothing, *seen.receipts[1:]))})


def test_i21_a_decision_before_its_time_is_seen(governed):
    seen = closing(governed)
    before = governed.invariants.chain[seen.height - 1]
    with pytest.raises(Misjudged, match="no time brings"):
        judged(governed, {before.height: replace(before, receipts=(seen.receipts[0], *before.receipts[1:]))})


@pytest.mark.parametrize("field", ["yes", "of", "needed", "status"])
def test_i21_a_receipt_with_other_figures_is_seen(governed, field, monkeypatch):
    receipt = reading.receipt

    def other(raw):
        code, data = receipt(raw)
        if "needed" in data:
            data[field] = "expired" if field == "status" else data[field] + 1
        return code, data

    monkeypatch.setattr(reading, "receipt", other)
    with pytest.raises(Misjudged, match="says that"):
        judged(governed)


@pytest.fixture(scope="module")
def suspending(governed):
    """Return the heights in which a member is suspended, and who it is."""
    decisions, height = judged(governed, until=1), 1
    while not decisions.suspended:
        height += 1
        decisions = judged(governed, until=height)
    return height, next(iter(decisions.suspended))


def claim(member, name, **args):
    return Claim(f"{member}/admin", b"", name, args, b"", b"")


def test_i21_what_a_suspended_member_may_not_send_is_seen(governed, suspending):
    height, member = suspending
    decisions = judged(governed, until=height)
    decisions.sent(height, claim(member, "membership.set_profile"), "suspended", {})
    other = next(each for each in decisions.roles if each != member)
    decisions.sent(height, claim(other, "membership.set_profile"), "ok", {})
    with pytest.raises(Misjudged, match="which is suspended"):
        decisions.sent(height, claim(member, "membership.set_profile"), "ok", {})
    with pytest.raises(Misjudged, match="good standing"):
        decisions.sent(height, claim(other, "membership.set_profile"), "suspended", {})


def test_i21_a_measure_holds_from_the_next_block_until_its_time_for_those_whom_it_names(governed):
    decisions = judged(governed)
    pause, action = {"process.define_type": ["bank-a"]}, "process.define_type"
    decisions.measures["m"] = {"pause": pause, "first_height": 100, "until_ms": decisions.time_ms + 1}
    for height, member, code in ((99, "bank-a", "ok"), (100, "bank-a", "paused"), (100, "enterprise-a", "ok")):
        if decisions.is_good(member):
            decisions.sent(height, claim(member, action), code, {})
    with pytest.raises(Misjudged, match="paused: False"):
        decisions.sent(99, claim("bank-a", action), "paused", {})
    with pytest.raises(Misjudged, match="paused: True"):
        decisions.sent(100, claim("bank-a", action), "ok", {})
    decisions.time_ms += 1
    decisions.sent(100, claim("bank-a", action), "ok", {})
