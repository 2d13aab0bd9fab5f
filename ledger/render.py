"""Ledger values as JSON, for people and programs that do not speak the binary encoding.

Law: where a JSON form can be read back, only its ``raw`` field is believed; whatever stands beside it must equal
what ``raw`` renders to, so a reader sees what a verifier verified.

Bytes are lower-case hexadecimal, wire forms are base64 in fields named ``raw``, times are integer ms with an
RFC 3339 text beside them.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

from coseal.ledger import codec
from coseal.ledger.block import HASH_FIELDS, Block, CommittedBlock, Header, Receipt
from coseal.ledger.certificate import PbftCertificate
from coseal.ledger.certificates import Certificate, decode_certificate
from coseal.ledger.errors import Malformed, TooLarge
from coseal.ledger.proof import BeginProof, CertifiedValue, TransactionProof
from coseal.ledger.transaction import MAX_TRANSACTION_BYTES, Transaction, body_of, join

MAX_DOCUMENT_DEPTH: Final = codec.MAX_DEPTH + 8
"""Nesting that ``strict_json`` must allow to read these documents back: a value's own, and what stands around it."""

_TRANSACTION_FIELDS: Final = (
    "chain_id",
    "sender",
    "public_key",
    "contract",
    "action",
    "args",
    "valid_until_ms",
    "salt",
    "signature",
)


