"""What one page reads: all of the state as of one block.

Law: what a page claims to hold together was read together. A page asks for values as it comes to them, perhaps while
blocks are committed; if they are of several blocks, all of them are read again in one, and the page is built again.
Only if the chain moves faster than that, or there are more values than a node proves at once, they stay of several
blocks, and every seal says which.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from coseal.client.access import ProvenAccesses
from coseal.console.light import LightClient
from coseal.console.nodes import NoAnswer, Nodes, Problem
from coseal.console.reader import Reader, record_of
from coseal.console.shapes import Odd, Shape
from coseal.console.shown import Proven, Recording, Shown
from coseal.contracts.disclosure.state import log_key
from coseal.contracts.process.chain import EMPTY_RECORD, chain
from coseal.contracts.process.state import object_key
from coseal.ledger.block import CommittedBlock, Header
from coseal.ledger.render import plain

ATTEMPTS: Final = 4


class PageData:
    """Reads the chain for one page; see ``Reader`` for what each question gives."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._read: dict[str, Proven] = {}
        self._fixed: dict[str, Proven] = {}

    @property
    def nodes(self) -> Nodes:
        """The nodes that are asked."""
        return self._reader.nodes

    @property
    def light(self) -> LightClient:
        """What was followed."""
        return self._reader.light

    @property
    def reader(self) -> Reader:
        """The reader behind it, for what is done beside showing a page."""
        return self._reader

    @property
    def heights(self) -> tuple[int, int] | None:
        """The blocks that the state shown is of, the first and the last; None if none of it is shown."""
        heights = [proven.height for proven in self._read.values()]
        return (min(heights), max(heights)) if heights else None

    @property
    def block_ms(self) -> int | None:
        """The time of the newest block that the state shown is of."""
        return max((proven.time_ms for proven in self._read.values()), default=None)

    async def settled(self) -> bool:
        """Say whether all of the state that was read is of one block; if not, read it so for the next attempt."""
        if len({proven.height for proven in self._read.values()}) <= 1:
            return True
        self._fixed = await self._reader.together(sorted(self._read))
        self._read = {}
        return False

    # The state

    async def state(self, key: str) -> Shown[Any]:
        """Return the value of a state key, None if it is proven absent. Bytes are hexadecimal text."""
        proven = await self._proven(key)
        return proven.shown(plain(proven.value))

    async def exact(self, key: str) -> Shown[Any]:
        """Return the value of a state key as the contracts see it, bytes as bytes; None if it is proven absent."""
        proven = await self._proven(key)
        return proven.shown(proven.value)

    async def together(self, keys: Sequence[str]) -> dict[str, Shown[Any]]:
        """Return the values of many state keys as ``exact`` does, with as few questions as they take."""
        found = {key: self._fixed[key] for key in keys if key in self._fixed}
        found |= await self._reader.together([key for key in keys if key not in found])
        self._read |= found
        return {key: proven.shown(proven.value) for key, proven in found.items()}

    async def history(self, process_type: str, object_type: str, object_id: str) -> Shown[list[dict[str, Any]]]:
        """Return all items of an object, proven to be all; as of the block of the page where they are still all."""
        shown = await self._reader.history(process_type, object_type, object_id)
        key = object_key(process_type, object_type, object_id)
        record = await self._proven(key)
        if record.value == recorded_of(shown.value):
            return record.shown(shown.value).because(shown.why)
        self._read[key] = Proven(None, shown.height or 0, shown.node, 0)  # it grew meanwhile: of another block
        return shown

    async def accesses(self, owner: str) -> Shown[ProvenAccesses]:
        """Return every step that concerned what a member sealed, proven to be all; as ``history`` of which block."""
        key = log_key(owner)
        record = await self._proven(key)
        shown = await self._reader.accesses(owner, record.value)
        if record.value == record_of(shown.value):
            return record.shown(shown.value).because(shown.why)
        self._read[key] = Proven(None, shown.height or 0, shown.node, 0)  # it grew meanwhile: of another block
        return shown

    async def _proven(self, key: str) -> Proven:
        proven = self._fixed.get(key) or await self._reader.proven(key)
        self._read[key] = proven
        return proven

    # What does not change, and what nodes say

    async def get(self, path: str, shape: Shape, why: str = "trust.index", **params: Any) -> Shown[dict[str, Any]]:
        """Return a JSON document as a node gives it, unverified."""
        return await self._reader.get(path, shape, why, **params)

    async def said(self, path: str, shape: Shape, **params: Any) -> Shown[dict[str, Any]] | None:
        """Return a document as ``get`` does; None if no node gives one, for pages that hold without it."""
        try:
            return await self._reader.get(path, shape, **params)
        except (NoAnswer, Problem, Odd):
            return None

    async def transaction(self, tx_id: str) -> Shown[dict[str, Any]]:
        """Return a transaction with its verified receipt."""
        return await self._reader.transaction(tx_id)

    async def recording(self, tx_id: str) -> Recording | None:
        """Return what a transaction recorded and where it stands; None if nobody proves that it did."""
        return await self._reader.recording(tx_id)

    async def block(self, height: int | str) -> Shown[CommittedBlock]:
        """Return a verified block by height or ``latest``."""
        return await self._reader.block(height)

    async def header(self, height: int) -> Shown[Header]:
        """Return the verified header of a block, which nodes keep of pruned ones too."""
        return await self._reader.header(height)

    async def blocks(self, first: int, count: int) -> Shown[list[CommittedBlock]]:
        """Return verified blocks from a height on."""
        return await self._reader.blocks(first, count)


def recorded_of(rows: Sequence[dict[str, Any]]) -> list[Any] | None:
    """Return the state value of the record of an object with these items, None if there are none."""
    count, head = EMPTY_RECORD
    for row in rows:
        count, head = count + 1, chain(head, bytes.fromhex(row["hash"]))
    return [count, head] if count else None
