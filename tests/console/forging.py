"""Lies that keep to the form: an answer altered in what it says, and written again so that nothing of it disagrees.

Law: only a signature, a hash or a height can tell these from the truth; no reading of the form can.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random
from typing import Any

import msgpack

from coseal.contracts.process.chain import item_hash
from coseal.ledger import codec
from coseal.ledger.block import CommittedBlock, Header, Receipt
from coseal.ledger.certificate import PbftCertificate
from coseal.ledger.proof import CertifiedValue, TransactionProof
from coseal.ledger.render import proof_from_json, proof_json, state_proof_from_json, state_proof_json
from tests.liar.lies import Answer, Lie

_HEADER = ("time_ms", "proposer", "state_root", "receipts_root", "tx_root", "created_round")


def forged(answer: Answer, random: Random) -> Iterator[Lie]:
    """Yield lies about an answer without end; none if it is not of a kind that proves anything."""
    forge = _forge_of(answer.content)
    while forge is not None:
        what, content = forge(random)
        if content != answer.content:
            yield Lie("forged", what, content, answer.status)


def _forge_of(content: bytes) -> Callable[[Random], tuple[str, bytes]] | None:
    document = _json(content)
    kind = document.get("coseal") if isinstance(document, dict) else None
    if kind == "state-proof":
        value = state_proof_from_json(document)
        return lambda random: ("value", _dumped(state_proof_json(_other_value(random, value))))
    if kind == "receipt":
        proof = proof_from_json(document)
        return lambda random: ("receipt", _dumped(proof_json(_other_receipt(random, proof))))
    if kind == "object-history":
        return lambda random: _other_history(random, document)
    if document is not None:
        return None
    return _forge_of_records(content)


def _forge_of_records(content: bytes) -> Callable[[Random], tuple[str, bytes]] | None:
    try:
        rows = codec.decode(content)
        if isinstance(rows, list) and rows[:1] == ["committed"]:
            block = CommittedBlock.decode(content)
            return lambda random: ("block", _other_block(random, block))
        if not isinstance(rows, list) or not rows:
            return None
        if isinstance(rows[0], list):
            return lambda random: ("header", _other_head(random, rows))
        tag = codec.decode(rows[0])[0]
        if tag == "certified-value":
            return lambda random: ("one of several values", _other_of_values(random, rows))
        return lambda random: ("one of several blocks", _one(random, rows, _of_block))
    except Exception:
        return None


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _dumped(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def _one(random: Random, rows: list[bytes], alter: Callable[[Random, bytes], bytes]) -> bytes:
    number = random.randrange(len(rows))
    return codec.encode([*rows[:number], alter(random, rows[number]), *rows[number + 1 :]])


def _altered(random: Random, value: Any) -> Any:
    """Return a value of the same form that says something else."""
    if type(value) is bool:
        return not value
    if type(value) is int:
        return value + random.choice((1, 2, 100))
    if type(value) is str:
        return value[:-1] + ("a" if value[-1:] != "a" else "b")
    if type(value) is bytes:
        return bytes([value[0] ^ 1]) + value[1:] if value else b"x"
    if type(value) is list and value:
        number = random.randrange(len(value))
        if random.random() < 0.3:
            return [*value[:number], *value[number + 1 :]]
        return [*value[:number], _altered(random, value[number]), *value[number + 1 :]]
    if type(value) is dict and value:
        name = random.choice(sorted(value))
        return {**value, name: _altered(random, value[name])}
    return value


def _other_value(random: Random, value: CertifiedValue) -> CertifiedValue:
    if value.value is None:
        return replace(value, value=codec.encode({}))
    if random.random() < 0.2:
        return replace(value, value=None)
    return replace(value, value=codec.encode(_altered(random, codec.decode(value.value))))


def _other_of_values(random: Random, rows: list[bytes]) -> bytes:
    if random.random() < 0.2 and len(rows) > 1:
        return codec.encode(rows[::-1])
    return _one(random, rows, lambda random, row: _other_value(random, CertifiedValue.decode(row)).encode())


def _other_header(random: Random, header: Header) -> Header:
    name = random.choice(_HEADER)
    return replace(header, **{name: _altered(random, getattr(header, name))})


def _other_receipt(random: Random, proof: TransactionProof) -> TransactionProof:
    if random.random() < 0.4:
        return replace(proof, header=_other_header(random, proof.header))
    if random.random() < 0.3:
        return replace(proof, index=proof.index + 1)
    receipt = Receipt.decode(proof.receipt)
    changed = replace(receipt, code="forbidden" if receipt.ok else "ok")
    return replace(proof, receipt=changed.encode())


def _other_block(random: Random, block: CommittedBlock) -> bytes:
    header = _other_header(random, block.block.header)
    certificate = replace(block.certificate, block_hash=header.hash)
    fields = msgpack.unpackb(block.encode(), raw=False)
    fields[3] = certificate.encode()
    return bytes(msgpack.packb(_with_header(fields, block.block.header.raw, header.raw), use_bin_type=True))


def _of_block(random: Random, row: bytes) -> bytes:
    return _other_block(random, CommittedBlock.decode(row))


def _with_header(value: Any, old: bytes, new: bytes) -> Any:
    """Return a record with the bytes of one header for another's, at whatever depth they stand."""
    if value == old:
        return new
    if type(value) is list:
        return [_with_header(one, old, new) for one in value]
    if type(value) is bytes and old in value:
        return bytes(msgpack.packb(_with_header(msgpack.unpackb(value, raw=False), old, new), use_bin_type=True))
    return value


def _other_head(random: Random, rows: list[Any]) -> bytes:
    number = random.randrange(len(rows))
    header, certificate = Header.decode(rows[number][0]), PbftCertificate.decode(rows[number][1])
    altered = _other_header(random, header)
    if random.random() < 0.5:
        certificate = replace(certificate, block_hash=altered.hash)
    return codec.encode([*rows[:number], [altered.raw, certificate.encode()], *rows[number + 1 :]])


def _other_history(random: Random, document: dict[str, Any]) -> tuple[str, bytes]:
    """Leave an item out, change one, or say of each that it was recorded where the next was."""
    items: list[dict[str, Any]] = document["items"]
    number, choice = random.randrange(max(1, len(items))), random.random()
    if not items:
        return "nothing", _dumped(document)
    if choice < 0.4:
        places = [item["unproven"] for item in items]
        turned = [{**item, "unproven": places[(at + 1) % len(places)]} for at, item in enumerate(items)]
        return "places", _dumped({**document, "items": turned})
    if choice < 0.6:
        kept = [*items[:number], *items[number + 1 :]]
        return "an item left out", _dumped({**document, "items": kept, "count": len(kept)})
    row = items[number]
    item = {**row["item"], "event": row["item"].get("event", "") + "x"}
    changed = {**row, "item": item, "hash": item_hash(row["source"], row["sequence"], item).hex()}
    return "an item changed", _dumped({**document, "items": [*items[:number], changed, *items[number + 1 :]]})
