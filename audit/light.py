"""The light client: following headers from genesis, and judging two that claim one height.

Law: a header is believed only if it is the lawful successor of one already believed; nothing here trusts a node.
``follow`` checks everything a header says by itself; ``check_certificate`` and ``check_last_commit`` check who
signed it. Source: docs/spec/audit.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from coseal.ledger import signing
from coseal.ledger.block import Header
from coseal.ledger.certificates import Certificate
from coseal.ledger.engines import Engine, Turn, engine_of
from coseal.ledger.errors import LedgerError
from coseal.ledger.genesis import Genesis
from coseal.ledger.proof import verify_certified
from coseal.ledger.signing import Verify
from coseal.ledger.validators import ValidatorSet


class BadHeader(LedgerError):
    """A header is not a lawful successor of the one before it."""


class OtherChain(LedgerError):
    """A header belongs to another chain than the genesis that is trusted."""


class UnknownValidators(LedgerError):
    """The validators changed and nothing at hand says to whom: the answer is not bad, it is not known."""


FindValidators = Callable[[bytes, int], ValidatorSet | None]
"""``find(hash, epoch)`` returns the set with that hash, or None; what it returns is checked, so anyone may say."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A believed tip: a height, its header, who certified it and who certifies the next.

    ``header`` is None at the genesis. At height 0 it is the genesis: the hash is the chain id and nobody proposed it.
    """

    chain_id: bytes
    tenure: int
    height: int
    hash: bytes
    time_ms: int
    proposer: str | None
    validators: ValidatorSet
    next_validators: ValidatorSet
    engine: Engine
    header: Header | None = None


def genesis_anchor(genesis: Genesis) -> Anchor:
    """Return the anchor from which every chain of ``genesis`` is followed."""
    validators, chain_id = genesis.validators, genesis.chain_id
    tenure = genesis.parameters.tenure
    return Anchor(chain_id, tenure, 0, chain_id, genesis.time_ms, None, validators, validators, engine_of(genesis))


def follow(anchor: Anchor, header: Header, find: FindValidators | None = None) -> Anchor:
    """Return the anchor at ``header``; raise unless it lawfully follows ``anchor``. No signature is checked.

    Raises ``OtherChain``, ``BadHeader``, or ``UnknownValidators`` if the next set has changed and ``find`` does
    not know it.
    """
    validators = anchor.next_validators
    _require_place(anchor, header, validators)
    fault = anchor.engine.fault(Turn(validators, anchor.proposer, anchor.tenure), header)  # A3, A5
    if fault is not None:
        raise BadHeader(fault)
    next_validators = _successors(validators, header, find)
    return Anchor(
        anchor.chain_id,
        anchor.tenure,
        header.height,
        header.hash,
        header.time_ms,
        header.proposer,
        validators,
        next_validators,
        anchor.engine,
        header,
    )


def resume(genesis: Genesis, header: Header, validators: ValidatorSet, find: FindValidators | None = None) -> Anchor:
    """Return an anchor at a header that is believed for another reason (a pin, or its own certificate).

    ``validators`` are those of its epoch; raises ``BadHeader`` if the header names others, and
    ``UnknownValidators`` if it announces a change and ``find`` does not know to whom.
    """
    if header.chain_id != genesis.chain_id:
        raise OtherChain(f"of chain {header.chain_id.hex()}")
    if header.validators_hash != validators.hash or header.epoch != validators.epoch:
        raise BadHeader(f"its validators are not those of epoch {validators.epoch}")
    return Anchor(
        header.chain_id,
        genesis.parameters.tenure,
        header.height,
        header.hash,
        header.time_ms,
        header.proposer,
        validators,
        _successors(validators, header, find),
        engine_of(genesis),
        header,
    )


def check_certificate(
    anchor: Anchor, header: Header, certificate: Certificate, verify: Verify = signing.verify
) -> None:
    """Raise ``BadCertificate`` unless a quorum of ``anchor.validators`` committed ``header``, the anchor's own."""
    anchor.engine.require(certificate)
    verify_certified(header, certificate, anchor.chain_id, anchor.validators, verify)  # A6


def check_last_commit(
    parent: Anchor, header: Header, last_commit: Certificate | None, verify: Verify = signing.verify
) -> None:
    """Raise unless ``last_commit`` is the one ``header`` names and commits ``parent``, the anchor below it."""
    if last_commit is None:
        if header.height != 1 and parent.engine.has_last_commit:
            raise BadHeader("the certificate of the parent is missing")
        return
    if last_commit.hash != header.last_commit_hash:
        raise BadHeader("last_commit is not the one of the header")
    if last_commit.height != parent.height or parent.header is None:
        raise BadHeader("last_commit is not a commit certificate of the height below")
    parent.engine.require(last_commit)
    last_commit.verify_commit(parent.header, parent.validators, verify)  # A7


def require_pinned(header: Header, pin: tuple[int, bytes] | None) -> None:
    """Raise ``BadHeader`` for another header at the height of a pin (height, hash) than the pinned one."""
    if pin is not None and header.height == pin[0] and header.hash != pin[1]:
        raise BadHeader(f"it is block {header.hash.hex()}, not the pinned {pin[1].hex()}")


def signed_both(
    left: Certificate, right: Certificate, validators: ValidatorSet, others: ValidatorSet | None = None
) -> tuple[str, ...]:
    """Return the members whose validators signed both certificates, ascending.

    ``others`` is the set of the right one, if of another epoch. A validator is the same by its id, whatever its key.
    """
    signers = (
        {each[index] for index in one.signers()} for one, each in ((left, validators), (right, others or validators))
    )
    one, other = ({seat.id: seat.member for seat in seats} for seats in signers)
    return tuple(sorted({one[node] for node in one.keys() & other.keys()}))


def _require_place(anchor: Anchor, header: Header, validators: ValidatorSet) -> None:
    if header.chain_id != anchor.chain_id:  # A1
        raise OtherChain(f"of chain {header.chain_id.hex()}")
    if header.height != anchor.height + 1:
        raise BadHeader(f"height {header.height} follows height {anchor.height}")
    if header.parent_hash != anchor.hash:  # A1
        raise BadHeader("its parent is not the block before it")
    if header.epoch != validators.epoch:  # A2
        raise BadHeader(f"epoch {header.epoch}, expected {validators.epoch}")
    if header.validators_hash != validators.hash:
        raise BadHeader("its validators are not those that the block before it announced")
    if header.time_ms <= anchor.time_ms:  # A4
        raise BadHeader("its time is not later than that of the block before it")


def _successors(validators: ValidatorSet, header: Header, find: FindValidators | None) -> ValidatorSet:
    """Return who certifies the next height: the same set, or one of the next epoch with the announced hash."""
    if header.next_validators_hash == validators.hash:
        return validators
    found = None if find is None else find(header.next_validators_hash, validators.epoch + 1)
    if found is None or found.hash != header.next_validators_hash or found.epoch != validators.epoch + 1:
        raise UnknownValidators(f"the validators change after height {header.height}, and nothing here says to whom")
    return found
