"""The cursor: a file that says up to where a receiver has acknowledged, so that a stream continues there.

Law: it moves only after an acknowledgement, is replaced whole and synced, and is used by one process at a time. One
that is damaged, of another chain or of another receiver is refused, never guessed at.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from coseal.errors import BadAnswer, CosealError

_KIND: Final = "stream-cursor"
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Position:
    """Where a stream continues: in the block at ``height``, after the event ``after`` of it (None: from its first).

    ``parent`` is the hash of the block before (hexadecimal), None where the stream began in the middle of a chain.
    """

    height: int
    parent: str | None = None
    after: str | None = None


class Cursor:
    """A cursor file that this process holds; ``close`` it. ``position`` is None if there was none yet."""

    def __init__(self, path: Path, *, chain_id: str, to: str) -> None:
        """Open or begin the cursor of the stream of a chain ``to`` a receiver; raise ``CosealError``."""
        self._path, self._chain_id, self._to = path, chain_id, to
        self._lock = self._held()
        try:
            self.position = self._read()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let another process have it."""
        os.close(self._lock)

    def write(self, position: Position) -> None:
        """Replace what the file says; it is on disk when this returns."""
        document = {
            "coseal": _KIND,
            "version": _VERSION,
            "chain_id": self._chain_id,
            "to": self._to,
            **asdict(position),
        }
        beside = self._path.with_name(self._path.name + ".new")
        try:
            with open(beside, "w", encoding="utf-8") as file:
                file.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, self._path)
            _sync_folder(self._path.parent)
        except OSError as error:
            raise CosealError(f"{self._path}: {error.strerror}", _NOT_WRITTEN) from None
        self.position = position

    def _held(self) -> int:
        beside = self._path.with_name(self._path.name + ".lock")
        try:
            descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise CosealError(f"{beside}: {error.strerror}", "the cursor's folder must exist and be ours") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            hint = "each receiver needs a cursor of its own; or end the other process first"
            raise CosealError(f"{self._path} is in use by another process", hint) from None
        return descriptor

    def _read(self) -> Position | None:
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            raise self._damaged("is no text") from None
        except OSError as error:
            raise CosealError(f"{self._path}: {error.strerror}") from None
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            raise self._damaged("is no JSON") from None
        if type(document) is not dict or document.get("coseal") != _KIND:
            raise self._damaged("is no cursor of a stream")
        if document.get("version") != _VERSION:
            raise self._damaged(f"is of version {str(document.get('version'))[:16]}, expected {_VERSION}")
        return self._position(document)

    def _position(self, document: dict[str, Any]) -> Position:
        chain_id, to = document.get("chain_id"), document.get("to")
        if chain_id != self._chain_id:
            raise BadAnswer(
                f"{self._path} is the cursor of chain {str(chain_id)[:64]}, this is {self._chain_id}",
                "give another --cursor FILE for this chain, or the URL and genesis of that one",
            )
        if to != self._to:
            raise BadAnswer(
                f"{self._path} is the cursor of {str(to)[:200]}, this is {self._to}",
                'give another --cursor FILE; if the receiver only moved, write its new name into the file as "to"',
            )
        height, parent, after = (document.get(name) for name in ("height", "parent", "after"))
        if type(height) is not int or not 1 <= height < 2**63:
            raise self._damaged("has no height")
        if parent is not None and not _is_hash(parent):
            raise self._damaged("has a parent that is no hash")
        if after is not None and type(after) is not str:
            raise self._damaged("has an `after` that is no event's id")
        return Position(height, parent, after)

    def _damaged(self, what: str) -> CosealError:
        hint = "move it away and give --from HEIGHT: a height the receiver has for sure; what it has it gets again"
        return CosealError(f"{self._path} {what}", hint)


_NOT_WRITTEN: Final = "what was sent since the last write will be sent again; repair the disk and start again"


def _is_hash(value: Any) -> bool:
    return type(value) is str and len(value) == 64 and all(c in "0123456789abcdef" for c in value)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        with contextlib.suppress(OSError):
            os.close(descriptor)
