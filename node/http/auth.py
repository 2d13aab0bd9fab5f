"""Who asks: bearer tokens of the node's own file, and requests signed with an operator's registered key.

Law: what a request signs covers its method, target and body, on this chain, once and for a short time; a signature
made for a transaction never passes for one of a request (another domain tag). Secrets are kept as digests.

A signed request follows RFC 9421 in its headers, with one fixed list of components, and RFC 9530 for the digest:

    Content-Digest: sha-256=:<base64 of SHA-256 of the body>:
    Signature-Input: coseal=("@method" "@request-target" "content-digest");
                     expires=<s>;keyid="<member>/<user>";nonce="<32 hex>"      (one line, without the blanks)
    Signature: coseal=:<base64 of 64 bytes>:

What is signed is ``TAG_HTTP ‖ chain id ‖ SHA-256(signature base)``, the base being that of RFC 9421 section 2.5.
"""

from __future__ import annotations

import base64
import re
import tomllib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from starlette.datastructures import Headers

from coseal.ledger import signing
from coseal.ledger.http_signatures import COMPONENTS, content_digest, signature_base
from coseal.node.http.problems import Problem

SCOPES: Final = ("read", "submit")
CREDENTIALS: Final = "a bearer token or a signed request"
MAX_VALIDITY_S: Final = 300
_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="coseal"'}
_INPUT: Final = re.compile(
    rf"coseal=({re.escape(COMPONENTS)}"
    r';expires=([0-9]{1,12});keyid="([a-z0-9.-]{1,64}/[a-z0-9.-]{1,64})";nonce="([0-9a-f]{32})")'
)
_SIGNATURE: Final = re.compile(r"coseal=:([A-Za-z0-9+/]{86}==):")


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token of this node: its SHA-256, a name for logs and limits, whose it is, what it may do."""

    name: str
    member: str
    digest: bytes
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Identity:
    """An authenticated asker. ``token`` is None for a signed request, which may read."""

    name: str
    member: str
    token: Token | None

    def may(self, scope: str) -> bool:
        """Say whether it may do what needs ``scope``."""
        return scope == "read" if self.token is None else scope in self.token.scopes


class BadTokenFile(Exception):
    """A token file that cannot be used; the text names the entry and what is wrong with it, never a secret."""


def load_tokens(path: Path) -> tuple[Token, ...]:
    """Read a token file; raise ``BadTokenFile``. A missing file holds no tokens.

    An entry: ``[[token]]`` with ``name``, ``member``, ``scopes`` (some of read, submit) and either ``sha256`` (of the
    token's UTF-8 text, as hex) or ``token``, the text itself of at least 32 characters.
    """
    if not path.exists():
        return ()
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise BadTokenFile(f"{path}: not TOML") from None
    entries = document.pop("token", [])
    if document or type(entries) is not list:
        raise BadTokenFile(f"{path}: expected nothing but [[token]] entries")
    tokens = tuple(_token(entry, f"{path}: token {number}") for number, entry in enumerate(entries, 1))
    if len({token.digest for token in tokens}) < len(tokens) or len({token.name for token in tokens}) < len(tokens):
        raise BadTokenFile(f"{path}: two tokens share a name or a secret")
    return tokens


def _token(entry: Any, where: str) -> Token:
    if type(entry) is not dict or not set(entry) <= {"name", "member", "scopes", "sha256", "token"}:
        raise BadTokenFile(f"{where}: expected name, member, scopes, and sha256 or token")
    name, member, scopes = entry.get("name"), entry.get("member"), entry.get("scopes", list(SCOPES))
    if not (type(name) is str and 0 < len(name) <= 64 and type(member) is str and member):
        raise BadTokenFile(f"{where}: name and member must be texts")
    if type(scopes) is not list or not all(scope in SCOPES for scope in scopes):
        raise BadTokenFile(f"{where}: scopes must be some of {', '.join(SCOPES)}")
    return Token(name, member, _token_digest(entry, where), frozenset(scopes))


def _token_digest(entry: dict[str, Any], where: str) -> bytes:
    text, digest = entry.get("token"), entry.get("sha256")
    if type(text) is str and digest is None and len(text) >= 32:
        return sha256(text.encode()).digest()
    if type(digest) is str and text is None and re.fullmatch("[0-9a-f]{64}", digest):
        return bytes.fromhex(digest)
    raise BadTokenFile(f"{where}: give sha256 (64 hex digits) or token (at least 32 characters), not both")


class Nonces:
    """Nonces seen, until they expire; at most ``limit``, beyond which nothing new is accepted."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._seen: OrderedDict[tuple[str, str], int] = OrderedDict()

    def use(self, key_id: str, nonce: str, now_s: int) -> bool:
        """Note a nonce and return True, or False if it was used; raise the problem 429 when there is no room."""
        while self._seen and next(iter(self._seen.values())) < now_s:
            self._seen.popitem(last=False)
        if (key_id, nonce) in self._seen:
            return False
        if len(self._seen) >= self._limit:
            raise Problem(429, "too_many_nonces", "too many signed requests at once", retry_after_s=1)
        # Kept for the longest a signature can be valid, so that the oldest entries are the first to go.
        self._seen[(key_id, nonce)] = now_s + MAX_VALIDITY_S
        return True


class Authenticator:
    """Finds out who asks. ``key_of(member/user)`` returns an operator's registered 32-byte key, or None."""

    def __init__(self, tokens: Iterable[Token], nonces: int) -> None:
        self._tokens = {token.digest: token for token in tokens}
        self._nonces = Nonces(nonces)

    def bearer(self, headers: Headers) -> Identity | None:
        """Return the owner of the bearer token, None without one; raise the problem 401 for an unknown one."""
        authorization = headers.get("authorization")
        if authorization is None:
            return None
        scheme, _, text = authorization.partition(" ")
        token = self._tokens.get(sha256(text.strip().encode()).digest()) if scheme.lower() == "bearer" else None  # Y11
        if token is None:
            raise unauthorized("bad_token", "the token is unknown to this node")
        return Identity(f"token:{token.name}", token.member, token)

    def signed(
        self, *, method: str, target: str, headers: Headers, body: bytes, chain_id: bytes, key: bytes | None, now_s: int
    ) -> Identity:
        """Return the signer of a request; raise the problem 401 unless everything about the signature holds.

        ``key`` is the registered key of ``key_id(headers)``.
        """
        match = _INPUT.fullmatch(headers.get("signature-input", ""))
        signature = _SIGNATURE.fullmatch(headers.get("signature", ""))
        if match is None or signature is None:
            raise unauthorized("bad_signature_headers", "see docs/spec/api.md for the form of a signed request")
        parameters, expires, name, nonce = match.groups()
        if not now_s < int(expires) <= now_s + MAX_VALIDITY_S:
            raise unauthorized("signature_expired", f"expires must lie within the next {MAX_VALIDITY_S} s")
        digest = headers.get("content-digest", "")
        if digest != content_digest(body):
            raise unauthorized("bad_digest", "Content-Digest is not the SHA-256 of the body")
        base = signature_base(method, target, digest, parameters)
        preimage = signing.body_preimage(signing.TAG_HTTP, chain_id, base)  # Y12
        if key is None or not signing.verify(key, preimage, base64.b64decode(signature[1])):
            raise unauthorized("bad_request_signature", "not signed by a registered key of keyid")
        if not self._nonces.use(name, nonce, now_s):  # Y12
            raise unauthorized("nonce_used", "the nonce was used before; sign anew")
        return Identity(f"key:{name}", name.partition("/")[0], None)


def key_id(headers: Headers) -> str | None:
    """Return who a signed request claims to be of, None when the request is not signed."""
    claimed = headers.get("signature-input")
    if claimed is None:
        return None
    match = _INPUT.fullmatch(claimed)
    return "" if match is None else match[3]


def require_reader(identity: Identity | None, needs: str, *, public_read: bool) -> None:
    """Raise the problem of a sender that may not read; ``needs`` is what needs to be known by: ``reading needs``."""
    if identity is not None and not identity.may("read"):
        raise Problem(403, "forbidden", "the token does not have the scope read")
    if identity is None and not public_read:
        raise unauthorized("unauthenticated", f"{needs} {CREDENTIALS} on this chain")


def unauthorized(code: str, detail: str) -> Problem:
    """Return the problem 401."""
    return Problem(401, code, detail, headers=_CHALLENGE)
