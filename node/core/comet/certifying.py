"""From what CometBFT's RPC says of a block to its certificate.

Law: nothing that CometBFT says is believed: the header's path is made from the fields that were shown, and every
precommit is verified before it counts. A row whose signature rule E1 refuses is left out, unless the quorum needs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from coseal.ledger import merkle, zip215
from coseal.ledger.block import Header
from coseal.ledger.comet import DATA_FIELD, HEADER_FIELDS, CometCertificate, Row, VoteKind, address_of
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
    seats = {address_of(seat.key): index for index, seat in enumerate(validators.validators)}
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
    found: dict[int, Row] = {}  # a validator counts once
    for accepts in (verify, zip215.verify):  # M6
        for vote in decided.precommits if len(found) < validators.quorum else ():
            index = seats.get(vote.address)
            if index is None or index in found:
                continue
            row = Row(index, vote.seconds, vote.nanoseconds, vote.signature)
            if accepts(validators[index].key, bare.signed(row, block_hash, header.chain_id), row.signature):
                found[index] = row
    rows = [found[index] for index in sorted(found)]
    if len(rows) < validators.quorum:
        raise BadCertificate(
            f"{len(rows)} precommits of height {decided.height} verify, a quorum is {validators.quorum}"
        )
    return CometCertificate(
        bare.height,
        bare.round,
        bare.parts_total,
        bare.parts_hash,
        bare.transactions,
        bare.data_path,
        bare.header_path,
        tuple(rows),
    )


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
