"""The node's keys: made once, kept as PKCS#8 PEM files that only the node's own user can read.

Law: a private key is written once, never printed, and refused when others could read it. Three keys for three
uses: consensus votes, TLS links, and the operator whose transactions the gateway signs.
"""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.x509.oid import NameOID

from coseal.ledger.signing import Ed25519Signer
from coseal.node.storage.files import sync_directory, write_all

PASSPHRASE_VARIABLE: Final = "COSEAL_KEY_PASSPHRASE"
PASSPHRASE_FILE_VARIABLE: Final = "COSEAL_KEY_PASSPHRASE_FILE"
PASSPHRASE_CREDENTIAL: Final = "coseal-key-passphrase"
_CREDENTIALS_VARIABLE: Final = "CREDENTIALS_DIRECTORY"  # systemd.exec(5), LoadCredential= and LoadCredentialEncrypted=
# The pinned bytes are the identity, so the certificate does not expire (RFC 5280, 4.1.2.5: no good date known).
_NOT_BEFORE: Final = datetime(2020, 1, 1, tzinfo=UTC)
_NOT_AFTER: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


class KeyProblem(Exception):
    """A key file cannot be used or made; ``reason`` says which and what to do, never what it holds."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def passphrase() -> bytes | None:
    """Return the passphrase of the key files, None for plain files.

    It is in the environment, in the file that the environment names, or in a credential of systemd, in this order.
    """
    given = os.environ.get(PASSPHRASE_VARIABLE)
    if given:
        return given.encode()
    path = os.environ.get(PASSPHRASE_FILE_VARIABLE)
    if path:
        require_private(Path(path))
        return _first_line(Path(path))
    folder = os.environ.get(_CREDENTIALS_VARIABLE)
    credential = Path(folder or ".") / PASSPHRASE_CREDENTIAL
    # The service manager keeps others out of its folder; what mode the file shows depends on the kind of service.
    return _first_line(credential) if folder and credential.exists() else None


def _first_line(path: Path) -> bytes:
    try:
        secret = path.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise KeyProblem(f"cannot read the passphrase file {path}: {error.strerror}") from None
    if not secret or b"\n" in secret:
        raise KeyProblem(f"the passphrase file {path} must hold one line, the passphrase")
    return secret


def require_private(path: Path) -> None:
    """Raise ``KeyProblem`` unless ``path`` is a regular file that only its owner can read or write."""
    try:
        status = path.stat()
    except OSError as error:
        raise KeyProblem(f"cannot read {path}: {error.strerror}") from None
    if not stat.S_ISREG(status.st_mode):
        raise KeyProblem(f"{path} is not a regular file")
    if status.st_mode & 0o077:
        raise KeyProblem(
            f"{path} has mode {stat.S_IMODE(status.st_mode):04o}, others can use the key: chmod 600 {path}"
        )


def load_private_key(path: Path, secret: bytes | None = None) -> Ed25519PrivateKey:
    """Read a PKCS#8 PEM file; ``secret`` is its passphrase if it is encrypted. Raises ``KeyProblem``."""
    require_private(path)
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), secret)
    except OSError as error:
        raise KeyProblem(f"cannot read {path}: {error.strerror}") from None
    except TypeError:
        how = f"set {PASSPHRASE_VARIABLE}" if secret is None else f"it is not encrypted: unset {PASSPHRASE_VARIABLE}"
        raise KeyProblem(f"{path}: the passphrase does not fit the file; {how}") from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyProblem(f"{path} is not a PKCS#8 PEM key, or the passphrase is wrong") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyProblem(f"{path} is not an Ed25519 key")
    return key


def load_signer(path: Path, secret: bytes | None = None) -> Ed25519Signer:
    """Return the signer of a key file; raise ``KeyProblem``."""
    return Ed25519Signer(load_private_key(path, secret).private_bytes_raw())


def private_pem(key: Ed25519PrivateKey, secret: bytes | None) -> bytes:
    """Return the PKCS#8 PEM form of a key, encrypted under ``secret`` if that is not None."""
    protection = serialization.NoEncryption() if secret is None else serialization.BestAvailableEncryption(secret)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)


def create_key(path: Path, secret: bytes | None = None) -> Ed25519PrivateKey:
    """Make a new key in a new file of mode 0600, durably; raise ``KeyProblem``, also when the file exists."""
    key = Ed25519PrivateKey.generate()
    _create(path, private_pem(key, secret), 0o600)
    return key


def create_certificate(path: Path, key: Ed25519PrivateKey, node_id: str) -> bytes:
    """Make the self-signed link certificate of a node as a PEM file and return its DER, which genesis pins."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, node_id)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_NOT_BEFORE)
        .not_valid_after(_NOT_AFTER)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, None)
    )
    _create(path, certificate.public_bytes(serialization.Encoding.PEM), 0o644)
    return certificate.public_bytes(serialization.Encoding.DER)


def load_certificate(path: Path) -> bytes:
    """Return the DER of a PEM certificate file; raise ``KeyProblem``."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(serialization.Encoding.DER)
    except OSError as error:
        raise KeyProblem(f"cannot read {path}: {error.strerror}") from None
    except ValueError:
        raise KeyProblem(f"{path} is not a PEM certificate") from None


def key_in_certificate(certificate: bytes) -> bytes:
    """Return the raw public key in a DER certificate, empty if it is of another kind than Ed25519."""
    key = x509.load_der_x509_certificate(certificate).public_key()
    return key.public_bytes_raw() if isinstance(key, Ed25519PublicKey) else b""


def _create(path: Path, data: bytes, mode: int) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        sync_directory(path.parent)
    except FileExistsError:
        raise KeyProblem(f"{path} exists; a key is made once and never replaced") from None
    except OSError as error:
        raise KeyProblem(f"cannot write {path}: {error.strerror}") from None
