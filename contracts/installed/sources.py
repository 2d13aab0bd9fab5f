"""The sources of a contract: the files of one package, read once, and their digest.

Law: equal digests mean equal paths and bytes; nothing but text that is read here is ever part of a contract.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

TAG: Final = b"coseal/contract/1\n"
SUFFIXES: Final = (".py", ".md", ".json", ".typed")
MAX_BYTES: Final = 1024 * 1024
_CACHE: Final = "__pycache__"


class BadContract(Exception):
    """A contract that cannot be offered; the text says why, and where."""


def read(folder: Path) -> dict[str, bytes]:
    """Return the files of a package by their path in it, parts joined by '/'; raise ``BadContract``."""
    found: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if _CACHE in path.parts or path.is_dir():
            continue
        if path.is_symlink() or path.suffix not in SUFFIXES:
            raise BadContract(f"{path}: a contract has files {', '.join(SUFFIXES)} alone, and no links")
        found[name] = path.read_bytes()
    if "__init__.py" not in found:
        raise BadContract(f"{folder}: no package, it has no __init__.py")
    if sum(map(len, found.values())) > MAX_BYTES:
        raise BadContract(f"{folder}: more than {MAX_BYTES} bytes")
    return found


def digest(files: Mapping[str, bytes]) -> str:
    """Return the SHA-256 of a package's files in hexadecimal, by path; each path and content after its length."""
    hashed = sha256(TAG)
    for name, content in sorted((name.encode(), content) for name, content in files.items()):  # W2
        for part in (name, content):
            hashed.update(len(part).to_bytes(8, "big") + part)
    return hashed.hexdigest()
