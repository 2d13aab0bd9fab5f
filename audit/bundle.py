"""The evidence bundle: one file for one case, verified step by step with the genesis alone.

Law: nothing in the file is believed that a quorum did not certify; items, rules and findings are proven to be all there
are; all that it says of the present is the state after one block, which it names; a step that fails is named.

A bundle is the document ``evidence-bundle``; docs/spec/audit.md, section Evidence bundle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from coseal.audit.certified import block_text
from coseal.audit.epochs import Epochs
from coseal.audit.history import ObjectHistory, verify_history
from coseal.audit.report import Verdict
from coseal.audit.steps import Step, Trace
from coseal.contracts.policy.state import instrument_key
from coseal.contracts.process.chain import item_hash
from coseal.contracts.process.recorded import LEDGER, recorded_items
from coseal.contracts.process.state import source_key
from coseal.contracts.rules.rule import SOURCE
from coseal.contracts.supervision.findings import CASE_FIELDS, OPEN_CASE, open_of, raised_of
from coseal.contracts.supervision.sets_in_force import ADOPTED, rule_digest
from coseal.contracts.supervision.state import active_key, finding_key, findings_key, hold_key, obligation_key, set_key
from coseal.ledger import codec
from coseal.ledger.block import Header, Receipt
from coseal.ledger.certificates import Certificate
from coseal.ledger.errors import BadProof, LedgerError, Malformed
from coseal.ledger.genesis import Genesis
from coseal.ledger.handover import handover_from_json
from coseal.ledger.render import (
    begin_proof_from_json,
    plain,
    proof_from_json,
    state_proof_from_json,
    time_text,
)
from coseal.ledger.transaction import Transaction

KIND: Final = "evidence-bundle"
RULE: Final = "audit.md, Evidence bundle"
VERSION: Final = 1
EXTERNAL: Final = "external:"
_LIMIT: Final = 100_000
_RULE: Final = ["supervision", "rule"]
_LISTS: Final = (
    "sources",
    "recordings",
    "sets",
    "rules",
    "policies",
    "findings",
    "trail",
    "deadlines",
    "obligations",
    "handovers",
)
_FIELDS: Final = frozenset(
    {"coseal", "version", "chain_id", "object", "history", "active", "finding_count", "hold", *_LISTS}
)
_NAMES: Final = ("process_type", "type", "id")

REMAINING_TRUST: Final = (
    "that the genesis is the right one: compare its chain id with what a member you trust says",
    "that the contracts did what they should: a quorum computed the same, and `coseal audit` replays it",
    "that no later block says otherwise: a bundle speaks of the state after its block, and does not say that it is the "
    "newest",
)
"""What a bundle cannot prove by itself."""


@dataclass(frozen=True, slots=True)
class BundleReport:
    """What a bundle turned out to be: its steps up to the first that fails, and what it proves if none does."""

    steps: tuple[Step, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """OK if every step is, else the verdict of the one that failed."""
        return self.steps[-1].verdict


@dataclass(frozen=True, slots=True)
class Recording:
    """An accepted transaction with its receipt, certified in the block with ``header``."""

    transaction: Transaction
    receipt: Receipt
    header: Header


def verify_bundle(document: Any, genesis: Genesis) -> BundleReport:
    """Verify a parsed bundle; never raises for what it holds."""
    bundle, trace = _Bundle(genesis), Trace()
    try:
        for name, check in _STEPS:
            with trace.step(name, RULE) as seen:
                seen.detail = check(bundle, document)
    except LedgerError:
        return BundleReport(tuple(trace.steps))
    return BundleReport(tuple(trace.steps), bundle.facts())


class _Bundle:
    """What was verified so far; each step reads its part of the document and adds to it."""

    def __init__(self, genesis: Genesis) -> None:
        self.genesis = genesis
        self.epochs = Epochs(genesis)
        self.name = ("", "", "")
        self.header: Header | None = None
        self.certificate: Certificate | None = None
        self.history: ObjectHistory | None = None
        self.recordings: dict[bytes, Recording] = {}
        self.trail: dict[str, Recording] = {}
        self.begun: dict[int, Receipt] = {}
        self.rules: dict[tuple[str, int], Mapping[str, Any]] = {}
        self.in_force: list[str] = []
        self.policies: dict[str, Any] = {}
        self.shown_policies: Mapping[str, Any] = {}
        self.findings: dict[str, Mapping[str, Any]] = {}
        self.open_findings: Mapping[str, int] = {}
        self.gaps: dict[str, int] = {}
        self.hold: Mapping[str, Any] | None = None
        self.obligations: list[Mapping[str, Any]] = []

    # Steps

    def frame(self, document: Any) -> str:
        """Check that it is a bundle of this chain about one object."""
        fields = codec.fields(document, KIND, _FIELDS)
        if fields.get("coseal") != KIND or type(fields.get("version")) is not int or fields["version"] != VERSION:
            raise Malformed(f'expected a document with "coseal": "{KIND}" and "version": {VERSION}')
        if fields.get("chain_id") != self.genesis.chain_id.hex():
            raise BadProof(f"it is of chain {str(fields.get('chain_id'))[:64]}, the genesis of another")
        for name in _LISTS:
            codec.sequence(fields.get(name), name, limit=_LIMIT)
        names = codec.fields(fields.get("object"), "object", _NAMES)
        process_type, object_type, object_id = (
            codec.text(names.get(name), f"object.{name}", limit=256) for name in _NAMES
        )
        self.name = (process_type, object_type, object_id)
        return f"chain {self.genesis.chain_id.hex()}; about {object_type} {object_id} of {process_type}"

    def validators(self, document: Any) -> str:
        """Follow the validators from the genesis through every handover."""
        self.epochs.take_all(map(handover_from_json, document["handovers"]))
        current = self.epochs.last
        members = ", ".join(sorted({seat.member for seat in current.validators}))
        return f"{len(self.epochs)} epoch(s) from the genesis; {current.quorum} of {current.n} certify: {members}"

    def block(self, document: Any) -> str:
        """Verify the header of the block as of which the bundle speaks: the one the object's record is proven by."""
        record = state_proof_from_json(codec.mapping(document.get("history"), "history").get("record"))
        self.epochs.verify(record.header, record.certificate)
        self.header, self.certificate = record.header, record.certificate
        return f"all that follows is the state after {self._at()}, or was committed up to it"

    def items(self, document: Any) -> str:
        """Verify the object's items, and that they are all."""
        history = verify_history(document["history"], self.genesis, self.epochs)
        if (history.process_type, history.object_type, history.object_id) != self.name:
            raise BadProof("the history is of another object")
        self.history = history
        return f"{len(history.items)} items are all there are up to {self._at()}"

    def recorded(self, document: Any) -> str:
        """Verify the transactions that recorded the items: who signed each, and when it was committed.

        What a contract made itself follows from the act, or from what fell due: nobody signed it.
        """
        wanted = {(source, sequence): item_hash(source, sequence, item) for source, sequence, item in self._items()}
        made_for = sorted({source.partition("/")[0] for source, _ in wanted if LEDGER in source})
        for entry in document["deadlines"] if made_for else ():
            for one in recorded_items(None, self._begun(entry)):
                if wanted.get((one.source, one.sequence)) == one.hash:
                    del wanted[one.source, one.sequence]
        for entry in document["recordings"]:
            recording = self._receipt(entry)
            transaction = recording.transaction
            recorded = tuple(recorded_items(transaction, recording.receipt))
            if not recorded:
                raise BadProof(f"transaction {transaction.id.hex()} recorded nothing")
            for one in recorded:
                if wanted.get((one.source, one.sequence)) == one.hash:
                    del wanted[one.source, one.sequence]
            self.recordings[transaction.id] = recording
        if wanted:
            source, sequence = min(wanted)
            raise BadProof(f"nothing shows who recorded item {sequence} of {source}")
        senders = sorted({recording.transaction.sender for recording in self.recordings.values()})
        words = f"{len(self.recordings)} transactions recorded them, signed by {', '.join(senders) or 'nobody'}"
        if made_for:
            words += f"; some by the contract, for {', '.join(made_for)}"
        return f"{words}; {self._blocks(recording.header for recording in self.recordings.values())}"

    def sources(self, document: Any) -> str:
        """Verify the state of every source that recorded an item: does it have gaps?"""
        values = dict(map(self._value, document["sources"]))
        wanted = {source for source, _, _ in self._items()} | ({self.name[2]} if self.name[1] == SOURCE else set())
        for source in sorted(wanted):
            value = values.get(source_key(source))
            if value is None:
                raise BadProof(f"the state of source {source} is missing")
            self.gaps[source] = value["missing"]
        words = [f"{source}: {missing or 'none'} missing" for source, missing in self.gaps.items()]
        return f"{'; '.join(words) or 'no source recorded it'}; at {self._at()}"

    def rules_in_force(self, document: Any) -> str:
        """Verify the rules in force, and those that findings name: text, version, who proposed, since when."""
        for entry in document["rules"]:
            key, value = self._value(entry)
            *head, name, version = key.split("/")
            if value is None or head != _RULE or not (version.isascii() and version.isdigit() and len(version) < 19):
                raise BadProof(f"{key} holds no rule")
            if rule_digest(value["rule"]).hex() != value["digest"]:
                raise BadProof(f"{key}: the digest is not that of the rule")
            self.rules[name, int(version)] = value
        sets = dict(map(self._value, document["sets"]))
        key, active = self._value(document.get("active"))
        if key != active_key(self.name[0]):
            raise BadProof(f"the sets in force are those of {key}")
        for entry in active or ():
            if entry["phase"] == ADOPTED:
                self._require_set(sets.get(set_key(entry["set"])), entry)
        return f"{len(self.in_force)} in force at {self._at()}, each as its ballot adopted it"

    def _require_set(self, record: Any, entry: Mapping[str, Any]) -> None:
        if record is None:
            raise BadProof(f"rule set {entry['set']} is in force and not shown")
        for rule, version in record["rules"]:
            if rule not in entry["off"]:
                if (rule, version) not in self.rules:
                    raise BadProof(f"rule {rule} version {version} is in force and not shown")
                self.in_force.append(rule)

    def legal_basis(self, document: Any) -> str:
        """Verify the record of every policy that a rule rests on, with the digest of its text."""
        shown = dict(map(self._value, document["policies"]))
        external: set[str] = set()
        for value in self.rules.values():
            for basis in value["rule"]["legal_basis"]:
                if basis.startswith(EXTERNAL):
                    external.add(basis)
                elif shown.get(instrument_key(basis)) is None:
                    raise BadProof(f"rule {value['rule']['id']} rests on {basis}, whose record is missing")
                else:
                    self.policies[basis] = shown[instrument_key(basis)]
        self.shown_policies = {key: value for key, value in shown.items() if value is not None}
        digests = sum("text_sha256" in policy for policy in self.policies.values())
        words = f"{len(self.policies)} policies of the register ({digests} with the digest of their text)"
        return f"{words} as of {self._at()}, {len(external)} texts outside of it"

    def found(self, document: Any) -> str:
        """Verify the findings, and that they are all: the state counts them for each object."""
        for entry in document["findings"]:
            key, value = self._value(entry)
            if value is None or key != finding_key(key.rpartition("/")[2]):
                raise BadProof(f"{key} holds no finding")
            if value["id"] in self.findings:
                raise BadProof(f"finding {value['id']} is shown twice")
            if (value["process_type"], value["object_type"], value["object"]) != self.name:
                raise BadProof(f"finding {value['id']} is about another object")
            rule = (value["rule"], value["version"])
            if rule not in self.rules and not value["rule"].startswith("system:"):
                raise BadProof(f"finding {value['id']} is of rule {rule[0]} version {rule[1]}, which is not shown")
            for basis in value.get("legal_basis", ()):
                if not basis.startswith(EXTERNAL) and instrument_key(basis) not in self.shown_policies:
                    raise BadProof(f"finding {value['id']} rests on {basis}, whose record is missing")
            self.findings[value["id"]] = value
        key, count = self._value(document.get("finding_count"))
        if key != findings_key(*self.name):
            raise BadProof(f"the number of findings is that of {key}")
        if len(self.findings) != raised_of(count):
            raise BadProof(f"{len(self.findings)} findings are shown, {raised_of(count)} were raised")
        self.open_findings = open_of(count)
        shown = Counter(value["severity"] for value in self.findings.values() if value["due"] is not None)
        if any(shown[severity] != number for severity, number in self.open_findings.items()):
            raise BadProof(f"{shown.total()} of the findings shown are open, the state counts {self.open_findings}")
        listed = ", ".join(self._standing()) or "none"
        return f"{len(self.findings)} findings are all there are at {self._at()}: {listed}"

    def _standing(self) -> list[str]:
        return [
            f"{name} {value['rule']} ({value['outcome'] or value['status']})" for name, value in self.findings.items()
        ]

    def supervision(self, document: Any) -> str:
        """Verify every step of every finding: the signed transaction that took it, the block that found it late."""
        for entry in document["trail"]:
            step = self._receipt(entry)
            self.trail[step.transaction.id.hex()] = step
        for entry in document["deadlines"]:
            self._begun(entry)
        late = 0
        for name, finding in self.findings.items():
            for step in finding["steps"]:
                self._require_step(name, *step[:5])
            for step, side, _, height in finding["overdue"]:
                self._require_overdue(name, step, side, height)
                late += 1
        taken = sum(len(finding["steps"]) for finding in self.findings.values())
        words = f"{taken} steps, each signed and committed; {late} deadlines missed, each noted by the chain itself"
        return f"{words}; {self._blocks(step.header for step in self.trail.values())}"

    def held(self, document: Any) -> str:
        """Verify whether the object is on hold."""
        key, self.hold = self._value(document.get("hold"))
        if key != hold_key(*self.name):
            raise BadProof(f"the hold is that of {key}")
        if self.hold is None:
            return f"never on hold up to {self._at()}"
        until = time_text(self.hold["until_ms"])
        amount = "" if self.hold["amount"] is None else f", {self.hold['amount']} of it"
        return f"{self.hold['status']} at {self._at()}: by finding {self.hold['finding']}, until {until}{amount}"

    def owed(self, document: Any) -> str:
        """Verify what a source owes by the periodic rules in force."""
        shown = dict(map(self._value, document["obligations"]))
        for rule in self._periodic():
            key = obligation_key(rule, self.name[2])
            if key not in shown:
                raise BadProof(f"what the source owes by rule {rule} is missing")
            record = shown.pop(key)
            if record is not None:
                self.obligations.append(record)
        if shown:
            raise BadProof(f"{min(shown)} is no obligation of this object by a rule in force")
        words = [f"{one['rule']}: due {time_text(one['due_ms'])}, {one['missed']} missed" for one in self.obligations]
        return f"{'; '.join(words) or 'nothing is owed'}; at {self._at()}"

    def _periodic(self) -> list[str]:
        """Return the rules in force by which this source owes something; none for other objects."""
        if self.name[1] != SOURCE:
            return []
        in_force = set(self.in_force)
        rules = (value["rule"] for value in self.rules.values() if value["rule"]["id"] in in_force)
        return sorted({rule["id"] for rule in rules if rule["kind"] == "periodic" and rule["source"] == self.name[2]})

    def _require_step(self, finding: str, name: str, sender: str, height: int, time_ms: int, tx: str) -> None:
        step = self.trail.get(tx)
        if step is None:
            raise BadProof(f"finding {finding}: the transaction of step {name} at height {height} is missing")
        transaction, header = step.transaction, step.header
        if (transaction.sender, header.height, header.time_ms) != (sender, height, time_ms):
            raise BadProof(f"finding {finding}: step {name} was not taken by {sender} at height {height}")
        opened = transaction.action == OPEN_CASE
        about = step.receipt.data.get("id") if opened else transaction.args.get("finding")
        if not step.receipt.ok or about != finding or opened != (name == OPEN_CASE):
            raise BadProof(f"finding {finding}: transaction {tx} is no step of it")

    def _require_overdue(self, finding: str, step: str, side: str, height: int) -> None:
        receipt = self.begun.get(height)
        noted = () if receipt is None else receipt.data.get("supervision", {}).get("overdue", ())
        if not any((late["id"], late["step"], late["side"]) == (finding, step, side) for late in noted):
            raise BadProof(f"finding {finding}: nothing shows that {step} was overdue at height {height}")

    # Means

    def _value(self, entry: Any) -> tuple[str, Any]:
        """Return (key, decoded value or None) of a state proof that holds, and is of the block of the bundle."""
        certified = state_proof_from_json(entry)
        key = certified.key.decode("utf-8", "backslashreplace")
        if certified.header != self.header:  # A20
            other = block_text(certified.header)
            raise BadProof(f"{key} is proven as of {other}, the record of the object as of {self._at()}: of two times")
        if certified.certificate != self.certificate:
            self.epochs.verify(certified.header, certified.certificate)
        certified.proof.verify(certified.key, certified.value, certified.header.state_root)
        return key, None if certified.value is None else codec.decode(certified.value)

    def _begun(self, entry: Any) -> Receipt:
        """Return the first receipt of a block, and keep it."""
        proof = begin_proof_from_json(entry)
        receipt = proof.verify(self.genesis.chain_id, self.epochs.of(proof.header, proof.certificate))
        self.begun[proof.header.height] = receipt
        return receipt

    def _receipt(self, entry: Any) -> Recording:
        proof = proof_from_json(entry)
        transaction, receipt = proof.verify(self.genesis.chain_id, self.epochs.of(proof.header, proof.certificate))
        return Recording(transaction, receipt, proof.header)

    def _blocks(self, headers: Iterable[Header]) -> str:
        """Return in which blocks something was committed, in words."""
        found = {header.height: header for header in headers}
        if not found:
            return f"none up to {self._at()}"
        first, last = found[min(found)], found[max(found)]
        return f"in {block_text(first)}" + ("" if first == last else f" to {block_text(last)}")

    def _at(self) -> str:
        return "" if self.header is None else block_text(self.header)

    def _items(self) -> tuple[tuple[str, int, dict[str, Any]], ...]:
        return () if self.history is None else self.history.items

    def facts(self) -> dict[str, Any]:
        """Return what the bundle proves."""
        process_type, object_type, object_id = self.name
        block = {} if self.header is None else _block_facts(self.header)
        return {
            "chain_id": self.genesis.chain_id.hex(),
            "object": f"{process_type}/{object_type}/{object_id}",
            **block,
            "items": len(self._items()),
            "missing_at_sources": self.gaps,
            "rules_in_force": self.in_force,
            "policies": {name: policy.get("text_sha256") for name, policy in self.policies.items()},
            "findings": [_finding_facts(finding, self.trail) for finding in self.findings.values()],
            "open_findings": self.open_findings,
            "hold": None if self.hold is None else plain(self.hold),
            "obligations": plain(self.obligations),
            "remaining_trust": list(REMAINING_TRUST),
        }


