"""Writing files so that what was reported durable survives a crash, and the error that ends a node which cannot.

Law: durable means write, fdatasync, and for a new name the directory too; an error of the disk is never retried,
because after a failed fsync nobody knows what was written.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class StorageError(Exception):
    """The node cannot trust or use its files; ``reason`` says which, and what to do. The process must end."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NeedsRelease(StorageError):
    """The state asks for rules that this software does not have."""


class Locked(StorageError):
    """Another process holds the data folder."""


class Damaged(StorageError):
    """A file holds something that no crash can explain."""


def how_to_repair(folder: Path) -> str:
    """Return what puts a node's folder in order, as a clause of an advice."""
    return f"repair the folder (`coseal node repair {folder.name}`, or `python -m coseal.node repair --data {folder}`)"


@contextmanager
def disk_errors(what: str, path: Path) -> Iterator[None]:
    """Turn an ``OSError`` inside into a ``StorageError`` that names the file and the cause."""
    try:
        yield
    except OSError as error:
        cause = error.strerror or type(error).__name__
        raise StorageError(f"cannot {what} {path}: {cause}; free space or repair the disk, then start again") from error


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte of ``data``; ``os.write`` alone may write fewer. Raises ``OSError``."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_directory(path: Path) -> None:
    """Make the names in ``path`` durable. Raises ``OSError``."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Put ``data`` under ``path`` so that a crash leaves the old or the new content. Raises ``StorageError``."""
    temporary = path.with_name(path.name + ".tmp")
    with disk_errors("replace", path):
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        try:
            write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.rename(temporary, path)
        sync_directory(path.parent)


def lock_folder(path: Path) -> int:
    """Take the folder's lock for this process's life and return the descriptor; raise ``Locked`` if it is taken.

    The kernel frees the lock when the process ends, however it ends, so no stale lock can remain.
    """
    lock = path / "lock"
    with disk_errors("open", lock):
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise Locked(
            f"{path} is in use by another process{f' (pid {holder})' if holder else ''}; "
            "two processes must never share a key: stop it first"
        ) from None
    with disk_errors("write", lock):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor
