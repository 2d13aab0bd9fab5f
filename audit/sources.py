"""Where an auditor gets blocks from: a node's block files, or a running node over HTTP.

Law: a source only hands over bytes, bounded in size and time; nothing it says is believed here.
"""

from __future__ import annotations

import json
import mmap
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from coseal.ledger import codec, framing
from coseal.ledger.block import CommittedBlock
from coseal.ledger.errors import LedgerError, Malformed
from coseal.ledger.framing import Record
from coseal.ledger.handover import Handover
from coseal.ledger.head import Head, announced
from coseal.ledger.strict_json import strict_json

BLOCK_KIND: Final = 1
"""The type byte of a committed block in a block file."""
HEAD_KIND: Final = 2
"""The type byte of the head of a pruned block."""
PAGE_BLOCKS: Final = 200
MAX_RESPONSE_BYTES: Final = 24 * 1024 * 1024
"""A page of blocks is at most 8 MiB, or one block: 4 MiB, receipts of 16 MiB and what fell due at its start."""
SILENCE_SECONDS: Final = 20.0
RESPONSE_SECONDS: Final = 60.0


class Unreachable(Exception):
    """The source cannot be read at all, or stopped answering; ``reason`` says how."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Pruned(Unreachable):
    """The source has no block below ``first_height`` any more: its node has pruned them, or joined by a snapshot."""

    def __init__(self, first_height: int) -> None:
        super().__init__(f"its blocks begin at height {first_height}")
        self.first_height = first_height


class Damaged(Exception):
    """A block file is damaged at ``height``. ``torn``: it ends within its last record, as after a crash."""

    def __init__(self, height: int, reason: str, *, torn: bool) -> None:
        super().__init__(reason)
        self.height = height
        self.reason = reason
        self.torn = torn


class Source(Protocol):
    """Blocks by height, each as the bytes of a ``CommittedBlock``."""

    @property
    def name(self) -> str:
        """What a report calls this source."""
        ...

    def tip(self) -> int:
        """Return the greatest height the source claims to have, 0 for none; raise ``Unreachable`` or ``Damaged``."""
        ...

    def blocks(self, first: int, last: int) -> Iterator[bytes]:
        """Yield the blocks ``first``..``last`` in order; end early where the source has no more.

        Raises ``Unreachable``, ``Damaged``, or ``Pruned`` for blocks that it had once.
        """
        ...

    def handovers(self) -> Iterator[bytes]:
        """Yield the handovers between epochs (each the bytes of a ``Handover``) that the source holds, ascending.

        Raises ``Unreachable`` or ``Damaged``.
        """
        ...


class FileSource:
    """A node's block files: a folder of ``*.log`` files, a node's data folder, or one file."""

    def __init__(self, path: Path | str, name: str | None = None) -> None:
        self._path = Path(path)
        self.name = name or str(path)

    def tip(self) -> int:
        """See ``Source``; follows the lengths of the last file's records without reading their payloads.

        What follows the last whole record counts as a claim of one more block, so that reading it tells the damage.
        """
        files = self._files()
        position = max(index for index, (start, _) in enumerate(files) if start is not None or index == 0)
        height = (files[position][0] or 1) - 1
        for _, path in files[position:]:
            with _mapped(path) as view:
                offset = 0
                while (step := framing.skip(view, offset)) is not None:
                    height, offset = step
                if offset < len(view):
                    return height + 1
        return height

    def blocks(self, first: int, last: int) -> Iterator[bytes]:
        """See ``Source``."""
        files = self._files()
        position = max(index for index, (start, _) in enumerate(files) if index == 0 or (start or first + 1) <= first)
        height = files[position][0] or 1
        if height > first:
            raise Pruned(height)
        for index in range(position, len(files)):
            path, is_last = files[index][1], index == len(files) - 1
            height = yield from self._read(path, height, first, last, is_last=is_last)

    def handovers(self) -> Iterator[bytes]:
        """See ``Source``; reads every header, of pruned blocks too, up to the first that is damaged."""
        heads = self._path / "heads"
        pruned = sorted(heads.glob("*.log")) if heads.is_dir() else []
        try:
            for path in (*pruned, *(path for _, path in self._files())):
                with _mapped(path) as view:
                    yield from (found.encode() for record in _records(view) if (found := _handover(record)) is not None)
        except LedgerError:
            return

    def _read(self, path: Path, height: int, first: int, last: int, *, is_last: bool) -> Generator[bytes, None, int]:
        """Yield the wanted records of one file that begins at ``height``; return the height after it."""
        offset = 0
        with _mapped(path) as view:
            while offset < len(view) and height <= last:
                record = framing.read(view, offset)
                if record is None:
                    raise self._damage(view, offset, height, path, is_last=is_last)
                if record.sequence != height or record.kind != BLOCK_KIND:  # F2, F4
                    found = f"the record in its place is of height {record.sequence}, type {record.kind}"
                    raise Damaged(height, f"{path.name}: {found}", torn=False)
                if height >= first:
                    yield record.payload
                height, offset = height + 1, record.end
        return height

    def _damage(self, view: memoryview, offset: int, height: int, path: Path, *, is_last: bool) -> Damaged:
        if not is_last or framing.is_followed(view, offset, height):  # F3
            return Damaged(height, f"{path.name}: a record is damaged, with good ones after it", torn=False)
        if framing.is_cut(view[offset:]):
            return Damaged(height, f"{path.name}: the last record is cut short, as by a crash", torn=True)
        return Damaged(height, f"{path.name}: the last record is damaged", torn=False)

    def _files(self) -> list[tuple[int | None, Path]]:
        """Return every non-empty file in order with the height it begins with, None if its first record is bad."""
        folder = self._path / "blocks" if (self._path / "blocks").is_dir() else self._path
        paths = [folder] if folder.is_file() else sorted(folder.glob("*.log"))
        files: list[tuple[int | None, Path]] = []
        for path in paths:
            if path.stat().st_size:
                with _mapped(path) as view:
                    record = framing.read(view, 0)
                    files.append((None if record is None else record.sequence, path))
        if not files:
            raise Unreachable(f"no block files in {self._path}")
        return files


class UrlSource:
    """A running node's HTTP API, e.g. ``http://127.0.0.1:8000``. ``token`` is for networks without public reads."""

    def __init__(self, url: str, name: str | None = None, token: str | None = None) -> None:
        """Raise ``ValueError`` for a URL that is not http or https."""
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url}: expected http://HOST:PORT or https://HOST:PORT")
        self._base = url.rstrip("/").removesuffix("/v1")
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        local = parts.hostname in ("localhost", "127.0.0.1", "::1")
        self._opener = urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if local else []))
        self.name = name or url

    def tip(self) -> int:
        """See ``Source``."""
        try:
            status = codec.mapping(strict_json(self._get("/v1/status", "application/json"), "status"), "status")
            return codec.integer(status.get("height"), "status.height")
        except LedgerError as error:
            raise Unreachable(f"its status makes no sense: {error.reason}") from None

    def blocks(self, first: int, last: int) -> Iterator[bytes]:
        """See ``Source``."""
        while first <= last:
            query = urllib.parse.urlencode({"from": first, "limit": min(PAGE_BLOCKS, last - first + 1)})
            try:
                page = codec.sequence(
                    codec.decode(self._get(f"/v1/blocks?{query}", "application/msgpack")), "blocks", limit=PAGE_BLOCKS
                )
                blocks = [codec.octets(item, "block") for item in page]
            except Malformed as error:
                raise Unreachable(f"its answer is no list of blocks: {error.reason}") from None
            if not blocks:
                return
            yield from blocks[: last - first + 1]
            first += len(blocks)

    def handovers(self) -> Iterator[bytes]:
        """See ``Source``."""
        epoch: int | None = None
        while True:
            query = "" if epoch is None else f"?from={epoch}"
            try:
                page = codec.sequence(
                    codec.decode(self._get(f"/v1/handovers{query}", "application/msgpack")),
                    "handovers",
                    limit=PAGE_BLOCKS,
                )
                raws = [codec.octets(item, "handover") for item in page]
                last = Handover.decode(raws[-1]).epoch if raws else None
            except Malformed as error:
                raise Unreachable(f"its answer is no list of handovers: {error.reason}") from None
            if last is None or (epoch is not None and last < epoch):
                return
            yield from raws
            epoch = last + 1

    def genesis(self) -> bytes:
        """Return the genesis bytes the node claims; believe them only if their hash is known from elsewhere."""
        return self._get("/v1/genesis", "application/json")

    def _get(self, path: str, accept: str) -> bytes:
        request = urllib.request.Request(self._base + path, headers={"Accept": accept, **self._headers})
        try:
            with self._opener.open(request, timeout=SILENCE_SECONDS) as response:
                body = _read_bounded(response)
        except urllib.error.HTTPError as error:
            with error:
                problem = _problem(error)
            first = problem.get("first_height")
            if error.code == 410 and type(first) is int and first > 0:
                raise Pruned(first) from None
            detail = f": {problem['detail']}" if problem.get("detail") else ""
            raise Unreachable(f"HTTP {error.code}{detail}") from None
        except (OSError, ValueError) as error:
            raise Unreachable(str(getattr(error, "reason", None) or error or type(error).__name__)) from None
        return body


