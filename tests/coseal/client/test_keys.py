"""Key files."""

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from coseal.client import keys
from coseal.errors import CosealError


def test_a_key_that_is_written_is_read_back(tmp_path: Path):
    seed = keys.new_seed()
    keys.write_key(tmp_path / "a" / "k.pem", seed)
    assert keys.read_seed(tmp_path / "a" / "k.pem") == seed
    assert keys.read_signer(tmp_path / "a" / "k.pem").public_key == keys.public_key(seed)


def test_an_encrypted_key_needs_its_passphrase(tmp_path: Path):
    path, seed = tmp_path / "k.pem", keys.new_seed()
    keys.write_key(path, seed, b"secret")
    assert keys.read_seed(path, b"secret") == seed
    with pytest.raises(CosealError, match="COSEAL_KEY_PASSPHRASE"):
        keys.read_seed(path)
    with pytest.raises(CosealError, match="wrong passphrase"):
        keys.read_seed(path, b"other")


def test_a_key_is_never_overwritten(tmp_path: Path):
    keys.write_key(tmp_path / "k.pem", bytes(32))
    with pytest.raises(CosealError, match="exists"):
        keys.write_key(tmp_path / "k.pem", keys.new_seed())
    assert keys.read_seed(tmp_path / "k.pem") == bytes(32)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path):
    path = tmp_path / "k.pem"
    keys.write_key(path, keys.new_seed())
    path.chmod(0o640)
    with pytest.raises(CosealError, match="chmod 600"):
        keys.read_seed(path)


def test_what_is_no_ed25519_key_is_refused(tmp_path: Path):
    path = tmp_path / "k.pem"
    path.touch(0o600)
    path.write_bytes(b"not a key")
    with pytest.raises(CosealError, match="not a PKCS#8 PEM key"):
        keys.read_seed(path)
    other = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(CosealError, match="not an Ed25519 key"):
        keys.read_seed(path)
    with pytest.raises(CosealError, match="no such key"):
        keys.read_seed(tmp_path / "none.pem")


def test_a_link_certificate_is_signed_by_its_own_key():
    seed = keys.new_seed()
    pem, der = keys.link_certificate(seed, "bank-a")
    certificate = x509.load_der_x509_certificate(der)
    assert x509.load_pem_x509_certificate(pem) == certificate
    assert certificate.public_key().public_bytes_raw() == keys.public_key(seed)
    certificate.verify_directly_issued_by(certificate)


def test_a_passphrase_file_that_others_may_read_is_refused(tmp_path, monkeypatch):
    secret = tmp_path / "secret"
    secret.write_text("open sesame\n")
    monkeypatch.delenv("COSEAL_KEY_PASSPHRASE", raising=False)
    monkeypatch.setenv("COSEAL_KEY_PASSPHRASE_FILE", str(secret))
    secret.chmod(0o600)
    assert keys.environment_passphrase() == b"open sesame"
    secret.chmod(0o640)
    with pytest.raises(CosealError, match="others may read") as caught:
        keys.environment_passphrase()
    assert "sesame" not in str(caught.value)
