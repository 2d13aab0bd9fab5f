"""What pages show: answers of nodes, each with whether this console verified it.

Law: ``verified`` is said only of a value that a certificate this console checked leads to. Whatever comes without a
proof is shown as what it is: the word of a node. A proof that does not hold is never shown as a value. What one node
answers oddly, falsely or not at all is asked of the others.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from coseal.audit.history import UNPROVEN
from coseal.audit.light import UnknownValidators
from coseal.client import access, dossiers, reads, statements
from coseal.client.access import ProvenAccesses
from coseal.client.dossiers import ProvenDossier
from coseal.client.exchange import Ask, Exchange, Pause
from coseal.client.statements import Statement
from coseal.console.doubts import Judge
from coseal.console.followed import Followed, answered, judged
from coseal.console.light import Conflict, LightClient
from coseal.console.nodes import JSON, UNANSWERED, Address, NoAnswer, Nodes, Problem, Reply, reason_of, require_able
from coseal.console.shapes import Rows, Shape
from coseal.console.shown import Proven, Recording, Shown, Trust, Untrue
from coseal.contracts.credit.dossier import Question
from coseal.contracts.currency.statement import Period
from coseal.contracts.disclosure.sealing import SEALED
from coseal.contracts.process.chain import item_hash
from coseal.ledger import codec
from coseal.ledger.block import CommittedBlock, Header, Receipt
from coseal.ledger.errors import LedgerError
from coseal.ledger.proof import CertifiedValue, TransactionProof
from coseal.ledger.render import (
    certificate_json,
    header_json,
    plain,
    receipt_json,
)
from coseal.ledger.render import transaction_json as render_transaction
from coseal.ledger.transaction import Transaction

_DIGEST: Final = re.compile("[0-9a-f]{64}")
_KEPT: Final = 512
_KEPT_STATES: Final = 4_096
_KEPT_RECORDINGS: Final = 4_096
_KEPT_ACCESSES: Final = 8
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
        self._accesses: OrderedDict[str, Shown[ProvenAccesses]] = OrderedDict()

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

        def read(verifier: Followed) -> Exchange[tuple[tuple[Any, int], int]]:
            certified = yield from reads.state(verifier, key, floor)
            return (_decoded(certified), certified.header.time_ms), certified.header.height

        tip, floor = self.light.height, self._floor
        shown = await self._proven(read)
        value, time_ms = shown.value
        proven = Proven(value, shown.height or 0, shown.node, time_ms)
        self._keep_state(key, tip, proven)
        return proven

    async def together(self, keys: Sequence[str]) -> dict[str, Proven]:
        """Return the values of state keys, all of one block; of several only where they are too many to ask at once."""
        found: dict[str, Proven] = {}
        for some in reads.asked_at_once(keys):
            found |= await self._together(some)
        return found

    async def _together(self, keys: Sequence[str]) -> dict[str, Proven]:
        def read(verifier: Followed) -> Exchange[tuple[tuple[list[Any], int], int]]:
            certified = yield from reads.values(verifier, keys, floor)
            header = certified[0].header
            return ([_decoded(one) for one in certified], header.time_ms), header.height

        tip, floor = self.light.height, self._floor
        shown = await self._proven(read)
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

        if _DIGEST.fullmatch(tx_id) is None:
            raise Problem(404, "unknown_transaction", tx_id, "")

        def read(verifier: Followed) -> Exchange[tuple[dict[str, Any], int]]:
            proof, transaction, receipt = yield from reads.receipt(verifier, bytes.fromhex(tx_id))
            return _transaction_document(proof, transaction, receipt), proof.header.height

        return await self._proven(read)

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
        said = found["receipt"]["data"].get(SEALED)
        sealed = None if said is None else (said["vault"], said["number"])
        self._recordings[tx_id] = Recording(tx_id, *place, source, hashes, sealed)
        while len(self._recordings) > _KEPT_RECORDINGS:
            self._recordings.popitem(last=False)
        return self._recordings[tx_id]

    async def block(self, height: int | str) -> Shown[CommittedBlock]:
        """Return a block by height or ``latest``: certificate, transactions and receipts are those of its header."""
        if type(height) is int and self._has(height):
            committed, node = self._blocks[height]
            return Shown(committed, Trust.VERIFIED, "trust.block", height, node)

        def read(verifier: Followed) -> Exchange[tuple[CommittedBlock, int]]:
            committed = yield from reads.block(verifier, height)
            return committed, committed.block.header.height

        shown = await self._proven(read)
        self._keep_block(shown.value, shown.node)
        return shown.because("trust.block")

    async def header(self, height: int) -> Shown[Header]:
        """Return the header of a height, certified and, where it was followed, the one that was."""

        def read(verifier: Followed) -> Exchange[tuple[Header, int]]:
            return (yield from reads.header(verifier, height)), height

        shown = await self._proven(read)
        return shown.because("trust.header")

    async def blocks(self, first: int, count: int) -> Shown[list[CommittedBlock]]:
        """Return up to ``count`` (>= 1) verified blocks from height ``first`` on, fewer where they are large."""
        end = first + count
        kept = [self._blocks[height] for height in itertools.takewhile(self._has, range(first, end))]
        if len(kept) == count:
            return Shown([block for block, _ in kept], Trust.VERIFIED, "trust.block", end - 1, kept[-1][1])
        start = first + len(kept)

        def read(verifier: Followed) -> Exchange[tuple[list[CommittedBlock], int]]:
            found = yield from reads.blocks(verifier, start, end - start)
            return found, start + len(found) - 1

        shown = await self._proven(read)
        for committed in shown.value:
            self._keep_block(committed, shown.node)
        return replace(shown, value=[*(block for block, _ in kept), *shown.value], why="trust.block")

    async def history(self, process_type: str, object_type: str, object_id: str) -> Shown[list[dict[str, Any]]]:
        """Return all items of an object in ledger order, proven to be all: rows of source, sequence, hash and item.

        ``tx`` (see ``recording``) and ``claimed`` of a row are the transaction that recorded it and its block, as the
        node says, None where it says nothing.
        """
        place = (process_type, object_type, object_id)

        def read(verifier: Followed) -> Exchange[tuple[list[dict[str, Any]], int]]:
            found, document = yield from reads.history(verifier, place, floor)
            rows = zip(found.items, document["items"], strict=True)
            return [_row_of(*item, said) for item, said in rows], found.height

        floor = self._floor
        shown = await self._proven(read)
        return shown.because("trust.history")

    async def statement(self, wallet: str, period: Period) -> Shown[Statement]:
        """Return all movements of a wallet in these months, proven to be all."""

        def read(verifier: Followed) -> Exchange[tuple[Statement, int]]:
            found = yield from statements.asked(verifier, wallet, period, floor, self.light.leading)
            return found, found.height

        floor = self._floor
        shown = await self._proven(read)
        return shown.because("trust.statement")

    async def dossier(self, question: Question) -> Shown[ProvenDossier]:
        """Return all facts of a member with what formulas say of them, each value proven."""

        def read(verifier: Followed) -> Exchange[tuple[ProvenDossier, int]]:
            found = yield from dossiers.asked(verifier, question, floor, self.light.leading)
            return found, found.height

        floor = self._floor
        shown = await self._proven(read)
        return shown.because("trust.dossier")

    async def accesses(self, owner: str, recorded: Any = None) -> Shown[ProvenAccesses]:
        """Return every step that concerned what a member sealed, proven to be all.

        Those with the ``recorded`` head are not asked for again.
        """
        kept = self._accesses.get(owner)
        if kept is not None and recorded is not None and record_of(kept.value) == recorded:
            return kept

        def read(verifier: Followed) -> Exchange[tuple[ProvenAccesses, int]]:
            found = yield from access.asked(verifier, owner, floor, self.light.leading)
            return found, found.height

        floor = self._floor
        shown = await self._proven(read)
        self._accesses[owner] = shown.because("trust.accesses")
        self._accesses.move_to_end(owner)
        while len(self._accesses) > _KEPT_ACCESSES:
            self._accesses.popitem(last=False)
        return self._accesses[owner]

    async def _proven(self, read: Callable[[Followed], Exchange[tuple[T, int]]]) -> Shown[T]:
        """Ask nodes in turn until one gives something that holds.

        Raises ``Problem`` if those that answer refuse, ``Untrue`` if what comes does not hold, else ``NoAnswer``.
        """
        untrue: Untrue | None = None
        refusal: Problem | None = None
        reasons: list[tuple[str, str]] = []
        for address in self.nodes.order():
            replies: list[Reply] = []
            try:
                verifier = Followed(self.light, address.name)
                reading = read(verifier)
                found: tuple[T, int] | Ask | Pause = next(reading)
                while isinstance(found, Ask | Pause):
                    reply = await self._asked(address, found)
                    require_able(reply)
                    replies.append(reply)
                    found = await asyncio.to_thread(answered, reply, reading)
                value, height = found
            except UNANSWERED as error:
                reasons.append((address.name, reason_of(error)))
            except Problem as problem:  # another node may have what this one lacks
                refusal = refusal or problem
            except UnknownValidators as error:  # of an epoch we have not followed to: nobody's lie
                reasons.append((address.name, error.reason))
            except LedgerError as error:
                self.nodes.note(reply, error.reason, _judge(replies, read, verifier))
                if isinstance(error, Conflict):
                    await self.light.report(address.name, error)
                untrue = untrue or Untrue(address.name, error.reason)
            else:
                self.nodes.doubts.held(address.name)
                return Shown(value, Trust.VERIFIED, "trust.proof", height, address.name)
        raise refusal or untrue or NoAnswer(reasons)

    async def _asked(self, address: Address, ask: Ask | Pause) -> Reply:
        """Put the question of a read to a node."""
        if isinstance(ask, Pause):
            raise TypeError("a read of the console waits for nothing")
        return await self.nodes.ask_one(address, ask.path, dict(ask.params), accept=ask.headers.get("Accept", JSON))

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


def record_of(accesses: ProvenAccesses) -> list[Any] | None:
    """Return the state value of the log that these accesses are all of, None where there is none."""
    count, head = accesses.recorded
    return [count, head] if count else None


def _judge(replies: Sequence[Reply], read: Callable[[Followed], Exchange[T]], verifier: Followed) -> Judge:
    """Return what judges answers once more, by what is followed then."""
    return lambda: judged(replies, read(verifier))


def _decoded(certified: CertifiedValue) -> Any:
    return None if certified.value is None else codec.decode(certified.value)


def _transaction_document(proof: TransactionProof, transaction: Transaction, receipt: Receipt) -> dict[str, Any]:
    return {
        "height": proof.header.height,
        "index": proof.index,
        "time_ms": proof.header.time_ms,
        "transaction": render_transaction(transaction),
        "receipt": receipt_json(receipt),
        "header": header_json(proof.header),
        "certificate": certificate_json(proof.certificate),
    }


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
