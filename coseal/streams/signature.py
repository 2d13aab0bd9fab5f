"""Signatures of webhook requests: HTTP Message Signatures (RFC 9421) with HMAC-SHA-256 over a shared secret.

Law: everything of an event is covered, in every mode: the body by its digest (RFC 9530), the context attributes that
travel as headers by name, and when it was signed.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

LABEL: Final = "coseal"
MIN_SECRET_BYTES: Final = 32
_ALWAYS: Final = ("@method", "content-type", "content-digest")


@dataclass(frozen=True, slots=True)
class Secret:
    """A shared secret and the name by which the receiver knows which one it is."""

    id: str
    value: bytes


def signature_headers(secret: Secret, headers: Mapping[str, str], body: bytes, created_s: int) -> dict[str, str]:
    """Return what is to be added to the headers of a POST (names in lower case, values in ASCII) with this body."""
    digest = f"sha-256=:{base64.b64encode(sha256(body).digest()).decode()}:"
    covered = (*_ALWAYS, *sorted(name for name in headers if name.startswith("ce-")))
    values = {**headers, "@method": "POST", "content-digest": digest}
    names = " ".join(f'"{name}"' for name in covered)
    parameters = f'({names});created={created_s};keyid="{secret.id}";alg="hmac-sha256"'
    lines = [f'"{name}": {values[name]}' for name in covered]
    base = "\n".join([*lines, f'"@signature-params": {parameters}'])
    signature = base64.b64encode(hmac.digest(secret.value, base.encode("ascii"), sha256)).decode()
    return {
        "content-digest": digest,
        "signature-input": f"{LABEL}={parameters}",
        "signature": f"{LABEL}=:{signature}:",
    }
