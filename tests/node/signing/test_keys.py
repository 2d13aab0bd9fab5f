from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from coseal.ledger.signing import verify
from coseal.node.signing import keys
from coseal.node.signing.keys import KeyProblem


def test_a_made_key_signs_and_is_read_back(tmp_path: Path) -> None:
    made = keys.create_key(tmp_path / "keys" / "consensus.pem")
    signer = keys.load_signer(tmp_path / "keys" / "consensus.pem")
    assert signer.public_key == made.public_key().public_bytes_raw()
    assert verify(signer.public_key, b"message", signer.sign(b"message"))
    assert (tmp_path / "keys" / "consensus.pem").stat().st_mode & 0o777 == 0o600


def test_an_encrypted_key_needs_its_passphrase(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    keys.create_key(path, b"open sesame")
    assert b"ENCRYPTED" in path.read_bytes()
    assert keys.load_signer(path, b"open sesame").public_key
    with pytest.raises(KeyProblem, match="passphrase is wrong"):
        keys.load_signer(path, b"something else")
    with pytest.raises(KeyProblem, match="COSEAL_KEY_PASSPHRASE"):
        keys.load_signer(path)


def test_a_passphrase_for_a_plain_key_is_said(tmp_path: Path) -> None:
    keys.create_key(tmp_path / "key.pem")
    with pytest.raises(KeyProblem, match="not encrypted"):
        keys.load_signer(tmp_path / "key.pem", b"secret")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_key_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key.pem"
    keys.create_key(path)
    path.chmod(mode)
    with pytest.raises(KeyProblem, match=f"mode {mode:04o}"):
        keys.load_signer(path)


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    keys.create_key(tmp_path / "key.pem")
    with pytest.raises(KeyProblem, match="exists"):
        keys.create_key(tmp_path / "key.pem")


def test_other_files_are_refused_without_showing_their_content(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(b"canary-7f3a")
    path.chmod(0o600)
    with pytest.raises(KeyProblem) as caught:
        keys.load_signer(path)
    assert "canary" not in caught.value.reason
    path.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    with pytest.raises(KeyProblem, match="not an Ed25519 key"):
        keys.load_signer(path)
    with pytest.raises(KeyProblem, match="cannot read"):
        keys.load_signer(tmp_path / "absent.pem")
    with pytest.raises(KeyProblem, match="not a regular file"):
        keys.load_signer(tmp_path)


def test_the_passphrase_comes_from_the_environment_or_a_private_file(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv(keys.PASSPHRASE_VARIABLE, raising=False)
    monkeypatch.delenv(keys.PASSPHRASE_FILE_VARIABLE, raising=False)
    assert keys.passphrase() is None
    secret = tmp_path / "secret"
    secret.write_text("from a file\n")
    secret.chmod(0o600)
    monkeypatch.setenv(keys.PASSPHRASE_FILE_VARIABLE, str(secret))
    assert keys.passphrase() == b"from a file"
    secret.chmod(0o644)
    with pytest.raises(KeyProblem, match="chmod 600"):
        keys.passphrase()
    monkeypatch.setenv(keys.PASSPHRASE_VARIABLE, "direct")
    assert keys.passphrase() == b"direct"


def test_a_systemd_credential_comes_after_what_was_said_by_hand(tmp_path: Path, monkeypatch) -> None:
    for variable in (keys.PASSPHRASE_VARIABLE, keys.PASSPHRASE_FILE_VARIABLE):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert keys.passphrase() is None
    credential = tmp_path / keys.PASSPHRASE_CREDENTIAL
    credential.write_text("from systemd\n")
    credential.chmod(0o440)  # the service manager's folder keeps others out
    assert keys.passphrase() == b"from systemd"
    monkeypatch.setenv(keys.PASSPHRASE_VARIABLE, "direct")
    assert keys.passphrase() == b"direct"


@pytest.mark.parametrize("content", ["", "\n", "two\nlines\n"])
def test_a_passphrase_file_of_another_form_is_refused_without_being_shown(
    tmp_path: Path, monkeypatch, content: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(content)
    secret.chmod(0o600)
    monkeypatch.delenv(keys.PASSPHRASE_VARIABLE, raising=False)
    monkeypatch.setenv(keys.PASSPHRASE_FILE_VARIABLE, str(secret))
    with pytest.raises(KeyProblem, match="one line") as caught:
        keys.passphrase()
    assert "lines" not in caught.value.reason


def test_a_link_certificate_names_its_node_and_holds_its_key(tmp_path: Path) -> None:
    key = keys.create_key(tmp_path / "link.pem")
    der = keys.create_certificate(tmp_path / "link.crt", key, "bank-a")
    assert keys.load_certificate(tmp_path / "link.crt") == der
    certificate = x509.load_der_x509_certificate(der)
    assert certificate.subject.rfc4514_string() == "CN=bank-a"
    assert certificate.public_key() == key.public_key()
    certificate.verify_directly_issued_by(certificate)
