"""Audiences and their grants: who may read what, and the log in which every step stands."""

from __future__ import annotations

from typing import Any

import pytest

from coseal.contracts.disclosure.audiences import MAX_GRANTS
from coseal.contracts.disclosure.listed import SIDECARS
from coseal.contracts.disclosure.log import LOG, Entry, head_after, head_of
from coseal.contracts.disclosure.plans import PLAN
from coseal.contracts.disclosure.policy import TERMS
from coseal.ledger.block import Receipt
from coseal.ledger.sealed import AUDIENCES_MAX
from coseal.ledger.signing import ZERO_HASH
from tests.support.disclosure import KEY, OWNER, Custody, envelopes

NAMED: dict[str, Any] = {"vault": "loans", "audience": "readers"}


@pytest.fixture
def custody() -> Custody:
    custody = Custody()
    custody.armed()
    for member in ("city", "enterprise-a"):
        custody.ok(member, "set_sealing_key", use="reader", key=KEY)
    return custody


def granting(to: str = "city", version: int = 1, name: str = "grant", **more: Any) -> dict[str, Any]:
    return {**NAMED, "version": version, "to": [to], "envelopes": envelopes(name, 2_000), **more}


def may_read(custody: Custody, name: str) -> list[str]:
    reader, raw = custody.chain.executor.reader, bytes.fromhex(envelopes(name)["name"])
    members = (OWNER, "regulator", "city", "enterprise-a", "central-bank")
    return [member for member in members if SIDECARS.may_read(reader, raw, member)]


def test_readers_may_read_grants_and_cells_and_custodians_cells_alone(custody: Custody) -> None:
    custody.define()
    custody.ok(OWNER, "process.record", **custody.batch())
    assert custody.ok(OWNER, "define_audience", **NAMED, members=["city"])["version"] == 1
    said = custody.ok(OWNER, "grant", **granting())
    assert list(SIDECARS.changed("disclosure.grant", said)) == [bytes.fromhex(envelopes("grant")["name"])]
    assert may_read(custody, "grant") == [OWNER, "city"]
    assert may_read(custody, "cells 1") == [OWNER, "regulator", "city"]


def test_the_next_version_leaves_a_reader_out_and_erases_what_was_granted(custody: Custody) -> None:
    custody.ok(OWNER, "define_audience", **NAMED, members=["city", "enterprise-a"])
    custody.ok(OWNER, "grant", **granting())
    said = custody.ok(OWNER, "define_audience", **NAMED, members=["enterprise-a"])
    assert (said["version"], said["erased"]) == (2, [[envelopes("grant")["name"], OWNER, "loans", -1]])
    assert custody.code(OWNER, "grant", **granting()) == "no_reader"
    for version in (1, 2):
        custody.ok(OWNER, "grant", **granting("enterprise-a", version, f"grant {version}"))
    assert len(custody.ok(OWNER, "close_vault", vault="loans")["erased"]) == 2
    assert custody.code(OWNER, "define_audience", **NAMED, members=["city"]) == "wrong_step"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"vault": "none"}, "unknown_vault"),
        ({"audience": "none"}, "unknown_audience"),
        ({"version": 2}, "unknown_audience"),
        ({"to": ["enterprise-a"]}, "no_reader"),
        ({"to": ["central-bank"]}, "no_key"),
        ({"envelopes": envelopes("other")}, "already_sealed"),
    ],
)
def test_what_is_wrong_with_a_grant_is_refused(custody: Custody, changed: dict[str, Any], code: str) -> None:
    custody.open("other")
    custody.ok(OWNER, "define_audience", **NAMED, members=["city", "central-bank"])
    assert custody.code(OWNER, "grant", **{**granting(), **changed}) == code


def test_audiences_and_grants_are_bounded(custody: Custody) -> None:
    assert custody.code(OWNER, "define_audience", **NAMED, members=["nobody"]) == "unknown_member"
    for number in range(AUDIENCES_MAX):
        custody.ok(OWNER, "define_audience", vault="loans", audience=f"a{number}", members=["city"])
    assert custody.code(OWNER, "define_audience", **NAMED, members=["city"]) == "limit"
    for number in range(MAX_GRANTS):
        custody.ok(OWNER, "grant", **granting(name=f"grant {number}", audience="a1"))
    assert custody.code(OWNER, "grant", **granting(audience="a1")) == "limit"


def test_the_log_of_an_owner_has_every_step_and_its_head_fixes_them(custody: Custody) -> None:
    custody.define()
    custody.ok(OWNER, "process.record", **custody.batch())
    custody.ok(OWNER, "define_audience", **NAMED, members=["city"])
    custody.ok(OWNER, "grant", **granting())
    custody.open("second")
    custody.wait(TERMS["accept"])
    custody.wait(PLAN.example["retentions"]["loan"])
    custody.ok(OWNER, "close_vault", vault="loans")
    custody.ok("regulator", "destroy_seat", owner=OWNER, vault="loans")
    head, entries = ZERO_HASH, []
    for block in custody.chain.blocks:
        begun, *receipts = map(Receipt.decode, block.receipts)
        for data in (begun.data.get("disclosure", {}), *(receipt.data for receipt in receipts)):
            for said in data.get(LOG, ()):
                head = head_after(head, Entry(*said), block.block.header.height)
                entries.append(Entry(*said))
    assert (len(entries), head) == head_of(custody.chain.executor.reader, OWNER)
    assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
    steps = ["accepted"] * 3 + ["audience", "granted"] + ["silent"] * 3 + ["erased", "closed", "destroyed"]
    assert [entry.step for entry in entries] == steps
    assert entries[4].subject == "readers 1 city"
    assert head_of(custody.chain.executor.reader, "city") == (0, ZERO_HASH)
