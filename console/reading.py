"""What pages show: answers of nodes, each with whether this console verified it.

Law: ``verified`` is said only of a value that a certificate this console checked leads to. Whatever comes without a
proof is shown as what it is: the word of a node. A proof that does not hold is never shown as a value.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote

import httpx

from audit.history import UNPROVEN, verify_history
from audit.light import UnknownValidators
from console.light import LightClient, read_run
from console.nodes import MSGPACK, NoAnswer, Nodes, Problem, Reply
from coseal.conversation import state_path
from ledger import codec
from ledger.block import CommittedBlock, Header
from ledger.errors import LedgerError, Malformed
from ledger.handover import split_handovers
from ledger.proof import CertifiedValue
from ledger.render import MAX_DOCUMENT_DEPTH, plain, proof_from_json, receipt_json, state_proof_from_json
from ledger.render import transaction_json as render_transaction
from ledger.strict_json import strict_json

_KEPT: Final = 512
_KEPT_STATES: Final = 4_096
_FRESH_S: Final = 2.0
_KEPT_BYTES: Final = 64 * 1024 * 1024

T = TypeVar("T")
U = TypeVar("U")


class Trust(StrEnum):
    """What this console did about a value."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Shown(Generic[T]):
    """A value with what may be believed of it.

    ``why`` is a key of the catalogue: how it was verified, or why it was not. ``height`` is the block it is of,
    ``node`` who gave it, ``detail`` what did not hold.
    """

    value: T
    trust: Trust
    why: str
    height: int | None = None
    node: str = ""
    detail: str = ""

    def of(self, value: U) -> Shown[U]:
        """Return another value of the same standing: a part of this one, or what follows from it."""
        return Shown(value, self.trust, self.why, self.height, self.node, self.detail)


def joined(*parts: Shown[Any]) -> Shown[Any]:
    """Return the standing of what is made of several values: that of the weakest, at the lowest height, no value."""
    order = (Trust.FAILED, Trust.UNVERIFIED, Trust.VERIFIED)
    weakest = min(parts, key=lambda part: order.index(part.trust))
    return replace(weakest, value=None, height=min((part.height for part in parts if part.height), default=None))


