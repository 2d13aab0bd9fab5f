"""A real signer process beside a test: start it, stop it, pause it."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from coseal.node.signing import signer_wire
from coseal.node.signing.signer_wire import Answer, Question


class SignerProcess:
    """``python -m coseal.node signer`` of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.socket = folder, folder / "signer.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "coseal.node", "signer", "--data", str(self.folder)]
        with open(self.folder / "signer.log", "ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        end = time.monotonic() + 30
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "signer.log").read_text()
            assert time.monotonic() < end
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            with connected(self.socket) as connection:
                return isinstance(ask(connection, signer_wire.Who()), signer_wire.Is)
        except OSError:
            return False

    def send(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def end(self, number: int = signal.SIGKILL) -> int:
        """Send it a signal that ends it and return its exit status."""
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGCONT)
        self._process.send_signal(number)
        status = self._process.wait(20)
        self._process = None
        return status

    def log(self) -> str:
        return (self.folder / "signer.log").read_text()


def connected(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.settimeout(10)
    try:
        connection.connect(os.fspath(path))
    except OSError:
        connection.close()
        raise
    return connection


def ask(connection: socket.socket, question: Question) -> Answer:
    connection.send(signer_wire.encode(question))
    packet = connection.recv(1024)
    if not packet:
        raise ConnectionResetError
    return signer_wire.decode_answer(packet)


def closed_by_peer(connection: socket.socket) -> bool:
    """Wait for the other side to hang up."""
    poll = select.poll()
    poll.register(connection, 0)
    return bool(poll.poll(10_000))
