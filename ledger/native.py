"""Which implementation a process runs: the Python alone, or with the native half (``native/``) where it is installed.

Law: the native half only says yes. What it does not accept is decided by the Python, so every refusal has one source,
and a difference can only be a wrong yes. A fault of it is never a verdict: the Python decides, and from then on alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

from coseal.ledger import codec, signing
from coseal.ledger.codec import Value
from coseal.ledger.errors import Malformed

SETTING: Final = "COSEAL_CORE"
"""The variable of the environment that says what to run; a process reads it once, when it starts."""
PYTHON: Final = "python"
NATIVE: Final = "native"
CHECK: Final = "check"


class CoreProblem(Exception):
    """What was asked for cannot run here; ``reason`` says why and what to do."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Difference(Exception):
    """The native half and the Python do not say the same: one of them is wrong, so the process must end."""


class NativeHalf(Protocol):
    """What the module ``coseal_native`` has; it raises ``RuntimeError`` for a fault of its own."""

    def decode(self, data: bytes, /) -> Value:
        """Return the value whose canonical encoding this is; raise ``ValueError`` for what it does not decode."""
        ...

    def verify(self, public_key: bytes, message: bytes, signature: bytes, /) -> bool:
        """Say whether a signature is accepted under rule E1."""
        ...

    def many(self, records: bytes, message_bytes: int, /) -> bytes:
        """Return 1 or 0 for each record (key, message, signature); the interpreter is free meanwhile."""
        ...


class Core:
    """What decodes and decides about signatures in this process, by ``mode``; ``version``: of the native half."""

    def __init__(self, mode: str = PYTHON, native: NativeHalf | None = None, version: str = "") -> None:
        self.mode, self._native, self.version = mode, native, version
        self.fault: str | None = None
        self.report: Callable[[str], None] = lambda _: None
        """Called with the text of a fault of the native half; whoever runs the process says where it goes."""

    @property
    def name(self) -> str:
        """What people are shown: ``python``, ``native 1.4.0``, ``check 1.4.0``, or why Python runs after a fault."""
        if self.fault is not None:
            return f"python (native {self.version} stopped: {self.fault})"
        return f"{self.mode} {self.version}" if self.version else self.mode

    def decode(self, data: bytes) -> Value:
        """Return the value whose canonical encoding this is, or raise ``Malformed``; see ``codec.decode``."""
        if self._native is None or type(data) is not bytes:
            return codec.decode_plain(data)
        decoded = True
        try:
            value = self._native.decode(data)
        except ValueError:
            decoded = False
        except RuntimeError as error:
            self.stop_native(str(error))
            return codec.decode_plain(data)
        if self.mode == CHECK:
            return self._compared(data, codec.encode(value).hex() if decoded else "nothing")
        return value if decoded else codec.decode_plain(data)

    def _compared(self, data: bytes, native: str) -> Value:
        """Decode by the Python; ``native`` is what the native half decoded, encoded again."""
        try:
            value = codec.decode_plain(data)
        except Malformed:
            if native != "nothing":
                raise Difference(f"decode: native {native}, python nothing, of {data.hex()}") from None
            raise
        if native != data.hex():  # the one encoding of what was decoded
            raise Difference(f"decode: native {native}, python {data.hex()}, of {data.hex()}")
        return value

    def verify(self, public_key: bytes, message: bytes, signature: bytes) -> bool:
        """Say whether a signature is accepted under rule E1; see ``signing.verify``."""
        if self._native is None:
            return signing.verify(public_key, message, signature)
        try:
            accepted = self._native.verify(public_key, message, signature)
        except RuntimeError as error:
            self.stop_native(str(error))
            accepted = False
        if accepted and self.mode == NATIVE:
            return True
        expected = signing.verify(public_key, message, signature)
        if self.mode == CHECK:
            self._compare([(public_key, message, signature)], [accepted], [expected])
        return expected

    def verify_many(self, records: bytes, message_bytes: int) -> list[bool]:
        """Say the same for records of public key, message of this length, and signature."""
        size = signing.PUBLIC_KEY_BYTES + message_bytes + signing.SIGNATURE_BYTES
        starts = range(0, len(records), size)
        accepted = [False] * len(starts)
        if self._native is not None:
            try:
                accepted = [verdict == 1 for verdict in self._native.many(records, message_bytes)]
            except RuntimeError as error:
                self.stop_native(str(error))
        if self.mode != CHECK:
            return [
                verdict or signing.verify(*_parts(records[start : start + size]))
                for verdict, start in zip(accepted, starts, strict=True)
            ]
        items = [_parts(records[start : start + size]) for start in starts]
        expected = [signing.verify(*item) for item in items]
        self._compare(items, accepted, expected)
        return expected

    def stop_native(self, fault: str) -> None:
        """Let the Python decide alone from now on, until the process is started again."""
        if self._native is not None:
            self._native, self.mode, self.fault = None, PYTHON, fault
            self.report(fault)

    def _compare(self, items: list[tuple[bytes, bytes, bytes]], accepted: list[bool], expected: list[bool]) -> None:
        for item, one, other in zip(items, accepted, expected, strict=True):
            if one != other:
                inputs = ", ".join(part.hex() for part in item)
                raise Difference(f"verify: native {one}, python {other}, key, message and signature {inputs}")


def _parts(record: bytes) -> tuple[bytes, bytes, bytes]:
    end = len(record) - signing.SIGNATURE_BYTES
    return record[: signing.PUBLIC_KEY_BYTES], record[signing.PUBLIC_KEY_BYTES : end], record[end:]


def choose(wanted: str | None, version: str) -> Core:
    """Return what to run: as ``wanted`` (of ``SETTING``), or by default the native half where it is installed.

    ``version`` is that of this software: a native half of another version is refused, not ignored.
    """
    if wanted not in (None, "", PYTHON, NATIVE, CHECK):
        raise CoreProblem(f"{SETTING} is {wanted}; expected {PYTHON}, {NATIVE} or {CHECK}")
    if wanted == PYTHON:
        return Core()
    module = _installed()
    if module is None:
        if wanted:
            raise CoreProblem(
                f"{SETTING} is {wanted}, but coseal-native is not installed; install it or unset {SETTING}"
            )
        return Core()
    if module.__version__ != version:
        raise CoreProblem(
            f"coseal-native {module.__version__} is installed beside coseal {version}; install the same version, "
            f"remove it, or set {SETTING}={PYTHON}"
        )
    return Core(wanted or NATIVE, module.Native(), version)


def _installed() -> Any:
    """Return the module of the native half, None if there is none."""
    try:
        import coseal_native
    except ModuleNotFoundError as error:
        if error.name != "coseal_native":
            raise
        return None
    return coseal_native
