"""The journal's file: what this node signed and relies on for the height in progress, in its latest form.

Law: an absent file is a lost journal, never an empty one. ``create`` is called once in a node's life, by ``init``;
after that only the machine's records change the file, so a node that lost it cannot mistake itself for a new one.
"""

from __future__ import annotations

import os
from pathlib import Path

from coseal.node.storage.files import StorageError, disk_errors, replace_file, sync_directory, write_all

JOURNAL_NAME = "journal.log"


class JournalFile:
    """``journal/journal.log``. All methods belong to one thread and raise ``StorageError``."""

    def __init__(self, folder: Path) -> None:
        """Open the file if it is there; nothing is created."""
        self.path = folder / JOURNAL_NAME
        self._descriptor: int | None = None
        if self.path.exists():
            self._open(0)

    def read(self) -> bytes | None:
        """Return the file's bytes, None if there is no file: the journal is lost."""
        if self._descriptor is None:
            return None
        with disk_errors("read", self.path):
            return self.path.read_bytes()

    def append(self, data: bytes) -> None:
        """Write ``data`` at the end; durable after ``sync``."""
        if self._descriptor is None:
            with disk_errors("create", self.path):
                self.path.parent.mkdir(mode=0o700, exist_ok=True)
            self._open(os.O_CREAT | os.O_EXCL)
            with disk_errors("create", self.path):
                sync_directory(self.path.parent)
        with disk_errors("append to", self.path):
            write_all(self._require_open(), data)

    def sync(self) -> None:
        """Make what was appended durable; never call it again after an error."""
        with disk_errors("sync", self.path):
            os.fdatasync(self._require_open())

    def replace(self, data: bytes) -> None:
        """Put a file of exactly ``data`` in the place of this one, durably; a crash leaves one of the two."""
        with disk_errors("create", self.path):
            self.path.parent.mkdir(mode=0o700, exist_ok=True)
        replace_file(self.path, data)
        self.close()
        self._open(0)

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self, flags: int) -> None:
        with disk_errors("open", self.path):
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | flags, 0o600)

    def _require_open(self) -> int:
        if self._descriptor is None:
            raise StorageError(f"{self.path} is not there; a node that lost its journal must not vote")
        return self._descriptor


def create(folder: Path, data: bytes) -> None:
    """Make the file of a new node, durably; raise ``StorageError`` if there is a journal already."""
    path = folder / JOURNAL_NAME
    with disk_errors("create", path):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        sync_directory(folder)
