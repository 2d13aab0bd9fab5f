"""The node's end of the wire to its signer process: a ``Signer`` whose key is elsewhere.

Law: ``sign`` returns a signature that verifies, or raises ``CannotSign`` after a bounded time; while the signer is
away it raises at once. A thread finds the signer again, so the loop waits for it once at most, ``ANSWER_SECONDS``.

Waiting on the loop is deliberate: a vote cannot go anywhere before it is signed, and a round trip is about as long as
one sync of the disk (docs/decisions/0012-signer-process.md); making the core wait would make every rule wait-able.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import threading
from collections.abc import Callable
from typing import Final

from coseal.ledger import signing
from coseal.ledger.errors import Malformed
from coseal.ledger.signing import CannotSign
from coseal.node.signing.signer_wire import (
    MAX_PACKET_BYTES,
    MAX_PREIMAGE_BYTES,
    Answer,
    Is,
    Question,
    Refused,
    Sign,
    Signed,
    Who,
    decode_answer,
    encode,
)

ANSWER_SECONDS: Final = 1.0
RETRY_SECONDS: Final = 0.5
_POLL_MS: Final = 500


class WrongSigner(Exception):
    """The process behind the socket holds another key, or signs for another chain; ``reason`` says which."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RemoteSigner:
    """Signs through the socket at ``path``; ``trouble`` is why it cannot now. ``sign`` may be called in any thread."""

    def __init__(self, path: str, public_key: bytes | None, chain_id: bytes) -> None:
        """``public_key``: what the chain registers for this node and the signer must hold; if the node does not know
        it yet, that is what the signer first says, empty until then.
        """
        self.public_key = public_key or b""
        self.trouble: str | None = "its signer was not asked yet"
        self._refused: Callable[[str], object] = lambda reason: None
        self.path, self._chain_id = path, chain_id
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._changed: Callable[[str | None], object] = lambda trouble: None
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def connect(self) -> None:
        """Try once to reach the signer; raise ``WrongSigner``. One that is away is looked for after ``start``."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.settimeout(ANSWER_SECONDS)
        try:
            connection.connect(self.path)
            self._check(_ask(connection, Who()))
        except OSError as error:
            connection.close()
            cause = error.strerror or "it does not answer"
            self._note(f"its signer is away: {cause}")
        except (WrongSigner, Malformed) as error:
            connection.close()
            self._note(error.reason)
            if isinstance(error, WrongSigner):
                raise
        else:
            with self._lock:
                if self._closing.is_set():
                    connection.close()
                else:
                    self._socket = connection
                    self._note(None)

    def start(self, changed: Callable[[str | None], object], refused: Callable[[str], object]) -> None:
        """Keep the connection from now on. Both are called in other threads: ``changed`` with the trouble when it
        begins, and None when it ends; ``refused`` with the signer's reason.
        """
        self._changed, self._refused = changed, refused
        changed(self.trouble)
        self._thread = threading.Thread(target=self._keep, name="signer", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Close the connection and end the thread."""
        self._closing.set()
        with self._lock:
            self._drop()
        if self._thread is not None:
            self._thread.join(2 * ANSWER_SECONDS)

    def sign(self, message: bytes) -> bytes:
        """Return the signer's signature of ``message``; raise ``CannotSign``."""
        if len(message) > MAX_PREIMAGE_BYTES:
            raise CannotSign("no signer process signs a message of this length")
        with self._lock:
            if self._socket is None:
                raise CannotSign(self.trouble or "its signer is away")
            try:
                answer = _ask(self._socket, Sign(message))
            except (OSError, Malformed) as error:
                # U10: what comes late must not be taken for the next answer, so this connection is over.
                self._drop()
                cause = "it did not answer in time" if isinstance(error, TimeoutError) else "the connection broke"
                self._note(f"its signer is away: {cause}")
                raise CannotSign(self.trouble or cause) from None
        match answer:
            case Signed(signature) if signing.verify(self.public_key, message, signature):
                return signature
            case Refused(reason):
                self._refused(reason)
                raise CannotSign(f"its signer refused: {reason}")
            case _:
                self._refused("its answer is not a signature of this message")
                raise CannotSign("its signer did not answer with a signature of the message")

    def _check(self, answer: Answer) -> None:
        if not isinstance(answer, Is):
            raise Malformed(f"what listens at {self.path} does not say whose key it holds")
        if self.public_key not in (b"", answer.public_key):
            raise WrongSigner(
                f"the signer at {self.path} holds another key: the chain registers {self.public_key.hex()}, "
                f"its public key is {answer.public_key.hex()}"
            )
        if answer.chain_id != self._chain_id:
            raise WrongSigner(f"the signer at {self.path} signs for another chain, {answer.chain_id.hex()}")
        self.public_key = answer.public_key

    def _note(self, trouble: str | None) -> None:
        if trouble != self.trouble and not self._closing.is_set():
            self.trouble = trouble
            self._changed(trouble)

    def _drop(self) -> None:
        """Close the connection; the lock is held. A thread that polls it is woken."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()
            self._socket = None

    def _keep(self) -> None:
        """In the thread: notice that the signer hung up, and find it again."""
        while not self._closing.is_set():
            connection = self._socket
            if connection is None:
                with contextlib.suppress(WrongSigner):
                    self.connect()
                if self._socket is None:
                    self._closing.wait(RETRY_SECONDS)
            elif _hangs_up(connection):
                with self._lock:
                    if self._socket is connection:
                        self._drop()
                        self._note("its signer is away: it closed the connection")


def _hangs_up(connection: socket.socket) -> bool:
    """Wait a moment for the other side to hang up; data is not ours to read. A closed socket has hung up."""
    poll = select.poll()
    with contextlib.suppress(OSError, ValueError):
        poll.register(connection, 0)  # hang-ups are reported without being asked for
        return bool(poll.poll(_POLL_MS))
    return True


def _ask(connection: socket.socket, question: Question) -> Answer:
    """Send a question and return the answer; raise ``OSError`` or ``Malformed``."""
    connection.sendall(encode(question))
    packet = connection.recv(MAX_PACKET_BYTES + 1)
    if not packet:
        raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
    return decode_answer(packet)
