"""Events are recorded with their sealed attributes in cells, which owner and readers open; misfits are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from coseal.client import sealing
from coseal.contracts.disclosure.state import sidecar_key
from coseal.contracts.process.state import source_key
from coseal.errors import CosealError, Refused
from coseal.ledger import custody, sealed
from coseal.ledger.sealed import Cells
from coseal.sealing.cells import key_for_audience, read_cell
from coseal.sealing.secrets import Secrets
from tests.support.deciding import Deciding
from tests.support.disclosure import DAY_MS, OWNER, SUBJECT, TYPE

SEATS = tuple(SUBJECT["seats"])
TERMS = {"rate": "0.05", "fee": "12", "borrower": "ACME"}


class Scene(Deciding):
    """The chain of a node with a vault that is armed unless said, and a source of a type with sealed attributes."""

    contract = "disclosure"

    def __init__(self, node: Any, folder: Path) -> None:
        self.chain, self.node, self.folder = node.chain, node, folder
        self.decide("custody_plan", **SUBJECT)
        self.chain.extend([])
        for member in SEATS:
            self.vaults(member).set_sealing_key("custody").require_ok()
        ends_ms = self.chain.executor.time_ms + 100 * DAY_MS
        self.vaults(OWNER).open_vault("loans", "usual", "loan", ends_ms=ends_ms, pad=8).require_ok()
        self.ok(OWNER, "process.define_type", **TYPE)
        self.ok(OWNER, "process.register_source", id="log", process_type=TYPE["id"], mode="historical")

    def arm(self) -> None:
        for member in SEATS:
            self.vaults(member).accept_seat(OWNER, "loans")

    def secrets(self, member: str = OWNER) -> Secrets:
        return Secrets(self.folder / member / "sealing")

    def vaults(self, member: str) -> Any:
        return self.node.client(member).vaults(self.secrets(member))

    def record(self, events: list[dict[str, Any]], **more: Any) -> Any:
        return self.vaults(OWNER).record("loans", events, source="log", **more)

    @property
    def sequence(self) -> int:
        value: Any = self.chain.get(source_key(f"{OWNER}/log"))
        return int(value["sequence"])


@pytest.fixture
def scene(node: Any, tmp_path: Path) -> Scene:
    return Scene(node, tmp_path)


def event(number: int = 1, **attributes: Any) -> dict[str, Any]:
    named = {"event": f"e{number}", "type": "Grant", "time": "2023-01-05T10:00:00Z", "objects": [["loan", "L1"]]}
    return {**named, "attributes": {**TERMS, "branch": "East", **attributes}}


def test_sealed_values_go_into_cells_that_owner_and_readers_open(scene: Scene) -> None:
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
    scene: Scene, monkeypatch: pytest.MonkeyPatch
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
    scene: Scene, events: Any, more: Any, message: str
) -> None:
    scene.arm()
    posted = len(scene.node.posted)
    with pytest.raises(CosealError, match=message):
        scene.record(events, **more)
    assert (len(scene.node.posted), scene.sequence) == (posted, 0)


def test_nothing_is_sealed_into_a_vault_that_is_not_armed(scene: Scene) -> None:
    with pytest.raises(Refused, match="vault_not_armed"):
        scene.record([event()])
    assert scene.sequence == 0


def test_nothing_is_sealed_without_the_keys_that_the_vault_is_committed_to(scene: Scene) -> None:
    scene.arm()
    scene.secrets().folder.rename(scene.folder / "elsewhere")
    with pytest.raises(CosealError, match="no such secret"):
        scene.record([event()])
    kept = Secrets(scene.folder / "elsewhere").vault("loans")
    scene.secrets().save_vault(type(kept)(kept.chain, kept.owner, kept.id, kept.plan, tuple(reversed(kept.keys))))
    with pytest.raises(CosealError, match="other keys"):
        scene.record([event()])
    assert scene.sequence == 0


def test_a_type_that_seals_nothing_is_refused(scene: Scene) -> None:
    scene.arm()
    plain = {**TYPE, "id": "plain", "object_types": {"loan": {"attributes": {}}}, "event_types": {"Grant": {}}}
    scene.ok(OWNER, "process.define_type", **plain)
    scene.ok(OWNER, "process.register_source", id="other", process_type="plain", mode="historical")
    with pytest.raises(CosealError, match="no sealed attributes"):
        scene.vaults(OWNER).record("loans", [event()], source="other")
