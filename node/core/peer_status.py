"""What peers claim of their tips, and what their certificates prove: that a tip is one, or that the chain has two.

Law: nothing is concluded from a certificate before all its signatures verify.
"""

from __future__ import annotations

from coseal.consensus.rules import Tip
from coseal.ledger import signing
from coseal.ledger.certificate import PbftCertificate, Phase
from coseal.ledger.errors import BadCertificate
from coseal.ledger.signing import Verify
from coseal.ledger.validators import ValidatorSet
from coseal.node.core.context import MachineContext
from coseal.node.core.sync import Sync
from coseal.node.core.wire import Status


class PeerStatusCheck:
    """Tells ``sync`` which of the heights that peers show it may ask them for."""

    def __init__(self, context: MachineContext, sync: Sync) -> None:
        self._context, self._executor, self._sync = context, context.executor, sync
        self._verify = context.config.verify

    def check(self, peer: str, status: Status, tip: Tip) -> str | None:
        """Believe a status only as far as its certificate verifies (N17, CVE-2025-24371); ``tip`` is our own.

        Returns in words that the chain has two blocks at the height of ``tip`` (N21), else None. Raises
        ``BadCertificate``; the peer is a liar then (N20).
        """
        executor, certificate = self._executor, status.certificate
        fork = None if certificate is None else conflict(certificate, tip, executor.chain_id, self._verify)
        if fork is not None:
            return fork
        if certificate is None or status.height <= executor.height:
            self._sync.proven(peer, status.height)
        elif certificate.epoch > executor.validators.epoch:
            self._sync.hinted(peer, status.height)
        else:
            try:
                require_commit(certificate, executor.chain_id, executor.validators, self._verify)
            except BadCertificate:
                self._sync.lied(peer, self._context.now_ms)
                raise
            self._sync.proven(peer, status.height)
        return None


def require_commit(
    certificate: PbftCertificate, chain_id: bytes, validators: ValidatorSet, verify: Verify = signing.verify
) -> None:
    """Raise ``BadCertificate`` unless q of ``validators`` committed the certificate's block."""
    if certificate.phase is not Phase.COMMIT:
        raise BadCertificate("not a certificate of COMMIT votes")
    certificate.verify(chain_id, validators, verify)


def conflict(certificate: PbftCertificate, tip: Tip, chain_id: bytes, verify: Verify = signing.verify) -> str | None:
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
