"""The signer: a process of its own that holds a node's consensus key, and signs over a Unix socket.

Law: it serves only the users it is given (SO_PEERCRED), one small packet at a time, and stops at the first error of
its disk. Its folder holds the key and the guard's file and nothing of the node's.

    DIR/keys/consensus.pem   the key; it is nowhere else
    DIR/guard/journal.log    what was signed last, bound to one chain and one node; without it nothing is signed
    DIR/signer.sock          the socket, unless --socket says otherwise

Everything is synchronous: one question is answered, its record durable, before the next is read. The process loads
no network, database or configuration code of the node; ``signer_setup`` makes its folder.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import selectors
import signal
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Any, Final, NoReturn

import structlog

from coseal.ledger.errors import Malformed
from coseal.node.core import journal
from coseal.node.core.journal import Verdict
from coseal.node.exits import Exit
from coseal.node.signing import keys
from coseal.node.signing.keys import KeyProblem
from coseal.node.signing.signer_wire import MAX_PACKET_BYTES, Refused, decode_question, encode
from coseal.node.signing.signing_service import SigningService
from coseal.node.storage.files import Locked, StorageError, lock_folder
from coseal.node.storage.journal_file import JournalFile
from coseal.node.telemetry import logs

SOCKET_NAME: Final = "signer.sock"
CONNECTIONS_MAX: Final = 8
GUARD_FOLDER: Final = "guard"
KEY_NAME: Final = "consensus.pem"
_TELL_SECONDS: Final = 1.0
_SOCKET_PATH_MAX: Final = 107  # sun_path of Linux
_CREDENTIALS: Final = struct.Struct("3i")  # struct ucred: pid, uid, gid
_log = structlog.get_logger("signer")


class SignerProblem(Exception):
    """The signer cannot start as it was called; ``reason`` says what to do."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def signer_command(folder: Path, socket_path: Path | None, users: list[str]) -> int:
    """Run the signer of ``folder`` until SIGTERM; return its exit status. Problems are said in one log line."""
    logs.configure("info", folder.name)
    try:
        uids = {os.geteuid(), *(_uid(user) for user in users)}
        _lock(folder)
        service = open_service(folder)
        path = socket_path or folder.resolve() / SOCKET_NAME
        with contextlib.closing(_listen(path, shared=len(uids) > 1)) as listener:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, _stop)
            height, round = service.place
            _log.info("started", height=height, round=round, socket=str(path))
            Counter(service, listener, uids).serve()
    except (SignerProblem, KeyProblem) as error:
        return _fail(error.reason, Exit.USAGE)
    except Locked as error:
        return _fail(error.reason, Exit.LOCKED)
    except StorageError as error:
        return _fail(error.reason, Exit.STORAGE)


def open_service(folder: Path) -> SigningService:
    """Open the key and the guard of ``folder``; raise ``KeyProblem`` or ``StorageError``."""
    file = JournalFile(folder / GUARD_FOLDER)
    data = file.read()
    owner = None if data is None else journal.origin(data)
    loaded = None if owner is None else journal.load(data, *owner)
    if owner is None or loaded is None or not loaded.entitles:
        raise StorageError(
            f"{file.path} is missing or damaged, so nobody knows what this key has signed: move it away and make a "
            "new guard with `python -m coseal.node init-signer --data DIR --from NODE --above HEIGHT` "
            "(see docs/operating.md)"
        )
    if loaded.verdict is Verdict.TORN:
        file.replace(loaded.journal.rewrite())
    signer = keys.load_signer(folder / "keys" / KEY_NAME, keys.passphrase())
    return SigningService(signer, *owner, loaded.journal, file)


class Counter:
    """Serves the connections of a listening socket, one packet at a time."""

    def __init__(self, service: SigningService, listener: socket.socket, uids: set[int]) -> None:
        self._service, self._listener, self._uids = service, listener, uids
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)
        self._connections = 0
        self._told_s = 0.0

    def serve(self) -> NoReturn:
        """Answer for ever; raise ``StorageError``."""
        while True:
            ready = [key.fileobj for key, _ in self._selector.select()]
            for connection in ready:
                if isinstance(connection, socket.socket) and connection is not self._listener:
                    self._serve(connection)
            if self._listener in ready:  # last: who has hung up made room
                self._accept()

    def _serve(self, connection: socket.socket) -> None:
        if not self._answer(connection):
            self._selector.unregister(connection)
            connection.close()
            self._connections -= 1

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:  # it went away again
            return
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        pid, uid, _ = _CREDENTIALS.unpack(credentials)
        if uid not in self._uids:  # U6
            self._tell("peer_refused", pid=pid, uid=uid, reason="not a user this signer serves")
            connection.close()
        elif self._connections >= CONNECTIONS_MAX:  # U7
            self._tell("peer_refused", pid=pid, uid=uid, reason=f"{CONNECTIONS_MAX} connections are open")
            connection.close()
        else:
            connection.setblocking(False)
            self._connections += 1
            self._selector.register(connection, selectors.EVENT_READ)
            _log.info("peer_connected", pid=pid, uid=uid)

    def _answer(self, connection: socket.socket) -> bool:
        """Answer one packet; say whether the connection goes on. Only a fault of our disk is raised."""
        try:
            packet = connection.recv(MAX_PACKET_BYTES + 1)
            if not packet:
                return False
            question = decode_question(packet)
        except (OSError, Malformed):  # U7
            return False
        answer = self._service.answer(question)
        if isinstance(answer, Refused):
            self._tell("refused", reason=answer.reason)
        with contextlib.suppress(OSError):  # gone, or it does not read its answers
            return connection.send(encode(answer)) > 0
        return False

    def _tell(self, event: str, **fields: Any) -> None:
        """Log what was refused, at most once a second."""
        now_s = time.monotonic()
        if now_s - self._told_s >= _TELL_SECONDS:
            self._told_s = now_s
            _log.warning(event, **fields)


def _listen(path: Path, *, shared: bool) -> socket.socket:
    """Listen at ``path``. The folder's lock is held, so a socket that lies there is a dead signer's."""
    if len(os.fsencode(path)) > _SOCKET_PATH_MAX:
        raise SignerProblem(f"{path}: a socket's path has at most {_SOCKET_PATH_MAX} bytes; choose --socket")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        if path.is_socket():
            path.unlink()
        listener.bind(os.fspath(path))
        path.chmod(0o660 if shared else 0o600)
        listener.listen(CONNECTIONS_MAX)
    except OSError as error:
        listener.close()
        raise SignerProblem(f"cannot listen on {path}: {error.strerror}; choose --socket or free it") from None
    return listener


def _lock(folder: Path) -> None:
    if not folder.is_dir():
        raise SignerProblem(
            f"{folder} is not there; make it with `python -m coseal.node init-signer --data DIR --from NODE`"
        )
    lock_folder(folder)


def _uid(user: str) -> int:
    """Return the number of a user given by name or number."""
    try:
        return int(user) if user.isascii() and user.isdigit() else pwd.getpwnam(user).pw_uid
    except KeyError:
        raise SignerProblem(f"--user {user}: no such user here") from None


def _stop(*_: object) -> None:
    """End at once: whatever was answered is durable, and nothing else matters."""
    _log.info("stopped", status=int(Exit.STOPPED))
    sys.exit(Exit.STOPPED)


def _fail(reason: str, status: Exit) -> Exit:
    _log.error("cannot_start", reason=reason, status=int(status))
    return status
