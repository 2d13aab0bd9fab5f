"""Following headers without their blocks: what a node that joins by a snapshot believes of the heights below it.

Law: a header is believed only as the successor of one already believed, from the genesis on, and only with the
certificate of the validators that the one before it named. A change of validators is followed when the head that
announces it carries the new set, which its header's hash proves.
"""

from __future__ import annotations

from dataclasses import dataclass

from coseal.consensus.rules import Tip
from coseal.ledger import signing
from coseal.ledger.block import HEADER_VERSION, Header
from coseal.ledger.certificate import PbftCertificate
from coseal.ledger.certificates import Certificate
from coseal.ledger.engines import Engine, Turn, engine_of
from coseal.ledger.errors import BadProof
from coseal.ledger.genesis import Genesis, Parameters
from coseal.ledger.head import Head
from coseal.ledger.proof import verify_certified
from coseal.ledger.signing import Verify
from coseal.ledger.validators import ValidatorSet


@dataclass(frozen=True, slots=True)
class HeaderChain:
    """A believed tip, and the validators of the height after it; ``engine`` says who may propose and who certifies."""

    engine: Engine
    chain_id: bytes
    parameters: Parameters
    tip: Tip
    validators: ValidatorSet

    @property
    def height(self) -> int:
        """The height of the tip."""
        return self.tip.height

    def check(self, header: Header, certificate: Certificate, verify: Verify | None = signing.verify) -> None:
        """Raise ``BadProof`` or ``BadCertificate`` unless ``header`` lawfully follows and its certificate proves it.

        ``verify`` None: the signatures were checked before.
        """
        self.engine.require(certificate)
        expected = {  # Z8
            "version": HEADER_VERSION,
            "chain_id": self.chain_id,
            "height": self.height + 1,
            "parent_hash": self.tip.hash,
            "epoch": self.validators.epoch,
            "validators_hash": self.validators.hash,
        }
        for name, value in expected.items():
            if getattr(header, name) != value:
                raise BadProof(f"header {header.height}: {name} is not the one that follows height {self.height}")
        fault = self.engine.fault(Turn(self.validators, self.tip.proposer, self.parameters.tenure), header)
        if fault is not None:
            raise BadProof(f"header {header.height}: {fault}")
        if header.time_ms <= self.tip.time_ms:
            raise BadProof(f"header {header.height}: time does not rise")
        if verify is not None:
            verify_certified(header, certificate, self.chain_id, self.validators, verify)

    def follow(self, head: Head, verify: Verify | None = signing.verify) -> HeaderChain:
        """Return the chain up to ``head``; raise as ``check``, and ``BadProof`` if the next validators are missing."""
        header = head.header
        self.check(header, head.certificate, verify)
        commit = head.certificate if isinstance(head.certificate, PbftCertificate) else None
        tip = Tip(header.height, header.hash, header.time_ms, header.proposer, commit, self.validators)
        following = self._successors(header, head.next_validators)
        return HeaderChain(self.engine, self.chain_id, self.parameters, tip, following)

    def _successors(self, header: Header, following: ValidatorSet | None) -> ValidatorSet:
        if header.next_validators_hash == self.validators.hash:
            return self.validators
        if following is None or following.hash != header.next_validators_hash:  # Z3
            raise BadProof(f"the validators change after height {header.height}, and nobody says to whom")
        if following.epoch != self.validators.epoch + 1:
            raise BadProof(f"the validators after height {header.height} are not of the next epoch")
        return following


def genesis_chain(genesis: Genesis) -> HeaderChain:
    """Return the chain of headers before the first block."""
    tip = Tip.of_genesis(genesis)
    return HeaderChain(engine_of(genesis), genesis.chain_id, genesis.parameters, tip, genesis.validators)
