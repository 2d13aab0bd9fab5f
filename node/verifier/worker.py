"""``python -m coseal.node.verifier.worker``: the process that checks signatures for a node, read from its input.

Law: it knows nothing but the question before it, keeps nothing, and ends when the node does. A question is the number
of signatures (4 bytes, big-endian), a byte that says whether the native half may be used, and that many records of
``RECORD_BYTES``; the answer is a byte for each, 1 or 0, plus ``NATIVE_STOPPED`` after a fault of the native half.

A process, because a thread must hold the interpreter between two signatures: while the loop executes a block threads
check hardly any, and while they check the loop stands still.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterable
from typing import BinaryIO, Final

from coseal.ledger import native
from coseal.ledger.native import Core
from coseal.ledger.signing import PREIMAGE_BYTES, PUBLIC_KEY_BYTES, SIGNATURE_BYTES

COUNT_BYTES: Final = 4
HEAD_BYTES: Final = COUNT_BYTES + 1
RECORD_BYTES: Final = PUBLIC_KEY_BYTES + PREIMAGE_BYTES + SIGNATURE_BYTES
"""Public key, preimage (``signing.body_preimage``), signature."""
GOOD: Final = 1
NATIVE_STOPPED: Final = 2


def question(records: Iterable[tuple[bytes, bytes, bytes]], *, native: bool = True) -> bytes:
    """Return the bytes that ask about signatures, each as public key, preimage and signature of their fixed lengths."""
    body = b"".join([part for record in records for part in record])
    return (len(body) // RECORD_BYTES).to_bytes(COUNT_BYTES, "big") + bytes([native]) + body


def answer(body: bytes, core: Core) -> bytes:
    """Return the answer to the records of a question: whether each signature is accepted under rule E1."""
    verdicts = core.verify_many(body, PREIMAGE_BYTES)
    stopped = NATIVE_STOPPED if core.fault is not None else 0
    return bytes([verdict | stopped for verdict in verdicts])


def serve(questions: BinaryIO, answers: socket.socket, core: Core) -> None:
    """Answer until the other end is gone."""
    while len(head := questions.read(HEAD_BYTES)) == HEAD_BYTES:
        size_bytes = int.from_bytes(head[:COUNT_BYTES], "big") * RECORD_BYTES
        body = questions.read(size_bytes)
        if len(body) < size_bytes:
            return
        if not head[COUNT_BYTES]:
            core.stop_native("stopped by the node")
        answers.sendall(answer(body, core))


def main() -> None:
    """Serve the socket at standard input; the node's end ends us. Arguments: mode and version of the node's core."""
    core = native.choose(*sys.argv[1:3]) if sys.argv[1:] else Core()
    core.report = lambda fault: print(f"the native half stopped: {fault}", file=sys.stderr)
    with socket.socket(fileno=0) as node, node.makefile("rb") as questions:
        try:
            serve(questions, node, core)
        except ConnectionError:
            return


if __name__ == "__main__":
    main()
