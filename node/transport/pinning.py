"""TLS as links use it: both sides show a certificate, and only those that are pinned are accepted.

Law: the pinned certificate is the identity; no outside authority, host name or former session counts.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterable
from pathlib import Path


def context(
    certificate: Path, key: Path, passphrase: bytes | None, pinned: Iterable[bytes], *, server: bool
) -> ssl.SSLContext:
    """Return a TLS 1.3 context that shows our certificate and trusts exactly the pinned ones (DER).

    Raises ``OSError`` or ``ssl.SSLError`` if our certificate and key do not load.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.check_hostname = False  # the pinned certificate is the identity, a host name is none
    made.verify_mode = ssl.CERT_REQUIRED
    made.load_cert_chain(certificate, key, password=passphrase)
    for one in pinned:
        accept(made, one)
    if server:
        made.num_tickets = 0  # no resumption: every connection shows its certificate
    return made


def accept(made: ssl.SSLContext, certificate: bytes) -> None:
    """Let TLS accept a certificate; a link still asks the registry. What TLS cannot read keeps out its owner alone."""
    with contextlib.suppress(ssl.SSLError, ValueError):
        made.load_verify_locations(cadata=certificate)


def certificate_in(path: Path) -> bytes:
    """Return the DER of a PEM file; raise ``OSError`` or ``ValueError``."""
    return ssl.PEM_cert_to_DER_cert(path.read_text("ascii"))


def handshake_problem(error: Exception) -> str:
    """Say in words why a handshake failed."""
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error.__class__.__name__}"
    if isinstance(error, TimeoutError | ConnectionAbortedError):
        return "the handshake took too long"
    return getattr(error, "strerror", None) or str(error) or error.__class__.__name__
