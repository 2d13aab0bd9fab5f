"""What the blocks have on record against validators is verified again, by keys that the audit knows itself."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from coseal.audit.audit import audit
from coseal.audit.contradictions import Contradiction, in_block
from coseal.audit.epochs import Epochs
from coseal.audit.light import UnknownValidators
from coseal.audit.report import Level, Verdict
from coseal.cli.audit import print_report
from coseal.contracts.evidence import actions as evidence
from coseal.ledger import transaction
from coseal.ledger.block import Receipt
from coseal.ledger.certificate import Phase, vote_preimage
from coseal.ledger.equivocation import Equivocation, Signed
from tests.support.keys import signer as key

LOOKING = [Level.MERKLE, Level.REPLAY]


def report(chain, name: str, height: int, *, epoch: int = 0, signer: str = "", node: str = "regulator") -> bytes:
    """A report, by a node, of two prepares of a validator."""
    halves = [
        Signed(digest, key(signer or f"node:{name}").sign(preimage))
        for digest in (b"\x01" * 32, b"\x02" * 32)
        for preimage in [vote_preimage(chain.chain_id, epoch, height, 0, Phase.PREPARE, digest)]
    ]
    return transaction.sign(
        key(f"node:{node}"),
        chain_id=chain.chain_id,
        sender=transaction.node_sender(node),
        contract="evidence",
        action="report",
        args=evidence.arguments_of(name, Equivocation.of(epoch, height, 0, Phase.PREPARE, *halves)),
        valid_until_ms=chain.executor.time_ms + 60_000,
        salt=bytes(16),
    ).raw


@pytest.fixture
def accused(make_chain):
    """A chain with evidence against bank-a at heights 2 and 3, and a report that was refused."""
    chain = make_chain().grow(3)
    chain.add([report(chain, "bank-a", 2), report(chain, "bank-a", 3)])
    chain.add([report(chain, "bank-a", 2, node="central-bank"), report(chain, "central-bank", 2, signer="node:bank-a")])
    return chain.grow(2)


@pytest.mark.parametrize("level", LOOKING)
def test_an_audit_names_who_contradicted_itself_and_the_chain_is_good_all_the_same(accused, list_source, level):
    found = audit([list_source(accused.blocks)], accused.genesis, level)
    assert found.ok
    place = {"validator": "bank-a", "member": "bank-a", "epoch": 0, "round": 0, "phase": "prepare"}
    assert found.contradictions == tuple(Contradiction(**place, height=h, reported_height=4) for h in (2, 3))
    assert json.loads(json.dumps(found.to_json()))["contradictions"][0]["validator"] == "bank-a"


@pytest.mark.parametrize("level", [Level.HEADERS, Level.CERTIFICATES])
def test_who_looks_into_no_body_says_nothing_of_it(accused, list_source, level, capsys):
    found = audit([list_source(accused.blocks)], accused.genesis, level)
    assert (found.ok, found.contradictions, found.to_json()["contradictions"]) == (True, None, None)
    print_report(found, accused.genesis)
    assert "contradicted" not in capsys.readouterr().out


def test_people_are_told_how_many_members_it_was(accused, make_chain, list_source, capsys):
    print_report(audit([list_source(accused.blocks)], accused.genesis), accused.genesis)
    shown = capsys.readouterr().out
    assert "evidence    1 member proven to have contradicted itself\n" in shown
    assert "bank-a (bank-a), at height 2, 3" in shown
    clean = make_chain().grow(2)
    print_report(audit([list_source(clean.blocks)], clean.genesis), clean.genesis)
    assert "evidence    no member proven to have contradicted itself\n" in capsys.readouterr().out


def test_a_certified_record_that_proves_nothing_makes_the_chain_bad(make_chain, list_source, monkeypatch):
    """As if q validators had agreed to defame one."""
    chain = make_chain().grow(2)
    with monkeypatch.context() as patched:
        patched.setattr(Equivocation, "verify", lambda *_: None)
        chain.add([report(chain, "bank-a", 2, signer="node:regulator")])
    found = audit([list_source(chain.blocks)], chain.genesis, Level.MERKLE)
    assert (found.verdict, [item.height for item in found.findings]) == (Verdict.BAD, [3])
    assert "evidence on record against bank-a proves nothing" in found.findings[0].reason
    replayed = audit([list_source(chain.blocks)], chain.genesis, Level.REPLAY)
    assert replayed.verdict is Verdict.BAD


def test_the_key_is_that_of_the_epoch(make_chain, list_source):
    chain = make_chain().grow(2)
    chain.change(**{"bank-a": "node:bank-a 2"})
    chain.grow(1)
    chain.add([report(chain, "bank-a", 2), report(chain, "bank-a", 3, signer="node:bank-a 2")])
    found = audit([list_source(chain.blocks)], chain.genesis, Level.MERKLE)
    assert found.ok
    assert [(item.epoch, item.height) for item in found.contradictions] == [(0, 2)]


def test_evidence_of_an_epoch_that_the_audit_does_not_know_cannot_be_judged(accused):
    committed, epochs = accused.blocks[3], Epochs(accused.genesis)
    receipt = Receipt.decode(committed.receipts[1])
    later = replace(receipt, data={**receipt.data, "epoch": 7}).encode()
    shown = replace(committed, receipts=(committed.receipts[0], later, committed.receipts[2]))
    with pytest.raises(UnknownValidators, match="epoch 7"):
        in_block(shown, epochs, accused.chain_id)
    assert len(in_block(committed, epochs, accused.chain_id)) == 2
