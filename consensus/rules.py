"""When a block may follow the tip: the header checks that consensus makes before the application looks inside.

Law: ``link_fault`` depends on chain data only, so all honest nodes agree on it; time and round are judged only for a
fresh block, never for one that a certificate already carries (R2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from coseal.consensus.timers import doubled_ms
from coseal.ledger import signing
from coseal.ledger.block import HEADER_VERSION, Block, Header
from coseal.ledger.certificate import PbftCertificate, Phase
from coseal.ledger.certificates import Certificate
from coseal.ledger.errors import BadCertificate
from coseal.ledger.genesis import Genesis, Parameters
from coseal.ledger.signing import Signer, Verify
from coseal.ledger.validators import ValidatorSet, leader_index

PATIENCE_MS: Final = 2_000
WINDOW_MS_MAX: Final = 60_000


@dataclass(frozen=True, slots=True)
class ReplicaConfig:
    """Who we are and what the chain runs with. ``signer`` is None for a node that never votes.

    ``next_signer`` holds the key that replaces the signer's in some epoch to come, or did so already.
    """

    chain_id: bytes
    parameters: Parameters
    node_id: str
    signer: Signer | None
    verify: Verify = signing.verify
    next_signer: Signer | None = None


@dataclass(frozen=True, slots=True)
class Tip:
    """The last decided block. At genesis: height 0, the chain id as hash, no proposer, no certificate.

    ``certificate`` is its own commit certificate, ``validators`` the set that signed it (genesis: of epoch 0).
    """

    height: int
    hash: bytes
    time_ms: int
    proposer: str | None
    certificate: PbftCertificate | None
    validators: ValidatorSet

    @staticmethod
    def of_genesis(genesis: Genesis) -> Tip:
        """Return the tip of a chain without blocks."""
        return Tip(0, genesis.chain_id, genesis.time_ms, None, None, genesis.validators)

    @staticmethod
    def of_block(header: Header, certificate: PbftCertificate, validators: ValidatorSet) -> Tip:
        """Return the tip that a decided block is; ``validators`` signed ``certificate``."""
        return Tip(header.height, header.hash, header.time_ms, header.proposer, certificate, validators)


def leader(validators: ValidatorSet, tip: Tip, round: int, parameters: Parameters) -> int:
    """Return the index of the leader of ``round`` at the height after ``tip``."""
    return leader_index(validators, tip.proposer, tip.height + 1, round, parameters.tenure)  # V2


def link_fault(block: Block, tip: Tip, validators: ValidatorSet, config: ReplicaConfig) -> str | None:
    """Return why ``block`` cannot follow ``tip`` whatever its time and round, or None."""
    header, parameters = block.header, config.parameters
    expected = {
        "version": HEADER_VERSION,
        "chain_id": config.chain_id,
        "height": tip.height + 1,
        "parent_hash": tip.hash,
        "epoch": validators.epoch,
        "validators_hash": validators.hash,
    }
    for name, value in expected.items():
        if getattr(header, name) != value:
            return f"{name} is not the one that follows the tip"
    if header.proposer != validators[leader(validators, tip, header.created_round, parameters)].id:
        return "the proposer does not lead the round in which the block says it was created"
    if header.time_ms <= tip.time_ms:
        return "time does not rise"
    if header.tx_count > parameters.block_transactions_max or len(block.raw) > parameters.block_bytes_max:
        return "the block is over size"
    return _last_commit_fault(block.last_commit, tip, config)


def fresh_fault(header: Header, tip: Tip, round: int, now_ms: int, parameters: Parameters) -> str | None:
    """Return why a block made just now for ``round`` is refused (R2), or None. T7:

    now - (2 s + P) * 2^r <= time <= max(now + P * 2^r, parent + 1 ms), both windows capped at 60 s.
    """
    if header.created_round != round:
        return "created_round is not the round it is proposed in"
    precision_ms = parameters.clock_precision_ms
    earliest = now_ms - doubled_ms(PATIENCE_MS + precision_ms, round, WINDOW_MS_MAX)
    latest = max(now_ms + doubled_ms(precision_ms, round, WINDOW_MS_MAX), tip.time_ms + 1)
    if not earliest <= header.time_ms <= latest:
        return f"time is {header.time_ms - now_ms} ms from our clock"
    return None


def _last_commit_fault(certificate: Certificate | None, tip: Tip, config: ReplicaConfig) -> str | None:
    """Return why ``certificate`` is no commit certificate of the tip; that of genesis is none at all."""
    if certificate == tip.certificate:
        return None
    if certificate is None or tip.certificate is None:
        return "last_commit is missing, or there is one at the first height"
    if not isinstance(certificate, PbftCertificate):
        return "last_commit is a certificate of another engine"
    place = (certificate.phase, certificate.height, certificate.block_hash)
    if place != (Phase.COMMIT, tip.height, tip.hash):
        return "last_commit is not of the tip"
    try:
        certificate.verify(config.chain_id, tip.validators, config.verify)
    except BadCertificate as error:
        return f"last_commit: {error.reason}"
    return None
