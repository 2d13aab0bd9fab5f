"""Reading frames and blocks without the product's codec, for the code that judges it.

Law: nothing here is shared with the product; a bug in its encoding cannot hide from whoever reads with this.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

ROUND_CHANGE: Final = 0
PROPOSAL: Final = 1
PREPARE: Final = 2
COMMIT: Final = 3
PHASES: Final = {"round-change": ROUND_CHANGE, "proposal": PROPOSAL, "prepare": PREPARE, "commit": COMMIT}
NAMES: Final = ("ROUND-CHANGE", "PROPOSAL", "PREPARE", "COMMIT")
_TAG_NAMES: Final = {phase: name for name, phase in PHASES.items()}


def unpack(data: bytes) -> Any:
    """Return the value of MessagePack bytes, of the kinds this chain uses; raise ``ValueError``."""
    value, end = item(data, 0)
    if end != len(data):
        raise ValueError("trailing bytes")
    return value


def item(data: bytes, at: int) -> tuple[Any, int]:
    """Return the value that begins at a position, and where it ends."""
    head = data[at]
    at += 1
    if head <= 0x7F:
        return head, at
    if head >= 0xE0:
        return head - 256, at
    if head in _INTEGERS:
        width, signed = _INTEGERS[head]
        return int.from_bytes(data[at : at + width], "big", signed=signed), at + width
    if head in _CONSTANTS:
        return _CONSTANTS[head], at
    if head in _LENGTHS:
        kind, width = _LENGTHS[head]
        length, at = int.from_bytes(data[at : at + width], "big"), at + width
    else:
        kind, length = _short(head)
    if kind in "bs":
        piece = data[at : at + length]
        if len(piece) != length:
            raise ValueError("truncated")
        return (piece if kind == "b" else piece.decode()), at + length
    items: list[Any] = []
    for _ in range(length if kind == "l" else 2 * length):
        value, at = item(data, at)
        items.append(value)
    return (items if kind == "l" else dict(zip(items[::2], items[1::2], strict=True))), at


def _short(head: int) -> tuple[str, int]:
    if 0x80 <= head <= 0x8F:
        return "m", head & 0x0F
    if 0x90 <= head <= 0x9F:
        return "l", head & 0x0F
    if 0xA0 <= head <= 0xBF:
        return "s", head & 0x1F
    raise ValueError(f"byte {head:#x}")


_CONSTANTS: Final[dict[int, Any]] = {0xC0: None, 0xC2: False, 0xC3: True}
_INTEGERS: Final = {
    **{0xCC + i: (1 << i, False) for i in range(4)},
    **{0xD0 + i: (1 << i, True) for i in range(4)},
}
_LENGTHS: Final = {
    **{0xC4 + i: ("b", 1 << i) for i in range(3)},
    **{0xD9 + i: ("s", 1 << i) for i in range(3)},
    **{0xDC + i: ("l", 2 << i) for i in range(2)},
    **{0xDE + i: ("m", 2 << i) for i in range(2)},
}


@dataclass(frozen=True, slots=True)
class Said:
    """A consensus message as the bytes say it. ``subject`` is the last field of what was signed.

    ``certificate`` is what a ROUND-CHANGE carries, ``block`` what a PROPOSAL does, as raw values.
    """

    phase: int
    epoch: int
    height: int
    round: int
    sender: int
    subject: bytes
    signature: bytes
    certificate: list[Any] | None
    block: bytes | None

    def preimage(self, chain_id: bytes) -> bytes:
        """Return what was signed."""
        return vote(chain_id, self.epoch, self.height, self.round, self.phase, self.subject)


def said(frame: bytes) -> Said | None:
    """Return the consensus message of a frame, or None if it is another kind of frame."""
    if b"consensus" not in frame[:16]:
        return None
    _, _, value = unpack(frame)
    name, _, epoch, height, round, sender, *rest = value
    phase = PHASES[name]
    certificate = block = None
    if phase == PROPOSAL:
        block, _, signature = rest
        subject = block_hash(unpack(block)[2])
    elif phase == ROUND_CHANGE:
        certificate, signature = rest
        subject = bytes(32) if certificate is None else certificate_hash(certificate)
    else:
        subject, signature = rest
    return Said(phase, epoch, height, round, sender, subject, signature, certificate, block)


@dataclass(frozen=True, slots=True)
class Claim:
    """A transaction as its bytes say it: who sends which action with what, and what was signed by which key."""

    sender: str
    key: bytes
    name: str
    args: dict[str, Any]
    preimage: bytes
    signature: bytes


def claim(raw: bytes) -> Claim | None:
    """Read a signed transaction, None if it is none."""
    try:
        _, _, body, signature = unpack(raw)
        _, _, chain_id, sender, key, contract, action, args, _, _ = unpack(body)
    except (ValueError, TypeError, IndexError, KeyError):
        return None
    preimage = tag("transaction") + chain_id + sha256(body).digest()
    return Claim(sender, key, f"{contract}.{action}", args, preimage, signature)


def tag(name: str) -> bytes:
    """Return the 24-byte domain tag."""
    text = b"coseal/" + name.encode() + b"/1"
    return text + b"\x00" * (24 - len(text))


def vote(chain_id: bytes, epoch: int, height: int, round: int, phase: int, subject: bytes) -> bytes:
    """Return the preimage of a consensus statement."""
    place = (epoch << 104 | height << 40 | round << 8 | phase).to_bytes(21, "big")
    return tag(_TAG_NAMES[phase]) + chain_id + place + subject


def block_hash(header: bytes) -> bytes:
    """Return the hash of a header's bytes."""
    return sha256(tag("header") + header).digest()


