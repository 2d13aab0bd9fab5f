"""What a member that joins later makes on its own machine; the whole way is in tests/cluster/test_consortium.py."""

import json
import tomllib
from pathlib import Path

import pytest

from coseal.client import keys
from coseal.client.arguments import parse_subject
from coseal.errors import CosealError
from coseal.network import folders
from coseal.network.add_nodes import NewMember
from coseal.network.bootstrap import Place, prepare
from coseal.network.consortium import default_consortium

NEW = NewMember("bank-b", "Bank B", "bank")
PEERS = {"regulator": "regulator.example:8601"}


@pytest.fixture(scope="module")
def genesis(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folders.create(tmp_path_factory.mktemp("made") / "net", default_consortium(4)).genesis_path


@pytest.fixture(autouse=True)
def without_journals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start no node software, which takes seconds."""
    monkeypatch.setattr(folders, "make_journals", lambda folders: None)


def test_keys_configuration_and_two_public_files_are_made(genesis: Path, tmp_path: Path) -> None:
    prepare(tmp_path / "own", NEW, genesis, Place("bank-b.example:8601", 9000), PEERS)
    made = folders.load(tmp_path / "own")
    (node,) = made.nodes
    assert (node.name, node.kind, node.http) == ("bank-b", "observer", "127.0.0.1:9000")
    assert made.genesis_path.read_bytes() == genesis.read_bytes()
    config = tomllib.loads((node.data / "node.toml").read_text())
    assert (config["peers"], config["link_listen"]) == (PEERS, "0.0.0.0:8601")
    subject = parse_subject("add_member", [], tmp_path / "own" / "member.json")
    assert subject["operators"][0]["key"] == keys.read_signer(made.key_path("bank-b/admin")).public_key.hex()
    arguments = json.loads((tmp_path / "own" / "node.json").read_text())
    assert arguments["consensus_key"] == keys.read_signer(node.data / "keys" / "consensus.pem").public_key.hex()
    assert arguments["address"] == "bank-b.example:8601"
    with pytest.raises(CosealError, match="is ready"):
        prepare(tmp_path / "own", NEW, genesis, Place("bank-b.example:8601"), PEERS)


def test_where_cometbft_orders_the_chain_the_node_knows_whom_to_ask(genesis: Path, tmp_path: Path) -> None:
    place = Place("bank-b.example:8601", join_from=("https://regulator.example:8600",))
    prepare(tmp_path / "own", NEW, genesis, place, PEERS)
    config = tomllib.loads((tmp_path / "own" / "nodes" / "bank-b" / "node.toml").read_text())
    assert config["join_from"] == ["https://regulator.example:8600"]


def test_an_interrupted_preparation_goes_on_with_the_same_keys(genesis: Path, tmp_path: Path) -> None:
    prepare(tmp_path / "own", NEW, genesis, Place("bank-b.example:8601"), PEERS)
    before = (tmp_path / "own" / "node.json").read_bytes()
    (tmp_path / "own" / "network.toml").unlink()
    prepare(tmp_path / "own", NEW, genesis, Place("bank-b.example:8601"), PEERS)
    assert (tmp_path / "own" / "node.json").read_bytes() == before


def test_what_does_not_fit_is_refused_before_a_key_is_made(genesis: Path, tmp_path: Path) -> None:
    place = Place("bank-b.example:8601")
    with pytest.raises(CosealError, match="bank-a is in the genesis"):
        prepare(tmp_path / "own", NewMember("bank-a", "A", "bank"), genesis, place, PEERS)
    with pytest.raises(CosealError, match="no peer is named"):
        prepare(tmp_path / "own", NEW, genesis, place, {})
    with pytest.raises(CosealError, match="expected HOST:PORT"):
        prepare(tmp_path / "own", NEW, genesis, place, {"regulator": "nowhere"})
    with pytest.raises(CosealError, match="no role"):
        prepare(tmp_path / "own", NewMember("bank-b", "B", "queen"), genesis, place, PEERS)
    with pytest.raises(CosealError, match="give --genesis FILE"):
        prepare(tmp_path / "own", NEW, tmp_path / "none.json", place, PEERS)
    with pytest.raises(CosealError, match="address of bank-b: expected HOST:PORT"):
        prepare(tmp_path / "own", NEW, genesis, Place("bank-b.example"), PEERS)
    assert not (tmp_path / "own").exists()
