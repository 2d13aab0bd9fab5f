"""Searching secrets in everything that a run wrote or said."""

from __future__ import annotations

import base64


def forms(secret: bytes) -> set[bytes]:
    """Return the forms in which a secret could stand somewhere."""
    encoded = {secret, secret.hex().encode(), secret.hex().upper().encode()}
    return encoded | {coder(secret).rstrip(b"=") for coder in (base64.b64encode, base64.urlsafe_b64encode)}


def hits(wanted: dict[str, set[bytes]], outputs: dict[str, bytes]) -> list[str]:
    """Return which secrets stand where, in words."""
    return [
        f"{secret} in {place}"
        for place, output in outputs.items()
        for secret, written in wanted.items()
        if any(form in output for form in written)
    ]
