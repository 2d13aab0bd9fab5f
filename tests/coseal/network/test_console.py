"""The console's port: chosen once, remembered, and said in words when something else holds it."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from coseal.errors import CosealError
from coseal.network import console
from coseal.network.folders import Network


@pytest.fixture
def net(tmp_path: Path) -> Network:
    return Network(tmp_path, "n", "c1", ())


def test_a_port_is_remembered_in_the_networks_folder(net: Network) -> None:
    assert console.port_of(net) is None
    console.remember(net, 8_888)
    assert console.port_of(net) == 8_888
    (net.directory / "console" / "port").write_text("no number")
    assert console.port_of(net) is None


def test_a_wanted_port_that_is_held_is_an_error_and_no_other_is_taken(net: Network) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        with pytest.raises(CosealError, match=f"port {port} is in use"):
            console.require_free(net, port)
        with pytest.raises(CosealError, match="the console needs it"):
            console.start(net, port)
        console.remember(net, port)
        with pytest.raises(CosealError, match="the console needs it"):
            console.start(net)
    console.require_free(net, port)
    console.require_free(net, None)


def test_a_folder_that_cannot_be_written_remembers_nothing(net: Network) -> None:
    (net.directory / "console").write_text("a file")
    console.remember(net, 8_888)
    assert console.port_of(net) is None
