"""The errors that bytes from outside may raise, as a small tree.

Law: parsing or verifying someone else's bytes raises one of these and nothing else.

    LedgerError
    ├── Malformed        bytes that are not the canonical form of anything we know
    │   └── TooLarge     more of them than their kind may have
    ├── BadSignature     a signature that does not verify under the one rule (E1)
    ├── BadCertificate   a quorum certificate that proves nothing
    └── BadProof         a Merkle or state proof that does not lead to the root
"""

from __future__ import annotations


class LedgerError(Exception):
    """Base of every error caused by bytes from outside; ``reason`` says what is wrong with them."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Malformed(LedgerError):
    """The bytes are not the canonical encoding of the expected value."""


class TooLarge(Malformed):
    """There are more bytes than their kind may have."""


class BadSignature(LedgerError):
    """A signature does not verify, or its encoding is outside the accepted subset."""


class BadCertificate(LedgerError):
    """A certificate does not carry a quorum of distinct valid signatures."""


class BadProof(LedgerError):
    """A proof does not connect the claimed value to the claimed root."""
