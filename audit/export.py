"""Verifying an export: that a file is the one its signed manifest speaks of, and holds what the manifest counts.

Law: the file is read with the standard library alone and counted independently of what wrote it; nothing is asked of a
node. That the items are those of the chain is told by exporting again: the same height gives the same bytes.
docs/formats.md, section The manifest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeAlias

from coseal.audit.counting import COUNTERS, Uncountable
from coseal.audit.epochs import Epochs
from coseal.audit.steps import Seen, Trace, Untold
from coseal.contracts.membership.state import operator_key
from coseal.ledger import codec, signing
from coseal.ledger.errors import BadProof, BadSignature, Malformed
from coseal.ledger.genesis import Genesis
from coseal.ledger.handover import split_handovers
from coseal.ledger.render import state_proof_from_json
from coseal.ledger.signing import HASH_BYTES, PUBLIC_KEY_BYTES, SIGNATURE_BYTES, TAG_EXPORT

FILE_BYTES_MAX: Final = 1 << 30
_PART_BYTES: Final = 1 << 20
_FIELDS: Final = (
    "coseal",
    "version",
    "chain_id",
    "file",
    "format",
    "view",
    "process_type",
    "definition",
    "definitions",
    "heights",
    "block_hash",
    "items",
    "items_root",
    "sources",
    "counts",
    "leaves_out",
    "signer",
    "public_key",
    "signature",
)


Beside: TypeAlias = Callable[[str], bytes]
"""``beside(name)`` returns the file that a manifest names, or raises ``Untold``."""


def signed_bytes(document: Mapping[str, Any]) -> bytes:
    """Return what the signer of a manifest signs: TAG_EXPORT ‖ chain id ‖ SHA-256 of all fields but ``signature``."""
    body = codec.encode({name: value for name, value in document.items() if name != "signature"})
    return signing.body_preimage(TAG_EXPORT, bytes.fromhex(document["chain_id"]), body)


def verify_export(document: Any, genesis: Genesis, trace: Trace, beside: Beside | None) -> tuple[str, dict[str, Any]]:
    """Verify a manifest, step by step; return one sentence and what is proven. ``beside`` reads its file.

    Raises a ``LedgerError`` for what is false, ``Untold`` for what cannot be told.
    """
    with trace.step("form", "formats.md, The manifest") as seen:
        fields = codec.mapping(document, "manifest")
        _check_fields(fields)
        seen.values = {name: fields[name] for name in ("version", "format", "heights", "items")}
        seen.detail = "a manifest with every field it must have and no other"
    with trace.step("chain", "encoding.md N2") as seen:
        seen.values = {"chain_id": fields["chain_id"], "genesis": genesis.chain_id.hex()}
        if fields["chain_id"] != genesis.chain_id.hex():
            raise Malformed(f"the manifest is of chain {fields['chain_id']}")
        seen.detail = f"chain {fields['chain_id']}"
    with trace.step("signature", "encoding.md E1, D1") as seen:
        signer = codec.text(fields["signer"], "manifest.signer", limit=129)
        key = _bytes(fields["public_key"], "public_key", PUBLIC_KEY_BYTES)
        seen.values = {"sender": signer, "public_key": key.hex(), "signature": fields["signature"]}
        _check_signature(fields, signer, key)
        seen.detail = f"signed by the key that it names as {signer}'s"
    with trace.step("file", "formats.md, The manifest") as seen:
        name, size = _check_file(fields, beside, seen)
        seen.detail = f"{name}: {size} bytes with the digest and the counts that were signed for"
    with trace.step("registered", "formats.md, The manifest") as seen:
        seen.values = {"sender": signer, "public_key": key.hex()}
        seen.detail = _registered(signer, key, genesis, fields.get("registration"))
    facts = {
        "chain_id": fields["chain_id"],
        "process_type": fields["process_type"],
        "file": name,
        "bytes": size,
        "format": fields["format"],
        "heights": f"{fields['heights'][0]} to {fields['heights'][1]}",
        "block_hash": fields["block_hash"],
        "items": fields["items"],
        "items_root": fields["items_root"],
        "signed_by": [signer],
    }
    return f"{name} holds what {signer} signed for: {fields['items']} items of {fields['process_type']}", facts


def file_in(folder: Path) -> Beside:
    """Return what reads a manifest's file from the folder where the manifest lies."""

    def read(name: str) -> bytes:
        path = folder / name
        try:
            with path.open("rb") as opened:
                return read_at_most(opened.read, FILE_BYTES_MAX + 1)
        except OSError as error:
            raise Untold(f"the signature holds, yet {path} cannot be read: {error.strerror or error}") from None

    return read


def read_at_most(read: Callable[[int], bytes], limit: int) -> bytes:
    """Return up to ``limit`` bytes, by parts: asked for all at once, a file reserves the limit beforehand."""
    parts: list[bytes] = []
    while limit > 0 and (part := read(min(limit, _PART_BYTES))):
        parts.append(part)
        limit -= len(part)
    return b"".join(parts)


