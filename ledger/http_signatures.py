"""What a signed HTTP request covers, in the form of RFC 9421 with one fixed list of components.

Law: who signs and who checks make the same bytes here; a digest of the body is that of RFC 9530.
"""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import Final

COMPONENTS: Final = '("@method" "@request-target" "content-digest")'
"""The components that are covered, as Signature-Input lists them."""


def content_digest(body: bytes) -> str:
    """Return the value of Content-Digest (RFC 9530)."""
    return f"sha-256=:{base64.b64encode(sha256(body).digest()).decode()}:"


def signature_parameters(*, expires_s: int, key_id: str, nonce: str) -> str:
    """Return the parameters of Signature-Input after ``coseal=``; ``expires_s`` is in seconds since the epoch."""
    return f'{COMPONENTS};expires={expires_s};keyid="{key_id}";nonce="{nonce}"'


def signature_base(method: str, target: str, digest: str, parameters: str) -> bytes:
    """Return the bytes that a request's signature covers (RFC 9421 section 2.5)."""
    return "\n".join(
        (
            f'"@method": {method}',
            f'"@request-target": {target}',
            f'"content-digest": {digest}',
            f'"@signature-params": {parameters}',
        )
    ).encode()
