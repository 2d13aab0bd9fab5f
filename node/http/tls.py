"""TLS for the HTTP API: its certificate and key, and the listener that bounds what comes before HTTP.

Law: a connection counts, and its time runs, from the moment it is accepted, not from the end of its handshake; and a
key that cannot be used is said at the start, never asked for on a terminal.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from coseal.node.http.gatekeeper import is_loopback
from coseal.node.http.limits import Limits
from coseal.node.signing.keys import KeyProblem, require_private
from coseal.node.transport.pending_connections import PendingConnections


def http_context(certificate: Path, key: Path, secret: bytes | None, *, consensus_key: bytes) -> ssl.SSLContext:
    """Return a context of TLS 1.2 or newer; raise ``KeyProblem``, also if the key is the consensus key."""
    require_private(key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, password=lambda: secret or b"")
    except OSError as error:  # ssl.SSLError is one
        cause = "they do not belong together, or the passphrase does not fit" if not error.filename else error.strerror
        if isinstance(error, FileNotFoundError):
            cause = "no such file"
        raise KeyProblem(f"http_tls_certificate {certificate} and http_tls_key {key}: {cause}") from None
    if _public_key(key, secret) == consensus_key:
        raise KeyProblem(f"http_tls_key {key} is the consensus key; HTTP needs a key of its own")
    return context


def _public_key(path: Path, secret: bytes | None) -> bytes | None:
    """Return the raw public key of an Ed25519 key file, None for a key of another kind, which is no consensus key."""
    for passphrase in (secret, None):
        with contextlib.suppress(TypeError, ValueError, UnsupportedAlgorithm):
            key = load_pem_private_key(path.read_bytes(), passphrase)
            return key.public_key().public_bytes_raw() if isinstance(key, Ed25519PrivateKey) else None
    return None


class TlsListener:
    """Accepts connections for a protocol that sees them when their handshake is done.

    It has what uvicorn asks of a server: ``sockets``, ``close`` and ``wait_closed``.
    """

    def __init__(
        self, listener: socket.socket, context: ssl.SSLContext, protocol: Callable[[], asyncio.Protocol], limits: Limits
    ) -> None:
        self.sockets = [listener]
        self._context, self._protocol, self._limits = context, protocol, limits
        self.strangers = PendingConnections(limits.handshakes, limits.handshakes_per_address)
        self._tasks: set[asyncio.Task[None]] = set()
        self._spawn(self._accept(listener))

    def close(self) -> None:
        """Accept no more, and end the handshakes under way."""
        for task in self._tasks:
            task.cancel()
        self.sockets[0].close()

    async def wait_closed(self) -> None:
        """Wait until nothing of it runs any more."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await loop.sock_accept(listener)
            except OSError:  # out of descriptors: give others time to close theirs
                await asyncio.sleep(0.1)
                continue
            self._welcome(connection, str(address[0]))

    def _welcome(self, connection: socket.socket, host: str) -> None:
        tasks: list[asyncio.Task[None]] = []
        place = self.strangers.enter(host, lambda: tasks[0].cancel(), counted=not is_loopback(host))
        if place is None:
            connection.close()
            return

        def done(task: asyncio.Task[None]) -> None:
            self.strangers.leave(place)
            if task.cancelled():  # perhaps before it began
                connection.close()

        tasks.append(self._spawn(self._shake_hands(connection)))
        tasks[0].add_done_callback(done)

    async def _shake_hands(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError, TimeoutError):  # a stranger's handshake is nobody's fault here
            await asyncio.get_running_loop().connect_accepted_socket(
                self._protocol,
                connection,
                ssl=self._context,
                ssl_handshake_timeout=self._limits.handshake_seconds,
            )

    def _spawn(self, work: object) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
