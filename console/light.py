"""The light client: follows every header from the genesis document, and remembers which block stands at each height.

Law: a height counts as followed only when a quorum has certified it and every header below leads to it. What a node
gives that does not hold is never taken, and is kept as it came (console/doubts.py). Headers are judged from the anchor
from which they were asked for, one run at a time. That the chain has forked is said only with both certified blocks.

A run of headers is checked link by link, and the certificate of its last one: that fixes all before it, as the level
``headers`` of docs/spec/audit.md says. 32 bytes a block are kept.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Any, Final

from coseal.audit.fork_document import answerable, fork_json
from coseal.audit.light import Anchor, UnknownValidators, check_certificate, follow, genesis_anchor
from coseal.client.exchange import MSGPACK
from coseal.client.reads import read_headers
from coseal.console.documents import VALIDATORS
from coseal.console.nodes import UNANSWERED, Address, Nodes, Problem, Reply, reason_of
from coseal.console.shapes import Odd
from coseal.ledger import codec
from coseal.ledger.block import Header
from coseal.ledger.certificates import Certificate
from coseal.ledger.errors import BadProof, LedgerError, Malformed
from coseal.ledger.genesis import Genesis
from coseal.ledger.handover import Handover
from coseal.ledger.proof import verify_certified
from coseal.ledger.signing import HASH_BYTES
from coseal.ledger.validators import ValidatorSet

RUN_HEADERS: Final = 256
RECENT_HEADERS: Final = 600


@dataclass(frozen=True, slots=True)
class Trouble:
    """What keeps the light client from following: what came of the node that was asked first, and which that is."""

    node: str
    reason: str


class Conflict(BadProof):
    """A quorum certified another block than the one that was followed at that height."""

    def __init__(self, header: Header, certificate: Certificate) -> None:
        super().__init__(f"another block is certified at height {header.height} than the one followed here")
        self.header, self.certificate = header, certificate


class LightClient:
    """What this console has verified of the chain."""

    def __init__(self, genesis: Genesis, nodes: Nodes) -> None:
        self.genesis = genesis
        self.anchor: Anchor = genesis_anchor(genesis)
        self.recent: deque[Header] = deque(maxlen=RECENT_HEADERS)
        """The newest followed headers, oldest first."""
        self.trouble: Trouble | None = None
        self.handovers: list[Handover] = []
        """What leads from the genesis to the validators of the newest followed epoch."""
        self._nodes = nodes
        self._hashes = bytearray()
        self._sets: dict[int, ValidatorSet] = {genesis.validators.epoch: genesis.validators}
        self._one = asyncio.Lock()

    @property
    def height(self) -> int:
        """The height up to which every header was followed and certified."""
        return self.anchor.height

    def hash_at(self, height: int) -> bytes | None:
        """Return the hash of a followed block, None above."""
        if not 1 <= height <= self.anchor.height:
            return None
        return bytes(self._hashes[(height - 1) * HASH_BYTES : height * HASH_BYTES])

    def height_of(self, hash: bytes) -> int | None:
        """Return the height of the followed block of this hash, None if there is none."""
        place = self._hashes.find(hash)
        while place % HASH_BYTES > 0:  # across two hashes; not found is -1, whose rest is above 0 as well
            if place < 0:
                return None
            place = self._hashes.find(hash, place + 1)
        return place // HASH_BYTES + 1

    def validators(self, epoch: int) -> ValidatorSet:
        """Return the validators of an epoch that was followed; raise ``UnknownValidators``."""
        found = self._sets.get(epoch)
        if found is None:
            raise UnknownValidators(f"this console has not followed the chain to epoch {epoch} yet")
        return found

    def check(self, header: Header, certificate: Certificate) -> None:
        """Raise a ``LedgerError`` unless the header is one of this chain: certified, and the followed one if it is."""
        verify_certified(header, certificate, self.genesis.chain_id, self.validators(header.epoch))
        followed = self.hash_at(header.height)
        if followed is not None and followed != header.hash:
            raise Conflict(header, certificate)

    async def advance(self) -> bool:
        """Follow one run of headers, from the first node that gives one that holds; say whether the tip moved."""
        async with self._one:
            trouble: Trouble | None = None
            for address in self._nodes.order():
                seen = self._nodes.seen.get(address.name)
                if seen is None or seen.height <= self.height:
                    continue
                try:
                    await self._advance_by(address)
                except UNANSWERED as error:
                    trouble = trouble or Trouble(address.name, reason_of(error))
                except (Problem, LedgerError) as error:
                    trouble = trouble or Trouble(address.name, str(error))
                else:
                    self.trouble = None
                    return True
            self.trouble = trouble
            return False

    async def _advance_by(self, address: Address) -> None:
        """Take the next headers from a node; raise what it gave instead, after keeping it if it does not hold."""
        anchor = self.anchor
        params = {"from": anchor.height + 1, "limit": RUN_HEADERS}
        reply = await self._nodes.ask_one(address, "/v1/headers", params, accept=MSGPACK)
        announced: list[ValidatorSet] = []
        asked = reply  # whose answer is judged

        def judge() -> Run:
            found = read_headers(reply.require_ok())
            if not found:
                raise Odd(f"says that it is above height {anchor.height}, and gives no header from there on")
            return follow_run(anchor, found, announced)

        try:
            for header, _ in read_headers(reply.require_ok()):
                if header.next_validators_hash != header.validators_hash:
                    asked = await self._nodes.ask_one(address, "/v1/validators", {"height": header.height + 1})
                    announced.append(validators_of(asked))
            asked = reply
            run = await asyncio.to_thread(judge)
        except UnknownValidators:  # nobody's fault: who the next validators are was not given
            raise
        except LedgerError as error:
            if asked is reply:
                self._nodes.note(reply, error.reason, judge)
                await self._prove_fork(address, anchor)
            else:
                self._nodes.note(asked, error.reason, lambda: validators_of(asked))
            raise
        self._take(run)
        self._nodes.doubts.held(address.name)

    def _take(self, run: Run) -> None:
        """Go on from what was verified."""
        for header in run.headers:
            self._hashes += header.hash
        self.recent.extend(run.headers)
        self.anchor = run.anchor
        self.handovers += run.handovers
        for handover in run.handovers:
            self._sets[handover.epoch] = handover.validators

    # Forks

    async def _prove_fork(self, address: Address, anchor: Anchor) -> None:
        """Look whether a node whose headers do not follow has another certified block at the followed height."""
        try:
            pair = await self._certified(address, anchor.height)
        except (*UNANSWERED, Problem, LedgerError):
            return
        if pair is not None and pair[0].hash != anchor.hash:
            await self.report(address.name, Conflict(*pair))

    async def report(self, node: str, conflict: Conflict) -> None:
        """Keep the proof that a block conflicts with the followed one, if some node still has that one's certificate.

        ``node`` gave the block, and is answerable for nothing: those who signed both are.
        """
        height = conflict.header.height
        for address in self._nodes.order():
            try:
                pair = await self._certified(address, height)
            except (*UNANSWERED, Problem, LedgerError):
                continue
            if pair is not None and pair[0].hash == self.hash_at(height):
                other = (conflict.header, conflict.certificate)
                sets = [self.validators(header.epoch) for header, _ in (pair, other)]
                document = fork_json(pair, other, self.leading(max(pair[0].epoch, other[0].epoch)))
                self._nodes.doubts.fork(height, answerable(pair, other, *sets), node, document)
                return

    async def _certified(self, address: Address, height: int) -> tuple[Header, Certificate] | None:
        """Return a node's header of a height with its certificate, verified; None if it has none."""
        if height < 1:
            return None
        reply = await self._nodes.ask_one(address, "/v1/headers", {"from": height, "limit": 1}, accept=MSGPACK)
        for header, certificate in read_headers(reply.require_ok())[:1]:
            if header.height == height:
                verify_certified(header, certificate, self.genesis.chain_id, self.validators(header.epoch))
                return header, certificate
        return None

    def leading(self, epoch: int) -> list[Handover]:
        """Return what leads from the genesis to an epoch, as far as it was followed."""
        return [one for one in self.handovers if one.epoch <= epoch]


