"""Ports that something holds, said in words."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from coseal.errors import CosealError
from coseal.network import ports


@pytest.fixture
def held() -> Iterator[int]:
    """A port on which this process listens."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def test_who_holds_a_port_is_named(held: int) -> None:
    assert ports.holder(held) is not None
    assert f"process {os.getpid()}" in ports.in_use(held)
    assert not ports.is_free("127.0.0.1", held)


def test_a_free_port_is_nobodys(held: int) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert ports.is_free("127.0.0.1", port)
    assert ports.holder(port) is None
    assert ports.in_use(port) == f"port {port} is in use"


def test_every_held_port_is_named_with_what_needs_it_and_what_to_do(held: int) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        second = other.getsockname()[1]
        wanted = [("one", f"127.0.0.1:{held}"), ("two", f"127.0.0.1:{second}")]
        with pytest.raises(CosealError) as caught:
            ports.require_free(wanted, "choose others")
    assert f"port {held} is in use by" in caught.value.detail
    assert "and one needs it" in caught.value.detail
    assert f"port {second} is in use by" in caught.value.detail
    assert caught.value.hint == "choose others"


def test_an_address_of_another_machine_is_no_port_in_use() -> None:
    with pytest.raises(CosealError, match=r"cannot listen on 192\.0\.2\.1:8600"):
        ports.require_free([("a node", "192.0.2.1:8600")], "")


def test_free_ports_for_a_network_are_found() -> None:
    base = ports.free_base(4)
    assert base is not None
    assert all(ports.is_free("127.0.0.1", port) for port in range(base, base + 8))
