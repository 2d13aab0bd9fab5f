"""The means of the demo; the story itself is told in tests/cluster."""

import socket
from pathlib import Path

import pytest

from coseal.demo.story import MARK, ProvenReader, free_base_port, make_room
from coseal.errors import BadAnswer, CosealError
from coseal.network import folders, processes
from coseal.network.consortium import default_consortium


def test_only_the_folder_of_an_earlier_demo_is_removed(tmp_path: Path):
    made = folders.create(tmp_path / "net", default_consortium(1))
    make_room(made.directory)
    assert folders.exists(made.directory)
    (made.directory / MARK).write_text("{}")
    make_room(made.directory)
    assert not made.directory.exists()
    make_room(made.directory)


def test_a_demo_whose_nodes_run_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made = folders.create(tmp_path / "net", default_consortium(1))
    (made.directory / MARK).write_text("{}")
    monkeypatch.setattr(processes, "pid_of", lambda node: 1)
    with pytest.raises(CosealError, match=r"run \(end them with"):
        make_room(made.directory)
    assert folders.exists(made.directory)


def test_ports_in_use_are_passed_over():
    first = free_base_port(24_200, nodes=2)
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", first + 3))
        held.listen()
        assert free_base_port(first, nodes=2) > first


def test_the_contracts_own_queries_run_over_proven_values(node):
    with node.client() as client:
        reader = ProvenReader(client)
        assert "enterprise-a" in reader.get("membership/members")
        assert reader.proofs == 1
        node.tamper = lambda key, document: {**document, "value": ["nobody"]}
        with pytest.raises(BadAnswer):
            reader.get("membership/members")
