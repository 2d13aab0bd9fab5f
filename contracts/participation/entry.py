"""An entry: what the ledger has of a comment, and how a commitment and an acknowledgement are made. Pure.

Law: a commitment opens for one comment and salt; equal texts have equal digests; nothing here names a person.

contracts/participation/README.md, E1 to E4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from coseal.contracts.kernel.fields import Hexadecimal, Special
from coseal.ledger import codec

CLASSES: Final = ("person", "enterprise", "institute", "association", "public_body")
"""Who comments, as the gateway has it."""
KINDS: Final = ("comment", "support", "objection", "amendment", "question")
REASONS: Final = ("personal_data", "abuse", "illegal", "off_topic")
"""Why a text is withheld."""
SALT_BYTES: Final = 32
PSEUDONYM_BYTES: Final = 16

_COMMENT_TAG: Final = b"coseal/comment/1".ljust(24, b"\0")
_ACKNOWLEDGEMENT_TAG: Final = b"coseal/acknowledgement/1".ljust(24, b"\0")
_digest: Final = Hexadecimal()
_pseudonym: Final = Hexadecimal(PSEUDONYM_BYTES)
_CLASSES: Final[frozenset[str]] = frozenset(CLASSES)
_KINDS: Final[frozenset[str]] = frozenset(KINDS)
_REASONS: Final[frozenset[str]] = frozenset(REASONS)

Comment = Mapping[str, Any]
"""``consultation``, ``question`` (its number, 0 for the whole), ``class``, ``kind`` and ``text``."""


def commitment_of(comment: Comment, salt: bytes) -> str:
    """Return the commitment to a comment under a salt of 32 bytes, hexadecimal."""  # E1
    return sha256(_COMMENT_TAG + salt + codec.encode(dict(comment))).hexdigest()


def text_digest(text: str) -> str:
    """Return the digest under which a text is published, hexadecimal."""  # E2
    return sha256(text.encode()).hexdigest()


def leaf_of(entry: Sequence[Any]) -> bytes:
    """Return an entry as a leaf of its gateway's tree."""  # E3
    return codec.encode(list(entry))


def acknowledgement(chain_id: bytes, gateway: str, consultation: str, commitment: str, time_ms: int) -> bytes:
    """Return what a gateway signs when it takes a comment."""  # E4
    return _ACKNOWLEDGEMENT_TAG + codec.encode([chain_id, gateway, consultation, commitment, time_ms])


def is_withheld(entry: Sequence[Any]) -> bool:
    """Say whether the text of an entry is withheld."""
    return entry[1] in _REASONS


def _faults(value: Any) -> Iterator[str]:
    if type(value) is not list or len(value) != 5:
        yield ": expected [commitment, text digest or reason, class, kind, pseudonym]"
        return
    commitment, text, who, kind, pseudonym = value
    wrong = _digest.check(commitment)
    if wrong is not None:
        yield f"[0]{wrong}"
    if type(text) is not str or (text not in _REASONS and _digest.check(text) is not None):
        yield f"[1]: expected the SHA-256 of the text in lower-case hexadecimal, or one of {', '.join(REASONS)}"
    if type(who) is not str or who not in _CLASSES:
        yield f"[2]: expected one of {', '.join(CLASSES)}"
    if type(kind) is not str or kind not in _KINDS:
        yield f"[3]: expected one of {', '.join(KINDS)}"
    wrong = _pseudonym.check(pseudonym)
    if wrong is not None:
        yield f"[4]{wrong}"


_EXAMPLE: Final = ["11" * 32, "22" * 32, "person", "comment", "33" * 16]
entry_field: Final = Special(
    _faults,
    "an entry: [commitment, text digest or reason, class, kind, pseudonym]",
    {"type": "array", "minItems": 5, "maxItems": 5, "items": {"type": "string"}},
    refused=(
        [],
        _EXAMPLE[:4],
        [*_EXAMPLE, ""],
        ["11", *_EXAMPLE[1:]],
        ["11" * 32, "", *_EXAMPLE[2:]],
        ["11" * 32, "boring", *_EXAMPLE[2:]],
        [*_EXAMPLE[:2], "nobody", *_EXAMPLE[3:]],
        [*_EXAMPLE[:3], "shout", _EXAMPLE[4]],
        [*_EXAMPLE[:4], "33" * 17],
    ),
    passed=(_EXAMPLE, ["11" * 32, "abuse", "enterprise", "objection", "33" * 16]),
)
