"""Requests that an operator's key signs, in the form of RFC 9421: what only a member may read is asked so.

Law: a signature covers method, target and body on one chain, once, for a short time; docs/spec/api.md.
"""

from __future__ import annotations

import base64
import secrets
import time
from typing import Final

from coseal.ledger import signing
from coseal.ledger.http_signatures import content_digest, signature_base, signature_parameters
from coseal.ledger.signing import Signer

SIGNATURE: Final = "Signature"
_VALID_S: Final = 60


def signed_headers(signer: Signer, chain_id: bytes, sender: str, target: str) -> dict[str, str]:
    """Return the headers with which ``sender`` (MEMBER/USER) signs a GET of a path with its query."""
    expires_s = int(time.time()) + _VALID_S
    parameters = signature_parameters(expires_s=expires_s, key_id=sender, nonce=secrets.token_hex(16))
    digest = content_digest(b"")
    base = signature_base("GET", target, digest, parameters)
    signature = signer.sign(signing.body_preimage(signing.TAG_HTTP, chain_id, base))
    return {
        "Content-Digest": digest,
        "Signature-Input": f"coseal={parameters}",
        SIGNATURE: f"coseal=:{base64.b64encode(signature).decode()}:",
    }
