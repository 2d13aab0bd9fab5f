"""The files of sidecars, one each, named by its name in hexadecimal.

Law: a file under its name is whole, whatever crash came; what is erased is overwritten with zeros before its name goes
away, so nothing of it is left where the file system keeps a file in its place (N51).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from coseal.ledger.errors import LedgerError
from coseal.ledger.sealed import decode_sidecar
from coseal.ledger.signing import HASH_BYTES
from coseal.node.storage.files import disk_errors, replace_file, sync_directory, write_all

SIDECARS_FOLDER: Final = "sidecars"
_TEMPORARY: Final = ".tmp"


class SidecarFiles:
    """The folder; ``write`` and ``erase`` belong to the storage thread, ``read`` to any; all raise ``StorageError``."""

    def __init__(self, folder: Path) -> None:
        """``folder`` is made with the first sidecar; what a crash left half written is erased."""
        self._folder = folder
        if folder.is_dir():
            for path in sorted(folder.glob(f"*{_TEMPORARY}")):
                self._erase(path)

    def sizes(self) -> dict[bytes, int]:
        """Return the size of every sidecar here, by name."""
        if not self._folder.is_dir():
            return {}
        with disk_errors("read", self._folder):
            files = {path.name: path.stat().st_size for path in sorted(self._folder.iterdir()) if path.is_file()}
        return {bytes.fromhex(name): size for name, size in files.items() if _is_name(name)}

    def write(self, name: bytes, data: bytes) -> None:
        """Put a sidecar on the disk, durably."""
        if not self._folder.is_dir():
            with disk_errors("create", self._folder):
                self._folder.mkdir(mode=0o700, exist_ok=True)
                sync_directory(self._folder.parent)
        replace_file(self._path(name), data)

    def read(self, name: bytes) -> bytes | None:
        """Return a sidecar; None if it is not here, or what is here is not it."""
        path = self._path(name)
        try:
            with disk_errors("read", path):
                data = path.read_bytes() if path.exists() else b""
            decode_sidecar(data, name)
        except (LedgerError, FileNotFoundError):
            return None
        return data

    def erase(self, name: bytes) -> None:
        """Overwrite a sidecar with zeros and remove it, durably; nothing happens if it is not here."""
        self._erase(self._path(name))

    def _erase(self, path: Path) -> None:
        if not path.exists():
            return
        with disk_errors("erase", path):
            descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
            try:
                write_all(descriptor, bytes(os.fstat(descriptor).st_size))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            path.unlink()
            sync_directory(self._folder)

    def _path(self, name: bytes) -> Path:
        return self._folder / name.hex()


def _is_name(text: str) -> bool:
    return len(text) == 2 * HASH_BYTES and all(digit in "0123456789abcdef" for digit in text)
