"""Collecting the evidence of one case into one file that anyone can verify without a node.

Law: what is collected is verified as a whole before it is returned. What belongs to a case is found out first and
then proven as of one block; a case that changed in between is collected again.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any, Final

from coseal.audit.bundle import EXTERNAL, KIND, VERSION, verify_bundle
from coseal.audit.history import ObjectHistory, history_json
from coseal.audit.report import Verdict
from coseal.client.blocking import Client
from coseal.client.history import object_history, parse_object
from coseal.client.supervision import is_finding
from coseal.contracts.kernel.rows.place import BEGIN
from coseal.contracts.policy.state import instrument_key
from coseal.contracts.process.state import object_key, source_key
from coseal.contracts.rules.rule import SOURCE
from coseal.contracts.supervision.findings import raised_of
from coseal.contracts.supervision.sets_in_force import ADOPTED
from coseal.contracts.supervision.state import (
    active_key,
    finding_key,
    findings_key,
    hold_key,
    obligation_key,
    rule_key,
    set_key,
)
from coseal.errors import BadAnswer, CosealError
from coseal.ledger import codec, merkle
from coseal.ledger.block import CommittedBlock
from coseal.ledger.handover import FIELD, handover_json
from coseal.ledger.proof import BeginProof, CertifiedValue, TransactionProof
from coseal.ledger.render import begin_proof_json, proof_json, state_proof_json
from coseal.ledger.transaction import Transaction

_ATTEMPTS: Final = 4

ObjectName = tuple[str, str, str]
"""(process type, object type, id)."""


@dataclass(frozen=True, slots=True)
class _Keys:
    """The state keys that belong to a case, by the part of the bundle that their proofs are for."""

    case: list[str]
    sources: list[str]
    sets: list[str]
    rules: list[str]
    policies: list[str]
    findings: list[str]
    obligations: list[str]

    @property
    def all(self) -> list[str]:
        """Every key, once."""
        parts = (self.case, self.sources, self.sets, self.rules, self.policies, self.findings, self.obligations)
        return list(dict.fromkeys(itertools.chain.from_iterable(parts)))


def name_of(client: Client, text: str) -> ObjectName:
    """Return the object that PROCESSTYPE/OBJECTTYPE/ID, or the id of a finding about it, names."""
    if not is_finding(text):
        return parse_object(text)
    found = client.value(finding_key(text))
    if found is None:
        raise BadAnswer(f"there is no finding {text}", "see `coseal findings list`")
    return found["process_type"], found["object_type"], found["object"]


def collect(client: Client, name: ObjectName) -> dict[str, Any]:
    """Return the evidence bundle of an object; raise ``BadAnswer`` if the node does not prove what belongs to it."""
    for _ in range(_ATTEMPTS):
        document = _Collector(client, name).document()
        report = verify_bundle(document, client.genesis)
        if report.verdict is Verdict.OK:
            return document
    last = report.steps[-1]
    raise BadAnswer(f"{client.url} does not prove the case: {last.name}: {last.detail}")


class _Collector:
    """One pass over a case; blocks are fetched once."""

    def __init__(self, client: Client, name: ObjectName) -> None:
        self._client, self._name = client, name
        self._blocks: dict[int, CommittedBlock] = {}
        self._proven: dict[str, CertifiedValue] = {}

    def document(self) -> dict[str, Any]:
        """Return the bundle as of one block."""
        client, names = self._client, dict(zip(("process_type", "type", "id"), self._name, strict=True))
        _, history = object_history(client, *self._name)
        keys = self._keys(history, self._raised())
        self._proven = dict(zip(keys.all, client.values(keys.all), strict=True))
        findings = [self._value(key) for key in keys.findings]
        as_of_now = replace(history, record=self._proven[object_key(*self._name)])
        recorded = sorted({place for place in history.claimed if place is not None})
        due = {height for height, index in recorded if index == BEGIN}
        bundle = {
            "coseal": KIND,
            "version": VERSION,
            "chain_id": client.genesis.chain_id.hex(),
            "object": names,
            "history": history_json(as_of_now),
            "recordings": [self._transaction(*place) for place in recorded if place[1] != BEGIN],
            "sources": self._proofs(keys.sources),
            "active": self._proof(active_key(self._name[0])),
            "sets": self._proofs(keys.sets),
            "rules": self._proofs(keys.rules),
            "policies": self._proofs(keys.policies),
            "findings": self._proofs(keys.findings),
            "finding_count": self._proof(findings_key(*self._name)),
            "trail": self._trail(findings),
            "deadlines": self._deadlines(findings, due),
            "hold": self._proof(hold_key(*self._name)),
            "obligations": self._proofs(keys.obligations),
        }
        return {**bundle, FIELD: [handover_json(one) for one in client.epochs.up_to(client.epochs.last.epoch)]}

    def _raised(self) -> list[str]:
        """Return the ids of the findings about the object, as an index lists them: as many as the state counts."""
        count = raised_of(self._client.value(findings_key(*self._name)))
        filters = dict(zip(("process_type", "object_type", "object"), self._name, strict=True))
        rows = self._client.pages("/v1/findings", "findings", limit=count, **filters)
        names = {name for row in rows if is_finding(name := str(row.get("id")))}
        return sorted(names, key=lambda name: int(name[1:]))

    def _keys(self, history: ObjectHistory, findings: list[str]) -> _Keys:
        """Return what to prove; which rules and policies belong to the case is read first, one after the other."""
        process_type, object_type, object_id = self._name
        active = self._client.value(active_key(process_type))
        adopted = [entry for entry in active or () if entry["phase"] == ADOPTED]
        names: set[tuple[str, int]] = set()
        for entry, record in zip(adopted, self._read([set_key(entry["set"]) for entry in adopted]), strict=True):
            names |= {(rule, version) for rule, version in record["rules"] if rule not in entry["off"]}
        in_force = {name for name, _ in names}
        raised = self._read([finding_key(name) for name in findings])
        names |= {(value["rule"], value["version"]) for value in raised}
        names = {name for name in names if not name[0].startswith("system:")}
        rules = [value["rule"] for value in self._read([rule_key(*name) for name in sorted(names)])]
        resting = [*rules, *(value for value in raised if "legal_basis" in value)]
        basis = {one for rests in resting for one in rests["legal_basis"] if not one.startswith(EXTERNAL)}
        is_source = object_type == SOURCE
        sources = {source for source, _, _ in history.items} | ({object_id} if is_source else set())
        owed = [rule["id"] for rule in rules if is_source and _obliges(rule, object_id) and rule["id"] in in_force]
        return _Keys(
            case=[object_key(*self._name), active_key(process_type), findings_key(*self._name), hold_key(*self._name)],
            sources=[source_key(source) for source in sorted(sources)],
            sets=[set_key(entry["set"]) for entry in adopted],
            rules=[rule_key(*name) for name in sorted(names)],
            policies=[instrument_key(name) for name in sorted(basis)],
            findings=[finding_key(name) for name in findings],
            obligations=[obligation_key(rule, object_id) for rule in sorted(set(owed))],
        )

    def _read(self, keys: list[str]) -> list[Any]:
        """Return decoded values of state keys, proven; raise ``BadAnswer`` for one that is absent."""
        values = [found.value for found in self._client.values(keys)]
        for key, value in zip(keys, values, strict=True):
            if value is None:
                raise BadAnswer(f"{self._client.url} names {key}, which is proven to be absent")
        return [codec.decode(value) for value in values if value is not None]

    def _value(self, key: str) -> Any:
        raw = self._proven[key].value
        return None if raw is None else codec.decode(raw)

    def _proof(self, key: str) -> dict[str, Any]:
        return state_proof_json(self._proven[key])

    def _proofs(self, keys: list[str]) -> list[dict[str, Any]]:
        return [self._proof(key) for key in keys]

    def _trail(self, findings: list[Any]) -> list[dict[str, Any]]:
        """Return the receipts of all steps, in ledger order."""
        places = set()
        for finding in findings:
            for _, _, height, _, tx, _ in finding["steps"]:
                ids = [Transaction.decode(raw).id.hex() for raw in self._block(height).block.transactions]
                places.add((height, ids.index(tx)))
        return [self._transaction(*place, whole=True) for place in sorted(places)]

    def _deadlines(self, findings: list[Any], due: set[int]) -> list[dict[str, Any]]:
        """Return what began the blocks that noted something late, raised a finding, or recorded an item, ``due``."""
        heights = due | {late[3] for finding in findings for late in finding["overdue"]}
        heights |= {finding["height"] for finding in findings if finding["event"] is None}
        return [self._begin(height) for height in sorted(heights)]

    def _block(self, height: int) -> CommittedBlock:
        found = self._blocks.get(height)
        if found is None:
            found = self._blocks[height] = self._client.block(height)
        return found

    def _transaction(self, height: int, index: int, *, whole: bool = False) -> dict[str, Any]:
        """Return the receipt document of a transaction; only ``raw`` and its place unless ``whole``."""
        committed = self._block(height)
        if index >= len(committed.block.transactions):
            raise BadAnswer(f"{self._client.url} says that transaction {index} of block {height} recorded an item")
        proof = TransactionProof.of(committed, index)
        document = proof_json(proof)
        return document if whole else {name: document[name] for name in ("coseal", "version", "height", "index", "raw")}

    def _begin(self, height: int) -> dict[str, Any]:
        committed = self._block(height)
        path = tuple(merkle.prove(committed.receipts, 0))
        return begin_proof_json(BeginProof(committed.receipts[0], path, committed.block.header, committed.certificate))


def _obliges(rule: dict[str, Any], source: str) -> bool:
    return rule["kind"] == "periodic" and bool(rule["source"] == source)


def require_object(text: str) -> None:
    """Raise ``CosealError`` unless ``text`` can name an object or a finding; asked before any node is."""
    if not is_finding(text) and text.count("/") < 2:
        raise CosealError(f"{text!r}: expected PROCESSTYPE/OBJECTTYPE/ID or a finding such as F12")
