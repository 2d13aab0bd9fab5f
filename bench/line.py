"""What a line between two network namespaces does: the time there and back, and what one TCP connection carries."""

from __future__ import annotations

import socket
import statistics
import threading
import time

from bench.delay import inside
from bench.figures import Run

_ECHOES = 20
_SENT_BYTES = 16 * 1024 * 1024
_TIMEOUT_S = 60.0


def line(near: str, far: str, address: str, port: int, *, sent_bytes: int = _SENT_BYTES) -> Run:
    """Measure between namespaces ``near`` and ``far``, which has ``address``; ``port`` is free there.

    ``ping ms`` is the median of single bytes sent there and back, ``least ping ms`` the least; ``MB/s`` is the rate of
    one new connection, its slow start included.
    """
    with inside(far):
        listener = socket.create_server((address, port))
    listener.settimeout(_TIMEOUT_S)
    answering = threading.Thread(target=_answer, args=(listener, sent_bytes), daemon=True)
    answering.start()
    with listener:
        with _connected(near, address, port) as connection:
            pings = [_round_trip_ms(connection, b"?") for _ in range(_ECHOES)]
        with _connected(near, address, port) as connection:
            took_ms = _round_trip_ms(connection, b"." * sent_bytes)
        answering.join(_TIMEOUT_S)
    return {"ping ms": statistics.median(pings), "least ping ms": min(pings), "MB/s": sent_bytes / took_ms / 1000}


def _connected(namespace: str, address: str, port: int) -> socket.socket:
    with inside(namespace):
        connection = socket.socket()
    connection.settimeout(_TIMEOUT_S)
    connection.connect((address, port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _round_trip_ms(connection: socket.socket, data: bytes) -> float:
    """Send, and wait for the one byte that says that all has arrived."""
    began = time.perf_counter()
    connection.sendall(data)
    if not connection.recv(1):
        raise ConnectionError("the other end closed the connection")
    return (time.perf_counter() - began) * 1000


def _answer(listener: socket.socket, sent_bytes: int) -> None:
    """Answer each byte of the first connection, and the second once when all has come."""
    with listener.accept()[0] as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while connection.recv(1):
            connection.sendall(b"!")
    with listener.accept()[0] as connection:
        left = sent_bytes
        while left > 0 and (received := len(connection.recv(1 << 20))):
            left -= received
        if left == 0:
            connection.sendall(b"!")
