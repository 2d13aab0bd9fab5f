"""Which token a command shows to whom: one that was given, else that of the node's own folder, where reads need one."""

from dataclasses import replace

import pytest

from coseal.network import folders, processes
from coseal.network.access import Access
from coseal.network.consortium import default_consortium

URL = "http://127.0.0.1:34500"


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> folders.Network:
    consortium = default_consortium(4, "private")
    consortium = replace(consortium, parameters=replace(consortium.parameters, public_read=False))
    return folders.create(
        tmp_path_factory.mktemp("private") / "net", consortium, addressing=folders.Addressing(base_port=34500)
    )


def own(node: folders.NodeEntry) -> str | None:
    return processes.reading_token(node.data / "keys" / "tokens.toml")


def test_a_node_of_the_folder_is_shown_its_own_token_and_one_elsewhere_only_what_was_given(private: folders.Network):
    node, genesis = private.nodes[1], private.genesis()
    assert own(node) is not None
    assert Access(private.directory, node=node.name).find(genesis) == (node.url, own(node))
    assert Access(private.directory, node=node.name, token="given").find(genesis) == (node.url, "given")
    assert Access(private.directory, url=URL).find(genesis) == (URL, None)


def test_its_own_token_is_shown_where_everybody_may_read_too_for_what_is_for_members(private: folders.Network):
    assert [processes.token_for(node) for node in private.nodes] == [own(node) for node in private.nodes]
