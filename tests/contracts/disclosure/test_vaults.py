"""Vaults: who sits at one, when it is armed or refused, which envelopes are live, and how it ends."""

from __future__ import annotations

from typing import Any

import pytest

from coseal.contracts.disclosure.keys import KEPT_VERSIONS
from coseal.contracts.disclosure.listed import SIDECARS
from coseal.contracts.disclosure.policy import APPROVALS, TERMS, policy_of
from coseal.contracts.disclosure.state import sealing_key_key, usage_key
from coseal.contracts.kernel.sidecars import Named
from coseal.ledger.genesis import COMETBFT_NAME
from tests.support.chain import Chain
from tests.support.disclosure import DAY_MS, KEY, OWNER, RIGHTS, SUBJECT, Custody, commitments, envelopes
from tests.support.genesis import make_genesis

SEATS = ["institute-a", "public-a", "regulator"]
ACCEPT_MS = TERMS["accept"]
ERASED = [[envelopes("loans")["name"], OWNER, "loans", 0]]


@pytest.fixture
def custody() -> Custody:
    return Custody()


def live(custody: Custody) -> list[str]:
    """Return the names of the live sidecars, the newest first, after looking at each alone."""
    reader = custody.chain.executor.reader
    listed = list(SIDECARS.live(reader))
    assert [SIDECARS.find(reader, one.name) for one in listed] == listed
    return [one.name.hex() for one in listed]


# Plans and the policy


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"threshold": 3}, "threshold of 3"),
        ({"seats": ["institute-a", "regulator", "city"]}, "2 seats of government members"),
        ({"substitutes": ["regulator"]}, "no seat of its own"),
        ({"seats": ["institute-a", "public-a", "nobody"]}, "nobody is no member"),
    ],
)
def test_a_plan_in_which_a_role_opens_alone_or_nobody_can_is_refused(changed: dict[str, Any], said: str) -> None:
    custody = Custody(keys=False)
    receipt = custody.propose("custody_plan", **{**SUBJECT, **changed})
    assert receipt.code == "bad_plan"
    assert said in receipt.detail


def test_a_ballot_decides_terms_and_quota_for_what_begins_then(custody: Custody) -> None:
    reader = custody.chain.executor.reader
    assert policy_of(reader) == {"terms": dict(TERMS), "quota_bytes": 10 * 1024**3, "approvals": dict(APPROVALS)}
    custody.open("before")
    custody.decide("disclosure_policy", terms={"accept": DAY_MS}, quota_bytes=9_999)
    assert custody.code(OWNER, "open_vault", **custody.opening("over")) == "quota"
    before = custody.vault("before").deadline_ms
    opened = custody.open("after", "city")
    assert custody.vault("before").deadline_ms == before
    assert opened["deadline_ms"] == custody.chain.executor.time_ms + DAY_MS


def test_sixteen_versions_of_a_key_are_kept(custody: Custody) -> None:
    for version in range(2, KEPT_VERSIONS + 2):
        said = custody.ok(OWNER, "set_sealing_key", use="custody", key=KEY)
        assert said["version"] == version
    assert custody.chain.get(sealing_key_key(OWNER, "custody", 1)) is None
    assert custody.chain.get(sealing_key_key(OWNER, "custody", 2))["key"].hex() == KEY
    assert custody.ok(OWNER, "set_sealing_key", use="reader", key=KEY)["version"] == 1


# Opening


def test_the_seats_are_those_of_the_plan_and_an_owner_never_sits_at_its_own_vault(custody: Custody) -> None:
    assert [member for member, _ in custody.open()["seats"]] == SEATS
    own = custody.open("own", "public-a")["seats"]
    assert [member for member, _ in own] == ["institute-a", "central-bank", "regulator"]


def test_a_substitute_sits_only_where_its_role_does_not_open_alone() -> None:
    custody = Custody(substitutes=["city", "bank-a"])
    own = custody.open("own", "public-a")["seats"]
    assert [member for member, _ in own] == ["institute-a", "bank-a", "regulator"]
    custody.decide("custody_plan", **{**SUBJECT, "substitutes": ["city"]})
    assert custody.code("public-a", "open_vault", **custody.opening("other")) == "no_custodian"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"plan": "none"}, "no_plan"),
        ({"retention": "none"}, "unknown_retention"),
        ({"commitments": commitments(2)}, "wrong_keys"),
        ({"ends_ms": 1}, "wrong_end"),
        ({"ends_ms": 2 * 10**12}, "wrong_end"),
        ({"vault": "first"}, "exists"),
        ({"envelopes": envelopes("first")}, "already_sealed"),
        ({"again": "first"}, "wrong_step"),
        ({"again": "none"}, "unknown_vault"),
    ],
)
def test_what_is_wrong_with_a_vault_is_refused(custody: Custody, changed: dict[str, Any], code: str) -> None:
    custody.open("first")
    assert custody.code(OWNER, "open_vault", **custody.opening("second", **changed)) == code


def test_a_custodian_without_a_key_is_named() -> None:
    custody = Custody(keys=False)
    receipt = custody.submit(OWNER, "open_vault", **custody.opening())
    assert (receipt.code, "institute-a has published no key" in receipt.detail) == ("no_key", True)


# Answering