@dataclass(frozen=True, slots=True)
class Run:
    """Headers that follow: the anchor they lead to, and the handovers among them."""

    anchor: Anchor
    headers: tuple[Header, ...]
    handovers: tuple[Handover, ...]


def follow_run(anchor: Anchor, found: list[tuple[Header, Certificate]], announced: list[ValidatorSet]) -> Run:
    """Follow headers from ``anchor``; raise a ``LedgerError`` unless they do.

    Certificates are verified of the last header and of each whose successor has other validators.
    """

    def find(digest: bytes, epoch: int) -> ValidatorSet | None:
        return next((one for one in announced if one.hash == digest and one.epoch == epoch), None)

    handovers = []
    for number, (header, certificate) in enumerate(found):
        anchor = follow(anchor, header, find)
        hands_over = anchor.next_validators is not anchor.validators
        if number == len(found) - 1 or hands_over:
            check_certificate(anchor, header, certificate)
        if hands_over:
            handovers.append(Handover(header, certificate, anchor.next_validators))
    return Run(anchor, tuple(header for header, _ in found), tuple(handovers))


def validators_of(reply: Reply) -> ValidatorSet:
    """Read the document of ``GET /v1/validators``; raise a ``LedgerError``. Whether it is the set, its hash says."""
    document: dict[str, Any] = reply.json(VALIDATORS)
    try:
        rows = [
            [seat["id"], seat["member"], seat["role"], bytes.fromhex(seat["key"])] for seat in document["validators"]
        ]
        return ValidatorSet.decode(codec.encode(["validators", 1, document["epoch"], rows]))
    except (TypeError, ValueError) as error:
        raise Malformed(f"not a set of validators: {type(error).__name__}") from None
