"""Private keys in files: PKCS#8 PEM, Ed25519, readable by their owner alone.

Law: a private key is written once, with mode 0600, and is never read from a file that others may read.
"""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from coseal.errors import CosealError, WrongKey
from coseal.ledger.signing import Ed25519Signer

SEED_BYTES: Final = 32


def new_seed() -> bytes:
    """Return 32 fresh random bytes, the RFC 8032 private key."""
    return os.urandom(SEED_BYTES)


def public_key(seed: bytes) -> bytes:
    """Return the 32-byte public key of a seed."""
    return Ed25519Signer(seed).public_key


def write_key(path: Path, seed: bytes, passphrase: bytes | None = None) -> None:
    """Write a new PEM file with mode 0600, encrypted if a passphrase is given; refuse to overwrite one."""
    encryption: KeySerializationEncryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    key = Ed25519PrivateKey.from_private_bytes(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    create_private(path, content, "a key is never overwritten; choose another --out")


def create_private(path: Path, content: bytes, hint: str) -> None:
    """Write a new file that its owner alone reads, durably; refuse to overwrite one, with ``hint``."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise CosealError(f"{path} exists", hint) from None
    except OSError as error:
        raise CosealError(f"{path}: {error.strerror}") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def read_seed(path: Path, passphrase: bytes | None = None) -> bytes:
    """Return the seed in a PEM file; refuse one that others may read."""
    try:
        mode = path.stat().st_mode
        pem = path.read_bytes()
    except FileNotFoundError:
        raise CosealError(f"{path}: no such key", "list the keys there are with `coseal keys list`") from None
    except OSError as error:
        raise CosealError(f"{path}: {error.strerror}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise CosealError(f"{path}: others may read this private key", f"chmod 600 {path}")
    try:
        key = load_pem_private_key(pem, passphrase)
    except TypeError:
        hint = "set COSEAL_KEY_PASSPHRASE" if passphrase is None else "unset COSEAL_KEY_PASSPHRASE"
        raise WrongKey(f"{path}: the passphrase does not fit this key", hint) from None
    except (ValueError, UnsupportedAlgorithm):
        raise WrongKey(f"{path}: not a PKCS#8 PEM key, or a wrong passphrase") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise CosealError(f"{path}: not an Ed25519 key", "make one with `coseal keys generate`")
    return key.private_bytes_raw()


def read_signer(path: Path, passphrase: bytes | None = None) -> Ed25519Signer:
    """Return a signer holding the key of a PEM file; errors as ``read_seed``."""
    return Ed25519Signer(read_seed(path, passphrase))


def environment_passphrase() -> bytes | None:
    """Return the passphrase in COSEAL_KEY_PASSPHRASE or in the file COSEAL_KEY_PASSPHRASE_FILE, None for neither.

    The nodes read the same variables.
    """
    given, path = os.environ.get("COSEAL_KEY_PASSPHRASE"), os.environ.get("COSEAL_KEY_PASSPHRASE_FILE")
    if given or not path:
        return given.encode() if given else None
    try:
        if Path(path).stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise CosealError(f"COSEAL_KEY_PASSPHRASE_FILE: others may read {path}", f"chmod 600 {path}")
        return Path(path).read_bytes().rstrip(b"\r\n") or None
    except OSError as error:
        raise CosealError(f"COSEAL_KEY_PASSPHRASE_FILE: {path}: {error.strerror}") from None


def certificate_der(path: Path) -> bytes:
    """Return the DER of a PEM certificate file; raise ``CosealError``."""
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(Encoding.DER)
    except OSError as error:
        raise CosealError(f"{path}: {error.strerror}") from None
    except ValueError:
        raise CosealError(f"{path}: not a PEM certificate") from None


def link_certificate(seed: bytes, node_id: str) -> tuple[bytes, bytes]:
    """Return (PEM, DER) of a self-signed certificate for TLS between nodes.

    Peers pin its DER from the genesis, so it needs no expiry (RFC 5280, 4.1.2.5) and no host name.
    """
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    key = Ed25519PrivateKey.from_private_bytes(seed)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, node_id)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, None)
    )
    return certificate.public_bytes(Encoding.PEM), certificate.public_bytes(Encoding.DER)