def time_text(time_ms: int) -> str:
    """Return ``time_ms`` (ms since the epoch, >= 0) as RFC 3339 in UTC with milliseconds.

    Own arithmetic, since a header's time may lie beyond the year 9999, where ``datetime`` ends.
    """
    days, rest = divmod(time_ms, 86_400_000)
    era, day = divmod(days + 719_468, 146_097)  # eras of 400 years, years beginning in March
    year = (day - day // 1_460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5 - 1
    year += 400 * era + (month >= 10)
    month += 3 if month < 10 else -9
    seconds, ms = divmod(rest, 1_000)
    clock = f"{seconds // 3_600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{ms:03}"
    return f"{year:04}-{month:02}-{day:02}T{clock}Z"


def raw_text(data: bytes) -> str:
    """Return base64 of wire bytes, the form of every field named ``raw``."""
    return base64.b64encode(data).decode()


def raw_bytes(value: Any, what: str) -> bytes:
    """Return the bytes of a ``raw`` field; raise ``Malformed``."""
    if type(value) is not str:
        raise Malformed(f"{what}: expected base64 text")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed(f"{what}: not base64") from None


def plain(value: Any) -> Any:
    """Return a codec value with bytes as lower-case hexadecimal, ready for ``json.dumps``."""
    if type(value) is bytes:
        return value.hex()  # N3
    if type(value) is list or type(value) is tuple:
        return [plain(item) for item in value]
    if type(value) is dict:
        return {key: plain(item) for key, item in value.items()}
    return value


def transaction_json(transaction: Transaction) -> dict[str, Any]:
    """Return a transaction with its id and its wire form."""
    return {
        "id": transaction.id.hex(),
        **{name: plain(getattr(transaction, name)) for name in _TRANSACTION_FIELDS},
        "valid_until": time_text(transaction.valid_until_ms),
        "raw": raw_text(transaction.raw),
    }


def transaction_raw_from_json(value: Any) -> bytes:
    """Return the wire form of a transaction given as JSON; raise ``Malformed``.

    With ``raw`` the other fields may be left out, but those given must agree. Without it, all signed fields and
    the signature are needed (args that hold bytes have no JSON of their own and travel as ``raw``).
    """
    fields = codec.mapping(value, "transaction")
    if "raw" in fields:
        raw = raw_bytes(fields["raw"], "transaction.raw")
        _require_rendering(fields, transaction_json(Transaction.decode(raw)), "transaction")
        return raw
    missing = [name for name in _TRANSACTION_FIELDS if name not in fields]
    if missing:
        raise Malformed(f"transaction.{missing[0]}: missing; give all signed fields, or raw")
    codec.mapping(fields["args"], "transaction.args")
    try:
        body = body_of(
            chain_id=_hex(fields, "chain_id"),
            sender=codec.text(fields["sender"], "sender", limit=129),
            public_key=_hex(fields, "public_key"),
            contract=codec.text(fields["contract"], "contract", limit=64),
            action=codec.text(fields["action"], "action", limit=64),
            args=fields["args"],
            valid_until_ms=codec.integer(fields["valid_until_ms"], "valid_until_ms"),
            salt=_hex(fields, "salt"),
        )
        raw = join(body, _hex(fields, "signature"))
    except (TypeError, ValueError, OverflowError) as error:
        raise Malformed(f"transaction: {error}") from None
    if len(raw) > MAX_TRANSACTION_BYTES:
        raise TooLarge(f"transaction of {len(raw)} bytes, at most {MAX_TRANSACTION_BYTES}")
    _require_rendering(fields, transaction_json(Transaction.decode(raw)), "transaction")
    return raw


def header_json(header: Header) -> dict[str, Any]:
    """Return a header with its hash, its time as text, and its wire form."""
    return {
        "hash": header.hash.hex(),
        "version": header.version,
        "chain_id": header.chain_id.hex(),
        "height": header.height,
        "epoch": header.epoch,
        "proposer": header.proposer,
        "created_round": header.created_round,
        "time_ms": header.time_ms,
        "time": time_text(header.time_ms),
        "tx_count": header.tx_count,
        **{name: getattr(header, name).hex() for name in HASH_FIELDS[1:]},
        "raw": raw_text(header.raw),
    }


def certificate_json(certificate: Certificate) -> dict[str, Any]:
    """Return a certificate of either kind; ``signers`` are validator indices of its epoch."""
    if isinstance(certificate, PbftCertificate):
        return _pbft_certificate_json(certificate)
    return {
        "engine": "cometbft",
        "height": certificate.height,
        "round": certificate.round,
        "parts_total": certificate.parts_total,
        "parts_hash": certificate.parts_hash.hex(),
        "transactions": certificate.transactions,
        "data_path": [sibling.hex() for sibling in certificate.data_path],
        "header_path": [sibling.hex() for sibling in certificate.header_path],
        "signers": list(certificate.signers()),
        "times": [[row.seconds, row.nanoseconds] for row in certificate.rows],
        "signatures": [row.signature.hex() for row in certificate.rows],
        "raw": raw_text(certificate.encode()),
    }


def _pbft_certificate_json(certificate: PbftCertificate) -> dict[str, Any]:
    return {
        "phase": certificate.phase.name.lower(),
        "epoch": certificate.epoch,
        "height": certificate.height,
        "round": certificate.round,
        "block_hash": certificate.block_hash.hex(),
        "signers": list(certificate.signers()),
        "signatures": [signature.hex() for signature in certificate.signatures],
        "raw": raw_text(certificate.encode()),
    }


def receipt_json(receipt: Receipt) -> dict[str, Any]:
    """Return the outcome of a transaction."""
    return {
        "tx_id": receipt.tx_id.hex(),
        "ok": receipt.ok,
        "code": receipt.code,
        "detail": receipt.detail,
        "data": plain(receipt.data),
        "steps": receipt.steps,
    }


def block_json(committed: CommittedBlock) -> dict[str, Any]:
    """Return a committed block: header, certificate, the parent's certificate, transactions with their receipts."""
    block: Block = committed.block
    begin, *receipts = (Receipt.decode(raw) for raw in committed.receipts)
    return {
        "header": header_json(block.header),
        "certificate": certificate_json(committed.certificate),
        "last_commit": None if block.last_commit is None else certificate_json(block.last_commit),
        "begin_block": receipt_json(begin),
        "transactions": [
            {**transaction_json(Transaction.decode(raw)), "receipt": receipt_json(receipt)}
            for raw, receipt in zip(block.transactions, receipts, strict=True)
        ],
    }


def proof_json(proof: TransactionProof) -> dict[str, Any]:
    """Return the receipt file that ``coseal verify`` reads: a transaction, its receipt, and the proof of both."""
    return {
        "coseal": "receipt",
        "version": 1,
        "height": proof.header.height,
        "index": proof.index,
        "transaction": transaction_json(Transaction.decode(proof.transaction)),
        "receipt": receipt_json(Receipt.decode(proof.receipt)),
        "header": header_json(proof.header),
        "certificate": certificate_json(proof.certificate),
        "raw": raw_text(proof.encode()),
    }


def proof_from_json(value: Any) -> TransactionProof:
    """Read a receipt file; raise ``Malformed``, also when it shows other than its ``raw`` holds."""
    fields = _document(value, "receipt")
    proof = TransactionProof.decode(raw_bytes(fields["raw"], "receipt.raw"))
    _require_rendering(fields, proof_json(proof), "receipt")
    return proof


def begin_proof_json(proof: BeginProof) -> dict[str, Any]:
    """Return what a block did before its first transaction (deadlines), with the proof of it."""
    return {
        "coseal": "begin-receipt",
        "version": 1,
        "height": proof.header.height,
        "receipt": receipt_json(Receipt.decode(proof.receipt)),
        "header": header_json(proof.header),
        "certificate": certificate_json(proof.certificate),
        "raw": raw_text(proof.encode()),
    }


def begin_proof_from_json(value: Any) -> BeginProof:
    """Read a begin-receipt document; raise ``Malformed``, also when it shows other than its ``raw`` holds."""
    fields = _document(value, "begin-receipt")
    proof = BeginProof.decode(raw_bytes(fields["raw"], "begin-receipt.raw"))
    _require_rendering(fields, begin_proof_json(proof), "begin-receipt")
    return proof


def state_proof_json(certified: CertifiedValue) -> dict[str, Any]:
    """Return a value of the state, or its absence (``present`` false), with the proof of it."""
    return {
        "coseal": "state-proof",
        "version": 1,
        "height": certified.header.height,
        **_key_and_value(certified),
        "header": header_json(certified.header),
        "certificate": certificate_json(certified.certificate),
        "raw": raw_text(certified.encode()),
    }


def state_proof_from_json(value: Any) -> CertifiedValue:
    """Read a state proof document; raise ``Malformed``, also when it shows other than its ``raw`` holds."""
    fields = _document(value, "state-proof")
    certified = CertifiedValue.decode(raw_bytes(fields["raw"], "state-proof.raw"))
    _require_rendering(fields, state_proof_json(certified), "state-proof")
    return certified


def _key_and_value(certified: CertifiedValue) -> dict[str, Any]:
    return {
        "key": certified.key.decode("utf-8", "backslashreplace"),
        "present": certified.value is not None,
        "value": None if certified.value is None else plain(codec.decode(certified.value)),
    }


def proven_value_json(certified: CertifiedValue) -> dict[str, Any]:
    """Return a value of the state, or its absence, with its proof; the document that it is in has the header."""
    return {**_key_and_value(certified), "raw": raw_text(certified.encode_bare())}


def proven_value_from_json(value: Any, header: Header, certificate: Certificate) -> CertifiedValue:
    """Read a value in a document with this header; raise ``Malformed``, also when it shows other than its ``raw``."""
    fields = codec.mapping(value, "proven-value")
    certified = CertifiedValue.decode_bare(raw_bytes(fields.get("raw"), "proven-value.raw"), header, certificate)
    _require_rendering(fields, proven_value_json(certified), "proven-value")
    return certified


def certified_header_json(header: Header, certificate: Certificate) -> dict[str, Any]:
    """Return a header and the certificate that commits it, as one document."""
    return {
        "coseal": "certified-header",
        "version": 1,
        "header": header_json(header),
        "certificate": certificate_json(certificate),
    }


def certified_header_from_json(value: Any) -> tuple[Header, Certificate]:
    """Read a header and its certificate; raise ``Malformed``. Whether the pair holds, ``verify_certified`` says."""
    fields = codec.mapping(value, "certified-header")
    _require_kind(fields, "certified-header")
    raws = {
        name: raw_bytes(codec.mapping(fields.get(name), name).get("raw"), f"{name}.raw")
        for name in ("header", "certificate")
    }
    header, certificate = Header.decode(raws["header"]), decode_certificate(raws["certificate"])
    _require_rendering(fields, certified_header_json(header, certificate), "certified-header")
    return header, certificate


def _document(value: Any, kind: str) -> dict[str, Any]:
    fields = codec.mapping(value, kind)
    _require_kind(fields, kind)
    if "raw" not in fields:
        raise Malformed(f"{kind}.raw: missing; it alone is verified")
    return fields


def document_fields(value: Any, kind: str, names: frozenset[str]) -> dict[str, Any]:
    """Return the fields of a document that has no raw form of its own; raise ``Malformed`` unless they are these."""
    fields = codec.mapping(value, kind)
    _require_kind(fields, kind)
    if fields.keys() != names:
        raise Malformed(f"{kind}: expected the fields {', '.join(sorted(names))}")
    return fields


def _require_kind(fields: dict[str, Any], kind: str) -> None:
    if fields.get("coseal") != kind or type(fields.get("version")) is not int or fields["version"] != 1:
        raise Malformed(f'expected a document with "coseal": "{kind}" and "version": 1')


def _require_rendering(given: dict[str, Any], rendered: dict[str, Any], what: str) -> None:
    """Refuse a document in which any given field differs from the rendering of its raw form."""
    for name, value in given.items():
        if name not in rendered:
            raise Malformed(f"{what}.{str(name)[:64]}: unknown field")
        if not _same(value, rendered[name]):  # N4
            raise Malformed(f"{what}.{name}: differs from what the raw form holds")


def _same(left: Any, right: Any) -> bool:
    """Compare JSON values by type too: in Python true equals 1."""
    if type(left) is not type(right):
        return False
    if type(left) is dict:
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if type(left) is list:
        return len(left) == len(right) and all(_same(one, other) for one, other in zip(left, right, strict=True))
    return bool(left == right)


def _hex(fields: dict[str, Any], name: str) -> bytes:
    value = fields[name]
    try:
        if type(value) is not str or value != value.lower() or len(value) > 128:
            raise ValueError
        return bytes.fromhex(value)
    except ValueError:
        raise Malformed(f"transaction.{name}: expected lower-case hexadecimal") from None
