"""The verified reads: each one question to one node, whose answer is verified before it is returned.

Law: a value is returned only if a certificate leads to it, by validators whom the reader believes. What a node gives
that does not hold is a ``FalseAnswer``; its ``__cause__`` is the ledger's error, where there is one.

The session of a client reads so (``coseal.client.session``), and the console, which follows every header.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol
from urllib.parse import quote

from coseal.audit.history import ObjectHistory, record_of, verify_history
from coseal.client.exchange import (
    BUSY,
    MSGPACK,
    Exchange,
    Pause,
    Reply,
    asking_for,
    document_of,
    false_answer,
    state_path,
)
from coseal.errors import StaleAnswer
from coseal.ledger import codec
from coseal.ledger.block import CommittedBlock, Header, Receipt
from coseal.ledger.certificates import Certificate, decode_certificate
from coseal.ledger.errors import BadProof, LedgerError, Malformed
from coseal.ledger.genesis import Genesis
from coseal.ledger.proof import CertifiedValue, TransactionProof, verify_certified
from coseal.ledger.render import MAX_DOCUMENT_DEPTH, proof_from_json, state_proof_from_json
from coseal.ledger.strict_json import strict_json
from coseal.ledger.transaction import Transaction
from coseal.ledger.validators import ValidatorSet

KEYS_MAX: Final = 256
"""How many state keys a node proves at once."""
_KEYS_BYTES: Final = 6_000  # of a URL; what stands before a node may take no more than 8 KB
_POLL_S: Final = 0.05
_BARE: Final = {"handovers": "false"}
"""Answers without handovers: a verifier keeps those it has verified."""


class Verifier(Protocol):
    """Who reads: what it trusts, and how it asks a node."""

    @property
    def genesis(self) -> Genesis:
        """The trusted genesis."""
        ...

    def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Exchange[Reply]:
        """Return a node's reply."""
        ...

    def validators_of(self, header: Header, certificate: Certificate) -> Exchange[ValidatorSet]:
        """Return the validators of a header's epoch; raise a ``LedgerError`` for those it does not believe."""
        ...

    def saw(self, node: str, what: str, height: int, floor: int) -> None:
        """Note that a node proved ``what`` as of a height; raise ``StaleAnswer`` if it was asked for a later one."""
        ...


def require_reached(node: str, what: str, height: int, floor: int) -> None:
    """Raise ``StaleAnswer`` for an answer of a lower height than a node was asked for."""
    if height < floor:
        raise StaleAnswer(
            f"{node} gave {what} as of block {height}, though block {floor} was asked for",
            "ask another node: this one lags, or shows what is past",
            node=node,
        )


def receipt(
    verifier: Verifier, tx_id: bytes, timeout_s: float = 0.0
) -> Exchange[tuple[TransactionProof, Transaction, Receipt]]:
    """Return the proof of a committed transaction, and what it proves.

    Right after a commit the node may need a moment until it can prove it: it is asked again for ``timeout_s``.
    """
    path, deadline = f"/v1/transactions/{tx_id.hex()}/receipt", time.monotonic() + timeout_s
    reply = yield from verifier.ask("GET", path, params=_BARE)
    while reply.status in (404, *BUSY) and time.monotonic() < deadline:
        yield Pause(_POLL_S)
        reply = yield from verifier.ask("GET", path, params=_BARE)
    if reply.status != 200:
        document_of(reply)
    try:
        proof = proof_from_json(strict_json(reply.content, "receipt", depth=MAX_DOCUMENT_DEPTH))
        validators = yield from verifier.validators_of(proof.header, proof.certificate)
        transaction, receipt = proof.verify(verifier.genesis.chain_id, validators)
    except LedgerError as error:
        raise false_answer(reply.node, f"gave a receipt that does not hold: {error.reason}") from error
    if transaction.id != tx_id:
        raise false_answer(reply.node, "gave the receipt of another transaction")
    return proof, transaction, receipt