def _block_facts(header: Header) -> dict[str, Any]:
    return {"height": header.height, "time": time_text(header.time_ms), "block_hash": header.hash.hex()}


def _finding_facts(finding: Mapping[str, Any], trail: Mapping[str, Recording]) -> dict[str, Any]:
    """Return a finding with its steps and what was said in them."""
    steps = [
        {"step": name, "by": sender, "height": height, "time": time_text(time_ms), **_said(trail[tx].transaction)}
        for name, sender, height, time_ms, tx, _ in finding["steps"]
    ]
    names = ("id", "rule", "version", "event", "verdict", "severity", "status", "outcome", "reason", "detail", "height")
    by_hand = {name: plain(finding[name]) for name in CASE_FIELDS if name in finding}
    return {**{name: plain(finding[name]) for name in names}, **by_hand, "steps": steps}


def _said(transaction: Transaction) -> dict[str, Any]:
    names = ("note", "question", "response", "outcome", "reason", "measure", "evidence")
    return {name: plain(transaction.args[name]) for name in names if name in transaction.args}


_Check: TypeAlias = Callable[[_Bundle, Any], str]
_STEPS: Final[tuple[tuple[str, _Check], ...]] = (
    ("chain", _Bundle.frame),
    ("validators", _Bundle.validators),
    ("block", _Bundle.block),
    ("items", _Bundle.items),
    ("recordings", _Bundle.recorded),
    ("sources", _Bundle.sources),
    ("rules", _Bundle.rules_in_force),
    ("legal basis", _Bundle.legal_basis),
    ("findings", _Bundle.found),
    ("trail", _Bundle.supervision),
    ("hold", _Bundle.held),
    ("obligations", _Bundle.owed),
)
STEP_NAMES: Final = tuple(name for name, _ in _STEPS)