class Untrue(Exception):
    """Every node that answered gave a proof that does not hold; ``shown`` says which, and what was wrong."""

    def __init__(self, node: str, detail: str) -> None:
        super().__init__(f"{node}: {detail}")
        self.shown: Shown[None] = Shown(None, Trust.FAILED, "trust.failed", node=node, detail=detail)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A verified state value, how far the chain was followed when it was asked for, and when (monotonic seconds)."""

    tip: int
    at: float
    shown: Shown[Any]


class Reader:
    """Reads the chain for pages."""

    def __init__(self, nodes: Nodes, light: LightClient) -> None:
        self.nodes = nodes
        self.light = light
        self._blocks: OrderedDict[int, tuple[CommittedBlock, str]] = OrderedDict()
        self._blocks_bytes = 0
        self._states: OrderedDict[str, _Kept] = OrderedDict()
        self._headers: OrderedDict[int, Header] = OrderedDict()

    # As a node says

    async def get(self, path: str, why: str = "trust.index", **params: Any) -> Shown[dict[str, Any]]:
        """Return a JSON document as a node gives it, unverified. Parameters that are None are left out.

        ``why`` is the key of the reason shown: ``trust.index`` (an aggregate or list from the node's own index) or
        ``trust.word`` (what the node says of itself).
        """
        reply = await self.nodes.ask(path, {name: value for name, value in params.items() if value not in (None, "")})
        document = reply.json()
        height = document.get("height")
        return Shown(document, Trust.UNVERIFIED, why, height if type(height) is int else None, reply.node)

    # Verified

    async def state(self, key: str) -> Shown[Any]:
        """Return the value of a state key, None if it is proven absent. Bytes are hexadecimal text.

        A value is asked for again when the chain has grown, but not within two seconds: its seal says its block.
        """
        kept, now = self._states.get(key), time.monotonic()
        if kept is not None and (kept.tip == self.light.height or now - kept.at < _FRESH_S):
            return kept.shown
        tip = self.light.height
        shown = await self._proven(state_path(key), {"proof": "true"}, self._read_state(key))
        self._states[key] = _Kept(tip, now, shown)
        self._states.move_to_end(key)
        while len(self._states) > _KEPT_STATES:
            self._states.popitem(last=False)
        return shown

    def forget(self) -> None:
        """Ask for every state value anew: something was just changed from here."""
        self._states.clear()

    async def proven(self, path: str, key: str | None = None, **params: Any) -> Shown[Any]:
        """Return what the ``proof`` of a document holds: for routes that take ``?proof=true`` and add a state proof.

        ``key`` is the state key the proof must be of, if the caller knows it.
        """
        return await self._proven(path, {**params, "proof": "true"}, self._read_state(key, field="proof"))

    async def transaction(self, tx_id: str) -> Shown[dict[str, Any]]:
        """Return ``{"height", "index", "time_ms", "transaction", "receipt", "header", "certificate"}`` of a commit.

        Signature, both Merkle paths and the certificate are verified.
        """

        def read(body: bytes) -> tuple[dict[str, Any], int]:
            document, _ = split_handovers(strict_json(body, "receipt", depth=MAX_DOCUMENT_DEPTH))
            proof = proof_from_json(document)
            self.light.check(proof.header, proof.certificate)
            transaction, receipt = proof.verify(self.light.genesis.chain_id, self.light.validators(proof.header.epoch))
            if transaction.id.hex() != tx_id:
                raise Malformed("the receipt is of another transaction")
            found = {
                "height": proof.header.height,
                "index": proof.index,
                "time_ms": proof.header.time_ms,
                "transaction": render_transaction(transaction),
                "receipt": receipt_json(receipt),
                "header": document["header"],
                "certificate": document["certificate"],
            }
            return found, proof.header.height

        return await self._proven(f"/v1/transactions/{quote(tx_id, safe='')}/receipt", {}, read)

    async def exact(self, key: str) -> Shown[Any]:
        """Return the value of a state key as the contracts see it, bytes as bytes; None if it is proven absent."""
        return await self._proven(state_path(key), {"proof": "true"}, self._read_state(key, shape=_as_it_is))

    async def headers(self, heights: Iterable[int]) -> Shown[dict[int, Header]]:
        """Return the headers of some heights, each certified and, where it was followed, the one that was."""
        wanted = sorted(set(heights))
        found = await asyncio.gather(*(self._header(height) for height in wanted))
        return Shown(dict(zip(wanted, found, strict=True)), Trust.VERIFIED, "trust.header", self.light.height)

    async def _header(self, height: int) -> Header:
        kept = self._headers.get(height)
        if kept is not None:
            return kept

        def read(body: bytes) -> tuple[Header, int]:
            [(header, certificate)] = read_run(body)
            if header.height != height:
                raise Malformed(f"header {header.height} was given for {height}")
            self.light.check(header, certificate)
            return header, height

        shown = await self._proven("/v1/headers", {"from": height, "limit": 1}, read, accept=MSGPACK)
        self._headers[height] = shown.value
        while len(self._headers) > _KEPT:
            self._headers.popitem(last=False)
        return shown.value

    async def block(self, height: int | str) -> Shown[CommittedBlock]:
        """Return a block by height or ``latest``: certificate, transactions and receipts are those of its header."""
        if type(height) is int and height in self._blocks:
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
        return replace(shown, why="trust.block")

    async def blocks(self, first: int, count: int) -> Shown[list[CommittedBlock]]:
        """Return up to ``count`` (>= 1) verified blocks from height ``first`` on, fewer where they are large."""
        end = first + count
        kept = [self._blocks[height] for height in itertools.takewhile(self._blocks.__contains__, range(first, end))]
        if len(kept) == count:
            return Shown([block for block, _ in kept], Trust.VERIFIED, "trust.block", end - 1, kept[-1][1])
        start = first + len(kept)

        def read(body: bytes) -> tuple[list[CommittedBlock], int]:
            rows = codec.sequence(codec.decode(body), "blocks", limit=1_000)
            found = [CommittedBlock.decode(codec.octets(row, "block")) for row in rows]
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

    async def history(self, process_type: str, object_type: str, object_id: str) -> Shown[dict[str, Any]]:
        """Return all items of an object and the proof that they are all (the document of ``events?proof=true``)."""

        def read(body: bytes) -> tuple[dict[str, Any], int]:
            document, _ = split_handovers(strict_json(body, "history", depth=MAX_DOCUMENT_DEPTH))
            record = state_proof_from_json(codec.mapping(document, "history").get("record"))
            self.light.check(record.header, record.certificate)
            verify_history(document, self.light.genesis, validators=self.light.validators(record.header.epoch))
            if (document["process_type"], document["type"], document["id"]) != (process_type, object_type, object_id):
                raise Malformed("the history is of another object")
            for row in document["items"]:
                row.update(row.pop(UNPROVEN, {}))
            return document, record.header.height

        path = f"/v1/objects/{quote(object_id, safe='')}/events"
        params = {"process_type": process_type, "type": object_type, "proof": "true"}
        return replace(await self._proven(path, params, read), why="trust.history")

    def _read_state(
        self, key: str | None, field: str | None = None, shape: Callable[[Any], Any] = plain
    ) -> Callable[[bytes], tuple[Any, int]]:
        def read(body: bytes) -> tuple[Any, int]:
            document: Any = strict_json(body, "proof", depth=MAX_DOCUMENT_DEPTH + 1)
            shown, _ = split_handovers(document[field] if field else document)
            certified: CertifiedValue = state_proof_from_json(shown)
            if key is not None and certified.key != key.encode():
                raise Malformed(f"another key than {key} was proven")
            self.light.check(certified.header, certified.certificate)
            header = certified.header
            certified.verify(self.light.genesis.chain_id, self.light.validators(header.epoch))
            value = None if certified.value is None else shape(codec.decode(certified.value))
            return value, header.height

        return read

    async def _proven(
        self,
        path: str,
        params: dict[str, Any],
        read: Callable[[bytes], tuple[T, int]],
        *,
        accept: str = "application/json",
    ) -> Shown[T]:
        """Ask nodes in turn until one gives something that holds; raise ``Untrue`` if only false things come."""
        untrue: Untrue | None = None
        refusal: Problem | None = None
        reasons: list[tuple[str, str]] = []
        for address in self.nodes.order():
            try:
                reply: Reply = await self.nodes.ask_one(address, path, params, accept=accept)
                if reply.status >= 500 or reply.status == 429:
                    reasons.append((address.name, f"answered {reply.status}"))
                    continue
                body = reply.require_ok()
                value, height = await asyncio.to_thread(read, body)
            except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
                reasons.append((address.name, str(error) or type(error).__name__))
                continue
            except Problem as problem:
                if problem.status != 410:  # another node may have what this one has pruned
                    raise
                refusal = problem
                continue
            except UnknownValidators as error:  # of an epoch we have not followed to: nobody's lie
                reasons.append((address.name, error.reason))
                continue
            except (LedgerError, KeyError, TypeError) as error:
                detail = error.reason if isinstance(error, LedgerError) else f"not a document of ours: {error}"
                self.nodes.distrusted[address.name] = detail
                untrue = untrue or Untrue(address.name, detail)
                continue
            return Shown(value, Trust.VERIFIED, "trust.proof", height, address.name)
        if untrue is not None:
            raise untrue
        if refusal is not None:
            raise refusal
        raise NoAnswer(reasons)

    def _keep_block(self, committed: CommittedBlock, node: str) -> None:
        """Keep a block for the next page that shows it, the newest within a bound of bytes."""
        height = committed.block.header.height
        if height in self._blocks:
            return
        self._blocks[height] = (committed, node)
        self._blocks_bytes += len(committed.block.raw)
        while len(self._blocks) > _KEPT or (self._blocks_bytes > _KEPT_BYTES and len(self._blocks) > 1):
            _, (oldest, _) = self._blocks.popitem(last=False)
            self._blocks_bytes -= len(oldest.block.raw)


def _as_it_is(value: Any) -> Any:
    return value