def open_source(place: str, token: str | None = None) -> Source:
    """Return the source for a URL or a path."""
    if place.startswith(("http://", "https://")):
        return UrlSource(place, token=token)
    return FileSource(place)


def sources_in(directory: Path | str) -> list[FileSource]:
    """Return one source per node of a network folder (``nodes/*``), or the folder itself as one source."""
    folder = Path(directory)
    nodes = sorted(path for path in (folder / "nodes").glob("*") if (path / "blocks").is_dir())
    return [FileSource(path, path.name) for path in nodes] or [FileSource(folder, folder.name or str(folder))]


def _records(view: memoryview) -> Iterator[Record]:
    """Yield the records of a file up to the first that is damaged."""
    offset = 0
    while (record := framing.read(view, offset)) is not None:
        yield record
        offset = record.end


def _handover(record: Record) -> Handover | None:
    """Return the handover that a block or the head of one makes, if it makes one and holds the set."""
    if record.kind == HEAD_KIND:
        head = Head.decode(record.payload)
        header, certificate, following = head.header, head.certificate, head.next_validators
    else:
        committed = CommittedBlock.decode(record.payload, check_roots=False)
        header, certificate, following = committed.block.header, committed.certificate, announced(committed)
    return None if following is None else Handover(header, certificate, following)


@contextmanager
def _mapped(path: Path) -> Iterator[memoryview]:
    """Map a non-empty file for reading; pages that are not looked at are not read."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            view = memoryview(mapped)
            try:
                yield view
            finally:
                view.release()
    except (OSError, ValueError) as error:
        raise Unreachable(f"{path}: {error}") from None


def _read_bounded(response: Any) -> bytes:
    """Read a whole answer; ``OSError`` if it is too large or drips for too long."""
    parts, size, deadline = [], 0, time.monotonic() + RESPONSE_SECONDS
    while part := response.read1(1 << 20):
        parts.append(part)
        size += len(part)
        if size > MAX_RESPONSE_BYTES:
            raise OSError(f"an answer of more than {MAX_RESPONSE_BYTES} bytes")
        if time.monotonic() > deadline:
            raise OSError(f"no whole answer within {RESPONSE_SECONDS:.0f} s")
    return b"".join(parts)


def _problem(error: urllib.error.HTTPError) -> dict[str, Any]:
    """Return what a problem+json answer says about itself, if it is one."""
    try:
        problem: Any = json.loads(error.read(65_536))
        return problem if isinstance(problem, dict) else {}
    except (OSError, ValueError):
        return {}
