"""Evidence as a member reads it: proven by the state, verified by hand, and shown to people."""

from __future__ import annotations

import pytest

from coseal.cli import network as network_commands
from coseal.cli import show
from coseal.client.evidence import against
from coseal.contracts.evidence import actions as evidence
from coseal.contracts.evidence.state import proof_key
from coseal.errors import BadAnswer
from coseal.ledger.certificate import Phase, vote_preimage
from coseal.ledger.equivocation import Equivocation, Signed
from coseal.network.processes import NodeStatus
from tests.support.keys import validator


def report(node, name: str, height: int = 1) -> dict:
    chain_id, signer = node.genesis.chain_id, validator(name)
    halves = [
        Signed(digest, signer.sign(vote_preimage(chain_id, 0, height, 0, Phase.COMMIT, digest)))
        for digest in (b"\x01" * 32, b"\x02" * 32)
    ]
    return evidence.arguments_of(name, Equivocation.of(0, height, 0, Phase.COMMIT, *halves))


def test_that_there_is_none_is_proven(node, capsys):
    with node.client() as client:
        document = against(client, "bank-a")
    assert document == {"height": 1, "validator": "bank-a", "proofs": []}
    show.print_evidence(document)
    assert capsys.readouterr().out == "bank-a: no evidence against it; proven as of height 1\n"


def test_each_proof_is_verified_and_shown(node, capsys):
    with node.client("regulator") as client:
        for height in (1, 2):
            assert client.submit("evidence", "report", report(node, "bank-a", height)).ok
        document = against(client, "bank-a")
    assert [(proof["height"], proof["phase"]) for proof in document["proofs"]] == [(1, "commit"), (2, "commit")]
    show.print_evidence(document)
    shown = capsys.readouterr().out
    assert shown.startswith("bank-a contradicted itself: 2 proofs, verified; as of height 3\n")
    assert "regulator/admin" in shown


def test_a_record_that_proves_nothing_is_no_answer(node, monkeypatch):
    with node.client("regulator") as client:
        assert client.submit("evidence", "report", report(node, "bank-a")).ok
        record = client.value(proof_key("bank-a", 1, 0, "commit"))
        forged = {**record, "second": [record["second"][0], bytes(64)]}
        monkeypatch.setattr(client, "value", lambda key: forged)
        with pytest.raises(BadAnswer, match="does not hold: the second signature does not verify"):
            against(client, "bank-a")


class _Net:
    name, chain_id = "net", "00" * 32


def statuses(proven):
    fields = {
        "role": "bank",
        "kind": "validator",
        "pid": 1,
        "url": "",
        "height": 9,
        "round": 0,
        "state_root": "00" * 32,
    }
    return [
        NodeStatus(name=name, healthy=True, why_stalled=None, evidence=proven, **fields)
        for name in ("bank-a", "bank-b")
    ]


@pytest.mark.parametrize(("proven", "column"), [({}, False), (None, False), ({"bank-a": 2}, True)])
def test_the_status_table_has_a_column_for_evidence_when_there_is_any(proven, column):
    table = network_commands._table(_Net, statuses(proven))
    cells = {str(header.header): [str(cell) for cell in header.cells] for header in table.columns}
    assert ("evidence" in cells) is column
    if column:
        assert cells["evidence"] == ["2 proofs against it", ""]
