"""Collecting the evidence of one case into one file that anyone can verify without a node.

Law: what is collected is verified as a whole before it is returned; a case that changed meanwhile is collected again.
"""

from __future__ import annotations

from typing import Any, Final

from audit.bundle import EXTERNAL, KIND, VERSION, verify_bundle
from audit.report import Verdict
from contracts.rules.rule import SOURCE
from contracts.supervision_findings import count_key, finding_key
from contracts.supervision_sets import ADOPTED, active_key, rule_key, set_key
from coseal.client import Client
from coseal.errors import BadAnswer, CosealError
from coseal.history import object_history, parse_object
from coseal.supervision import is_finding
from ledger import codec, merkle
from ledger.block import CommittedBlock
from ledger.handover import FIELD, handover_json, split_handovers
from ledger.proof import BeginProof, TransactionProof
from ledger.render import begin_proof_json, proof_json, state_proof_json
from ledger.transaction import Transaction

_ATTEMPTS: Final = 4

ObjectName = tuple[str, str, str]
"""(process type, object type, id)."""


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

    def document(self) -> dict[str, Any]:
        """Return the bundle as it is now."""
        client, (process_type, object_type, object_id) = self._client, self._name
        active_proof, active = self._proven(active_key(process_type))
        filters: dict[str, Any] = {"process_type": process_type, "object_type": object_type, "object": object_id}
        since = {"min_height": active_proof["height"]}  # the index may lag behind what is proven
        raised = {row["id"]: row for row in client.pages("/v1/findings", "findings", **filters | since)}
        findings = {name: self._proven(finding_key(name)) for name in raised}
        adopted = [entry for entry in active or () if entry["phase"] == ADOPTED]
        sets = [(entry, *self._proven(set_key(entry["set"]))) for entry in adopted]
        names = {
            (name, version)
            for entry, _, record in sets
            for name, version in record["rules"]
            if name not in entry["off"]
        }
        names |= {(value["rule"], value["version"]) for _, value in findings.values()}
        rules = [self._proven(rule_key(*name)) for name in sorted(names) if not name[0].startswith("system:")]
        basis = {
            basis for _, value in rules for basis in value["rule"]["legal_basis"] if not basis.startswith(EXTERNAL)
        }
        document, proven = object_history(client, process_type, object_type, object_id)
        sources = {source for source, _, _ in proven.items} | ({object_id} if object_type == SOURCE else set())
        history, _ = split_handovers(document)
        recorded = sorted({place for place in proven.claimed if place is not None})
        bundle = {
            "coseal": KIND,
            "version": VERSION,
            "chain_id": client.genesis.chain_id.hex(),
            "object": {"process_type": process_type, "type": object_type, "id": object_id},
            "history": history,
            "recordings": [self._transaction(*place) for place in recorded],
            "sources": [self._proven(f"process/source/{source}")[0] for source in sorted(sources)],
            "active": active_proof,
            "sets": [proof for _, proof, _ in sets],
            "rules": [proof for proof, _ in rules],
            "policies": [self._proven(f"policy/instrument/{name}")[0] for name in sorted(basis)],
            "findings": [proof for proof, _ in findings.values()],
            "finding_count": self._proven(count_key(*self._name))[0],
            "trail": self._trail([value for _, value in findings.values()]),
            "deadlines": self._deadlines([value for _, value in findings.values()], list(raised.values())),
        }
        return {**bundle, FIELD: [handover_json(one) for one in client.epochs.up_to(client.epochs.last.epoch)]}

    def _proven(self, key: str) -> tuple[dict[str, Any], Any]:
        """Return the proof document of a state key, and the value."""
        certified = self._client.state(key)
        return state_proof_json(certified), None if certified.value is None else codec.decode(certified.value)

    def _trail(self, findings: list[Any]) -> list[dict[str, Any]]:
        """Return the receipts of all steps, in ledger order."""
        places = set()
        for finding in findings:
            for _, _, height, _, tx, _ in finding["steps"]:
                ids = [Transaction.decode(raw).id.hex() for raw in self._block(height).block.transactions]
                places.add((height, ids.index(tx)))
        return [self._transaction(*place, whole=True) for place in sorted(places)]

    def _deadlines(self, findings: list[Any], raised: list[Any]) -> list[dict[str, Any]]:
        """Return what began the blocks that noted something late, or raised a finding by themselves."""
        heights = {late[3] for finding in findings for late in finding["overdue"]}
        heights |= {row["height"] for row in raised if row["index"] is None}
        return [self._begin(height) for height in sorted(heights)]

    def _block(self, height: int) -> CommittedBlock:
        found = self._blocks.get(height)
        if found is None:
            found = self._blocks[height] = self._client.block(height)
        return found

    def _transaction(self, height: int, index: int, *, whole: bool = False) -> dict[str, Any]:
        """Return the receipt document of a transaction; only ``raw`` and its place unless ``whole``."""
        proof = TransactionProof.of(self._block(height), index)
        document = proof_json(proof)
        return document if whole else {name: document[name] for name in ("coseal", "version", "height", "index", "raw")}

    def _begin(self, height: int) -> dict[str, Any]:
        committed = self._block(height)
        path = tuple(merkle.prove(committed.receipts, 0))
        return begin_proof_json(BeginProof(committed.receipts[0], path, committed.block.header, committed.certificate))


def require_object(text: str) -> None:
    """Raise ``CosealError`` unless ``text`` can name an object or a finding; asked before any node is."""
    if not is_finding(text) and text.count("/") < 2:
        raise CosealError(f"{text!r}: expected PROCESSTYPE/OBJECTTYPE/ID or a finding such as F12")
