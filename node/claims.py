"""What a peer's certificate proves: that its tip is one, or that the chain has two.

Law: nothing is concluded from a certificate before all its signatures verify.
"""

from __future__ import annotations

from consensus.rules import Tip
from ledger import signing
from ledger.certificate import Certificate, Phase
from ledger.errors import BadCertificate
from ledger.signing import Verify
from ledger.validators import ValidatorSet


def require_commit(
    certificate: Certificate, chain_id: bytes, validators: ValidatorSet, verify: Verify = signing.verify
) -> None:
    """Raise ``BadCertificate`` unless q of ``validators`` committed the certificate's block."""
    if certificate.phase is not Phase.COMMIT:
        raise BadCertificate("not a certificate of COMMIT votes")
    certificate.verify(chain_id, validators, verify)


def conflict(certificate: Certificate, tip: Tip, chain_id: bytes, verify: Verify = signing.verify) -> str | None:
    """Say in words that ``certificate`` is of another block at the height of ``tip``; None if it is not (N21).

    More than f validators signed both then, and nothing here can be relied on. Raises ``BadCertificate`` for one
    that proves nothing.
    """
    own = tip.certificate
    if own is None or certificate.height != tip.height or certificate.block_hash == tip.hash:
        return None
    require_commit(certificate, chain_id, tip.validators, verify)
    both = [tip.validators[index].id for index in own.signers() if index in certificate.signers()]
    return (
        f"two blocks are certified at height {tip.height}: {tip.hash.hex()} here and "
        f"{certificate.block_hash.hex()} elsewhere; signed both, as far as the certificates show: {', '.join(both)}"
    )