def test_a_vault_is_armed_by_all_of_three_seats_and_its_envelopes_are_erased_with_the_last_answer(
    custody: Custody,
) -> None:
    custody.open()
    assert live(custody) == [envelopes("loans")["name"]]
    assert custody.chain.get(usage_key(OWNER)) == 5_000
    assert custody.accept(SEATS[:2])["status"] == "dealt"
    said = custody.accept(SEATS[2:])
    assert (said["status"], said["erased"]) == ("armed", ERASED)
    assert live(custody) == []
    assert custody.chain.get(usage_key(OWNER)) is None
    assert custody.wait(ACCEPT_MS) == {}


def test_four_seats_of_which_two_open_are_armed_by_three_and_the_fourth_may_still_answer() -> None:
    seats = [*SEATS, "central-bank"]
    custody = Custody(seats=seats, substitutes=[])
    custody.open("loans", "enterprise-a")
    said = custody.accept(seats[:3], owner="enterprise-a")
    assert (said["status"], said["erased"]) == ("armed", [])
    (erased,) = custody.accept(seats[3:], owner="enterprise-a")["erased"]
    assert erased == [envelopes("loans")["name"], "enterprise-a", "loans", 0]


def test_a_refusal_too_many_refuses_the_vault_and_it_is_dealt_again_with_a_substitute(custody: Custody) -> None:
    custody.open()
    said = custody.ok("public-a", "refuse_seat", owner=OWNER, vault="loans", reason="Key 1 is another")
    assert (said["status"], said["answer"], len(said["erased"])) == ("refused", "refused", 1)
    assert custody.code("regulator", "accept_seat", owner=OWNER, vault="loans") == "wrong_step"
    seats = custody.open("second", again="loans")["seats"]
    assert [member for member, _ in seats] == ["institute-a", "central-bank", "regulator"]


def test_silence_is_overdue_and_leaves_a_vault_refused(custody: Custody) -> None:
    custody.open()
    custody.accept(SEATS[:2])
    began = custody.wait(ACCEPT_MS)
    (overdue,) = began["overdue"]
    assert (overdue["member"], overdue["seat"], overdue["status"]) == ("regulator", 2, "refused")
    assert began["erased"] == ERASED
    assert custody.vault().statuses() == ["accepted", "accepted", "silent"]
    assert custody.code("regulator", "accept_seat", owner=OWNER, vault="loans") == "wrong_step"


def test_only_who_sits_there_answers_and_once(custody: Custody) -> None:
    custody.open()
    assert custody.code("city", "accept_seat", owner=OWNER, vault="loans") == "no_seat"
    assert custody.code("regulator", "accept_seat", owner=OWNER, vault="none") == "unknown_vault"
    custody.accept(["regulator"])
    assert custody.code("regulator", "refuse_seat", owner=OWNER, vault="loans", reason="No") == "wrong_step"


# The end


def test_a_closed_vault_is_destroyed_by_its_last_seat(custody: Custody) -> None:
    custody.armed()
    assert custody.code("regulator", "destroy_seat", owner=OWNER, vault="loans") == "wrong_step"
    assert custody.ok(OWNER, "close_vault", vault="loans")["status"] == "closed"
    assert custody.code(OWNER, "close_vault", vault="loans") == "wrong_step"
    assert custody.code("city", "destroy_seat", owner=OWNER, vault="loans") == "no_seat"
    said = [custody.ok(member, "destroy_seat", owner=OWNER, vault="loans")["status"] for member in SEATS]
    assert said == ["closed", "closed", "destroyed"]


def test_a_vault_that_nobody_accepted_is_destroyed_at_once(custody: Custody) -> None:
    custody.open()
    said = custody.ok(OWNER, "close_vault", vault="loans")
    assert (said["status"], said["erased"]) == ("destroyed", ERASED)
    assert custody.wait(ACCEPT_MS) == {}


# Sidecars


def test_the_list_of_live_sidecars_stays_whole_whatever_goes_first(custody: Custody) -> None:
    for vault in "abcd":
        custody.open(vault)
    names = [envelopes(vault)["name"] for vault in "dcba"]
    assert live(custody) == names
    for vault in "bda":
        custody.ok(OWNER, "close_vault", vault=vault)
        names.remove(envelopes(vault)["name"])
        assert live(custody) == names
    assert custody.chain.get("disclosure/live") == [bytes.fromhex(names[0]), 1, 5_000]


def test_owner_and_seats_may_read_the_envelopes_and_nobody_else(custody: Custody) -> None:
    custody.open()
    reader, name = custody.chain.executor.reader, bytes.fromhex(envelopes("loans")["name"])
    members = (OWNER, *SEATS, "city", "central-bank")
    assert [member for member in members if SIDECARS.may_read(reader, name, member)] == [OWNER, *SEATS]
    assert not SIDECARS.may_read(reader, b"\0" * 32, OWNER)
    assert SIDECARS.find(reader, b"\0" * 32) is None


def test_acts_say_which_names_they_change(custody: Custody) -> None:
    name = bytes.fromhex(envelopes("loans")["name"])
    assert list(SIDECARS.changed("disclosure.open_vault", custody.open())) == [name]
    assert list(SIDECARS.changed("disclosure.accept_seat", custody.accept(SEATS[:1]))) == []
    assert list(SIDECARS.changed("begin", custody.wait(ACCEPT_MS))) == [name]
    assert Named(name, 5_000) not in list(SIDECARS.live(custody.chain.executor.reader))


def test_a_chain_that_another_engine_orders_takes_no_vault() -> None:
    chain = Chain(make_genesis(capabilities=RIGHTS, engine=COMETBFT_NAME))
    args = Custody().opening()
    assert chain.submit("bank-a/admin", "disclosure.open_vault", **args).code == "not_on_this_engine"
