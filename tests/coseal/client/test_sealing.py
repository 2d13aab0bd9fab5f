"""Events are recorded with their sealed attributes in cells, which owner and readers open; misfits are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coseal.client import sealing
from coseal.client.log_recording import Recorded, Recorder
from coseal.contracts.disclosure.state import sidecar_key
from coseal.contracts.process.state import source_key
from coseal.errors import BadAnswer, CosealError, Refused
from coseal.formats.importers.log import Log
from coseal.ledger import custody, sealed
from coseal.ledger.sealed import Cells
from coseal.sealing.cells import key_for_audience, read_cell
from coseal.sealing.secrets import Secrets
from tests.support.disclosure import OWNER, TYPE
from tests.support.sealing import TERMS, Sealing, event


@pytest.fixture
def scene(node: Any, tmp_path: Path) -> Sealing:
    return Sealing(node, tmp_path)


def test_sealed_values_go_into_cells_that_owner_and_readers_open(scene: Sealing) -> None:
    scene.arm()
    scene.vaults(OWNER).define_audience("loans", "readers", ["city"]).require_ok()
    declared = {"object": "L2", "type": "loan", "attributes": [["cap", "0", "0.07"]]}
    (committed,) = scene.record([event(), declared])
    live: Any = scene.chain.get(sidecar_key(OWNER, "loans", 1))
    assert (live["cells"], live["first"], live["last"]) == (3, 1, 2)
    raw = scene.node.sidecars[live["name"].hex()]
    for text in (b"ACME", b"0.05"):
        assert text not in raw + committed.transaction.raw
    sidecar = sealed.decode_sidecar(raw, live["name"])
    assert isinstance(sidecar, Cells)
    kept, source = scene.secrets().vault("loans"), f"{OWNER}/log"
    recorded, _ = committed.transaction.args["items"]
    assert recorded["attributes"]["branch"] == "East"
    opened = {}
    for cell in sidecar.cells:
        cell_id = sealed.cell_id(kept.hash, sidecar.seed, source, cell.sequence, cell.label)
        key = custody.cell_key(kept.hash, kept.keys, cell_id)
        assert key_for_audience(sidecar, cell, source, ("readers", 1), kept.audiences["readers"][1]) == key
        names = {"price": ["fee", "rate"], "sealed": ["borrower"]}[cell.label] if cell.sequence == 1 else []
        line = [(name, bytes.fromhex(recorded["attributes"][name])) for name in names]
        if cell.sequence == 2:
            line = [("cap", bytes.fromhex(committed.transaction.args["items"][1]["attributes"][0][2]))]
        opened |= {one.name: one.value for one in read_cell(sidecar, cell, source, key, line)}
    assert opened == {**TERMS, "cap": "0.07"}


def test_batches_are_cut_to_what_a_sidecar_takes_and_continue_where_the_source_stands(
    scene: Sealing, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.arm()
    assert len(scene.record([event(1), event(2), event(3)], batch_items=2)) == 2
    assert len(scene.record([event(number) for number in range(1, 6)], sequence=1)) == 1
    assert scene.sequence == 5
    monkeypatch.setattr(sealing, "_SIDECAR_BYTES", 1_000)  # two cells of 256 and what is around them
    assert len(scene.record([event(6), event(7)])) == 2
    assert scene.chain.get("disclosure/vault/bank-a/loans")["sealed"] == 5


@pytest.mark.parametrize(
    ("events", "more", "message"),
    [
        ([event(rate="much")], {}, r"events\[0\].*rate"),
        ([{**event(), "corrects": [1, "00" * 32]}], {}, "corrects"),
        ([event()], {"sequence": 3}, "expects 1"),
        ([event()], {"batch_items": 0}, "batches of 0"),
        ([{"object": "L", "type": "loan", "attributes": [["cap", "0", "1"], ["cap", "0", "2"]]}], {}, "two values"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_sent(
    scene: Sealing, events: Any, more: Any, message: str
) -> None:
    scene.arm()
    posted = len(scene.node.posted)
    with pytest.raises(CosealError, match=message):
        scene.record(events, **more)
    assert (len(scene.node.posted), scene.sequence) == (posted, 0)


def test_nothing_is_sealed_into_a_vault_that_is_not_armed(scene: Sealing) -> None:
    with pytest.raises(Refused, match="vault_not_armed"):
        scene.record([event()])
    assert scene.sequence == 0


def test_nothing_is_sealed_without_the_keys_that_the_vault_is_committed_to(scene: Sealing) -> None:
    scene.arm()
    scene.secrets().folder.rename(scene.folder / "elsewhere")
    with pytest.raises(CosealError, match="no such secret"):
        scene.record([event()])
    kept = Secrets(scene.folder / "elsewhere").vault("loans")
    scene.secrets().save_vault(type(kept)(kept.chain, kept.owner, kept.id, kept.plan, tuple(reversed(kept.keys))))
    with pytest.raises(CosealError, match="other keys"):
        scene.record([event()])
    assert scene.sequence == 0


def test_a_type_that_seals_nothing_is_refused(scene: Sealing) -> None:
    scene.arm()
    plain = {**TYPE, "id": "plain", "object_types": {"loan": {"attributes": {}}}, "event_types": {"Grant": {}}}
    scene.ok(OWNER, "process.define_type", **plain)
    scene.ok(OWNER, "process.register_source", id="other", process_type="plain", mode="historical")
    with pytest.raises(CosealError, match="no sealed attributes"):
        scene.vaults(OWNER).record("loans", [event()], source="other")


# A log


def test_a_log_is_sealed_once_and_continues_where_it_stopped(scene: Sealing) -> None:
    scene.arm()
    log = Log({**TYPE, "id": "grants"}, {"id": "g", "process_type": "grants", "mode": "historical"}, _events(5))
    seen: list[tuple[int, int]] = []

    def seal(log: Log) -> Recorded:
        with scene.node.client(OWNER) as client:
            recorder = Recorder(client, log, batch_items=2)
            return recorder.seal(scene.secrets(), "loans", lambda done, total: seen.append((done, total)))

    first = seal(replace(log, items=log.items[:3]))
    assert (first.before, first.added, first.sequence) == (0, 3, 3)
    again = seal(log)
    assert (again.before, again.added, again.sequence) == (3, 2, 5)
    assert seen == [(0, 3), (2, 3), (3, 3), (3, 5), (5, 5)]
    assert scene.chain.get(source_key(f"{OWNER}/g"))["head"] == again.head
    found = scene.vaults(OWNER).read("grants", "loan", "L1")
    assert {one.value for one in found.attributes if one.name == "borrower"} == {"ACME"}
    with pytest.raises(BadAnswer, match="holds 5 items, the file has 3"):
        seal(replace(log, items=log.items[:3]))


def test_a_log_without_sealed_attributes_leaves_nothing_behind(scene: Sealing) -> None:
    scene.arm()
    plain = {**TYPE, "id": "plain", "object_types": {"loan": {"attributes": {}}}, "event_types": {"Grant": {}}}
    log = Log(plain, {"id": "p", "process_type": "plain", "mode": "historical"}, _events(1))
    with scene.node.client(OWNER) as client, pytest.raises(CosealError, match="no sealed attributes"):
        Recorder(client, log).seal(scene.secrets(), "loans")
    assert scene.chain.get(source_key(f"{OWNER}/p")) is None


def _events(count: int) -> tuple[dict[str, Any], ...]:
    return tuple(event(number) for number in range(1, count + 1))
