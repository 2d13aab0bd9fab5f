"""Batches that come with cells: what is registered, what is refused with the whole batch, and what is erased when."""

from __future__ import annotations

from typing import Any

import pytest

from coseal.contracts.disclosure.listed import SIDECARS
from coseal.contracts.disclosure.plans import PLAN
from coseal.contracts.disclosure.state import sidecar_key, usage_key
from coseal.contracts.process.state import source_key
from coseal.contracts.registry import CONTRACTS
from coseal.ledger.sealed import items_root
from tests.support.disclosure import DAY_MS, OWNER, TYPE, Custody, envelopes

RETAIN_MS = PLAN.example["retentions"]["loan"]


@pytest.fixture
def custody() -> Custody:
    custody = Custody()
    custody.armed()
    custody.define()
    return custody


def live(custody: Custody) -> list[str]:
    return [one.name.hex() for one in SIDECARS.live(custody.chain.executor.reader)]


def test_a_batch_with_cells_registers_its_sidecar_with_the_root_of_what_they_commit_to(custody: Custody) -> None:
    said = custody.ok(OWNER, "process.record", **custody.batch())
    price = [("fee", bytes.fromhex("cd" * 32)), ("rate", bytes.fromhex("ab" * 32))]
    other, cap = [("borrower", bytes.fromhex("ef" * 32))], [("cap", bytes.fromhex("12" * 32))]
    root = items_root([(1, "price", price), (1, "sealed", other), (2, "sealed", cap)])
    erase_ms = custody.chain.executor.time_ms + RETAIN_MS
    name = envelopes("cells 1")["name"]
    shown = {"vault": "loans", "number": 1, "sidecar": name, "cells": 3}
    assert said["sealed"] == {**shown, "items_root": root.hex(), "erase_ms": erase_ms}
    kept = custody.chain.get(sidecar_key(OWNER, "loans", 1))
    assert (kept["source"], kept["first"], kept["last"], kept["items_root"]) == (f"{OWNER}/log", 1, 2, root)
    assert live(custody) == [name]
    assert custody.chain.get(usage_key(OWNER)) == 900
    assert list(SIDECARS.changed("process.record", said)) == [bytes.fromhex(name)]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"vault": "none"}, "unknown_vault"),
        ({"vault": "dealt"}, "vault_not_armed"),
        ({"cells": 2}, "wrong_cells"),
        ({"cells": 4}, "wrong_cells"),
        ({"sidecar": envelopes("dealt")}, "already_sealed"),
        ({"sidecar": {"name": "00" * 32, "bytes": 0}}, "invalid_argument"),
    ],
)
def test_what_is_wrong_with_cells_refuses_the_whole_batch(custody: Custody, changed: dict[str, Any], code: str) -> None:
    custody.open("dealt")
    assert custody.code(OWNER, "process.record", **custody.batch(1, **changed)) == code
    assert custody.chain.get(source_key(f"{OWNER}/log"))["sequence"] == 0
    assert live(custody) == [envelopes("dealt")["name"]]


def test_a_vault_takes_nothing_after_its_end_and_a_member_nothing_above_its_quota(custody: Custody) -> None:
    custody.decide("disclosure_policy", terms={}, quota_bytes=1_000)
    custody.ok(OWNER, "process.record", **custody.batch())
    assert custody.code(OWNER, "process.record", **custody.batch(3)) == "quota"
    custody.wait(100 * DAY_MS)
    assert custody.code(OWNER, "process.record", **custody.batch(3)) == "vault_ended"


def test_sealed_attributes_without_cells_are_recorded_as_commitments_alone(custody: Custody) -> None:
    batch = custody.batch()
    del batch["sealed"]
    assert "sealed" not in custody.ok(OWNER, "process.record", **batch)
    assert live(custody) == []


def test_what_is_due_is_erased_and_streams_are_told(custody: Custody) -> None:
    custody.ok(OWNER, "process.record", **custody.batch())
    custody.ok(OWNER, "process.record", **custody.batch(3))
    assert custody.code(OWNER, "close_vault", vault="loans") == "not_erased"
    names = [envelopes(f"cells {sequence}")["name"] for sequence in (1, 3)]
    began = custody.wait(RETAIN_MS)
    assert began["erased"] == [[name, OWNER, "loans", number] for number, name in enumerate(names, 1)]
    assert list(SIDECARS.changed("begin", began)) == [bytes.fromhex(name) for name in names]
    raised = list(CONTRACTS["disclosure"].events["erasure"]("begin", began))
    assert raised[0] == {"name": names[0], "owner": OWNER, "vault": "loans", "number": 1}
    assert list(CONTRACTS["disclosure"].events["erasure"]("process.record", began)) == []
    assert live(custody) == []
    assert custody.chain.get(sidecar_key(OWNER, "loans", 1)) is None
    assert (custody.vault().sealed, custody.vault().live) == (2, 0)
    assert custody.ok(OWNER, "close_vault", vault="loans")["status"] == "closed"


def test_custodians_may_read_cells(custody: Custody) -> None:
    custody.ok(OWNER, "process.record", **custody.batch())
    reader, name = custody.chain.executor.reader, bytes.fromhex(envelopes("cells 1")["name"])
    assert [member for member in (OWNER, "regulator", "city") if SIDECARS.may_read(reader, name, member)] == [
        OWNER,
        "regulator",
    ]


def test_only_a_sealed_attribute_has_a_label(custody: Custody) -> None:
    event = {"Grant": {"attributes": {"rate": {"type": "decimal", "label": "price"}}}}
    changed = {**TYPE, "version": 2, "event_types": event}
    receipt = custody.submit(OWNER, "process.define_type", **changed)
    assert (receipt.code, ".label" in receipt.detail) == ("invalid_argument", True)
