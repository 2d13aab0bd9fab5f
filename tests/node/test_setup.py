from __future__ import annotations

import json
from pathlib import Path

import pytest

from coseal.ledger.genesis import Genesis
from coseal.node import setup
from coseal.node.__main__ import main
from coseal.node.config import load
from coseal.node.core import journal
from coseal.node.signing import keys
from tests.node.single import make_node


def test_keys_are_made_and_their_public_parts_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--data", str(tmp_path / "node"), "--node-id", "bank-a"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["id"] == "bank-a"
    folder = tmp_path / "node" / "keys"
    assert keys.load_signer(folder / "consensus.pem").public_key.hex() == shown["consensus_key"]
    assert keys.load_certificate(folder / "link.crt").hex() == shown["link_certificate"]


def test_existing_keys_are_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--data", str(tmp_path), "--node-id", "bank-a"]) == 0
    before = (tmp_path / "keys" / "consensus.pem").read_bytes()
    assert main(["init", "--data", str(tmp_path), "--node-id", "bank-a"]) == 2
    assert "exists" in capsys.readouterr().err
    assert (tmp_path / "keys" / "consensus.pem").read_bytes() == before


def test_a_journal_is_made_once_for_the_chain_of_the_genesis(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_node(tmp_path, port=22_050, with_journal=False)
    assert main(["init", "--data", str(folder)]) == 0
    chain_id = Genesis.decode((folder / "genesis.json").read_bytes()).chain_id
    loaded = journal.load((folder / "journal" / "journal.log").read_bytes(), chain_id, "regulator")
    assert loaded.verdict is journal.Verdict.INTACT
    assert main(["init", "--data", str(folder)]) == 4
    assert "journal.log" in capsys.readouterr().err


def test_no_journal_without_a_genesis(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_node(tmp_path, port=22_050, with_journal=False)
    (folder / "genesis.json").write_text("{}")
    assert main(["init", "--data", str(folder)]) == 2
    (folder / "genesis.json").unlink()
    assert main(["init", "--data", str(folder)]) == 2
    assert "genesis.json" in capsys.readouterr().err
    assert not (folder / "journal").exists()


def test_the_configuration_names_the_genesis(tmp_path: Path) -> None:
    folder = make_node(tmp_path, port=22_050)
    assert setup.read_genesis(load(folder)).nodes[0].id == "regulator"
