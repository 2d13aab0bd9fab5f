"""What pages show: answers of nodes, each with whether this console verified it.

Law: ``verified`` is said only of a value that a certificate this console checked leads to. Whatever comes without a
proof is shown as what it is: the word of a node. A proof that does not hold is never shown as a value. What one node
answers oddly, falsely or not at all is asked of the others.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar
from urllib.parse import quote

from coseal.audit.history import UNPROVEN, verify_history
from coseal.audit.light import UnknownValidators
from coseal.client.exchange import state_path
from coseal.console.light import Conflict, LightClient, read_run
from coseal.console.nodes import MSGPACK, UNANSWERED, NoAnswer, Nodes, Problem, Reply, reason_of, require_able
from coseal.console.shapes import Rows, Shape
from coseal.console.shown import Proven, Recording, Shown, Trust, Untrue
from coseal.contracts.process.chain import item_hash
from coseal.ledger import codec
from coseal.ledger.block import CommittedBlock, Header
from coseal.ledger.errors import LedgerError, Malformed
from coseal.ledger.handover import split_handovers
from coseal.ledger.proof import CertifiedValue, TransactionProof
from coseal.ledger.render import (
    MAX_DOCUMENT_DEPTH,
    certificate_json,
    header_json,
    plain,
    proof_from_json,
    receipt_json,
    state_proof_from_json,
)
from coseal.ledger.render import transaction_json as render_transaction
from coseal.ledger.strict_json import strict_json

KEYS_MAX: Final = 256
"""How many state keys a node proves at once."""
_KEYS_CHARACTERS_MAX: Final = 8_192  # in a URL, where one character may take three
_DIGEST: Final = re.compile("[0-9a-f]{64}")
_KEPT: Final = 512
_KEPT_STATES: Final = 4_096
_KEPT_RECORDINGS: Final = 4_096
_FRESH_S: Final = 2.0
_KEPT_BYTES: Final = 64 * 1024 * 1024

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Kept:
    """A verified state value, how far the chain was followed when it was asked for, and when (monotonic seconds)."""

    tip: int
    at: float
    proven: Proven


class Reader:
    """Reads the chain for pages."""

    def __init__(self, nodes: Nodes, light: LightClient) -> None:
        self.nodes = nodes
        self.light = light
        self._blocks: OrderedDict[int, tuple[CommittedBlock, str]] = OrderedDict()
        self._blocks_bytes = 0
        self._states: OrderedDict[str, _Kept] = OrderedDict()
        self._recordings: OrderedDict[str, Recording] = OrderedDict()

    # As a node says

    async def get(self, path: str, shape: Shape, why: str = "trust.index", **params: Any) -> Shown[dict[str, Any]]:
        """Return a JSON document as a node gives it, in its shape, unverified. Parameters that are None are left out.

        ``why`` is the key of the reason shown: ``trust.index`` (an aggregate or list from the node's own index) or
        ``trust.word`` (what the node says of itself).
        """
        given = {name: value for name, value in params.items() if value not in (None, "")}
        document, node = await self.nodes.ask(path, shape, given)
        unshown = tuple(reason for rows in document.values() if isinstance(rows, Rows) for reason in rows.unshown)
        return Shown(document, Trust.UNVERIFIED, why, document.get("height"), node, unshown=unshown)

    # The state

    async def state(self, key: str) -> Shown[Any]:
        """Return the value of a state key, None if it is proven absent. Bytes are hexadecimal text.

        A value is asked for again when the chain has grown, but not within two seconds: its seal says its block.
        """
        proven = await self.proven(key)
        return proven.shown(plain(proven.value))

    async def proven(self, key: str) -> Proven:
        """Return the value of a state key as the contracts see it; see ``state``."""
        kept, now = self._states.get(key), time.monotonic()
        if kept is not None and (kept.tip == self.light.height or now - kept.at < _FRESH_S):
            return kept.proven

        def read(body: bytes) -> tuple[tuple[Any, int], int]:
            document, _ = split_handovers(strict_json(body, "proof", depth=MAX_DOCUMENT_DEPTH + 1))
            certified = state_proof_from_json(document)
            value = self._value_of(certified, key, floor)
            return (value, certified.header.time_ms), certified.header.height

        tip, floor = self.light.height, self._floor
        params = {"proof": "true", "handovers": "false", "min_height": floor}
        shown = await self._proven(state_path(key), params, read)
        value, time_ms = shown.value
        proven = Proven(value, shown.height or 0, shown.node, time_ms)
        self._keep_state(key, tip, proven)
        return proven

    async def together(self, keys: Sequence[str]) -> dict[str, Proven]:
        """Return the values of state keys, all of one block; of several only where they are too many to ask at once."""
        found: dict[str, Proven] = {}
        for some in _asked_at_once(keys):
            found |= await self._together(some)
        return found

    async def _together(self, keys: Sequence[str]) -> dict[str, Proven]:
        def read(body: bytes) -> tuple[tuple[list[Any], int], int]:
            rows = codec.sequence(codec.decode(body), "proofs", limit=KEYS_MAX)
            if len(rows) != len(keys):
                raise Malformed(f"{len(rows)} proofs were given for {len(keys)} keys")
            certified = [CertifiedValue.decode(codec.octets(row, "proof")) for row in rows]
            values = [self._value_of(one, key, floor) for one, key in zip(certified, keys, strict=True)]
            header = certified[0].header
            if any(one.header.hash != header.hash for one in certified):
                raise Malformed("the proofs are of several blocks")
            return (values, header.time_ms), header.height

        tip, floor = self.light.height, self._floor
        params = {"keys": json.dumps(list(keys), ensure_ascii=False), "min_height": floor}
        shown = await self._proven("/v1/proofs", params, read, accept=MSGPACK)
        values, time_ms = shown.value
        place = (shown.height or 0, shown.node, time_ms)
        found = {key: Proven(value, *place) for key, value in zip(keys, values, strict=True)}
        for key, proven in found.items():
            self._keep_state(key, tip, proven)
        return found

    @property
    def _floor(self) -> int:
        """The height that the state shown must have reached: what was followed, unless no node is there any more."""
        return min(self.light.height, self.nodes.tip)

    def _value_of(self, certified: CertifiedValue, key: str, floor: int) -> Any:
        """Return the verified value of a key; raise a ``LedgerError``."""
        if certified.key != key.encode():
            raise Malformed(f"another key than {key} was proven")
        header = certified.header
        self.light.check(header, certified.certificate)
        certified.verify(self.light.genesis.chain_id, self.light.validators(header.epoch))
        if header.height < floor:
            raise Malformed(f"the state of block {header.height} was given for block {floor} or later")
        return None if certified.value is None else codec.decode(certified.value)

    def _keep_state(self, key: str, tip: int, proven: Proven) -> None:
        self._states[key] = _Kept(tip, time.monotonic(), proven)
        self._states.move_to_end(key)
        while len(self._states) > _KEPT_STATES:
            self._states.popitem(last=False)

    def forget(self) -> None:
        """Ask for every state value again: something was just changed from here."""
        self._states.clear()

    # Transactions and blocks

    async def transaction(self, tx_id: str) -> Shown[dict[str, Any]]:
        """Return ``{"height", "index", "time_ms", "transaction", "receipt", "header", "certificate"}`` of a commit.

        Signature, both Merkle paths and the certificate are verified.
        """

        def read(body: bytes) -> tuple[dict[str, Any], int]:
            document, _ = split_handovers(strict_json(body, "receipt", depth=MAX_DOCUMENT_DEPTH))
            proof = proof_from_json(document)
            return self._transaction_of(proof, tx_id), proof.header.height

        path = f"/v1/transactions/{quote(tx_id, safe='')}/receipt"
        return await self._proven(path, {"handovers": "false"}, read)

    def _transaction_of(self, proof: TransactionProof, tx_id: str) -> dict[str, Any]:
        self.light.check(proof.header, proof.certificate)
        transaction, receipt = proof.verify(self.light.genesis.chain_id, self.light.validators(proof.header.epoch))
        if transaction.id.hex() != tx_id:
            raise Malformed("the receipt is of another transaction")
        return {
            "height": proof.header.height,
            "index": proof.index,
            "time_ms": proof.header.time_ms,
            "transaction": render_transaction(transaction),
            "receipt": receipt_json(receipt),
            "header": header_json(proof.header),
            "certificate": certificate_json(proof.certificate),
        }

    async def recording(self, tx_id: str) -> Recording | None:
        """Return what a transaction recorded and where it stands, by its receipt; None if nobody proves that it did."""
        kept = self._recordings.get(tx_id)
        if kept is not None:
            return kept
        try:
            found = (await self.transaction(tx_id)).value
        except (*UNANSWERED, Problem, Untrue):
            return None
        signed = found["transaction"]
        if (signed["contract"], signed["action"]) != ("process", "record") or not found["receipt"]["ok"]:
            return None
        args = signed["args"]
        source = f"{signed['sender'].partition('/')[0]}/{args['source']}"
        hashes = {
            number: item_hash(source, number, item).hex() for number, item in enumerate(args["items"], args["sequence"])
        }
        place = (found["height"], found["index"], found["time_ms"])
        self._recordings[tx_id] = Recording(tx_id, *place, source, hashes)
        while len(self._recordings) > _KEPT_RECORDINGS:
            self._recordings.popitem(last=False)
        return self._recordings[tx_id]

    async def block(self, height: int | str) -> Shown[CommittedBlock]:
        """Return a block by height or ``latest``: certificate, transactions and receipts are those of its header."""
        if type(height) is int and self._has(height):
            committed, node = self._blocks[height]
            return Shown(committed, Trust.VERIFIED, "trust.block", height, node)

        def read(body: bytes) -> tuple[CommittedBlock, int]:
            committed = CommittedBlock.decode(body)
            header = committed.block.header
            if height not in ("latest", header.height):
                raise Malformed(f"block {header.height} was given for {height}")
            self.light.check(header, committed.certificate)
            return committed, header.height

        shown = await self._proven(f"/v1/blocks/{height}", {}, read, accept=MSGPACK)
        self._keep_block(shown.value, shown.node)
        return shown.because("trust.block")

    async def header(self, height: int) -> Shown[Header]:
        """Return the header of a height, certified and, where it was followed, the one that was."""

        def read(body: bytes) -> tuple[Header, int]:
            pairs = read_run(body)
            if [header.height for header, _ in pairs] != [height]:
                raise Malformed(f"other headers were given than that of height {height}")
            self.light.check(*pairs[0])
            return pairs[0][0], height

        shown = await self._proven("/v1/headers", {"from": height, "limit": 1}, read, accept=MSGPACK)
        return shown.because("trust.header")

    async def blocks(self, first: int, count: int) -> Shown[list[CommittedBlock]]:
        """Return up to ``count`` (>= 1) verified blocks from height ``first`` on, fewer where they are large."""
        end = first + count
        kept = [self._blocks[height] for height in itertools.takewhile(self._has, range(first, end))]
        if len(kept) == count:
            return Shown([block for block, _ in kept], Trust.VERIFIED, "trust.block", end - 1, kept[-1][1])
        start = first + len(kept)

        def read(body: bytes) -> tuple[list[CommittedBlock], int]:
            rows = codec.sequence(codec.decode(body), "blocks", limit=1_000)
            found = [CommittedBlock.decode(codec.octets(row, "block")) for row in rows]
            if not found or len(found) > end - start:
                raise Malformed(f"{len(found)} blocks were given for {end - start}")
            for number, committed in enumerate(found):
                header = committed.block.header
                if header.height != start + number:
                    raise Malformed(f"block {header.height} was given for {start + number}")
                self.light.check(header, committed.certificate)
            return found, start + len(found) - 1

        shown = await self._proven("/v1/blocks", {"from": start, "limit": end - start}, read, accept=MSGPACK)
        for committed in shown.value:
            self._keep_block(committed, shown.node)
        return replace(shown, value=[*(block for block, _ in kept), *shown.value], why="trust.block")

    async def history(self, process_type: str, object_type: str, object_id: str) -> Shown[list[dict[str, Any]]]:
        """Return all items of an object in ledger order, proven to be all: rows of source, sequence, hash and item.

        ``tx`` (see ``recording``) and ``claimed`` of a row are the transaction that recorded it and its block, as the
        node says, None where it says nothing.
        """
        place = (process_type, object_type, object_id)

        def read(body: bytes) -> tuple[list[dict[str, Any]], int]:
            document, _ = split_handovers(strict_json(body, "history", depth=MAX_DOCUMENT_DEPTH))
            record = state_proof_from_json(codec.mapping(document, "history").get("record"))
            self.light.check(record.header, record.certificate)
            verified = verify_history(
                document, self.light.genesis, validators=self.light.validators(record.header.epoch)
            )
            if (verified.process_type, verified.object_type, verified.object_id) != place:
                raise Malformed("the history is of another object")
            if record.header.height < floor:
                raise Malformed(f"the history as of block {record.header.height} was given for block {floor} or later")
            rows = zip(verified.items, document["items"], strict=True)
            return [_row_of(*item, said) for item, said in rows], record.header.height

        floor = self._floor
        path = f"/v1/objects/{quote(object_id, safe='')}/events"
        params = {"process_type": process_type, "type": object_type, "proof": "true", "handovers": "false"}
        shown = await self._proven(path, {**params, "min_height": floor}, read)
        return shown.because("trust.history")

    async def _proven(
        self,
        path: str,
        params: dict[str, Any],
        read: Callable[[bytes], tuple[T, int]],
        *,
        accept: str = "application/json",
    ) -> Shown[T]:
        """Ask nodes in turn until one gives something that holds.

        Raises ``Problem`` if those that answer refuse, ``Untrue`` if what comes does not hold, else ``NoAnswer``.
        """
        untrue: Untrue | None = None
        refusal: Problem | None = None
        reasons: list[tuple[str, str]] = []
        for address in self.nodes.order():
            try:
                reply = await self.nodes.ask_one(address, path, params, accept=accept)
                require_able(reply)
                value, height = await asyncio.to_thread(judged, reply, read)
            except UNANSWERED as error:
                reasons.append((address.name, reason_of(error)))
            except Problem as problem:  # another node may have what this one lacks
                refusal = refusal or problem
            except UnknownValidators as error:  # of an epoch we have not followed to: nobody's lie
                reasons.append((address.name, error.reason))
            except LedgerError as error:
                self.nodes.note(reply, error.reason, lambda reply=reply: judged(reply, read))  # type: ignore[misc]
                if isinstance(error, Conflict):
                    await self.light.report(address.name, error)
                untrue = untrue or Untrue(address.name, error.reason)
            else:
                self.nodes.doubts.held(address.name)
                return Shown(value, Trust.VERIFIED, "trust.proof", height, address.name)
        raise refusal or untrue or NoAnswer(reasons)

    def _is_followed(self, header: Header) -> bool:
        """Say whether a verified header is on the chain that was followed since, as far as that goes."""
        return self.light.hash_at(header.height) in (None, header.hash)

    def _has(self, height: int) -> bool:
        return height in self._blocks and self._is_followed(self._blocks[height][0].block.header)

    def _keep_block(self, committed: CommittedBlock, node: str) -> None:
        """Keep a block for the next page that shows it, the newest within a bound of bytes."""
        height = committed.block.header.height
        if self._has(height):
            return
        self._blocks[height] = (committed, node)
        self._blocks_bytes += len(committed.block.raw)
        while len(self._blocks) > _KEPT or (self._blocks_bytes > _KEPT_BYTES and len(self._blocks) > 1):
            _, (oldest, _) = self._blocks.popitem(last=False)
            self._blocks_bytes -= len(oldest.block.raw)


def judged(reply: Reply, read: Callable[[bytes], T]) -> T:
    """Return what ``read`` makes of an answer; raise ``Problem`` for a refusal, a ``LedgerError`` for anything odd."""
    body = reply.require_ok()
    try:
        return read(body)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise Malformed(f"not the document that was asked for: {type(error).__name__}") from None


def _asked_at_once(keys: Sequence[str]) -> list[list[str]]:
    """Return keys in groups that fit one question each."""
    groups: list[list[str]] = [[]]
    size = 0
    for key in keys:
        length = len(quote(key, safe="")) + 8
        if len(groups[-1]) == KEYS_MAX or size + length > _KEYS_CHARACTERS_MAX:
            groups.append([])
            size = 0
        groups[-1].append(key)
        size += length
    return groups if groups[0] else []


def _row_of(source: str, sequence: int, item: dict[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of a history: what is proven of it, and where the node says that it was recorded."""
    place = said.get(UNPROVEN) or {}
    tx = place.get("tx")
    return {
        "source": source,
        "sequence": sequence,
        "hash": item_hash(source, sequence, item).hex(),
        "item": item,
        "tx": tx if type(tx) is str and _DIGEST.fullmatch(tx) else None,
        "claimed": place.get("height"),
    }