def state(verifier: Verifier, key: str, floor: int) -> Exchange[CertifiedValue]:
    """Return the certified value of a state key, or its proven absence (``value`` None), at ``floor`` or later."""
    params = {"proof": "true", **_BARE, **asking_for(floor)}
    reply = yield from verifier.ask("GET", state_path(key), params=params)
    if reply.status != 200:
        document_of(reply)
    try:
        certified = state_proof_from_json(strict_json(reply.content, "proof", depth=MAX_DOCUMENT_DEPTH))
        validators = yield from verifier.validators_of(certified.header, certified.certificate)
        certified.verify(verifier.genesis.chain_id, validators)
    except LedgerError as error:
        raise false_answer(reply.node, f"gave a state proof that does not hold: {error.reason}") from error
    if certified.key != key.encode():
        raise false_answer(reply.node, f"proved another key than {key}")
    verifier.saw(reply.node, f"the state of {key}", certified.header.height, floor)
    return certified


def values(verifier: Verifier, keys: Sequence[str], floor: int) -> Exchange[list[CertifiedValue]]:
    """Return the certified values of up to ``KEYS_MAX`` state keys, in order, all of one block."""
    params = {"keys": json.dumps(list(keys), ensure_ascii=False), **asking_for(floor)}
    reply = yield from verifier.ask("GET", "/v1/proofs", params=params, headers={"Accept": MSGPACK})
    if reply.status != 200:
        document_of(reply)
    try:
        rows = codec.sequence(codec.decode(reply.content), "proofs", limit=KEYS_MAX)
        found = [CertifiedValue.decode(codec.octets(row, "proof")) for row in rows]
        for one in found:
            if one.header != found[0].header:
                raise BadProof("the values are of several blocks")
            if one is found[0] or one.certificate != found[0].certificate:
                validators = yield from verifier.validators_of(one.header, one.certificate)
                verify_certified(one.header, one.certificate, verifier.genesis.chain_id, validators)
            one.proof.verify(one.key, one.value, one.header.state_root)
    except LedgerError as error:
        raise false_answer(reply.node, f"gave state proofs that do not hold: {error.reason}") from error
    if [one.key for one in found] != [key.encode() for key in keys]:
        raise false_answer(reply.node, "proved other keys than it was asked for")
    verifier.saw(reply.node, "the state", found[0].header.height, floor)
    return found


def asked_at_once(keys: Sequence[str]) -> list[list[str]]:
    """Return keys in groups that one request can name."""
    groups: list[list[str]] = []
    size = 0
    for key in keys:
        length = len(quote(json.dumps(key, ensure_ascii=False))) + len("%2C%20")
        if not groups or size + length > _KEYS_BYTES or len(groups[-1]) == KEYS_MAX:
            groups.append([])
            size = 0
        groups[-1].append(key)
        size += length
    return groups


def block(verifier: Verifier, height: int | str, floor: int = 0) -> Exchange[CommittedBlock]:
    """Return a committed block by height or ``latest``: its roots and its certificate verified."""
    path = f"/v1/blocks/{height}"
    reply = yield from verifier.ask("GET", path, params=asking_for(floor), headers={"Accept": MSGPACK})
    if reply.status != 200:
        document_of(reply)
    committed = yield from verified_block(verifier, reply.node, reply.content)
    found = committed.block.header.height
    if height not in ("latest", str(found), found):
        raise false_answer(reply.node, f"gave block {found} for {height}")
    verifier.saw(reply.node, "the latest block", found, floor)
    return committed


def verified_block(verifier: Verifier, node: str, raw: bytes) -> Exchange[CommittedBlock]:
    """Return the block in a record of the block log that a node gave: its roots and its certificate verified."""
    try:
        committed = CommittedBlock.decode(raw)
        header = committed.block.header
        validators = yield from verifier.validators_of(header, committed.certificate)
        verify_certified(header, committed.certificate, verifier.genesis.chain_id, validators)
    except LedgerError as error:
        raise false_answer(node, f"gave a block that does not hold: {error.reason}") from error
    return committed


