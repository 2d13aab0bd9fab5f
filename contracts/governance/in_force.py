"""The constitution in force, and those before it.

Law: exactly one is in force at a time; a proposal is decided by the one of that moment. A chain whose genesis names
none begins with the founding one, version 0.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final, NamedTuple

from coseal.contracts.governance.document import FOUNDING, Constitution, constitution_of
from coseal.contracts.governance.state import CONSTITUTION_KEY, DE_FACTO_KEY, constitution_key
from coseal.contracts.kernel.action import Reader, View
from coseal.contracts.kernel.memo import remember
from coseal.ledger import codec

FOUNDING_DIGEST: Final = "00" * 32
"""What stands for the digest of the founding constitution, which is no document."""
_compiled: dict[str, Constitution] = {}


class Version(NamedTuple):
    """Which constitution is in force: the number and SHA-256 of a document, or 0 and zeros."""

    number: int
    digest: str


def version(reader: Reader) -> Version:
    """Return which constitution is in force."""
    record: Any = reader.get(CONSTITUTION_KEY)
    return Version(0, FOUNDING_DIGEST) if record is None else Version(*record)


def constitution(reader: Reader) -> Constitution:
    """Return the constitution in force."""
    return of_version(reader, version(reader).number)


def of_version(reader: Reader, number: int) -> Constitution:
    """Return a constitution of this chain, 0 for the founding one."""
    if not number:
        return FOUNDING
    record: Any = reader.get(constitution_key(number))
    found = _compiled.get(record["digest"])
    if found is None:
        found = constitution_of(record["document"])
        remember(_compiled, record["digest"], found)
    return found


def digest_of(document: Any) -> str:
    """Return the SHA-256 of a document's canonical bytes, in hexadecimal."""
    return sha256(codec.encode(document)).hexdigest()


def enact(view: View, document: Any, *, height: int, proposal: str) -> Version:
    """Put a document in force; it was checked. ``proposal`` is empty for that of genesis."""
    after = Version(version(view).number + 1, digest_of(document))
    record = {"document": document, "digest": after.digest, "height": height, "proposal": proposal}
    view.put(constitution_key(after.number), record)
    view.put(CONSTITUTION_KEY, list(after))
    if "de_facto" in document:  # Q23
        view.put(DE_FACTO_KEY, document["de_facto"])
    elif view.get(DE_FACTO_KEY) is not None:
        view.delete(DE_FACTO_KEY)
    return after
