"""Requests that an operator's key signs, in the form of RFC 9421: what only a member may read is asked so.

Law: a signature covers method, target and body on one chain, once, for a short time; docs/spec/api.md.
"""

from __future__ import annotations

import base64
import secrets
import time
from hashlib import sha256
from typing import Final

from coseal.ledger import signing
from coseal.ledger.signing import Signer

SIGNATURE: Final = "Signature"
_VALID_S: Final = 60
_COMPONENTS: Final = '("@method" "@request-target" "content-digest")'


def signed_headers(signer: Signer, chain_id: bytes, sender: str, target: str) -> dict[str, str]:
    """Return the headers with which ``sender`` (MEMBER/USER) signs a GET of a path with its query."""
    parameters = f'{_COMPONENTS};expires={int(time.time()) + _VALID_S};keyid="{sender}";nonce="{secrets.token_hex(16)}"'
    digest = f"sha-256=:{base64.b64encode(sha256().digest()).decode()}:"
    lines = (
        '"@method": GET',
        f'"@request-target": {target}',
        f'"content-digest": {digest}',
        f'"@signature-params": {parameters}',
    )
    signature = signer.sign(signing.body_preimage(signing.TAG_HTTP, chain_id, "\n".join(lines).encode()))
    return {
        "Content-Digest": digest,
        "Signature-Input": f"coseal={parameters}",
        SIGNATURE: f"coseal=:{base64.b64encode(signature).decode()}:",
    }
