"""Which half decides, without the native one: it is replaced by values that say yes, no, or fail."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest

from coseal.ledger import codec, native, signing
from coseal.ledger.errors import Malformed
from coseal.ledger.native import CHECK, NATIVE, PYTHON, Core, CoreProblem, Difference, choose
from coseal.ledger.signing import Ed25519Signer

SIGNER = Ed25519Signer(b"\x07" * 32)
MESSAGE = b"a message of some length"
GOOD = (SIGNER.public_key, MESSAGE, SIGNER.sign(MESSAGE))
BAD = (SIGNER.public_key, MESSAGE, bytes(64))
RECORDS = b"".join(GOOD) + b"".join(BAD)


class Half:
    """A native half that gives one verdict, or fails."""

    def __init__(self, verdict: bool | None) -> None:
        self.verdict, self.asked = verdict, 0

    def verify(self, public_key: bytes, message: bytes, signature: bytes) -> bool:
        self.asked += 1
        if self.verdict is None:
            raise RuntimeError("panic: planted")
        return self.verdict

    def decode(self, data: bytes) -> Any:
        self.asked += 1
        if self.verdict is None:
            raise RuntimeError("panic: planted")
        if not self.verdict:
            raise ValueError("not decoded")
        return True

    def many(self, records: bytes, message_bytes: int) -> bytes:
        count = len(records) // (96 + message_bytes)
        return bytes([self.verify(b"", b"", b"")] * count)


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return the signatures that the Python is asked about."""
    asked: list[bytes] = []

    def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
        asked.append(signature)
        return signature == GOOD[2]

    monkeypatch.setattr(signing, "verify", verify)
    return asked


@pytest.mark.parametrize("half", [None, Half(False)])
def test_the_python_decides_what_the_native_half_does_not_accept(half: Half | None) -> None:
    core = Core(NATIVE if half else PYTHON, half)
    assert core.verify(*GOOD)
    assert not core.verify(*BAD)
    assert core.verify_many(RECORDS, len(MESSAGE)) == [True, False]
    assert core.verify_many(b"", len(MESSAGE)) == []


def test_the_python_is_not_asked_about_what_the_native_half_accepts(verified: list[bytes]) -> None:
    core = Core(NATIVE, Half(True))
    assert core.verify(*GOOD)
    assert core.verify_many(RECORDS, len(MESSAGE)) == [True, True]
    assert verified == []


def test_a_fault_is_no_verdict_and_the_python_decides_from_then_on(verified: list[bytes]) -> None:
    for ask in (lambda core: core.verify(*GOOD), lambda core: core.verify_many(RECORDS, len(MESSAGE))[0]):
        half, reported = Half(None), []
        core = Core(NATIVE, half, "1.4.0")
        core.report = reported.append
        assert core.name == "native 1.4.0"
        assert ask(core)
        assert ask(core)
        assert half.asked == 1
        assert reported == ["panic: planted"]
        assert core.name == "python (native 1.4.0 stopped: panic: planted)"
    assert verified.count(GOOD[2]) == 4


ONE, TRUE, LONG = codec.encode(1), codec.encode(True), b"\xcc\x01"


def test_the_python_decodes_what_the_native_half_does_not() -> None:
    core = Core(NATIVE, Half(False))
    assert core.decode(ONE) == 1
    with pytest.raises(Malformed, match="not the canonical encoding"):
        core.decode(LONG)
    assert Core(NATIVE, Half(True)).decode(ONE) is True  # what the native half decodes is not looked at


def test_what_is_no_bytes_is_not_given_to_the_native_half() -> None:
    half = Half(None)
    assert Core(NATIVE, half).decode(bytearray(ONE)) == 1  # type: ignore[arg-type]
    assert half.asked == 0


def test_a_fault_decodes_nothing_and_the_python_decodes_from_then_on() -> None:
    half = Half(None)
    core = Core(NATIVE, half)
    assert [core.decode(ONE), core.decode(ONE)] == [1, 1]
    assert (half.asked, core.fault) == (1, "panic: planted")


@pytest.mark.parametrize(
    ("verdict", "data", "said"),
    [
        (True, ONE, "native c3, python 01, of 01"),
        (True, LONG, "python nothing"),
        (False, ONE, "native nothing, python 01"),
    ],
)
def test_checking_both_ends_where_another_value_is_decoded(verdict: bool, data: bytes, said: str) -> None:
    core = Core(CHECK, Half(verdict))
    with pytest.raises(Difference, match=said):
        core.decode(data)


def test_checking_both_says_what_both_say() -> None:
    assert Core(CHECK, Half(True)).decode(TRUE) is True
    with pytest.raises(Malformed):
        Core(CHECK, Half(False)).decode(LONG)


def test_a_process_decodes_by_what_it_was_given() -> None:
    core = Core(NATIVE, Half(True))
    codec.decode_by(core.decode)
    try:
        assert codec.decode(ONE) is True
    finally:
        codec.decode_by(codec.decode_plain)
    assert codec.decode(ONE) == 1


@pytest.mark.parametrize("verdict", [True, False])
def test_checking_both_ends_at_a_difference_and_names_the_input(verdict: bool) -> None:
    core = Core(CHECK, Half(verdict))
    agreed, differing = (GOOD, BAD) if verdict else (BAD, GOOD)
    assert core.verify(*agreed) is verdict
    with pytest.raises(Difference, match=differing[2].hex()):
        core.verify(*differing)
    with pytest.raises(Difference, match=differing[2].hex()):
        core.verify_many(RECORDS, len(MESSAGE))


@pytest.mark.parametrize("verdict", [None])
def test_a_fault_while_checking_is_a_fault_and_no_difference(verdict: None) -> None:
    core = Core(CHECK, Half(verdict))
    assert core.verify(*GOOD)
    assert core.mode == PYTHON


@pytest.mark.parametrize(
    ("wanted", "installed", "expected"),
    [
        (None, None, "python"),
        ("", "1.4.0", "native 1.4.0"),
        (None, "1.4.0", "native 1.4.0"),
        ("native", "1.4.0", "native 1.4.0"),
        ("check", "1.4.0", "check 1.4.0"),
        ("python", "1.4.0", "python"),
        ("python", "1.3.0", "python"),
    ],
)
def test_what_runs_is_chosen_by_the_setting_and_what_is_installed(
    monkeypatch: pytest.MonkeyPatch, wanted: str | None, installed: str | None, expected: str
) -> None:
    module = installed and SimpleNamespace(__version__=installed, Native=lambda: Half(True))
    monkeypatch.setattr(native, "_installed", lambda: module)
    assert choose(wanted, "1.4.0").name == expected


@pytest.mark.parametrize(
    ("wanted", "installed", "reason"),
    [
        ("rust", None, "COSEAL_CORE is rust; expected python, native or check"),
        ("native", None, "COSEAL_CORE is native, but coseal-native is not installed; .*"),
        ("check", None, "COSEAL_CORE is check, but coseal-native is not installed; .*"),
        (None, "1.3.0", "coseal-native 1.3.0 is installed beside coseal 1.4.0; .*COSEAL_CORE=python"),
    ],
)
def test_what_cannot_run_is_refused_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, wanted: str | None, installed: str | None, reason: str
) -> None:
    module = installed and SimpleNamespace(__version__=installed, Native=lambda: Half(True))
    monkeypatch.setattr(native, "_installed", lambda: module)
    with pytest.raises(CoreProblem) as refused:
        choose(wanted, "1.4.0")
    assert re.fullmatch(reason, refused.value.reason)
