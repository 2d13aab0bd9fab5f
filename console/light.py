"""The light client: follows every header from the genesis document, and remembers which block stands at each height.

Law: a height counts as followed only when a quorum has certified it and every header below leads to it. What a node
gives that does not hold is never taken; the node is named.

A run of headers is checked link by link, and the certificate of its last one: that fixes all before it, as the level
``headers`` of docs/spec/audit.md says. 32 bytes a block are kept.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Any, Final

import httpx

from audit.light import Anchor, OtherChain, UnknownValidators, check_certificate, follow, genesis_anchor
from console.nodes import MSGPACK, Address, Nodes, Problem
from ledger import codec
from ledger.block import Header
from ledger.certificate import Certificate
from ledger.errors import BadProof, LedgerError, Malformed
from ledger.genesis import Genesis
from ledger.proof import verify_certified
from ledger.signing import HASH_BYTES
from ledger.validators import MAX_VALIDATORS, ValidatorSet

RUN_HEADERS: Final = 256
RECENT_HEADERS: Final = 600


@dataclass(frozen=True, slots=True)
class Trouble:
    """What keeps the light client from following: from which node, and why. ``false`` if something did not hold."""

    node: str
    reason: str
    false: bool


class LightClient:
    """What this console has verified of the chain."""

    def __init__(self, genesis: Genesis, nodes: Nodes) -> None:
        self.genesis = genesis
        self.anchor: Anchor = genesis_anchor(genesis)
        self.recent: deque[Header] = deque(maxlen=RECENT_HEADERS)
        """The newest followed headers, oldest first."""
        self.trouble: Trouble | None = None
        self._nodes = nodes
        self._hashes = bytearray()
        self._sets: dict[int, ValidatorSet] = {genesis.validators.epoch: genesis.validators}

    @property
    def height(self) -> int:
        """The height up to which every header was followed and certified."""
        return self.anchor.height

    def hash_at(self, height: int) -> bytes | None:
        """Return the hash of a followed block, None above."""
        if not 1 <= height <= self.anchor.height:
            return None
        return bytes(self._hashes[(height - 1) * HASH_BYTES : height * HASH_BYTES])

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
            raise BadProof(f"another block is certified at height {header.height}: the chain has forked")

    async def advance(self) -> bool:
        """Follow one run of headers, from the first node that gives one that holds; say whether the tip moved."""
        trouble: Trouble | None = None
        for address in self._nodes.order():
            seen = self._nodes.seen.get(address.name)
            if seen is None or seen.height <= self.height:
                continue
            try:
                moved = await self._advance_by(address)
            except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, Problem) as error:
                trouble = trouble or Trouble(address.name, str(error) or type(error).__name__, false=False)
                continue
            except UnknownValidators as error:
                trouble = trouble or Trouble(address.name, error.reason, false=False)
                continue
            except LedgerError as error:
                self._nodes.distrusted[address.name] = error.reason
                trouble = Trouble(address.name, error.reason, false=not isinstance(error, OtherChain))
                continue
            self.trouble = None
            return moved
        if trouble is not None:
            self.trouble = trouble
        return False

    async def _advance_by(self, address: Address) -> bool:
        params = {"from": self.height + 1, "limit": RUN_HEADERS}
        reply = await self._nodes.ask_one(address, "/v1/headers", params, accept=MSGPACK)
        anchor = self.anchor
        body = reply.require_ok()
        found = await asyncio.to_thread(read_run, body)
        announced = await self._announced(address, found)
        last, headers = await asyncio.to_thread(follow_run, anchor, found, announced)
        if anchor is not self.anchor or not headers:
            return False
        for header in headers:
            self._hashes += header.hash
        self.recent.extend(headers)
        self.anchor = last
        self._sets[last.validators.epoch] = last.validators
        self._sets[last.next_validators.epoch] = last.next_validators
        return True

    async def _announced(self, address: Address, found: list[tuple[Header, Certificate]]) -> list[ValidatorSet]:
        """Return the sets that headers announce, as the node says; ``follow`` checks them by their hash."""
        sets = []
        for header, _ in found:
            if header.next_validators_hash != header.validators_hash:
                reply = await self._nodes.ask_one(address, "/v1/validators", {"height": header.height + 1})
                sets.append(validators_from_json(reply.json()))
        return sets


def read_run(body: bytes) -> list[tuple[Header, Certificate]]:
    """Read a list of [header, certificate]; raise ``Malformed``."""
    rows = codec.sequence(codec.decode(body), "headers", limit=1_000)
    found = []
    for row in rows:
        pair = [codec.octets(part, "head") for part in codec.sequence(row, "head", limit=2)]
        if len(pair) != 2:
            raise Malformed("a head is a header and a certificate")
        found.append((Header.decode(pair[0]), Certificate.decode(pair[1])))
    return found


def follow_run(
    anchor: Anchor, found: list[tuple[Header, Certificate]], announced: list[ValidatorSet]
) -> tuple[Anchor, list[Header]]:
    """Follow headers from ``anchor`` and return the new anchor; raise a ``LedgerError``.

    Certificates are verified of the last header and of each whose successor has other validators.
    """

    def find(digest: bytes, epoch: int) -> ValidatorSet | None:
        return next((one for one in announced if one.hash == digest and one.epoch == epoch), None)

    headers = []
    for number, (header, certificate) in enumerate(found):
        anchor = follow(anchor, header, find)
        if number == len(found) - 1 or anchor.next_validators is not anchor.validators:
            check_certificate(anchor, header, certificate)
        headers.append(header)
    return anchor, headers


def validators_from_json(document: dict[str, Any]) -> ValidatorSet:
    """Read the document of ``GET /v1/validators``; raise ``Malformed``. Whether it is the right set, its hash says."""
    seats = [
        codec.mapping(seat, "validator")
        for seat in codec.sequence(document.get("validators"), "validators", limit=MAX_VALIDATORS)
    ]
    try:
        rows = [[seat["id"], seat["member"], seat["role"], bytes.fromhex(seat["key"])] for seat in seats]
        return ValidatorSet.decode(codec.encode(["validators", 1, document["epoch"], rows]))
    except (KeyError, TypeError, ValueError) as error:
        raise Malformed(f"not a set of validators: {type(error).__name__}") from None
