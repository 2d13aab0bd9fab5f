"""Who orders the blocks of a chain, as its genesis says: what a header and a certificate have to be there.

Law: nothing but this module, a node's machine and its shell asks which engine a chain has; transactions, state,
receipts and proofs are the same on each. Execution asks one thing of it: whether its nodes carry sidecars.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from coseal.ledger.block import Header
from coseal.ledger.certificate import PbftCertificate
from coseal.ledger.certificates import Certificate
from coseal.ledger.comet import CometCertificate
from coseal.ledger.errors import Malformed
from coseal.ledger.genesis import COMETBFT_NAME, PBFT_NAME, Genesis
from coseal.ledger.signing import ZERO_HASH
from coseal.ledger.validators import ValidatorSet, leader_index


@dataclass(frozen=True, slots=True)
class Turn:
    """What decides who may propose a height: its validators, the proposer before, and how long one leads."""

    validators: ValidatorSet
    proposer: str | None
    tenure: int


@dataclass(frozen=True, slots=True)
class Engine:
    """``has_last_commit``: a block holds the certificate of its parent. ``carries_sidecars``: its nodes are
    linked, so what a transaction names beside it can be had of another one.

    ``fault(turn, header)`` says what is wrong with who proposed a header, its round, and whether it names a parent's
    certificate; None if nothing is.
    """

    name: str
    title: str
    has_last_commit: bool
    carries_sidecars: bool
    certificate: type[PbftCertificate] | type[CometCertificate]
    fault: Callable[[Turn, Header], str | None]

    def require(self, certificate: Certificate) -> None:
        """Raise ``Malformed`` for a certificate of another kind than this engine makes."""
        if not isinstance(certificate, self.certificate):  # M7
            raise Malformed(f"not a certificate of {self.title}, which orders this chain")


def _pbft_fault(turn: Turn, header: Header) -> str | None:
    leader = leader_index(turn.validators, turn.proposer, header.height, header.created_round, turn.tenure)
    if header.proposer != turn.validators[leader].id:  # A3
        return f"proposed by {header.proposer}; round {header.created_round} is led by {turn.validators[leader].id}"
    if (header.last_commit_hash == ZERO_HASH) != (header.height == 1):  # A5
        return "only the first block has no certificate of a parent"
    return None


def _comet_fault(turn: Turn, header: Header) -> str | None:
    if turn.validators.index(header.proposer) is None:  # A3
        return f"proposed by {header.proposer}, which is no validator"
    if header.created_round:  # M8
        return f"created_round is {header.created_round}; CometBFT does not say in which round a block was made"
    if header.last_commit_hash != ZERO_HASH:  # M8
        return "names a certificate of its parent; CometBFT keeps that in its own header"
    return None


PBFT: Final = Engine(PBFT_NAME, "Coseal's PBFT", True, True, PbftCertificate, _pbft_fault)
COMETBFT: Final = Engine(COMETBFT_NAME, "CometBFT", False, False, CometCertificate, _comet_fault)
COMETBFT_VERSION: Final = "v0.38.25"
COMETBFT_BUILD: Final = b"mod\tgithub.com/cometbft/cometbft\tv0.38.25\th1:jtGSyssudmkjED2fk9wFGfd/fNyPKvLIinW62ELxZH4="
"""What Go writes into a binary of that release: its module, version and the checksum of its sources."""
COMETBFT_INSTALL: Final = f"go install github.com/cometbft/cometbft/cmd/cometbft@{COMETBFT_VERSION}"
_ENGINES: Final = {engine.name: engine for engine in (PBFT, COMETBFT)}


def is_cometbft(binary: bytes) -> bool:
    """Say whether a program's bytes are those of the one release of CometBFT that orders chains here."""
    return COMETBFT_BUILD in binary


def engine_of(genesis: Genesis) -> Engine:
    """Return who orders the blocks of a chain."""
    return _ENGINES[genesis.engine]
