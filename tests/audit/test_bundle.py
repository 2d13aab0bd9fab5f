"""Evidence bundles: collected over a chain on which supervision happened, verified, and spoilt in every part."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from coseal.audit.bundle import STEP_NAMES, BundleReport, verify_bundle
from coseal.audit.report import Verdict
from coseal.audit.verify import verify_document
from coseal.client import bundle
from coseal.client.exchange import Ask, Exchange, Reply
from coseal.client.session import Session
from coseal.contracts.process.chain import item_hash, objects_of
from coseal.contracts.supervision.lists import FINDINGS
from coseal.errors import BadAnswer, CosealError
from coseal.ledger import codec, signing
from coseal.ledger.block import CommittedBlock, Header, Receipt
from coseal.ledger.certificate import PbftCertificate
from coseal.ledger.handover import Handover
from coseal.ledger.head import announced
from coseal.ledger.proof import CertifiedValue
from coseal.ledger.render import certified_header_json, raw_text, state_proof_json
from coseal.ledger.transaction import Transaction
from coseal.ledger.validators import ValidatorSet
from coseal.node.index import lists
from coseal.node.index.index import Index
from tests.support.chain import Chain
from tests.support.genesis import make_genesis
from tests.support.keys import validator
from tests.support.supervised import Story

CASE = ("t", "case", "c2")
SOURCE = ("t", "source", "enterprise-a/live")


class FakeClient:
    """A client of a node that has the story's chain."""

    def __init__(self, story: Story, index: Index) -> None:
        self.genesis, self.url = story.chain.genesis, "http://node"
        self.session = Session([self.url], self.genesis)
        self.epochs = self.session.epochs
        self._chain, self._index = story.chain, index
        self.hide: set[str] = set()

    def state(self, key: str) -> CertifiedValue:
        value, proof = self._chain.executor.state.prove(key.encode())
        tip = self._chain.blocks[-1]
        return CertifiedValue(key.encode(), value, proof, tip.block.header, tip.certificate)

    def values(self, keys: list[str]) -> list[CertifiedValue]:
        return [self.state(key) for key in keys]

    def validators_of(self, header: Header, certificate: PbftCertificate) -> ValidatorSet:
        return self.epochs.of(header, certificate)

    def value(self, key: str) -> Any:
        raw = self.state(key).value
        return None if raw is None else codec.decode(raw)

    def block(self, height: int) -> CommittedBlock:
        return self._chain.blocks[height - 1]

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        if path == "/v1/findings":
            filters = {name: params[name] for name in ("process_type", "object_type", "object") if name in params}
            rows = asyncio.run(self._index.query(lists.page, FINDINGS, filters, (), 1_000))[1].items
            return {"findings": [row for row in rows if row["id"] not in self.hide], "next": None}
        return self._history(path.split("/")[3].replace("%2F", "/"), params["process_type"], params["type"])

    def pages(self, path: str, name: str, /, *, limit: int | None = None, **filters: Any) -> Iterator[dict[str, Any]]:
        yield from self.get(path, **filters)[name]

    def findings(self, **filters: Any) -> Iterator[dict[str, Any]]:
        return self.pages("/v1/findings", "findings", **filters)

    def run(self, exchange: Exchange[Any]) -> Any:
        """Carry a session out, as the client does; the node is this chain."""
        reply: Reply | None = None
        try:
            while True:
                ask = exchange.send(reply)  # type: ignore[arg-type]  # the first time there is none
                assert isinstance(ask, Ask)
                reply = Reply(ask.node, 200, json.dumps(self.get(ask.path, **ask.params)).encode())
        except StopIteration as done:
            return done.value

    def _history(self, name: str, process_type: str, object_type: str) -> dict[str, Any]:
        items = []
        for committed in self._chain.blocks:
            for index, raw in enumerate(committed.block.transactions):
                tx = Transaction.decode(raw)
                if (tx.contract, tx.action) == ("process", "record") and Receipt.decode(
                    committed.receipts[index + 1]
                ).ok:
                    source = f"{tx.member}/{tx.args['source']}"
                    place = {"source": source, "unproven": {"height": committed.block.header.height, "index": index}}
                    for sequence, item in enumerate(tx.args["items"], tx.args["sequence"]):
                        if (object_type, name) in objects_of(item):
                            hashed = item_hash(source, sequence, item).hex()
                            items.append({**place, "sequence": sequence, "hash": hashed, "item": item})
        record = self.state(f"process/object/{process_type}/{object_type}/{name}")
        names = {
            "coseal": "object-history",
            "version": 1,
            "process_type": process_type,
            "type": object_type,
            "id": name,
        }
        return {**names, "count": len(items), "items": items, "record": state_proof_json(record)}


