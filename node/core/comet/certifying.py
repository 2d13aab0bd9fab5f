"""From what CometBFT's RPC says of a block to its certificate.

Law: nothing that CometBFT says is believed: the header's path is made from the fields that were shown, and every
precommit is verified before it counts. A row whose signature rule E1 refuses is left out, unless the quorum needs it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256

from coseal.ledger import merkle, zip215
from coseal.ledger.block import Header
from coseal.ledger.comet import DATA_FIELD, HEADER_FIELDS, CometCertificate, Row, VoteKind, address_of, canonical_vote
from coseal.ledger.equivocation import Equivocation, Signed
from coseal.ledger.errors import BadCertificate, LedgerError
from coseal.ledger.signing import Verify
from coseal.ledger.validators import ValidatorSet


@dataclass(frozen=True, slots=True)
class Precommit:
    """A vote of the commit: the validator's address, when it says it voted, its signature."""

    address: bytes
    seconds: int
    nanoseconds: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class DoubleVote:
    """Two votes of the validator with this address in one place, as CometBFT has them in a block."""

    address: bytes
    height: int
    round: int
    kind: VoteKind
    one: Signed
    other: Signed


@dataclass(frozen=True, slots=True)
class Decided:
    """A commit as the RPC shows it: the 14 fields of CometBFT's header as they are hashed, and the votes for it.

    ``double_votes`` are those that the block holds.
    """

    height: int
    round: int
    parts_total: int
    parts_hash: bytes
    fields: tuple[bytes, ...]
    precommits: tuple[Precommit, ...]
    double_votes: tuple[DoubleVote, ...] = ()


def certificate_of(
    decided: Decided, header: Header, transactions: tuple[bytes, ...], validators: ValidatorSet, verify: Verify
) -> CometCertificate:
    """Return the certificate of ``header``, whose block holds ``transactions``; raise ``BadCertificate``."""
    if len(decided.fields) != HEADER_FIELDS:
        raise BadCertificate(f"a header of {len(decided.fields)} fields")
    leaves = [sha256(raw).digest() for raw in (header.raw, *transactions)]
    bare = CometCertificate(
        decided.height,
        decided.round,
        decided.parts_total,
        decided.parts_hash,
        len(leaves),
        tuple(merkle.prove(leaves, 0)),
        tuple(merkle.prove(decided.fields, DATA_FIELD)),
        (),
    )
    block_hash = bare.block_hash(header)
    rows = _quorum(decided, block_hash, header.chain_id, validators, verify)
    return replace(bare, rows=rows)


def block_hash_of(decided: Decided, chain_id: bytes, validators: ValidatorSet, verify: Verify) -> bytes:
    """Return the hash of a CometBFT block that a quorum of ``validators`` decided; raise ``BadCertificate``."""
    if len(decided.fields) != HEADER_FIELDS:
        raise BadCertificate(f"a header of {len(decided.fields)} fields")
    block_hash = merkle.tree_hash(decided.fields)
    _quorum(decided, block_hash, chain_id, validators, verify)
    return block_hash


def _quorum(
    decided: Decided, block_hash: bytes, chain_id: bytes, validators: ValidatorSet, verify: Verify
) -> tuple[Row, ...]:
    """Return the rows of q validators that precommitted a block, ascending; raise ``BadCertificate`` for fewer."""
    seats = {address_of(seat.key): index for index, seat in enumerate(validators.validators)}
    parts = (decided.parts_total, decided.parts_hash)
    found: dict[int, Row] = {}  # a validator counts once
    for accepts in (verify, zip215.verify):  # M6
        for vote in decided.precommits if len(found) < validators.quorum else ():
            index = seats.get(vote.address)
            if index is None or index in found:
                continue
            place = (chain_id, decided.height, decided.round, block_hash, parts)
            signed = canonical_vote(*place, seconds=vote.seconds, nanoseconds=vote.nanoseconds)
            if accepts(validators[index].key, signed, vote.signature):
                found[index] = Row(index, vote.seconds, vote.nanoseconds, vote.signature)
    if len(found) < validators.quorum:
        raise BadCertificate(
            f"{len(found)} precommits of height {decided.height} verify, a quorum is {validators.quorum}"
        )
    return tuple(found[index] for index in sorted(found))


def contradiction_of(
    double: DoubleVote, chain_id: bytes, validators: ValidatorSet, verify: Verify
) -> tuple[str, Equivocation] | None:
    """Return who contradicted itself and the proof, None if the votes prove nothing against one of ``validators``."""
    seat = next((seat for seat in validators.validators if address_of(seat.key) == double.address), None)
    if seat is None:
        return None
    place = (validators.epoch, double.height, double.round, double.kind)
    proof = Equivocation.of(*place, double.one, double.other)
    try:
        proof.verify(chain_id, seat.key, verify)
    except LedgerError:
        return None
    return seat.id, proof