def blocks(verifier: Verifier, first: int, limit: int) -> Exchange[list[CommittedBlock]]:
    """Return up to ``limit`` (>= 1) blocks from height ``first`` on, at least one, fewer where they are large."""
    params = {"from": first, "limit": limit}
    reply = yield from verifier.ask("GET", "/v1/blocks", params=params, headers={"Accept": MSGPACK})
    if reply.status != 200:
        document_of(reply)
    found = []
    for height, raw in enumerate(records_of(reply, limit), first):
        committed = yield from verified_block(verifier, reply.node, raw)
        if committed.block.header.height != height:
            raise false_answer(reply.node, f"gave block {committed.block.header.height} for {height}")
        found.append(committed)
    if not found:
        raise false_answer(reply.node, f"gave no block from height {first} on")
    return found


def records_of(reply: Reply, limit: int) -> list[bytes]:
    """Return the records of blocks in an answer, at most ``limit``; nothing of them is verified."""
    try:
        return [
            codec.octets(row, "block") for row in codec.sequence(codec.decode(reply.content), "blocks", limit=limit)
        ]
    except LedgerError as error:
        raise false_answer(reply.node, f"gave no blocks: {error.reason}") from error


def header(verifier: Verifier, height: int) -> Exchange[Header]:
    """Return the certified header of a height, which nodes keep of pruned blocks too."""
    params = {"from": height, "limit": 1}
    reply = yield from verifier.ask("GET", "/v1/headers", params=params, headers={"Accept": MSGPACK})
    if reply.status != 200:
        document_of(reply)
    try:
        pairs = read_headers(reply.content)
        if [found.height for found, _ in pairs] != [height]:
            raise Malformed(f"other headers were given than that of height {height}")
        found, certificate = pairs[0]
        validators = yield from verifier.validators_of(found, certificate)
        verify_certified(found, certificate, verifier.genesis.chain_id, validators)
    except LedgerError as error:
        raise false_answer(reply.node, f"gave a header that does not hold: {error.reason}") from error
    return found


def read_headers(body: bytes) -> list[tuple[Header, Certificate]]:
    """Read a list of [header, certificate], of which nothing is verified; raise ``Malformed``."""
    rows = codec.sequence(codec.decode(body), "headers", limit=1_000)
    found = []
    for row in rows:
        pair = [codec.octets(part, "head") for part in codec.sequence(row, "head", limit=2)]
        if len(pair) != 2:
            raise Malformed("a head is a header and a certificate")
        found.append((Header.decode(pair[0]), decode_certificate(pair[1])))
    return found


def history(
    verifier: Verifier, place: tuple[str, str, str], floor: int
) -> Exchange[tuple[ObjectHistory, dict[str, Any]]]:
    """Return all items of the object (process type, object type, id), proven to be all at ``floor`` or later.

    With them the document as the node gave it, of which the rest is its word.
    """
    process_type, object_type, object_id = place
    path = f"/v1/objects/{quote(object_id, safe='')}/events"
    params = {"process_type": process_type, "type": object_type, "proof": "true", **_BARE, **asking_for(floor)}
    reply = yield from verifier.ask("GET", path, params=params)
    if reply.status != 200:
        document_of(reply)
    try:
        document = strict_json(reply.content, "history", depth=MAX_DOCUMENT_DEPTH)
        record = record_of(document)
        validators = yield from verifier.validators_of(record.header, record.certificate)
        found = verify_history(document, verifier.genesis, validators=validators)
    except LedgerError as error:
        raise false_answer(reply.node, f"does not prove all items of {object_id}: {error.reason}") from error
    if (found.process_type, found.object_type, found.object_id) != place:
        raise false_answer(reply.node, "gave the history of another object")
    verifier.saw(reply.node, f"the history of {object_id}", found.height, floor)
    return found, document