@pytest.fixture(scope="module")
def client(tmp_path_factory: Any) -> Any:
    story = Story(Chain(make_genesis(name="evidence")))
    story.tell()
    chain = story.chain
    folder: Path = tmp_path_factory.mktemp("bundle")
    index = Index(folder / "i.sqlite", chain.genesis.chain_id, lambda height: chain.blocks[height - 1].encode())
    index.start(len(chain.blocks))
    assert index.wait(len(chain.blocks), 20)
    yield FakeClient(story, index)
    index.stop()


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory: Any) -> Iterator[Any]:
    """A chain on which a supervisor opened two findings about a case, and dismissed one."""
    story = Story(Chain(make_genesis(name="by hand")))
    story.tell()
    story.record(("Decide", "c50"))
    opened = {"process_type": "t", "object_type": "case", "object": "c50", "subject": "enterprise-a"}
    opened |= {"reason": "The file says otherwise", "legal_basis": ["external: complaint 17"]}
    for severity in ("notice", "warning"):
        story.do("supervision.open_case", severity=severity, evidence=["ab" * 32], **opened)
    last = story.state("supervision/counter/finding")
    story.do("supervision.acknowledge", finding=f"F{last}")
    story.do("supervision.decide", finding=f"F{last}", outcome="dismissed", reason="It was a copy")
    chain = story.chain
    folder: Path = tmp_path_factory.mktemp("by hand")
    index = Index(folder / "i.sqlite", chain.genesis.chain_id, lambda height: chain.blocks[height - 1].encode())
    index.start(len(chain.blocks))
    assert index.wait(len(chain.blocks), 20)
    yield FakeClient(story, index)
    index.stop()


def test_a_finding_that_a_person_opened_is_proven_with_who_opened_it(by_hand: Any) -> None:
    document = json.loads(json.dumps(bundle.collect(by_hand, ("t", "case", "c50"))))
    report = verify_bundle(document, by_hand.genesis)
    assert report.verdict is Verdict.OK, report.steps[-1]
    assert report.facts["open_findings"] == {"notice": 1, "warning": 0, "violation": 0}
    opened = [one for one in report.facts["findings"] if one["rule"] == "system:case"]
    assert [(one["opened_by"], one["legal_basis"]) for one in opened] == [
        ("regulator/admin", ["external: complaint 17"])
    ] * 2
    assert [step["step"] for step in opened[1]["steps"]] == ["open_case", "acknowledge", "dismissed"]
    assert opened[0]["steps"][0]["reason"] == "The file says otherwise"
    for at in range(len(document["trail"])):
        without = {**document, "trail": document["trail"][:at] + document["trail"][at + 1 :]}
        assert verify_bundle(without, by_hand.genesis).steps[-1].name == "trail"


@pytest.fixture(scope="module")
def case(client: Any) -> dict[str, Any]:
    """The bundle of case c2: findings dismissed, held, rectified after an appeal's time, as a file would hold it."""
    return json.loads(json.dumps(bundle.collect(client, CASE)))  # type: ignore[no-any-return]


def test_a_bundle_proves_the_case_step_by_step(client: Any, case: dict[str, Any]) -> None:
    report = verify_bundle(case, client.genesis)
    assert [step.name for step in report.steps] == list(STEP_NAMES)
    assert {step.verdict for step in report.steps} == {Verdict.OK}
    facts = report.facts
    assert facts["items"] == 4
    assert facts["missing_at_sources"] == {"enterprise-a/live": 3}
    (notice, held) = facts["findings"]
    assert (notice["rule"], notice["status"]) == ("R-NOTE", "notified")
    assert (held["rule"], held["outcome"]) == ("R-ONCE", "rectified")
    assert [step["step"] for step in held["steps"]] == ["acknowledge", "inquire", "respond", "rectified"]
    assert held["steps"][2] | {"height": 0, "time": ""} == {
        "step": "respond",
        "by": "enterprise-a/admin",
        "height": 0,
        "time": "",
        "response": "So.",
        "evidence": ["ab" * 32],
    }
    assert verify_document(case, client.genesis).ok


