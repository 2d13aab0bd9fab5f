"""What CometBFT's validators would have signed for a block of ours: certificates of tests, made without CometBFT.

Nothing here calls ``ledger.comet``'s encoders or ``ledger.merkle``: the trees and the vote are written a second time.
"""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from coseal.ledger.block import Header
from coseal.ledger.comet import CometCertificate, Row, VoteKind
from coseal.ledger.equivocation import Signed, VoteRest
from coseal.ledger.signing import Signer
from coseal.ledger.validators import ValidatorSet
from tests.support.keys import signer_of

PARTS_HASH = sha256(b"parts").digest()


def tree(leaves: Sequence[bytes]) -> bytes:
    """Return the RFC 6962 tree hash."""
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\1" + tree(leaves[:split]) + tree(leaves[split:])).digest()


def path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the siblings from the leaf upwards."""
    if len(leaves) == 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if index < split:
        return [*path(leaves[:split], index), tree(leaves[split:])]
    return [*path(leaves[split:], index - split), tree(leaves[:split])]


def fields_of(transactions: Sequence[bytes]) -> list[bytes]:
    """Return the 14 fields of a CometBFT header over these transactions; only the seventh says anything."""
    data_hash = tree([sha256(raw).digest() for raw in transactions])
    return [b"\x0a\x20" + data_hash if place == 6 else b"field %d" % place for place in range(14)]


def vote(
    chain_id: bytes,
    height: int,
    round: int,
    block_hash: bytes | None,
    seconds: int,
    nanoseconds: int,
    parts: int = 1,
    kind: int = 2,
) -> bytes:
    """Return the bytes that a precommit signs, or another kind of vote; ``block_hash`` None: for no block."""
    place = (
        bytes([8, kind, 17]) + height.to_bytes(8, "little") + (b"\x19" + round.to_bytes(8, "little") if round else b"")
    )
    part_set = b"\x08" + bytes([parts]) + b"\x12\x20" + PARTS_HASH
    block_id = b"\x0a\x20" + (block_hash or b"") + b"\x12" + bytes([len(part_set)]) + part_set
    unsigned = int.from_bytes(seconds.to_bytes(8, "big", signed=True), "big")
    time = (b"\x08" + number(unsigned) if seconds else b"") + (b"\x10" + number(nanoseconds) if nanoseconds else b"")
    name = urlsafe_b64encode(chain_id).decode().rstrip("=").encode()
    body = place + (b"" if block_hash is None else b"\x22" + bytes([len(block_id)]) + block_id)
    body += b"\x2a" + bytes([len(time)]) + time
    body += b"\x32" + bytes([len(name)]) + name
    return number(len(body)) + body


def number(value: int) -> bytes:
    """Return a varint."""
    groups = [value & 127]
    while value := value >> 7:
        groups.append(value & 127)
    return bytes([group | 128 for group in groups[:-1]] + groups[-1:])


def certify(
    header: Header,
    transactions: Sequence[bytes],
    validators: ValidatorSet,
    indices: Sequence[int],
    *,
    round: int = 0,
    seconds: int = 1_700_000_000,
) -> CometCertificate:
    """Return the certificate of a CometBFT block that begins with ``header``, by the validators at ``indices``."""
    block = [header.raw, *transactions]
    fields = fields_of(block)
    rows = []
    for index in indices:
        message = vote(header.chain_id, header.height, round, tree(fields), seconds, index)
        rows.append(Row(index, seconds, index, signer_of(validators[index].key).sign(message)))
    data_path = path([sha256(raw).digest() for raw in block], 0)
    return CometCertificate(
        header.height, round, 1, PARTS_HASH, len(block), tuple(data_path), tuple(path(fields, 6)), tuple(rows)
    )


def voted_twice(
    chain_id: bytes, signer: Signer, height: int, *, kind: VoteKind = VoteKind.PREVOTE, round: int = 0
) -> tuple[Signed, Signed]:
    """Return two votes in one place: for no block, and for one, made in the year 1969."""
    found = []
    for block_hash, seconds in ((None, 1_700_000_000), (b"\x22" * 32, -7)):
        message = vote(chain_id, height, round, block_hash, seconds, 5, kind=kind.value)
        rest = VoteRest(0, bytes(32), seconds, 5) if block_hash is None else VoteRest(1, PARTS_HASH, seconds, 5)
        found.append(Signed(block_hash or bytes(32), signer.sign(message), rest))
    return found[0], found[1]


def vote_shown(
    half: Signed, key: bytes, *, kind: VoteKind, height: int, round: int = 0, index: int = 0
) -> dict[str, Any]:
    """Return a vote as CometBFT's RPC shows it, and takes it."""
    assert half.rest is not None
    at = datetime.fromtimestamp(0, UTC) + timedelta(seconds=half.rest.seconds)
    is_nil = half.hash == bytes(32)
    parts = {"total": half.rest.parts_total, "hash": "" if is_nil else half.rest.parts_hash.hex().upper()}
    return {
        "type": kind.value,
        "height": str(height),
        "round": round,
        "block_id": {"hash": "" if is_nil else half.hash.hex().upper(), "parts": parts},
        "timestamp": at.strftime("%Y-%m-%dT%H:%M:%S") + f".{half.rest.nanoseconds:09}Z",
        "validator_address": sha256(key).digest()[:20].hex().upper(),
        "validator_index": index,
        "signature": b64encode(half.signature).decode(),
    }
