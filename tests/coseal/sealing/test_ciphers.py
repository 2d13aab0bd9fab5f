"""Cells and wraps under the vectors of their standards, and what opens nowhere else."""

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from coseal.ledger import codec
from coseal.ledger.errors import Malformed
from coseal.ledger.sealed import pad
from coseal.sealing import ciphers
from coseal.sealing.ciphers import SealedValue

KEY, CELL = b"k" * 32, b"c" * 32
VALUES = [SealedValue("cap", b"1" * 32, "4.90"), SealedValue("rate", b"2" * 32, {"of": [1, None]})]


@pytest.mark.parametrize(
    ("plaintext", "associated", "result"),
    [
        ("", "", "07f5f4169bbf55a8400cd47ea6fd400f"),
        ("0100000000000000", "", "c2ef328e5c71c83b843122130f7364b761e0b97427e3df28"),
        ("0200000000000000", "01", "1de22967237a813291213f267e3b452f02d01ae33e4ec854"),
    ],
)
def test_the_library_computes_what_rfc_8452_says(plaintext, associated, result):
    """Appendix C.2."""
    key, nonce = b"\x01" + bytes(31), b"\x03" + bytes(11)
    found = AESGCMSIV(key).encrypt(nonce, bytes.fromhex(plaintext), bytes.fromhex(associated))
    assert found.hex() == result


def test_a_key_is_wrapped_as_rfc_3394_says():
    """Section 4.6."""
    wrapping, key = bytes(range(32)), bytes.fromhex("00112233445566778899aabbccddeeff") + bytes(range(16))
    wrapped = ciphers.wrap(wrapping, key)
    assert wrapped.hex() == ("28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21")
    assert ciphers.unwrap(wrapping, wrapped) == key
    with pytest.raises(Malformed, match="wrap: another audience"):
        ciphers.unwrap(bytes(32), wrapped)


def test_a_cell_opens_with_its_key_in_its_place_alone():
    ciphertext = ciphers.encrypt_cell(KEY, CELL, VALUES)
    assert ciphers.decrypt_cell(KEY, CELL, ciphertext) == VALUES
    assert len(ciphertext) == 128 + 16
    assert len(ciphers.encrypt_cell(KEY, CELL, VALUES, 512)) == 512 + 16
    for key, cell, text in [
        (bytes(32), CELL, ciphertext),
        (KEY, b"d" * 32, ciphertext),
        (KEY, CELL, ciphertext[:-1] + bytes([ciphertext[-1] ^ 1])),
        (KEY, CELL, b""),
    ]:
        with pytest.raises(Malformed, match="does not open it"):
            ciphers.decrypt_cell(key, cell, text)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (codec.encode([["a", bytes(32)]]), "expected its name, salt and value"),
        (codec.encode([["a", bytes(31), 1]]), "salt: expected 32 bytes, got 31"),
        (codec.encode([["", bytes(32), 1]]), "name: expected a text"),
        (codec.encode(7), "cell: expected a list"),
        (b"\xc1", "not MessagePack"),
    ],
)
def test_a_cell_of_another_content_is_refused(content, reason):
    ciphertext = AESGCMSIV(KEY).encrypt(bytes(12), pad(content), CELL)
    with pytest.raises(Malformed, match=reason):
        ciphers.decrypt_cell(KEY, CELL, ciphertext)
