"""``python -m coseal.node.verifier.worker``: the process that checks signatures for a node, read from its input.

Law: it knows nothing but the question before it, keeps nothing, and ends when the node does. A question is the number
of signatures (4 bytes, big-endian) and that many records of ``RECORD_BYTES``; the answer is a byte for each, 1 or 0.

A process, because a thread must hold the interpreter between two signatures: while the loop executes a block threads
check hardly any, and while they check the loop stands still.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import BinaryIO, Final

from coseal.ledger import signing
from coseal.ledger.signing import PREIMAGE_BYTES, PUBLIC_KEY_BYTES, SIGNATURE_BYTES

COUNT_BYTES: Final = 4
_SIGNATURE_AT: Final = PUBLIC_KEY_BYTES + PREIMAGE_BYTES
RECORD_BYTES: Final = _SIGNATURE_AT + SIGNATURE_BYTES
"""Public key, preimage (``signing.body_preimage``), signature."""


def question(records: Iterable[tuple[bytes, bytes, bytes]]) -> bytes:
    """Return the bytes that ask about signatures, each as public key, preimage and signature of their fixed lengths."""
    body = b"".join([part for record in records for part in record])
    return (len(body) // RECORD_BYTES).to_bytes(COUNT_BYTES, "big") + body


def answer(body: bytes) -> bytes:
    """Return the answer to the records of a question: whether each signature is accepted under rule E1."""
    return bytes(
        [
            signing.verify(
                body[start : start + PUBLIC_KEY_BYTES],
                body[start + PUBLIC_KEY_BYTES : start + _SIGNATURE_AT],
                body[start + _SIGNATURE_AT : start + RECORD_BYTES],
            )
            for start in range(0, len(body), RECORD_BYTES)
        ]
    )


def serve(questions: BinaryIO, answers: socket.socket) -> None:
    """Answer until the other end is gone."""
    while len(count := questions.read(COUNT_BYTES)) == COUNT_BYTES:
        size_bytes = int.from_bytes(count, "big") * RECORD_BYTES
        body = questions.read(size_bytes)
        if len(body) < size_bytes:
            return
        answers.sendall(answer(body))


def main() -> None:
    """Serve the socket at standard input; the node's end ends us."""
    with socket.socket(fileno=0) as node, node.makefile("rb") as questions:
        try:
            serve(questions, node)
        except ConnectionError:
            return


if __name__ == "__main__":
    main()
