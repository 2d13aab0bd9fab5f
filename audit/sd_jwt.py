"""SD-JWTs (RFC 9901) as they are read here: claims in the open, and claims that their holder chose to disclose.

Law: pure. Only top-level claims are disclosed; what is read has one meaning, and anything else is malformed. Nothing is
believed before its signature was verified by who reads it.

docs/spec/audit.md, section Credential.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

from coseal.ledger import codec, signing
from coseal.ledger.errors import BadProof, Malformed
from coseal.ledger.strict_json import strict_json

ALGORITHMS: Final = ("EdDSA", "Ed25519")
"""Names of Ed25519 in JOSE: the one that is written (RFC 8037), and its successor (RFC 9864)."""
CREDENTIAL_TYPE: Final = "dc+sd-jwt"
BINDING_TYPE: Final = "kb+jwt"
HASH: Final = "sha-256"
MAX_TEXT: Final = 64 * 1024
MAX_DISCLOSURES: Final = 64
_DEPTH: Final = 12


class Jws(NamedTuple):
    """A JWS in compact form (RFC 7515): what it says, the ASCII bytes that are signed, and 64 bytes of signature."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes

    def verify(self, key: bytes, what: str) -> None:
        """Raise ``BadProof`` unless the key, 32 bytes of Ed25519, signed it."""
        if not signing.verify(key, self.signed, self.signature):
            raise BadProof(f"{what} is not signed with the key of its signer")


class SdJwt(NamedTuple):
    """An SD-JWT: what its issuer signed, the claims that are disclosed, and the holder's proof of the key, if any.

    ``shown`` is the text that a binding is about: all but the binding itself.
    """

    issued: Jws
    disclosed: Mapping[str, Any]
    shown: str
    binding: Jws | None


def read(text: str) -> SdJwt:
    """Read an SD-JWT in compact form; raise ``Malformed``. Verifies no signature."""
    if len(text) > MAX_TEXT or not text.isascii() or "~" not in text:
        raise Malformed(f"credential: no SD-JWT of at most {MAX_TEXT} ASCII characters")
    first, *disclosures, last = text.split("~")
    if len(disclosures) > MAX_DISCLOSURES:
        raise Malformed(f"credential: more than {MAX_DISCLOSURES} disclosures")
    issued = jws(first, "credential", CREDENTIAL_TYPE)
    binding = jws(last, "key binding", BINDING_TYPE) if last else None
    return SdJwt(issued, _disclosed(issued.claims, disclosures), text[: len(text) - len(last)], binding)


def jws(text: str, what: str, type_: str) -> Jws:
    """Read a JWS of a type, signed with Ed25519; raise ``Malformed``."""
    parts = text.split(".")
    if len(parts) != 3:
        raise Malformed(f"{what}: a JWS has three parts")
    header, claims = (codec.mapping(_json(part, what), what) for part in parts[:2])
    if header.get("typ") != type_ or header.get("alg") not in ALGORITHMS or "crit" in header:
        raise Malformed(f"{what}: expected typ {type_} and alg {' or '.join(ALGORITHMS)}, and nothing critical")
    signature = decode(parts[2], what)
    if len(signature) != signing.SIGNATURE_BYTES:
        raise Malformed(f"{what}: a signature has {signing.SIGNATURE_BYTES} bytes")
    return Jws(header, claims, f"{parts[0]}.{parts[1]}".encode(), signature)


def digest_of(disclosure: str) -> str:
    """Return the digest by which a credential names a disclosure (RFC 9901, section 4.2.3)."""
    return encode(sha256(disclosure.encode()).digest())


def encode(raw: bytes) -> str:
    """Return base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str, what: str) -> bytes:
    """Return the bytes of base64url without padding; raise ``Malformed`` for any other spelling of them."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raw = b""
    if encode(raw) != text:
        raise Malformed(f"{what}: not base64url without padding")
    return raw


def _json(part: str, what: str) -> Any:
    return strict_json(decode(part, what), what, depth=_DEPTH)


def _disclosed(claims: Mapping[str, Any], disclosures: Sequence[str]) -> dict[str, Any]:
    """Return the disclosed claims by name; each is one of those whose digests were signed, once."""
    digests = codec.sequence(claims.get("_sd", []), "credential._sd", limit=MAX_DISCLOSURES)
    if claims.get("_sd_alg", HASH) != HASH or any(type(one) is not str for one in digests):
        raise Malformed(f"credential: expected digests of {HASH}")
    found: dict[str, Any] = {}
    left = list(digests)
    for text in disclosures:
        entry = codec.sequence(_json(text, "disclosure"), "disclosure", limit=3)
        if len(entry) != 3 or type(entry[0]) is not str or type(entry[1]) is not str:
            raise Malformed("disclosure: expected a salt, a name and a value")
        if digest_of(text) not in left:
            raise Malformed(f"disclosure: {entry[1]} is none of the credential's, or is there twice")
        left.remove(digest_of(text))
        if entry[1] in claims or entry[1] in found or entry[1] in ("_sd", "..."):
            raise Malformed(f"disclosure: {entry[1]} is a claim already")
        found[entry[1]] = entry[2]
    return found