def test_missed_deadlines_are_proven_by_the_block_that_noted_them(client: Any) -> None:
    document = bundle.collect(client, ("t", "case", "c1"))
    report = verify_bundle(document, client.genesis)
    assert report.verdict is Verdict.OK
    assert "2 deadlines missed" in detail_of(report, "trail")
    (finding,) = report.facts["findings"]
    assert finding["event"] is None, "a deadline raised it"


def detail_of(report: BundleReport, name: str) -> str:
    return next(step.detail for step in report.steps if step.name == name)


def test_a_source_has_bundles_too(client: Any) -> None:
    report = verify_bundle(bundle.collect(client, SOURCE), client.genesis)
    assert report.verdict is Verdict.OK
    assert {finding["rule"] for finding in report.facts["findings"]} >= {"R-GAP"}
    (owed,) = report.facts["obligations"]
    assert (owed["rule"], owed["source"]) == ("R-MONTHLY", "enterprise-a/live")
    assert "R-MONTHLY: due" in detail_of(report, "obligations")


def test_an_obligation_that_is_left_out_is_found(client: Any) -> None:
    document = bundle.collect(client, SOURCE)
    report = verify_bundle({**document, "obligations": []}, client.genesis)
    assert "what the source owes by rule R-MONTHLY is missing" in report.steps[-1].detail


def test_a_hold_is_part_of_the_case(client: Any, case: dict[str, Any]) -> None:
    report = verify_bundle(case, client.genesis)
    assert report.facts["hold"]["finding"] == "F2"
    assert "by finding F2" in detail_of(report, "hold")
    other = bundle.collect(client, ("t", "case", "c1"))
    assert "never on hold" in detail_of(verify_bundle(other, client.genesis), "hold")
    assert "the hold is that of" in verify_bundle({**case, "hold": other["hold"]}, client.genesis).steps[-1].detail


def test_every_line_names_the_block_of_which_it_speaks(client: Any, case: dict[str, Any]) -> None:
    report = verify_bundle(case, client.genesis)
    tip = client.block(len(client._chain.blocks)).block.header
    assert (report.facts["height"], report.facts["block_hash"]) == (tip.height, tip.hash.hex())
    for step in report.steps[STEP_NAMES.index("block") :]:
        assert re.search(r"block [0-9]+ \(2023-[0-9T:.-]+Z\)", step.detail), step
    assert f"block {tip.height} ({report.facts['time']})" in verify_document(case, client.genesis).reason


PRESENT = ("active", "sets", "rules", "policies", "sources", "findings", "finding_count", "hold", "obligations")


@pytest.fixture(scope="module")
def two_times(tmp_path_factory: Any) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """The bundle of a case before and after the chain itself raised a finding about it; no item came in between."""
    story = Story(Chain(make_genesis(name="two times")))
    story.begin()
    story.record(("Create", "c1"), amount=5)
    chain, folder = story.chain, tmp_path_factory.mktemp("times")
    index = Index(folder / "i.sqlite", chain.genesis.chain_id, lambda height: chain.blocks[height - 1].encode())
    index.start(len(chain.blocks))
    client: Any = FakeClient(story, index)
    made = []
    for later_ms in (1, 70_000):
        index.feed(story.wait(later_ms), ())
        assert index.wait(len(chain.blocks), 20)
        made.append(json.loads(json.dumps(bundle.collect(client, ("t", "case", "c1")))))
    index.stop()
    return chain.genesis, made[0], made[1]


def test_a_bundle_put_together_from_two_times_hides_no_finding(two_times: Any) -> None:
    genesis, before, after = two_times
    assert [len(verify_bundle(one, genesis).facts["findings"]) for one in (before, after)] == [0, 1]
    old = {name: before[name] for name in ("findings", "finding_count", "trail", "deadlines")}
    report = verify_bundle({**after, **old}, genesis)
    assert (report.steps[-1].name, report.verdict) == ("findings", Verdict.BAD)
    assert "of two times" in report.steps[-1].detail