def certificate_hash(certificate: list[Any]) -> bytes:
    """Return the hash of a certificate given as a value."""
    return sha256(tag("certificate") + pack(certificate)).digest()


def signers(bitmap: bytes) -> tuple[int, ...]:
    """Return the validators whose bits are set, by index."""
    return tuple(index for index in range(8 * len(bitmap)) if bitmap[index // 8] >> (index % 8) & 1)


def seats_hash(rows: list[list[Any]]) -> bytes:
    """Return the hash of a set of validators given as rows of id, member, role and key."""
    return sha256(tag("validators") + pack(rows)).digest()


def key_proof(chain_id: bytes, node: str, key: bytes) -> bytes:
    """Return what a new consensus key signs to become the key of ``node``."""
    return tag("key") + chain_id + sha256(node.encode() + b"\0" + key).digest()


def receipt(raw: bytes) -> tuple[str, dict[str, Any]]:
    """Return the code of a receipt, and its data."""
    _, _, _, code, _, data, _ = unpack(raw)
    return code, data


def transaction_id(raw: bytes) -> bytes:
    """Return the id of a signed transaction's bytes."""
    return sha256(tag("transaction-id") + unpack(raw)[2]).digest()


def pack(value: Any) -> bytes:
    """Return the MessagePack bytes of a value without None; the keys of a map in their order."""
    if isinstance(value, dict):
        head = bytes([0x80 | len(value)]) if len(value) < 16 else b"\xde" + len(value).to_bytes(2, "big")
        return head + b"".join(pack(key) + pack(value[key]) for key in sorted(value))
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, list):
        head = bytes([0x90 | len(value)]) if len(value) < 16 else b"\xdc" + len(value).to_bytes(2, "big")
        return head + b"".join(map(pack, value))
    if isinstance(value, str):
        data = value.encode()
        return (bytes([0xA0 | len(data)]) if len(data) < 32 else bytes([0xD9, len(data)])) + data
    if isinstance(value, bytes):
        return b"\xc4" + bytes([len(value)]) + value
    if value < 128:
        return bytes([value])
    width = 1 if value < 1 << 8 else 2 if value < 1 << 16 else 4 if value < 1 << 32 else 8
    return bytes([0xCC + width.bit_length() - 1]) + int(value).to_bytes(width, "big")


@dataclass(frozen=True, slots=True)
class Seen:
    """A decided block as the bytes of a log record say it."""

    hash: bytes
    chain_id: bytes
    height: int
    parent: bytes
    epoch: int
    validators_hash: bytes
    next_validators_hash: bytes
    proposer: str
    created_round: int
    time_ms: int
    receipts_root: bytes
    state_root: bytes
    transactions: tuple[bytes, ...]
    certificate: list[Any]
    receipts: tuple[bytes, ...]
    tx_root: bytes


def record(raw: bytes) -> Seen:
    """Read a log record."""
    _, _, block_raw, certificate, receipts = unpack(raw)
    _, _, header_raw, transactions, _ = unpack(block_raw)
    header = unpack(header_raw)
    _, _, chain_id, height, parent, epoch, voters, successors, proposer, created, time_ms, *roots, _ = header
    tx_root, _, receipts_root, state = roots
    return Seen(
        hash=block_hash(header_raw),
        chain_id=chain_id,
        height=height,
        parent=parent,
        epoch=epoch,
        validators_hash=voters,
        next_validators_hash=successors,
        proposer=proposer,
        created_round=created,
        time_ms=time_ms,
        receipts_root=receipts_root,
        state_root=state,
        transactions=tuple(transactions),
        certificate=unpack(certificate),
        receipts=tuple(receipts),
        tx_root=tx_root,
    )


def tree(leaves: tuple[bytes, ...]) -> bytes:
    """Return the sized root over leaves, by the recursive definition of RFC 6962."""
    return sha256(b"\x02" + len(leaves).to_bytes(8, "big") + _tree(leaves)).digest()


def _tree(leaves: tuple[bytes, ...]) -> bytes:
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    half = 1
    while 2 * half < len(leaves):
        half *= 2
    return sha256(b"\x01" + _tree(leaves[:half]) + _tree(leaves[half:])).digest()