def _check_fields(fields: Mapping[str, Any]) -> None:
    for name in _FIELDS:
        if name not in fields:
            raise Malformed(f"manifest.{name}: missing")
    for name in fields:
        if name not in (*_FIELDS, "object_type", "registration", "zero_times"):
            raise Malformed(f"manifest.{name}: unknown")
    if fields["coseal"] != "export" or type(fields["version"]) is not int or fields["version"] != 1:
        raise Malformed('expected a document with "coseal": "export" and "version": 1')
    if fields["view"] not in ("corrected", "recorded"):
        raise Malformed("manifest.view: expected corrected or recorded")
    for name in ("chain_id", "block_hash", "items_root"):
        _bytes(fields[name], name, HASH_BYTES)
    heights = codec.sequence(fields["heights"], "manifest.heights", limit=2)
    if len(heights) != 2 or any(type(height) is not int for height in heights):
        raise Malformed("manifest.heights: expected [first, last]")
    _check_zeros(fields.get("zero_times", []), fields["counts"])


def _check_zeros(runs: Any, counts: Any) -> None:
    """Check [first, count] of object values at the time 0: in order, and no more than there are values."""
    end, last = 0, counts.get("object_values") if type(counts) is dict else None
    for run in codec.sequence(runs, "manifest.zero_times", limit=FILE_BYTES_MAX):
        numbers = type(run) is list and len(run) == 2 and all(type(number) is int for number in run)
        if not numbers or run[0] < end or run[1] < 1 or type(last) is not int or sum(run) > last:
            raise Malformed("manifest.zero_times: expected [first, count] of the object values, in order")
        end = sum(run)


def _check_signature(fields: Mapping[str, Any], signer: str, key: bytes) -> None:
    try:
        message = signed_bytes(fields)
    except (TypeError, ValueError) as error:
        raise Malformed(f"the manifest has no canonical form: {error}") from None
    if not signing.verify(key, message, _bytes(fields["signature"], "signature", SIGNATURE_BYTES)):
        raise BadSignature(f"the manifest is not signed by the key of {signer} that it names")


def _check_file(fields: Mapping[str, Any], beside: Beside | None, seen: Seen) -> tuple[str, int]:
    """Compare the file with its digest and its counts; return its name and size."""
    file = codec.mapping(fields["file"], "manifest.file")
    name = codec.text(file.get("name"), "manifest.file.name", limit=255)
    if "/" in name or "\\" in name or name in (".", ".."):
        raise Malformed("manifest.file.name: expected a name without a folder")
    seen.values = {"file": name, "sha256": file.get("sha256"), "counts": fields["counts"]}
    if beside is None:
        raise Untold("the signature holds; to compare the file itself, verify the manifest as a file beside it")
    data = beside(name)
    if len(data) > FILE_BYTES_MAX:
        raise Untold(f"{name} is larger than {FILE_BYTES_MAX} bytes")
    digest = sha256(data).hexdigest()
    seen.values |= {"found_sha256": digest, "bytes": len(data)}
    if len(data) != file.get("bytes") or digest != file.get("sha256"):
        raise Malformed(f"{name} is not the file that was signed for: its digest is {digest}")
    count = COUNTERS.get(fields["format"]) if type(fields["format"]) is str else None
    if count is None:
        raise Untold(f"the digest holds; files of format {fields['format']!r} cannot be counted here")
    try:
        counts = count(data)
    except Uncountable as error:
        raise Malformed(f"{name} cannot be counted: {error}") from None
    seen.values["found_counts"] = dict(counts)
    if counts != fields["counts"]:
        raise Malformed(f"{name} does not hold what the manifest counts: {_difference(fields['counts'], counts)}")
    return name, len(data)


def _difference(said: Any, found: Mapping[str, Any]) -> str:
    """Name the first count that differs."""
    if type(said) is dict:
        for name, count in found.items():
            if said.get(name) != count:
                return f"{name} are {count}, not {said.get(name)}"
    return f"expected {', '.join(found)}"


def _registered(signer: str, key: bytes, genesis: Genesis, registration: Any) -> str:
    """Believe the genesis, or a proof that the state after some block gave the signer this key; say which."""
    member, _, user = signer.partition("/")
    for operator in (one for each in genesis.members if each.id == member for one in each.operators):
        if operator.user == user and operator.key == key:
            return f"the genesis gives {signer} this key"
    if registration is None:
        raise Untold(
            f"everything holds but one thing: the genesis does not give {signer} the key {key.hex()}; compare it with "
            f"a state proof of membership/operator/{signer}"
        )
    document, handovers = split_handovers(registration)
    epochs = Epochs(genesis)
    epochs.take_all(handovers)
    certified = state_proof_from_json(document)
    certified.verify(genesis.chain_id, epochs.of(certified.header, certified.certificate))
    record = None if certified.value is None else codec.decode(certified.value)
    if certified.key != operator_key(signer).encode() or type(record) is not dict or record["key"] != key:
        raise BadProof(f"its registration does not give {signer} the key {key.hex()}")
    return f"the certified state after block {certified.header.height} gives {signer} this key"


def _bytes(value: Any, name: str, size: int) -> bytes:
    text = codec.text(value, f"manifest.{name}", limit=2 * size)
    try:
        data = bytes.fromhex(text)
    except ValueError:
        data = b""
    if len(data) != size or data.hex() != text:
        raise Malformed(f"manifest.{name}: expected {size} bytes in lower-case hexadecimal")
    return data
