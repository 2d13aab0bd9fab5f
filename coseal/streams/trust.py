"""Whose certificates are trusted, where a file says so."""

from __future__ import annotations

import ssl
from pathlib import Path

from coseal.errors import CosealError


def trusting(ca: Path | None) -> ssl.SSLContext:
    """Return a TLS context that trusts the certificates of a PEM file, or of the system; raise ``CosealError``."""
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:  # ssl.SSLError is one
        raise CosealError(f"{ca}: {error.strerror or 'no certificates in PEM'}") from None
