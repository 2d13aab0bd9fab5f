"""The journal of a node whose blocks CometBFT orders: those that are decided and whose certificate is not here yet.

Law: a block is in it, durably, before CometBFT is answered that it was committed, and leaves it only after the block
log has it. A file that is lost or damaged costs nothing but time: CometBFT gives the blocks again, and what this node
signed is in CometBFT's own file.
"""

from __future__ import annotations

from typing import Final

from coseal.ledger import codec, framing
from coseal.ledger.block import Block
from coseal.ledger.errors import Malformed

FILE_BYTES_MAX: Final = 4 * 1024 * 1024
"""The file is begun again once it is larger and nothing in it is needed any more."""
_ORIGIN: Final = 1
_BLOCK: Final = 3


class BlockJournal:
    """Frames blocks for the file, and reads those that a file holds."""

    def __init__(self, data: bytes | None, chain_id: bytes, node_id: str) -> None:
        """``data`` are the file's bytes, None if there is no file. ``damaged``: it is to be begun again."""
        self._origin = codec.encode(["journal", 1, chain_id, node_id])
        scan = framing.scan(b"" if data is None else data, first_sequence=1)
        records = scan.records
        own = bool(records) and records[0].kind == _ORIGIN and records[0].payload == self._origin
        self.blocks: tuple[Block, ...] = ()
        self.damaged = scan.torn or scan.damaged or not own
        self._sequence, self._size = len(records) + 1, scan.end
        if own:
            try:
                self.blocks = tuple(Block.decode(record.payload) for record in records if record.kind == _BLOCK)
            except Malformed:
                self.damaged = True

    @property
    def overgrown(self) -> bool:
        """Whether the file should be begun again when nothing in it is needed."""
        return self._size > FILE_BYTES_MAX

    def append(self, block: Block) -> bytes:
        """Return the bytes to append for a block."""
        return self._framed(_BLOCK, block.raw)

    def begin(self, blocks: tuple[Block, ...] = ()) -> bytes:
        """Return a whole file that holds these blocks."""
        self._sequence, self._size = 1, 0
        return self._framed(_ORIGIN, self._origin) + b"".join([self.append(block) for block in blocks])

    def _framed(self, kind: int, payload: bytes) -> bytes:
        framed = framing.frame(self._sequence, kind, payload)
        self._sequence += 1
        self._size += len(framed)
        return framed
