"""The kinds of certificates, one for each engine, and how one is read whose kind its own bytes say.

Law: both prove that q distinct validators signed for one block at its height; which kind a chain has is said by its
genesis (``ledger.engines``). They are used alike: ``height``, ``round``, ``signers()``, ``hash``, ``is_of(header)``,
``verify_commit(header, validators)``.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from coseal.ledger import codec
from coseal.ledger.certificate import PbftCertificate
from coseal.ledger.comet import COMET_TAG, CometCertificate
from coseal.ledger.errors import Malformed

Certificate: TypeAlias = PbftCertificate | CometCertificate


def certificate_from_value(value: Any) -> Certificate:
    """Parse the decoded form of either kind; raise ``Malformed``. Proves nothing until ``verify_commit``."""
    if type(value) is list and value[:1] == [COMET_TAG]:
        return CometCertificate.from_value(value)
    return PbftCertificate.from_value(value)


def decode_certificate(data: bytes) -> Certificate:
    """Parse the bytes of either kind; raise ``Malformed``. Proves nothing until ``verify_commit``."""
    return certificate_from_value(codec.decode(data))


def require_pbft(certificate: Certificate) -> PbftCertificate:
    """Return a certificate of our own PBFT, which runs the machine that asks; raise ``Malformed`` for another kind."""
    if not isinstance(certificate, PbftCertificate):
        raise Malformed("not a certificate of Coseal's PBFT, which orders this chain")
    return certificate