@pytest.mark.parametrize("name", PRESENT)
def test_no_part_of_a_bundle_may_be_of_another_time(two_times: Any, name: str) -> None:
    genesis, before, after = two_times
    if before[name] == [] == after[name]:
        pytest.skip("this case has none")
    report = verify_bundle({**after, name: before[name] or [before["active"]]}, genesis)
    assert report.verdict is Verdict.BAD
    assert "of two times" in report.steps[-1].detail


def test_a_field_that_nothing_proves_is_refused_wherever_it_stands(client: Any, case: dict[str, Any]) -> None:
    for number in range(10):
        spoilt = deepcopy(case)
        places = [spoilt, spoilt["object"], spoilt["history"], spoilt["history"]["items"][0]]
        places += [spoilt["history"]["record"], spoilt["active"], spoilt["findings"][0], spoilt["trail"][0]]
        places += [spoilt["trail"][0]["header"], spoilt["recordings"][0]]
        places[number]["certified_by"] = "the government"
        assert verify_bundle(spoilt, client.genesis).verdict is Verdict.BAD, number


def test_a_case_is_named_by_its_object_or_a_finding(client: Any) -> None:
    assert bundle.name_of(client, "t/case/c2") == CASE
    assert bundle.name_of(client, "F2") == CASE
    with pytest.raises(BadAnswer, match="there is no finding F999"):
        bundle.name_of(client, "F999")
    with pytest.raises(CosealError, match="expected PROCESSTYPE/OBJECTTYPE/ID or a finding"):
        bundle.require_object("c2")


def test_a_node_that_hides_a_finding_is_found_out(client: Any) -> None:
    client.hide = {"F2"}
    with pytest.raises(BadAnswer, match="does not prove the case: findings: 1 findings are shown, 2 were raised"):
        bundle.collect(client, CASE)
    client.hide = set()


def drop(name: str, position: int = 0) -> Callable[[dict[str, Any]], Any]:
    return lambda document: document[name].pop(position)


