"""A network's folder that changes: nodes come and go, keys are replaced, one command at a time, nothing is lost."""

from __future__ import annotations

import json
import shutil
import stat
import tomllib
from pathlib import Path

import pytest

from coseal.client import keys
from coseal.errors import CosealError
from coseal.network import edit, folders
from coseal.network.consortium import default_consortium
from coseal.network.edit import Addition
from coseal.node import config
from tests.cluster.network import reserve_ports
from tests.support.genesis import make_genesis

NEW = Addition("bank-a-2", "bank-a", "bank", "validator")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> folders.Network:
    base, _ = reserve_ports(6)
    addressing = folders.Addressing(base_port=base)
    return folders.create(tmp_path_factory.mktemp("made") / "net", default_consortium(4), addressing=addressing)


@pytest.fixture
def net(made: folders.Network, tmp_path: Path) -> folders.Network:
    """A copy of the one that was made, for each test."""
    return folders.load(shutil.copytree(made.directory, tmp_path / "net"))


def add(net: folders.Network, addition: Addition = NEW, **options: int) -> folders.Network:
    return edit.add_node(net, addition, net.key_path("bank-a/admin"), "admin", **options)


def peers(net: folders.Network, node: str) -> dict[str, str]:
    return dict(tomllib.loads((net.node(node).data / "node.toml").read_text())["peers"])


def test_an_added_node_has_all_that_a_founding_one_has(net: folders.Network) -> None:
    added = add(net)
    assert folders.load(net.directory) == added
    entry, founder = added.node("bank-a-2"), added.node("bank-a")
    files = {path.relative_to(founder.data) for path in founder.data.rglob("*")}
    assert {path.relative_to(entry.data) for path in entry.data.rglob("*")} == files | {Path("adding.json")}
    assert (entry.kind, entry.member, entry.role) == ("observer", "bank-a", "bank")
    assert config.load(entry.data).node_id == "bank-a-2"
    assert peers(added, "bank-a-2") == {node.name: node.link for node in net.nodes}
    assert all(peers(added, node.name)["bank-a-2"] == entry.link for node in net.nodes)
    for name in ("consensus", "link", "operator"):
        assert stat.S_IMODE((entry.data / "keys" / f"{name}.pem").stat().st_mode) == 0o600
    assert len({node.http for node in added.nodes} | {node.link for node in added.nodes}) == 10


def test_a_node_added_where_cometbft_orders_the_chain_knows_whom_to_ask(
    net: folders.Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert config.load(add(net).node("bank-a-2").data).join_from == ()
    monkeypatch.setattr(folders.Network, "genesis", lambda _: make_genesis(engine="cometbft"))
    late = edit.add_node(net, Addition("late", "bank-a", "bank", "observer"), net.key_path("bank-a/admin"), "admin")
    assert config.load(late.node("late").data).join_from == tuple(node.url for node in net.nodes)


def test_an_addition_is_unfinished_until_it_is_finished(net: folders.Network) -> None:
    assert edit.unfinished(net) is None
    added = add(net)
    assert edit.unfinished(folders.load(net.directory)) == NEW
    finished = edit.finish(added, NEW)
    assert edit.unfinished(finished) is None
    assert folders.load(net.directory).node("bank-a-2").kind == "validator"


def test_a_folder_that_nobody_came_to_know_is_made_anew(net: folders.Network) -> None:
    add(net)
    text = folders.network_toml(net.name, net.chain_id, [*net.nodes])
    (net.directory / "network.toml").write_text(text.replace(f"{net.directory}/", ""))
    before = (net.directory / "nodes" / "bank-a-2" / "keys" / "consensus.pem").read_bytes()
    added = add(folders.load(net.directory))
    assert (added.node("bank-a-2").data / "keys" / "consensus.pem").read_bytes() != before


def test_a_removed_node_is_put_aside_and_its_name_is_used_up(net: folders.Network) -> None:
    added = edit.finish(add(net), NEW)
    left, folder = edit.remove_node(added, "bank-a-2")
    assert folders.load(net.directory) == left == net
    assert (folder / "keys" / "consensus.pem").is_file()
    assert all("bank-a-2" not in peers(left, node.name) for node in left.nodes)
    with pytest.raises(CosealError, match="has or had a node"):
        add(left)


@pytest.mark.parametrize("name", ["bank-a", "Bank", "a/b", ".hidden", ""])
def test_a_name_that_is_taken_or_none_is_refused_and_nothing_is_left(net: folders.Network, name: str) -> None:
    before = sorted(net.directory.rglob("*"))
    with pytest.raises(CosealError):
        add(net, Addition(name, "bank-a", "bank", "observer"))
    assert sorted(net.directory.rglob("*")) == before


def test_a_port_may_be_asked_for(net: folders.Network) -> None:
    base = int(net.nodes[-1].http.rpartition(":")[2]) + 4
    assert add(net, port=base).node("bank-a-2").link.endswith(f":{base + 1}")


def test_one_command_at_a_time_changes_a_folder(net: folders.Network) -> None:
    with (
        edit.changing(net.directory),
        pytest.raises(CosealError, match="another command is changing"),
        edit.changing(net.directory),
    ):
        pass
    with edit.changing(net.directory) as again:
        assert again == net


def test_a_key_is_staged_once_and_its_former_one_is_kept(net: folders.Network) -> None:
    path = net.key_path("bank-a/admin")
    staged = path.parent / "next" / path.name
    former = keys.read_signer(path).public_key
    key = edit.stage_key(staged)
    assert edit.stage_key(staged) == key != former
    assert keys.read_signer(path).public_key == former
    kept = edit.promote_key(staged, path)
    assert (keys.read_signer(path).public_key, keys.read_signer(kept).public_key) == (key, former)
    assert edit.promote_key(staged, path) == kept  # after an interruption
    staged.unlink()
    assert net.users("bank-a") == ["admin"]
    node = net.node("bank-a")
    edit.write_operator_key(node, path)
    assert keys.read_signer(node.data / "keys" / "operator.pem").public_key == key


def test_with_a_passphrase_new_keys_are_encrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSEAL_KEY_PASSPHRASE", "long enough a phrase")
    edit.stage_key(tmp_path / "next" / "admin.pem")
    assert "ENCRYPTED" in (tmp_path / "next" / "admin.pem").read_text()


def test_a_network_of_containers_is_told_to_be_changed_by_hand(tmp_path: Path, net: folders.Network) -> None:
    edit.require_local(net)
    addressing = folders.Addressing(by_name=True)
    far = folders.create(tmp_path / "far", default_consortium(4), addressing=addressing)
    with pytest.raises(CosealError, match="containers"):
        edit.require_local(far)


def test_what_was_asked_for_must_be_readable(net: folders.Network) -> None:
    added = add(net)
    (added.node("bank-a-2").data / "adding.json").write_text(json.dumps({"member": "bank-a"}))
    with pytest.raises(CosealError, match="damaged"):
        edit.unfinished(added)
