from __future__ import annotations

import pytest

from coseal.contracts.process.attestation import ATTEST, attestation
from coseal.contracts.process.chain import item_hash
from tests.support.keys import signer

OWNER, OTHER = "bank-a/admin", "enterprise-a/admin"
EVENT = {"event": "1", "type": "Pay", "time": "2023-11-01T00:00:00Z", "counterparty": "enterprise-a"}
ITEM = item_hash("bank-a/core", 1, EVENT).hex()
KEY = f"process/attestation/{ITEM}"


@pytest.fixture
def recorded(chain):
    definition = {"id": "pay", "version": 1, "title": "Pay", "object_types": {}, "event_types": {"Pay": {}}}
    chain.submit(OWNER, "process.define_type", **definition)
    chain.submit(OWNER, "process.register_source", id="core", process_type="pay", mode="historical")
    assert record(chain, 1, EVENT).ok
    return chain


def record(chain, sequence, *items):
    return chain.submit(OWNER, "process.record", source="core", sequence=sequence, items=list(items))


def attest(chain, verdict, who=OTHER, **extra):
    return chain.submit(who, "process.attest", item=ITEM, verdict=verdict, **extra)


def test_an_event_with_a_counterparty_waits_for_its_word(recorded):
    assert recorded.get(KEY) == {
        "owner": "bank-a",
        "source": "bank-a/core",
        "sequence": 1,
        "counterparty": "enterprise-a",
        "status": "open",
        "height": 3,
    }


def test_each_event_of_a_batch_waits_under_its_own_hash(recorded):
    items = [{**EVENT, "event": str(n)} for n in (2, 3)]
    assert record(recorded, 2, *items).ok
    for sequence, item in enumerate(items, 2):
        key = f"process/attestation/{item_hash('bank-a/core', sequence, item).hex()}"
        assert recorded.get(key)["sequence"] == sequence


def test_an_event_without_a_counterparty_waits_for_nobody(recorded):
    item = {name: value for name, value in EVENT.items() if name != "counterparty"}
    assert record(recorded, 2, item).ok
    assert recorded.get(f"process/attestation/{item_hash('bank-a/core', 2, item).hex()}") is None


def test_the_counterparty_confirms(recorded):
    receipt = attest(recorded, "confirm", evidence=["ab" * 32])
    assert receipt.data == {
        "item": ITEM,
        "status": "confirmed",
        "source": "bank-a/core",
        "sequence": 1,
        "owner": "bank-a",
        "by": OTHER,
    }
    record = recorded.get(KEY)
    assert (record["status"], record["height"], record["evidence"]) == ("confirmed", 4, ["ab" * 32])


def test_it_is_kept_which_operator_attested(recorded):
    reader = recorded.executor.reader
    assert "by" not in attestation(reader, bytes.fromhex(ITEM))
    second = {"user": "deputy", "key": signer("enterprise-a/deputy").public_key.hex(), "capabilities": ["submit"]}
    assert recorded.submit(OTHER, "membership.add_operator", **second).ok
    assert attest(recorded, "dispute", reason="short", attested=EVENT).data["by"] == OTHER
    assert attestation(reader, bytes.fromhex(ITEM))["by"] == OTHER
    settled = attest(recorded, "confirm", who="enterprise-a/deputy", attested=EVENT)
    assert settled.data["by"] == "enterprise-a/deputy"
    assert attestation(reader, bytes.fromhex(ITEM))["by"] == "enterprise-a/deputy"
    assert attestation(reader, bytes(32)) is None


def test_a_confirmation_is_final(recorded):
    attest(recorded, "confirm")
    for verdict in ("confirm", "dispute"):
        receipt = attest(recorded, verdict, reason="x")
        assert receipt.code == "already_attested"
        assert "confirmed this event at height 4" in receipt.detail


def test_a_dispute_may_be_settled_by_a_confirmation_and_by_nothing_else(recorded):
    assert attest(recorded, "dispute", reason="two boxes short", attested=EVENT).data["status"] == "disputed"
    assert recorded.get(KEY)["reason"] == "two boxes short"
    assert attest(recorded, "dispute", reason="three").code == "already_attested"
    assert attest(recorded, "confirm", attested=EVENT).data["status"] == "confirmed"
    record = recorded.get(KEY)
    assert (record["status"], record["disputed_height"], record["height"]) == ("confirmed", 4, 6)
    assert "reason" not in record


@pytest.mark.parametrize("verdict", ["dispute", "confirm"])
def test_what_begins_or_ends_a_dispute_shows_the_event(recorded, verdict):
    if verdict == "confirm":
        assert attest(recorded, "dispute", reason="short", attested=EVENT).ok
    before = recorded.get(KEY)
    missing = attest(recorded, verdict, reason="x")
    assert (missing.code, "shows item 1 of bank-a/core;" in missing.detail) == ("attested_missing", True)
    for wrong in ({**EVENT, "event": "2"}, {}, None, [1], "1", 1):
        assert attest(recorded, verdict, reason="x", attested=wrong).code == "invalid_item"
    assert recorded.get(KEY) == before


@pytest.mark.parametrize("who", [OWNER, "regulator/admin", "central-bank/admin"])
def test_only_the_member_that_the_event_names_attests(recorded, who):
    before = recorded.get(KEY)
    receipt = attest(recorded, "confirm", who=who)
    assert receipt.code == "forbidden"
    assert "enterprise-a as counterparty" in receipt.detail
    assert recorded.get(KEY) == before


def test_an_unknown_item_cannot_be_attested(recorded):
    receipt = recorded.submit(OTHER, "process.attest", item="00" * 32, verdict="confirm")
    assert receipt.code == "unknown_item"


@pytest.mark.parametrize("counterparty", ["bank-a", "nobody"])
def test_a_counterparty_is_another_member(recorded, counterparty):
    receipt = record(recorded, 2, {**EVENT, "event": "0"}, {**EVENT, "counterparty": counterparty})
    assert receipt.code == "unknown_counterparty"
    assert receipt.detail == f"items[1].counterparty: {counterparty} is no other member"
    assert recorded.get("process/source/bank-a/core")["sequence"] == 1


def test_a_dispute_says_why():
    assert (
        ATTEST.arguments.check({"item": ITEM, "verdict": "dispute"}).detail
        == "args.reason: missing; a dispute says why"
    )
    assert ATTEST.arguments.check({"item": ITEM, "verdict": "confirm"}) is None


@pytest.mark.parametrize(
    "args",
    [
        {"item": "00", "verdict": "confirm"},
        {"item": ITEM, "verdict": "doubt"},
        {"item": ITEM},
        {"item": ITEM, "verdict": "confirm", "evidence": []},
        {"item": ITEM, "verdict": "dispute", "reason": ""},
        {"item": ITEM, "verdict": "confirm", "source": "core"},
    ],
)
def test_wrong_arguments_are_refused(args):
    assert ATTEST.arguments.check(args).code == "invalid_argument"