def forge_raw(name: str) -> Callable[[dict[str, Any]], Any]:
    """Flip one bit in the middle of what is certified."""

    def apply(document: dict[str, Any]) -> None:
        entry = document[name][0] if type(document[name]) is list else document[name]
        raw = bytearray(base64.b64decode(entry["raw"]))
        raw[len(raw) // 2] ^= 1
        entry["raw"] = base64.b64encode(raw).decode()

    return apply


@pytest.mark.parametrize(
    ("spoil", "step", "reason"),
    [
        (lambda d: d.update(version=2), "chain", "expected a document"),
        (lambda d: d.update(chain_id="00" * 32), "chain", "the genesis of another"),
        (lambda d: d.pop("trail"), "chain", "trail"),
        (lambda d: d["object"].update(id="c1"), "items", "of another object"),
        (lambda d: d["history"]["items"].pop(), "items", "count"),
        (drop("recordings"), "recordings", "nothing shows who recorded item"),
        (forge_raw("recordings"), "recordings", ""),
        (drop("sources"), "sources", "the state of source enterprise-a/live is missing"),
        (drop("sets"), "rules", "is in force and not shown"),
        (drop("rules"), "rules", "is in force and not shown"),
        (forge_raw("rules"), "rules", ""),
        (lambda d: d.update(active=d["sources"][0]), "rules", "the sets in force are those of"),
        (lambda d: d["rules"].append(d["findings"][0]), "rules", ""),
        (drop("findings"), "findings", "1 findings are shown, 2 were raised"),
        (drop("findings", -1), "findings", "1 findings are shown, 2 were raised"),
        (lambda d: d.update(finding_count=d["active"]), "findings", "the number of findings is that of"),
        (forge_raw("findings"), "findings", ""),
        (lambda d: d["findings"][1]["value"].update(outcome="dismissed"), "findings", "differs from what the raw"),
        (drop("trail"), "trail", "the transaction of step acknowledge"),
        (drop("trail", 2), "trail", "the transaction of step respond"),
        (lambda d: d["trail"][0]["transaction"]["args"].update(finding="F1"), "trail", "differs from what the raw"),
    ],
)
def test_whatever_is_taken_out_or_changed_is_named_by_its_step(
    client: Any, case: dict[str, Any], spoil: Callable[[dict[str, Any]], Any], step: str, reason: str
) -> None:
    document = deepcopy(case)
    spoil(document)
    report = verify_bundle(document, client.genesis)
    assert report.verdict is Verdict.BAD
    assert report.steps[-1].name == step
    assert reason in report.steps[-1].detail
    result = verify_document(document, client.genesis)
    assert (result.verdict, result.exit_code) == (Verdict.BAD, 1)
    assert f"{step}: {report.steps[-1].detail}" in result.reason
    assert result.to_json()["steps"][-1]["verdict"] == "bad"


def test_a_finding_that_a_deadline_raised_cannot_be_left_out(client: Any) -> None:
    document = bundle.collect(client, ("t", "case", "c1"))
    document["findings"].pop()
    report = verify_bundle(document, client.genesis)
    assert report.steps[-1].detail == "0 findings are shown, 1 were raised"


def test_a_missed_deadline_without_its_block_is_not_believed(client: Any) -> None:
    document = bundle.collect(client, ("t", "case", "c1"))
    document["deadlines"].pop()
    report = verify_bundle(document, client.genesis)
    assert (report.steps[-1].name, report.verdict) == ("trail", Verdict.BAD)
    assert "nothing shows that" in report.steps[-1].detail


def test_a_bundle_of_another_chain_is_refused(case: dict[str, Any]) -> None:
    assert verify_bundle(case, make_genesis(name="other")).steps[-1].name == "chain"


def test_validators_that_follow_are_believed_only_if_announced(client: Any, case: dict[str, Any]) -> None:
    tip = client.block(3)
    genesis = client.genesis
    following = ValidatorSet(1, genesis.validators.validators[:3])
    header = certified_header_json(tip.block.header, tip.certificate)
    document = deepcopy(case)
    document["handovers"] = [{"header": header, "validators": raw_text(following.encode())}]
    report = verify_bundle(document, genesis)
    assert report.steps[-1].name == "validators"
    assert "announces no change of validators" in report.steps[-1].detail


def test_a_case_whose_validators_changed_meanwhile_is_proven_from_the_genesis(tmp_path: Path) -> None:
    story = Story(Chain(make_genesis(name="changing")))
    story.tell()
    chain = story.chain
    new = validator("bank-a second")
    proof = new.sign(signing.key_preimage(chain.genesis.chain_id, "bank-a", new.public_key)).hex()
    subject = {"node": "bank-a", "key": new.public_key.hex(), "proof": proof}
    story.do("governance.propose", "bank-a", id="key", kind="rotate_validator_key", subject=subject)
    for member in ("regulator", "central-bank"):
        story.do("governance.vote", member, ballot="key", choice="yes")
    promoting = story.wait(1)
    story.do("membership.set_profile", "bank-a", description="later")
    index = Index(tmp_path / "i.sqlite", chain.genesis.chain_id, lambda height: chain.blocks[height - 1].encode())
    index.start(len(chain.blocks))
    assert index.wait(len(chain.blocks), 20)
    client: Any = FakeClient(story, index)
    client.epochs.take(handover_of(promoting))
    document = json.loads(json.dumps(bundle.collect(client, CASE)))
    index.stop()
    assert len(document["handovers"]) == 1
    result = verify_document(document, chain.genesis)
    assert (result.ok, result.steps[1].detail.startswith("2 epoch(s)")) == (True, True)
    assert verify_document({**document, "handovers": []}, chain.genesis).exit_code == 2


def handover_of(committed: CommittedBlock) -> Handover:
    following = announced(committed)
    assert following is not None
    return Handover(committed.block.header, committed.certificate, following)


JUNK = [None, 7, "x", [], {}, {"raw": "AA=="}, {"coseal": "state-proof", "version": 1, "raw": "AA=="}]


def test_nothing_that_stands_in_a_bundle_makes_the_verifier_fail(client: Any, case: dict[str, Any]) -> None:
    others = [case["history"]["record"], case["recordings"][0], case["findings"][0], case["active"], case["sources"][0]]
    for name, part in case.items():
        for junk in [*JUNK, *others]:
            verify_bundle({**case, name: junk}, client.genesis)
            if type(part) is list:
                verify_bundle({**case, name: [junk]}, client.genesis)
                verify_bundle({**case, name: [*part, junk]}, client.genesis)


@pytest.mark.parametrize("document", [None, [], {}, {"coseal": "evidence-bundle", "version": True}, 7])
def test_what_is_no_bundle_is_refused(client: Any, document: Any) -> None:
    assert verify_bundle(document, client.genesis).verdict is Verdict.BAD
