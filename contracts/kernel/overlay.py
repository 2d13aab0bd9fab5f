"""The view of the state that a block is executed on: reads through, keeps what is written, undoes, counts steps.

Law: what is refused leaves nothing; a value is charged by its size where it may grow; what the store cannot give is
``Broken``, never a refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, Protocol

from coseal.contracts.kernel.action import INTERNAL_ERROR, TOO_COSTLY, VALUE_TOO_LARGE, Reader, Rejected, Result
from coseal.contracts.kernel.budget import READ_STEPS, VALUE_BYTES_A_STEP, WRITE_STEPS, Meter, Spent
from coseal.ledger import codec
from coseal.ledger.codec import Value

MAX_VALUE_BYTES: Final = 256 * 1024
"""The most bytes of one state value: a part of what a chunk of a snapshot holds."""


class CommittedReader:
    """A ``Reader`` of committed bytes, e.g. of ``State.get``; always the newest, nothing is cached."""

    def __init__(self, read: Callable[[bytes], bytes | None]) -> None:
        """``read`` returns committed bytes by key bytes."""
        self._read = read

    def get(self, key: str) -> Value:
        """See ``Reader``."""
        raw = self._read(key.encode())
        return None if raw is None else codec.decode_own(raw)


class Broken(Exception):
    """An invariant does not hold, or the store cannot be read: never contained, the node stops before it votes."""


class ValueTooLarge(Exception):
    """A state value is larger than ``MAX_VALUE_BYTES``; the text names its key."""


class OutsidePrefix(Exception):
    """A contract wrote a key that is not its own; contained as every exception of a contract."""


class Fault(NamedTuple):
    """An exception of a contract that was contained: ``name`` is its action or due thing, ``tx_id`` empty for one."""

    name: str
    tx_id: bytes
    error: BaseException


class Watcher(Protocol):
    """Looks at what a view gives, and at the end of each transaction whether that was changed: for tests."""

    def gave(self, key: str, value: Value) -> None:
        """Take the value of a key."""
        ...

    def compare(self) -> None:
        """Raise if a value that was given is another now."""
        ...


class _Undo(NamedTuple):
    """A key before it was written: whether that was in this block, the value and its bytes if they are known."""

    key: str
    existed: bool
    value: Any
    packed: bytes | None


class Overlay:
    """A ``View`` over committed bytes: collects writes, and forgets those since the last ``mark`` on ``rollback``."""

    def __init__(
        self,
        read: Callable[[bytes], bytes | None],
        open_keys: tuple[str, ...] = (),
        watcher: Watcher | None = None,
    ) -> None:
        """``read`` returns committed bytes by key bytes, e.g. ``State.get``; see ``Contract`` for ``open_keys``."""
        self._watcher = watcher
        self.meter = Meter.unlimited()
        self.faults: list[Fault] = []
        self.writes = ""
        """The prefix of the keys that may be written; see ``Contract``. Empty: all."""
        self._read = read
        self._open_keys = _by_contract(open_keys)
        self._is_open: dict[str, bool] = {}
        self._cache: dict[str, Any] = {}
        self._sizes: dict[str, int] = {}  # of committed values in open families, in bytes
        self._written: dict[str, Value] = {}
        self._packed: dict[str, bytes] = {}  # of what was written to open families, not yet looked at
        self._paid: set[str] = set()  # keys of open families whose size this transaction has paid, or will at its end
        self._unsettled: dict[str, None] = {}  # keys of open families that were written since the last ``settle``
        self._undo: list[_Undo] = []

    def get(self, key: str) -> Value:
        """See ``Reader``. The returned value must not be changed; copy it first."""
        meter = self.meter
        meter.left -= READ_STEPS
        if meter.left < 0:
            raise Spent
        value = self.peek(key)
        if self._is_open[key] and key not in self._paid:
            self._paid.add(key)
            packed = self._packed.get(key)
            size = self._sizes.get(key, 0) if packed is None else len(packed)
            meter.charge(size // VALUE_BYTES_A_STEP)
        return value

    def peek(self, key: str) -> Value:
        """Read without charge; see ``peek``."""
        if key in self._written:
            value = self._written[key]
        else:
            if key not in self._cache:
                self._cache[key] = self._load(key)
            value = self._cache[key]
        if self._watcher is not None:
            self._watcher.gave(key, value)
        return value

    def _load(self, key: str) -> Any:
        try:
            raw = self._read(key.encode())
            value = None if raw is None else codec.decode_own(raw)
        except MemoryError:
            raise
        except Exception as error:
            raise Broken(f"the state value of {key} cannot be read: {error}") from error
        self._is_open[key] = in_open = self._opens(key)
        if raw is not None and in_open:
            self._sizes[key] = len(raw)
        return value

    def _opens(self, key: str) -> bool:
        """Say whether a key is of an open family: one of those of its contract, which its first part names."""
        return key.startswith(self._open_keys.get(key.partition("/")[0], ()))

    def put(self, key: str, value: Value) -> None:
        """See ``View``."""
        if value is None:
            raise ValueError("None means absent; delete the key")
        self._write(key, value)

    def delete(self, key: str) -> None:
        """See ``View``."""
        self._write(key, None)

    def charge(self, steps: int) -> None:
        """See ``View``."""
        meter = self.meter
        meter.left -= steps
        if meter.left < 0:
            raise Spent

    def note(self, text: str) -> None:
        """See ``View``."""
        self.meter.note = text

    @property
    def spent(self) -> int:
        """See ``View``."""
        return self.meter.spent

    def attempt(self, name: str, steps: int, effect: Callable[[], Result]) -> Result | Rejected:
        """See ``View`` (B11). An exception is contained as that of an action is."""
        outer, undone = self.meter, len(self._undo)
        self.meter = Meter(min(steps, outer.left))
        try:
            result = effect()
            codec.encode(result)
            self.settle()
            return result
        except Spent:
            refused = Rejected(TOO_COSTLY, f"{name} takes more than {self.meter.limit} steps")
        except (Broken, MemoryError):
            raise
        except ValueTooLarge as large:
            refused = Rejected(VALUE_TOO_LARGE, str(large))
        except Exception as error:
            self.faults.append(Fault(name, b"", error))
            refused = Rejected(INTERNAL_ERROR, name)
        finally:
            outer.left -= min(self.meter.spent, outer.left)
            self.meter = outer
        self._rollback_to(undone)
        return refused

    def settle(self, *, careful: bool = False) -> None:
        """Charge what was written to open families since the last call, by its encoded size.

        ``careful``: encode the values of all keys that were written since ``mark``, to find the one that has no
        encoding. Raises ``ValueTooLarge``, ``Spent``, and whatever encoding raises.
        """
        for key in self._unsettled:
            value = self._written[key]
            if value is not None:
                self._packed[key] = packed = _bounded(key, codec.encode_decoded(value))
                self.charge(len(packed) // VALUE_BYTES_A_STEP)
        self._unsettled.clear()
        for undo in self._undo if careful else ():
            value = self._written[undo.key]
            if value is not None:
                _bounded(undo.key, codec.encode(value))

    def mark(self) -> None:
        """Keep everything written so far."""
        if self._watcher is not None:
            self._watcher.compare()
        self._undo.clear()
        self._paid.clear()
        self._unsettled.clear()

    def rollback(self) -> None:
        """Forget everything written since ``mark``."""
        if self._watcher is not None:
            self._watcher.compare()
        self._rollback_to(0)
        self._paid.clear()

    def _rollback_to(self, position: int) -> None:
        while len(self._undo) > position:
            key, existed, value, packed = self._undo.pop()
            self._packed.pop(key, None)
            if not existed:
                del self._written[key]
                continue
            self._written[key] = value
            if packed is not None:
                self._packed[key] = packed
        self._unsettled = {
            undo.key: None for undo in self._undo if self._is_open[undo.key] and undo.key not in self._packed
        }

    @property
    def written(self) -> Iterable[str]:
        """The keys that were written."""
        return self._written.keys()

    def wrote(self, prefix: str) -> bool:
        """Say whether any key that begins with ``prefix`` was written."""
        return any(key.startswith(prefix) for key in self._written)

    def updates(self) -> dict[bytes, bytes | None]:
        """Return what was written, for ``State.derive``: key bytes -> canonical value bytes, None for deleted.

        Raises ``ValueTooLarge`` and whatever encoding raises.
        """
        return {
            key.encode(): None if value is None else self._encoded(key, value) for key, value in self._written.items()
        }

    def _encoded(self, key: str, value: Value) -> bytes:
        packed = self._packed.get(key)
        if packed is None:
            return _bounded(key, codec.encode(value))
        codec.require_encodable(value)
        return packed

    def _write(self, key: str, value: Value) -> None:
        if not key.startswith(self.writes):  # W9
            raise OutsidePrefix(f"{key} does not begin with {self.writes}")
        meter = self.meter
        meter.left -= WRITE_STEPS
        if meter.left < 0:
            raise Spent
        in_open = self._is_open.get(key)
        if in_open is None:
            in_open = self._is_open[key] = self._opens(key)
        existed = key in self._written
        self._undo.append(_Undo(key, existed, self._written.get(key), self._packed.pop(key, None) if in_open else None))
        self._written[key] = value
        if in_open:
            self._paid.add(key)
            self._unsettled[key] = None


def _by_contract(prefixes: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return prefixes of keys by the contract that each names with its first part."""
    found: dict[str, tuple[str, ...]] = {}
    for prefix in prefixes:
        name = prefix.partition("/")[0]
        found[name] = (*found.get(name, ()), prefix)
    return found


def _bounded(key: str, encoded: bytes) -> bytes:
    if len(encoded) > MAX_VALUE_BYTES:  # B6
        raise ValueTooLarge(f"the state value of {key} would take {len(encoded)} bytes, at most {MAX_VALUE_BYTES}")
    return encoded


def peek(reader: Reader, key: str) -> Value:
    """Read without charge, for what a node remembers between transactions: charges may not depend on that (B1)."""
    return reader.peek(key) if isinstance(reader, Overlay) else reader.get(key)
