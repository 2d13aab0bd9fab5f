"""Envelopes open for one key in one place, and as a second implementation of HPKE has them."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from coseal.ledger import sealed
from coseal.ledger.errors import Malformed
from coseal.ledger.sealed import Purpose
from coseal.sealing import envelopes
from coseal.sealing.envelopes import SealingKey

HERE = Path(__file__).parent
INFO = sealed.envelope_info(b"c" * 32, Purpose.DEALING, b"v" * 32, "court", "custody", 1)


@pytest.fixture(scope="module")
def key():
    return SealingKey(b"1" * 32)


def test_an_envelope_has_the_bytes_that_a_sidecar_expects(key):
    content = envelopes.seal(key.public, b"text", INFO)
    assert len(key.public) == sealed.SEALING_KEY_BYTES
    assert len(content) == sealed.ENCAPSULATION_BYTES + len(b"text") + sealed.CIPHER_TAG_BYTES
    assert key.open(content, INFO) == b"text"
    assert envelopes.seal(key.public, b"text", INFO) != content


def test_an_envelope_opens_for_its_key_in_its_place_alone(key):
    content = envelopes.seal(key.public, b"text", INFO)
    elsewhere = sealed.envelope_info(b"c" * 32, Purpose.RELEASE, b"v" * 32, "court", "custody", 1)
    wrong = [
        (SealingKey.generate(), content, INFO),
        (key, content, elsewhere),
        (key, content[:-1] + bytes([content[-1] ^ 1]), INFO),
        (key, bytes([content[0] ^ 1]) + content[1:], INFO),
        (key, content[:1_000], INFO),
        (key, b"", INFO),
    ]
    for other, text, info in wrong:
        with pytest.raises(Malformed, match="does not open with this key in this place"):
            other.open(text, info)


@pytest.mark.parametrize("public", [b"\xff" * 1_216, bytes(1_215), SealingKey(b"2" * 32).public[:1_184] + bytes(32)])
def test_bytes_that_are_no_public_key_are_refused(public):
    with pytest.raises(Malformed, match="sealing key: "):
        envelopes.seal(public, b"text", INFO)


def test_a_public_key_is_derived_from_its_seed_as_in_the_draft_of_hpke_with_hybrid_keys():
    """draft-ietf-hpke-pq, kem_id 0x647a: ``skRm``, and the hash of ``pkRm``."""
    seed = bytes.fromhex("b3f98b03126a431ccecc62ae0f68e102c2d8e1cc7b21ba85d821d8e31761e0f8")
    public = "120b60e0ae3c00c1c9def1c61aeb12de710bfa49646ae6f99a7e564b25ace493"
    assert hashlib.sha256(SealingKey(seed).public).hexdigest() == public


def test_an_envelope_that_another_implementation_made_opens(key):
    """``envelope.json`` holds one of the oracle's below."""
    content = bytes.fromhex(json.loads((HERE / "envelope.json").read_text(encoding="utf-8"))["content"])
    assert key.open(content, INFO) == b"from Go"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("go") is None, reason="an oracle: needs Go 1.26 or later")
def test_the_implementation_of_go_agrees_both_ways_and_on_the_public_key(key, tmp_path):
    asked = {"seed": key.seed, "info": INFO, "text": b"from Go", "content": envelopes.seal(key.public, b"to Go", INFO)}
    run = subprocess.run(
        ["go", "run", str(HERE / "oracle" / "main.go")],
        input=json.dumps({name: value.hex() for name, value in asked.items()}),
        capture_output=True,
        text=True,
        timeout=300,
        cwd=tmp_path,
    )
    assert run.returncode == 0, run.stderr
    answer = {name: bytes.fromhex(text) for name, text in json.loads(run.stdout).items()}
    assert answer["public"] == key.public
    assert answer["opened"] == b"to Go"
    assert key.open(answer["content"], INFO) == b"from Go"
