"""A vault on a chain behind a fake node, and a source of a type with sealed attributes, to record and to read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from coseal.audit.access import Access, Shown, access_json
from coseal.audit.history import ObjectHistory, history_json
from coseal.audit.reveal import Revealed, reveal_json
from coseal.contracts.disclosure.state import log_key
from coseal.contracts.process.state import object_key, source_key
from coseal.ledger.block import Receipt
from coseal.ledger.genesis import Genesis
from coseal.ledger.proof import CertifiedValue
from coseal.ledger.sealed import commitment
from coseal.sealing.secrets import Secrets
from tests.support.deciding import Deciding
from tests.support.disclosure import DAY_MS, OWNER, SUBJECT, TYPE, Custody

TERMS: Final = {"rate": "0.05", "fee": "12", "borrower": "ACME"}


class Sealing(Deciding):
    """The chain of a node with a vault that is armed unless said, and a source of a type with sealed attributes."""

    contract = "disclosure"

    def __init__(self, node: Any, folder: Path, plan: Mapping[str, Any] = SUBJECT) -> None:
        self.chain, self.node, self.folder, self.seats = node.chain, node, folder, plan["seats"]
        self.decide("custody_plan", **plan)
        self.chain.extend([])
        for member in self.seats:
            self.vaults(member).set_sealing_key("custody").require_ok()
        ends_ms = self.chain.executor.time_ms + 100 * DAY_MS
        self.vaults(OWNER).open_vault("loans", "usual", "loan", ends_ms=ends_ms, pad=8).require_ok()
        self.ok(OWNER, "process.define_type", **TYPE)
        self.ok(OWNER, "process.register_source", id="log", process_type=TYPE["id"], mode="historical")

    def arm(self) -> None:
        for member in self.seats:
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


def event(number: int = 1, **attributes: Any) -> dict[str, Any]:
    named = {"event": f"e{number}", "type": "Grant", "time": "2023-01-05T10:00:00Z", "objects": [["loan", "L1"]]}
    return {**named, "attributes": {**TERMS, "branch": "East", **attributes}}


def reveal_document() -> tuple[Genesis, dict[str, Any]]:
    """Return a document that shows one of the sealed values of an object with two items, and its chain's genesis."""
    chain, salts = Custody().chain, {1: bytes(range(32)), 2: bytes(range(32, 64))}
    chain.submit(f"{OWNER}/admin", "process.define_type", **TYPE)
    chain.submit(f"{OWNER}/admin", "process.register_source", id="log", process_type=TYPE["id"], mode="historical")
    source = f"{OWNER}/log"
    made = []
    for number in (1, 2):
        item = event(number)
        named = {name: commitment(salts[number], source, number, name, value).hex() for name, value in TERMS.items()}
        made.append({**item, "attributes": {**item["attributes"], **named}})
    receipt = chain.submit(f"{OWNER}/admin", "process.record", source="log", sequence=1, items=made)
    assert receipt.ok, receipt.detail
    key, tip = object_key(TYPE["id"], "loan", "L1").encode(), chain.blocks[-1]
    record = CertifiedValue(key, *chain.executor.state.prove(key), tip.block.header, tip.certificate)
    items = tuple((source, number, item) for number, item in enumerate(made, 1))
    history = history_json(ObjectHistory(TYPE["id"], "loan", "L1", items, record))
    return chain.genesis, reveal_json(history, [Revealed(source, 2, "rate", salts[2], TERMS["rate"])])


def access_document() -> tuple[Genesis, dict[str, Any]]:
    """Return the access history of a member whose vault was armed, and its chain's genesis."""
    custody = Custody()
    custody.armed()
    chain, entries = custody.chain, []
    for committed in chain.blocks:
        for raw in committed.receipts:
            for _, *rest in Receipt.decode(raw).data.get("log", ()):
                entries.append(Access(*rest, committed.block.header.height))
    key, tip = log_key(OWNER).encode(), chain.blocks[-1]
    record = CertifiedValue(key, *chain.executor.state.prove(key), tip.block.header, tip.certificate)
    return chain.genesis, access_json(Shown(OWNER, entries, record))
