"""What ``show`` prints for people: facts, and none of the wire forms."""

from __future__ import annotations

import pytest

from coseal.cli import show
from coseal.cli.shared import as_it_is, plain_table
from coseal.ledger.proof import TransactionProof
from coseal.ledger.render import block_json, proof_json
from tests.support.chain import Chain
from tests.support.genesis import genesis
from tests.support.transactions import signed


@pytest.fixture(scope="module")
def committed():
    chain = Chain(genesis())
    chain.extend([])
    tx = signed(chain.genesis, 1)
    failed = signed(chain.genesis, 2)
    chain.extend([tx, failed])
    return chain.blocks[1]


def test_a_block_is_shown_with_what_its_transactions_came_to(committed, capsys):
    show.print_block(block_json(committed))
    shown = capsys.readouterr().out
    header = committed.block.header
    assert "block 2, 2023-11-14T22:13:22.000Z, proposed by bank-a, committed by 3 validators in round 0" in shown
    assert header.hash.hex() in shown
    assert shown.count("membership.set_profile") == 2
    assert len(shown) < 2_000


def test_a_transaction_is_shown_without_its_proof(committed, capsys):
    show.print_transaction(proof_json(TransactionProof.of(committed, 0)))
    shown = capsys.readouterr().out
    assert shown.startswith("committed at height 2, 2023-11-14T22:13:22.000Z\n")
    assert "membership.set_profile" in shown
    assert '"description": "1"' in shown
    assert "signature" not in shown
    assert "raw" not in shown


def test_a_refused_transaction_says_why(committed, capsys):
    document = proof_json(TransactionProof.of(committed, 0))
    document["receipt"] |= {"ok": False, "code": "forbidden", "detail": "needs another role", "data": {}}
    show.print_transaction(document)
    shown = capsys.readouterr().out
    assert shown.startswith("rejected at height 2")
    assert "forbidden: needs another role" in shown


def history(*items):
    entries = [
        {"source": "enterprise-a/log", "sequence": number, "hash": "00", "item": item}
        for number, item in enumerate(items, start=1)
    ]
    facts = {
        "process_type": "fines",
        "type": "case",
        "id": "A1",
        "height": 9,
        "record": {"raw": "AAAA", "header": {"time": "2026-01-05T00:00:00.000Z"}},
    }
    return {**facts, "count": len(entries), "items": entries}


def test_an_object_is_shown_one_item_a_line(capsys):
    show.print_object(
        history(
            {"object": "A1", "type": "case", "attributes": [["limit", "0", 5]]},
            {"event": "e1", "type": "Create Fine", "time": "2006-07-24", "attributes": {"amount": "35.0"}},
            {"relation": ["case", "A1"], "to": ["person", "P1"], "qualifier": "of"},
            {"change": "A1", "type": "case", "attributes": [["limit", "2007-01-01T00:00:00Z", 6]]},
        )
    )
    first, *_, event, relation, change = [line for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert first.startswith("fines/case/A1: all its 4 items, up to block 9 of 2026-01-05T00:00:00.000Z (")
    assert first.endswith(" ago)")
    assert event.split() == [
        "2006-07-24",
        "event",
        "e1",
        "Create",
        "Fine",
        "amount=35.0",
        "enterprise-a/log",
        "#2",
    ]
    assert relation.split() == ["relation", "case/A1", "-", "person/P1", "of", "enterprise-a/log", "#3"]
    assert change.split() == ["change", "A1", "case", "limit=6", "enterprise-a/log", "#4"]


def test_an_object_that_nothing_names_is_shown_as_that(capsys):
    show.print_object(history())
    shown = capsys.readouterr().out
    assert shown.startswith("fines/case/A1: no item names it, up to block 9 of 2026-01-05T00:00:00.000Z (")


def test_a_value_is_shown_with_its_key(capsys):
    show.print_value(
        {
            "key": "policy/instrument/p",
            "height": 3,
            "time": "2026-01-05T00:00:00.000Z",
            "value": {"title": "关于" + "x" * 300},
        }
    )
    shown = capsys.readouterr().out
    assert shown.startswith("policy/instrument/p, proven as of block 3 (2026-01-05T00:00:00.000Z)\n")
    assert "关于" + "x" * 300 in shown


def test_what_is_recorded_is_never_markup_and_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    table = plain_table("[/b]", "value")
    table.set_title("[/red] of this")
    table.add_row("[/red]x", "[bold]y[/bold] :smile: \x1b[31mz\u202e\u200b\x85")
    table.add_row(as_it_is("late\n2", "red"), "合同")
    table.print()
    printed = capsys.readouterr().out
    for text in ("[/b]", "[/red] of this", "[/red]x", r"[bold]y[/bold] :smile: \x1b[31mz\u202e\u200b\x85", "合同"):
        assert text in printed
    assert "\x1b" not in printed
