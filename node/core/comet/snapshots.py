"""Snapshots through CometBFT: how one is cut into its chunks, and joining by one.

Law: nothing of a snapshot is kept that does not prove itself from the genesis on, as under Coseal's own PBFT (Z5 to
Z9); what CometBFT's light client believes counts for CometBFT alone. Who gives a chunk that proves nothing is asked for
no other, and the chunk is fetched elsewhere.

Chunks, in the order in which CometBFT gives them: the heads of the heights below the snapshot, ``HEADS_A_CHUNK`` in
each; the certified block; the parts of the state.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Final

from coseal.ledger import codec
from coseal.ledger.block import Header
from coseal.ledger.comet import CometCertificate
from coseal.ledger.errors import BadProof, LedgerError, Malformed
from coseal.ledger.head import Head
from coseal.ledger.signing import ZERO_HASH
from coseal.ledger.snapshot import Manifest
from coseal.node.core import events as shell
from coseal.node.core.comet import abci
from coseal.node.core.context import MachineContext
from coseal.node.core.header_chain import genesis_chain

FORMAT: Final = 1
HEADS_A_CHUNK: Final = 24
"""A head has 512 KiB at most, and a chunk of CometBFT 16 MB."""
AHEAD: Final = 2
"""Blocks that must follow a snapshot before CometBFT can begin after it: it reads their headers, too."""


def offered(manifest: Manifest) -> abci.Snapshot:
    """Return what CometBFT is shown of a snapshot: the same at all nodes, so without its certificate's signatures."""
    metadata = replace(manifest, certificate=_unsigned(manifest.header)).encode()
    chunks = _head_chunks(manifest.height) + 1 + manifest.chunks
    return abci.Snapshot(manifest.height, FORMAT, chunks, sha256(metadata).digest(), metadata)


def heads_in(height: int, chunk: int) -> range:
    """Return the heights whose heads a chunk of the snapshot of ``height`` holds; none if it holds something else."""
    return range(1 + chunk * HEADS_A_CHUNK, min(height, 1 + (chunk + 1) * HEADS_A_CHUNK))


def item_in(manifest: Manifest, chunk: int) -> int:
    """Return the item of a snapshot (``ledger.snapshot``) that a chunk without heads is: the block first."""
    place = chunk - _head_chunks(manifest.height)
    return place - 1 if place else manifest.chunks


def heads_chunk(heads: list[bytes]) -> bytes:
    """Return the chunk that holds these heads."""
    return codec.encode(["heads-chunk", 1, heads])


def _head_chunks(height: int) -> int:
    return -(-(height - 1) // HEADS_A_CHUNK)


def _unsigned(header: Header) -> CometCertificate:
    """Return a certificate that names a header and proves nothing."""
    return CometCertificate(header.height, 0, 1, ZERO_HASH, header.tx_count + 1, (), (), ())


class SnapshotJoin:
    """``complete``: everything is kept, and the node is about to start again on it; what it is asked then waits."""

    def __init__(self, context: MachineContext) -> None:
        self.complete = False
        self._context = context
        self._manifest: Manifest | None = None
        self._header_chain = genesis_chain(context.config.genesis)
        self._kept: set[int] = set()

    def offer(self, snapshot: abci.Snapshot, tip: bytes) -> bytes:
        """Answer an offer; ``tip`` is the hash of this node's last block. CometBFT has none, or it would not ask."""
        height, self._manifest = self._context.executor.height, None
        if snapshot.format != FORMAT:
            return abci.offer_snapshot(abci.Offered.REJECT_FORMAT)
        if snapshot.height < height:
            return abci.offer_snapshot(abci.Offered.REJECT)
        try:
            manifest = Manifest.decode(snapshot.metadata)  # Z5
            if manifest.header.chain_id != self._context.config.genesis.chain_id:
                raise BadProof("the snapshot is of another chain")
            if offered(manifest) != snapshot:
                raise Malformed("the snapshot is not the one that its manifest names")
        except LedgerError as error:  # M17
            self._refused(f"a snapshot of height {snapshot.height} was offered that does not prove itself", error)
            return abci.offer_snapshot(abci.Offered.REJECT_SENDER)
        if snapshot.height == height:  # what an earlier CometBFT joined by, and did not live to take over
            same = manifest.header.hash == tip
            return abci.offer_snapshot(abci.Offered.ACCEPT if same else abci.Offered.REJECT)
        self._manifest = manifest
        self._header_chain = genesis_chain(self._context.config.genesis)
        self._kept.clear()
        return abci.offer_snapshot(abci.Offered.ACCEPT)

    def apply(self, request: abci.ApplySnapshotChunk) -> bytes | None:
        """Keep a chunk and answer; None when all are kept: the answer is the next process's, which has the state."""
        if self._manifest is None:
            has_it = self._context.executor.height > 0
            return abci.apply_snapshot_chunk() if has_it else abci.abort_snapshot()
        try:
            self._keep(self._manifest, request.index, request.chunk)
        except LedgerError as error:  # M17
            self._refused(f"the peer {request.sender} sent a chunk that does not prove itself; others are asked", error)
            return abci.refetch_snapshot_chunk(request.index, request.sender)
        if len(self._kept) <= self._manifest.chunks:
            return abci.apply_snapshot_chunk()
        self.complete = True
        self._context.emit(shell.AdoptSnapshot(self._manifest.height))
        return None

    def _refused(self, text: str, error: LedgerError) -> None:
        self._context.count("refused_snapshot")
        self._context.emit(shell.Noticed("bad_snapshot", f"{text}: {error.reason}"))

    def _keep(self, manifest: Manifest, chunk: int, data: bytes) -> None:
        """Keep what a chunk holds; raise ``LedgerError`` if it is not that chunk."""
        heights = heads_in(manifest.height, chunk)
        if heights:
            self._keep_heads(heights, data)
            return
        item, verify = item_in(manifest, chunk), self._context.config.verify
        committed = manifest.check(item, data)  # Z6
        if committed is not None:
            self._header_chain.check(manifest.header, committed.certificate, verify)  # Z7
            certified = replace(manifest, certificate=committed.certificate)
            self._context.emit(shell.BeginJoin(certified.encode()))
        self._context.emit(shell.KeepItem(item, data))
        self._kept.add(item)

    def _keep_heads(self, heights: range, data: bytes) -> None:
        (raws,) = codec.decode_record(data, "heads-chunk", 1, 1)
        heads = [Head.decode(codec.octets(raw, "head")) for raw in codec.sequence(raws, "heads", limit=HEADS_A_CHUNK)]
        if [head.header.height for head in heads] != list(heights):
            raise BadProof("the headers are of other heights than asked for")
        followed = self._header_chain
        for head in heads:
            followed = followed.follow(head, self._context.config.verify)  # Z8
        self._header_chain = followed
        self._context.emit(shell.KeepHeads(tuple(raws)))
