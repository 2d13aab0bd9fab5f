"""The relays that stand for a bad network: what they hold, break and slow down, and that they change nothing."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.cluster.lines import Lines


class Echo:
    """Two nodes that send back what they get."""

    def __init__(self) -> None:
        self.listeners = {name: socket.create_server(("127.0.0.1", 0)) for name in ("a", "b")}
        for listener in self.listeners.values():
            threading.Thread(target=self._serve, args=(listener,), daemon=True).start()
        addresses = {name: f"127.0.0.1:{on.getsockname()[1]}" for name, on in self.listeners.items()}
        self.lines = Lines(addresses)

    @staticmethod
    def _serve(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=Echo._answer, args=(connection,), daemon=True).start()

    @staticmethod
    def _answer(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(1 << 16):
                connection.sendall(data)

    def dial(self) -> socket.socket:
        """Connect as a to b."""
        host, _, port = self.lines.addresses["a", "b"].rpartition(":")
        return socket.create_connection((host, int(port)), timeout=10)


@pytest.fixture
def echo() -> Iterator[Echo]:
    made = Echo()
    yield made
    made.lines.close()
    for listener in made.listeners.values():
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def receive(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(1 << 16)
        if not part:
            break
        data += part
    return data


def test_bytes_pass_unchanged(echo: Echo) -> None:
    data = bytes(range(256)) * 4_000
    with echo.dial() as connection:
        threading.Thread(target=connection.sendall, args=(data,)).start()
        assert receive(connection, len(data)) == data


@pytest.mark.parametrize("held", [("a", "b"), ("b", "a")])
def test_a_held_direction_lets_nothing_through_and_everything_once_it_is_healed(
    echo: Echo, held: tuple[str, str]
) -> None:
    with echo.dial() as connection:
        connection.sendall(b"1")
        assert receive(connection, 1) == b"1"
        echo.lines.hold([held])
        connection.sendall(b"2")
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        echo.lines.heal()
        connection.settimeout(10)
        assert receive(connection, 1) == b"2"


def test_the_other_direction_of_a_held_line_is_open(echo: Echo) -> None:
    host, _, port = echo.lines.addresses["b", "a"].rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        echo.lines.hold([("c", "a")])
        connection.sendall(b"1")
        assert receive(connection, 1) == b"1"


def test_a_broken_line_closes_what_is_open_and_takes_nothing_new_until_it_is_healed(echo: Echo) -> None:
    def refused() -> bool:
        try:
            with echo.dial() as connection:
                connection.sendall(b"1")
                return receive(connection, 1) == b""
        except ConnectionError:
            return True

    with echo.dial() as connection:
        connection.sendall(b"1")
        assert receive(connection, 1) == b"1"
        echo.lines.break_off([("b", "a")])
        with contextlib.suppress(ConnectionError):
            assert receive(connection, 1) == b""
    assert refused()
    echo.lines.heal()
    assert not refused()


def test_a_slow_line_is_slow(echo: Echo) -> None:
    with echo.dial() as connection:
        echo.lines.slow(0.2)
        began = time.monotonic()
        for _ in range(4):
            connection.sendall(b"1")
            assert receive(connection, 1) == b"1"
        assert time.monotonic() - began > 0.2  # eight delays of 0.1 s on average
