"""Making and reading a network's folder."""

import stat
import tomllib
from pathlib import Path

import pytest

from coseal.client import keys
from coseal.errors import CosealError
from coseal.ledger.genesis import Genesis
from coseal.network import folders
from coseal.network.consortium import default_consortium, parse_consortium


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> folders.Network:
    folder = tmp_path_factory.mktemp("made") / "net"
    addressing = folders.Addressing(base_port=24_000)
    return folders.create(folder, default_consortium(4, "made"), observers=1, addressing=addressing)


def test_the_genesis_names_the_keys_in_the_files(made: folders.Network):
    genesis = made.genesis()
    assert genesis.chain_id.hex() == made.chain_id
    for member in genesis.members:
        for operator in member.operators:
            path = made.key_path(f"{member.id}/{operator.user}")
            assert keys.read_signer(path).public_key == operator.key
    for node in genesis.nodes:
        folder = made.node(node.id).data / "keys"
        assert keys.read_signer(folder / "consensus.pem").public_key == node.consensus_key
        assert keys.read_signer(folder / "operator.pem").public_key == genesis_operator(genesis, node.member)


def genesis_operator(genesis: Genesis, member: str) -> bytes:
    return next(m for m in genesis.members if m.id == member).operators[0].key


def test_every_private_file_is_its_owners_alone(made: folders.Network):
    private = [*made.directory.rglob("*.pem"), *made.directory.rglob("tokens.toml")]
    assert len(private) == 5 + 5 * 3 + 5  # users, three keys and a token file a node
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in private)


def test_a_node_is_told_its_ports_its_peers_and_its_gateway(made: folders.Network):
    config = tomllib.loads((made.node("bank-a").data / "node.toml").read_text())
    assert (config["http_listen"], config["link_listen"]) == ("127.0.0.1:24004", "127.0.0.1:24005")
    assert config["gateway_sender"] == "bank-a/admin"
    assert config["peers"] == {
        "regulator": "127.0.0.1:24001",
        "central-bank": "127.0.0.1:24003",
        "enterprise-a": "127.0.0.1:24007",
        "observer-1": "127.0.0.1:24009",
    }


def test_an_observer_belongs_to_the_public_and_does_not_vote(made: folders.Network):
    node = made.node("observer-1")
    assert (node.member, node.role, node.kind) == ("public", "public", "observer")
    assert made.genesis().validators.index("observer-1") is None


def test_every_node_has_an_empty_journal(made: folders.Network):
    assert all((node.data / "journal").is_dir() for node in made.nodes)


def test_what_was_made_is_read_back(made: folders.Network):
    assert folders.load(made.directory) == made


def test_a_folder_with_a_network_or_anything_else_is_not_overwritten(made: folders.Network, tmp_path: Path):
    with pytest.raises(CosealError, match="holds a network already"):
        folders.create(made.directory, default_consortium(4))
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(CosealError, match="not empty"):
        folders.create(tmp_path, default_consortium(4))
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_failed_attempt_leaves_nothing_behind(tmp_path: Path):
    document = {
        "members": [{"id": "a", "role": "bank"}, {"id": "a-2", "role": "enterprise"}],
        "validators": ["a", "a", "a-2"],
    }
    with pytest.raises(CosealError, match="two nodes would be named a-2"):
        folders.create(tmp_path / "net", parse_consortium(document))
    assert list(tmp_path.iterdir()) == []


def test_a_changed_genesis_is_noticed(tmp_path: Path):
    made = folders.create(tmp_path / "net", default_consortium(1))
    raw = made.genesis_path.read_bytes()
    made.genesis_path.write_bytes(raw.replace(b'"tenure": 16', b'"tenure": 17'))
    with pytest.raises(CosealError, match="was changed"):
        made.genesis()


def test_by_name_every_node_listens_on_one_port_and_is_reached_by_its_name(tmp_path: Path):
    addressing = folders.Addressing(base_port=24_100, by_name=True)
    made = folders.create(tmp_path / "net", default_consortium(4), addressing=addressing)
    config = tomllib.loads((made.node("bank-a").data / "node.toml").read_text())
    assert (config["http_listen"], config["link_listen"]) == ("0.0.0.0:24100", "0.0.0.0:24101")
    assert config["peers"]["regulator"] == "regulator:24101"
    assert config["http_allow_plain"] is True
    assert made.node("bank-a").url == "http://127.0.0.1:24104"


def test_with_a_passphrase_in_the_environment_every_key_is_encrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "secret").write_text("tell nobody\n")
    (tmp_path / "secret").chmod(0o600)
    monkeypatch.setenv("COSEAL_KEY_PASSPHRASE_FILE", str(tmp_path / "secret"))
    made = folders.create(tmp_path / "net", default_consortium(1))
    files = list(made.directory.rglob("*.pem"))
    assert len(files) == 4 + 3
    assert all(b"ENCRYPTED" in path.read_bytes() for path in files)
    assert keys.read_signer(made.key_path("regulator/admin"), keys.environment_passphrase())


def test_errors_say_what_to_do(made: folders.Network, tmp_path: Path):
    with pytest.raises(CosealError, match="coseal up"):
        folders.load(tmp_path / "none")
    with pytest.raises(CosealError, match="choose one of regulator"):
        made.node("nobody")
    with pytest.raises(CosealError, match="enterprise-a/admin"):
        made.key_path("bank-a/nobody")
    (tmp_path / "network.toml").write_text("version = 1\n")
    with pytest.raises(CosealError, match="damaged"):
        folders.load(tmp_path)


@pytest.mark.parametrize("port", [0, 65_530])
def test_ports_must_fit(tmp_path: Path, port: int):
    with pytest.raises(CosealError, match="base port"):
        folders.create(tmp_path / "net", default_consortium(4), addressing=folders.Addressing(base_port=port))
